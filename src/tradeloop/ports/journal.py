"""The journal port: an append that is durable when it returns, and the way back.

The journal is the truth; everything else can be rebuilt from it. One row is one group commit, or a part of one too large for a
row: its rows become durable together. `hash` chains every row to the
one before, and covers every column, so that a change anywhere is found.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

import msgspec

from tradeloop.core.events import Event
from tradeloop.core.types import UtcNs


class Batch(msgspec.Struct, frozen=True, gc=False):
    """One group commit. `payload` is what the codec made of the events first_seq..last_seq (journal/codec.py)."""

    batch: int
    first_seq: int
    last_seq: int
    epoch: int
    appended_at: UtcNs
    prev_hash: bytes
    hash: bytes
    payload: bytes


class Holder(msgspec.Struct, frozen=True, gc=False):
    """Who has the right to write: a sentence a person can act on, the fencing token, and until when."""

    owner: str
    epoch: int
    expires_at: UtcNs | None


class StoredSnapshot(msgspec.Struct, frozen=True, gc=False):
    """A state at `seq`, with the hash of the batch that ends there, so that it cannot be laid on another history."""

    seq: int
    batch: int
    batch_hash: bytes
    state_hash: str
    format: int
    payload: bytes


class Journal(Protocol):
    """An append-only, hash-chained log with one writer."""

    async def open(self) -> None:
        """Connect and check the schema. Raises JournalDamaged when it was written by a newer program."""
        ...

    async def acquire(self, owner: str) -> Holder:
        """Take the lease under a new epoch, higher than any before. Raises LeaseHeld naming the holder."""
        ...

    async def renew(self) -> None:
        """Keep the lease. Raises StaleEpoch when it is lost, JournalFailed when the last row that was durable has gone."""
        ...

    async def release(self) -> None:
        """Give the lease back; harmless when it is not held."""
        ...

    async def head(self) -> tuple[int, int, bytes]:
        """(batch, last_seq, hash) of the last row; (0, 0, 32 zero bytes) of an empty journal."""
        ...

    async def append(self, *batches: Batch) -> None:
        """Make batches that follow each other durable, all of them or none, conditional on our epoch being the current one.
        Raises StaleEpoch or JournalFailed.
        """
        ...

    def read(self, after_batch: int = 0) -> AsyncIterator[Batch]:
        """Rows in order, after `after_batch`."""
        ...

    async def save_snapshot(self, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot; older ones may go."""
        ...

    async def load_snapshots(self) -> list[StoredSnapshot]:
        """Kept snapshots, newest first."""
        ...

    async def close(self) -> None:
        """Let go of every connection; a second call does nothing."""
        ...


class Codec(Protocol):
    """Events to bytes and back, and the hash that chains the rows; journal/codec.py is the one."""

    def encode(self, events: Sequence[Event]) -> bytes:
        """The payload of one batch."""
        ...

    def decode(self, payload: bytes, where: str = ...) -> list[Event]:
        """The events of one payload, old formats brought up to date. Raises JournalDamaged."""
        ...

    def seal(self, payload: bytes, *, count: int, after: tuple[int, int, bytes], epoch: int, appended_at: UtcNs) -> Batch:
        """The row that follows the head `after` and holds `count` events."""
        ...
