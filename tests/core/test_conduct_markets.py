"""What a market and its rules do to a run: limit-up, limit-down, suspension, T+1, half a wave; and names nobody may hold."""

from __future__ import annotations

from decimal import Decimal

from tests.core.runs_made import LISTED, A, B, C, D, Work, a_run, prices

from tradeloop.core.commands import ApproveRun, CancelRun, OpenTradingDay, PauseRun, ResumeRun, RetryRun, RunLimits
from tradeloop.core.effects import SendCancel
from tradeloop.core.events import OrderDenied
from tradeloop.core.replies import RunReply
from tradeloop.core.reports import SendOutcome
from tradeloop.core.types import SECOND_NS, OrdStatus, Px, RunStatus, Side, Symbol, TradingDay, UtcNs
from tradeloop.testing.builders import BROKER, a_quote, an_execution, an_instrument
from tradeloop.testing.desk import Desk

E = "600005.SH"
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


def test_of_a_holding_of_today_and_yesterday_only_yesterdays_is_sold_and_the_rest_on_the_next_day() -> None:
    """T+1 (R27), S1-45: the rest is told as what it is, and the next day's run finds it sellable."""
    t1 = tuple(an_instrument(symbol, settles_t1=True) for symbol in (A, B))
    desk = Desk().opened(*t1, positions={A: 1000})
    desk.give(an_execution(None, A, Side.BUY, 500, 10, "by-hand", order_id="h1"))
    work = Work.begun({A: 0}, desk=desk)
    assert (work.sent(), work.leg(A).code) == ({A: -1000}, "t1_shortfall")
    work.fill(A)
    assert (work.status, work.run.code, work.run.todo) == (RunStatus.COMPLETED, "partial", (1,))
    again = work.desk.give(RetryRun(work.run_id, "ann", prices()))
    assert isinstance(again, RunReply)
    assert again.run_id is not None
    assert desk.state.runs[again.run_id].legs[0].code == "t1_shortfall"  # asked again today, it is still today's

    monday = TradingDay("2026-07-20")
    desk.give(OpenTradingDay("CN_A", monday, ((desk.now, UtcNs(desk.now + 3600 * SECOND_NS)),)))
    next_day = Work.begun({A: 0}, desk=desk, trade_date=monday, decision_snapshot_id="s2")

    assert next_day.sent() == {A: -500}


def test_a_cancel_in_the_middle_of_a_wave_ends_what_never_left_and_waits_for_what_may_trade() -> None:
    """S0-40, D7: one filled, one in the market, one of unknown fate, one that surely did not leave, one without money."""
    held = {A: 1000, B: 1000, C: 1000, D: 1000}
    desk = Desk().opened(*LISTED, an_instrument(E), cash=0, positions=held)
    work = Work.begun({A: 0, B: 0, C: 0, D: 0, E: "0.9"}, desk=desk, prices=prices(A, B, C, D, E))
    work.fill(A)
    work.ack(B)
    work.desk.give(SendOutcome(BROKER, work.order(C).cl_ord_id, "UNKNOWN", "time-out"))
    work.desk.give(SendOutcome(BROKER, work.order(D).cl_ord_id, "NOT_SENT", "refused"))
    assert work.leg(E).cl_ord_id is None

    work.desk.give(CancelRun(work.run_id, "ann", "wrong file"))

    assert (work.status, work.order(D).ord_status) == (RunStatus.RUNNING, OrdStatus.CANCELED)
    assert [asked.symbol for asked in work.desk.of(SendCancel)] == [B, C]
    work.canceled(B)
    assert work.status is RunStatus.RUNNING  # the unknown one may still trade
    work.fill(C)
    assert (work.status, work.run.todo) == (RunStatus.CANCELED, (2, 4, 5))
    assert set(work.sent()) == {A, B, C, D}


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
