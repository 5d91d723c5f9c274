"""The market's last minute, as its quotes show it: how much traded, and from which price it came.

Volatile as quotes are, and kept only while a limit asks for it; a new process knows a minute's volume a minute after its first
quote, and what it saw until then.
"""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal
from typing import Final

from tradeloop.core.activity import WINDOW_NS
from tradeloop.core.lately import Flow
from tradeloop.core.reports import Quote
from tradeloop.core.types import ZERO, UtcNs

_TRIM_AT: Final = 4096


class Minute:
    """Volumes and prices of one symbol."""

    __slots__ = ("_at", "_px", "_volumes", "says_volume")

    def __init__(self) -> None:
        self._volumes = Flow()
        self.says_volume = False
        """Whether the feed says how much traded."""
        self._at: list[UtcNs] = []
        self._px: list[Decimal] = []

    def take(self, quote: Quote) -> None:
        """A quote that counts."""
        if quote.volume is not None:
            self.says_volume = True
            self._volumes.add(quote.at, quote.volume)
        px = quote.mid_or_last
        if px is None:
            return
        self._at.append(max(quote.at, self._at[-1]) if self._at else quote.at)
        self._px.append(px)
        if len(self._at) > _TRIM_AT and self._at[len(self._at) // 2] <= quote.at - WINDOW_NS:
            old = bisect_right(self._at, quote.at - WINDOW_NS) - 1
            del self._at[:old], self._px[:old]

    def volume(self, now: UtcNs) -> Decimal:
        """What traded in the last minute, as far as the feed says."""
        return self._volumes.within_minute(now)

    def move(self, now: UtcNs) -> Decimal | None:
        """By which fraction the price rose in the last minute, or since the first that is known; None without two prices."""
        if len(self._px) < 2:
            return None
        old = max(bisect_right(self._at, now - WINDOW_NS) - 1, 0)
        was = self._px[old]
        return None if was <= ZERO else (self._px[-1] - was) / was
