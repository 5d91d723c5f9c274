"""Station 7: what the broker's books say of our orders: the terms they work under, where they stand, and which ones they lack.

An answer that was lost stands in the books, and is booked from them. An order that the books lack has ended or was forgotten;
how much that proves depends on what this broker shows, and since when.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

from tradeloop.core.absence import is_long_enough, sent_at, shows_all_fills, shows_its_day
from tradeloop.core.announced import as_announced, fills_missing
from tradeloop.core.breaks import ORDER_MISSING, ORDER_OPEN, ORDER_QTY, closed, found, id_of
from tradeloop.core.claim import claim
from tradeloop.core.days import day_of
from tradeloop.core.events import Event, OrderAcknowledged, OrderCanceled, OrderExpired, OrderRejected
from tradeloop.core.fate import Nameless, missing_id, not_shown
from tradeloop.core.fills import find
from tradeloop.core.order import Ending, Order
from tradeloop.core.replace import off_books, on_books, on_restate
from tradeloop.core.reports import BrokerSnapshot, OpenOrder, OrderRestate
from tradeloop.core.shown_lines import ShownLines
from tradeloop.core.state import State
from tradeloop.core.surroundings import OrderLines, Surroundings
from tradeloop.core.took_effect import before_the_end
from tradeloop.core.types import ZERO, ClOrdID, OrdStatus, Qty, RunID, TimeInForce, UtcNs

Facts = Generator[Event, None, None]

CLOSED: Final = (OrdStatus.FILLED, OrdStatus.CANCELED, OrdStatus.EXPIRED, OrdStatus.REJECTED)
_RESOLVE: Final = (
    "ask the broker; if it is gone, `tradeloop orders resolve {} --as CANCELED --reason …`; "
    "a fill that comes later is booked all the same"
)
_WAIT: Final = (
    "wait for the executions; fills are never booked from a status. Where the order has ended there and they do not come: "
    "`tradeloop orders resolve {} --as CANCELED --reason …`"
)


def our_order(state: State, snap: BrokerSnapshot, theirs: OpenOrder) -> Order | None:
    """Our order that a line of the broker's books speaks of."""
    day = day_of(state, snap.trading_day, theirs.symbol)
    return find(state, snap.broker, theirs.account, theirs.cl_ord_id, theirs.order_id, theirs.symbol, theirs.side, day)


def telling(state: State, around: Surroundings, snap: BrokerSnapshot) -> tuple[OpenOrder, ...]:
    """The lines of the books that may say something new. A day has many orders that ended long ago, and they are shown in every
    look: where neither the line nor our order has changed since the last one, there is nothing to compare.
    """
    lines, known = snap.orders or (), around.settled.get(snap.account)
    if known is None or not known.settled:
        return lines
    last, closed_orders = known.last, state.orders.closed
    begins = last is not None and last.begin(lines, state.orders)
    told = []
    for place in last.left(lines) if last is not None and begins else range(len(lines)):
        theirs = lines[place]
        settled = None if theirs.cl_ord_id is None else known.settled.get(theirs.cl_ord_id)
        if (
            settled is None
            or theirs.cl_ord_id is None
            or settled[0] != theirs
            or closed_orders.get(theirs.cl_ord_id) is not settled[1]
        ):
            told.append(place)
    known.last = ShownLines(lines, told, state.orders)
    return tuple(lines[place] for place in told)


