"""What the paper broker's tests are made of: a clock that tests move, made-up instruments, quotes and orders."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from tradeloop.brokers.paper import FaultConfig, PaperBroker, PaperConfig
from tradeloop.brokers.paper.books import Books
from tradeloop.brokers.paper.matching import Matching
from tradeloop.brokers.paper.records import PaperOrder
from tradeloop.core.instrument import AssetClass, FeeLine, FeeSchedule, Instrument
from tradeloop.core.order import Order
from tradeloop.core.reports import Execution, OrderReject, Quote, Report
from tradeloop.core.risk.approved import Approved
from tradeloop.core.types import (
    SECOND_NS,
    AccountID,
    Amount,
    ClOrdID,
    Currency,
    OrdType,
    PositionEffect,
    Px,
    Qty,
    Side,
    Symbol,
    TimeInForce,
    TradingDay,
    UtcNs,
)

T0 = UtcNs(1_784_253_600 * SECOND_NS)
"""2026-07-17 02:00:00 UTC, a Friday morning in Shanghai."""
DAY, NEXT_DAY = TradingDay("2026-07-17"), TradingDay("2026-07-20")
ACCOUNT = AccountID("paper")
ACME = Symbol("ACME.US")
MAOTAI = Symbol("600519.SH")
COPPER = Symbol("cu2609.SHFE")


def at(seconds: float) -> UtcNs:
    """`seconds` after T0."""
    return UtcNs(T0 + int(seconds * SECOND_NS))


class ManualClock:
    """Time stands until a test moves it; sleepers then wake in the order of their time."""

    def __init__(self, now: UtcNs = T0) -> None:
        self._now = now
        self._sleepers: list[tuple[UtcNs, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> UtcNs:
        return self._now

    def elapsed(self) -> int:
        return self._now

    async def sleep_until(self, due: UtcNs) -> None:
        if due > self._now:
            self._count += 1
            woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._sleepers.append((due, self._count, woken))
            await woken

    async def move_to(self, now: UtcNs) -> None:
        """Go to `now`, stopping at every sleeper on the way."""
        await turns()
        while True:
            due = min((s for s in self._sleepers if not s[2].done()), default=None)
            if due is None or due[0] > now:
                break
            self._sleepers.remove(due)
            self._now = max(self._now, due[0])
            due[2].set_result(None)
            await turns()
        self._now = max(self._now, now)


async def turns(count: int = 8) -> None:
    """Let everything that is ready run."""
    for _ in range(count):
        await asyncio.sleep(0)


def stock(symbol: Symbol = ACME, *, fee_per_share: str = "0", fee_minimum: str = "0", shortable: bool = False) -> Instrument:
    """A made-up US stock without sessions."""
    line = FeeLine("commission", per_unit=Decimal(fee_per_share), minimum=Decimal(fee_minimum))
    fees = FeeSchedule((line,)) if line.per_unit or line.minimum else FeeSchedule()
    one = Decimal(1)
    return Instrument(
        symbol, AssetClass.STOCK, Currency("USD"), Decimal("0.01"), one, one, "US", fees=fees, shortable=shortable
    )


def ashare(symbol: Symbol = MAOTAI, *, lot: int = 100, min_qty: int = 100, fees: FeeSchedule | None = None) -> Instrument:
    """A main-board A-share with T+1, a 10 % limit and odd-lot sells, in session `cn`."""
    return Instrument(
        symbol, AssetClass.STOCK, Currency("CNY"), Decimal("0.01"), Decimal(lot), Decimal(min_qty), "CN", session="cn",
        odd_lot_sell=True, price_limit=Decimal("0.10"), settles_t1=True, max_qty_limit=Decimal(1_000_000),
        fees=FeeSchedule() if fees is None else fees,
    )  # fmt: skip


def future(symbol: Symbol = COPPER) -> Instrument:
    """A made-up copper contract: 5 tonnes, 10 % margin, today's position closed apart."""
    fees = FeeSchedule((FeeLine("exchange", per_unit=Decimal(3), close_today_per_unit=Decimal(6)),))
    one = Decimal(1)
    return Instrument(
        symbol, AssetClass.FUTURE, Currency("CNY"), Decimal(10), one, one, "CN", session="cn", multiplier=Decimal(5),
        shortable=True, closes_today_apart=True, margin_rate=Decimal("0.10"), fees=fees,
    )  # fmt: skip


def px(text: str | None) -> Px | None:
    return None if text is None else Px(Decimal(text))


def qty(text: str | int | None) -> Qty | None:
    return None if text is None else Qty(Decimal(text))


def quote(
    seconds: float,
    bid: str | None,
    ask: str | None,
    *,
    bid_size: int | None = 1000,
    ask_size: int | None = 1000,
    symbol: Symbol = ACME,
    prev_close: str | None = None,
    suspended: bool = False,
) -> Quote:
    """A two-sided quote."""
    return Quote(
        symbol, at(seconds), px(bid), px(ask), qty(bid_size), qty(ask_size), prev_close=px(prev_close), suspended=suspended
    )


