"""Fills booked by the venue's number that turn out to be an order's complete it like those told of it at once."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from tests.core.watched import WatchedDesk

from tradeloop.core.events import OrderCanceled
from tradeloop.core.order import Order
from tradeloop.core.reports import CancelAck, Execution
from tradeloop.core.types import OrderID, OrdStatus, OrdType, Qty, Side, TimeInForce, UtcNs
from tradeloop.testing.builders import BROKER, a_snapshot, an_execution, an_instrument, buy
from tradeloop.testing.desk import ABLE

MOUTAI = "600519.SH"
HUNDRED = Qty(Decimal(100))


def a_fill(order: Order | None, exec_id: str = "e1", number: str | None = "17") -> Execution:
    """Of 50 each, told by the venue's number, and by our id where `order` is given."""
    named = None if order is None else order.cl_ord_id
    return an_execution(named, MOUTAI, Side.BUY, 50, "10", exec_id, order_id=None if number is None else OrderID(number))


def ended_after_100(*, complete: bool) -> tuple[WatchedDesk, Order]:
    """An order of 200 that its broker says has ended with 100 filled, and of which 100 were told by number alone."""
    desk = WatchedDesk(able=msgspec.structs.replace(ABLE, orders_complete=complete))
    desk.opened(an_instrument(lot=1, min_qty=1))
    order = desk.order(buy(MOUTAI, 200, ord_type=OrdType.LIMIT, price="10", tif=TimeInForce.IOC))
    desk.give(CancelAck(BROKER, order.cl_ord_id, "rest of IOC", None, HUNDRED))
    desk.give(a_fill(None, "e1"), a_fill(None, "e2"))
    assert desk.known(order.cl_ord_id).cum_qty == 0
    return desk, order


@pytest.mark.parametrize("complete", [True, False], ids=["complete books", "open orders only"])
def test_a_look_that_names_the_fills_brings_the_order_to_its_announced_end(complete: bool) -> None:
    desk, order = ended_after_100(complete=complete)
    desk.wait(1)
    named = tuple(a_fill(order, exec_id) for exec_id in ("e1", "e2"))
    desk.give(
        a_snapshot(
            as_of=desk.now,
            executions=named,
            executions_since=UtcNs(0),
            positions={MOUTAI: 100},
            cash=999_000,
            orders_complete=complete,
        )
    )
    known = desk.known(order.cl_ord_id)
    assert (known.ord_status, known.cum_qty, known.text) == (OrdStatus.CANCELED, HUNDRED, "rest of IOC")
    assert known.reserved == 0


def test_a_fill_told_again_by_our_id_brings_the_order_to_its_announced_end() -> None:
    desk, order = ended_after_100(complete=True)
    desk.give(a_fill(order))
    known = desk.known(order.cl_ord_id)
    assert (known.ord_status, known.cum_qty, known.text) == (OrdStatus.CANCELED, HUNDRED, "rest of IOC")
    assert [e.text for e in desk.of(OrderCanceled)] == ["number 17 is our order " + order.cl_ord_id, "rest of IOC"]


def test_a_fill_told_again_by_our_id_and_its_number_binds_the_number() -> None:
    """ADR 0019: whatever joins the two does."""
    desk = WatchedDesk()
    desk.opened(an_instrument(lot=1, min_qty=1))
    order = desk.order(buy(MOUTAI, 200, ord_type=OrdType.LIMIT, price="10"))
    desk.give(a_fill(None, "e1"), a_fill(order, "e1"), a_fill(None, "e2"))
    assert desk.known(order.cl_ord_id).order_id == "17"
    assert desk.known(order.cl_ord_id).cum_qty == 100


def test_a_fill_told_again_by_our_id_alone_binds_nothing() -> None:
    desk = WatchedDesk()
    desk.opened(an_instrument(lot=1, min_qty=1))
    order = desk.order(buy(MOUTAI, 200, ord_type=OrdType.LIMIT, price="10"))
    desk.give(a_fill(None), a_fill(order, number=None))
    assert desk.known(order.cl_ord_id).order_id is None
    assert desk.known(order.cl_ord_id).cum_qty == 50