def remember(state: State, around: Surroundings, snap: BrokerSnapshot, lines: tuple[OpenOrder, ...]) -> None:
    """Keep which lines need no second look: of orders that ended on both sides with the same quantity, under the same number,
    and not just now. A line with another number is looked at until that is settled (core/numbering.py): the answer that gave
    it may lie ahead for long, where a clock was set back.
    """
    able = around.brokers[snap.broker]
    lag = max(around.policy.recent_ns, able.visibility_lag_ns)
    known = around.settled.get(snap.account)
    if known is None:
        known = around.settled[snap.account] = OrderLines()
    before, shown = known.settled, snap.orders or ()
    if not lines and len(before) == len(shown):
        return  # the books are as they were
    settled: dict[ClOrdID, tuple[OpenOrder, bytes]] = {}
    looked_at = {theirs.cl_ord_id for theirs in lines}
    for theirs in shown:
        cl_ord_id = theirs.cl_ord_id
        if cl_ord_id is None or theirs.ord_status not in CLOSED:
            continue
        if cl_ord_id not in looked_at:
            settled[cl_ord_id] = before[cl_ord_id]
            continue
        packed = state.orders.closed.get(cl_ord_id)
        order = None if packed is None else our_order(state, snap, theirs)
        if packed is None or order is None or order.cl_ord_id != cl_ord_id or order.cum_qty != theirs.cum_qty:
            continue
        if order.order_id != theirs.order_id:
            continue
        if order.cancel_requested_at is None and not order.replaces and snap.read_at - order.updated_at > lag:
            settled[cl_ord_id] = theirs, packed
    known.settled = settled


def terms(state: State, around: Surroundings, snap: BrokerSnapshot, lines: tuple[OpenOrder, ...], now: UtcNs) -> Facts:
    """Under which terms our orders work, before their fills are booked: what filled beyond the old quantity is no overfill
    where a larger one has taken effect.
    """
    if snap.orders is None:
        return
    shown: dict[ClOrdID, None] = {}
    for theirs in lines:
        order = our_order(state, snap, theirs)
        if order is not None:
            shown[order.cl_ord_id] = None
            yield from on_books(state, around, snap, order, theirs, now)
    for order in list(state.orders.open.values()):
        if order.replaces and (order.broker, order.account) == (snap.broker, snap.account) and order.cl_ord_id not in shown:
            yield from off_books(state, around, snap, order, now)


def standings(
    state: State,
    around: Surroundings,
    snap: BrokerSnapshot,
    lines: tuple[OpenOrder, ...],
    touched: dict[RunID, None],
    now: UtcNs,
) -> Facts:
    """Give every order the standing the broker's books prove."""
    shown: dict[ClOrdID, None] = {}
    for theirs in lines:
        order = our_order(state, snap, theirs)
        if order is None:
            continue
        shown[order.cl_ord_id] = None
        yield from _one_order(state, around, snap, order, theirs, touched, now)
    able = around.brokers[snap.broker]
    if able.orders_complete and not snap.orders_complete:
        return  # less than this broker can show: the next look says more
    lag = max(around.policy.recent_ns, able.visibility_lag_ns)
    nameless: Nameless | None = None
    for order in list(state.orders.open.values()):
        if order.broker != snap.broker or order.account != snap.account or order.cl_ord_id in shown:
            continue
        if order.unknown_at is not None:
            nameless = Nameless(state, snap, echoes_ids=able.echoes_ids) if nameless is None else nameless
            yield from not_shown(state, around, order, snap, nameless, now)
        elif order.acked_at is not None and snap.read_at - _shown_at(order) > lag:
            if order.is_uncounted:
                nameless = Nameless(state, snap, echoes_ids=able.echoes_ids) if nameless is None else nameless
                yield from _uncounted(state, snap, order, nameless, now)
            elif order.ending is not None and fills_missing(order, order.ending.cum_qty):
                yield from _fills_never_came(state, snap, order, order.ending, now)
            elif able.orders_complete:
                nameless = Nameless(state, snap, echoes_ids=able.echoes_ids) if nameless is None else nameless
                yield from _missing(state, around, snap, order, nameless, now)
            else:
                nameless = Nameless(state, snap, echoes_ids=able.echoes_ids) if nameless is None else nameless
                yield from _not_open(state, around, snap, order, nameless, now)
        if order.is_done and order.run_id is not None:
            touched[order.run_id] = None
    for cl_ord_id in [one for one in around.unseen if one in shown or one not in state.orders.open]:
        del around.unseen[cl_ord_id]
    for known in list(state.breaks.values()):
        if (known.broker, known.account) != (snap.broker, snap.account):
            continue
        if known.kind == ORDER_MISSING and ClOrdID(known.subject) not in state.orders.open:
            yield from closed(state, now, known.break_id, "the order has ended")
        elif known.kind in (ORDER_OPEN, ORDER_QTY) and ClOrdID(known.subject) not in shown:
            yield from closed(state, now, known.break_id, "the broker does not show the order any more")


