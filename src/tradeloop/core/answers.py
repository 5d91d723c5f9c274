"""Station 4: what a broker's answer about an order makes true.

Answers come late, twice, and out of order. One that adds nothing makes no event; one about an order we do not know is left
to the next snapshot, which shows whether the order is real.
"""

from __future__ import annotations

from collections.abc import Generator

from tradeloop.core.announced import announced, end_waits
from tradeloop.core.claim import claim
from tradeloop.core.events import (
    NOT_DELIVERED,
    CancelRejected,
    Event,
    FateLost,
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderRejected,
    SendFailed,
)
from tradeloop.core.execution import order_key
from tradeloop.core.order import Order
from tradeloop.core.replacement import order_named
from tradeloop.core.reports import (
    CancelAck,
    CancelOutcome,
    CancelReject,
    OrderAck,
    OrderExpire,
    OrderReject,
    SendOutcome,
)
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.took_effect import before_the_end
from tradeloop.core.types import ClOrdID, OrdStatus, UtcNs

Facts = Generator[Event, None, Order | None]

NOT_SENT = "NOT_SENT"
UNKNOWN = "UNKNOWN"


def on_ack(state: State, around: Surroundings, r: OrderAck, now: UtcNs) -> Facts:
    """The broker has the order. A second acknowledgement, or a late one, adds the broker's id at most; and what came under
    that id before it was known to be ours (core/claim.py). An id that a change has replaced since stays known for the order's,
    and no repeat of the older word takes the newer one back: a cancel would go to an order that is no more.
    """
    order = _of_its_broker(state, r.broker, r.cl_ord_id)
    if order is None or order.order_id == r.order_id:
        return None
    number = order.order_id
    if number is not None:
        days = dict.fromkeys((order.number_day, order.day_there))
        keys = (order_key(order.broker, order.account, day, order.symbol, r.order_id) for day in days)
        if any(state.by_order_id.get(key) == order.cl_ord_id for key in keys):
            return None
    said_at = order.terms_said_at
    is_old = r.transact_at is not None and said_at is not None and r.transact_at < said_at
    yield OrderAcknowledged(now, r.cl_ord_id, r.order_id, r.transact_at)
    yield from claim(state, around, r.cl_ord_id, now)
    if is_old and number is not None:
        yield OrderAcknowledged(now, r.cl_ord_id, number)
    return order


def on_reject(state: State, r: OrderReject, now: UtcNs) -> Facts:
    """The broker refused. It may say so after having accepted (F32); fills already booked stay."""
    order = _of_its_broker(state, r.broker, r.cl_ord_id)
    if order is None or order.is_done or r.of_repeat:
        return None
    if (yield from before_the_end(state, order, now)):
        yield OrderRejected(now, r.cl_ord_id, r.code, r.text, r.transact_at)
    return order


def on_cancel_ack(state: State, around: Surroundings, r: CancelAck, now: UtcNs) -> Facts:
    """The order is out of the market, by our wish or not (FIX E.1.b).

    Where the broker counts fills that we have not heard of, or may have such, the order stays open with what it reserves until
    they have come, or a look shows that there are none (core/announced.py).
    """
    before = _of_its_broker(state, r.broker, r.cl_ord_id)
    numbered = before is not None and before.order_id is not None
    joined = yield from _number_of_the_end(state, around, r, now)
    order = _of_its_broker(state, r.broker, r.cl_ord_id)
    if order is None or order.canceled_at is not None or (order.is_done and order.cancel_requested_at is None):
        return joined
    if end_waits(order, r.cum_qty, numbered=numbered):
        yield from announced(order, OrdStatus.CANCELED, r, now)
        return joined
    by_us = order.is_wanted_out
    if (yield from before_the_end(state, order, now)):
        yield OrderCanceled(now, r.cl_ord_id, r.text, by_us, r.transact_at)
    return order


def on_cancel_reject(state: State, r: CancelReject, now: UtcNs) -> Facts:
    """The cancel failed; quantities and everything else stand as they stood."""
    order = _of_its_broker(state, r.broker, r.cl_ord_id)
    if order is None or order.cancel_requested_at is None:
        return None
    yield CancelRejected(now, r.cl_ord_id, r.code, r.text)
    return order


def on_expire(state: State, around: Surroundings, r: OrderExpire, now: UtcNs) -> Facts:
    """The order ended by its time in force."""
    before = _of_its_broker(state, r.broker, r.cl_ord_id)
    numbered = before is not None and before.order_id is not None
    joined = yield from _number_of_the_end(state, around, r, now)
    order = _of_its_broker(state, r.broker, r.cl_ord_id)
    if order is None or order.is_done:
        return joined
    if end_waits(order, r.cum_qty, numbered=numbered):
        yield from announced(order, OrdStatus.EXPIRED, r, now)
        return joined
    if (yield from before_the_end(state, order, now)):
        yield OrderExpired(now, r.cl_ord_id, r.text, r.transact_at)
    return order


def _number_of_the_end(state: State, around: Surroundings, r: CancelAck | OrderExpire, now: UtcNs) -> Facts:
    """An end that names our id and the broker's number says what the acknowledgement said that may have been lost: what came
    under the number is the order's, and is counted before it ends.
    """
    if r.order_id is None:
        return None
    return (yield from on_ack(state, around, OrderAck(r.broker, r.cl_ord_id, r.order_id, r.transact_at), now))


def _of_its_broker(state: State, broker: str, cl_ord_id: ClOrdID) -> Order | None:
    """The order named, if it is at the broker that speaks of it; what another one says of it is about something else."""
    order = state.orders.open.get(cl_ord_id) or state.orders.get(order_named(cl_ord_id))
    return order if order is not None and order.broker == broker else None


def on_send_outcome(state: State, r: SendOutcome, now: UtcNs) -> Facts:
    """The wire failed us; an answer that came by another way in the meantime is worth more.

    NOT_SENT is certain, and settles an order whose fate a lost session had made unknown; but only for the attempt it speaks of.
    """
    order = state.orders.open.get(r.cl_ord_id)
    if order is None or order.broker != r.broker or order.acked_at is not None or order.send_begun_at is None:
        return None
    if r.fate == NOT_SENT:
        if r.begun_at != order.send_begun_at and (r.begun_at is not None or order.unknown_at is not None):
            return None
        yield SendFailed(now, r.cl_ord_id, r.text)
        if order.is_wanted_out:
            yield OrderCanceled(now, r.cl_ord_id, "never sent, and a cancel was wanted")
    elif order.unknown_at is None:
        yield FateLost(now, r.cl_ord_id, r.text)
    return order


def on_cancel_outcome(state: State, r: CancelOutcome, now: UtcNs) -> Facts:
    """A cancel may not have arrived. The request is taken back, so that the order shows as it is, also one that filled in the
    meantime; it is asked again as long as the order is there (core/decide.py).
    """
    order = _of_its_broker(state, r.broker, r.cl_ord_id)
    if order is None or order.cancel_requested_at is None:
        return None
    yield CancelRejected(now, r.cl_ord_id, NOT_DELIVERED, r.text)
    return order
