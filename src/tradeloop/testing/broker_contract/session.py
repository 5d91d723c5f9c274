"""One adapter at work in a test: connected, listened to, with orders placed through the port.

A card asks only for what it promises. So nothing here waits for an ack: an order counts as working once it stands in the
venue's own books.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from threading import get_ident
from typing import Any, Final, TypeVar

import msgspec
import pytest

from tradeloop.core.errors import FateUnknown, NotSent, Refused
from tradeloop.core.execution import exec_key
from tradeloop.core.order import Order
from tradeloop.core.replacement import Asked, Terms
from tradeloop.core.reports import BrokerDown, BrokerSnapshot, BrokerUp, Execution, OrderReject, Report
from tradeloop.core.risk.pipeline import approved, approved_change
from tradeloop.core.types import (
    ZERO,
    Amount,
    ClOrdID,
    ExecID,
    OrderID,
    OrdType,
    PositionEffect,
    Px,
    Qty,
    Side,
    TimeInForce,
    TradingDay,
    UtcNs,
)
from tradeloop.ports.broker import Broker
from tradeloop.testing.broker_contract.venue import ContractVenue, VenueExecution

R = TypeVar("R")

STEP: Final = Decimal("0.50")
"""How much better a price the suite has in mind than the limit; a multiple of every ordinary tick."""
FATES: Final = (NotSent, Refused, FateUnknown)
STAGED_AT: Final = UtcNs(1_784_253_600_000_000_000)


class Session:
    """An adapter, what it reported, and the venue behind it."""

    def __init__(self, broker: Broker, venue: ContractVenue) -> None:
        self.broker = broker
        self.venue = venue
        self.heard: list[Report] = []
        self.threads: set[int] = set()

    def hear(self, report: Report) -> None:
        """What the adapter is given to report to."""
        self.threads.add(get_ident())
        self.heard.append(report)

    # --- orders

    def order(self, cl_ord_id: str, *, qty: Qty | None = None, px: Px | None = None, **changes: Any) -> Order:
        """A resting limit buy for the day, changed as told."""
        fields: dict[str, Any] = {
            "cl_ord_id": ClOrdID(cl_ord_id),
            "broker": self.broker.name,
            "account": self.broker.account,
            "symbol": self.venue.symbol,
            "side": Side.BUY,
            "order_qty": self.venue.qty if qty is None else qty,
            "ord_type": OrdType.LIMIT,
            "price": self.venue.resting_px if px is None else px,
            "stop_px": None,
            "tif": TimeInForce.DAY,
            "position_effect": PositionEffect.AUTO,
            "trading_day": TradingDay("2026-07-17"),
            "by": "contract",
            "risk_version": "1",
            "staged_at": STAGED_AT,
        }
        fields.update(changes)
        return Order(**fields)

    async def place(self, order: Order) -> None:
        """Through the port, as dispatch would."""
        await self.broker.place(approved(order))

    async def fate(self, order: Order) -> Exception | None:
        """What `place` raised, None where it returned. Anything but the three fates breaks the port's promise and the test."""
        try:
            await self.place(order)
        except FATES as error:
            return error
        return None

    async def working(self, cl_ord_id: str, **changes: Any) -> Order:
        """Place an order and wait until it stands in the venue's books, ready to trade."""
        order = self.order(cl_ord_id, **changes)
        await self.place(order)
        await self.stands(cl_ord_id)
        return order

    async def stands(self, cl_ord_id: str) -> None:
        """Wait until the order is in the venue's books, and in its market."""
        await self.until_books(lambda books: bool(books.of(cl_ord_id)), f"the order {cl_ord_id} in the venue's books")
        await self.venue.settle()

    async def cancel(self, order: Order, order_id: OrderID | None = None) -> Exception | None:
        """Ask for a cancel; what the port raised, None where it returned."""
        try:
            await self.broker.cancel(order.cl_ord_id, order_id, order.symbol)
        except FATES as error:
            return error
        return None

    async def replace(self, order: Order, number: int, *, qty: Qty, px: Px) -> Exception | None:
        """Ask for other terms; what the port raised, None where it returned."""
        terms = Terms(qty, px, None)
        order = msgspec.structs.replace(order, replaces=[Asked(number, terms, STAGED_AT, Amount(ZERO))])
        try:
            await self.broker.replace(approved_change(order, number, holds_stops=self.broker.capabilities.holds_stops))
        except FATES as error:
            return error
        return None

    async def lose_answer(self, how: str) -> None:
        """Let the venue carry the next request out, and its answer be lost, never come, or be unreadable."""
        venue = self.venue
        misbehave = {
            "is lost": venue.lose_next_answer,
            "never comes": venue.swallow_next_answer,
            "cannot be read": venue.garble_next_answer,
        }
        await misbehave[how]()

    async def owned(self, cl_ord_id: str) -> None:
        """Buy a whole order and let the night pass: from now on it may be sold anywhere."""
        await self.working(cl_ord_id)
        await self.venue.fill(cl_ord_id, self.venue.qty, self.venue.resting_px)
        await self.quiet()
        await self.venue.begin_next_day()

    def fifth(self) -> Qty:
        """A part of an order."""
        return Qty(self.venue.qty / 5)

    # --- what is heard

    def all(self, kind: type[R]) -> list[R]:
        """The reports of one kind, in order."""
        return [report for report in self.heard if isinstance(report, kind)]

    def executions(self, cl_ord_id: str | None = None) -> list[Execution]:
        """The fills heard, of one order where it is named."""
        return [e for e in self.all(Execution) if cl_ord_id is None or e.cl_ord_id == cl_ord_id]

    def rejects(self, cl_ord_id: str) -> list[OrderReject]:
        """The rejects of one order."""
        return [r for r in self.all(OrderReject) if r.cl_ord_id == cl_ord_id]

    async def until(self, arrived: Callable[[], bool], what: str) -> None:
        """Wait until it has arrived; fail when it does not in the venue's patience."""
        for _ in range(self.venue.patience):
            if arrived():
                return
            await self.venue.settle()
        assert arrived(), f"expected {what}; heard {self.heard}"

    async def until_books(self, shown: Callable[[Any], bool], what: str) -> None:
        """Wait until the venue's own books show it."""
        for _ in range(self.venue.patience):
            if shown(await self.venue.books()):
                return
            await self.venue.settle()
        assert shown(await self.venue.books()), f"expected {what}; they hold {await self.venue.books()}"

    async def hears(self, kind: type[R], count: int = 1) -> list[R]:
        """Wait for so many reports of a kind; gives all of them."""
        await self.until(lambda: len(self.all(kind)) >= count, f"{count} {kind.__name__}")
        return self.all(kind)

    async def quiet(self) -> None:
        """Give what should not come time to come."""
        for _ in range(3):
            await self.venue.settle()

    async def returns(self) -> None:
        """Wait until a session that was lost is back, and what was on its way to it has come."""
        await self.quiet()
        links = [BrokerUp, BrokerDown]
        await self.until(
            lambda: [type(r) for r in self.heard if type(r) in links][-1:] != [BrokerDown], "the session to come back"
        )
        await self.quiet()

    async def snapshot(self, since: UtcNs | None = None) -> BrokerSnapshot:
        """The books through the port, once they show what happened before, and as soon as they can be read."""
        await self.venue.wait(self.broker.capabilities.visibility_lag_ns)
        for _ in range(self.venue.patience):
            try:
                return await self.broker.snapshot(since)
            except NotSent:
                await self.venue.settle()
        return await self.broker.snapshot(since)


@asynccontextmanager
async def connected(venue: ContractVenue) -> AsyncIterator[Session]:
    """A session of a new adapter, closed at the end."""
    session = Session(venue.adapter(), venue)
    await session.broker.connect(session.hear)
    try:
        yield session
    finally:
        await session.broker.close()


def key(execution: Execution) -> str:
    """The identity of a fill, by which the engine knows a duplicate."""
    return exec_key(execution.broker, execution.account, execution.trading_day, execution.exec_id, execution.side)


def dated(execution: Execution | VenueExecution) -> tuple[TradingDay, ExecID, Side]:
    """What of a fill's identity its venue gives, there and here."""
    return execution.trading_day, execution.exec_id, execution.side


ABSENT: Final = "declared absent: "
"""How the reason of every legitimate skip begins; any other skip costs the adapter its support."""


def need(declared: bool, what: str) -> None:
    """Skip the card where `Capabilities` declares its subject absent."""
    if not declared:
        pytest.skip(ABSENT + what)


def an_id(number: int) -> str:
    """An id such as the engine makes: 18 characters of a-z and 0-9 (docs/adr/0006-ids.md)."""
    return f"cc0001c{number:010}x"
