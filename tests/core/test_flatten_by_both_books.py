"""A FLATTEN goes by both books: where the broker shows another position than we do, no more is closed than both show."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.risk.cases import a_limit
from tests.core.test_halt import MOUTAI, PINGAN, denied, halt

from tradeloop.core.commands import RepairBreak, SetLimits
from tradeloop.core.effects import SendCancel, SendOrder, SetTimer
from tradeloop.core.events import HaltChecked, OrderStaged
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.inputs import TimerFired
from tradeloop.core.order import Order
from tradeloop.core.reports import CancelAck, HeldPosition, SendOutcome
from tradeloop.core.tripping import RISK_LOOK
from tradeloop.core.types import SECOND_NS, Qty, Side, Symbol
from tradeloop.testing.builders import ACCOUNT, BROKER, a_quote, a_snapshot, an_execution, an_instrument, buy, sell
from tradeloop.testing.desk import Desk

BAC = Symbol("BAC.US")
FLATTEN = HaltTier.FLATTEN


def a_desk(ours: int, **terms: Any) -> Desk:
    """A desk that holds so much of what can be sold short."""
    usual: dict[str, Any] = {"lot": 1, "min_qty": 1, "odd_lot_sell": False, "shortable": True, "margin_rate": "0.5"}
    share = an_instrument(BAC, **{**usual, **terms})
    return Desk().opened(share, an_instrument(MOUTAI), positions={BAC: ours} if ours else {})


def shown(desk: Desk, theirs: int | str, symbol: str = BAC) -> None:
    """A look at the broker's books: so much is held there, short where it is below zero."""
    desk.wait(1)
    held = Decimal(theirs)
    leg = HeldPosition(ACCOUNT, Symbol(symbol), Qty(max(held, Decimal(0))), Qty(max(-held, Decimal(0))))
    books = a_snapshot(as_of=desk.now, asked_at=desk.now)
    desk.give(msgspec.structs.replace(books, cash=None, positions=(leg,)), a_quote(symbol, at=desk.now))


def looks(desk: Desk, after: float = 1) -> None:
    desk.wait(after)
    desk.give(a_quote(BAC, at=desk.now), a_quote(MOUTAI, at=desk.now), TimerFired("halt", "1"))


def closing(desk: Desk) -> list[Order]:
    """Its orders, in the order in which they were made."""
    return [desk.known(staged.cl_ord_id) for staged in desk.of(OrderStaged) if staged.halt]


def last(desk: Desk) -> HaltChecked:
    return desk.of(HaltChecked)[-1]


def fills(desk: Desk, order: Order, qty: int, name: str = "f1") -> None:
    desk.give(an_execution(order.cl_ord_id, order.symbol, order.side, qty, "9.99", name))


def test_what_the_broker_alone_holds_is_named_and_never_done() -> None:
    desk = a_desk(0)
    shown(desk, 100)
    halt(desk, FLATTEN)
    for _ in range(3):
        looks(desk, 30)
    assert closing(desk) == []
    assert (last(desk).done, last(desk).text) == (False, "no open orders left, 1 position left (BAC.US long differs)")
    assert last(desk).held == (
        f"BAC.US long of {ACCOUNT}: the broker shows 100, our books 0: find out why, and settle it with `tradeloop reconcile`",
    )
    shown(desk, 0)
    looks(desk)
    assert (last(desk).done, last(desk).held) == (True, ())


def test_what_only_we_hold_is_not_sold_into_a_short_at_the_broker() -> None:
    desk = a_desk(1000)
    shown(desk, 0)
    halt(desk, FLATTEN)
    for _ in range(3):
        looks(desk, 30)
    assert closing(desk) == []
    assert (last(desk).done, last(desk).text) == (False, "no open orders left, 1 position left (BAC.US differs)")
    assert "the broker shows 0, our books 1000" in last(desk).held[0]


