"""Adapters that break a promise of the cards B: what trades, and what ends an order."""

from __future__ import annotations

from decimal import Decimal

from tests.contract.broken.meddler import Broken, instead, replaced
from typing_extensions import override

from tradeloop.core.order import Order
from tradeloop.core.reports import (
    CancelAck,
    Execution,
    ExecutionBust,
    ExecutionCorrect,
    OpenOrder,
    OrderAck,
    OrderExpire,
    OrderReject,
    Report,
)
from tradeloop.core.risk.approved import Approved
from tradeloop.core.types import (
    SECOND_NS,
    ZERO,
    AccountID,
    Amount,
    ExecID,
    OrderID,
    Px,
    Qty,
    Side,
    Symbol,
    TradingDay,
    UtcNs,
)
from tradeloop.ports.broker import Broker


class RoundsThePriceOfAFill(Broken):
    card = "B1"
    also = ("F16",)

    @override
    def fill(self, execution: Execution) -> Execution:
        return replaced(execution, last_px=Px(round(execution.last_px, 1)))


class TakesARebateForAFee(Broken):
    card = "B17"

    @override
    def fill(self, execution: Execution) -> Execution:
        fee = execution.commission
        return execution if fee is None else replaced(execution, commission=Amount(abs(fee)))


class CountsWholeUnits(Broken):
    card = "B18"

    @override
    def fill(self, execution: Execution) -> Execution:
        return replaced(execution, last_qty=Qty(execution.last_qty.to_integral_value()))


class DatesARedeliveredFillToday(Broken):
    card = "B2"

    @override
    def say(self, report: Report) -> list[Report]:
        if isinstance(report, Execution) and report.exec_id in self.heard:
            return [replaced(report, trading_day=TradingDay("2026-07-18"))]
        return [report]


class RoundsThePriceToFourPlaces(Broken):
    """It reads prices through a float."""

    card = "B1"
    also = ("B7", "F16")

    @override
    def say(self, report: Report) -> list[Report]:
        if isinstance(report, Execution | ExecutionCorrect):
            return [replaced(report, last_px=_to_four_places(report.last_px))]
        return [report]

    @override
    def fill_shown(self, execution: Execution) -> Execution:
        return replaced(execution, last_px=_to_four_places(execution.last_px))


class KeepsAFillUntilTheAck(Broken):
    card = "B3"

    @override
    def say(self, report: Report) -> list[Report]:
        if isinstance(report, Execution) and report.cl_ord_id in self.placed - self.acked:
            return []
        if isinstance(report, OrderAck):
            return [report, *(e for e in self.heard.values() if e.cl_ord_id == report.cl_ord_id)]
        return [report]


class DropsAPartThatFillsAfterACancelRequest(Broken):
    card = "B4"
    also = ("B13",)

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


class DropsABustOfAFillItNeverHeard(Broken):
    """It keeps a map of exec ids in the process."""

    card = "B6"

    @override
    def say(self, report: Report) -> list[Report]:
        return [] if isinstance(report, ExecutionBust) and report.exec_ref_id not in self.heard else [report]


class DropsACorrectionOfAFillItNeverHeard(Broken):
    card = "B7"

    @override
    def say(self, report: Report) -> list[Report]:
        return [] if isinstance(report, ExecutionCorrect) and report.exec_ref_id not in self.heard else [report]


class TakesBackOnTheDayItHears(Broken):
    """A bust says no day of its own there, and it takes that of the last fill."""

    card = "B6"

    @override
    def say(self, report: Report) -> list[Report]:
        if isinstance(report, ExecutionBust) and self.heard:
            return [replaced(report, trading_day=list(self.heard.values())[-1].trading_day)]
        return [report]


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
    also = ("B17",)

    @override
    def say(self, report: Report) -> list[Report]:
        return [replaced(report, commission=Amount(ZERO))] if isinstance(report, Execution) else [report]


