"""Adapters that break one promise each: the template adapter, and between it and the port somebody who meddles.

Each class is named after what it does wrong and says which card has to notice, and none of the others.
"""
# size: one adapter for each card of the contract, three to ten lines each; they are read side by side

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

import msgspec
from typing_extensions import override

from tradeloop.brokers._template import words
from tradeloop.core.capabilities import Dedupes
from tradeloop.core.errors import FateUnknown, NotSent, Refused
from tradeloop.core.order import Order
from tradeloop.core.replacement import Replacement
from tradeloop.core.reports import (
    BrokerDown,
    BrokerSnapshot,
    BrokerUp,
    CancelAck,
    CancelReject,
    Execution,
    ExecutionBust,
    ExecutionCorrect,
    OpenOrder,
    OrderAck,
    ReplaceAck,
    Report,
)
from tradeloop.core.risk.approved import Approved
from tradeloop.core.risk.pipeline import approved
from tradeloop.core.types import (
    ZERO,
    Amount,
    ClOrdID,
    ExecID,
    OrderID,
    OrdStatus,
    OrdType,
    Px,
    Qty,
    Symbol,
    TimeInForce,
    TradingDay,
    UtcNs,
)
from tradeloop.ports.broker import Broker, Capabilities
from tradeloop.testing.broker_contract import Table

replaced = msgspec.structs.replace


class Broken:
    """An adapter that passes everything through. What it breaks, its subclasses override."""

    card: ClassVar[str]
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
        return [report]

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
        return books


async def instead(order: Approved[Order], inner: Broker, **changes: Any) -> None:
    """Place the order with something changed."""
    await inner.place(approved(replaced(order.order, **changes)))


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


class SwallowsARefusal(Broken):
    card = "A3"

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


class RoundsThePriceOfAFill(Broken):
    card = "B1"

    @override
    def say(self, report: Report) -> list[Report]:
        return [self._rounded(report)] if isinstance(report, Execution) else [report]

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        return replaced(books, executions=tuple(self._rounded(e) for e in books.executions or ()))

    def _rounded(self, execution: Execution) -> Execution:
        return replaced(execution, last_px=Px(round(execution.last_px, 1)))


class DatesARedeliveredFillToday(Broken):
    card = "B2"

    @override
    def say(self, report: Report) -> list[Report]:
        if isinstance(report, Execution) and report.exec_id in self.heard:
            return [replaced(report, trading_day=TradingDay("2026-07-18"))]
        return [report]


class KeepsAFillUntilTheAck(Broken):
    card = "B3"

    @override
    def say(self, report: Report) -> list[Report]:
        if isinstance(report, Execution) and report.cl_ord_id is not None and report.cl_ord_id not in self.acked:
            return []
        if isinstance(report, OrderAck):
            return [report, *(e for e in self.heard.values() if e.cl_ord_id == report.cl_ord_id)]
        return [report]


class DropsAPartThatFillsAfterACancelRequest(Broken):
    card = "B4"

    @override
    def say(self, report: Report) -> list[Report]:
        is_part = isinstance(report, Execution) and report.last_qty < 100 and report.cl_ord_id in self.canceled
        return [] if is_part else [report]


class DropsAFillThatIsNotOurs(Broken):
    card = "B5"

    @override
    def say(self, report: Report) -> list[Report]:
        return [] if isinstance(report, Execution) and report.cl_ord_id is None else [report]


class DropsABust(Broken):
    card = "B6"

    @override
    def say(self, report: Report) -> list[Report]:
        return [] if isinstance(report, ExecutionBust) else [report]


class CorrectsWithoutTheFigures(Broken):
    card = "B7"

    @override
    def say(self, report: Report) -> list[Report]:
        return [replaced(report, last_qty=Qty(Decimal(1)))] if isinstance(report, ExecutionCorrect) else [report]


class DropsACancelNobodyAskedFor(Broken):
    card = "B8"

    @override
    def say(self, report: Report) -> list[Report]:
        return [] if isinstance(report, CancelAck) and report.cl_ord_id not in self.canceled else [report]


