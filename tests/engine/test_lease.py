"""The right to write: one process at a time, and whoever loses it stops."""

from __future__ import annotations

import asyncio

import pytest
from tests.engine.made import A, House, ManualClock, outcome, settle

from tradeloop.core.errors import JournalFailed, LeaseHeld, StaleEpoch
from tradeloop.core.events import EngineStarted, OrderStaged
from tradeloop.core.replies import OrderReply
from tradeloop.engine.lease import keep_lease
from tradeloop.journal.memory import MemoryJournal, MemoryStore
from tradeloop.ports.journal import Holder
from tradeloop.testing.builders import buy


async def test_a_lease_that_expires_is_renewed_every_second() -> None:
    clock = ManualClock()
    journal = MemoryJournal(MemoryStore(), clock=clock)
    holder = await journal.acquire("one")
    keeping = asyncio.create_task(keep_lease(journal, holder, clock))
    await settle()

    await clock.forward(60)

    assert not keeping.done()
    with pytest.raises(LeaseHeld):
        await MemoryJournal(journal.store, clock=clock).acquire("two")
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


async def test_a_lease_that_was_taken_over_ends_its_keeper() -> None:
    """F46: a process that was paused too long must not write again."""
    clock = ManualClock()
    journal = MemoryJournal(MemoryStore(), clock=clock)
    holder = await journal.acquire("one")
    clock._now = holder.expires_at  # type: ignore[assignment]
    await MemoryJournal(journal.store, clock=clock).acquire("two")
    keeping = asyncio.create_task(keep_lease(journal, holder, clock))
    await settle()
    await clock.forward(1)
    with pytest.raises(StaleEpoch):
        await keeping


async def test_a_lease_that_does_not_expire_is_held_without_renewing() -> None:
    clock = ManualClock()
    journal = MemoryJournal(MemoryStore())
    keeping = asyncio.create_task(keep_lease(journal, await journal.acquire("one"), clock))
    await clock.forward(10)
    assert not keeping.done()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


async def test_a_second_engine_on_the_same_journal_is_refused_and_told_who_holds_it() -> None:
    """F49, issue 2: a second process on the same database."""
    house = House()
    first = await house.open()
    second = house.engine()
    with pytest.raises(LeaseHeld, match="being written by test"):
        await second.start()
    await second.stop()

    assert not await _is_refused(first.ask(buy(A, 100)))
    await first.stop()


async def test_an_engine_that_never_had_the_lease_does_not_give_it_away() -> None:
    house = House()
    first = await house.open()
    second = house.engine()
    with pytest.raises(LeaseHeld):
        await second.start()
    await second.stop()
    with pytest.raises(LeaseHeld):
        await house.engine().start()
    await first.stop()


async def test_each_engine_writes_under_an_epoch_of_its_own() -> None:
    """Invariant 35."""
    house = House()
    for _ in range(3):
        await (await house.open()).stop()
    assert [event.epoch for event in house.on_disk(EngineStarted)] == [1, 2, 3]
    assert sorted({row.epoch for row in house.store.rows}) == [1, 2, 3]


async def test_after_a_takeover_the_old_engine_writes_and_sends_nothing_and_ends() -> None:
    """F46, invariants 2 and 35."""
    house = House()
    old = await house.open()
    house.store.holder = None
    await MemoryJournal(house.store).acquire("the new one")

    reply = await outcome(old.ask(buy(A, 100)))

    assert isinstance(reply, JournalFailed)
    with pytest.raises(StaleEpoch):
        await old.wait()
    assert house.venue.placed == []
    assert not house.on_disk(OrderStaged)
    with pytest.raises(StaleEpoch):
        await old.stop()


async def _is_refused(reply: object) -> bool:
    return isinstance(await outcome(reply), BaseException)  # type: ignore[arg-type]


@pytest.mark.parametrize("durable", [True, False])
async def test_a_lease_lost_in_the_middle_of_a_commit_sends_nothing_and_denies_nothing_that_was_recorded(durable: bool) -> None:
    """F46, invariants 7 and 35: what became of the commit is told as it is, and the next process acts on it."""
    house = House()
    engine = house.engine()
    acquire = house.journal.acquire

    async def for_a_while(owner: str) -> Holder:
        holder = await acquire(owner)
        return Holder(holder.owner, holder.epoch, house.clock.now())

    async def lost() -> None:
        raise StaleEpoch("another process has taken over from epoch 1")

    house.journal.acquire = for_a_while
    await house.open(engine)
    house.journal.gate.clear()
    reply = asyncio.ensure_future(engine.ask(buy(A, 100)))
    await settle()
    house.journal.renew = lost
    await house.clock.forward(1)
    if not durable:
        house.journal.fails = StaleEpoch("epoch 1 is not the current one")
    house.journal.gate.set()

    (ended,) = await asyncio.gather(engine.wait(), return_exceptions=True)

    assert isinstance(ended, StaleEpoch)
    assert len(house.on_disk(OrderStaged)) == durable
    answer = await outcome(reply)
    assert isinstance(answer, OrderReply if durable else JournalFailed)
    assert house.venue.placed == []
    with pytest.raises(StaleEpoch):
        await engine.stop()
