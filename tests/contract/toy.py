"""The template adapter's venue for the contract: the toy over real sockets on the loopback, in the test's own loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import msgspec

from tradeloop.brokers._template import Secret, TemplateBroker, TemplateConfig, words
from tradeloop.brokers._template.adapter import CAPABILITIES
from tradeloop.core.capabilities import Capabilities, Dedupes
from tradeloop.core.types import (
    AccountID,
    ClOrdID,
    Currency,
    ExecID,
    OrderID,
    OrdStatus,
    OrdType,
    Px,
    Qty,
    Side,
    Symbol,
    TradingDay,
    UtcNs,
)
from tradeloop.engine.clock import WallClock
from tradeloop.ports.broker import Broker
from tradeloop.testing.broker_contract import Table, VenueBooks, VenueExecution, VenueOrder
from tradeloop.venues.toy import ToyRules, ToyServer
from tradeloop.venues.toy.faults import Fault

MS = 1_000_000
ANSWER_WITHIN_NS = 500 * MS
LIFETIME_NS = 500 * MS
HEARTBEAT_NS = 300 * MS
LATE_NS = 750 * MS
"""Long enough for a busy machine, short enough to wait for: some cards wait until an answer has not come."""
TYPES = {"MKT": OrdType.MARKET, "LMT": OrdType.LIMIT}
STATUSES = {
    "working": OrdStatus.NEW, "part": OrdStatus.PARTIALLY_FILLED, "done": OrdStatus.FILLED, "gone": OrdStatus.CANCELED,
    "lapsed": OrdStatus.EXPIRED,
}  # fmt: skip
FEE_PER_UNIT = Decimal("0.00137")
CASH = Decimal(50_000)
"""So little that the balance, with every digit of a fill of half a unit, is a number that the adapter takes (`exact`)."""
TROUBLES = (
    "UNKNOWN_SYMBOL", "UNKNOWN_ACCOUNT", "UNKNOWN_ORDER", "BAD_ID", "BAD_TERMS", "BAD_QTY", "BAD_PX", "BAD_REQUEST", "NO_CASH",
    "TOO_LATE", "TOO_LITTLE", "DUPLICATE_ID", "REQUEST_EXPIRED", "NO_SESSION", "BAD_LOGIN", "TOO_FAST",
)  # fmt: skip
"""What the venue's README says it may answer; a test of the toy holds the two together."""


