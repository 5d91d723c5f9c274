"""A venue names a fill by one id on the stream and by another in its books: it counts once, or a break stands open (F23)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tradeloop.core.breaks import FILL_TWICE
from tradeloop.core.commands import RepairBreak
from tradeloop.core.effects import RaiseAlert, TakeSnapshot
from tradeloop.core.events import BreakClosed, ExecIDJoined, ExecIDParted, Overfilled, TradeBusted, Traded
from tradeloop.core.order import Order
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import Execution, ExecutionBust, ExecutionCorrect, OpenOrder
from tradeloop.core.state import State
from tradeloop.core.types import ExecID, OrderID, OrdStatus, OrdType, Px, Qty, Side, Symbol, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, a_snapshot, an_execution, an_instrument, buy, their_order
from tradeloop.testing.desk import ABLE, Desk

TWO_IDS = msgspec.structs.replace(ABLE, second_ids=True)
A = "600000.SH"
LISTED = (an_instrument(A),)
LATER = 60
"""Longer than the venue's books lag, in seconds."""


def working(qty: int = 300) -> tuple[Desk, Order]:
    desk = Desk(able=TWO_IDS).opened(*LISTED, cash=10_000)
    order = desk.order(buy(A, qty, ord_type=OrdType.LIMIT, price=10))
    desk.ack(order)
    return desk, order


def fill(desk: Desk, order: Order, exec_id: str, qty: int = 100, px: str = "10") -> Execution:
    """A fill of the order; all of a test happen in one moment."""
    return an_execution(order.cl_ord_id, A, Side.BUY, qty, px, exec_id=exec_id, transact_at=UtcNs(order.staged_at))


def look(desk: Desk, order: Order, *fills: Execution, cum: int, **changes: Any) -> None:
    """The broker's books, which count so many shares in the order and in the position."""
    line = their_order(order.cl_ord_id, A, Side.BUY, order.order_qty, OrdStatus.PARTIALLY_FILLED, cum_qty=Qty(Decimal(cum)))
    fields: dict[str, Any] = {
        "cash": 10_000 - 10 * cum,
        "positions": {A: cum} if cum else {},
        "orders": (line,),
        "executions": fills,
        "as_of": desk.now,
        "executions_since": UtcNs(0),
    }
    desk.give(a_snapshot(**(fields | changes)))


def held(desk: Desk) -> int:
    return int(desk.state.held(ACCOUNT, Symbol(A)).long_qty)


def filled(desk: Desk, order: Order) -> int:
    return int(desk.known(order.cl_ord_id).cum_qty)


def kinds(desk: Desk) -> list[str]:
    return sorted(known.kind for known in desk.state.breaks.values())


def test_a_fill_that_the_books_show_under_another_id_is_held_and_stops_its_symbol() -> None:
    """F23: the stream said e1, the books say s1, and the broker counts 100 shares."""
    desk, order = working()
    desk.give(fill(desk, order, "e1"))
    look(desk, order, fill(desk, order, "s1"), cum=100)

    assert (held(desk), filled(desk, order)) == (100, 100)
    assert kinds(desk) == ["fill_twice"]
    (known,) = desk.state.breaks.values()
    assert (known.subject, known.ours) == (f"{A} {DAY}|B|s1", f"{DAY}|B|e1")
    assert f"break:{known.break_id}" in [alert.key for alert in desk.of(RaiseAlert)]
    assert any(effect.why.startswith("fill_twice") for effect in desk.of(TakeSnapshot))
    reply = desk.give(buy(A, 100, ord_type=OrdType.LIMIT, price=10))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert reply.denied.rule == "fill_twice"


