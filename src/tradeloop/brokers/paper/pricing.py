"""At what price an order trades with a quote that it accepts, and how much of it the account can pay for there."""

from __future__ import annotations

from decimal import Decimal

from tradeloop.brokers.paper.ledger import fee_of_rest
from tradeloop.brokers.paper.records import PaperCash, PaperOrder
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.reports import Quote
from tradeloop.core.types import ZERO, OrdType, Px, Side, step_down


def price_of(order: PaperOrder, before: Quote | None, quote: Quote, px: Px, band: tuple[Px, Px] | None) -> Px:
    """What the order pays or gets: the price shown, for one that comes to it; its own limit for one that was there first.

    Who rests in the book when the other side comes to its price trades at that price, never at a better one; but nobody
    trades outside the day's limits, `band`. After a break (`before` None) the first quote is an auction's, one price for all.
    """
    if order.price is None or before is None or order.live_at >= quote.at:
        return px
    buying = order.side is Side.BUY
    stood = before.ask if buying else before.bid
    if before.bid is None and before.ask is None:
        stood = before.last
    crossed = stood is not None and (stood <= order.price if buying else stood >= order.price)
    if crossed:
        return px
    return order.price if band is None else max(band[0], min(order.price, band[1]))


def payable_of(order: PaperOrder, instrument: Instrument, cash: PaperCash, qty: Decimal, px: Px) -> Decimal:
    """How much of `qty` the account can pay for. Limit orders hold enough from the start; a market order may not."""
    if order.ord_type is OrdType.LIMIT or (px <= order.ref_px and order.side is Side.BUY):
        return qty
    opening = qty - min(qty, order.close_leaves)
    if not opening:
        return qty
    if instrument.asset_class is AssetClass.FUTURE:
        rate = Decimal(1) if instrument.margin_rate is None else instrument.margin_rate
    elif order.side is Side.SELL:
        return qty
    else:
        rate = Decimal(1)
    budget = cash.available + order.reserved
    while qty > ZERO:
        opening = max(ZERO, qty - order.close_leaves)
        cost = instrument.notional(px, opening) * rate + fee_of_rest(order, instrument, qty, px)
        if cost <= budget:
            return qty
        short = cost - budget
        step = instrument.lot
        fewer = step_down(short / (instrument.notional(px, Decimal(1)) * rate), step)
        qty = step_down(qty - max(fewer, step), step)
    return ZERO
