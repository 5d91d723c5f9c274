"""A run belongs to its trading day: what was not sent on it is never sent on another."""

from __future__ import annotations

import pytest
from tests.core.runs_made import LISTED, A, B, Work

from tradeloop.core.commands import ApproveRun, CancelRun, OpenTradingDay, PauseRun, ResumeRun
from tradeloop.core.effects import RaiseAlert, SendOrder
from tradeloop.core.errors import BadInput
from tradeloop.core.events import RunEnded
from tradeloop.core.inputs import Start
from tradeloop.core.replies import RunReply
from tradeloop.core.reports import BrokerUp
from tradeloop.core.types import SECOND_NS, RunStatus, Side, TradingDay, UtcNs
from tradeloop.testing.builders import BROKER, DAY, a_quote, a_snapshot, an_execution, an_instrument
from tradeloop.testing.desk import Desk

HOUR = 3600 * SECOND_NS
MONDAY = TradingDay("2026-07-20")


def next_day(desk: Desk, session: str = "CN_A") -> None:
    """Three days later the session opens again, and the symbols are quoted."""
    desk.wait(3 * 24 * 3600)
    desk.give(OpenTradingDay(session, MONDAY, ((UtcNs(desk.now - HOUR), UtcNs(desk.now + 3 * HOUR)),)))
    desk.give(a_quote(A, at=desk.now), a_quote(B, at=desk.now))


def waiting_for_money() -> Work:
    """A sell at work, and a buy that waits for its money."""
    return Work.begun({A: 0, B: "0.9"}, cash=1_000, held={A: 10_000})


def test_a_run_of_yesterday_sends_nothing_today_when_its_sell_fills_at_last() -> None:
    """S0-46, S1-41: its prices are those of a market that is gone."""
    work = waiting_for_money()
    work.ack(A)
    next_day(work.desk)

    work.fill(A)

    assert work.sent() == {A: -10_000}
    assert (work.status, work.run.code, work.run.todo) == (RunStatus.COMPLETED, "partial", (2,))
    assert work.run.text == "trading day 2026-07-17 is over; 1 of 2 lines need a person"
    assert work.leg(B).code == "day_over"


def test_a_run_of_yesterday_sends_nothing_after_a_restart_on_another_day() -> None:
    """S1-41: the fill that would have paid for the buy is found in the broker's books of today."""
    work = waiting_for_money()
    desk, order = work.desk, work.order(A)
    work.ack(A)
    desk.give(Start(2, "test", "t1"), BrokerUp(BROKER))
    next_day(desk)

    desk.give(an_execution(order.cl_ord_id, A, Side.SELL, 10_000, "9.99"), a_snapshot(cash=100_900, as_of=desk.now))

    assert [sent.order.order.symbol for sent in desk.of(SendOrder)] == [A]
    assert (work.status, work.run.code) == (RunStatus.COMPLETED, "partial")


def test_a_run_that_waits_when_its_day_ends_is_ended_by_the_next_day() -> None:
    """Nothing else would wake it: none of its orders works any more."""
    work = Work.begun({A: "0.1"}, desk=Desk().opened(*LISTED, quoted=False))
    assert (work.status, work.sent()) == (RunStatus.RUNNING, {})

    next_day(work.desk)

    (ended,) = work.desk.of(RunEnded)
    assert (ended.status, ended.code, ended.todo) == (RunStatus.FAILED, "day_over", (1,))
    assert ended.text == "trading day 2026-07-17 is over; 1 of 1 lines need a person"
    assert [alert.key for alert in work.desk.of(RaiseAlert)] == [f"run:{work.run_id}"]
    assert not work.desk.of(SendOrder)


def test_a_run_that_waits_when_its_market_closes_for_the_day_is_ended_by_the_next_look() -> None:
    desk = Desk().opened(*LISTED, quoted=False)
    work = Work.begun({A: "0.1"}, desk=desk)

    desk.wait(25 * 3600)
    desk.give(a_snapshot(as_of=desk.now))

    assert (work.status, work.run.code) == (RunStatus.FAILED, "day_over")
    assert "CN_A has closed" in work.leg(A).reason


