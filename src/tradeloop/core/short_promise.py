"""Station 5: what an order is promised again when a fill of it was dearer than its share, is taken back, corrected, or found to
be of another order.

A fill releases what it used, and the last one everything. One that was dearer than it could be under the terms in force (it
crossed a change of them, a sell got more than its limit, the market slipped, the broker charged more) used what the rest needs.
Taken back, a fill gives back what it had used; but the rest of the order may trade at its limit, dearer than that fill did,
and what the last fill released beyond its own cost is gone. A fill that came under a number alone and is moved to its order has
drawn nothing on that order's promise, and counts as if it had. So an order that works on is promised what it may still cost at
worst, if that is more. A fill that was told at a wrong price and is taken back, or corrected, gives back more than it had used,
because no more can be used than is reserved: its order is promised what it may still cost, and no more.

What closes a holding costs nothing, and an order is promised nothing for what it may close. Whoever makes the holding smaller
(a fill of another order or of a stranger's, a bust, a person who adjusts the books) leaves orders behind that closed it when
they were judged, and open now. They are promised what they may cost as things stand, the older ones closing first
(core/risk/older_first.py): so their sum is what they may cost together, neither twice nor too little.
"""

from __future__ import annotations

from collections.abc import Generator
from decimal import Decimal

import msgspec

from tradeloop.core.events import Event, ReserveRaised
from tradeloop.core.execution import exec_key
from tradeloop.core.instrument import FUTURE, Instrument
from tradeloop.core.order import Order
from tradeloop.core.reports import Execution
from tradeloop.core.risk.change import need, need_while_asked
from tradeloop.core.risk.cost import closed_by, closing_qty, costs_nothing
from tradeloop.core.risk.older_first import closed_before, in_turn
from tradeloop.core.run.funds import cash_book
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import AUTO, BUY, ONE, SELL, ZERO, AccountID, Amount, Px, Qty, Side, Symbol, UtcNs


def promise_again(state: State, around: Surroundings, was: Order | None, now: UtcNs) -> Generator[Event, None, None]:
    """Raise the reserve of an open order to what it may still cost, under its own terms or any that wait for an answer; of a
    stranger's order nothing is known but what its books said.
    """
    order = None if was is None else state.orders.open.get(was.cl_ord_id)
    if order is None or order.external:
        return
    own, *asked = what_it_may_cost(state, around, order)
    if max(own, *asked, order.reserved) > order.reserved:
        yield raised(order, own, asked, now)


def promise_anew(state: State, around: Surroundings, was: Order | None, now: UtcNs) -> Generator[Event, None, None]:
    """The same where a fill of the order has got other figures, or is gone: where it has a price, its reserve comes down to
    what it may still cost as well.
    """
    order = None if was is None else state.orders.open.get(was.cl_ord_id)
    if order is not None and not order.external and order.price is not None:
        own, *asked = costs = what_it_may_cost(state, around, order)
        is_known = order.side is BUY or min(costs) > ZERO  # a sell is bounded by what the market offers, if it does
        if is_known and max(costs) < order.reserved:
            lower = ReserveRaised(now, order.cl_ord_id, max(costs))
            if asked:
                lower = ReserveRaised(now, order.cl_ord_id, max(costs), own, tuple(asked))
            yield lower
    yield from promise_again(state, around, was, now)


def promise_changed(
    state: State, around: Surroundings, was: Order | None, now: UtcNs, *, gone: tuple[Side, ...] = (BUY, SELL)
) -> Generator[Event, None, None]:
    """What follows from other figures of a fill, or from its end, for its order and for others; `gone` as of these."""
    yield from promise_anew(state, around, was, now)
    yield from promise_others(state, around, was, now, gone=gone)


def promise_behind(
    state: State, around: Surroundings, order: Order, x: Execution, leg: Qty, now: UtcNs, *, some_early: bool
) -> Generator[Event, None, None]:
    """What follows from a fill that has just come: `leg` was held of what its side closes. `some_early`: words had come of
    fills that had not.
    """
    if leg and not costs_nothing(x.side, AUTO, state.instruments[x.symbol]):
        yield from closes_more(state, around, order, x, leg, now)
    if some_early and is_changed(state, exec_key(x.broker, x.account, x.trading_day, x.exec_id, x.side), x):
        yield from promise_changed(state, around, order, now)
    elif some_early or is_dearer(state, around, order, x):
        yield from promise_again(state, around, order, now)


def is_changed(state: State, key: str, x: Execution) -> bool:
    """Whether a fill that has just come has other figures by now, or is gone: its broker had said so before."""
    booked = state.execs.get(state.execs.root(key))
    return booked is not None and (booked.busted or (booked.qty, booked.px) != (x.last_qty, x.last_px))


def promise_others(
    state: State, around: Surroundings, was: Order | None, now: UtcNs, *, gone: tuple[Side, ...] = ()
) -> Generator[Event, None, None]:
    """Raise what working orders in the symbol of an order are promised, after fills of it have got other figures or another
    order. `gone`: the sides that may find nothing left to close by that; others count on what is still held.
    """
    if was is None:
        return
    # Of what cannot be sold short a sell opens nothing; a buy may close what an overfill or a stranger has sold short.
    for side in (BUY, SELL) if state.instruments[was.symbol].can_be_short else (BUY,):
        if side in gone or closed_by(state, was.account, was.symbol, side):
            yield from promise_side(state, around, was.account, was.symbol, side, now)


