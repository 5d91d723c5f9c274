"""What the paper broker checks before it takes an order, in the order a broker would.

`refusal` answers None or the code and the figures of the case; on None it has set what the order will close and hold.
"""

from __future__ import annotations

from decimal import Decimal

from tradeloop.brokers.paper.books import Books
from tradeloop.brokers.paper.ledger import closable, needed
from tradeloop.brokers.paper.market import Market
from tradeloop.brokers.paper.records import PaperOrder
from tradeloop.brokers.paper.words import MEANING, Code
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.types import ZERO, OrdType, PositionEffect, Side, UtcNs

CL_ORD_ID_MAX = 36
CL_ORD_ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-"
_ALPHABET = frozenset(CL_ORD_ID_ALPHABET)


def is_legal_id(cl_ord_id: str) -> bool:
    """Whether the client id fits the declared alphabet and length."""
    return 0 < len(cl_ord_id) <= CL_ORD_ID_MAX and _ALPHABET.issuperset(cl_ord_id)


def refusal(order: PaperOrder, market: Market, books: Books, now: UtcNs) -> tuple[Code, str] | None:
    """Why the order cannot be taken, or None. Sets `ref_px`, `close_leaves` and `reserved` of an order that can."""
    instrument = market.instrument
    day = books.day_of(instrument)
    if day is None or not day.is_open(now):
        hours = "never opened" if day is None else f"trading day {day.trading_day}"
        return no(Code.MARKET_CLOSED, f"session {instrument.session or 'always open'}, {hours}")
    if market.quote is not None and market.quote.suspended:
        return no(Code.SUSPENDED, order.symbol)
    return bad_price(order, market) or _bad_qty(order, market, books) or _cannot_pay(order, market, books)


def bad_price(order: PaperOrder, market: Market) -> tuple[Code, str] | None:
    """Why the price cannot be taken, or None. Sets `ref_px` of one that can."""
    if order.ord_type is OrdType.MARKET:
        reference = market.reference(order.side)
        if reference is None and not (order.side is Side.SELL and _is_paid_for(market.instrument)):
            return no(Code.NO_QUOTE, order.symbol)
        order.ref_px = ZERO if reference is None else reference
        return None
    if order.ord_type is not OrdType.LIMIT:
        return no(Code.UNSUPPORTED_ORD_TYPE, f"the type was {order.ord_type.value}")
    if order.price is None:
        return no(Code.PRICE_REQUIRED, order.symbol)
    if not market.instrument.on_tick(order.price):
        return no(Code.PRICE_OFF_TICK, f"the price was {order.price:f}, the tick is {market.instrument.tick:f}")
    band = market.band()
    if band is not None and not band[0] <= order.price <= band[1]:
        return no(Code.PRICE_OUTSIDE_LIMITS, f"the price was {order.price:f}, limits are {band[0]:f} to {band[1]:f}")
    order.ref_px = order.price
    return None


def _bad_qty(order: PaperOrder, market: Market, books: Books) -> tuple[Code, str] | None:
    instrument, qty = market.instrument, order.order_qty
    position = books.positions.get(order.symbol)
    free = held = ZERO
    if position is not None:
        frozen = market.frozen(order.side)
        free = closable(position, instrument, order.side, PositionEffect.AUTO) - frozen
        held = (position.long_qty if order.side is Side.SELL else position.short_qty) - frozen
        if order.position_effect is not PositionEffect.AUTO:
            free = min(free, _free_for_effect(order, market, books))
    if not instrument.is_tradable_qty(qty, order.side, free):
        return no(
            Code.ILLEGAL_QTY,
            f"the quantity was {qty:f}, the minimum is {instrument.min_qty:f} and the lot {instrument.lot:f}",
        )
    most = instrument.max_qty_market if order.ord_type is OrdType.MARKET else instrument.max_qty_limit
    if most is not None and qty > most:
        return no(Code.QTY_ABOVE_MAXIMUM, f"the quantity was {qty:f}, the most is {most:f}")
    order.close_leaves = max(ZERO, min(qty, free))
    if order.close_leaves == qty:
        return None
    if may_open(order, instrument):
        return None
    bought_today = instrument.settles_t1 and qty <= held and order.position_effect is not PositionEffect.OPEN
    code = Code.NOT_SELLABLE_T1 if bought_today else Code.INSUFFICIENT_POSITION
    return no(code, f"the quantity was {qty:f}, free to close are {max(free, ZERO):f} of {max(held, ZERO):f}")


def may_open(order: PaperOrder, instrument: Instrument) -> bool:
    """Whether what the order does not close may open a position."""
    return order.position_effect in {PositionEffect.AUTO, PositionEffect.OPEN} and (
        order.side is Side.BUY or instrument.shortable or instrument.asset_class is AssetClass.FUTURE
    )


def _free_for_effect(order: PaperOrder, market: Market, books: Books) -> Decimal:
    closing = closable(books.position(order.symbol), market.instrument, order.side, order.position_effect)
    for other in books.working():
        if other.symbol == order.symbol and other.side is order.side and other.position_effect is order.position_effect:
            closing -= other.close_leaves
    return closing


def _cannot_pay(order: PaperOrder, market: Market, books: Books) -> tuple[Code, str] | None:
    order.reserved = needed(order, market.instrument)
    if not order.reserved:
        return None
    available = books.cash_of(market.instrument.currency).available
    if order.reserved > available:
        was = order.reserved
        order.reserved = ZERO
        return no(Code.INSUFFICIENT_CASH, f"the order needs {was:f} {market.instrument.currency}, available are {available:f}")
    return None


def _is_paid_for(instrument: Instrument) -> bool:
    return instrument.asset_class is not AssetClass.FUTURE and not instrument.shortable


def no(code: Code, figures: str) -> tuple[Code, str]:
    """A refusal: the code, and its sentence with the figures of the case."""
    return code, f"{MEANING[code]}: {figures}"
