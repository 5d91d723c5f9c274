"""Station 6: what one account holds of one instrument, and what a fill does to it.

Two legs, long and short, each with what was opened today apart from what was carried over: T+1 stock may sell only the latter,
SHFE and INE close the two by different instructions. Cost is kept as a total, never as an average, so that nothing is lost to
rounding: at all times `realized - long_cost + short_cost` equals the sum of all trading cash flows. Only what comes or goes
without a trade, taken over from the broker by a person, is beside that.

What a leg cost may be unknown (None): a holding that a broker showed without its cost. Then it stays so until the leg is empty,
and what a part of it realised, with every sum that this is in, is unknown too. What of its cost is known goes on holding
margin (`*_known`): a lot that somebody accepted must not set free what all the others hold.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Final

import msgspec

from tradeloop.core.types import AUTO, BUY, CLOSE_TODAY, OPEN, SELL, ZERO, Amount, PositionEffect, Px, Qty, Side, UtcNs


class Position(msgspec.Struct, array_like=True, gc=False):
    """Quantities in units, money in the instrument's currency (multiplier included). `*_frozen` is what working
    orders will close.
    """

    long_qty: Qty = Qty(ZERO)
    long_today: Qty = Qty(ZERO)
    long_cost: Amount | None = Amount(ZERO)
    long_frozen: Qty = Qty(ZERO)
    short_qty: Qty = Qty(ZERO)
    short_today: Qty = Qty(ZERO)
    short_cost: Amount | None = Amount(ZERO)
    short_frozen: Qty = Qty(ZERO)
    realized: Amount | None = Amount(ZERO)
    fees: Amount = Amount(ZERO)
    updated_at: UtcNs = UtcNs(0)
    """When a fill last moved it; an older look at the broker's books says nothing about it."""
    long_known: Amount = Amount(ZERO)
    """What is known of the long leg's cost where the whole of it is not; zero where it is."""
    short_known: Amount = Amount(ZERO)
    """What is known of the short leg's cost where the whole of it is not; zero where it is."""

    @property
    def net_qty(self) -> Decimal:
        """Long minus short."""
        return self.long_qty - self.short_qty

    @property
    def is_flat(self) -> bool:
        """Nothing held either way."""
        return not self.long_qty and not self.short_qty

    @property
    def long_yesterday(self) -> Qty:
        """Carried over from an earlier trading day."""
        return Qty(self.long_qty - self.long_today)

    @property
    def short_yesterday(self) -> Qty:
        """Carried over from an earlier trading day."""
        return Qty(self.short_qty - self.short_today)

    def sellable(self, *, settles_t1: bool) -> Qty:
        """What a new sell may still draw on: held, settled, and not already promised to a working order."""
        settled = self.long_qty - self.long_today if settles_t1 else self.long_qty
        left = settled - self.long_frozen
        if left < ZERO:
            return Qty(ZERO)
        return Qty(left)

    def avg_cost(self, multiplier: Decimal = Decimal(1)) -> Px | None:
        """Average entry price of the larger leg; None when flat or not known. For people, not for the ledger."""
        long = self.long_qty >= self.short_qty
        qty, cost = (self.long_qty, self.long_cost) if long else (self.short_qty, self.short_cost)
        return Px(cost / (qty * multiplier)) if qty and cost is not None else None

    def unrealized(self, px: Decimal, multiplier: Decimal = Decimal(1)) -> Amount | None:
        """Profit if everything were closed at `px`, fees aside; a short gains when the price falls (D5). None where the cost
        is not known.
        """
        if self.long_cost is None or self.short_cost is None:
            return None
        value = px * multiplier
        return Amount(value * self.long_qty - self.long_cost + self.short_cost - value * self.short_qty)


def with_more(total: Decimal | None, more: Decimal | None) -> Amount | None:
    """A sum with one more figure in it: unknown where either is."""
    return None if total is None or more is None else Amount(total + more)


class Rebooked(msgspec.Struct, array_like=True, frozen=True, gc=False, forbid_unknown_fields=True):
    """What a position becomes by a bust, a correction or a fill that comes late (core/rebooking.py), and how much more its long
    and its short leg have then realised. It is decided before it is booked, so that every reader of the journal has the same
    figures.
    """

    long_qty: Qty
    long_today: Qty
    long_cost: Amount | None
    short_qty: Qty
    short_today: Qty
    short_cost: Amount | None
    long_realized: Amount | None
    short_realized: Amount | None
    long_known: Amount = Amount(ZERO)
    short_known: Amount = Amount(ZERO)


