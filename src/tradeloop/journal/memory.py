"""A journal without a disk: the same chain, the same lease and the same refusals, for tests, dry runs and simulations.

A `MemoryStore` stands for the disk: it outlives the `MemoryJournal`s that open it, as a file outlives processes, so
that a restart or a takeover can be played in one process. With a clock the lease runs out after its time to live, as
on a server; without one it lasts until it is released, as a lock of the operating system does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from tradeloop.core.errors import JournalFailed, LeaseHeld, StaleEpoch
from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.journal import codec
from tradeloop.journal.verify import Witness
from tradeloop.ports.clock import Clock
from tradeloop.ports.journal import Batch, Holder, StoredSnapshot

LEASE_TTL_NS = 3 * SECOND_NS
KEPT_SNAPSHOTS = 3


class MemoryStore:
    """What is kept: rows, snapshots, and the one lease. Everything in it counts as durable."""

    def __init__(self) -> None:
        self.rows: list[Batch] = []
        self.snapshots: list[StoredSnapshot] = []
        self.epoch = 0
        self.holder: Holder | None = None


class MemoryJournal:
    """The Journal port on a MemoryStore."""

    def __init__(self, store: MemoryStore | None = None, *, clock: Clock | None = None, read_only: bool = False):
        self.store = MemoryStore() if store is None else store
        self._clock = clock
        self._read_only = read_only
        self._epoch: int | None = None
        self._last: codec.Head = codec.EMPTY

    async def open(self) -> None:
        """Check that the last row can be read."""
        if self.store.rows:
            last = self.store.rows[-1]
            codec.follow(None, last)
            codec.check_format(last.payload, f"batch {last.batch}")

    async def acquire(self, owner: str) -> Holder:
        """Take the lease under the next epoch; LeaseHeld while another journal has it."""
        self._writable()
        held = self.store.holder
        if held is not None and not self._expired(held):
            raise LeaseHeld(f"the journal in memory is being written by {held.owner} (epoch {held.epoch}); release it first")
        self.store.epoch += 1
        self.store.holder = Holder(owner, self.store.epoch, self._until())
        self._epoch = self.store.epoch
        self._last = await self.head()
        return self.store.holder

    async def renew(self) -> None:
        """Keep the lease; StaleEpoch when another epoch has begun, JournalFailed when the last row has gone."""
        held, (batch, _, row_hash) = self._held(), self._last
        if batch and [row.hash for row in self.store.rows[batch - 1 : batch]] != [row_hash]:
            self._epoch = None
            raise JournalFailed(f"batch {batch} was durable and has gone; this process has to stop")
        self.store.holder = Holder(held.owner, held.epoch, self._until())

    async def release(self) -> None:
        """Give the lease back when it is ours."""
        held = self.store.holder
        if held is not None and held.epoch == self._epoch:
            self.store.holder = None
        self._epoch = None

    async def head(self) -> codec.Head:
        """(batch, last_seq, hash) of the last row."""
        return codec.head_of(self.store.rows[-1]) if self.store.rows else codec.EMPTY

    async def append(self, *batches: Batch) -> None:
        """Keep rows, all of them or none: when the epoch is ours and each follows the one before."""
        self._writable()
        held = self._held()
        after = await self.head()
        for batch in batches:
            if batch.epoch != held.epoch:
                raise StaleEpoch(f"batch {batch.batch} carries epoch {batch.epoch}; expected {held.epoch}, the current one")
            if (batch.batch, batch.first_seq, batch.prev_hash) != (after[0] + 1, after[1] + 1, after[2]):
                raise JournalFailed(f"batch {batch.batch} does not follow batch {after[0]}; nothing was written")
            after = codec.head_of(batch)
        self.store.rows.extend(batches)
        self._last = after

    async def read(self, after_batch: int = 0) -> AsyncIterator[Batch]:
        """Rows in order, each checked against the one before; JournalDamaged at the first that does not fit."""
        rows = self.store.rows
        after = codec.EMPTY if after_batch == 0 else codec.head_of(rows[after_batch - 1]) if rows else codec.EMPTY
        for index in range(after_batch, len(rows)):
            after = codec.follow(after, rows[index])
            yield rows[index]

    async def save_snapshot(self, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot and the two before it."""
        self._writable()
        others = [kept for kept in self.store.snapshots if kept.seq != snapshot.seq]
        self.store.snapshots = sorted([snapshot, *others], key=lambda kept: -kept.seq)[:KEPT_SNAPSHOTS]

    async def load_snapshots(self) -> list[StoredSnapshot]:
        """Kept snapshots, newest first."""
        return list(self.store.snapshots)

    async def storage_damage(self) -> str | None:
        """What the store itself finds wrong: memory has nothing to find."""
        return None

    async def lease_damage(self) -> str | None:
        """Nothing can change it but this."""
        return None

    async def witnesses(self) -> tuple[list[Witness], str]:
        """Memory has nothing outside of it."""
        return [], ""

    async def close(self) -> None:
        """Leave the store as it is; the lease, too, as a process that ends without releasing it would."""

    def _held(self) -> Holder:
        held = self.store.holder
        if self._epoch is None or held is None or held.epoch != self._epoch:
            raise StaleEpoch(f"epoch {self._epoch} is not the current one, {self.store.epoch}; this process has to stop")
        return held

    def _writable(self) -> None:
        if self._read_only:
            raise JournalFailed("the journal was opened for reading; nothing was written")

    def _expired(self, held: Holder) -> bool:
        return self._clock is not None and held.expires_at is not None and held.expires_at <= self._clock.now()

    def _until(self) -> UtcNs | None:
        return None if self._clock is None else UtcNs(self._clock.now() + LEASE_TTL_NS)
