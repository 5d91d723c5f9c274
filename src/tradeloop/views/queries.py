"""What the command line and the desk ask of the read models: typed rows, newest first, page by page.

A page ends with the `before` of the next one, so that rows that arrive meanwhile neither repeat nor hide any. Figures are
`Decimal`, times nanoseconds UTC, and both are as old as the cursor (`SqlViews.cursor`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Generic

import msgspec
from sqlalchemy import Select, Table, func, or_, select

from tradeloop.core.errors import BadInput
from tradeloop.core.types import OrdStatus, RunStatus
from tradeloop.views import tables
from tradeloop.views.database import Database, R
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
    RunLineRow,
    RunRow,
    SessionRow,
    TradeRow,
)

PAGE_MAX: Final = 1_000


class Page(msgspec.Struct, Generic[R]):
    """Rows, newest first, and the `before` that gives the next page; None on the last one."""

    rows: list[R]
    before: int | None


class OrderCounts(msgspec.Struct):
    """How many orders there are: in all, that may still trade, whose fate is unknown, by FIX's status and by side."""

    total: int = 0
    open: int = 0
    unknown: int = 0
    by_status: dict[str, int] = {}
    by_side: dict[str, int] = {}


class Queries:
    """Reads only. Every filter is optional, and filters add up."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def runs(
        self,
        *,
        status: RunStatus | None = None,
        project_id: str | None = None,
        account_id: str | None = None,
        mode: str | None = None,
        trade_date: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> Page[RunRow]:
        """Runs, newest first."""
        wanted = {"project_id": project_id, "account_id": account_id, "mode": mode, "trade_date": trade_date}
        wanted["status"] = None if status is None else status.value
        return await self._page(_where(tables.trade_runs, wanted), tables.trade_runs, RunRow, before, limit)

    async def run(self, run_id: str) -> RunRow | None:
        """One run, or None."""
        return await self._one(tables.trade_runs, run_id, RunRow)

    async def run_lines(self, run_id: str) -> list[RunLineRow]:
        """The plan of a run, line by line as it was planned."""
        table = tables.trade_run_lines
        statement = select(table).where(table.c.trade_run_id == run_id).order_by(table.c.line)
        return await self._database.rows(statement, RunLineRow)

    async def orders(
        self,
        *,
        run_id: str | None = None,
        account_id: str | None = None,
        symbol: str | None = None,
        strategy_id: str | None = None,
        ord_status: OrdStatus | None = None,
        status: str | None = None,
        side: str | None = None,
        ord_type: str | None = None,
        created_by: str | None = None,
        trading_day: str | None = None,
        since: int | None = None,
        until: int | None = None,
        unknown: bool = False,
        open_only: bool = False,
        before: int | None = None,
        limit: int = 50,
    ) -> Page[OrderRow]:
        """Orders, newest first. `status` is S0's word (S0-30), `ord_status` FIX's; `unknown` asks for those of unknown fate,
        whose status may be PENDING_CANCEL meanwhile. `since` and `until` bound when they were made, `until` left out."""
        table = tables.trade_orders
        wanted = {"trade_run_id": run_id, "account_id": account_id, "symbol": symbol, "status": status}
        wanted["strategy_id"] = strategy_id
        wanted["ord_status"] = None if ord_status is None else ord_status.value
        wanted |= {"side": side, "ord_type": ord_type, "created_by": created_by, "trading_day": trading_day}
        statement = _where(table, wanted)
        if since is not None:
            statement = statement.where(table.c.staged_at >= since)
        if until is not None:
            statement = statement.where(table.c.staged_at < until)
        if unknown:
            statement = statement.where(table.c.unknown_at.is_not(None))
        if open_only:
            statement = statement.where(table.c.is_open.is_(True))
        return await self._page(statement, table, OrderRow, before, limit)

    async def order_counts(self, *, account_id: str | None = None, strategy_id: str | None = None) -> OrderCounts:
        """How many orders there are, by status and by side."""
        table = tables.trade_orders
        wanted = {"account_id": account_id, "strategy_id": strategy_id}
        of = [table.c[name] == value for name, value in wanted.items() if value is not None]
        is_unknown = table.c.unknown_at.is_not(None)
        groups = (table.c.ord_status, table.c.side, table.c.is_open, is_unknown)
        statement = select(*groups, func.count()).where(*of).group_by(*groups)
        found = OrderCounts()
        for status, side, is_open, unknown, count in await self._database.counted(statement):
            found.total += count
            found.open += count if is_open else 0
            found.unknown += count if is_open and unknown else 0
            found.by_status[status] = found.by_status.get(status, 0) + count
            found.by_side[side] = found.by_side.get(side, 0) + count
        return found

    async def trades_of_strategy(self, account_id: str, strategy_id: str, *, symbol: str | None = None) -> list[TradeRow]:
        """Trades that stand of a strategy's orders, oldest first."""
        table, orders = tables.trades, tables.trade_orders
        statement = select(table).join(orders, table.c.order_id == orders.c.id)
        statement = statement.where(table.c.account_id == account_id, orders.c.strategy_id == strategy_id)
        if symbol is not None:
            statement = statement.where(table.c.symbol == symbol)
        return await self._database.rows(statement.order_by(table.c.seq), TradeRow)

    async def instruments(self, *, text: str = "", limit: int = 50) -> list[InstrumentRow]:
        """Instruments whose symbol or name holds a text, by symbol."""
        table = tables.instruments
        statement = select(table)
        if text:
            symbol = func.upper(table.c.id).contains(text.upper(), autoescape=True)
            statement = statement.where(or_(symbol, table.c.name.contains(text, autoescape=True)))
        return await self._database.rows(statement.order_by(table.c.id).limit(_bounded(limit)), InstrumentRow)

    async def order(self, cl_ord_id: str) -> OrderRow | None:
        """One order, or None."""
        return await self._one(tables.trade_orders, cl_ord_id, OrderRow)

    async def denials(self, cl_ord_ids: Sequence[str]) -> dict[str, DenialRow]:
        """Why risk refused these orders, by order; those that it let pass are left out."""
        found = await self._database.rows_by_id(tables.trade_denials, list(cl_ord_ids), DenialRow)
        return {row.id: row for row in found}

    async def fills(
        self,
        *,
        run_id: str | None = None,
        cl_ord_id: str | None = None,
        account_id: str | None = None,
        symbol: str | None = None,
        trading_day: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> Page[FillRow]:
        """Executions, busted and corrected ones included, newest first."""
        wanted = {"trade_run_id": run_id, "trade_order_id": cl_ord_id, "account_id": account_id}
        wanted |= {"symbol": symbol, "trading_day": trading_day}
        return await self._page(_where(tables.trade_fills, wanted), tables.trade_fills, FillRow, before, limit)

    async def trades(
        self,
        *,
        account_id: str | None = None,
        symbol: str | None = None,
        trading_day: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> Page[TradeRow]:
        """Trades that stand, newest first (S4-43)."""
        wanted = {"account_id": account_id, "symbol": symbol, "trading_day": trading_day}
        return await self._page(_where(tables.trades, wanted), tables.trades, TradeRow, before, limit)

    async def positions(
        self, *, account_id: str | None = None, symbol: str | None = None, flat: bool = False
    ) -> list[PositionRow]:
        """Positions by account and symbol, long before short; `flat` gives those too that hold nothing any more."""
        table = tables.positions
        statement = _where(table, {"account_id": account_id, "symbol": symbol})
        found = await self._database.rows(
            statement.order_by(table.c.account_id, table.c.symbol, table.c.direction), PositionRow
        )
        return [row for row in found if flat or row.volume]

    async def accounts(self, *, account_id: str | None = None) -> list[AccountRow]:
        """Money by account and currency."""
        table = tables.accounts
        statement = _where(table, {"account_id": account_id}).order_by(table.c.account_id, table.c.currency)
        return await self._database.rows(statement, AccountRow)

    async def curve(self, account_id: str, currency: str, *, since: int | None = None, limit: int = PAGE_MAX) -> list[CurveRow]:
        """The last `limit` points of an account's money at or after `since`, oldest first."""
        table = tables.account_curve
        statement = _where(table, {"account_id": account_id, "currency": currency})
        if since is not None:
            statement = statement.where(table.c.at >= since)
        statement = statement.order_by(table.c.batch.desc()).limit(_bounded(limit))
        return (await self._database.rows(statement, CurveRow))[::-1]

    async def breaks(
        self,
        *,
        account_id: str | None = None,
        kind: str | None = None,
        open_only: bool = True,
        before: int | None = None,
        limit: int = 50,
    ) -> Page[BreakRow]:
        """Differences between books, newest first."""
        wanted = {"account_id": account_id, "kind": kind, "status": "OPEN" if open_only else None}
        return await self._page(_where(tables.breaks, wanted), tables.breaks, BreakRow, before, limit)

    async def sessions(self, symbols: Sequence[str]) -> dict[str, SessionRow]:
        """The session of each of these symbols that has one, with the trading day it is in."""
        listed = await self._database.rows_by_id(tables.instruments, symbols, InstrumentRow)
        names = list(dict.fromkeys(row.session for row in listed if row.session))
        found = {row.id: row for row in await self._database.rows_by_id(tables.sessions, names, SessionRow)}
        return {row.id: found[row.session] for row in listed if row.session in found}

    async def alert(self, alert_id: str) -> AlertRow | None:
        """One trouble, or None."""
        return await self._one(tables.alerts, alert_id, AlertRow)

    async def alerts(
        self, *, open_only: bool = True, unseen: bool = False, before: int | None = None, limit: int = 50
    ) -> Page[AlertRow]:
        """Troubles, newest first; `unseen` leaves out those that somebody has acknowledged."""
        table = tables.alerts
        statement = select(table)
        if open_only:
            statement = statement.where(table.c.resolved_at.is_(None))
        if unseen:
            statement = statement.where(table.c.acknowledged_at.is_(None))
        return await self._page(statement, table, AlertRow, before, limit)

    async def audit(
        self,
        *,
        who: str | None = None,
        what: str | None = None,
        subject: str | None = None,
        run_id: str | None = None,
        account_id: str | None = None,
        result: str | None = None,
        since: int | None = None,
        until: int | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> Page[AuditRow]:
        """Who did what, newest first; `result` is done, asked, denied, halted, completed, failed or canceled."""
        wanted = {"who": who, "what": what, "subject": subject, "trade_run_id": run_id}
        wanted |= {"account_id": account_id, "result": result}
        statement, at = _where(tables.audit_log, wanted), tables.audit_log.c.at
        if since is not None:
            statement = statement.where(at >= since)
        if until is not None:
            statement = statement.where(at < until)
        return await self._page(statement, tables.audit_log, AuditRow, before, limit)

    async def _one(self, table: Table, identity: str, kind: type[R]) -> R | None:
        found = await self._database.rows(select(table).where(table.c.id == identity), kind)
        return found[0] if found else None

    async def _page(self, statement: Select[Any], table: Table, kind: type[R], before: int | None, limit: int) -> Page[R]:
        if before is not None:
            statement = statement.where(table.c.seq < before)
        statement = statement.order_by(table.c.seq.desc()).limit(_bounded(limit) + 1)
        found = await self._database.rows(statement, kind)
        if len(found) <= limit:
            return Page(found, None)
        kept: list[Any] = found[:limit]
        return Page(kept, kept[-1].seq)


def _where(table: Table, wanted: dict[str, str | None]) -> Select[Any]:
    statement = select(table)
    for name, value in wanted.items():
        if value is not None:
            statement = statement.where(table.c[name] == value)
    return statement


def _bounded(limit: int) -> int:
    if not 1 <= limit <= PAGE_MAX:
        raise BadInput(f"the page size was {limit}; expected 1 to {PAGE_MAX}")
    return limit
