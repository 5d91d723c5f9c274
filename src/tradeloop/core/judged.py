"""Station 7: whether an order has more than was ordered is judged once a look is booked whole.

One look may bring a fill and what makes room for it: other terms, a correction of an earlier fill, a fill that was booked on
the wrong order. Which comes first is the order of our work, and no fact. So what looks like an overfill while a look is being
booked is kept in mind, and said only where it still is one in the end.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import TypeVar

from tradeloop.core.events import Event, Overfilled
from tradeloop.core.state import State
from tradeloop.core.types import ZERO, ClOrdID, Qty, UtcNs

T = TypeVar("T")


def unjudged(facts: Generator[Event, None, T], over: dict[ClOrdID, None]) -> Generator[Event, None, T]:
    """The facts without a word of overfills; `over` gets the orders they were about."""
    while True:
        try:
            fact = next(facts)
        except StopIteration as whole:
            result: T = whole.value
            return result
        if isinstance(fact, Overfilled):
            over[fact.cl_ord_id] = None
        else:
            yield fact


def overfilled(state: State, suspects: Iterable[ClOrdID], now: UtcNs) -> Generator[Event, None, None]:
    """What has traded beyond the orders in the end."""
    for cl_ord_id in suspects:
        order = state.orders.get(cl_ord_id)
        assert order is not None
        excess = order.cum_qty - order.most_qty
        if excess > ZERO:
            yield Overfilled(now, cl_ord_id, order.symbol, Qty(excess))