def test_a_run_of_yesterday_with_an_order_that_may_still_trade_has_not_ended() -> None:
    """D7: an end would claim that nothing of it moves any more."""
    work = waiting_for_money()
    work.ack(A)

    next_day(work.desk)

    assert work.status is RunStatus.RUNNING
    assert work.leg(B).closed


def test_a_paused_run_is_not_resumed_on_another_day() -> None:
    """S1-41: an order of it may still trade, so it has not ended; it can be cancelled."""
    work = waiting_for_money()
    work.ack(A)
    work.desk.give(PauseRun(work.run_id, "ann"))
    next_day(work.desk)
    before = work.desk.state.hash()

    with pytest.raises(BadInput, match="was planned for 2026-07-17, which is not the trading day now"):
        work.desk.give(ResumeRun(work.run_id, "ann"))

    assert work.desk.state.hash() == before
    work.desk.give(CancelRun(work.run_id, "ann"))
    work.canceled(A)
    assert (work.status, work.sent()) == (RunStatus.CANCELED, {A: -10_000})


def test_a_paused_run_ends_with_its_day() -> None:
    """Nobody could resume it any more: what it did stays, and the rest is a list for a person."""
    work = waiting_for_money()
    work.desk.give(PauseRun(work.run_id, "ann"))
    work.fill(A)
    assert work.status is RunStatus.PAUSED

    next_day(work.desk)

    assert (work.status, work.run.code, work.run.todo) == (RunStatus.COMPLETED, "partial", (2,))
    assert work.run.text == "trading day 2026-07-17 is over; 1 of 2 lines need a person"
    assert work.sent() == {A: -10_000}
    with pytest.raises(BadInput, match="is COMPLETED; only a PAUSED one can be resumed"):
        work.desk.give(ResumeRun(work.run_id, "ann"))


def test_a_paused_run_that_sent_nothing_fails_with_its_day() -> None:
    work = Work.begun({A: "0.1"}, desk=Desk().opened(*LISTED, quoted=False))
    work.desk.give(PauseRun(work.run_id, "ann"))

    next_day(work.desk)

    assert (work.status, work.run.code, work.run.todo) == (RunStatus.FAILED, "day_over", (1,))
    assert [alert.key for alert in work.desk.of(RaiseAlert)] == [f"run:{work.run_id}"]
    assert not work.desk.of(SendOrder)


def test_a_paused_run_whose_market_closed_for_the_day_is_ended_by_the_next_look() -> None:
    desk = Desk().opened(*LISTED, quoted=False)
    work = Work.begun({A: "0.1"}, desk=desk)
    desk.give(PauseRun(work.run_id, "ann"))

    desk.wait(25 * 3600)
    desk.give(a_snapshot(as_of=desk.now))

    assert (work.status, work.run.code) == (RunStatus.FAILED, "day_over")


def test_a_paused_run_of_yesterday_ends_when_its_last_order_does() -> None:
    """D7: before that an end would claim that nothing of it moves any more."""
    work = waiting_for_money()
    work.ack(A)
    work.desk.give(PauseRun(work.run_id, "ann"))
    next_day(work.desk)
    assert (work.status, work.leg(B).code) == (RunStatus.PAUSED, "day_over")

    work.fill(A)

    assert (work.status, work.run.code, work.sent()) == (RunStatus.COMPLETED, "partial", {A: -10_000})


@pytest.mark.parametrize("waiting", ["execute", "hold_for_approval"])
def test_a_run_that_nobody_let_go_ends_with_its_day_and_a_person_hears_of_it(waiting: str) -> None:
    """S1-56: a missed approval is told, and a run that can not be approved any more does not wait for ever."""
    work = Work.begun({A: "0.1"}, execute=waiting != "execute", hold_for_approval=waiting != "execute")

    next_day(work.desk)

    assert (work.status, work.run.code, work.run.todo) == (RunStatus.FAILED, "day_over", (1,))
    assert [alert.key for alert in work.desk.of(RaiseAlert)] == [f"run:{work.run_id}"]
    assert work.desk.give(ApproveRun(work.run_id, "boss")) == RunReply(work.run_id, RunStatus.FAILED, repeat=True)
    assert not work.desk.of(SendOrder)


