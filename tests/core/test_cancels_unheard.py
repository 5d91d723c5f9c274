"""A cancel stays wanted until a broker that has the order answers: it is asked again, and the order is never sent once more."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tradeloop.core import follow
from tradeloop.core.commands import CancelOrder, ReplaceOrder
from tradeloop.core.decide import CANCEL_AGAIN
from tradeloop.core.effects import RaiseAlert, SendCancel, SendOrder, SetTimer
from tradeloop.core.events import OrderCanceled
from tradeloop.core.inputs import TimerFired
from tradeloop.core.order import Order
from tradeloop.core.reports import BrokerDown, BrokerUp, CancelOutcome, CancelReject, ReplaceReject, SendOutcome
from tradeloop.core.types import SECOND_NS, OrdStatus, OrdType, Px, Qty
from tradeloop.testing.builders import BROKER, NOON, a_quote, a_snapshot, an_instrument, buy, their_order
from tradeloop.testing.desk import Desk

MOUTAI = "600519.SH"


def working() -> tuple[Desk, Order]:
    """An order that its broker has."""
    desk = Desk().opened(an_instrument())
    order = desk.order(buy(MOUTAI, 100, ord_type=OrdType.LIMIT, price=Px(Decimal(10))))
    desk.ack(order)
    return desk, order


def in_doubt() -> tuple[Desk, Order]:
    """An order of unknown fate."""
    desk = Desk().opened(an_instrument())
    order = desk.order(buy(MOUTAI, 100))
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "UNKNOWN", "timed out"))
    return desk, order


def asked_again(desk: Desk) -> int:
    """How many cancels were asked for when the newest timer has come."""
    timer = [timer for timer in desk.of(SetTimer) if timer.kind == CANCEL_AGAIN][-1]
    desk.now = max(desk.now, timer.due)
    desk.give(TimerFired(timer.kind, timer.subject))
    return len(desk.of(SendCancel))


def timers_that_are_due(desk: Desk) -> bool:
    """Whether the time to ask again has come; a timer that is set anew is the only one, and comes once."""
    due = {timer.subject: timer.due for timer in desk.of(SetTimer) if timer.kind == CANCEL_AGAIN}
    if not due or min(due.values()) > desk.now:
        return False
    desk.effects = [effect for effect in desk.effects if not isinstance(effect, SetTimer)]
    return True


def unknown_there(order: Order) -> CancelReject:
    return CancelReject(BROKER, order.cl_ord_id, "E3", "no order has this id")


def sent(desk: Desk) -> int:
    return len(desk.of(SendOrder))


def test_a_persons_cancel_that_may_not_have_arrived_is_asked_again() -> None:
    """Nobody else would: the person was told that it is on its way."""
    desk, order = working()
    desk.give(CancelOrder(order.cl_ord_id, "ann"), CancelOutcome(BROKER, order.cl_ord_id, "no return from the wire"))
    assert asked_again(desk) == 2


def test_a_cancel_that_may_never_have_left_is_tried_again_soon_a_dozen_times_and_then_more_and_more_seldom() -> None:
    """A wire that takes nothing for a minute puts a stop off by no more than ten seconds; one that never does is not asked
    so often that the cancels of the day are used up.
    """
    desk, order = working()
    desk.give(CancelOrder(order.cl_ord_id, "ann"), CancelOutcome(BROKER, order.cl_ord_id, "too many requests"))
    waited = []
    for asks in range(2, 15):
        began = desk.now
        assert asked_again(desk) == asks
        waited.append((desk.now - began) // SECOND_NS)
        desk.give(CancelOutcome(BROKER, order.cl_ord_id, "too many requests"))
    assert waited == [5, *[10] * 11, 160]


def test_whoever_asks_many_times_before_an_answer_comes_makes_the_engine_no_more_patient() -> None:
    """The time until it asks again doubles with what the engine has asked, not with how often somebody has clicked."""
    desk, order = working()
    desk.give(*[CancelOrder(order.cl_ord_id, "ann")] * 16, CancelOutcome(BROKER, order.cl_ord_id, "no return from the wire"))
    assert (asked_again(desk), desk.now - NOON) == (17, desk.around.policy.ack_timeout_ns)
    assert not [alert for alert in desk.of(RaiseAlert) if alert.key.startswith("cancel:")], "it stays open after two cancels"


@pytest.mark.parametrize("every", [0, 1, 4, 30])
def test_a_person_hears_of_an_order_that_will_not_go_as_soon_however_often_somebody_asks_meanwhile(every: int) -> None:
    """A program that repeats its cancel would else put off the engine's own, by which it is known that nothing helps."""
    desk, order = working()
    desk.give(CancelOrder(order.cl_ord_id, "a program"))
    told: dict[int, None] = {}
    for second in range(1, 121):
        desk.wait(1)
        if timers_that_are_due(desk):
            desk.give(TimerFired(CANCEL_AGAIN, order.cl_ord_id))
        if every and second % every == 0:
            desk.give(CancelOrder(order.cl_ord_id, "a program"))
        if any(alert.key == f"cancel:{order.cl_ord_id}" for alert in desk.of(RaiseAlert)):
            told[second] = None
        desk.effects = [effect for effect in desk.effects if isinstance(effect, SetTimer)]
    assert list(told) == [35, 75]


