"""How long a restart takes: a million events with a hundred thousand orders still open, from the journal and from a snapshot.

    python -m benchmarks.recovery OPEN EVENTS

Both ways must end in the same state hash, with every open order in place.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import msgspec

from benchmarks.core_path import FEES, PX, QTY
from benchmarks.measure import argument, emit, working_folder
from tradeloop.core.commands import SubmitOrder
from tradeloop.core.events import Event
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import Execution, OrderAck
from tradeloop.core.types import ExecID, OrderID, OrdType, Px, Side, Symbol
from tradeloop.engine.recover import recover, take_snapshot
from tradeloop.engine.supervise import calm_the_collector
from tradeloop.journal import codec
from tradeloop.journal.patches import upgrade
from tradeloop.journal.sql import SqlJournal
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, a_quote, an_instrument
from tradeloop.testing.desk import Desk

SYMBOLS = 1_000
BATCH = 1_024


async def write(journal: SqlJournal, open_orders: int, events: int) -> str:
    """Fill a journal through the real core; returns the state hash it must lead to."""
    symbols = [Symbol(f"{600000 + n}.SH") for n in range(SYMBOLS)]
    desk = Desk().opened(*(an_instrument(symbol, fees=FEES) for symbol in symbols), cash=10**13)
    for symbol in symbols:
        desk.give(a_quote(symbol))
    epoch = (await journal.acquire("benchmark")).epoch
    head = codec.EMPTY

    async def flush(least: int) -> None:
        nonlocal head
        while len(desk.events) >= least and desk.events:
            part: list[Event] = desk.events[:BATCH]
            del desk.events[:BATCH]
            row = codec.seal(codec.encode(part), count=len(part), after=head, epoch=epoch, appended_at=desk.now)
            await journal.append(row)
            head = codec.head_of(row)

    n = 0
    while desk.state.seq < events:
        n += 1
        stays_open = n <= open_orders
        symbol = symbols[n % SYMBOLS]
        price = Px(Decimal("9.00")) if stays_open else None
        kind = OrdType.LIMIT if stays_open else OrdType.MARKET
        reply = desk.give(SubmitOrder(ACCOUNT, symbol, Side.BUY, QTY, "bench", kind, price))
        assert isinstance(reply, OrderReply) and reply.denied is None, reply
        desk.give(OrderAck(BROKER, reply.cl_ord_id, OrderID(f"b{n}")))
        if not stays_open:
            desk.give(Execution(BROKER, ACCOUNT, DAY, ExecID(f"e{n}"), symbol, Side.BUY, QTY, PX, reply.cl_ord_id))
        await flush(BATCH)
        desk.effects.clear()
    await flush(1)
    assert len(desk.state.orders.open) == open_orders
    return desk.state.hash()


async def measure(url: str, open_orders: int, events: int) -> dict[str, object]:
    """Cold, then from a snapshot."""
    await upgrade(url)
    journal = SqlJournal(url)
    await journal.open()
    expected = await write(journal, open_orders, events)
    await journal.release()
    await journal.close()
    calm_the_collector()
    figures: dict[str, object] = {}
    for way in ("cold", "snapshot"):
        journal = SqlJournal(url)
        await journal.open()
        began, busy = time.perf_counter(), time.process_time()
        recovered = await recover(journal, codec)
        figures[f"{way}_s"] = round(time.perf_counter() - began, 2)
        figures[f"{way}_cpu_s"] = round(time.process_time() - busy, 2)
        assert recovered.state.hash() == expected, way
        assert len(recovered.state.orders.open) == open_orders
        if way == "cold":
            await journal.acquire("benchmark")
            await take_snapshot(journal, recovered.state, recovered.head)
            await journal.release()
        await journal.close()
        del recovered  # a start has no other state to let go of
    return figures


def main() -> None:
    """Measure one size."""
    open_orders, events = argument(1, 100_000), argument(2, 1_000_000)
    with tempfile.TemporaryDirectory(dir=working_folder()) as folder:
        figures = asyncio.run(measure(f"sqlite:///{Path(folder) / 'journal.db'}", open_orders, events))
    emit("tradeloop.recovery", open_orders=open_orders, events=events, **figures, msgspec=msgspec.__version__)


if __name__ == "__main__":
    main()
