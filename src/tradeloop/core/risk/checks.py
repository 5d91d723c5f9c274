"""The checks an order passes, one function each: `(state, around, order, instrument, now) -> Denied | None`.

GATE asks whether anything may be sent now; it is asked again when a staged order is sent late. BOOKS asks whether this
order fits the market's rules and our books; what it allows is reserved in the same step, so that two orders never share one
yuan or one share.
"""
# size: the checks are asked in one order, and whoever asks why an order was refused reads them one after the other

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from tradeloop.core import market
from tradeloop.core.breaks import in_doubt
from tradeloop.core.events import OrderStaged
from tradeloop.core.hours import moment
from tradeloop.core.instrument import Instrument
from tradeloop.core.order import Order
from tradeloop.core.position import Position
from tradeloop.core.risk.cost import closes, closing_qty, unbounded
from tradeloop.core.risk.denied import Denied, asked_for, of_account, of_holding, of_symbol, present_px
from tradeloop.core.risk.live import account_listed, own_confirmed, run_confirmed
from tradeloop.core.risk.stopped import stopped
from tradeloop.core.risk.unmeasured import kept_back
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import (
    BUY,
    CLOSE_TODAY,
    CLOSE_YESTERDAY,
    DECIMAL_PLACES_MAX,
    LIMIT,
    OPEN,
    SECOND_NS,
    SELL,
    SIGNIFICANT_DIGITS_MAX,
    STOP,
    STOP_LIMIT,
    ZERO,
    OrdType,
    Px,
    Side,
    UtcNs,
    is_exact,
)
from tradeloop.core.types import MARKET as MARKET_ORDER

Check = Callable[[State, Surroundings, OrderStaged | Order, Instrument, UtcNs], Denied | None]


NOTHING: Final = ""
"""What there is now of something that only an order has, such as its type."""
NONE: Final = "0"
"""The same of a quantity."""


def broker_ready(
    state: State, around: Surroundings, order: OrderStaged | Order, instrument: Instrument, now: UtcNs
) -> Denied | None:
    """Nothing is sent before the broker's books of its account have been compared."""
    link = state.links.get(order.broker)
    if link is not None and order.account in link.compared:
        return None
    was = "never connected" if link is None else ("connected, books not compared yet" if link.connected else link.text)
    whose = f" for account {order.account}" if link is not None and link.compared else ""
    text = f"broker {order.broker} is not ready{whose} ({was}); wait or reconnect"
    return Denied("broker_ready", "READY", was, text, f"broker {order.broker}", asked_for(order))


def session_open(
    state: State, around: Surroundings, order: OrderStaged | Order, instrument: Instrument, now: UtcNs
) -> Denied | None:
    """The market is open (S1-41)."""
    hours = state.hours.get(instrument.session)
    if hours is not None and hours.is_open(now):
        return None
    day = "no trading day opened" if hours is None else f"trading day {hours.trading_day}"
    if hours is not None and not hours.windows:
        text = (
            f"the market of {order.symbol} is closed: nobody knows its hours of {hours.trading_day}, its calendar or its table "
            "of hours ended before; upgrade tradeloop, or put newer files into the folder of the setting markets.rules"
        )
        was = f"no hours of {hours.trading_day}"
        return Denied("session_open", "open", was, text, f"session {instrument.session}", asked_for(order))
    return Denied(
        "session_open",
        "open",
        f"closed, {day}",
        f"the market of {order.symbol} is closed ({day}); orders go in its trading hours only",
        f"session {instrument.session}",
        asked_for(order),
    )


def takes_market_orders(
    state: State, around: Surroundings, order: OrderStaged | Order, instrument: Instrument, now: UtcNs
) -> Denied | None:
    """At this hour the exchange takes orders without a price of their own. A stop that waits is asked when it has fired."""
    if order.ord_type is not MARKET_ORDER:
        return None
    hours = state.hours.get(instrument.session)
    until = None if hours is None or not hours.limits_only else hours.limits_until(now)
    if until is None:
        return None
    text = f"the exchange takes no market orders of {order.symbol} in its auction, until {moment(until)}; give a limit"
    was = f"auction until {moment(until)}"
    return Denied("limits_only", "LIMIT", was, text, f"session {instrument.session}", order.ord_type.value)


def not_stopped(
    state: State, around: Surroundings, order: OrderStaged | Order, instrument: Instrument, now: UtcNs
) -> Denied | None:
    """No halt in force stops it."""
    return stopped(state, order, instrument) if state.halts else None


