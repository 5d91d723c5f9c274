"""The rows a fold has in hand: read once, changed in memory, written together.

What is not loaded here does not exist for the fold, so whoever folds loads first (views/wanted.py says what). Closed
orders, fills and ended runs are let go after every write; what is open stays, so that a busy order is read once and not per
event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final, Generic, TypeVar

import msgspec
from sqlalchemy import Table

from tradeloop.views import tables
from tradeloop.views.columns import plain, short
from tradeloop.views.rows import (
    AccountRow,
    AlertRow,
    AuditRow,
    BreakRow,
    CurveRow,
    DenialRow,
    FillRow,
    InstrumentRow,
    OrderRow,
    PositionRow,
    Row,
    RunLineRow,
    RunRow,
    SessionRow,
    TradeRow,
)

R = TypeVar("R", bound=Row)

KEPT_MAX: Final = 50_000
"""Rows of one table that stay in memory between batches; past it they are read again when needed."""


def as_read(row: R) -> R:
    """A copy of a row, as reading it from the database gives it: a number in its one form, a text without NUL."""
    values: dict[str, Decimal | str] = {}
    for name in row.__struct_fields__:
        value = getattr(row, name)
        if type(value) is Decimal:
            values[name] = Decimal(plain(value))
        elif type(value) is str and "\0" in value:
            values[name] = value.replace("\0", "")
    return msgspec.structs.replace(row, **values)


class Kept(Generic[R]):
    """Rows of one table by id, and which of them the next write must store or remove.

    `stays` says which rows are kept after a write; `by_need` that a missing row is read again, so that all may go when
    there are many.
    """

    __slots__ = ("_by_need", "_stays", "changed", "gone", "rows", "table", "width")

    def __init__(self, table: Table, stays: Callable[[R], bool], *, by_need: bool = True) -> None:
        self.table = table
        self._by_need = by_need
        self.width: int = table.c.id.type.length  # type: ignore[attr-defined]  # Word knows its length
        self.rows: dict[str, R] = {}
        self.changed: dict[str, R] = {}
        self.gone: dict[str, None] = {}
        self._stays = stays

    def key(self, identity: str) -> str:
        """The id as it is stored."""
        return short(identity, self.width)

    def get(self, identity: str) -> R | None:
        """The row, or None where there is none."""
        return self.rows.get(self.key(identity))

    def put(self, row: R) -> R:
        """Keep a new or changed row; the next write stores it."""
        key = row.id = self.key(row.id)
        self.rows[key] = self.changed[key] = row
        self.gone.pop(key, None)
        return row

    def drop(self, identity: str) -> None:
        """Remove a row; the next write deletes it."""
        key = self.key(identity)
        self.rows.pop(key, None)
        self.changed.pop(key, None)
        self.gone[key] = None

    def admit(self, row: R) -> None:
        """Take a row as it was read."""
        self.rows[row.id] = row

    def written(self) -> None:
        """Everything is stored: let go of what need not stay."""
        for key, row in self.changed.items():
            if not self._stays(row):
                self.rows.pop(key, None)
        self.changed = {}
        self.gone = {}
        if len(self.rows) > KEPT_MAX and self._by_need:
            self.rows = {}


class RowSet:
    """All rows in hand, table by table, in the order they are written."""

    def __init__(self) -> None:
        self.instruments: Kept[InstrumentRow] = Kept(tables.instruments, _never)
        self.sessions: Kept[SessionRow] = Kept(tables.sessions, _never)
        self.runs: Kept[RunRow] = Kept(tables.trade_runs, lambda row: row.finished_at is None)
        self.lines: Kept[RunLineRow] = Kept(tables.trade_run_lines, lambda row: row.leg > 0)
        self.orders: Kept[OrderRow] = Kept(tables.trade_orders, lambda row: row.is_open)
        self.denials: Kept[DenialRow] = Kept(tables.trade_denials, _never)
        self.fills: Kept[FillRow] = Kept(tables.trade_fills, _never)
        self.trades: Kept[TradeRow] = Kept(tables.trades, _never)
        self.accounts: Kept[AccountRow] = Kept(tables.accounts, _never)
        self.curve: Kept[CurveRow] = Kept(tables.account_curve, _never)
        self.positions: Kept[PositionRow] = Kept(tables.positions, _never)
        self.breaks: Kept[BreakRow] = Kept(tables.breaks, lambda row: row.closed_at is None)
        self.alerts: Kept[AlertRow] = Kept(tables.alerts, lambda row: row.resolved_at is None, by_need=False)
        self.audit: Kept[AuditRow] = Kept(tables.audit_log, _never)

    def changes(self) -> Iterator[tuple[Table, list[Row], list[str]]]:
        """(table, rows to store, ids to delete) of every table that changed."""
        for kept in self._all():
            if kept.changed or kept.gone:
                yield kept.table, list(kept.changed.values()), list(kept.gone)

    def written(self) -> None:
        """Everything is stored."""
        for kept in self._all():
            kept.written()

    def size(self) -> int:
        """Rows waiting to be written."""
        return sum(len(kept.changed) + len(kept.gone) for kept in self._all())

    def _all(self) -> tuple[Kept[Row], ...]:
        return tuple(vars(self).values())


def _never(_row: Row) -> bool:
    return False
