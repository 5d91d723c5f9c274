"""Cash and holdings that move during every look: a person hears that nobody has compared them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.core.runs_made import LISTED, A, B
from tests.core.watched import WatchedDesk

from tradeloop.core.breaks import NOT_COMPARED
from tradeloop.core.effects import RaiseAlert
from tradeloop.core.events import BreakClosed, BreakFound
from tradeloop.core.order import Order
from tradeloop.core.reports import Execution
from tradeloop.core.types import OrderID, OrdStatus, OrdType, Qty, Side, UtcNs
from tradeloop.testing.builders import a_snapshot, an_execution, buy, number, their_order

CASH = 10_000_000
LONG_ENOUGH = 12
"""Periodic looks: more than ten times the time between two of them."""


class Trading:
    """An order that fills a hundred at 10 while each look is being read; the broker has 5 000 less than we know of."""

    def __init__(self) -> None:
        self.desk = WatchedDesk().opened(*LISTED, cash=CASH)
        self.order: Order = self.desk.order(buy(A, 100_000, ord_type=OrdType.LIMIT, price="10"))
        self.desk.ack(self.order, "b1")
        self.fills: list[Execution] = []

    def look(self, times: int = 1, *, fills: bool = True, **changes: Any) -> None:
        for _ in range(times):
            self.desk.wait(30)
            asked, shown = self.desk.now, tuple(self.fills)
            done = Qty(number(100 * len(shown)))
            line = their_order(self.order.cl_ord_id, A, Side.BUY, 100_000, OrdStatus.NEW, cum_qty=done, order_id=OrderID("b1"))
            held = {A: done} if done else {}
            cash = CASH - 10 * int(done) - 5_000
            said: dict[str, Any] = {
                "orders": (line,),
                "executions": shown,
                "executions_since": UtcNs(0),
                "as_of": asked,
                "asked_at": asked,
            }
            books = a_snapshot(cash=cash, positions={**held, B: 300}, **said)
            if fills:
                self.desk.wait(0.2)
                named: dict[str, Any] = {"order_id": OrderID("b1"), "transact_at": self.desk.now}
                fill = an_execution(self.order.cl_ord_id, A, Side.BUY, 100, 10, f"e{len(shown)}", **named)
                self.fills.append(fill)
                self.desk.give(fill)
            self.desk.give(msgspec.structs.replace(books, **changes))

    def uncompared(self) -> list[str]:
        return [known.subject for known in self.desk.state.breaks.values() if known.kind == NOT_COMPARED]


def test_figures_that_no_look_could_be_compared_with_for_long_are_a_break_that_somebody_hears_of_once() -> None:
    trading = Trading()
    trading.look(times=9)
    assert trading.uncompared() == []
    trading.look(times=LONG_ENOUGH)
    assert trading.uncompared() == [f"position {A}", "cash CNY"]
    keys = [alert.key for alert in trading.desk.of(RaiseAlert)]
    assert keys.count("break:not_compared:paper:demo:cash CNY") == 1


def test_what_does_not_move_is_compared_all_the_same() -> None:
    trading = Trading()
    trading.look()
    assert [found.subject for found in trading.desk.of(BreakFound)] == [f"{B} long"]


def test_the_first_look_that_can_be_compared_closes_it_and_finds_the_difference() -> None:
    trading = Trading()
    trading.look(times=LONG_ENOUGH)
    trading.look(fills=False)
    assert trading.uncompared() == []
    assert len([gone for gone in trading.desk.of(BreakClosed) if "not_compared" in gone.break_id]) == 2
    assert "cash:paper:demo:CNY" in trading.desk.state.breaks
    trading.look(times=9)
    assert trading.uncompared() == [], "from there on it is counted anew"


@pytest.mark.parametrize(("part", "subject"), [("cash", "cash"), ("positions", "position"), ("orders", "orders")])
def test_a_part_of_the_books_that_no_look_can_read_is_a_break_until_one_can(part: str, subject: str) -> None:
    trading = Trading()
    trading.look(times=9, fills=False, **{part: None})
    assert trading.uncompared() == []
    trading.look(times=2, fills=False, **{part: None})
    assert trading.uncompared() == [subject]
    (known,) = (one for one in trading.desk.state.breaks.values() if one.kind == NOT_COMPARED)
    assert "could not be read, look after look" in known.cause
    trading.look(fills=False)
    assert trading.uncompared() == []
    trading.look(times=9, fills=False, **{part: None})
    assert trading.uncompared() == [], "from there on it is counted anew"


def test_a_look_without_cash_says_nothing_of_whether_cash_was_compared() -> None:
    trading = Trading()
    trading.look(times=LONG_ENOUGH)
    trading.look(fills=False, cash=None)
    assert trading.uncompared() == ["cash CNY"]


def test_books_without_executions_are_not_compared_while_orders_change() -> None:
    trading = Trading()
    trading.look(times=LONG_ENOUGH, executions=None)
    assert "cash CNY" in trading.uncompared()
