"""The whole engine on a real SQLite file: intent, acknowledgement and fill committed, K orders always in flight.

    python -m benchmarks.durable K N [sqlite|memory]

The time of a step is from asking until the fill is durable and published; `reply` is from asking until the intent is
durable. A raw fdatasync of the same disk is measured in the same run. The books are compared with an oracle, and the
journal is verified afterwards.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import uvloop

from benchmarks.instant_broker import CASH, InstantBroker
from benchmarks.measure import Stopwatch, argument, emit, percentile, steps, working_folder
from tradeloop.core.commands import ListInstruments, OpenTradingDay, SubmitOrder
from tradeloop.core.effects import RaiseAlert
from tradeloop.core.events import BrokerReady, Traded
from tradeloop.core.replies import OrderReply
from tradeloop.core.surroundings import Policy
from tradeloop.core.types import SECOND_NS, ClOrdID, Qty, Side, Symbol, UtcNs
from tradeloop.engine.clock import WallClock
from tradeloop.engine.engine import Engine
from tradeloop.engine.writer import Published
from tradeloop.journal import codec
from tradeloop.journal.memory import MemoryJournal
from tradeloop.journal.patches import upgrade
from tradeloop.journal.sql import SqlJournal
from tradeloop.ports.journal import Journal
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, a_quote, an_instrument, fees

QTY = Qty(Decimal(100))
SYMBOLS = 100


class Desk:
    """An engine with an instant broker, and the fills it has published."""

    def __init__(self, journal: Journal) -> None:
        self.clock = WallClock()
        policy = Policy(max_quote_age_ns=3600 * SECOND_NS, reconcile_every_ns=3600 * SECOND_NS)
        self.engine = Engine(
            journal=journal,
            codec=codec,
            clock=self.clock,
            brokers={BROKER: InstantBroker(self.clock)},
            policy=policy,
            group="b1",
            owner=f"benchmark, process {os.getpid()}",
            version="bench",
            alert=_alert,
        )
        self.ready = asyncio.Event()
        self._filled: dict[ClOrdID, asyncio.Future[None]] = {}
        self._early: set[ClOrdID] = set()
        self.engine.subscribe(self._read)

    def _read(self, published: Published) -> None:
        for event in published.events:
            if type(event) is Traded:
                waiting = self._filled.pop(event.cl_ord_id, None)
                if waiting is None:
                    self._early.add(event.cl_ord_id)
                else:
                    waiting.set_result(None)
            elif type(event) is BrokerReady:
                self.ready.set()

    async def open(self) -> list[Symbol]:
        """Start, list, open the market, wait for READY."""
        symbols = [Symbol(f"{600000 + n}.SH") for n in range(SYMBOLS)]
        now = self.clock.now()
        await self.engine.start()
        await self.engine.ask(ListInstruments(tuple(an_instrument(s, fees=fees("0.0003", "5")) for s in symbols)))
        await self.engine.ask(OpenTradingDay("CN_A", DAY, ((now, UtcNs(now + 24 * 3600 * SECOND_NS)),)))
        await self.ready.wait()
        for symbol in symbols:
            self.engine.quote(a_quote(symbol, at=now))
        return symbols

    async def fill(self, symbol: Symbol, replied: list[int], done: list[int]) -> None:
        """One buy, to its durable fill."""
        clock = time.perf_counter_ns
        began = clock()
        reply = await self.engine.ask(SubmitOrder(ACCOUNT, symbol, Side.BUY, QTY, "bench"))
        replied.append(clock() - began)
        assert isinstance(reply, OrderReply) and reply.denied is None, reply
        if reply.cl_ord_id in self._early:
            self._early.discard(reply.cl_ord_id)
        else:
            filled = self._filled[reply.cl_ord_id] = asyncio.get_running_loop().create_future()
            await filled
        done.append(clock() - began)


async def measure(in_flight: int, count: int, journal: Journal) -> dict[str, object]:
    """Keep `in_flight` orders going until `count` have filled."""
    desk = Desk(journal)
    symbols = await desk.open()
    replied: list[int] = []
    done: list[int] = []
    left = iter(range(count))

    async def submitter() -> None:
        for n in left:
            await desk.fill(symbols[n % SYMBOLS], replied, done)

    await desk.fill(symbols[0], [], [])
    with Stopwatch() as watch:
        await asyncio.gather(*(submitter() for _ in range(in_flight)))
    state = desk.engine.state
    cash = next(iter(state.accounts[ACCOUNT].cash.values()))
    assert cash.balance == CASH - (count + 1) * 1005, cash
    assert len(state.orders.closed) == count + 1
    await desk.engine.stop()
    return {
        "n": count,
        "per_s": round(count / watch.wall),
        "cpu_share": round(watch.cpu / watch.wall, 2),
        "reply_p50_us": round(percentile(replied, 50) / 1e3, 1),
        **steps(done),
    }


def raw_fdatasync_us(folder: Path, times: int = 300) -> float:
    """p50 of appending 256 bytes and fdatasync, on the disk the journal is on."""
    taken = []
    handle = os.open(folder / "raw", os.O_RDWR | os.O_CREAT, 0o600)
    for _ in range(times):
        began = time.perf_counter_ns()
        os.write(handle, bytes(256))
        os.fdatasync(handle)
        taken.append(time.perf_counter_ns() - began)
    os.close(handle)
    return round(percentile(taken, 50) / 1e3, 1)


def _alert(alert: RaiseAlert) -> None:
    raise AssertionError(alert.text)


def main() -> None:
    """Measure one K."""
    in_flight, count = argument(1, 1), argument(2, 2_000)
    kind = sys.argv[3] if len(sys.argv) > 3 else "sqlite"
    with tempfile.TemporaryDirectory(dir=working_folder()) as folder:
        path = Path(folder)
        raw = raw_fdatasync_us(path)
        url = f"sqlite:///{path / 'journal.db'}"
        journal: Journal = MemoryJournal() if kind == "memory" else SqlJournal(url)
        if kind == "sqlite":
            asyncio.run(upgrade(url))
        figures = uvloop.run(measure(in_flight, count, journal))
        emit(f"tradeloop.{'durable' if kind == 'sqlite' else 'engine_memory'}.{in_flight}", raw_fdatasync_p50_us=raw, **figures)


if __name__ == "__main__":
    main()
