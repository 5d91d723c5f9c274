"""Station 7: under which numbers the broker's books show our orders, and whose the fills are that they list.

A number is what the venue's answer said it is, and answers can be mixed up (F7): each of two orders then carries the other's
number, and a fill that names a number alone is booked on the wrong one of the two. Nothing but the books can tell. They name
our id beside the number, and a fill by our id or by that number: where they contradict what we took for true, the number is
bound anew and the fill moves to the order they name. Position and cash stood right all the while.

Until such a look nothing contradicts a mixed-up answer. A venue that repeats our id in no part of its books leaves it standing:
what is held is right there, too, and the orders differ from its books in what has filled, which is a break (core/standing.py).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping

from tradeloop.core.claim import claim, counted_anew, move
from tradeloop.core.days import lives_on
from tradeloop.core.events import Event, OrderAcknowledged
from tradeloop.core.execution import order_key
from tradeloop.core.fills import find
from tradeloop.core.order import Order
from tradeloop.core.replacement import order_named
from tradeloop.core.reports import BrokerSnapshot, Execution, OpenOrder
from tradeloop.core.short_promise import promise_again
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import ClOrdID, OrderID, OrdStatus, RunID, Side, Symbol, UtcNs

Facts = Generator[Event, None, None]
Rebound = dict[ClOrdID, None]
"""Orders whose number this look has changed."""
Owners = dict[tuple[OrderID | None, Symbol, Side], OpenOrder | None]
"""The lines of a look that show our id, by the broker's number; None where two do."""


def numbers(
    state: State,
    around: Surroundings,
    snap: BrokerSnapshot,
    lines: tuple[OpenOrder, ...],
    touched: dict[RunID, None],
    now: UtcNs,
) -> Generator[Event, None, Rebound]:
    """Bind the numbers that the books show beside our ids: of orders that were answered without one, and of those that were
    answered with another one. An order without any answer gets it with that (core/standing.py).
    """
    rebound: Rebound = {}
    shown = _Shown(snap)
    for theirs in lines:
        if theirs.cl_ord_id is None or theirs.ord_status is OrdStatus.REJECTED:
            continue
        order = state.orders.open.get(theirs.cl_ord_id) or state.orders.get(order_named(theirs.cl_ord_id))
        if order is None or order.order_id == theirs.order_id or order.external or not _is_of(theirs, snap.broker, order):
            continue
        if order.order_id is None:
            if order.acked_at is not None:
                yield from _bind(state, around, order, theirs.order_id, touched, now)
        elif _was_mixed_up(around, snap, shown, order, theirs):
            yield from _bind_anew(state, around, shown, order, theirs.order_id, rebound, touched, now)
    return rebound


def _is_of(theirs: OpenOrder, broker: str, order: Order) -> bool:
    return (broker, theirs.account, theirs.symbol, theirs.side) == (order.broker, order.account, order.symbol, order.side)


def _bind(state: State, around: Surroundings, order: Order, number: OrderID, touched: dict[RunID, None], now: UtcNs) -> Facts:
    yield OrderAcknowledged(now, order.cl_ord_id, number)
    yield from claim(state, around, order.cl_ord_id, now)
    if order.run_id is not None:
        touched[order.run_id] = None


def _was_mixed_up(around: Surroundings, snap: BrokerSnapshot, shown: _Shown, order: Order, theirs: OpenOrder) -> bool:
    """Whether the books name our order by another number than the acknowledgement did: two replies were mixed up (F7)."""
    if theirs.cl_ord_id != order.cl_ord_id:
        return False
    told_at = max(order.acked_at or 0, order.terms_at or 0)
    if snap.read_at - told_at <= max(around.policy.recent_ns, around.brokers[snap.broker].visibility_lag_ns):
        return False  # this look may be older than the number
    return not shown.says(order.cl_ord_id, order.order_id)


class _Shown:
    """Which of our ids the books name beside which number; looked up, once anybody asks, in one walk for all."""

    def __init__(self, snap: BrokerSnapshot) -> None:
        self._snap = snap
        self._pairs: frozenset[tuple[ClOrdID | None, OrderID | None]] | None = None

    def says(self, cl_ord_id: ClOrdID, number: OrderID | None) -> bool:
        if self._pairs is None:
            self._pairs = frozenset((one.cl_ord_id, one.order_id) for one in self._snap.orders or ())
        return (cl_ord_id, number) in self._pairs


