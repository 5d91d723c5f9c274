"""A broker's rate is kept: before an order counts as begun, and once more at the wire; cancels go first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.engine.made import A, B, House, PacedVenue, order_of, placed, settle

from tradeloop.core.commands import CancelOrder, ReplaceOrder
from tradeloop.core.errors import BadInput
from tradeloop.core.events import CancelRequested, OrderCanceled, OrderStaged, SendBegun, SendFailed
from tradeloop.core.pacing import Pace
from tradeloop.core.replies import OrderReply
from tradeloop.core.types import SECOND_NS, ClOrdID, OrdStatus, OrdType, Px, Qty, UtcNs
from tradeloop.engine.engine import Engine
from tradeloop.testing.builders import buy

RATE = 50


def paced_house(rate: int = RATE) -> tuple[House, PacedVenue]:
    house = House()
    venue = PacedVenue(rate)
    venue.clock = house.clock
    house.venue = venue
    return house, venue


async def asked(engine: Engine, count: int, **terms: Any) -> list[ClOrdID]:
    replies = await asyncio.gather(*(engine.ask(buy(A, 100, **terms)) for _ in range(count)))
    await settle()
    assert all(isinstance(reply, OrderReply) and reply.denied is None for reply in replies)
    return [reply.cl_ord_id for reply in replies if isinstance(reply, OrderReply)]


async def forward(house: House, engine: Engine, seconds: int) -> None:
    """Time goes on, and the market with it."""
    for _ in range(seconds):
        await house.clock.forward(1)
        house.quote(engine)
        await settle()


def statuses(engine: Engine, orders: Sequence[ClOrdID]) -> set[OrdStatus]:
    return {order_of(engine, each).ord_status for each in orders}


async def test_five_hundred_orders_go_at_the_brokers_rate_and_none_is_lost() -> None:
    """Invariant 27."""
    house, venue = paced_house()
    engine = await house.open()
    orders = await asked(engine, 500)
    assert len(venue.placed) == RATE
    assert statuses(engine, orders[RATE:]) == {OrdStatus.STAGED}

    await forward(house, engine, 10)

    assert venue.placed == orders
    assert venue.most_in_a_second == RATE
    assert statuses(engine, orders) == {OrdStatus.NEW}
    await engine.stop()


async def test_an_order_that_waits_for_its_turn_is_not_begun() -> None:
    """ADR 10: no clock runs against it, and after a crash nobody has to ask the broker about it."""
    house, _ = paced_house()
    engine = await house.open()
    orders = await asked(engine, 120)
    assert [event.cl_ord_id for event in house.on_disk(SendBegun)] == orders[:RATE]
    await forward(house, engine, 1)
    begun = house.on_disk(SendBegun)
    assert [event.cl_ord_id for event in begun] == orders[: 2 * RATE]
    assert begun[-1].at - begun[0].at == SECOND_NS
    await engine.stop()


async def test_an_order_that_waits_for_its_turn_is_cancelled_without_the_broker() -> None:
    house, venue = paced_house()
    engine = await house.open()
    orders = await asked(engine, 100)
    await engine.ask(CancelOrder(orders[70], "ann"))
    assert order_of(engine, orders[70]).ord_status is OrdStatus.CANCELED

    await forward(house, engine, 2)

    assert venue.canceled == []
    assert venue.placed == [*orders[:70], *orders[71:]]
    assert not house.on_disk(CancelRequested)
    await engine.stop()


async def test_a_cancel_goes_before_the_orders_that_wait_and_takes_their_room() -> None:
    """Invariant 27: cancels count."""
    house, venue = paced_house()
    engine = await house.open()
    orders = await asked(engine, 200)
    for each in orders[:20]:
        await engine.ask(CancelOrder(each, "ann"))
    await settle()
    assert venue.canceled == []  # the second is used up

    await forward(house, engine, 1)

    assert sorted(venue.canceled) == sorted(orders[:20])
    assert len(venue.placed) == RATE + RATE - 20
    await forward(house, engine, 3)
    assert venue.placed == orders
    assert venue.most_in_a_second == RATE
    assert len(house.on_disk(OrderCanceled)) == 20
    await engine.stop()


async def test_changes_of_orders_take_the_room_of_new_ones_and_let_cancels_pass() -> None:
    """Invariant 27."""
    house, venue = paced_house(5)
    venue.capabilities = msgspec.structs.replace(venue.capabilities, replaces=True)
    engine = await house.open()
    orders = await asked(engine, 5, ord_type=OrdType.LIMIT, price=Px(Decimal(9)))
    await forward(house, engine, 1)
    changes = [engine.ask(ReplaceOrder(each, "ann", order_qty=Qty(Decimal(200)))) for each in orders]
    for change in changes:
        await change
    await settle()
    assert len(venue.replaced) == 5
    late = await placed(engine, buy(B, 100))
    await engine.ask(CancelOrder(orders[0], "ann"))
    await engine.ask(ReplaceOrder(orders[1], "ann", order_qty=Qty(Decimal(300))))
    await settle()
    assert late not in venue.placed
    assert venue.canceled == []

    await forward(house, engine, 1)

    assert venue.canceled == [orders[0]]
    assert len(venue.replaced) == 6
    assert venue.placed[-1] == late
    assert venue.most_in_a_second == 5
    await engine.stop()


async def test_many_cancels_at_once_keep_the_rate_and_each_goes_once() -> None:
    """S0: a kill is not refused for being too quick; asked for again before it left, a cancel goes once."""
    house, venue = paced_house(5)
    engine = await house.open()
    orders = await asked(engine, 40)
    await forward(house, engine, 10)
    for _ in range(2):
        for each in orders:
            await engine.ask(CancelOrder(each, "ann"))
        await settle()
    late = await placed(engine, buy(B, 100))

    await forward(house, engine, 6)

    assert len(venue.canceled) < 40
    assert late not in venue.placed
    await forward(house, engine, 5)
    assert sorted(venue.canceled) == sorted(orders)
    assert venue.placed[-1] == late
    assert venue.most_in_a_second == 5
    await engine.stop()


@pytest.mark.parametrize("seconds", [0, 1, 3])
async def test_a_crash_in_the_middle_sends_none_twice_and_loses_none(seconds: int) -> None:
    """F41, invariants 6 and 27: what the dead process sent in its last second counts."""
    house, venue = paced_house()
    first = await house.open()
    orders = await asked(first, 300)
    await forward(house, first, seconds)
    assert RATE <= len(venue.placed) < 300
    await house.kill(first)

    second = await house.open()
    await forward(house, second, 15)

    assert sorted(venue.placed) == sorted(orders)
    assert venue.most_in_a_second == RATE
    assert statuses(second, orders) == {OrdStatus.NEW}
    await second.stop()


async def test_a_slow_disk_does_not_gather_more_than_a_second_of_orders() -> None:
    """F55: what was decided during a long commit would leave all at once."""
    house, venue = paced_house(5)
    engine = await house.open()
    house.journal.gate.clear()
    replies = []
    for _ in range(4):
        replies += [asyncio.ensure_future(engine.ask(buy(A, 100))) for _ in range(5)]
        await house.clock.forward(1)
    house.journal.gate.set()
    await settle()
    await asyncio.gather(*replies)
    assert len(house.on_disk(SendBegun)) == 5

    await forward(house, engine, 10)

    assert len(set(venue.placed)) == 20
    assert len(venue.placed) == 20
    assert venue.most_in_a_second == 5
    assert not house.on_disk(SendFailed)
    await engine.stop()


async def test_orders_of_two_commits_that_come_at_once_are_spread_at_the_wire() -> None:
    """Orders wait for a slow disk, then cancels too: the wire sees one stream."""
    house, venue = paced_house(5)
    engine = await house.open()
    orders = await asked(engine, 5)
    await forward(house, engine, 2)
    house.journal.gate.clear()
    late = [asyncio.ensure_future(engine.ask(buy(B, 100))) for _ in range(5)]
    await settle()
    cancels = [asyncio.ensure_future(engine.ask(CancelOrder(each, "ann"))) for each in orders]
    await settle()
    house.journal.gate.set()
    await asyncio.gather(*late, *cancels)
    await forward(house, engine, 3)

    assert len(venue.placed) == 10
    assert sorted(venue.canceled) == sorted(orders)
    assert venue.most_in_a_second == 5
    await engine.stop()


async def test_stopping_leaves_what_waits_for_the_next_process() -> None:
    house, venue = paced_house()
    engine = await house.open()
    orders = await asked(engine, 200)
    await engine.stop()
    assert venue.placed == orders[:RATE]

    again = await house.open()
    await forward(house, again, 5)

    assert venue.placed == orders
    assert [event.cl_ord_id for event in house.on_disk(OrderStaged)] == orders
    await again.stop()


async def test_a_lost_session_keeps_what_waits() -> None:
    house, venue = paced_house()
    engine = await house.open()
    orders = await asked(engine, 200)
    venue.go_down()
    await forward(house, engine, 3)
    assert len(venue.placed) == RATE

    venue.come_up()
    await forward(house, engine, 6)

    assert venue.placed == orders
    assert venue.most_in_a_second == RATE
    await engine.stop()


async def test_a_rate_of_nothing_is_refused() -> None:
    house, venue = paced_house(0)
    assert venue.capabilities.rate_per_second == 0
    with pytest.raises(BadInput, match="declares a rate of 0 requests a second; expected at least 1"):
        house.engine()


async def test_a_clock_that_is_set_forward_lets_nothing_leave_earlier() -> None:
    """F61, F62, invariant 27: the venue's second is over when a second has gone by."""
    house, venue = paced_house(rate=1)
    engine = await house.open()
    orders = await asked(engine, 2)
    assert venue.placed == orders[:1]
    await house.clock.forward(0.5)
    await house.clock.set_forward(1)
    house.quote(engine)
    await settle()
    assert venue.placed == orders[:1]
    await forward(house, engine, 1)
    assert venue.placed == orders
    await engine.stop()


