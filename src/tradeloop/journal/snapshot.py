"""Which snapshot to start from: the newest that this program can read and that belongs to this very history.

A snapshot saves time and proves nothing; one that does not fit is passed over with its reason, and without any the journal is
replayed from its beginning.
"""

from __future__ import annotations

from contextlib import aclosing

import msgspec

from tradeloop.core.errors import JournalDamaged
from tradeloop.ports.journal import Batch, Journal, StoredSnapshot


class Choice(msgspec.Struct, frozen=True):
    """The snapshot to start from, None for the beginning, and one sentence for each that was passed over."""

    snapshot: StoredSnapshot | None
    passed_over: tuple[str, ...]


async def choose(journal: Journal, format: int) -> Choice:  # noqa: A002 - the word the stored snapshot uses
    """The newest snapshot written in `format` whose batch stands in the journal with the same hash and the same last event."""
    passed_over: list[str] = []
    try:
        kept = await journal.load_snapshots()
    except JournalDamaged as error:
        return Choice(None, (f"the snapshots cannot be read, so the journal is replayed from its beginning: {error}",))
    for snapshot in kept:
        why = await _why_not(journal, snapshot, format)
        if why is None:
            return Choice(snapshot, tuple(passed_over))
        passed_over.append(f"the snapshot at sequence number {snapshot.seq} is passed over: {why}")
    return Choice(None, tuple(passed_over))


async def _why_not(journal: Journal, snapshot: StoredSnapshot, format: int) -> str | None:  # noqa: A002 - see above
    if snapshot.format != format:
        return f"it has form {snapshot.format}, this program reads form {format}"
    try:
        row = await _row(journal, snapshot.batch)
    except JournalDamaged as error:
        return f"batch {snapshot.batch} cannot be read ({error})"
    if row is None:
        return f"the journal has no batch {snapshot.batch}"
    if row.hash != snapshot.batch_hash or row.last_seq != snapshot.seq:
        return f"batch {snapshot.batch} of the journal is another one"
    return None


async def _row(journal: Journal, batch: int) -> Batch | None:
    if batch < 1 or batch > (await journal.head())[0]:
        return None
    async with aclosing(journal.read(batch - 1)) as rows:  # type: ignore[type-var]
        async for row in rows:
            return row
    return None