def not_halted(
    state: State, around: Surroundings, order: OrderStaged | Order, instrument: Instrument, now: UtcNs
) -> Denied | None:
    """An instrument that overfilled takes no new orders until a person has looked."""
    why = state.halted.get(order.symbol)
    if why is None:
        return None
    text = f"{order.symbol} is halted here: {why}; release it after looking"
    return Denied("halted", "no halt", why, text, of_symbol(order), asked_for(order))


def not_quarantined(
    state: State, around: Surroundings, order: OrderStaged | Order, instrument: Instrument, now: UtcNs
) -> Denied | None:
    """While an order's fate is unknown its symbol takes no other in the same account."""
    unknown = state.unknown.get((order.account, order.symbol))
    if not unknown:
        return None
    other = min(unknown)
    return Denied(
        "fate_unknown",
        "0",
        str(len(unknown)),
        f"order {other} in {order.symbol} may or may not be at the broker; wait for proof or resolve it",
        of_holding(order),
        asked_for(order),
    )


def not_doubted(
    state: State, around: Surroundings, order: OrderStaged | Order, instrument: Instrument, now: UtcNs
) -> Denied | None:
    """While nobody knows whether a fill was told twice, its symbol takes no order in the account."""
    doubted = in_doubt(state, order.account, order.symbol) if state.breaks else None
    if doubted is None:
        return None
    text = f"whether fill {doubted} of {order.symbol} was told twice is not known; wait for a look or settle its break"
    return Denied("fill_twice", "no doubt", doubted, text, of_holding(order), asked_for(order))


def quote_fresh(
    state: State, around: Surroundings, order: OrderStaged | Order, instrument: Instrument, now: UtcNs
) -> Denied | None:
    """An order without a price of its own needs a market that was seen just now."""
    if order.ord_type is LIMIT or order.ord_type is STOP_LIMIT:
        return None
    quote = around.quotes.get(order.symbol)
    if quote is None:
        text = f"no quote of {order.symbol} has been seen; wait for its first quote or bar, or check the feed"
        return Denied("quote_fresh", "a quote", "none", text, of_symbol(order), order.ord_type.value)
    if quote.suspended:
        text = f"{order.symbol} is suspended; try when it trades again"
        return Denied("suspended", "trading", "suspended", text, of_symbol(order), asked_for(order))
    if market.is_current(around, quote, now):
        return None
    age = now - quote.at
    limit = around.policy.max_quote_age_ns
    if age < 0:
        return Denied(
            "quote_fresh",
            f"{limit // SECOND_NS} s",
            f"{age // SECOND_NS} s",
            f"the quote of {order.symbol} is stamped {-age // SECOND_NS} s ahead of our clock; check both clocks",
            of_symbol(order),
            order.ord_type.value,
        )
    return Denied(
        "quote_fresh",
        f"{limit // SECOND_NS} s",
        f"{age // SECOND_NS} s",
        f"the quote of {order.symbol} is {age // SECOND_NS} s old, at most {limit // SECOND_NS} s is allowed; "
        "check the feed or use a limit order",
        of_symbol(order),
        order.ord_type.value,
    )


def order_type_known(
    state: State, around: Surroundings, order: OrderStaged | Order, instrument: Instrument, now: UtcNs
) -> Denied | None:
    """The broker can work this order, or the engine can hold it until the broker can."""
    able = around.brokers[order.broker]
    wanted = working_type(order.ord_type, holds_stops=able.holds_stops)
    if wanted not in able.ord_types:
        return Denied(
            "order_type",
            ", ".join(sorted(each.value for each in able.ord_types)),
            NOTHING,
            f"{order.broker} takes no {wanted.value} orders",
            f"broker {order.broker}",
            wanted.value,
        )
    if order.tif not in able.tifs:
        return Denied(
            "time_in_force",
            ", ".join(sorted(each.value for each in able.tifs)),
            NOTHING,
            f"{order.broker} takes no {order.tif.value} orders",
            f"broker {order.broker}",
            order.tif.value,
        )
    return None


