"""Station 5: what an order is promised again when a fill of it was dearer than its share, is taken back, corrected, or found to
be of another order.

A fill releases what it used, and the last one everything. One that was dearer than it could be under the terms in force (it
crossed a change of them, a sell got more than its limit, the market slipped, the broker charged more) used what the rest needs.
Taken back, a fill gives back what it had used; but the rest of the order may trade at its limit, dearer than that fill did,
and what the last fill released beyond its own cost is gone. A fill that came under a number alone and is moved to its order has
drawn nothing on that order's promise, and counts as if it had. So an order that works on is promised what it may still cost at
worst, if that is more.
"""

from __future__ import annotations

from collections.abc import Generator

import msgspec

from tradeloop.core.events import Event, ReserveRaised
from tradeloop.core.order import Order
from tradeloop.core.reports import Execution
from tradeloop.core.risk.change import need, need_while_asked
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import ONE, ZERO, Amount, Px, Qty, UtcNs


def promise_again(state: State, around: Surroundings, was: Order | None, now: UtcNs) -> Generator[Event, None, None]:
    """Raise the reserve of an open order to what it may still cost, under its own terms or any that wait for an answer; of a
    stranger's order nothing is known but what its books said.
    """
    order = None if was is None else state.orders.open.get(was.cl_ord_id)
    if order is None or order.external:
        return
    own, *asked = what_it_may_cost(state, around, order)
    if max(own, *asked, order.reserved) > order.reserved:
        yield raised(order, own, asked, now)


def is_dearer(state: State, around: Surroundings, order: Order, x: Execution) -> bool:
    """Whether a fill that leaves its order open may have used more than its share of what the order is promised: of its price
    under any terms that wait for an answer, and of what the fee of the order grows by.
    """
    if order.is_done or order.external:
        return False
    bound = order.price
    if bound is None:
        bound = None if order.arrival_px is None else Px(order.arrival_px * (ONE + around.policy.market_buffer))
    if bound is None or x.last_px > bound:
        return True
    if any(asked.terms.price is not None and x.last_px > asked.terms.price for asked in order.replaces or ()):
        return True
    if x.commission is None:
        return False
    instrument = state.instruments[x.symbol]
    value = instrument.notional(x.last_px, x.last_qty)
    traded, filled = order.cum_value * instrument.multiplier, Qty(order.cum_qty - x.last_qty)
    before = instrument.fees.fee(x.side, filled, traded - value) if filled > ZERO else ZERO
    return x.commission > instrument.fees.fee(x.side, order.cum_qty, traded) - before


def what_it_may_cost(state: State, around: Surroundings, order: Order) -> list[Amount]:
    """The most it may cost under its own terms, and then under each change that waits, judged as when it was asked for, before
    the later ones.
    """
    costs = [need(state, around, order, order.terms)]
    asked = order.replaces or []
    for i, one in enumerate(asked):
        before = msgspec.structs.replace(order, replaces=asked[:i] or None)
        costs.append(need_while_asked(state, around, before, one.terms))
    return costs


def raised(order: Order, own: Amount, asked: list[Amount], now: UtcNs) -> ReserveRaised:
    """What is promised under each of its terms is the larger of what was and what they may cost. What a change may cost beside
    its own terms, these cover as long as they are in force; whoever ends that asks again.
    """
    if not asked:
        return ReserveRaised(now, order.cl_ord_id, own)
    assert order.replaces is not None
    own = max(own, order.own_reserve)
    of_each = tuple(
        one.reserve if cost <= own else max(one.reserve, cost) for one, cost in zip(order.replaces, asked, strict=True)
    )
    return ReserveRaised(now, order.cl_ord_id, max(own, *of_each), own, of_each)
