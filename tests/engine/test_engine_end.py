"""An engine that has lost the right to write does nothing more; one that was prepared for another journal does not begin."""

from __future__ import annotations

import asyncio

import pytest
from tests.engine.made import A, House, settle

from tradeloop.core.commands import CancelOrder
from tradeloop.core.errors import LeaseHeld, StaleEpoch
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import BrokerDown
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
    seen = await house.journal.head()
    first = await house.open()
    await first.stop()

    second = house.engine()
    with pytest.raises(LeaseHeld, match=r"expected it to end at sequence number 0, was \d+; start again"):
        await second.start(seen)
    await second.stop()
    assert house.venue.connected is False

    third = house.engine()
    await third.start(await house.journal.head())
    await third.stop()
