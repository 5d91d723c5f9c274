"""Two acknowledgements that carry each other's number (F7): what the books say puts it right, orders and fills."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.core.runs_made import A, B, Work

from tradeloop.core.commands import CancelOrder
from tradeloop.core.effects import RaiseAlert, SendCancel
from tradeloop.core.events import BreakFound, ExternalOrderFound, OrderAcknowledged, Overfilled, TradeMoved
from tradeloop.core.instrument import AssetClass
from tradeloop.core.order import Order
from tradeloop.core.reports import CancelAck, Execution, OpenOrder, OrderAck
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, OrderID, OrdStatus, OrdType, PositionEffect, Qty, Side, Symbol, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, a_snapshot, an_execution, an_instrument, buy, fees, sell, their_order
from tradeloop.testing.desk import Desk

MOUTAI, GOLD = "600519.SH", "au2512.SHFE"
CASH = 1_000_000


def a_desk(first: int = 100, second: int = 100, mixed: bool = True, **instrument: Any) -> tuple[Desk, Order, Order]:
    """Two orders to buy; the first is number 1 at the venue and is told to be 2, and the other way round."""
    desk = Desk().opened(an_instrument(lot=1, min_qty=1, **instrument), cash=CASH)
    one, two = (desk.order(buy(MOUTAI, qty, ord_type=OrdType.LIMIT, price="10")) for qty in (first, second))
    numbers = ("2", "1") if mixed else ("1", "2")
    for order, number in zip((one, two), numbers, strict=True):
        desk.give(OrderAck(BROKER, order.cl_ord_id, OrderID(number)))
    return desk, one, two


def fill(number: str, qty: int, px: str = "10", exec_id: str = "", of: Order | None = None, **changes: Any) -> Execution:
    named = None if of is None else of.cl_ord_id
    return an_execution(named, MOUTAI, Side.BUY, qty, px, exec_id or f"e{number}", order_id=OrderID(number), **changes)


def line(order: Order, number: str, filled: int = 0, status: OrdStatus | None = None) -> OpenOrder:
    stands = OrdStatus.NEW if not filled else OrdStatus.PARTIALLY_FILLED if filled < order.order_qty else OrdStatus.FILLED
    return their_order(
        order.cl_ord_id,
        order.symbol,
        order.side,
        order.order_qty,
        status or stands,
        order_id=OrderID(number),
        cum_qty=Qty(Decimal(filled)),
    )


def look(desk: Desk, *lines: OpenOrder, executions: tuple[Execution, ...] = (), **changes: Any) -> None:
    """The books, once whatever was told last has settled; their figures are what was really traded."""
    desk.wait(60)
    spent = sum((x.last_px * x.last_qty for x in executions), Decimal(0))
    shares = sum((x.last_qty for x in executions), Decimal(0))
    books: dict[str, Any] = {"cash": CASH - spent, "positions": {MOUTAI: shares} if shares else {}}
    desk.give(a_snapshot(**{**books, "as_of": desk.now, "orders": lines, "executions": executions, **changes}))


def filled(desk: Desk, *orders: Order) -> list[int]:
    return [int(desk.known(order.cl_ord_id).cum_qty) for order in orders]


def numbers_of(desk: Desk, *orders: Order) -> list[str | None]:
    return [desk.known(order.cl_ord_id).order_id for order in orders]


def reserved(desk: Desk) -> Decimal:
    return desk.state.accounts[ACCOUNT].cash["CNY"].reserved  # type: ignore[index]


@pytest.mark.parametrize("shown", ["both", "the first", "the second"])
def test_the_books_put_both_numbers_right(shown: str) -> None:
    """Also where they show one of the two alone: the other's cannot be that one."""
    desk, one, two = a_desk()
    lines = {"both": (line(one, "1"), line(two, "2")), "the first": (line(one, "1"),), "the second": (line(two, "2"),)}
    look(desk, *lines[shown], orders_complete=False)
    assert numbers_of(desk, one, two) == ["1", "2"]
    desk.give(fill("1", 30), fill("2", 70))
    assert filled(desk, one, two) == [30, 70]
    desk.give(CancelOrder(two.cl_ord_id, "ann"))
    assert [sent.order_id for sent in desk.of(SendCancel)] == ["2"]


