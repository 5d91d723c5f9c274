"""Looking at the broker's books: one look at a time, never given up, and never one of a session that is gone."""

from __future__ import annotations

import asyncio

from tests.engine.made import A, House, lost, placed, settle

from tradeloop.core.effects import TakeSnapshot
from tradeloop.core.errors import NotSent
from tradeloop.core.events import (
    BrokerReady,
)
from tradeloop.core.reports import BrokerSnapshot
from tradeloop.core.types import AccountID, UtcNs
from tradeloop.engine.dispatch import Dispatch
from tradeloop.testing.builders import BROKER, buy


async def test_books_that_cannot_be_read_are_asked_for_again_ever_more_rarely() -> None:
    """D9: 1, 2, 4, 8, 16, then every 30 seconds."""
    house = House()
    house.venue.unreadable = 1_000
    engine = house.engine()
    await engine.start()
    tries: list[float] = []
    for second in range(125):
        await settle()
        if len(tries) < house.venue.snapshots:
            tries.append(second)
        await house.clock.forward(1)

    assert tries == [0, 1, 3, 7, 15, 31, 61, 91, 121]
    assert {alert.key for alert in house.alerts} == {"snapshot:paper", "not_ready:paper"}
    await engine.stop()


async def test_reading_the_books_never_gives_up() -> None:
    """D9: a broker whose books come back after an hour is READY after an hour."""
    house = House()
    house.venue.unreadable = 1_000
    engine = house.engine()
    await engine.start()
    await house.clock.forward(3600)
    assert not house.on_disk(BrokerReady)

    house.venue.unreadable = 0
    await house.clock.forward(30)

    assert len(house.on_disk(BrokerReady)) == 1
    await engine.stop()


async def test_a_session_that_comes_back_does_not_wait_for_the_back_off() -> None:
    """D9."""
    house = House()
    engine = await house.open()
    house.venue.moods = [lost()]
    await placed(engine, buy(A, 100))
    house.venue.go_down()
    await house.clock.forward(40)

    house.venue.come_up()
    await settle()

    assert len(house.on_disk(BrokerReady)) == 2
    await engine.stop()


async def test_a_look_that_began_in_the_last_session_does_not_make_this_one_ready() -> None:
    """DESIGN 8: after every connect the books are compared; what happened while we were away is not in an older look."""
    house = House()
    engine = await house.open()
    house.venue.reading = gate = asyncio.Event()
    await house.clock.forward(30)
    house.venue.go_down()
    house.venue.come_up()
    await settle()
    house.venue.reading = None
    gate.set()
    looks = house.venue.snapshots
    await settle()

    assert looks == 3
    assert len(house.on_disk(BrokerReady)) == 2
    await engine.stop()


async def test_one_look_at_a_time_and_one_more_for_all_that_asked_meanwhile() -> None:
    house = House()
    gate = asyncio.Event()
    looks: list[int] = []

    class Slow(type(house.venue)):  # type: ignore[misc]
        async def snapshot(self, executions_since: UtcNs | None = None) -> BrokerSnapshot:
            looks.append(1)
            await gate.wait()
            raise NotSent("closed")

    dispatch = Dispatch({BROKER: Slow()}, house.clock, lambda given: None, lambda timer: None, house.alerts.append)
    wish = TakeSnapshot(BROKER, AccountID("demo"), "periodic", house.clock.now())
    dispatch.act([wish] * 5)
    await settle()
    assert len(looks) == 1
    dispatch.act([wish] * 5)
    gate.set()
    await settle()
    await house.clock.forward(0.5)
    assert len(looks) == 1
    await dispatch.close()
    dispatch.failed.cancel()
