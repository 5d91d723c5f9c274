"""What an order may cost at worst: the cash it is reserved for until it closes, and why that could not be said."""

from __future__ import annotations

from decimal import ROUND_UP, Decimal

from tradeloop.core.commands import SubmitOrder
from tradeloop.core.events import OrderStaged
from tradeloop.core.instrument import FUTURE, Instrument
from tradeloop.core.order import Order
from tradeloop.core.reports import Quote
from tradeloop.core.risk.denied import Denied
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
    Amount,
    OrdType,
    PositionEffect,
    Px,
    Qty,
    Side,
)


def worst_cost(
    state: State, around: Surroundings, want: SubmitOrder | Order, instrument: Instrument, quote: Quote | None
) -> Amount:
    """Cash an order may cost at worst, fees included, rounded up; what it is reserved for until it closes.

    A market order is bounded by the offer plus the policy's buffer, and by the day's upper limit. Zero where nothing can be
    said; `unbounded` then says why not. Zero as well for what only closes: a sell pays its fee out of its proceeds, and the
    close of a future, long or short, out of the margin it frees; an account without free cash can always reduce.
    """
    buying = want.side is BUY
    future = instrument.asset_class is FUTURE
    if costs_nothing(want.side, want.position_effect, instrument):
        return Amount(ZERO)
    px = bound_px(around, want.ord_type, want.price, want.stop_px, instrument, quote)
    if px is None or px <= ZERO:
        return Amount(ZERO)
    value = instrument.notional(px, want.order_qty)
    if value.adjusted() >= VALUE_DIGITS_MAX:
        return Amount(ZERO)
    cost = instrument.fees.fee(want.side, want.order_qty, value)
    if future:
        held = state.held(want.account, want.symbol)
        opening = want.order_qty
        if want.position_effect is AUTO:
            closable = (held.short_qty if buying else held.long_qty) - _closing(state, want)
            opening = Qty(max(want.order_qty - max(closable, ZERO), ZERO))
        cost = Amount(cost + instrument.notional(px, opening) * (instrument.margin_rate or ONE))
    else:
        cost = Amount(cost + value)
    return Amount(cost.quantize(instrument.fees.quantum, ROUND_UP))


def unbounded(around: Surroundings, order: OrderStaged | Order, instrument: Instrument) -> Denied | None:
    """Why no worst cost can be named for an order that may cost something; None where it costs nothing, or can."""
    px = bound_px(around, order.ord_type, order.price, order.stop_px, instrument, around.quotes.get(order.symbol))
    future = instrument.asset_class is FUTURE
    spends = (order.side is BUY or future) and not closes(order.side, order.position_effect, instrument)
    if px is None or px <= ZERO:
        if not spends:
            return None
        was = "none" if px is None else f"{px:f}"
        return Denied(
            "no_price",
            "more than 0",
            was,
            f"the market of {order.symbol} shows no price that could bound the cost of this order (it was {was}); "
            "wait for an offer or give a limit",
        )
    value = instrument.notional(px, order.order_qty)
    if value.adjusted() < VALUE_DIGITS_MAX:
        return None
    return Denied(
        "order_value",
        f"1E+{VALUE_DIGITS_MAX}",
        f"{value:.2E}",
        f"{order.order_qty:.14g} {order.symbol} at {px:.14g} was worth {value:.2E} {instrument.currency}; "
        f"expected less than 1E+{VALUE_DIGITS_MAX}, check quantity and price",
    )


def bound_px(
    around: Surroundings, ord_type: OrdType, price: Px | None, stop_px: Px | None, instrument: Instrument, quote: Quote | None
) -> Decimal | None:
    """The highest price an order is expected to pay; None when nothing is known."""
    if ord_type is LIMIT or ord_type is STOP_LIMIT:
        return price
    seen = None if quote is None else (quote.ask if quote.ask is not None else quote.mid_or_last)
    if stop_px is not None:
        seen = stop_px if seen is None else max(seen, stop_px)
    if seen is None:
        return None
    bound = seen * (ONE + around.policy.market_buffer)
    highest = instrument.limit_up(quote.prev_close) if quote is not None and quote.prev_close is not None else None
    return bound if highest is None or bound <= highest else highest


def costs_nothing(side: Side, effect: PositionEffect, instrument: Instrument) -> bool:
    """Whether an order needs no cash of its own: a sell of what is paid for, and the close of a future."""
    if instrument.asset_class is FUTURE:
        return closes(side, effect, instrument)
    return side is not BUY


def closes(side: Side, effect: PositionEffect, instrument: Instrument) -> bool:
    """Whether an order may only close: every sell of something that cannot be sold short, and what says so itself."""
    if effect is OPEN:
        return side is SELL and not instrument.shortable
    if effect is not AUTO:
        return True
    return side is SELL and instrument.asset_class is not FUTURE and not instrument.shortable


def _closing(state: State, want: SubmitOrder | Order) -> Decimal:
    """What other working orders of the same side may close: two orders never count on the same contracts."""
    own = want.cl_ord_id if isinstance(want, Order) else None
    working = state.working.get((want.account, want.symbol), {})
    others = (state.orders.open[cl_ord_id] for cl_ord_id in working if cl_ord_id != own)
    return sum((o.exposed_qty for o in others if o.side is want.side and o.position_effect is not OPEN), ZERO)
