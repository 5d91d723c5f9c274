"""Orders whose fate is unknown, and the proof by which alone they leave that state (docs/adr/0004-three-fates.md).

Positive proof is any order or execution that bears our id. Negative proof is several complete looks at the broker's books
that do not show it though they cover its trading day, the last of them later than the order could still have arrived and
become visible. Past that, and past that day, a person decides.
"""

from __future__ import annotations

from collections.abc import Generator

from tradeloop.core.commands import ResolveOrder
from tradeloop.core.errors import BadInput
from tradeloop.core.events import AbsenceSeen, BreakClosed, Event, FateLost, NotSentProven, OrderCanceled, OrderResolved
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
    """A complete look did not show an order of unknown fate. Enough of them over long enough prove that it never arrived.

    Books of another day prove nothing: there the order may have filled, and be shown no more.
    """
    able = around.brokers[order.broker]
    seen_at = snapshot.read_at
    if order.send_begun_at is None or seen_at <= max(order.send_begun_at, order.absent_to or 0):
        return
    if not _covers(snapshot, order, order.send_begun_at):
        return
    yield AbsenceSeen(now, order.cl_ord_id, seen_at)
    order = state.orders.open[order.cl_ord_id]
    wait = able.request_lifetime_ns + able.visibility_lag_ns
    assert order.send_begun_at is not None
    assert order.absent_from is not None
    left_by = _left_by(state, around, order.send_begun_at)
    if order.absences >= around.policy.looks and seen_at - max(left_by, order.absent_from) >= wait:
        yield NotSentProven(now, order.cl_ord_id, order.absences)
        if order.cancel_requested_at is not None:
            yield OrderCanceled(now, order.cl_ord_id, "never sent, and a cancel was wanted")
        else:
            yield from send_late(state, around, order, now)


def _covers(snapshot: BrokerSnapshot, order: Order, begun: UtcNs) -> bool:
    """Whether the look shows all orders of the order's trading day; and, where it says since when it shows executions, those
    since the order was sent.
    """
    first, last, since = snapshot.first_day, snapshot.trading_day, snapshot.executions_since
    if first is None or last is None or not first <= order.trading_day <= last:
        return False
    return since is None or since <= begun


def _left_by(state: State, around: Surroundings, begun: UtcNs) -> UtcNs:
    """When at the latest a send that began at `begun` had left the process that began it.

    The end of a predecessor ends its sends; but one whose lease only ran out may be paused, and hands over what it still may
    when it wakes.
    """
    if begun < state.started_at and state.predecessor_dead:
        return state.started_at
    return UtcNs(max(state.started_at, begun + around.policy.send_within_ns + around.policy.place_timeout_ns))


def missing_id(order: Order) -> str:
    """The id of the break that says that the broker does not show an order it had acknowledged."""
    return f"order_missing:{order.broker}:{order.account}:{order.cl_ord_id}"


def resolve(state: State, command: ResolveOrder, now: UtcNs) -> Generator[Event, None, Done]:
    """A person says what became of an order of unknown fate, or of one that the broker shows no more, with a reason."""
    order = state.orders.get(command.cl_ord_id)
    if order is None:
        raise BadInput(f"order was {command.cl_ord_id!r}, which is not known; see `tradeloop orders --unknown`")
    missing = missing_id(order) if missing_id(order) in state.breaks else None
    if order.is_done or (order.unknown_at is None and missing is None):
        raise BadInput(
            f"order {command.cl_ord_id} is {order.ord_status.value}, neither UNKNOWN nor missing in the broker's books; "
            "nothing to resolve"
        )
    if order.unknown_at is None and command.as_ == "NOT_SENT":
        raise BadInput("--as was 'NOT_SENT'; the broker has acknowledged the order, expected CANCELED")
    if command.as_ not in ("NOT_SENT", "CANCELED"):
        raise BadInput(f"--as was {command.as_!r}; expected NOT_SENT or CANCELED (fills are imported, not declared)")
    if not command.reason.strip():
        raise BadInput("a reason is needed to resolve an order by hand; none was given")
    yield OrderResolved(now, command.cl_ord_id, command.as_, command.by, command.reason)
    if missing is not None:
        yield BreakClosed(now, missing, f"the order was closed by hand: {command.reason}", command.by)
    return Done(f"order {command.cl_ord_id} is closed as {command.as_}")
