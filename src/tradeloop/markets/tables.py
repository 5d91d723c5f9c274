"""Dated rows: one YAML file per subject under markets/data, read once, and looked up by day.

Every row says from when to when it holds, where it comes from, and whether that was verified (`false` is general
knowledge of the trade that nobody has yet held against the rule book). A row without an end holds through the last
day its market is looked after (`verified_through`); a later day is refused, because a rule that nobody has looked at
is not a rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Generic, TypeVar

import msgspec

from tradeloop.core.errors import BadInput


class Dated(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every row carries. `source` is a key of its file's `sources`; both days are inclusive."""

    market: str
    effective_from: date
    effective_to: date | None = None
    source: str
    verified: bool
    note: str = ""

    def holds(self, on: date) -> bool:
        """Whether the row is in force on that day, its file's horizon aside."""
        return self.effective_from <= on and (self.effective_to is None or on <= self.effective_to)


R = TypeVar("R", bound=Dated)


class Table(msgspec.Struct, Generic[R], frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One data file. `table` names it in messages (plural); `verified_through` bounds the open rows of each market."""

    table: str
    file: str
    verified_through: dict[str, date]
    sources: dict[str, str]
    rows: tuple[R, ...]

    def last_day(self, row: R) -> date:
        """The last day on which `row` may be used."""
        horizon = self.verified_through[row.market]
        return horizon if row.effective_to is None else min(horizon, row.effective_to)

    def on(self, day: date, of: str, rows: Iterable[R]) -> R:
        """The one of `rows` that may be used on `day`; `BadInput` naming `of` when there is none."""
        known = sorted(rows, key=lambda row: row.effective_from)
        if not known:
            raise BadInput(f"the {self.table} do not know {of}; add a row to markets/data/{self.file}")
        for row in known:
            if row.holds(day) and day <= self.last_day(row):
                return row
        first, last = known[0].effective_from, max(self.last_day(row) for row in known)
        if day < first:
            raise BadInput(f"the {self.table} of {of} begin {first}; {day} is before the table")
        raise BadInput(f"the {self.table} of {of} end {last}; {day} needs newer rows in markets/data/{self.file}")


@cache
def data_bytes(file: str) -> bytes:
    """The content of one packaged data file."""
    return (files("tradeloop.markets") / "data" / file).read_bytes()


def read_table(file: str, row_type: type[R]) -> Table[R]:
    """Decodes and checks one data file; callers keep the result (`functools.cache`)."""
    try:
        table: Table[R] = msgspec.yaml.decode(data_bytes(file), type=Table[row_type])  # type: ignore[valid-type]
    except msgspec.ValidationError as wrong:
        raise BadInput(f"markets/data/{file} cannot be read: {wrong}") from wrong
    for row in table.rows:
        if row.source not in table.sources:
            raise BadInput(f"markets/data/{file}: source {row.source!r} is not among its sources; name it there")
        if row.market not in table.verified_through:
            raise BadInput(f"markets/data/{file}: {row.market!r} has no verified_through; add the last known day")
    return table
