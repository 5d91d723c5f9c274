"""Station 4: a replace that took effect other than its answers say in their order.

Without an answer, as the quantity that traded proves; or behind a newer one, as the broker's times do.

An order that ends drops the replaces that wait. Where more has traded than its own quantity, one of them was in force: it is
booked before the end, or the order would have ended with more than was ever asked of it, and nobody would have said so.
"""

from __future__ import annotations

from collections.abc import Generator

from tradeloop.core.events import Event, OrderReplaced
from tradeloop.core.order import Order
from tradeloop.core.reports import ReplaceAck
from tradeloop.core.state import State
from tradeloop.core.types import ZERO, Amount, UtcNs


def before_the_end(state: State, order: Order, now: UtcNs) -> Generator[Event, None, bool]:
    """Book the first replace that allows what has traded, where the order's own quantity does not. Returns whether the order is
    still to be ended: under the larger quantity it may have filled.

    More than any of them allows was told as an overfill when it traded.
    """
    if not order.replaces or order.cum_qty <= order.order_qty:
        return True
    proven = next((asked for asked in order.replaces if asked.terms.order_qty >= order.cum_qty), None)
    if proven is None:
        return True
    terms = proven.terms
    filled = order.cum_qty == terms.order_qty and proven is order.replaces[-1]
    reserve, own = (Amount(ZERO), Amount(ZERO)) if filled else (order.reserved, proven.reserve)
    yield OrderReplaced(now, order.cl_ord_id, proven.number, terms.order_qty, terms.price, terms.stop_px, reserve, own)
    known = state.orders.get(order.cl_ord_id)
    assert known is not None
    return not known.is_done or known.cancel_requested_at is not None


def took_effect_since(order: Order, r: ReplaceAck) -> bool:
    """Whether an answer to an older request speaks of a change behind the one that made the terms what they are, by the
    broker's own times of both, and names all of its terms: what was asked is not known any more.
    """
    if r.transact_at is None or order.terms_took_effect_at is None or r.transact_at <= order.terms_took_effect_at:
        return False
    return (r.price is not None or order.price is None) and (r.stop_px is not None or order.stop_px is None)