def test_no_more_is_closed_than_both_show_not_even_after_the_first_fill() -> None:
    desk = a_desk(1000)
    shown(desk, 600)
    halt(desk, FLATTEN)
    (order,) = closing(desk)
    assert (order.side, order.order_qty) == (Side.SELL, Qty(Decimal(600)))
    assert f"order {order.cl_ord_id} closes it" in last(desk).held[0]
    fills(desk, order, 600)
    for _ in range(3):
        looks(desk, 40)
    assert closing(desk) == [desk.known(order.cl_ord_id)]
    assert not last(desk).done
    assert last(desk).held[0].startswith(f"400 BAC.US of {ACCOUNT}: the broker shows 600, our books 1000")


def test_where_the_broker_shows_more_than_we_do_ours_is_closed_and_the_rest_is_named() -> None:
    desk = a_desk(600)
    shown(desk, 1000)
    halt(desk, FLATTEN)
    (order,) = closing(desk)
    assert order.order_qty == Qty(Decimal(600))
    fills(desk, order, 600)
    looks(desk)
    assert (last(desk).done, last(desk).text.endswith("1 position left (BAC.US long differs)")) == (False, True)


def test_where_the_sides_differ_nothing_is_closed_and_both_are_named() -> None:
    desk = a_desk(1000)
    shown(desk, -200)
    halt(desk, FLATTEN)
    assert closing(desk) == []
    assert (last(desk).done, last(desk).text) == (
        False,
        "no open orders left, 2 positions left (BAC.US differs, BAC.US short differs)",
    )


def test_an_odd_remainder_is_not_sold_where_the_broker_shows_less_than_we_do() -> None:
    desk = a_desk(1000, lot=100, min_qty=100, odd_lot_sell=True)
    shown(desk, 250)
    halt(desk, FLATTEN)
    assert [order.order_qty for order in closing(desk)] == [Qty(Decimal(200))]


def test_a_closing_order_for_more_than_the_broker_turns_out_to_hold_is_taken_back() -> None:
    desk = a_desk(1000)
    halt(desk, FLATTEN)
    (order,) = closing(desk)
    desk.ack(order)
    shown(desk, 300)
    looks(desk)
    assert [effect.cl_ord_id for effect in desk.of(SendCancel)] == [order.cl_ord_id]
    assert "is for more than there is to close" in last(desk).held[0]
    looks(desk)
    assert len(desk.of(SendCancel)) == 1, "its answer is waited for"
    desk.give(CancelAck(BROKER, order.cl_ord_id))
    looks(desk, 5)
    assert [each.order_qty for each in closing(desk)] == [Qty(Decimal(1000)), Qty(Decimal(300))]


@pytest.mark.parametrize("late", [400, 1000])
def test_a_closing_order_for_more_than_is_left_after_a_late_fill_is_taken_back(late: int) -> None:
    desk = a_desk(1000)
    before = desk.order(sell(BAC, 1000))
    desk.ack(before, "p")
    desk.give(CancelAck(BROKER, before.cl_ord_id))
    halt(desk, FLATTEN)
    order = closing(desk)[0]
    desk.ack(order)
    desk.give(an_execution(before.cl_ord_id, BAC, Side.SELL, late, "9.99", "late"))
    looks(desk)
    assert [effect.cl_ord_id for effect in desk.of(SendCancel)] == [order.cl_ord_id]
    desk.give(CancelAck(BROKER, order.cl_ord_id))
    looks(desk, 5)
    assert [int(each.order_qty) for each in closing(desk)[1:]] == [600] * (late == 400)


def test_a_closing_order_that_has_not_left_stays_when_the_broker_turns_out_to_hold_none() -> None:
    desk = a_desk(1000)
    halt(desk, FLATTEN)
    (order,) = closing(desk)
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "NOT_SENT", "reset"))
    sent = len(desk.of(SendOrder))
    shown(desk, 0)
    for _ in range(5):
        looks(desk)
    assert len(desk.of(SendOrder)) == sent
    assert desk.known(order.cl_ord_id).is_done


