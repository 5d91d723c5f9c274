"""What a look found of an order holds until the broker speaks of that order; a person closes no order by an older look."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.core.watched import WatchedDesk

from tradeloop.core.commands import CancelOrder, ResolveOrder
from tradeloop.core.errors import BadInput
from tradeloop.core.events import BreakClosed, BreakFound
from tradeloop.core.inputs import Input
from tradeloop.core.order import Order
from tradeloop.core.replies import Reply
from tradeloop.core.reports import CancelAck, CancelReject, ExecutionBust, OrderAck, OrderRestate
from tradeloop.core.types import ExecID, OrderID, OrdStatus, OrdType, Px, Qty, Side
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, a_snapshot, an_execution, an_instrument, buy, their_order

MOUTAI = "600519.SH"


def working(desk: WatchedDesk) -> Order:
    order = desk.order(buy(MOUTAI, 1000, ord_type=OrdType.LIMIT, price="10"))
    desk.ack(order)
    return order


def a_desk() -> WatchedDesk:
    desk = WatchedDesk()
    desk.opened(an_instrument())
    return desk


def look(desk: WatchedDesk, held: int = 0) -> None:
    """Complete books that do not show the order."""
    desk.wait(10)
    desk.give(a_snapshot(as_of=desk.now, orders=(), cash=1_000_000 - 10 * held, positions={MOUTAI: held} if held else {}))


def resolve(desk: WatchedDesk, order: Order) -> Reply | None:
    return desk.give(ResolveOrder(order.cl_ord_id, "CANCELED", "ann", "the broker says it is gone"))


def a_fill(order: Order) -> Input:
    return an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 200, "10", order_id=OrderID("b1"))


def a_word(kind: str, order: Order) -> Input:
    words: dict[str, Input] = {
        "a fill": a_fill(order),
        "an acknowledgement": OrderAck(BROKER, order.cl_ord_id, OrderID("b2")),
        "other terms": OrderRestate(BROKER, order.cl_ord_id, Qty(Decimal(900)), Px(Decimal(10))),
        "an announced end": CancelAck(BROKER, order.cl_ord_id, "unasked", None, Qty(Decimal(300))),
    }
    return words[kind]


@pytest.mark.parametrize("kind", ["a fill", "an acknowledgement", "other terms", "an announced end"])
def test_an_order_the_broker_has_spoken_of_since_a_look_lacked_it_is_not_closed_by_hand(kind: str) -> None:
    """It may trade on: what it holds would be free, and the same want be ordered twice."""
    desk = a_desk()
    order = working(desk)
    look(desk)
    assert [found.kind for found in desk.of(BreakFound)] == ["order_missing"]
    desk.wait(1)
    desk.give(a_word(kind, order))
    assert not desk.state.breaks
    with pytest.raises(BadInput, match="nothing to resolve"):
        resolve(desk, order)
    assert not desk.known(order.cl_ord_id).is_done


def test_a_look_from_after_the_word_finds_the_order_missing_anew_and_a_person_closes_it() -> None:
    desk = a_desk()
    order = working(desk)
    look(desk)
    desk.give(a_fill(order))
    look(desk, held=200)
    assert len(desk.of(BreakFound)) == 2
    resolve(desk, order)
    known = desk.known(order.cl_ord_id)
    assert (known.ord_status, known.reserved, known.cum_qty) == (OrdStatus.CANCELED, Decimal(0), Decimal(200))


def test_a_broker_that_refuses_to_cancel_what_its_books_lack_contradicts_nothing() -> None:
    """Most say so of an order that they do not know."""
    desk = a_desk()
    order = working(desk)
    look(desk)
    desk.give(CancelOrder(order.cl_ord_id, "ann"), CancelReject(BROKER, order.cl_ord_id, "404", "no such order"))
    resolve(desk, order)
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.CANCELED


def test_a_word_about_one_order_leaves_what_was_found_of_another() -> None:
    desk = a_desk()
    one, other = working(desk), desk.order(buy(MOUTAI, 500, ord_type=OrdType.LIMIT, price="10"))
    desk.ack(other, "b2")
    look(desk)
    desk.give(a_fill(one))
    assert [closed.break_id for closed in desk.of(BreakClosed)] == [f"order_missing:{BROKER}:{ACCOUNT}:{one.cl_ord_id}"]
    resolve(desk, other)
    assert desk.known(other.cl_ord_id).ord_status is OrdStatus.CANCELED


def test_an_order_counted_as_filled_there_is_not_closed_by_hand_once_a_fill_of_it_was_taken_back() -> None:
    """The look counted the fill; without it the order may work again."""
    desk = a_desk()
    order = working(desk)
    desk.give(a_fill(order))
    desk.wait(60)
    shown = their_order(order.cl_ord_id, MOUTAI, Side.BUY, 1000, OrdStatus.FILLED, cum_qty=Qty(Decimal(1000)))
    desk.give(a_snapshot(as_of=desk.now, orders=(shown,), positions={MOUTAI: 200}, cash=998_000))
    assert [found.kind for found in desk.of(BreakFound)] == ["order_qty"]
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY))
    with pytest.raises(BadInput, match="nothing to resolve"):
        resolve(desk, order)
