"""Brokers that show open orders and no closed ones: what is gone from their list has ended, and how is a matter of proof."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.core.runs_made import LISTED, A

from tradeloop.core.commands import CancelOrder, OpenTradingDay, ReplaceOrder, ResolveOrder
from tradeloop.core.effects import SendOrder
from tradeloop.core.events import AbsenceSeen, BreakClosed, BreakFound, NotSentProven, OrderCanceled, OrderExpired
from tradeloop.core.order import Order
from tradeloop.core.reports import CancelAck, CancelReject, ExecutionBust, ReplaceOutcome, SendOutcome
from tradeloop.core.types import SECOND_NS, OrderID, OrdStatus, OrdType, Px, Qty, Side, TimeInForce, TradingDay, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, a_quote, a_snapshot, an_execution, buy, their_order
from tradeloop.testing.desk import ABLE, Desk

MONDAY = TradingDay("2026-07-20")
HOUR = 3600 * SECOND_NS


def a_desk() -> Desk:
    return Desk(able=msgspec.structs.replace(ABLE, orders_complete=False)).opened(*LISTED)


def look(desk: Desk, times: int = 1, **changes: Any) -> None:
    """The broker's open orders and all its executions of this week, some seconds apart."""
    for _ in range(times):
        desk.wait(4)
        said = {"as_of": desk.now, "orders_complete": False, "executions_since": UtcNs(0), **changes}
        desk.give(a_quote(A, at=desk.now), a_snapshot(**said))


def resting(desk: Desk, **changes: Any) -> Order:
    order = desk.order(buy(A, 100, ord_type=OrdType.LIMIT, price="9.50", **changes))
    desk.ack(order)
    return order


def unknown(desk: Desk, **changes: Any) -> Order:
    order = desk.order(buy(A, 100, **changes))
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "UNKNOWN", "time-out"))
    return order


def monday(desk: Desk) -> None:
    desk.wait(3 * 86_400)
    desk.give(OpenTradingDay("CN_A", MONDAY, ((UtcNs(desk.now - HOUR), UtcNs(desk.now + HOUR)),)))


def status(desk: Desk, order: Order) -> OrdStatus:
    return desk.known(order.cl_ord_id).ord_status


def reserved(desk: Desk) -> int:
    return int(desk.state.accounts[ACCOUNT].cash["CNY"].reserved)  # type: ignore[index]


# --- acknowledged orders


def test_a_day_order_that_is_gone_when_its_day_is_over_has_expired() -> None:
    """Its expiry was missed, and nothing repeats it: it must not stay NEW for ever."""
    desk = a_desk()
    order = resting(desk)
    monday(desk)
    look(desk, trading_day=MONDAY)

    assert (status(desk, order), reserved(desk)) == (OrdStatus.EXPIRED, 0)
    assert [e.text for e in desk.of(OrderExpired)] == ["a DAY order of 2026-07-17, not among the broker's open orders"]
    assert not desk.state.breaks


def test_a_day_order_whose_shares_say_that_it_filled_waits_for_a_person() -> None:
    desk = a_desk()
    order = resting(desk)
    monday(desk)
    look(desk, trading_day=MONDAY, executions_since=None, positions={A: 100}, cash=999_050)
    assert status(desk, order) is OrdStatus.NEW
    assert {found.kind for found in desk.of(BreakFound)} == {"order_missing", "position", "cash"}


@pytest.mark.parametrize("tif", [TimeInForce.DAY, TimeInForce.GTC])
def test_an_order_that_is_gone_and_may_have_filled_unseen_is_a_break_that_a_person_closes(tif: TimeInForce) -> None:
    desk = a_desk()
    order = resting(desk, tif=tif)
    look(desk, times=8, executions_since=UtcNs(desk.now + 1))

    (found,) = desk.of(BreakFound)
    assert (found.kind, found.subject) == ("order_missing", order.cl_ord_id)
    assert (found.ours, found.theirs) == ("NEW", "not among the broker's open orders")
    assert f"tradeloop orders resolve {order.cl_ord_id} --as CANCELED" in found.repair
    desk.give(ResolveOrder(order.cl_ord_id, "CANCELED", "ann", "the broker's statement says so"))
    assert (status(desk, order), reserved(desk)) == (OrdStatus.CANCELED, 0)
    look(desk)
    assert not desk.state.breaks


