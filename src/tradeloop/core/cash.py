"""Station 6: what one account has in one currency, and what of it is already promised.

`balance` moves by fills and fees alone (and by an adjustment a person accepted). `reserved` is the worst cost of every
order that may still trade: working, in flight and unknown. `margin` is what open futures positions hold, and short sales:
their proceeds and the account's own share beside them (ADR 16). `free` is what a new order may use.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.core.instrument import FUTURE, Instrument
from tradeloop.core.position import Position
from tradeloop.core.types import BUY, ONE, SELL, ZERO, Amount, Currency, Side, UtcNs

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
    """Change of balance by a fill, before fees: the full amount for what is paid for, the profit alone for what is margined.
    A profit that nobody knows moves nothing; the broker's figure shows it as a break.
    """
    if instrument.asset_class is FUTURE:
        return realized if realized is not None else ZERO
    return value if side is SELL else -value


def own_rate(instrument: Instrument, side: Side) -> Decimal:
    """How much of what an order opens has to be the account's own: the margin of a future and of a short sale, all of it where
    no rate is known, and of a purchase all.
    """
    if side is BUY and instrument.asset_class is not FUTURE:
        return ONE
    return ONE if instrument.margin_rate is None else instrument.margin_rate


def margin_of(position: Position, instrument: Instrument | None) -> Decimal:
    """What a position holds of the cash: a future its cost times the margin rate, a short sale what it brought in and the
    account's own share beside that; zero for what is fully paid. Where the cost is known in part, that part holds its own.
    """
    if instrument is None:
        return ZERO
    short = position.short_known if position.short_cost is None else position.short_cost
    if instrument.asset_class is not FUTURE:
        return short * (ONE + own_rate(instrument, SELL)) if short else ZERO
    long = position.long_known if position.long_cost is None else position.long_cost
    return (long + short) * own_rate(instrument, BUY)


def fee_can_be(instrument: Instrument, fee: Decimal, value: Decimal) -> bool:
    """Whether a broker's commission may be true of a fill worth `value`: no more than the trade, either way. A minimum fee may
    exceed what a small trade is worth, in the measure of its currency.
    """
    if fee <= value:
        return fee >= ZERO or -fee <= value
    return fee <= (SMALL_FEE * 1000 if instrument.currency in SMALL_UNITS else SMALL_FEE)


def used_by(instrument: Instrument, side: Side, value: Decimal, fee: Decimal) -> Decimal:
    """How much of an order's reserve a fill used up: never less than nothing, whatever its broker paid for it."""
    rate = own_rate(instrument, side)
    return max((value if rate is ONE else value * rate) + fee, ZERO)
