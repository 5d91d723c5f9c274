"""A working installation: the engine with its feed, its trading days and its read models, from opening to closing."""

# size: the order in which a desk opens, works and closes is one, and whoever changes a step has to see the others.

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec

from tradeloop.bootstrap.limits import Author, Configured, configured_limits
from tradeloop.bootstrap.listing import Listing
from tradeloop.bootstrap.market import Market
from tradeloop.bootstrap.past import Past
from tradeloop.bootstrap.policy import quote_age_ns
from tradeloop.brokers.paper import PaperBroker
from tradeloop.config import Loaded
from tradeloop.core.commands import Command, HaltTrading, ListInstruments, SeenPrice
from tradeloop.core.effects import RaiseAlert
from tradeloop.core.errors import BadInput, JournalDamaged, JournalFailed, TradeloopError
from tradeloop.core.replies import Done, Reply
from tradeloop.core.reports import BrokerSnapshot, Quote
from tradeloop.core.risk.triggers import at_stake
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, AccountID, Px, Symbol, UtcNs
from tradeloop.engine.clock import stopwatch_ns
from tradeloop.engine.engine import Engine
from tradeloop.engine.recover import walk
from tradeloop.engine.writer import Published
from tradeloop.feeds.latest import LatestQuotes
from tradeloop.journal.sql import SqlJournal
from tradeloop.ports.broker import Broker
from tradeloop.ports.clock import Clock
from tradeloop.ports.feed import Feed
from tradeloop.strategies.host import Host
from tradeloop.views.errors import ViewsBehind, ViewsFailed
from tradeloop.views.sql import SqlViews

DAY_LOOK_NS: Final = 60 * SECOND_NS
"""How often the desk looks whether a session has come to its next trading day."""

BATCHES_WAITING_MAX: Final = 1_000
"""Batches kept for read models that are slower than trading; beyond that they read the journal."""

VIEWS_REST_S: Final = 5.0
"""Seconds of the world between two tries to make up read models that failed."""

FIRST_QUOTE_NS: Final = 90 * SECOND_NS
"""How long after the open of a session its first quotes are waited for, in seconds of the market: a minute bar that begins at
the open is known when it ends, and a feed may be half as late."""

_LOOK_S: Final = 1.0


class NoQuotes(TradeloopError):
    """The feed did not give what an unfinished run waits for; nothing was decided without it."""


