"""What a strategy has not been told yet: fills and bars in their order, of quotes the newest of each symbol, the timer."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from tradeloop.core.reports import Quote
from tradeloop.core.types import Symbol, UtcNs
from tradeloop.strategies.bars import Bar
from tradeloop.strategies.pipe import HOOKS, Called, Fill, OnBar, OnFill, OnQuote, OnTimer

BARS_MAX: Final = 1_000
"""Bars kept for a strategy that is slow; the oldest go first. Fills are all kept."""


class Waiting:
    """Takes from the desk without ever making it wait, and gives in the order of what matters."""

    def __init__(self, hooks: list[str]) -> None:
        self._hooks = frozenset(hooks)
        self._fills: deque[Fill] = deque()
        self._bars: deque[Bar] = deque(maxlen=BARS_MAX)
        self._quotes: dict[Symbol, Quote] = {}
        self._timer: UtcNs | None = None
        self._some = asyncio.Event()
        self._closed = False

    def takes(self, kind: type[Called]) -> bool:
        """Whether the strategy has the hook for it."""
        return HOOKS[kind] in self._hooks

    def quote(self, quote: Quote) -> None:
        """A quote; it takes the place of an older one of its symbol."""
        self._quotes[quote.symbol] = quote
        self._some.set()

    def bar(self, bar: Bar) -> None:
        """A bar that is over."""
        self._bars.append(bar)
        self._some.set()

    def fill(self, fill: Fill) -> None:
        """A fill of one of its orders."""
        self._fills.append(fill)
        self._some.set()

    def timer(self, at: UtcNs) -> None:
        """The timer; one that was not told yet is told once."""
        self._timer = at
        self._some.set()

    def close(self) -> None:
        """Nothing is told any more."""
        self._closed = True
        self._some.set()

    async def next(self) -> Called | None:
        """What is told next; None once closed."""
        while not self._closed:
            if self._fills:
                return OnFill(self._fills.popleft())
            if self._bars:
                return OnBar(self._bars.popleft())
            if self._timer is not None:
                at, self._timer = self._timer, None
                return OnTimer(at)
            if self._quotes:
                return OnQuote(self._quotes.pop(next(iter(self._quotes))))
            self._some.clear()
            await self._some.wait()
        return None
