"""What a new process may believe of the one before it, and of looks at books it has asked for itself."""

from __future__ import annotations

import asyncio

import msgspec
from tests.engine.made import A, House, Venue, lost, order_of, placed, settle
from typing_extensions import override

from tradeloop.core.effects import TakeSnapshot
from tradeloop.core.events import BrokerReady, EngineStarted, NotSentProven
from tradeloop.core.inputs import Input
from tradeloop.core.reports import BrokerSnapshot
from tradeloop.core.types import SECOND_NS, AccountID, OrdStatus
from tradeloop.engine.dispatch import Dispatch
from tradeloop.engine.engine import Engine
from tradeloop.journal import codec
from tradeloop.journal.memory import MemoryJournal
from tradeloop.testing.builders import BROKER, buy


def leased(house: House) -> Engine:
    """A process whose right to write runs out unless it is renewed, as on a server."""
    return Engine(
        journal=MemoryJournal(house.store, clock=house.clock),
        codec=codec,
        clock=house.clock,
        brokers={BROKER: house.venue},
        policy=house.policy,
        group="t1",
        owner="test",
        version="test",
        alert=house.alerts.append,
    )


async def test_a_lock_that_ends_with_its_process_proves_the_predecessor_dead_and_a_lease_does_not() -> None:
    said = []
    for made in (House.engine, leased):
        house = House()
        engine = await house.open(made(house))
        said += [started.predecessor_dead for started in house.on_disk(EngineStarted)]
        await engine.stop()
    assert said == [True, False]


async def test_under_a_lease_an_order_in_flight_is_doubted_until_a_paused_predecessor_could_no_longer_send_it() -> None:
    """It may hand over for 5 s and take 10 s; then the request lives for 1 s and shows 1 s later."""
    house = House()
    first = await house.open(leased(house))
    house.venue.moods = [lost()]
    order = await placed(first, buy(A, 100))
    begun = house.clock.now()
    await house.kill(first)
    second = await house.open(leased(house))
    while order_of(second, order).ord_status is OrdStatus.UNKNOWN:
        house.quote(second)
        await house.clock.forward(0.5)

    (proven,) = house.on_disk(NotSentProven)
    assert (proven.at - begun) / SECOND_NS >= 17
    assert house.venue.placed == [order, order]
    await second.stop()


async def test_a_look_bears_the_time_at_which_we_asked_for_it() -> None:
    house = House()
    house.venue.reading = gate = asyncio.Event()
    house.venue.connected = True
    heard: list[Input] = []
    dispatch = Dispatch({BROKER: house.venue}, house.clock, heard.append, lambda timer: None, house.alerts.append)
    asked_at = house.clock.now()
    dispatch.act([TakeSnapshot(BROKER, AccountID("demo"), "periodic", asked_at)])
    await house.clock.forward(7)
    gate.set()
    await settle()

    assert [books.asked_at for books in heard if isinstance(books, BrokerSnapshot)] == [asked_at]
    await dispatch.close()
    dispatch.failed.cancel()


class Halting(Venue):
    """A venue that cannot read its orders for the first three looks, and whose clock is an hour behind."""

    @override
    def books(self) -> BrokerSnapshot:
        books = super().books()
        behind = msgspec.structs.replace(books, as_of=books.as_of - 3600 * SECOND_NS)
        return behind if self.snapshots > 3 else msgspec.structs.replace(behind, orders=None)


async def test_a_broker_whose_first_looks_are_incomplete_and_whose_clock_is_behind_becomes_ready() -> None:
    """DESIGN 8: it was connected, nobody asked again, and no order could leave."""
    house = House()
    house.venue = Halting()
    house.venue.clock = house.clock
    engine = await house.open()
    assert not house.on_disk(BrokerReady)

    await house.clock.forward(10)

    assert len(house.on_disk(BrokerReady)) == 1
    house.quote(engine)
    await placed(engine, buy(A, 100))
    assert len(house.venue.placed) == 1
    await engine.stop()
