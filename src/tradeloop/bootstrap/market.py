"""Clock and feed of one process: where a replay begins, what stood at that moment, and what plays after it.

What a recording shows before the clock begins is past: it stands as a price and trades no more. Bars are the exception, for the
orders that were open when the process before ended: they had a claim on them, and a closing bar does not come again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Final

from tradeloop.bootstrap.listing import Listing
from tradeloop.bootstrap.past import Past
from tradeloop.config import Feed as FeedSettings
from tradeloop.config import Loaded, Settings
from tradeloop.core.errors import BadInput
from tradeloop.core.instrument import Instrument
from tradeloop.core.reports import Quote
from tradeloop.core.types import SECOND_NS, Px, Symbol, TradingDay, UtcNs
from tradeloop.engine.clock import ReplayClock, WallClock
from tradeloop.feeds.bars import read_daily_bars, read_minute_bars
from tradeloop.feeds.continued import ContinuedFeed
from tradeloop.feeds.demo import DEMO_SYMBOLS, demo_file
from tradeloop.feeds.quotes import read_quotes
from tradeloop.feeds.replay import ReplayFeed, Source
from tradeloop.feeds.rows import columns
from tradeloop.feeds.synthetic import SyntheticFeed, Walk
from tradeloop.markets.sessions import next_trading_day, trading_day_at, windows
from tradeloop.markets.symbols import canonical
from tradeloop.ports.clock import Clock

REPLAY_PAST_NS: Final = 86_400 * SECOND_NS
"""A recorded day that ended this long ago is not the present, so its journal goes on in its own time."""

_WEEKEND: Final = (6, 7)

_MADE_UP_START: Final = Decimal(10)


class NoTradingThen(BadInput):
    """A trade date that nothing can be traded on: whoever knows which file named it says so."""


class Market:
    """Clock and feed of one process, and the quotes that stood when the clock begins."""

    def __init__(
        self,
        loaded: Loaded,
        listing: Listing,
        past: Past,
        symbols: Sequence[Symbol],
        prices: dict[Symbol, Px],
        trade_date: TradingDay | None,
    ) -> None:
        feed = loaded.settings.feed
        self.past = past
        """What the journal says of the time before this process."""
        self.symbols = list(dict.fromkeys(symbols))
        self.standing: dict[Symbol, Quote] = {}
        self.missed: list[Quote] = []
        """Bars before the clock begins that open orders may not have met yet, in the order of time."""
        self.feed: ReplayFeed | SyntheticFeed | ContinuedFeed | None = None
        sources = _sources(loaded.settings, listing)
        if feed.kind == "demo":
            self.symbols = list(dict.fromkeys([*DEMO_SYMBOLS, *symbols]))
        begin = self._begin(loaded, listing, past, sources, trade_date)
        if begin is None:
            refuse_speed(feed)
        self.speed = 1.0 if begin is None or feed.kind == "none" else feed.speed
        self.clock: Clock = WallClock() if begin is None else ReplayClock(begin, self.speed)
        self.clock_kind = "wall" if begin is None else "replay"
        if sources and begin is not None:
            since = past.waiting_since()
            remaining = [self._from(source, begin, since) for source in sources]
            self.missed.sort(key=attrgetter("at"))
            self.feed = ReplayFeed(remaining, self.clock, name=feed.kind)
            if feed.goes_on:
                self.feed = ContinuedFeed(self.feed, lambda last: self._made_up(listing, feed, last), self.standing)
        elif feed.kind == "synthetic":
            self.feed = self._walks(listing, feed, prices)

    def _walks(self, listing: Listing, feed: FeedSettings, prices: Mapping[Symbol, Px]) -> SyntheticFeed:
        def walk_of(symbol: Symbol) -> Walk:
            return _walk(listing.as_known(symbol, self.clock.now(), self.past.state), feed.prices, prices)

        walks = {each: walk_of(each) for each in self.symbols}
        interval_ns = feed.interval_ms * 1_000_000
        return SyntheticFeed(walks, self.clock, seed=feed.seed, interval_ns=interval_ns, walk_of=walk_of)

    def _made_up(self, listing: Listing, feed: FeedSettings, last: Mapping[Symbol, Quote]) -> SyntheticFeed:
        """What comes behind a recording: walks from the last price of each symbol."""
        stood = {symbol: px for symbol, quote in last.items() if (px := quote.mid_or_last) is not None}
        return self._walks(listing, feed, {symbol: Px(px) for symbol, px in stood.items()})

    def _from(self, source: Source, begin: UtcNs, since: Mapping[Symbol, UtcNs]) -> Source:
        """The part of a recording after `begin`; what came before it stands, or was missed by what has waited `since`."""
        quotes = source()
        rest: Iterator[Quote] = iter(())
        for quote in quotes:
            if quote.at > begin:
                rest = chain((quote,), quotes)
                break
            self.standing[quote.symbol] = quote
            is_bar = quote.bid is None and quote.ask is None and bool(quote.volume)
            if is_bar and quote.symbol in since and quote.at > since[quote.symbol]:
                self.missed.append(quote)
        return lambda: rest

    def undelivered_at(self) -> UtcNs | None:
        """When the next quote of the feed is; None without one to come."""
        return None if self.feed is None else self.feed.undelivered_at

    def _begin(
        self, loaded: Loaded, listing: Listing, past: Past, sources: Sequence[Source], trade_date: TradingDay | None
    ) -> UtcNs | None:
        """When the replayed clock begins; None for the wall clock."""
        written = loaded.settings.feed.start
        if _goes_on_recorded(loaded, past):
            return past.last_at  # a journal of a recorded day takes no time of the world: the recording could not go on in it
        if not sources and not written:
            return None
        first = min((quote.at for source in sources for quote in _one(source())), default=None)
        symbol = self.symbols[0] if self.symbols else _first_symbol(sources)
        if written not in ("", "open"):
            begin = _utc_ns(datetime.fromisoformat(written))
            day = datetime.fromtimestamp(begin // SECOND_NS, UTC).date()
            session = listing.session_of(symbol, day, past.state) if symbol else ""
        else:
            if symbol is None or (trade_date is None and first is None):
                raise BadInput("feed.start was 'open', which needs a trade date; name a time with its zone, or a context")
            day = date.fromisoformat(trade_date) if trade_date is not None else _day_of(listing, symbol, first)
            session = listing.session_of(symbol, day)
            if trade_date is not None:
                _refuse_another_day(session, day, sources)
            spans = windows(session, day) or windows(session, next_trading_day(session, day))
            begin = spans[0][0]
        last = past.last_at
        if last is None or begin >= last:
            return begin
        covered = session and not listing.why_closed(session, last)
        if (
            trade_date is None
            and written in ("", "open")
            and covered
            and (loaded.settings.feed.goes_on or _reach(sources, _day_before(session, last)))
        ):
            return last  # no day was named: it goes on where the journal stands
        if session and listing.opening(session, last).trading_day > listing.opening(session, begin).trading_day:
            raise BadInput(
                f"the books of {loaded.home.data} stand at {_iso(last)}, and time does not go back to {_iso(begin)};"
                " give a replay of an earlier day a home of its own with --home"
            )
        return last


def _refuse_another_day(session: str, day: date, sources: Sequence[Source]) -> None:
    """Raise for a trade date that nothing can be traded on: a clock that has gone there does not go back."""
    spans = windows(session, day)
    if not spans:
        nearest = next_trading_day(session, day)
        what = f"{day:%A}" if day.isoweekday() in _WEEKEND else "holiday"
        raise NoTradingThen(
            f"the trade date {day} is a {what} and no trading day of {session}, the next one is {nearest}; correct the context"
        )
    if sources and not _reach(sources, spans[0][0]):
        last = max((quote.at for source in sources for quote in source()), default=None)
        ends = "has no quote" if last is None else f"ends on {trading_day_at(session, last)}"
        raise NoTradingThen(
            f"the trade date is {day}, and the recording {ends}; correct the context, or name a longer recording"
        )


def _reach(sources: Sequence[Source], at: UtcNs) -> bool:
    """Whether a recording has anything from `at` on."""
    return any(quote.at >= at for source in sources for quote in source())


def _day_before(session: str, at: UtcNs) -> UtcNs:
    """When the trading day before that of `at` opens: a journal may stand in the night after a recording's last day."""
    day = trading_day_at(session, at) - timedelta(days=1)
    while not (spans := windows(session, day)):
        day -= timedelta(days=1)
    return spans[0][0]


