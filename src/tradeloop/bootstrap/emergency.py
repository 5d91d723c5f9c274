"""To take everything out of the market with nothing but the broker: no process trades here, and the journal cannot be opened.

Nothing is recorded. The next start finds in the broker's books what this did (docs/adr/0018-cancels-without-a-journal.md).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

import msgspec

from tradeloop.bootstrap.brokers import broker_of
from tradeloop.bootstrap.listing import Listing
from tradeloop.bootstrap.market import Market
from tradeloop.bootstrap.past import Past
from tradeloop.config import Loaded
from tradeloop.core.errors import FateUnknown, NotSent, Refused
from tradeloop.core.reports import BrokerUp, OpenOrder, Report
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, ClOrdID, OrdStatus, UtcNs
from tradeloop.engine.clock import WallClock
from tradeloop.engine.recover import Recovered
from tradeloop.ports.broker import Broker

_WORKING: Final = (
    OrdStatus.NEW,
    OrdStatus.PARTIALLY_FILLED,
    OrdStatus.PENDING_NEW,
    OrdStatus.PENDING_CANCEL,
    OrdStatus.PENDING_REPLACE,
)
_CONNECT_S: Final = 10.0
_LOOK_NS: Final = SECOND_NS // 5


class Canceled(msgspec.Struct, frozen=True):
    """How many orders were asked to go, and which of them are open still; `held` are the symbols with a position."""

    asked: int
    left: tuple[str, ...]
    held: tuple[str, ...]


async def cancel_at_broker(loaded: Loaded, wanted: Callable[[OpenOrder], bool], within_s: float) -> Canceled:
    """Cancel every order that works at the broker and is `wanted`, and look until none is left or the time is up.

    Raises NotSent where the broker cannot be reached, JournalFailed where it is the paper broker and its books are gone.
    """
    past = Past(Recovered(State(), (0, 0, bytes(32)), 0, 0), None, is_unread=True)
    broker = broker_of(loaded, Market(loaded, Listing(loaded.settings), past, [], {}, None), past)
    up = asyncio.Event()

    def hear(report: Report) -> None:
        if isinstance(report, BrokerUp):
            up.set()

    try:
        async with asyncio.timeout(_CONNECT_S):
            await broker.connect(hear)
            await up.wait()
        return await _until_none(broker, wanted, within_s)
    except TimeoutError:
        raise NotSent(f"broker {broker.name} did not answer within {_CONNECT_S:g} s; stop at the broker itself") from None
    finally:
        await broker.close()


async def _until_none(broker: Broker, wanted: Callable[[OpenOrder], bool], within_s: float) -> Canceled:
    asked: dict[str, None] = {}
    clock = WallClock()
    end = clock.now() + int(within_s * SECOND_NS)
    while True:
        books = await broker.snapshot()
        left = [order for order in books.orders or () if order.ord_status in _WORKING and wanted(order)]
        if not left or clock.now() >= end:
            held = tuple(str(each.symbol) for each in books.positions or () if each.long_qty or each.short_qty)
            return Canceled(len(asked), tuple(str(order.cl_ord_id or order.order_id) for order in left), held)
        for order in left:
            asked[str(order.cl_ord_id or order.order_id)] = None
            await _cancel(broker, order, clock)
        await clock.sleep_until(UtcNs(clock.now() + _LOOK_NS))


async def _cancel(broker: Broker, order: OpenOrder, clock: WallClock) -> None:
    """Ask for one cancel, at the broker's rate. Whatever comes of it, the next look at the books says what is open."""
    rate = broker.capabilities.rate_per_second
    with contextlib.suppress(NotSent, FateUnknown, Refused):
        await broker.cancel(order.cl_ord_id or ClOrdID(order.order_id), order.order_id, order.symbol)
    if rate is not None:
        await clock.sleep_until(UtcNs(clock.now() + SECOND_NS // rate))
