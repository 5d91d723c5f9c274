"""The orders by which a FLATTEN closes positions: as much of each leg as legal orders can close, and what is left by name.

They go at the market. Where no market order may go, because the product, the broker or this hour takes limits alone, they go
at the most aggressive price that is legal, and are renewed when the market has left them behind. What no legal order can sell,
such as less than a lot, stays and is named; a halt has not done its work while an order could close anything that is left.

Where the broker's books show another position than ours, no more is closed than both show: what is not there would be opened.
That the two differ is named until it is settled, and so is what the broker alone shows.
"""

from __future__ import annotations

from collections.abc import Generator
from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.core import market, staging
from tradeloop.core.breaks import POSITION, theirs_of
from tradeloop.core.commands import SubmitOrder
from tradeloop.core.events import BreakFound, Event
from tradeloop.core.halt import Halt, HaltScope
from tradeloop.core.hours import moment
from tradeloop.core.instrument import Instrument
from tradeloop.core.order import Order
from tradeloop.core.reports import Quote
from tradeloop.core.risk.checks import bound_of_cage
from tradeloop.core.risk.stopped import closes_under, stopped
from tradeloop.core.run.funds import holdings
from tradeloop.core.run.legs import effects, slices
from tradeloop.core.run.sizing import Held
from tradeloop.core.staging import no_cancels_until
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.turns import Leg, ahead, in_turn, is_alone, is_to_give_way
from tradeloop.core.types import (
    LIMIT,
    MARKET,
    ZERO,
    AccountID,
    OrdType,
    PositionEffect,
    Px,
    Qty,
    Side,
    Symbol,
    UtcNs,
    step_down,
    step_up,
    venue_of,
)

DOUBLINGS_MAX: Final = 5
_TICKS: Final = 9
"""How far beyond the other side's best price a limit goes where no band and no cage says how far it may: nine spreads is the
most that Hong Kong takes of an enhanced limit order (HKEX, as POEMS and moomoo tell it).
"""
_STAYS: Final = frozenset({"T+1", "session_open", "suspended", "lot", "out of reach"})
"""What keeps a position from being closed by any order of today: the work of the halt is done for now, and looked at again."""


class Left(msgspec.Struct, frozen=True):
    """A leg that is left: `code` names it and the rule, `why` is the sentence. `may_stay`: no order could close it now."""

    code: str
    why: str
    may_stay: bool


def is_its_own(state: State, order: Order, known: Halt) -> bool:
    """Whether the order closes a position for this halt, or for a FLATTEN that goes on beside it: was asked for after it, or
    before it and no halt in force stops it. One of a FLATTEN that was released is an order like any other.
    """
    if order.halt >= known.number:
        return order.halt in state.halts
    return closes_under(state, order, known) and stopped(state, order, state.instruments[order.symbol]) is None


def close(state: State, around: Surroundings, known: Halt, now: UtcNs) -> Generator[Event, None, list[Left]]:
    """Order what closes the positions within the halt; what is left of them."""
    left: list[Left] = []
    differ = _differ(state, known)
    legs = _legs(state, known)
    outcome: dict[str, tuple[str, str]] = {}
    for leg in in_turn(around, known, legs):
        if around.serves(state.accounts[leg.account].broker, leg.account):
            outcome[leg.name] = yield from _close_one(state, around, known, leg, now)
        else:
            outcome[leg.name] = "out of reach", "no configured broker shows it"
    for leg in legs:
        rule, said = outcome[leg.name]
        side = "" if not leg.held.short else (" long" if leg.side is Side.SELL else " short")
        may_stay = rule in _STAYS
        apart = differ.pop((leg.account, leg.symbol, leg.side is Side.BUY), None)
        if apart is not None:
            rule, said, may_stay = "differs", f"{_apart(apart)}; {said}", rule == "out of reach"
        left.append(Left(f"{leg.symbol}{side} {rule}", f"{leg.qty:f}{side} {leg.symbol} of {leg.account}: {said}", may_stay))
    for (account, _, _), apart in sorted(differ.items()):
        said = f"{apart.subject} of {account}: {_apart(apart)}"
        left.append(Left(f"{apart.subject} differs", said, not around.serves(apart.broker, account)))
    return left


