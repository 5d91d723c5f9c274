"""The sessions with the brokers: opened side by side, tried again for ever, and closed whatever one of them does.

An adapter keeps a session that came up alive by itself. Here is only what comes before and after: one broker that hangs or
cannot be reached holds up neither the others nor the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from itertools import chain, repeat
from typing import Final

from tradeloop.core.effects import RaiseAlert
from tradeloop.core.errors import NotSent, TradeloopError
from tradeloop.core.reports import Report
from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.ports.broker import Broker
from tradeloop.ports.clock import Clock

CONNECT_TIMEOUT_S: Final = 10.0
CLOSE_TIMEOUT_S: Final = 10.0
BACKOFF_S: Final = (1, 2, 4, 8, 16, 30)
"""Waits between two tries; the last one for ever (D9)."""


class Sessions:
    """Connects all brokers of one engine and lets go of them."""

    def __init__(
        self,
        brokers: Mapping[str, Broker],
        clock: Clock,
        report: Callable[[Report], None],
        alert: Callable[[RaiseAlert], None],
    ) -> None:
        self._brokers = brokers
        self._clock = clock
        self._report = report
        self._alert = alert
        self._down: dict[str, None] = {}
        self._any_down = asyncio.Event()

    async def open(self) -> None:
        """Try each broker once; those that could not be reached are left to `run`. Raises what is no trouble of the wire."""
        await self._try(self._brokers)

    async def run(self) -> None:
        """Try again what did not come up, until cancelled."""
        while True:
            await self._any_down.wait()
            for wait in chain(BACKOFF_S, repeat(BACKOFF_S[-1])):
                if not self._down:
                    break
                await self._clock.sleep_until(UtcNs(self._clock.now() + wait * SECOND_NS))
                await self._try(list(self._down))
            self._any_down.clear()

    async def close(self) -> None:
        """Close every session, each within its time; raises what one raised when all were asked."""
        results = await asyncio.gather(*map(self._close, self._brokers.values()), return_exceptions=True)
        _raise_first(results)

    async def _try(self, names: Iterable[str]) -> None:
        results = await asyncio.gather(*map(self._connect, names), return_exceptions=True)
        _raise_first(results)

    async def _connect(self, name: str) -> None:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._brokers[name].connect(self._report)
        except (NotSent, OSError) as error:
            self._down[name] = None
            self._any_down.set()
            why = str(error) or f"no answer in {CONNECT_TIMEOUT_S:g} s"
            self._alert(RaiseAlert("WARNING", f"connect:{name}", f"no session with {name}, it is tried again: {why}"))
        else:
            self._down.pop(name, None)

    async def _close(self, broker: Broker) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await broker.close()
        except (TradeloopError, OSError) as error:
            why = str(error) or f"no answer in {CLOSE_TIMEOUT_S:g} s"
            text = (
                f"the session with {broker.name} could not be closed in order: {why}; its books are compared at the next start"
            )
            self._alert(RaiseAlert("WARNING", f"close:{broker.name}", text))


def _raise_first(results: Iterable[BaseException | None]) -> None:
    for result in results:
        if result is not None:
            raise result