def effect_known(
    state: State, around: Surroundings, order: OrderStaged | Order, instrument: Instrument, now: UtcNs
) -> Denied | None:
    """An order says which day's part it closes only where a venue knows the difference: elsewhere it would walk round T+1. And
    a sell opens only what can be sold short: it would be promised a holding, and leave it in the books.
    """
    effect = order.position_effect
    if effect is OPEN and order.side is SELL and not instrument.can_be_short:
        return Denied(
            "position_effect",
            "AUTO or CLOSE",
            NOTHING,
            f"position_effect was {effect.value}; {order.symbol} cannot be sold short, use AUTO or CLOSE",
            of_symbol(order),
            effect.value,
        )
    if (effect is not CLOSE_TODAY and effect is not CLOSE_YESTERDAY) or instrument.closes_by_day:
        return None
    return Denied(
        "position_effect",
        "AUTO, OPEN or CLOSE",
        NOTHING,
        f"position_effect was {effect.value}; {order.symbol} is one holding, whose parts of today and of yesterday are "
        "not closed apart; use AUTO or CLOSE",
        of_symbol(order),
        effect.value,
    )


def legal_quantity(
    state: State, around: Surroundings, order: OrderStaged | Order, instrument: Instrument, now: UtcNs
) -> Denied | None:
    """Lots: the exchange takes multiples, and an odd remainder only whole (R20 to R23)."""
    qty = order.order_qty
    if not is_exact(qty):
        return Denied(
            "exact_qty",
            f"{SIGNIFICANT_DIGITS_MAX} significant digits",
            NONE,
            f"order_qty was {qty:f}, expected at most {SIGNIFICANT_DIGITS_MAX} significant digits and {DECIMAL_PLACES_MAX} "
            "decimal places; round down",
            of_symbol(order),
            f"{qty:f}",
        )
    return lots(order, instrument, closable_qty(state, order, instrument) if order.side is SELL else ZERO)


def lots(order: OrderStaged | Order, instrument: Instrument, held: Decimal) -> Denied | None:
    """The size of an order in the steps of its market, where a sell draws on `held`."""
    qty = order.order_qty
    if not instrument.is_tradable_qty(qty, order.side, held):
        return Denied(
            "lot",
            f"at least {instrument.min_qty:f}, steps of {instrument.lot:f}",
            f"{held:f}",
            f"order_qty was {qty:f}, the lot of {order.symbol} is {instrument.lot:f} (at least {instrument.min_qty:f}); "
            + ("round down" if qty > instrument.min_qty else f"order at least {instrument.min_qty:f}"),
            of_symbol(order),
            f"{qty:f}",
        )
    at_market = order.ord_type is MARKET_ORDER or order.ord_type is STOP  # what fires has to be one that the market takes
    limit = instrument.max_qty_market if at_market else instrument.max_qty_limit
    if limit is not None and qty > limit:
        if not limit and instrument.max_qty_limit != limit:
            becomes = ", which a stop without a limit becomes" if order.ord_type is STOP else ""
            text = f"{order.symbol} takes no market orders{becomes}; give a limit"
            return Denied("order_qty_max", f"{limit:f}", NONE, text, of_symbol(order), f"{qty:f}")
        return Denied(
            "order_qty_max",
            f"{limit:f}",
            NONE,
            f"one order of {order.symbol} may have at most {limit:f}; split it",
            of_symbol(order),
            f"{qty:f}",
        )
    return None


def legal_price(
    state: State, around: Surroundings, order: OrderStaged | Order, instrument: Instrument, now: UtcNs
) -> Denied | None:
    """Prices on the tick and inside the day's limits (R24, R25)."""
    if order.price is None and order.stop_px is None:
        return None  # the day's limits cost five divisions, and a market order has no price that they could bound
    quote = around.quotes.get(order.symbol)
    close = market.todays_close(state, instrument, quote)
    band = None if close is None else market.band(around, instrument, close)
    # A stop that has fired did so at a price the market made; what it becomes is judged by its own price alone.
    for price in (order.price, order.stop_px if isinstance(order, OrderStaged) else None):
        if price is None:
            continue
        if not instrument.on_tick(price):
            return Denied(
                "tick",
                f"{instrument.tick:f}",
                present_px(quote),
                f"price was {price:f}, the tick of {order.symbol} is {instrument.tick:f}",
                of_symbol(order),
                f"{price:f}",
            )
        if band is not None and not band[0] <= price <= band[1]:
            return Denied(
                "price_limit",
                f"{band[0]} to {band[1]}",
                present_px(quote),
                f"price was {price:f}, today's limits of {order.symbol} are {band[0]:f} to {band[1]:f}",
                of_symbol(order),
                f"{price:f}",
            )
    return None


