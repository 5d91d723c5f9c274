"""The clocks: never backwards, and a replayed day at its own speed."""

from __future__ import annotations

import asyncio
import time

import pytest

from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.engine.clock import ReplayClock, WallClock, stopwatch_ns
from tradeloop.testing.builders import NOON


class SystemClock:
    """What the system says: its time of day, which may be set, and its monotonic one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall, self.mono = 1_000_000, 5_000
        monkeypatch.setattr("tradeloop.engine.clock.time.time_ns", lambda: self.wall)
        monkeypatch.setattr("tradeloop.engine.clock.time.monotonic_ns", lambda: self.mono)

    def passes(self, ns: int) -> None:
        self.wall += ns
        self.mono += ns


def test_after_a_step_back_of_the_systems_clock_ours_goes_on_and_meets_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """F61, invariant 40: journal timestamps never decrease, and no time-out waits for the step to pass."""
    system = SystemClock(monkeypatch)
    wall = WallClock()
    assert wall.now() == 1_000_000
    system.wall -= 1_000
    assert wall.now() == 1_000_000
    seen = []
    for _ in range(30):
        system.passes(100)
        seen.append(wall.now())
    assert seen[:3] == [1_000_050, 1_000_100, 1_000_150]
    assert seen == sorted(set(seen))
    assert seen[-1] == system.wall
    assert seen[18] > system.wall - 30 * 100 + 19 * 100  # still ahead just before they meet
    assert seen[20] == system.wall - 900


def test_a_step_forward_of_the_systems_clock_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that slept knows the time when it wakes."""
    system = SystemClock(monkeypatch)
    wall = WallClock()
    wall.now()
    system.wall += 10**12
    assert wall.now() == system.wall


async def test_a_sleep_notices_that_the_clock_was_set_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    """F61: an hour that has passed by the clock is not slept again."""
    monkeypatch.setattr("tradeloop.engine.clock.LOOK_S", 0.01)
    ahead = 0
    real = time.time_ns
    monkeypatch.setattr("tradeloop.engine.clock.time.time_ns", lambda: real() + ahead)
    wall = WallClock()
    sleeping = asyncio.ensure_future(wall.sleep_until(UtcNs(wall.now() + 3_600 * SECOND_NS)))
    await asyncio.sleep(0.02)
    assert not sleeping.done()
    ahead = 3_600 * SECOND_NS
    await asyncio.wait_for(sleeping, 5)


async def test_the_wall_clock_sleeps_until_its_time_has_come() -> None:
    wall = WallClock()
    due = UtcNs(wall.now() + 20_000_000)
    await wall.sleep_until(due)
    assert wall.now() >= due


async def test_a_sleep_whose_time_has_passed_still_lets_others_run() -> None:
    wall = WallClock()
    ran: list[str] = []
    other = asyncio.ensure_future(_note(ran))
    await wall.sleep_until(UtcNs(0))
    await other
    assert ran == ["other"]


async def _note(ran: list[str]) -> None:
    ran.append("other")


def test_a_replayed_day_starts_where_it_is_told_and_runs_at_its_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([5 * SECOND_NS, 6 * SECOND_NS, 8 * SECOND_NS])
    monkeypatch.setattr("tradeloop.engine.clock.time.monotonic_ns", lambda: next(times))
    replay = ReplayClock(NOON, 60)
    assert [(replay.now() - NOON) / SECOND_NS for _ in range(3)] == [0, 60, 180]


async def test_a_minute_of_a_replayed_day_passes_in_a_moment() -> None:
    replay = ReplayClock(NOON, 6_000)
    replay.now()
    await asyncio.wait_for(replay.sleep_until(UtcNs(NOON + 60 * SECOND_NS)), 5)
    assert replay.now() >= NOON + 60 * SECOND_NS


def test_the_stopwatch_never_goes_back() -> None:
    assert stopwatch_ns() <= stopwatch_ns()