def test_three_numbers_in_a_circle_are_put_right() -> None:
    desk = Desk().opened(an_instrument(lot=1, min_qty=1), cash=CASH)
    orders = [desk.order(buy(MOUTAI, 100, ord_type=OrdType.LIMIT, price="10")) for _ in range(3)]
    for order, number in zip(orders, "231", strict=True):
        desk.give(OrderAck(BROKER, order.cl_ord_id, OrderID(number)))
    look(desk, *(line(order, number) for order, number in zip(orders, "123", strict=True)))
    assert numbers_of(desk, *orders) == ["1", "2", "3"]
    told = len(desk.events)
    look(desk, *(line(order, number) for order, number in zip(orders, "123", strict=True)))
    assert len(desk.events) == told


def test_fills_that_came_too_late_for_the_look_that_put_the_numbers_right_move_with_the_next_one() -> None:
    """The books were read before them and came in after them; both orders have filled as far as they should."""
    desk, one, two = a_desk(500, 500)
    desk.wait(60)
    read_at = desk.now
    late = fill("1", 30, "9.90"), fill("2", 30, "9.80")
    desk.give(*late)
    desk.give(a_snapshot(as_of=read_at, cash=CASH, orders=(line(one, "1"), line(two, "2"))))
    assert numbers_of(desk, one, two) == ["1", "2"]
    look(desk, line(one, "1", 30), line(two, "2", 30), executions=late)
    assert [desk.known(order.cl_ord_id).cum_value for order in (one, two)] == [30 * Decimal("9.90"), 30 * Decimal("9.80")]


@pytest.mark.parametrize("by", ["our ids", "numbers"])
@pytest.mark.parametrize(("real_one", "real_two"), [(30, 70), (100, 40), (100, 100)])
def test_fills_that_a_mixed_up_number_brought_to_the_wrong_order_move_to_the_right_one(
    real_one: int, real_two: int, by: str
) -> None:
    desk, one, two = a_desk()
    desk.give(fill("1", real_one, "9.90"), fill("2", real_two, "9.80"))
    assert filled(desk, one, two) == [real_two, real_one]
    named = by == "our ids"
    executions = (
        fill("1", real_one, "9.90", of=one if named else None),
        fill("2", real_two, "9.80", of=two if named else None),
    )
    look(desk, line(one, "1", real_one), line(two, "2", real_two), executions=executions)

    assert filled(desk, one, two) == [real_one, real_two]
    assert desk.known(one.cl_ord_id).cum_value == real_one * Decimal("9.90")
    assert (desk.of(BreakFound), desk.of(Overfilled), desk.of(ExternalOrderFound)) == ([], [], [])
    left = 200 - real_one - real_two
    assert (reserved(desk) > 0) == (left > 0)
    assert reserved(desk) >= 10 * left
    assert State.unpack(desk.state.pack()).hash() == desk.state.hash()
    told = len(desk.events)
    look(desk, line(one, "1", real_one), line(two, "2", real_two), executions=executions)
    assert len(desk.events) == told


def test_fills_move_also_where_the_books_show_no_orders_that_have_ended() -> None:
    """Then only the fills name our ids."""
    desk, one, two = a_desk(100, 40)
    desk.give(fill("2", 40), fill("1", 100))
    assert (filled(desk, one, two), len(desk.of(Overfilled))) == ([40, 100], 1)
    look(desk, executions=(fill("2", 40, of=two), fill("1", 100, of=one)), orders_complete=False)
    assert filled(desk, one, two) == [100, 40]
    assert [desk.known(order.cl_ord_id).ord_status for order in (one, two)] == [OrdStatus.FILLED, OrdStatus.FILLED]
    assert reserved(desk) == 0