def test_books_that_show_it_once_for_long_make_the_other_a_second_id_of_the_fill() -> None:
    desk, order = working()
    desk.give(fill(desk, order, "e1"))
    look(desk, order, fill(desk, order, "s1"), cum=100)
    desk.wait(LATER)
    look(desk, order, fill(desk, order, "s1"), cum=100)

    assert [(str(known.exec_id), str(known.secondary_exec_id)) for known in desk.of(ExecIDJoined)] == [("e1", "s1")]
    assert not desk.state.breaks
    assert held(desk) == 100
    desk.state = State.unpack(desk.state.pack())
    events = len(desk.events)
    desk.wait(LATER)
    desk.give(fill(desk, order, "s1"), fill(desk, order, "e1"))
    look(desk, order, fill(desk, order, "s1"), cum=100)
    assert len(desk.events) == events, "both ids are known, whoever repeats them, and after a restart"


def test_a_fill_that_the_books_told_of_first_is_not_booked_again_when_the_stream_tells_it() -> None:
    """F23 with F26: the day is replayed after a reconnect, under the ids of the stream."""
    desk, order = working()
    look(desk, order, fill(desk, order, "s1"), cum=100)
    desk.wait(1)
    desk.give(fill(desk, order, "e1"), fill(desk, order, "e1"))
    assert (held(desk), kinds(desk)) == (100, ["fill_twice"])
    desk.wait(LATER)
    look(desk, order, fill(desk, order, "s1"), cum=100)

    assert [(str(known.exec_id), str(known.secondary_exec_id)) for known in desk.of(ExecIDJoined)] == [("s1", "e1")]
    assert (held(desk), kinds(desk)) == (100, [])


def test_two_equal_fills_of_one_moment_on_the_stream_are_both_booked_at_once() -> None:
    desk, order = working()
    desk.give(fill(desk, order, "e1"), fill(desk, order, "e2"))
    assert (held(desk), kinds(desk)) == (200, [])


def test_an_equal_fill_that_the_broker_counts_is_booked_though_its_list_lacks_the_other_one() -> None:
    """A list that lags: it shows e2 and not yet e1, and the order's cum_qty counts both."""
    desk, order = working()
    desk.give(fill(desk, order, "e1"))
    look(desk, order, fill(desk, order, "e2"), cum=200)
    assert (held(desk), "fill_twice" in kinds(desk)) == (200, False)


def test_what_the_broker_counts_more_by_a_correction_that_it_shows_is_no_second_fill() -> None:
    """Nobody heard that another fill of the order grew by as much as the one in doubt."""
    desk, order = working(400)
    earlier = msgspec.structs.replace(fill(desk, order, "e0"), transact_at=UtcNs(order.staged_at - 1))
    grown = msgspec.structs.replace(earlier, last_qty=Qty(Decimal(200)))
    desk.give(earlier, fill(desk, order, "e1"))
    look(desk, order, earlier, fill(desk, order, "s1"), cum=200)
    assert (held(desk), "fill_twice" in kinds(desk)) == (200, True)
    for _ in range(2):
        desk.wait(LATER)
        look(desk, order, grown, fill(desk, order, "s1"), cum=300)
    assert (held(desk), filled(desk, order), kinds(desk)) == (300, 300, [])
    assert [str(known.secondary_exec_id) for known in desk.of(ExecIDJoined)] == ["s1"]


def test_an_equal_fill_that_was_held_is_booked_when_a_look_shows_both() -> None:
    desk, order = working()
    desk.give(fill(desk, order, "e1"))
    look(desk, order, fill(desk, order, "e2"), cum=100)
    desk.wait(1)
    look(desk, order, fill(desk, order, "e1"), fill(desk, order, "e2"), cum=200)
    assert [traded.exec_id for traded in desk.of(Traded)] == ["e1", "e2"]
    assert [closed.why for closed in desk.of(BreakClosed)] == ["the broker shows both: two fills"]
    assert held(desk) == 200


