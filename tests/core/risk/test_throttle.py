"""A limit of frequency that throttles: the order is taken, waits here for room, and goes by itself or not at all."""

from __future__ import annotations

from decimal import Decimal

from tests.core.risk.cases import a_limit, buys, limited

from tradeloop.core.commands import CancelOrder, HaltTrading
from tradeloop.core.decide import RESEND
from tradeloop.core.effects import SendOrder, SetTimer
from tradeloop.core.events import OrderThrottled
from tradeloop.core.halt import HaltTier
from tradeloop.core.inputs import TimerFired
from tradeloop.core.limit import LimitScope, Severity
from tradeloop.core.order import Order
from tradeloop.core.types import SECOND_NS, OrdStatus
from tradeloop.testing.desk import Desk

TWO_A_SECOND = a_limit("max_requests_per_second", 2, severity=Severity.THROTTLE)


def a_busy_desk() -> tuple[Desk, Order]:
    """A desk that has sent two orders in this second, and a third that waits."""
    desk = limited(TWO_A_SECOND)
    for _ in range(2):
        assert desk.order(buys(100)).ord_status is OrdStatus.PENDING_NEW
    return desk, desk.order(buys(100))


def rings(desk: Desk) -> None:
    """The newest timer of an order that waits."""
    timer = [each for each in desk.of(SetTimer) if each.kind == RESEND][-1]
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
