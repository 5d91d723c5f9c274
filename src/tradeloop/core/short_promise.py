"""Station 5: what an order is promised again when a fill of it is taken back or corrected.

A fill releases what it used, and the last one everything. Taken back, it gives back what it had used; but the rest of the order
may trade at its limit, dearer than that fill did, and what the last fill released beyond its own cost is gone. So an order that
works again is promised what it may still cost at worst, if that is more.
"""

from __future__ import annotations

from collections.abc import Generator

from tradeloop.core.events import Event, ReserveRaised
from tradeloop.core.order import Order
from tradeloop.core.risk.change import need
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import UtcNs


def promise_again(state: State, around: Surroundings, was: Order | None, now: UtcNs) -> Generator[Event, None, None]:
    """Raise the reserve of an open order to what it may still cost. One that waits for a replace keeps what that was promised;
    of a stranger's order nothing is known but what its books said.
    """
    order = None if was is None else state.orders.open.get(was.cl_ord_id)
    if order is None or order.external or order.replaces:
        return
    needed = need(state, around, order, order.terms)
    if needed > order.reserved:
        yield ReserveRaised(now, order.cl_ord_id, needed)