def bar(seconds: float, last: str, volume: int | None, *, symbol: Symbol = ACME, prev_close: str | None = None) -> Quote:
    """A bar that ends at `seconds`."""
    return Quote(symbol, at(seconds), last=px(last), volume=qty(volume), prev_close=px(prev_close))


WINDOWS = ((T0, at(3600)), (at(7200), at(10800)))
"""Two trading windows with a midday break, in seconds 0-3600 and 7200-10800."""


class Bench:
    """Matching over books in memory, with an account rich enough not to matter unless a test says so."""

    def __init__(
        self, *instruments: Instrument, cash: int = 10_000_000, latency_ns: int = 0, assumed_size: int | None = None
    ) -> None:
        currencies = {i.currency: Amount(Decimal(cash)) for i in instruments}
        self.books = Books("paper", ACCOUNT, tuple(currencies.items()), None)
        self.matching = Matching(
            self.books, latency_ns=latency_ns, assumed_size=None if assumed_size is None else Decimal(assumed_size)
        )
        self.matching.list_instruments(instruments)
        for session in {i.session: None for i in instruments if i.session}:
            self.matching.open_day(session, DAY, WINDOWS, T0)
        self._ids = 0

    def quote(self, quote: Quote, *, late: float = 0) -> None:
        self.matching.on_quote(quote, UtcNs(quote.at + int(late * SECOND_NS)))

    def place(
        self,
        side: Side,
        size: str | int,
        price: str | None = None,
        *,
        seconds: float = 0,
        symbol: Symbol = ACME,
        tif: TimeInForce = TimeInForce.DAY,
        effect: PositionEffect = PositionEffect.AUTO,
        cl_ord_id: str = "",
        ord_type: OrdType | None = None,
        account: AccountID = ACCOUNT,
    ) -> PaperOrder:
        self._ids += 1
        kind = OrdType.MARKET if price is None else OrdType.LIMIT
        return self.matching.place(
            cl_ord_id=ClOrdID(cl_ord_id or f"c{self._ids}"), account=account, symbol=symbol, side=side,
            order_qty=Qty(Decimal(size)), now=at(seconds), ord_type=kind if ord_type is None else ord_type,
            price=px(price), tif=tif, position_effect=effect,
        )  # fmt: skip

    def buy(self, size: str | int, price: str | None = None, **more: object) -> PaperOrder:
        return self.place(Side.BUY, size, price, **more)  # type: ignore[arg-type]

    def sell(self, size: str | int, price: str | None = None, **more: object) -> PaperOrder:
        return self.place(Side.SELL, size, price, **more)  # type: ignore[arg-type]

    def heard(self) -> list[Report]:
        """Reports since the last call."""
        reports, self.matching.out = self.matching.out, []
        return reports

    def fills(self) -> list[tuple[str, str]]:
        """Quantity and price of the executions since the last call."""
        return [(str(r.last_qty), str(r.last_px)) for r in self.heard() if isinstance(r, Execution)]

    def code(self) -> str:
        """The code of the last reject since the last call; empty without one."""
        codes = [r.code for r in self.heard() if isinstance(r, OrderReject)]
        return codes[-1] if codes else ""

    def cash(self, currency: str = "USD") -> Decimal:
        return self.books.cash_of(Currency(currency)).balance

    def available(self, currency: str = "USD") -> Decimal:
        return self.books.cash_of(Currency(currency)).available


def approved(
    cl_ord_id: str,
    side: Side = Side.BUY,
    size: str | int = 100,
    price: str | None = None,
    *,
    symbol: Symbol = ACME,
    tif: TimeInForce = TimeInForce.DAY,
) -> Approved[Order]:
    """An order as the engine's dispatch hands it over."""
    order = Order(
        cl_ord_id=ClOrdID(cl_ord_id), broker="paper", account=ACCOUNT, symbol=symbol, side=side,
        order_qty=Qty(Decimal(size)), ord_type=OrdType.MARKET if price is None else OrdType.LIMIT, price=px(price),
        stop_px=None, tif=tif, position_effect=PositionEffect.AUTO, trading_day=DAY, by="test", risk_version="1",
        staged_at=T0,
    )  # fmt: skip
    return Approved(order, "1")


class Session:
    """A connected paper broker, its clock, and what it reported."""

    def __init__(self, broker: PaperBroker, clock: ManualClock) -> None:
        self.broker = broker
        self.clock = clock
        self.reports: list[Report] = []

    def words(self) -> list[str]:
        """The names of the reports, in order."""
        return [type(r).__name__ for r in self.reports]

    def executions(self) -> list[Execution]:
        return [r for r in self.reports if isinstance(r, Execution)]


async def connected(config: PaperConfig | None = None, *, faults: FaultConfig | None = None) -> Session:
    """A broker in memory (unless `config` says otherwise) that lists ACME and has seen 10.00 / 10.01 with 1000 shares each."""
    clock = ManualClock()
    if config is None:
        config = PaperConfig(latency_ns=0, faults=FaultConfig() if faults is None else faults)
    broker = PaperBroker(config, clock)
    broker.list_instruments([stock()])
    session = Session(broker, clock)
    await broker.connect(session.reports.append)
    broker.on_quote(quote(0, "10.00", "10.01"))
    return session
