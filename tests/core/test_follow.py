"""What the world must do about a fact, and what a new process still owes."""

from __future__ import annotations

from decimal import Decimal

from tradeloop.core.commands import CancelOrder
from tradeloop.core.effects import RaiseAlert, SendCancel, SendOrder, SetTimer, TakeSnapshot
from tradeloop.core.events import BreakFound, BrokerConnected, EngineStarted, RunEnded
from tradeloop.core.follow import after_restart, follow
from tradeloop.core.inputs import Start, TimerFired
from tradeloop.core.order import Order
from tradeloop.core.reports import BrokerDown, BrokerUp, SendOutcome
from tradeloop.core.types import SECOND_NS, AccountID, OrdStatus, RunID, RunStatus, Side, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, NOON, a_snapshot, an_instrument, buy, their_order
from tradeloop.testing.desk import Desk

MOUTAI = "600519.SH"


def a_desk() -> Desk:
    desk = Desk().opened(an_instrument())
    desk.effects.clear()
    return desk


def sent() -> tuple[Desk, Order]:
    desk = a_desk()
    return desk, desk.order(buy(MOUTAI, 100))


def test_a_begun_send_asks_for_the_wire_once_and_for_a_time_out() -> None:
    desk, order = sent()
    assert [type(e) for e in desk.effects] == [SendOrder, SetTimer]
    timer = desk.of(SetTimer)[0]
    assert (timer.kind, timer.subject, timer.due) == ("ack_timeout", order.cl_ord_id, desk.now + 5 * SECOND_NS)


def test_what_goes_to_the_wire_bears_the_version_of_the_rules_it_passed() -> None:
    desk, order = sent()
    assert desk.of(SendOrder)[0].order.risk_version == order.risk_version != ""


def test_a_new_session_asks_for_the_books_first() -> None:
    desk = a_desk()
    desk.give(BrokerDown(BROKER, "gone"))
    desk.effects.clear()
    desk.give(BrokerUp(BROKER))
    assert [(e.broker, e.account, e.why) for e in desk.of(TakeSnapshot)] == [(BROKER, ACCOUNT, "connected")]


def test_the_first_session_asks_for_books_of_an_account_it_cannot_name_yet() -> None:
    desk = Desk()
    effects = follow(desk.state, desk.around, BrokerConnected(UtcNs(NOON), BROKER))
    assert effects[0] == TakeSnapshot(BROKER, AccountID(""), "connected", UtcNs(NOON))
    assert effects[1:] == (SetTimer(UtcNs(NOON + SECOND_NS), "unready", f"{BROKER}|{NOON}"),)


def test_a_lost_session_alerts() -> None:
    desk = a_desk()
    desk.give(BrokerDown(BROKER, "gone"))
    assert [(a.level, a.key) for a in desk.of(RaiseAlert)] == [("WARNING", "down:paper")]


def test_the_books_are_compared_again_and_again_while_the_session_is_up() -> None:
    desk = a_desk()
    tick = TimerFired("reconcile", f"{BROKER}|{ACCOUNT}")
    desk.give(tick)
    assert [type(e) for e in desk.effects] == [TakeSnapshot, SetTimer]
    desk.give(BrokerDown(BROKER, "gone"))
    desk.effects.clear()
    desk.give(tick)
    assert desk.effects == []


def test_a_break_alerts_with_both_figures() -> None:
    desk = a_desk()
    found = BreakFound(UtcNs(NOON), "id", "cash", BROKER, ACCOUNT, "CNY", "100", "90", "a fee", "accept it", Decimal(-10))
    alert = follow(desk.state, desk.around, found)[0]
    assert isinstance(alert, RaiseAlert)
    assert "ours 100, theirs 90" in alert.text


def test_a_run_that_ended_well_alerts_nobody_and_one_that_did_not_does() -> None:
    """S1-45."""
    desk = a_desk()

    def ended(status: RunStatus, todo: tuple[int, ...]) -> int:
        return len(follow(desk.state, desk.around, RunEnded(UtcNs(NOON), RunID("r"), status, "", "", todo)))

    asked = [ended(RunStatus.COMPLETED, ()), ended(RunStatus.COMPLETED, (3,)), ended(RunStatus.FAILED, ())]
    assert asked == [0, 1, 1]


def test_most_facts_ask_nothing_of_the_world() -> None:
    desk = a_desk()
    assert follow(desk.state, desk.around, EngineStarted(UtcNs(NOON), 2, "v", "t1")) == ()


def test_a_new_process_goes_on_asking_about_orders_of_unknown_fate() -> None:
    desk, order = sent()
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "UNKNOWN", "timed out"))
    owed = after_restart(desk.state, desk.around)
    assert owed == (
        SetTimer(UtcNs(desk.now + SECOND_NS), "probe", order.cl_ord_id),
        SetTimer(UtcNs(desk.now + 10 * SECOND_NS), "overdue", f"{order.cl_ord_id}|{desk.now}"),
    )


def test_cancels_that_were_not_answered_are_asked_for_again_once_the_books_have_been_compared() -> None:
    desk, order = sent()
    desk.ack(order)
    desk.give(CancelOrder(order.cl_ord_id, "ann"), Start(2, "test", "t1"))
    desk.effects.clear()
    shown = their_order(order.cl_ord_id, MOUTAI, Side.BUY, 100, OrdStatus.NEW)
    desk.give(BrokerUp(BROKER), a_snapshot(orders=(shown,)))
    order_id = desk.known(order.cl_ord_id).order_id
    assert desk.of(SendCancel) == [SendCancel(BROKER, ACCOUNT, order.cl_ord_id, order_id, order.symbol)]


def test_a_new_process_keeps_the_fixed_time_outs() -> None:
    """S1-58."""
    desk, order = sent()
    order.cancel_at = UtcNs(desk.now + 60 * SECOND_NS)
    assert after_restart(desk.state, desk.around) == (SetTimer(order.cancel_at, "order_timeout", order.cl_ord_id),)


def test_a_new_process_never_owes_a_send() -> None:
    desk, order = sent()
    desk.give(Start(2, "test", "t1"))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.UNKNOWN
    assert not [e for e in after_restart(desk.state, desk.around) if isinstance(e, SendOrder)]