def why(known: Halt) -> str:
    """The reason that orders and cancels of a halt give."""
    return f"halt {known.number} ({known.tier.value} of {known.where})" + (f": {known.reason}" if known.reason else "")


def meet(state: State, known: Halt, other: Halt) -> bool:
    """Whether anything is held within both."""
    return any(_holds(other, state.accounts[leg.account].broker, leg.account, leg.symbol) for leg in _legs(state, known))


def _legs(state: State, known: Halt) -> list[Leg]:
    """What is held within the halt."""
    found = []
    for account, its in sorted(state.accounts.items()):
        books = holdings(state, account, Symbol(known.name) if known.scope is HaltScope.SYMBOL else None)
        for symbol in sorted(books):
            if _holds(known, its.broker, account, symbol):
                held = books[symbol]
                both = ((Side.SELL, held.qty), (Side.BUY, held.short))
                found += [Leg(account, symbol, side, qty, held) for side, qty in both if qty]
    return found


def _differ(state: State, known: Halt) -> dict[tuple[AccountID, Symbol, bool], BreakFound]:
    """The legs within the halt of which the broker shows another quantity than we do; True stands for the short one."""
    found = {}
    for apart in state.breaks.values():
        if apart.kind == POSITION:
            symbol, leg = apart.subject.rsplit(" ", 1)
            if _holds(known, apart.broker, apart.account, Symbol(symbol)):
                found[apart.account, Symbol(symbol), leg == "short"] = apart
    return found


def _apart(apart: BreakFound) -> str:
    return f"the broker shows {apart.theirs}, our books {apart.ours}: find out why, and settle it with `tradeloop reconcile`"


def _holds(known: Halt, broker: str, account: AccountID, symbol: Symbol) -> bool:
    of_symbol = {HaltScope.SYMBOL: symbol, HaltScope.VENUE: venue_of(symbol)}
    return known.covers_all_of(broker, account) or of_symbol.get(known.scope) == known.name


def _close_one(
    state: State, around: Surroundings, known: Halt, leg: Leg, now: UtcNs
) -> Generator[Event, None, tuple[str, str]]:
    """Close one leg of one position; (rule, sentence) of why it is still there."""
    account, symbol, side, qty = leg.account, leg.symbol, leg.side, leg.qty
    working = [state.orders.open[cl_ord_id] for cl_ord_id in state.working.get((account, symbol), ())]
    in_the_way = [order for order in working if order.side is side or not is_its_own(state, order, known)]
    instrument = state.instruments[symbol]
    theirs = theirs_of(state, state.accounts[account].broker, account, symbol, short=side is Side.BUY)
    in_part = theirs is not None and theirs < qty
    if theirs is not None and in_part:
        qty = theirs
    asked = [order for order in working if order.side is side and is_its_own(state, order, known)]
    if sum((order.exposed_qty for order in asked), ZERO) > qty:
        yield from take_back(state, around, known, asked, now)
        return "canceling", f"order {asked[0].cl_ord_id} is for more than there is to close, and is to go first"
    if not qty:
        return "differs", "none of it is closed before"
    count, last = known.tries.get(leg.name, (0, UtcNs(0)))
    rests = bool(count) and now < last + (around.policy.probe_every_ns << min(count, DOUBLINGS_MAX))
    held, apart = leg.held, None
    if in_the_way:
        if no_cancels_until(state, symbol, now) is None:
            if not rests:
                yield from _renew(state, around, known, in_the_way, now)
            return _at_work(state, around, known, side, in_the_way, now)
        # None of them goes before the exchange takes cancels again, so what they leave free is closed beside them.
        beside = sum((order.exposed_qty for order in in_the_way if order.side is side), ZERO)
        against = [order for order in in_the_way if order.side is not side]
        apart = _out_of_reach(against, side, instrument)
        if beside >= qty or (against and apart is None):
            return _at_work(state, around, known, side, in_the_way, now)
        qty, held = qty - beside, _less(state, leg, beside)
    if side is Side.SELL and instrument.settles_t1:
        free = state.held(account, symbol).sellable(settles_t1=True)
        if not free:
            return "T+1", "bought today, it may be sold on the next trading day"
        qty = min(qty, free)
    first = ahead(state, leg)
    if first:
        if not is_alone(around, symbol, side):
            yield from _give_way(state, around, known, first, now)
        return "next", f"order {first[0].cl_ord_id} goes first, for the two could trade with each other"
    if rests:
        return "again", f"order {count} to close it has ended, the next one follows"
    ord_type, price = MARKET, None
    if apart is not None or not _takes_market_orders(state, around, instrument, state.accounts[account].broker, now):
        ord_type, price = LIMIT, most_aggressive(state, around, instrument, side, now, ticks=0 if count % 2 else _TICKS)
        if price is not None and apart is not None:
            price = max(price, apart) if side is Side.SELL else min(price, apart)
        if price is None:
            return "no_price", f"{symbol} takes limit orders alone, and no present price of it is known; check the feed"
    said: tuple[str, str] = ("lot", _below_a_lot(instrument, side))
    for effect, part in effects(side, qty, instrument, held):
        legal = instrument.floor_qty(part, side, ZERO if in_part else part)  # an odd remainder is sold with all of it
        for size in slices(legal, instrument, side, legal, limit=ord_type is LIMIT) if legal else ():
            want = SubmitOrder(
                account,
                symbol,
                side,
                Qty(size),
                f"halt:{known.number}",
                ord_type,
                price,
                position_effect=effect,
                reason=why(known),
            )
            denied = staging.why_not(state, around, want, now, halt=known.number)
            if denied is not None:
                return denied.rule, denied.text
            reply = yield from staging.stage(state, around, want, now, halt=known.number)
            said = "closing", f"order {reply.cl_ord_id} closes it"
    return said


