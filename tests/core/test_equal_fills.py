"""Equal fills of two orders in one second, at a venue that names each fill twice: each order gets its own, once."""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations
from typing import Any

import msgspec
import pytest

from tradeloop.core.effects import RaiseAlert
from tradeloop.core.events import ExecIDJoined, Overfilled
from tradeloop.core.order import Order
from tradeloop.core.reports import Execution, ExecutionBust
from tradeloop.core.types import ExecID, OrderID, OrdStatus, OrdType, Qty, Side, Symbol
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, NOON, a_snapshot, an_execution, an_instrument, buy, their_order
from tradeloop.testing.desk import ABLE, Desk

TWO_IDS = msgspec.structs.replace(ABLE, second_ids=True)
A = "600000.SH"
BY = pytest.mark.parametrize("named", [True, False], ids=["our ids", "numbers"])


def working(numbers: str = "12") -> tuple[Desk, list[Order]]:
    """Two orders to buy 300 at 10, told these numbers; they are 1 and 2 at the venue."""
    desk = Desk(able=TWO_IDS).opened(an_instrument(A), cash=10_000)
    orders = [desk.order(buy(A, 300, ord_type=OrdType.LIMIT, price=10)) for _ in "12"]
    for order, told in zip(orders, numbers, strict=True):
        desk.ack(order, told)
    return desk, orders


def fill(orders: list[Order], exec_id: str, named: bool = True) -> Execution:
    """A fill of the order whose number its id ends with; all are equal, and happen in one second."""
    number = exec_id[-1]
    of = orders[int(number) - 1].cl_ord_id if named else None
    return an_execution(of, A, Side.BUY, 100, "10", exec_id=exec_id, transact_at=NOON, order_id=OrderID(number))


def look(desk: Desk, orders: list[Order], *fills: Execution, counts: tuple[int, int] = (100, 100), **changes: Any) -> None:
    """The broker's books, which count so many shares in the orders, and all of them in the position."""
    shares = sum(counts)
    lines = tuple(
        their_order(
            order.cl_ord_id,
            A,
            Side.BUY,
            300,
            OrdStatus.PARTIALLY_FILLED if counted else OrdStatus.NEW,
            order_id=OrderID(number),
            cum_qty=Qty(Decimal(counted)),
        )
        for order, number, counted in zip(orders, "12", counts, strict=True)
    )
    said: dict[str, Any] = {
        "cash": 10_000 - 10 * shares,
        "positions": {A: shares} if shares else {},
        "orders": lines,
        "executions": fills,
        "as_of": desk.now,
        "executions_since": NOON,
    }
    desk.give(a_snapshot(**{**said, **changes}))
    desk.wait(60)


def filled(desk: Desk, orders: list[Order]) -> list[int]:
    return [int(desk.known(order.cl_ord_id).cum_qty) for order in orders]


def held(desk: Desk) -> int:
    return int(desk.state.held(ACCOUNT, Symbol(A)).long_qty)


def joined(desk: Desk) -> set[tuple[str, str]]:
    return {(str(one.exec_id), str(one.secondary_exec_id)) for one in desk.of(ExecIDJoined)}


@BY
@pytest.mark.parametrize("told", ["e1", "e2", "e1 e2", "e2 e1"])
@pytest.mark.parametrize("shown", ["s1 s2", "s2 s1"])
def test_what_the_stream_told_and_the_books_show_under_other_ids_is_booked_once_each(
    told: str, shown: str, named: bool
) -> None:
    """However many of the two the stream told, and in whatever order the list shows them."""
    desk, orders = working()
    desk.give(*(fill(orders, one, named) for one in told.split()))
    desk.wait(1)
    for _ in range(3):
        look(desk, orders, *(fill(orders, one, named) for one in shown.split()))
    assert (filled(desk, orders), held(desk)) == ([100, 100], 200)
    assert joined(desk) == {(one, f"s{one[-1]}") for one in told.split()}
    assert (desk.state.breaks, desk.of(Overfilled)) == ({}, [])


