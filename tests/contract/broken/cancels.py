"""Adapters that break a promise of the cards C: cancels."""

from __future__ import annotations

import asyncio

from tests.contract.broken.meddler import Broken, replaced
from typing_extensions import override

from tradeloop.core.errors import NotSent, Refused
from tradeloop.core.order import Order
from tradeloop.core.reports import (
    CancelAck,
    CancelReject,
    OrderReject,
    Report,
)
from tradeloop.core.risk.approved import Approved
from tradeloop.core.types import (
    ZERO,
    ClOrdID,
    OrderID,
    Qty,
    Symbol,
)
from tradeloop.ports.broker import Broker


class DropsTheAckOfACancel(Broken):
    card = "C1"

    @override
    def say(self, report: Report) -> list[Report]:
        is_asked = isinstance(report, CancelAck) and report.cl_ord_id in self.canceled and not report.cum_qty
        return [] if is_asked else [report]


class CancelsWhatIsFilled(Broken):
    card = "C2"

    @override
    async def cancel(self, cl_ord_id: ClOrdID, order_id: OrderID | None, symbol: Symbol) -> None:
        try:
            await self.inner.cancel(cl_ord_id, order_id, symbol)
        except Refused as error:
            if "is done" not in error.text:
                raise
            self.tell(CancelAck(self.name, cl_ord_id))


class AsksForNoUnknownOrder(Broken):
    card = "C3"
    also = ("C7", "C8")

    @override
    async def cancel(self, cl_ord_id: ClOrdID, order_id: OrderID | None, symbol: Symbol) -> None:
        if cl_ord_id in self.placed:
            await self.inner.cancel(cl_ord_id, order_id, symbol)


class ClaimsThatASecondCancelWasNotSent(Broken):
    card = "C4"

    @override
    async def cancel(self, cl_ord_id: ClOrdID, order_id: OrderID | None, symbol: Symbol) -> None:
        if cl_ord_id in self.canceled:
            raise NotSent("it was asked for before")
        await super().cancel(cl_ord_id, order_id, symbol)


class ForgetsWhatHadTraded(Broken):
    card = "C5"

    @override
    def say(self, report: Report) -> list[Report]:
        return [replaced(report, cum_qty=Qty(ZERO))] if isinstance(report, CancelAck) else [report]


class TakesALateRefusalForACancel(Broken):
    card = "C6"

    @override
    def say(self, report: Report) -> list[Report]:
        return [CancelAck(self.name, report.cl_ord_id)] if isinstance(report, CancelReject) else [report]


class TakesARefusedCancelForARefusedOrder(Broken):
    card = "C2"

    @override
    async def cancel(self, cl_ord_id: ClOrdID, order_id: OrderID | None, symbol: Symbol) -> None:
        try:
            await super().cancel(cl_ord_id, order_id, symbol)
        except Refused as error:
            if "is done" in error.text:
                self.tell(OrderReject(self.name, cl_ord_id, error.code, error.text))
            raise


class CountsNothing(Broken):
    card = "C5"

    @override
    def say(self, report: Report) -> list[Report]:
        return [replaced(report, cum_qty=None)] if isinstance(report, CancelAck) else [report]


class TakesALateRefusalForARefusedOrder(Broken):
    card = "C6"

    @override
    def say(self, report: Report) -> list[Report]:
        if isinstance(report, CancelReject):
            return [report, OrderReject(self.name, report.cl_ord_id, report.code, report.text)]
        return [report]


class CancelsByOurIdAlone(Broken):
    card = "C7"

    @override
    async def cancel(self, cl_ord_id: ClOrdID, order_id: OrderID | None, symbol: Symbol) -> None:
        await super().cancel(cl_ord_id, None, symbol)


class CancelsOrdersOfThisProcessAlone(Broken):
    card = "C8"

    @override
    async def cancel(self, cl_ord_id: ClOrdID, order_id: OrderID | None, symbol: Symbol) -> None:
        if order_id is None and cl_ord_id not in self.placed:
            raise Refused("UNKNOWN", "this process placed no such order")
        await super().cancel(cl_ord_id, order_id, symbol)


class CancelsOneAfterTheOther(Broken):
    card = "C9"

    def __init__(self, inner: Broker) -> None:
        super().__init__(inner)
        self.turn = asyncio.Lock()

    @override
    async def cancel(self, cl_ord_id: ClOrdID, order_id: OrderID | None, symbol: Symbol) -> None:
        async with self.turn:
            await super().cancel(cl_ord_id, order_id, symbol)


class CancelsOnlyWhenNoOrderWaits(Broken):
    """One request at a time of an order, and cancels behind it."""

    card = "C9"

    def __init__(self, inner: Broker) -> None:
        super().__init__(inner)
        self.turn = asyncio.Lock()

    @override
    async def place(self, order: Approved[Order]) -> None:
        async with self.turn:
            await super().place(order)

    @override
    async def cancel(self, cl_ord_id: ClOrdID, order_id: OrderID | None, symbol: Symbol) -> None:
        async with self.turn:
            pass
        await super().cancel(cl_ord_id, order_id, symbol)
