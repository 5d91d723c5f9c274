"""Instruments as the dated rules resolve them, and the trading days of their sessions."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

from tradeloop.config import Settings
from tradeloop.core.commands import OpenTradingDay
from tradeloop.core.errors import BadInput
from tradeloop.core.instrument import Instrument
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, Symbol, TradingDay, UtcNs
from tradeloop.engine.clock import WallClock
from tradeloop.markets.facts import load_facts
from tradeloop.markets.instruments import InstrumentMaster
from tradeloop.markets.own_rules import use_rules
from tradeloop.markets.sessions import auctions, limits_only, local_day, no_cancels, trading_day_at, windows

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

    def as_known(self, symbol: Symbol, at: UtcNs, known: State) -> Instrument:
        """The instrument at `at`; where no table knows it that day, as it was listed before: what is held stays what it is, and
        its orders can be cancelled. Raises BadInput for one that never was.
        """
        try:
            return self.resolve(symbol, at)
        except BadInput:
            before = known.instruments.get(symbol)
            if before is None:
                raise
            return before

    def session_of(self, symbol: Symbol, on: date, known: State | None = None) -> str:
        """The session a symbol trades in, by what is `known` where no table says it of that day. Raises BadInput."""
        try:
            return self._master.resolve(symbol, on).session
        except BadInput:
            before = None if known is None else known.instruments.get(symbol)
            if before is None:
                raise
            return before.session

    @staticmethod
    def opening(session: str, at: UtcNs) -> OpenTradingDay:
        """The command that opens the trading day `at` counts for. Past the end of its calendar or its hours a session is
        closed: its day is the one it is there, without hours.
        """
        try:
            day = trading_day_at(session, at)
            return OpenTradingDay(
                session,
                TradingDay(day.isoformat()),
                windows(session, day),
                auctions(session, day),
                limits_only(session, day),
                no_cancels(session, day),
            )
        except BadInput:
            return OpenTradingDay(session, TradingDay(local_day(session, at).isoformat()), ())

    @staticmethod
    def why_closed(session: str, at: UtcNs) -> str:
        """Why nobody knows the hours of the day that `at` counts for; empty where somebody does."""
        try:
            windows(session, trading_day_at(session, at))
        except BadInput as error:
            return str(error)
        return ""
