"""A DAY order that was sent right at the roll of the trading day, and whose venue took it for one of the new day."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.core.steps import steps

from tradeloop.core.commands import OpenTradingDay
from tradeloop.core.events import TradeMoved
from tradeloop.core.order import Order
from tradeloop.core.reports import BrokerSnapshot, Execution, OpenOrder
from tradeloop.core.state import State
from tradeloop.core.types import OrderID, OrdStatus, OrdType, Qty, Side, Symbol, TradingDay, UtcNs
from tradeloop.testing.builders import ACCOUNT, DAY, NOON, a_snapshot, an_execution, an_instrument, buy, their_order
from tradeloop.testing.desk import Desk

MOUTAI = "600519.SH"
CASH = 1_000_000
MONDAY = TradingDay("2026-07-20")


def rolled(before: float = 1) -> tuple[Desk, Order]:
    """A minute of the new day is over: an order to buy 100 was answered with number 17 so many seconds before it began."""
    desk = Desk().opened(an_instrument(lot=1, min_qty=1), cash=CASH)
    order = desk.order(buy(MOUTAI, 100, ord_type=OrdType.LIMIT, price="10"))
    desk.ack(order, "17")
    desk.wait(before)
    desk.give(OpenTradingDay("CN_A", MONDAY, ((desk.now, UtcNs(desk.now + 10**13)),)))
    desk.wait(60)
    return desk, order


def by_number(qty: int = 40, exec_id: str = "e1", px: str = "10", **changes: Any) -> Execution:
    fields: dict[str, Any] = {"order_id": OrderID("17"), "trading_day": MONDAY, **changes}
    return an_execution(None, MOUTAI, Side.BUY, qty, px, exec_id, **fields)


def line(order: Order | None, cum: int, number: str = "17", **changes: Any) -> OpenOrder:
    name = None if order is None else order.cl_ord_id
    status = OrdStatus.FILLED if cum == 100 else OrdStatus.PARTIALLY_FILLED
    fields: dict[str, Any] = {"order_id": OrderID(number), "cum_qty": Qty(Decimal(cum)), **changes}
    return their_order(name, MOUTAI, Side.BUY, 100, status, **fields)


def look(desk: Desk, *lines: OpenOrder, fills: tuple[Execution, ...], **changes: Any) -> None:
    """Monday's books, once what was told has settled."""
    desk.wait(60)
    shares = sum((x.last_qty for x in fills), Decimal(0))
    spent = sum((x.last_px * x.last_qty for x in fills), Decimal(0))
    said: dict[str, Any] = {
        "as_of": desk.now,
        "trading_day": MONDAY,
        "executions_since": NOON,
        "cash": CASH - spent,
        "positions": {MOUTAI: shares},
        "orders": lines,
        "executions": fills,
    }
    desk.give(a_snapshot(**{**said, **changes}))


def filled(desk: Desk, order: Order) -> int:
    return int(desk.known(order.cl_ord_id).cum_qty)


@pytest.mark.parametrize("qty", [40, 100])
def test_its_fill_of_the_new_day_by_number_alone_comes_to_it_where_the_books_leave_no_other_order(qty: int) -> None:
    desk, order = rolled()
    desk.give(by_number(qty))
    assert filled(desk, order) == 0
    look(desk, line(order, qty), fills=(by_number(qty),))

    assert filled(desk, order) == qty
    assert desk.state.held(ACCOUNT, Symbol(MOUTAI)).long_qty == qty
    assert desk.known(order.cl_ord_id).is_done is (qty == 100)
    assert not desk.state.breaks
    told = len(desk.events)
    look(desk, line(order, qty), fills=(by_number(qty),))
    assert len(desk.events) == told


def test_all_its_fills_come_to_it_also_those_that_follow_the_first_ones() -> None:
    desk, order = rolled()
    desk.give(by_number(10), by_number(20, "e2"))
    look(desk, line(order, 30), fills=(by_number(10), by_number(20, "e2")))
    assert filled(desk, order) == 30
    desk.give(by_number(5, "e3"))
    look(desk, line(order, 35), fills=(by_number(10), by_number(20, "e2"), by_number(5, "e3")))
    assert (filled(desk, order), len(desk.of(TradeMoved)), desk.state.breaks) == (35, 3, {})