def refuse_speed(feed: FeedSettings) -> None:
    """Raise BadInput where the wall clock is asked to go faster than it does."""
    if feed.kind == "synthetic" and feed.speed > 1 and not feed.start:
        raise BadInput(
            f"feed.speed was {feed.speed:g}; made-up quotes without a start run on the wall clock, which has one speed:"
            " give a --start, or no --speed"
        )


def _goes_on_recorded(loaded: Loaded, past: Past) -> bool:
    """Whether nothing says what time it is, no recording and no start, and the journal was last written in the time of a
    recording that is not the present. Made-up quotes have no time of their own: they come in the journal's.
    """
    feed = loaded.settings.feed
    says_nothing = feed.kind == "none" or (feed.kind == "synthetic" and not feed.start)
    if not says_nothing or past.state.clock != "replay" or past.last_at is None:
        return False
    return past.last_at < WallClock().now() - REPLAY_PAST_NS


def _sources(settings: Settings, listing: Listing) -> list[Source]:
    feed = settings.feed
    match feed.kind:
        case "demo":
            names = [f"{symbol.partition('.')[0].lower()}_1s.csv.gz" for symbol in DEMO_SYMBOLS]
            return [partial(read_quotes, demo_file(name)) for name in names]
        case "replay":
            if not feed.paths:
                raise BadInput("feed.kind was replay and feed.paths named no recording; expected at least one CSV file")
            return [_recording(path, listing) for path in feed.paths]
        case "none" | "synthetic":
            return []


