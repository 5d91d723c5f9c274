"""A turn too large for one row of the journal: several rows, in order, and nothing leaves before the last is durable."""

from __future__ import annotations

import asyncio

import pytest
from tests.engine.made import A, House, settle

from tradeloop.core.errors import JournalFailed
from tradeloop.core.events import OrderStaged
from tradeloop.core.replies import OrderReply
from tradeloop.engine import writer
from tradeloop.engine.writer import Published
from tradeloop.journal import codec
from tradeloop.ports.journal import Batch
from tradeloop.testing.builders import buy
from tradeloop.testing.journal_contract import some_events


async def asked(house: House, count: int) -> list[OrderReply]:
    """So many orders decided in one turn."""
    engine = await house.open()
    replies = [asyncio.ensure_future(engine.ask(buy(A, 100))) for _ in range(count)]
    answers = await asyncio.gather(*replies)
    await engine.stop()
    return [answer for answer in answers if isinstance(answer, OrderReply)]


async def test_a_turn_of_many_events_is_cut_between_decisions(monkeypatch: pytest.MonkeyPatch) -> None:
    """H12: one statement may not grow without bound."""
    monkeypatch.setattr(writer, "ROW_EVENTS_MAX", 5)
    house = House()
    answers = await asked(house, 40)
    rows = [codec.decode(row.payload) for row in house.store.rows]
    assert max(len(events) for events in rows) <= 5
    assert [event.cl_ord_id for event in house.on_disk(OrderStaged)] == [answer.cl_ord_id for answer in answers]
    staged = [row for row in rows if any(type(event) is OrderStaged for event in row)]
    assert len(staged) >= 20
    for row in staged:  # an order and what the same decision says of it stand in one row
        assert [type(event).__name__ for event in row if type(event).__name__ in {"OrderStaged", "SendBegun"}] == [
            "OrderStaged",
            "SendBegun",
        ] * (len([event for event in row if type(event) is OrderStaged]))


async def test_a_turn_of_many_bytes_is_cut_until_each_row_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "ROW_BYTES_MAX", 1_000)
    house = House()
    answers = await asked(house, 40)
    assert all(len(row.payload) <= 1_000 or row.first_seq == row.last_seq for row in house.store.rows)
    assert [event.cl_ord_id for event in house.on_disk(OrderStaged)] == [answer.cl_ord_id for answer in answers]


async def test_one_decision_larger_than_a_row_is_cut_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "ROW_EVENTS_MAX", 4)
    turn = writer._Turn()
    turn.events += some_events(23)
    turn.cuts += [1, 3, 13, 14, 16, 23]
    pieces = list(writer._pieces(turn))
    assert [event for piece in pieces for event in piece] == turn.events
    assert [len(piece) for piece in pieces] == [3, 4, 4, 2 + 1, 2, 4, 3]


async def test_nothing_leaves_before_the_last_row_of_a_turn_is_durable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "ROW_EVENTS_MAX", 2)
    house = House()
    engine = await house.open()
    house.journal.gate.clear()
    before = len(house.store.rows)
    replies = [asyncio.ensure_future(engine.ask(buy(A, 100))) for _ in range(3)]
    await settle()
    engine.subscribe(lambda _: None)
    append, allowed = house.journal._append, 2

    async def fails_at_the_third(batch: Batch) -> None:
        if len(house.store.rows) - before == allowed:
            raise JournalFailed("the disk said EIO")
        await append(batch)

    house.journal._append = fails_at_the_third
    house.journal.gate.set()
    await settle()
    assert len(house.store.rows) == before + allowed
    assert house.venue.placed == []
    for reply in replies:
        with pytest.raises(JournalFailed):
            await reply
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
