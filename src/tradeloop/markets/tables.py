"""Dated rows: one YAML file per subject under markets/data, read once, and looked up by day.

Every row says from when to when it holds, where it comes from, and the day on which somebody held it against that
source (`verified_on: null` is general knowledge of the trade that nobody has held against anything yet). A row without
an end holds through the last day its market is looked after (`verified_through`); a later day is refused, because a
rule that nobody has looked at is not a rule. Nor is a file that contradicts itself: overlaps, gaps, unknown markets and
keys are refused as it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, Final, Generic, ParamSpec, TypeVar, cast

import msgspec

from tradeloop.core.errors import BadInput
from tradeloop.core.types import is_exact
from tradeloop.markets.written import read_as, shown

MARKETS: Final = ("CN_A", "CN_FUTURES", "US", "HK", "CRYPTO")
"""Every market there is; a row of another one is refused."""
_ABOVE_ZERO: Final = frozenset(
    {"lot", "min_qty", "tick", "steps", "multiplier", "margin_rate", "max_qty_limit", "max_lots", "limit", "up", "down", "days"}
    | {"maximum", "self_trades", "cancels", "large_cancels", "large_cancel_qty"}
)
"""Fields in which zero would be as wrong as less than zero."""
_FRACTIONS: Final = frozenset({"limit", "up", "down", "cage", "margin_rate", "rate", "rate_close_today"})
"""Fields that say a part of something: a limit of 10 would be one of 1,000 %, and lets every price pass."""
_HORIZON: Final = timedelta(days=5 * 366)
"""How far from the day of reading a market may be said to be looked after: what nobody can know is no rule."""
_DAY: Final = timedelta(days=1)


class Dated(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every row carries. `source` is a key of its file's `sources`; both days are inclusive.

    `verified_on` is the day of the last look at the source, None for a row that rests on general knowledge.
    """

    RULE: ClassVar[tuple[str, ...]] = ("market",)
    """The fields that say of what a row is the rule: rows that agree in all of them follow one another in time."""
    WHOLE: ClassVar[tuple[str, ...]] = ()
    """Fractions that may be 1 as well."""

    market: str
    effective_from: date
    effective_to: date | None = None
    source: str
    verified_on: date | None
    note: str = ""

    def holds(self, on: date) -> bool:
        """Whether the row is in force on that day, its file's horizon aside."""
        return self.effective_from <= on and (self.effective_to is None or on <= self.effective_to)

    def rules(self) -> Iterator[tuple[object, ...]]:
        """What the row is the rule of, one key each."""
        yield tuple(getattr(self, field) for field in self.RULE)

    def fault(self) -> str:
        """What is wrong with the row in itself, empty when nothing is; row types that hold more than numbers say more."""
        if self.effective_to is not None and self.effective_to < self.effective_from:
            return f"effective_to is {self.effective_to}, before effective_from ({self.effective_from})"
        for field in self.__struct_fields__:
            for number in _numbers(getattr(self, field)):
                if expected := self._expected(field, number):
                    return f"{field} was {shown(number)}; expected {expected}"
        return ""

    def _expected(self, field: str, number: Decimal | int) -> str:
        """What a figure should have been, empty where it is that."""
        if not is_exact(Decimal(number)) or "E+" in str(number):
            return "a finite number in plain digits, such as 0.01"
        if number < 0 or (number == 0 and field in _ABOVE_ZERO):
            return "more than zero" if field in _ABOVE_ZERO else "zero or more"
        if field in _FRACTIONS and (number > 1 or (number == 1 and field not in self.WHOLE)):
            return "a fraction of at most 1" if field in self.WHOLE else "a fraction below 1, such as 0.1"
        return ""


R = TypeVar("R", bound=Dated)
P = ParamSpec("P")
T = TypeVar("T")

_OWN: dict[str, tuple[Path, bytes]] = {}
"""Files that stand in the place of packaged ones, by name (markets/own_rules.py)."""
_FORGET: list[Callable[[], None]] = []


def kept(function: Callable[P, T]) -> Callable[P, T]:
    """`functools.cache` for what is read from the data files, until other files take their place."""
    remembered = cache(function)
    _FORGET.append(remembered.cache_clear)
    return cast("Callable[P, T]", remembered)


def replace_files(own: Mapping[str, tuple[Path, bytes]]) -> None:
    """These stand for the packaged files of the same name from now on, and no other does; all that was read is forgotten."""
    if own == _OWN:
        return
    _OWN.clear()
    _OWN.update(own)
    for forget in _FORGET:
        forget()


def place_of(file: str) -> str:
    """Where a data file lies, as messages name it."""
    return str(_OWN[file][0]) if file in _OWN else f"markets/data/{file}"


