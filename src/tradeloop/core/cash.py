"""Station 6: what one account has in one currency, and what of it is already promised.

`balance` moves by fills and fees alone (and by an adjustment a person accepted). `reserved` is the worst cost of every
order that may still trade: working, in flight and unknown. `margin` is what open futures positions hold. `free` is what a
new order may use.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.core.instrument import FUTURE, Instrument
from tradeloop.core.position import Position
from tradeloop.core.types import SELL, ZERO, Amount, Currency, Side, UtcNs

SMALL_FEE: Final = Decimal(1000)
SMALL_UNITS: Final = frozenset(
    map(
        Currency,
        (
            *("BIF", "CLP", "DJF", "GNF", "HUF", "IDR", "ISK", "JPY", "KMF", "KRW"),
            *("PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"),
        ),
    )
)
"""Currencies counted in small units: those without a minor unit in ISO 4217, and two whose minor unit is out of use (general
knowledge, not verified). A thousand dollars are a million of these.
"""


class CashBook(msgspec.Struct, array_like=True, gc=False):
    """Money of one account in one currency."""

    balance: Amount = Amount(ZERO)
    reserved: Amount = Amount(ZERO)
    margin: Amount = Amount(ZERO)
    updated_at: UtcNs = UtcNs(0)
    """When a fill last moved it; an older look at the broker's books says nothing about it."""

    @property
    def free(self) -> Amount:
        """What a new order may use."""
        return Amount(self.balance - self.reserved - self.margin)


def flow_of(instrument: Instrument, side: Side, value: Decimal, realized: Decimal | None) -> Decimal:
    """Change of balance by a fill, before fees: the full amount for what is paid for, the profit alone for what is margined."""
    if instrument.asset_class is FUTURE:
        return realized if realized is not None else ZERO
    return value if side is SELL else -value


def margin_of(position: Position, instrument: Instrument | None) -> Decimal:
    """What a futures position holds of the cash: its cost times the margin rate; zero for what is fully paid or not known."""
    if instrument is None or instrument.asset_class is not FUTURE or instrument.margin_rate is None:
        return ZERO
    return (position.long_cost + position.short_cost) * instrument.margin_rate


def fee_can_be(instrument: Instrument, fee: Decimal, value: Decimal) -> bool:
    """Whether a broker's commission may be true of a fill worth `value`: no more than the trade, either way. A minimum fee may
    exceed what a small trade is worth, in the measure of its currency.
    """
    if fee <= value:
        return fee >= ZERO or -fee <= value
    return fee <= (SMALL_FEE * 1000 if instrument.currency in SMALL_UNITS else SMALL_FEE)


def used_by(instrument: Instrument, value: Decimal, fee: Decimal) -> Decimal:
    """How much of an order's reserve a fill used up."""
    if instrument.asset_class is FUTURE:
        return value * (instrument.margin_rate or ZERO) + fee
    return value + fee
