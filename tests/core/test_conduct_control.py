"""How a person steers a run: pause, resume, cancel, and the fixed time-out that cancels for them."""

from __future__ import annotations

import pytest
from tests.core.runs_made import LISTED, A, B, C, Work, a_run

from tradeloop.core.commands import ApproveRun, CancelRun, PauseRun, ResumeRun
from tradeloop.core.effects import SendCancel, SetTimer
from tradeloop.core.errors import BadInput
from tradeloop.core.events import CancelRequested, OrderStaged, RunCancelRequested, RunEnded, RunPaused, RunResumed
from tradeloop.core.replies import RunReply
from tradeloop.core.reports import BrokerDown, BrokerUp, CancelOutcome, CancelReject, SendOutcome
from tradeloop.core.types import SECOND_NS, OrdStatus, RunStatus
from tradeloop.testing.builders import ACCOUNT, BROKER, a_quote, a_snapshot, their_order
from tradeloop.testing.desk import Desk

# --- pause and resume


def test_a_paused_run_releases_nothing_and_what_works_goes_on() -> None:
    work = Work.begun({A: 0, B: "0.5"}, cash=0, held={A: 1000})
    work.desk.give(PauseRun(work.run_id, "ann", "lunch"))

    work.fill(A)

    assert (work.status, work.sent()) == (RunStatus.PAUSED, {A: -1000})
    assert work.desk.state.held(ACCOUNT, work.order(A).symbol).long_qty == 0


def test_a_resumed_run_releases_what_has_become_possible_meanwhile() -> None:
    work = Work.begun({A: 0, B: "0.5"}, cash=0, held={A: 1000})
    work.desk.give(PauseRun(work.run_id, "ann"))
    work.fill(A)

    reply = work.desk.give(ResumeRun(work.run_id, "bob"))

    assert reply == RunReply(work.run_id, RunStatus.RUNNING)
    assert work.sent() == {A: -1000, B: 500}


def test_a_paused_run_whose_last_order_ends_is_completed() -> None:
    work = Work.begun({A: "0.1"})
    work.desk.give(PauseRun(work.run_id, "ann"))

    work.fill(A)

    assert work.status is RunStatus.COMPLETED


def test_a_reconnect_does_not_wake_a_paused_run() -> None:
    work = Work.begun({A: 0, B: "0.5"}, cash=0, held={A: 1000})
    work.desk.give(PauseRun(work.run_id, "ann"))
    work.fill(A)

    work.desk.give(BrokerDown(BROKER, "reset"), BrokerUp(BROKER), a_snapshot(cash=9_990))

    assert work.sent() == {A: -1000}


def test_a_paused_run_holds_its_staged_order_back_and_looks_at_it_again_when_resumed() -> None:
    """Invariant 42: given up then, since the market has moved, and the run ends with it."""
    work = Work.begun({A: "0.1"})
    work.desk.give(SendOutcome(BROKER, work.order(A).cl_ord_id, "NOT_SENT", "refused"))
    work.desk.wait(1)
    work.desk.give(PauseRun(work.run_id, "ann"), BrokerDown(BROKER, "reset"), a_quote(A, bid="12.99", ask="13.00"))

    work.desk.give(BrokerUp(BROKER), a_snapshot(as_of=work.desk.now))
    assert (work.status, work.order(A).ord_status) == (RunStatus.PAUSED, OrdStatus.STAGED)

    work.desk.give(ResumeRun(work.run_id, "ann"))

    assert work.order(A).text.startswith("never sent: 600001.SH moved from")
    assert work.has_ended


def test_pausing_twice_and_resuming_twice_record_one_fact_each() -> None:
    work = Work.begun({A: "0.1"})
    for command in (PauseRun, PauseRun, ResumeRun, ResumeRun):
        work.desk.give(command(work.run_id, "ann"))

    assert (len(work.desk.of(RunPaused)), len(work.desk.of(RunResumed))) == (1, 1)
    assert work.status is RunStatus.RUNNING


@pytest.mark.parametrize(
    ("command", "sentence"),
    [(PauseRun, "only a RUNNING one can be paused"), (ResumeRun, "only a PAUSED one can be resumed")],
)
def test_a_run_that_ended_can_be_neither_paused_nor_resumed(command: type[PauseRun | ResumeRun], sentence: str) -> None:
    work = Work.begun({A: "0.1"})
    work.fill(A)
    with pytest.raises(BadInput, match=f"is COMPLETED; {sentence}"):
        work.desk.give(command(work.run_id, "ann"))


