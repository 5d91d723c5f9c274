"""Which order a report speaks of: venues number anew every day, and another broker's or account's report is not ours."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tradeloop.core.commands import OpenTradingDay
from tradeloop.core.events import ExternalOrderFound, Overfilled, Traded
from tradeloop.core.reports import (
    CancelAck,
    CancelOutcome,
    CancelReject,
    HeldCash,
    OrderAck,
    OrderExpire,
    OrderReject,
    Report,
    SendOutcome,
)
from tradeloop.core.types import (
    AccountID,
    Amount,
    ClOrdID,
    Currency,
    OrderID,
    OrdStatus,
    OrdType,
    Side,
    Symbol,
    TimeInForce,
    TradingDay,
    UtcNs,
)
from tradeloop.testing.builders import ACCOUNT, NOON, a_snapshot, an_execution, an_instrument, buy, their_order
from tradeloop.testing.desk import Desk

BUY, SELL = Side.BUY, Side.SELL
A, B = "600519.SH", "600000.SH"
MONDAY = TradingDay("2026-07-20")
THEIRS = OrderID("17")


def a_desk() -> Desk:
    return Desk().opened(an_instrument(A), an_instrument(B), positions={A: 1000, B: 1000})


def on_monday(desk: Desk) -> None:
    desk.wait(3 * 86400)
    desk.give(OpenTradingDay("CN_A", MONDAY, ((UtcNs(desk.now - 1), UtcNs(desk.now + 10**13)),)))


def held(desk: Desk, symbol: str, account: AccountID = ACCOUNT) -> Decimal:
    return desk.state.held(account, Symbol(symbol)).long_qty


def a_strangers_fill(symbol: str, qty: int, exec_id: str = "e1", side: Side = BUY, **changes: Any) -> Any:
    return an_execution(None, symbol, side, qty, "10", exec_id, order_id=THEIRS, **changes)


def test_the_same_order_number_of_the_next_day_is_another_order() -> None:
    """C7: CTP and QMT begin anew every day."""
    desk = a_desk()
    desk.give(a_strangers_fill(A, 100))
    on_monday(desk)
    desk.give(a_strangers_fill(B, 500, trading_day=MONDAY))
    assert (held(desk, A), held(desk, B)) == (Decimal(1100), Decimal(1500))
    assert [e.symbol for e in desk.of(ExternalOrderFound)] == [A, B]


def test_a_strangers_fill_under_the_number_our_order_had_yesterday_is_not_booked_on_ours() -> None:
    desk = a_desk()
    order = desk.order(buy(A, 100))
    desk.ack(order, THEIRS)
    desk.give(an_execution(order.cl_ord_id, A, BUY, 100, "10", order_id=THEIRS))
    on_monday(desk)
    desk.give(a_strangers_fill(A, 500, trading_day=MONDAY))
    assert (desk.known(order.cl_ord_id).cum_qty, held(desk, A)) == (Decimal(100), Decimal(1600))
    assert desk.of(Overfilled) == []


@pytest.mark.parametrize(("tif", "filled"), [(TimeInForce.GTC, 40), (TimeInForce.DAY, 0)])
def test_only_an_order_good_till_cancelled_is_found_by_its_number_on_a_later_day(tif: TimeInForce, filled: int) -> None:
    desk = a_desk()
    order = desk.order(buy(A, 100, tif=tif, price="10", ord_type=OrdType.LIMIT))
    desk.ack(order, THEIRS)
    on_monday(desk)
    desk.give(a_strangers_fill(A, 40, trading_day=MONDAY))
    assert (desk.known(order.cl_ord_id).cum_qty, held(desk, A)) == (Decimal(filled), Decimal(1040))


def test_a_working_order_of_a_stranger_that_lives_over_night_stays_one_order() -> None:
    """Markets that never close show it every day under the same number."""
    desk = a_desk()
    theirs = their_order(None, A, BUY, 300, OrdStatus.NEW, order_id=THEIRS)
    books: dict[str, Any] = {"positions": {A: 1000, B: 1000}, "orders": (theirs,)}
    desk.give(a_snapshot(**books))
    on_monday(desk)
    desk.give(a_snapshot(**books, as_of=desk.now, trading_day=MONDAY))
    assert len(desk.of(ExternalOrderFound)) == 1


def test_one_number_on_two_exchanges_is_two_orders() -> None:
    desk = a_desk()
    order = desk.order(buy(A, 100))
    desk.ack(order, THEIRS)
    desk.give(a_strangers_fill(B, 100), an_execution(None, A, BUY, 100, "10", "e2", order_id=THEIRS))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.FILLED
    assert (held(desk, A), held(desk, B)) == (Decimal(1100), Decimal(1100))


def test_a_fill_of_the_other_side_is_not_booked_on_an_order_of_the_same_number() -> None:
    desk = a_desk()
    order = desk.order(buy(A, 100))
    desk.ack(order, THEIRS)
    desk.give(a_strangers_fill(A, 100, side=SELL))
    assert (desk.known(order.cl_ord_id).cum_qty, held(desk, A)) == (Decimal(0), Decimal(900))


def test_a_fill_of_another_account_that_names_our_order_is_booked_in_that_account() -> None:
    desk = a_desk()
    other = AccountID("second")
    cash = (HeldCash(other, Currency("CNY"), Amount(Decimal(5000))),)
    desk.give(msgspec.structs.replace(a_snapshot(), account=other, cash=cash))
    order = desk.order(buy(A, 100))
    desk.ack(order, THEIRS)
    desk.give(an_execution(order.cl_ord_id, A, BUY, 100, "10", order_id=THEIRS, account=other))
    assert (held(desk, A), held(desk, A, other)) == (Decimal(1000), Decimal(100))
    assert desk.known(order.cl_ord_id).cum_qty == Decimal(0)


def test_our_own_order_is_found_by_its_number_in_books_that_name_no_day() -> None:
    desk = a_desk()
    order = desk.order(buy(A, 100))
    desk.ack(order, THEIRS)
    theirs = their_order(None, A, BUY, 100, OrdStatus.NEW, order_id=THEIRS)
    desk.give(a_snapshot(orders=(theirs,), positions={A: 1000, B: 1000}, trading_day=None))
    assert desk.of(ExternalOrderFound) == []


@pytest.mark.parametrize("cl_ord_id", ["theirs", None])
def test_two_strangers_fills_without_any_order_number_are_both_booked(cl_ord_id: str | None) -> None:
    desk = a_desk()
    for exec_id in ("e1", "e2"):
        desk.give(an_execution(cl_ord_id, A, BUY, 100, "10", exec_id))
    assert (held(desk, A), len(desk.of(Traded))) == (Decimal(1200), 2)


def answers(of: ClOrdID) -> list[Report]:
    return [
        OrderAck("other", of, OrderID("b9")),
        OrderReject("other", of, "7", "no"),
        CancelAck("other", of),
        CancelReject("other", of, "7", "no"),
        OrderExpire("other", of),
        SendOutcome("other", of, "NOT_SENT", "no line"),
        CancelOutcome("other", of, "no line"),
    ]


@pytest.mark.parametrize("number", range(7), ids=lambda n: type(answers(ClOrdID("x"))[n]).__name__)
def test_an_answer_of_another_broker_never_touches_our_order(number: int) -> None:
    """C7."""
    desk = a_desk()
    order = desk.order(buy(A, 100))
    before = desk.state.hash()
    desk.give(answers(order.cl_ord_id)[number])
    assert (desk.state.hash(), desk.now) == (before, NOON)
