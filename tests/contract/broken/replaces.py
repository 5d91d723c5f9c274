"""Adapters that break a promise of the cards D: replaces."""

from __future__ import annotations

from decimal import Decimal

from tests.contract.broken.meddler import Broken, replaced
from typing_extensions import override

from tradeloop.core.errors import FateUnknown, NotSent, Refused
from tradeloop.core.order import Order
from tradeloop.core.replacement import Replacement
from tradeloop.core.reports import (
    Execution,
    OpenOrder,
    OrderReject,
    ReplaceAck,
    Report,
)
from tradeloop.core.risk.approved import Approved
from tradeloop.core.risk.pipeline import approved
from tradeloop.core.types import (
    ZERO,
    ClOrdID,
    Px,
    Qty,
    Symbol,
)
from tradeloop.ports.broker import Broker


class AcksAReplaceAsAnother(Broken):
    card = "D1"

    @override
    def say(self, report: Report) -> list[Report]:
        return [replaced(report, number=7)] if isinstance(report, ReplaceAck) else [report]


class ReplacesThePriceAlone(Broken):
    card = "D2"

    @override
    async def replace(self, change: Approved[Replacement]) -> None:
        await self.inner.replace(replaced(change, order=replaced(change.order, order_qty=Qty(Decimal(100)))))


class SwallowsThatItIsTooLittle(Broken):
    card = "D3"

    @override
    async def replace(self, change: Approved[Replacement]) -> None:
        try:
            await self.inner.replace(change)
        except Refused as error:
            if error.code != "TOO_LITTLE":
                raise


class SwallowsThatItIsTooLate(Broken):
    card = "D4"

    @override
    async def replace(self, change: Approved[Replacement]) -> None:
        try:
            await self.inner.replace(change)
        except Refused as error:
            if error.code != "TOO_LATE":
                raise


class ReplacesNoUnknownOrder(Broken):
    card = "D5"

    @override
    async def replace(self, change: Approved[Replacement]) -> None:
        if change.order.cl_ord_id in self.placed:
            await self.inner.replace(change)


class FillsUnderTheIdOfTheReplace(Broken):
    card = "D6"

    def __init__(self, inner: Broker) -> None:
        super().__init__(inner)
        self.changed: dict[str, ClOrdID] = {}

    @override
    async def replace(self, change: Approved[Replacement]) -> None:
        self.changed[change.order.cl_ord_id] = change.order.replace_id
        await self.inner.replace(change)

    @override
    def say(self, report: Report) -> list[Report]:
        if isinstance(report, Execution) and report.cl_ord_id in self.changed:
            return [replaced(report, cl_ord_id=self.changed[report.cl_ord_id])]
        return [report]


class CallsALostReplaceNotSent(Broken):
    card = "D7"

    @override
    async def replace(self, change: Approved[Replacement]) -> None:
        try:
            await self.inner.replace(change)
        except FateUnknown as error:
            raise NotSent(str(error)) from None


class KeepsAReplaceForLater(Broken):
    card = "D8"

    @override
    async def replace(self, change: Approved[Replacement]) -> None:
        try:
            await self.inner.replace(change)
        except NotSent as error:
            raise FateUnknown(str(error)) from None


class CancelsAndPlacesInstead(Broken):
    """Two requests, and between them no order; the second one has an id of its own."""

    card = "D2"
    also = ("D1", "D3", "D6", "D7", "E17")

    def __init__(self, inner: Broker) -> None:
        super().__init__(inner)
        self.orders: dict[str, Order] = {}

    @override
    async def place(self, order: Approved[Order]) -> None:
        self.orders[order.order.cl_ord_id] = order.order
        await super().place(order)

    @override
    async def replace(self, change: Approved[Replacement]) -> None:
        it = change.order
        first = self.orders.get(it.cl_ord_id)
        await self.inner.cancel(it.cl_ord_id, it.order_id, first.symbol if first else Symbol("ACME.US"))
        assert first is not None
        await self.inner.place(approved(replaced(first, cl_ord_id=it.replace_id, order_qty=it.order_qty, price=it.price)))
        self.tell(ReplaceAck(self.name, it.cl_ord_id, it.order_qty, it.price, number=it.number))


class CountsNothingOfAReplacedOrder(Broken):
    card = "D2"

    @override
    def say(self, report: Report) -> list[Report]:
        return [replaced(report, cum_qty=Qty(ZERO))] if isinstance(report, ReplaceAck) else [report]


class TakesARefusedReplaceForARefusedOrder(Broken):
    card = "D3"

    @override
    async def replace(self, change: Approved[Replacement]) -> None:
        try:
            await self.inner.replace(change)
        except Refused as error:
            if error.code == "TOO_LITTLE":
                self.tell(OrderReject(self.name, change.order.cl_ord_id, error.code, error.text))
            raise


class CallsASilentReplaceRefused(Broken):
    card = "D7"

    @override
    async def replace(self, change: Approved[Replacement]) -> None:
        try:
            await self.inner.replace(change)
        except FateUnknown as error:
            if "no answer within" in str(error):
                raise Refused("", str(error)) from None
            raise


class ShowsTheTermsBeforeTheReplace(Broken):
    card = "D9"

    def __init__(self, inner: Broker) -> None:
        super().__init__(inner)
        self.terms: dict[str, tuple[Qty, Px | None]] = {}

    @override
    async def place(self, order: Approved[Order]) -> None:
        self.terms[order.order.cl_ord_id] = order.order.order_qty, order.order.price
        await super().place(order)

    @override
    def order_shown(self, order: OpenOrder) -> OpenOrder:
        qty, px = self.terms.get(order.cl_ord_id or "", (order.order_qty, order.price))
        return replaced(order, order_qty=qty, price=px)


class ShowsTheOrderUnderTheIdOfTheReplace(Broken):
    card = "D9"

    def __init__(self, inner: Broker) -> None:
        super().__init__(inner)
        self.changed: dict[str, ClOrdID] = {}

    @override
    async def replace(self, change: Approved[Replacement]) -> None:
        await super().replace(change)
        self.changed[change.order.cl_ord_id] = change.order.replace_id

    @override
    def order_shown(self, order: OpenOrder) -> OpenOrder:
        return replaced(order, cl_ord_id=self.changed.get(order.cl_ord_id or "", order.cl_ord_id))