# --- cancel


def test_cancelling_a_run_asks_the_broker_for_every_working_order_and_releases_nothing_more() -> None:
    """S0-40."""
    work = Work.begun({A: 0, B: 0, C: "0.9"}, cash=0, held={A: 1000, B: 1000})
    work.ack(A, B)

    work.desk.give(CancelRun(work.run_id, "ann", "wrong file"))
    work.fill(A)

    assert [effect.symbol for effect in work.desk.of(SendCancel)] == [A, B]
    assert (work.status, work.sent()) == (RunStatus.RUNNING, {A: -1000, B: -1000})


def test_a_cancelled_run_ends_when_its_last_order_is_out_and_its_fills_stay() -> None:
    """S0-40."""
    work = Work.begun({A: "0.1", B: "0.1"}, cash=100_000)
    work.fill(A)
    work.fill(B, 300)
    work.desk.give(CancelRun(work.run_id, "ann", "wrong file"))
    assert work.status is RunStatus.RUNNING

    work.canceled(B)

    assert (work.status, work.run.text, work.run.todo) == (RunStatus.CANCELED, "wrong file", (2,))
    held = {symbol: position.long_qty for symbol, position in work.desk.state.positions[ACCOUNT].items()}
    assert held == {A: 1000, B: 300}
    assert work.free == 100_000 - 13_000


def test_cancelling_a_paused_run_ends_it() -> None:
    work = Work.begun({A: "0.1"})
    work.desk.give(PauseRun(work.run_id, "ann"), CancelRun(work.run_id, "ann"))
    work.canceled(A)
    assert work.status is RunStatus.CANCELED


@pytest.mark.parametrize("waiting", ["execute", "hold_for_approval"])
def test_cancelling_a_run_that_nobody_let_go_ends_it_at_once(waiting: str) -> None:
    """S0-39: a run that waits must not be startable after it was cancelled."""
    work = Work.begun({A: "0.1"}, execute=waiting != "execute", hold_for_approval=waiting != "execute")

    reply = work.desk.give(CancelRun(work.run_id, "ann", "not today"))

    assert reply == RunReply(work.run_id, RunStatus.CANCELED)
    assert work.desk.give(ApproveRun(work.run_id, "bob")) == RunReply(work.run_id, RunStatus.CANCELED, repeat=True)
    assert not work.desk.of(OrderStaged)


def test_cancelling_a_run_that_ended_changes_nothing() -> None:
    work = Work.begun({A: "0.1"})
    work.fill(A)
    events = len(work.desk.events)

    assert work.desk.give(CancelRun(work.run_id, "ann")) == RunReply(work.run_id, RunStatus.COMPLETED, repeat=True)
    assert len(work.desk.events) == events


def test_asking_again_asks_the_broker_again_for_what_still_works() -> None:
    work = Work.begun({A: "0.1", B: "0.1"})
    work.desk.give(CancelRun(work.run_id, "ann"))
    work.canceled(A)

    work.desk.give(CancelRun(work.run_id, "bob"))

    assert [effect.symbol for effect in work.desk.of(SendCancel)] == [A, B, B]
    assert len(work.desk.of(RunCancelRequested)) == 1


def test_a_cancelled_run_whose_order_was_never_sent_ends_at_once() -> None:
    work = Work.begun({A: "0.1"})
    work.desk.give(SendOutcome(BROKER, work.order(A).cl_ord_id, "NOT_SENT", "refused"))

    work.desk.give(CancelRun(work.run_id, "ann"))

    assert work.status is RunStatus.CANCELED
    assert not work.desk.of(SendCancel)


def test_a_cancelled_run_waits_for_an_order_of_unknown_fate() -> None:
    """D7: CANCELED would claim that nothing of it can trade any more."""
    work = Work.begun({A: "0.1"})
    work.desk.give(SendOutcome(BROKER, work.order(A).cl_ord_id, "UNKNOWN", "time-out"))

    work.desk.give(CancelRun(work.run_id, "ann"))

    assert work.status is RunStatus.RUNNING
    assert work.desk.of(SendCancel)


def test_a_cancel_that_crosses_a_full_fill_ends_the_run_with_the_fill() -> None:
    """S0-40, F33."""
    work = Work.begun({A: "0.1"})
    work.desk.give(CancelRun(work.run_id, "ann"))
    work.fill(A)
    work.desk.give(CancelReject(BROKER, work.order(A).cl_ord_id, "", "too late"))

    assert work.status is RunStatus.CANCELED
    assert work.run.todo == ()


