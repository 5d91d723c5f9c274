"""Due times on the clock. The core asks for them as effects; they come back as TimerFired inputs.

Nothing here is durable, because every due time derives from the state: after a restart core/follow.py asks for them again.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from typing import Final

from tradeloop.core.effects import SetTimer
from tradeloop.core.inputs import TimerFired
from tradeloop.core.types import UtcNs
from tradeloop.ports.clock import Clock

SWEEP_FROM: Final = 4096
"""Fewer entries than this are not worth looking through."""


class Timers:
    """A heap of due times and one task that sleeps until the earliest. `wanted` (kind, subject) says whether anything still
    depends on a timer; what does not is forgotten before its time, so that memory follows what is open, not what has been.
    """

    def __init__(
        self,
        clock: Clock,
        fire: Callable[[TimerFired], None],
        wanted: Callable[[str, str], bool] = lambda _kind, _subject: True,
    ) -> None:
        self._clock = clock
        self._fire = fire
        self._wanted = wanted
        self._sweep_at = SWEEP_FROM
        self._heap: list[tuple[int, int, str, str]] = []
        self._newest: dict[tuple[str, str], int] = {}
        self._count = 0
        self._sooner = asyncio.Event()

    def __len__(self) -> int:
        """How many entries are kept, superseded ones among them."""
        return len(self._heap)

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
        if len(self._heap) >= self._sweep_at:
            self._sweep()

    def _sweep(self) -> None:
        """Forget what was set anew and what nobody waits for any more; the next time when twice as much has gathered."""
        kept = []
        for one in self._heap:
            _, count, kind, subject = one
            if self._newest.get((kind, subject)) != count:
                continue
            if self._wanted(kind, subject):
                kept.append(one)
            else:
                del self._newest[kind, subject]
        heapq.heapify(kept)
        self._heap = kept
        self._sweep_at = max(SWEEP_FROM, 2 * len(kept))

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
