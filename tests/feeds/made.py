"""What the feeds' tests are made of: a clock that jumps to where a sleeper wants to be, and files written for one test."""

from __future__ import annotations

import gzip
from datetime import datetime
from pathlib import Path

from tradeloop.core.types import Symbol, TradingDay, UtcNs


class JumpingClock:
    """Sleeping moves it; it remembers every moment it was asked to reach."""

    def __init__(self, now: int = 0) -> None:
        self._now = UtcNs(now)
        self.reached: list[UtcNs] = []

    def now(self) -> UtcNs:
        return self._now

    def elapsed(self) -> int:
        return self._now

    async def sleep_until(self, due: UtcNs) -> None:
        self._now = max(self._now, due)
        self.reached.append(due)


def ns(text: str) -> UtcNs:
    """An RFC 3339 time in nanoseconds."""
    return UtcNs(int(datetime.fromisoformat(text).timestamp()) * 1_000_000_000)


def written(path: Path, *lines: str) -> Path:
    """A CSV file with these lines, gzipped when its name says so."""
    data = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def shanghai(symbol: Symbol, day: TradingDay) -> tuple[UtcNs, UtcNs]:
    """Continuous trading of the A-share day, 09:30 to 15:00."""
    return ns(f"{day}T09:30:00+08:00"), ns(f"{day}T15:00:00+08:00")
