"""Adapters that break a promise of the cards A: what becomes of an order when it arrives."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from decimal import Decimal
from typing import Any, ClassVar

from tests.contract.broken.meddler import Broken, instead, replaced
from typing_extensions import override

from tradeloop.core.capabilities import Dedupes
from tradeloop.core.errors import FateUnknown, Refused
from tradeloop.core.order import Order
from tradeloop.core.reports import (
    OrderAck,
    Report,
)
from tradeloop.core.risk.approved import Approved
from tradeloop.core.types import (
    ClOrdID,
    OrderID,
    OrdType,
    Px,
    TimeInForce,
)
from tradeloop.ports.broker import Broker
from tradeloop.testing.broker_contract.session import FATES


class AcksUnderAnotherId(Broken):
    card = "A1"

    @override
    def say(self, report: Report) -> list[Report]:
        return [replaced(report, order_id=OrderID("1"))] if isinstance(report, OrderAck) else [report]


class ImprovesThePrice(Broken):
    card = "A2"

    @override
    async def place(self, order: Approved[Order]) -> None:
        px = order.order.price
        changes = {"price": Px(px + Decimal("0.01"))} if px is not None and order.order.ord_type is OrdType.LIMIT else {}
        await instead(order, self.inner, **changes)


class RoundsThePriceOnItsWay(Broken):
    card = "A2"
    also = ("A9",)

    @override
    async def place(self, order: Approved[Order]) -> None:
        px = order.order.price
        await (self.inner.place(order) if px is None else instead(order, self.inner, price=Px(round(px, 4))))


class SwallowsARefusal(Broken):
    card = "A3"
    also = ("A10",)

    @override
    async def place(self, order: Approved[Order]) -> None:
        try:
            await self.inner.place(order)
        except Refused as error:
            if error.code != "UNKNOWN_SYMBOL":
                raise


class DeclaresThatIdsAreForgotten(Broken):
    card = "A4"
    toy: ClassVar[dict[str, Any]] = {"said": {"dedupes": Dedupes.NEVER}}


class RefusesARepeat(Broken):
    card = "A5"

    @override
    async def place(self, order: Approved[Order]) -> None:
        try:
            await self.inner.place(order)
        except FateUnknown as error:
            if "DUPLICATE" in str(error):
                raise Refused("DUPLICATE_ID", "known") from None
            raise


class CutsTheLongestId(Broken):
    card = "A6"

    @override
    async def place(self, order: Approved[Order]) -> None:
        mine = order.order.cl_ord_id
        await instead(order, self.inner, cl_ord_id=ClOrdID(mine[:-1] if len(mine) == 24 else mine))


class CutsAnIdThatIsTooLong(Broken):
    card = "A7"

    @override
    async def place(self, order: Approved[Order]) -> None:
        await instead(order, self.inner, cl_ord_id=ClOrdID(order.order.cl_ord_id[:24]))


class SendsFokAsIoc(Broken):
    card = "A8"

    @override
    async def place(self, order: Approved[Order]) -> None:
        tif = order.order.tif
        await instead(order, self.inner, tif=TimeInForce.IOC if tif is TimeInForce.FOK else tif)


class SendsATriggeredStopLimitAtTheMarket(Broken):
    card = "A9"

    @override
    async def place(self, order: Approved[Order]) -> None:
        became = {"ord_type": OrdType.MARKET, "price": None} if order.order.triggered_at is not None else {}
        await instead(order, self.inner, **became)


class AnswersTheOtherOne(Broken):
    """Of two requests under way each is told what became of the other one."""

    card = "A10"

    def __init__(self, inner: Broker) -> None:
        super().__init__(inner)
        self.waiting: asyncio.Future[Exception | None] | None = None
        self.is_under_way = False

    @override
    async def place(self, order: Approved[Order]) -> None:
        is_second, self.is_under_way = self.is_under_way, True
        mine: Exception | None = None
        try:
            await super().place(order)
        except FATES as error:
            mine = error
        self.is_under_way = False
        if is_second and self.waiting is not None and not self.waiting.done():
            theirs, self.waiting = self.waiting, None
            theirs.set_result(mine)
            return
        if self.waiting is None and isinstance(mine, Refused) and "no such symbol" in mine.text:
            self.waiting = asyncio.get_running_loop().create_future()
            with suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    mine = await self.waiting
        if mine is not None:
            raise mine