def content_of(file: str) -> bytes:
    """The text of a data file that is in force."""
    return _OWN[file][1] if file in _OWN else data_bytes(file)


class Table(msgspec.Struct, Generic[R], frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One data file. `table` names it in messages (plural); `verified_through` bounds the open rows of each market.

    `drops`: of a file of one's own, what of the packaged one it leaves out on purpose (markets/left_out.py).
    """

    table: str
    file: str
    verified_through: dict[str, date]
    sources: dict[str, str]
    rows: tuple[R, ...]
    drops: tuple[str, ...] = ()

    def last_day(self, row: R) -> date:
        """The last day on which `row` may be used."""
        horizon = self.verified_through[row.market]
        return horizon if row.effective_to is None else min(horizon, row.effective_to)

    def on(self, day: date, of: str, rows: Iterable[R]) -> R:
        """The one of `rows` that may be used on `day`; `BadInput` naming `of` when there is none."""
        known = sorted(rows, key=lambda row: row.effective_from)
        if not known:
            raise BadInput(f"the {self.table} do not know {of}; add a row to {place_of(self.file)}")
        for row in known:
            if row.holds(day) and day <= self.last_day(row):
                return row
        first, last = known[0].effective_from, max(self.last_day(row) for row in known)
        if day < first:
            raise BadInput(f"the {self.table} of {of} begin {first}; {day} is before the table, use a later day")
        raise BadInput(f"the {self.table} of {of} end {last}; {day} needs newer rows in {place_of(self.file)}")


@cache
def data_bytes(file: str) -> bytes:
    """The content of one packaged data file."""
    return (files("tradeloop.markets") / "data" / file).read_bytes()


def read_table(file: str, row_type: type[R]) -> Table[R]:
    """Reads and checks one data file; callers keep the result (`functools.cache`)."""
    return decoded(file, content_of(file), row_type)


def decoded(file: str, content: bytes, row_type: type[R], where: str = "", today: date | None = None) -> Table[R]:
    """The table in the text of a data file; `BadInput`, in one sentence, for what is no table or contradicts itself. With the
    day of reading, also for a row that was verified after it.
    """
    where = where or place_of(file)
    table: Table[R] = read_as(content, Table[row_type], where)  # type: ignore[valid-type]
    if table.file != file:
        raise BadInput(f"{where}: file was {shown(table.file)}; expected {file}")
    for market, last in table.verified_through.items():
        if market not in MARKETS:
            raise BadInput(f"{where}: verified_through was of {shown(market)}; expected one of {', '.join(MARKETS)}")
        if today is not None and last > today + _HORIZON:
            raise BadInput(f"{where}: verified_through of {market} was {last}; expected {today + _HORIZON} at the latest")
    for number, row in enumerate(table.rows, start=1):
        if row.market not in MARKETS:
            raise BadInput(f"{where} row {number}: there is no market {row.market!r}; expected one of {', '.join(MARKETS)}")
        if row.source not in table.sources:
            raise BadInput(f"{where} row {number}: source {row.source!r} is not among its sources; name it there")
        if row.market not in table.verified_through:
            raise BadInput(f"{where} row {number}: {row.market!r} has no verified_through; add the last known day")
        if today is not None and row.verified_on is not None and row.verified_on > today:
            raise BadInput(f"{where} row {number}: verified_on was {row.verified_on}; expected {today} at the latest, or null")
        if fault := row.fault():
            raise BadInput(f"{where} row {number}: {fault}")
    _refuse_overlaps_and_gaps(where, table.rows)
    return table


def _refuse_overlaps_and_gaps(where: str, rows: Iterable[Dated]) -> None:
    """Of two rows for one day either could be meant, and a day between two rows is a rule that somebody forgot."""
    by_rule: dict[tuple[object, ...], list[tuple[int, Dated]]] = {}
    for number, row in enumerate(rows, start=1):
        for rule in row.rules():
            by_rule.setdefault(rule, []).append((number, row))
    for rule, its in by_rule.items():
        its.sort(key=lambda each: each[1].effective_from)
        for (number, earlier), (_, later) in pairwise(its):
            of = " ".join(map(str, rule))
            if earlier.effective_to is None or earlier.effective_to >= later.effective_from:
                ends = f"should end before {later.effective_from}"
                raise BadInput(f"{where} row {number}: two rows of {of} overlap; the one from {earlier.effective_from} {ends}")
            if earlier.effective_to + _DAY != later.effective_from:
                gap = f"{earlier.effective_to + _DAY} to {later.effective_from - _DAY}"
                raise BadInput(f"{where} row {number}: the rows of {of} leave out {gap}; let them follow one another")


def _numbers(value: object) -> Iterator[Decimal | int]:
    if isinstance(value, Decimal) or (isinstance(value, int) and not isinstance(value, bool)):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from _numbers(each)
