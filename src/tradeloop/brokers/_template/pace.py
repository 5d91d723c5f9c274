"""The venue's rate limit, kept on our side: so many requests within any second, and the next one waits its turn.

A request counts until a second after its answer: the venue counted it somewhere between our sending and that. Counted from the
sending alone, a slow way there would let two bursts meet at the venue.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tradeloop.core.errors import NotSent
from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.ports.clock import Clock


class Pace:
    """Lets requests through in the order they come; None is no limit."""

    def __init__(self, rate_per_second: int | None, clock: Clock) -> None:
        self._rate = rate_per_second
        self._clock = clock
        self._first = asyncio.Lock()
        self._asking = 0
        self._answered: deque[UtcNs] = deque()
        self._one_answered = asyncio.Event()

    @asynccontextmanager
    async def turn(self, within_ns: int) -> AsyncIterator[None]:
        """Enter when one more request may leave; leave when it has its answer. Raises NotSent when the turn is too far away."""
        if self._rate is None:
            yield
            return
        try:
            async with asyncio.timeout(within_ns / SECOND_NS), self._first:
                await self._room(self._rate)
        except TimeoutError:
            text = f"the venue takes {self._rate} requests a second, and the turn of this one did not come in time"
            raise NotSent(text) from None
        self._asking += 1
        try:
            yield
        finally:
            self._asking -= 1
            self._answered.append(self._clock.now())
            self._one_answered.set()

    async def _room(self, rate: int) -> None:
        while True:
            now = self._clock.now()
            while self._answered and self._answered[0] <= now - SECOND_NS:
                self._answered.popleft()
            if self._asking + len(self._answered) < rate:
                return
            if self._answered:
                await self._clock.sleep_until(UtcNs(self._answered[0] + SECOND_NS))
            else:
                self._one_answered.clear()
                await self._one_answered.wait()
