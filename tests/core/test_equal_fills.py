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
from tradeloop.core.state import State
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


def look(
    desk: Desk,
    orders: list[Order],
    *fills: Execution,
    counts: tuple[int, int] = (100, 100),
    echoed: bool = True,
    wait: int = 60,
    **changes: Any,
) -> None:
    """The broker's books, which count so many shares in the orders, and all of them in the position. `echoed`: their lines show
    our ids beside the numbers.
    """
    shares = sum(counts)
    lines = tuple(
        their_order(
            order.cl_ord_id if echoed else None,
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
    desk.wait(wait)


def filled(desk: Desk, orders: list[Order]) -> list[int]:
    return [int(desk.known(order.cl_ord_id).cum_qty) for order in orders]


def held(desk: Desk) -> int:
    return int(desk.state.held(ACCOUNT, Symbol(A)).long_qty)


def kinds(desk: Desk) -> set[str]:
    return {known.kind for known in desk.state.breaks.values()}


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


def mixed_up_and_told(echoed: bool) -> tuple[Desk, list[Order]]:
    """F7: the stream tells both by numbers that were mixed up, before a look could say so."""
    desk, orders = working("21")
    look(desk, orders, fill(orders, "s1"), fill(orders, "s2"), echoed=echoed)
    assert [desk.known(order.cl_ord_id).order_id for order in orders] == ["2", "1"]
    desk.give(fill(orders, "e1", named=False), fill(orders, "e2", named=False))
    for _ in range(3):
        look(desk, orders, fill(orders, "s1"), fill(orders, "s2"), echoed=echoed)
    assert (filled(desk, orders), held(desk)) == ([100, 100], 200)
    return desk, orders


def test_numbers_that_were_mixed_up_do_not_join_ids_crosswise_where_the_lines_show_our_ids_beside_them() -> None:
    desk, orders = mixed_up_and_told(echoed=True)
    assert joined(desk) == {("s1", "e1"), ("s2", "e2")}
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY))
    look(desk, orders, fill(orders, "s2"), counts=(0, 100))
    assert (filled(desk, orders), held(desk), desk.state.breaks) == ([0, 100], 100, {})


def test_ids_that_nothing_tells_apart_may_be_joined_crosswise_and_a_bust_of_one_is_a_break() -> None:
    """F7: no line shows our id beside a number."""
    desk, orders = mixed_up_and_told(echoed=False)
    assert joined(desk) == {("s2", "e1"), ("s1", "e2")}
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY))
    look(desk, orders, fill(orders, "s2"), counts=(0, 100), echoed=False)
    assert held(desk) == 100
    assert "fill_missing" in kinds(desk)
    assert [alert for alert in desk.of(RaiseAlert) if alert.key.startswith("break:fill_missing")]


# --- the books have shown the fill of one order, and both are told


def shown_one(by_books: bool, by_stream: bool, told: str) -> tuple[Desk, list[Order]]:
    """The books have shown s1; what the stream told then is never more than the two that the venue made."""
    desk, orders = working()
    look(desk, orders, fill(orders, "s1", by_books), counts=(100, 0))
    for one in told.split():
        desk.give(fill(orders, one, by_stream))
        assert held(desk) <= 200, "nothing counts twice"
    return desk, orders


@pytest.mark.parametrize("by_stream", [True, False], ids=["stream by our ids", "stream by numbers"])
@pytest.mark.parametrize("by_books", [True, False], ids=["books by our ids", "books by numbers"])
@pytest.mark.parametrize("told", ["e2 e1", "e1 e2", "e2 e1 e2 e1"])
def test_a_fill_of_the_other_order_does_not_stand_for_the_one_that_the_books_have_shown(
    told: str, by_books: bool, by_stream: bool
) -> None:
    """Booked because what it looked like was taken by the other, e1 would count beside s1 for good."""
    desk, orders = shown_one(by_books, by_stream, told)
    for _ in range(3):
        look(desk, orders, fill(orders, "s1", by_books), fill(orders, "s2", by_books))
    assert (filled(desk, orders), held(desk), desk.state.breaks) == ([100, 100], 200, {})
    assert {tuple(sorted(pair)) for pair in joined(desk)} == {("e1", "s1"), ("e2", "s2")}


def test_what_names_our_id_is_not_held_for_a_fill_that_a_line_beside_our_id_shows_to_be_of_another_order() -> None:
    desk, orders = shown_one(by_books=False, by_stream=True, told="e2")
    assert (filled(desk, orders), desk.state.breaks) == ([100, 100], {})


def test_two_that_are_held_for_one_fill_are_known_after_a_restart_by_the_orders_that_they_named() -> None:
    desk, orders = shown_one(by_books=True, by_stream=False, told="e2 e1")
    desk.state = State.unpack(desk.state.pack())
    assert [(known.named, known.number) for known in desk.state.doubts.of(BROKER, ACCOUNT)] == [(None, "1"), (None, "2")]
    for _ in range(3):
        look(desk, orders, fill(orders, "s1"), fill(orders, "s2"))
    assert joined(desk) == {("s1", "e1"), ("s2", "e2")}
    assert (filled(desk, orders), desk.state.breaks) == ([100, 100], {})


