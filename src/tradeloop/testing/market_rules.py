"""The page of the market rules: `python -m tradeloop.testing.market_rules`.

docs/reference/market-rules.md holds it below a marker; a test keeps the two the same. It shows every dated row and every
calendar: of what, what it says, from when to when, its source, and the day of the last look at it, if there was one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any, Final

import msgspec

from tradeloop.markets.calendars import CALENDAR_FILES, Span, calendar
from tradeloop.markets.coverage import NAMING_FIELDS, row_name, tables
from tradeloop.markets.sessions import SegmentRow
from tradeloop.markets.tables import MARKETS, Dated, Table

MARKER: Final = "<!-- Below: written by `python -m tradeloop.testing.market_rules`. Change the data, not this text. -->"
_UNVERIFIED: Final = "**unverified**"
_OF_EVERY_ROW: Final = frozenset({*Dated.__struct_fields__, *NAMING_FIELDS})


def rendered() -> str:
    """Which market has rows for what, then every row, table by table, then the calendars."""
    every = tables()
    rows = [row for table in every for row in table.rows]
    looked_at = sum(1 for row in rows if row.verified_on is not None)
    lines = [
        MARKER,
        "",
        f"{len(rows)} rows in {len(every)} files: {looked_at} held against their source, {len(rows) - looked_at} not.",
        "",
        *_coverage(every),
        "",
        "Of the boards, where rules are by board:",
        "",
        *_boards([table for table in every if "board" in type(table.rows[0]).__struct_fields__]),
    ]
    for table in every:
        lines += ["", f"## {table.table[:1].upper()}{table.table[1:]}", "", *_table(table)]
    lines += ["", "## Calendars", "", *_calendars()]
    return "\n".join(lines) + "\n"


def _coverage(every: Sequence[Table[Any]]) -> Iterator[str]:
    """Rows by table and market, those on general knowledge in brackets; an empty cell is a market without such a rule."""
    yield "| rule | " + " | ".join(MARKETS) + " |"
    yield "| --- |" + " --- |" * len(MARKETS)
    for table in every:
        cells = [_count([row for row in table.rows if row.market == market]) for market in MARKETS]
        yield f"| {table.table} | " + " | ".join(cells) + " |"


def _boards(every: Sequence[Table[Any]]) -> Iterator[str]:
    """The same by board and table."""
    yield "| board | " + " | ".join(table.table for table in every) + " |"
    yield "| --- |" + " --- |" * len(every)
    for board in dict.fromkeys(row.board for table in every for row in table.rows):
        cells = [_count([row for row in table.rows if row.board == board]) for table in every]
        yield f"| {board} | " + " | ".join(cells) + " |"


def _count(rows: Sequence[Dated]) -> str:
    unverified = sum(1 for row in rows if row.verified_on is None)
    return f"{len(rows)} ({unverified})" if unverified else str(len(rows)) if rows else ""


def _table(table: Table[Any]) -> Iterator[str]:
    horizons = ", ".join(f"{market} {last}" for market, last in table.verified_through.items())
    yield f"`src/tradeloop/markets/data/{table.file}`; rows without an end hold until: {horizons}."
    yield ""
    yield "| of | rule | from | to | source | verified on |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for row in table.rows:
        note = f" ({row.note})" if row.note else ""
        until, looked_at = row.effective_to or "", row.verified_on or _UNVERIFIED
        yield f"| {row_name(row)} | {_says(row)}{note} | {row.effective_from} | {until} | {row.source} | {looked_at} |"
    yield ""
    for key, source in table.sources.items():
        yield f"- {key}: {source}"


def _says(row: Dated) -> str:
    found = [f"{name} {_word(value)}" for name, value in msgspec.structs.asdict(row).items() if _is_said(name, value)]
    return ", ".join(found) or "holds"


def _is_said(name: str, value: object) -> bool:
    return name not in _OF_EVERY_ROW and value not in ((), "")


def _word(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, SegmentRow):
        when = "" if value.day == "every" else f" {value.day.replace('_', ' ')}"
        lacks = [what for what, has in (("cancels", value.cancels), ("market orders", value.market_orders)) if not has]
        return f"{value.from_}-{value.to} {value.kind}{when}{' without ' if lacks else ''}{' or '.join(lacks)}"
    if isinstance(value, tuple):
        return " ".join(_pair(each) if isinstance(each, tuple) else f"{_word(each)};" for each in value).rstrip(";")
    return str(value)


def _pair(pair: tuple[Any, ...]) -> str:
    """One step of a ladder of ticks."""
    up_to, tick = pair
    return f"{'above' if up_to is None else f'to {up_to:f}'}: {tick:f};"


def _calendars() -> Iterator[str]:
    yield "| calendar | days | from | to | source | verified on |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for name in CALENDAR_FILES:
        days = calendar(name)
        for what, spans in (("closed days and early closes", days.spans), ("no night sessions", days.no_nights)):
            for span in spans:
                yield f"| {name} | {what} | {_of_span(span)} |"
    yield ""
    for name in CALENDAR_FILES:
        for key, source in calendar(name).sources.items():
            yield f"- {name}, {key}: {source}"


def _of_span(span: Span) -> str:
    return f"{span.from_} | {span.to} | {span.source} | {span.verified_on or _UNVERIFIED}"


if __name__ == "__main__":
    sys.stdout.write(rendered())