def _bind_anew(
    state: State,
    around: Surroundings,
    shown: _Shown,
    order: Order,
    number: OrderID,
    rebound: Rebound,
    touched: dict[RunID, None],
    now: UtcNs,
) -> Facts:
    """The order gets its number; another of ours that had been answered with it gets the one this order had, since that is no
    longer anybody's: a cancel by number would take out the wrong one of the two. The books may say better of it.
    """
    former = order.order_id
    assert former is not None
    key = order_key(order.broker, order.account, order.trading_day, order.symbol, number)
    holder_id = state.by_order_id.get(key)
    rebound[order.cl_ord_id] = None
    yield from _bind(state, around, order, number, touched, now)
    holder = None if holder_id is None or holder_id == order.cl_ord_id else state.orders.get(holder_id)
    if holder is None or holder.external or holder.order_id != number or shown.says(holder.cl_ord_id, number):
        return
    rebound[holder.cl_ord_id] = None
    yield from _bind(state, around, holder, former, touched, now)


def misplaced_fills(
    state: State,
    around: Surroundings,
    snap: BrokerSnapshot,
    lines: tuple[OpenOrder, ...],
    shown: Mapping[str, Execution],
    news: Mapping[str, Execution],
    rebound: Rebound,
    touched: dict[RunID, None],
    now: UtcNs,
) -> Facts:
    """Move the fills that the books list (`shown`, by their keys) as those of another order of ours than they were booked on.

    Our id in the fill itself decides, which is asked of those that are `news`. A number decides where the books show our id
    beside it, and where either the number of one of the two orders was wrong until this look, or the books count more in the
    order than we do.
    """
    owners = lines_by_number(state, snap) if rebound or any(_differs(state, theirs) for theirs in lines) else {}
    came: dict[ClOrdID, None] = {}
    went: dict[ClOrdID, None] = {}
    for key, x in (shown if owners else news).items():
        if x.cl_ord_id is not None:
            named = order_named(x.cl_ord_id)
            if not state.execs.is_of(key, named):
                yield from _to(state, around, key, x, named, came, went, now)
            continue
        line = owners.get((x.order_id, x.symbol, x.side))
        if line is None or line.cl_ord_id is None:
            continue
        named = order_named(line.cl_ord_id)
        order = None if state.execs.is_of(key, named) else state.orders.get(named)
        booked = None if order is None else state.execs.get(key)
        if order is None or booked is None or order.order_id != x.order_id or not may_be_of(state, order, x):
            continue
        if named in rebound or booked.cl_ord_id in rebound or line.cum_qty > order.cum_qty:
            yield from _to(state, around, key, x, named, came, went, now)
    # Only now: while two orders exchange their fills, one of them has those of both.
    for cl_ord_id in {**went, **came}:
        yield from counted_anew(state, cl_ord_id, now)
        order = state.orders.get(cl_ord_id)
        yield from promise_again(state, around, order, now)
        if order is not None and order.run_id is not None:
            touched[order.run_id] = None


def _differs(state: State, theirs: OpenOrder) -> bool:
    order = None if theirs.cl_ord_id is None else state.orders.get(order_named(theirs.cl_ord_id))
    return order is not None and order.cum_qty != theirs.cum_qty


def lines_by_number(state: State, snap: BrokerSnapshot) -> Owners:
    """The lines that show our id, by their number; None where two do."""
    owners: Owners = {}
    for theirs in snap.orders or ():
        if theirs.cl_ord_id is not None and state.orders.get(order_named(theirs.cl_ord_id)) is not None:
            of = (theirs.order_id, theirs.symbol, theirs.side)
            owners[of] = None if of in owners else theirs
    return owners


def may_be_of(state: State, order: Order, x: Execution) -> bool:
    """Numbers begin anew every day: whether a fill of that day can be one of the order."""
    return x.trading_day == order.trading_day or (x.trading_day > order.trading_day and lives_on(state, order))


def _to(
    state: State,
    around: Surroundings,
    key: str,
    x: Execution,
    named: ClOrdID,
    came: dict[ClOrdID, None],
    went: dict[ClOrdID, None],
    now: UtcNs,
) -> Facts:
    """Move one fill to the order `named`, where it is one of ours; a stranger's that it was booked on is the same order."""
    booked = state.execs.get(key)
    order = None if booked is None else find(state, x.broker, x.account, named, None, x.symbol, x.side, x.trading_day)
    if booked is None or order is None or order.external or booked.cl_ord_id == order.cl_ord_id:
        return
    was = state.orders.get(booked.cl_ord_id)
    assert was is not None
    came[order.cl_ord_id] = None
    if was.external:
        yield from claim(state, around, order.cl_ord_id, now, was.cl_ord_id, x.order_id)
    else:
        went[was.cl_ord_id] = None
        yield move(state, key, booked, order, now)
