"""Who else traded what a run's target is about, since the run was planned: other runs, halts, and single orders.

The read models name the order of every fill, so a position that another run or an order changed is no riddle. What no order of
ours traded, an order that came to be known from the broker among it, is left for a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tradeloop.core.types import ZERO, Side
from tradeloop.views.queries import PAGE_MAX, Queries
from tradeloop.views.rows import FillRow, OrderRow, RunRow
from tradeloop.views.runs import strategy_of


@dataclass(frozen=True)
class Beside:
    """What one other run, or one single order, added to a position; less than zero where it sold more."""

    name: str
    is_run: bool
    qty: Decimal
    halt: str = ""
    """The halt that it closed a position for, in words."""
    strategy: str = ""
    """Whose order it is, where it names another strategy than the run's: what that holds is its own business."""


async def newer_run(queries: Queries, run: RunRow) -> RunRow | None:
    """The newest run of the account that began to trade, whose target took the place of this one's; None where this is it, or
    where those behind it never began.
    """
    before: int | None = None
    while True:
        page = await queries.runs(account_id=run.account_id, before=before)
        for row in page.rows:
            if row.id == run.id:
                return None
            if row.started_at is not None:
                return row
        before = page.before
        if before is None:
            return None


async def traded_beside(queries: Queries, run: RunRow) -> dict[str, tuple[Beside, ...]]:
    """By symbol, what others booked since the plan of `run` looked at the holdings, oldest first."""
    found: dict[str, dict[str, Beside]] = {}
    known: dict[str, OrderRow | None] = {}
    own = strategy_of(run) or run.project_id
    for fill in await _since(queries, run):
        if fill.trade_run_id == run.id or fill.exec_type == "TRADE_CANCEL":
            continue
        order = None if fill.trade_run_id is not None else await _order(queries, fill.trade_order_id, known)
        if fill.trade_run_id is None and (order is None or order.is_external):
            continue
        strategy = "" if order is None or order.strategy_id == own else order.strategy_id
        name = fill.trade_run_id or strategy or fill.trade_order_id
        qty = fill.fill_qty if fill.side == Side.BUY.value else -fill.fill_qty
        of = found.setdefault(fill.symbol, {})
        so_far = of[name].qty if name in of else ZERO
        of[name] = Beside(name, fill.trade_run_id is not None, so_far + qty, _halt_of(order), strategy)
    return {symbol: tuple(of.values()) for symbol, of in found.items()}


def net(hands: Sequence[Beside]) -> Decimal:
    """What they added together."""
    return sum((each.qty for each in hands), ZERO)


async def _since(queries: Queries, run: RunRow) -> list[FillRow]:
    """The fills of the account that were booked after the run was planned, oldest first."""
    found: list[FillRow] = []
    before: int | None = None
    while True:
        page = await queries.fills(account_id=run.account_id, before=before, limit=PAGE_MAX)
        newer = [row for row in page.rows if row.seq > run.seq]
        found += newer
        before = page.before
        if before is None or len(newer) < len(page.rows):
            return found[::-1]


async def _order(queries: Queries, cl_ord_id: str, known: dict[str, OrderRow | None]) -> OrderRow | None:
    if cl_ord_id not in known:
        known[cl_ord_id] = await queries.order(cl_ord_id)
    return known[cl_ord_id]


def _halt_of(order: OrderRow | None) -> str:
    """The halt that made an order, in words; empty where none did."""
    return order.reason if order is not None and order.created_by.startswith("halt:") else ""
