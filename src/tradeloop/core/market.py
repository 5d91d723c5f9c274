"""The market as the engine sees it: which quote counts, and how old it is.

A newer quote is never replaced by an older one. A quote stamped ahead of our clock by more than a quote may be old is as good
as none: it would stay fresh for ever. A price of zero or less means "nobody there" in every market but futures.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.lately import MINUTE_SHARE
from tradeloop.core.minute import Minute
from tradeloop.core.reports import Quote
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import SECOND_NS, ZERO, Px, UtcNs

BEFORE_THE_BELL_NS: Final = 4 * 3600 * SECOND_NS
"""From so long before the first orders of a trading day on, quotes name the close that it is counted from. The day before is
over by then: the closest are mainland futures, whose night session begins six hours after the day's end."""


def is_current(around: Surroundings, quote: Quote, now: UtcNs) -> bool:
    """Whether a decision may lean on the quote: neither old nor stamped in the future, as the policy bounds both."""
    return -around.policy.max_quote_age_ns <= now - quote.at <= around.policy.max_quote_age_ns


def take(state: State, around: Surroundings, quote: Quote, now: UtcNs) -> Quote | None:
    """Make the quote the one its symbol is seen by; None when a better one stands."""
    known = around.quotes.get(quote.symbol)
    ahead = now + around.policy.max_quote_age_ns
    if known is not None:
        if quote.at > ahead >= known.at:
            return None
        if quote.at < known.at <= ahead:
            return None
    for px in (quote.bid, quote.ask, quote.last, quote.prev_close, quote.high, quote.low):
        if px is not None and px <= ZERO:
            quote = without_nobody(quote, state.instruments.get(quote.symbol))
            break
    around.quotes[quote.symbol] = quote
    if MINUTE_SHARE in state.limits.rules:
        around.minutes.setdefault(quote.symbol, Minute()).take(quote)
    around.valuation.quoted(state, known, quote)
    return quote


def todays_close(state: State, instrument: Instrument, quote: Quote | None) -> Px | None:
    """The close that the limits of this trading day are counted from; None where no quote of it has come. One from before the
    day names the close of the day before that, by which nothing of today may be judged.
    """
    if quote is None or quote.prev_close is None:
        return None
    hours = state.hours.get(instrument.session)
    if hours is not None and hours.windows and quote.at < hours.windows[0][0] - BEFORE_THE_BELL_NS:
        return None
    return quote.prev_close


def band(around: Surroundings, instrument: Instrument, prev_close: Px) -> tuple[Px, Px] | None:
    """Lowest and highest legal price of the day; None where it has no limit. Remembered: it costs four divisions, and is the
    same for every order of the day.
    """
    if instrument.price_limit is None:
        return None
    known = around.bands.get(instrument.symbol)
    if known is not None and known[0] is instrument and known[1] == prev_close:
        return known[2]
    found = instrument.band(prev_close)
    assert found is not None
    around.bands[instrument.symbol] = instrument, prev_close, found
    return found


def without_nobody(quote: Quote, instrument: Instrument | None) -> Quote:
    """The quote without prices of zero or less, which stand for nobody; a future may really cost that."""
    if instrument is not None and instrument.asset_class is AssetClass.FUTURE:
        return quote

    def real(px: Px | None) -> Px | None:
        return px if px is not None and px > ZERO else None

    return msgspec.structs.replace(
        quote,
        bid=real(quote.bid),
        ask=real(quote.ask),
        last=real(quote.last),
        prev_close=real(quote.prev_close),
        high=real(quote.high),
        low=real(quote.low),
    )