def inside_cage(
    state: State, around: Surroundings, order: OrderStaged | Order, instrument: Instrument, now: UtcNs
) -> Denied | None:
    """In continuous trading a limit lies no further beyond the market than its cage allows (R26): a buy above the lowest offer,
    a sell below the highest bid. Where no market is seen, the exchange says so itself.
    """
    price = order.price
    if price is None or instrument.cage is None or (order.stop_px is not None and isinstance(order, OrderStaged)):
        return None
    found = bound_of_cage(state, around, instrument, order.side, now)
    if found is None:
        return None
    buying, (bound, reference) = order.side is BUY, found
    if price <= bound if buying else price >= bound:
        return None
    most, which = ("most", "offer") if buying else ("least", "bid")
    return Denied(
        "price_cage",
        f"at {most} {bound:f}",
        f"{reference:f}",
        f"price was {price:f}; {order.side.value} orders of {order.symbol} may be at {most} {bound:f} now, by the best {which} "
        f"or the last price ({reference:f}); move the price",
        of_symbol(order),
        f"{price:f}",
    )


def bound_of_cage(
    state: State, around: Surroundings, instrument: Instrument, side: Side, now: UtcNs
) -> tuple[Px, Decimal] | None:
    """The highest price of a buy, or the lowest of a sell, that the cage allows now, and the price it goes by; None where there
    is no cage at this hour, or no market is seen.
    """
    hours = state.hours.get(instrument.session)
    quote = around.quotes.get(instrument.symbol)
    if instrument.cage is None or hours is None or not hours.is_continuous(now):
        return None
    if quote is None or not market.is_current(around, quote, now):
        return None
    first, second = (quote.ask, quote.bid) if side is BUY else (quote.bid, quote.ask)
    reference = next((px for px in (first, second, quote.last, quote.prev_close) if px is not None), None)
    bound = None if reference is None else instrument.bound_of_cage(side, reference)
    return None if bound is None or reference is None else (bound, reference)


def closable(
    state: State, around: Surroundings, order: OrderStaged | Order, instrument: Instrument, now: UtcNs
) -> Denied | None:
    """A sell draws on what is held, settled (T+1) and not promised to another order (R27)."""
    if not closes(order.side, order.position_effect, instrument):
        return None
    available = closable_qty(state, order, instrument)
    if order.order_qty <= available:
        return None
    promised = promised_qty(state, order, instrument)
    return Denied(
        "sellable",
        f"{available + promised:f}",
        f"{promised:f}",
        f"{order.side.value} of {order.order_qty:f} {order.symbol}, only {available:f} may be closed now "
        "(held, settled and not in another order)",
        of_holding(order),
        f"{order.order_qty:f}",
    )


def settled(
    state: State, around: Surroundings, order: OrderStaged | Order, instrument: Instrument, now: UtcNs
) -> Denied | None:
    """T+1 holds for what may be sold short as well: no sell takes what was bought today, as a close without a cost.
    Who wants to be short beside it says OPEN, which costs what a short sale does.
    """
    if not instrument.settles_t1 or order.side is not SELL or order.position_effect is OPEN:
        return None
    position = state.held(order.account, order.symbol)
    if not position.long_today or closes(order.side, order.position_effect, instrument):
        return None  # `closable` and `still_held` have said what may be closed
    own = state.orders.open.get(order.cl_ord_id)
    filled = ZERO if own is None else own.cum_qty
    others = closing_qty(state, order.account, order.symbol, SELL, None if own is None else own.cl_ord_id)
    left = max(position.long_yesterday - others, ZERO)
    if order.order_qty - filled <= left:
        return None
    return Denied(
        "sellable",
        f"{left + others:f}",
        f"{others:f}",
        f"SELL of {order.order_qty - filled:f} {order.symbol} would take what was bought today, which may be sold from the "
        f"next trading day on; {left:f} may be sold now, and a short sale beside it is asked for with OPEN",
        of_holding(order),
        f"{order.order_qty - filled:f}",
    )


def bounded(
    state: State, around: Surroundings, order: OrderStaged | Order, instrument: Instrument, now: UtcNs
) -> Denied | None:
    """What an order may cost has a bound, and one that the books can hold: without a price it has none."""
    reserve = order.reserve if isinstance(order, OrderStaged) else order.reserved
    if reserve and (order.side is BUY or order.price is None):
        return None
    return unbounded(state, around, order, instrument)


def cash_free(
    state: State, around: Surroundings, order: OrderStaged | Order, instrument: Instrument, now: UtcNs
) -> Denied | None:
    """Free cash covers the worst cost of the order, fees included; everything that may still trade counts as spent (R7)."""
    if not isinstance(order, OrderStaged) or not order.reserve:
        return None
    book = state.accounts[order.account].cash.get(instrument.currency)
    free, reserved = (book.free, book.reserved) if book is not None else (ZERO, ZERO)
    if order.reserve <= free:
        return None
    return Denied(
        "cash",
        f"{free + reserved:f}",
        f"{reserved:f}",
        f"{order.side.value} {order.order_qty:f} {order.symbol} may cost {_short(order.reserve)} {instrument.currency}, "
        f"free cash is {_short(free)}; reduce the order or add funds",
        of_account(order),
        f"{order.reserve:f}",
    )


