"""Fills: every execution and what became of it, busted and corrected ones too, newest first."""

from __future__ import annotations

import msgspec

from tradeloop.access.identity import Scope
from tradeloop.api.call import Answer, Call
from tradeloop.api.desk import Desk
from tradeloop.api.gate import ok
from tradeloop.api.pages import LIMIT, Cursor, Limit, following, page_from, page_size
from tradeloop.api.plain import Amount, Day, Moment, amount, local, told
from tradeloop.api.policy import Policy, Rate, Routes
from tradeloop.api.symbols import exchange_of, symbol_of
from tradeloop.core.types import Symbol
from tradeloop.views.rows import FillRow


class Fill(msgspec.Struct, frozen=True):
    """One execution; `exec_type` is TRADE, TRADE_CORRECT or TRADE_CANCEL. `fill_time_local` is by the exchange's clock."""

    exec_id: str
    order_id: str
    broker_order_id: str | None
    run_id: str | None
    account: str
    broker: str
    exchange: str
    symbol: str
    side: str
    position_effect: str
    quantity: Amount
    price: Amount
    commission: Amount
    commission_by_broker: bool
    liquidity: str
    realized_pnl: Amount | None
    exec_type: str
    trading_day: Day
    fill_time: Moment
    fill_time_local: Moment
    booked_at: Moment


class Fills(msgspec.Struct, frozen=True):
    """Fills, newest first; `next` is the cursor of the next page."""

    fills: list[Fill]
    next: str | None


class WhichFills(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which fills; filters add up."""

    run_id: str | None = None
    order_id: str | None = None
    exchange: str = ""
    symbol: str | None = None
    trading_day: Day | None = None
    limit: Limit = LIMIT
    cursor: Cursor = None


def routes(table: Routes) -> None:
    """The routes of this file."""
    reads = Policy(Scope.READ_ACCOUNT, safe=True, rate=Rate.READ)
    table.add("GET", "/api/v1/fills", listed, reads, "fills", query=WhichFills, gives=Fills)


async def listed(call: Call) -> Answer:
    """List fills, newest first."""
    wanted, desk = call.wanted(WhichFills), call.desk
    await desk.shown()
    page = await desk.queries.fills(
        run_id=wanted.run_id,
        cl_ord_id=wanted.order_id,
        account_id=desk.account,
        symbol=None if wanted.symbol is None else symbol_of(wanted.exchange, wanted.symbol, desk.broker),
        trading_day=wanted.trading_day,
        before=page_from(wanted.cursor),
        limit=page_size(wanted.limit),
    )
    return ok(Fills([fill_document(desk, row) for row in page.rows], following(page.before)))


def fill_document(desk: Desk, row: FillRow) -> Fill:
    """A fill as it is told."""
    instrument = desk.state.instruments.get(Symbol(row.symbol))
    return told(
        Fill,
        row,
        order_id=row.trade_order_id,
        broker_order_id=row.order_id,
        run_id=row.trade_run_id,
        account=row.account_id,
        exchange=exchange_of(row.symbol),
        quantity=amount(row.fill_qty),
        price=amount(row.fill_price),
        fill_time_local=local(row.fill_time, "" if instrument is None else instrument.market),
    )
