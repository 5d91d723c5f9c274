"""The engine as a whole: start, stop, kill and start again; nothing before READY, nothing twice, nothing lost."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from tests.core.runs_made import a_run, prices
from tests.engine.made import A, B, House, only, order_of, outcome, placed, settle

from tradeloop.core.events import (
    BrokerReady,
    RunEnded,
)
from tradeloop.core.replies import OrderReply, RunReply
from tradeloop.core.types import OrdStatus, RunStatus
from tradeloop.engine.supervise import first_failure
from tradeloop.testing.builders import an_execution, buy, sell

# --- one life


async def test_an_order_goes_out_is_acknowledged_and_fills() -> None:
    house = House()
    engine = await house.open()
    cl_ord_id = await placed(engine, buy(A, 200))
    assert order_of(engine, cl_ord_id).ord_status is OrdStatus.NEW

    house.venue.fill(cl_ord_id, 50)
    await settle()
    assert order_of(engine, cl_ord_id).ord_status is OrdStatus.PARTIALLY_FILLED
    house.venue.fill(cl_ord_id)
    await settle()

    assert order_of(engine, cl_ord_id).ord_status is OrdStatus.FILLED
    assert engine.state.held(house.venue.account, A).long_qty == 200
    await engine.stop()


async def test_nothing_is_sent_before_the_broker_is_ready() -> None:
    """DESIGN 8."""
    house = House()
    house.venue.up = False
    engine = await house.open()
    reply = await outcome(engine.ask(buy(A, 100)))
    assert not isinstance(reply, OrderReply) or reply.denied is not None
    assert house.venue.placed == []

    house.venue.come_up()
    await settle()
    await placed(engine, buy(A, 100))
    assert len(house.venue.placed) == 1
    await engine.stop()


async def test_after_a_reconnect_nothing_is_sent_until_the_books_were_compared() -> None:
    house = House()
    engine = await house.open()
    house.venue.go_down()
    house.venue.unreadable = 1
    house.venue.come_up()
    reply = await engine.ask(buy(A, 100))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert reply.denied.rule == "broker_ready"

    await house.clock.forward(1)
    assert len(house.on_disk(BrokerReady)) == 2
    await placed(engine, buy(A, 100))
    await engine.stop()


async def test_a_fill_that_was_missed_is_found_by_the_next_look() -> None:
    """Invariant 36."""
    house = House()
    engine = await house.open()
    cl_ord_id = await placed(engine, buy(A, 200))
    house.venue.fill(cl_ord_id, heard=False)
    await house.clock.forward(30)

    assert order_of(engine, cl_ord_id).ord_status is OrdStatus.FILLED
    assert not engine.state.breaks
    await engine.stop()


async def test_quiet_hours_write_nothing() -> None:
    """Invariant 37: looks that find nothing new leave no trace."""
    house = House()
    engine = await house.open()
    rows = len(house.store.rows)
    await house.clock.forward(600)
    assert house.venue.snapshots == 21
    assert len(house.store.rows) == rows
    await engine.stop()


async def test_many_reconnects_do_not_multiply_the_looks() -> None:
    house = House()
    engine = await house.open()
    for _ in range(20):
        house.venue.go_down()
        house.venue.come_up()
        await settle()
    looks = house.venue.snapshots
    await house.clock.forward(300)
    assert house.venue.snapshots == looks + 10
    await engine.stop()


async def test_a_preview_answers_from_memory_and_writes_nothing() -> None:
    house = House()
    engine = await house.open()
    before, rows = engine.state.hash(), len(house.store.rows)
    seen = engine.preview(a_run({A: "0.1"}, prices=prices(A, B)))
    assert [line.order_qty for line in seen.lines] == [Decimal(10_000)]
    assert (engine.state.hash(), len(house.store.rows)) == (before, rows)
    await engine.stop()


async def test_a_run_is_worked_to_its_end() -> None:
    """S0-39, S0-49."""
    house = House()
    engine = await house.open()
    reply = await engine.ask(a_run({A: "0.1", B: "0.2"}, prices=prices(A, B)))
    assert isinstance(reply, RunReply)
    await settle()
    for cl_ord_id in list(house.venue.orders):
        house.venue.fill(cl_ord_id)
    await settle()
    assert only(house.on_disk(RunEnded)).status is RunStatus.COMPLETED
    await engine.stop()


async def test_a_report_of_an_unknown_account_does_not_end_the_engine() -> None:
    house = House()
    house.venue.up = False
    engine = house.engine()
    await engine.start()
    engine.report(an_execution(None, A, sell(A, 1).side, 100, 10, order_id="h1"))
    await settle()
    house.venue.come_up()
    await settle()
    assert len(house.on_disk(BrokerReady)) == 1
    await engine.stop()


# --- stop


async def test_stopping_keeps_a_snapshot_gives_the_lease_back_and_the_next_start_has_no_tail() -> None:
    house = House()
    engine = await house.open()
    await placed(engine, buy(A, 100))
    await engine.stop()

    assert house.store.holder is None
    assert house.store.snapshots[0].seq == house.store.rows[-1].last_seq
    assert house.store.snapshots[0].state_hash == house.replayed() == engine.state.hash()

    again = await house.open()
    assert again.tail_events == 0
    await again.stop()


async def test_what_was_asked_before_the_stop_is_answered() -> None:
    house = House()
    engine = await house.open()
    replies = [asyncio.ensure_future(engine.ask(buy(A, 100))) for _ in range(10)]
    await settle()
    await engine.stop()
    assert [type(await reply) for reply in replies] == [OrderReply] * 10


async def test_waiting_for_an_engine_that_is_stopped_returns() -> None:
    house = House()
    engine = await house.open()
    waiting = asyncio.ensure_future(engine.wait())
    assert not waiting.done()
    await engine.stop()
    await asyncio.wait_for(waiting, 1)


async def test_an_engine_that_was_never_started_stops_quietly() -> None:
    house = House()
    await house.engine().stop()
    assert house.store.rows == []


async def test_the_first_of_the_lasting_tasks_that_fails_takes_the_others_with_it() -> None:
    """There is no going on after a broken promise."""
    cancelled: list[str] = []

    async def lasts() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append("lasts")

    async def fails() -> None:
        await asyncio.sleep(0)
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await first_failure({"one": lasts(), "two": fails()})
    assert cancelled == ["lasts"]