def equity_known(
    state: State, around: Surroundings, order: OrderStaged | Order, instrument: Instrument, now: UtcNs
) -> Denied | None:
    """No limit on the losses of its account has been without its measure for too long."""
    return kept_back(state, order, instrument) if state.limits.tripped else None


def _short(number: Decimal) -> str:
    """Every digit that says something: no idle zeros, no exponent."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


MARKET: Final[tuple[Check, ...]] = (legal_quantity, legal_price, inside_cage)
"""What of BOOKS is asked of the present day again when a staged order leaves late."""

GATE: Final[tuple[Check, ...]] = (
    not_stopped,
    account_listed,
    run_confirmed,
    own_confirmed,
    equity_known,
    broker_ready,
    session_open,
    takes_market_orders,
    not_halted,
    not_quarantined,
    not_doubted,
    quote_fresh,
)
BOOKS: Final[tuple[Check, ...]] = (
    order_type_known,
    legal_quantity,
    legal_price,
    inside_cage,
    closable,
    settled,
    effect_known,
    bounded,
    cash_free,
)


def working_type(ord_type: OrdType, *, holds_stops: bool) -> OrdType:
    """The type the broker sees: a stop that the engine holds reaches the market as what it becomes."""
    if holds_stops:
        return ord_type
    if ord_type is STOP:
        return OrdType.MARKET
    return LIMIT if ord_type is STOP_LIMIT else ord_type


def still_held(state: State, order: Order, instrument: Instrument) -> Denied | None:
    """Whether what a staged order is to close is still there: somebody may have sold it elsewhere since."""
    if not closes(order.side, order.position_effect, instrument):
        return None
    position = state.held(order.account, order.symbol)
    held: Decimal = position.long_qty if order.side is SELL else position.short_qty
    frozen = position.long_frozen if order.side is SELL else position.short_frozen
    if instrument.settles_t1 and order.side is SELL:
        held -= position.long_today
    left = max(held - (frozen - order.frozen), ZERO)
    if order.leaves_qty <= left:
        return None
    text = f"{order.side.value} of {order.leaves_qty:f} {order.symbol} is to close what is not held any more: {left:f} is left"
    others = frozen - order.frozen
    return Denied("sellable", f"{left + others:f}", f"{others:f}", text, of_holding(order), f"{order.leaves_qty:f}")


def closable_qty(state: State, order: OrderStaged | Order, instrument: Instrument) -> Decimal:
    """What an order may close now: held, settled where T+1 asks for it, and not promised to another order."""
    position: Position = state.held(order.account, order.symbol)
    effect = order.position_effect
    if isinstance(order, Order):
        return order.leaves_qty  # promised to it when it was staged
    if order.side is SELL:
        held, frozen = position.long_qty, position.long_frozen
        today, yesterday = position.long_today, position.long_yesterday
    else:
        held, frozen = position.short_qty, position.short_frozen
        today, yesterday = position.short_today, position.short_yesterday
    if effect is CLOSE_TODAY and instrument.closes_by_day:
        if instrument.settles_t1 and order.side is SELL:
            return ZERO
        return max(min(today - _promised(state, order), held - frozen), ZERO)
    if effect is CLOSE_YESTERDAY and instrument.closes_by_day:
        return max(min(yesterday - _promised(state, order), held - frozen), ZERO)
    if order.side is SELL:
        return position.sellable(settles_t1=instrument.settles_t1)
    return max(held - frozen, ZERO)


def promised_qty(state: State, order: OrderStaged | Order, instrument: Instrument) -> Decimal:
    """What other orders were promised already of that which an order would close."""
    if order.position_effect in (CLOSE_TODAY, CLOSE_YESTERDAY) and instrument.closes_by_day:
        return _promised(state, order)
    position: Position = state.held(order.account, order.symbol)
    return position.long_frozen if order.side is SELL else position.short_frozen


def _promised(state: State, order: OrderStaged | Order) -> Decimal:
    """What working orders of the same side will close of the same part, today's or yesterday's."""
    return state.offers.of_part(order.account, order.symbol, order.side, order.position_effect)
