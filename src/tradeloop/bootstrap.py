"""The composition root: the one file that names concrete classes, and builds a desk out of settings.

`open_desk` is for what needs the writer: it takes the lease, recovers, connects the broker, plays the feed, opens trading days
and keeps the read models going. `open_archive` is for questions: it takes no lease and works while another process trades.

A recording plays on a clock of its own that starts where the journal last stood, so that a restart goes on in the recorded day
where the process ended. Times that bound the machine (time-outs, back-off, probing) are seconds of the world whatever
the speed; times of the market (quote age, order time-out, latency) are the recording's.
"""

# size: every concrete class is named here and nowhere else, so that what an installation is made of can be read in one place

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from tradeloop import __version__
from tradeloop.brokers.paper import Fault, FaultConfig, PaperBroker, PaperConfig, Scripted
from tradeloop.config import Loaded, Settings
from tradeloop.core.commands import CancelRun, Command, ListInstruments, OpenTradingDay, PauseRun, SeenPrice
from tradeloop.core.effects import RaiseAlert
from tradeloop.core.errors import BadInput, JournalDamaged, JournalFailed, TradeloopError
from tradeloop.core.instrument import Instrument
from tradeloop.core.replies import Reply
from tradeloop.core.reports import BrokerSnapshot, Quote
from tradeloop.core.state import State
from tradeloop.core.surroundings import Policy
from tradeloop.core.types import SECOND_NS, AccountID, Amount, Currency, Px, RunID, RunStatus, Symbol, TradingDay, UtcNs
from tradeloop.engine.clock import ReplayClock, WallClock, stopwatch_ns
from tradeloop.engine.dispatch import PLACE_TIMEOUT_S
from tradeloop.engine.engine import Engine
from tradeloop.engine.recover import Head, Recovered, recover
from tradeloop.engine.writer import Published
from tradeloop.feeds.bars import read_daily_bars, read_minute_bars
from tradeloop.feeds.demo import DEMO_SYMBOLS, demo_file
from tradeloop.feeds.latest import LatestQuotes
from tradeloop.feeds.quotes import read_quotes
from tradeloop.feeds.replay import ReplayFeed, Source
from tradeloop.feeds.rows import columns
from tradeloop.feeds.synthetic import SyntheticFeed, Walk
from tradeloop.journal import codec, patches
from tradeloop.journal.sql import SqlJournal
from tradeloop.markets.facts import load_facts
from tradeloop.markets.instruments import InstrumentMaster
from tradeloop.markets.sessions import next_trading_day, trading_day_at, windows
from tradeloop.markets.symbols import canonical
from tradeloop.ports.clock import Clock
from tradeloop.ports.feed import Feed
from tradeloop.views.errors import ViewsBehind, ViewsFailed
from tradeloop.views.sql import SqlViews

DAY_LOOK_NS: Final = 60 * SECOND_NS
"""How often the desk looks whether a session has come to its next trading day."""

BATCHES_WAITING_MAX: Final = 1_000
"""Batches kept for read models that are slower than trading; beyond that they read the journal."""

VIEWS_REST_S: Final = 5.0
"""Seconds of the world between two tries to make up read models that failed."""

REPLAY_PAST_NS: Final = 86_400 * SECOND_NS
"""A recorded day that ended this long ago is not the present, so its journal goes on in its own time."""

_LOOK_S: Final = 1.0
_MADE_UP_START: Final = Decimal(10)


class NoQuotes(TradeloopError):
    """The feed did not give what an unfinished run waits for; nothing was decided without it."""


class Listing:
    """Instruments as the dated rules resolve them, and the trading days of their sessions."""

    def __init__(self, settings: Settings) -> None:
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
        return OpenTradingDay(session, TradingDay(day.isoformat()), windows(session, day))


class Past(msgspec.Struct, frozen=True):
    """What the journal says before this process begins: its state, when its last row was written, and where it ends."""

    state: State
    last_at: UtcNs | None
    head: Head

    def unfinished(self, first: Sequence[Command] = ()) -> list[RunID]:
        """Runs that go on by themselves once the broker is ready, unless one of `first` ends or pauses them before."""
        stopped = {each.run_id for each in first if isinstance(each, CancelRun | PauseRun)}
        return [run_id for run_id, run in self.state.runs.items() if run.status is RunStatus.RUNNING and run_id not in stopped]

    def needs_quotes(self, first: Sequence[Command] = ()) -> list[Symbol]:
        """Symbols that something decides about as soon as the broker is ready."""
        wanted = {order.symbol: None for order in self.state.orders.open.values()}
        for run_id in self.unfinished(first):
            wanted |= {leg.line.symbol: None for leg in self.state.runs[run_id].legs if not leg.closed}
        return list(wanted)

    def symbols(self) -> list[Symbol]:
        """Everything held or being worked."""
        every = self.state.positions.values()
        held = (symbol for by_symbol in every for symbol, position in by_symbol.items() if not position.is_flat)
        return list(dict.fromkeys([*self.needs_quotes(), *held]))


