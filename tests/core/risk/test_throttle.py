"""A limit of frequency that throttles: the order is taken, waits here for room, and goes by itself or not at all."""

from __future__ import annotations

from decimal import Decimal

from tests.core.risk.cases import a_limit, buys, limited

from tradeloop.core.commands import CancelOrder, HaltTrading, ReleaseHalt, ReplaceOrder
from tradeloop.core.decide import RESEND
from tradeloop.core.effects import SendCancel, SendOrder, SendReplace, SetTimer
from tradeloop.core.events import OrderThrottled
from tradeloop.core.halt import HaltTier
from tradeloop.core.inputs import TimerFired
from tradeloop.core.limit import LimitScope, Severity
from tradeloop.core.order import Order
from tradeloop.core.replies import OrderReply
from tradeloop.core.room import ROOM, Room
from tradeloop.core.types import SECOND_NS, OrdStatus, Qty
from tradeloop.testing.desk import Desk

TWO_A_SECOND = a_limit("max_requests_per_second", 2, severity=Severity.THROTTLE)


def a_busy_desk() -> tuple[Desk, Order]:
    """A desk that has sent two orders in this second, and a third that waits."""
    desk = limited(TWO_A_SECOND)
    for _ in range(2):
        assert desk.order(buys(100)).ord_status is OrdStatus.PENDING_NEW
    return desk, desk.order(buys(100))


def rings(desk: Desk) -> None:
    """The newest timer of those that wait."""
    timer = [each for each in desk.of(SetTimer) if each.kind == ROOM][-1]
    desk.now = timer.due
    desk.give(TimerFired(timer.kind, timer.subject))


def test_an_order_beyond_the_rate_is_taken_and_waits_for_room() -> None:
    desk, third = a_busy_desk()
    assert third.ord_status is OrdStatus.STAGED
    assert len(desk.of(SendOrder)) == 2
    told = desk.of(OrderThrottled)[-1]
    assert (told.cl_ord_id, told.rule, told.until) == (third.cl_ord_id, "max_requests_per_second", desk.now + SECOND_NS)


def test_it_goes_by_itself_as_soon_as_there_is_room() -> None:
    desk, third = a_busy_desk()
    rings(desk)
    assert third.ord_status is OrdStatus.PENDING_NEW
    assert len(desk.of(SendOrder)) == 3


def test_what_it_may_cost_is_reserved_while_it_waits() -> None:
    _, third = a_busy_desk()
    assert third.reserved == Decimal(1000)


def test_it_waits_on_where_others_have_taken_its_room() -> None:
    desk, third = a_busy_desk()
    desk.wait(1)
    for _ in range(2):
        desk.order(buys(100))
    desk.give(TimerFired(RESEND, third.cl_ord_id))
    assert third.send_begun_at is None
    rings(desk)
    assert third.ord_status is OrdStatus.PENDING_NEW


def test_it_is_cancelled_without_asking_the_broker() -> None:
    desk, third = a_busy_desk()
    desk.give(CancelOrder(third.cl_ord_id, "ann"))
    assert desk.known(third.cl_ord_id).ord_status is OrdStatus.CANCELED
    rings(desk)
    assert len(desk.of(SendOrder)) == 2


def test_a_halt_that_comes_while_it_waits_stops_it() -> None:
    desk, third = a_busy_desk()
    desk.give(HaltTrading(HaltTier.HALT, "ann", "stop"))
    rings(desk)
    assert desk.known(third.cl_ord_id).send_begun_at is None


def test_cancels_take_room_and_are_never_held_back() -> None:
    desk = limited(TWO_A_SECOND)
    order = desk.order(buys(100))
    desk.ack(order)
    desk.give(CancelOrder(order.cl_ord_id, "ann"))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.PENDING_CANCEL
    assert desk.order(buys(100)).ord_status is OrdStatus.STAGED


def test_a_cancel_that_a_person_asks_for_again_takes_room_again() -> None:
    """Each time the broker is asked once more, whatever it has not answered yet."""
    desk = limited(TWO_A_SECOND)
    order = desk.order(buys(100))
    desk.ack(order)
    desk.wait(2)
    for _ in range(2):
        desk.give(CancelOrder(order.cl_ord_id, "ann"))
    assert len(desk.of(SendCancel)) == 2
    assert desk.order(buys(100)).ord_status is OrdStatus.STAGED