def test_a_person_hears_that_a_fill_was_taken_from_an_order_which_has_more_to_trade_now() -> None:
    desk, one, two = a_desk()
    desk.give(fill("1", 100))
    assert desk.known(two.cl_ord_id).is_done
    look(desk, line(one, "1", 100), line(two, "2"), executions=(fill("1", 100, of=one),))
    assert desk.known(two.cl_ord_id).ord_status is OrdStatus.NEW
    (alert,) = [alert for alert in desk.of(RaiseAlert) if alert.key.startswith("moved:")]
    assert alert.text == (
        f"fill e1 (BUY, 2026-07-17) is of order {one.cl_ord_id} by the books of paper, and was booked on order "
        f"{two.cl_ord_id}, which has 100 600519.SH left to trade: their acknowledgements were mixed up"
    )


def test_a_fill_that_the_books_give_to_nobody_else_stays() -> None:
    desk, one, two = a_desk(mixed=False)
    desk.give(fill("1", 30, of=one), fill("2", 20, of=two))
    look(desk, line(one, "1", 30), line(two, "2", 20), executions=(fill("1", 30, of=one), fill("2", 20)))
    assert (filled(desk, one, two), desk.of(TradeMoved)) == ([30, 20], [])


def test_a_look_as_old_as_the_number_itself_changes_nothing() -> None:
    desk, one, two = a_desk()
    desk.wait(1)
    desk.give(a_snapshot(as_of=desk.now, cash=CASH, orders=(line(one, "1"), line(two, "2"))))
    assert numbers_of(desk, one, two) == ["2", "1"]


def test_numbers_that_were_told_before_the_clock_was_set_back_are_put_right_when_it_has_caught_up() -> None:
    """Seed 721481, F61: until then each look seems older than the number, and the orders have long ended."""
    desk, one, two = a_desk()
    desk.now = UtcNs(desk.now - 3600 * SECOND_NS)
    traded = fill("1", 100), fill("2", 100)
    desk.give(*traded)
    lines = line(one, "1", 100), line(two, "2", 100)
    for _ in range(2):
        look(desk, *lines, executions=traded)
    assert numbers_of(desk, one, two) == ["2", "1"]
    desk.wait(3600)
    look(desk, *lines, executions=traded)
    assert numbers_of(desk, one, two) == ["1", "2"]
    assert {moved.exec_id: moved.cl_ord_id for moved in desk.of(TradeMoved)} == {"e1": one.cl_ord_id, "e2": two.cl_ord_id}


def test_an_order_that_the_books_show_under_both_numbers_keeps_its_own() -> None:
    """A venue may show the parts of an order under numbers of their own."""
    desk, one, two = a_desk(mixed=False)
    look(desk, line(one, "1"), line(one, "7"), line(two, "2"))
    assert numbers_of(desk, one, two) == ["1", "2"]
    assert len(desk.of(OrderAcknowledged)) == 2


def test_a_strangers_fill_of_yesterday_stays_a_strangers_whatever_has_its_number_today() -> None:
    """C7."""
    desk = Desk().opened(an_instrument(lot=1, min_qty=1), cash=CASH)
    yesterday = fill("1", 50, exec_id="e0", trading_day="2026-07-16")
    desk.give(yesterday)
    orders = [desk.order(buy(MOUTAI, 100, ord_type=OrdType.LIMIT, price="10")) for _ in range(2)]
    for order, number in zip(orders, "21", strict=True):
        desk.give(OrderAck(BROKER, order.cl_ord_id, OrderID(number)))
    look(desk, line(orders[0], "1"), line(orders[1], "2"), executions=(yesterday,))
    assert (numbers_of(desk, *orders), filled(desk, *orders)) == (["1", "2"], [0, 0])