class TellsTheAveragePrice(Broken):
    card = "B1"

    @override
    def say(self, report: Report) -> list[Report]:
        if not isinstance(report, Execution) or report.exec_id in self.heard:
            return [report]
        made = [*(e for e in self.heard.values() if e.cl_ord_id == report.cl_ord_id), report]
        worth = sum((e.last_qty * e.last_px for e in made), ZERO)
        return [replaced(report, last_px=Px(worth / sum((e.last_qty for e in made), ZERO)))]


class NamesTheOrderByOurId(Broken):
    card = "B1"

    @override
    def fill(self, execution: Execution) -> Execution:
        return replaced(execution, order_id=OrderID(execution.cl_ord_id or ""))


class DropsTheBustOfAFilledOrder(Broken):
    card = "B6"

    @override
    def say(self, report: Report) -> list[Report]:
        is_filled = sum((e.last_qty for e in self.heard.values()), ZERO) == 100
        return [] if isinstance(report, ExecutionBust) and is_filled else [report]


class TakesBackUnderTheVenuesSymbol(Broken):
    card = "B6"

    @override
    def say(self, report: Report) -> list[Report]:
        return [replaced(report, symbol=Symbol("US:ACME"))] if isinstance(report, ExecutionBust) else [report]


class CorrectsUnderTheVenuesSymbol(Broken):
    card = "B7"

    @override
    def say(self, report: Report) -> list[Report]:
        return [replaced(report, symbol=Symbol("US:ACME"))] if isinstance(report, ExecutionCorrect) else [report]


class CorrectsForFree(Broken):
    card = "B7"

    @override
    def say(self, report: Report) -> list[Report]:
        return [replaced(report, commission=Amount(ZERO))] if isinstance(report, ExecutionCorrect) else [report]


class RoundsTheCommission(Broken):
    card = "B9"
    also = ("B17",)

    @override
    def say(self, report: Report) -> list[Report]:
        if isinstance(report, Execution) and report.commission is not None:
            return [replaced(report, commission=Amount(round(report.commission, 2)))]
        return [report]


class SendsEverythingAsABuy(Broken):
    card = "B10"
    also = ("F20",)

    @override
    async def place(self, order: Approved[Order]) -> None:
        await instead(order, self.inner, side=Side.BUY)


class TellsSellsAsBuys(Broken):
    card = "B10"

    @override
    def say(self, report: Report) -> list[Report]:
        return [replaced(report, side=Side.BUY)] if isinstance(report, Execution) else [report]


class ShowsSellsAsBuys(Broken):
    card = "B10"

    @override
    def order_shown(self, order: OpenOrder) -> OpenOrder:
        return replaced(order, side=Side.BUY)


class TakesTheVenuesTimeForUtc(Broken):
    """The venue's clock shows the time of Shanghai."""

    card = "B11"

    @override
    def fill(self, execution: Execution) -> Execution:
        return replaced(execution, transact_at=UtcNs((execution.transact_at or 0) + 8 * 3600 * SECOND_NS))


class DatesFillsByItsOwnCalendar(Broken):
    card = "B11"
    also = ("B16", "F17")

    @override
    def say(self, report: Report) -> list[Report]:
        if isinstance(report, Execution | ExecutionBust | ExecutionCorrect):
            return [replaced(report, trading_day=TradingDay("2026-07-16"))]
        return [report]

    @override
    def fill_shown(self, execution: Execution) -> Execution:
        return replaced(execution, trading_day=TradingDay("2026-07-16"))


class CutsTheTimeToSeconds(Broken):
    card = "B11"

    @override
    def fill(self, execution: Execution) -> Execution:
        return _to_seconds(execution)


class CutsTheTimeInTheStreamAlone(Broken):
    card = "F2"
    also = ("B11",)

    @override
    def say(self, report: Report) -> list[Report]:
        return [_to_seconds(report)] if isinstance(report, Execution) else [report]


class ReportsUnderAnotherAccount(Broken):
    card = "B11"

    @override
    def say(self, report: Report) -> list[Report]:
        if isinstance(report, Execution | ExecutionBust | ExecutionCorrect):
            return [replaced(report, account=AccountID("main"))]
        return [report]

    @override
    def fill_shown(self, execution: Execution) -> Execution:
        return replaced(execution, account=AccountID("main"))