def _shown_at(order: Order) -> UtcNs:
    """When the broker last said that there is something of it: a look from before that may miss it. What we asked since does
    not count, or an order that is cancelled again and again would never be looked for; nor does what other orders trade, or
    none would be looked for in a symbol that trades all the time.
    """
    return max(order.acked_at or UtcNs(0), order.terms_at or UtcNs(0), order.traded_at)


def _missing(state: State, around: Surroundings, snap: BrokerSnapshot, order: Order, nameless: Nameless, now: UtcNs) -> Facts:
    """The broker acknowledged the order and does not show it. It ended with its day; or, where these books are of later days
    than its own, it is over by the looks that would end it had it never been heard of (core/absence.py). Anything else a person
    decides.
    """
    first = snap.first_day
    over = first is not None and order.tif is not TimeInForce.GTC and "" < order.trading_day < first
    if over and _fills_agree(state, snap, order):
        text = f"a {order.tif.value} order of {order.trading_day}, not in the broker's books of {first}"
        if (yield from before_the_end(state, order, now)):
            yield OrderExpired(now, order.cl_ord_id, text)
        return
    if not shows_its_day(around, snap, order) and order.cum_qty < order.order_qty:
        text = f"not in the broker's books{'' if first is None else f' of {first}'}, and its executions are complete"
        if (yield from _over(state, around, snap, order, nameless, text, now)):
            return
    yield from found(
        state,
        now,
        snap,
        ORDER_MISSING,
        order.cl_ord_id,
        order.ord_status.value,
        "not in the broker's books",
        "the broker forgot the order, or shows orders of another trading day only",
        _RESOLVE.format(order.cl_ord_id),
        None,
    )


def _not_open(state: State, around: Surroundings, snap: BrokerSnapshot, order: Order, nameless: Nameless, now: UtcNs) -> Facts:
    """A broker that shows all its open orders and no others does not show one that it had acknowledged: it has ended.

    How, its fills and its day tell. An order good for its day has expired once that is over; one that a cancel was sent for, or
    that never rests, is out of the market once the list of executions has had time to show the fill that could have ended it
    instead. So is any other by the looks that would end it had it never been heard of (core/fate.py). Anything else a person
    decides.
    """
    if order.cum_qty >= order.order_qty:
        return  # it has filled, and only the change it waits for keeps it open, which the books settle (core/replace.py)
    day = day_of(state, None, order.symbol) or snap.trading_day or ""
    if order.tif is not TimeInForce.GTC and "" < order.trading_day < day and _fills_agree(state, snap, order):
        text = f"a {order.tif.value} order of {order.trading_day}, not among the broker's open orders"
        if (yield from before_the_end(state, order, now)):
            yield OrderExpired(now, order.cl_ord_id, text)
        return
    text = "not among the broker's open orders, and its executions are complete"
    if (yield from _over(state, around, snap, order, nameless, text, now)):
        return
    yield from found(
        state,
        now,
        snap,
        ORDER_MISSING,
        order.cl_ord_id,
        order.ord_status.value,
        "not among the broker's open orders",
        "it has ended there, by a cancel, an expiry or a fill, and the broker shows open orders only",
        _RESOLVE.format(order.cl_ord_id),
        None,
    )


