"""What a market does to a run between its plan and its orders: limit-up, limit-down, suspension; and names nobody may hold."""

from __future__ import annotations

from decimal import Decimal

from tests.core.runs_made import A, B, Work, a_run

from tradeloop.core.commands import ApproveRun, PauseRun, ResumeRun, RunLimits
from tradeloop.core.events import OrderDenied
from tradeloop.core.replies import RunReply
from tradeloop.core.types import Px, RunStatus, Symbol
from tradeloop.testing.builders import a_quote, an_instrument
from tradeloop.testing.desk import Desk

MAIN = tuple(an_instrument(symbol, price_limit="0.1") for symbol in (A, B))


def main_board(cash: int = 1_000_000, held: dict[str, int] | None = None) -> Desk:
    """Two stocks with a limit of ten per cent, at 9.99 to 10.00."""
    return Desk().opened(*MAIN, cash=cash, positions=held)


def test_a_buy_at_limit_up_goes_and_reserves_no_more_than_the_limit() -> None:
    """R25: nobody offers, the last price is the limit, and no fill can be above it."""
    desk = main_board(cash=10_000)
    desk.give(a_quote(A, bid="10.00", ask=None, last=Px(Decimal("10.00")), prev_close=Px(Decimal("9.09"))))

    work = Work.begun({A: 1}, desk=desk)

    assert (work.sent(), work.order(A).reserved) == ({A: 1000}, Decimal("10000.00"))


def test_a_sell_at_limit_down_goes_and_its_buy_waits_for_what_it_brings() -> None:
    """D4: nobody bids; what stays unsold funds nothing."""
    desk = main_board(cash=0, held={A: 1000})
    desk.give(a_quote(A, bid=None, ask="10.00", last=Px(Decimal("10.00")), prev_close=Px(Decimal("11.11"))))

    work = Work.begun({A: 0, B: "0.5"}, desk=desk)
    assert work.sent() == {A: -1000}
    work.canceled(A)

    assert (work.status, work.leg(B).code, work.run.todo) == (RunStatus.COMPLETED, "no_cash", (1, 2))


def test_a_symbol_that_is_suspended_after_the_plan_is_denied_and_the_others_go() -> None:
    """S1-45."""
    desk = main_board()
    work = Work.begun({A: "0.1", B: "0.1"}, desk=desk, hold_for_approval=True)
    desk.give(a_quote(A, suspended=True))
    desk.wait(3600)
    desk.give(a_quote(B, at=desk.now))

    desk.give(ApproveRun(work.run_id, "boss"))

    assert (work.sent(), work.leg(A).code) == ({B: 10_000}, "denied")
    assert [denied.rule for denied in desk.of(OrderDenied)] == ["suspended"]


def test_a_symbol_that_is_suspended_while_its_run_is_paused_is_a_line_for_a_person() -> None:
    """S1-45."""
    work = Work.begun({A: 0, B: "0.5"}, desk=main_board(cash=0, held={A: 1000}))
    work.desk.give(PauseRun(work.run_id, "ann"))
    work.fill(A)
    work.desk.give(a_quote(B, suspended=True), ResumeRun(work.run_id, "ann"))

    assert (work.status, work.run.code, work.run.todo) == (RunStatus.COMPLETED, "partial", (2,))


def test_a_blacklisted_holding_is_sold_whether_the_target_names_it_or_not() -> None:
    """S1-14: a name nobody may hold is one to get rid of."""
    limits = RunLimits(blacklist=(Symbol(A),))
    assert Work.begun({A: 0}, desk=main_board(held={A: 1000}), limits=limits).sent() == {A: -1000}
    assert Work.begun({B: "0.1"}, desk=main_board(held={A: 1000}), limits=limits).sent()[A] == -1000


def test_a_blacklisted_holding_may_not_even_be_kept_in_part_by_a_target() -> None:
    """S1-14."""
    desk = main_board(held={A: 10_000})
    reply = desk.give(a_run({A: "0.01"}, limits=RunLimits(blacklist=(Symbol(A),))))
    assert isinstance(reply, RunReply)
    assert [text.split(":")[0] for text in reply.failed] == ["blacklist"]