def test_orders_leave_room_for_what_a_predecessor_may_still_send_and_cancels_do_not() -> None:
    """F46, invariant 27: it may only sleep."""
    pace = Pace("paper", 2)
    noon = UtcNs(43_200 * SECOND_NS)
    late = UtcNs(noon + 6 * SECOND_NS)
    pace.expect(late)
    first, second = ClOrdID("a"), ClOrdID("b")
    assert (pace.take(first, noon), pace.take(second, noon)) == (True, False)
    pace.left(first, noon)
    assert pace.free_at(noon) == noon
    assert pace.take(second, UtcNs(noon + SECOND_NS))


def test_who_waits_for_a_predecessors_room_is_asked_when_it_comes_free() -> None:
    pace = Pace("paper", 1)
    noon = UtcNs(43_200 * SECOND_NS)
    pace.expect(UtcNs(noon + 6 * SECOND_NS))
    assert not pace.take(ClOrdID("a"), noon)
    assert pace.order_at(noon) == noon + 6 * SECOND_NS
    assert pace.take(ClOrdID("a"), pace.order_at(noon))


async def test_a_clock_that_jumps_while_an_order_hangs_on_the_wire_takes_no_room_for_ever() -> None:
    """What seems proven never sent begins anew before the first attempt has come back: the turn of the second is given back."""
    house, venue = paced_house(1)
    engine = await house.open()
    await forward(house, engine, 3)
    hangs = asyncio.Event()
    venue.moods = [hangs]
    await asked(engine, 1, ord_type=OrdType.LIMIT, price=Px(Decimal(10)))
    await house.clock.set_forward(60)
    await forward(house, engine, 8)
    hangs.set()
    await forward(house, engine, 60)
    other = await placed(engine, buy(B, 100, ord_type=OrdType.LIMIT, price="10"))
    await forward(house, engine, 20)
    assert other in venue.placed
    await engine.stop()
