"""Recorded market data, played on the clock: several sources merged by time, at the speed the clock has.

The clock decides the speed: a replay clock may run a day in a second, a wall clock in a day. One quote per source is
held at a time, so memory does not grow with the recording.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from operator import attrgetter

from tradeloop.core.reports import Quote
from tradeloop.core.types import Symbol, UtcNs
from tradeloop.ports.clock import Clock

Source = Callable[[], Iterator[Quote]]
"""Opens a recording; its quotes come in the order of time (feeds/quotes.py, feeds/bars.py)."""


class ReplayFeed:
    """Plays `sources` on `clock`. Quotes of the same moment come in the order of the sources, always the same way."""

    def __init__(self, sources: Sequence[Source], clock: Clock, *, name: str = "replay") -> None:
        self.name = name
        self._sources = tuple(sources)
        self._clock = clock
        self._undelivered_at: UtcNs | None = None
        self._wanted: set[Symbol] = set()

    @property
    def undelivered_at(self) -> UtcNs | None:
        """When the next quote was, or the one being delivered now; None before a run has read its first and after its end.

        Where the machine is slower than the clock this lies in the past. Whoever ends something by the clock (the broker:
        a trading day) asks here whether all quotes of that time have come.
        """
        return self._undelivered_at

    def also(self, symbols: Iterable[Symbol]) -> None:
        """Deliver the quotes of these too, as far as the recording has any."""
        self._wanted.update(symbols)

    def leave(self, symbols: Iterable[Symbol]) -> None:
        """Deliver no quotes of these any more; what the recording has of them meanwhile is passed over."""
        self._wanted.difference_update(symbols)

    async def run(self, symbols: Iterable[Symbol], on_quote: Callable[[Quote], None]) -> None:
        """Deliver the quotes of `symbols` in order of time until every source ends. Raises BadInput for a broken recording."""
        self.also(symbols)
        wanted = self._wanted
        moment: UtcNs | None = None
        opened = [source() for source in self._sources]
        try:
            for quote in heapq.merge(*opened, key=attrgetter("at")):
                if quote.symbol not in wanted:
                    continue
                if quote.at != moment:
                    moment = self._undelivered_at = quote.at
                    await self._clock.sleep_until(moment)
                    await _Turn()
                on_quote(quote)
        finally:
            self._undelivered_at = None

    def first_at(self) -> UtcNs | None:
        """When the recording begins; None when every source is empty."""
        firsts = [quote.at for source in self._sources for quote in _first(source())]
        return min(firsts, default=None)


class _Turn:
    """One turn of the event loop, so that a replay that runs late cannot starve whoever reacts to its quotes."""

    def __await__(self) -> Generator[None, None, None]:
        yield


def _first(quotes: Iterator[Quote]) -> Iterator[Quote]:
    for quote in quotes:
        yield quote
        return