def _recording(path: Path, listing: Listing) -> Source:
    """A recording by the header it has: quotes have a bid, daily bars a trade date, minute bars neither."""
    if not path.is_file():
        raise BadInput(f"the recording {str(path)!r} is not a file; expected a CSV of quotes or bars, plain or gzipped")
    header = columns(path)
    if "bid" in header:
        return partial(read_quotes, path, rename=canonical)
    if "trade_date" in header:

        def span(symbol: Symbol, day: TradingDay) -> tuple[UtcNs, UtcNs]:
            on = date.fromisoformat(day)
            spans = windows(listing.session_of(symbol, on), on)
            if not spans:
                raise BadInput(f"{path.name}: {day} is not a trading day of {symbol}; correct the recording")
            return spans[0][0], spans[-1][1]

        return partial(read_daily_bars, path, span, rename=canonical)
    return partial(read_minute_bars, path, rename=canonical)


def _one(quotes: Iterator[Quote]) -> Iterator[Quote]:
    for quote in quotes:
        yield quote
        return


def _first_symbol(sources: Sequence[Source]) -> Symbol | None:
    return next((quote.symbol for source in sources for quote in _one(source())), None)


def _day_of(listing: Listing, symbol: Symbol, at: UtcNs | None) -> date:
    assert at is not None
    session = listing.session_of(symbol, datetime.fromtimestamp(at // SECOND_NS, UTC).date())
    return trading_day_at(session, at)


def _walk(instrument: Instrument, set_prices: Mapping[str, Decimal], prices: Mapping[Symbol, Px]) -> Walk:
    start = set_prices.get(instrument.symbol) or prices.get(instrument.symbol) or _MADE_UP_START
    lot = max(instrument.lot, instrument.min_qty)
    return Walk(start=Px(max(start, instrument.tick)), tick=instrument.tick, lot=lot)


def _utc_ns(moment: datetime) -> UtcNs:
    whole = int(moment.replace(microsecond=0).timestamp())
    return UtcNs(whole * SECOND_NS + moment.microsecond * 1000)


def _iso(at: UtcNs) -> str:
    return f"{datetime.fromtimestamp(at // SECOND_NS, UTC):%Y-%m-%dT%H:%M:%SZ}"
