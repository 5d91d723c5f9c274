"""A cancel that was lost or refused is asked for again, for as long as the order should be out of the market."""

from __future__ import annotations

from typing import Any

import pytest
from tests.core.runs_made import A, Work

from tradeloop.core.commands import CancelOrder, CancelRun
from tradeloop.core.decide import CANCEL_AGAIN
from tradeloop.core.effects import RaiseAlert, SendCancel, SetTimer
from tradeloop.core.follow import after_restart
from tradeloop.core.inputs import TimerFired
from tradeloop.core.reports import BrokerDown, BrokerUp, CancelOutcome, CancelReject
from tradeloop.core.types import SECOND_NS, OrdStatus, RunStatus
from tradeloop.testing.builders import BROKER, a_snapshot, their_order


def working(**changes: Any) -> Work:
    """A run with one order that the broker has."""
    work = Work.begun({A: "0.1"}, **changes)
    work.ack(A)
    return work


def asked(work: Work) -> int:
    return len(work.desk.of(SendCancel))


def timer_fires(work: Work) -> float:
    """The newest cancel timer comes; how many seconds it took."""
    timer = [timer for timer in work.desk.of(SetTimer) if timer.kind == CANCEL_AGAIN][-1]
    took = (timer.due - work.desk.now) / SECOND_NS
    work.desk.now = timer.due
    work.desk.give(TimerFired(timer.kind, timer.subject))
    return took


def refuse(work: Work, code: str = "THROTTLED") -> None:
    work.desk.give(CancelReject(BROKER, work.order(A).cl_ord_id, code, "too many requests, try later"))


def test_a_refused_cancel_of_a_cancelled_run_is_asked_for_again() -> None:
    """S0-40: a person wants the run out of the market, whatever the broker's reason was."""
    work = working()
    work.desk.give(CancelRun(work.run_id, "ann"))
    refuse(work)

    timer_fires(work)
    work.canceled(A)

    assert (asked(work), work.status) == (2, RunStatus.CANCELED)


def test_a_cancel_lost_while_the_session_stands_is_asked_for_again() -> None:
    """S1-51."""
    work = working()
    work.desk.give(CancelRun(work.run_id, "ann"), CancelOutcome(BROKER, work.order(A).cl_ord_id, "reset"))
    timer_fires(work)
    assert asked(work) == 2


def test_a_cancel_that_nobody_answers_is_asked_for_again() -> None:
    work = working()
    work.desk.give(CancelOrder(work.order(A).cl_ord_id, "ann", "enough"))
    timer_fires(work)
    assert asked(work) == 2


def test_a_refused_time_out_cancel_is_asked_for_again() -> None:
    """S1-58."""
    work = working(order_timeout_ns=5 * SECOND_NS)
    work.desk.wait(6)
    work.timer("order_timeout", A)
    refuse(work)
    assert work.order(A).ord_status is OrdStatus.NEW

    timer_fires(work)

    assert work.order(A).ord_status is OrdStatus.PENDING_CANCEL


def test_a_single_cancel_that_the_broker_refused_is_left_to_the_person_who_asked() -> None:
    """Nothing says that the order should still go."""
    work = working()
    work.desk.give(CancelOrder(work.order(A).cl_ord_id, "ann", "enough"))
    refuse(work)
    timer_fires(work)
    assert asked(work) == 1


def test_the_broker_gets_longer_each_time_and_a_person_hears_of_it() -> None:
    work = working()
    work.desk.give(CancelRun(work.run_id, "ann"))
    waits = []
    for _ in range(8):
        refuse(work)
        waits.append(timer_fires(work))

    assert waits == [5, 10, 20, 40, 80, 160, 160, 160]
    alerts = [alert for alert in work.desk.of(RaiseAlert) if alert.key.startswith("cancel:")]
    assert alerts[0].text == f"order {work.order(A).cl_ord_id} ({A}) is still open after 4 cancels; ask the broker"


@pytest.mark.parametrize("end", ["fill", "canceled"])
def test_an_order_that_is_done_is_not_cancelled_again(end: str) -> None:
    """Invariant 42: the asking ends with the order."""
    work = working()
    work.desk.give(CancelRun(work.run_id, "ann"))
    getattr(work, end)(A)
    timer_fires(work)
    assert asked(work) == 1


def test_a_cancel_is_not_repeated_into_a_lost_session_but_at_its_return() -> None:
    work = working()
    work.desk.give(CancelRun(work.run_id, "ann"), BrokerDown(BROKER, "reset"))
    timer_fires(work)
    assert asked(work) == 1
    order = work.order(A)

    work.desk.give(BrokerUp(BROKER))
    theirs = their_order(order.cl_ord_id, A, order.side, 10_000, OrdStatus.NEW)
    work.desk.give(a_snapshot(as_of=work.desk.now, orders=(theirs,)))
    timer_fires(work)

    assert asked(work) == 3


def test_a_new_process_asks_for_the_refused_cancels_of_the_old_one() -> None:
    """S1-51."""
    work = working()
    work.desk.give(CancelRun(work.run_id, "ann"))
    refuse(work)
    (timer,) = [effect for effect in after_restart(work.desk.state, work.desk.around) if isinstance(effect, SetTimer)]
    assert (timer.kind, timer.subject) == (CANCEL_AGAIN, work.order(A).cl_ord_id)
