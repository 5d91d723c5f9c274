"""One order cut into legs: what is closed before what is opened, and no leg above the venue's largest order
(D5, D8).
"""

from __future__ import annotations

from decimal import Decimal

from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.run.sizing import Held
from tradeloop.core.types import ZERO, PositionEffect, Side, step_down, step_up

LEGS_PER_LINE_MAX = 100
"""More slices than this are not made of one line; the rest is reported as `order_cap`."""


def effects(side: Side, qty: Decimal, instrument: Instrument, held: Held) -> list[tuple[PositionEffect, Decimal]]:
    """What is closed before anything is opened, in futures; yesterday's before today's where they are apart
    (D5).
    """
    if instrument.asset_class is not AssetClass.FUTURE:
        return [(PositionEffect.AUTO, qty)]
    opposite, today = (held.short, held.short_today) if side is Side.BUY else (held.qty, held.today)
    closing = min(qty, opposite)
    parts: list[tuple[PositionEffect, Decimal]]
    if not instrument.closes_today_apart:
        parts = [(PositionEffect.CLOSE, closing)]
    elif today is None:
        parts = [(PositionEffect.AUTO, closing)]
    else:
        yesterday = min(closing, max(opposite - today, ZERO))
        parts = [
            (PositionEffect.CLOSE_YESTERDAY, yesterday),
            (PositionEffect.CLOSE_TODAY, closing - yesterday),
        ]
    parts.append((PositionEffect.OPEN, qty - closing))
    return [(effect, part) for effect, part in parts if part > ZERO]


def slices(
    qty: Decimal, instrument: Instrument, side: Side = Side.BUY, draws_on: Decimal = ZERO, *, limit: bool = False
) -> list[Decimal]:
    """`qty` cut into orders the venue takes at once, at the market or, with `limit`, at a price; each legal, together at most
    `qty`, none where not even one is possible.

    A sell that takes all it `draws_on` may end with the odd remainder, as a single one may.
    """
    largest = instrument.max_qty_limit if limit else instrument.max_qty_market
    if largest is None or qty <= largest:
        return [qty]
    largest = step_down(largest, instrument.lot)
    if largest < instrument.min_qty:
        return []
    count = min(int(qty // largest), LEGS_PER_LINE_MAX)
    sizes, rest = [largest] * count, qty - count * largest
    if rest == ZERO or count == LEGS_PER_LINE_MAX:
        return sizes
    if instrument.is_tradable_qty(rest, side, draws_on - count * largest):
        return [*sizes, rest]
    # One order more is possible only where those before it can spare what it lacks.
    lacks = step_up(instrument.min_qty - rest, instrument.lot)
    spare = largest - step_up(instrument.min_qty, instrument.lot)
    for place in reversed(range(count)):
        moved = min(lacks, spare)
        sizes[place] -= moved
        rest += moved
        lacks -= moved
        if lacks == ZERO:
            return [*sizes, rest]
    return [largest] * count
