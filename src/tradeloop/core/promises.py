"""What an order promises of cash and of a position, and how fills, reversals and its end change that: told once.

Used by the fold of the state (core/booking.py) and by that of the read models (views/orders.py), which keep the figures in
different places and must never disagree about them.
"""

from __future__ import annotations

from decimal import Decimal

from tradeloop.core.cash import used_by
from tradeloop.core.instrument import FUTURE, Instrument
from tradeloop.core.order import Order
from tradeloop.core.position import Position, closed_by
from tradeloop.core.risk.cost import closes, costs_nothing
from tradeloop.core.types import AUTO, BUY, SELL, ZERO, Amount, PositionEffect, Qty, Side


def drawn_qty(position: Position, side: Side, qty: Qty, effect: PositionEffect) -> Decimal:
    """How much of a fill draws on what its order reserved, asked before it is booked: only what opens. What closes cost
    nothing, so what was promised to the rest must not go with it.
    """
    return qty - closed_by(position, side, qty, effect)


def released_by_fill(order: Order, instrument: Instrument, value: Decimal, fee: Decimal) -> Decimal:
    """What of its reserve an order gives back with a fill it has just taken: what the fill used, and all of it once done.
    `value` is that of the quantity that draws on the reserve (`drawn_qty`).
    """
    if order.is_done:
        return order.reserved
    used = used_by(instrument, order.side, Amount(value), Amount(fee))
    if used < order.reserved:
        return used
    return order.reserved


def reserved_by_reversal(order: Order, instrument: Instrument, value: Decimal, fee: Decimal) -> Decimal:
    """What an order reserves again when a fill of it has just been taken back. An external market order never reserved any, nor
    does one that only closes. What is needed again for a sale, or for a buy that may cover what is held short, depends on
    what is held by then (core/short_promise.py).
    """
    if order.is_done or (order.external and order.price is None):
        return ZERO
    if costs_nothing(order.side, order.position_effect, instrument):
        return ZERO
    if order.side is SELL and instrument.asset_class is not FUTURE:
        return ZERO
    if order.position_effect is AUTO and instrument.can_be_short and not order.external:
        return ZERO
    return used_by(instrument, order.side, Amount(value), Amount(fee))


def frozen_anew(order: Order, instrument: Instrument | None) -> Decimal:
    """By how much the shares promised to an order change, so that they are what it may still close. What it was promised
    before is released whatever the instrument's rules say by now.
    """
    if order.side is BUY and order.position_effect is AUTO:
        return ZERO
    change = order.exposed_qty - order.frozen
    if change > ZERO and (instrument is None or not closes(order.side, order.position_effect, instrument)):
        return ZERO
    return change


def effect_of_reversal(effect: PositionEffect) -> PositionEffect:
    """What the opposite trade does to the position when a fill of this effect is taken back."""
    match effect:
        case PositionEffect.OPEN:
            return PositionEffect.CLOSE
        case PositionEffect.AUTO:
            return PositionEffect.AUTO
        case PositionEffect.CLOSE | PositionEffect.CLOSE_TODAY | PositionEffect.CLOSE_YESTERDAY:
            return PositionEffect.OPEN
