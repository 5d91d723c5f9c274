"""Station 7: our books against the broker's, from one snapshot of theirs.

What the snapshot proves is booked at once: missed fills, acknowledgements, endings, orders made elsewhere. What remains
different is a break: a fact with a life, found once, changed when its figures change, closed when the books agree or a
person accepts a repair. Ids derive from kind and subject, so a second look at the same books makes no event at all. A part
of the books that could not be read is not compared: unknown is not flat.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from decimal import Decimal

import msgspec

from tradeloop.core.breaks import FILL_MISSING, FILL_TWICE, ORDER_QTY, ORDERS, POSITION, closed, found, id_of
from tradeloop.core.commands import RepairBreak
from tradeloop.core.days import day_of
from tradeloop.core.errors import BadInput, NotKnown
from tradeloop.core.events import (
    NOT_DELIVERED,
    AccountAdopted,
    BooksAdjusted,
    BreakClosed,
    BreakFound,
    BrokerReady,
    CancelRejected,
    Event,
    InstrumentListed,
)
from tradeloop.core.execution import exec_key, order_key
from tradeloop.core.fills import adopt_order, on_execution, unresolved
from tradeloop.core.identity import under_own_id
from tradeloop.core.instrument import FUTURE
from tradeloop.core.judged import overfilled, unjudged
from tradeloop.core.missed import as_booked, keys_of
from tradeloop.core.numbering import lines_by_number, misplaced_fills, named_beside, numbers
from tradeloop.core.replies import Done
from tradeloop.core.reports import BrokerSnapshot, Execution, OpenOrder
from tradeloop.core.risk.cost import closed_by
from tradeloop.core.run.conduct import advance
from tradeloop.core.second_ids import confirm_second, fills_of_their_own, has_second_ids
from tradeloop.core.short_promise import closes_more, is_changed, promise_again, promise_changed, promise_others, promise_side
from tradeloop.core.shown_again import gone_through, shown_again
from tradeloop.core.shown_otherwise import corrected_fills, opened_otherwise
from tradeloop.core.staging import send_late
from tradeloop.core.standing import CLOSED, our_order, remember, standings, telling, terms
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.taken_back import changed_inside, never_came
from tradeloop.core.types import (
    BUY,
    SELL,
    ZERO,
    AccountID,
    Amount,
    ClOrdID,
    Currency,
    OrderID,
    Qty,
    RunID,
    RunStatus,
    Side,
    Symbol,
    TradingDay,
    UtcNs,
)
from tradeloop.core.uncompared import passed_over, unread
from tradeloop.core.unshown import confirm_bust, explanations, missing_fills

Facts = Generator[Event, None, None]

_ACCEPT = "after looking, accept the broker's figure: `tradeloop reconcile --accept {id} --reason …`"
_UNREAD = "wait for books whose executions can be read, for what they book moves this, too; where it stays different, "


class _Shown(msgspec.Struct, gc=False):
    """The quantity of the fills that a look shows of one order and trading day, and of those among them that are booked."""

    all_of_it: Decimal = ZERO
    inside: Decimal = ZERO


Booked = dict[tuple[OrderID | None, Symbol, Side], dict[TradingDay, _Shown]]
"""What a look shows as filled, by the order and the trading day."""


def on_snapshot(state: State, around: Surroundings, snap: BrokerSnapshot, now: UtcNs) -> Facts:
    """Book what the broker's books prove, find and close breaks, and let orders go once they have been compared."""
    if snap.asked_at is not None:
        around.offsets[snap.broker] = min(snap.as_of - snap.asked_at, 0) + max(snap.as_of - now, 0)
    account = state.accounts.get(snap.account)
    if account is None or not account.adopted:
        if snap.cash is None or snap.positions is None or snap.executions is None:
            return
        yield from _adopt(state, snap, now)
    touched: dict[RunID, None] = {}
    over: dict[ClOrdID, None] = {}
    snap, shown, overtaken = yield from unjudged(_booked(state, around, snap, over, touched, now), over)
    yield from overfilled(state, over, now)
    yield from missing_fills(state, around, snap, shown, now)
    if snap.orders is not None:
        lines = telling(state, around, snap)  # once more: a fill of this very look may have changed an order
        yield from standings(state, around, snap, lines, touched, now)
        remember(state, around, snap, lines)
        yield from passed_over(state, around, snap, (), ORDERS, now)
    else:
        yield from unread(state, around, snap, ORDERS, now)
    yield from _positions(state, around, snap, overtaken, now)
    yield from _cash(state, around, snap, overtaken, now)
    yield from never_came(state, snap, now)  # until here it may explain what differs
    link = state.links.get(snap.broker)
    asked_at = snap.as_of if snap.asked_at is None else snap.asked_at
    fresh = link is not None and link.connected and snap.account not in link.compared and asked_at >= link.since
    if fresh and snap.orders is not None:
        yield BrokerReady(now, snap.broker, snap.account)
    yield from _forgotten_cancels(state, around, snap.broker, snap.account, now, all_of_them=fresh)
    for run_id in touched:
        yield from advance(state, around, run_id, now)
    if state.is_ready(snap.broker, snap.account):
        yield from resume_sending(state, around, snap.broker, snap.account, now)


