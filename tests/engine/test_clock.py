"""The clocks: never backwards, and a replayed day at its own speed."""

from __future__ import annotations

import asyncio

import pytest

from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.engine.clock import ReplayClock, WallClock, stopwatch_ns
from tradeloop.testing.builders import NOON


def test_a_step_back_of_the_systems_clock_holds_ours_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """F61, invariant 40: journal timestamps never decrease."""
    times = iter([1_000, 2_000, 1_500, 1_999, 2_001])
    monkeypatch.setattr("tradeloop.engine.clock.time.time_ns", lambda: next(times))
    wall = WallClock()
    assert [wall.now() for _ in range(5)] == [1_000, 2_000, 2_000, 2_000, 2_001]


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
