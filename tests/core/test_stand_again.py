"""A fill that was taken back and then given other figures, told without a time, where the books do not show its order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.core.runs_made import LISTED, A, B
from tests.core.watched import WatchedDesk

from tradeloop.core.effects import RaiseAlert
from tradeloop.core.events import TradeBusted, TradeCorrected
from tradeloop.core.order import Order
from tradeloop.core.reports import Execution, ExecutionBust, ExecutionCorrect
from tradeloop.core.types import SECOND_NS, Amount, OrdStatus, Px, Qty, Side, Symbol, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, a_snapshot, an_execution, buy, number, their_order
from tradeloop.testing.desk import ABLE, Desk

OPEN_ONLY = msgspec.structs.replace(ABLE, orders_complete=False)


def taken_back(desk: Desk, symbol: str = A, exec_id: str = "e1") -> tuple[Order, Execution]:
    """A buy of 100 at 10 for a fee of 1 that filled whole and was taken back a minute ago; the venue then gave it 70 at 9.90,
    and did not say when: that word may be older than the bust.
    """
    order = desk.order(buy(symbol, 100))
    desk.ack(order, f"b{exec_id}")
    fee = Amount(Decimal(1))
    fill = an_execution(order.cl_ord_id, symbol, Side.BUY, 100, 10, exec_id, transact_at=desk.now, commission=fee)
    desk.give(fill, ExecutionBust(BROKER, ACCOUNT, fill.trading_day, fill.exec_id, Side.BUY))
    told = Qty(number(70)), Px(number("9.90"))
    desk.give(ExecutionCorrect(BROKER, ACCOUNT, fill.trading_day, fill.exec_id, Side.BUY, *told, fee))
    assert desk.known(order.cl_ord_id).cum_qty == 0
    desk.wait(60)
    return order, msgspec.structs.replace(fill, last_qty=told[0], last_px=told[1])


def look(desk: Desk, *fills: Execution, times: int = 1, **changes: Any) -> None:
    """Open orders, of which there are none, and the rest of the books, in which these fills stand."""
    for _ in range(times):
        said: dict[str, Any] = {
            "as_of": desk.now,
            "orders_complete": False,
            "executions": fills,
            "executions_since": UtcNs(0),
            "cash": 10_000 - sum(x.last_px * x.last_qty + 1 for x in fills),
            "positions": {x.symbol: x.last_qty for x in fills},
        }
        desk.give(a_snapshot(**{**said, **changes}))
        desk.wait(4)


def filled(desk: Desk, order: Order) -> int:
    return int(desk.known(order.cl_ord_id).cum_qty)


def test_it_stands_again_once_list_holdings_and_money_have_said_so_for_longer_than_they_lag() -> None:
    """F29: its order has ended there, so that no line counts it; the money does."""
    desk = WatchedDesk(able=OPEN_ONLY).opened(*LISTED, cash=10_000)
    order, fill = taken_back(desk)
    look(desk, fill)
    assert filled(desk, order) == 0, "what moved the shares may be a fill that the list does not show yet"
    assert {known.kind for known in desk.state.breaks.values()} >= {"position", "cash"}
    assert [alert for alert in desk.of(RaiseAlert) if alert.key.startswith("break:position")]
    look(desk, fill, times=6)

    assert (filled(desk, order), int(desk.state.held(ACCOUNT, Symbol(A)).long_qty), int(desk.cash())) == (70, 70, 9_306)
    assert [(told.last_qty, told.last_px) for told in desk.of(TradeCorrected)] == [(number(70), number("9.90"))]
    assert (desk.known(order.cl_ord_id).ord_status, desk.state.breaks) == (OrdStatus.CANCELED, {})
    told = len(desk.events)
    look(desk, fill)
    assert len(desk.events) == told


def test_what_stands_again_may_be_taken_back_again() -> None:
    desk = WatchedDesk(able=OPEN_ONLY).opened(*LISTED, cash=10_000)
    order, fill = taken_back(desk)
    look(desk, fill, times=2)
    assert filled(desk, order) == 70
    desk.give(ExecutionBust(BROKER, ACCOUNT, fill.trading_day, fill.exec_id, Side.BUY, desk.now))
    assert (filled(desk, order), int(desk.cash())) == (0, 10_000)
    assert len(desk.of(TradeBusted)) == 2


def test_fills_of_several_symbols_stand_again_together() -> None:
    desk = WatchedDesk(able=OPEN_ONLY).opened(*LISTED, cash=10_000)
    told = [taken_back(desk, A, "e1"), taken_back(desk, B, "e2")]
    look(desk, *(fill for _, fill in told), times=2)
    assert [filled(desk, order) for order, _ in told] == [70, 70]
    look(desk, *(fill for _, fill in told), times=6)
    assert not desk.state.breaks


def test_the_books_of_another_day_show_no_line_of_it_either() -> None:
    """Also a venue that shows closed orders shows those of some days alone."""
    desk = WatchedDesk().opened(*LISTED, cash=10_000)
    order, fill = taken_back(desk)
    look(desk, fill, times=2, orders_complete=True, trading_day="2026-07-20")
    assert filled(desk, order) == 70


@pytest.mark.parametrize(
    "doubt", ["no money", "other money", "other shares", "not listed", "too soon", "it still works", "complete books lack it"]
)
def test_what_two_of_three_say_stays_a_break_for_a_person(doubt: str) -> None:
    """A list may go on showing what was taken back, and shares and money may have moved otherwise."""
    desk = WatchedDesk(able=ABLE if doubt == "complete books lack it" else OPEN_ONLY).opened(*LISTED, cash=10_000)
    order, fill = taken_back(desk)
    working = their_order(order.cl_ord_id, A, Side.BUY, 100, OrdStatus.NEW, order_id=desk.known(order.cl_ord_id).order_id)
    changes: dict[str, dict[str, Any]] = {
        "no money": {"cash": 10_000},
        "other money": {"cash": "9306.01"},
        "other shares": {"positions": {A: 100}},
        "not listed": {"executions": ()},
        "too soon": {"as_of": desk.now - 59 * SECOND_NS},
        "it still works": {"orders": (working,)},
        "complete books lack it": {"orders_complete": True},
    }
    look(desk, fill, times=8, **changes[doubt])
    assert (filled(desk, order), desk.of(TradeCorrected)) == (0, [])
    if doubt != "too soon":
        assert [alert for alert in desk.of(RaiseAlert) if alert.key.startswith("break:")]
