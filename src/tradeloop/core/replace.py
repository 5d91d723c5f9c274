"""Station 4: other terms for an order that works: asked for, answered, lost on the way, or made by the broker alone.

The terms in force stay in force until the broker says that others are. Cash and shares are promised for whichever would take
more until then. Each request goes out once: one whose fate is unknown waits for the broker's books, which show the terms.
What the broker cannot replace is refused and never cancelled and placed anew, because a cancel loses the place in the queue
and the new order may meet another market.
"""

from __future__ import annotations

from collections.abc import Generator
from decimal import Decimal
from typing import Final

from tradeloop.core.answers import NOT_SENT
from tradeloop.core.changeable import asked_before, in_words, may_change, refused
from tradeloop.core.claim import claim
from tradeloop.core.commands import ReplaceOrder
from tradeloop.core.errors import BadInput, NotKnown
from tradeloop.core.events import (
    NOT_DELIVERED,
    Event,
    OrderAcknowledged,
    OrderReplaced,
    OrderRestated,
    Overfilled,
    ReplaceFateLost,
    ReplaceRejected,
    ReplaceRequested,
)
from tradeloop.core.execution import parts_of
from tradeloop.core.order import Order
from tradeloop.core.people import seen
from tradeloop.core.replacement import Asked, Terms, order_named
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import BrokerSnapshot, OpenOrder, OrderRestate, ReplaceAck, ReplaceOutcome, ReplaceReject
from tradeloop.core.risk import change, pipeline
from tradeloop.core.risk.judging import told
from tradeloop.core.short_promise import promise_again
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.took_effect import before_the_end, took_effect_since
from tradeloop.core.types import (
    DECIMAL_PLACES_MAX,
    SIGNIFICANT_DIGITS_MAX,
    ZERO,
    Amount,
    ClOrdID,
    OrderID,
    OrdStatus,
    OrdType,
    Px,
    Qty,
    TradingDay,
    UtcNs,
    is_exact,
)

Facts = Generator[Event, None, Order | None]

_TELLING: Final = (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED, OrdStatus.FILLED)
"""Standings in which the books' quantity is the order's; of one that was cancelled some brokers show what had filled."""


def ask(state: State, around: Surroundings, command: ReplaceOrder, now: UtcNs) -> Generator[Event, None, OrderReply]:
    """A person or a program wants other terms. An order that has not left is changed here; any other asks its broker."""
    earlier = asked_before(state, command)
    if earlier is not None:
        return earlier
    order = state.orders.get(command.cl_ord_id)
    if order is None:
        raise NotKnown(f"order was {command.cl_ord_id!r}, which is not known; see `tradeloop orders`")
    seen(command.by, "by")
    seen(command.approved_by, "approved_by")
    terms = wanted(order, command)
    may_change(around, order, terms)
    need = need_asked(state, around, order, terms)
    verdict = change.check(state, around, order, terms, need, now, command.by, command.approved_by, command.confirmed)
    denied = verdict.denied
    if denied is not None:
        yield refused(command, terms, denied, now)
        return OrderReply(order.cl_ord_id, denied)
    yield from told(order.cl_ord_id, verdict, now)
    number = order.replace_asks + 1
    reserve = max(order.reserved, need)
    yield ReplaceRequested(
        now,
        order.cl_ord_id,
        number,
        terms.order_qty,
        terms.price,
        terms.stop_px,
        command.by,
        command.reason,
        pipeline.version(state),
        reserve,
        need,
        command.request_id,
        command.approved_by,
        command.confirmed,
    )
    if not order.may_be_at_broker:
        yield _replaced(order, number, terms, need, now)
    return OrderReply(order.cl_ord_id)


def need_asked(state: State, around: Surroundings, order: Order, terms: Terms) -> Amount:
    """The cash that an order needs under the terms asked for, until its broker has answered where it has it."""
    way = change.need_while_asked if order.may_be_at_broker else change.need
    return way(state, around, order, terms)


