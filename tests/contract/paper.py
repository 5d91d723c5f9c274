"""The paper broker's venue for the contract: the broker itself, told what to do through its market and its faults.

Fills come from quotes, as they do for everybody else; its books are read from the books, not through the port.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from tests.brokers.paper.made import T0, ManualClock, quote, stock
from typing_extensions import override

from tradeloop.brokers.paper import Fault, FaultConfig, PaperBroker, PaperConfig, Scripted
from tradeloop.brokers.paper.faults import FaultSource
from tradeloop.brokers.paper.words import MEANING, Code
from tradeloop.core.reports import Quote
from tradeloop.core.types import (
    SECOND_NS,
    AccountID,
    Amount,
    ClOrdID,
    Currency,
    ExecID,
    OrderID,
    OrdStatus,
    Px,
    Qty,
    Side,
    Symbol,
    TradingDay,
    UtcNs,
)
from tradeloop.ports.broker import Broker
from tradeloop.testing.broker_contract import Table, VenueBooks, VenueExecution, VenueOrder

LATENCY_NS = 20_000_000
STEP_NS = 25_000_000
DAY_NS = 86_400 * SECOND_NS
SESSION = "us"
TICK = Decimal("0.00000001")
STEP = Decimal("0.00125")
CASH = ((Currency("USD"), Amount(Decimal(1_000_000))), (Currency("EUR"), Amount(Decimal("5000.25"))))
DAYS = (TradingDay("2026-07-17"), TradingDay("2026-07-20"), TradingDay("2026-07-21"))


class _Counting(PaperBroker):
    """The broker, and how many requests its market was asked."""

    def __init__(self, config: PaperConfig, clock: ManualClock, asked: Counter[str]) -> None:
        self._asked = asked
        super().__init__(config, clock)

    @override
    def _open_books(self) -> None:
        super()._open_books()
        matching, asked = self._matching, self._asked
        for what in ("place", "cancel", "replace"):
            setattr(matching, what, _counted(getattr(matching, what), asked, what))


def _counted(act: Callable[..., Any], asked: Counter[str], what: str) -> Callable[..., Any]:
    def counted(*args: Any, **kwargs: Any) -> Any:
        asked[what] += 1
        return act(*args, **kwargs)

    return counted


class PaperContractVenue:
    """A paper broker that lists ACME at 9.00 / 11.00, on a clock that moves when somebody waits."""

    account = AccountID("paper")
    symbol = Symbol("ACME.US")
    unlisted = Symbol("NOPE.US")
    qty = Qty(Decimal(100))
    fraction = Qty(Decimal("0.00375"))
    resting_px = Px(Decimal("9.87654321"))
    asking_px = Px(Decimal("11.87"))
    counts = True
    secrets = ()
    tables = (
        Table("code", tuple(code.value for code in Code), lambda word: MEANING[Code(word)]),
        Table("status", tuple(status.value for status in OrdStatus), OrdStatus),
    )
    patience = 100

    def __init__(self, path: Path | None) -> None:
        self.clock = ManualClock()
        self._config = PaperConfig(path=path, latency_ns=LATENCY_NS, faults=FaultConfig(late_ns=SECOND_NS), cash=CASH)
        self.broker: PaperBroker | None = None
        self._asked: Counter[str] = Counter()

    def adapter(self) -> Broker:
        self.broker = _Counting(self._config, self.clock, self._asked)
        share = stock(self.symbol, fee_per_share="0.00137", shortable=True)
        listed = msgspec.structs.replace(share, tick=TICK, lot=STEP, min_qty=STEP, session=SESSION, settles_t1=True)
        self.broker.list_instruments([listed])
        self._open_day()
        self.broker.on_quote(self._quote("9.00", "11.00", 1_000_000))
        return self.broker

    def _open_day(self) -> None:
        """The trading day that it is by the clock: half of each day the market is open."""
        assert self.broker is not None
        number = (self.clock.now() - T0) // DAY_NS
        opens = UtcNs(T0 + number * DAY_NS)
        self.broker.open_day(SESSION, DAYS[number], [(opens, UtcNs(opens + DAY_NS // 2))])

    async def settle(self) -> None:
        await self.wait(STEP_NS)

    async def wait(self, ns: int) -> None:
        await self.clock.move_to(UtcNs(self.clock.now() + ns))

    async def books(self) -> VenueBooks:
        books = (await self._live())._books
        return VenueBooks(
            orders=tuple(
                VenueOrder(
                    o.order_id, o.cl_ord_id, o.symbol, o.side, o.order_qty, Qty(o.cum_qty), o.price,
                    f"{o.ord_type.value} {o.tif.value}", o.ord_status,
                )
                for o in books.orders.values()
                if o.ord_status is not OrdStatus.REJECTED
            ),
            executions=tuple(
                VenueExecution(
                    e.exec_id, e.order_id or OrderID(""), e.cl_ord_id, e.symbol, e.side, e.last_qty, e.last_px, e.commission,
                    e.transact_at or UtcNs(0), e.trading_day,
                )
                for e in books.executions.values()
            ),
            positions={p.symbol: p.long_qty - p.short_qty for p in books.positions.values()},
            sellable={p.symbol: p.long_yesterday for p in books.positions.values() if p.long_qty},
            costs={p.symbol: p.long_cost for p in books.positions.values() if p.long_qty},
            cash={Currency(c.currency): c.balance for c in books.cash.values()},
            available={Currency(c.currency): c.available for c in books.cash.values()},
            trading_day=books.latest_day(),
            as_of=self.clock.now(),
        )  # fmt: skip

    def asked(self, what: str) -> int:
        return self._asked[what]

    def turned_away(self) -> int:
        raise AssertionError("the paper broker declares no rate")

    async def fill(self, cl_ord_id: str, qty: Qty, px: Px) -> ExecID:
        """An offer, or for a sell a bid, of that size at the order's limit; a better price is somebody's gift."""
        broker = await self._live()
        order = broker._books.known(ClOrdID(cl_ord_id))
        assert order is not None
        bid, ask = ("9.00", f"{px:f}") if order.side is Side.BUY else (f"{px:f}", "13.00")
        if px == order.price:
            broker.on_quote(self._quote(bid, ask, qty))
            broker.on_quote(self._quote("9.00", "11.00", 1_000_000))
        else:
            broker._matching.fill(order, qty, px, self.clock.now())
            broker._finish()
        execution = next(reversed(broker._books.executions.values()))
        assert (execution.cl_ord_id, execution.last_qty, execution.last_px) == (ClOrdID(cl_ord_id), qty, px)
        return execution.exec_id

    async def fill_by_hand(self, qty: Qty, px: Px) -> ExecID:
        broker = await self._live()
        broker.act_by_hand(self.symbol, Side.BUY, qty, price=px, filled_at=px)
        return next(reversed(broker._books.executions.values())).exec_id

    async def order_by_hand(self) -> OrderID:
        return (await self._live()).act_by_hand(self.symbol, Side.BUY, self.qty, price=self.resting_px)

    async def pay_for_next_fill(self) -> None:
        raise AssertionError("the paper broker declares no rebates")

    async def redeliver(self, exec_id: ExecID) -> None:
        (await self._live()).redeliver(exec_id)

    async def bust(self, exec_id: ExecID) -> None:
        (await self._live()).bust(exec_id)

    async def correct(self, exec_id: ExecID, qty: Qty, px: Px) -> None:
        (await self._live()).correct(exec_id, qty, px)

    async def cancel_unasked(self, cl_ord_id: str) -> None:
        broker = await self._live()
        order = broker._books.known(ClOrdID(cl_ord_id))
        assert order is not None
        broker.cancel_unasked(order.order_id)

    async def hold_cancels(self) -> None:
        """A cancel takes the latency to reach the market, and no time passes by itself."""

    async def let_cancels(self) -> None:
        await self.wait(LATENCY_NS)

    async def lose_next_ack(self) -> None:
        await self._arm(Fault.DROP_ACK)

    async def lose_next_fill(self) -> None:
        await self._arm(Fault.LOSE_EXECUTION)

    async def swap_next_reports(self) -> None:
        await self._arm(Fault.REORDER_REPORT)

    async def garble_next_report(self) -> None:
        """A report of this broker is an object of ours from the start: what could not be read would have ended the session."""
        await self.cut()

    async def garble_next_books(self) -> None:
        """Nor are its books written in anything but our own words."""
        await self.cut()

    async def fall_silent(self) -> None:
        """Between it and its adapter there is no connection that could stand and be silent."""
        await self.cut()

    async def cut(self) -> None:
        (await self._live()).disconnect()

    async def restore(self) -> None:
        (await self._live()).reconnect()

    async def lose_next_answer(self) -> None:
        await self._arm(Fault.REPLY_LOST)

    async def swallow_next_answer(self) -> None:
        """There are no bytes between this broker and its adapter: an answer that is lost is all that can go wrong with one."""
        await self._arm(Fault.REPLY_LOST)

    async def garble_next_answer(self) -> None:
        await self._arm(Fault.REPLY_LOST)

    async def delay_next_order(self) -> None:
        await self._arm(Fault.REQUEST_LATE)

    async def begin_next_day(self) -> None:
        """The same hour of the next day."""
        await self.wait(DAY_NS)
        await self._live()
        self._open_day()
        assert self.broker is not None
        self.broker.on_quote(self._quote("9.00", "11.00", 1_000_000))

    async def _live(self) -> PaperBroker:
        """The broker; where its adapter was closed, one that another process opened on the same books."""
        assert self.broker is not None
        if self.broker._closed:
            self.adapter()
            await self.broker.connect(lambda _: None)
        return self.broker

    async def _arm(self, fault: Fault) -> None:
        (await self._live())._faults = FaultSource(FaultConfig(script=(Scripted(fault, 1),)))

    def _quote(self, bid: str, ask: str, size: Decimal | int) -> Quote:
        made, size = quote(0, bid, ask, symbol=self.symbol), Qty(Decimal(size))
        return Quote(made.symbol, self.clock.now(), made.bid, made.ask, size, size)


@asynccontextmanager
async def a_paper_broker(path: Path | None) -> AsyncIterator[PaperContractVenue]:
    """The venue, whose books are let go of at the end."""
    venue = PaperContractVenue(path)
    try:
        yield venue
    finally:
        if venue.broker is not None:
            await venue.broker.close()
