"""Venues that number their orders anew every day, and an order whose number is of a later day than itself: a stop that fires,
or a change that brings a new one, on the day after.
"""

from __future__ import annotations

from decimal import Decimal

from tests.core.test_another_day import MONDAY
from tests.core.test_stops_sent_later import MOUTAI, a_gtc_stop, fires, over_the_weekend

from tradeloop.core.commands import ReplaceOrder
from tradeloop.core.order import Order
from tradeloop.core.reports import OrderExpire, ReplaceAck
from tradeloop.core.state import State
from tradeloop.core.types import OrderID, OrdStatus, OrdType, Px, Side, Symbol, TimeInForce
from tradeloop.testing.builders import ACCOUNT, BROKER, a_quote, an_execution, an_instrument, sell
from tradeloop.testing.desk import Desk

SEVEN = OrderID("7")
BETTER = Px(Decimal("10.4"))


def sold_by_hand(desk: Desk) -> None:
    """Somebody's order of Friday, which had the number that ours gets on Monday."""
    desk.give(an_execution(None, MOUTAI, Side.SELL, 100, "10", exec_id="h1", order_id=SEVEN))


def held(desk: Desk) -> tuple[str, str]:
    """What is held, and how much of it an order has."""
    position = desk.state.held(ACCOUNT, Symbol(MOUTAI))
    return str(position.long_qty), str(position.long_frozen)


def test_a_stop_that_fired_the_day_after_takes_nothing_from_who_had_its_number_the_day_before() -> None:
    desk, stop = a_gtc_stop()
    sold_by_hand(desk)
    over_the_weekend(desk)
    fires(desk)
    desk.ack(desk.known(stop.cl_ord_id), "7")
    known = desk.known(stop.cl_ord_id)
    assert known.ord_status is OrdStatus.NEW
    assert known.cum_qty == 0
    assert held(desk) == ("900", "500")


def test_its_own_fill_by_that_number_is_booked_on_it() -> None:
    desk, stop = a_gtc_stop()
    sold_by_hand(desk)
    over_the_weekend(desk)
    fires(desk)
    desk.ack(desk.known(stop.cl_ord_id), "7")
    desk.give(an_execution(None, MOUTAI, Side.SELL, 500, "9.4", exec_id="s1", order_id=SEVEN, trading_day=MONDAY))
    assert desk.known(stop.cl_ord_id).ord_status is OrdStatus.FILLED
    assert held(desk) == ("400", "0")


def test_a_late_fill_of_the_day_before_goes_to_the_order_that_had_the_number_then() -> None:
    desk, stop = a_gtc_stop()
    first = desk.order(sell(MOUTAI, 200, ord_type=OrdType.LIMIT, price=10))
    desk.ack(first, "7")
    over_the_weekend(desk)
    desk.give(OrderExpire(BROKER, first.cl_ord_id, SEVEN, cum_qty=None))
    fires(desk)
    desk.ack(desk.known(stop.cl_ord_id), "7")
    desk.give(an_execution(None, MOUTAI, Side.SELL, 100, "10", exec_id="x1", order_id=SEVEN))
    assert desk.known(first.cl_ord_id).cum_qty == 100
    assert desk.known(stop.cl_ord_id).cum_qty == 0


def changed_on_monday() -> tuple[Desk, Order]:
    """An order of Friday, number 3, that gets number 7 by a change on Monday."""
    desk = Desk().opened(an_instrument(MOUTAI), positions={MOUTAI: 1000})
    sold_by_hand(desk)
    order = desk.order(sell(MOUTAI, 100, ord_type=OrdType.LIMIT, price="10.5", tif=TimeInForce.GTC))
    desk.ack(order, "3")
    over_the_weekend(desk)
    desk.give(a_quote(MOUTAI, at=desk.now))
    desk.give(ReplaceOrder(order.cl_ord_id, "ann", price=BETTER))
    desk.give(ReplaceAck(BROKER, order.cl_ord_id, order.order_qty, BETTER, order_id=SEVEN))
    return desk, order


def test_a_number_that_a_change_brings_is_of_the_day_of_the_change() -> None:
    desk, order = changed_on_monday()
    desk.ack(desk.known(order.cl_ord_id), "7")
    known = desk.known(order.cl_ord_id)
    assert (known.order_id, known.ord_status) == (SEVEN, OrdStatus.NEW)
    assert known.cum_qty == 0


def test_the_day_of_its_number_survives_the_packing_of_the_state() -> None:
    desk, order = changed_on_monday()
    desk.state = State.unpack(desk.state.pack())
    assert desk.known(order.cl_ord_id).number_day == MONDAY


def test_the_first_word_told_again_takes_back_no_number_that_a_later_change_brought() -> None:
    desk, order = changed_on_monday()
    desk.ack(desk.known(order.cl_ord_id), "3")
    assert desk.known(order.cl_ord_id).order_id == SEVEN


def test_a_number_that_the_books_show_on_a_later_day_is_of_that_day() -> None:
    """The answer to the change was lost; or the venue numbers what lives on anew every day."""
    desk = Desk().opened(an_instrument(MOUTAI), positions={MOUTAI: 1000})
    sold_by_hand(desk)
    order = desk.order(sell(MOUTAI, 100, ord_type=OrdType.LIMIT, price="10.5", tif=TimeInForce.GTC))
    desk.ack(order, "3")
    over_the_weekend(desk)
    desk.ack(desk.known(order.cl_ord_id), "7")
    known = desk.known(order.cl_ord_id)
    assert (known.order_id, known.ord_status) == (SEVEN, OrdStatus.NEW)
    assert known.cum_qty == 0


def test_a_number_that_the_first_fill_tells_is_of_the_day_of_the_fill() -> None:
    desk = Desk().opened(an_instrument(MOUTAI), positions={MOUTAI: 1000})
    sold_by_hand(desk)
    order = desk.order(sell(MOUTAI, 200, ord_type=OrdType.LIMIT, price="10.5", tif=TimeInForce.GTC))
    over_the_weekend(desk)
    fill = an_execution(order.cl_ord_id, MOUTAI, Side.SELL, 100, "10.5", exec_id="s1", order_id=SEVEN, trading_day=MONDAY)
    desk.give(fill)
    assert desk.known(order.cl_ord_id).cum_qty == 100
