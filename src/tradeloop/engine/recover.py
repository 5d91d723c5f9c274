"""Snapshot and tail to State. Starting and recovering from a crash are this one path.

The newest snapshot whose place in the hash chain is proven is loaded, and every row after it is decoded, checked against
the chain and folded. A snapshot that does not fit is passed over: it only saves time. One that knows more than the journal
holds is proof that rows were lost, and refuses the start.

Snapshots are taken at the start, after a long tail, and at an orderly stop, never between turns: packing a large state would
hold the loop, and trading with it. A process that is killed after weeks folds those weeks at the next start, once
(docs/adr/0011-snapshots.md).
"""

from __future__ import annotations

from contextlib import aclosing
from hashlib import sha256
from typing import Final

import msgspec

from tradeloop.core.errors import JournalDamaged
from tradeloop.core.evolve import evolve
from tradeloop.core.state import SNAPSHOT_FORMAT, State
from tradeloop.engine.supervise import collector_paused
from tradeloop.ports.journal import Codec, Journal, StoredSnapshot

SNAPSHOT_AFTER_EVENTS: Final = 100_000
"""A tail longer than this is worth a new snapshot when recovery is done."""

Head = tuple[int, int, bytes]
_EMPTY: Final[Head] = (0, 0, bytes(32))


class Recovered(msgspec.Struct):
    """The state at `head`, and how it was reached."""

    state: State
    head: Head
    tail_events: int
    from_seq: int
    from_batch: int = 0


async def recover(journal: Journal, codec: Codec) -> Recovered:
    """Rebuild the state. Raises JournalDamaged naming the first sequence number that does not verify."""
    with collector_paused():
        return await _fold(journal, codec)


async def _fold(journal: Journal, codec: Codec) -> Recovered:
    state, head = await _newest_snapshot(journal)
    from_seq, from_batch = state.seq, head[0]
    async for row in journal.read(after_batch=head[0]):
        if row.batch != head[0] + 1 or row.prev_hash != head[2]:
            raise JournalDamaged(f"the row after sequence number {head[1]} does not follow it; run `tradeloop verify`")
        for event in codec.decode(row.payload, f"batch {row.batch}, from sequence number {row.first_seq} on"):
            evolve(state, event)
        if state.seq != row.last_seq:
            raise JournalDamaged(
                f"batch {row.batch} ends at sequence number {row.last_seq} but holds events up to {state.seq};"
                " run `tradeloop verify`, and restore the journal from a backup"
            )
        head = (row.batch, row.last_seq, row.hash)
    return Recovered(state, head, state.seq - from_seq, from_seq, from_batch)


async def walk(journal: Journal, until_batch: int) -> None:
    """Check every row up to `until_batch` against the one before it, without decoding or folding it: what a snapshot stands for
    is not read by `recover`. Raises JournalDamaged naming the first sequence number that does not verify.
    """
    if not until_batch:
        return
    async with aclosing(journal.read()) as rows:  # type: ignore[type-var]
        async for row in rows:  # the reader checks the chain
            if row.batch >= until_batch:
                return


async def take_snapshot(journal: Journal, state: State, head: Head) -> None:
    """Keep the state at `head`."""
    payload = state.pack()
    await journal.save_snapshot(
        StoredSnapshot(
            seq=head[1],
            batch=head[0],
            batch_hash=head[2],
            state_hash=sha256(payload).hexdigest(),
            format=SNAPSHOT_FORMAT,
            payload=payload,
        )
    )


async def false_snapshots(journal: Journal, codec: Codec) -> list[tuple[int, str]]:
    """(sequence number, sentence) of every snapshot that is not the fold of the journal up to its place.

    A start takes a whole snapshot at its word, since folding anew is what it saves; this is where the word is proven. One of
    another format is never loaded, so nothing is said of it. Raises JournalDamaged where a snapshot can not be read at all.
    """
    kept = [each for each in await journal.load_snapshots() if each.format == SNAPSHOT_FORMAT]
    last = max((each.batch for each in kept), default=0)
    places: dict[int, list[StoredSnapshot]] = {}
    for each in kept:
        places.setdefault(each.batch, []).append(each)
    found: list[tuple[int, str]] = []
    state = State()
    with collector_paused():
        async with aclosing(journal.read()) as rows:  # type: ignore[type-var]
            async for row in rows:
                if row.batch > last:
                    break
                for event in codec.decode(row.payload, f"batch {row.batch}, from sequence number {row.first_seq} on"):
                    evolve(state, event)
                for each in places.pop(row.batch, ()):
                    if (why := _falsehood(each, state)) is not None:
                        found.append((each.seq, why))
    found += [(each.seq, _not_the_journals(each, "there is no such place in it")) for left in places.values() for each in left]
    return sorted(found)


def _falsehood(kept: StoredSnapshot, state: State) -> str | None:
    if kept.seq != state.seq:
        return _not_the_journals(kept, f"batch {kept.batch} ends at sequence number {state.seq}")
    ours, content = state.hash(), sha256(kept.payload).hexdigest()
    if kept.state_hash != ours:
        return _not_the_journals(kept, f"its state hash was {kept.state_hash[:64]}, the journal gives {ours}")
    if content != ours:
        return _not_the_journals(kept, f"its content has the hash {content}, the journal gives {ours}")
    return None


def _not_the_journals(kept: StoredSnapshot, why: str) -> str:
    return (
        f"the snapshot at sequence number {kept.seq} is not what the journal gives: {why}; stop whatever trades here,"
        f" delete the row with seq {kept.seq} from the table snapshots, and verify again: the next start folds the journal"
    )


async def _newest_snapshot(journal: Journal) -> tuple[State, Head]:
    last_batch, last_seq, _ = await journal.head()
    for kept in await _kept(journal):
        if kept.seq > last_seq:
            raise JournalDamaged(
                f"the journal ends at sequence number {last_seq}, a snapshot knows {kept.seq}: its newest rows are gone;"
                " restore it from a backup, or open a new one and let reconciliation adopt the broker's books"
            )
        if kept.format != SNAPSHOT_FORMAT or sha256(kept.payload).hexdigest() != kept.state_hash:
            continue
        if not 1 <= kept.batch <= last_batch or not await _stands_in_the_chain(journal, kept):
            continue
        try:
            state = State.unpack(kept.payload)
        except msgspec.MsgspecError:
            continue
        if state.seq == kept.seq:
            return state, (kept.batch, kept.seq, kept.batch_hash)
    return State(), _EMPTY


async def _kept(journal: Journal) -> list[StoredSnapshot]:
    """The snapshots that can be read; damaged ones only cost the time they would have saved."""
    try:
        return await journal.load_snapshots()
    except JournalDamaged:
        return []


async def _stands_in_the_chain(journal: Journal, kept: StoredSnapshot) -> bool:
    async with aclosing(journal.read(after_batch=kept.batch - 1)) as rows:  # type: ignore[type-var]
        async for row in rows:
            return row.batch == kept.batch and row.last_seq == kept.seq and row.hash == kept.batch_hash
    return False
