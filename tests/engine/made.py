"""What the engine's tests are made of: a clock that tests move, a venue with its own books, a journal that tells what happened.

A `House` is what outlives a process: the disk, the venue, the time. Engines are started in it, stopped, and killed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import TypeVar

import msgspec
from typing_extensions import override

from tradeloop.core.capabilities import Capabilities
from tradeloop.core.commands import Command, ListInstruments, OpenTradingDay
from tradeloop.core.effects import RaiseAlert
from tradeloop.core.errors import FateUnknown, NotSent, Refused
from tradeloop.core.events import Event
from tradeloop.core.evolve import evolve
from tradeloop.core.instrument import Instrument
from tradeloop.core.order import Order
from tradeloop.core.replacement import Replacement
from tradeloop.core.replies import OrderReply, Reply
from tradeloop.core.reports import (
    BrokerDown,
    BrokerSnapshot,
    BrokerUp,
    CancelAck,
    Execution,
    OpenOrder,
    OrderAck,
    ReplaceAck,
    ReplaceReject,
    Report,
)
from tradeloop.core.risk.approved import Approved
from tradeloop.core.state import State
from tradeloop.core.surroundings import Policy
from tradeloop.core.types import SECOND_NS, AccountID, ClOrdID, OrderID, OrdStatus, Px, Qty, Side, Symbol, UtcNs
from tradeloop.engine.engine import Engine
from tradeloop.journal import codec
from tradeloop.journal.memory import MemoryJournal, MemoryStore
from tradeloop.ports.journal import Batch
from tradeloop.ports.latch import Latch
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, NOON, a_quote, a_snapshot, an_execution, an_instrument
from tradeloop.testing.desk import ABLE

A, B = Symbol("600001.SH"), Symbol("600002.SH")
E = TypeVar("E")


async def settle() -> None:
    """Let everything that can run, run; time stands."""
    for _ in range(60):
        await asyncio.sleep(0)


class ManualClock:
    """Time stands until a test moves it; sleepers then wake in the order of their time."""

    def __init__(self, now: UtcNs = NOON) -> None:
        self._now = now
        self._set_by = 0
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> UtcNs:
        return self._now

    def elapsed(self) -> int:
        return self._now - self._set_by

    async def set_forward(self, seconds: float) -> None:
        """Somebody sets it: no time has gone by."""
        self._set_by += int(seconds * SECOND_NS)
        await self.forward(seconds)

    async def sleep_until(self, due: UtcNs) -> None:
        if due > self._now:
            self._count += 1
            waking: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._sleepers.append((due, self._count, waking))
            await waking
        await asyncio.sleep(0)

    async def forward(self, seconds: float) -> None:
        """Pass through every due time on the way, and let the woken act before time goes on."""
        await settle()
        end = self._now + int(seconds * SECOND_NS)
        while True:
            self._sleepers = [sleeper for sleeper in self._sleepers if not sleeper[2].done()]
            due = min((sleeper[0] for sleeper in self._sleepers), default=end + 1)
            if due > end:
                break
            self._now = UtcNs(max(due, self._now))
            for at, _, waking in sorted(self._sleepers, key=lambda sleeper: sleeper[:2]):
                if at <= self._now and not waking.done():
                    waking.set_result(None)
            await settle()
        self._now = UtcNs(end)
        await settle()


class Venue:
    """A broker in this process with books of its own: it acknowledges at once, and fills when a test says so.

    `moods` answers the next requests in turn: an exception is raised instead of taking the order, one in a tuple after taking
    it (the answer was lost), an asyncio.Event is waited for first, "hang" never returns.
    """

    name = BROKER
    account: AccountID = ACCOUNT

    def __init__(self, cash: int = 1_000_000, capabilities: Capabilities = ABLE) -> None:
        self.capabilities = capabilities
        self.cash = Decimal(cash)
        self.positions: dict[str, Decimal] = {}
        self.orders: dict[ClOrdID, OpenOrder] = {}
        self.fills: list[Execution] = []
        self.placed: list[ClOrdID] = []
        self.canceled: list[ClOrdID] = []
        self.replaced: list[tuple[ClOrdID, int]] = []
        self.snapshots = 0
        self.moods: list[object] = []
        self.unreadable = 0
        self.reading: asyncio.Event | None = None
        self.silent = False
        self.up = True
        self.connected = False
        self.on_place: Callable[[Order], None] = lambda order: None
        self._report: Callable[[Report], None] = lambda report: None
        self.clock = ManualClock()

    async def connect(self, report: Callable[[Report], None]) -> None:
        self._report = report
        if self.up:
            self.come_up()

    def come_up(self) -> None:
        """The session is established."""
        self.connected = self.up = True
        self._report(BrokerUp(BROKER))

    def go_down(self) -> None:
        """The session is lost."""
        self.connected = self.up = False
        self._report(BrokerDown(BROKER, "reset"))

    async def close(self) -> None:
        self.connected = False
        self._report = lambda report: None

    async def place(self, order: Approved[Order]) -> None:
        it = order.order
        self.on_place(it)
        self.placed.append(it.cl_ord_id)
        mood = self.moods.pop(0) if self.moods else None
        if not self.connected:
            raise NotSent("not connected")
        if mood == "hang":
            await asyncio.Event().wait()
        if isinstance(mood, asyncio.Event):
            await mood.wait()
        if isinstance(mood, Exception):
            raise mood
        self.orders[it.cl_ord_id] = OpenOrder(
            ACCOUNT,
            it.symbol,
            it.side,
            it.order_qty,
            Qty(Decimal(0)),
            OrdStatus.NEW,
            OrderID(f"v{len(self.orders) + 1}"),
            it.cl_ord_id,
            it.price,
        )
        if isinstance(mood, tuple):
            raise mood[0]
        if not self.silent:
            self._report(OrderAck(BROKER, it.cl_ord_id, self.orders[it.cl_ord_id].order_id))

    async def cancel(self, cl_ord_id: ClOrdID, order_id: OrderID | None, symbol: Symbol) -> None:
        if not self.connected:
            raise NotSent("not connected")
        self.canceled.append(cl_ord_id)
        mood = self.moods.pop(0) if self.moods else None
        if isinstance(mood, Exception):
            raise mood
        order = self.orders.get(cl_ord_id)
        if order is None:
            raise Refused("404", "no such order")
        self.orders[cl_ord_id] = _changed(order, ord_status=OrdStatus.CANCELED)
        self._report(CancelAck(BROKER, cl_ord_id))

    async def replace(self, change: Approved[Replacement]) -> None:
        """Take other terms in full at once; `moods` as in place."""
        it = change.order
        if not self.connected:
            raise NotSent("not connected")
        self.replaced.append((it.cl_ord_id, it.number))
        mood = self.moods.pop(0) if self.moods else None
        if mood == "hang":
            await asyncio.Event().wait()
        if isinstance(mood, asyncio.Event):
            await mood.wait()
        if isinstance(mood, Exception):
            raise mood
        order = self.orders[it.cl_ord_id]
        if order.ord_status not in (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED):
            self._report(ReplaceReject(BROKER, it.cl_ord_id, "0", "too late", it.number))
            return
        changed = self.orders[it.cl_ord_id] = _changed(order, order_qty=it.order_qty, price=it.price)
        if isinstance(mood, tuple):
            raise mood[0]
        if not self.silent:
            self._report(ReplaceAck(BROKER, it.cl_ord_id, changed.order_qty, changed.price, it.stop_px, it.number))

    async def snapshot(self, executions_since: UtcNs | None = None) -> BrokerSnapshot:
        self.snapshots += 1
        if not self.connected or self.unreadable:
            self.unreadable = max(self.unreadable - 1, 0)
            raise NotSent("the books cannot be read")
        books = self.books()
        if self.reading is not None:
            await self.reading.wait()
        return books

    def books(self) -> BrokerSnapshot:
        """What the venue's books say now."""
        return a_snapshot(
            cash=self.cash,
            positions={symbol: qty for symbol, qty in self.positions.items() if qty},
            orders=tuple(self.orders.values()),
            executions=tuple(self.fills),
            as_of=self.clock.now(),
        )

    def fill(self, cl_ord_id: ClOrdID, qty: int | None = None, px: str = "10", *, heard: bool = True) -> Execution:
        """Trade an order in the venue's books, and report it unless nobody is to hear of it."""
        order = self.orders[cl_ord_id]
        traded = Qty(Decimal(qty) if qty is not None else order.order_qty - order.cum_qty)
        cum = Qty(order.cum_qty + traded)
        status = OrdStatus.FILLED if cum == order.order_qty else OrdStatus.PARTIALLY_FILLED
        self.orders[cl_ord_id] = _changed(order, cum_qty=cum, ord_status=status)
        fill = an_execution(cl_ord_id, order.symbol, order.side, traded, px, f"x{len(self.fills) + 1}", order_id=order.order_id)
        self.fills.append(fill)
        sign = 1 if order.side is Side.BUY else -1
        self.positions[order.symbol] = self.positions.get(order.symbol, Decimal(0)) + sign * traded
        self.cash -= sign * traded * Px(Decimal(px))
        if heard:
            self._report(fill)
        return fill


