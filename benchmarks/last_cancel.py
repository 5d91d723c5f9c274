"""How long it takes from latching CANCEL_ALL until the last cancel has reached the venue, with the database down.

    python -m benchmarks.last_cancel N

N limit orders work at the toy venue, over its real socket, at its rate of 200 requests a second; the journal is a SQLite file.
Then the database goes, in one of two ways: it `hangs`, held by another process so that no commit returns, or it `fails`, so
that every commit raises. The file HALT is written, and an order is asked for. Time is counted from before the file is written
until the venue has read the cancel of the last order. Every order has to be gone and no new one there, or the case fails.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.measure import argument, emit, working_folder
from tradeloop.brokers._template import Secret, TemplateBroker, TemplateConfig
from tradeloop.core.commands import ListInstruments, OpenTradingDay
from tradeloop.core.errors import JournalFailed
from tradeloop.core.events import BrokerReady
from tradeloop.core.replies import OrderReply, Reply
from tradeloop.core.surroundings import Policy
from tradeloop.core.types import SECOND_NS, AccountID, OrdType, UtcNs
from tradeloop.engine.clock import WallClock
from tradeloop.engine.engine import Engine
from tradeloop.engine.latch import FileLatch
from tradeloop.engine.writer import Published
from tradeloop.journal import codec
from tradeloop.journal.patches import upgrade
from tradeloop.journal.sql import SqlJournal
from tradeloop.testing.builders import DAY, a_quote, an_instrument, buy
from tradeloop.venues.toy import ToyRules, ToyServer

ACCOUNT = AccountID("demo")
SYMBOL = "ACME.US"
HOUR = 3600 * SECOND_NS
_LOOK_S = 0.005
_REST_S = 0.3
"""Time in which an order that should not leave would."""


class Stopped:
    """A desk in `folder` with orders at the toy venue, whose database goes when told to."""

    def __init__(self, folder: Path) -> None:
        self.clock = WallClock()
        self.server = ToyServer(ToyRules(cash=Decimal(10**9)), self.clock)
        self.halt = folder / "HALT"
        self.alerts: list[str] = []
        self.canceled: dict[str, int] = {}
        """Each order whose cancel the venue has read, and when."""
        self._folder = folder
        self._database = folder / "journal.db"
        self._held: sqlite3.Connection | None = None
        self._ready = asyncio.Event()
        self._more: asyncio.Future[Reply]

    async def open(self, count: int) -> None:
        """Start, and have `count` orders working at the venue."""
        url = f"sqlite:///{self._database}"
        await upgrade(url)
        await self.server.start()
        config = TemplateConfig(port=self.server.port, token=Secret("toy-token"))
        broker = TemplateBroker(config, self.clock)
        self.engine = Engine(
            journal=SqlJournal(url),
            codec=codec,
            clock=self.clock,
            brokers={broker.name: broker},
            policy=Policy(max_quote_age_ns=HOUR, reconcile_every_ns=HOUR),
            group="b1",
            owner=f"benchmark, process {os.getpid()}",
            version="bench",
            alert=lambda alert: self.alerts.append(alert.text),
            latch=FileLatch(self.halt),
        )
        self.engine.subscribe(self._heard)
        await self.engine.start()
        now = self.clock.now()
        await self.engine.ask(ListInstruments((an_instrument(SYMBOL, currency="USD"),)))
        await self.engine.ask(OpenTradingDay("CN_A", DAY, ((UtcNs(now - HOUR), UtcNs(now + HOUR)),)))
        await self._ready.wait()
        self.engine.quote(a_quote(SYMBOL, at=now))
        asked = [self.engine.ask(self.order()) for _ in range(count)]
        for reply in await asyncio.gather(*asked):
            assert isinstance(reply, OrderReply)
            assert reply.denied is None, reply.denied
        await self._until(lambda: sum(o.acked_at is not None for o in self.engine.state.orders.open.values()) == count)
        assert self.placed == self.working == count
        self._listen()

    def order(self) -> Any:
        """A buy far below the market."""
        return buy(SYMBOL, 100, account=ACCOUNT, ord_type=OrdType.LIMIT, price="1.00")

    def goes(self, how: str) -> None:
        """From now on the database `hangs` or `fails`."""
        self._held = sqlite3.connect(self._database, isolation_level=None)
        if how == "fails":
            self._held.execute("ALTER TABLE journal RENAME TO gone")
        else:
            self._held.execute("BEGIN IMMEDIATE")

    async def latch(self, count: int) -> float:
        """Latch CANCEL_ALL, ask for one order more, and return how many seconds later the last cancel was read."""
        began = time.perf_counter_ns()
        self.halt.write_text("CANCEL_ALL the database is gone\n", encoding="ascii")
        more = self._more = asyncio.ensure_future(self.engine.ask(self.order()))
        await self._until(lambda: len(self.canceled) >= count)
        await self._until(lambda: self.working == 0)
        assert not more.done() or more.exception() is not None, "an order was promised that no database holds"
        assert self.placed == count, f"{self.placed - count} new orders left"
        return (max(self.canceled.values()) - began) / 1e9

    async def ends_well(self) -> None:
        """The database that hung hangs no more, and the order that was asked for has had its time to leave."""
        self.comes_back()
        await asyncio.gather(self._more, return_exceptions=True)
        await asyncio.sleep(_REST_S)

    def comes_back(self) -> None:
        """The database hangs no more; one that fails goes on failing."""
        if self._held is not None:
            self._held.close()
            self._held = None

    async def close(self) -> None:
        """The end of the desk; that its journal failed is known."""
        with suppress(JournalFailed):
            await self.engine.stop()
        await self.server.stop()

    @property
    def placed(self) -> int:
        """How many orders the venue was ever asked for."""
        return self.server.venue.asked["place"]

    @property
    def working(self) -> int:
        """How many orders are open at the venue."""
        return sum(order.is_open for order in self.server.venue.books.orders.values())

    def _heard(self, published: Published) -> None:
        if any(type(event) is BrokerReady for event in published.events):
            self._ready.set()

    def _listen(self) -> None:
        venue = self.server.venue
        answer = venue.answer

        def heard(request: dict[str, Any]) -> dict[str, Any]:
            if request.get("do") == "cancel" and request["cl_ord_id"] in known:
                self.canceled.setdefault(request["cl_ord_id"], time.perf_counter_ns())
            return answer(request)

        known = {str(order.cl_ord_id) for order in venue.books.orders.values()}
        venue.answer = heard  # type: ignore[method-assign]

    async def _until(self, done: Callable[[], bool]) -> None:
        while not done():  # noqa: ASYNC110 - what is waited for happens in the venue
            await asyncio.sleep(_LOOK_S)


async def measure(count: int, how: str, folder: Path) -> float:
    """Seconds from the latch to the last cancel."""
    desk = Stopped(folder)
    await desk.open(count)
    try:
        desk.goes(how)
        seconds = await desk.latch(count)
        await desk.ends_well()
        assert desk.placed == count, f"{desk.placed - count} new orders left"
        return seconds
    finally:
        await desk.close()


def main() -> None:
    """Both ways."""
    count = argument(1, 100)
    figures = {}
    for how in ("hangs", "fails"):
        with tempfile.TemporaryDirectory(dir=working_folder()) as folder:
            figures[f"{how}_s"] = round(uvloop.run(measure(count, how, Path(folder))), 3)
    emit(f"tradeloop.last_cancel.{count}", n=count, asked_s=count / 100, **figures)


if __name__ == "__main__":
    main()
