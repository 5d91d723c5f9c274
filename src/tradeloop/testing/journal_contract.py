"""What every journal keeps, as tests: inherit `JournalContract`, say where a journal lies, and pytest runs them all.

    class TestOurJournal(JournalContract):
        @pytest.fixture
        def place(self, tmp_path: Path) -> OurPlace:
            return OurPlace(tmp_path / "journal")

Needs pytest and pytest-asyncio in auto mode.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import pytest

from tradeloop.core.errors import JournalFailed, LeaseHeld, StaleEpoch
from tradeloop.core.events import Event, SendBegun
from tradeloop.core.types import ClOrdID, UtcNs
from tradeloop.journal import codec
from tradeloop.journal.verify import VerifiableJournal, Witness, verify
from tradeloop.ports.journal import Batch, StoredSnapshot


class JournalPlace(Protocol):
    """Where a journal lies; it outlives the journals opened on it, as a disk outlives processes."""

    def journal(self, *, read_only: bool = False) -> VerifiableJournal:
        """A new, unopened journal on this place, as another process would make it."""
        ...

    async def lose_lease(self) -> None:
        """Let the lease of whoever holds it end without its doing: time runs out, a lock file is deleted."""
        ...

    async def lose_last_row(self) -> None:
        """Take the newest row away, as a fail-over to a server that had not got it does."""
        ...


APPENDED_AT = UtcNs(1_800_000_000_000_000_000)


def some_events(count: int = 2, start: int = 1) -> list[Event]:
    """Small events, all different."""
    return [SendBegun(UtcNs(start + n), ClOrdID(f"a0001b{start + n:010}")) for n in range(count)]


def next_batch(after: codec.Head, epoch: int, count: int = 2) -> Batch:
    """A sealed batch of `count` events that follows `after`."""
    payload = codec.encode(some_events(count, after[1] + 1))
    return codec.seal(payload, count=count, after=after, epoch=epoch, appended_at=UtcNs(APPENDED_AT + after[0]))


async def written(journal: VerifiableJournal, epoch: int, batches: int) -> list[Batch]:
    """Append so many batches and give them."""
    rows = []
    head = await journal.head()
    for _ in range(batches):
        row = next_batch(head, epoch)
        await journal.append(row)
        head = codec.head_of(row)
        rows.append(row)
    return rows


async def all_rows(journal: VerifiableJournal, after_batch: int = 0) -> list[Batch]:
    """What the journal reads back."""
    return [row async for row in journal.read(after_batch)]


@asynccontextmanager
async def opened(place: JournalPlace, *, read_only: bool = False) -> AsyncIterator[VerifiableJournal]:
    """A journal that is open inside the block."""
    journal = place.journal(read_only=read_only)
    await journal.open()
    try:
        yield journal
    finally:
        await journal.close()


def snapshot_of(row: Batch, payload: bytes = b"state") -> StoredSnapshot:
    """A snapshot that belongs to the history ending with `row`."""
    return StoredSnapshot(row.last_seq, row.batch, row.hash, f"state-{row.last_seq}", 1, payload)


class JournalContract:
    """The tests. A subclass gives the fixture `place`."""

    async def test_an_empty_journal_begins_at_zero(self, place: JournalPlace) -> None:
        async with opened(place) as journal:
            assert await journal.head() == (0, 0, bytes(32))
            assert await all_rows(journal) == []

    async def test_what_was_appended_reads_back_identical(self, place: JournalPlace) -> None:
        async with opened(place) as journal:
            rows = await written(journal, (await journal.acquire("one")).epoch, 3)
            assert await all_rows(journal) == rows
            assert codec.decode(rows[1].payload) == some_events(2, 3)

    async def test_what_was_appended_outlives_the_process(self, place: JournalPlace) -> None:
        async with opened(place) as journal:
            rows = await written(journal, (await journal.acquire("one")).epoch, 3)
            await journal.release()
        async with opened(place) as journal:
            assert await all_rows(journal) == rows
            assert await journal.head() == codec.head_of(rows[-1])

    async def test_reading_goes_on_after_a_batch(self, place: JournalPlace) -> None:
        async with opened(place) as journal:
            rows = await written(journal, (await journal.acquire("one")).epoch, 4)
            assert await all_rows(journal, 2) == rows[2:]
            assert await all_rows(journal, 4) == []

    async def test_many_rows_come_in_order(self, place: JournalPlace) -> None:
        async with opened(place) as journal:
            await written(journal, (await journal.acquire("one")).epoch, 520)
            assert [row.batch for row in await all_rows(journal)] == list(range(1, 521))

    async def test_a_large_batch_reads_back(self, place: JournalPlace) -> None:
        async with opened(place) as journal:
            row = next_batch(codec.EMPTY, (await journal.acquire("one")).epoch, 60_000)
            assert len(row.payload) > 1_500_000
            await journal.append(row)
            assert await all_rows(journal) == [row]

    async def test_a_second_writer_is_refused_and_told_who_holds_the_lease(self, place: JournalPlace) -> None:
        """F49."""
        async with opened(place) as first, opened(place) as second:
            await first.acquire("the first engine")
            with pytest.raises(LeaseHeld, match="the first engine"):
                await second.acquire("the second engine")

    async def test_a_lease_that_was_given_back_is_free_at_once(self, place: JournalPlace) -> None:
        async with opened(place) as first, opened(place) as second:
            one = await first.acquire("one")
            await first.release()
            two = await second.acquire("two")
            assert two.epoch > one.epoch

    async def test_an_epoch_never_comes_twice(self, place: JournalPlace) -> None:
        epochs = []
        for turn in range(4):
            async with opened(place) as journal:
                epochs.append((await journal.acquire(f"turn {turn}")).epoch)
                await journal.release()
        assert epochs == sorted(set(epochs))

    async def test_releasing_what_is_not_held_is_harmless(self, place: JournalPlace) -> None:
        async with opened(place) as first, opened(place) as second:
            holder = await first.acquire("one")
            await second.release()
            await first.renew()
            assert len(await written(first, holder.epoch, 1)) == 1

    async def test_an_append_from_before_a_takeover_is_refused(self, place: JournalPlace) -> None:
        """F46, F70, F71, invariant 35."""
        async with opened(place) as old, opened(place) as new:
            before = await old.acquire("old")
            rows = await written(old, before.epoch, 2)
            await place.lose_lease()
            after = await new.acquire("new")
            assert after.epoch > before.epoch
            with pytest.raises(StaleEpoch):
                await old.append(next_batch(codec.head_of(rows[-1]), before.epoch))
            assert await all_rows(new) == rows
            rows += await written(new, after.epoch, 1)
            with pytest.raises((StaleEpoch, JournalFailed)):
                await old.append(next_batch(codec.head_of(rows[1]), before.epoch))
            assert await all_rows(new) == rows

    async def test_a_lease_that_was_taken_over_cannot_be_renewed(self, place: JournalPlace) -> None:
        async with opened(place) as old, opened(place) as new:
            await old.acquire("old")
            await place.lose_lease()
            await new.acquire("new")
            with pytest.raises(StaleEpoch):
                await old.renew()
            await new.renew()

    async def test_a_lease_is_kept_while_rows_are_appended(self, place: JournalPlace) -> None:
        async with opened(place) as journal:
            holder = await journal.acquire("writer")
            await journal.renew()
            await written(journal, holder.epoch, 2)
            await journal.renew()

    async def test_a_row_that_has_gone_is_noticed_when_the_lease_is_renewed(self, place: JournalPlace) -> None:
        """An idle process appends nothing, and would answer from books that are no longer those of the journal."""
        async with opened(place) as journal:
            holder = await journal.acquire("writer")
            rows = await written(journal, holder.epoch, 2)
            await place.lose_last_row()
            with pytest.raises(JournalFailed, match="batch 2 was durable and has gone"):
                await journal.renew()
            with pytest.raises((JournalFailed, StaleEpoch)):
                await journal.append(next_batch(codec.head_of(rows[-1]), holder.epoch))

    async def test_the_old_holder_cannot_give_away_the_new_ones_lease(self, place: JournalPlace) -> None:
        async with opened(place) as old, opened(place) as new, opened(place) as third:
            await old.acquire("old")
            await place.lose_lease()
            await new.acquire("new")
            await old.release()
            with pytest.raises(LeaseHeld, match="new"):
                await third.acquire("third")

    async def test_nothing_is_appended_without_the_lease(self, place: JournalPlace) -> None:
        async with opened(place) as journal:
            with pytest.raises(StaleEpoch):
                await journal.append(next_batch(codec.EMPTY, 1))
            assert await all_rows(journal) == []

    async def test_a_batch_with_another_epoch_is_refused(self, place: JournalPlace) -> None:
        async with opened(place) as journal:
            holder = await journal.acquire("one")
            with pytest.raises(StaleEpoch):
                await journal.append(next_batch(codec.EMPTY, holder.epoch + 1))
            assert await all_rows(journal) == []

    async def test_a_batch_that_does_not_follow_is_refused(self, place: JournalPlace) -> None:
        async with opened(place) as journal:
            epoch = (await journal.acquire("one")).epoch
            rows = await written(journal, epoch, 2)
            for head in (codec.EMPTY, codec.head_of(rows[0]), (2, 4, bytes(32)), (2, 3, rows[1].hash)):
                with pytest.raises(JournalFailed):
                    await journal.append(next_batch(head, epoch))
            assert await all_rows(journal) == rows

    async def test_batches_given_together_are_kept_together(self, place: JournalPlace) -> None:
        """One decision may need several rows; no reader and no restart ever sees half of it."""
        async with opened(place) as journal:
            epoch = (await journal.acquire("one")).epoch
            first = next_batch(codec.EMPTY, epoch)
            second = next_batch(codec.head_of(first), epoch, count=3)
            third = next_batch(codec.head_of(second), epoch)
            await journal.append(first, second)
            await journal.append(third)
            assert await all_rows(journal) == [first, second, third]
            assert await journal.head() == codec.head_of(third)

    async def test_of_batches_given_together_none_is_kept_when_one_is_refused(self, place: JournalPlace) -> None:
        async with opened(place) as journal:
            epoch = (await journal.acquire("one")).epoch
            rows = await written(journal, epoch, 1)
            good = next_batch(codec.head_of(rows[0]), epoch)
            with pytest.raises(JournalFailed):
                await journal.append(good, next_batch(codec.head_of(rows[0]), epoch))
            assert await all_rows(journal) == rows

    async def test_of_batches_given_together_none_is_kept_after_a_takeover(self, place: JournalPlace) -> None:
        """Invariant 35: the rows of one append pass the fence together or not at all."""
        async with opened(place) as old:
            before = await old.acquire("old")
            rows = await written(old, before.epoch, 1)
            await place.lose_lease()
            async with opened(place) as new:
                await new.acquire("new")
                first = next_batch(codec.head_of(rows[0]), before.epoch)
                with pytest.raises(StaleEpoch):
                    await old.append(first, next_batch(codec.head_of(first), before.epoch))
                assert await all_rows(new) == rows

    async def test_a_reader_reads_while_a_writer_writes_and_writes_nothing_itself(self, place: JournalPlace) -> None:
        async with opened(place) as writer, opened(place, read_only=True) as reader:
            epoch = (await writer.acquire("writer")).epoch
            first = await written(writer, epoch, 2)
            assert await all_rows(reader) == first
            more = await written(writer, epoch, 1)
            assert await all_rows(reader, 2) == more
            with pytest.raises(JournalFailed, match="for reading"):
                await reader.acquire("reader")
            with pytest.raises(JournalFailed, match="for reading"):
                await reader.save_snapshot(snapshot_of(more[0]))

    async def test_the_three_newest_snapshots_are_kept(self, place: JournalPlace) -> None:
        async with opened(place) as journal:
            rows = await written(journal, (await journal.acquire("one")).epoch, 5)
            for row in rows:
                await journal.save_snapshot(snapshot_of(row))
            assert await journal.load_snapshots() == [snapshot_of(row) for row in reversed(rows[2:])]

    async def test_a_snapshot_of_the_same_moment_takes_the_place_of_the_first(self, place: JournalPlace) -> None:
        async with opened(place) as journal:
            (row,) = await written(journal, (await journal.acquire("one")).epoch, 1)
            await journal.save_snapshot(snapshot_of(row, b"first" * 10))
            await journal.save_snapshot(snapshot_of(row, b"second"))
            assert await journal.load_snapshots() == [snapshot_of(row, b"second")]

    async def test_a_large_snapshot_reads_back(self, place: JournalPlace) -> None:
        async with opened(place) as journal:
            (row,) = await written(journal, (await journal.acquire("one")).epoch, 1)
            large = snapshot_of(row, bytes(range(256)) * 10_000)
            await journal.save_snapshot(large)
            assert await journal.load_snapshots() == [large]

    async def test_a_sound_journal_verifies(self, place: JournalPlace) -> None:
        """Invariant 33."""
        async with opened(place) as journal:
            rows = await written(journal, (await journal.acquire("one")).epoch, 3)
            await journal.save_snapshot(snapshot_of(rows[1]))
            report = await verify(journal)
            assert report.sound, report.sentence
            assert (report.batches, report.events, report.head) == (3, 6, rows[-1].hash.hex())

    async def test_a_witness_proves_that_the_newest_rows_are_gone(self, place: JournalPlace) -> None:
        """F60: what is left of a journal whose end was cut off is a whole chain; only who has seen more can tell."""
        async with opened(place) as journal:
            await written(journal, (await journal.acquire("one")).epoch, 2)
            report = await verify(journal, [Witness("the read model trade_orders", 9)])
            assert not report.sound
            assert report.first_bad_seq == 5
            assert "trade_orders has seen 9" in report.sentence

    async def test_closing_twice_is_harmless(self, place: JournalPlace) -> None:
        async with opened(place) as journal:
            await journal.close()
            await journal.close()
            with pytest.raises((JournalFailed, StaleEpoch)):
                await journal.append(next_batch(codec.EMPTY, 1))