class ToyContractVenue:
    """The toy as the contract drives it. Its books are read from the venue, never from the adapter."""

    account = AccountID("demo")
    symbol = Symbol("ACME.US")
    unlisted = Symbol("NOPE.US")
    qty = Qty(Decimal(100))
    fraction = Qty(Decimal("0.5"))
    resting_px = Px(Decimal("9.87654321"))
    asking_px = Px(Decimal("10.87"))
    counts = True
    secrets = ("toy-token",)
    tables: tuple[Table, ...] = (
        Table("side", ("B", "S"), lambda word: words.ours(words.SIDES, word, "the side")),
        Table("type", ("MKT", "LMT"), lambda word: words.ours(words.TYPES, word, "the type")),
        Table("time in force", ("DAY", "GTC", "IOC", "FOK"), lambda word: words.ours(words.TIFS, word, "the tif")),
        Table("status", ("working", "part", "done", "gone", "lapsed"), lambda w: words.ours(words.STATUSES, w, "the status")),
        Table("code", TROUBLES, lambda word: words.ours(words.TROUBLES, word, "the code")),
    )

    lives_ns = LIFETIME_NS

    def __init__(self, server: ToyServer, clock: WallClock, capabilities: Capabilities, patience: int) -> None:
        self.server = server
        self.toy = server.venue
        self.clock = clock
        self.capabilities = capabilities
        self.patience = patience
        self.adapters: list[TemplateBroker] = []

    def adapter(self) -> Broker:
        config = TemplateConfig(
            port=self.server.port, token=Secret("toy-token"), answer_within_ns=ANSWER_WITHIN_NS, lives_ns=self.lives_ns,
            backoff_s=(0.005,), heartbeat_ns=HEARTBEAT_NS, connect_within_ns=ANSWER_WITHIN_NS,
        )  # fmt: skip
        self.adapters.append(TemplateBroker(config, self.clock, self.capabilities))
        return self.adapters[-1]

    async def settle(self) -> None:
        await asyncio.sleep(0.004)

    async def wait(self, ns: int) -> None:
        await asyncio.sleep(ns / 1e9)

    async def books(self) -> VenueBooks:
        books = self.toy.books
        return VenueBooks(
            orders=tuple(
                VenueOrder(
                    OrderID(o.order_id), None if o.cl_ord_id is None else ClOrdID(o.cl_ord_id), _symbol(o.symbol),
                    _side(o.side), Qty(o.qty), Qty(o.cum), None if o.px is None else Px(o.px), f"{TYPES[o.type].value} {o.tif}",
                    STATUSES[o.status],
                )
                for o in books.orders.values()
            ),
            executions=tuple(
                VenueExecution(
                    ExecID(t.exec_id), OrderID(t.order_id), None if t.cl_ord_id is None else ClOrdID(t.cl_ord_id),
                    _symbol(t.symbol), _side(t.side), Qty(t.qty), Px(t.px), t.fee, UtcNs(t.at), TradingDay(t.day),
                )
                for t in books.trades.values()
                if not t.busted
            ),
            positions={_symbol(s): q for s, q in books.positions.items()},
            sellable={_symbol(s): self.toy.sellable(s) for s, q in books.positions.items() if q},
            costs={_symbol(s): None for s, q in books.positions.items() if q},
            cash={Currency("USD"): books.cash, **{Currency(name): held for name, held in self.toy.rules.other_cash}},
            available=dict.fromkeys((Currency("USD"), *(Currency(name) for name, _ in self.toy.rules.other_cash))),
            trading_day=TradingDay(books.day),
            as_of=self.clock.now(),
        )  # fmt: skip

    def turned_away(self) -> int:
        return self.toy.turned_away

    def asked(self, what: str) -> int:
        return self.toy.asked[what]

    async def fill(self, cl_ord_id: str, qty: Qty, px: Px) -> ExecID:
        return ExecID(self.toy.fill(cl_ord_id, qty, px).exec_id)

    async def fill_by_hand(self, qty: Qty, px: Px) -> ExecID:
        self.toy.by_hand("US:ACME", "B", qty, px)
        return ExecID(next(reversed(self.toy.books.trades)))

    async def order_by_hand(self) -> OrderID:
        return OrderID(self.toy.by_hand("US:ACME", "B", self.qty, self.resting_px, filled=False).order_id)

    async def pay_for_next_fill(self) -> None:
        self.toy.pay_for_next_trade()

    async def redeliver(self, exec_id: ExecID) -> None:
        self.toy.redeliver(exec_id)

    async def bust(self, exec_id: ExecID) -> None:
        self.toy.bust(exec_id)

    async def correct(self, exec_id: ExecID, qty: Qty, px: Px) -> None:
        self.toy.correct(exec_id, qty, px)

    async def cancel_unasked(self, cl_ord_id: str) -> None:
        self.toy.cancel_unasked(cl_ord_id)

    async def hold_cancels(self) -> None:
        self.toy.hold_cancels()

    async def let_cancels(self) -> None:
        self.toy.let_cancels()

    async def lose_next_ack(self) -> None:
        self.toy.faults.arm(Fault.LOSE_ACK)

    async def lose_next_fill(self) -> None:
        self.toy.faults.arm(Fault.LOSE_TRADE)

    async def swap_next_reports(self) -> None:
        self.toy.faults.arm(Fault.SWAP)

    async def garble_next_report(self) -> None:
        self.toy.faults.arm(Fault.MUMBLE)

    async def garble_next_books(self) -> None:
        self.toy.faults.arm(Fault.SCRAMBLE)

    async def fall_silent(self) -> None:
        self.server.is_silent = True

    async def cut(self) -> None:
        self.server.shut()
        while any(adapter.is_connected for adapter in self.adapters):
            await self.settle()

    async def restore(self) -> None:
        self.server.open()
        for _ in range(self.patience):
            if self.server.sessions:
                break
            await self.settle()
        await self.settle()

    async def lose_next_answer(self) -> None:
        self.toy.faults.arm(Fault.CUT_AFTER)

    async def swallow_next_answer(self) -> None:
        self.toy.faults.arm(Fault.SWALLOW)

    async def garble_next_answer(self) -> None:
        self.toy.faults.arm(Fault.GARBLE)

    async def delay_next_order(self) -> None:
        self.toy.faults.arm(Fault.LATE)

    async def begin_next_day(self) -> None:
        self.toy.next_day("2026-07-20")


def able(**changes: Any) -> Capabilities:
    """What the template declares at a toy that is quick to forget a late request, changed as told."""
    fields: dict[str, Any] = {"request_lifetime_ns": LIFETIME_NS, "visibility_lag_ns": 10 * MS, "rate_per_second": 40}
    return msgspec.structs.replace(CAPABILITIES, **(fields | changes))


@asynccontextmanager
async def a_toy(
    *,
    dedupes: Dedupes = Dedupes.FOR_EVER,
    orders_complete: bool = True,
    replays: bool = False,
    patience: int = 250,
    late_ns: int = LATE_NS,
    lag_ns: int = 0,
    step: Decimal = Decimal("0.5"),
    other_cash: tuple[tuple[str, Decimal], ...] = (("EUR", Decimal("5000.25")),),
    kind: type[ToyContractVenue] = ToyContractVenue,
    said: dict[str, Any] | None = None,
) -> AsyncIterator[ToyContractVenue]:
    """A toy with these rules, and an adapter that declares the same unless `said` has it otherwise."""
    clock = WallClock()
    rules = ToyRules(
        dedupes=dedupes, orders_complete=orders_complete, replays=replays, rate_per_second=40, late_ns=late_ns, lag_ns=lag_ns,
        fee_per_unit=FEE_PER_UNIT, settles_t1=True, step=step, cash=CASH,
        other_cash=other_cash,
    )  # fmt: skip
    server = ToyServer(rules, clock)
    await server.start()
    true = {"dedupes": dedupes, "orders_complete": orders_complete, "stream_replay": replays}
    try:
        yield kind(server, clock, able(**(true | (said or {}))), patience)
    finally:
        await server.stop()


def _symbol(written: str) -> Symbol:
    return Symbol(".".join(reversed(written.split(":"))))


def _side(written: str) -> Side:
    return Side.BUY if written == "B" else Side.SELL
