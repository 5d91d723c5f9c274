"""What a broker's answers make true, late, twice and out of order."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tradeloop.core.commands import CancelOrder
from tradeloop.core.events import OrderAcknowledged, OrderCanceled, OrderExpired, OrderRejected
from tradeloop.core.order import Order
from tradeloop.core.reports import (
    CancelAck,
    CancelOutcome,
    CancelReject,
    OrderAck,
    OrderExpire,
    OrderReject,
    Report,
    SendOutcome,
)
from tradeloop.core.types import ClOrdID, OrderID, OrdStatus, Qty, Side
from tradeloop.testing.builders import BROKER, an_execution, an_instrument, buy, sell
from tradeloop.testing.desk import Desk

MOUTAI = "600519.SH"


def working() -> tuple[Desk, Order]:
    desk = Desk().opened(an_instrument(), positions={MOUTAI: 1000})
    order = desk.order(buy(MOUTAI, 100))
    desk.ack(order)
    return desk, order


def status(desk: Desk, order: Order) -> OrdStatus:
    return desk.known(order.cl_ord_id).ord_status


def answers(order_id: ClOrdID) -> list[Report]:
    return [
        OrderAck(BROKER, order_id, OrderID("b1")),
        OrderReject(BROKER, order_id, "7", "no"),
        CancelAck(BROKER, order_id, cum_qty=Qty(Decimal(0))),
        CancelReject(BROKER, order_id, "1", "no"),
        OrderExpire(BROKER, order_id, cum_qty=Qty(Decimal(0))),
        SendOutcome(BROKER, order_id, "UNKNOWN", "timeout"),
        SendOutcome(BROKER, order_id, "NOT_SENT", "refused"),
        CancelOutcome(BROKER, order_id, "timeout"),
    ]


@pytest.mark.parametrize("answer", answers(ClOrdID("nobody")), ids=lambda a: type(a).__name__)
def test_an_answer_about_an_order_we_do_not_know_changes_nothing(answer: Report) -> None:
    desk, _ = working()
    before = desk.state.hash()
    desk.give(answer)
    assert desk.state.hash() == before


@pytest.mark.parametrize("place", range(8))
def test_an_answer_that_comes_twice_counts_once(place: int) -> None:
    desk = Desk().opened(an_instrument())
    order = desk.order(buy(MOUTAI, 100))
    desk.give(CancelOrder(order.cl_ord_id, "tester"))
    answer = answers(order.cl_ord_id)[place]
    desk.give(answer)
    before = desk.state.hash()
    desk.give(answer)
    assert desk.state.hash() == before


@pytest.mark.parametrize("first", range(8))
@pytest.mark.parametrize("then", range(8))
def test_an_order_stays_closed_whatever_answer_follows(first: int, then: int) -> None:
    desk = Desk().opened(an_instrument())
    order = desk.order(buy(MOUTAI, 100))
    desk.give(answers(order.cl_ord_id)[first])
    closed = desk.known(order.cl_ord_id).is_done
    desk.give(answers(order.cl_ord_id)[then])
    assert desk.known(order.cl_ord_id).is_done or not closed


def test_an_acknowledged_order_may_still_be_rejected() -> None:
    """D6."""
    desk, order = working()
    desk.give(OrderReject(BROKER, order.cl_ord_id, "7", "margin"))
    now = desk.known(order.cl_ord_id)
    assert (now.ord_status, now.text) == (OrdStatus.REJECTED, "7: margin")


def test_an_acknowledged_order_may_be_cancelled_by_the_venue() -> None:
    """D6."""
    desk, order = working()
    desk.give(CancelAck(BROKER, order.cl_ord_id, cum_qty=order.cum_qty))
    assert [e.by_us for e in desk.of(OrderCanceled)] == [False]
    assert status(desk, order) is OrdStatus.CANCELED


def test_a_rejection_keeps_the_fills_that_were_booked() -> None:
    desk, order = working()
    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 40, "10"))
    desk.give(OrderReject(BROKER, order.cl_ord_id, "7", "no"))
    now = desk.known(order.cl_ord_id)
    assert (now.is_done, now.cum_qty, now.leaves_qty) == (True, Decimal(40), Decimal(0))


def test_a_rejected_cancel_gives_the_order_its_standing_back() -> None:
    """FIX B.1.a."""
    desk, order = working()
    desk.give(CancelOrder(order.cl_ord_id, "tester"), CancelReject(BROKER, order.cl_ord_id, "1", "too late"))
    assert status(desk, order) is OrdStatus.NEW


def test_a_cancel_that_may_not_have_arrived_is_taken_back() -> None:
    desk, order = working()
    desk.give(CancelOrder(order.cl_ord_id, "tester"), CancelOutcome(BROKER, order.cl_ord_id, "timeout"))
    assert status(desk, order) is OrdStatus.NEW


def test_a_cancel_that_may_not_have_arrived_leaves_a_filled_order_filled() -> None:
    desk, order = working()
    desk.give(CancelOrder(order.cl_ord_id, "tester"))
    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 100, "10"))
    assert status(desk, order) is OrdStatus.PENDING_CANCEL
    desk.give(CancelOutcome(BROKER, order.cl_ord_id, "timeout"))
    assert status(desk, order) is OrdStatus.FILLED


def test_a_cancel_rejected_without_a_cancel_of_ours_changes_nothing() -> None:
    desk, order = working()
    before = desk.state.hash()
    desk.give(CancelReject(BROKER, order.cl_ord_id, "1", "no"))
    assert desk.state.hash() == before


def test_a_cancel_acknowledged_after_the_fill_leaves_the_order_filled() -> None:
    desk, order = working()
    desk.give(CancelOrder(order.cl_ord_id, "tester"))
    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 100, "10"), CancelAck(BROKER, order.cl_ord_id))
    assert status(desk, order) is OrdStatus.FILLED


def test_an_order_expires_by_its_time_in_force() -> None:
    desk, order = working()
    desk.give(OrderExpire(BROKER, order.cl_ord_id, "end of day"))
    assert (status(desk, order), len(desk.of(OrderExpired))) == (OrdStatus.EXPIRED, 1)


@pytest.mark.parametrize("end", [1, 2, 4], ids=["rejected", "cancelled", "expired"])
def test_every_end_releases_the_shares_of_a_sell(end: int) -> None:
    desk = Desk().opened(an_instrument(), positions={MOUTAI: 1000})
    order = desk.order(sell(MOUTAI, 300))
    assert desk.state.held(order.account, order.symbol).long_frozen == Decimal(300)
    desk.give(answers(order.cl_ord_id)[end])
    assert desk.state.held(order.account, order.symbol).long_frozen == Decimal(0)


def test_a_late_acknowledgement_of_a_closed_order_adds_the_brokers_id_and_opens_nothing() -> None:
    """FIX B.1.e."""
    desk = Desk().opened(an_instrument())
    order = desk.order(buy(MOUTAI, 100))
    desk.give(CancelAck(BROKER, order.cl_ord_id, cum_qty=order.cum_qty))
    desk.ack(order, "b5")
    assert (status(desk, order), desk.known(order.cl_ord_id).order_id) == (OrdStatus.CANCELED, "b5")


def test_an_answer_by_another_way_is_worth_more_than_a_failed_wire() -> None:
    desk, order = working()
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "UNKNOWN", "timeout"))
    assert status(desk, order) is OrdStatus.NEW


def test_a_rejected_repeat_of_an_id_leaves_the_first_order_standing() -> None:
    """FIX F.1.a."""
    desk, order = working()
    desk.give(OrderReject(BROKER, order.cl_ord_id, "dup", "duplicate id", of_repeat=True))
    assert (status(desk, order), desk.of(OrderRejected)) == (OrdStatus.NEW, [])


def test_a_second_acknowledgement_makes_no_second_fact() -> None:
    desk, order = working()
    desk.ack(order)
    assert len(desk.of(OrderAcknowledged)) == 1
