"""The template adapter, and between it and the port somebody who meddles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from tradeloop.core.order import Order
from tradeloop.core.replacement import Replacement
from tradeloop.core.reports import (
    BrokerSnapshot,
    BrokerUp,
    Execution,
    HeldPosition,
    OpenOrder,
    OrderAck,
    Report,
)
from tradeloop.core.risk.approved import Approved
from tradeloop.core.risk.pipeline import approved
from tradeloop.core.types import (
    ClOrdID,
    OrderID,
    Symbol,
    UtcNs,
)
from tradeloop.ports.broker import Broker, Capabilities
from tradeloop.testing.broker_contract import Table

replaced = msgspec.structs.replace


class Broken:
    """An adapter that passes everything through. What it breaks, its subclasses override."""

    card: ClassVar[str]
    also: ClassVar[tuple[str, ...]] = ()
    """Cards that cannot but notice as well."""
    toy: ClassVar[dict[str, Any]] = {}
    """How the toy differs, or what the adapter declares of it."""
    tables: ClassVar[tuple[Table, ...] | None] = None
    lives_ns: ClassVar[int | None] = None
    capabilities: Capabilities

    def __init__(self, inner: Broker) -> None:
        self.inner = inner
        self.name, self.account, self.capabilities = inner.name, inner.account, inner.capabilities
        self.tell: Callable[[Report], None] = lambda _: None
        self.ups = 0
        self.placed: set[str] = set()
        self.canceled: set[str] = set()
        self.acked: set[str] = set()
        self.heard: dict[str, Execution] = {}
        self.is_closed = False

    async def connect(self, report: Callable[[Report], None]) -> None:
        self.tell, self.is_closed = report, False
        await self.inner.connect(self._hear)

    def _hear(self, report: Report) -> None:
        self.ups += isinstance(report, BrokerUp)
        for said in self.say(report):
            self.tell(said)
        if isinstance(report, OrderAck):
            self.acked.add(report.cl_ord_id)
        if isinstance(report, Execution):
            self.heard[report.exec_id] = report

    def say(self, report: Report) -> list[Report]:
        """What is told in place of a report."""
        return [self.fill(report)] if isinstance(report, Execution) else [report]

    def fill(self, execution: Execution) -> Execution:
        """A fill as it is told, in the stream and in the snapshot."""
        return execution

    async def close(self) -> None:
        self.is_closed = True
        await self.inner.close()

    async def place(self, order: Approved[Order]) -> None:
        self.placed.add(order.order.cl_ord_id)
        await self.inner.place(order)

    async def cancel(self, cl_ord_id: ClOrdID, order_id: OrderID | None, symbol: Symbol) -> None:
        self.canceled.add(cl_ord_id)
        await self.inner.cancel(cl_ord_id, order_id, symbol)

    async def replace(self, change: Approved[Replacement]) -> None:
        await self.inner.replace(change)

    async def snapshot(self, executions_since: UtcNs | None = None) -> BrokerSnapshot:
        return self.show(await self.inner.snapshot(executions_since))

    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        """The books as they are shown."""
        return replaced(
            books,
            orders=tuple(map(self.order_shown, books.orders or ())),
            executions=tuple(map(self.fill_shown, books.executions or ())),
            positions=tuple(map(self.position_shown, books.positions or ())),
        )

    def order_shown(self, order: OpenOrder) -> OpenOrder:
        """An order of the snapshot."""
        return order

    def fill_shown(self, execution: Execution) -> Execution:
        """A fill of the snapshot."""
        return self.fill(execution)

    def position_shown(self, position: HeldPosition) -> HeldPosition:
        """A position of the snapshot."""
        return position


async def instead(order: Approved[Order], inner: Broker, **changes: Any) -> None:
    """Place the order with something changed."""
    await inner.place(approved(replaced(order.order, **changes)))