def _out_of_reach(against: list[Order], side: Side, instrument: Instrument) -> Px | None:
    """The price from which on a closing order cannot trade with these, which are of the other side and ours; None where there
    is no such price.
    """
    prices = [order.price for order in against if order.price is not None and order.stop_px is None and not order.replaces]
    if not prices or len(prices) < len(against):
        return None
    return Px(max(prices) + instrument.tick if side is Side.SELL else min(prices) - instrument.tick)


def _less(state: State, leg: Leg, qty: Decimal) -> Held:
    """What is held besides what orders at work close of a leg."""
    held, part = leg.held, state.offers.of_part(leg.account, leg.symbol, leg.side, PositionEffect.CLOSE_TODAY)
    if leg.side is Side.SELL:
        today = None if held.today is None else Qty(max(held.today - part, ZERO))
        return msgspec.structs.replace(held, qty=Qty(held.qty - qty), today=today)
    today = None if held.short_today is None else Qty(max(held.short_today - part, ZERO))
    return msgspec.structs.replace(held, short=Qty(held.short - qty), short_today=today)


def take_back(state: State, around: Surroundings, known: Halt, orders: list[Order], now: UtcNs) -> Generator[Event, None, None]:
    """Closing orders may open what they were to close, since there is less of it now."""
    for order in orders:
        if not order.may_be_at_broker or is_forgotten(around, order, now):
            yield from staging.cancel(state, order.cl_ord_id, known.by, f"{why(known)}; there is less to close", now)


def opens(state: State, order: Order) -> bool:
    """Whether a closing order is for more than is held still: a late fill has closed it before."""
    held = state.held(order.account, order.symbol)
    return order.exposed_qty > (held.long_qty if order.side is Side.SELL else held.short_qty)


def _give_way(state: State, around: Surroundings, known: Halt, orders: list[Order], now: UtcNs) -> Generator[Event, None, None]:
    """Orders for which another leg waits, and that do not trade, are tried again after it."""
    if no_cancels_until(state, orders[0].symbol, now) is not None:
        return
    for order in orders:
        if is_to_give_way(state, around, order, now) and (not order.may_be_at_broker or is_forgotten(around, order, now)):
            yield from staging.cancel(state, order.cl_ord_id, known.by, f"{why(known)}; the other leg has its turn", now)


def _below_a_lot(instrument: Instrument, side: Side) -> str:
    does = "sells" if side is Side.SELL else "buys back"
    return (
        f"no legal order {does} so little: {instrument.symbol} trades in steps of {instrument.lot:f}, "
        f"at least {instrument.min_qty:f}; ask the broker"
    )