def test_new_sessions_do_not_put_off_what_a_person_hears_of_an_order_that_will_not_go() -> None:
    desk, order = working()
    desk.give(CancelOrder(order.cl_ord_id, "ann"))
    theirs = their_order(order.cl_ord_id, MOUTAI, order.side, 100, OrdStatus.NEW)
    for _ in range(30):
        desk.give(BrokerDown(BROKER, "reset"), BrokerUp(BROKER), a_snapshot(as_of=desk.now, orders=(theirs,)))
        for _ in range(6):
            desk.wait(1)
            if timers_that_are_due(desk):
                desk.give(TimerFired(CANCEL_AGAIN, order.cl_ord_id))
    assert [alert for alert in desk.of(RaiseAlert) if alert.key == f"cancel:{order.cl_ord_id}"]


def test_a_restart_does_not_put_off_the_next_ask_behind_repeats_of_somebody_who_waits() -> None:
    desk, order = working()
    desk.give(CancelOrder(order.cl_ord_id, "ann"))
    asked_at = desk.now
    for _ in range(4):
        desk.wait(1)
        desk.give(CancelOrder(order.cl_ord_id, "ann"))
    (timer,) = [e for e in follow.after_restart(desk.state, desk.around) if isinstance(e, SetTimer) and e.kind == CANCEL_AGAIN]
    assert timer.due - asked_at == desk.around.policy.ack_timeout_ns


def test_a_cancel_that_is_never_answered_is_asked_for_ever_more_rarely() -> None:
    desk, order = working()
    desk.give(CancelOrder(order.cl_ord_id, "ann"))
    began, waits = desk.now, []
    for _ in range(4):
        asked_again(desk)
        waits.append((desk.now - began) // SECOND_NS)
    assert waits == [5, 15, 35, 75]


def test_it_is_asked_again_when_the_broker_is_ready_where_the_session_was_down() -> None:
    desk, order = working()
    desk.give(CancelOrder(order.cl_ord_id, "ann"), CancelOutcome(BROKER, order.cl_ord_id, "the session was lost"))
    desk.give(BrokerDown(BROKER, "reset"))
    while_down = asked_again(desk)
    desk.give(CancelOutcome(BROKER, order.cl_ord_id, "not connected"), BrokerUp(BROKER))
    theirs = their_order(order.cl_ord_id, MOUTAI, order.side, 100, OrdStatus.NEW)
    desk.give(a_snapshot(as_of=desk.now, orders=(theirs,)))
    assert len(desk.of(SendCancel)) == while_down + 1


def test_it_is_asked_again_as_soon_as_the_next_session_is_ready_whatever_the_last_one_made_of_it() -> None:
    """However often it was asked before: the time that doubles is for a broker that hears and does nothing."""
    desk, order = working()
    for _ in range(4):
        desk.give(CancelOrder(order.cl_ord_id, "ann"), CancelOutcome(BROKER, order.cl_ord_id, "no return from the wire"))
    desk.give(BrokerDown(BROKER, "reset"), BrokerUp(BROKER))
    before = len(desk.of(SendCancel))
    theirs = their_order(order.cl_ord_id, MOUTAI, order.side, 100, OrdStatus.NEW)
    desk.give(a_snapshot(as_of=desk.now, orders=(theirs,)))
    assert len(desk.of(SendCancel)) == before + 1


def test_it_is_left_alone_when_somebody_has_changed_the_order_since() -> None:
    desk, order = working()
    desk.give(CancelOrder(order.cl_ord_id, "ann"), CancelOutcome(BROKER, order.cl_ord_id, "no return from the wire"))
    desk.give(
        ReplaceOrder(order.cl_ord_id, "bob", order_qty=Qty(Decimal(200))), ReplaceReject(BROKER, order.cl_ord_id, "E1", "no", 1)
    )
    assert asked_again(desk) == 1


@pytest.mark.parametrize("lost", [False, True], ids=["refused", "lost"])
def test_an_order_in_doubt_that_was_wanted_out_is_not_sent_when_its_absence_is_proven(*, lost: bool) -> None:
    """Invariant 15. The broker does not know the order yet, or did not hear: neither takes the wish back."""
    desk, order = in_doubt()
    text = "no return from the wire"
    answer = CancelOutcome(BROKER, order.cl_ord_id, text) if lost else unknown_there(order)
    desk.give(CancelOrder(order.cl_ord_id, "ann"), answer)
    for _ in range(3):
        desk.wait(6)
        desk.give(a_quote(at=desk.now), a_snapshot(as_of=desk.now))
    assert (desk.known(order.cl_ord_id).ord_status, sent(desk)) == (OrdStatus.CANCELED, 1)
    assert desk.of(OrderCanceled)[-1].text == "never sent, and a cancel was wanted"


def test_an_order_that_surely_did_not_leave_ends_there_though_its_cancel_was_refused_as_unknown() -> None:
    desk, order = in_doubt()
    desk.give(CancelOrder(order.cl_ord_id, "ann"), unknown_there(order))
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "NOT_SENT", "it never left", order.send_begun_at))
    assert (desk.known(order.cl_ord_id).ord_status, sent(desk)) == (OrdStatus.CANCELED, 1)


def test_an_order_that_comes_after_its_cancel_was_refused_as_unknown_is_cancelled_then() -> None:
    desk, order = in_doubt()
    desk.give(CancelOrder(order.cl_ord_id, "ann"), unknown_there(order))
    desk.ack(order)
    assert asked_again(desk) == 2