@BY
@pytest.mark.parametrize("told", ["e1", "e2", "e1 e2", "e2 e1"])
def test_what_the_books_showed_first_and_the_stream_tells_under_other_ids_is_booked_once_each(told: str, named: bool) -> None:
    desk, orders = working()
    shown = fill(orders, "s1", named), fill(orders, "s2", named)
    look(desk, orders, *shown)
    desk.give(*(fill(orders, one, named) for one in told.split()))
    for _ in range(3):
        look(desk, orders, *shown)
    assert (filled(desk, orders), held(desk)) == ([100, 100], 200)
    assert joined(desk) == {(f"s{one[-1]}", one) for one in told.split()}
    assert desk.state.breaks == {}


def test_the_stream_is_believed_at_once_where_the_books_have_shown_the_fill_of_the_other_order_alone() -> None:
    desk, orders = working()
    look(desk, orders, fill(orders, "s1"), counts=(100, 0))
    desk.give(fill(orders, "e2"))
    assert (filled(desk, orders), desk.state.breaks) == ([100, 100], {})


@pytest.mark.parametrize("taken", ["e1", "e2", "s1", "s2"])
def test_a_bust_under_either_id_takes_the_fill_of_its_own_order_back(taken: str) -> None:
    desk, orders = working()
    desk.give(fill(orders, "e1"), fill(orders, "e2"))
    for _ in range(3):
        look(desk, orders, fill(orders, "s2"), fill(orders, "s1"))
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID(taken), Side.BUY))
    assert filled(desk, orders) == [0 if taken[-1] == number else 100 for number in "12"]


@pytest.mark.parametrize("shown", list(permutations(("s1", "s2"))), ids="-".join)
@pytest.mark.parametrize("told", list(permutations(("e1", "e2"))), ids="-".join)
def test_where_the_answers_were_mixed_up_too_each_is_booked_once_or_a_person_hears(
    told: tuple[str, ...], shown: tuple[str, ...]
) -> None:
    """F7: the stream names a number alone, and each order was told the other's; the books name our ids."""
    desk, orders = working("21")
    desk.give(*(fill(orders, one, named=False) for one in told))
    desk.wait(1)
    for _ in range(4):
        look(desk, orders, *(fill(orders, one) for one in shown))
        assert held(desk) == 200 or [alert for alert in desk.of(RaiseAlert) if alert.key.startswith("break:")]
    assert (filled(desk, orders), held(desk), desk.state.breaks) == ([100, 100], 200, {})


@pytest.mark.parametrize("told", ["e1", "e2"])
@pytest.mark.parametrize("shown", list(permutations(("s1", "s2"))), ids="-".join)
def test_where_the_answers_were_mixed_up_and_one_fill_was_lost_each_is_booked_once(told: str, shown: tuple[str, ...]) -> None:
    desk, orders = working("21")
    desk.give(fill(orders, told, named=False))
    desk.wait(1)
    for _ in range(4):
        look(desk, orders, *(fill(orders, one) for one in shown))
    assert (filled(desk, orders), held(desk), desk.state.breaks) == ([100, 100], 200, {})


def test_ids_that_nothing_tells_apart_may_be_joined_crosswise_and_a_bust_of_one_is_a_break() -> None:
    """F7: the stream tells both by numbers that were mixed up, before a look could say so."""
    desk, orders = working("21")
    look(desk, orders, fill(orders, "s1"), fill(orders, "s2"))
    assert [desk.known(order.cl_ord_id).order_id for order in orders] == ["2", "1"]
    desk.give(fill(orders, "e1", named=False), fill(orders, "e2", named=False))
    for _ in range(3):
        look(desk, orders, fill(orders, "s1"), fill(orders, "s2"))
    assert (filled(desk, orders), held(desk), desk.state.breaks) == ([100, 100], 200, {})
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY))
    look(desk, orders, fill(orders, "s2"), counts=(0, 100))
    assert held(desk) == 100
    assert {known.kind for known in desk.state.breaks.values()} >= {"order_qty", "fill_missing"}
    assert [alert for alert in desk.of(RaiseAlert) if alert.key.startswith("break:fill_missing")]
