"""What the journal says before this process begins, read without the lease."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from tradeloop.bootstrap.database import reading_url
from tradeloop.config import Loaded
from tradeloop.core.commands import CancelRun, Command, HaltTrading, PauseRun
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.run_book import Run
from tradeloop.core.state import State
from tradeloop.core.types import RunID, RunStatus, Symbol, UtcNs
from tradeloop.engine.recover import Recovered, recover, walk
from tradeloop.journal import codec
from tradeloop.journal.sql import SqlJournal

AT_ONCE: Final = 50_000
"""Rows that are checked before a start, at 5 to 40 microseconds each (300 and 20,000 bytes)."""


class Past(msgspec.Struct, frozen=True):
    """What the journal says before this process begins, and when its last row was written."""

    recovered: Recovered
    last_at: UtcNs | None
    unwalked: int = 0
    """Up to which row a snapshot alone stands for the journal, because it is too long to be checked before a start; else 0."""
    is_unread: bool = False
    """Whether the journal could not be opened, so that the empty state here says nothing of it."""

    @property
    def state(self) -> State:
        """The state at the end of the journal; the engine goes on with it once it has started."""
        return self.recovered.state

    def unfinished(self, first: Sequence[Command] = ()) -> list[RunID]:
        """Runs that go on by themselves once the broker is ready, unless one of `first` ends or pauses them before."""
        stopped = {each.run_id for each in first if isinstance(each, CancelRun | PauseRun)}
        for each in first:
            if isinstance(each, HaltTrading) and each.tier is not HaltTier.REDUCE_ONLY:
                stopped |= {run_id for run_id, run in self.state.runs.live.items() if _stops(each, run)}
        return [
            run_id for run_id, run in self.state.runs.live.items() if run.status is RunStatus.RUNNING and run_id not in stopped
        ]

    def needs_quotes(self, first: Sequence[Command] = ()) -> list[Symbol]:
        """Symbols that something decides about as soon as the broker is ready."""
        wanted = {order.symbol: None for order in self.state.orders.open.values()}
        for run_id in self.unfinished(first):
            wanted |= {leg.line.symbol: None for leg in self.state.runs[run_id].legs if not leg.closed}
        return list(wanted)

    def waiting_since(self) -> dict[Symbol, UtcNs]:
        """Symbols with an open order that may be at the broker, and since when the oldest of them may be."""
        since: dict[Symbol, UtcNs] = {}
        for order in self.state.orders.open.values():
            if order.may_be_at_broker:
                since[order.symbol] = min(since.get(order.symbol, order.staged_at), order.staged_at)
        return since

    def symbols(self) -> list[Symbol]:
        """Everything held or being worked, and the main contract."""
        every = self.state.positions.values()
        held = (symbol for by_symbol in every for symbol, position in by_symbol.items() if not position.is_flat)
        main = [] if self.state.main is None else [self.state.main.symbol]
        return list(dict.fromkeys([*self.needs_quotes(), *held, *main]))


def _stops(halt: HaltTrading, run: Run) -> bool:
    """Whether every order of the run is within the halt."""
    if halt.scope is HaltScope.GLOBAL:
        return True
    named = {HaltScope.ACCOUNT: run.created.account, HaltScope.BROKER: run.created.broker}
    return named.get(halt.scope) == halt.name


async def read_past(loaded: Loaded, *, whole: bool = False) -> Past:
    """What the journal says now, read without the lease. Raises JournalDamaged, for rows that only a snapshot stands for too:
    nothing is appended to a journal that does not verify. Of a journal of more than AT_ONCE rows that is left to the desk,
    which looks while it trades, unless the `whole` is wanted.
    """
    reader = SqlJournal(reading_url(loaded), read_only=True)
    try:
        await reader.open()
        recovered = await recover(reader, codec)
        later = recovered.from_batch > AT_ONCE and not whole
        if not later:
            await walk(reader, recovered.from_batch)
        last_at: UtcNs | None = None
        if recovered.head[0]:
            async for row in reader.read(after_batch=recovered.head[0] - 1):
                last_at = row.appended_at
                break
        return Past(recovered, last_at, recovered.from_batch if later else 0)
    finally:
        await reader.close()
