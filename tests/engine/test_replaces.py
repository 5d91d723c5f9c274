"""Replaces on their way to the broker: once, in their order, never before what they change, and never past a cancel."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from tests.engine.made import A, House, lost, only, order_of, placed, settle

from tradeloop.core.commands import CancelOrder, ReplaceOrder
from tradeloop.core.errors import NotSent, Refused
from tradeloop.core.events import OrderReplaced, ReplaceFateLost, ReplaceRejected, ReplaceRequested
from tradeloop.core.reports import CancelAck
from tradeloop.core.types import ClOrdID, OrdStatus, OrdType, Px, Qty
from tradeloop.engine.engine import Engine
from tradeloop.testing.builders import BROKER, buy


def facts(*values: object) -> tuple[object, ...]:
    """Figures of several kinds, to be compared at once."""
    return values


async def working(house: House) -> tuple[Engine, ClOrdID]:
    engine = await house.open()
    cl_ord_id = await placed(engine, buy(A, 100, ord_type=OrdType.LIMIT, price="10.00"))
    await settle()
    return engine, cl_ord_id


def to(cl_ord_id: ClOrdID, qty: int, price: str | None = None) -> ReplaceOrder:
    return ReplaceOrder(cl_ord_id, "ann", Qty(Decimal(qty)), None if price is None else Px(Decimal(price)))


async def test_a_replace_reaches_the_broker_after_it_is_durable_and_its_answer_is_in_force() -> None:
    """The one rule: no broker call before its events are durable."""
    house = House()
    engine, cl_ord_id = await working(house)
    house.journal.gate.clear()
    asking = asyncio.ensure_future(engine.ask(to(cl_ord_id, 200, "9.90")))
    await settle()
    assert house.venue.replaced == []
    house.journal.gate.set()
    await asking
    await settle()
    assert house.venue.replaced == [(cl_ord_id, 1)]
    order = order_of(engine, cl_ord_id)
    assert facts(order.ord_status, order.order_qty, order.price) == (OrdStatus.NEW, 200, Decimal("9.90"))
    await engine.stop()


async def test_replaces_of_one_order_leave_in_the_order_in_which_they_were_asked_for() -> None:
    """FIX D.2: the second builds on the first."""
    house = House()
    engine, cl_ord_id = await working(house)
    slow = asyncio.Event()
    house.venue.moods = [slow]
    await engine.ask(to(cl_ord_id, 200))
    await engine.ask(to(cl_ord_id, 300))
    await settle()
    assert house.venue.replaced == [(cl_ord_id, 1)]
    slow.set()
    await settle()
    assert house.venue.replaced == [(cl_ord_id, 1), (cl_ord_id, 2)]
    assert order_of(engine, cl_ord_id).order_qty == 300
    await engine.stop()


async def test_a_cancel_does_not_wait_for_a_replace_and_lets_no_waiting_one_leave() -> None:
    """You can stop it: a slow replace must not hold a cancel back."""
    house = House()
    engine, cl_ord_id = await working(house)
    slow = asyncio.Event()
    house.venue.moods = [slow]
    await engine.ask(to(cl_ord_id, 200))
    await engine.ask(to(cl_ord_id, 300))
    await settle()
    await engine.ask(CancelOrder(cl_ord_id, "ann"))
    await settle()
    assert house.venue.canceled == [cl_ord_id]
    slow.set()
    await settle()
    assert house.venue.replaced == [(cl_ord_id, 1)]
    assert order_of(engine, cl_ord_id).ord_status is OrdStatus.CANCELED
    await engine.stop()


async def test_a_replace_does_not_leave_when_its_order_has_ended_meanwhile() -> None:
    """Invariant 15. Who has ended is asked for by no halt, either: it would go out under one."""
    house = House()
    engine, cl_ord_id = await working(house)
    slow = asyncio.Event()
    house.venue.moods = [slow]
    await engine.ask(to(cl_ord_id, 200))
    await engine.ask(to(cl_ord_id, 300))
    await settle()
    engine.report(CancelAck(BROKER, cl_ord_id))
    await settle()
    assert order_of(engine, cl_ord_id).ord_status is OrdStatus.CANCELED
    slow.set()
    await settle()
    assert house.venue.replaced == [(cl_ord_id, 1)]
    await engine.stop()


async def test_a_replace_that_surely_did_not_leave_is_not_tried_again_by_itself() -> None:
    """The market has moved on; a person asks again."""
    house = House()
    engine, cl_ord_id = await working(house)
    house.venue.moods = [NotSent("connection refused")]
    await engine.ask(to(cl_ord_id, 200))
    await house.clock.forward(60)
    assert house.venue.replaced == [(cl_ord_id, 1)]
    assert only(house.on_disk(ReplaceRejected)).text == "connection refused"
    assert order_of(engine, cl_ord_id).ord_status is OrdStatus.NEW
    await engine.stop()


async def test_a_refusal_is_kept_in_the_brokers_own_words_and_the_terms_stand() -> None:
    """Invariant 18; S0-57."""
    house = House()
    engine, cl_ord_id = await working(house)
    house.venue.moods = [Refused("-2013", "order has been filled")]
    await engine.ask(to(cl_ord_id, 200))
    await settle()
    rejected = only(house.on_disk(ReplaceRejected))
    assert (rejected.code, rejected.text) == ("-2013", "order has been filled")
    assert order_of(engine, cl_ord_id).order_qty == 100
    await engine.stop()


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_lost_answer_is_settled_by_the_books_and_never_by_asking_again(arrived: bool) -> None:
    """ADR 4: modify is an ambiguous operation too."""
    house = House()
    engine, cl_ord_id = await working(house)
    house.venue.moods = [(lost(),) if arrived else lost()]
    await engine.ask(to(cl_ord_id, 200))
    await settle()
    assert order_of(engine, cl_ord_id).ord_status is OrdStatus.PENDING_REPLACE
    await house.clock.forward(30)
    order = order_of(engine, cl_ord_id)
    assert facts(order.ord_status, order.order_qty) == (OrdStatus.NEW, 200 if arrived else 100)
    assert house.venue.replaced == [(cl_ord_id, 1)]
    await engine.stop()


async def test_a_replace_that_hangs_is_of_unknown_fate_after_its_time() -> None:
    house = House()
    engine, cl_ord_id = await working(house)
    house.venue.moods = ["hang"]
    await engine.ask(to(cl_ord_id, 200))
    await house.clock.forward(6)
    assert only(house.on_disk(ReplaceFateLost)).text == "no answer within 5 s"
    await engine.stop()


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_process_that_dies_with_a_replace_on_its_way_finds_out_and_does_not_ask_twice(arrived: bool) -> None:
    """Invariants 16 to 18 over a crash."""
    house = House()
    engine, cl_ord_id = await working(house)
    house.venue.silent = True
    house.venue.moods = [] if arrived else ["hang"]
    asking = asyncio.ensure_future(engine.ask(to(cl_ord_id, 200)))
    await settle()
    await asking
    await house.kill(engine)
    house.venue.silent = False

    again = await house.open()
    await house.clock.forward(40)
    order = order_of(again, cl_ord_id)
    assert facts(order.ord_status, order.order_qty) == (OrdStatus.NEW, 200 if arrived else 100)
    assert house.venue.replaced == [(cl_ord_id, 1)]
    assert len(house.on_disk(ReplaceRequested)) == 1
    assert len(house.on_disk(OrderReplaced)) == (1 if arrived else 0)
    await again.stop()


async def test_a_replace_asked_for_while_the_engine_stops_is_as_if_never_asked() -> None:
    house = House()
    engine, cl_ord_id = await working(house)
    dispatch = engine._dispatch
    assert dispatch is not None
    dispatch._closed = True
    await engine.ask(to(cl_ord_id, 200))
    await settle()
    assert house.venue.replaced == []
    assert only(house.on_disk(ReplaceRejected)).text == "the engine was stopping"
    dispatch._closed = False
    await engine.stop()
