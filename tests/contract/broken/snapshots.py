"""Adapters that break a promise of the cards F: the books it shows."""

from __future__ import annotations

from decimal import Decimal

from tests.contract.broken.meddler import Broken, replaced
from typing_extensions import override

from tradeloop.core.errors import NotSent
from tradeloop.core.reports import (
    BrokerSnapshot,
    Execution,
    HeldPosition,
    OpenOrder,
)
from tradeloop.core.types import (
    SECOND_NS,
    ZERO,
    AccountID,
    Amount,
    OrdStatus,
    Px,
    Qty,
    Symbol,
    TradingDay,
    UtcNs,
)
from tradeloop.ports.broker import Broker


class ShowsOneWorkingOrder(Broken):
    card = "F1"
    also = ("F7", "F15")

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        return replaced(books, orders=(books.orders or ())[:1])


class ForgetsWhoseFillItWas(Broken):
    card = "F2"

    @override
    def fill_shown(self, execution: Execution) -> Execution:
        return replaced(execution, cl_ord_id=None)


class RoundsTheCash(Broken):
    card = "F3"
    also = ("F21",)

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        return replaced(books, cash=tuple(replaced(c, balance=Amount(Decimal(round(c.balance)))) for c in books.cash or ()))


class ShowsNoFillItMissedWhileAway(Broken):
    card = "F4"
    also = ("E15",)

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
    def order_shown(self, order: OpenOrder) -> OpenOrder:
        return replaced(order, ord_status=OrdStatus.EXPIRED) if order.ord_status is OrdStatus.CANCELED else order


class ShowsEmptyBooksWithoutAConnection(Broken):
    card = "F8"
    also = ("F19",)

    @override
    async def snapshot(self, executions_since: UtcNs | None = None) -> BrokerSnapshot:
        try:
            return await self.inner.snapshot(executions_since)
        except NotSent:
            return BrokerSnapshot(self.name, self.account, UtcNs(1), (), (), (), ())


class ShowsOurOrdersAlone(Broken):
    card = "F9"
    also = ("F15",)

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        return replaced(books, orders=tuple(o for o in books.orders or () if o.cl_ord_id is not None))


class ShowsFillsAfterTheTimeAlone(Broken):
    card = "F10"
    also = ("F17",)

    @override
    async def snapshot(self, executions_since: UtcNs | None = None) -> BrokerSnapshot:
        books = await self.inner.snapshot(executions_since)
        return replaced(books, executions=tuple(e for e in books.executions or () if e.transact_at != executions_since))


class ShowsTheOrdersOfThisProcessAlone(Broken):
    card = "F11"

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        return replaced(books, orders=tuple(o for o in books.orders or () if o.cl_ord_id is None or o.cl_ord_id in self.placed))


class ShowsTheLastPartAsWhatHasTraded(Broken):
    card = "F1"

    @override
    def order_shown(self, order: OpenOrder) -> OpenOrder:
        parts = [e.last_qty for e in self.heard.values() if e.order_id == order.order_id]
        return replaced(order, cum_qty=parts[-1]) if parts else order


class ShowsTheAveragePriceAsTheLimit(Broken):
    card = "F1"
    also = ("D9",)

    @override
    def order_shown(self, order: OpenOrder) -> OpenOrder:
        made = [e for e in self.heard.values() if e.order_id == order.order_id]
        if not made or order.ord_status is not OrdStatus.PARTIALLY_FILLED:
            return order
        worth = sum((e.last_qty * e.last_px for e in made), ZERO)
        return replaced(order, price=Px(worth / sum((e.last_qty for e in made), ZERO)))


class ShowsOrdersTwice(Broken):
    card = "F1"

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        working = tuple(o for o in books.orders or () if o.ord_status in {OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED})
        return replaced(books, orders=(*(books.orders or ()), *working) if len(working) == 2 else books.orders)


