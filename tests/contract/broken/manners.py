"""Adapters that break a promise of the cards H: what it leaves behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from tests.contract.broken.meddler import Broken
from typing_extensions import override

from tradeloop.core.errors import FateUnknown
from tradeloop.core.order import Order
from tradeloop.core.reports import (
    BrokerDown,
    OrderAck,
    Report,
)
from tradeloop.core.risk.approved import Approved
from tradeloop.ports.broker import Broker


class ClosesOnlyWhatWasOpen(Broken):
    card = "H1"

    @override
    async def close(self) -> None:
        if not self.ups:
            raise RuntimeError("it was never connected")
        await super().close()


class LeavesATask(Broken):
    card = "H2"

    @override
    async def connect(self, report: Callable[[Report], None]) -> None:
        await super().connect(report)
        self.left = asyncio.ensure_future(asyncio.Event().wait())


class SpeaksAfterClose(Broken):
    card = "H3"

    @override
    async def close(self) -> None:
        await super().close()
        asyncio.get_running_loop().call_later(0.002, self.tell, BrokerDown(self.name, "closed"))


class ResentsACancelledCaller(Broken):
    card = "H4"

    def __init__(self, inner: Broker) -> None:
        super().__init__(inner)
        self.hurt = False

    @override
    async def place(self, order: Approved[Order]) -> None:
        if self.hurt:
            raise FateUnknown("somebody was cancelled")
        try:
            await self.inner.place(order)
        except asyncio.CancelledError:
            self.hurt = True
            raise


class ShowsItsToken(Broken):
    card = "H5"

    @override
    def __repr__(self) -> str:
        return "Broken(token='toy-token')"


class ConnectsOnce(Broken):
    card = "H6"

    @override
    async def connect(self, report: Callable[[Report], None]) -> None:
        if not self.ups:
            await super().connect(report)


class TellsAnAckFromAThread(Broken):
    card = "H7"

    @override
    def say(self, report: Report) -> list[Report]:
        if not isinstance(report, OrderAck):
            return [report]
        teller = threading.Thread(target=self.tell, args=(report,))
        teller.start()
        teller.join()
        return []