def wanted(order: Order, command: ReplaceOrder) -> Terms:
    """The terms asked for, whole. Raises BadInput when they contradict the order's type or change nothing."""
    for number, what in ((command.order_qty, "order_qty"), (command.price, "price"), (command.stop_px, "stop_px")):
        if number is None:
            continue
        if not is_exact(number):
            raise BadInput(
                f"{what} was {str(number)[:40]}; expected a number of at most {SIGNIFICANT_DIGITS_MAX} significant digits "
                f"and {DECIMAL_PLACES_MAX} decimal places"
            )
        if number <= ZERO:
            raise BadInput(f"{what} was {number}; expected more than zero, cancel the order to end it")
    kind = order.ord_type.value
    if command.price is not None and order.ord_type not in (OrdType.LIMIT, OrdType.STOP_LIMIT):
        raise BadInput(
            f"a {kind} order has no price; price was {command.price:f}, leave it out or cancel and place a limit order"
        )
    if command.stop_px is not None and order.stop_px is None:
        raise BadInput(f"a {kind} order has no stop_px; stop_px was {command.stop_px:f}, leave it out")
    if command.stop_px is not None and order.triggered_at is not None:
        raise BadInput(f"order {order.cl_ord_id} has been triggered; its stop_px cannot be {command.stop_px:f} any more")
    # What is not named stays as it was last wished: a second change before the first is answered builds on it (FIX D.2).
    last = order.replaces[-1].terms if order.replaces else order.terms
    terms = Terms(
        last.order_qty if command.order_qty is None else command.order_qty,
        last.price if command.price is None else command.price,
        last.stop_px if command.stop_px is None else command.stop_px,
    )
    if terms == last:
        raise BadInput(f"order {order.cl_ord_id} is {in_words(last)} already; name another quantity, price or stop price")
    return terms


# --- answers


def on_ack(state: State, around: Surroundings, r: ReplaceAck, now: UtcNs) -> Facts:
    """Other terms are in force. What was said before is not said again; an answer to an older request says nothing, unless the
    broker's times say that it took effect after the newer one: requests may overtake each other on the wire.

    A broker that names no request, or one that we never made, has changed the order all the same: the terms count.
    """
    order = _at(state, r.broker, r.cl_ord_id)
    if order is None:
        return None
    number = _number(order, r.number)
    if number is None or number > order.replace_asks:
        terms = _told(order.terms, r.order_qty, r)
        yield from _restate(state, around, order, terms, "", r.order_id, r.transact_at, now, _filled(order, r.cum_qty))
        return order
    if number <= order.replaced:
        if not took_effect_since(order, r):
            return None
        text = f"change {number} took effect after change {order.replaced}, says the broker"
        terms, filled = _told(order.terms, max(r.order_qty, order.cum_qty), r), _filled(order, r.cum_qty)
        yield from _restate(state, around, order, terms, text, r.order_id, r.transact_at, now, filled)
        return order
    filled = _filled(order, r.cum_qty)
    asked = _waiting(order, number)
    terms = _told(order.terms if asked is None else asked.terms, max(r.order_qty, filled), r)
    said_at = r.transact_at
    if _is_old(order, said_at):
        terms, said_at = order.terms, None  # it was done, and something else since
    yield from _take(state, around, order, number, terms, r.order_id, said_at, now, filled)
    return order


def on_reject(state: State, around: Surroundings, r: ReplaceReject, now: UtcNs) -> Facts:
    """A replace was refused: everything stands as if it had not been asked."""
    order = _at(state, r.broker, r.cl_ord_id)
    asked = None if order is None else _waiting(order, _number(order, r.number))
    if order is None or asked is None:
        return None
    yield from _drop(state, around, order, asked, r.code, r.text, now)
    return order


def on_restate(state: State, around: Surroundings, r: OrderRestate, now: UtcNs) -> Facts:
    """The broker changed an order unasked (FIX E.1.c, E.1.d, H.1), or says once more how it stands."""
    order = _at(state, r.broker, r.cl_ord_id)
    if order is None:
        return None
    if order.acked_at is None and not order.is_done and r.order_id is not None:
        yield OrderAcknowledged(now, order.cl_ord_id, r.order_id, r.transact_at)
    filled = _filled(order, r.cum_qty)
    qty: Decimal = max(r.order_qty, filled)
    if r.leaves_qty is not None:  # after a split the broker counts in other units than our fills
        filled = order.cum_qty
        qty = _filled_before(state, order, r.trading_day) + r.leaves_qty
    yield from _restate(state, around, order, _told(order.terms, qty, r), r.text, r.order_id, r.transact_at, now, filled)
    return order