class CutsTheTimeInTheSnapshotAlone(Broken):
    card = "F2"

    @override
    def fill_shown(self, execution: Execution) -> Execution:
        return replaced(execution, transact_at=UtcNs((execution.transact_at or 0) // SECOND_NS * SECOND_NS))


class ShowsFillsUnderTheVenuesSymbol(Broken):
    card = "F2"

    @override
    def fill_shown(self, execution: Execution) -> Execution:
        return replaced(execution, symbol=Symbol("US:ACME"))


class ShowsPositionsTwice(Broken):
    card = "F3"
    also = ("B18", "F20")

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        return replaced(
            books, positions=(books.positions or ()) * 2 if self.placed and len(self.heard) == 1 else books.positions
        )


class ShowsWhatIsOwedAsAHolding(Broken):
    """It reads how much, and not which way."""

    card = "F20"

    @override
    def position_shown(self, position: HeldPosition) -> HeldPosition:
        return replaced(position, long_qty=Qty(position.long_qty + position.short_qty), short_qty=Qty(ZERO))


class ShowsTheFirstCurrencyAlone(Broken):
    card = "F21"
    also = ("F3",)

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        return replaced(super().show(books), cash=(books.cash or ())[:1])


class SaysThatAllCashIsAvailable(Broken):
    card = "F3"

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        return replaced(books, cash=tuple(replaced(c, available=c.balance) for c in books.cash or ()))


class ShowsWhatIsLeftOfACanceledOrder(Broken):
    card = "F7"

    @override
    def order_shown(self, order: OpenOrder) -> OpenOrder:
        if order.ord_status is not OrdStatus.CANCELED:
            return order
        return replaced(order, order_qty=Qty(order.order_qty - order.cum_qty))


class ShowsWhatTradedAsTheQuantityOfACanceledOrder(Broken):
    card = "F7"

    @override
    def order_shown(self, order: OpenOrder) -> OpenOrder:
        return replaced(order, order_qty=order.cum_qty) if order.ord_status is OrdStatus.CANCELED else order


class ShowsNothingOfAFilledOrder(Broken):
    """Its quantity is what is left of it."""

    card = "F7"

    @override
    def order_shown(self, order: OpenOrder) -> OpenOrder:
        return replaced(order, order_qty=Qty(ZERO)) if order.ord_status is OrdStatus.FILLED else order


class ForgetsWhatACanceledOrderTraded(Broken):
    card = "F7"

    @override
    def order_shown(self, order: OpenOrder) -> OpenOrder:
        return replaced(order, cum_qty=Qty(ZERO)) if order.ord_status is OrdStatus.CANCELED else order


class ShowsFillsAsFree(Broken):
    card = "F12"
    also = ("B17", "F16")

    @override
    def fill_shown(self, execution: Execution) -> Execution:
        return replaced(execution, commission=Amount(ZERO))


class NamesTheDayBefore(Broken):
    card = "F13"
    also = ("F17",)

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        return replaced(books, trading_day=TradingDay("2026-07-16"))


class NamesNoDay(Broken):
    card = "F13"

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        return replaced(books, trading_day=None)


class TellsTheTimeOfItsFirstLook(Broken):
    card = "F13"

    def __init__(self, inner: Broker) -> None:
        super().__init__(inner)
        self.first: UtcNs | None = None

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        self.first = self.first or books.as_of
        return replaced(books, as_of=self.first)


class TellsItsOwnTime(Broken):
    """By a clock that is an hour ahead of the venue's."""

    card = "F13"

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        return replaced(books, as_of=UtcNs(books.as_of + 3600 * SECOND_NS))


class ShowsPositionsOfAnotherAccount(Broken):
    card = "F13"

    @override
    def position_shown(self, position: HeldPosition) -> HeldPosition:
        return replaced(position, account=AccountID("main"))


class AnswersFromMemory(Broken):
    card = "F13"
    also = ("F20", "F21")

    def __init__(self, inner: Broker) -> None:
        super().__init__(inner)
        self.kept: BrokerSnapshot | None = None

    @override
    async def snapshot(self, executions_since: UtcNs | None = None) -> BrokerSnapshot:
        if executions_since is not None or self.kept is None:
            self.kept = await super().snapshot(executions_since)
        return self.kept


class SaysThatAllIsSellable(Broken):
    card = "F14"

    @override
    def position_shown(self, position: HeldPosition) -> HeldPosition:
        return replaced(position, long_sellable=position.long_qty)


class SaysThatNothingIsSellable(Broken):
    card = "F14"

    @override
    def position_shown(self, position: HeldPosition) -> HeldPosition:
        return replaced(position, long_sellable=Qty(ZERO))


class SaysNotWhatIsSellable(Broken):
    card = "F14"

    @override
    def position_shown(self, position: HeldPosition) -> HeldPosition:
        return replaced(position, long_sellable=None)


class ReadsTheFirstPageOfFills(Broken):
    card = "F15"

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        return replaced(books, executions=(books.executions or ())[:100])


class ReadsTheFirstPageOfOrders(Broken):
    card = "F15"

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        return replaced(books, orders=(books.orders or ())[:100])


class ShowsWhatWasTakenBack(Broken):
    card = "F16"

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        shown = {e.exec_id for e in books.executions or ()}
        more = tuple(e for e in self.heard.values() if e.exec_id not in shown)
        return replaced(books, executions=(*(books.executions or ()), *more))


class ShowsFillsAsTheyFirstWere(Broken):
    card = "F16"

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        return replaced(books, executions=tuple(self.heard.get(e.exec_id, e) for e in books.executions or ()))


class IgnoresTheTimeAskedFor(Broken):
    card = "F17"

    @override
    async def snapshot(self, executions_since: UtcNs | None = None) -> BrokerSnapshot:
        books = await super().snapshot()
        return books if executions_since is None else replaced(books, executions_since=executions_since)


class ClaimsTheOrdersOfAllDays(Broken):
    card = "F17"

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        return replaced(books, orders_from=TradingDay("2026-01-02"))


class ShowsOrdersOfTheDayAlone(Broken):
    card = "F18"

    @override
    def show(self, books: BrokerSnapshot) -> BrokerSnapshot:
        is_first = books.trading_day == "2026-07-17"
        return replaced(books, orders=tuple(o for o in books.orders or () if is_first or o.ord_status is not OrdStatus.NEW))


class GivesTheAveragePriceAsTheCost(Broken):
    card = "F3"

    @override
    def position_shown(self, position: HeldPosition) -> HeldPosition:
        return replaced(position, cost=Amount(Decimal("9.87")))


class LeavesOutWhatItCannotRead(Broken):
    card = "F19"

    @override
    async def snapshot(self, executions_since: UtcNs | None = None) -> BrokerSnapshot:
        try:
            return await super().snapshot(executions_since)
        except NotSent as error:
            if "could not be read" not in str(error):
                raise
            return replaced(await super().snapshot(executions_since), orders=())


class LosesTheIdsOfWhatAnotherProcessFilled(Broken):
    card = "F22"

    @override
    def order_shown(self, order: OpenOrder) -> OpenOrder:
        is_before = order.ord_status is OrdStatus.FILLED and order.cl_ord_id not in self.placed
        return replaced(order, cl_ord_id=None) if is_before else order
