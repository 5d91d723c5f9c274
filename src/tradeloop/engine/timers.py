"""Due times on the clock. The core asks for them as effects; they come back as TimerFired inputs.

Nothing here is durable, because every due time derives from the state: after a restart core/follow.py asks for them again.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable

from tradeloop.core.effects import SetTimer
from tradeloop.core.inputs import TimerFired
from tradeloop.core.types import UtcNs
from tradeloop.ports.clock import Clock


class Timers:
    """A heap of due times and one task that sleeps until the earliest."""

    def __init__(self, clock: Clock, fire: Callable[[TimerFired], None]) -> None:
        self._clock = clock
        self._fire = fire
        self._heap: list[tuple[int, int, str, str]] = []
        self._newest: dict[tuple[str, str], int] = {}
        self._count = 0
        self._sooner = asyncio.Event()

    def set(self, timer: SetTimer) -> None:
        """Remember a due time, in the place of an older one for the same thing: a broker that reconnects a hundred times a day
        is not looked at a hundred times as often.
        """
        self._count += 1
        self._newest[timer.kind, timer.subject] = self._count
        earliest = self._heap[0][0] if self._heap else None
        heapq.heappush(self._heap, (timer.due, self._count, timer.kind, timer.subject))
        if earliest is None or timer.due < earliest:
            self._sooner.set()

    async def run(self) -> None:
        """Fire what is due, until cancelled."""
        while True:
            now = self._clock.now()
            while self._heap and self._heap[0][0] <= now:
                _, count, kind, subject = heapq.heappop(self._heap)
                if self._newest.get((kind, subject)) == count:
                    del self._newest[kind, subject]
                    self._fire(TimerFired(kind, subject))
            self._sooner.clear()
            if not self._heap:
                await self._sooner.wait()
                continue
            await self._sleep(self._heap[0][0])

    async def _sleep(self, due: int) -> None:
        """Until `due` on the clock, or until something sooner is set."""
        sleeping = asyncio.ensure_future(self._clock.sleep_until(UtcNs(due)))
        sooner = asyncio.ensure_future(self._sooner.wait())
        try:
            await asyncio.wait((sleeping, sooner), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            sooner.cancel()
