"""A bust or a correction of a fill that was inside the broker's books when they became ours."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.core.runs_made import LISTED, A, B

from tradeloop.core.commands import ListInstruments, OpenTradingDay, RepairBreak
from tradeloop.core.effects import RaiseAlert
from tradeloop.core.events import BreakClosed, BreakFound, ExternalOrderFound, Traded, TradeNeverCame
from tradeloop.core.inputs import Start
from tradeloop.core.reports import BrokerUp, Execution, ExecutionBust, ExecutionCorrect
from tradeloop.core.state import State
from tradeloop.core.types import Amount, ExecID, Px, Qty, Side, Symbol, TradingDay, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, a_quote, a_snapshot, an_execution
from tradeloop.testing.desk import Desk

MONDAY = TradingDay("2026-07-20")
BUST = ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY, exec_id=ExecID("t1"))
FEWER = ExecutionCorrect(
    BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY, Qty(Decimal(60)), Px(Decimal(10)), Amount(Decimal(0)), exec_id=ExecID("e1.02")
)


def a_fill(exec_id: str = "e1", qty: int = 100) -> Execution:
    return an_execution(None, A, Side.BUY, qty, "10", exec_id)


def a_desk() -> Desk:
    """Its account had bought 100 before we came."""
    desk = Desk()
    desk.give(Start(1, "test", "t1"), ListInstruments(LISTED))
    desk.give(OpenTradingDay("CN_A", DAY, ((UtcNs(desk.now - 10**12), UtcNs(desk.now + 10**15)),)))
    desk.give(BrokerUp(BROKER), a_snapshot(cash=99_000, positions={A: 100, B: 50}, executions=(a_fill(),)))
    desk.give(a_quote(A))
    return desk


def look(desk: Desk, cash: int, held: int, *fills: Execution, **changes: Any) -> None:
    desk.wait(60)
    books: dict[str, Any] = {"as_of": desk.now, "cash": cash, "positions": {A: held, B: 50}, "executions": fills}
    desk.give(a_snapshot(**{**books, **changes}))


def held(desk: Desk) -> Decimal:
    return desk.state.held(ACCOUNT, Symbol(A)).long_qty


@pytest.mark.parametrize(
    ("said", "cash", "left", "words"),
    [(BUST, 100_000, 0, "took back fill e1"), (FEWER, 99_400, 60, "corrected fill e1")],
    ids=["bust", "correction"],
)
def test_the_next_look_finds_what_our_books_differ_by_and_says_why(said: Any, cash: int, left: int, words: str) -> None:
    desk = a_desk()
    desk.give(said)
    (alert,) = desk.of(RaiseAlert)
    assert f"{words} (BUY, 2026-07-17) of {ACCOUNT}, which was inside its books when they became ours" in alert.text
    assert held(desk) == 100

    shown = () if said is BUST else (a_fill("e1.02", 60),)
    look(desk, cash, left, *shown)
    breaks = {one.kind: one for one in desk.of(BreakFound)}
    assert sorted(breaks) == ["cash", "position"]
    for one in breaks.values():
        assert one.cause.startswith(f"the broker {words} (BUY, 2026-07-17), which was inside its books when they became ours")
    for one in breaks.values():
        desk.give(RepairBreak(one.break_id, "ann", "it took it back"))
    assert (held(desk), desk.cash()) == (Decimal(left), Decimal(cash))
    look(desk, cash, left, *shown)
    assert (len(desk.of(BreakFound)), len(desk.of(BreakClosed)), desk.of(Traded), desk.of(ExternalOrderFound)) == (2, 2, [], [])
    assert State.unpack(desk.state.pack()).hash() == desk.state.hash()


@pytest.mark.parametrize("said", [BUST, FEWER], ids=["bust", "correction"])
def test_a_repeat_says_nothing_new(said: Any) -> None:
    desk = a_desk()
    desk.give(said)
    told = len(desk.events)
    desk.give(said)
    assert len(desk.events) == told


def test_the_fill_itself_told_again_is_not_booked() -> None:
    desk = a_desk()
    desk.give(BUST, a_fill())
    assert (held(desk), desk.of(Traded)) == (Decimal(100), [])


def test_it_is_kept_in_mind_no_longer_once_the_books_of_a_later_day_were_read() -> None:
    desk = a_desk()
    desk.give(BUST)
    desk.wait(3 * 86_400)
    desk.give(OpenTradingDay("CN_A", MONDAY, ((UtcNs(desk.now - 1), UtcNs(desk.now + 10**13)),)))
    look(desk, 100_000, 0, trading_day=MONDAY)
    (gone,) = desk.of(TradeNeverCame)
    assert gone.exec_id == "e1"
    assert desk.state.early == {}
    assert {one.kind: "took back fill e1" in one.cause for one in desk.of(BreakFound)} == {"cash": True, "position": True}