@pytest.mark.parametrize("tif", [TimeInForce.DAY, TimeInForce.GTC])
def test_an_order_that_is_gone_is_over_by_the_looks_that_end_one_that_was_never_heard_of(tif: TimeInForce) -> None:
    """The venue took it out of the market and the report was lost: it neither works nor has it traded."""
    desk = a_desk()
    heard, unheard = resting(desk, tif=tif), unknown(desk, tif=tif)
    look(desk, times=2)
    assert [status(desk, order) for order in (heard, unheard)] == [OrdStatus.NEW, OrdStatus.UNKNOWN]
    look(desk, times=6)

    assert [status(desk, order) for order in (heard, unheard)] == [OrdStatus.CANCELED, OrdStatus.CANCELED]
    assert [e.by_us for e in desk.of(OrderCanceled)] == [False, False]
    assert (reserved(desk), desk.state.breaks) == (0, {})


def test_an_order_that_is_shown_in_between_was_never_gone() -> None:
    desk = a_desk()
    order = resting(desk, tif=TimeInForce.GTC)
    shown = their_order(order.cl_ord_id, A, Side.BUY, 100, OrdStatus.NEW)
    for _ in range(5):
        look(desk, times=2)
        look(desk, orders=(shown,))
    assert (status(desk, order), desk.state.breaks) == (OrdStatus.NEW, {})


def test_looks_prove_nothing_while_only_our_clock_is_set_forward() -> None:
    desk = a_desk()
    order = resting(desk, tif=TimeInForce.GTC)
    theirs = UtcNs(desk.now + HOUR)
    for _ in range(8):  # nearly an hour here, and eight milliseconds there
        desk.wait(440)
        theirs = UtcNs(theirs + SECOND_NS // 1000)
        look(desk, as_of=theirs, asked_at=desk.now)
    assert status(desk, order) is OrdStatus.NEW


def test_a_fill_without_an_id_may_be_of_an_order_whose_number_is_not_known() -> None:
    desk = a_desk()
    order = desk.order(buy(A, 200, ord_type=OrdType.LIMIT, price="9.50"))
    desk.give(an_execution(order.cl_ord_id, A, Side.BUY, 100, "9.50"))
    nameless = an_execution(None, A, Side.BUY, 100, "9.50", "e2", order_id=OrderID("h1"))
    look(desk, times=8, executions=(nameless,), positions={A: 200}, cash=998_100)
    assert status(desk, order) is OrdStatus.PARTIALLY_FILLED


def test_an_order_that_is_still_shown_is_neither_missing_nor_over() -> None:
    desk = a_desk()
    order = resting(desk)
    shown = their_order(order.cl_ord_id, A, Side.BUY, 100, OrdStatus.NEW)
    look(desk, times=3, orders=(shown,))
    assert (status(desk, order), desk.state.breaks) == (OrdStatus.NEW, {})


def test_an_order_that_a_cancel_was_sent_for_and_that_is_gone_was_cancelled() -> None:
    """The answer was lost, and the broker knows no such order when it is asked again."""
    desk = a_desk()
    order = resting(desk, tif=TimeInForce.GTC)
    desk.give(CancelOrder(order.cl_ord_id, "ann"), CancelReject(BROKER, order.cl_ord_id, "404", "no such order"))
    look(desk)
    assert status(desk, order) is OrdStatus.NEW, "the executions may lag the orders: one look is not enough"
    look(desk)

    assert status(desk, order) is OrdStatus.CANCELED
    assert [e.by_us for e in desk.of(OrderCanceled)] == [True]
    assert [closed.why for closed in desk.of(BreakClosed)] == ["the order has ended"]


def test_a_cancelled_order_that_is_gone_is_not_concluded_about_where_a_fill_may_have_gone_unseen() -> None:
    desk = a_desk()
    order = resting(desk)
    desk.give(CancelOrder(order.cl_ord_id, "ann"))
    look(desk, times=4, executions_since=UtcNs(desk.now + 1))
    assert status(desk, order) is OrdStatus.PENDING_CANCEL
    assert [found.kind for found in desk.of(BreakFound)] == ["order_missing"]


def test_a_fill_found_in_the_look_ends_the_order_before_its_absence_is_judged() -> None:
    desk = a_desk()
    order = resting(desk)
    fill = an_execution(order.cl_ord_id, A, Side.BUY, 100, "9.50", transact_at=desk.now)
    look(desk, times=3, executions=(fill,), positions={A: 100}, cash=999_050)
    assert (status(desk, order), desk.state.breaks) == (OrdStatus.FILLED, {})


def test_an_order_that_filled_while_a_change_of_it_waits_has_filled_whatever_the_open_orders_lack() -> None:
    """Taken for cancelled it would be closed for a bust that opens it again."""
    desk = a_desk()
    order = desk.order(buy(A, 200, ord_type=OrdType.LIMIT, price="10"))
    desk.ack(order)
    desk.give(ReplaceOrder(order.cl_ord_id, "ann", order_qty=Qty(Decimal(100))))
    desk.give(ReplaceOutcome(BROKER, order.cl_ord_id, 1, "UNKNOWN", "time-out"))
    fill = an_execution(order.cl_ord_id, A, Side.BUY, 200, "10", order_id=OrderID("b1"))
    desk.give(fill, CancelOrder(order.cl_ord_id, "ann"), CancelReject(BROKER, order.cl_ord_id, "2", "filled"))
    look(desk, times=6, executions=(fill,), positions={A: 200}, cash=998_000)
    known = desk.known(order.cl_ord_id)
    assert (known.ord_status, known.canceled_at, known.replaces) == (OrdStatus.FILLED, None, None)
    assert not desk.of(BreakFound)

    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, fill.exec_id, Side.BUY))
    shown = their_order(order.cl_ord_id, A, Side.BUY, 200, OrdStatus.NEW, price=Px(Decimal(10)))
    look(desk, times=3, orders=(shown,))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.NEW
    assert reserved(desk) == 2_000
    assert not desk.state.breaks