@pytest.mark.parametrize("waiting", ["execute", "hold_for_approval"])
def test_a_waiting_run_with_nothing_left_to_order_ends_with_its_day(waiting: str) -> None:
    """S1-56: its target is held already, so that no leg of it could be given up; it is done, and nobody has to hear of it."""
    by_hand = waiting == "execute"
    work = Work.begun({A: "0.1"}, held={A: 10_000}, cash=900_000, execute=not by_hand, hold_for_approval=not by_hand)
    assert [leg.order_qty for leg in work.run.legs] == [0]

    next_day(work.desk)

    assert (work.status, work.run.code, work.run.todo) == (RunStatus.COMPLETED, "", ())
    assert work.run.text == "trading day 2026-07-17 is over; every line was worked to its end"
    assert not work.desk.of(RaiseAlert)


def test_a_waiting_run_with_nothing_to_order_waits_for_the_last_of_its_markets() -> None:
    """Two markets, one of them a day further: somebody may still let it go."""
    desk = Desk().opened(
        an_instrument(A), an_instrument(B, market="OTHER", session="OTHER"), positions={A: 5_000, B: 5_000}, cash=900_000
    )
    desk.give(OpenTradingDay("OTHER", DAY, ((desk.now, UtcNs(desk.now + 100 * HOUR)),)))
    work = Work.begun({A: "0.05", B: "0.05"}, desk=desk, hold_for_approval=True)

    seen = [work.status]
    for session in ("CN_A", "OTHER"):
        next_day(desk, session)
        seen.append(work.status)

    assert seen == [RunStatus.AWAITING_APPROVAL, RunStatus.AWAITING_APPROVAL, RunStatus.COMPLETED]


def test_a_run_that_waits_for_a_person_goes_on_waiting_while_its_day_lasts() -> None:
    """S1-56."""
    work = Work.begun({A: "0.1"}, hold_for_approval=True)
    work.desk.wait(3600)
    work.desk.give(OpenTradingDay("CN_A", DAY, ((work.desk.now, UtcNs(work.desk.now + HOUR)),)))
    assert (work.status, work.leg(A).closed) == (RunStatus.AWAITING_APPROVAL, False)


def test_a_paused_run_stays_paused_while_its_day_lasts() -> None:
    work = waiting_for_money()
    work.desk.give(PauseRun(work.run_id, "ann"))
    work.fill(A)

    work.desk.wait(3600)
    work.desk.give(a_snapshot(cash=100_900, as_of=work.desk.now))

    assert (work.status, work.leg(B).closed) == (RunStatus.PAUSED, False)


def test_a_paused_run_waits_over_the_lunch_of_its_day() -> None:
    """A market that opens again today has not ended the day."""
    desk = Desk().opened(*LISTED, cash=1_000, positions={A: 10_000})
    soon, later = UtcNs(desk.now + 60 * SECOND_NS), UtcNs(desk.now + 2 * HOUR)
    desk.give(OpenTradingDay("CN_A", DAY, ((desk.now, soon), (later, UtcNs(later + HOUR)))))
    work = Work.begun({A: 0, B: "0.9"}, desk=desk)
    desk.give(PauseRun(work.run_id, "ann"))
    work.fill(A)

    desk.wait(3600)
    desk.give(a_snapshot(cash=100_900, as_of=desk.now))

    assert (work.status, work.leg(B).closed) == (RunStatus.PAUSED, False)


def test_only_the_legs_of_the_market_whose_day_is_over_are_given_up() -> None:
    """Two markets, one of them a day further."""
    desk = Desk().opened(an_instrument(A), an_instrument(B, market="OTHER", session="OTHER"), quoted=False)
    desk.give(OpenTradingDay("OTHER", DAY, ((desk.now, UtcNs(desk.now + 100 * HOUR)),)))
    work = Work.begun({A: "0.1", B: "0.1"}, desk=desk)

    next_day(desk)

    assert (work.leg(A).code, work.leg(A).closed) == ("day_over", True)
    assert not work.leg(B).closed
    assert work.status is RunStatus.RUNNING
