"""Quotes of the stream: the newest of each symbol at most every 20 ms, encoded once for everybody who wants it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from tradeloop.api.plain import Amount, Moment, amount_or_none, moment
from tradeloop.api.stream_channel import Pieces
from tradeloop.api.stream_topics import encoded
from tradeloop.core.reports import Quote
from tradeloop.core.types import Symbol, UtcNs
from tradeloop.ports.clock import Clock

EVERY_NS: Final = 20_000_000


class Tick(msgspec.Struct, frozen=True):
    """A quote as the stream tells it; `volume` is that of this quote alone."""

    symbol: str
    bid: Amount | None
    ask: Amount | None
    bid_size: Amount | None
    ask_size: Amount | None
    last: Amount | None
    volume: Amount | None
    prev_close: Amount | None
    suspended: bool
    at: Moment


class Ticks:
    """Quotes on their way to somebody, by symbol; whoever wants the same has the same one, whose text is made once."""

    __slots__ = ("_text", "pieces")

    def __init__(self, pieces: Pieces) -> None:
        self.pieces = pieces
        self._text = ""

    def under(self, newer: Ticks) -> Ticks:
        """These with newer ones over them, for whoever has not taken these yet."""
        return Ticks(self.pieces | newer.pieces)

    @property
    def text(self) -> str:
        """The frame."""
        if not self._text:
            self._text = f'{{"t":"quotes","quotes":[{b",".join(self.pieces.values()).decode()}]}}'
        return self._text


class Quoting:
    """Gathers quotes and gives them out. `give` is called with what moved, by symbol."""

    def __init__(self, clock: Clock, give: Callable[[Pieces], None]) -> None:
        self._clock = clock
        self._give = give
        self._moved: dict[Symbol, Quote] = {}
        self._wake = asyncio.Event()
        self.is_wanted = False

    def on_quote(self, quote: Quote) -> None:
        """Take a quote."""
        if self.is_wanted:
            self._moved[quote.symbol] = quote
            self._wake.set()

    async def run(self) -> None:
        """Give out for ever: the first at once, what follows 20 ms later."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            moved, self._moved = self._moved, {}
            self._give(ticks(moved.values()))
            await self._clock.sleep_until(UtcNs(self._clock.now() + EVERY_NS))


def ticks(quotes: Iterable[Quote]) -> Pieces:
    """Quotes as they are told, by symbol."""
    return {quote.symbol: encoded(_tick(quote)) for quote in quotes}


def _tick(quote: Quote) -> Tick:
    return Tick(
        quote.symbol,
        amount_or_none(quote.bid),
        amount_or_none(quote.ask),
        amount_or_none(quote.bid_size),
        amount_or_none(quote.ask_size),
        amount_or_none(quote.last),
        amount_or_none(quote.volume),
        amount_or_none(quote.prev_close),
        quote.suspended,
        moment(quote.at),
    )
