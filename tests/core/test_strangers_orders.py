"""Orders that somebody else made, met in a look that shows fills of them, or of another order that had their number before."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.core.watched import WatchedDesk

from tradeloop.core.commands import HaltTrading, ListInstruments, OpenTradingDay
from tradeloop.core.events import ExternalOrderFound
from tradeloop.core.halt import HaltTier
from tradeloop.core.inputs import Start, TimerFired
from tradeloop.core.instrument import AssetClass
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import BrokerUp, Execution, ExecutionBust, OpenOrder
from tradeloop.core.types import Amount, OrderID, OrdStatus, OrdType, Px, Qty, Side, TradingDay, UtcNs
from tradeloop.testing.builders import (
    ACCOUNT,
    BROKER,
    DAY,
    NOON,
    a_quote,
    a_snapshot,
    an_execution,
    an_instrument,
    buy,
    their_order,
)
from tradeloop.testing.desk import Desk

A, F = "600519.SH", "IF2512.CFFEX"
MONDAY = TradingDay("2026-07-20")
FIVE = OrderID("5")


def a_fill(qty: int, exec_id: str = "e1", **changes: Any) -> Execution:
    return an_execution(None, A, Side.BUY, qty, 10, exec_id, **{"order_id": FIVE, **changes})


def number_five(qty: int, status: OrdStatus = OrdStatus.NEW, filled: int = 0) -> OpenOrder:
    limit = Px(Decimal(10))
    return their_order(None, A, Side.BUY, qty, status, order_id=FIVE, price=limit, cum_qty=Qty(Decimal(filled)))


def promised(desk: Desk) -> Decimal:
    return desk.state.accounts[ACCOUNT].cash["CNY"].reserved  # type: ignore[index]


def unadopted() -> Desk:
    """Connected, on Monday; the account's books have not been seen."""
    desk = WatchedDesk()
    desk.give(Start(1, "test", "t1"), ListInstruments((an_instrument(A),)))
    on_monday(desk)
    desk.give(BrokerUp(BROKER))
    return desk


def on_monday(desk: Desk) -> None:
    desk.wait(3 * 86_400)
    desk.give(OpenTradingDay("CN_A", MONDAY, ((UtcNs(desk.now - 1), UtcNs(desk.now + 10**15)),)), a_quote(A, at=desk.now))


def look(desk: Desk, cash: int, held: int, line: OpenOrder, *fills: Execution) -> None:
    desk.give(
        a_snapshot(
            cash=cash, positions={A: held}, orders=(line,), executions=fills, as_of=desk.now, trading_day=MONDAY,
            executions_since=UtcNs(NOON - 1),
        )
    )  # fmt: skip


def test_fills_of_another_order_that_had_the_number_on_an_earlier_day_are_no_part_of_a_strangers_order() -> None:
    """CTP and QMT number anew every day, and a look may show the fills of two."""
    desk = WatchedDesk().opened(an_instrument(A), cash=10_000)
    of_friday = a_fill(900)
    desk.give(of_friday)
    on_monday(desk)
    look(desk, 1_000, 900, number_five(100), of_friday)

    assert desk.of(ExternalOrderFound)[-1].order_qty == 100
    assert promised(desk) == 1_000
    reply = desk.give(buy(A, 100, ord_type=OrdType.LIMIT, price="10"))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert reply.denied.rule == "cash"


def test_nor_where_both_are_inside_the_books_of_the_first_look() -> None:
    desk = unadopted()
    look(desk, 1_000, 950, number_five(100, OrdStatus.PARTIALLY_FILLED, 50), a_fill(900), a_fill(50, trading_day=MONDAY))
    (found,) = desk.of(ExternalOrderFound)
    assert found.order_qty == 50
    assert promised(desk) == 500


