"""What a fill does to the paper broker's positions and cash.

It is the broker's own arithmetic, so that ours has something to be held against. Yesterday's part of a holding is closed first,
except by CLOSE_TODAY. What a close cannot find opens the other side: a fill is a fact. Stocks, funds and coins move the full
amount; futures move realised profit and hold margin at entry price. There is no daily mark to market.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from tradeloop.brokers.paper.records import PaperCash, PaperOrder, PaperPosition
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.types import ZERO, PositionEffect, Side

_PLACES: Final = Decimal("0.000000000001")
_WHOLE: Final = Decimal(1)


def closable(pos: PaperPosition, instrument: Instrument, side: Side, effect: PositionEffect) -> Decimal:
    """What of the opposite holding an order of this effect may close today, other orders aside."""
    if side is Side.SELL:
        today, yesterday = pos.long_today, pos.long_yesterday
        if instrument.settles_t1:
            today = ZERO
    else:
        today, yesterday = pos.short_today, pos.short_yesterday
    match effect:
        case PositionEffect.OPEN:
            return ZERO
        case PositionEffect.CLOSE_TODAY:
            return today
        case PositionEffect.CLOSE_YESTERDAY:
            return yesterday
        case PositionEffect.CLOSE:
            return yesterday if instrument.closes_today_apart else today + yesterday
        case PositionEffect.AUTO:
            return today + yesterday


def book(
    pos: PaperPosition,
    cash: PaperCash,
    instrument: Instrument,
    side: Side,
    effect: PositionEffect,
    qty: Decimal,
    px: Decimal,
    *,
    settled: bool = False,
) -> Decimal:
    """Apply `qty` at `px` to the position and the cash, fees aside; returns how much of it closed what was opened
    today.

    `settled` books an opening as yesterday's: what comes back when a sale is taken back was settled when it was sold.
    """
    selling = side is Side.SELL
    today, yesterday, cost = (
        (pos.long_today, pos.long_yesterday, pos.long_cost)
        if selling
        else (pos.short_today, pos.short_yesterday, pos.short_cost)
    )
    held = today + yesterday
    closing = ZERO if effect is PositionEffect.OPEN else min(qty, held)
    from_today = ZERO
    notional: Decimal = instrument.notional(px, qty)
    realized = ZERO
    opened: Decimal = notional
    if closing:
        if effect is PositionEffect.CLOSE_TODAY:
            from_today = min(closing, today)
        else:
            from_today = max(ZERO, closing - yesterday)
        cost_out = cost if closing == held else (cost * closing / held).quantize(_PLACES)
        closed = notional if closing == qty else instrument.notional(px, closing)
        opened = notional - closed
        realized = closed - cost_out if selling else cost_out - closed
        today -= from_today
        yesterday -= closing - from_today
        if selling:
            pos.long_today, pos.long_yesterday, pos.long_cost = today, yesterday, cost - cost_out
        else:
            pos.short_today, pos.short_yesterday, pos.short_cost = today, yesterday, cost - cost_out
    opening = qty - closing
    if opening:
        if selling:
            pos.short_cost += opened
            if settled:
                pos.short_yesterday += opening
            else:
                pos.short_today += opening
        else:
            pos.long_cost += opened
            if settled:
                pos.long_yesterday += opening
            else:
                pos.long_today += opening
    if instrument.asset_class is AssetClass.FUTURE:
        cash.balance += realized
    else:
        cash.balance += notional if selling else -notional
    _hold(pos, cash, instrument)
    return from_today


def held_for(pos: PaperPosition, instrument: Instrument) -> Decimal:
    """Cash that backs the position: futures margin at entry price; for a short, its proceeds and as much again times
    the rate."""
    rate = _WHOLE if instrument.margin_rate is None else instrument.margin_rate
    if instrument.asset_class is AssetClass.FUTURE:
        return (pos.long_cost + pos.short_cost) * rate
    return pos.short_cost * (1 + rate) if pos.short_cost else ZERO


def _hold(pos: PaperPosition, cash: PaperCash, instrument: Instrument) -> None:
    if instrument.asset_class is AssetClass.FUTURE or pos.short_cost or pos.held:
        held = held_for(pos, instrument)
        cash.held += held - pos.held
        pos.held = held


def fee_of_rest(order: PaperOrder, instrument: Instrument, qty: Decimal, px: Decimal) -> Decimal:
    """What fees `qty` more at `px` would add to the order; minimums count once per order."""
    if not instrument.fees.lines:
        return ZERO
    notional = order.fee_notional + instrument.notional(px, qty)
    if instrument.fees.is_bounded():
        before = instrument.fees.fee(order.side, order.fee_qty, order.fee_notional) if order.fee_qty else ZERO
        return max(instrument.fees.fee(order.side, order.fee_qty + qty, notional) - before, ZERO)
    fee: Decimal = instrument.fees.fee(order.side, order.fee_qty + qty, notional)
    if order.fee_today_qty:
        fee = instrument.fees.fee(order.side, order.fee_today_qty, order.fee_today_notional, close_today=True) + (
            fee if order.fee_qty or qty else ZERO
        )
    return max(fee - order.fee_charged, ZERO)


def charge(order: PaperOrder, instrument: Instrument, qty: Decimal, px: Decimal, from_today: Decimal) -> Decimal:
    """Fee of one fill: the order's fee so far, less what was charged before; where a maximum bounds each fill, what the order's
    fee grows by. The close-today part is charged at its own rates."""
    if not instrument.fees.lines:
        return ZERO
    rest = qty - from_today
    grown = _grown(order, instrument, rest, px, from_today) if instrument.fees.is_bounded() else None
    if from_today:
        order.fee_today_qty += from_today
        order.fee_today_notional += instrument.notional(px, from_today)
    if rest:
        order.fee_qty += rest
        order.fee_notional += instrument.notional(px, rest)
    if grown is not None:
        order.fee_charged += grown
        return grown
    total: Decimal = ZERO
    if order.fee_qty:
        total += instrument.fees.fee(order.side, order.fee_qty, order.fee_notional)
    if order.fee_today_qty:
        total += instrument.fees.fee(order.side, order.fee_today_qty, order.fee_today_notional, close_today=True)
    fee = total - order.fee_charged
    order.fee_charged = total
    return fee


def _grown(order: PaperOrder, instrument: Instrument, rest: Decimal, px: Decimal, from_today: Decimal) -> Decimal:
    """What a fill adds to the order's fees, each line at most its maximum."""
    fees, more = instrument.fees, ZERO
    if from_today:
        before = order.fee_today_qty, order.fee_today_notional
        more += fees.grown(order.side, from_today, instrument.notional(px, from_today), before, close_today=True)
    if rest:
        more += fees.grown(order.side, rest, instrument.notional(px, rest), (order.fee_qty, order.fee_notional))
    return more


def needed(order: PaperOrder, instrument: Instrument) -> Decimal:
    """Cash to hold for what is left of the order, at its limit or reference price, fees included."""
    leaves = order.leaves_qty
    if not leaves:
        return ZERO
    px = order.ref_px
    opening = leaves - order.close_leaves
    if instrument.asset_class is AssetClass.FUTURE:
        rate = _WHOLE if instrument.margin_rate is None else instrument.margin_rate
        return instrument.notional(px, opening) * rate + fee_of_rest(order, instrument, leaves, px)
    if order.side is Side.BUY:
        cost = instrument.notional(px, opening) if opening else ZERO
        return cost + fee_of_rest(order, instrument, leaves, px)
    if opening:
        rate = _WHOLE if instrument.margin_rate is None else instrument.margin_rate
        return instrument.notional(px, opening) * rate + fee_of_rest(order, instrument, leaves, px)
    return ZERO