def promise_side(
    state: State, around: Surroundings, account: AccountID, symbol: Symbol, side: Side, now: UtcNs
) -> Generator[Event, None, None]:
    """Raise what our working orders of one side are promised to what they may cost, now that less is held than they were to
    close.
    """
    instrument = state.instruments[symbol]
    if costs_nothing(side, AUTO, instrument):
        return
    if closing_qty(state, account, symbol, side, None) <= closed_by(state, account, symbol, side):
        return
    for order, before in in_turn(state, account, symbol, side):
        if order.position_effect is AUTO and not order.external and not _is_paid_for(order, instrument):
            yield from promise_in_turn(state, around, order, before, now)


def _is_paid_for(order: Order, instrument: Instrument) -> bool:
    """Whether all that an order may buy is promised to it at its limit, as to nearly all of those that cover nothing."""
    if order.side is SELL or order.price is None or order.replaces or instrument.asset_class is FUTURE:
        return False
    return order.reserved >= instrument.notional(order.price, order.exposed_qty)


def promise_in_turn(
    state: State, around: Surroundings, order: Order, closed_before: Decimal, now: UtcNs
) -> Generator[Event, None, None]:
    """Raise what a working order is promised, where so much of what is held is closed before it. One that has not left is
    promised no more than the account has; it is looked at again before it leaves (core/staging.py).
    """
    own, *asked = _costs(state, around, order, closed_before)
    more = max(own, *asked, order.reserved) - order.reserved
    if more > ZERO:
        book = cash_book(state, order.account, state.instruments[order.symbol].currency)
        if order.may_be_at_broker or more <= book.free:
            yield raised(order, own, asked, now)


def closes_more(
    state: State, around: Surroundings, order: Order, x: Execution, leg: Qty, now: UtcNs
) -> Generator[Event, None, None]:
    """A fill has closed what is held of `leg` before it: it costs nothing and drew on no promise. Where its order was to open
    because others close before it, so much less of it is left to open; these others follow, and so does whoever counts on
    what was held.
    """
    judged = order.reserved and order.position_effect is AUTO and not order.external
    if judged and order.price is not None and not order.replaces:
        instrument = state.instruments[order.symbol]
        closed = Qty(min(leg, x.last_qty))
        least = Amount(order.reserved - instrument.notional(x.last_px, closed))
        own, *_ = what_it_may_cost(state, around, order)
        if (order.side is BUY or own > ZERO) and max(own, least) < order.reserved:
            yield ReserveRaised(now, order.cl_ord_id, max(own, least))
    yield from promise_side(state, around, order.account, order.symbol, order.side, now)


def is_dearer(state: State, around: Surroundings, order: Order, x: Execution) -> bool:
    """Whether a fill that leaves its order open may have used more than its share of what the order is promised: of its price
    under any terms that wait for an answer, and of what the fee of the order grows by.
    """
    if order.is_done or order.external:
        return False
    bound = order.price
    if bound is None:
        bound = None if order.arrival_px is None else Px(order.arrival_px * (ONE + around.policy.market_buffer))
    if bound is None or x.last_px > bound:
        return True
    if any(asked.terms.price is not None and x.last_px > asked.terms.price for asked in order.replaces or ()):
        return True
    if x.commission is None:
        return False
    instrument = state.instruments[x.symbol]
    value = instrument.notional(x.last_px, x.last_qty)
    traded, filled = order.cum_value * instrument.multiplier, Qty(order.cum_qty - x.last_qty)
    before = instrument.fees.fee(x.side, filled, traded - value) if filled > ZERO else ZERO
    return x.commission > instrument.fees.fee(x.side, order.cum_qty, traded) - before


def what_it_may_cost(state: State, around: Surroundings, order: Order) -> list[Amount]:
    """The most it may cost under its own terms, and then under each change that waits, judged as when it was asked for, before
    the later ones. What is held older orders close before it.
    """
    return _costs(state, around, order, closed_before(state, order))


def _costs(state: State, around: Surroundings, order: Order, closed_before: Decimal) -> list[Amount]:
    costs = [need(state, around, order, order.terms, closed_before)]
    asked = order.replaces or []
    for i, one in enumerate(asked):
        before = msgspec.structs.replace(order, replaces=asked[:i] or None)
        costs.append(need_while_asked(state, around, before, one.terms, closed_before))
    return costs


def raised(order: Order, own: Amount, asked: list[Amount], now: UtcNs) -> ReserveRaised:
    """What is promised under each of its terms is the larger of what was and what they may cost. What a change may cost beside
    its own terms, these cover as long as they are in force; whoever ends that asks again.
    """
    if not asked:
        return ReserveRaised(now, order.cl_ord_id, own)
    assert order.replaces is not None
    own = max(own, order.own_reserve)
    of_each = tuple(
        one.reserve if cost <= own else max(one.reserve, cost) for one, cost in zip(order.replaces, asked, strict=True)
    )
    return ReserveRaised(now, order.cl_ord_id, max(own, *of_each), own, of_each)
