"""The only file that reads the time.

`WallClock` is the world's. `ReplayClock` runs a recorded day at a chosen speed, so that paper trading on old quotes takes
minutes and everything with a time-out still works. Both never go backwards, and neither stands still.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from tradeloop.core.types import SECOND_NS, UtcNs

LOOK_S: Final = 1.0
"""The longest sleep without a look at the clock: it may have been set, or the machine may have slept."""


def time_of_day_ns() -> int:
    """The system's clock, which may be set."""
    return time.time_ns()


def stopwatch_ns() -> int:
    """Monotonic nanoseconds for measuring durations of the process itself, never for the flow."""
    return time.monotonic_ns()


class WallClock:
    """The system's clock, made monotonic and never standing.

    After the system's clock was set back, time goes on at half its pace until the two agree again: standing still, no time-out
    would come while an order waits for its answer. Set forward, it is followed at once.

    `shown` and `elapsed` are the machine's two clocks, the one that can be set and the one that cannot; a simulated machine
    brings its own.
    """

    def __init__(self, shown: Callable[[], int] = time_of_day_ns, elapsed: Callable[[], int] = stopwatch_ns) -> None:
        self._shown, self._elapsed = shown, elapsed
        self._last = 0
        self._mono = elapsed()

    def now(self) -> UtcNs:
        """The present, in nanoseconds UTC."""
        mono = self._elapsed()
        self._last = max(self._shown(), self._last + (mono - self._mono) // 2)
        self._mono = mono
        return UtcNs(self._last)

    def elapsed(self) -> int:
        """The clock that cannot be set."""
        return self._elapsed()

    async def sleep_until(self, due: UtcNs) -> None:
        """Return when `now() >= due`; lets others run even when that is already so."""
        while (wait := due - self.now()) > 0:
            await asyncio.sleep(min(wait / SECOND_NS, LOOK_S))
        await asyncio.sleep(0)


class ReplayClock:
    """A clock that starts at `start` and runs `speed` times as fast as the world."""

    def __init__(self, start: UtcNs, speed: float) -> None:
        self._start = start
        self._speed = speed
        self._began: int | None = None

    def now(self) -> UtcNs:
        """The replayed present, in nanoseconds UTC."""
        mono = time.monotonic_ns()
        if self._began is None:
            self._began = mono
        return UtcNs(self._start + int((mono - self._began) * self._speed))

    def elapsed(self) -> int:
        """The replayed day cannot be set."""
        return self.now()

    async def sleep_until(self, due: UtcNs) -> None:
        """Return when the replayed day has reached `due`."""
        while (wait := due - self.now()) > 0:
            await asyncio.sleep(wait / SECOND_NS / self._speed)
        await asyncio.sleep(0)
