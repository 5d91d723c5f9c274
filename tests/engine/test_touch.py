"""`touch HALT` when nothing else works: the database hangs or fails, the process is killed; whatever starts next is halted."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from benchmarks.last_cancel import Stopped
from tests.engine.made import A, B, House, order_of, outcome, placed

from tradeloop.core.errors import JournalFailed, NotSent
from tradeloop.core.events import Halted
from tradeloop.core.replies import OrderReply
from tradeloop.core.types import OrdStatus, OrdType
from tradeloop.engine.engine import Engine
from tradeloop.engine.guard import LOOK_NS
from tradeloop.engine.latch import FileLatch
from tradeloop.testing.builders import buy

LOOK_S = LOOK_NS / 1e9


async def works(house: House, engine: Engine) -> None:
    """An order is in the market."""
    await placed(engine, buy(A, 100, ord_type=OrdType.LIMIT, price="9.50"))
    assert len(house.venue.placed) == 1


async def is_halted(house: House, engine: Engine, sent: int = 1) -> None:
    """By the file, and nothing leaves any more."""
    assert [event.from_file for event in house.on_disk(Halted)] == [True]
    reply = await engine.ask(buy(B, 100))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert "HALT by the latch file" in reply.denied.text
    assert len(house.venue.placed) == sent
    assert house.venue.canceled == [], "HALT takes nothing out of the market"


async def test_while_no_commit_returns_it_holds_new_orders_back_and_after_a_kill_too(tmp_path: Path) -> None:
    house, latch = House(), FileLatch(tmp_path / "HALT")
    engine = await house.open(house.engine(latch))
    await works(house, engine)
    house.journal.gate.clear()
    asked = asyncio.ensure_future(outcome(engine.ask(buy(B, 100))))
    (tmp_path / "HALT").touch()
    await house.clock.forward(5 * LOOK_S)
    assert not asked.done()
    assert len(house.venue.placed) == 1
    await house.kill(engine)
    asked.cancel()

    engine = await house.open(house.engine(latch))
    await is_halted(house, engine)
    await engine.stop()


async def test_where_the_journal_fails_it_holds_over_every_restart_that_does_not_get_far(tmp_path: Path) -> None:
    house, latch = House(), FileLatch(tmp_path / "HALT")
    engine = await house.open(house.engine(latch))
    await works(house, engine)
    (tmp_path / "HALT").touch()
    house.journal.fails = JournalFailed("disk full")
    assert isinstance(await outcome(engine.ask(buy(B, 100))), JournalFailed)
    with pytest.raises(JournalFailed):
        await engine.stop()

    still = house.engine(latch)
    house.journal.fails = JournalFailed("disk full")
    await still.start()
    house.quote(still)
    await house.clock.forward(LOOK_S)
    with pytest.raises(JournalFailed):
        await still.wait()
    with pytest.raises(JournalFailed):
        await still.stop()
    assert len(house.venue.placed) == 1
    assert house.venue.canceled == []

    engine = await house.open(house.engine(latch))
    await is_halted(house, engine)
    await engine.stop()


async def test_touched_while_nothing_runs_it_halts_what_was_begun_before(tmp_path: Path) -> None:
    """An order that was durable and had not left stays here at the next start."""
    house, latch = House(), FileLatch(tmp_path / "HALT")
    engine = await house.open(house.engine(latch))
    await works(house, engine)
    house.venue.moods.append(NotSent("the line is busy"))
    waiting = await placed(engine, buy(B, 100))
    await house.kill(engine)
    (tmp_path / "HALT").touch()
    engine = await house.open(house.engine(latch))
    for _ in range(20):
        await house.clock.forward(1)
        house.quote(engine)
    assert order_of(engine, waiting).ord_status is OrdStatus.STAGED
    await is_halted(house, engine, sent=2)
    await engine.stop()


@pytest.mark.parametrize("how", ["hangs", "fails"])
async def test_with_a_real_database_gone_no_order_leaves_and_none_is_cancelled(tmp_path: Path, how: str) -> None:
    desk = Stopped(tmp_path)
    await desk.open(5)
    try:
        desk.goes(how)
        desk.halt.touch()
        more = asyncio.ensure_future(outcome(desk.engine.ask(desk.order())))
        await asyncio.sleep(4 * LOOK_S)
        assert (desk.placed, desk.working, len(desk.canceled)) == (5, 5, 0)
        assert more.done() == (how == "fails")
        desk.comes_back()
        answered = await more
        await asyncio.sleep(LOOK_S)
        assert isinstance(answered, JournalFailed) == (how == "fails")
        assert (desk.placed, desk.working, len(desk.canceled)) == (5, 5, 0)
    finally:
        await desk.close()
