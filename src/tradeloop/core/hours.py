"""When a session trades: its trading day, and the spans of it in which orders may be sent."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from tradeloop.core.types import SECOND_NS, TradingDay, UtcNs


class Hours(msgspec.Struct, array_like=True, frozen=True):
    """The trading day a session is in, and the spans of it in which orders may be sent."""

    trading_day: TradingDay
    windows: tuple[tuple[UtcNs, UtcNs], ...]
    auctions: tuple[tuple[UtcNs, UtcNs], ...] = ()
    """Those parts of the spans in which orders are gathered for one price."""
    began_at: UtcNs = UtcNs(0)
    """When the day became the session's, by our clock: an order from just before may be one of this day to its venue."""
    limits_only: tuple[tuple[UtcNs, UtcNs], ...] = ()
    """When an order needs a limit."""
    no_cancels: tuple[tuple[UtcNs, UtcNs], ...] = ()
    """When the exchange takes orders and no cancels."""

    def limits_until(self, now: UtcNs) -> UtcNs | None:
        """Until when an order needs a limit; None where it needs none at `now`."""
        return _end(self.limits_only, now)

    def no_cancels_until(self, now: UtcNs) -> UtcNs | None:
        """Until when the exchange takes no cancels; None where it takes them at `now`."""
        return _end(self.no_cancels, now)

    def is_open(self, now: UtcNs) -> bool:
        """Whether orders may be sent at `now`."""
        for start, end in self.windows:  # noqa: SIM110 - asked for every order: a generator costs three times as much
            if start <= now < end:
                return True
        return False

    def open_since(self, now: UtcNs) -> UtcNs | None:
        """Since when orders may be sent that may be sent at `now`; None where none may."""
        return next((start for start, end in self.windows if start <= now < end), None)

    def is_continuous(self, now: UtcNs) -> bool:
        """Whether orders are matched one by one at `now`."""
        return self.is_open(now) and not any(start <= now < end for start, end in self.auctions)

    def is_over(self, now: UtcNs) -> bool:
        """Whether nothing is sent any more on this trading day."""
        return all(end <= now for _, end in self.windows)

    def opens_later(self, now: UtcNs) -> bool:
        """Whether it is shut at `now` and opens again on this trading day: a lunch break, or before the bell."""
        return not self.is_open(now) and any(now < start for start, _ in self.windows)


def moment(at: UtcNs) -> str:
    """A time as sentences say it."""
    return datetime.fromtimestamp(at // SECOND_NS, UTC).strftime("%H:%M:%SZ")


def _end(spans: tuple[tuple[UtcNs, UtcNs], ...], now: UtcNs) -> UtcNs | None:
    """Where the span of `now` ends; spans that touch are one."""
    found = None
    for start, end in spans:
        if start <= (now if found is None else found) < end:
            found = end
    return found
