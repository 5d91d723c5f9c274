"""What an order may cost at worst: the cash it is reserved for until it closes, and why that could not be said."""

from __future__ import annotations

from decimal import ROUND_UP, Decimal

from tradeloop.core.cash import own_rate
from tradeloop.core.commands import SubmitOrder
from tradeloop.core.events import OrderStaged
from tradeloop.core.instrument import FUTURE, WIDE, Instrument
from tradeloop.core.order import Order
from tradeloop.core.reports import Quote
from tradeloop.core.risk.denied import Denied, of_symbol
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import (
    AUTO,
    BUY,
    LIMIT,
    ONE,
    OPEN,
    SELL,
    STOP_LIMIT,
    VALUE_DIGITS_MAX,
    ZERO,
    AccountID,
    Amount,
    ClOrdID,
    OrdType,
    PositionEffect,
    Px,
    Qty,
    Side,
    Symbol,
)


def worst_cost(
    state: State,
    around: Surroundings,
    want: SubmitOrder | Order,
    instrument: Instrument,
    quote: Quote | None,
    rest_of: Order | None = None,
    closed_before: Decimal | None = None,
) -> Amount:
    """Cash an order may cost at worst, fees included, rounded up; what it is reserved for until it closes. Where it is the
    `rest_of` one that has filled in part, its fee is what that order's fee may still grow by: a minimum is paid once.
    `closed_before`: what others may close before it, where that is not all that works on its side.

    A market order is bounded by the offer plus the policy's buffer, and by the day's upper limit. Zero where nothing can be
    said; `unbounded` then says why not. Zero as well for what only closes: a sell pays its fee out of its proceeds, the cover
    of a short and the close of a future out of what was held for them; an account without free cash can always reduce.
    """
    if costs_nothing(want.side, want.position_effect, instrument):
        return Amount(ZERO)
    opening = _opening(state, want, closed_before)
    if not opening and instrument.asset_class is not FUTURE:
        return Amount(ZERO)
    px = bound_px(around, want.side, want.ord_type, want.price, want.stop_px, instrument, quote)
    if px is None and instrument.asset_class is FUTURE:
        px = want.price  # the least that a sell gets: what it may be worth nobody knows, and `unbounded` says so
    if px is None or px <= ZERO:
        return Amount(ZERO)
    value = instrument.notional(px, want.order_qty)
    if value.adjusted() >= VALUE_DIGITS_MAX:
        return Amount(ZERO)
    if rest_of is None:
        cost = instrument.fees.fee(want.side, want.order_qty, value)
    else:
        cost = _growth(rest_of, instrument, want, value)
    if opening is not want.order_qty:
        value = instrument.notional(px, opening)
    if instrument.asset_class is FUTURE or want.side is SELL:
        value = Amount(value * own_rate(instrument, want.side))
    return Amount((cost + value).quantize(instrument.fees.quantum, ROUND_UP, WIDE))


def _growth(order: Order, instrument: Instrument, rest: SubmitOrder | Order, value: Decimal) -> Amount:
    """What the fee of an order may grow by with the rest of it. What was charged for the part that filled counts as far as it
    is what the schedule says: a broker may charge it later.
    """
    traded = order.cum_value * instrument.multiplier
    charged = min(order.fees, instrument.fees.fee(order.side, order.cum_qty, traded))
    return Amount(max(instrument.fees.fee(order.side, order.cum_qty + rest.order_qty, traded + value) - charged, ZERO))


def unbounded(
    state: State,
    around: Surroundings,
    order: OrderStaged | Order,
    instrument: Instrument,
    closed_before: Decimal | None = None,
) -> Denied | None:
    """Why no worst cost can be named for an order that may cost something; None where it costs nothing, or can. `closed_before`
    as in `worst_cost`.
    """
    quote = around.quotes.get(order.symbol)
    px = bound_px(around, order.side, order.ord_type, order.price, order.stop_px, instrument, quote)
    if px is None or px <= ZERO:
        if closes(order.side, order.position_effect, instrument):
            return None
        if not _opening(state, order, closed_before) and (instrument.asset_class is not FUTURE or order.price is not None):
            return None
        was = "none" if px is None else f"{px:f}"
        return Denied(
            "no_price",
            "more than 0",
            was,
            f"the market of {order.symbol} shows no price that could bound the cost of this order (it was {was}); wait for "
            + ("a quote" if order.side is SELL else "an offer or give a limit"),
            of_symbol(order),
            order.ord_type.value,
        )
    value = instrument.notional(px, order.order_qty)
    if value.adjusted() < VALUE_DIGITS_MAX:
        return None
    return Denied(
        "order_value",
        f"1E+{VALUE_DIGITS_MAX}",
        "0",
        f"{order.order_qty:.14g} {order.symbol} at {px:.14g} was worth {value:.2E} {instrument.currency}; "
        f"expected less than 1E+{VALUE_DIGITS_MAX}, check quantity and price",
        of_symbol(order),
        f"{value:.2E}",
    )


