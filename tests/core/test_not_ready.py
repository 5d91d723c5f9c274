"""A connect whose first look did not suffice is asked about again, and told to a person; times are the engine's own."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.core.runs_made import LISTED, A

from tradeloop.core.commands import CancelOrder
from tradeloop.core.effects import RaiseAlert, SetTimer, TakeSnapshot
from tradeloop.core.events import AbsenceSeen, BreakChanged, CancelRejected, NotSentProven
from tradeloop.core.inputs import Start, TimerFired
from tradeloop.core.reports import BrokerDown, BrokerSnapshot, BrokerUp, CancelReject, SendOutcome
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, OrdStatus, Side, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, a_quote, a_snapshot, an_execution, buy
from tradeloop.testing.desk import Desk

HOUR = 3600 * SECOND_NS


def connected() -> Desk:
    """The session is up, and its books have not been seen."""
    desk = Desk()
    desk.give(Start(1, "test", "t1"), BrokerUp(BROKER))
    return desk


def due(desk: Desk) -> list[SetTimer]:
    return [timer for timer in desk.of(SetTimer) if timer.kind == "unready"]


def pass_time(desk: Desk, seconds: int, look: BrokerSnapshot | None = None) -> None:
    """Timers fire when they are due; every look that is asked for shows `look`."""
    end = UtcNs(desk.now + seconds * SECOND_NS)
    while (timer := due(desk)[-1]).due <= end:
        desk.now = timer.due
        desk.give(TimerFired(timer.kind, timer.subject))
        if look is not None:
            desk.give(msgspec.structs.replace(look, as_of=desk.now))
        if due(desk)[-1] == timer:
            break
    desk.now = end


@pytest.mark.parametrize("part", ["orders", "cash", "positions", "executions"])
def test_a_first_look_that_lacked_a_part_is_asked_for_again_until_the_broker_is_ready(part: str) -> None:
    desk = connected()
    desk.give(msgspec.structs.replace(a_snapshot(), **{part: None}))
    desk.effects = [effect for effect in desk.effects if not isinstance(effect, TakeSnapshot)]
    pass_time(desk, 2, a_snapshot())

    assert desk.state.links[BROKER].ready
    assert [look.why for look in desk.of(TakeSnapshot)] == ["not ready"]
    timers = len(due(desk))
    desk.give(TimerFired(due(desk)[-1].kind, due(desk)[-1].subject))
    assert len(due(desk)) == timers


def test_books_that_stay_incomplete_are_asked_for_ever_more_rarely_and_told_after_ten_seconds() -> None:
    desk = connected()
    pass_time(desk, 125, a_snapshot(orders=None))  # type: ignore[arg-type]

    asked = [(look.not_before - desk.now) / SECOND_NS + 125 for look in desk.of(TakeSnapshot)]
    assert asked == [0, 1, 2, 4, 8, 16, 32, 62, 92, 122]
    alerts = desk.of(RaiseAlert)
    assert {alert.key for alert in alerts} == {f"not_ready:{BROKER}"}
    assert alerts[0].text.startswith("the session with paper has been up for 16 s and its books could not be compared")


def test_the_questions_of_a_lost_session_end_with_it() -> None:
    desk = connected()
    first = due(desk)[-1]
    desk.wait(0.5)
    desk.give(BrokerDown(BROKER, "reset"), BrokerUp(BROKER))
    desk.effects.clear()
    desk.give(TimerFired(first.kind, first.subject))
    assert desk.effects == []


@pytest.mark.parametrize("skew", [-HOUR, HOUR])
def test_a_broker_whose_clock_is_wrong_becomes_ready_by_the_time_at_which_it_was_asked(skew: int) -> None:
    desk = connected()
    desk.give(a_snapshot(as_of=desk.now + skew, asked_at=desk.now))
    assert desk.state.links[BROKER].ready


def test_a_look_that_was_asked_for_before_the_session_came_up_does_not_make_it_ready() -> None:
    desk = connected()
    desk.give(a_snapshot(as_of=desk.now + HOUR, asked_at=desk.now - 1))
    assert not desk.state.links[BROKER].ready


def test_a_broker_whose_clock_is_ahead_proves_absence_no_sooner() -> None:
    """The time a request may take counts from looks that we asked for after it."""
    desk = Desk().opened(*LISTED)
    order = desk.order(buy(A, 100))
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "UNKNOWN", "time-out"))
    for _ in range(3):
        desk.wait(1)
        desk.give(a_quote(A, at=desk.now), a_snapshot(as_of=desk.now + HOUR, asked_at=desk.now))

    assert len(desk.of(AbsenceSeen)) == 3
    assert not desk.of(NotSentProven)


def test_figures_that_are_written_otherwise_change_no_break() -> None:
    desk = Desk().opened(*LISTED, cash="5.0")
    desk.give(a_snapshot(cash="4.0"))
    desk.give(a_snapshot(cash="4.00", as_of=desk.now + 1))
    assert not desk.of(BreakChanged)


# --- cancels nobody answered


def filled_with_a_cancel_pending(desk: Desk) -> Any:
    order = desk.order(buy(A, 100))
    desk.ack(order)
    desk.give(CancelOrder(order.cl_ord_id, "ann"), an_execution(order.cl_ord_id, A, Side.BUY, 100, "10"))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.PENDING_CANCEL
    return order


@pytest.mark.parametrize("through_a_snapshot", [False, True])
def test_a_filled_order_whose_cancel_was_lost_with_the_process_is_shown_as_filled_once_the_broker_is_ready(
    through_a_snapshot: bool,
) -> None:
    desk = Desk().opened(*LISTED)
    order = filled_with_a_cancel_pending(desk)
    if through_a_snapshot:
        desk.state = State.unpack(desk.state.pack())
    desk.give(Start(2, "test", "t1"), BrokerUp(BROKER))
    desk.give(a_snapshot(cash=999_000, positions={A: 100}, as_of=desk.now))

    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.FILLED
    assert [answer.cl_ord_id for answer in desk.of(CancelRejected)] == [order.cl_ord_id]
    before = desk.state.hash()
    desk.give(CancelReject(BROKER, order.cl_ord_id, "17", "too late"))
    assert desk.state.hash() == before


def test_a_cancel_of_a_filled_order_whose_answer_does_not_come_is_given_up_after_the_time_of_an_answer() -> None:
    desk = Desk().opened(*LISTED)
    order = filled_with_a_cancel_pending(desk)
    found = []
    for _ in range(2):
        desk.wait(2.5)
        desk.give(a_snapshot(cash=999_000, positions={A: 100}, as_of=desk.now))
        found.append(desk.known(order.cl_ord_id).ord_status)
    assert found == [OrdStatus.PENDING_CANCEL, OrdStatus.FILLED]


def test_a_cancel_that_was_answered_is_not_answered_again() -> None:
    desk = Desk().opened(*LISTED)
    order = filled_with_a_cancel_pending(desk)
    desk.give(CancelReject(BROKER, order.cl_ord_id, "17", "too late"), BrokerDown(BROKER, "reset"), BrokerUp(BROKER))
    desk.give(a_snapshot(cash=999_000, positions={A: 100}, as_of=desk.now))

    assert len(desk.of(CancelRejected)) == 1
    assert desk.known(order.cl_ord_id).account == ACCOUNT
