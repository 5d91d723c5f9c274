"""An end without a count, as the first word of an order: all of its fills may have been lost, and a look shows them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import msgspec
import pytest
from tests.core.watched import WatchedDesk

from tradeloop.core.commands import ResolveOrder
from tradeloop.core.effects import SetTimer, TakeSnapshot
from tradeloop.core.errors import BadInput
from tradeloop.core.events import EndAnnounced, ExternalOrderFound, OrderCanceled, OrderExpired
from tradeloop.core.follow import after_restart
from tradeloop.core.inputs import Start, TimerFired
from tradeloop.core.order import Order
from tradeloop.core.reports import BrokerUp, CancelAck, Execution, OpenOrder, OrderExpire
from tradeloop.core.types import ExecID, OrderID, OrdStatus, OrdType, Qty, Side, UtcNs
from tradeloop.testing.builders import BROKER, a_snapshot, an_execution, an_instrument, buy, their_order
from tradeloop.testing.desk import ABLE

MOUTAI: Final = "600519.SH"
HUNDRED: Final = Qty(Decimal(100))
ENDS: Final = [(CancelAck, OrdStatus.CANCELED), (OrderExpire, OrdStatus.EXPIRED)]


def a_desk(*, complete: bool = True, doubted: bool = True) -> tuple[WatchedDesk, Order]:
    desk = WatchedDesk(able=msgspec.structs.replace(ABLE, orders_complete=complete))
    desk.opened(an_instrument())
    order = desk.order(buy(MOUTAI, 200, ord_type=OrdType.LIMIT, price="10"))
    desk.wait(5)
    if doubted:
        desk.give(TimerFired("ack_timeout", order.cl_ord_id))
        assert desk.known(order.cl_ord_id).ord_status is OrdStatus.UNKNOWN
    return desk, order


def a_fill(order: Order, *, named: bool = True) -> Execution:
    return an_execution(
        order.cl_ord_id if named else None, MOUTAI, Side.BUY, 100, "10", order_id=OrderID("17"), transact_at=order.staged_at
    )


def look(desk: WatchedDesk, *executions: Execution, orders: tuple[OpenOrder, ...] = (), **changes: Any) -> None:
    desk.wait(5)
    held = sum(int(x.last_qty) for x in executions)
    said = {
        "as_of": desk.now,
        "orders": orders,
        "executions": executions,
        "executions_since": UtcNs(0),
        "positions": {MOUTAI: held} if held else {},
        "cash": 1_000_000 - 10 * held,
        "orders_complete": desk.around.brokers[BROKER].orders_complete,
        **changes,
    }
    desk.give(a_snapshot(**said))


def ends_free(desk: WatchedDesk, order: Order) -> bool:
    return desk.known(order.cl_ord_id).is_done and desk.known(order.cl_ord_id).reserved == 0


@pytest.mark.parametrize("doubted", [True, False])
@pytest.mark.parametrize(("end", "as_"), ENDS)
def test_it_holds_what_it_may_have_cost_until_a_look_shows_that_nothing_traded(
    end: type[CancelAck | OrderExpire], as_: OrdStatus, doubted: bool
) -> None:
    desk, order = a_desk(doubted=doubted)
    before = len(desk.of(TakeSnapshot))
    desk.give(end(BROKER, order.cl_ord_id, "the rest"), end(BROKER, order.cl_ord_id, "the rest"))
    assert [event.cum_qty for event in desk.of(EndAnnounced)] == [None]
    assert desk.known(order.cl_ord_id).reserved > 0
    assert len(desk.of(TakeSnapshot)) == before + 1, "a look is asked for at once"
    look(desk)
    assert ends_free(desk, order)
    assert (desk.known(order.cl_ord_id).ord_status, desk.known(order.cl_ord_id).text) == (as_, "the rest")


@pytest.mark.parametrize("complete", [True, False])
def test_the_look_that_completes_it_books_its_fills_first(complete: bool) -> None:
    desk, order = a_desk(complete=complete)
    desk.give(CancelAck(BROKER, order.cl_ord_id))
    look(desk, a_fill(order))
    assert desk.known(order.cl_ord_id).cum_qty == 100
    assert not ends_free(desk, order), "the fill has just come: a later look shows whether it was the last"
    look(desk, a_fill(order))
    assert ends_free(desk, order)
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.CANCELED


def test_books_that_show_it_ended_with_what_we_have_end_it_at_once() -> None:
    desk, order = a_desk()
    desk.give(CancelAck(BROKER, order.cl_ord_id))
    shown = their_order(order.cl_ord_id, MOUTAI, Side.BUY, 200, OrdStatus.CANCELED, cum_qty=HUNDRED, order_id=OrderID("17"))
    look(desk, a_fill(order), orders=(shown,))
    assert ends_free(desk, order)
    assert desk.known(order.cl_ord_id).cum_qty == 100


def test_a_fill_alone_does_not_complete_it() -> None:
    desk, order = a_desk()
    desk.give(CancelAck(BROKER, order.cl_ord_id), a_fill(order))
    assert not ends_free(desk, order)
    assert not desk.of(OrderCanceled)


@pytest.mark.parametrize("count", [0, 100])
def test_a_count_that_comes_later_says_what_to_wait_for(count: int) -> None:
    desk, order = a_desk()
    desk.give(CancelAck(BROKER, order.cl_ord_id), CancelAck(BROKER, order.cl_ord_id, cum_qty=Qty(Decimal(count))))
    assert ends_free(desk, order) is (count == 0)
    desk.give(a_fill(order))
    assert ends_free(desk, order)


def test_a_count_once_told_is_not_forgotten_by_an_end_without_one() -> None:
    desk, order = a_desk(doubted=False)
    desk.ack(order)
    desk.give(CancelAck(BROKER, order.cl_ord_id, cum_qty=Qty(Decimal(100))), OrderExpire(BROKER, order.cl_ord_id))
    assert not desk.of(OrderExpired)
    desk.give(a_fill(order))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.CANCELED


@pytest.mark.parametrize("why", ["executions unread", "a fill without an id"])
def test_where_a_look_leaves_room_for_its_fills_a_person_hears_and_may_end_it(why: str) -> None:
    desk, order = a_desk()
    desk.give(CancelAck(BROKER, order.cl_ord_id))
    for _ in range(3):
        if why == "executions unread":
            look(desk, executions=None, positions={MOUTAI: 100})
        else:
            look(desk, a_fill(order, named=False))
    assert not desk.of(OrderCanceled)
    missing = [known for known in desk.state.breaks.values() if known.kind == "order_missing"]
    assert [known.theirs for known in missing] == ["CANCELED with an unknown quantity traded"]
    desk.give(ResolveOrder(order.cl_ord_id, "CANCELED", "ann", "asked the broker"))
    assert ends_free(desk, order)


def test_a_person_may_end_it_before_any_look_but_not_call_it_unsent() -> None:
    desk, order = a_desk()
    desk.give(CancelAck(BROKER, order.cl_ord_id))
    with pytest.raises(BadInput, match="NOT_SENT"):
        desk.give(ResolveOrder(order.cl_ord_id, "NOT_SENT", "ann", "guessed"))
    desk.give(ResolveOrder(order.cl_ord_id, "CANCELED", "ann", "asked the broker"))
    assert ends_free(desk, order)


def test_the_books_are_asked_again_until_it_has_ended_also_by_the_next_process() -> None:
    desk, order = a_desk()
    desk.give(CancelAck(BROKER, order.cl_ord_id))
    asked = len(desk.of(TakeSnapshot))
    desk.give(TimerFired("probe", order.cl_ord_id))
    assert len(desk.of(TakeSnapshot)) == asked + 1
    desk.give(Start(2, "test", "t1"), BrokerUp(BROKER))
    timers = [timer for timer in after_restart(desk.state, desk.around) if isinstance(timer, SetTimer)]
    assert ("probe", order.cl_ord_id) in [(timer.kind, timer.subject) for timer in timers]


def test_a_person_hears_where_the_books_work_an_order_whose_end_was_announced() -> None:
    desk, order = a_desk()
    desk.give(CancelAck(BROKER, order.cl_ord_id))
    shown = their_order(order.cl_ord_id, MOUTAI, Side.BUY, 200, OrdStatus.NEW, order_id=OrderID("17"))
    for _ in range(2):
        look(desk, orders=(shown,))
    assert [known.kind for known in desk.state.breaks.values()] == ["order_open"]
    assert not ends_free(desk, order)


@pytest.mark.parametrize(("end", "as_"), ENDS)
def test_an_order_that_has_no_number_of_the_brokers_waits_for_a_look_too(
    end: type[CancelAck | OrderExpire], as_: OrdStatus
) -> None:
    """That it was heard of says nothing of the fills that were not: its acknowledgement is as lost as they may be."""
    desk, order = a_desk()
    first = msgspec.structs.replace(a_fill(order), order_id=None)
    desk.give(first)
    desk.give(end(BROKER, order.cl_ord_id))
    assert not desk.known(order.cl_ord_id).is_done
    second = msgspec.structs.replace(first, exec_id=ExecID("e2"))
    look(desk, first, second)
    assert (desk.known(order.cl_ord_id).cum_qty, desk.known(order.cl_ord_id).ord_status) == (HUNDRED * 2, OrdStatus.FILLED)


# --- ends that name the broker's number, which no answer told


@pytest.mark.parametrize(("end", "as_"), ENDS)
def test_what_came_under_the_number_alone_is_counted_before_the_end(end: type[CancelAck | OrderExpire], as_: OrdStatus) -> None:
    """A venue such as CTP tells fills by its own number; the answer that joins it to our id was lost."""
    desk, order = a_desk(complete=False)
    desk.give(a_fill(order, named=False))
    desk.give(end(BROKER, order.cl_ord_id, "the rest", cum_qty=HUNDRED, order_id=OrderID("17")))
    assert ends_free(desk, order)
    assert (desk.known(order.cl_ord_id).cum_qty, desk.known(order.cl_ord_id).ord_status) == (HUNDRED, as_)
    assert not desk.state.orders.open


@pytest.mark.parametrize(("end", "as_"), ENDS)
def test_a_number_that_comes_with_the_end_proves_no_report_before_it(
    end: type[CancelAck | OrderExpire], as_: OrdStatus
) -> None:
    """The fills before it may have been lost as the answer was."""
    desk, order = a_desk(complete=False)
    told = end(BROKER, order.cl_ord_id, order_id=OrderID("17"))
    desk.give(told, told)
    assert not ends_free(desk, order)
    look(desk, a_fill(order, named=False))
    look(desk, a_fill(order, named=False))
    assert ends_free(desk, order)
    assert (desk.known(order.cl_ord_id).cum_qty, desk.known(order.cl_ord_id).ord_status) == (HUNDRED, as_)


def test_a_fill_that_comes_behind_such_an_end_is_of_the_order() -> None:
    desk, order = a_desk()
    desk.give(CancelAck(BROKER, order.cl_ord_id, cum_qty=HUNDRED, order_id=OrderID("17")), a_fill(order, named=False))
    assert ends_free(desk, order)
    assert not desk.of(ExternalOrderFound)


def test_an_order_that_had_ended_gets_its_number_from_a_late_word_of_its_end() -> None:
    desk, order = a_desk()
    desk.give(a_fill(order, named=False), CancelAck(BROKER, order.cl_ord_id))
    desk.give(ResolveOrder(order.cl_ord_id, "CANCELED", "ann", "asked the broker"))
    desk.give(CancelAck(BROKER, order.cl_ord_id, cum_qty=HUNDRED, order_id=OrderID("17")))
    assert (desk.known(order.cl_ord_id).cum_qty, desk.known(order.cl_ord_id).ord_status) == (HUNDRED, OrdStatus.CANCELED)
