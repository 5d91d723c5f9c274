"""One strategy from its start to its end: its process is told what happens, and what it answers is done.

What goes wrong with it ends it and nothing else: its process is killed, its working orders that would open are cancelled, those
that close stay, and the log says why.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from enum import Enum

from tradeloop.core.errors import TradeloopError
from tradeloop.core.events import Traded
from tradeloop.core.reports import Quote
from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.ports.clock import Clock
from tradeloop.strategies.acting import Fired, Hands
from tradeloop.strategies.bars import Bars
from tradeloop.strategies.configured import Configured
from tradeloop.strategies.floor import Floor
from tradeloop.strategies.pipe import HOOKS, Answer, Begin, Called, Fill, OnBar, OnFill, OnQuote, OnStart, OnTimer
from tradeloop.strategies.process import Process
from tradeloop.strategies.rows import Version
from tradeloop.strategies.source import Source
from tradeloop.strategies.store import StrategyStore
from tradeloop.strategies.waiting import Waiting


class Standing(Enum):
    """How a strategy stands."""

    STOPPED = "STOPPED"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    """It goes on being told, and may only close what it holds itself."""
    FAILED = "FAILED"
    """It has ended by itself; `why` says of what."""


class Running:
    """One start of a strategy. `begin` first; `stop` in the end, or it ends by itself."""

    def __init__(self, floor: Floor, store: StrategyStore, clock: Clock, one: Configured, version: Version) -> None:
        self.one = one
        self.version = version
        self.standing = Standing.STARTING
        self.since = floor.now()
        self.why = ""
        self._floor = floor
        self._clock = clock
        self._symbols = frozenset(one.traded)
        self._bars = Bars(int(one.bar_s * SECOND_NS))
        self._hands = Hands(floor, store, one.name, version.version, lambda: self.standing is Standing.PAUSED)
        self._process: Process | None = None
        self._waiting = Waiting([])
        self._lasting: list[asyncio.Task[None]] = []

    @property
    def pid(self) -> int | None:
        """The number of its process, while there is one."""
        return None if self._process is None else self._process.pid

    @property
    def works(self) -> bool:
        """Whether it is told what happens."""
        return self.standing in (Standing.RUNNING, Standing.PAUSED)

    async def begin(self, source: Source, by: str) -> None:
        """Start its process and call on_start. Raises StrategyEnded, and what the store raises; then it has FAILED."""
        one, within_s, begun = self.one, self.one.start_s, False
        try:
            await self._hands.note("START", f"started by {by}, version {self.version.version}")
            self._process = await Process.started(source.path.parent)
            begin = Begin(one.name, source.content, str(source.path), one.class_name, list(one.traded), one.parameters)
            self._waiting = Waiting((await self._process.ask(begin, "loading it", within_s)).hooks)
            answer = await self._process.ask(OnStart(), "on_start", within_s) if self._waiting.takes(OnStart) else Answer()
            self._stands(Standing.RUNNING)
            await self._act(answer, Fired("on_start"))
            begun = True
        except TradeloopError as error:
            await self._fail(str(error))
            raise
        finally:
            if not begun:
                self._given_up()
        self._lasting = [asyncio.ensure_future(self._tell())]
        if one.timer_s is not None and self._waiting.takes(OnTimer):
            self._lasting.append(asyncio.ensure_future(self._time(int(one.timer_s * SECOND_NS))))

    async def pause(self, by: str) -> None:
        """No new entries from here on; what only closes still goes."""
        self._stands(Standing.PAUSED, f"paused by {by}")
        await self._hands.note("PAUSE", self.why)
        await self._hands.cancel_entries(self.why)

    async def go_on(self, by: str) -> None:
        """The end of a pause."""
        self._stands(Standing.RUNNING)
        await self._hands.note("START", f"goes on, by {by}")

    async def stop(self, why: str) -> None:
        """End it in order: its process first, then its working orders that would open."""
        self._stands(Standing.STOPPED, why)
        await self._end()
        await self._hands.note("STOP", why)
        await self._hands.cancel_entries(why)

    async def abandon(self, why: str) -> None:
        """End its process alone: the desk closes, and what works at the broker goes on working."""
        self._stands(Standing.STOPPED, why)
        await self._end()
        with suppress(TradeloopError):
            await self._hands.note("STOP", why)

    async def over(self) -> None:
        """Return when nothing of it is at work any more."""
        await asyncio.gather(*self._lasting, return_exceptions=True)

    def on_quote(self, quote: Quote) -> None:
        """A quote of the desk."""
        if not self.works or quote.symbol not in self._symbols:
            return
        if self._waiting.takes(OnBar) and (bar := self._bars.add(quote)) is not None:
            self._waiting.bar(bar)
        if self._waiting.takes(OnQuote):
            self._waiting.quote(quote)

    def on_trade(self, trade: Traded) -> None:
        """A fill of one of its orders."""
        if self.works and self._waiting.takes(OnFill):
            side, at = trade.side.value, trade.transact_at or self._floor.now()
            self._waiting.fill(Fill(trade.symbol, side, trade.last_qty, trade.last_px, trade.cl_ord_id, at))

    # --- inside

    def _stands(self, standing: Standing, why: str = "") -> None:
        self.standing, self.why, self.since = standing, why, self._floor.now()

    async def _tell(self) -> None:
        """Tell it what happens, one after the other, until it ends."""
        try:
            while (call := await self._waiting.next()) is not None:
                assert self._process is not None
                answer = await self._process.ask(call, HOOKS[type(call)], self.one.call_s)
                await self._act(answer, _fired(call))
        except TradeloopError as error:
            if self.works:
                await self._fail(str(error))
        finally:
            self._given_up()

    async def _act(self, answer: Answer, fired: Fired) -> None:
        for wish in answer.orders:
            if self.works:
                await self._hands.order(wish, fired)
        if answer.target is not None and self.works:
            await self._hands.target(answer.target, fired)

    async def _time(self, every_ns: int) -> None:
        due: int = self._clock.now()
        while True:
            due = max(due, self._clock.now()) + every_ns  # what was missed is not made up for
            await self._clock.sleep_until(UtcNs(due))
            self._waiting.timer(UtcNs(due))

    def _given_up(self) -> None:
        """Nobody tells it anything any more: where that has not been said yet, a fault of the program is the reason."""
        if self.works or self.standing is Standing.STARTING:
            self._stands(Standing.FAILED, "it was given up in the middle; the log of the desk says why")
        if self._process is not None:
            self._process.kill()

    async def _fail(self, why: str) -> None:
        """It has ended by itself. What cannot be written any more does not keep its process or its orders."""
        self._stands(Standing.FAILED, why)
        self._waiting.close()
        for task in self._lasting[1:]:
            task.cancel()
        if self._process is not None:
            await self._process.end()
        with suppress(TradeloopError):
            await self._hands.note("FAIL", "ended by itself", why)
        with suppress(TradeloopError):
            await self._hands.cancel_entries(f"strategy {self.one.name} has ended")

    async def _end(self) -> None:
        """End its process; an order that is being asked for is still answered."""
        self._waiting.close()
        if self._process is not None:
            self._process.kill()
        for task in self._lasting[1:]:
            task.cancel()
        await asyncio.gather(*self._lasting, return_exceptions=True)
        if self._process is not None:
            await self._process.end()


def _fired(call: Called) -> Fired:
    match call:
        case OnQuote(quote):
            return Fired("on_quote", quote.symbol, quote.mid_or_last)
        case OnBar(bar):
            return Fired("on_bar", bar.symbol, bar.close)
        case OnFill(fill):
            return Fired("on_fill", fill.symbol, fill.price)
        case OnTimer():
            return Fired("on_timer")
        case OnStart():
            return Fired("on_start")
