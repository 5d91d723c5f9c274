"""The host: which strategies there are, how each stands, and the commands that start, pause and stop them.

After a start of the desk every strategy is stopped: a person starts it. What one of them does to itself reaches no other one.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import msgspec

from tradeloop.core.errors import BadInput, Conflicts
from tradeloop.core.events import Traded
from tradeloop.core.reports import Quote
from tradeloop.core.types import Symbol, UtcNs
from tradeloop.engine.writer import Published
from tradeloop.ports.clock import Clock
from tradeloop.strategies.configured import Configured, configured_in, one_of
from tradeloop.strategies.floor import Floor
from tradeloop.strategies.rows import Trigger, Version
from tradeloop.strategies.running import Running, Standing
from tradeloop.strategies.source import read_source
from tradeloop.strategies.store import StrategyStore
from tradeloop.yamltext import shown

_CONFIG: Final = msgspec.json.Encoder(order="deterministic")


class Shown(msgspec.Struct, frozen=True):
    """A strategy as it is told. `since` is when it came to stand so; `version` is the one that runs or ran last, 0 for none."""

    name: str
    file: str
    symbols: list[str]
    standing: str
    why: str
    since: UtcNs | None
    version: int
    pid: int | None
    triggers: int


class Host:
    """The strategies of a desk. `open` first, `close` in the end; `file` is strategies.yaml."""

    def __init__(self, floor: Floor, store: StrategyStore, clock: Clock, file: Path) -> None:
        self._floor = floor
        self._store = store
        self._clock = clock
        self._file = file
        self._running: dict[str, Running] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    async def open(self) -> None:
        """Open the store, and hear of quotes and fills from now on."""
        await self._store.open()
        self._floor.watch(self._on_quote)
        self._floor.listen(self._on_published)

    async def close(self) -> None:
        """End every process, and let go of the store."""
        every = [each.abandon("the desk has ended") for each in self._running.values() if each.works or each.pid]
        await asyncio.gather(*every, return_exceptions=True)
        await self._store.close()

    # --- questions

    async def strategies(self) -> list[Shown]:
        """All that are configured or run. Raises BadInput where strategies.yaml can not be read."""
        there = configured_in(self._file)
        counts = await self._store.counts()
        every = {**{name: each.one for name, each in self._running.items()}, **there}
        return [await self._shown(one, counts.get(name, 0)) for name, one in sorted(every.items())]

    def followed(self) -> set[Symbol]:
        """The symbols of the strategies that work."""
        return {symbol for each in self._running.values() if each.works for symbol in each.one.traded}

    async def strategy(self, name: str) -> Shown:
        """One of them. Raises NotKnown."""
        running = self._running.get(name)
        one = running.one if running is not None and running.works else one_of(self._file, name)
        return await self._shown(one, (await self._store.counts()).get(name, 0))

    async def versions(self, name: str) -> list[Version]:
        """The versions of its configuration that were started, newest first. Raises NotKnown."""
        found = await self._store.versions(name)
        if not found:
            self._known(name)
        return found

    async def triggers(self, name: str, before: int | None, limit: int) -> list[Trigger]:
        """Its triggers, newest first; of all strategies without a name. Raises NotKnown."""
        found = await self._store.triggers(name, before, limit)
        if name and not found and before is None:
            self._known(name)
        return found

    # --- commands

    async def start(self, name: str, by: str) -> str:
        """Start it, or have it go on after a pause; what came of it. Raises BadInput, StrategyEnded, StrategiesNotKept."""
        async with self._turn(name):
            running = self._running.get(name)
            if running is not None and running.standing is Standing.PAUSED:
                await running.go_on(by)
                return f"strategy {name} goes on"
            if running is not None and running.works:
                raise Conflicts(f"strategy {name} runs already")
            if self._floor.is_live:
                raise BadInput(f"real money is traded here, which no strategy may yet; {name} was not started")
            if running is not None:
                await running.over()
            one = one_of(self._file, name)
            source = await asyncio.to_thread(read_source, self._file.parent / one.file)
            await self._floor.tradable(one.traded)
            config = _CONFIG.encode(one).decode()
            version = await self._store.version_of(name, config, source.sha256, by, self._floor.now())
            running = Running(self._floor, self._store, self._clock, one, version)
            self._running[name] = running
            await running.begin(source, by)
            return f"strategy {name} runs, version {version.version} of its configuration"

    async def pause(self, name: str, by: str) -> str:
        """No new entries; what only closes still goes."""
        async with self._turn(name):
            running = self._working(name)
            if running.standing is Standing.PAUSED:
                return f"strategy {name} is paused already"
            await running.pause(by)
            return f"strategy {name} is paused: it may only close what it holds"

    async def stop(self, name: str, by: str) -> str:
        """End it; what it holds stays."""
        async with self._turn(name):
            await self._working(name).stop(f"stopped by {by}")
            return f"strategy {name} is stopped; what it holds stays, and so do its orders that close"

    # --- inside

    def _turn(self, name: str) -> asyncio.Lock:
        self._known(name)
        return self._turns.setdefault(name, asyncio.Lock())

    def _known(self, name: str) -> None:
        if name not in self._running and name not in configured_in(self._file):
            one_of(self._file, name)

    def _working(self, name: str) -> Running:
        running = self._running.get(name)
        if running is None or not running.works:
            raise Conflicts(f"strategy {shown(name)} does not run")
        return running

    async def _shown(self, one: Configured, triggers: int) -> Shown:
        running = self._running.get(one.name)
        if running is None:
            last = await self._store.versions(one.name, limit=1)
            version = last[0].version if last else 0
            return Shown(one.name, one.file, list(one.traded), Standing.STOPPED.value, "", None, version, None, triggers)
        pid = running.pid if running.works else None
        standing, version = running.standing.value, running.version.version
        return Shown(one.name, one.file, list(one.traded), standing, running.why, running.since, version, pid, triggers)

    def _on_quote(self, quote: Quote) -> None:
        for running in self._running.values():
            running.on_quote(quote)

    def _on_published(self, published: Published) -> None:
        if not self._running:
            return
        for fact in published.events:
            if not isinstance(fact, Traded):
                continue
            order = self._floor.state.orders.get(fact.cl_ord_id)
            if order is not None and (running := self._running.get(order.strategy_id)) is not None:
                running.on_trade(fact)