def test_a_lesser_look_of_a_broker_that_can_show_closed_orders_says_nothing_of_what_it_lacks() -> None:
    desk = Desk().opened(*LISTED)
    order = resting(desk)
    look(desk, times=4)
    assert (status(desk, order), desk.state.breaks) == (OrdStatus.NEW, {})


# --- orders of unknown fate


@pytest.mark.parametrize("tif", [TimeInForce.DAY, TimeInForce.IOC])
def test_an_unknown_order_that_neither_works_nor_traded_is_over_and_is_never_sent_again(tif: TimeInForce) -> None:
    """It may have arrived, and been killed or refused: that it did not trade does not prove that it was not sent."""
    desk = a_desk()
    order = unknown(desk, tif=tif)
    look(desk, times=8)

    assert (status(desk, order), reserved(desk)) == (OrdStatus.CANCELED, 0)
    assert desk.known(order.cl_ord_id).text == (
        "over, and not traded: neither among the open orders of paper nor in its executions"
    )
    assert not desk.of(NotSentProven)
    assert len(desk.of(SendOrder)) == 1


def test_such_proof_needs_as_many_looks_over_as_long_as_any_other() -> None:
    """A request may still be on its way."""
    desk = a_desk()
    order = unknown(desk)
    for n in range(20):
        desk.give(a_snapshot(as_of=desk.now + n + 1, orders_complete=False, executions_since=UtcNs(0)))
    assert status(desk, order) is OrdStatus.UNKNOWN


def test_open_orders_and_complete_executions_decide_on_a_later_day_too() -> None:
    """What is open is shown whatever its day, and so is what filled."""
    desk = a_desk()
    order = unknown(desk)
    monday(desk)
    look(desk, times=8, trading_day=MONDAY)
    assert status(desk, order) is OrdStatus.CANCELED


@pytest.mark.parametrize("part", [{"executions_since": None}, {"executions": None}, {"executions_since": "late"}], ids=str)
def test_open_orders_alone_prove_nothing_because_the_order_may_have_filled(part: dict[str, Any]) -> None:
    desk = a_desk()
    order = unknown(desk)
    if part.get("executions_since") == "late":
        part = {"executions_since": UtcNs(desk.now + 1)}
    look(desk, times=8, **part)
    assert status(desk, order) is OrdStatus.UNKNOWN
    assert not desk.of(AbsenceSeen)


@pytest.mark.parametrize("complete", [True, False], ids=["complete books", "open orders only"])
def test_an_order_of_the_same_size_without_an_id_spoils_the_proof(complete: bool) -> None:
    """A broker may have lost our id; sent again, the order would be there twice."""
    desk = Desk().opened(*LISTED) if complete else a_desk()
    order = unknown(desk)
    nameless = their_order(None, A, Side.BUY, 100, OrdStatus.NEW, order_id=OrderID("h1"))
    look(desk, times=8, orders=(nameless,), orders_complete=complete)

    assert status(desk, order) is OrdStatus.UNKNOWN
    assert len(desk.of(SendOrder)) == 1


def test_a_fill_without_an_id_spoils_the_proof() -> None:
    desk = a_desk()
    order = unknown(desk)
    nameless = an_execution(None, A, Side.BUY, 100, 10, transact_at=UtcNs(desk.now + 1), order_id=OrderID("h1"))
    look(desk, times=8, executions=(nameless,), positions={A: 100}, cash=999_000)
    assert status(desk, order) is OrdStatus.UNKNOWN