def test_a_fill_that_the_look_itself_brings_waits_for_the_next_one() -> None:
    """Orders are read before executions: another order of that number may have come in between."""
    desk, order = rolled()
    look(desk, line(order, 40), fills=(by_number(),))
    assert filled(desk, order) == 0
    look(desk, line(order, 40), fills=(by_number(),))
    assert (filled(desk, order), desk.state.breaks) == (40, {})


def test_what_is_known_of_the_roll_outlives_a_snapshot_of_the_state() -> None:
    desk, order = rolled()
    desk.give(by_number())
    desk.state = State.unpack(desk.state.pack())
    look(desk, line(order, 40), fills=(by_number(),))
    assert filled(desk, order) == 40


def test_hours_that_are_told_again_on_their_day_are_no_other_roll() -> None:
    desk, order = rolled(before=3_600)
    desk.give(OpenTradingDay("CN_A", MONDAY, ((desk.now, UtcNs(desk.now + 10**12)),)))
    assert desk.state.hours["CN_A"].began_at == NOON + 3_600 * 10**9
    desk.give(by_number())
    look(desk, line(order, 40), fills=(by_number(),))
    assert filled(desk, order) == 0


@pytest.mark.parametrize(
    "doubt",
    [
        "sent long before",
        "a stranger has that number",
        "another count",
        "a price that it could not have",
        "more than it asked for",
        "open orders only",
        "books of the day before",
        "fills from later on",
    ],
)
def test_where_the_fill_may_be_another_orders_it_stays_where_it_is_and_a_person_hears(doubt: str) -> None:
    """C7: venues begin their numbers anew every day."""
    desk, order = rolled(before=3_600 if doubt == "sent long before" else 1)
    qty = 140 if doubt == "more than it asked for" else 40
    fill = by_number(qty, px="10.01" if doubt == "a price that it could not have" else "10")
    desk.give(fill)
    cum = 50 if doubt == "another count" else qty
    lines = [line(order, cum)]
    if doubt == "a stranger has that number":
        lines.append(line(None, 40))
    changes: dict[str, dict[str, Any]] = {
        "open orders only": {"orders_complete": False},
        "books of the day before": {"trading_day": DAY},
        "fills from later on": {"executions_since": UtcNs(NOON + 1)},
    }
    for _ in range(2):
        look(desk, *lines, fills=(fill,), **changes.get(doubt, {}))
    assert (filled(desk, order), desk.of(TradeMoved)) == (0, [])
    assert desk.state.held(ACCOUNT, Symbol(MOUTAI)).long_qty == qty
    assert "order_qty" in {known.kind for known in desk.state.breaks.values()}


def many(count: int) -> tuple[Desk, BrokerSnapshot]:
    """So many orders that were sent at the roll, each filled on the new day by its number, and Monday's books of them."""
    desk = Desk().opened(an_instrument(lot=1, min_qty=1), cash=CASH)
    orders = [desk.order(buy(MOUTAI, 100, ord_type=OrdType.LIMIT, price="10")) for _ in range(count)]
    for number, order in enumerate(orders):
        desk.ack(order, f"{number}")
    desk.wait(1)
    desk.give(OpenTradingDay("CN_A", MONDAY, ((desk.now, UtcNs(desk.now + 10**13)),)))
    fills = tuple(by_number(100, f"e{number}", order_id=OrderID(f"{number}")) for number in range(count))
    desk.give(*fills)
    desk.wait(60)
    return desk, a_snapshot(
        as_of=desk.now,
        trading_day=MONDAY,
        executions_since=NOON,
        cash=CASH - 1_000 * count,
        positions={MOUTAI: 100 * count},
        orders=tuple(line(order, 100, f"{number}") for number, order in enumerate(orders)),
        executions=fills,
    )


def test_many_orders_sent_at_the_roll_cost_a_look_as_much_each_as_few() -> None:
    """One look is one input: while it is decided nothing else is, and no lease is kept."""
    cost = []
    for count in (20, 40):
        desk, books = many(count)
        cost.append(steps(desk, books))
        assert (len(desk.of(TradeMoved)), desk.state.breaks) == (count, {})
    assert cost[1] < 2.2 * cost[0]