class Desk:
    """A working installation. Made by `open_desk`; the command line uses it, and so will the API."""

    def __init__(
        self,
        loaded: Loaded,
        engine: Engine,
        clock: Clock,
        broker: PaperBroker,
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
        self.feed = feed
        self.views = views
        self.feed_ended = False
        self.first_replies: list[Reply] = []
        self.latest = LatestQuotes()
        self._listing = listing
        self._reader = reader
        self._listeners: list[Callable[[Published], None]] = []
        self._changed = asyncio.Event()
        self._quoted = asyncio.Event()
        self._alert = alert
        self._batches: asyncio.Queue[Published | None] = asyncio.Queue()
        self._passed_over = False
        self._lasting: dict[str, asyncio.Task[None]] = {}
        self._views_failed: TradeloopError | None = None
        self._views_rest_until = 0
        self._symbols: dict[Symbol, None] = {}
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
        """Whether the broker's books have been compared, so that orders may be sent."""
        link = self.state.links.get(self.broker.name)
        return link is not None and link.ready

    def listen(self, listener: Callable[[Published], None]) -> None:
        """Have `listener` called with every durable batch from now on."""
        self._listeners.append(listener)

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

    # --- doing

    async def ready(self) -> None:
        """Return when orders may be sent."""
        await self.until(lambda: self.is_ready)

    async def settled(self) -> None:
        """Return when everything that was asked so far is decided and durable."""
        await self.engine.ask(ListInstruments(()))

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

    async def open(self, past: Past, standing: Iterable[Quote], playing: Sequence[Symbol], first: Sequence[Command]) -> None:
        """Play the feed, take the lease, recover, connect; `first` are decided before anything unfinished goes on."""
        await self._reader.open()
        stood = list(standing)
        for quote in stood:
            self._on_quote(quote)
        self._last("feed", self._play(playing))
        if self.feed is not None:
            missing = await self.quoted(past.needs_quotes(first))
            if missing and past.unfinished(first):
                raise NoQuotes(
                    f"{missing[0]} had no quote within {self.loaded.settings.feed.wait_s:g} s, and run"
                    f" {past.unfinished(first)[0]} waits for it; look at the feed, then start again: nothing was lost"
                )
        await self.engine.start(past.head)
        # Nothing is awaited from here to the last `ask`: they are decided before the broker can be ready.
        every = [*playing, *past.symbols(), *self._adopted(past)]
        answers = self._list(every, past.state)
        asked = [asyncio.ensure_future(self.engine.ask(each)) for each in first]
        for quote in stood:
            # Its volume traded before this process began; the prices still stand.
            self.broker.on_quote(msgspec.structs.replace(quote, volume=None))
        self._last("views", self._follow())
        self._last("days", self._keep_days())
        await asyncio.gather(*answers, *asked)
        self.first_replies = [each.result() for each in asked]

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
        for symbol in self.broker.held_symbols:
            with suppress(BadInput):  # no table knows it today: it is adopted with what the broker says alone
                self._listing.resolve(symbol, self.clock.now())
                found.append(symbol)
        return found

    def _on_quote(self, quote: Quote) -> None:
        self.latest.on_quote(quote)
        self._quoted.set()
        self.engine.quote(quote)
        self.broker.on_quote(quote)

    def _published(self, published: Published) -> None:
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
            now = self.clock.now()
            for session, hours in list(self.state.hours.items()):
                if not session or trading_day_at(session, now).isoformat() == hours.trading_day:
                    continue
                here = [symbol for symbol in self._symbols if self.state.instruments[symbol].session == session]
                await asyncio.gather(*self._list(here))

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

    def _list(self, symbols: Iterable[Symbol], known: State | None = None) -> list[Awaitable[object]]:
        """Give the broker the rules of today, and ask the engine to take them; to be awaited, already on their way."""
        now = self.clock.now()
        instruments = []
        for symbol in dict.fromkeys(symbols):
            try:
                instruments.append(self._listing.resolve(symbol, now))
            except BadInput:
                before = known.instruments.get(symbol) if known is not None else None
                if before is None:
                    raise
                instruments.append(before)  # held from a day whose tables knew it; it can still be sold
        self._symbols |= {each.symbol: None for each in instruments}
        days = [self._listing.opening(each, now) for each in dict.fromkeys(i.session for i in instruments) if each]
        self.broker.list_instruments(instruments)
        for day in days:
            self.broker.open_day(day.session, day.trading_day, day.windows)
        commands: list[Command] = [ListInstruments(tuple(instruments)), *days]
        return [self.engine.ask(command) for command in commands]


@asynccontextmanager
async def open_desk(
    loaded: Loaded,
    *,
    command: str,
    alert: Callable[[RaiseAlert], None],
    symbols: Sequence[Symbol] = (),
    prices: dict[Symbol, Px] | None = None,
    trade_date: TradingDay | None = None,
    first: Sequence[Command] = (),
) -> AsyncIterator[Desk]:
    """A desk that has recovered, is connected, and takes commands; stopped in order when the block ends.

    `symbols` become tradable; `prices` begin their made-up walks. `first` are commands decided before anything that was left
    unfinished goes on; their replies are the desk's `first_replies`. Raises LeaseHeld naming the holder, JournalDamaged,
    JournalFailed, BadInput and NoQuotes.
    """
    settings = loaded.settings
    await prepare_database(loaded)
    past = await read_past(loaded)
    listing = Listing(settings)
    market = _Market(loaded, listing, past, [*symbols, *past.symbols()], prices or {}, trade_date)
    if market.feed is None and (unfinished := past.unfinished(first)):
        raise BadInput(
            f"run {unfinished[0]} is still {RunStatus.RUNNING.value} and would go on without quotes;"
            " name its feed with --feed, or end it with `tradeloop runs cancel`"
        )
    clock = market.clock
    broker = PaperBroker(_paper_config(loaded), clock, undelivered_at=market.undelivered_at)
    # Its books are read again on connect, when the lease is ours: until then another process may still write them.
    await broker.close()
    journal = SqlJournal(loaded.database_url)
    engine = Engine(
        journal=journal,
        codec=codec,
        clock=clock,
        brokers={broker.name: broker},
        policy=_policy(settings, market.speed),
        group=settings.group,
        owner=_owner(loaded, command),
        version=__version__,
        alert=alert,
        lease_clock=WallClock(),
        clock_kind=market.clock_kind,
    )
    reader = SqlJournal(loaded.database_url, read_only=True)
    views = SqlViews(loaded.database_url, codec.decode)
    desk = Desk(loaded, engine, clock, broker, market.feed, listing, views, reader, alert)
    try:
        await desk.open(past, market.standing.values(), market.symbols, first)
        if journal.remark:
            alert(RaiseAlert("WARNING", "journal", journal.remark))
        yield desk
    finally:
        await desk.close()


class Archive:
    """The record of an installation, for questions: nothing here can write it."""

    def __init__(self, loaded: Loaded, reader: SqlJournal, views: SqlViews) -> None:
        self.loaded = loaded
        self.reader = reader
        self.views = views

    async def recovered(self) -> Recovered:
        """The state as the journal gives it now."""
        return await recover(self.reader, codec)


@asynccontextmanager
async def open_archive(loaded: Loaded, *, fresh_views: bool = True) -> AsyncIterator[Archive]:
    """The journal and the read models, to be read while another process may be writing them.

    A process that was killed leaves read models behind its journal; `fresh_views` folds what is missing first.
    """
    if await is_new(loaded):
        demo = loaded.home.inside("demo")
        hint = (
            f"the demo's home is {demo.data}: give `--home {demo.data}` before the command to look at what it traded"
            if demo.database.exists()
            else "trade first, for example with `tradeloop run --demo`"
        )
        raise BadInput(f"nothing has been recorded in {label(loaded)} yet; {hint}")
    async with AsyncExitStack() as stack:
        reader = SqlJournal(loaded.database_url, read_only=True)
        stack.push_async_callback(reader.close)
        await reader.open()
        views = SqlViews(loaded.database_url, codec.decode)
        stack.push_async_callback(views.close)
        if fresh_views and await _views_lag(reader, views):
            await _fold_the_rest(reader, views)
        yield Archive(loaded, reader, views)


# --- the database


async def is_new(loaded: Loaded) -> bool:
    """Whether no patch was ever applied to the database, or its file is not there."""
    path = sqlite_path(loaded)
    if path is not None and not path.exists():
        return True
    lines = await patches.status(loaded.database_url)
    return all(line.state is patches.PatchState.PENDING for line in lines)


async def prepare_database(loaded: Loaded) -> None:
    """Make folders and, where the database is new, its tables. An older schema is left to `tradeloop db upgrade`."""
    loaded.home.prepare()
    if await is_new(loaded):
        await patches.upgrade(loaded.database_url)


async def read_past(loaded: Loaded) -> Past:
    """What the journal says now, read without the lease. Raises JournalDamaged."""
    reader = SqlJournal(loaded.database_url, read_only=True)
    try:
        await reader.open()
        recovered = await recover(reader, codec)
        last_at: UtcNs | None = None
        if recovered.head[0]:
            async for row in reader.read(after_batch=recovered.head[0] - 1):
                last_at = row.appended_at
                break
        return Past(recovered.state, last_at, recovered.head)
    finally:
        await reader.close()


def sqlite_path(loaded: Loaded) -> Path | None:
    """The file of the database; None where it is a server. Raises BadInput for what is no database URL."""
    try:
        url = make_url(loaded.database_url)
    except ArgumentError:
        raise BadInput(
            "database.url was not a URL; expected sqlite:///FILE, postgresql+asyncpg://USER@HOST/NAME"
            " or mysql+aiomysql://USER@HOST/NAME"
        ) from None
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def label(loaded: Loaded) -> str:
    """The database in words, without its password."""
    return make_url(loaded.database_url).render_as_string(hide_password=True)


def _owner(loaded: Loaded, command: str) -> str:
    """Who holds the lease, as a second process will be told. A SQLite lock adds pid, command line and time by itself."""
    if sqlite_path(loaded) is not None:
        return f"tradeloop {command}"
    since = datetime.fromtimestamp(WallClock().now() // SECOND_NS, UTC)
    return f"tradeloop {command} (pid {os.getpid()} on {platform.node()}, since {since:%Y-%m-%dT%H:%M:%SZ})"


async def _views_lag(reader: SqlJournal, views: SqlViews) -> bool:
    head = await reader.head()
    return (await views.cursor())[1] < head[1]


async def _fold_the_rest(reader: SqlJournal, views: SqlViews) -> None:
    try:
        await views.catch_up(reader)
    except ViewsBehind:
        return  # the writing process moved them meanwhile: then they are as new as it gets


# --- broker, policy, clock and feed


def _paper_config(loaded: Loaded) -> PaperConfig:
    broker = loaded.settings.broker
    paper = broker.paper
    return PaperConfig(
        name=broker.name,
        account=AccountID(broker.account),
        path=loaded.home.paper_books,
        cash=tuple((Currency(currency), Amount(amount)) for currency, amount in paper.cash.items()),
        latency_ns=paper.latency_ms * 1_000_000,
        bar_participation=paper.bar_participation,
        assumed_size=paper.assumed_size,
        faults=FaultConfig(
            script=tuple(_scripted(line) for line in paper.faults.script),
            rates=tuple((_fault(name), rate) for name, rate in paper.faults.rates.items()),
            seed=paper.faults.seed,
            delay_ns=paper.faults.delay_ms * 1_000_000,
            late_ns=paper.faults.late_ms * 1_000_000,
            outage_ns=paper.faults.outage_ms * 1_000_000,
        ),
    )


def _scripted(written: str) -> Scripted:
    name, _, nth = written.partition(":")
    if not nth.isdigit():
        raise BadInput(f"broker.paper.faults.script was {written[:40]!r}; expected fault:nth such as drop_ack:1")
    return Scripted(_fault(name), int(nth))


def _fault(name: str) -> Fault:
    try:
        return Fault(name)
    except ValueError:
        known = ", ".join(fault.value for fault in Fault)
        raise BadInput(f"the fault was {name[:40]!r}; expected one of {known}") from None


def _policy(settings: Settings, speed: float) -> Policy:
    """Times that bound the machine grow with the speed of a replay, so that they stay what they are in the world."""

    def world(seconds: float) -> int:
        return int(seconds * speed * SECOND_NS)

    times = settings.engine
    return Policy(
        market_buffer=settings.broker.market_buffer,
        max_drift=times.max_drift,
        max_quote_age_ns=quote_age_ns(settings),
        ack_timeout_ns=world(times.ack_timeout_s),
        send_within_ns=world(times.ack_timeout_s),
        place_timeout_ns=world(PLACE_TIMEOUT_S),
        resend_after_ns=(world(1), world(2), world(5)),
        probe_every_ns=world(1),
        unknown_alert_ns=world(times.unknown_alert_s),
        reconcile_every_ns=world(times.reconcile_every_s),
        recent_ns=world(2),
    )


def quote_age_ns(settings: Settings) -> int:
    """How old a price may be: the setting, but on a fast replay never less than what the machine may take to answer."""
    speed = 1.0 if settings.feed.kind in ("none", "synthetic") and not settings.feed.start else settings.feed.speed
    return int(max(settings.run.max_quote_age_s, settings.engine.ack_timeout_s * speed) * SECOND_NS)


class _Market:
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
        self.symbols = list(dict.fromkeys(symbols))
        self.standing: dict[Symbol, Quote] = {}
        self.feed: ReplayFeed | SyntheticFeed | None = None
        sources = _sources(loaded.settings, listing)
        if feed.kind == "demo":
            self.symbols = list(dict.fromkeys([*DEMO_SYMBOLS, *symbols]))
        begin = self._begin(loaded, listing, past, sources, trade_date)
        self.speed = 1.0 if begin is None or _goes_on_recorded(loaded, past) else feed.speed
        self.clock: Clock = WallClock() if begin is None else ReplayClock(begin, self.speed)
        self.clock_kind = "wall" if begin is None else "replay"
        if sources and begin is not None:
            remaining = [_from(source, begin, self.standing) for source in sources]
            self.feed = ReplayFeed(remaining, self.clock, name=feed.kind)
        elif feed.kind == "synthetic":
            at = self.clock.now()
            walks = {each: _walk(listing.resolve(each, at), feed.prices, prices) for each in self.symbols}
            self.feed = SyntheticFeed(walks, self.clock, seed=feed.seed, interval_ns=feed.interval_ms * 1_000_000)

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
            session = listing.session_of(symbol, datetime.fromtimestamp(begin // SECOND_NS, UTC).date()) if symbol else ""
        else:
            if symbol is None or (trade_date is None and first is None):
                raise BadInput("feed.start was 'open', which needs a trade date; name a time with its zone, or a context")
            day = date.fromisoformat(trade_date) if trade_date is not None else _day_of(listing, symbol, first)
            session = listing.session_of(symbol, day)
            spans = windows(session, day) or windows(session, next_trading_day(session, day))
            begin = spans[0][0]
        last = past.last_at
        if last is None or begin >= last:
            return begin
        if session and trading_day_at(session, last) > trading_day_at(session, begin):
            raise BadInput(
                f"the books of {loaded.home.data} stand at {_iso(last)}, and time does not go back to {_iso(begin)};"
                " give a replay of an earlier day a home of its own with --home"
            )
        return last


def _goes_on_recorded(loaded: Loaded, past: Past) -> bool:
    """Whether no feed is named, and the journal was last written in the time of a recording that is not the present."""
    if loaded.settings.feed.kind != "none" or past.state.clock != "replay" or past.last_at is None:
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


def _from(source: Source, begin: UtcNs, standing: dict[Symbol, Quote]) -> Source:
    """The part of a recording after `begin`; what stood at that moment goes to `standing`."""
    quotes = source()
    rest: Iterator[Quote] = iter(())
    for quote in quotes:
        if quote.at > begin:
            rest = chain((quote,), quotes)
            break
        standing[quote.symbol] = quote
    return lambda: rest


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


def _walk(instrument: Instrument, set_prices: dict[str, Decimal], prices: dict[Symbol, Px]) -> Walk:
    start = set_prices.get(instrument.symbol) or prices.get(instrument.symbol) or _MADE_UP_START
    lot = max(instrument.lot, instrument.min_qty)
    return Walk(start=Px(max(start, instrument.tick)), tick=instrument.tick, lot=lot)


def _utc_ns(moment: datetime) -> UtcNs:
    whole = int(moment.replace(microsecond=0).timestamp())
    return UtcNs(whole * SECOND_NS + moment.microsecond * 1000)


def _iso(at: UtcNs) -> str:
    return f"{datetime.fromtimestamp(at // SECOND_NS, UTC):%Y-%m-%dT%H:%M:%SZ}"
