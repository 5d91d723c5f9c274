"""A recording that goes on: when it ends, quotes are made up from where each symbol stood, so that no demo falls silent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from tradeloop.core.reports import Quote
from tradeloop.core.types import Symbol, UtcNs
from tradeloop.ports.feed import Feed


class ContinuedFeed:
    """Plays `first` to its end, then what `then` makes of the last quotes; `stood` are those of before it began."""

    def __init__(self, first: Feed, then: Callable[[Mapping[Symbol, Quote]], Feed], stood: Mapping[Symbol, Quote]) -> None:
        self.name = first.name
        self._playing: Feed = first
        self._then = then
        self._last = dict(stood)
        self._symbols: dict[Symbol, None] = {}

    @property
    def undelivered_at(self) -> UtcNs | None:
        """When the next quote is due, of the part that plays."""
        return self._playing.undelivered_at

    def also(self, symbols: Iterable[Symbol]) -> None:
        """Deliver the quotes of these too."""
        wanted = list(symbols)
        self._symbols |= dict.fromkeys(wanted)
        self._playing.also(wanted)

    def leave(self, symbols: Iterable[Symbol]) -> None:
        """Deliver no quotes of these any more, in this part and the next."""
        for symbol in (gone := list(symbols)):
            self._symbols.pop(symbol, None)
        self._playing.leave(gone)

    async def run(self, symbols: Iterable[Symbol], on_quote: Callable[[Quote], None]) -> None:
        """Deliver the recording, and then made-up quotes without end."""
        self._symbols |= dict.fromkeys(symbols)

        def heard(quote: Quote) -> None:
            self._last[quote.symbol] = quote
            on_quote(quote)

        await self._playing.run(list(self._symbols), heard)
        self._playing = self._then(self._last)
        self.name = self._playing.name
        await self._playing.run(list(self._symbols), on_quote)
