"""The last quote of each symbol and its age. A stale quote is an error for whoever needs it, never a silent number."""

from __future__ import annotations

from tradeloop.core.errors import BadInput
from tradeloop.core.reports import Quote
from tradeloop.core.types import SECOND_NS, Symbol, UtcNs


class StaleQuote(BadInput):
    """No quote, or one older than the caller allows; the message names symbol, age and limit."""


class LatestQuotes:
    """Remembers the newest quote of each symbol; one per symbol, whatever the rate."""

    __slots__ = ("_quotes",)

    def __init__(self) -> None:
        self._quotes: dict[Symbol, Quote] = {}

    def on_quote(self, quote: Quote) -> None:
        """Take a quote unless a newer one is known."""
        before = self._quotes.get(quote.symbol)
        if before is None or quote.at >= before.at:
            self._quotes[quote.symbol] = quote

    def forget(self, symbol: Symbol) -> None:
        """Know no quote of a symbol any more."""
        self._quotes.pop(symbol, None)

    def get(self, symbol: Symbol) -> Quote | None:
        """The newest quote, however old; None when there never was one."""
        return self._quotes.get(symbol)

    def all(self) -> list[Quote]:
        """The newest quote of every symbol that ever had one."""
        return list(self._quotes.values())

    def newest_at(self) -> UtcNs | None:
        """When the newest quote of all came; None when there never was one."""
        return max((quote.at for quote in self._quotes.values()), default=None)

    def age_ns(self, symbol: Symbol, now: UtcNs) -> int | None:
        """Nanoseconds since the newest quote, never negative; None when there never was one."""
        quote = self._quotes.get(symbol)
        return None if quote is None else max(0, now - quote.at)

    def fresh(self, symbol: Symbol, now: UtcNs, max_age_ns: int) -> Quote:
        """The newest quote, at most `max_age_ns` old. Raises StaleQuote."""
        quote = self._quotes.get(symbol)
        if quote is None:
            raise StaleQuote(f"{symbol} has no quote; expected one at most {_seconds(max_age_ns)} old: check the feed")
        age = now - quote.at
        if age > max_age_ns:
            raise StaleQuote(
                f"quote of {symbol} was {_seconds(age)} old; expected at most {_seconds(max_age_ns)}: check the feed"
            )
        return quote


def _seconds(span_ns: int) -> str:
    whole, rest = divmod(span_ns, SECOND_NS)
    return f"{whole}.{rest // 1_000_000:03d} s" if rest else f"{whole} s"