def on_outcome(state: State, around: Surroundings, r: ReplaceOutcome, now: UtcNs) -> Facts:
    """The wire failed us. What surely did not leave is as if never asked; a person asks again, the market has moved on."""
    order = _at(state, r.broker, r.cl_ord_id)
    asked = None if order is None else _waiting(order, r.number)
    if order is None or asked is None:
        return None
    if r.fate == NOT_SENT:
        yield from _drop(state, around, order, asked, NOT_DELIVERED, r.text, now)
    elif asked.unknown_at is None:
        yield ReplaceFateLost(now, order.cl_ord_id, asked.number, r.text)
    return order


def on_silence(around: Surroundings, order: Order, now: UtcNs) -> Facts:
    """A replace without an answer in time is of unknown fate: the terms in force are not known either."""
    for asked in tuple(order.replaces or ()):
        if asked.unknown_at is None and now - asked.asked_at >= around.policy.ack_timeout_ns:
            seconds = around.policy.ack_timeout_ns / 1_000_000_000
            yield ReplaceFateLost(now, order.cl_ord_id, asked.number, f"no answer within {seconds:g} s")
    return order


def doubt(state: State, now: UtcNs, why: str, broker: str | None = None) -> Generator[Event, None, None]:
    """Replaces that were on their way when a process ended, or a session was lost."""
    for order in list(state.orders.open.values()):
        if broker is None or order.broker == broker:
            for asked in tuple(order.replaces or ()):
                if asked.unknown_at is None:
                    yield ReplaceFateLost(now, order.cl_ord_id, asked.number, why)


# --- what the broker's books show


def on_books(
    state: State, around: Surroundings, snap: BrokerSnapshot, order: Order, theirs: OpenOrder, now: UtcNs
) -> Generator[Event, None, None]:
    """The terms that the broker's books show are those in force: which of the replaces that wait took effect, or none, or a
    change that nobody here asked for.

    A look from before our terms last changed, or before a change would show, says nothing. A replace is given up only once it
    could not take effect any more. Of an order made elsewhere we may know a part, and compare nothing.
    """
    able = around.brokers[order.broker]
    if order.external:
        yield from _whole(state, around, order, theirs, now)
        return
    if snap.read_at - (order.terms_at or 0) <= able.visibility_lag_ns and order.terms_at is not None:
        return
    shown, stood_at, filled = _as_shown(order, theirs), _stood_at(around, snap, order), _filled(order, theirs.cum_qty)
    for asked in reversed(order.replaces or []):
        # Both are capped by what has filled; more than the order allows has filled under the change that asked for as much.
        grew = theirs.cum_qty > order.order_qty and theirs.order_qty == asked.terms.order_qty
        if grew or (shown == _capped(asked.terms, theirs, order) and shown != _capped(order.terms, theirs, order)):
            qty = Qty(max(asked.terms.order_qty, theirs.cum_qty, order.cum_qty))
            terms = Terms(qty, asked.terms.price, asked.terms.stop_px)
            yield from _take(state, around, order, asked.number, terms, None, stood_at, now, filled, shown=True)
            return
    if shown != _capped(order.terms, theirs, order) and theirs.ord_status in _TELLING:
        if order.acked_at is not None and snap.read_at > order.acked_at + able.visibility_lag_ns:
            text, terms = "the broker's books show other terms", Terms(theirs.order_qty, shown[1], order.stop_px)
            yield from _restate(state, around, order, terms, text, None, stood_at, now, filled, shown=True)
        return
    text = "the broker's books show the order unchanged, long after the request could have changed it"
    yield from _give_up(state, around, snap, order, text, now)


def _stood_at(around: Surroundings, snap: BrokerSnapshot, order: Order) -> UtcNs:
    """Since when, at the latest, the terms stand that the books show. By the broker's clock, which is that of its other words
    about terms: one of an earlier time is older than the books, and a change that they did not show yet is not.
    """
    shown_by = UtcNs(snap.as_of - around.brokers[snap.broker].visibility_lag_ns)
    return shown_by if order.terms_said_at is None else max(shown_by, order.terms_said_at)


