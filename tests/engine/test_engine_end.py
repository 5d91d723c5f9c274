"""An engine that has lost the right to write does nothing more; one that was prepared for another journal does not begin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.engine.made import A, House, settle

from tradeloop.core.commands import CancelOrder
from tradeloop.core.errors import LeaseHeld, StaleEpoch
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import BrokerDown
from tradeloop.engine.recover import recover
from tradeloop.journal import codec
from tradeloop.ports.journal import Batch
from tradeloop.testing.builders import BROKER, buy


async def test_a_cancel_that_waited_is_not_sent_by_an_engine_that_was_taken_over() -> None:
    """M10: the process that took over decides what is cancelled."""
    house = House()
    engine = await house.open()
    on_the_wire = asyncio.Event()
    house.venue.moods = [on_the_wire]
    reply = await engine.ask(buy(A, 100))
    assert isinstance(reply, OrderReply)
    await settle()
    await engine.ask(CancelOrder(reply.cl_ord_id, "test"))
    await settle()
    house.journal.fails = StaleEpoch("taken over")
    engine.report(BrokerDown(BROKER, "reset"))
    await settle()
    with pytest.raises(StaleEpoch):
        await engine.wait()

    on_the_wire.set()
    await settle()

    assert house.venue.placed == [reply.cl_ord_id]
    assert house.venue.canceled == []


async def test_a_start_prepared_for_a_journal_that_has_moved_since_is_refused() -> None:
    """M12: clock, feed and quotes were chosen for the state before."""
    house = House()
    seen = await recover(house.journal, codec)
    first = await house.open()
    await first.stop()

    second = house.engine()
    with pytest.raises(LeaseHeld, match=r"expected it to end at sequence number 0, was \d+; start again"):
        await second.start(seen)
    await second.stop()
    assert house.venue.connected is False

    third = house.engine()
    await third.start(await recover(house.journal, codec))
    await third.stop()


async def test_a_prepared_start_does_not_read_the_journal_again_and_goes_on_from_the_same_state() -> None:
    """Promise 6: what was read and proven before the lease is proven still while the head is the same."""
    house = House()
    first = await house.open()
    reply = await first.ask(buy(A, 100))
    await first.stop()
    house.store.snapshots.clear()
    seen = await recover(house.journal, codec)
    second = house.engine()
    house.journal.read = never_read
    await second.start(seen)
    await settle()

    assert second.state is seen.state
    assert isinstance(reply, OrderReply)
    assert second.state.orders.get(reply.cl_ord_id) is not None
    assert second.tail_events == seen.head[1]
    await second.stop()
    assert house.replayed() == second.state.hash()


async def never_read(after_batch: int = 0) -> AsyncIterator[Batch]:
    assert after_batch < 0, f"the rows after batch {after_batch} were read again"
    for row in list[Batch]():
        yield row
