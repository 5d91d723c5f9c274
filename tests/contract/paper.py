"""The paper broker's venue for the contract: the broker itself, told what to do through its market and its faults.

Fills come from quotes, as they do for everybody else; its books are read from the books, not through the port.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

from tests.brokers.paper.made import ManualClock, quote, stock

from tradeloop.brokers.paper import Fault, FaultConfig, PaperBroker, PaperConfig, Scripted
from tradeloop.brokers.paper.faults import FaultSource
from tradeloop.brokers.paper.words import MEANING, Code
from tradeloop.core.reports import Quote
from tradeloop.core.types import (
    SECOND_NS,
    AccountID,
    ClOrdID,
    Currency,
    ExecID,
    OrderID,
    OrdStatus,
    Px,
    Qty,
    Side,
    Symbol,
    UtcNs,
)
from tradeloop.ports.broker import Broker
from tradeloop.testing.broker_contract import Table, VenueBooks, VenueExecution, VenueOrder

LATENCY_NS = 20_000_000
STEP_NS = 25_000_000
DAY_NS = 86_400 * SECOND_NS


class PaperContractVenue:
    """A paper broker that lists ACME at 9.00 / 11.00, on a clock that moves when somebody waits."""

    account = AccountID("paper")
    symbol = Symbol("ACME.US")
    unlisted = Symbol("NOPE.US")
    qty = Qty(Decimal(100))
    resting_px = Px(Decimal("9.87"))
    secrets = ()
    tables = (
        Table("code", tuple(code.value for code in Code), lambda word: MEANING[Code(word)]),
        Table("status", tuple(status.value for status in OrdStatus), OrdStatus),
    )
    patience = 100

    def __init__(self, path: Path | None) -> None:
        self.clock = ManualClock()
        self._config = PaperConfig(path=path, latency_ns=LATENCY_NS, faults=FaultConfig(late_ns=SECOND_NS))
        self.broker: PaperBroker | None = None

    def adapter(self) -> Broker:
        self.broker = PaperBroker(self._config, self.clock)
        self.broker.list_instruments([stock(self.symbol, fee_per_share="0.01")])
        self.broker.on_quote(self._quote("9.00", "11.00", 1_000_000))
        return self.broker

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
                    f"{o.ord_type.value} {o.tif.value}", o.is_working,
                )
                for o in books.orders.values()
                if o.ord_status is not OrdStatus.REJECTED
            ),
            executions=tuple(
                VenueExecution(
                    e.exec_id, e.order_id or OrderID(""), e.cl_ord_id, e.symbol, e.side, e.last_qty, e.last_px, e.commission,
                    e.transact_at or UtcNs(0),
                )
                for e in books.executions.values()
            ),
            positions={p.symbol: p.long_qty - p.short_qty for p in books.positions.values()},
            cash={Currency(c.currency): c.balance for c in books.cash.values()},
        )  # fmt: skip

    def turned_away(self) -> int:
        raise AssertionError("the paper broker declares no rate")

    async def fill(self, cl_ord_id: str, qty: Qty, px: Px) -> ExecID:
        """An offer of that size at that price: the oldest order that it satisfies takes it."""
        broker = await self._live()
        broker.on_quote(self._quote("9.00", str(px), int(qty)))
        broker.on_quote(self._quote("9.00", "11.00", 1_000_000))
        execution = next(reversed(broker._books.executions.values()))
        assert (execution.cl_ord_id, execution.last_qty) == (ClOrdID(cl_ord_id), qty)
        return execution.exec_id

    async def fill_by_hand(self, qty: Qty, px: Px) -> ExecID:
        broker = await self._live()
        broker.act_by_hand(self.symbol, Side.BUY, qty, price=px, filled_at=px)
        return next(reversed(broker._books.executions.values())).exec_id

    async def order_by_hand(self) -> OrderID:
        return (await self._live()).act_by_hand(self.symbol, Side.BUY, self.qty, price=self.resting_px)

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
        await self.wait(DAY_NS)

    async def _live(self) -> PaperBroker:
        """The broker; where its adapter was closed, one that another process opened on the same books."""
        assert self.broker is not None
        if self.broker._closed:
            self.adapter()
            await self.broker.connect(lambda _: None)
        return self.broker

    async def _arm(self, fault: Fault) -> None:
        (await self._live())._faults = FaultSource(FaultConfig(script=(Scripted(fault, 1),)))

    def _quote(self, bid: str, ask: str, size: int) -> Quote:
        made = quote(0, bid, ask, bid_size=size, ask_size=size, symbol=self.symbol)
        return Quote(made.symbol, self.clock.now(), made.bid, made.ask, made.bid_size, made.ask_size)


@asynccontextmanager
async def a_paper_broker(path: Path | None) -> AsyncIterator[PaperContractVenue]:
    """The venue, whose books are let go of at the end."""
    venue = PaperContractVenue(path)
    try:
        yield venue
    finally:
        if venue.broker is not None:
            await venue.broker.close()
