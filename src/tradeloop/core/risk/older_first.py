"""Station 4: which of several working orders of a side closes what is held: the older ones first.

So each is judged as it was when it was made, and what they are promised is together what they may cost.
"""

from __future__ import annotations

from decimal import Decimal

from tradeloop.core.order import Order
from tradeloop.core.risk.cost import closed_by, closing_qty, costs_nothing
from tradeloop.core.state import State
from tradeloop.core.types import OPEN, ZERO, AccountID, Side, Symbol, UtcNs


def in_turn(state: State, account: AccountID, symbol: Symbol, side: Side) -> list[tuple[Order, Decimal]]:
    """The working orders of a side in the order in which they were made, each with what those before it may close."""
    working = (state.orders.open[one] for one in state.working.get((account, symbol), ()))
    found, before = [], ZERO
    for order in sorted((order for order in working if order.side is side), key=_age):
        found.append((order, before))
        if order.position_effect is not OPEN:
            before += order.exposed_qty
    return found


def closed_before(state: State, order: Order) -> Decimal:
    """What older orders of its side may close before an order does; 0 where the order costs nothing whatever they do."""
    account, symbol, side = order.account, order.symbol, order.side
    if order.position_effect is OPEN or costs_nothing(side, order.position_effect, state.instruments[symbol]):
        return ZERO
    leg = closed_by(state, account, symbol, side)
    if not leg or closing_qty(state, account, symbol, side, None) <= leg:
        return ZERO  # there is nothing to close, or enough for all
    before, own = ZERO, _age(order)
    for cl_ord_id in state.working.get((account, symbol), ()):
        other = state.orders.open[cl_ord_id]
        if other.side is side and other.position_effect is not OPEN and _age(other) < own:
            before += other.exposed_qty
    return before


def _age(order: Order) -> tuple[UtcNs, int, str]:
    return order.staged_at, len(order.cl_ord_id), order.cl_ord_id
