"""Station 6: what one account has in one currency, and what of it is already promised.

`balance` moves by fills and fees alone (and by an adjustment a person accepted). `reserved` is the worst cost of every
order that may still trade: working, in flight and unknown. `margin` is what open futures positions hold. `free` is what a
new order may use.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.position import Position
from tradeloop.core.types import ZERO, Amount, Side, UtcNs


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
    if instrument.asset_class is AssetClass.FUTURE:
        return realized if realized is not None else ZERO
    return value if side is Side.SELL else -value


def margin_of(position: Position, instrument: Instrument | None) -> Decimal:
    """What a futures position holds of the cash: its cost times the margin rate; zero for what is fully paid or not known."""
    if instrument is None or instrument.asset_class is not AssetClass.FUTURE or instrument.margin_rate is None:
        return ZERO
    return (position.long_cost + position.short_cost) * instrument.margin_rate


def used_by(instrument: Instrument, value: Decimal, fee: Decimal) -> Decimal:
    """How much of an order's reserve a fill used up."""
    if instrument.asset_class is AssetClass.FUTURE:
        return value * (instrument.margin_rate or ZERO) + fee
    return value + fee
