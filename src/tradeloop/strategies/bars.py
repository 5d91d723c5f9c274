"""Bars out of quotes: open, high, low and close of the prices that were seen, by the time of the market."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tradeloop.core.reports import Quote
from tradeloop.core.types import ZERO, Symbol, UtcNs


class Bar(msgspec.Struct, frozen=True):
    """The prices of a span that begins at `at` and is over; a price is the last trade, without one the middle of bid and ask.

    `volume` is what the quotes of the span said was traded, zero where they say nothing.
    """

    symbol: Symbol
    at: UtcNs
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class Bars:
    """Bars of `span_ns`, each symbol for itself. A bar is told with the first quote of a later span."""

    def __init__(self, span_ns: int) -> None:
        self._span = span_ns
        self._open: dict[Symbol, Bar] = {}

    def add(self, quote: Quote) -> Bar | None:
        """Count a quote; the bar that it ends."""
        price = quote.last if quote.last is not None else quote.mid_or_last
        if price is None:
            return None
        at, volume = UtcNs(quote.at - quote.at % self._span), quote.volume or ZERO
        bar = self._open.get(quote.symbol)
        if bar is not None and at < bar.at:
            return None  # late: its bar is told already
        if bar is None or at > bar.at:
            self._open[quote.symbol] = Bar(quote.symbol, at, price, price, price, price, volume)
            return bar
        high, low = max(bar.high, price), min(bar.low, price)
        self._open[quote.symbol] = Bar(bar.symbol, bar.at, bar.open, high, low, price, bar.volume + volume)
        return None