def _whole(state: State, around: Surroundings, order: Order, theirs: OpenOrder, now: UtcNs) -> Generator[Event, None, None]:
    """A stranger's order first seen as a fill is as large as that; the books show all of it, and what it may still take."""
    if (
        order.price is None
        and theirs.price is not None
        and theirs.order_qty > order.order_qty
        and theirs.ord_status in _TELLING
    ):
        terms = Terms(theirs.order_qty, theirs.price, None)
        yield from _restate(state, around, order, terms, "the broker's books show all of it", None, None, now, order.cum_qty)


def off_books(
    state: State, around: Surroundings, snap: BrokerSnapshot, order: Order, now: UtcNs
) -> Generator[Event, None, None]:
    """Books that show working orders do not show one that filled: the larger quantity it waits for did not take effect, unless
    more has traded than its own allows.
    """
    yield from before_the_end(state, order, now)
    known = state.orders.open.get(order.cl_ord_id)
    if known is not None and known.cum_qty >= known.order_qty:
        text = "the order filled, and the broker's books do not show it working under other terms"
        yield from _give_up(state, around, snap, known, text, now)


def _give_up(
    state: State, around: Surroundings, snap: BrokerSnapshot, order: Order, text: str, now: UtcNs
) -> Generator[Event, None, None]:
    able = around.brokers[order.broker]
    wait = around.policy.leaves_within_ns + able.request_lifetime_ns + able.visibility_lag_ns
    for asked in tuple(order.replaces or ()):
        if asked.unknown_at is not None and snap.read_at - asked.asked_at > wait:
            yield from _drop(state, around, order, asked, NOT_DELIVERED, text, now)


def _as_shown(order: Order, theirs: OpenOrder) -> tuple[Qty, Px | None]:
    price = order.price if theirs.price is None or order.price is None else theirs.price
    return Qty(max(theirs.order_qty, theirs.cum_qty)), price  # capped like what it is compared with: it may be overfilled


def _capped(terms: Terms, theirs: OpenOrder, order: Order) -> tuple[Qty, Px | None]:
    """Terms as the books would show them: never less than what has filled, and without a price where they show none."""
    price = order.price if theirs.price is None or order.price is None else terms.price
    return Qty(max(terms.order_qty, theirs.cum_qty)), price


# --- what they all do


def _at(state: State, broker: str, cl_ord_id: ClOrdID) -> Order | None:
    order = state.orders.get(order_named(cl_ord_id))
    return order if order is not None and order.broker == broker else None


def _filled(order: Order, told: Qty | None) -> Qty:
    """What has filled, whether we have heard of all of it or the broker alone counts it."""
    return order.cum_qty if told is None or told < order.cum_qty else told


def _filled_before(state: State, order: Order, day: TradingDay | None) -> Decimal:
    """What of the order had traded before a trading day began; all of it where no day is told. Splits are rare enough to look
    through all fills.
    """
    if day is None:
        return order.cum_qty
    own = ((key, x) for key, x in state.execs.items() if x.cl_ord_id == order.cl_ord_id and not x.busted)
    return sum((x.qty for key, x in own if parts_of(key)[2] < day), ZERO)


def _told(known: Terms, order_qty: Decimal, r: ReplaceAck | OrderRestate) -> Terms:
    """Terms as the broker told them; a price it did not name is as we know it."""
    return Terms(Qty(order_qty), known.price if r.price is None else r.price, known.stop_px if r.stop_px is None else r.stop_px)


def _is_old(order: Order, said_at: UtcNs | None) -> bool:
    """Whether the broker says something of the terms from before what it said last."""
    return said_at is not None and order.terms_said_at is not None and said_at < order.terms_said_at


def _number(order: Order, told: int | None) -> int | None:
    """The request an answer is to: the one it names, else the oldest that waits."""
    if told is not None:
        return told
    return order.replaces[0].number if order.replaces else None


def _waiting(order: Order, number: int | None) -> Asked | None:
    return next((asked for asked in order.replaces or () if asked.number == number), None)