def test_what_was_joined_wrongly_is_parted_and_booked_when_the_books_show_both() -> None:
    """The venue lagged longer than it declares: both are fills."""
    desk, order = working()
    desk.give(fill(desk, order, "e1"))
    look(desk, order, fill(desk, order, "e2"), cum=100)
    desk.wait(LATER)
    look(desk, order, fill(desk, order, "e2"), cum=100)
    assert desk.of(ExecIDJoined)
    desk.wait(LATER)
    look(desk, order, fill(desk, order, "e1"), fill(desk, order, "e2"), cum=200)

    assert [known.secondary_exec_id for known in desk.of(ExecIDParted)] == ["e2"]
    assert [traded.exec_id for traded in desk.of(Traded)] == ["e1", "e2"]
    assert (held(desk), filled(desk, order), kinds(desk)) == (200, 200, [])


def test_a_bust_under_either_id_takes_the_fill_back_once() -> None:
    for named in ("e1", "s1"):
        desk, order = working()
        desk.give(fill(desk, order, "e1"))
        look(desk, order, fill(desk, order, "s1"), cum=100)
        desk.wait(LATER)
        look(desk, order, fill(desk, order, "s1"), cum=100)
        desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID(named), Side.BUY))
        desk.wait(LATER)
        look(desk, order, cum=0)
        assert (held(desk), kinds(desk), len(desk.of(TradeBusted))) == (0, [], 1)


def test_a_bust_that_names_the_held_id_takes_the_fill_back_when_the_two_are_joined() -> None:
    desk, order = working()
    look(desk, order, fill(desk, order, "s1"), cum=100)
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY), fill(desk, order, "e1"))
    desk.wait(LATER)
    look(desk, order, fill(desk, order, "s1"), cum=100)
    assert [(str(bust.exec_id), held(desk)) for bust in desk.of(TradeBusted) if bust.cl_ord_id] == [("s1", 0)]


def test_a_correction_nobody_heard_of_under_another_id_stands_in_the_place_of_the_fill() -> None:
    """ADR 17: by figures alone it matches no fill; the order's cum_qty says that it is no further one."""
    desk, order = working()
    desk.give(fill(desk, order, "e1"))
    corrected = fill(desk, order, "s1", 200)
    look(desk, order, corrected, cum=200)
    assert (held(desk), "fill_twice" in kinds(desk)) == (100, True)
    for _ in range(2):
        desk.wait(LATER)
        look(desk, order, corrected, cum=200)
    assert (held(desk), int(desk.cash()), kinds(desk)) == (200, 8_000, [])


def test_books_from_before_a_correction_that_has_overtaken_them_do_not_book_the_old_figures_once_more() -> None:
    """Nothing counts the fills of an order there: its line could not be read."""
    desk, order = working()
    desk.give(fill(desk, order, "e1"))
    desk.wait(1)
    read_at = desk.now
    desk.wait(1)
    word = ExecutionCorrect(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY, Qty(Decimal(100)), Px(Decimal(11)), None, desk.now)
    desk.give(word)
    look(desk, order, fill(desk, order, "s1"), cum=100, as_of=read_at, orders=None)
    assert (held(desk), "fill_twice" in kinds(desk)) == (100, True)
    for _ in range(2):
        desk.wait(LATER)
        look(desk, order, fill(desk, order, "s1", px="11"), cum=100, cash=8_900, orders=None)
    assert (held(desk), int(desk.cash()), kinds(desk)) == (100, 8_900, [])
    assert [str(known.secondary_exec_id) for known in desk.of(ExecIDJoined)] == ["s1"]


def test_books_from_before_a_bust_that_has_overtaken_them_do_not_count_what_is_held_as_a_second_fill() -> None:
    """What was taken back since is in their count, and leaves no room in it for another fill."""
    desk, order = working(600)
    other = fill(desk, order, "e2", 100, "9")
    desk.give(fill(desk, order, "e1"), other)
    shown = fill(desk, order, "s1")
    look(desk, order, shown, other, cum=200, cash=8_100)
    assert (held(desk), kinds(desk)) == (200, ["fill_twice"])
    read_at = desk.now
    desk.wait(1)
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e2"), Side.BUY))
    look(desk, order, shown, other, cum=200, cash=8_100, as_of=read_at)
    assert held(desk) == 100
    desk.wait(LATER)
    look(desk, order, shown, cum=100)
    assert (held(desk), kinds(desk)) == (100, [])


