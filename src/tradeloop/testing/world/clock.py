"""The wall clock of the machine that processes run on: right, ahead, behind or drifting.

What a process makes of it is the product's own `engine/clock.py`, over this clock and the one that cannot be set.
"""

from __future__ import annotations

import asyncio

from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.engine.clock import WallClock
from tradeloop.testing.world.loop import Timeline


class Sundial:
    """The world's time, plus what an operator or NTP did to the machine's clock."""

    def __init__(self, timeline: Timeline, start: UtcNs) -> None:
        self._timeline = timeline
        self._start = start
        self.offset_ns = 0
        self.drift_ppm = 0

    def set_right(self) -> None:
        """NTP or a person corrects it."""
        self.offset_ns = self.drift_ppm = 0

    def true(self) -> UtcNs:
        """The time that it is."""
        return UtcNs(self._start + self._timeline.now)

    def shown(self) -> UtcNs:
        """The time that the machine shows."""
        now = self._timeline.now
        return UtcNs(self._start + now + self.offset_ns + now * self.drift_ppm // 1_000_000)

    def elapsed(self) -> int:
        """The clock that nobody can set."""
        return self._timeline.now

    def clock(self) -> WallClock:
        """The Clock port of one process on this machine."""
        return WallClock(self.shown, self.elapsed)


class TrueClock:
    """The Clock port of those whose machines are right: the venue."""

    def __init__(self, sundial: Sundial) -> None:
        self._sundial = sundial

    def now(self) -> UtcNs:
        """The time that it is."""
        return self._sundial.true()

    def elapsed(self) -> int:
        """It cannot be set either."""
        return self._sundial.elapsed()

    async def sleep_until(self, due: UtcNs) -> None:
        """Return when it is `due`."""
        loop = asyncio.get_running_loop()
        while (wait := due - self.now()) > 0:
            woken = loop.create_future()
            loop.call_later(wait / SECOND_NS, woken.set_result, None)
            await woken