def become(pos: Position, to: Rebooked) -> Amount | None:
    """Let the position be what it would have been; returns how much more it has realised, None where that is not known."""
    pos.long_known, pos.short_known = to.long_known, to.short_known
    pos.long_qty, pos.long_today, pos.long_cost = to.long_qty, to.long_today, to.long_cost
    pos.short_qty, pos.short_today, pos.short_cost = to.short_qty, to.short_today, to.short_cost
    more = with_more(to.long_realized, to.short_realized)
    pos.realized = with_more(pos.realized, more)
    return more


def closed_by(pos: Position, side: Side, qty: Decimal, effect: PositionEffect) -> Decimal:
    """How much of `qty` closes the opposite leg; the rest opens. What exceeds the leg opens, whatever was asked:
    a fill is a fact.
    """
    if effect is OPEN:
        return ZERO
    held = pos.short_qty if side is BUY else pos.long_qty
    if not held or held < qty:  # most fills open a leg or add to one: then there is nothing to compare
        return held
    return qty


def realizes(pos: Position, side: Side, qty: Decimal, value: Decimal, effect: PositionEffect) -> Amount | None:
    """Profit before fees that a fill of `qty` for `value` would realise; None when it only opens, or when what it closes has
    cost nobody knows what.
    """
    closing = closed_by(pos, side, qty, effect)
    if not closing:
        return None
    flow = _cost_share(value, closing, qty)
    if side is SELL:
        cost = pos.long_cost
        return None if cost is None else Amount(flow - _cost_share(cost, closing, pos.long_qty))
    cost = pos.short_cost
    return None if cost is None else Amount(_cost_share(cost, closing, pos.short_qty) - flow)


def is_past(trading_day: str, present: str | None) -> bool:
    """Whether `trading_day` is before the day its session is in; not where either is not known."""
    return bool(trading_day) and present is not None and trading_day < present


def book(
    pos: Position,
    side: Side,
    qty: Decimal,
    value: Decimal,
    effect: PositionEffect,
    *,
    of_today: bool = False,
    past: bool = False,
) -> Amount | None:
    """Apply a fill of `qty` for `value` (price x quantity x multiplier); returns what it realised, zero for pure opening, None
    where what it closed has cost nobody knows what.

    A close takes yesterday's part first, except CLOSE_TODAY and a reversal (`of_today`), which take today's. A reversal takes
    out exactly the cost its fill brought where the leg still holds more than that, so that no profit appears that nobody
    made; and what a sell with AUTO had closed comes back as carried over, because nothing else could have been sold under T+1.
    A fill of an earlier trading day (`past`) opens and closes what is yesterday's by now, and so does its reversal.
    """
    closing = closed_by(pos, side, qty, effect)
    opening = qty - closing
    realized: Decimal | None = ZERO
    if closing:
        flow = _cost_share(value, closing, qty)
        today_first = not past and (of_today or effect is CLOSE_TODAY)
        if side is SELL:
            cost = _cost_out(pos.long_cost, closing, pos.long_qty, flow, reversal=of_today)
            if pos.long_known:
                pos.long_known = Amount(pos.long_known - _cost_share(pos.long_known, closing, pos.long_qty))
            pos.long_today = _today_left(pos.long_qty, pos.long_today, closing, today_first)
            pos.long_qty = Qty(pos.long_qty - closing)
            pos.long_cost = _cost_left(pos.long_cost, cost, pos.long_qty)
            realized = None if cost is None else flow - cost
        else:
            cost = _cost_out(pos.short_cost, closing, pos.short_qty, flow, reversal=of_today)
            if pos.short_known:
                pos.short_known = Amount(pos.short_known - _cost_share(pos.short_known, closing, pos.short_qty))
            pos.short_today = _today_left(pos.short_qty, pos.short_today, closing, today_first)
            pos.short_qty = Qty(pos.short_qty - closing)
            pos.short_cost = _cost_left(pos.short_cost, cost, pos.short_qty)
            realized = None if cost is None else cost - flow
        pos.realized = with_more(pos.realized, realized)
        value -= flow
    if opening:
        today = ZERO if past or (of_today and effect is AUTO) else opening
        if side is BUY:
            pos.long_qty = Qty(pos.long_qty + opening)
            pos.long_today = Qty(pos.long_today + today)
            if pos.long_cost is None:
                pos.long_known = Amount(pos.long_known + value)
            pos.long_cost = with_more(pos.long_cost, value)
        else:
            pos.short_qty = Qty(pos.short_qty + opening)
            pos.short_today = Qty(pos.short_today + today)
            if pos.short_cost is None:
                pos.short_known = Amount(pos.short_known + value)
            pos.short_cost = with_more(pos.short_cost, value)
    return None if realized is None else Amount(realized)