class Desk:
    """A working installation. Made by `open_desk`; the command line uses it, and so will the API."""

    def __init__(
        self,
        loaded: Loaded,
        engine: Engine,
        clock: Clock,
        broker: Broker,
        feed: Feed | None,
        listing: Listing,
        views: SqlViews,
        reader: SqlJournal,
        alert: Callable[[RaiseAlert], None],
    ) -> None:
        self.loaded = loaded
        self.engine = engine
        self.clock = clock
        self.broker = broker
        self._paper = broker if isinstance(broker, PaperBroker) else None
        """The broker that trades by our own quotes and days; None where a venue has its own."""
        self.feed = feed
        self.views = views
        self.feed_ended = False
        self.first_replies: list[Reply] = []
        self.stood: set[int] = set()
        """Numbers of the halts that nobody asked of this process while it worked: those that the journal held before, and the
        one that it was opened for.
        """
        self.limited = ""
        """What came of the limits at the start."""
        self.latest = LatestQuotes()
        self.strategies: Host | None = None
        """The host of strategies, where one was opened (bootstrap/strategies.py)."""
        self.listing = listing
        self._reader = reader
        self._listeners: list[Callable[[Published], None]] = []
        self._watchers: list[Callable[[Quote], None]] = []
        self._changed = asyncio.Event()
        self._quoted = asyncio.Event()
        self._alert = alert
        self.durable_seq = 0
        """Number of the last event that is durable."""
        self.shown_seq = 0
        """Number of the last event that the read models show."""
        self._shown = asyncio.Event()
        self._batches: asyncio.Queue[Published | None] = asyncio.Queue()
        self._passed_over = False
        self._lasting: dict[str, asyncio.Task[None]] = {}
        self._views_failed: TradeloopError | None = None
        self._views_rest_until = 0
        self._symbols: dict[Symbol, None] = {}
        self._ended: dict[str, None] = {}
        """Sessions whose calendar or hours have come to their end, which was told."""
        engine.subscribe(self._published)

    # --- asking

    @property
    def state(self) -> State:
        """What is true now. Read it, never write it."""
        return self.engine.state

    @property
    def account(self) -> AccountID:
        """The account traded here."""
        return self.broker.account

    @property
    def is_ready(self) -> bool:
        """Whether the broker's books of the account have been compared, so that orders may be sent."""
        return self.state.is_ready(self.broker.name, self.account)

    def listen(self, listener: Callable[[Published], None]) -> None:
        """Have `listener` called with every durable batch from now on."""
        self._listeners.append(listener)

    def watch(self, watcher: Callable[[Quote], None]) -> None:
        """Have `watcher` called with every quote from now on."""
        self._watchers.append(watcher)

    def seen_prices(self, symbols: Iterable[Symbol]) -> tuple[SeenPrice, ...]:
        """The newest price of each symbol that has one, with its time."""
        source = self.feed.name if self.feed is not None else "none"
        found = []
        for symbol in dict.fromkeys(symbols):
            quote = self.latest.get(symbol)
            px = quote.mid_or_last if quote is not None else None
            if quote is not None and px is not None:
                found.append(SeenPrice(symbol, Px(px), quote.at, source, quote.prev_close, quote.suspended))
        return tuple(found)

    def held_symbols(self) -> list[Symbol]:
        """What the account holds."""
        return [symbol for symbol, each in self.state.positions.get(self.account, {}).items() if not each.is_flat]

    @property
    def trouble_of_views(self) -> str:
        """Why the read models stay behind; empty while they follow."""
        return "" if self._views_failed is None else str(self._views_failed)

    # --- doing

    async def tradable(self, symbols: Iterable[Symbol]) -> None:
        """Have these listed under the rules of the day, and quoted where the feed has them. Raises BadInput for what no table
        knows.
        """
        new = [symbol for symbol in dict.fromkeys(symbols) if symbol not in self._symbols]
        if not new:
            return
        answers = self._list(new, self.state, at=market_time(self.clock.now(), self.feed))
        if self.feed is not None:
            self.feed.also(new)
        await asyncio.gather(*answers)

    def follows(self, symbol: Symbol) -> bool:
        """Whether a symbol is listed here and quoted where the feed has it."""
        return symbol in self._symbols

    def leave(self, symbol: Symbol) -> None:
        """Have a symbol quoted no more, and forget its newest quote; `tradable` has it followed again."""
        self._symbols.pop(symbol, None)
        if self.feed is not None:
            self.feed.leave([symbol])
        self.latest.forget(symbol)

    async def views_show(self, within_s: float) -> bool:
        """Return when the read models show everything that is durable now; False where they do not come so far in time."""
        wanted = self.durable_seq
        if self._views_failed is not None:
            return False
        try:
            async with asyncio.timeout(within_s):
                while self.shown_seq < wanted:
                    self._shown.clear()
                    await self._shown.wait()
        except TimeoutError:
            return False
        return True

    async def ready(self) -> None:
        """Return when orders may be sent."""
        await self.until(lambda: self.is_ready)

    async def settled(self) -> None:
        """Return when everything that was asked so far is decided and durable."""
        await self.engine.ask(ListInstruments(()))

    async def reload_limits(self, author: Author) -> str:
        """Read risk.yaml anew, and have it hold; what came of it. Raises BadInput where it cannot be read, is gone, or loosens
        what nobody has agreed to: then what was in force stays in force.
        """
        if not author.by.strip():
            raise BadInput("a running desk takes risk.yaml from somebody, and by was empty; the limits stay as they were")
        try:
            configured = configured_limits(self.loaded)
        except BadInput as error:
            raise BadInput(f"{error}; the limits stay as they were") from None
        of_file = self.state.limits.of_file
        if kept := configured.why_kept(of_file):
            raise BadInput(kept)
        reply = await self.engine.ask(configured.over(of_file, author))
        assert isinstance(reply, Done)
        return reply.text

    async def reconcile(self) -> BrokerSnapshot:
        """Compare our books with the broker's now; what differs stands in `state.breaks` when this returns."""
        snapshot = await self.broker.snapshot()
        self.engine.report(snapshot)
        await self.settled()
        return snapshot

    async def quoted(self, symbols: Iterable[Symbol], within_s: float | None = None) -> list[Symbol]:
        """Wait until each symbol has had a quote, at most `within_s` seconds of the world; those without one."""
        wanted = list(symbols)
        limit = self.loaded.settings.feed.wait_s if within_s is None else within_s
        feed = self._lasting.get("feed")
        try:
            async with asyncio.timeout(limit):
                while any(self.latest.get(symbol) is None for symbol in wanted) and feed is not None and not feed.done():
                    self._quoted.clear()
                    arrived = asyncio.ensure_future(self._quoted.wait())
                    await asyncio.wait((arrived, feed), return_when=asyncio.FIRST_COMPLETED)
                    arrived.cancel()
        except TimeoutError:
            pass
        self._raise_what_failed()
        return [symbol for symbol in wanted if self.latest.get(symbol) is None]

    def first_quotes_until(self, symbols: Iterable[Symbol]) -> UtcNs | None:
        """Until when the first quotes of a session that has just opened are waited for: FIRST_QUOTE_NS from its open on. None
        where every symbol has a current price, or that time has come.
        """
        now, due = self._market_time(), []
        for symbol in symbols:
            instrument, quote = self.state.instruments.get(symbol), self.latest.get(symbol)
            hours = None if instrument is None else self.state.hours.get(instrument.session)
            if hours is None or (quote is not None and now - quote.at <= quote_age_ns(self.loaded.settings)):
                continue
            due += [
                UtcNs(start + FIRST_QUOTE_NS)
                for start, end in hours.windows
                if start <= now < min(end, start + FIRST_QUOTE_NS) and (quote is None or quote.at < start)
            ]
        return max(due, default=None)

    async def first_quotes(self, symbols: Iterable[Symbol]) -> None:
        """Return when the first quotes of a session that has just opened have come, are not worth waiting for any longer, or
        will not come.
        """
        wanted, feed = list(symbols), self._lasting.get("feed")
        while feed is not None and not feed.done() and (until := self.first_quotes_until(wanted)) is not None:
            self._quoted.clear()
            waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._quoted.wait())]
            if self.clock.now() < until:
                waits.append(asyncio.ensure_future(self.clock.sleep_until(until)))
            await asyncio.wait((*waits, feed), return_when=asyncio.FIRST_COMPLETED)
            for each in waits:
                each.cancel()
        self._raise_what_failed()

    async def until(self, done: Callable[[], bool]) -> None:
        """Return when `done()` says so; it is asked after every batch, and once a second. Raises what ended the engine."""
        while not done():
            self._raise_what_failed()
            self._changed.clear()
            changed = asyncio.ensure_future(self._changed.wait())
            engine = asyncio.ensure_future(self.engine.wait())
            try:
                await asyncio.wait((changed, engine), timeout=_LOOK_S, return_when=asyncio.FIRST_COMPLETED)
                if engine.done():
                    engine.result()
                    raise JournalFailed("the engine has stopped; start again, what was durable is found again")
            finally:
                changed.cancel()
                engine.cancel()

    async def came_to_rest(self, within_s: float) -> None:
        """Return when nothing has become durable for `within_s` seconds of the world."""
        try:
            while True:
                self._changed.clear()
                async with asyncio.timeout(within_s):
                    await self._changed.wait()
        except TimeoutError:
            self._raise_what_failed()

    async def views_caught_up(self) -> None:
        """Return when the read models show everything that is durable. Raises ViewsFailed."""
        await self._batches.join()
        if self._views_failed is not None:
            await self.views.catch_up(self._reader)
            self._views_failed = None

    # --- its life

    async def open(self, past: Past, market: Market, first: Sequence[Command], configured: Configured, author: Author) -> None:
        """Play the feed, take the lease, recover, connect; the limits that are `configured`, by this `author`, and then `first`
        are decided before anything unfinished goes on.
        """
        of_file, before = dict(past.state.limits.of_file), set(past.state.halts)
        limits = configured.over(of_file, author)
        await self._reader.open()
        stood, playing = list(market.standing.values()), market.symbols
        for quote in market.missed:
            if self._paper is not None:
                self._paper.on_quote(quote)
        for quote in stood:
            self._see(quote)
        self._last("feed", self._play(playing))
        if self.feed is not None:
            missing = await self.quoted(past.needs_quotes(first))
            if missing and past.unfinished(first):
                raise NoQuotes(
                    f"{missing[0]} had no quote within {self.loaded.settings.feed.wait_s:g} s, and run"
                    f" {past.unfinished(first)[0]} waits for it; look at the feed, then start again: nothing was lost"
                )
        if past.unwalked:
            self._last("chain", walk(self._reader, past.unwalked))  # its JournalDamaged ends whoever waits for anything
        await self.engine.start(past.recovered)
        # Nothing is awaited from here to the last `ask`: they are decided before the broker can be ready.
        every = [*playing, *past.symbols(), *self._adopted(past)]
        answers = self._list(every, past.state)
        limited = asyncio.ensure_future(self.engine.ask(limits))
        asked = [asyncio.ensure_future(self.engine.ask(each)) for each in first]
        for quote in stood:
            # Its volume traded before this process began; the prices still stand.
            if self._paper is not None:
                self._paper.on_quote(msgspec.structs.replace(quote, volume=None))
        self._last("views", self._follow())
        self._last("days", self._keep_days())
        await asyncio.gather(*answers, limited, *asked)
        if kept := configured.why_kept(of_file):
            self._alert(RaiseAlert("WARNING", "risk.yaml", kept))
        self.limited = limited.result().text  # type: ignore[union-attr]
        self.first_replies = [each.result() for each in asked]
        own = [(each.tier, each.scope, each.name) for each in first if isinstance(each, HaltTrading)]
        there = self.state.halts.values()
        self.stood = before | {halt.number for halt in there if (halt.tier, halt.scope, halt.name) in own and not halt.trigger}

    async def close(self) -> None:
        """Stop in order: the engine, what plays and watches, and after the last batch the read models."""
        try:
            await self.engine.stop()
        finally:
            views = self._lasting.pop("views", None)
            for task in self._lasting.values():
                task.cancel()
            await asyncio.gather(*self._lasting.values(), return_exceptions=True)
            self._batches.put_nowait(None)
            try:
                if views is not None:
                    await views
                    if self._views_failed is not None:
                        await self._fold(self.views.catch_up(self._reader))
            finally:
                await self.views.close()
                await self._reader.close()

    # --- inside

    def _adopted(self, past: Past) -> list[Symbol]:
        """What a new journal will find in books that exist: listed first, so that it is booked under its own rules."""
        if past.last_at is not None:
            return []
        found = []
        for symbol in self._paper.held_symbols if self._paper is not None else ():
            with suppress(BadInput):  # no table knows it today: it is adopted with what the broker says alone
                self.listing.resolve(symbol, self.clock.now())
                found.append(symbol)
        return found

    def _see(self, quote: Quote) -> None:
        self.latest.on_quote(quote)
        self._quoted.set()
        self.engine.quote(quote)
        for watcher in self._watchers:
            watcher(quote)

    def _on_quote(self, quote: Quote) -> None:
        self._see(quote)
        if self._paper is not None:
            self._paper.on_quote(quote)

    def _published(self, published: Published) -> None:
        self.durable_seq = published.first_seq + len(published.events) - 1
        if self._batches.qsize() < BATCHES_WAITING_MAX:
            self._batches.put_nowait(published)
        else:
            self._passed_over = True  # the read models are slow: they read it in the journal, when they come to it
        for listener in self._listeners:
            listener(published)
        self._changed.set()

    def _last(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._lasting[name] = asyncio.ensure_future(work)

    def _raise_what_failed(self) -> None:
        for task in self._lasting.values():
            if task.done() and not task.cancelled():
                task.result()

    async def _play(self, symbols: Sequence[Symbol]) -> None:
        if self.feed is not None:
            await self.feed.run(symbols, self._on_quote)
            self.feed_ended = True
            self._changed.set()

    async def _keep_days(self) -> None:
        """Open the next trading day of every session when its time has come, and list what trades under its rules."""
        while True:
            await self.clock.sleep_until(UtcNs(self.clock.now() + DAY_LOOK_NS))
            now = self._market_time()
            for session, hours in list(self.state.hours.items()):
                if not session or self.listing.opening(session, now).trading_day <= hours.trading_day:
                    continue
                here = [symbol for symbol in self._symbols if self.state.instruments[symbol].session == session]
                await asyncio.gather(*self._list(here, self.state, [session], now))

    def _market_time(self) -> UtcNs:
        return market_time(self.clock.now(), self.feed)

    async def _follow(self) -> None:
        """Keep the read models as far as the journal. They never hold trading up: what fails is tried again with a batch that
        comes VIEWS_REST_S later, and at the end.
        """
        await self._fold(self.views.catch_up(self._reader))
        while (batch := await self._batches.get()) is not None:
            try:
                if self._views_failed is not None and stopwatch_ns() < self._views_rest_until:
                    continue
                if self._views_failed is None and not self._passed_over:
                    await self._fold(self.views.apply(batch.first_seq, batch.batch, batch.events, batch.appended_at))
                if self._views_failed is not None or self._passed_over:
                    self._passed_over = False  # what is passed over from here on sets it again, behind a batch that still waits
                    await self._fold(self.views.catch_up(self._reader))
            finally:
                self._batches.task_done()

    async def _fold(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except (ViewsBehind, ViewsFailed, JournalFailed, JournalDamaged) as error:
            if self._views_failed is None and not isinstance(error, ViewsBehind):
                text = f"the read models stay behind; trading goes on, and they are made up from the journal later: {error}"
                self._alert(RaiseAlert("WARNING", "views", text))
            self._views_failed = error
            behind = isinstance(error, ViewsBehind)  # cured by the journal, at once
            self._views_rest_until = stopwatch_ns() + (0 if behind else int(VIEWS_REST_S * SECOND_NS))
        else:
            self._views_failed = None
            self.shown_seq = self.views.folded_seq
            self._shown.set()

    def _list(
        self, symbols: Iterable[Symbol], known: State, sessions: Iterable[str] = (), at: UtcNs | None = None
    ) -> list[Awaitable[object]]:
        """Give the broker the rules of the day of `at`, today without it, and ask the engine to take them; to be awaited,
        already on their way. `sessions` come to that day too, whether or not anything of them is listed.
        """
        now = self.clock.now() if at is None else at
        instruments = [self.listing.as_known(symbol, now, known) for symbol in dict.fromkeys(symbols)]
        self._symbols |= {each.symbol: None for each in instruments}
        every = dict.fromkeys([*(each.session for each in instruments), *sessions])
        days = [self.listing.opening(each, now) for each in every if each]
        for each in days:
            if not each.windows:
                self._tell_end(each.session, now)
        if self._paper is not None:
            self._paper.list_instruments(instruments)
            for day in days:
                self._paper.open_day(day.session, day.trading_day, day.windows)
        commands: list[Command] = [ListInstruments(tuple(instruments)), *days]
        return [self.engine.ask(command) for command in commands]

    def _tell_end(self, session: str, now: UtcNs) -> None:
        """Say once that nothing is sent to a market any more, and what brings it back."""
        if session in self._ended:
            return
        self._ended[session] = None
        here = dict.fromkeys(each for each in at_stake(self.state) if self.state.instruments[each].session == session)
        left = f"; what is held or works there stays ({', '.join(here)})" if here else ""
        text = (
            f"{self.listing.why_closed(session, now)}; no order goes there, not even one that closes, and cancels do{left}:"
            " upgrade tradeloop, or put newer files into the folder of the setting markets.rules, then start again"
        )
        self._alert(RaiseAlert("CRITICAL" if here else "WARNING", f"calendar:{session}", text))


def market_time(now: UtcNs, feed: Feed | None) -> UtcNs:
    """How far the market has come: no further than the next quote the feed owes.

    A replay that the machine plays later than its clock runs is still in the day of its quotes. The next day would end the
    orders of this one before its last quotes could fill them.
    """
    owed = feed.undelivered_at if feed is not None else None
    return now if owed is None else min(now, owed)
