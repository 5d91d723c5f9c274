"""Adapters that break a promise of the cards E: the connection, and requests on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar, cast

from tests.contract.broken.meddler import Broken, replaced
from typing_extensions import override

from tradeloop.brokers._template.pace import Pace
from tradeloop.core.errors import FateUnknown, NotSent, Refused
from tradeloop.core.order import Order
from tradeloop.core.replacement import Replacement
from tradeloop.core.reports import (
    BrokerDown,
    BrokerUp,
    Execution,
    Report,
)
from tradeloop.core.risk.approved import Approved
from tradeloop.core.types import (
    ClOrdID,
    ExecID,
    OrderID,
    Symbol,
)
from tradeloop.ports.broker import Broker
from tradeloop.testing.broker_contract.session import FATES


class BeginsInSilence(Broken):
    card = "E1"
    also = ("E16",)

    @override
    def say(self, report: Report) -> list[Report]:
        return [] if isinstance(report, BrokerUp) and self.ups == 1 else [report]


class DoubtsWhatNeverLeft(Broken):
    card = "E2"

    @override
    async def place(self, order: Approved[Order]) -> None:
        try:
            await self.inner.place(order)
        except NotSent as error:
            if "not connected" in str(error) and not self.is_closed:
                raise FateUnknown(str(error)) from None
            raise


class KeepsOrdersForLater(Broken):
    card = "E3"

    def __init__(self, inner: Broker) -> None:
        super().__init__(inner)
        self.kept: list[Approved[Order]] = []
        self.flushing: list[asyncio.Task[None]] = []

    @override
    async def place(self, order: Approved[Order]) -> None:
        try:
            await self.inner.place(order)
        except NotSent as error:
            if "not connected" in str(error):
                self.kept.append(order)
            raise

    @override
    def say(self, report: Report) -> list[Report]:
        if isinstance(report, BrokerUp):
            self.flushing += [asyncio.ensure_future(self._flush(order)) for order in self.kept]
            self.kept = []
        return [report]

    async def _flush(self, order: Approved[Order]) -> None:
        await asyncio.sleep(0)
        await self.inner.place(order)


class CallsALostAnswerNotSent(Broken):
    card = "E4"

    @override
    async def place(self, order: Approved[Order]) -> None:
        try:
            await self.inner.place(order)
        except FateUnknown as error:
            if "was lost before" in str(error) and "JSON" not in str(error):
                raise NotSent(str(error)) from None
            raise


class CallsSilenceNotSent(Broken):
    card = "E5"

    @override
    async def place(self, order: Approved[Order]) -> None:
        try:
            await self.inner.place(order)
        except FateUnknown as error:
            if "no answer within" in str(error):
                raise NotSent(str(error)) from None
            raise


class CallsGibberishARefusal(Broken):
    card = "E6"

    @override
    async def place(self, order: Approved[Order]) -> None:
        try:
            await self.inner.place(order)
        except FateUnknown as error:
            if "JSON" in str(error):
                raise Refused("", str(error)) from None
            raise


class HidesThatTheSessionIsLost(Broken):
    card = "E7"
    also = ("E15", "E19")

    @override
    def say(self, report: Report) -> list[Report]:
        return [] if isinstance(report, BrokerDown) else [report]


class HidesThatTheSessionIsBack(Broken):
    card = "E8"
    also = ("E14", "E17", "E19")

    @override
    def say(self, report: Report) -> list[Report]:
        return [] if isinstance(report, BrokerUp) and self.ups > 1 else [report]


class NumbersFillsAnewAfterAReconnect(Broken):
    card = "E9"

    @override
    def say(self, report: Report) -> list[Report]:
        if isinstance(report, BrokerUp) and self.ups > 1:
            return [report, *(replaced(e, exec_id=ExecID(f"{e.exec_id}-again")) for e in self.heard.values())]
        return [report]


class SkipsTheReplay(Broken):
    card = "E10"
    toy: ClassVar[dict[str, Any]] = {"replays": True}

    def __init__(self, inner: Broker) -> None:
        super().__init__(inner)
        self.before: set[str] = set()

    @override
    def say(self, report: Report) -> list[Report]:
        if isinstance(report, BrokerUp):
            self.before = set(self.placed)
        return [] if isinstance(report, Execution) and self.ups > 1 and report.cl_ord_id in self.before else [report]


class DropsWhatComesTooFast(Broken):
    card = "E11"

    def __init__(self, inner: Broker) -> None:
        super().__init__(inner)
        self.left = 500

    @override
    def say(self, report: Report) -> list[Report]:
        self.left -= 1
        return [report] if self.left > 0 else []


class DeclaresTwiceTheRate(Broken):
    card = "E12"
    also = ("E18",)
    toy: ClassVar[dict[str, Any]] = {"said": {"rate_per_second": 80}}


class LetsRequestsLiveTooLong(Broken):
    card = "E13"
    lives_ns = 10_000_000_000


class StumblesOverGibberish(Broken):
    card = "E14"

    @override
    async def cancel(self, cl_ord_id: ClOrdID, order_id: OrderID | None, symbol: Symbol) -> None:
        try:
            await self.inner.cancel(cl_ord_id, order_id, symbol)
        except FateUnknown as error:
            if "JSON" in str(error):
                raise ValueError(str(error)) from None
            raise


class HearsNothingAfterAReconnect(Broken):
    card = "E8"

    @override
    def say(self, report: Report) -> list[Report]:
        return [report] if self.ups == 1 or isinstance(report, BrokerUp | BrokerDown) else []


class SubscribesTwiceAfterAReconnect(Broken):
    card = "E8"

    @override
    def say(self, report: Report) -> list[Report]:
        return [report] if self.ups == 1 or isinstance(report, BrokerUp | BrokerDown) else [report, report]


class CallsASilentCancelRefused(Broken):
    card = "E14"

    @override
    async def cancel(self, cl_ord_id: ClOrdID, order_id: OrderID | None, symbol: Symbol) -> None:
        try:
            await super().cancel(cl_ord_id, order_id, symbol)
        except FateUnknown as error:
            if "no answer within" in str(error):
                raise Refused("", str(error)) from None
            raise


class DoubtsACancelThatNeverLeft(Broken):
    card = "E14"

    @override
    async def cancel(self, cl_ord_id: ClOrdID, order_id: OrderID | None, symbol: Symbol) -> None:
        try:
            await super().cancel(cl_ord_id, order_id, symbol)
        except NotSent as error:
            raise FateUnknown(str(error)) from None


class SkipsWhatItCannotRead(Broken):
    """To the engine the session goes on, and a report is missing."""

    card = "E15"

    def __init__(self, inner: Broker) -> None:
        super().__init__(inner)
        self.skipped = 0

    @override
    def say(self, report: Report) -> list[Report]:
        if isinstance(report, BrokerDown) and "JSON" in report.text and not self.canceled:
            self.skipped += 1
            return []
        if isinstance(report, BrokerUp) and self.skipped:
            self.skipped -= 1
            return []
        return [report]


class StumblesWhenNobodyIsThere(Broken):
    card = "E16"

    @override
    async def connect(self, report: Callable[[Report], None]) -> None:
        await super().connect(report)
        if not self.ups:
            raise ConnectionRefusedError("nobody listens")


class TriesToConnectOnce(Broken):
    card = "E16"

    @override
    async def connect(self, report: Callable[[Report], None]) -> None:
        await super().connect(report)
        if not self.ups:
            await self.inner.close()


class CancelsTwice(Broken):
    card = "E17"

    @override
    async def cancel(self, cl_ord_id: ClOrdID, order_id: OrderID | None, symbol: Symbol) -> None:
        await super().cancel(cl_ord_id, order_id, symbol)
        with suppress(*FATES):
            await super().cancel(cl_ord_id, order_id, symbol)


class PlacesAgainAfterSilence(Broken):
    """It trusts the venue to know the id."""

    card = "E17"
    also = ("E13",)

    @override
    async def place(self, order: Approved[Order]) -> None:
        try:
            await super().place(order)
        except FateUnknown as error:
            if "no answer within" not in str(error):
                raise
            await super().place(order)


class ReplacesAgainAfterSilence(Broken):
    card = "E17"

    @override
    async def replace(self, change: Approved[Replacement]) -> None:
        try:
            await super().replace(change)
        except FateUnknown as error:
            if "no answer within" in str(error):
                with suppress(*FATES):
                    await super().replace(change)
            raise


class CancelsOutOfTurn(Broken):
    """What takes risk away shall not wait, it thinks."""

    card = "E18"

    @override
    async def cancel(self, cl_ord_id: ClOrdID, order_id: OrderID | None, symbol: Symbol) -> None:
        inner = cast("Any", self.inner)
        pace, inner._pace = inner._pace, Pace(None, inner._clock)
        cancelling = asyncio.ensure_future(super().cancel(cl_ord_id, order_id, symbol))
        await asyncio.sleep(0)
        inner._pace = pace
        await cancelling


class TrustsASilentConnection(Broken):
    card = "E19"

    @override
    def say(self, report: Report) -> list[Report]:
        return [] if isinstance(report, BrokerDown) and "heartbeat" in report.text else [report]