# --- what a lost session does to a cancel


def test_a_cancel_that_could_not_be_delivered_is_asked_again_when_the_broker_is_ready() -> None:
    """S1-51: a wish to be out of the market survives a lost session."""
    work = Work.begun({A: "0.1"})
    work.ack(A)
    work.desk.give(BrokerDown(BROKER, "reset"))
    work.desk.give(CancelRun(work.run_id, "ann"))
    cl_ord_id = work.order(A).cl_ord_id
    work.desk.give(CancelOutcome(BROKER, cl_ord_id, "not connected"))
    asked = len(work.desk.of(SendCancel))

    work.desk.give(BrokerUp(BROKER))
    work.desk.give(a_snapshot(orders=(their_order(cl_ord_id, A, work.order(A).side, 10_000, OrdStatus.NEW),)))

    assert [effect.cl_ord_id for effect in work.desk.of(SendCancel)[asked:]] == [cl_ord_id]
    assert work.order(A).ord_status is OrdStatus.PENDING_CANCEL


def test_a_cancel_without_an_answer_is_asked_again_after_a_reconnect() -> None:
    work = Work.begun({A: "0.1"})
    work.ack(A)
    work.desk.give(CancelRun(work.run_id, "ann"))
    cl_ord_id = work.order(A).cl_ord_id

    work.desk.give(BrokerDown(BROKER, "reset"), BrokerUp(BROKER))
    work.desk.give(a_snapshot(orders=(their_order(cl_ord_id, A, work.order(A).side, 10_000, OrdStatus.NEW),)))

    assert len(work.desk.of(SendCancel)) == 2


# --- the fixed time-out


def test_an_order_not_filled_in_time_is_cancelled_and_the_run_ends_with_its_residual() -> None:
    """S1-58."""
    work = Work.begun({A: "0.1", B: "0.1"}, order_timeout_ns=30 * SECOND_NS)
    assert {t.subject for t in work.desk.of(SetTimer) if t.kind == "order_timeout"} == {
        work.order(A).cl_ord_id,
        work.order(B).cl_ord_id,
    }
    work.fill(A, 400)
    work.fill(B)

    work.desk.wait(30)
    work.timer("order_timeout", A)
    assert [(event.by, event.reason) for event in work.desk.of(CancelRequested)] == [("time-out", "not filled in time")]
    work.canceled(A)

    assert (work.status, work.run.code, work.run.todo) == (RunStatus.COMPLETED, "partial", (1,))


def test_a_time_out_before_its_time_does_nothing() -> None:
    """S1-58: timers may come early after a restart; the order says when."""
    work = Work.begun({A: "0.1"}, order_timeout_ns=30 * SECOND_NS)
    work.desk.wait(29)
    work.timer("order_timeout", A)
    assert not work.desk.of(CancelRequested)


def test_sells_that_time_out_shrink_the_buys() -> None:
    """S1-58, D4."""
    work = Work.begun({A: 0, B: "0.9"}, cash=0, held={A: 1000}, order_timeout_ns=SECOND_NS)
    work.fill(A, 200)
    work.desk.wait(1)
    work.timer("order_timeout", A)
    assert work.leg(B).cl_ord_id is None

    work.canceled(A)

    assert work.sent() == {A: -1000, B: 100}


def test_a_run_that_ended_is_told_once() -> None:
    """Invariant 15."""
    work = Work.begun({A: "0.1"})
    work.fill(A)
    work.timer("ack_timeout", A)
    work.timer("order_timeout", A)
    work.desk.give(BrokerDown(BROKER, "reset"), BrokerUp(BROKER), a_snapshot(cash=900_000, positions={A: 10_000}))
    assert len(work.desk.of(RunEnded)) == 1


def test_a_run_is_steered_only_by_an_id_that_exists() -> None:
    desk = Desk().opened(*LISTED)
    work = Work(desk, desk.give(a_run({A: "0.1"})))
    for command in (PauseRun, ResumeRun, CancelRun):
        with pytest.raises(BadInput, match="run was 'nope', which is not known; see `tradeloop runs list`"):
            desk.give(command("nope", "ann"))  # type: ignore[arg-type]
    assert work.status is RunStatus.RUNNING
