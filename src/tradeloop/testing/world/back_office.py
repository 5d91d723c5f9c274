"""What a broker's back office does behind everybody's back: a fill that ended a buy is taken out, so that the order works again
(F91), money or shares come or go without a report (F92), and a correction is told again after a newer word about its fill
(F98).

Its dice are its own: a seed that knows none of this lives as if there were no back office.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Final

from tradeloop.core.errors import BadInput
from tradeloop.core.reports import Execution, ExecutionCorrect, Report
from tradeloop.core.types import SECOND_NS, ExecID, OrdStatus, Px, Side, Symbol, TradingDay
from tradeloop.testing.faults import Fault, Weather
from tradeloop.testing.world.loop import Timeline
from tradeloop.testing.world.market import SYMBOLS
from tradeloop.testing.world.venue import Venue

SOON_NS: Final = (SECOND_NS // 20, 4 * SECOND_NS)
"""How long after a fill it is taken out."""
TAKEN_OUT: Final = 0.3
"""How many buys lose a fill, where any does."""
SAID_TWICE: Final = 0.3
"""How many fills are corrected for F98, where any is."""
NEWER_NS: Final = (SECOND_NS // 2, 3 * SECOND_NS)
"""How long after the correction the newer word comes."""
AGAIN_NS: Final = (4 * SECOND_NS, 12 * SECOND_NS)
"""And how long after it the correction is told again."""
CENT: Final = Decimal("0.01")
LEFT: Final = (OrdStatus.CANCELED, OrdStatus.EXPIRED)
CURRENCY: Final = "CNY"
CENTS: Final = 200_00


class BackOffice:
    """Of one venue. `moved` is told of every transfer of shares, at the moment it happens."""

    def __init__(self, timeline: Timeline, venue: Venue, weather: Weather, dice: Random) -> None:
        self.moved: Callable[[Symbol, Decimal], None] = lambda symbol, delta: None
        self.note: Callable[[str, str], None] = lambda mark, text: None
        self.tell_again: Callable[[Report], None] = lambda report: None
        self._corrected: dict[tuple[TradingDay, ExecID], None] = {}
        """Fills whose next correction is told again."""
        self._timeline, self._venue, self._weather, self._dice = timeline, venue, weather, dice
        venue.listeners.append(self._hear)

    def script(self, until: int) -> None:
        """Transfers of this seed."""
        if self._weather.enables(Fault.MOVED_UNTOLD):
            for _ in range(self._dice.randint(1, 3)):
                self._timeline.at(self._dice.randint(SECOND_NS, until), self._transfer)

    def _transfer(self) -> None:
        dice = self._dice
        if dice.random() < 0.5:
            subject, delta = CURRENCY, Decimal(dice.randint(-CENTS, CENTS)) / 100
        else:
            subject, delta = dice.choice(SYMBOLS), Decimal(100 * dice.randint(-2, 5))
        if not delta:
            return
        with self._venue.loop.running():
            try:
                self._venue.broker.transfer(subject, delta)
            except BadInput:
                return  # so much is not there, or not free; nothing has happened
        self._weather.meet(Fault.MOVED_UNTOLD)
        self.note("!", f"{delta} {subject} come to the account, and no report says so")
        if subject != CURRENCY:
            self.moved(Symbol(subject), delta)

    def _hear(self, report: Report) -> None:
        if type(report) is Execution and self._timeline.now > 0 and self._weather.enables(Fault.OLD_WORD_AGAIN):
            if self._dice.random() < SAID_TWICE:
                self._timeline.after(self._dice.randint(*SOON_NS), lambda: self._correct(report))
        elif type(report) is ExecutionCorrect and (report.trading_day, report.exec_ref_id) in self._corrected:
            del self._corrected[report.trading_day, report.exec_ref_id]
            self._timeline.after(self._dice.randint(*AGAIN_NS), lambda: self._say_again(report))
        if type(report) is not Execution or report.side is Side.SELL or report.cl_ord_id is None or self._timeline.now <= 0:
            return
        if self._weather.enables(Fault.END_TAKEN_BACK) and self._dice.random() < TAKEN_OUT:
            self._timeline.after(self._dice.randint(*SOON_NS), lambda: self._take_out(report))

    def _take_out(self, fill: Execution) -> None:
        """Of an order that the fill has ended, or that works still; not of one that left the market with its rest."""
        ended = {line.order_id for line in self._venue.truth().orders or () if line.ord_status in LEFT}
        if self._weather.calm or fill.order_id in ended:
            return
        with self._venue.loop.running():
            try:
                self._venue.broker.bust(self._venue.own_number(fill))
            except BadInput:
                return  # it is back already
        self._weather.meet(Fault.END_TAKEN_BACK)

    def _correct(self, fill: Execution) -> None:
        """Another price for a fill, and a moment later the fill is gone, or has its own price again."""
        if self._weather.calm:
            return
        name = fill.trading_day, fill.exec_id
        self._corrected[name] = None
        if not self._change(fill, Px(fill.last_px + self._dice.randint(1, 9) * CENT)):
            self._corrected.pop(name, None)
            return
        gone = self._dice.random() < 0.5
        self._timeline.after(self._dice.randint(*NEWER_NS), lambda: self._newer(fill, gone=gone))

    def _newer(self, fill: Execution, *, gone: bool) -> None:
        if self._weather.calm:
            return
        if not gone:
            self._change(fill, fill.last_px)
            return
        with self._venue.loop.running():
            try:
                self._venue.broker.bust(self._venue.own_number(fill))
            except BadInput:
                return  # it is back already

    def _change(self, fill: Execution, px: Px) -> bool:
        with self._venue.loop.running():
            try:
                self._venue.broker.correct(self._venue.own_number(fill), fill.last_qty, px)
            except BadInput:
                return False  # it was taken back
        return True

    def _say_again(self, word: ExecutionCorrect) -> None:
        if not self._weather.calm:
            self._weather.meet(Fault.OLD_WORD_AGAIN)
            self.tell_again(word)
