"""An order ends while a larger quantity that was asked for has no answer, and more than its own quantity has traded."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.core.watched import WatchedDesk

from tradeloop.core.commands import CancelOrder, ReplaceOrder, ResolveOrder
from tradeloop.core.events import BreakFound, OrderReplaced, OrderResolved, Overfilled
from tradeloop.core.order import Order
from tradeloop.core.replies import Done
from tradeloop.core.reports import CancelAck, OrderExpire, OrderReject, ReplaceAck
from tradeloop.core.types import OrderID, OrdStatus, OrdType, Px, Qty, Side, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, NOON, a_snapshot, an_execution, an_instrument, buy, their_order

D = Decimal
A = "600001.SH"


def asked_for_more(*quantities: int) -> tuple[WatchedDesk, Order]:
    """An order for 2, of which 1 has traded; then these quantities were asked for, and no answer came."""
    desk = WatchedDesk()
    desk.opened(an_instrument(A, lot=1, min_qty=1), cash=100_000)
    order = desk.order(buy(A, 2, ord_type=OrdType.LIMIT, price="10"))
    desk.ack(order)
    fill(desk, order, 1, "e1")
    for qty in quantities:
        desk.give(ReplaceOrder(order.cl_ord_id, "ann", Qty(D(qty))))
    return desk, order


def fill(desk: WatchedDesk, order: Order, qty: int, exec_id: str) -> None:
    desk.give(an_execution(order.cl_ord_id, A, Side.BUY, qty, "10", exec_id))


def stands(desk: WatchedDesk, order: Order) -> tuple[object, ...]:
    now = desk.known(order.cl_ord_id)
    return now.ord_status, now.cum_qty, now.order_qty, now.reserved


ENDS = [(CancelAck, OrdStatus.CANCELED), (OrderExpire, OrdStatus.EXPIRED)]


@pytest.mark.parametrize(("end", "as_"), ENDS)
def test_the_last_fill_of_an_announced_end_proves_the_larger_quantity(
    end: type[CancelAck | OrderExpire], as_: OrdStatus
) -> None:
    """Invariant 9: the end overtook the fill, and the answer to the replace is late or lost."""
    desk, order = asked_for_more(8)
    desk.give(end(BROKER, order.cl_ord_id, cum_qty=Qty(D(5))))
    fill(desk, order, 4, "e2")
    assert stands(desk, order) == (as_, 5, 8, 0)
    assert not desk.state.halted
    assert desk.state.accounts[ACCOUNT].cash[desk.state.instruments[order.symbol].currency].reserved == 0


@pytest.mark.parametrize(("end", "as_"), ENDS)
def test_an_end_after_more_has_traded_than_was_first_ordered_proves_the_larger_quantity(
    end: type[CancelAck | OrderExpire], as_: OrdStatus
) -> None:
    desk, order = asked_for_more(8)
    fill(desk, order, 4, "e2")
    desk.give(end(BROKER, order.cl_ord_id))
    assert stands(desk, order) == (as_, 5, 8, 0)
    assert [e.number for e in desk.of(OrderReplaced)] == [1]
    assert not desk.of(Overfilled)


def test_an_order_refused_after_it_traded_more_than_was_first_ordered_was_changed_before() -> None:
    desk, order = asked_for_more(8)
    fill(desk, order, 4, "e2")
    desk.give(OrderReject(BROKER, order.cl_ord_id, "9", "no more of it"))
    now = desk.known(order.cl_ord_id)
    assert (now.order_qty, now.reserved) == (D(8), D(0))
    assert now.rejected_at is not None


def test_the_first_quantity_that_allows_what_traded_is_the_one_that_is_proven() -> None:
    desk, order = asked_for_more(4, 6, 9)
    fill(desk, order, 4, "e2")
    desk.give(CancelAck(BROKER, order.cl_ord_id))
    assert stands(desk, order) == (OrdStatus.CANCELED, 5, 6, 0)


def test_an_order_that_filled_under_the_larger_quantity_has_filled_and_holds_nothing_back() -> None:
    desk, order = asked_for_more(5)
    fill(desk, order, 4, "e2")
    desk.give(OrderExpire(BROKER, order.cl_ord_id))
    assert stands(desk, order) == (OrdStatus.FILLED, 5, 5, 0)
    assert desk.known(order.cl_ord_id).expired_at is None


def test_a_cancel_that_was_asked_for_is_answered_where_the_larger_quantity_filled() -> None:
    desk, order = asked_for_more(5)
    desk.give(CancelOrder(order.cl_ord_id, "ann", "out"))
    desk.give(CancelAck(BROKER, order.cl_ord_id, cum_qty=Qty(D(5))))
    fill(desk, order, 4, "e2")
    assert stands(desk, order) == (OrdStatus.FILLED, 5, 5, 0)


def test_more_than_any_quantity_asked_for_is_an_overfill_and_said_once() -> None:
    desk, order = asked_for_more(4)
    desk.give(CancelAck(BROKER, order.cl_ord_id, cum_qty=Qty(D(5))))
    fill(desk, order, 4, "e2")
    assert [e.excess for e in desk.of(Overfilled)] == [1]
    assert A in desk.state.halted
    assert desk.known(order.cl_ord_id).canceled_at is not None


def test_the_answer_to_the_replace_that_comes_after_the_end_says_nothing_new() -> None:
    desk, order = asked_for_more(8)
    fill(desk, order, 4, "e2")
    desk.give(CancelAck(BROKER, order.cl_ord_id))
    before = len(desk.events)
    desk.give(ReplaceAck(BROKER, order.cl_ord_id, Qty(D(8)), Px(D(10)), number=1))
    assert len(desk.events) == before


def test_an_end_with_no_more_traded_than_was_first_ordered_proves_nothing() -> None:
    desk, order = asked_for_more(8)
    desk.give(CancelAck(BROKER, order.cl_ord_id))
    assert stands(desk, order) == (OrdStatus.CANCELED, 1, 2, 0)
    assert not desk.of(OrderReplaced)


def test_books_that_show_the_end_prove_the_larger_quantity_too() -> None:
    """Books of a broker that shows what had filled as the quantity of an order that was cancelled."""
    desk, order = asked_for_more(8)
    desk.wait(3)
    fills = tuple(an_execution(order.cl_ord_id, A, Side.BUY, qty, "10", key) for qty, key in ((1, "e1"), (4, "e2")))
    line = their_order(
        order.cl_ord_id, A, Side.BUY, 5, OrdStatus.CANCELED, order_id=OrderID("b1"), cum_qty=Qty(D(5)), price=Px(D(10))
    )
    desk.give(a_snapshot(cash=99_950, positions={A: 5}, as_of=desk.now, orders=(line,), executions=fills))
    assert stands(desk, order) == (OrdStatus.CANCELED, 5, 8, 0)
    assert not desk.state.halted


def test_a_person_who_ends_a_missing_order_ends_the_one_that_traded() -> None:
    desk, order = asked_for_more(8)
    fill(desk, order, 4, "e2")
    since = UtcNs(NOON - 1)
    for _ in range(2):  # the first look proves the change, the second one misses the order
        desk.wait(60)
        desk.give(a_snapshot(cash=99_950, positions={A: 5}, as_of=desk.now, orders=(), executions=(), executions_since=since))
    desk.give(ResolveOrder(order.cl_ord_id, "CANCELED", "ann", "the broker says it is gone"))
    assert stands(desk, order) == (OrdStatus.CANCELED, 5, 8, 0)


def test_a_person_who_ends_an_order_that_has_filled_under_the_larger_quantity_hears_so() -> None:
    """A journal of before a fill closed the break lets it be resolved; the cancel that waits is no reason to end it twice."""
    desk, order = asked_for_more(8)
    desk.give(CancelOrder(order.cl_ord_id, "ann"))
    desk.wait(60)
    desk.give(a_snapshot(cash=99_990, positions={A: 1}, as_of=desk.now, orders=()))
    (missing,) = desk.of(BreakFound)
    fill(desk, order, 7, "e2")
    desk.apply(missing)
    reply = desk.give(ResolveOrder(order.cl_ord_id, "CANCELED", "ann", "the broker says it is gone"))
    assert reply == Done(f"order {order.cl_ord_id} is closed as FILLED")
    assert stands(desk, order) == (OrdStatus.PENDING_CANCEL, 8, 8, 0)
    assert not desk.of(OrderResolved)
    desk.wait(60)
    desk.give(a_snapshot(cash=99_920, positions={A: 8}, as_of=desk.now, orders=()))
    assert stands(desk, order) == (OrdStatus.FILLED, 8, 8, 0)
    assert not desk.state.breaks
