"""Orders whose fate is unknown, and the proof by which alone they leave that state (docs/adr/0004-three-fates.md).

Positive proof is any order or execution that bears our id, or an end, a change or the same terms once more that the broker
tells by it, or that it refuses a repeat of: each counts as an answer (core/fold/orders.py, `heard`; core/spoken.py).
Negative proof is several complete looks at the broker's books that do not show it though they cover its trading day, the last
of them later than the order could still have arrived and become visible. Past that, and past that day, a person decides.

Books that show open orders only never prove that an order was not sent: it may have arrived and ended. Together with executions
that are complete since before it was sent they prove, after the same looks, that it neither works nor has traded. Then it is
over, on whatever day it was made, and is not sent again. An order or a fill without a client id that could be this one spoils
either proof; where the venue shows every order of ours under our id, that is no order at all, and a fill alone whose order is
not shown.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Generator
from decimal import Decimal
from itertools import accumulate
from typing import Final

from tradeloop.core.absence import is_long_enough, shows_all_fills, shows_its_day
from tradeloop.core.breaks import ORDER_MISSING, ORDER_QTY, id_of
from tradeloop.core.commands import ResolveOrder
from tradeloop.core.errors import BadInput, NotKnown
from tradeloop.core.events import AbsenceSeen, BreakClosed, Event, FateLost, NotSentProven, OrderCanceled, OrderResolved
from tradeloop.core.execution import exec_key
from tradeloop.core.fills import find
from tradeloop.core.hours import moment
from tradeloop.core.identity import own_fill
from tradeloop.core.order import Order
from tradeloop.core.replies import Done
from tradeloop.core.reports import BrokerSnapshot, Execution, OpenOrder
from tradeloop.core.staging import send_late
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.took_effect import before_the_end
from tradeloop.core.types import OrderID, OrdStatus, Qty, Side, Symbol, TradingDay, UtcNs

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


def not_shown(
    state: State, around: Surroundings, order: Order, snapshot: BrokerSnapshot, nameless: Nameless, now: UtcNs
) -> Facts:
    """A look did not show an order of unknown fate. Enough of them over long enough prove that it never arrived; where closed
    orders are not shown, or those of its day no more, that it is over.

    Books that do not show all executions since it was sent prove nothing: it may have filled, and be shown no more.
    """
    able = around.brokers[order.broker]
    seen_at = snapshot.read_at
    begun = order.send_begun_at
    if begun is None or seen_at <= max(begun, order.absent_to or 0):
        return
    # By the clock of this process, which may be behind the one that sent it: what was found since its fate was lost came later.
    since = begun if order.unknown_at is None else min(begun, order.unknown_at)
    reaches_back = snapshot.executions_since is None or snapshot.executions_since <= since
    shows_it = shows_its_day(around, snapshot, order) and reaches_back
    if not (shows_it or shows_all_fills(snapshot, since)) or nameless.may_be(order, since):
        return
    yield AbsenceSeen(now, order.cl_ord_id, seen_at, snapshot.as_of)
    order = state.orders.open[order.cl_ord_id]
    wait = able.request_lifetime_ns + able.visibility_lag_ns
    assert order.absent_from is not None
    left_by = _left_by(state, around, begun)
    # The first look may seem an hour older than this process, by a clock that was set. A send is never later than its limits.
    later = min(max(left_by - order.absent_from, 0), around.policy.leaves_within_ns)
    first = max(left_by, order.absent_from), order.absent_from_theirs or snapshot.as_of
    if not is_long_enough(around, snapshot, order.absences, first, wait, wait + later):
        return
    if not shows_it:
        text = f"over, and not traded: neither among the open orders of {order.broker} nor in its executions"
        yield OrderCanceled(now, order.cl_ord_id, text, order.is_wanted_out, proven=True)
        return
    yield NotSentProven(now, order.cl_ord_id, order.absences)
    if order.is_wanted_out:
        yield OrderCanceled(now, order.cl_ord_id, "never sent, and a cancel was wanted")
    else:
        yield from send_late(state, around, order, now)


class Nameless:
    """What the books show without a client id, found in one walk over them, by symbol and side.

    A broker may have lost the id of an order of ours: one that came after it was sent and is no larger, for a venue makes
    orders smaller without being asked; also one that has ended there without a fill, or a fill that would fit into it, spoils
    the proof of its absence. It may do so for ever, where it is a stranger's. That is safe: nothing is sent, and what the order
    could cost stays reserved; the alert says so (core/follow.py), and a person resolves it.

    A broker that `echoes_ids` loses none: what its books show without one is a stranger's, and so is a fill of it, told by its
    number alone. A fill of which no order is shown may be ours, for it may have ended that order.
    """

    __slots__ = ("_executions", "_fills", "_orders", "_seen", "_state")

    def __init__(self, state: State, snapshot: BrokerSnapshot, *, echoes_ids: bool) -> None:
        self._state = state
        self._orders: dict[tuple[Symbol, Side], list[OpenOrder]] = {}
        self._executions: dict[tuple[Symbol, Side], list[Execution]] = {}
        self._seen: dict[tuple[Symbol, Side, TradingDay], tuple[list[Qty], list[UtcNs]]] = {}
        self._fills: dict[tuple[Symbol, Side], tuple[list[UtcNs], list[Qty]]] = {}
        settled: set[tuple[OrderID | None, Symbol, Side]] = set()
        for theirs in snapshot.orders or ():
            if echoes_ids:
                settled.add((theirs.order_id, theirs.symbol, theirs.side))
            elif theirs.cl_ord_id is None:
                self._orders.setdefault((theirs.symbol, theirs.side), []).append(theirs)
        for x in snapshot.executions or ():
            if x.cl_ord_id is None and (x.order_id, x.symbol, x.side) not in settled:
                self._executions.setdefault((x.symbol, x.side), []).append(x)

    def may_be(self, order: Order, begun: UtcNs) -> bool:
        """Whether one of them could be the order, sent at `begun`. What is asked of many orders is looked up once for all."""
        newest = self._newest_order(order)
        if newest is not None and newest >= begun:
            return True
        if (order.symbol, order.side) not in self._executions:
            return False
        times, smallest = self._strangers_fills(order)
        first = bisect_left(times, begun)
        return first < len(times) and smallest[first] <= order.order_qty

    def _newest_order(self, order: Order) -> UtcNs | None:
        """When the newest order that is no larger was first seen, of those that are not known to be somebody's of ours: one
        that nobody has seen yet is new.
        """
        if (order.symbol, order.side) not in self._orders:
            return None
        sizes, newest = self._strangers_orders(order)
        fitting = bisect_right(sizes, order.order_qty)
        return newest[fitting - 1] if fitting else None

    def _strangers_orders(self, order: Order) -> tuple[list[Qty], list[UtcNs]]:
        """The orders made elsewhere by size; and when the newest of each and all that are smaller was first seen."""
        key = (order.symbol, order.side, order.day_there)
        found = self._seen.get(key)
        if found is None:
            seen: list[tuple[Qty, UtcNs]] = []
            for one in self._orders[order.symbol, order.side]:
                of = (order.broker, order.account, None, one.order_id, order.symbol, order.side, order.day_there)
                known = find(self._state, *of)
                if known is None or known.external:
                    seen.append((one.order_qty, _NEW if known is None else known.staged_at))
            seen.sort()
            found = self._seen[key] = [qty for qty, _ in seen], list(accumulate((at for _, at in seen), max))
        return found

    def _strangers_fills(self, order: Order) -> tuple[list[UtcNs], list[Qty]]:
        """The fills that are booked on orders made elsewhere, by time; and the smallest of each and all after it.

        The venue's time of a fill is its own: its clock may be behind ours, and many stamp whole seconds. Whatever it says, a
        fill of an order that was not known when ours was sent may be ours.
        """
        key = (order.symbol, order.side)
        found = self._fills.get(key)
        if found is None:
            fills: list[tuple[UtcNs, Qty]] = []
            for told in self._executions[key]:
                x = own_fill(self._state, told)
                booked = self._state.execs.get(exec_key(x.broker, x.account, x.trading_day, x.exec_id, x.side))
                known = None if booked is None else self._state.orders.get(booked.cl_ord_id)
                if known is not None and known.external:
                    fills.append((max(known.staged_at, x.transact_at or known.staged_at), x.last_qty))
            fills.sort()
            smallest = list(accumulate((qty for _, qty in reversed(fills)), min))
            found = self._fills[key] = [at for at, _ in fills], smallest[::-1]
        return found


_NEW: Final = UtcNs(2**63 - 1)


def _left_by(state: State, around: Surroundings, begun: UtcNs) -> UtcNs:
    """When at the latest a send that began at `begun` had left the process that began it.

    The end of a predecessor ends its sends; but one whose lease only ran out may be paused, and hands over what it still may
    when it wakes.
    """
    if begun < state.started_at and state.predecessor_dead:
        return state.started_at
    return UtcNs(max(state.started_at, begun + around.policy.leaves_within_ns))


def missing_id(order: Order) -> str:
    """The id of the break that says that the broker does not show an order it had acknowledged."""
    return id_of(ORDER_MISSING, order.broker, order.account, order.cl_ord_id)


def _over_there(state: State, order: Order) -> str | None:
    """The break that says that nothing of an order can trade at the broker any more, because it has ended there or all of it
    has filled, while the fills of it that we have are not those that it counts; None where there is none.
    """
    break_id = id_of(ORDER_QTY, order.broker, order.account, order.cl_ord_id)
    known = state.breaks.get(break_id)
    return break_id if known is not None and (known.ended or Decimal(known.theirs) >= order.most_qty) else None


def resolve(state: State, around: Surroundings, command: ResolveOrder, now: UtcNs) -> Generator[Event, None, Done]:
    """A person says what became of an order of unknown fate, of one that the broker shows no more, or of one that it shows as
    ended while we lack fills of it, with a reason. What it holds is free then; a difference of what is held stays a break.
    """
    order = state.orders.get(command.cl_ord_id)
    if order is None:
        raise NotKnown(f"order was {command.cl_ord_id!r}, which is not known; see `tradeloop orders --unknown`")
    missing = missing_id(order) if missing_id(order) in state.breaks else _over_there(state, order)
    if order.is_done or (order.unknown_at is None and missing is None and not order.is_uncounted):
        raise BadInput(
            f"order {command.cl_ord_id} is {order.ord_status.value}, neither UNKNOWN nor missing in the broker's books nor "
            "ended there with other fills than ours, by a look from after its last word of the order; nothing to resolve"
        )
    if order.unknown_at is None and command.as_ == "NOT_SENT":
        raise BadInput("--as was 'NOT_SENT'; the broker has acknowledged the order, expected CANCELED")
    if command.as_ not in ("NOT_SENT", "CANCELED"):
        raise BadInput(f"--as was {command.as_!r}; expected NOT_SENT or CANCELED (fills are imported, not declared)")
    if not command.reason.strip():
        raise BadInput("a reason is needed to resolve an order by hand; none was given")
    until = _may_arrive_until(around, order)
    yield from before_the_end(state, order, now)
    ends = command.cl_ord_id in state.orders.open
    if ends:  # else its fills prove that it filled whole: nothing is left to be closed by hand
        yield OrderResolved(now, command.cl_ord_id, command.as_, command.by, command.reason)
    if missing is not None:
        yield BreakClosed(now, missing, f"the order was closed by hand: {command.reason}", command.by)
    text = f"order {command.cl_ord_id} is closed as {command.as_ if ends else OrdStatus.FILLED.value}"
    if until is not None and now < until:
        text += f"; it may still arrive at {order.broker} until {moment(until)}: ask there again then, its fills are booked"
    return Done(text)


def _may_arrive_until(around: Surroundings, order: Order) -> UtcNs | None:
    """Until when the request of an order of unknown fate may still reach its broker; None where it has, or never went."""
    able = around.brokers.get(order.broker)
    if able is None or order.unknown_at is None or order.send_begun_at is None or order.acked_at is not None:
        return None
    since = min(order.send_begun_at, order.unknown_at)  # by a clock that was set, the one that sent it may seem to be ahead
    return UtcNs(since + around.policy.leaves_within_ns + able.request_lifetime_ns + able.visibility_lag_ns)
