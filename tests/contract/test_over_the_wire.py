"""The whole way: the engine trades at the toy venue through the template adapter, over real sockets, and the wire fails it.

What the contract promises of each card is put together here by those who rest on it: afterwards our books are the venue's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal

from tradeloop.brokers._template import Secret, TemplateBroker, TemplateConfig
from tradeloop.core.commands import ListInstruments, OpenTradingDay
from tradeloop.core.order import Order
from tradeloop.core.replies import OrderReply
from tradeloop.core.surroundings import Policy
from tradeloop.core.types import SECOND_NS, ClOrdID, Currency, OrdStatus, OrdType, Px, Symbol, UtcNs
from tradeloop.engine.clock import WallClock
from tradeloop.engine.engine import Engine
from tradeloop.journal import codec
from tradeloop.journal.memory import MemoryJournal, MemoryStore
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, a_quote, an_instrument, buy
from tradeloop.venues.toy import ToyRules, ToyServer
from tradeloop.venues.toy.faults import Fault

ACME = Symbol("ACME.US")
PX = Decimal("9.90")


class Floor:
    """An engine, the toy venue it trades at, and both books."""

    def __init__(self, engine: Engine, server: ToyServer) -> None:
        self.engine = engine
        self.server = server

    async def until(self, arrived: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not arrived():
                await asyncio.sleep(0.005)

    async def bid(self, qty: int = 100) -> ClOrdID:
        """A limit buy below the market, decided and durable; its way to the venue begins."""
        reply = await self.engine.ask(buy(ACME, qty, ord_type=OrdType.LIMIT, price=Px(PX)))
        assert isinstance(reply, OrderReply)
        assert reply.denied is None, reply.denied
        return reply.cl_ord_id

    def order(self, cl_ord_id: ClOrdID) -> Order:
        order = self.engine.state.orders.get(cl_ord_id)
        assert order is not None
        return order

    def status(self, cl_ord_id: ClOrdID) -> OrdStatus:
        return self.order(cl_ord_id).ord_status

    def at_the_venue(self, cl_ord_id: ClOrdID) -> int:
        return len(list(self.server.venue.books.of_client(cl_ord_id)))

    def held(self) -> Decimal:
        return self.engine.state.held(ACCOUNT, ACME).long_qty


@asynccontextmanager
async def a_floor() -> AsyncIterator[Floor]:
    """An engine that is READY at a toy, in an open market that bids 9.99 and offers 10.00."""
    clock = WallClock()
    server = ToyServer(ToyRules(prices=(("US:ACME", Decimal("10.00")),)), clock)
    await server.start()
    config = TemplateConfig(
        name=BROKER, account=ACCOUNT, port=server.port, token=Secret("toy-token"), answer_within_ns=SECOND_NS, backoff_s=(0.02,)
    )
    engine = Engine(
        journal=MemoryJournal(MemoryStore()), codec=codec, clock=clock, brokers={BROKER: TemplateBroker(config, clock)},
        policy=Policy(), group="a0", owner="the floor", version="1", alert=lambda _: None,
    )  # fmt: skip
    await engine.start()
    try:
        instrument = an_instrument(ACME, currency="USD", market="US", session="US", lot="1", min_qty="1")
        await engine.ask(ListInstruments((instrument,)))
        now = clock.now()
        await engine.ask(OpenTradingDay("US", DAY, ((UtcNs(now - SECOND_NS), UtcNs(now + 3600 * SECOND_NS)),)))
        engine.quote(a_quote(ACME, at=now))
        floor = Floor(engine, server)
        await floor.until(lambda: engine.state.links[BROKER].ready)
        yield floor
    finally:
        await engine.stop()
        await server.stop()


async def test_an_order_is_placed_filled_and_owned() -> None:
    async with a_floor() as floor:
        mine = await floor.bid()
        await floor.until(lambda: floor.status(mine) is OrdStatus.NEW)
        for qty in (40, 60):
            floor.server.venue.fill(mine, Decimal(qty), PX)
        await floor.until(lambda: floor.status(mine) is OrdStatus.FILLED)
        assert floor.held() == floor.server.venue.books.positions["US:ACME"] == 100
        assert floor.engine.state.accounts[ACCOUNT].cash[Currency("USD")].balance == floor.server.venue.books.cash


async def test_an_order_whose_answer_was_lost_is_found_and_not_sent_again() -> None:
    """No order lost, none sent twice: its fate is unknown until the books of the next session show it."""
    async with a_floor() as floor:
        floor.server.venue.faults.arm(Fault.CUT_AFTER)
        mine = await floor.bid()
        await floor.until(lambda: floor.status(mine) is OrdStatus.NEW)
        assert floor.at_the_venue(mine) == 1


async def test_fills_of_an_outage_are_booked_once_after_it() -> None:
    async with a_floor() as floor:
        mine = await floor.bid()
        await floor.until(lambda: floor.status(mine) is OrdStatus.NEW)
        floor.server.venue.fill(mine, Decimal(30), PX)
        await floor.until(lambda: floor.held() == 30)
        floor.server.shut()
        await floor.until(lambda: not floor.engine.state.links[BROKER].ready)
        floor.server.venue.fill(mine, Decimal(70), PX)
        floor.server.open()
        await floor.until(lambda: floor.status(mine) is OrdStatus.FILLED)
        assert floor.held() == 100
        assert floor.order(mine).cum_qty == 100


async def test_nothing_is_sent_while_the_session_is_down() -> None:
    async with a_floor() as floor:
        floor.server.shut()
        await floor.until(lambda: not floor.engine.state.links[BROKER].ready)
        reply = await floor.engine.ask(buy(ACME, 100, ord_type=OrdType.LIMIT, price=Px(PX)))
        assert isinstance(reply, OrderReply)
        floor.server.open()
        await floor.until(lambda: floor.engine.state.links[BROKER].ready)
        await asyncio.sleep(0.05)
        assert floor.server.venue.books.orders == {}
