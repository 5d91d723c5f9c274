"""The venue's number of an order that came to be known late, or by a word that is not an answer (F19, F20)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tradeloop.core.commands import CancelOrder, OpenTradingDay, ReplaceOrder, ResolveOrder
from tradeloop.core.effects import SendCancel
from tradeloop.core.events import BreakFound, ExternalOrderFound, OrderAcknowledged, Overfilled, TradeMoved
from tradeloop.core.order import Order
from tradeloop.core.reports import Execution, OpenOrder, OrderAck, ReplaceAck, SendOutcome
from tradeloop.core.types import OrderID, OrdStatus, OrdType, Qty, Side, Symbol, TimeInForce, TradingDay, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, a_snapshot, an_execution, an_instrument, buy, their_order
from tradeloop.testing.desk import ABLE, Desk

MOUTAI = "600519.SH"
CASH = 1_000_000
MONDAY, TUESDAY = TradingDay("2026-07-20"), TradingDay("2026-07-21")


def a_desk(tif: TimeInForce = TimeInForce.GTC) -> tuple[Desk, Order]:
    desk = Desk().opened(an_instrument(lot=1, min_qty=1), cash=CASH, positions={MOUTAI: 300})
    return desk, desk.order(buy(MOUTAI, 100, ord_type=OrdType.LIMIT, price="10", tif=tif))


def by_number(qty: int, exec_id: str = "e1", number: str = "17", **changes: Any) -> Execution:
    return an_execution(None, MOUTAI, Side.BUY, qty, "10", exec_id, order_id=OrderID(number), **changes)


def turn_to(desk: Desk, day: TradingDay, days: int = 1) -> None:
    desk.wait(days * 86400)
    desk.give(OpenTradingDay("CN_A", day, ((UtcNs(desk.now - 1), UtcNs(desk.now + 10**13)),)))


def look(desk: Desk, *lines: OpenOrder, **changes: Any) -> None:
    books: dict[str, Any] = {"as_of": desk.now, "cash": CASH, "positions": {MOUTAI: 300}, "orders": lines}
    desk.give(a_snapshot(**{**books, **changes}))


def held(desk: Desk) -> Decimal:
    return desk.state.held(ACCOUNT, Symbol(MOUTAI)).long_qty


# --- fills of a later day than the order's own, before its number is known


@pytest.mark.parametrize("tif", [TimeInForce.GTC, TimeInForce.DAY])
def test_a_fill_of_a_later_day_than_the_order_comes_to_it_with_its_number(tif: TimeInForce) -> None:
    """The venue's next day may have begun before ours has ended."""
    desk, order = a_desk(tif)
    desk.give(by_number(40, trading_day=MONDAY))
    desk.ack(order, "17")
    assert (desk.known(order.cl_ord_id).cum_qty, held(desk)) == (Decimal(40), Decimal(340))


def test_fills_of_several_days_come_to_an_order_good_till_cancelled() -> None:
    desk, order = a_desk()
    desk.give(by_number(10))
    turn_to(desk, MONDAY, 3)
    desk.give(by_number(20, trading_day=MONDAY))
    turn_to(desk, TUESDAY)
    desk.give(by_number(30, trading_day=TUESDAY))
    desk.ack(order, "17")
    assert (desk.known(order.cl_ord_id).cum_qty, len(desk.of(TradeMoved)), held(desk)) == (Decimal(60), 3, Decimal(360))


def test_a_number_of_a_later_day_is_not_that_of_an_order_whose_day_is_over() -> None:
    """C7: venues begin anew every day."""
    desk, order = a_desk(TimeInForce.DAY)
    turn_to(desk, MONDAY, 3)
    desk.give(by_number(40, trading_day=MONDAY))
    desk.ack(order, "17")
    assert (desk.known(order.cl_ord_id).cum_qty, held(desk)) == (Decimal(0), Decimal(340))
    assert desk.of(TradeMoved) == []


@pytest.mark.parametrize("number", ["7", "117"])
def test_a_number_that_ends_alike_is_another(number: str) -> None:
    desk, order = a_desk()
    desk.give(by_number(40, number=number, trading_day=MONDAY))
    desk.ack(order, "17")
    assert desk.of(TradeMoved) == []


def test_a_working_order_first_shown_under_its_number_on_a_later_day_is_found_to_be_ours() -> None:
    desk, order = a_desk()
    turn_to(desk, MONDAY, 3)
    look(desk, their_order(None, MOUTAI, Side.BUY, 100, OrdStatus.NEW, order_id=OrderID("17")), trading_day=MONDAY)
    (stranger,) = desk.of(ExternalOrderFound)
    desk.ack(order, "17")
    assert (desk.known(stranger.cl_ord_id).is_done, desk.known(order.cl_ord_id).ord_status) == (True, OrdStatus.NEW)


# --- an order whose number no answer told