def test_the_break_of_one_symbol_keeps_no_other_from_being_closed() -> None:
    desk = Desk().opened(an_instrument(MOUTAI), an_instrument(PINGAN), positions={MOUTAI: 1000, PINGAN: 500})
    desk.wait(1)
    desk.give(a_snapshot(as_of=desk.now, asked_at=desk.now, positions={PINGAN: 500}))
    halt(desk, FLATTEN)
    assert [(order.symbol, order.order_qty) for order in closing(desk)] == [(PINGAN, Qty(Decimal(500)))]


def test_a_flatten_of_one_symbol_looks_at_no_break_of_another() -> None:
    desk = a_desk(0)
    shown(desk, 100)
    halt(desk, FLATTEN, HaltScope.SYMBOL, MOUTAI)
    assert last(desk).done


def test_what_is_settled_is_closed() -> None:
    desk = a_desk(0)
    shown(desk, 100)
    halt(desk, FLATTEN)
    desk.give(RepairBreak(next(iter(desk.state.breaks)), "ann", "it came by a transfer"))
    looks(desk)
    assert [(order.side, order.order_qty) for order in closing(desk)] == [(Side.SELL, Qty(Decimal(100)))]


def test_a_difference_that_is_found_wakes_a_flatten_at_rest() -> None:
    desk = a_desk(0)
    halt(desk, FLATTEN)
    looks(desk)
    desk.wait(5)
    shown(desk, 100)
    timer = [one for one in desk.of(SetTimer) if one.kind == "halt"][-1]
    assert (timer.due - desk.now) / SECOND_NS == 1
    looks(desk)
    assert not last(desk).done


def test_a_break_that_trips_a_flatten_is_not_what_it_sells() -> None:
    desk = a_desk(1000)
    desk.give(SetLimits((a_limit("max_break_seconds", 5, tier=FLATTEN),), "x"))
    shown(desk, 0)
    for _ in range(8):
        desk.wait(1)
        desk.give(a_quote(BAC, at=desk.now), TimerFired(RISK_LOOK, ""))
    looks(desk)
    assert [one.tier for one in desk.state.halts.values()] == [FLATTEN]
    assert closing(desk) == []


@pytest.mark.parametrize(("theirs", "qty", "goes"), [(0, 1, False), (600, 601, False), (600, 600, True), (2000, 1000, True)])
def test_under_reduce_only_no_order_closes_more_than_both_show(theirs: int, qty: int, goes: bool) -> None:
    desk = a_desk(1000)
    shown(desk, theirs)
    halt(desk, HaltTier.REDUCE_ONLY)
    if goes:
        desk.order(sell(BAC, qty))
    else:
        assert denied(desk, sell(BAC, qty)).rule == "reduce_only"


def test_under_reduce_only_the_short_leg_goes_by_both_books_too() -> None:
    desk = a_desk(0)
    sold = desk.order(sell(BAC, 100))
    fills(desk, sold, 100)
    shown(desk, 0)
    halt(desk, HaltTier.REDUCE_ONLY)
    assert denied(desk, buy(BAC, 100)).rule == "reduce_only"


@given(ours=st.integers(-500, 500), theirs=st.integers(-500, 500), parts=st.lists(st.integers(1, 200), max_size=6))
def test_whatever_both_show_it_never_leaves_the_broker_with_more_than_it_had(ours: int, theirs: int, parts: list[int]) -> None:
    desk = a_desk(max(ours, 0))
    if ours < 0:
        fills(desk, desk.order(sell(BAC, -ours)), -ours, "s")
    shown(desk, theirs)
    halt(desk, FLATTEN)
    there = theirs
    for number, part in enumerate(parts):
        for order in list(desk.state.orders.open.values()):
            size = min(part, int(order.leaves_qty))
            fills(desk, order, size, f"f{number}")
            there += size if order.side is Side.BUY else -size
        looks(desk, 40)
    assert abs(there) <= abs(theirs)
    assert there * theirs >= 0
    assert last(desk).done is (desk.state.held(ACCOUNT, BAC).is_flat and ours == theirs)
