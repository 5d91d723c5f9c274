"""From one wish to one quantity: the target in lots, the order towards it, and the residual with its reason.

Arithmetic here can pass the 28 digits of the default context; plan.py calls it inside one that keeps it
exact.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

import msgspec

from tradeloop.core.instrument import Instrument
from tradeloop.core.types import (
    DECIMAL_PLACES_MAX,
    SECOND_NS,
    ZERO,
    Px,
    Qty,
    Rounding,
    Side,
    Symbol,
    step_half_up,
)

_QUANTUM = Decimal(1).scaleb(-DECIMAL_PLACES_MAX)


class Held(msgspec.Struct, frozen=True, gc=False):
    """What an account holds of one symbol: long `qty`, the part of it that may be sold now, and the `short`
    quantity.

    `today` and `short_today` are the parts opened on this trading day, None where that is not known; they
    matter only where closing them is a separate instruction.
    """

    qty: Qty = Qty(ZERO)
    sellable: Qty = Qty(ZERO)
    short: Qty = Qty(ZERO)
    today: Qty | None = None
    short_today: Qty | None = None

    @property
    def net(self) -> Decimal:
        """Long minus short, in units."""
        return self.qty - self.short

    @property
    def is_flat(self) -> bool:
        """Nothing is held, long or short."""
        return self.qty == ZERO and self.short == ZERO


class Wish(msgspec.Struct, frozen=True, gc=False):
    """One symbol on its way to lines."""

    symbol: Symbol
    row: int
    weight: Decimal
    value: Decimal
    px: Px | None
    held: Held


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What one wish comes to before it is cut into legs."""

    side: Side
    order_qty: Decimal
    target_qty: Decimal
    residual_qty: Decimal
    residual_value: Decimal
    code: str
    reason: str


def outcome_of(
    wish: Wish,
    instrument: Instrument,
    unit: Decimal,
    rounding: Rounding,
    why_not: tuple[str, str] | None,
) -> Outcome:
    """The order towards the target and its residual; `unit` is the value of one unit."""
    net = wish.held.net
    target_qty = _target_qty(wish.value, unit, instrument, rounding)
    delta = target_qty - net
    wished = short_tail(wish.value / unit) - net
    side = Side.SELL if delta < ZERO or (delta == ZERO and wished < ZERO) else Side.BUY
    if why_not is not None:
        order_qty, (code, reason) = ZERO, why_not
    elif side is Side.BUY:
        order_qty = instrument.floor_qty(delta)
        code, reason = _why_less_bought(delta, order_qty, wished, instrument)
    else:
        order_qty = _sellable_qty(-delta, wish.held, instrument)
        code, reason = _why_less_sold(-delta, order_qty, wished, wish.held, instrument)
    signed = order_qty if side is Side.BUY else -order_qty
    return Outcome(
        side=side,
        order_qty=order_qty,
        target_qty=target_qty,
        residual_qty=wished - signed,
        residual_value=short_tail(wish.value - (net + signed) * unit),
        code=code,
        reason=reason,
    )


def _target_qty(value: Decimal, unit: Decimal, instrument: Instrument, rounding: Rounding) -> Decimal:
    """The quantity to end with. Half up gives nothing where the wish is below the smallest order (S0-6,
    S0-61).
    """
    if rounding is Rounding.FLOOR_TO_LOT:
        # Integer division is exact: a quotient that is a hair below a whole lot must not round up to it.
        return (value // (unit * instrument.lot)) * instrument.lot
    wished = value / unit
    if wished < instrument.min_qty:
        return ZERO
    return step_half_up(wished, instrument.lot)


def _sellable_qty(wanted: Decimal, held: Held, instrument: Instrument) -> Decimal:
    sellable = min(held.sellable, held.qty)
    wanted = min(wanted, sellable)
    if instrument.is_tradable_qty(wanted, Side.SELL, sellable):
        return wanted
    return instrument.floor_qty(wanted, Side.SELL, sellable)


def _why_less_bought(delta: Decimal, order_qty: Decimal, wished: Decimal, instrument: Instrument) -> tuple[str, str]:
    lot = instrument.lot
    if order_qty == ZERO:
        return _why_nothing(wished, "buy", instrument)
    if order_qty < delta:
        return "rounded", f"{units(delta, lot)} are wanted, {units(order_qty, lot)} is the largest order below that"
    if order_qty != wished:
        return "rounded", f"{units(wished, lot)} are wished for, orders are in lots of {step(lot)}"
    return "", ""


def _why_less_sold(wanted: Decimal, order_qty: Decimal, wished: Decimal, held: Held, instrument: Instrument) -> tuple[str, str]:
    lot = instrument.lot
    if wanted > held.sellable:
        short = f"{units(wanted, lot)} are to be sold, {units(held.sellable, lot)} of {units(held.qty, lot)} may be sold now"
        if instrument.settles_t1:
            return "t1_shortfall", f"{short}; what was bought today can be sold from the next trading day on"
        return "not_sellable", f"{short}; the rest is held by other orders or by the broker"
    if order_qty == ZERO:
        return _why_nothing(wished, "sell", instrument)
    if order_qty < wanted:
        return (
            "rounded",
            f"{units(wanted, lot)} are to be sold, {units(order_qty, lot)} is the largest order below that",
        )
    if -order_qty != wished:
        return "rounded", f"{units(-wished, lot)} are to be sold, orders are in lots of {step(lot)}"
    return "", ""


def _why_nothing(wished: Decimal, verb: str, instrument: Instrument) -> tuple[str, str]:
    if wished == ZERO:
        return "unchanged", "the target is held already"
    smallest = f"at least {step(instrument.min_qty)}, in steps of {step(instrument.lot)}"
    return "below_one_lot", f"{units(abs(wished), instrument.lot)} to {verb} is less than an order may be ({smallest})"


def short_tail(number: Decimal) -> Decimal:
    """Cut off, not rounded, after the twelfth decimal place: the ledger carries no more."""
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -DECIMAL_PLACES_MAX:
        return number.quantize(_QUANTUM, rounding=ROUND_DOWN)
    return number


def plain(number: Decimal) -> str:
    """A number for a sentence: no exponent, no idle zeros, at most four decimals."""
    text = f"{number:.4f}" if number != number.to_integral_value() else f"{number:.0f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def step(number: Decimal) -> str:
    """A lot or a smallest order for a sentence: every digit, as a coin's step is finer than `plain` shows."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def units(number: Decimal, lot: Decimal) -> str:
    """A quantity for a sentence, to two places below the lot: what a lot cannot hold is then still to be seen."""
    exponent = lot.normalize().as_tuple().exponent
    places = max(4, 2 - exponent) if isinstance(exponent, int) else 4
    return step(Decimal(f"{number:.{places}f}"))


def seconds(ns: int) -> str:
    """Whole seconds, rounded up, so that a price just past its limit does not look as old as the limit; what is longer than two
    hours in larger units beside them.
    """
    whole = -(-ns // SECOND_NS)
    days, hours = divmod(whole // 3600, 24)
    if whole < 7200:
        return f"{whole} s"
    return f"{whole} s ({f'{days} d {hours} h' if days else f'{hours} h'})"
