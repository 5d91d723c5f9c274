"""Due times on the clock: fired in order, the sooner one first, and each thing once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.engine.made import ManualClock, settle

from tradeloop.core.effects import SetTimer
from tradeloop.core.inputs import TimerFired
from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.engine.timers import SWEEP_FROM, Timers
from tradeloop.testing.builders import NOON


class Running:
    """Timers on a manual clock, and what they fired when."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.fired: list[tuple[float, str]] = []
        self.timers = Timers(self.clock, self._fire)

    def _fire(self, timer: TimerFired) -> None:
        self.fired.append(((self.clock.now() - NOON) / SECOND_NS, timer.subject))

    def at(self, seconds: float, subject: str, kind: str = "probe") -> None:
        self.timers.set(SetTimer(UtcNs(NOON + int(seconds * SECOND_NS)), kind, subject))


@asynccontextmanager
async def running() -> AsyncIterator[Running]:
    """Timers that run inside the block."""
    it = Running()
    task = asyncio.create_task(it.timers.run())
    await settle()
    yield it
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_timers_fire_in_the_order_of_their_time_whatever_order_they_were_set_in() -> None:
    async with running() as it:
        for seconds in (3, 1, 2):
            it.at(seconds, f"t{seconds}")
        await it.clock.forward(10)
        assert it.fired == [(1, "t1"), (2, "t2"), (3, "t3")]


async def test_timers_of_one_moment_fire_in_the_order_in_which_they_were_set() -> None:
    async with running() as it:
        for subject in ("c", "a", "b"):
            it.at(1, subject)
        await it.clock.forward(1)
        assert [subject for _, subject in it.fired] == ["c", "a", "b"]


async def test_a_sooner_timer_wakes_the_sleeper() -> None:
    async with running() as it:
        it.at(60, "late")
        await it.clock.forward(1)
        it.at(2, "soon")
        await it.clock.forward(1)
        assert it.fired == [(2, "soon")]
        await it.clock.forward(58)
        assert it.fired == [(2, "soon"), (60, "late")]


async def test_a_timer_fires_once_and_not_before_its_time() -> None:
    async with running() as it:
        it.at(5, "x")
        await it.clock.forward(4.999)
        assert it.fired == []
        await it.clock.forward(0.001)
        await it.clock.forward(100)
        assert it.fired == [(5, "x")]


async def test_a_timer_whose_time_has_passed_fires_at_once() -> None:
    """After a restart most of them have."""
    async with running() as it:
        it.at(-10, "overdue")
        await settle()
        assert it.fired == [(0, "overdue")]


async def test_a_timer_set_again_replaces_the_one_before() -> None:
    """A broker that reconnects often is not looked at the more often for it."""
    async with running() as it:
        it.at(5, "paper|demo", kind="reconcile")
        it.at(8, "paper|demo", kind="reconcile")
        it.at(6, "paper|demo", kind="probe")
        await it.clock.forward(10)
        assert it.fired == [(6, "paper|demo"), (8, "paper|demo")]


async def test_a_timer_may_be_set_again_after_it_fired() -> None:
    async with running() as it:
        for seconds in (1, 2, 3):
            it.at(seconds, "x")
            await it.clock.forward(1)
        assert [seconds for seconds, _ in it.fired] == [1, 2, 3]


async def test_timers_set_before_the_run_begins_are_not_forgotten() -> None:
    it = Running()
    it.at(1, "early")
    task = asyncio.create_task(it.timers.run())
    await it.clock.forward(1)
    assert it.fired == [(1, "early")]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_timers_that_nobody_waits_for_any_more_are_forgotten_before_their_time() -> None:
    """Memory follows the orders that are open, not those there have been."""
    done: set[str] = set()
    fired: list[str] = []
    clock = ManualClock()
    timers = Timers(clock, lambda timer: fired.append(timer.subject), lambda _, subject: subject not in done)
    for number in range(20 * SWEEP_FROM):
        timers.set(SetTimer(UtcNs(NOON + 3_600 * SECOND_NS), "order_timeout", f"t{number}"))
        if number >= 10:
            done.add(f"t{number}")
        assert len(timers) <= SWEEP_FROM
    task = asyncio.create_task(timers.run())
    await clock.forward(3_600)
    assert fired[:10] == [f"t{number}" for number in range(10)]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_timer_set_again_and_again_keeps_one_place() -> None:
    async with running() as it:
        for number in range(3 * SWEEP_FROM):
            it.at(10 + number / 1_000_000, "paper|demo", kind="reconcile")
            assert len(it.timers) <= SWEEP_FROM
        await it.clock.forward(11)
        assert len(it.fired) == 1
        assert len(it.timers) == 0
