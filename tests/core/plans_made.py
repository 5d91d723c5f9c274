"""Plans for tests: instruments, holdings, targets and prices spelled short, and `planned` over them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal

from tradeloop.core.commands import SeenPrice, TargetLine
from tradeloop.core.events import PlanLine
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.run.plan import Held, plan
from tradeloop.core.types import SECOND_NS, Currency, Px, Qty, Rounding, Symbol, UtcNs

NOW = UtcNs(1_700_000_000 * SECOND_NS)
FLOOR, HALF_UP = Rounding.FLOOR_TO_LOT, Rounding.HALF_UP


def stock(symbol: str = "600001.SH", lot: int = 100, min_qty: int = 100, largest: int | None = None) -> Instrument:
    return Instrument(
        symbol=Symbol(symbol),
        asset_class=AssetClass.STOCK,
        currency=Currency("CNY"),
        tick=Decimal("0.01"),
        lot=Decimal(lot),
        min_qty=Decimal(min_qty),
        market="CN_A",
        odd_lot_sell=True,
        settles_t1=True,
        max_qty_market=None if largest is None else Decimal(largest),
    )


def future(*, apart: bool) -> Instrument:
    return Instrument(
        symbol=Symbol("au2512.SHFE"),
        asset_class=AssetClass.FUTURE,
        currency=Currency("CNY"),
        tick=Decimal("0.02"),
        lot=Decimal(1),
        min_qty=Decimal(1),
        market="CN_F",
        multiplier=Decimal(1000),
        shortable=True,
        closes_today_apart=apart,
    )


def held(qty: int, sellable: int | None = None, short: int = 0, **days: int) -> Held:
    return Held(
        Qty(Decimal(qty)),
        Qty(Decimal(qty if sellable is None else sellable)),
        Qty(Decimal(short)),
        *(None if day not in days else Qty(Decimal(days[day])) for day in ("today", "short_today")),
    )


def target(weight: str, symbol: str = "600001.SH", row: int = 2, price: str | None = None) -> TargetLine:
    return TargetLine(Symbol(symbol), Decimal(weight), row, None if price is None else Px(Decimal(price)))


def price(px: str, symbol: str = "600001.SH", age_s: int = 0, *, suspended: bool = False) -> SeenPrice:
    return SeenPrice(Symbol(symbol), Px(Decimal(px)), UtcNs(NOW - age_s * SECOND_NS), "test", suspended=suspended)


def planned(
    *targets: TargetLine,
    prices: Iterable[SeenPrice] = (),
    instruments: Collection[Instrument] = (),
    holdings: Mapping[str, Held] | None = None,
    equity: str = "100000",
    rounding: Rounding = FLOOR,
    sell_unlisted: bool = True,
) -> tuple[PlanLine, ...]:
    return plan(
        targets,
        prices,
        {i.symbol: i for i in instruments or (stock(),)},
        {Symbol(symbol): each for symbol, each in (holdings or {}).items()},
        Decimal(equity),
        rounding,
        sell_unlisted,
        now=NOW,
        max_quote_age_ns=60 * SECOND_NS,
        currency=Currency("CNY"),
    )


def only(lines: tuple[PlanLine, ...]) -> PlanLine:
    (line,) = lines
    return line
