"""The disk and the database on it: what survives a process, with the faults disks and databases have.

A commit is on its way for a while, and belongs to the disk from then on: it becomes durable although its process has died,
or is lost, or leaves a torn record that the next open cuts off. Records are framed with their length and a checksum, so
that "torn" means bytes. The lease is kept here as a lock that dies with its process, or as a row with a time to live.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from random import Random
from typing import Final
from zlib import crc32

import msgspec

from tradeloop.core.errors import JournalDamaged, JournalFailed, LeaseHeld, StaleEpoch
from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.journal import codec
from tradeloop.ports.journal import Batch, Holder, StoredSnapshot
from tradeloop.testing.faults import Fault, Weather
from tradeloop.testing.world.loop import Killed, Timeline, VirtualLoop

LEASE_TTL_NS: Final = 3 * SECOND_NS
KEPT_SNAPSHOTS: Final = 3
FRAME: Final = struct.Struct(">II")
ROWS_AT_ONCE: Final = 32
STALL_NS: Final = 2 * SECOND_NS
MS: Final = 1_000_000

_PACK: Final = msgspec.msgpack.Encoder()
_UNPACK: Final = msgspec.msgpack.Decoder(Batch)


class Commit:
    """One commit on its way to the disk."""

    __slots__ = ("answer", "journal", "rows", "settled")

    def __init__(self, journal: DiskJournal, rows: Sequence[Batch], answer: Callable[[Exception | None], None]) -> None:
        self.journal, self.rows, self.answer = journal, rows, answer
        self.settled = False


class Disk:
    """Rows, snapshots and the lease. `watch` hears of the rows of each commit that has become durable, before anybody else."""

    lets_two_in = False
    shows_damage_late = False

    def __init__(self, timeline: Timeline, dice: Random, weather: Weather, *, is_lock: bool) -> None:
        self.timeline = timeline
        self.weather = weather
        self.is_lock = is_lock
        self.rows: list[Batch] = []
        self.tail = b""
        self.snapshots: list[StoredSnapshot] = []
        self.epoch = 0
        self.holder: tuple[DiskJournal, int, str] | None = None
        self.expires = 0
        self.seen_head: codec.Head = codec.EMPTY
        """What is remembered of the head outside of the journal, as the file beside a SQLite database does."""
        self.full_until = 0
        self.has_lost_a_commit = False
        self._last_commit = 0
        """How many rows the newest commit has, which a failover may lose."""
        self.failovers = 0
        self.lease_gone_until = 0
        self.watch: Callable[..., None] = lambda *rows: None
        self.moment: Callable[[Fault], None] = lambda fault: None
        """Called when a commit has begun (F42) or is durable (F43): the script may kill its process there."""
        self.broken: Callable[[int, str], None] = lambda invariant, text: None
        self.took_over: Callable[[str], None] = lambda process: None
        self.note: Callable[[str, str], None] = lambda mark, text: None
        self._journals: dict[str, DiskJournal] = {}
        self._dice = dice
        self._commits: list[Commit] = []
        self._sound: list[Batch] | None = None

    # --- commits

    def begin(self, commit: Commit) -> None:
        """Take a commit; it is settled later, whatever becomes of the process."""
        self._commits.append(commit)
        delay = self._dice.randint(1, 8) * MS
        if self.weather.strikes(Fault.FSYNC_STALLS):
            delay = STALL_NS
        self.timeline.after(delay, lambda: self._settle(commit))
        self.moment(Fault.KILLED_WRITING)

    def _settle(self, commit: Commit) -> None:
        if commit.settled:
            return
        commit.settled = True
        self._commits.remove(commit)
        error = self._refusal(commit)
        if error is None and self.weather.strikes(Fault.FSYNC_FAILS):
            error = JournalFailed("the commit did not return success: input/output error")
            if self._dice.random() < 0.5:
                self._keep(*commit.rows)
        elif error is None:
            self._keep(*commit.rows)
        if error is None:
            self.moment(Fault.KILLED_BEFORE_SEND)
        commit.answer(error)

    def _refusal(self, commit: Commit) -> Exception | None:
        after = self.head
        if commit.journal.failovers != self.failovers:
            return JournalFailed("the connection to the database was lost; nothing was written")
        for row in commit.rows:
            if row.epoch != self.epoch:
                text = f"batch {row.batch} carries epoch {row.epoch}, the current one is {self.epoch}; stop this process"
                return StaleEpoch(text)
        if self.weather.strikes(Fault.NO_SPACE):
            self.full_until = self.timeline.now + self._dice.randint(1, 8) * SECOND_NS
        if self.timeline.now < self.full_until:
            return JournalFailed("the commit failed: no space left on the device")
        for row in commit.rows:
            if (row.batch, row.first_seq, row.prev_hash) != (after[0] + 1, after[1] + 1, after[2]):
                return JournalFailed(f"batch {row.batch} does not follow batch {after[0]}; nothing was written")
            after = codec.head_of(row)
        return None

    def _keep(self, *rows: Batch) -> None:
        self.rows.extend(rows)
        self.seen_head = self.head
        self._last_commit = len(rows)
        self.watch(*rows)

    @property
    def head(self) -> codec.Head:
        """(batch, last_seq, hash) of the last durable row."""
        return codec.head_of(self.rows[-1]) if self.rows else codec.EMPTY

    # --- what a death leaves

    def journal(self, process: str, loop: VirtualLoop) -> DiskJournal:
        """The journal of one process."""
        self._journals[process] = journal = DiskJournal(self, loop)
        return journal

    def bereave(self, process: str) -> None:
        """The process is gone: its commits on their way are kept, lost or torn, and its lock is free."""
        journal = self._journals.pop(process)
        for commit in [*self._commits]:
            if commit.journal is not journal:
                continue
            commit.settled = True
            self._commits.remove(commit)
            if self._refusal(commit) is not None:
                continue
            fate = self._dice.choice(("kept", "lost", "torn"))
            if fate == "kept":
                self._keep(*commit.rows)
            elif fate == "torn" and len(commit.rows) == 1:
                self._tear(commit.rows[0])  # several rows are one record of the database: torn is lost
        if self.is_lock and self.holder is not None and self.holder[0] is journal:
            self.holder = None

    def _tear(self, row: Batch) -> None:
        """The power went while the record was being written: a part of it is there, maybe with a bit gone wrong."""
        record = framed(row)
        torn = bytearray(record[: self._dice.randint(1, len(record) - 1)])
        if self.weather.strikes(Fault.BIT_FLIP):
            torn = bytearray(record)
            torn[self._dice.randrange(len(torn))] ^= 1 << self._dice.randrange(8)
        self.weather.meet(Fault.TORN_TAIL)
        self.tail = bytes(torn)

    def repair_tail(self) -> None:
        """Read what lies behind the last whole record: a whole one counts, anything else is cut off."""
        if self.is_damaged_on_purpose:
            return
        torn, self.tail = self.tail, b""
        row = unframed(torn)
        if row is not None and row.prev_hash == self.head[2] and row.epoch == self.epoch:
            self._keep(row)

    # --- what happens to a database

    def fail_over(self) -> list[Batch]:
        """The replica that takes over has not heard of the last commit: it is gone, with all its rows."""
        lost = self.rows[len(self.rows) - self._last_commit :]
        if (
            self.is_lock
            or self.is_damaged_on_purpose
            or not lost
            or (self.snapshots and self.snapshots[0].batch >= lost[0].batch)
        ):
            return []
        del self.rows[-len(lost) :]
        self._last_commit = 0
        self.seen_head = self.head
        self.has_lost_a_commit = True
        self.failovers += 1
        return lost

    def flip_a_bit(self) -> bool:
        """A bit of a durable row goes wrong (F53), where the next start has to read it; or one of a snapshot, which only saves
        time: it is passed over, and the start goes on.
        """
        if self.snapshots and not self.is_damaged_on_purpose and self._dice.random() < 0.5:
            newest = self.snapshots[0]
            self.snapshots[0] = msgspec.structs.replace(newest, payload=self.flipped(newest.payload))
            return True
        first = self.snapshots[0].batch if self.snapshots else 0
        if self.is_damaged_on_purpose or first >= len(self.rows):
            return False
        index = self._dice.randrange(first, len(self.rows))
        row = self.rows[index]
        self._sound = [*self.rows]
        self.rows[index] = msgspec.structs.replace(row, payload=self.flipped(row.payload))
        return True

    def flipped(self, payload: bytes) -> bytes:
        """The same with one bit gone wrong."""
        flipped = bytearray(payload)
        flipped[self._dice.randrange(len(flipped))] ^= 1 << self._dice.randrange(8)
        return bytes(flipped)

    def put_back_an_old_one(self) -> bool:
        """Somebody restores yesterday's journal over today's (F60)."""
        if self.is_damaged_on_purpose or len(self.rows) < 2:
            return False
        self._sound = [*self.rows]
        del self.rows[self._dice.randrange(1, len(self.rows)) :]
        return True

    def lose_a_row(self, dice: Random) -> bool:
        """A row is missing that others follow (F94), where the next start has to read it."""
        first = self.snapshots[0].batch if self.snapshots else 0
        if self.is_damaged_on_purpose or first + 1 >= len(self.rows):
            return False
        self._sound = [*self.rows]
        del self.rows[dice.randrange(first, len(self.rows) - 1)]
        return True

    def lose_the_newest(self, dice: Random) -> bool:
        """The newest rows are gone, and with them what was remembered of the head (F96), as after a restore on a database
        server. A snapshot is left that knows more.
        """
        if self.is_damaged_on_purpose or len(self.rows) < 2 or not self.snapshots or self.snapshots[0].batch < len(self.rows):
            return False
        self._sound = [*self.rows]
        del self.rows[dice.randrange(1, len(self.rows)) :]
        self.seen_head = self.head
        return True

    @property
    def is_damaged_on_purpose(self) -> bool:
        """Whether no process may start on it."""
        return self._sound is not None

    def mend(self) -> None:
        """The right journal is put back."""
        if self._sound is not None:
            self.rows, self._sound = self._sound, None
            self.seen_head = self.head

    def forget_ahead(self) -> bool:
        """A person who knows of the failover removes the snapshot that knows more than the journal; whether there was one."""
        kept = [snapshot for snapshot in self.snapshots if snapshot.seq <= self.head[1]]
        found = self.has_lost_a_commit and len(kept) < len(self.snapshots)
        if found:
            self.snapshots = kept
        return found

    def bytes(self) -> bytes:
        """The whole journal as it lies on the disk."""
        return b"".join(framed(row) for row in self.rows)

    def close(self) -> None:
        """Nothing of it is kept elsewhere."""


class DiskJournal:
    """The Journal port of one process on the disk."""

    def __init__(self, disk: Disk, loop: VirtualLoop) -> None:
        self._disk = disk
        self._loop = loop
        self.epoch: int | None = None
        self.failovers = disk.failovers
        """How many there had been when its connection was made: one more, and the connection is gone."""

    def reader(self) -> DiskJournal:
        """The past is read through the same connection."""
        return self

    async def open(self) -> None:
        """Cut off a torn end, and check that the last row is whole and that no row has gone missing."""
        await self._hop()
        disk = self._disk
        disk.repair_tail()
        if disk.seen_head[1] > disk.head[1]:
            raise JournalDamaged(
                f"the journal ends at sequence number {disk.head[1]}, and {disk.seen_head[1]} was durable:"
                " its newest rows are gone"
            )
        if disk.rows:
            codec.follow(None, disk.rows[-1])

    async def acquire(self, owner: str) -> Holder:
        """Take the lease under the next epoch; LeaseHeld while another process has it."""
        await self._hop()
        disk = self._disk
        self._reach()
        if disk.holder is not None and (disk.is_lock or disk.timeline.now < disk.expires):
            raise LeaseHeld(f"the journal is being written by {disk.holder[2]} (epoch {disk.holder[1]}); stop it first")
        disk.epoch += 1
        disk.holder = (self, disk.epoch, owner)
        disk.expires = disk.timeline.now + LEASE_TTL_NS
        self.epoch = disk.epoch
        return Holder(owner, disk.epoch, None if disk.is_lock else UtcNs(disk.expires))

    async def renew(self) -> None:
        """Keep the lease; StaleEpoch when another process has taken it."""
        self._alive()
        disk = self._disk
        if disk.epoch != self.epoch or disk.holder is None or disk.holder[0] is not self:
            raise StaleEpoch(f"epoch {self.epoch} is not the current one, {disk.epoch}; this process has to stop")
        if disk.weather.strikes(Fault.LEASE_UNREACHABLE):
            disk.lease_gone_until = disk.timeline.now + STALL_NS
        self._reach()
        disk.expires = disk.timeline.now + LEASE_TTL_NS

    async def release(self) -> None:
        """Give the lease back when it is ours."""
        self._alive()
        disk = self._disk
        if disk.holder is not None and disk.holder[0] is self:
            disk.holder = None
        self.epoch = None

    async def head(self) -> codec.Head:
        """(batch, last_seq, hash) of the last row."""
        self._alive()
        return self._disk.head

    async def append(self, *batches: Batch) -> None:
        """Make rows durable, all of them or none."""
        self._alive()
        for batch in batches:
            if self.epoch is None or batch.epoch != self.epoch:
                raise StaleEpoch(f"batch {batch.batch} carries epoch {batch.epoch}; expected {self.epoch}, the one acquired")
        done = self._loop.create_future()

        def answer(error: Exception | None) -> None:
            if self._loop.dead or done.done():
                return
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

        self._disk.begin(Commit(self, batches, answer))
        self._alive()
        await done

    async def read(self, after_batch: int = 0) -> AsyncIterator[Batch]:
        """Rows in order, each checked against the one before."""
        rows = self._disk.rows
        after = codec.head_of(rows[after_batch - 1]) if after_batch else codec.EMPTY
        for index in range(after_batch, len(rows)):
            if index % ROWS_AT_ONCE == 0:
                await self._hop()
            after = codec.follow(after, rows[index])
            yield rows[index]

    async def save_snapshot(self, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot and the two before it; a bit of it may have gone wrong on the way (F53)."""
        await self._hop()
        if self._disk.weather.strikes(Fault.BIT_FLIP):
            snapshot = msgspec.structs.replace(snapshot, payload=self._disk.flipped(snapshot.payload))
        others = [kept for kept in self._disk.snapshots if kept.seq != snapshot.seq]
        self._disk.snapshots = sorted([snapshot, *others], key=lambda kept: -kept.seq)[:KEPT_SNAPSHOTS]

    async def load_snapshots(self) -> list[StoredSnapshot]:
        """Kept snapshots, newest first."""
        await self._hop()
        return [*self._disk.snapshots]

    async def close(self) -> None:
        """Leave everything as it is."""

    def _alive(self) -> None:
        """A dead process reads and writes nothing."""
        if self._loop.dead:
            raise Killed

    async def _hop(self) -> None:
        """Wait for the disk for no time at all: a moment in which a process can be killed."""
        self._alive()
        read = self._loop.create_future()
        self._loop.call_soon(_arrived, read)
        await read
        self._alive()

    def _reach(self) -> None:
        if self.failovers != self._disk.failovers:
            raise JournalFailed("the connection to the database was lost; start again")
        if self._disk.timeline.now < self._disk.lease_gone_until:
            raise JournalFailed("the lease could not be reached: the database does not answer")


def _arrived(read: asyncio.Future[None]) -> None:
    if not read.done():
        read.set_result(None)


def framed(row: Batch) -> bytes:
    """The record of a row: length, checksum, content."""
    content = _PACK.encode(row)
    return FRAME.pack(len(content), crc32(content)) + content


def unframed(record: bytes) -> Batch | None:
    """The row of a whole record, or None."""
    if len(record) < FRAME.size:
        return None
    length, checksum = FRAME.unpack_from(record)
    content = record[FRAME.size : FRAME.size + length]
    if len(content) < length or crc32(content) != checksum:
        return None
    return _UNPACK.decode(content)