def bound_px(
    around: Surroundings,
    side: Side,
    ord_type: OrdType,
    price: Px | None,
    stop_px: Px | None,
    instrument: Instrument,
    quote: Quote | None,
) -> Decimal | None:
    """The highest price an order is expected to trade at; None when nothing is known.

    A buy pays its limit at most. For a sell the limit is the least: it trades at what the market offers where that is more, and
    where no market is seen, a limit alone bounds nothing. A sell that waits for its stop price does not trade above that.
    """
    limited = ord_type is LIMIT or ord_type is STOP_LIMIT
    if limited and side is BUY:
        return price
    seen = None if quote is None else (quote.ask if quote.ask is not None else quote.mid_or_last)
    if limited and seen is None and (stop_px is None or _short_sale(side, instrument)):
        return None
    if stop_px is not None:
        seen = stop_px if seen is None else max(seen, stop_px)
    if limited:
        assert price is not None
        assert seen is not None
        return max(price, seen)
    if seen is None:
        return None
    bound = seen * (ONE + around.policy.market_buffer)
    highest = instrument.limit_up(quote.prev_close) if quote is not None and quote.prev_close is not None else None
    return bound if highest is None or bound <= highest else highest


def costs_nothing(side: Side, effect: PositionEffect, instrument: Instrument) -> bool:
    """Whether an order needs no cash of its own, whatever else works: a sell of what is paid for, and the close of a future."""
    if instrument.asset_class is FUTURE:
        return closes(side, effect, instrument)
    return side is SELL and not instrument.shortable


def closes(side: Side, effect: PositionEffect, instrument: Instrument) -> bool:
    """Whether an order may only close: every sell of something that cannot be sold short, and what says so itself."""
    if effect is OPEN:
        return side is SELL and not instrument.shortable
    if effect is not AUTO:
        return True
    return side is SELL and instrument.asset_class is not FUTURE and not instrument.shortable


def opening_qty(
    state: State,
    account: AccountID,
    symbol: Symbol,
    side: Side,
    qty: Qty,
    effect: PositionEffect,
    own: ClOrdID | None = None,
    closed_before: Decimal | None = None,
) -> Qty:
    """What of `qty` may open: all that is left once the opposite leg is closed, as far as other working orders of the same side
    may not close it already: two orders never count on the same holding. `closed_before`: what of it others close first, where
    that is not all that works.
    """
    if effect is OPEN:
        return qty
    leg = closed_by(state, account, symbol, side)
    if not leg:
        return qty
    if closed_before is None:
        closed_before = closing_qty(state, account, symbol, side, own)
    return Qty(max(qty - max(leg - closed_before, ZERO), ZERO))


def closed_by(state: State, account: AccountID, symbol: Symbol, side: Side) -> Qty:
    """What is held that orders of a side close."""
    held = state.held(account, symbol)
    return held.short_qty if side is BUY else held.long_qty


def closing_qty(state: State, account: AccountID, symbol: Symbol, side: Side, own: ClOrdID | None) -> Decimal:
    """What the working orders of a side that do not say OPEN may still close together, `own` left out."""
    promised = state.offers.of(account, symbol, side, own)
    if side is BUY and not state.instruments[symbol].can_be_short:
        # A short leg that the broker showed, of what cannot be sold short: plain buys are not counted.
        working = (state.orders.open[one] for one in state.working.get((account, symbol), {}) if one != own)
        promised += sum((o.exposed_qty for o in working if o.side is BUY and o.position_effect is AUTO), ZERO)
    return promised


def _opening(state: State, want: SubmitOrder | OrderStaged | Order, closed_before: Decimal | None = None) -> Qty:
    own = want.cl_ord_id if isinstance(want, Order) else None
    effect = want.position_effect
    return opening_qty(state, want.account, want.symbol, want.side, want.order_qty, effect, own, closed_before)


def _short_sale(side: Side, instrument: Instrument) -> bool:
    return side is SELL and instrument.asset_class is not FUTURE
