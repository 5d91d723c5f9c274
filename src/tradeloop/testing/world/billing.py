"""When a venue says what its fills have cost (F97): in half of the worlds that know this never, in the others when the day is
done, as a correction of each fill that changes nothing but its fee. Until then our own schedule stands in.

A venue that never says it charges what the schedule does, each order once for all that counts of it, and shows the money so.
"""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Final

import msgspec

from tradeloop.core.instrument import Instrument
from tradeloop.core.reports import BrokerSnapshot, Execution, ExecutionCorrect, Report
from tradeloop.core.types import SECOND_NS, ZERO, Amount, OrderID, Side, Symbol, TradingDay, UtcNs
from tradeloop.testing.faults import Fault, Weather

NEVER: Final = 0.5
"""Of the venues that tell no fee with a fill: how many tell none at all."""
STATED_NS: Final = 20 * SECOND_NS
"""How long after the faults the fees are told."""
STATED_AGAIN_NS: Final = 45 * SECOND_NS
"""And once more, in the same words, for who was away."""


class Billing:
    """Of one venue."""

    def __init__(self, weather: Weather, dice: Random, *, is_one_day: bool) -> None:
        self.instruments: dict[Symbol, Instrument] = {}
        self._weather = weather
        self._withholds = is_one_day and weather.enables(Fault.FEES_NOT_TOLD)
        self._never = dice.random() < NEVER

    @property
    def is_stated(self) -> bool:
        """Whether the fees are told in the end."""
        return self._withholds and not self._never

    def without(self, report: Report) -> Report:
        """A report as this venue tells it."""
        if not self._withholds or not isinstance(report, Execution | ExecutionCorrect) or report.commission is None:
            return report
        self._weather.meet(Fault.FEES_NOT_TOLD)
        return msgspec.structs.replace(report, commission=None)

    def shown(self, books: BrokerSnapshot) -> BrokerSnapshot:
        """Its books as it shows them: without the fees."""
        if not self._withholds or books.executions is None:
            return books
        return msgspec.structs.replace(
            books, executions=tuple(msgspec.structs.replace(x, commission=None) for x in books.executions)
        )

    def settled(self, books: BrokerSnapshot, today: TradingDay) -> BrokerSnapshot:
        """Its books with the money that it has really charged for the fills of this day."""
        if not (self._withholds and self._never) or books.cash is None:
            return books
        more = self._more(books.executions or (), today)
        cash = tuple(msgspec.structs.replace(one, balance=Amount(one.balance - more)) for one in books.cash)
        return msgspec.structs.replace(books, cash=cash)

    def _more(self, fills: tuple[Execution, ...], today: TradingDay) -> Decimal:
        """What the schedule charges beyond what was charged fill by fill."""
        of: dict[tuple[OrderID | None, Symbol, Side], list[Execution]] = {}
        for x in fills:
            if x.trading_day == today:
                of.setdefault((x.order_id, x.symbol, x.side), []).append(x)
        more = ZERO
        for (_, symbol, side), parts in of.items():
            qty = sum((x.last_qty for x in parts), ZERO)
            value = sum((x.last_qty * x.last_px for x in parts), ZERO)
            charged = sum((x.commission or ZERO for x in parts), ZERO)
            more += self.instruments[symbol].fees.fee(side, qty, value) - charged
        return more


def statement(books: BrokerSnapshot, today: TradingDay, at: UtcNs) -> list[ExecutionCorrect]:
    """What each fill of the day has cost, as the venue has it."""
    return [
        ExecutionCorrect(x.broker, x.account, x.trading_day, x.exec_id, x.side, x.last_qty, x.last_px, x.commission, at)
        for x in books.executions or ()
        if x.trading_day == today
    ]
