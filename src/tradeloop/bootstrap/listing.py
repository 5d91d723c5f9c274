"""Instruments as the dated rules resolve them, and the trading days of their sessions."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

from tradeloop.config import Settings
from tradeloop.core.commands import OpenTradingDay
from tradeloop.core.instrument import Instrument
from tradeloop.core.types import SECOND_NS, Symbol, TradingDay, UtcNs
from tradeloop.engine.clock import WallClock
from tradeloop.markets.facts import load_facts
from tradeloop.markets.instruments import InstrumentMaster
from tradeloop.markets.own_rules import use_rules
from tradeloop.markets.sessions import auctions, limits_only, no_cancels, trading_day_at, windows

_AHEAD_S: Final = 14 * 3600
"""How far the clocks of the earth are ahead of UTC at most."""


def newest_day(now: UtcNs) -> date:
    """The day it is where it is latest: rows that somebody verifies today in Auckland are not verified in the future."""
    return datetime.fromtimestamp(now // SECOND_NS + _AHEAD_S, UTC).date()


class Listing:
    """Instruments as the dated rules resolve them, and the trading days of their sessions."""

    def __init__(self, settings: Settings) -> None:
        use_rules(settings.markets.rules, newest_day(WallClock().now()))
        facts = settings.markets.facts
        self._master = InstrumentMaster(load_facts(facts) if facts is not None else None)

    def resolve(self, symbol: Symbol, at: UtcNs) -> Instrument:
        """The instrument on the trading day that `at` counts for. Raises BadInput."""
        first = self._master.resolve(symbol, datetime.fromtimestamp(at // SECOND_NS, UTC).date())
        return self._master.resolve(symbol, trading_day_at(first.session, at))

    def session_of(self, symbol: Symbol, on: date) -> str:
        """The session a symbol trades in."""
        return self._master.resolve(symbol, on).session

    @staticmethod
    def opening(session: str, at: UtcNs) -> OpenTradingDay:
        """The command that opens the trading day `at` counts for."""
        day = trading_day_at(session, at)
        return OpenTradingDay(
            session,
            TradingDay(day.isoformat()),
            windows(session, day),
            auctions(session, day),
            limits_only(session, day),
            no_cancels(session, day),
        )
