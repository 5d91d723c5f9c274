"""Station 7: under which numbers the broker's books show our orders, and whose the fills are that they list.

A number is what the venue's answer said it is, and answers can be mixed up (F7): each of two orders then carries the other's
number, and a fill that names a number alone is booked on the wrong one of the two. Nothing but the books can tell. They name
our id beside the number, and a fill by our id or by that number: where they contradict what we took for true, the number is
bound anew and the fill moves to the order they name. Position and cash stood right all the while.

Until such a look nothing contradicts a mixed-up answer. A venue that repeats our id in no part of its books leaves it standing:
what is held is right there, too, and the orders differ from its books in what has filled, which is a break (core/standing.py).

Numbers begin anew every day, so that of a DAY order means nothing on the next one; but an order that is sent right at the roll
may be one of the new day to its venue, and its fills are of that day. They are its own where the books leave no other order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Mapping
from decimal import Decimal

from tradeloop.core.absence import sent_at, shows_all_fills
from tradeloop.core.claim import claim, counted_anew, move
from tradeloop.core.days import lives_on
from tradeloop.core.events import Event, OrderAcknowledged
from tradeloop.core.execution import order_key, parts_of
from tradeloop.core.fills import find
from tradeloop.core.order import Order
from tradeloop.core.replacement import order_named
from tradeloop.core.reports import BrokerSnapshot, Execution, OpenOrder
from tradeloop.core.short_promise import promise_again, promise_others
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import BUY, ZERO, ClOrdID, OrderID, OrdStatus, RunID, Side, Symbol, UtcNs

Facts = Generator[Event, None, None]
Rebound = dict[ClOrdID, None]
"""Orders whose number this look has changed."""
_Numbered = tuple[OrderID | None, Symbol, Side]
"""What the broker numbers, with what its numbers are counted apart by."""
Owners = dict[_Numbered, OpenOrder | None]
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
    key = order_key(order.broker, order.account, order.number_day, order.symbol, number)
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
    order than we do, or the order it was booked on bears another number by now: it came while that was still wrong, and too
    late for the look that put it right.
    """
    late = {key for key, x in news.items() if x.cl_ord_id is None and _is_on_another_number(state, key, x)}
    owners = lines_by_number(state, snap) if rebound or late or any(_differs(state, theirs) for theirs in lines) else {}
    came: dict[ClOrdID, None] = {}
    went: dict[ClOrdID, None] = {}
    rolled = _AtTheRoll(state, around, snap, shown)
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
        if order is None or booked is None or order.order_id != x.order_id:
            continue
        if not may_be_of(state, order, x) and not rolled.is_of(order, line, x):
            continue
        if named in rebound or booked.cl_ord_id in rebound or line.cum_qty > order.cum_qty or key in late:
            yield from _to(state, around, key, x, named, came, went, now)
    # Only now: while two orders exchange their fills, one of them has those of both.
    for cl_ord_id in {**went, **came}:
        yield from counted_anew(state, cl_ord_id, now)
        order = state.orders.get(cl_ord_id)
        yield from promise_again(state, around, order, now)
        yield from promise_others(state, around, order, now)
        if order is not None and order.run_id is not None:
            touched[order.run_id] = None


def _is_on_another_number(state: State, key: str, x: Execution) -> bool:
    booked = state.execs.get(key)
    order = None if booked is None else state.orders.get(booked.cl_ord_id)
    return order is not None and not order.external and order.order_id not in (None, x.order_id)


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


def named_beside(owners: Owners, x: Execution) -> ClOrdID | None:
    """The order of ours that a look shows under the number of a fill; None where it shows none, or two."""
    line = owners.get((x.order_id, x.symbol, x.side)) if owners else None
    return None if line is None or line.cl_ord_id is None else order_named(line.cl_ord_id)


def may_be_of(state: State, order: Order, x: Execution) -> bool:
    """Numbers begin anew every day: whether a fill of that day can be one of the order."""
    return x.trading_day == order.trading_day or (x.trading_day > order.trading_day and lives_on(state, order))


class _AtTheRoll:
    """Which fills of a new trading day are of a DAY order that was sent when the day before ended.

    The number alone does not say so, because another order may bear it on the new day. They are its own where the order was
    sent no longer before the roll than a request may take; where the books show all orders of the new day and all fills since
    the send, and one order alone under that number, which bears our id; and where what they count in it is exactly what we
    have of it and these fills, each at a price that it allows. Fills that this look may be the first to show say nothing yet:
    orders are read before executions, and another order may have come in between.
    """

    def __init__(self, state: State, around: Surroundings, snap: BrokerSnapshot, shown: Mapping[str, Execution]) -> None:
        self._state, self._around, self._snap, self._shown = state, around, snap, shown
        self._lines: Counter[_Numbered] | None = None
        self._fills: dict[_Numbered, list[tuple[str, Execution]]] | None = None

    def is_of(self, order: Order, line: OpenOrder, x: Execution) -> bool:
        snap = self._snap
        first, last = snap.first_day, snap.trading_day
        if not snap.orders_complete or first is None or last is None or not first <= x.trading_day <= last:
            return False
        if not shows_all_fills(snap, sent_at(order)) or not self._was_sent_at_the_roll(order, x):
            return False
        if self._lines is None:
            self._lines = Counter((one.order_id, one.symbol, one.side) for one in snap.orders or ())
        if self._lines[order.order_id, order.symbol, order.side] != 1:
            return False
        return line.cum_qty <= order.most_qty and self._all_of(order, x) == line.cum_qty - order.cum_qty

    def _was_sent_at_the_roll(self, order: Order, x: Execution) -> bool:
        hours = self._state.hours.get(self._state.instruments[order.symbol].session)
        if hours is None or hours.trading_day != x.trading_day:
            return False
        policy, able = self._around.policy, self._around.brokers[order.broker]
        longest = policy.leaves_within_ns + able.request_lifetime_ns
        return hours.began_at - sent_at(order) <= longest

    def _all_of(self, order: Order, x: Execution) -> Decimal | None:
        """The quantity of all fills of that day that bear the order's number; None where one of them cannot be its own, or is
        too new for this look.
        """
        state, snap = self._state, self._snap
        lag = max(self._around.policy.recent_ns, self._around.brokers[snap.broker].visibility_lag_ns)
        total, on = ZERO, dict.fromkeys((order.cl_ord_id,), ZERO)
        for key, other in self._numbered(x):
            booked = state.execs.get(key) if other.trading_day == x.trading_day else None
            if booked is None or booked.busted:
                continue
            booked_at = state.recent.booked_at(snap.account, parts_of(key)[2], key)
            beyond = order.price is not None and (booked.px > order.price if x.side is BUY else booked.px < order.price)
            if other.cl_ord_id is not None or booked_at is None or booked_at >= snap.read_at - lag or beyond:
                return None
            on[booked.cl_ord_id] = on.get(booked.cl_ord_id, ZERO) + booked.qty
        del on[order.cl_ord_id]
        for cl_ord_id, qty in on.items():
            stranger = state.orders.get(cl_ord_id)
            if stranger is None or not stranger.external or stranger.cum_qty != qty:
                return None
            total += qty
        return total

    def _numbered(self, x: Execution) -> list[tuple[str, Execution]]:
        """The fills listed under the number of one: found in one walk for all that ask, or many orders that were sent at the
        roll would each walk the fills of all.
        """
        if self._fills is None:
            self._fills = {}
            for key, other in self._shown.items():
                self._fills.setdefault((other.order_id, other.symbol, other.side), []).append((key, other))
        return self._fills.get((x.order_id, x.symbol, x.side), [])


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
