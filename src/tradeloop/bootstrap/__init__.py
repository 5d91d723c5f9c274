"""The composition root: the one place that names concrete classes, and builds a desk out of settings.

`open_desk` is for what needs the writer: it takes the lease, recovers, connects the broker, plays the feed, opens trading days
and keeps the read models going. `open_archive` is for questions: it takes no lease and works while another process trades.

A recording plays on a clock of its own that starts where the journal last stood, so that a restart goes on in the recorded day
where the process ended. Times that bound the machine (time-outs, back-off, probing) are seconds of the world whatever
the speed; times of the market (quote age, order time-out, latency) are the recording's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from tradeloop import __version__
from tradeloop.bootstrap.archive import Archive, open_archive
from tradeloop.bootstrap.brokers import broker_of, traded_at
from tradeloop.bootstrap.database import (
    is_new,
    label,
    owner_of,
    prepare_database,
    reading_url,
    refuse_lost_journal,
    sqlite_path,
)
from tradeloop.bootstrap.desk import Desk, NoQuotes
from tradeloop.bootstrap.limits import NOBODY, Author, Configured, configured_in, configured_limits
from tradeloop.bootstrap.listing import Listing
from tradeloop.bootstrap.market import Market, NoTradingThen, refuse_speed
from tradeloop.bootstrap.paper import lost_books
from tradeloop.bootstrap.past import Past, read_past
from tradeloop.bootstrap.policy import policy_of, quote_age_ns
from tradeloop.bootstrap.rehearsal import can_rehearse, rehearsal
from tradeloop.bootstrap.release import suspicion
from tradeloop.config import Loaded
from tradeloop.core.commands import Command
from tradeloop.core.effects import RaiseAlert
from tradeloop.core.errors import BadInput
from tradeloop.core.state import State
from tradeloop.core.types import Px, RunStatus, Symbol, TradingDay
from tradeloop.engine.clock import WallClock
from tradeloop.engine.engine import Engine
from tradeloop.engine.latch import FileLatch
from tradeloop.journal import codec
from tradeloop.journal.sql import SqlJournal
from tradeloop.views.sql import SqlViews

__all__ = [
    "Archive",
    "Configured",
    "Desk",
    "Listing",
    "NoQuotes",
    "NoTradingThen",
    "Past",
    "can_rehearse",
    "configured_in",
    "configured_limits",
    "is_new",
    "label",
    "lost_books",
    "open_archive",
    "open_desk",
    "policy_of",
    "quote_age_ns",
    "read_past",
    "reading_url",
    "refuse_lost_journal",
    "rehearsal",
    "sqlite_path",
]


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
    look: Callable[[State], None] | None = None,
    author: Author = NOBODY,
) -> AsyncIterator[Desk]:
    """A desk that has recovered, is connected, and takes commands; stopped in order when the block ends.

    `symbols` become tradable; `prices` begin their made-up walks. `first` are commands decided before anything that was left
    unfinished goes on; their replies are the desk's `first_replies`. `look` sees the state as the journal has it and may raise,
    before anything is opened that writes. The limits of risk.yaml hold before all of that; where it cannot be read, nothing is
    opened, and where it is gone, those that were in force stay so; an `author` answers for them as on a running desk. Raises
    LeaseHeld naming the holder, JournalDamaged, JournalFailed, BadInput and NoQuotes.
    """
    settings, limits = loaded.settings, configured_limits(loaded)
    if await is_new(loaded):
        refuse_speed(settings.feed)
    await prepare_database(loaded)
    past = await read_past(loaded)
    if look is not None:
        look(past.state)
    listing = Listing(settings)
    market = Market(loaded, listing, past, [*symbols, *past.symbols()], prices or {}, trade_date)
    if market.feed is None and (unfinished := past.unfinished(first)):
        raise BadInput(
            f"run {unfinished[0]} is still {RunStatus.RUNNING.value} and would go on without quotes;"
            " name its feed with --feed, or end it with `tradeloop runs cancel`"
        )
    clock = market.clock
    broker = broker_of(loaded, market, past)
    # A paper broker's books are read again on connect, when the lease is ours: until then another process may write them.
    await broker.close()
    journal = SqlJournal(loaded.database_url)
    engine = Engine(
        journal=journal,
        codec=codec,
        clock=clock,
        brokers={broker.name: broker},
        policy=policy_of(loaded, market.speed),
        group=settings.group,
        owner=owner_of(loaded, command),
        version=__version__,
        alert=alert,
        lease_clock=WallClock(),
        clock_kind=market.clock_kind,
        traded_at=(traded_at(loaded),),
        latch=FileLatch(loaded.home.latch),
    )
    reader = SqlJournal(loaded.database_url, read_only=True)
    views = SqlViews(loaded.database_url, codec.decode)
    desk = Desk(loaded, engine, clock, broker, market.feed, listing, views, reader, engine.alert)
    try:
        await desk.open(past, market, first, limits, author)
        if tried := suspicion(loaded):
            engine.alert(RaiseAlert("CRITICAL", "second factor", tried))
        if journal.remark:
            engine.alert(RaiseAlert("WARNING", "journal", journal.remark))
        yield desk
    finally:
        await desk.close()