def test_the_number_is_taken_from_the_books_where_a_fill_without_one_was_the_only_answer() -> None:
    desk, order = a_desk()
    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 10, "10", "e1"))
    mine = their_order(order.cl_ord_id, MOUTAI, Side.BUY, 100, OrdStatus.PARTIALLY_FILLED, order_id=OrderID("17"))
    look(desk, mine, cash=CASH - 100, positions={MOUTAI: 310})
    desk.give(by_number(40, "e2"))
    assert (desk.known(order.cl_ord_id).order_id, desk.known(order.cl_ord_id).cum_qty) == ("17", Decimal(50))
    assert desk.of(ExternalOrderFound) == []
    look(desk, mine, cash=CASH - 500, positions={MOUTAI: 350})
    assert len(desk.of(OrderAcknowledged)) == 1


def test_the_number_is_taken_from_a_later_fill_and_what_came_under_it_comes_to_the_order() -> None:
    desk, order = a_desk()
    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 10, "10", "e1"), by_number(40, "e2"))
    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 20, "10", "e3", order_id=OrderID("17")), by_number(30, "e4"))
    assert (desk.known(order.cl_ord_id).ord_status, desk.known(order.cl_ord_id).order_id) == (OrdStatus.FILLED, "17")
    assert (held(desk), desk.of(Overfilled)) == (Decimal(400), [])


def an_ended_order() -> tuple[Desk, Order]:
    """Its fate was unknown, and a person said that it never arrived."""
    desk, order = a_desk()
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "UNKNOWN", "time-out"))
    desk.give(ResolveOrder(order.cl_ord_id, "NOT_SENT", "ann", "the broker does not know it"))
    desk.wait(60)
    return desk, order


def test_an_order_that_ended_without_a_number_gets_it_from_books_that_name_it() -> None:
    desk, order = an_ended_order()
    mine = their_order(order.cl_ord_id, MOUTAI, Side.BUY, 100, OrdStatus.NEW, order_id=OrderID("17"))
    look(desk, mine)
    desk.give(by_number(40))
    assert desk.known(order.cl_ord_id).cum_qty == 40
    assert [found.kind for found in desk.of(BreakFound)] == ["order_open"]


def test_an_order_that_ended_without_a_number_and_works_under_one_alone_counts_as_a_strangers() -> None:
    """Nothing says that it is ours: what it may still take counts all the same, and what fills is held."""
    desk, _ = an_ended_order()
    theirs = their_order(None, MOUTAI, Side.BUY, 100, OrdStatus.NEW, order_id=OrderID("17"), price=Decimal(10))
    look(desk, theirs)
    (found,) = desk.of(ExternalOrderFound)
    assert (found.order_qty, found.reserve) == (Decimal(100), Decimal(1000))
    desk.give(by_number(40))
    assert (desk.known(found.cl_ord_id).cum_qty, held(desk)) == (Decimal(40), Decimal(340))


def test_it_becomes_ours_with_the_first_word_that_names_it_and_a_person_hears_that_it_works() -> None:
    desk, order = an_ended_order()
    look(desk, their_order(None, MOUTAI, Side.BUY, 100, OrdStatus.NEW, order_id=OrderID("17")))
    desk.give(by_number(40))
    desk.ack(order, "17")
    assert (desk.known(order.cl_ord_id).cum_qty, held(desk)) == (Decimal(40), Decimal(340))
    desk.wait(60)
    partly = their_order(
        None, MOUTAI, Side.BUY, 100, OrdStatus.PARTIALLY_FILLED, order_id=OrderID("17"), cum_qty=Qty(Decimal(40))
    )
    look(desk, partly, cash=CASH - 400, positions={MOUTAI: 340})
    assert [found.kind for found in desk.of(BreakFound)] == ["order_open"]


@pytest.mark.parametrize("first_comes", ["in time, and once more", "after the change alone"])
def test_the_first_answer_told_again_or_late_takes_no_newer_number_back(first_comes: str) -> None:
    """A cancel would go to the number of an order that is no more; what still comes under that is the order's."""
    desk = Desk(able=ABLE).opened(an_instrument())
    order = desk.order(buy(MOUTAI, 1000, ord_type=OrdType.LIMIT, price="10"))
    first = OrderAck(BROKER, order.cl_ord_id, OrderID("b1"), desk.now)
    a_fill = an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 100, "10", "e1")  # of a venue that names no number in it
    desk.give(first if first_comes == "in time, and once more" else a_fill)
    desk.wait(1)
    grown = Qty(Decimal(2000))
    changed = ReplaceAck(BROKER, order.cl_ord_id, grown, order.price, number=1, order_id=OrderID("b2"), transact_at=desk.now)
    desk.give(ReplaceOrder(order.cl_ord_id, "ann", grown), changed)

    desk.give(first, by_number(100, "e2", "b1"), CancelOrder(order.cl_ord_id, "ann"))

    assert [sent.order_id for sent in desk.of(SendCancel)] == ["b2"]
    assert not desk.of(ExternalOrderFound)