def test_a_change_beyond_the_rate_is_refused_and_not_sent() -> None:
    """It cannot wait as an order does: by the time that there is room nobody may want it any more."""
    desk = limited(TWO_A_SECOND)
    order = desk.order(buys(100))
    desk.ack(order)
    desk.order(buys(100))
    reply = desk.give(ReplaceOrder(order.cl_ord_id, "ann", order_qty=Qty(Decimal(200))))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert (reply.denied.rule, reply.denied.was, reply.denied.limit) == ("max_requests_per_second", "2", "2")
    assert desk.of(SendReplace) == []
    desk.wait(1)
    desk.give(ReplaceOrder(order.cl_ord_id, "ann", order_qty=Qty(Decimal(200))))
    assert len(desk.of(SendReplace)) == 1


def test_an_order_that_waits_is_changed_here_whatever_the_rate_is() -> None:
    """Nobody is asked for it; it asks for room itself when it goes."""
    desk, third = a_busy_desk()
    desk.give(ReplaceOrder(third.cl_ord_id, "ann", order_qty=Qty(Decimal(200))))
    assert third.order_qty == Decimal(200)
    assert third.send_begun_at is None


def test_orders_that_wait_do_not_leave_together_beyond_the_requests_of_a_day() -> None:
    """Each was within the limit when it was made, and none of the others had left by then."""
    desk = limited(TWO_A_SECOND, a_limit("max_requests_per_day", 3))
    waiting = [desk.order(buys(100)) for _ in range(5)]
    for _ in range(4):
        desk.wait(1)
        for order in waiting:
            desk.give(TimerFired(RESEND, order.cl_ord_id))
    assert len(desk.of(SendOrder)) == 3
    last = desk.known(waiting[-1].cl_ord_id)
    assert last.ord_status is OrdStatus.CANCELED
    assert "requests in a day" in last.text


def test_a_limit_of_zero_refuses_since_there_will_never_be_room() -> None:
    desk = limited(a_limit("max_requests_per_second", 0, severity=Severity.THROTTLE))
    reply = desk.give(buys(100))
    assert reply is not None
    assert reply.denied is not None  # type: ignore[union-attr]


def test_over_several_accounts_it_waits_until_the_oldest_of_all_are_gone() -> None:
    desk = limited(a_limit("max_requests_per_second", 2, LimitScope.GLOBAL, severity=Severity.THROTTLE))
    desk.order(buys(100))
    desk.order(buys(100))
    third = desk.order(buys(100))
    assert third.send_begun_at is None
    rings(desk)
    assert third.ord_status is OrdStatus.PENDING_NEW


def all_ring(desk: Desk) -> int:
    """Every timer of those that wait, each in its time, until none is left: how many there were."""
    seen, rung = 0, 0
    while True:
        timers = [each for each in desk.of(SetTimer) if each.kind == ROOM]
        if len(timers) == seen:
            return rung
        seen = len(timers)
        desk.now = timers[-1].due
        desk.give(TimerFired(ROOM, timers[-1].subject))
        rung += 1


def test_many_that_wait_go_in_their_order_and_cost_no_more_than_their_number() -> None:
    desk = limited(TWO_A_SECOND)
    orders = [desk.order(buys(100)) for _ in range(42)]
    assert all_ring(desk) == 20  # two go at each
    assert [each.order.order.cl_ord_id for each in desk.of(SendOrder)] == [order.cl_ord_id for order in orders]
    held_back = [each.cl_ord_id for each in desk.of(OrderThrottled)]
    assert len(held_back) == 40 + 19  # each once, and once more whoever was next when the room was gone


def test_those_that_wait_behind_one_that_is_cancelled_do_not_wait_for_it() -> None:
    desk = limited(TWO_A_SECOND)
    orders = [desk.order(buys(100)) for _ in range(6)]
    for cancelled in orders[2:4]:
        desk.give(CancelOrder(cancelled.cl_ord_id, "ann"))
    rings(desk)
    assert [order.send_begun_at is not None for order in orders] == [True, True, False, False, True, True]


def test_those_that_a_halt_stops_give_up_their_place_and_go_when_it_is_released() -> None:
    desk, third = a_busy_desk()
    fourth = desk.order(buys(100))
    desk.give(HaltTrading(HaltTier.HALT, "ann", "stop"))
    rings(desk)
    desk.wait(5)
    desk.give(ReleaseHalt("ann", "looked", numbers=(1,)))
    assert third.send_begun_at is not None
    assert fourth.send_begun_at is not None


def test_a_new_process_queues_up_anew_whoever_waits() -> None:
    desk = limited(TWO_A_SECOND)
    orders = [desk.order(buys(100)) for _ in range(6)]
    desk.around.room = Room()
    for order in orders[2:]:
        desk.give(TimerFired(RESEND, order.cl_ord_id))  # as it is asked when the books have been compared
    assert all_ring(desk) == 2
    assert all(order.send_begun_at is not None for order in orders)