def _booked(
    state: State,
    around: Surroundings,
    snap: BrokerSnapshot,
    over: Mapping[ClOrdID, None],
    touched: dict[RunID, None],
    now: UtcNs,
) -> Generator[Event, None, tuple[BrokerSnapshot, dict[str, Execution], frozenset[str]]]:
    """Orders and fills as the look shows them; `touched` gets the runs of what has changed, `over` has the orders that had more
    than was ordered on the way. Returns the look without the fills that are held (core/second_ids.py), all fills that it shows
    by their keys, and of what it says nothing (`_overtaken`).
    """
    lines = telling(state, around, snap)
    rebound = yield from numbers(state, around, snap, lines, touched, now)
    yield from _import_orders(state, snap, now)
    yield from terms(state, around, snap, lines, now)
    overtaken = _overtaken(state, snap)
    shown, anew = shown_again(state, around, snap)
    keys = keys_of(anew)
    snap, held = yield from fills_of_their_own(state, around, snap, keys, touched, now)
    if held:
        shown, anew = shown_again(state, around, snap)
        keys = keys_of(anew)
    by_books = has_second_ids(around, snap.broker)  # elsewhere nobody asks later which channel was the first, and by what
    owners = lines_by_number(state, snap) if by_books and anew else {}
    news: dict[str, Execution] = {}
    done: list[tuple[Execution, Execution, str]] = []
    new: dict[str, None] = {}
    moved: dict[ClOrdID, None] = {}
    for told, told_as, together in as_booked(state, anew, keys, now):
        execution, key = under_own_id(state, told, told_as)
        of = named_beside(owners, execution)
        some_early, leg = bool(state.early), closed_by(state, execution.account, execution.symbol, execution.side)
        order = yield from on_execution(state, around, execution, now, together, key, by_books=by_books, of=of)
        if order is not None and leg:
            yield from closes_more(state, around, order, execution, leg, now)
        if together is None:
            if some_early and is_changed(state, key, execution):
                yield from promise_changed(state, around, order, now)
            yield from promise_again(state, around, order, now)
        elif order is not None:
            moved[order.cl_ord_id] = None
        if together is not None and together.is_last:
            for cl_ord_id in moved:
                yield from promise_again(state, around, state.orders.get(cl_ord_id), now)
            moved.clear()
        root = state.execs.root(key)
        if root == key:  # another name may come to mean something else
            done.append((told, execution, key))
        key = root
        shown[key] = news[key] = execution
        if order is not None:
            new[key] = None
            if order.run_id is not None:
                touched[order.run_id] = None
    yield from misplaced_fills(state, around, snap, lines, shown, news, rebound, touched, now)
    yield from corrected_fills(state, around, snap, shown, news, new, over, touched, now)
    gone_through(state, around, snap, [line for line in done if not opened_otherwise(state, line[2], line[1])])
    return snap, {**held, **shown} if held else shown, overtaken


def _forgotten_cancels(
    state: State, around: Surroundings, broker: str, account: AccountID, now: UtcNs, *, all_of_them: bool
) -> Facts:
    """An order that filled before its cancel was answered is asked about no more: the answer went with the last session
    (`all_of_them`), or does not come.
    """
    for cl_ord_id in list(state.orders.unanswered):
        order = state.orders.get(cl_ord_id)
        if order is None or order.broker != broker or order.account != account or order.cancel_requested_at is None:
            continue
        if all_of_them or now - order.cancel_requested_at >= around.policy.ack_timeout_ns:
            yield CancelRejected(now, cl_ord_id, NOT_DELIVERED, "the order had ended, and the answer to its cancel was lost")