class PacedVenue(Venue):
    """A venue that takes so many requests a second and remembers when each came."""

    def __init__(self, rate: int, cash: int = 10_000_000) -> None:
        super().__init__(cash)
        self.capabilities = msgspec.structs.replace(self.capabilities, rate_per_second=rate)
        self.came: list[UtcNs] = []
        self.on_place = self._count

    def _count(self, _: Order) -> None:
        self.came.append(self.clock.now())

    @override
    async def cancel(self, cl_ord_id: ClOrdID, order_id: OrderID | None, symbol: Symbol) -> None:
        self.came.append(self.clock.now())
        await super().cancel(cl_ord_id, order_id, symbol)

    @override
    async def replace(self, change: Approved[Replacement]) -> None:
        self.came.append(self.clock.now())
        await super().replace(change)

    @property
    def most_in_a_second(self) -> int:
        """The most requests that came in any second."""
        return max(sum(at <= other < at + SECOND_NS for other in self.came) for at in self.came)


def _changed(order: OpenOrder, **fields: object) -> OpenOrder:
    return msgspec.structs.replace(order, **fields)


class TellingJournal:
    """A memory journal that writes down when an append begins and when it is durable, waits for `gate`, and fails on demand."""

    def __init__(self, store: MemoryStore, happened: list[str]) -> None:
        inner = MemoryJournal(store)
        self._append = inner.append
        self.open, self.close, self.acquire, self.renew, self.release = (
            inner.open,
            inner.close,
            inner.acquire,
            inner.renew,
            inner.release,
        )
        self.head, self.read = inner.head, inner.read
        self.save_snapshot, self.load_snapshots = inner.save_snapshot, inner.load_snapshots
        self.happened = happened
        self.gate = asyncio.Event()
        self.gate.set()
        self.fails: Exception | None = None
        self.appends = 0

    async def append(self, *batches: Batch) -> None:
        """Keep the rows, when the gate is open and no failure is ordered."""
        self.appends += 1
        names = " ".join(type(event).__name__ for batch in batches for event in codec.decode(batch.payload))
        self.happened.append(f"append {names}")
        await self.gate.wait()
        if self.fails is not None:
            raise self.fails
        await self._append(*batches)
        self.happened.append(f"durable {names}")


