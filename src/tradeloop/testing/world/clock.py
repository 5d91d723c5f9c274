"""The world's time as one process reads it: right, ahead, behind or drifting, and never going backwards within the process.

It keeps what `engine/clock.py` promises of the system's clock: a step back holds it still until it has passed, and a sleep
is asked of the machine in seconds and checked again when it ends.
"""

from __future__ import annotations

import asyncio

from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.testing.world.loop import Timeline, VirtualLoop


class Sundial:
    """The wall clock of the machine that processes run on: the world's time, plus what an operator or NTP did to it."""

    def __init__(self, timeline: Timeline, start: UtcNs) -> None:
        self._timeline = timeline
        self._start = start
        self.offset_ns = 0
        self.drift_ppm = 0

    @property
    def is_right(self) -> bool:
        """Whether it shows the time that it is."""
        return not self.offset_ns and not self.drift_ppm

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


class WorldClock:
    """The Clock port of one process."""

    def __init__(self, sundial: Sundial, loop: VirtualLoop) -> None:
        self._sundial = sundial
        self._loop = loop
        self._last = 0

    @property
    def ahead_ns(self) -> int:
        """How far this process is ahead of its machine, whose clock went back."""
        return max(self._last - self._sundial.shown(), 0)

    def now(self) -> UtcNs:
        """The time the machine shows, held still where it went back."""
        self._last = max(self._last, self._sundial.shown())
        return UtcNs(self._last)

    async def sleep_until(self, due: UtcNs) -> None:
        """Return when `now() >= due`; lets others run even when that is already so."""
        while (wait := due - self.now()) > 0:
            await self.rest(wait)
        await self.rest(0)

    async def rest(self, wait_ns: int) -> None:
        """Let so much time of the world pass, or let the others run."""
        waking = self._loop.create_future()
        timer: asyncio.Handle
        if wait_ns:
            timer = self._loop.call_later(wait_ns / SECOND_NS, _wake, waking)
        else:
            timer = self._loop.call_soon(_wake, waking)
        try:
            await waking
        finally:
            timer.cancel()


def _wake(waking: asyncio.Future[None]) -> None:
    if not waking.done():
        waking.set_result(None)


class TrueClock:
    """The time that it is, for those in the world whose clocks are right: the venue, the database."""

    def __init__(self, sundial: Sundial, loop: VirtualLoop) -> None:
        self._inner = WorldClock(sundial, loop)
        self._sundial = sundial

    def now(self) -> UtcNs:
        """The time that it is."""
        return self._sundial.true()

    async def sleep_until(self, due: UtcNs) -> None:
        """Return when it is `due`."""
        while (wait := due - self.now()) > 0:
            await self._inner.rest(wait)
