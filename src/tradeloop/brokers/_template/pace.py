"""The venue's rate limit, kept on our side: so many requests within any second, and the next one waits its turn."""

from __future__ import annotations

from collections import deque

from tradeloop.core.errors import NotSent
from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.ports.clock import Clock

MARGIN_NS = SECOND_NS // 20
"""Two requests a second apart here may be closer together where they arrive."""


class Pace:
    """Lets requests through in the order they come; None is no limit."""

    def __init__(self, rate_per_second: int | None, clock: Clock) -> None:
        self._rate = rate_per_second
        self._clock = clock
        self._turns: deque[UtcNs] = deque()

    async def turn(self, within_ns: int) -> None:
        """Return when one more request may leave. Raises NotSent when that is not so within the time given."""
        if self._rate is None:
            return
        now = self._clock.now()
        due = now
        if len(self._turns) >= self._rate:
            due = UtcNs(max(now, self._turns[-self._rate] + SECOND_NS + MARGIN_NS))
        if due - now > within_ns:
            raise NotSent(f"the venue takes {self._rate} requests a second, and the turn of this one is too far away")
        self._turns.append(due)
        while len(self._turns) > self._rate:
            self._turns.popleft()
        if due > now:
            await self._clock.sleep_until(due)
