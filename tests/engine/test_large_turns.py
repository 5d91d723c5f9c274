"""A turn too large for one row of the journal: several rows, in order, and nothing leaves before the last is durable."""

from __future__ import annotations

import asyncio

import pytest
from tests.engine.made import A, House, outcome, settle

from tradeloop.core.errors import JournalFailed
from tradeloop.core.events import OrderStaged
from tradeloop.core.replies import OrderReply
from tradeloop.engine import writer
from tradeloop.engine.writer import Published
from tradeloop.journal import codec
from tradeloop.ports.journal import Batch
from tradeloop.testing.builders import buy


async def asked(house: House, count: int) -> list[OrderReply]:
    """So many orders decided in one turn."""
    engine = await house.open()
    replies = [asyncio.ensure_future(engine.ask(buy(A, 100))) for _ in range(count)]
    answers = await asyncio.gather(*replies)
    await engine.stop()
    return [answer for answer in answers if isinstance(answer, OrderReply)]


async def test_a_turn_of_many_events_takes_several_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """H12: one statement may not grow without bound."""
    monkeypatch.setattr(writer, "ROW_EVENTS_MAX", 5)
    house = House()
    answers = await asked(house, 40)
    rows = [codec.decode(row.payload) for row in house.store.rows]
    assert max(len(events) for events in rows) <= 5
    assert [event.cl_ord_id for event in house.on_disk(OrderStaged)] == [answer.cl_ord_id for answer in answers]


async def test_a_turn_of_many_bytes_is_cut_until_each_row_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "ROW_BYTES_MAX", 1_000)
    house = House()
    answers = await asked(house, 40)
    assert all(len(row.payload) <= 1_000 or row.first_seq == row.last_seq for row in house.store.rows)
    assert [event.cl_ord_id for event in house.on_disk(OrderStaged)] == [answer.cl_ord_id for answer in answers]


async def test_the_rows_of_a_turn_become_durable_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """F42, F51: a crash between two of them would remember half a decision."""
    monkeypatch.setattr(writer, "ROW_EVENTS_MAX", 3)
    house = House()
    engine = await house.open()
    before = list(house.store.rows)
    appends = house.journal.appends
    replies = [asyncio.ensure_future(engine.ask(buy(A, 100))) for _ in range(4)]
    house.journal.gate.clear()
    await settle()
    assert house.journal.appends == appends + 1
    assert house.store.rows == before
    assert house.venue.placed == []

    house.journal.gate.set()
    await asyncio.gather(*replies)

    assert len(house.store.rows) - len(before) >= 3
    assert house.replayed() == engine.state.hash()
    await engine.stop()


async def test_when_a_turn_of_several_rows_fails_none_of_it_is_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Invariant 7: nobody is told "not durable" of something the next start finds."""
    monkeypatch.setattr(writer, "ROW_EVENTS_MAX", 2)
    house = House()
    engine = await house.open()
    before = list(house.store.rows)
    replies = [asyncio.ensure_future(engine.ask(buy(A, 100))) for _ in range(3)]
    house.journal.fails = JournalFailed("the disk said EIO")
    await settle()

    assert house.store.rows == before
    assert house.venue.placed == []
    for reply in replies:
        with pytest.raises(JournalFailed):
            await reply
    with pytest.raises(JournalFailed, match="EIO"):
        await engine.wait()


async def test_a_turn_of_several_rows_is_one_append(monkeypatch: pytest.MonkeyPatch) -> None:
    """Invariant 7: could its second row fail for itself, the first would be on the disk and denied to whoever asked."""
    monkeypatch.setattr(writer, "ROW_EVENTS_MAX", 2)
    house = House()
    engine = await house.open()
    before = list(house.store.rows)
    appends = house.journal.appends
    append = house.journal.append

    async def only_the_first(*batches: Batch) -> None:
        if house.journal.appends > appends:
            raise JournalFailed("the disk said EIO")
        await append(*batches)

    monkeypatch.setattr(house.journal, "append", only_the_first)
    answers = await asyncio.gather(*(outcome(engine.ask(buy(A, 100))) for _ in range(3)))

    assert [type(answer) for answer in answers] == [OrderReply] * 3
    assert len(house.store.rows) - len(before) == 3
    with pytest.raises(JournalFailed, match="EIO"):
        await engine.wait()


async def test_readers_get_each_row_with_its_own_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "ROW_EVENTS_MAX", 2)
    house = House()
    engine = house.engine()
    published: list[Published] = []
    engine.subscribe(published.append)
    await house.open(engine)
    await asyncio.gather(*(engine.ask(buy(A, 100)) for _ in range(9)))
    await engine.stop()
    assert [batch.batch for batch in published] == [row.batch for row in house.store.rows]
    assert [list(batch.events) for batch in published] == [codec.decode(row.payload) for row in house.store.rows]