def test_another_fill_of_that_moment_in_books_from_before_a_correction_is_booked_when_they_show_both() -> None:
    desk, order = working()
    desk.give(fill(desk, order, "e1"))
    desk.wait(1)
    read_at = desk.now
    desk.wait(1)
    word = ExecutionCorrect(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY, Qty(Decimal(100)), Px(Decimal(11)), None, desk.now)
    desk.give(word)
    other = fill(desk, order, "s2", 200)
    look(desk, order, other, cum=300, as_of=read_at, orders=None)
    assert held(desk) == 100
    desk.wait(LATER)
    look(desk, order, fill(desk, order, "e1", px="11"), other, cum=300, cash=6_900)
    assert (held(desk), filled(desk, order), int(desk.cash()), kinds(desk)) == (300, 300, 6_900, [])


def test_a_person_may_say_that_it_is_one_fill() -> None:
    """A list that reaches back to neither proves nothing any more."""
    desk, order = working()
    look(desk, order, fill(desk, order, "s1"), cum=100)
    desk.give(fill(desk, order, "e1"))
    desk.wait(LATER)
    look(desk, order, cum=100, executions_since=desk.now)
    assert kinds(desk) == ["fill_twice"]
    (break_id,) = desk.state.breaks
    desk.give(RepairBreak(break_id, "ann", "the broker said so on the phone"))
    assert [(str(known.secondary_exec_id), known.by) for known in desk.of(ExecIDJoined)] == [("e1", "ann")]
    assert (held(desk), kinds(desk)) == (100, [])


def test_a_second_id_that_nothing_tells_from_another_fill_shows_as_breaks_and_not_in_silence() -> None:
    """Without the venue's time nothing is held."""
    desk, order = working()
    first, second = (
        an_execution(order.cl_ord_id, A, Side.BUY, 100, 10, exec_id=exec_id, transact_at=None) for exec_id in ("e1", "s1")
    )
    desk.give(first)
    desk.wait(LATER)
    look(desk, order, second, cum=100)
    desk.wait(LATER)
    look(desk, order, second, cum=100)
    assert kinds(desk) == ["cash", "fill_missing", "order_qty", "position"]


def test_a_venue_that_gives_a_fill_one_id_is_never_doubted() -> None:
    """Where times are coarse, equal fills of one moment are common: each is booked as it is told."""
    desk = Desk().opened(*LISTED, cash=10_000)
    order = desk.order(buy(A, 300, ord_type=OrdType.LIMIT, price=10))
    desk.ack(order)
    look(desk, order, fill(desk, order, "e8"), cum=100)
    desk.give(fill(desk, order, "e3"), fill(desk, order, "e8"))
    assert held(desk) == 200
    assert not desk.state.breaks


def test_a_fill_that_a_look_holds_is_held_when_its_own_report_comes_though_no_look_has_booked_any() -> None:
    """Booked, its record would be written over when the two are joined."""
    desk, order = working()
    desk.give(fill(desk, order, "e1"))
    desk.wait(1)
    look(desk, order, fill(desk, order, "e2"), cum=100)
    desk.give(fill(desk, order, "e2"))
    assert held(desk) == 100
    desk.wait(LATER)
    look(desk, order, fill(desk, order, "e1"), fill(desk, order, "e2"), cum=200)
    assert held(desk) == 200
    assert not desk.state.breaks


def test_a_join_by_which_an_order_has_more_than_was_asked_says_so() -> None:
    """Invariant 9: the venue corrected the held id to more than the order; said by nobody it would stop every start."""
    desk, order = working(100)
    desk.give(fill(desk, order, "e1"))
    desk.wait(20)
    look(desk, order, fill(desk, order, "s1"), cum=100)
    more = ExecutionCorrect(
        BROKER, ACCOUNT, DAY, ExecID("s1"), Side.BUY, Qty(Decimal(300)), Px(Decimal(10)), None, UtcNs(desk.now)
    )
    desk.give(more)
    desk.wait(LATER)
    look(desk, order, msgspec.structs.replace(fill(desk, order, "s1"), last_qty=Qty(Decimal(300))), cum=300)
    assert held(desk) == 300
    assert desk.of(Overfilled)