def resume_sending(state: State, around: Surroundings, broker: str, account: AccountID, now: UtcNs) -> Facts:
    """The account is READY and was just looked at: its staged orders that surely never left ask the gate again, and its
    waiting runs go on.
    """
    for order in list(state.orders.open.values()):
        if order.broker == broker and order.account == account and not order.may_be_at_broker:
            yield from send_late(state, around, order, now)
    for run_id, run in list(state.runs.live.items()):
        its = run.created
        if run.status in (RunStatus.RUNNING, RunStatus.PAUSED) and (its.broker, its.account) == (broker, account):
            yield from advance(state, around, run_id, now)


def repair(state: State, around: Surroundings, command: RepairBreak, now: UtcNs) -> Generator[Event, None, Done]:
    """A named person lets our books take the broker's figure for one break, or confirms that a missing fill was taken back."""
    known = state.breaks.get(command.break_id)
    if known is None:
        raise NotKnown(f"break was {command.break_id!r}, which is not open; see `tradeloop reconcile`")
    if known.delta is None and known.kind not in (FILL_MISSING, FILL_TWICE):
        raise BadInput(f"break {command.break_id} has no figure to take over; its repair is: {known.repair}")
    if not command.by.strip() or not command.reason.strip():
        raise BadInput("a repair needs a name and a reason; one of them was empty")
    if known.kind == FILL_TWICE:
        order = yield from confirm_second(state, known, command, now)
        yield from promise_again(state, around, order, now)
        yield from promise_others(state, around, order, now, gone=(BUY, SELL))
        return Done(f"fill {known.subject} is fill {known.ours}, and counts once")
    if known.delta is None:
        order = yield from confirm_bust(state, known, command, now)
        yield from promise_changed(state, around, order, now)
        if order is not None and order.run_id is not None:
            yield from advance(state, around, order.run_id, now)
        return Done(f"fill {known.subject} is taken back: {known.ours}")
    kind, subject = known.kind, known.subject
    if kind == POSITION:
        subject, kind = subject.rsplit(" ", 1)
    ours = _figure(state, known.account, kind, subject)
    if ours != Decimal(known.ours):
        raise BadInput(
            f"break {known.break_id} was found when our figure was {known.ours}, it is {ours} now; "
            "look again with `tradeloop reconcile`, then decide"
        )
    if kind != "cash" and Symbol(subject) not in state.instruments:
        yield InstrumentListed(now, unresolved(state, known.account, Symbol(subject)))
    worth = None if kind == "cash" else _worth(state, around, Symbol(subject), -known.delta if kind == "short" else known.delta)
    yield BooksAdjusted(now, known.break_id, known.account, kind, subject, known.delta, command.by, command.reason, worth)
    if kind != "cash":
        side = Side.BUY if kind == "short" else Side.SELL
        yield from promise_side(state, around, known.account, Symbol(subject), side, now)
    yield BreakClosed(now, known.break_id, f"repaired: {command.reason}", command.by)
    return Done(f"{known.kind} {known.subject}: books moved by {known.delta}")


def _worth(state: State, around: Surroundings, symbol: Symbol, delta: Decimal) -> Amount | None:
    """What so much more of a symbol is worth now, short counted against long; None where nobody knows. A future is worth
    nothing beside its profit, which what is repaired has not made here.
    """
    instrument = state.instruments[symbol]
    px = around.valuation.px(symbol, around.quotes.get(symbol))
    if instrument.asset_class is FUTURE or px is None:
        return None
    return Amount(delta * px * instrument.multiplier)


def _figure(state: State, account: AccountID, kind: str, subject: str) -> Decimal:
    """What our books say of the subject of a break now."""
    if kind == "cash":
        book = state.accounts[account].cash.get(Currency(subject))
        return book.balance if book is not None else ZERO
    position = state.held(account, Symbol(subject))
    return position.short_qty if kind == "short" else position.long_qty


def _adopt(state: State, snap: BrokerSnapshot, now: UtcNs) -> Facts:
    """The first look at an account: the broker's books become ours, with the fills that are already inside them."""
    assert snap.cash is not None
    assert snap.positions is not None
    seen = tuple(_key(x) for x in snap.executions or () if not _ours(state, x.cl_ord_id))
    for position in snap.positions:
        if position.symbol not in state.instruments:
            unlisted = unresolved(state, snap.account, position.symbol)
            if snap.cash:
                unlisted = msgspec.structs.replace(unlisted, currency=snap.cash[0].currency)
            yield InstrumentListed(now, unlisted)
    yield AccountAdopted(now, snap.broker, snap.account, snap.cash, snap.positions, seen)


