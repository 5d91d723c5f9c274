"""One process of ours: the production engine over a journal, a clock and a wire of the world.

It starts as the product does: recover, connect, list the instruments, open the day. It ends by being killed, by stopping in
order, or by an error that the product raises on purpose; any other error is a bug and is reported as one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from tradeloop.core.commands import Command, ListInstruments, OpenTradingDay, SetLimits
from tradeloop.core.effects import RaiseAlert
from tradeloop.core.errors import JournalDamaged, JournalFailed, LeaseHeld, StaleEpoch, TradeloopError
from tradeloop.core.instrument import Instrument
from tradeloop.core.reports import Quote
from tradeloop.core.surroundings import Policy
from tradeloop.engine.engine import Engine
from tradeloop.engine.recover import Recovered, recover
from tradeloop.journal import codec
from tradeloop.ports.latch import Latch
from tradeloop.testing.builders import BROKER
from tradeloop.testing.world.clock import Sundial
from tradeloop.testing.world.loop import Timeline
from tradeloop.testing.world.network import Network
from tradeloop.testing.world.store import Store
from tradeloop.testing.world.wire import Wire

ON_PURPOSE: Final = (LeaseHeld, StaleEpoch, JournalFailed, JournalDamaged)


class Process:
    """A process and what it holds. `name` says which one of this world it is."""

    def __init__(
        self,
        name: str,
        timeline: Timeline,
        sundial: Sundial,
        disk: Store,
        network: Network,
        policy: Policy,
        seen: list[Quote],
        latch: Latch | None = None,
        row_events: int = 0,
    ) -> None:
        self.name = name
        self.loop = timeline.loop(name)
        self.clock = sundial.clock()
        self.wire = Wire(network, self.loop)
        self.taking = False
        """Whether commands are taken."""
        self.has_traded = False
        """Whether commands were ever taken."""
        self.error: BaseException | None = None
        self.ended = False
        self.stopping = False
        self.limits: Callable[[], SetLimits] | None = None
        """What risk.yaml says; None in a world without limits."""
        self.on_recovered: Callable[[Process, Recovered], None] = lambda process, recovered: None
        self.on_alert: Callable[[Process, RaiseAlert], None] = lambda process, alert: None
        self.on_ended: Callable[[Process], None] = lambda process: None
        self._disk, self._sundial = disk, sundial
        self._journal = disk.journal(name, self.loop)
        self.loop.on_killed = self._die
        self._stopped = asyncio.Event()
        with self.loop.running():
            self.engine = Engine(
                journal=self._journal,
                codec=codec,
                clock=self.clock,
                brokers={BROKER: self.wire},
                policy=policy,
                group="w1",
                owner=name,
                version="world",
                alert=self._alert,
                latch=latch,
                row_events=row_events,
            )
            for quote in seen:
                self.engine.quote(quote)

    def start(self, instruments: Sequence[Instrument], day: OpenTradingDay) -> None:
        """Begin its life."""
        with self.loop.running():
            self.loop.create_task(self._live(instruments, day)).add_done_callback(self._over)

    def ask(self, command: Command, then: Callable[[Any], None]) -> bool:
        """Give it a command; `then` gets the reply or the error. Whether it was taken at all."""
        if not self.taking or self.ended:
            return False
        with self.loop.running():
            reply = self.loop.create_task(_answered(self.engine.ask, command))
        reply.add_done_callback(lambda done: None if self.loop.dead or done.cancelled() else then(done.result()))
        return True

    def stop(self) -> None:
        """End in order."""
        if self.stopping or self.ended:
            return
        self.taking, self.stopping = False, True
        with self.loop.running():
            self.loop.create_task(self._stop()).add_done_callback(self._over)

    @property
    def epoch(self) -> int:
        """The fencing token it got, 0 before that."""
        return self._journal.epoch or 0

    @property
    def is_ahead(self) -> bool:
        """Whether its time is ahead of its machine's, whose clock was set back."""
        return self.clock.now() > self._sundial.shown()

    def kill(self) -> None:
        """End at once (kill -9)."""
        self.loop.die()

    async def _live(self, instruments: Sequence[Instrument], day: OpenTradingDay) -> None:
        reader = self._journal.reader()
        await reader.open()
        recovered = await recover(reader, codec)
        await reader.close()
        self.on_recovered(self, recovered)
        await self.engine.start(recovered)
        await self.engine.ask(ListInstruments(tuple(instruments)))
        await self.engine.ask(day)
        if self.limits is not None:
            await self.engine.ask(self.limits())
        self.taking = self.has_traded = not self.stopping
        await self.engine.wait()
        await self._stopped.wait()

    async def _stop(self) -> None:
        try:
            await self.engine.stop()
        finally:
            self._stopped.set()

    def _over(self, done: asyncio.Task[None]) -> None:
        """The process exits when its main task or its orderly stop has ended, whatever else still runs in it."""
        if self.ended or self.loop.dead:
            return
        self.error = None if done.cancelled() else done.exception()
        self.loop.die()

    def _die(self) -> None:
        self.ended, self.taking = True, False
        self.wire.leave()
        self._disk.bereave(self.name)
        if self.error is None:
            self.error = self.loop.broken
        self.on_ended(self)

    def _alert(self, alert: RaiseAlert) -> None:
        self.on_alert(self, alert)


async def _answered(ask: Callable[[Command], Awaitable[Any]], command: Command) -> Any:
    """The reply, or what was raised instead of one."""
    try:
        return await ask(command)
    except TradeloopError as error:
        return error