def _over(
    state: State, around: Surroundings, snap: BrokerSnapshot, order: Order, nameless: Nameless, text: str, now: UtcNs
) -> Generator[Event, None, bool]:
    """End an order that neither works nor has traded what we have not heard of; whether it is over."""
    if not shows_all_fills(snap, sent_at(order)) or not _is_gone(state, around, snap, order, nameless):
        return False
    if (yield from before_the_end(state, order, now)):
        yield OrderCanceled(now, order.cl_ord_id, text, order.cancel_asks > 0)
    return True


def _is_gone(state: State, around: Surroundings, snap: BrokerSnapshot, order: Order, nameless: Nameless) -> bool:
    """Whether looks that show all fills of an order have shown for long enough that it does not work. One that we wanted out of
    the market is not doubted as much as one that should be there.
    """
    able, policy = around.brokers[snap.broker], around.policy
    known = state.breaks.get(missing_id(order))
    lag = max(policy.recent_ns, able.visibility_lag_ns)
    if order.cancel_asks > 0 or order.tif in (TimeInForce.IOC, TimeInForce.FOK):
        return known is not None and snap.read_at - known.at > lag
    looks, since, since_theirs = around.unseen.get(order.cl_ord_id, (0, snap.read_at, snap.as_of))
    around.unseen[order.cl_ord_id] = looks + 1, since, since_theirs
    wait = max(lag, able.request_lifetime_ns + able.visibility_lag_ns)
    if not is_long_enough(around, snap, looks + 1, (since, since_theirs), wait, wait):
        return False
    return order.order_id is not None or not nameless.may_be(order, order.staged_at)


def _uncounted(state: State, snap: BrokerSnapshot, order: Order, nameless: Nameless, now: UtcNs) -> Facts:
    """The end of an order was announced without a count, as the first word of it, and the books do not show the order. Where
    they leave no room for a fill that we have not heard of, also one without an id, it has ended with what has come.
    """
    assert order.ending is not None
    if _fills_agree(state, snap, order) and (order.order_id is not None or not nameless.may_be(order, sent_at(order))):
        yield from as_announced(state, order, order.ending, now)
    else:
        yield from _fills_never_came(state, snap, order, order.ending, now)


def _fills_never_came(state: State, snap: BrokerSnapshot, order: Order, ending: Ending, now: UtcNs) -> Facts:
    """The broker announced the end of an order with more traded than we have heard of, and its books show the order no more.
    Whatever executions they list, these fills are not among them: it stays open with what it holds until they have come, or a
    person has asked.
    """
    yield from found(
        state,
        now,
        snap,
        ORDER_MISSING,
        order.cl_ord_id,
        f"{order.cum_qty:f} traded",
        f"{ending.as_} with {'an unknown quantity' if ending.cum_qty is None else f'{ending.cum_qty:f}'} traded",
        "the broker announced the end of the order, and fills from before it have not come, or may not have",
        _RESOLVE.format(order.cl_ord_id),
        None,
    )


def _fills_agree(state: State, snap: BrokerSnapshot, order: Order) -> bool:
    """Whether the books leave no room for a fill of the order that we have not heard of."""
    if shows_all_fills(snap, sent_at(order)):
        return True
    if snap.positions is None or state.held(order.account, order.symbol).updated_at > snap.read_at:
        return False
    ours = state.held(order.account, order.symbol)
    theirs = next(((p.long_qty, p.short_qty) for p in snap.positions if p.symbol == order.symbol), (ZERO, ZERO))
    return (ours.long_qty, ours.short_qty) == theirs


def _rest_of_a_stranger(state: State, around: Surroundings, order: Order, theirs: OpenOrder, now: UtcNs) -> Facts:
    """A stranger's order that was first heard of by a fill is known by that fill alone: what is left of it counts, too, and
    nothing once it is filled there.
    """
    rest = Qty(theirs.order_qty - theirs.cum_qty)
    if order.order_qty - order.cum_qty == rest or order.canceled_at or order.expired_at or order.rejected_at:
        return
    said = OrderRestate(order.broker, order.cl_ord_id, theirs.order_qty, theirs.price, leaves_qty=rest)
    yield from on_restate(state, around, said, now)