def _ours(state: State, cl_ord_id: ClOrdID | None) -> bool:
    return cl_ord_id is not None and state.orders.get(cl_ord_id) is not None


def _import_orders(state: State, snap: BrokerSnapshot, now: UtcNs) -> Facts:
    """Working orders somebody else made become ours to count, before their fills are booked: first seen as a fill, the rest of
    such an order would count for nothing. What is inside the adopted books already is no part of it any more.
    """
    booked: Booked | None = None
    numbered: dict[tuple[OrderID | None, Symbol, Side], None] = {}
    if any(theirs.cl_ord_id is None for theirs in snap.orders or ()):
        numbered = {(known.order_id, known.symbol, known.side): None for known in state.orders.open.values()}
    for theirs in snap.orders or ():
        if theirs.ord_status in CLOSED:
            continue
        if _may_be_known(state, snap, theirs, numbered) and our_order(state, snap, theirs) is not None:
            continue
        if booked is None:
            booked = _booked_by_order(state, snap)
        day = day_of(state, snap.trading_day, theirs.symbol)
        left = theirs.order_qty - _inside(booked, theirs, day)
        if left <= ZERO:
            continue  # all of it is in the books: its line was read before its fills were, and is of an order that has filled
        yield from adopt_order(
            state,
            snap.broker,
            theirs.account,
            theirs.order_id,
            theirs.symbol,
            theirs.side,
            Qty(left),
            theirs.price,
            day,
            now,
            effect=theirs.position_effect,
        )


def _may_be_known(
    state: State, snap: BrokerSnapshot, theirs: OpenOrder, numbered: dict[tuple[OrderID | None, Symbol, Side], None]
) -> bool:
    """Whether one of our orders can be meant at all. `numbered` holds what is open here, so that it is not looked through again
    for each of many strangers' orders.
    """
    if theirs.cl_ord_id is not None or (theirs.order_id, theirs.symbol, theirs.side) in numbered:
        return True
    day = day_of(state, snap.trading_day, theirs.symbol)
    return state.by_order_id.get(order_key(snap.broker, theirs.account, day, theirs.symbol, theirs.order_id)) is not None


def _booked_by_order(state: State, snap: BrokerSnapshot) -> Booked:
    """How much of each order of the broker it shows, and how much of that is in our books already, from one walk over its
    executions.
    """
    booked: Booked = {}
    once = {state.execs.root(_key(x)): x for x in snap.executions or ()}
    for key, x in once.items():
        shown = booked.setdefault((x.order_id, x.symbol, x.side), {}).setdefault(x.trading_day, _Shown())
        shown.all_of_it += x.last_qty
        if key in state.execs:
            shown.inside += x.last_qty
    return booked


def _inside(booked: Booked, theirs: OpenOrder, day: TradingDay) -> Decimal:
    """How much of a stranger's order, which works on this trading day, is in our books already.

    Numbers begin anew every day, and a look may show the fills of more than one. Those of this day are the order's, whatever
    its line counts: that may have been read before them. Those of other days are its own only if the order lived on from
    there, and then its line counts them too, beside all of this day; else they are of an order that had the number before.
    """
    by_day = booked.get((theirs.order_id, theirs.symbol, theirs.side), {})
    today = by_day.get(day, _Shown())
    others = [shown for of, shown in by_day.items() if of != day]
    if today.all_of_it + sum((shown.all_of_it for shown in others), ZERO) > theirs.cum_qty:
        return today.inside
    return today.inside + sum((shown.inside for shown in others), ZERO)


def _key(x: Execution) -> str:
    return exec_key(x.broker, x.account, x.trading_day, x.exec_id, x.side)


def _positions(state: State, around: Surroundings, snap: BrokerSnapshot, overtaken: frozenset[str], now: UtcNs) -> Facts:
    if snap.positions is None:
        yield from unread(state, around, snap, POSITION, now)
        return
    theirs = {p.symbol: p for p in snap.positions}
    ours = state.positions.get(snap.account, {})
    differed = (Symbol(subject.rsplit(" ", 1)[0]) for subject in _open_breaks(state, snap, POSITION))
    missing = explanations(state, snap)
    moving: list[str] = []
    for symbol in sorted({*theirs, *ours, *differed}):
        if symbol in overtaken or _recent(state, around, snap, symbol, now):
            moving.append(symbol)
            continue
        mine, his = ours.get(symbol), theirs.get(symbol)
        for leg, a, b in (
            ("long", mine.long_qty if mine else ZERO, his.long_qty if his else ZERO),
            ("short", mine.short_qty if mine else ZERO, his.short_qty if his else ZERO),
        ):
            subject = f"{symbol} {leg}"
            if a == b:
                yield from closed(state, now, id_of(POSITION, snap.broker, snap.account, subject), "positions agree")
            else:
                cause = "a fill outside what the broker shows, a transfer, or a corporate action"
                cause, fix = _perhaps_a_bust(state, snap, missing.get(symbol), cause)
                yield from found(state, now, snap, POSITION, subject, str(a), str(b), cause, fix, _to_accept(snap, b - a))
    yield from passed_over(state, around, snap, moving, POSITION, now)