class House:
    """The disk, the venue and the time; engines come and go."""

    def __init__(self, *instruments: Instrument, policy: Policy | None = None, cash: int = 1_000_000) -> None:
        self.store = MemoryStore()
        self.clock = ManualClock()
        self.venue = Venue(cash)
        self.venue.clock = self.clock
        self.policy = policy or Policy()
        self.instruments = instruments or (an_instrument(A), an_instrument(B))
        self.alerts: list[RaiseAlert] = []
        self.happened: list[str] = []
        self.journal = TellingJournal(self.store, self.happened)

    def engine(self, latch: Latch | None = None) -> Engine:
        """A new process, not started."""
        self.journal = TellingJournal(self.store, self.happened)
        return Engine(
            journal=self.journal,
            codec=codec,
            clock=self.clock,
            brokers={BROKER: self.venue},
            policy=self.policy,
            group="t1",
            owner="test",
            version="test",
            alert=self.alerts.append,
            latch=latch,
        )

    async def open(self, engine: Engine | None = None) -> Engine:
        """A started engine: READY, market open, everything quoted."""
        engine = engine or self.engine()
        self.quote(engine)
        await engine.start()
        await settle()
        day = ((UtcNs(NOON - 3600 * SECOND_NS), UtcNs(NOON + 86400 * SECOND_NS)),)
        await engine.ask(ListInstruments(self.instruments))
        await engine.ask(OpenTradingDay("CN_A", DAY, day))
        self.quote(engine)
        await settle()
        return engine

    def quote(self, engine: Engine) -> None:
        """A fresh quote of everything."""
        for instrument in self.instruments:
            engine.quote(a_quote(instrument.symbol, at=self.clock.now()))

    async def kill(self, engine: Engine) -> None:
        """The process is gone: no snapshot, no goodbye; what its lock held is free."""
        running, dispatch, writer = engine._running, engine._dispatch, engine._writer
        assert running is not None
        assert dispatch is not None
        assert writer is not None
        await self.venue.close()
        tasks = [running, *dispatch._tasks]
        if writer._committing is not None:
            tasks.append(writer._committing)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.store.holder = None

    @property
    def durable(self) -> list[Event]:
        """Every event on the disk."""
        return [event for row in self.store.rows for event in codec.decode(row.payload)]

    def replayed(self) -> str:
        """The hash of the state that the disk makes."""
        state = State()
        for event in self.durable:
            evolve(state, event)
        return state.hash()

    def on_disk(self, kind: type[E]) -> list[E]:
        """The durable events of one kind."""
        return [event for event in self.durable if isinstance(event, kind)]


async def placed(engine: Engine, command: Command) -> ClOrdID:
    """The id of an order that was accepted, when everything about it has settled."""
    reply = await engine.ask(command)
    assert isinstance(reply, OrderReply)
    assert reply.denied is None, reply.denied
    await settle()
    return reply.cl_ord_id


async def outcome(reply: Awaitable[Reply]) -> Reply | BaseException:
    """The reply, or what was raised instead."""
    (result,) = await asyncio.gather(reply, return_exceptions=True)
    return result


def order_of(engine: Engine, cl_ord_id: ClOrdID) -> Order:
    """The order as the engine has it."""
    order = engine.state.orders.get(cl_ord_id)
    assert order is not None
    return order


def lost(text: str = "reset after the first byte") -> FateUnknown:
    """The wire failed after the order may have left."""
    return FateUnknown(text)


def only(items: Sequence[E]) -> E:
    """The one item."""
    (item,) = items
    return item