def test_a_fill_that_is_held_and_was_taken_back_ends_its_break_when_the_books_show_neither() -> None:
    desk, order = working()
    look(desk, order, fill(desk, order, "s1"), cum=100)
    desk.give(fill(desk, order, "e1"), ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY))
    desk.wait(LATER)
    look(desk, order, cum=0)
    assert held(desk) == 0
    assert FILL_TWICE not in {known.kind for known in desk.state.breaks.values()}


@pytest.mark.parametrize("by", ["our ids", "numbers"])
@pytest.mark.parametrize(("cum", "is_one"), [(200, True), (300, False)])
def test_what_stands_on_another_order_by_a_mixed_up_number_counts_where_the_books_show_it(
    by: str, cum: int, is_one: bool
) -> None:
    """F23 with F7: e1 and e2 of the first order came under the number that the second one was told to have. The books show e1
    as s1, before they may be believed about the numbers; where they count 200 in the first order, s1 is in it already.
    """
    desk = Desk(able=TWO_IDS).opened(*LISTED, cash=10_000)
    orders = [desk.order(buy(A, 300, ord_type=OrdType.LIMIT, price=10)) for _ in "12"]
    for order, told in zip(orders, "21", strict=True):
        desk.ack(order, told)

    def traded(exec_id: str, of: int, qty: int, px: str, named: bool) -> Execution:
        x = fill(desk, orders[of], exec_id, qty, px)
        return msgspec.structs.replace(x, order_id=OrderID("12"[of]), cl_ord_id=x.cl_ord_id if named else None)

    desk.give(traded("e1", 0, 100, "10", named=False), traded("e2", 0, 100, "9.9", named=False))
    assert [filled(desk, order) for order in orders] == [0, 200]
    named = by == "our ids"
    lines = tuple(
        their_order(
            order.cl_ord_id,
            A,
            Side.BUY,
            300,
            OrdStatus.FILLED if counted == 300 else OrdStatus.PARTIALLY_FILLED,
            order_id=OrderID(number),
            cum_qty=Qty(Decimal(counted)),
        )
        for order, number, counted in zip(orders, "12", (cum, 300), strict=True)
    )
    shown = traded("s1", 0, 100, "10", named), traded("e2", 0, 100, "9.9", named), traded("e3", 1, 300, "9.8", named)
    position = {A: cum + 300}
    look(desk, orders[0], *shown, cum=0, orders=lines, positions=position)
    assert (held(desk), "fill_twice" in kinds(desk)) == (cum + 300, is_one)
    desk.wait(LATER)
    look(desk, orders[0], *shown, cum=0, orders=lines, positions=position)
    assert ([joined.secondary_exec_id for joined in desk.of(ExecIDJoined)] == ["s1"]) is is_one
    if is_one:
        assert [filled(desk, order) for order in orders] == [200, 300]


def mixed_up(numbers: str = "21") -> tuple[Desk, list[Order]]:
    """Two orders to buy 600 that were told these numbers: each other's."""
    desk = Desk(able=TWO_IDS).opened(*LISTED, cash=10_000)
    orders = [desk.order(buy(A, 600, ord_type=OrdType.LIMIT, price=5)) for _ in "12"]
    for order, told in zip(orders, numbers, strict=True):
        desk.ack(order, told)
    return desk, orders


def under_its_number(x: Execution, number: str) -> Execution:
    """A fill as it is told where numbers are mixed up: under that of the venue alone."""
    return msgspec.structs.replace(x, order_id=OrderID(number), cl_ord_id=None)


