"""What a process has heard on its stream, it books by itself: no person and no later look has to mend what was told.

A fill that was taken back, or got other figures, stands so in the books of a process that was told and lived on (invariant 36);
a person who confirms the bust in the end hides nothing. And where the broker says with how much filled an order has ended, it
stays open with what it holds until so much has been booked (invariant 23): its money is owed for fills that are on their way.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.core import events as ev
from tradeloop.core.cash import fee_can_be
from tradeloop.core.execution import Exec, exec_key
from tradeloop.core.reports import CancelAck, ExecutionBust, ExecutionCorrect, OrderExpire, Report
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, ClOrdID
from tradeloop.testing.clocks import Clocks

IN_TIME_NS: Final = 15 * SECOND_NS
"""Within this a running process has made durable what it heard, whatever its disk does."""


class _Word(msgspec.Struct):
    """A bust or a correction that a process was told, and when."""

    report: ExecutionBust | ExecutionCorrect
    at: int
    epoch: int


class Heard:
    """Watches what one world's processes are told, and what they make of it."""

    def __init__(self, broken: Callable[[int, str], None], now: Callable[[], int], clocks: Clocks) -> None:
        self.filled_there: Callable[[ClOrdID], Decimal] = lambda cl_ord_id: Decimal(0)
        """How much of an order counts as filled at the venue."""
        self._broken, self._now, self._clocks = broken, now, clocks
        self._state = State()
        self._words: list[_Word] = []
        self.forget()

    def forget(self) -> None:
        """The journal is read anew: what it has lost, nobody was told for it."""
        self._words.clear()
        self._ends: dict[ClOrdID, Decimal] = {}
        """What the broker counts as filled of an order that it has told this process is over."""

    def told(self, epoch: int, report: Report) -> None:
        """A report reaches a process, known by its epoch."""
        match report:
            case ExecutionBust() | ExecutionCorrect() if self._clocks.are_right:  # else the process may not believe its time
                self._words.append(_Word(report, self._now(), epoch))
            case CancelAck() | OrderExpire() if report.cum_qty is not None and epoch == self._state.epoch:
                self._ends[report.cl_ord_id] = report.cum_qty
            case _:
                pass

    def fact(self, event: ev.Event, state: State, *, again: bool) -> None:
        """A durable fact, and the state it led to."""
        self._state = state
        match event:
            case ev.EngineStarted():
                self._ends.clear()
            case ev.TradeNeverCame() if all(hours.trading_day > event.trading_day for hours in state.hours.values()):
                # Its day is over everywhere: what it moved would show in the books of the next one (convergence.py). Of a day
                # that goes on it may come yet, and a word about it that is given up is still missed.
                never = exec_key(event.broker, event.account, event.trading_day, event.exec_id, event.side)
                self._words[:] = [word for word in self._words if self._key(word.report) != never]
            case ev.OrderCanceled() | ev.OrderExpired() if not again:
                self._ended(event.cl_ord_id)
            case _:
                pass

    def _ended(self, cl_ord_id: ClOrdID) -> None:
        theirs = self._ends.get(cl_ord_id)
        order = self._state.orders.get(cl_ord_id)
        if theirs is None or order is None or order.external or order.told_qty >= theirs:
            return
        there = self.filled_there(cl_ord_id)
        if there > order.cum_qty:
            self._broken(
                23,
                f"{cl_ord_id} has ended here with {order.cum_qty} filled and holds nothing any more; its broker told of "
                f"{theirs}, and {there} count there",
            )

    def look(self, running: int | None) -> None:
        """Once a second: whether the process that runs, known by its epoch, has booked what it was told."""
        kept = []
        for word in self._words:
            if word.epoch != running:
                continue  # it ended, or was stopped, before it could
            if self._now() - word.at <= IN_TIME_NS:
                kept.append(word)
            elif self._clocks.were_right_for(IN_TIME_NS):
                self._judge(word.report)
        self._words[:] = kept

    def _judge(self, report: ExecutionBust | ExecutionCorrect) -> None:
        key = self._key(report)
        known = self._state.execs.get(key) if key in self._state.execs else None
        if known is None:
            early = self._state.early.get(key)
            if report.account in self._state.accounts and key not in self._state.execs and early is None:
                self._broken(36, f"a word about fill {report.exec_ref_id}, which has not come, was told and is not kept")
            return
        if known.busted or _is_newer(known, report):
            return
        if isinstance(report, ExecutionBust):
            self._broken(36, f"fill {report.exec_ref_id} was told to be taken back, and stands here {_ago()}")
        elif (known.qty, known.px) != (report.last_qty, report.last_px) or self._is_charged_otherwise(known, report):
            self._broken(
                36,
                f"fill {report.exec_ref_id} was told to be {report.last_qty} at {report.last_px} for {report.commission}, and "
                f"is {known.qty} at {known.px} for {known.fee} here {_ago()}",
            )

    def _key(self, report: ExecutionBust | ExecutionCorrect) -> str:
        name = exec_key(report.broker, report.account, report.trading_day, report.exec_ref_id, report.side)
        return self._state.execs.root(name)

    def _is_charged_otherwise(self, known: Exec, report: ExecutionCorrect) -> bool:
        """Whether the fee stands against the broker's word, where that can be true of such a fill."""
        order = self._state.orders.get(known.cl_ord_id)
        if report.commission is None or order is None or known.fee == report.commission:
            return False
        instrument = self._state.instruments[order.symbol]
        return fee_can_be(instrument, report.commission, instrument.notional(report.last_px, report.last_qty))


def _is_newer(known: Exec, report: ExecutionBust | ExecutionCorrect) -> bool:
    """Whether the fill has had a newer word than this one."""
    return known.told_at is not None and report.transact_at is not None and known.told_at > report.transact_at


def _ago() -> str:
    return f"{IN_TIME_NS // SECOND_NS} s later"
