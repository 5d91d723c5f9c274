"""The one rule: no broker call, no reply and no publication before its events are durable; and what a failed commit does."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest
from tests.engine.made import A, B, House, placed, settle

from tradeloop.core.commands import CancelOrder
from tradeloop.core.decide import Decision, decide
from tradeloop.core.errors import BadInput
from tradeloop.core.events import BrokerReady, OrderAcknowledged, OrderDenied, OrderStaged, SendBegun, Traded
from tradeloop.core.inputs import Input
from tradeloop.core.order import Order
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import ExecutionBust, Quote
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import ExecID, Px, Side, UtcNs
from tradeloop.engine import writer
from tradeloop.engine.writer import Published
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, a_quote, buy

# --- the one rule


async def test_at_the_moment_an_order_is_placed_its_intent_is_on_the_disk() -> None:
    """DESIGN 2, D7."""
    house = House()
    engine = await house.open()
    seen: list[bool] = []

    def look(order: Order) -> None:
        begun = [event.cl_ord_id for event in house.on_disk(SendBegun)]
        staged = [event.cl_ord_id for event in house.on_disk(OrderStaged)]
        seen.append(begun == staged == [order.cl_ord_id])

    house.venue.on_place = look
    await placed(engine, buy(A, 100))

    assert seen == [True]
    await engine.stop()


async def test_a_reply_resolves_only_when_its_facts_are_on_the_disk() -> None:
    """Invariant 7."""
    house = House()
    engine = await house.open()
    house.journal.gate.clear()

    reply = asyncio.ensure_future(engine.ask(buy(A, 100)))
    await settle()
    assert not reply.done()
    assert len(engine.state.orders.open) == 1

    house.journal.gate.set()
    answer = await reply

    assert isinstance(answer, OrderReply)
    assert [event.cl_ord_id for event in house.on_disk(OrderStaged)] == [answer.cl_ord_id]
    await engine.stop()


async def test_a_denial_too_is_answered_only_when_it_is_on_the_disk() -> None:
    """S0-56: the record of a refusal is as durable as that of an order."""
    house = House()
    engine = await house.open()
    house.journal.gate.clear()
    reply = asyncio.ensure_future(engine.ask(buy(A, 1)))
    await settle()
    assert not reply.done()

    house.journal.gate.set()
    answer = await reply

    assert isinstance(answer, OrderReply)
    assert [event.text for event in house.on_disk(OrderDenied)] == [answer.denied.text if answer.denied else None]
    await engine.stop()


async def test_subscribers_see_events_only_when_they_are_on_the_disk_and_in_order() -> None:
    """DESIGN 2."""
    house = House()
    engine = house.engine()
    published: list[Published] = []

    def read(batch: Published) -> None:
        assert list(batch.events) == house.durable[batch.first_seq - 1 : batch.first_seq - 1 + len(batch.events)]
        published.append(batch)

    engine.subscribe(read)
    await house.open(engine)
    await placed(engine, buy(A, 100))
    await engine.stop()

    assert [event for batch in published for event in batch.events] == house.durable
    assert [batch.batch for batch in published] == list(range(1, len(house.store.rows) + 1))


async def test_while_a_slow_commit_runs_the_next_batch_is_decided_and_its_effects_wait() -> None:
    """DESIGN 2: group commit, with the next batch decided while the last one is committed."""
    house = House()
    engine = await house.open()
    house.journal.gate.clear()
    first = asyncio.ensure_future(engine.ask(buy(A, 100)))
    await settle()
    second = asyncio.ensure_future(engine.ask(buy(B, 100)))
    third = asyncio.ensure_future(engine.ask(buy(B, 200)))
    await settle()

    assert len(engine.state.orders.open) == 3
    assert (first.done(), second.done(), house.venue.placed) == (False, False, [])
    assert house.journal.appends == len(house.store.rows) + 1

    house.journal.gate.set()
    replies = [await reply for reply in (first, second, third)]
    await settle()

    assert house.venue.placed == [reply.cl_ord_id for reply in replies if isinstance(reply, OrderReply)]
    begun = [line for line in house.happened if "SendBegun" in line]
    assert begun == [
        "append OrderStaged SendBegun",
        "durable OrderStaged SendBegun",
        "append OrderStaged SendBegun OrderStaged SendBegun",
        "durable OrderStaged SendBegun OrderStaged SendBegun",
    ]
    await engine.stop()


async def test_the_effects_of_the_first_batch_do_not_wait_for_the_second() -> None:
    house = House()
    engine = await house.open()
    house.journal.gate.clear()
    first = asyncio.ensure_future(engine.ask(buy(A, 100)))
    await settle()
    second = asyncio.ensure_future(engine.ask(buy(B, 100)))
    await settle()
    durable = len(house.store.rows)

    def close_the_gate(order: Order) -> None:
        house.journal.gate.clear()

    house.venue.on_place = close_the_gate
    house.journal.gate.set()
    await settle()

    assert first.done()
    assert len(house.store.rows) >= durable + 1
    assert house.venue.placed[0] == first.result().cl_ord_id  # type: ignore[union-attr]
    house.venue.on_place = lambda order: None
    house.journal.gate.set()
    await second
    await engine.stop()


async def test_a_repeat_is_not_answered_before_the_first_answer_is_durable() -> None:
    """Invariant 4: the second asker must not hear of an order that a crash may still undo."""
    house = House()
    engine = await house.open()
    house.journal.gate.clear()
    first = asyncio.ensure_future(engine.ask(buy(A, 100, request_id="r1")))
    await settle()
    again = asyncio.ensure_future(engine.ask(buy(A, 100, request_id="r1")))
    await settle()
    assert not again.done()

    house.journal.gate.set()
    one, two = await first, await again
    await settle()

    assert isinstance(one, OrderReply)
    assert two == OrderReply(one.cl_ord_id, repeat=True)
    assert len(house.venue.placed) == 1
    await engine.stop()


async def test_many_orders_of_one_moment_are_one_commit() -> None:
    """Group commit: the price of a durable write is shared."""
    house = House()
    engine = await house.open()
    before = len(house.store.rows)

    replies = await asyncio.gather(*(engine.ask(buy(A, 100)) for _ in range(50)))

    assert len({reply.cl_ord_id for reply in replies if isinstance(reply, OrderReply)}) == 50
    assert len(house.on_disk(OrderStaged)) == 50
    first = house.store.rows[before]
    assert first.last_seq - first.first_seq + 1 == 100
    await engine.stop()


# --- refusals


async def test_bad_input_answers_the_asker_alone_and_changes_nothing() -> None:
    house = House()
    engine = await house.open()
    before, rows = engine.state.hash(), len(house.store.rows)

    good, bad = engine.ask(buy(A, 100)), engine.ask(buy(A, -1))
    with pytest.raises(BadInput, match="order_qty was -1"):
        await bad
    assert isinstance(await good, OrderReply)

    with pytest.raises(BadInput):
        await engine.ask(CancelOrder("nobody", "ann"))  # type: ignore[arg-type]
    assert before != engine.state.hash()
    assert [e.order_qty for e in house.on_disk(OrderStaged)] == [100]
    assert len(house.store.rows) > rows
    await engine.stop()


async def test_bad_input_alone_writes_no_row() -> None:
    house = House()
    engine = await house.open()
    before, rows = engine.state.hash(), len(house.store.rows)
    with pytest.raises(BadInput):
        await engine.ask(buy(A, 0))
    assert (engine.state.hash(), len(house.store.rows)) == (before, rows)
    await engine.stop()


# --- what a batch is


async def test_events_keep_the_order_of_the_inputs() -> None:
    house = House()
    engine = await house.open()
    cl_ord_id = await placed(engine, buy(A, 100))
    house.venue.fill(cl_ord_id)
    await settle()

    kinds = [type(event) for event in house.durable if getattr(event, "cl_ord_id", None) == cl_ord_id]

    assert kinds == [OrderStaged, SendBegun, OrderAcknowledged, Traded]
    await engine.stop()


async def test_an_order_is_judged_by_what_an_earlier_one_of_the_same_batch_reserved() -> None:
    """Two orders never share one yuan (R7)."""
    house = House(cash=1_500)
    engine = await house.open()

    replies = await asyncio.gather(engine.ask(buy(A, 100)), engine.ask(buy(B, 100)))

    denied = [reply.denied.rule if reply.denied else None for reply in replies if isinstance(reply, OrderReply)]
    assert denied == [None, "cash"]
    await engine.stop()


async def test_an_order_is_judged_by_the_newest_quote() -> None:
    house = House()
    engine = await house.open()
    for px in ("10", "11", "12"):
        engine.quote(a_quote(A, bid=px, ask=px, at=house.clock.now()))
    await placed(engine, buy(A, 100))
    assert [event.arrival_px for event in house.on_disk(OrderStaged)] == [Px(12)]  # type: ignore[arg-type]
    await engine.stop()


async def test_a_quote_writes_no_row() -> None:
    """A quote is volatile; what a decision saw of it stands in its events."""
    house = House()
    engine = await house.open()
    rows = len(house.store.rows)
    for n in range(100):
        engine.quote(Quote(A, house.clock.now(), last=Px(n + 1)))  # type: ignore[arg-type]
    await settle()
    assert len(house.store.rows) == rows
    await engine.stop()


async def test_ready_comes_once_for_each_connect() -> None:
    house = House()
    engine = await house.open()
    await house.clock.forward(65)
    assert len(house.on_disk(BrokerReady)) == 1
    assert house.venue.snapshots == 3
    await engine.stop()


# --- how long the loop is held


@pytest.mark.parametrize("committing", [False, True])
async def test_slow_inputs_leave_the_lease_its_turn(committing: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand late fills with a thousand behind each take 6 s together; a lease on a server lasts three."""
    house = House()
    engine = await house.open()
    spent, seen = 0, []

    def slow(*given: Any) -> Decision:
        nonlocal spent
        spent += 6_000_000
        return decide(*given)

    async def others() -> None:
        while len(engine.inbox):
            seen.append(spent)
            await asyncio.sleep(0)

    monkeypatch.setattr(writer, "decide", slow)
    monkeypatch.setattr(house.clock, "elapsed", lambda: spent)
    if committing:
        house.journal.gate.clear()
    for number in range(3 * writer.BATCH_MAX):
        engine.inbox.put(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID(f"e{number}"), Side.BUY))
    await others()
    house.journal.gate.set()
    await settle()

    longest = max(after - before for before, after in itertools.pairwise(seen))
    assert longest <= writer.TURN_NS + 6_000_000
    assert spent == 3 * writer.BATCH_MAX * 6_000_000
    await engine.stop()


async def test_a_quote_that_came_meanwhile_is_decided_before_the_rest_of_a_slow_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decisions see the present market, however long the queue is."""
    house = House()
    engine = await house.open()
    spent = 0
    order: list[object] = []

    def slow(state: State, around: Surroundings, given: Input, now: UtcNs) -> Decision:
        nonlocal spent
        spent += writer.TURN_NS
        order.append(given)
        if len(order) == 1:
            engine.inbox.quote(a_quote(A, bid="10.10", ask="10.20"))
        return decide(state, around, given, now)

    monkeypatch.setattr(writer, "decide", slow)
    monkeypatch.setattr(house.clock, "elapsed", lambda: spent)
    busts = [ExecutionBust(BROKER, ACCOUNT, DAY, ExecID(f"e{number}"), Side.BUY) for number in range(3)]
    for bust in busts:
        engine.inbox.put(bust)
    await settle()

    assert [each for each in order if type(each) is not Quote] == busts
    assert type(order[1]) is Quote
    await engine.stop()
