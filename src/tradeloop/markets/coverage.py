"""What the market tables do not know: rows nobody verified, and calendars and tables that end soon.

`tradeloop doctor` shows both, so that a table is renewed before a refusal stops the trading.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec

from tradeloop.markets.boards import boards
from tradeloop.markets.calendars import CALENDAR_FILES, calendar
from tradeloop.markets.fees import fee_table
from tradeloop.markets.futures import conduct, costs, products
from tradeloop.markets.rules import (
    listing_days_table,
    order_limit_table,
    order_rule_table,
    permission_table,
    price_cage_table,
    price_limit_table,
    short_margin_table,
    tick_ladder_table,
)
from tradeloop.markets.sessions import session_table
from tradeloop.markets.tables import Dated, Table

NAMING_FIELDS = ("venue", "exchange", "product", "board", "key", "name", "st")
"""The fields that say, beside the market, of what a row is the rule."""


class UnverifiedRow(msgspec.Struct, frozen=True):
    """A row or span that rests on general knowledge."""

    file: str
    row: str
    effective_from: date
    effective_to: date | None
    source: str


class Ending(msgspec.Struct, frozen=True):
    """A calendar or table whose last day is near; negative `days_left` says it has passed. `markets` cannot trade after it."""

    what: str
    last_day: date
    days_left: int
    markets: tuple[str, ...]


def tables() -> tuple[Table[Any], ...]:
    """Every table of dated rows."""
    return (
        boards(),
        order_rule_table(),
        order_limit_table(),
        price_limit_table(),
        price_cage_table(),
        permission_table(),
        listing_days_table(),
        short_margin_table(),
        tick_ladder_table(),
        fee_table(),
        products(),
        costs(),
        conduct(),
        session_table(),
    )


def unverified_rows() -> tuple[UnverifiedRow, ...]:
    """Every row marked `verified_on: null`, table by table in file order, with its source spelt out."""
    return tuple(_unverified())


def ending_within(days: int, on: date) -> tuple[Ending, ...]:
    """The calendars, and the markets of each table, whose last day is at most `days` after `on`; soonest first."""
    last_days = {f"calendar {name}": (calendar(name).last_day, _follow(name)) for name in CALENDAR_FILES}
    for table in tables():
        for market, horizon in table.verified_through.items():
            last_days[f"{table.table} of {market}"] = horizon, (market,)
    found = [
        Ending(what, last, (last - on).days, markets) for what, (last, markets) in last_days.items() if (last - on).days <= days
    ]
    return tuple(sorted(found, key=lambda ending: (ending.last_day, ending.what)))


def _follow(calendar_name: str) -> tuple[str, ...]:
    """The markets whose hours are those of the days of a calendar."""
    return tuple(dict.fromkeys(row.market for row in session_table().rows if row.calendar == calendar_name))


def _unverified() -> Iterator[UnverifiedRow]:
    for table in tables():
        for row in table.rows:
            if row.verified_on is None:
                yield UnverifiedRow(table.file, row_name(row), row.effective_from, row.effective_to, table.sources[row.source])
    for name, file in CALENDAR_FILES.items():
        days = calendar(name)
        for span in (*days.spans, *days.no_nights):
            if span.verified_on is None:
                yield UnverifiedRow(file, f"calendar {name}", span.from_, span.to, days.sources[span.source])


def row_name(row: Dated) -> str:
    """What a row is the rule of, in words: `CN_A MAIN_SH ST`, `CN_FUTURES SHFE au`."""
    written = msgspec.structs.asdict(row)
    words = [row.market]
    for field in NAMING_FIELDS:
        value = written.get(field)
        if isinstance(value, bool):
            words += ["ST"] if value else []
        elif value:
            words.append(str(value))
    return " ".join(words)