class SwallowsTheEndOfADay(Broken):
    card = "B12"

    @override
    def say(self, report: Report) -> list[Report]:
        return [] if isinstance(report, OrderExpire) else [report]


class TellsAnExpiryAsAReject(Broken):
    card = "B12"

    @override
    def say(self, report: Report) -> list[Report]:
        if isinstance(report, OrderExpire):
            return [OrderReject(self.name, report.cl_ord_id, "", report.text)]
        return [report]


class TellsAnExpiryAsACancel(Broken):
    card = "B12"

    @override
    def say(self, report: Report) -> list[Report]:
        if isinstance(report, OrderExpire):
            return [CancelAck(self.name, report.cl_ord_id, report.text, report.transact_at, report.cum_qty)]
        return [report]


class CountsNothingOfAnExpiredOrder(Broken):
    card = "B12"

    @override
    def say(self, report: Report) -> list[Report]:
        return [replaced(report, cum_qty=None)] if isinstance(report, OrderExpire) else [report]


class TellsTheNumberOfAnotherOrderWithAnEnd(Broken):
    card = "B12"

    @override
    def say(self, report: Report) -> list[Report]:
        return [replaced(report, order_id=OrderID("17"))] if isinstance(report, OrderExpire) else [report]


class DropsAFillBehindTheCancel(Broken):
    card = "B13"

    def __init__(self, inner: Broker) -> None:
        super().__init__(inner)
        self.ended: set[str | None] = set()

    @override
    def say(self, report: Report) -> list[Report]:
        if isinstance(report, CancelAck):
            self.ended.add(report.cl_ord_id)
        return [] if isinstance(report, Execution) and report.cl_ord_id in self.ended else [report]


class DropsFillsOfTheProcessBefore(Broken):
    card = "B14"

    @override
    def say(self, report: Report) -> list[Report]:
        is_strange = isinstance(report, Execution) and report.cl_ord_id not in {None, *self.placed}
        return [] if is_strange else [report]


class TellsFillsOfTheProcessBeforeAsSomebodyElses(Broken):
    card = "B14"

    @override
    def say(self, report: Report) -> list[Report]:
        if isinstance(report, Execution) and report.cl_ord_id not in self.placed:
            return [replaced(report, cl_ord_id=None)]
        return [report]


class MakesAFillOfACount(Broken):
    card = "B15"
    also = ("B13",)

    @override
    def say(self, report: Report) -> list[Report]:
        if not isinstance(report, CancelAck) or not report.cum_qty:
            return [report]
        missing = report.cum_qty - sum((e.last_qty for e in self.heard.values()), ZERO)
        made = Execution(
            self.name, self.account, TradingDay("2026-07-17"), ExecID("made"), Symbol("ACME.US"), Side.BUY, Qty(missing),
            Px(Decimal("9.87")), report.cl_ord_id,
        )  # fmt: skip
        return [made, report] if missing else [report]


class StaysOnTheDayOfItsFirstFill(Broken):
    """The day is read once a session."""

    card = "B16"
    also = ("F17",)

    def __init__(self, inner: Broker) -> None:
        super().__init__(inner)
        self.day: TradingDay | None = None

    @override
    def fill(self, execution: Execution) -> Execution:
        self.day = self.day or execution.trading_day
        return replaced(execution, trading_day=self.day)


class DatesFillsInTheStreamByTheFirst(Broken):
    """Its snapshot is right."""

    card = "B16"

    @override
    def say(self, report: Report) -> list[Report]:
        if isinstance(report, Execution) and self.heard:
            return [replaced(report, trading_day=next(iter(self.heard.values())).trading_day)]
        return [report]


def _to_seconds(execution: Execution) -> Execution:
    return replaced(execution, transact_at=UtcNs((execution.transact_at or 0) // SECOND_NS * SECOND_NS))


def _to_four_places(px: Px) -> Px:
    return Px(Decimal(f"{float(px):.4f}"))