def _at_work(state: State, around: Surroundings, known: Halt, side: Side, working: list[Order], now: UtcNs) -> tuple[str, str]:
    own = next((order for order in working if order.side is side and is_its_own(state, order, known)), None)
    if own is None:
        until = no_cancels_until(state, working[0].symbol, now)
        then = "" if until is None else f", and the exchange takes no cancels until {moment(until)}"
        return "canceling", f"order {working[0].cl_ord_id} is to go first{then}"
    if is_alone(around, own.symbol, own.side) and not own.cum_qty:
        return "waits", f"order {own.cl_ord_id} closes it, and nobody is on the other side: the market may stand at its limit"
    return "closing", f"order {own.cl_ord_id} closes it ({own.ord_status.value})"


# --- at a limit


def _takes_market_orders(state: State, around: Surroundings, instrument: Instrument, broker: str, now: UtcNs) -> bool:
    largest, hours = instrument.max_qty_market, state.hours.get(instrument.session)
    is_taken = largest is None or step_down(largest, instrument.lot) >= instrument.min_qty
    if hours is not None and hours.limits_until(now) is not None:
        return False
    return is_taken and OrdType.MARKET in around.brokers[broker].ord_types


def most_aggressive(
    state: State, around: Surroundings, instrument: Instrument, side: Side, now: UtcNs, *, ticks: int = _TICKS
) -> Px | None:
    """The price at which a limit is surest to trade and still legal: the end of the day's band or of the cage, whichever comes
    first; where there is neither, some ticks beyond the best price of the other side. None where no present price is known.

    Limits of futures are changed by notice and in no table: who asks again after a refusal asks for no ticks.
    """
    quote = around.quotes.get(instrument.symbol)
    if quote is None or not market.is_current(around, quote, now):
        return None
    cage = bound_of_cage(state, around, instrument, side, now)
    band = None if quote.prev_close is None else market.band(around, instrument, quote.prev_close)
    ends = [] if cage is None else [cage[0]]
    if band is not None:
        ends.append(band[0] if side is Side.SELL else band[1])
    if ends:
        return Px(max(ends) if side is Side.SELL else min(ends))
    best = _to_trade_at(quote, side)
    if best is None:
        return None
    there = (quote.bid if side is Side.SELL else quote.ask) is not None
    beyond = ticks * instrument.tick if there else ZERO
    if side is Side.SELL:
        return Px(max(step_down(best - beyond, instrument.tick), instrument.tick))
    return Px(step_up(best + beyond, instrument.tick))


def _to_trade_at(quote: Quote, side: Side) -> Decimal | None:
    """The price that a limit must reach to trade next: the other side's best; where nobody is there, the best of its own."""
    other, own = (quote.bid, quote.ask) if side is Side.SELL else (quote.ask, quote.bid)
    if other is not None:
        return other
    seen = [px for px in (own, quote.last) if px is not None]
    if not seen:
        return None
    return min(seen) if side is Side.SELL else max(seen)


def _renew(state: State, around: Surroundings, known: Halt, working: list[Order], now: UtcNs) -> Generator[Event, None, None]:
    """Take out its limits that the market has left behind; the next look orders anew."""
    for order in working:
        if (
            order.halt != known.number
            or order.price is None
            or not order.may_be_at_broker
            or not is_forgotten(around, order, now)
        ):
            continue
        quote = around.quotes.get(order.symbol)
        if quote is None or not market.is_current(around, quote, now):
            continue
        best = _to_trade_at(quote, order.side)
        if best is not None and (order.price > best if order.side is Side.SELL else order.price < best):
            yield from staging.cancel(state, order.cl_ord_id, known.by, f"{why(known)}; the market has left it behind", now)


def is_forgotten(around: Surroundings, order: Order, now: UtcNs) -> bool:
    """Whether nobody waits for an answer to a cancel of this order, or will ask for one."""
    if order.cancel_requested_at is not None:
        return False
    wait = around.policy.ack_timeout_ns << min(order.cancel_asks, DOUBLINGS_MAX)
    return not order.cancel_asks or now - order.updated_at >= wait