@pytest.mark.parametrize("shown", ["s1", "s1 s2"])
def test_a_fill_that_is_taken_back_while_two_are_held_for_one_takes_back_its_own(shown: str) -> None:
    """The books may show it still when it is taken back, or not any more."""
    desk, orders = shown_one(by_books=True, by_stream=False, told="e2 e1")
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e2"), Side.BUY))
    lines = shown.split()
    look(desk, orders, *(fill(orders, one) for one in lines), counts=(100, 100 * len(lines) - 100))
    for _ in range(3):
        look(desk, orders, fill(orders, "s1"), counts=(100, 0))
    assert ("s1", "e1") in joined(desk)
    assert (filled(desk, orders), held(desk), desk.state.breaks) == ([100, 0], 100, {})


def test_the_other_of_two_that_are_held_for_one_is_joined_to_its_own_where_that_one_is_taken_back() -> None:
    desk, orders = shown_one(by_books=True, by_stream=False, told="e2 e1")
    desk.wait(1)
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("s1"), Side.BUY))
    for _ in range(3):
        look(desk, orders, fill(orders, "s2"), counts=(0, 100))
    assert (filled(desk, orders), held(desk), desk.state.breaks) == ([0, 100], 100, {})
    assert ("s2", "e2") in joined(desk)


@pytest.mark.parametrize("shown", ["", "s1"])
def test_the_doubt_of_a_fill_that_was_taken_back_unheard_ends_where_the_books_show_none(shown: str) -> None:
    """What e2 told of is gone, and so may be what it looked like."""
    desk, orders = shown_one(by_books=True, by_stream=False, told="e2 e1")
    desk.wait(1)
    if not shown:
        desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("s1"), Side.BUY))
    lines, counts = [fill(orders, one) for one in shown.split()], (100 if shown else 0, 0)
    for _ in range(3):
        look(desk, orders, *lines, counts=counts)
    assert (filled(desk, orders), held(desk), desk.state.breaks) == ([*counts], sum(counts), {})


def test_a_third_fill_that_looks_like_one_known_by_both_ids_is_booked_once_the_books_show_it() -> None:
    """s1 is e1; e3, of the same order, has its own line in the next books."""
    desk, orders = working()
    look(desk, orders, fill(orders, "s1"), counts=(100, 0))
    desk.give(fill(orders, "e1"))
    look(desk, orders, fill(orders, "s1"), counts=(100, 0))
    look(desk, orders, fill(orders, "s1"), counts=(100, 0))
    assert joined(desk) == {("s1", "e1")}
    third = msgspec.structs.replace(fill(orders, "e1"), exec_id=ExecID("e3"))
    desk.give(third)
    assert (held(desk), len(desk.state.breaks)) == (100, 1)
    theirs = msgspec.structs.replace(third, exec_id=ExecID("s3"))
    for _ in range(3):
        look(desk, orders, fill(orders, "s1"), theirs, counts=(200, 0))
    assert joined(desk) == {("s1", "e1"), ("s3", "e3")}
    assert (filled(desk, orders), held(desk), desk.state.breaks) == ([200, 0], 200, {})


def test_a_fill_that_the_books_never_show_ends_its_doubt_where_the_one_it_looked_like_has_both_its_ids() -> None:
    desk, orders = working()
    look(desk, orders, fill(orders, "s1"), counts=(100, 0))
    desk.give(fill(orders, "e1"), msgspec.structs.replace(fill(orders, "e1"), exec_id=ExecID("e3")))
    assert len(desk.state.breaks) == 2
    desk.wait(60)
    look(desk, orders, fill(orders, "s1"), counts=(100, 0))
    assert (len(joined(desk)), filled(desk, orders), held(desk), desk.state.breaks) == (1, [100, 0], 100, {})


def test_what_two_lines_without_our_ids_may_be_is_held_for_the_one_fill_that_the_stream_told() -> None:
    """A list that shows s2 first, and s1 a look later: booked because e1 is taken by s2, s1 would count beside e1."""
    desk, orders = working()
    desk.give(fill(orders, "e1", named=False))
    two: dict[str, Any] = {"echoed": False, "positions": {A: 200}, "cash": 8_000, "wait": 1}
    look(desk, orders, fill(orders, "s2", named=False), counts=(0, 0), **two)
    look(desk, orders, fill(orders, "s2", named=False), fill(orders, "s1", named=False), counts=(0, 0), **two)
    assert held(desk) <= 200
    for _ in range(3):
        look(desk, orders, fill(orders, "s1", named=False), fill(orders, "s2", named=False), echoed=False)
        assert held(desk) <= 200
    assert (held(desk), [known.kind for known in desk.state.breaks.values()]) == (200, [])