@pytest.mark.parametrize("complete", [True, False], ids=["complete books", "open orders only"])
def test_where_every_order_of_ours_bears_our_id_one_without_is_a_strangers(complete: bool) -> None:
    """The proof does not wait for ever because somebody trades as much by hand."""
    desk = Desk(able=msgspec.structs.replace(ABLE, orders_complete=complete, echoes_ids=True)).opened(*LISTED)
    order = unknown(desk)
    working = their_order(None, A, Side.BUY, 100, OrdStatus.NEW, order_id=OrderID("h1"), cum_qty=Qty(Decimal(50)))
    fill = an_execution(None, A, Side.BUY, 50, 10, transact_at=UtcNs(desk.now + 1), order_id=OrderID("h1"))
    books = {"orders": (working,), "executions": (fill,), "positions": {A: 50}, "cash": 999_500}
    look(desk, times=8, orders_complete=complete, **books)
    if complete:
        assert [proven.cl_ord_id for proven in desk.of(NotSentProven)] == [order.cl_ord_id]
    else:
        assert status(desk, order) is OrdStatus.CANCELED


@pytest.mark.parametrize("complete", [True, False], ids=["complete books", "open orders only"])
def test_a_fill_whose_order_is_not_shown_may_be_ours_though_no_order_of_ours_loses_its_id(complete: bool) -> None:
    """It may have ended the order; or its line lags behind it."""
    desk = Desk(able=msgspec.structs.replace(ABLE, orders_complete=complete, echoes_ids=True)).opened(*LISTED)
    order = unknown(desk)
    fill = an_execution(None, A, Side.BUY, 100, 10, transact_at=UtcNs(desk.now + 1), order_id=OrderID("h1"))
    look(desk, times=8, executions=(fill,), orders_complete=complete, positions={A: 100}, cash=999_000)
    assert status(desk, order) is OrdStatus.UNKNOWN


def test_an_order_typed_by_hand_before_ours_was_sent_is_not_taken_for_it() -> None:
    desk = Desk().opened(*LISTED)
    nameless = their_order(None, A, Side.BUY, 100, OrdStatus.NEW, order_id=OrderID("h1"))
    look(desk, orders=(nameless,), orders_complete=True)
    desk.wait(1)
    order = unknown(desk)
    look(desk, times=8, orders=(nameless,), orders_complete=True)
    assert [proven.cl_ord_id for proven in desk.of(NotSentProven)] == [order.cl_ord_id]


def test_an_order_that_is_cancelled_again_and_again_is_looked_for_all_the_same() -> None:
    """F33: each refusal says that it is over; that we asked a moment ago says nothing of how old the look is."""
    desk = a_desk()
    order = resting(desk)
    for _ in range(6):
        desk.give(CancelOrder(order.cl_ord_id, "ann"))
        desk.give(CancelReject(BROKER, order.cl_ord_id, "E2", "the order is already closed: CANCELED"))
        look(desk)
    assert (status(desk, order), reserved(desk)) == (OrdStatus.CANCELED, 0)


@pytest.mark.parametrize("tif", [TimeInForce.DAY, TimeInForce.IOC])
@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("complete", [True, False])
def test_an_announced_end_waits_for_its_fills_whatever_the_books_list(tif: TimeInForce, asked: bool, complete: bool) -> None:
    """The broker counts a hundred as traded; its executions, which would be complete, lack them, also on the next day."""
    desk = Desk(able=msgspec.structs.replace(ABLE, orders_complete=complete)).opened(*LISTED)
    order = desk.order(buy(A, 200, ord_type=OrdType.LIMIT, price="9.50", tif=tif))
    desk.ack(order)
    desk.wait(1)
    if asked:
        desk.give(CancelOrder(order.cl_ord_id, "ann"))
    desk.give(CancelAck(BROKER, order.cl_ord_id, "the rest", None, Qty(Decimal(100))))
    look(desk, 5, orders_complete=complete)
    monday(desk)
    look(desk, 5, orders_complete=complete, trading_day=MONDAY)
    assert not desk.of(OrderCanceled)
    assert not desk.of(OrderExpired)
    assert reserved(desk) > 0
    (found,) = desk.state.breaks.values()
    assert (found.kind, found.ours, found.theirs) == ("order_missing", "0 traded", "CANCELED with 100 traded")
    desk.give(an_execution(order.cl_ord_id, A, Side.BUY, 100, "9.50", "e1", trading_day=DAY))
    assert status(desk, order) is OrdStatus.CANCELED
    assert desk.known(order.cl_ord_id).cum_qty == 100
    assert reserved(desk) == 0
    assert not desk.state.breaks


def test_a_person_ends_an_order_whose_announced_fills_never_come() -> None:
    desk = a_desk()
    order = resting(desk)
    desk.give(CancelAck(BROKER, order.cl_ord_id, "the rest", None, Qty(Decimal(50))))
    look(desk, 3)
    desk.give(ResolveOrder(order.cl_ord_id, "CANCELED", "ann", "the broker took its count back"))
    assert (status(desk, order), reserved(desk)) == (OrdStatus.CANCELED, 0)
    assert not desk.state.breaks