def test_fills_of_earlier_days_are_part_of_a_strangers_order_whose_line_counts_them() -> None:
    """Good till cancelled: it lived on from Friday."""
    desk = unadopted()
    look(desk, 1_000, 950, number_five(1_000, OrdStatus.PARTIALLY_FILLED, 950), a_fill(900), a_fill(50, trading_day=MONDAY))
    (found,) = desk.of(ExternalOrderFound)
    assert found.order_qty == 50
    assert promised(desk) == 500


def test_a_fill_that_is_listed_twice_is_inside_the_books_once() -> None:
    desk = unadopted()
    fill = a_fill(50, trading_day=MONDAY)
    look(desk, 1_000, 50, number_five(100, OrdStatus.PARTIALLY_FILLED, 50), fill, fill)
    assert [found.order_qty for found in desk.of(ExternalOrderFound)] == [50]


@pytest.mark.parametrize("filled", [100, 130])
def test_a_strangers_order_whose_line_was_read_before_its_fills_is_not_imported_once_all_of_it_is_in_the_books(
    filled: int,
) -> None:
    """The first look at an account reads its orders a moment before its executions."""
    desk = unadopted()
    fill = a_fill(filled, trading_day=MONDAY)
    look(desk, 1_000, filled, number_five(100), fill)
    assert not desk.state.orders.open
    desk.wait(60)
    look(desk, 1_000, filled, number_five(100, OrdStatus.FILLED, 100), fill)

    desk.give(HaltTrading(HaltTier.CANCEL_ALL, "ann", "stop"))
    for _ in range(3):
        desk.wait(30)
        desk.give(TimerFired("halt_work", "1"))
        look(desk, 1_000, filled, number_five(100, OrdStatus.FILLED, 100), fill)
    assert (desk.state.halts[1].done, desk.state.halts[1].found) == (True, "no open orders left")
    assert not desk.state.breaks


def test_what_is_left_of_a_strangers_order_counts_though_its_line_was_read_before_its_fills() -> None:
    desk = unadopted()
    look(desk, 1_000, 40, number_five(100), a_fill(40, trading_day=MONDAY))
    assert [found.order_qty for found in desk.of(ExternalOrderFound)] == [60]
    assert promised(desk) == 600


def test_a_days_fills_count_whatever_day_the_books_are_of() -> None:
    """A broker that names no trading day, of a symbol whose market's day nobody has opened here: the line alone can tell."""
    desk = WatchedDesk()
    desk.give(Start(1, "test", "t1"), ListInstruments((an_instrument(A),)), BrokerUp(BROKER))
    line = number_five(100, OrdStatus.PARTIALLY_FILLED, 40)
    desk.give(a_snapshot(positions={A: 40}, orders=(line,), executions=(a_fill(40),), trading_day=None))
    assert [found.order_qty for found in desk.of(ExternalOrderFound)] == [60]


def test_a_fill_that_paid_a_rebate_leaves_a_strangers_order_no_reserve_below_zero_when_it_is_taken_back() -> None:
    """A fill of a future uses its margin, and this one was paid for with more than that."""
    future = {"asset_class": AssetClass.FUTURE, "lot": 1, "min_qty": 1, "multiplier": 300, "margin_rate": "0.1"}
    desk = Desk().opened(an_instrument(F, shortable=True, odd_lot_sell=False, **future), cash=100_000)
    line = their_order(None, F, Side.SELL, 6, OrdStatus.NEW, order_id=FIVE, price=Px(Decimal(10)))
    desk.give(a_snapshot(cash=100_000, orders=(line,)))
    earning = an_execution(None, F, Side.SELL, 2, 10, "e1", order_id=FIVE, commission=Amount(Decimal(-1_000)))
    desk.give(earning)
    assert promised(desk) == 1_800
    desk.give(an_execution(None, F, Side.SELL, 4, 10, "e2", order_id=FIVE))
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, earning.exec_id, Side.SELL))

    (order,) = desk.state.orders.open.values()
    assert order.leaves_qty == 2
    assert order.reserved == promised(desk) == 0
