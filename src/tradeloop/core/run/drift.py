"""How far a price that quantities are made from may be from the market: when a run is planned, retried and sent.

A price column is a wish about the past or a slip of the pen; what an order costs is the market's price. So a line whose price
is further from the market than `Policy.max_drift` makes no order, and no buy is worth more at the present price than its
weight and that drift: the weight is what the limits (the single-name cap, the sum) were checked with.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from tradeloop.core.commands import SeenPrice, TargetLine
from tradeloop.core.events import PlanLine
from tradeloop.core.instrument import Instrument
from tradeloop.core.run.sizing import plain
from tradeloop.core.types import ZERO, Px, Rounding, Side, Symbol, UtcNs

PRICE_DRIFT: Final = "price_drift"
"""Code of a line whose price is further from the market than it may be."""
BEYOND_WEIGHT: Final = "beyond_weight"
"""Code of a line that would be worth more than its weight at the present price; nothing is left to do about it."""

Refused = Mapping[Symbol, tuple[str, str]]
"""By symbol, the code and the sentence of what forbids any order in it."""
NONE_REFUSED: Final[Refused] = MappingProxyType({})


def far(px: Decimal, market: Decimal, limit: Decimal) -> bool:
    """Whether the market is further from `px` than `limit`, a fraction of `px`."""
    return abs(market - px) > px * limit


def far_from_market(
    targets: Iterable[TargetLine],
    prices: Iterable[SeenPrice],
    now: UtcNs,
    max_age_ns: int,
    limit: Decimal,
    ageless: Collection[Symbol] = (),
) -> Refused:
    """Targets whose own price is further from the market's than `limit`, where a market price is known that a run takes."""
    seen = {price.symbol: price for price in prices}
    refused: dict[Symbol, tuple[str, str]] = {}
    for target in targets:
        quote = seen.get(target.symbol)
        if target.price is None or target.price <= ZERO or quote is None or quote.px <= ZERO:
            continue
        if target.symbol not in ageless and abs(now - quote.at) > max_age_ns:
            continue
        if far(target.price, quote.px, limit):
            said = (
                f"row {target.row} prices {target.symbol} at {target.price:f}, the market is at {quote.px:f}, further than"
                f" {limit:%} away; correct the price or leave it away"
            )
            refused[target.symbol] = (PRICE_DRIFT, said)
    return refused


def at_market(targets: Sequence[TargetLine], prices: Iterable[SeenPrice]) -> tuple[TargetLine, ...]:
    """The targets without the prices they brought, where the market has one: what a retry is planned from."""
    known = {price.symbol for price in prices if price.px > ZERO}
    return tuple(replace(target, price=None) if target.symbol in known else target for target in targets)


def risen(lines: Iterable[PlanLine], prices: Iterable[SeenPrice], limit: Decimal) -> dict[Symbol, Px]:
    """Present prices of what is to be bought for more than it was planned at, by more than `limit`."""
    seen = {price.symbol: price.px for price in prices}
    return {
        line.symbol: seen[line.symbol]
        for line in lines
        if line.side is Side.BUY and line.order_qty and line.ref_px and seen.get(line.symbol, ZERO) > line.ref_px * (1 + limit)
    }


def turned(lines: Iterable[PlanLine], again: Mapping[Symbol, Px]) -> Refused:
    """What was to be bought and would be sold at its present price: a retry works a residual and turns no position round."""
    return {
        line.symbol: (
            BEYOND_WEIGHT,
            f"{line.symbol} has risen to {again[line.symbol]:f}; what is held is worth its weight at that price",
        )
        for line in lines
        if line.symbol in again and line.side is Side.SELL
    }


def worth_too_much(line: PlanLine, instrument: Instrument, seen: Decimal, limit: Decimal, rounding: Rounding) -> str | None:
    """Why a buy may not go: at the present price its target is worth more than its weight and the drift that is allowed."""
    if line.side is not Side.BUY or not line.target_qty or line.target_weight <= ZERO:
        return None  # what covers a short or has no weight buys back what is owed
    allowed = line.target_value * (1 + limit)
    if rounding is Rounding.HALF_UP:
        allowed += instrument.notional(seen, instrument.lot / 2)
    worth = instrument.notional(seen, line.target_qty)
    if worth <= allowed:
        return None
    return (
        f"{plain(line.target_qty)} {line.symbol} are worth {plain(worth)} at {seen:f} now, {limit:%} above its weight is"
        f" {plain(allowed)}; retry it or leave it"
    )