def roll(pos: Position) -> None:
    """A new trading day: what was opened today is yesterday's now."""
    pos.long_today = Qty(ZERO)
    pos.short_today = Qty(ZERO)


def adjust(pos: Position, *, short: bool, delta: Decimal) -> None:
    """Take over the broker's quantity of a leg. What leaves takes its share of the cost along: the rest has cost for each unit
    what it had, and nothing is realized; a leg that it empties has cost nothing. What it adds has cost nobody knows what;
    what the others have cost goes on holding margin.
    """
    if delta < ZERO:
        _shrink(pos, short=short, by=-delta)
    if short:
        pos.short_qty = Qty(pos.short_qty + delta)
        pos.short_today = Qty(min(pos.short_today, pos.short_qty))
    else:
        pos.long_qty = Qty(pos.long_qty + delta)
        pos.long_today = Qty(min(pos.long_today, pos.long_qty))
    if delta > ZERO:
        if short:
            pos.short_known = pos.short_known if pos.short_cost is None else pos.short_cost
            pos.short_cost = None
        else:
            pos.long_known = pos.long_known if pos.long_cost is None else pos.long_cost
            pos.long_cost = None
    if not pos.long_qty:
        pos.long_cost = pos.long_known = Amount(ZERO)
    if not pos.short_qty:
        pos.short_cost = pos.short_known = Amount(ZERO)


def _shrink(pos: Position, *, short: bool, by: Decimal) -> None:
    """The cost of what leaves a leg without having been traded leaves with it."""
    if short:
        if pos.short_cost is not None:
            pos.short_cost = Amount(pos.short_cost - _cost_share(pos.short_cost, by, pos.short_qty))
        pos.short_known = Amount(pos.short_known - _cost_share(pos.short_known, by, pos.short_qty))
    else:
        if pos.long_cost is not None:
            pos.long_cost = Amount(pos.long_cost - _cost_share(pos.long_cost, by, pos.long_qty))
        pos.long_known = Amount(pos.long_known - _cost_share(pos.long_known, by, pos.long_qty))


def adopt(pos: Position, long_qty: Qty, short_qty: Qty, long_sellable: Qty | None, cost: Amount | None) -> None:
    """Become what a broker shows. The cost it names is that of the larger leg; that of a leg it does not name is unknown."""
    pos.long_qty, pos.short_qty = long_qty, short_qty
    if long_sellable is not None:
        pos.long_today = Qty(max(long_qty - long_sellable, ZERO))
    long = long_qty >= short_qty
    pos.long_cost = (cost if long else None) if long_qty else Amount(ZERO)
    pos.short_cost = (None if long else cost) if short_qty else Amount(ZERO)
    pos.long_known = pos.short_known = Amount(ZERO)


_DUST: Final = Decimal("0.000000000001")
_WIDE: Final = Context(prec=60)
"""Twelve places fit behind any cost: quantize refuses what passes its context's digits, and a fill is never refused."""


def _cost_share(cost: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """The part of `cost` that leaves with `part` of `whole`, to twelve places; all of it when everything leaves,
    so no dust stays.
    """
    return cost if part == whole else (cost * part / whole).quantize(_DUST, context=_WIDE)


def _cost_out(cost: Decimal | None, part: Decimal, whole: Decimal, flow: Decimal, *, reversal: bool) -> Decimal | None:
    if cost is None:
        return None
    return flow if reversal and part < whole and flow <= cost else _cost_share(cost, part, whole)


def _cost_left(cost: Decimal | None, out: Decimal | None, qty: Decimal) -> Amount | None:
    if cost is None or out is None:
        return None if qty else Amount(ZERO)
    return Amount(cost - out)


def _today_left(qty: Decimal, today: Decimal, closing: Decimal, today_first: bool) -> Qty:
    if not today:
        return Qty(ZERO)
    if today_first:
        return Qty(max(today - closing, ZERO))
    return Qty(min(today, qty - closing))
