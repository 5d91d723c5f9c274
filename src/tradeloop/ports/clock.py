"""Time as the engine sees it: a wall clock, a replayed day or a simulated one."""

from __future__ import annotations

from typing import Protocol

from tradeloop.core.types import UtcNs


class Clock(Protocol):
    """The only source of time. It never goes backwards within a process."""

    def now(self) -> UtcNs:
        """The present, in nanoseconds UTC."""
        ...

    def elapsed(self) -> int:
        """Nanoseconds since a moment of its own, by a clock that nobody can set: for differences alone."""
        ...

    async def sleep_until(self, due: UtcNs) -> None:
        """Return when `now() >= due`; at once when that is already so."""
        ...