def _one_order(
    state: State,
    around: Surroundings,
    snap: BrokerSnapshot,
    order: Order,
    theirs: OpenOrder,
    touched: dict[RunID, None],
    now: UtcNs,
) -> Facts:
    cl_ord_id = order.cl_ord_id
    if order.acked_at is None and not order.is_done and theirs.ord_status is not OrdStatus.REJECTED:
        yield OrderAcknowledged(now, cl_ord_id, theirs.order_id)
        yield from claim(state, around, cl_ord_id, now)
        if order.run_id is not None and order.cum_qty:
            touched[order.run_id] = None
    # Of an order made elsewhere we may have a part only; its fills count, its status need not add up.
    agreed = theirs.cum_qty == order.cum_qty or order.external
    if not order.is_done and agreed and theirs.ord_status in CLOSED:
        by_us = order.is_wanted_out
        ends = theirs.ord_status is not OrdStatus.FILLED and (yield from before_the_end(state, order, now))
        if ends and theirs.ord_status is OrdStatus.CANCELED:
            yield OrderCanceled(now, cl_ord_id, theirs.text, by_us)
        elif ends and theirs.ord_status is OrdStatus.EXPIRED:
            yield OrderExpired(now, cl_ord_id, theirs.text)
        elif ends:
            yield OrderRejected(now, cl_ord_id, "", theirs.text)
        if order.run_id is not None:
            touched[order.run_id] = None
    able = around.brokers[snap.broker]
    settled = snap.read_at - order.updated_at > max(around.policy.recent_ns, able.visibility_lag_ns)
    over = order.is_done or order.is_uncounted
    if over and not order.external and settled and theirs.ord_status not in CLOSED:
        cause = "the order was taken for ended here, and the broker works it still"
        if theirs.cum_qty < order.cum_qty:
            cause = "more of it has filled here than the broker counts, and it works the rest: a fill was taken back unheard"
        yield from found(
            state,
            now,
            snap,
            ORDER_OPEN,
            cl_ord_id,
            order.ord_status.value,
            theirs.ord_status.value,
            cause,
            "cancel it at the broker; what fills until then is booked",
            None,
        )
    if order.is_done and order.acked_at is None and theirs.ord_status is not OrdStatus.REJECTED:
        # It ended here before any answer: what else comes under its number alone is ours, too.
        yield OrderAcknowledged(now, cl_ord_id, theirs.order_id)
        yield from claim(state, around, cl_ord_id, now)
    heard = snap.read_at - _shown_at(order) > max(around.policy.recent_ns, able.visibility_lag_ns)
    if order.external and heard and (theirs.ord_status not in CLOSED or theirs.ord_status is OrdStatus.FILLED):
        yield from _rest_of_a_stranger(state, around, order, theirs, now)
    open_id = id_of(ORDER_OPEN, snap.broker, snap.account, cl_ord_id)
    if theirs.ord_status in CLOSED:
        yield from closed(state, now, open_id, "the order has ended at the broker, too")
    elif not over:
        yield from closed(state, now, open_id, "the order works here, too")
    yield from closed(state, now, missing_id(order), "the broker shows the order again")
    if agreed:
        yield from closed(state, now, id_of(ORDER_QTY, snap.broker, snap.account, cl_ord_id), "filled quantities agree")
    elif snap.executions is not None and now - order.updated_at > around.policy.recent_ns:
        yield from found(
            state,
            now,
            snap,
            ORDER_QTY,
            cl_ord_id,
            f"{order.cum_qty:f}",
            f"{theirs.cum_qty:f}",
            "the broker's status counts fills that its executions do not show, or the other way round",
            _WAIT.format(cl_ord_id),
            None,
            ended=theirs.ord_status in CLOSED,
        )
