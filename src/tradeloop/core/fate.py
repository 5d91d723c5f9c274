"""Orders whose fate is unknown, and the proof by which alone they leave that state (docs/adr/0004-three-fates.md).

Positive proof is any order or execution that bears our id. Negative proof is several complete looks at the broker's books
that do not show it, the last of them later than the order could still have arrived and become visible. Past that, a person
decides.
"""

from __future__ import annotations

from collections.abc import Generator

from tradeloop.core.commands import ResolveOrder
from tradeloop.core.errors import BadInput
from tradeloop.core.events import AbsenceSeen, Event, FateLost, NotSentProven, OrderCanceled, OrderResolved
from tradeloop.core.order import Order
from tradeloop.core.replies import Done
from tradeloop.core.reports import BrokerSnapshot
from tradeloop.core.staging import send_late
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import UtcNs

Facts = Generator[Event, None, None]


def after_restart(state: State, now: UtcNs) -> Facts:
    """What a new process must doubt: everything that was on its way when the last one ended."""
    for order in list(state.orders.open.values()):
        if order.send_begun_at is not None and order.acked_at is None and order.unknown_at is None:
            yield FateLost(now, order.cl_ord_id, "the process ended before an answer came")


def on_silence(around: Surroundings, order: Order, now: UtcNs) -> Facts:
    """A sent order that got no answer in time is of unknown fate, not rejected."""
    sent = order.send_begun_at
    if sent is None or order.acked_at is not None or order.unknown_at is not None or order.is_done:
        return
    if now - sent >= around.policy.ack_timeout_ns:
        seconds = around.policy.ack_timeout_ns / 1_000_000_000
        yield FateLost(now, order.cl_ord_id, f"no answer within {seconds:g} s")


def not_shown(state: State, around: Surroundings, order: Order, snapshot: BrokerSnapshot, now: UtcNs) -> Facts:
    """A complete look did not show an order of unknown fate. Enough of them over long enough prove that it never arrived."""
    able = around.brokers[order.broker]
    if order.send_begun_at is None or snapshot.as_of <= max(order.send_begun_at, order.absent_to or 0):
        return
    yield AbsenceSeen(now, order.cl_ord_id, snapshot.as_of)
    order = state.orders.open[order.cl_ord_id]
    wait = able.request_lifetime_ns + able.visibility_lag_ns
    assert order.send_begun_at is not None
    assert order.absent_from is not None
    left_by = state.started_at
    if order.send_begun_at >= left_by:
        left_by = UtcNs(order.send_begun_at + around.policy.send_within_ns + around.policy.place_timeout_ns)
    if order.absences >= around.policy.looks and snapshot.as_of - max(left_by, order.absent_from) >= wait:
        yield NotSentProven(now, order.cl_ord_id, order.absences)
        if order.cancel_requested_at is not None:
            yield OrderCanceled(now, order.cl_ord_id, "never sent, and a cancel was wanted")
        else:
            yield from send_late(state, around, order, now)


def resolve(state: State, command: ResolveOrder, now: UtcNs) -> Generator[Event, None, Done]:
    """A person says what became of an order of unknown fate, with a reason."""
    order = state.orders.get(command.cl_ord_id)
    if order is None:
        raise BadInput(f"order was {command.cl_ord_id!r}, which is not known; see `tradeloop orders --unknown`")
    if order.unknown_at is None or order.is_done:
        raise BadInput(f"order {command.cl_ord_id} is {order.ord_status.value}, not UNKNOWN; nothing to resolve")
    if command.as_ not in ("NOT_SENT", "CANCELED"):
        raise BadInput(f"--as was {command.as_!r}; expected NOT_SENT or CANCELED (fills are imported, not declared)")
    if not command.reason.strip():
        raise BadInput("a reason is needed to resolve an order by hand; none was given")
    yield OrderResolved(now, command.cl_ord_id, command.as_, command.by, command.reason)
    return Done(f"order {command.cl_ord_id} is closed as {command.as_}")
