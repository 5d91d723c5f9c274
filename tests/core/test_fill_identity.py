"""Which fill a report speaks of: where numbers repeat, where names follow names, and where a day is no day."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.watched import WatchedDesk

from tradeloop.core.checked import Distrusted, checked
from tradeloop.core.order import Order
from tradeloop.core.reports import ExecutionBust, ExecutionCorrect
from tradeloop.core.types import ExecID, OrderID, Px, Qty, Side, Symbol, TradingDay, UtcNs
from tradeloop.testing.builders import (
    ACCOUNT,
    BROKER,
    DAY,
    NOON,
    a_snapshot,
    an_execution,
    an_instrument,
    buy,
    number,
)

MOUTAI, VANKE = "600519.SH", "000002.SZ"


def two_orders() -> tuple[WatchedDesk, Order, Order]:
    """An order at each of two exchanges, both working."""
    desk = WatchedDesk()
    desk.opened(an_instrument(MOUTAI), an_instrument(VANKE))
    one, other = desk.order(buy(MOUTAI, 300)), desk.order(buy(VANKE, 300))
    desk.ack(one, "s1")
    desk.ack(other, "z1")
    return desk, one, other


def cum(desk: WatchedDesk, *orders: Order) -> list[int]:
    return [int(desk.known(order.cl_ord_id).cum_qty) for order in orders]


def a_correction(ref: str, qty: int, own: str | None = None, at: int = 1, **changes: Any) -> ExecutionCorrect:
    fields: dict[str, Any] = {"transact_at": UtcNs(NOON + at), "exec_id": None if own is None else ExecID(own)}
    day = changes.pop("trading_day", DAY)
    return ExecutionCorrect(
        BROKER, ACCOUNT, day, ExecID(ref), Side.BUY, Qty(number(qty)), Px(number(10)), None, **(fields | changes)
    )


def test_one_number_at_two_exchanges_is_two_fills() -> None:
    """CTP's TradeID is unique within an exchange (reliability-risk-security 3.1: ExchangeID belongs to the key)."""
    desk, one, other = two_orders()
    first = an_execution(one.cl_ord_id, MOUTAI, Side.BUY, 100, 10, "17")
    second = an_execution(other.cl_ord_id, VANKE, Side.BUY, 200, 20, "17")
    desk.give(first, second)
    assert cum(desk, one, other) == [100, 200]


@pytest.mark.parametrize("named", [True, False])
def test_both_told_again_in_any_order_book_nothing(named: bool) -> None:
    desk, one, other = two_orders()
    first = an_execution(one.cl_ord_id if named else None, MOUTAI, Side.BUY, 100, 10, "17", order_id=OrderID("s1"))
    second = an_execution(other.cl_ord_id if named else None, VANKE, Side.BUY, 200, 20, "17", order_id=OrderID("z1"))
    desk.give(first, second)
    before = len(desk.events)
    desk.give(second, first, second, a_snapshot(cash=995_000, positions={MOUTAI: 100, VANKE: 200}, executions=(second, first)))
    assert cum(desk, one, other) == [100, 200]
    assert [event for event in desk.events[before:] if hasattr(event, "last_qty")] == []


def test_a_fill_of_a_stranger_is_not_moved_to_our_order_of_another_symbol() -> None:
    desk, one, other = two_orders()
    stranger = an_execution(None, MOUTAI, Side.BUY, 100, 10, "17", order_id=OrderID("s9"))
    ours = an_execution(other.cl_ord_id, VANKE, Side.BUY, 200, 20, "17", order_id=OrderID("z1"))
    desk.give(stranger, ours)
    assert cum(desk, one, other) == [0, 200]
    held = [int(desk.state.held(ACCOUNT, Symbol(symbol)).long_qty) for symbol in (MOUTAI, VANKE)]
    assert held == [100, 200]


def test_a_bust_that_names_its_symbol_takes_back_the_fill_of_that_symbol() -> None:
    desk, one, other = two_orders()
    desk.give(an_execution(one.cl_ord_id, MOUTAI, Side.BUY, 100, 10, "17"))
    desk.give(an_execution(other.cl_ord_id, VANKE, Side.BUY, 200, 20, "17"))
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("17"), Side.BUY, UtcNs(NOON), symbol=Symbol(VANKE)))
    assert cum(desk, one, other) == [100, 0]


def test_a_correction_that_names_its_symbol_corrects_the_fill_of_that_symbol() -> None:
    desk, one, other = two_orders()
    desk.give(an_execution(one.cl_ord_id, MOUTAI, Side.BUY, 100, 10, "17"))
    desk.give(an_execution(other.cl_ord_id, VANKE, Side.BUY, 200, 20, "17"))
    desk.give(a_correction("17", 300, "18", symbol=Symbol(VANKE)))
    assert cum(desk, one, other) == [100, 300]


def test_a_correction_of_a_correction_that_bears_the_fills_own_id_leads_in_no_circle() -> None:
    desk, one, _ = two_orders()
    desk.give(a_correction("F", 100, "C1", 1), a_correction("C1", 200, "F", 2))
    desk.give(an_execution(one.cl_ord_id, MOUTAI, Side.BUY, 300, 10, "F"))
    assert cum(desk, one) == [200]


NAMES = st.sampled_from("ABCD")


@given(st.lists(st.tuples(NAMES, st.none() | NAMES, st.integers(1, 3)), max_size=8), NAMES)
def test_whatever_corrections_name_whatever_the_books_can_be_asked(words: list[tuple[str, str | None, int]], fill: str) -> None:
    """Names that follow names never lead in a circle, and a fill that comes is booked once."""
    desk, one, _ = two_orders()
    for at, (ref, own, lots) in enumerate(words):
        desk.give(a_correction(ref, lots * 100, own, at))
    came = an_execution(one.cl_ord_id, MOUTAI, Side.BUY, 300, 10, fill, transact_at=NOON)
    desk.give(came)
    filled = cum(desk, one)
    desk.give(came)
    assert cum(desk, one) == filled
    assert filled[0] in (0, 100, 200, 300)


@pytest.mark.parametrize("day", ["", "2026-07-17|B|", "20260717", "2026-07-17 "])
def test_a_report_of_a_day_that_is_no_date_is_not_believed(day: str) -> None:
    """The day is part of the identity of a fill, and is compared as text."""
    bad = TradingDay(day)
    for report in (
        an_execution("o1", MOUTAI, Side.BUY, 100, 10, trading_day=bad),
        ExecutionBust(BROKER, ACCOUNT, bad, ExecID("e1"), Side.BUY),
        a_correction("e1", 100, trading_day=bad),
    ):
        found = checked(report)
        assert isinstance(found, Distrusted)
        assert "expected a date such as 2026-07-17" in found.reason


def test_a_report_of_an_account_that_would_part_the_identity_of_a_fill_is_not_believed() -> None:
    found = checked(an_execution("o1", MOUTAI, Side.BUY, 100, 10, account="de|mo"))
    assert isinstance(found, Distrusted)
    assert "without '|'" in found.reason
