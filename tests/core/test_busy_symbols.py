"""A symbol that trades all the time: what other orders fill says nothing of one that is gone, nor of a fill that is booked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from tests.core.runs_made import LISTED, A
from tests.core.watched import WatchedDesk

from tradeloop.core.breaks import ORDER_MISSING
from tradeloop.core.events import TradeCorrected
from tradeloop.core.order import Order
from tradeloop.core.reports import CancelAck, Execution, ExecutionCorrect, OpenOrder
from tradeloop.core.types import OrderID, OrdStatus, OrdType, Qty, Side, Symbol, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, a_snapshot, an_execution, buy, their_order

BUY = Side.BUY


class Busy:
    """An order that fills a hundred shortly before each look at the broker's books, and `order`, which rests beside it."""

    def __init__(self) -> None:
        self.desk = WatchedDesk().opened(*LISTED, cash=10_000_000)
        self.order = self._resting(200)
        self.other = self._resting(100_000)
        self.desk.ack(self.other, "b2")
        self.listed: dict[str, Execution] = {}
        """The fills as the broker shows them."""

    def _resting(self, qty: int) -> Order:
        return self.desk.order(buy(A, qty, ord_type=OrdType.LIMIT, price="10"))

    def fills(self, order: Order, qty: int, exec_id: str) -> Execution:
        number = OrderID("b1" if order is self.order else "b2")
        fill = an_execution(order.cl_ord_id, A, BUY, qty, "10", exec_id, order_id=number, transact_at=self.desk.now)
        self.desk.give(fill)
        self.listed[exec_id] = fill
        return fill

    def look(self, *lines: OpenOrder, **changes: Any) -> None:
        """The books, half a second after a fill of the other order."""
        self.desk.wait(9.5)
        self.fills(self.other, 100, f"e{len(self.listed)}")
        self.desk.wait(0.5)
        shown = tuple(self.listed.values())
        held = sum(x.last_qty for x in shown)
        others = Qty(Decimal(held - sum(line.cum_qty for line in lines)))
        works = their_order(
            self.other.cl_ord_id, A, BUY, 100_000, OrdStatus.PARTIALLY_FILLED, cum_qty=others, order_id=OrderID("b2")
        )
        said = {
            "cash": 10_000_000 - 10 * int(held),
            "positions": {A: int(held)},
            "orders": (*lines, works),
            "executions": shown,
            "executions_since": UtcNs(0),
            "as_of": self.desk.now,
            "asked_at": self.desk.now,
        }
        self.desk.give(a_snapshot(**{**said, **changes}))

    def breaks(self) -> list[tuple[str, str]]:
        return [(found.kind, found.subject) for found in self.desk.state.breaks.values()]


def test_an_order_that_is_gone_is_found_missing_while_others_trade() -> None:
    busy = Busy()
    busy.desk.ack(busy.order, "b1")
    busy.look()
    assert busy.breaks() == [(ORDER_MISSING, busy.order.cl_ord_id)]


def test_an_order_that_ended_without_a_count_ends_by_the_books_while_others_trade() -> None:
    busy = Busy()
    busy.desk.give(CancelAck(BROKER, busy.order.cl_ord_id))
    busy.look()
    known = busy.desk.known(busy.order.cl_ord_id)
    assert known.ord_status is OrdStatus.CANCELED
    assert known.reserved == 0


def test_an_order_whose_announced_fills_never_come_is_told_of_while_others_trade() -> None:
    busy = Busy()
    busy.desk.ack(busy.order, "b1")
    busy.desk.give(CancelAck(BROKER, busy.order.cl_ord_id, "out", cum_qty=Qty(Decimal(100))))
    busy.look()
    assert busy.breaks() == [(ORDER_MISSING, busy.order.cl_ord_id)]


def test_a_fill_of_the_order_itself_says_that_an_older_look_may_miss_it() -> None:
    busy = Busy()
    busy.desk.ack(busy.order, "b1")
    busy.desk.wait(9)
    busy.fills(busy.order, 100, "mine")
    read_at = busy.desk.now
    busy.look(positions=None, as_of=read_at, asked_at=read_at)
    assert (ORDER_MISSING, busy.order.cl_ord_id) not in busy.breaks()
    busy.look()
    assert (ORDER_MISSING, busy.order.cl_ord_id) in busy.breaks()


def corrected(busy: Busy, order: Order) -> None:
    """The broker corrects a fill of 200 to 100, and the report is lost."""
    busy.listed["first"] = msgspec.structs.replace(busy.fills(order, 200, "first"), last_qty=Qty(Decimal(100)))


def line_of(busy: Busy) -> OpenOrder:
    done = Qty(Decimal(100))
    return their_order(busy.order.cl_ord_id, A, BUY, 200, OrdStatus.CANCELED, cum_qty=done, order_id=OrderID("b1"))


def test_a_lost_correction_is_booked_while_other_orders_trade() -> None:
    busy = Busy()
    busy.desk.ack(busy.order, "b1")
    corrected(busy, busy.order)
    busy.look(line_of(busy))
    assert len(busy.desk.of(TradeCorrected)) == 1
    assert busy.desk.state.held(ACCOUNT, Symbol(A)).long_qty == 200
    assert busy.breaks() == []


def test_a_lost_correction_is_booked_while_its_own_order_trades() -> None:
    busy = Busy()
    busy.desk.give(CancelAck(BROKER, busy.order.cl_ord_id, cum_qty=Qty(Decimal(0))))
    corrected(busy, busy.other)
    busy.look()
    assert len(busy.desk.of(TradeCorrected)) == 1
    assert busy.desk.known(busy.other.cl_ord_id).cum_qty == 200


def test_a_correction_that_was_heard_is_not_undone_by_a_look_from_before_it() -> None:
    busy = Busy()
    busy.desk.ack(busy.order, "b1")
    fill = busy.fills(busy.order, 200, "first")
    busy.desk.wait(10)
    read_at = busy.desk.now
    day, half = fill.trading_day, Qty(Decimal(100))
    busy.desk.give(ExecutionCorrect(BROKER, ACCOUNT, day, fill.exec_id, BUY, half, fill.last_px, fill.commission, read_at))
    busy.desk.wait(1)
    busy.desk.give(a_snapshot(cash=9_998_000, positions={A: 200}, executions=(fill,), as_of=read_at, asked_at=read_at))
    assert busy.desk.state.held(ACCOUNT, Symbol(A)).long_qty == 100
