"""What a file of one's own has not that the packaged one of its name has: rules that would be gone without a word.

Where no row means no rule, a copy that was cut short trades a board without its cage, or a holiday's afternoon. So it says in
`drops` what it leaves out on purpose.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from tradeloop.core.errors import BadInput
from tradeloop.markets.calendars import Calendar
from tradeloop.markets.fees import FeeRow
from tradeloop.markets.tables import Table
from tradeloop.markets.written import shown

_NAMED_MAX: Final = 3


def parts_of(table: Table[Any]) -> tuple[str, ...]:
    """Of what a table holds rules, each once: `CN_A STAR`, `CN_A stamp_duty`."""
    return tuple(dict.fromkeys(part for row in table.rows for part in _of_row(row)))


def parts_within(calendar: Calendar, other: Calendar) -> tuple[str, ...]:
    """Of what a calendar speaks in days that the spans of the `other` cover: `early 2026`, `no_nights 2020-02-03`."""

    def is_covered(day: Any) -> bool:
        return any(span.from_ <= day <= span.to for span in other.spans)

    early = [f"early {day.year}" for day in sorted(calendar.early) if is_covered(day)]
    nights = [f"no_nights {span.from_}" for span in calendar.no_nights if is_covered(span.from_)]
    return tuple(dict.fromkeys((*early, *nights)))


def refuse_left_out(where: str, has: Iterable[str], packaged: Iterable[str], drops: Iterable[str]) -> None:
    """Raise BadInput where something of the packaged file is missing and not dropped, or dropped and there, or never was."""
    here, there, dropped = set(has), list(packaged), list(drops)
    missing = [part for part in there if part not in here and part not in dropped]
    if missing:
        more = f" and {len(missing) - _NAMED_MAX} more" if len(missing) > _NAMED_MAX else ""
        named = ", ".join(missing[:_NAMED_MAX])
        raise BadInput(
            f"{where} has nothing of {named}{more}, which the packaged file has, and may be cut off;"
            f" complete it, or say `drops: [{missing[0]}]` if that is meant"
        )
    for part in dropped:
        if part in here:
            raise BadInput(f"{where}: drops held {shown(part)}, and the file has rows of it; take one of the two out")
        if part not in there:
            raise BadInput(f"{where}: drops held {shown(part)}, of which the packaged file has nothing; take that out")


def _of_row(row: Any) -> Iterator[str]:
    if isinstance(row, FeeRow):  # which classes and venues a line is for may well change
        yield f"{row.market} {row.name}"
        return
    for rule in row.rules():
        yield " ".join(str(word) for word in rule if word != "")
