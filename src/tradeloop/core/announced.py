"""Station 4: an end that the broker has announced while fills that came before it have not been heard of.

The order stays open with what it reserves, and ends with the fill that completes what was announced, however that becomes
known: told, corrected, found to be under another id, or moved to the order from where it was booked first.

Where the broker does not count, nothing says which fills came before the end. An order of which we have the broker's own
number, by its acknowledgement or a fill, ends at once: its reports came so far. Any other may have lost them all: it waits for
a look at the books from after the end (core/standing.py), which is asked for at once.
"""

from __future__ import annotations

from collections.abc import Generator

from tradeloop.core.events import EndAnnounced, Event, OrderCanceled, OrderExpired
from tradeloop.core.order import Ending, Order
from tradeloop.core.reports import CancelAck, OrderExpire
from tradeloop.core.state import State
from tradeloop.core.took_effect import before_the_end
from tradeloop.core.types import ClOrdID, OrdStatus, Qty, UtcNs


def fills_missing(order: Order, theirs: Qty | None) -> bool:
    """Whether the broker counts more than we were ever told, or may have. What it took back or corrected since is not missing.
    Where more counts here than it says, a correction from after the end has made it so, and stands for no fill from before it.
    """
    return theirs is not None and theirs > order.told_qty and theirs != order.cum_qty and not order.is_done


def end_waits(order: Order, theirs: Qty | None, *, numbered: bool) -> bool:
    """Whether an end with this count may have fills before it that we were never told. `numbered`: we had the broker's number
    before this end, which may be the first to name it.
    """
    if theirs is not None:
        return fills_missing(order, theirs)
    return not order.is_done and (not numbered or order.ending is not None)


def announced(order: Order, as_: OrdStatus, r: CancelAck | OrderExpire, now: UtcNs) -> Generator[Event, None, None]:
    """Keep how the order ends once its fills have come; the first word stands, and the first count."""
    if order.ending is None or (order.ending.cum_qty is None and r.cum_qty is not None):
        yield EndAnnounced(now, order.cl_ord_id, as_.value, r.cum_qty, r.text, r.transact_at)


def come_to_end(state: State, cl_ord_id: ClOrdID, now: UtcNs) -> Generator[Event, None, None]:
    """All that had traded before an announced end has been heard of: the order ends."""
    order = state.orders.get(cl_ord_id)
    assert order is not None
    ending = order.ending
    if ending is None or ending.cum_qty is None or fills_missing(order, ending.cum_qty) or order.is_done:
        return
    yield from as_announced(state, order, ending, now)


def as_announced(state: State, order: Order, ending: Ending, now: UtcNs) -> Generator[Event, None, None]:
    """The order ends in the broker's own words."""
    asked = order.is_wanted_out
    if not (yield from before_the_end(state, order, now)):
        return
    if ending.as_ == OrdStatus.EXPIRED.value:
        yield OrderExpired(now, order.cl_ord_id, ending.text, ending.transact_at)
    else:
        yield OrderCanceled(now, order.cl_ord_id, ending.text, asked, ending.transact_at)
