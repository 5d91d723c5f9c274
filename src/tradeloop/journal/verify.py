"""Proof that a journal is what was written: every row, in one pass, with little memory.

The chain finds any change to a row and any row missing in the middle. It cannot see that the newest rows were cut off,
since what is left is a whole chain; that is proven by witnesses: whoever has seen more than the journal now holds.
Snapshots are witnesses of themselves, and a SQLite journal keeps one in a file beside it (journal/headfile.py); the cursors
of read models, and a head that somebody wrote down, are brought by the caller.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec

from tradeloop.core.errors import JournalDamaged
from tradeloop.journal import codec
from tradeloop.ports.journal import Journal

_REMEDY = "restore the journal from a backup; until then trade nothing on it"


class Witness(msgspec.Struct, frozen=True):
    """Something that has seen the journal up to `seq`, and, where `batch` and `hash` are given, that row."""

    what: str
    seq: int
    batch: int | None = None
    hash: bytes | None = None


class Report(msgspec.Struct, frozen=True):
    """What `verify` found. `first_bad_seq` is None when the journal is sound; `head` is the hash of the last good row, which,
    kept elsewhere, proves later that nothing was cut off."""

    sound: bool
    sentence: str
    batches: int
    events: int
    head: str
    first_bad_seq: int | None = None
    unwitnessed: str = ""
    """Why nobody can say that the end is whole: the witness that should stand beside the journal does not, or says nothing."""


class VerifiableJournal(Journal, Protocol):
    """A journal that can also say whether the store below it is whole."""

    async def storage_damage(self) -> str | None:
        """What the store itself finds wrong, or None."""
        ...

    async def lease_damage(self) -> str | None:
        """What is wrong with the right to write it, or None."""
        ...

    async def witnesses(self) -> tuple[list[Witness], str]:
        """Witnesses the journal keeps outside of its store, and a remark where one that should be there says nothing."""
        ...


async def verify(journal: VerifiableJournal, witnesses: Iterable[Witness] = ()) -> Report:
    """Read everything and say whether it is sound; the first bad sequence number stands in the sentence."""
    kept_outside, remark = await journal.witnesses()  # before the rows: a writer goes on while we read
    known = [*witnesses, *kept_outside]
    unreadable: str | None = None
    try:
        known += [
            Witness(f"the snapshot at sequence number {kept.seq}", kept.seq, kept.batch, kept.batch_hash)
            for kept in await journal.load_snapshots()
        ]
    except JournalDamaged as error:
        unreadable = f"the snapshots cannot be read: {error}"
    wanted = {witness.batch for witness in known}
    seen: dict[int, bytes] = {0: codec.EMPTY[2]}
    head = codec.EMPTY
    try:
        async for row in journal.read():
            events = codec.decode(row.payload, f"batch {row.batch}")
            if len(events) != row.last_seq - row.first_seq + 1:
                raise JournalDamaged(
                    f"the journal is damaged at sequence number {row.first_seq}: batch {row.batch} says it holds"
                    f" {row.last_seq - row.first_seq + 1} events, was {len(events)}; {_REMEDY}"
                )
            head = codec.head_of(row)
            if row.batch in wanted:
                seen[row.batch] = row.hash
    except codec.WrittenOtherwise as error:
        return _unsound(
            f"the journal is sound before sequence number {head[1] + 1}, and goes on there: {error}", head, head[1] + 1
        )
    except JournalDamaged as error:
        return _unsound(_naming(head[1] + 1, str(error)), head, head[1] + 1)
    for witness in sorted(known, key=lambda one: one.seq):
        if (contradiction := _contradiction(witness, head, seen)) is not None:
            return _unsound(contradiction[0], head, contradiction[1])
    if damage := unreadable or await journal.storage_damage():
        return _unsound(_naming(head[1] + 1, damage), head, head[1] + 1)
    if damage := await journal.lease_damage():
        return _unsound(
            f"every row up to sequence number {head[1]} is sound, and the lease is not: {damage}", head, head[1] + 1
        )
    if not head[0]:
        remark = ""  # nothing was written, so nothing can be missing
    sentence = f"the journal is sound: {head[0]} batches, {head[1]} events, head {head[2].hex()}"
    if remark:
        sentence += f"; {remark}"
    return Report(sound=True, sentence=sentence, batches=head[0], events=head[1], head=head[2].hex(), unwitnessed=remark)


def _contradiction(witness: Witness, head: codec.Head, seen: dict[int, bytes]) -> tuple[str, int] | None:
    """What a witness knows better than the journal, and from which sequence number on."""
    if witness.seq > head[1]:
        gone = head[1] + 1
        where = f"the journal is damaged at sequence number {gone}: it ends before it"
        return f"{where}, but {witness.what} has seen {witness.seq}, so the newest rows are gone; {_REMEDY}", gone
    if witness.batch is not None and witness.hash is not None and seen.get(witness.batch) != witness.hash:
        where = f"the journal contradicts {witness.what}: batch {witness.batch} has another hash now"
        return f"{where}, so one of them was changed, at or before sequence number {witness.seq}; {_REMEDY}", witness.seq
    return None


def _naming(seq: int, sentence: str) -> str:
    """The sentence with the place in it, where the error that was met could not know it."""
    named = f"sequence number {seq}"
    return sentence if named in sentence else f"the journal is damaged at or after {named}: {sentence}"


def _unsound(sentence: str, head: codec.Head, first_bad_seq: int) -> Report:
    return Report(
        sound=False,
        sentence=sentence,
        batches=head[0],
        events=head[1],
        head=head[2].hex(),
        first_bad_seq=first_bad_seq,
    )