def counting(orders: list[Order], *counts: int) -> tuple[OpenOrder, ...]:
    """The lines of both orders, under their own numbers."""
    return tuple(
        their_order(
            order.cl_ord_id,
            A,
            Side.BUY,
            600,
            OrdStatus.PARTIALLY_FILLED if counted else OrdStatus.NEW,
            order_id=OrderID(number),
            cum_qty=Qty(Decimal(counted)),
        )
        for order, number, counted in zip(orders, "12", counts, strict=True)
    )


def test_two_fills_under_second_ids_that_both_stand_on_another_order_count_once_each() -> None:
    """F23 with F7: the broker counts 300 in the order, and the third fill is new. If one of the two in doubt were judged as
    though the other were of no order at all, the new one would stand for that, and both would be booked twice.
    """
    desk, orders = mixed_up()
    one, two, three = (fill(desk, orders[0], exec_id, px=px) for exec_id, px in (("e1", "4.9"), ("e2", "4.8"), ("e3", "4.7")))
    desk.give(under_its_number(one, "1"), under_its_number(two, "1"))
    assert [filled(desk, order) for order in orders] == [0, 200]
    shown = (
        msgspec.structs.replace(one, exec_id=ExecID("s1"), order_id=OrderID("1")),
        msgspec.structs.replace(two, exec_id=ExecID("s2"), order_id=OrderID("1")),
        msgspec.structs.replace(three, order_id=OrderID("1")),
    )
    for _ in range(2):
        look(desk, orders[0], *shown, cum=0, orders=counting(orders, 300, 0), positions={A: 300}, cash=10_000 - 1_440)
        assert held(desk) == 300
        desk.wait(LATER)
    assert [str(joined.secondary_exec_id) for joined in desk.of(ExecIDJoined)] == ["s1", "s2"]
    assert [filled(desk, order) for order in orders] == [300, 0]
    assert not desk.state.breaks


@pytest.mark.parametrize(("second_counts", "is_one"), [(0, True), (100, False)])
def test_a_correction_nobody_heard_of_is_known_on_the_other_order_where_the_broker_counts_nothing_of_it(
    second_counts: int, is_one: bool
) -> None:
    """F23 with F7: e1 came under the number of the other order, and was corrected to 300 in silence. Only where the broker
    counts 100 less in that other order than we do is it the fill that the books show as s1.
    """
    desk, orders = mixed_up()
    told = fill(desk, orders[0], "e1", px="5")
    desk.give(under_its_number(told, "1"))
    assert [filled(desk, order) for order in orders] == [0, 100]
    shown = fill(desk, orders[0], "s1", qty=300, px="5")
    lines, shares = counting(orders, 300, second_counts), 300 + second_counts
    for _ in range(3):
        look(desk, orders[0], shown, cum=0, orders=lines, positions={A: shares}, cash=10_000 - 5 * shares)
        desk.wait(LATER)
    assert [str(joined.secondary_exec_id) for joined in desk.of(ExecIDJoined)] == (["s1"] if is_one else [])
    assert (held(desk), [filled(desk, order) for order in orders]) == (shares, [300, second_counts])


@pytest.mark.parametrize("by", ["our id", "its number"])
def test_a_fill_of_another_order_in_the_moment_of_one_that_was_taken_back_unheard_is_booked_at_once(by: str) -> None:
    """F23 with F25: e1 named the second order, by our id or by the number that the books show it under, and its bust was lost;
    the first order filled in the same moment. The broker counts nothing of e1, and no number says that the two could be one.
    """
    desk, orders = mixed_up(numbers="12")
    told = fill(desk, orders[1], "e1", px="5")
    desk.give(told if by == "our id" else under_its_number(told, "2"))
    shown = fill(desk, orders[0], "e2", qty=300, px="5")
    for _ in range(3):
        look(desk, orders[0], shown, cum=0, orders=counting(orders, 300, 0), positions={A: 300}, cash=8_500)
        assert [filled(desk, order) for order in orders] == [300, 100]
        desk.wait(LATER)
    assert not desk.of(ExecIDJoined)
    assert "fill_missing" in kinds(desk)