def _cash(state: State, around: Surroundings, snap: BrokerSnapshot, overtaken: frozenset[str], now: UtcNs) -> Facts:
    if snap.cash is None:
        yield from unread(state, around, snap, "cash", now)
        return
    recent = _recent(state, around, snap, None, now)
    moving: list[str] = []
    theirs = {c.currency: c.balance for c in snap.cash}
    ours = state.accounts[snap.account].cash
    missing = explanations(state, snap)
    for currency in sorted({*theirs, *ours, *map(Currency, _open_breaks(state, snap, "cash"))}):
        if recent or currency in overtaken:
            moving.append(currency)
            continue
        a = ours[currency].balance if currency in ours else ZERO
        b = theirs.get(currency, ZERO)
        if a == b:
            yield from closed(state, now, id_of("cash", snap.broker, snap.account, currency), "balances agree")
        else:
            cause = "a fee, interest, a dividend or a transfer that came without a report"
            cause, fix = _perhaps_a_bust(state, snap, missing.get(currency), cause)
            yield from found(state, now, snap, "cash", currency, str(a), str(b), cause, fix, _to_accept(snap, b - a))
    yield from passed_over(state, around, snap, moving, "cash", now)


def _to_accept(snap: BrokerSnapshot, delta: Decimal) -> Decimal | None:
    """What a person may let our books move by. Nothing, where the executions could not be read: the difference may be a fill
    that the next look books, of whatever order and whoever asked for it, and it would count twice.
    """
    return None if snap.executions is None else delta


def _open_breaks(state: State, snap: BrokerSnapshot, kind: str) -> list[str]:
    """Of what a difference is open: neither side may have it any more."""
    books = (kind, snap.broker, snap.account)
    return [known.subject for known in state.breaks.values() if (known.kind, known.broker, known.account) == books]


def _perhaps_a_bust(state: State, snap: BrokerSnapshot, missing: BreakFound | None, cause: str) -> tuple[str, str]:
    """Cause and repair of a break of figures; where a fill is `missing`, or an order lacks some, its break comes first:
    accepting both would book it twice.
    """
    if missing is None:
        inside = changed_inside(state, snap.broker, snap.account)
        if inside:
            cause = f"the broker {inside}, which was inside its books when they became ours; where that was not it, {cause}"
        if snap.executions is None:
            return f"a fill that was not heard of, or {cause}", _UNREAD + _ACCEPT
        return cause, _ACCEPT
    if missing.kind == ORDER_QTY:
        cause = f"a fill or a correction of order {missing.subject} that is not booked here yet, or was taken back unheard"
        return cause, f'wait for break "{missing.break_id}": what closes it moves this, too, and would count twice'
    return "a fill of ours that the broker does not show", f'settle break "{missing.break_id}" first, then look again'


def _overtaken(state: State, snap: BrokerSnapshot) -> frozenset[str]:
    """Symbols and currencies that a fill has moved since the broker's books were read: this look says nothing of them."""
    positions = state.positions.get(snap.account, {})
    cash = state.accounts[snap.account].cash
    return frozenset(symbol for symbol, position in positions.items() if position.updated_at > snap.read_at) | frozenset(
        currency for currency, book in cash.items() if book.updated_at > snap.read_at
    )


def _recent(state: State, around: Surroundings, snap: BrokerSnapshot, symbol: Symbol | None, now: UtcNs) -> bool:
    """Whether books may still be moving: fills the broker has booked and we have not heard of, because it did
    not show executions.
    """
    if snap.executions is not None:
        return False
    for (account, of), working in state.working.items():
        if account == snap.account and (symbol is None or of == symbol):
            for cl_ord_id in working:
                if now - state.orders.open[cl_ord_id].updated_at <= around.policy.recent_ns:
                    return True
    return False
