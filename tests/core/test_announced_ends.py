"""A broker says that an order has ended before all of its fills have been heard of: it ends with the one that completes it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tradeloop.core.events import EndAnnounced, OrderCanceled, OrderExpired
from tradeloop.core.order import Order
from tradeloop.core.reports import CancelAck, ExecutionBust, ExecutionCorrect, OrderExpire
from tradeloop.core.types import ExecID, OrdStatus, OrdType, Px, Qty, Side
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, an_execution, an_instrument, buy
from tradeloop.testing.desk import Desk

MOUTAI = "600519.SH"


def working() -> tuple[Desk, Order]:
    desk = Desk().opened(an_instrument(lot=1, min_qty=1))
    order = desk.order(buy(MOUTAI, 100, ord_type=OrdType.LIMIT, price="10.00"))
    desk.ack(order)
    return desk, order


def fill(desk: Desk, order: Order, qty: int, exec_id: str) -> None:
    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, qty, "10.00", exec_id))


def status(desk: Desk, order: Order) -> OrdStatus:
    return desk.known(order.cl_ord_id).ord_status


@pytest.mark.parametrize(("end", "as_"), [(CancelAck, OrdStatus.CANCELED), (OrderExpire, OrdStatus.EXPIRED)])
def test_an_order_ends_with_the_fill_that_completes_what_was_announced(
    end: type[CancelAck | OrderExpire], as_: OrdStatus
) -> None:
    desk, order = working()
    fill(desk, order, 20, "e1")
    desk.give(end(BROKER, order.cl_ord_id, "end of day", None, Qty(Decimal(50))))
    assert status(desk, order) is OrdStatus.PARTIALLY_FILLED
    fill(desk, order, 10, "e2")
    assert status(desk, order) is OrdStatus.PARTIALLY_FILLED
    fill(desk, order, 20, "e3")
    assert status(desk, order) is as_
    assert desk.known(order.cl_ord_id).text == "end of day"
    assert len(desk.of(OrderCanceled)) + len(desk.of(OrderExpired)) == 1


def test_until_then_it_keeps_what_it_may_still_cost() -> None:
    desk, order = working()
    desk.give(CancelAck(BROKER, order.cl_ord_id, "", None, Qty(Decimal(50))))
    assert desk.known(order.cl_ord_id).reserved == 1000
    fill(desk, order, 50, "e1")
    assert desk.known(order.cl_ord_id).reserved == 0


def test_an_end_announced_twice_is_announced_once() -> None:
    desk, order = working()
    for _ in range(2):
        desk.give(CancelAck(BROKER, order.cl_ord_id, "", None, Qty(Decimal(50))))
    assert [event.cum_qty for event in desk.of(EndAnnounced)] == [50]


def test_what_was_taken_back_since_is_not_waited_for() -> None:
    """FIX J.1.b with its messages crossed: the bust came before the end that still counted the fill."""
    desk, order = working()
    fill(desk, order, 50, "e1")
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY))
    desk.give(CancelAck(BROKER, order.cl_ord_id, "", None, Qty(Decimal(50))))
    assert status(desk, order) is OrdStatus.CANCELED


def test_a_correction_may_complete_what_was_announced() -> None:
    desk, order = working()
    fill(desk, order, 30, "e1")
    desk.give(CancelAck(BROKER, order.cl_ord_id, "", None, Qty(Decimal(50))))
    desk.give(ExecutionCorrect(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY, Qty(Decimal(50)), Px(Decimal(10))))
    assert status(desk, order) is OrdStatus.CANCELED


def test_a_correction_beyond_what_was_announced_stands_for_no_fill_that_is_on_its_way() -> None:
    """The broker made it after the end, which had counted a fill that has not come yet."""
    desk, order = working()
    fill(desk, order, 20, "e1")
    desk.give(CancelAck(BROKER, order.cl_ord_id, "", None, Qty(Decimal(50))))
    desk.give(ExecutionCorrect(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY, Qty(Decimal(60)), Px(Decimal(10))))
    assert status(desk, order) is OrdStatus.PARTIALLY_FILLED
    assert desk.known(order.cl_ord_id).reserved == 400
    fill(desk, order, 30, "e2")
    assert status(desk, order) is OrdStatus.CANCELED
    assert desk.known(order.cl_ord_id).cum_qty == 90