def test_what_the_right_order_opens_or_closes_holds() -> None:
    """Booked on an order that opens, the fill had opened; by the order it is of, it closes."""
    gold = an_instrument(
        GOLD, asset_class=AssetClass.FUTURE, lot=1, min_qty=1, multiplier=1000, margin_rate="0.1", shortable=True
    )
    desk = Desk().opened(gold, cash=CASH)
    short = desk.order(sell(GOLD, 3, position_effect=PositionEffect.OPEN))
    desk.give(an_execution(short.cl_ord_id, GOLD, Side.SELL, 3, "10", "o1"))
    opens = desk.order(buy(GOLD, 2, position_effect=PositionEffect.OPEN))
    closes = desk.order(buy(GOLD, 2, position_effect=PositionEffect.CLOSE))
    desk.ack(opens, "2")
    desk.ack(closes, "1")
    one = an_execution(None, GOLD, Side.BUY, 2, "10", "e1", order_id=OrderID("2"))
    desk.give(one)
    assert desk.state.held(ACCOUNT, Symbol(GOLD)).long_qty == 2
    desk.wait(60)
    books = a_snapshot(
        as_of=desk.now,
        orders=(line(opens, "1"), line(closes, "2", 2)),
        executions=(one,),
        cash=CASH,
    )
    desk.give(books)
    held = desk.state.held(ACCOUNT, Symbol(GOLD))
    assert filled(desk, opens, closes) == [0, 2]
    assert (held.long_qty, held.short_qty) == (Decimal(0), Decimal(1))


def test_our_schedule_charges_both_orders_for_what_is_theirs() -> None:
    desk, one, two = a_desk(fees=fees("0.001", 5))
    desk.give(fill("1", 50, commission=None), fill("1", 50, exec_id="e3", commission=None))
    assert (desk.known(one.cl_ord_id).fees, desk.known(two.cl_ord_id).fees) == (Decimal(0), Decimal(5))
    executions = (fill("1", 50, of=one, commission=None), fill("1", 50, exec_id="e3", of=one, commission=None))
    look(desk, line(one, "1", 100), line(two, "2"), executions=executions, cash=CASH - 1005)
    assert (desk.known(one.cl_ord_id).fees, desk.known(two.cl_ord_id).fees) == (Decimal(5), Decimal(0))
    assert desk.cash() == CASH - 1005


def test_the_runs_of_both_orders_go_on() -> None:
    work = Work.begun({A: "0.1", B: "0.1"})
    order = work.order(A)
    other = work.desk.order(buy(A, order.order_qty, ord_type=OrdType.LIMIT, price="9"))
    work.desk.ack(order, "2")
    work.desk.ack(other, "1")
    one = an_execution(None, A, Side.BUY, order.order_qty, "10", "e1", order_id=OrderID("1"))
    work.desk.give(one)
    assert work.desk.known(order.cl_ord_id).cum_qty == 0
    work.desk.wait(60)
    mine = line(order, "1", int(order.order_qty))
    work.desk.give(
        a_snapshot(as_of=work.desk.now, orders=(mine, line(other, "2"), line(work.order(B), "3")), executions=(one,))
    )
    leg = work.desk.state.runs[work.run_id].leg(order.leg)
    assert (work.desk.known(order.cl_ord_id).ord_status, leg.closed) == (OrdStatus.FILLED, True)


def test_a_fill_that_was_moved_away_was_never_told_of_the_order_it_left() -> None:
    """The end of that order may count a fill of its own that is as large, and has not been heard of."""
    desk, one, two = a_desk()
    desk.give(fill("1", 60))
    assert filled(desk, one, two) == [0, 60]
    look(desk, line(one, "1", 60), line(two, "2"), executions=(fill("1", 60, of=one),))
    assert [desk.known(order.cl_ord_id).told_qty for order in (one, two)] == [Decimal(60), Decimal(0)]
    desk.give(CancelAck(BROKER, two.cl_ord_id, cum_qty=Qty(Decimal(60))))
    assert (desk.known(two.cl_ord_id).ord_status, desk.known(two.cl_ord_id).reserved) == (OrdStatus.NEW, Decimal(1000))
    desk.give(fill("2", 60, of=two))
    assert (desk.known(two.cl_ord_id).ord_status, desk.known(two.cl_ord_id).reserved) == (OrdStatus.CANCELED, Decimal(0))
