"""Killed and started again: the disk decides what was, the venue is asked for the rest; nothing twice, nothing lost."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from tests.core.runs_made import a_run, prices
from tests.engine.made import A, B, House, lost, only, order_of, outcome, placed, settle

from tradeloop.core.commands import CancelOrder, CancelRun
from tradeloop.core.events import (
    EngineStarted,
    FateLost,
    OrderStaged,
    RunEnded,
    SendBegun,
    StopTriggered,
    Traded,
)
from tradeloop.core.replies import OrderReply, RunReply
from tradeloop.core.types import SECOND_NS, OrdStatus, OrdType, RunStatus
from tradeloop.engine.engine import Engine
from tradeloop.testing.builders import a_quote, buy, sell


async def killed(house: House, engine: Engine) -> Engine:
    """The process dies; a new one starts."""
    await house.kill(engine)
    return await house.open()


async def test_a_killed_engine_resumes_with_the_state_of_its_disk() -> None:
    """Invariant 32."""
    house = House()
    engine = await house.open()
    house.venue.fill(await placed(engine, buy(A, 200)), 50)
    await settle()
    before = engine.state
    again = await killed(house, engine)

    assert again.state.held(house.venue.account, A).long_qty == 50
    assert house.replayed() == again.state.hash()
    assert list(again.state.orders.open) == list(before.orders.open)
    assert [event.epoch for event in house.on_disk(EngineStarted)] == [1, 2]
    assert len(house.venue.placed) == 1
    await again.stop()


async def test_a_fill_while_nobody_was_there_is_booked_once() -> None:
    house = House()
    engine = await house.open()
    cl_ord_id = await placed(engine, buy(A, 200))
    await house.kill(engine)
    fill = house.venue.fill(cl_ord_id)

    again = await house.open()
    again.report(fill)
    await settle()

    assert len(house.on_disk(Traded)) == 1
    assert order_of(again, cl_ord_id).ord_status is OrdStatus.FILLED
    assert not again.state.breaks
    await again.stop()


async def test_killed_before_the_commit_nothing_was_sent_and_nothing_is_remembered() -> None:
    """F42: between append and fsync."""
    house = House()
    engine = await house.open()
    house.journal.gate.clear()
    reply = asyncio.ensure_future(engine.ask(buy(A, 100)))
    await settle()
    again = await killed(house, engine)
    await house.clock.forward(30)

    assert isinstance(await outcome(reply), BaseException)
    assert house.venue.placed == []
    assert not house.on_disk(OrderStaged)
    await again.stop()


async def test_killed_between_commit_and_wire_the_order_is_sent_once_after_proof() -> None:
    """F43: durable, not sent; the books prove it."""
    house = House()
    engine = await house.open()
    assert engine._dispatch is not None
    engine._dispatch.act = lambda effects: None  # type: ignore[method-assign]
    assert engine._writer is not None
    engine._writer._act = lambda effects: None
    await placed(engine, buy(A, 100))
    assert house.venue.placed == []
    again = await killed(house, engine)
    assert len(house.on_disk(FateLost)) == 1

    await house.clock.forward(20)

    assert len(house.venue.placed) == 1
    assert len(house.on_disk(OrderStaged)) == 1
    assert order_of(again, house.venue.placed[0]).ord_status is OrdStatus.NEW
    await again.stop()


async def test_killed_between_wire_and_answer_the_order_is_found_and_not_doubled() -> None:
    """F44, invariant 1."""
    house = House()
    engine = await house.open()
    house.venue.silent = True
    cl_ord_id = await placed(engine, buy(A, 100))
    house.venue.silent = False
    again = await killed(house, engine)
    await house.clock.forward(60)

    assert house.venue.placed == [cl_ord_id]
    assert order_of(again, cl_ord_id).ord_status is OrdStatus.NEW
    await again.stop()


async def test_a_request_repeated_after_a_crash_makes_no_second_order() -> None:
    """Invariant 4."""
    house = House()
    engine = await house.open()
    first = await engine.ask(buy(A, 100, request_id="r1"))
    assert isinstance(first, OrderReply)
    again = await killed(house, engine)
    assert await again.ask(buy(A, 100, request_id="r1")) == OrderReply(first.cl_ord_id, repeat=True)
    await settle()
    assert len(house.on_disk(OrderStaged)) == 1
    await again.stop()


async def test_killed_five_times_while_recovering_the_order_is_still_one() -> None:
    """F45: a crash loop."""
    house = House()
    engine = await house.open()
    house.venue.moods = [(lost(),)]
    cl_ord_id = await placed(engine, buy(A, 100))
    for _ in range(5):
        await house.kill(engine)
        engine = house.engine()
        await engine.start()
        for _ in range(7):
            await asyncio.sleep(0)
    await house.kill(engine)
    again = await house.open()
    await house.clock.forward(30)

    assert house.venue.placed == [cl_ord_id]
    assert order_of(again, cl_ord_id).ord_status is OrdStatus.NEW
    assert house.replayed() == again.state.hash()
    await again.stop()


async def test_a_time_out_that_fell_into_the_dead_time_is_kept() -> None:
    """S1-58: a restart forgets none."""
    house = House()
    engine = await house.open()
    await engine.ask(a_run({A: "0.1"}, prices=prices(A, B), order_timeout_ns=30 * SECOND_NS))
    await settle()
    await house.kill(engine)
    await house.clock.forward(45)

    again = await house.open()
    await house.clock.forward(1)

    assert set(house.venue.canceled) == set(house.venue.placed)
    assert only(house.on_disk(RunEnded)).todo == (1,)
    await again.stop()


async def test_a_time_out_still_to_come_is_armed_again() -> None:
    """S1-58."""
    house = House()
    engine = await house.open()
    await engine.ask(a_run({A: "0.1"}, prices=prices(A, B), order_timeout_ns=30 * SECOND_NS))
    await settle()
    again = await killed(house, engine)
    await house.clock.forward(29)
    assert house.venue.canceled == []

    await house.clock.forward(1)

    assert house.venue.canceled == house.venue.placed
    await again.stop()


async def test_a_cancel_that_was_not_answered_before_the_crash_is_asked_again() -> None:
    """S1-51: before the session is up it could not be delivered, and must not be forgotten for that."""
    house = House()
    engine = await house.open()
    cl_ord_id = await placed(engine, buy(A, 100))
    house.venue.moods = ["nobody hears it"]
    assert engine._writer is not None
    engine._writer._act = lambda effects: None
    await engine.ask(CancelOrder(cl_ord_id, "ann"))
    await settle()
    assert house.venue.canceled == []

    again = await killed(house, engine)

    assert house.venue.canceled == [cl_ord_id]
    assert order_of(again, cl_ord_id).ord_status is OrdStatus.CANCELED
    await again.stop()


async def test_a_run_cancelled_while_the_session_was_down_ends_when_it_is_back() -> None:
    """S0-40."""
    house = House()
    engine = await house.open()
    reply = await engine.ask(a_run({A: "0.1"}, prices=prices(A, B)))
    assert isinstance(reply, RunReply)
    assert reply.run_id is not None
    await settle()
    house.venue.go_down()
    await settle()
    await engine.ask(CancelRun(reply.run_id, "ann"))
    await settle()
    assert not house.on_disk(RunEnded)

    house.venue.come_up()
    await house.clock.forward(1)

    assert only(house.on_disk(RunEnded)).status is RunStatus.CANCELED
    await engine.stop()


async def test_a_run_that_was_killed_in_its_middle_ends_as_if_nothing_had_been() -> None:
    """Issue 2, done when."""
    house = House(cash=0)
    house.venue.positions[A] = Decimal(1000)
    engine = await house.open()
    await engine.ask(a_run({A: 0, B: "0.9"}, prices=prices(A, B)))
    await settle()
    (first,) = house.venue.placed
    await house.kill(engine)
    house.venue.fill(first)

    again = await house.open()
    await house.clock.forward(5)
    for cl_ord_id in house.venue.placed[1:]:
        house.venue.fill(cl_ord_id)
    await settle()

    assert len(house.venue.placed) == len(house.on_disk(SendBegun)) == 2
    assert {s: q for s, q in house.venue.positions.items() if q} == {B: Decimal(900)}
    assert again.state.held(house.venue.account, B).long_qty == 900
    assert only(house.on_disk(RunEnded)).todo == ()
    assert not again.state.breaks
    await again.stop()


async def test_a_quote_that_waits_at_the_start_triggers_nothing_before_ready() -> None:
    """Nothing is sent before READY: the last process's READY is not ours."""
    house = House()
    house.venue.positions[A] = Decimal(200)
    engine = await house.open()
    stop = await placed(engine, sell(A, 200, ord_type=OrdType.STOP, stop_px="9.50"))
    assert house.venue.placed == []
    await house.kill(engine)
    house.venue.unreadable = 3

    again = house.engine()
    again.quote(a_quote(A, bid="9.40", ask="9.41", at=house.clock.now()))
    await again.start()
    await settle()

    assert house.venue.placed == []
    house.venue.unreadable = 0
    await house.clock.forward(2)
    again.quote(a_quote(A, bid="9.40", ask="9.41", at=house.clock.now()))
    await settle()
    assert house.venue.placed == [stop]
    assert only(house.on_disk(StopTriggered)).cl_ord_id == stop
    await again.stop()