def _take(
    state: State,
    around: Surroundings,
    order: Order,
    number: int,
    terms: Terms,
    order_id: OrderID | None,
    transact_at: UtcNs | None,
    now: UtcNs,
    filled: Qty,
    *,
    shown: bool = False,
) -> Generator[Event, None, None]:
    asked = _waiting(order, number)
    need = _need(state, around, order, terms, filled, None if asked is None else asked.reserve)
    yield _replaced(order, number, terms, need, now, order_id, transact_at, shown=shown)
    if order.replaces:
        yield from promise_again(state, around, order, now)
    if order_id is not None:
        yield from claim(state, around, order.cl_ord_id, now)
    yield from _overfilled(state, order.cl_ord_id, now)


def _replaced(
    order: Order,
    number: int,
    terms: Terms,
    need: Amount,
    now: UtcNs,
    order_id: OrderID | None = None,
    transact_at: UtcNs | None = None,
    *,
    shown: bool = False,
) -> OrderReplaced:
    later = [asked for asked in order.replaces or () if asked.number > number]
    reserve = _reserve(order, terms.order_qty, need, later)
    own = need if reserve else Amount(ZERO)
    return OrderReplaced(
        now, order.cl_ord_id, number, terms.order_qty, terms.price, terms.stop_px, reserve, own, order_id, transact_at, shown
    )


def _drop(
    state: State, around: Surroundings, order: Order, asked: Asked, code: str, text: str, now: UtcNs
) -> Generator[Event, None, None]:
    """A request did not take effect. A fill taken back while it waited may have left the order short of its own terms."""
    yield from _undo(order, asked, code, text, now)
    yield from promise_again(state, around, order, now)


def _undo(order: Order, asked: Asked, code: str, text: str, now: UtcNs) -> Generator[Event, None, None]:
    others = [other for other in order.replaces or () if other.number != asked.number]
    reserve = _reserve(order, order.order_qty, order.own_reserve, others)
    yield ReplaceRejected(now, order.cl_ord_id, asked.number, code, text, reserve)
    excess = order.cum_qty - order.most_qty
    if excess > ZERO:
        yield Overfilled(now, order.cl_ord_id, order.symbol, Qty(excess))


def _restate(
    state: State,
    around: Surroundings,
    order: Order,
    terms: Terms,
    text: str,
    order_id: OrderID | None,
    transact_at: UtcNs | None,
    now: UtcNs,
    filled: Qty,
    *,
    shown: bool = False,
) -> Generator[Event, None, None]:
    renumbered = order_id is not None and order_id != order.order_id
    if (terms == order.terms and not renumbered) or _is_old(order, transact_at):
        return
    need = _need(state, around, order, terms, filled)
    reserve = _reserve(order, terms.order_qty, need, order.replaces or [])
    yield OrderRestated(
        now,
        order.cl_ord_id,
        terms.order_qty,
        terms.price,
        terms.stop_px,
        reserve,
        need if reserve else Amount(ZERO),
        text,
        transact_at,
        order_id,
        shown,
    )
    if order.replaces:  # each of them was promised what it may cost after the terms that were in force
        yield from promise_again(state, around, order, now)
    if renumbered:
        yield from claim(state, around, order.cl_ord_id, now)


def _overfilled(state: State, cl_ord_id: ClOrdID, now: UtcNs) -> Generator[Event, None, None]:
    order = state.orders.get(cl_ord_id)
    assert order is not None
    excess = order.cum_qty - order.most_qty
    if excess > ZERO:
        yield Overfilled(now, cl_ord_id, order.symbol, Qty(excess))


def _need(
    state: State, around: Surroundings, order: Order, terms: Terms, filled: Qty, promised: Amount | None = None
) -> Amount:
    """What the broker's own terms may cost; where no price says it, what was promised for them, or for the order so far."""
    if terms.order_qty <= order.cum_qty:
        return Amount(ZERO)
    own = order.own_reserve if order.replaces else order.reserved
    if order.external and terms.price is None:
        return own  # of a stranger's order nothing bounds the cost (core/fills.py)
    return change.need_in_force(state, around, order, terms, filled) or promised or own


def _reserve(order: Order, order_qty: Decimal, own: Amount, others: list[Asked]) -> Amount:
    """What stays promised under these terms while `others` wait; nothing once the order is done."""
    closed = order.canceled_at is not None or order.rejected_at is not None or order.expired_at is not None
    if closed or (order.cum_qty >= order_qty and not others):
        return Amount(ZERO)
    return max(own, *(asked.reserve for asked in others)) if others else own