class ChargesNothing(Broken):
    card = "B9"

    @override
    def say(self, report: Report) -> list[Report]:
        return [replaced(report, commission=Amount(ZERO))] if isinstance(report, Execution) else [report]


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


class BeginsInSilence(Broken):
    card = "E1"

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

    @override
    def say(self, report: Report) -> list[Report]:
        return [] if isinstance(report, BrokerDown) else [report]


class HidesThatTheSessionIsBack(Broken):
    card = "E8"

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

    @override
    def say(self, report: Report) -> list[Report]:
        return [] if isinstance(report, Execution) and self.ups > 1 else [report]


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


class ShowsOneWorkingOrder(Broken):
    card = "F1"

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        return replaced(books, orders=(books.orders or ())[:1])


class ForgetsWhoseFillItWas(Broken):
    card = "F2"

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        return replaced(books, executions=tuple(replaced(e, cl_ord_id=None) for e in books.executions or ()))


class RoundsTheCash(Broken):
    card = "F3"

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        return replaced(books, cash=tuple(replaced(c, balance=Amount(Decimal(round(c.balance)))) for c in books.cash or ()))


class ShowsNoFillItMissedWhileAway(Broken):
    card = "F4"

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        return replaced(books, executions=tuple(e for e in books.executions or () if self.ups == 1 or e.exec_id in self.heard))


class ShowsNoFillTheStreamLost(Broken):
    card = "F5"

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        lost = self.ups == 1 and bool(self.placed)
        return replaced(books, executions=tuple(e for e in books.executions or () if not lost or e.exec_id in self.heard))


class ShowsNoOrderWithoutAnAck(Broken):
    card = "F6"

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        return replaced(books, orders=tuple(o for o in books.orders or () if not self._is_unacked(o)))

    def _is_unacked(self, order: OpenOrder) -> bool:
        return order.cl_ord_id in self.placed and order.cl_ord_id not in self.acked


class ShowsCanceledOrdersAsExpired(Broken):
    card = "F7"

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        return replaced(books, orders=tuple(self._told(o) for o in books.orders or ()))

    def _told(self, order: OpenOrder) -> OpenOrder:
        return replaced(order, ord_status=OrdStatus.EXPIRED) if order.ord_status is OrdStatus.CANCELED else order


class ShowsEmptyBooksWithoutAConnection(Broken):
    card = "F8"

    @override
    async def snapshot(self, executions_since: UtcNs | None = None) -> BrokerSnapshot:
        try:
            return await self.inner.snapshot(executions_since)
        except NotSent:
            return BrokerSnapshot(self.name, self.account, UtcNs(1), (), (), (), ())


class ShowsOurOrdersAlone(Broken):
    card = "F9"

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        return replaced(books, orders=tuple(o for o in books.orders or () if o.cl_ord_id is not None))


class ShowsFillsAfterTheTimeAlone(Broken):
    card = "F10"

    @override
    async def snapshot(self, executions_since: UtcNs | None = None) -> BrokerSnapshot:
        books = await self.inner.snapshot(executions_since)
        return replaced(books, executions=tuple(e for e in books.executions or () if e.transact_at != executions_since))


class ShowsTheOrdersOfThisProcessAlone(Broken):
    card = "F11"

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        return replaced(books, orders=tuple(o for o in books.orders or () if o.cl_ord_id is None or o.cl_ord_id in self.placed))


class LacksAWord(Broken):
    card = "G1"
    tables: ClassVar[tuple[Table, ...] | None] = (
        Table("status", ("working", "halted"), lambda word: words.ours(words.STATUSES, word, "the status")),
    )


class GuessesAWord(Broken):
    card = "G2"
    tables: ClassVar[tuple[Table, ...] | None] = (
        Table("status", ("working", "part"), lambda word: words.STATUSES.get(word, OrdStatus.NEW)),
    )


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


BROKEN: tuple[type[Broken], ...] = tuple(Broken.__subclasses__())
