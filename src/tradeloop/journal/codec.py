"""Events to bytes and back, and the hash that chains one group commit to the one before.

A payload is the msgpack array `[format, [event, …]]`; an event is `[tag, at, field, …]` (core/events.py). The same
events always give the same bytes. What cannot be read is refused as a whole, with a sentence: half a batch is never
handed on. Nor is a number that is none: Decimal reads NaN and Infinity, no event is written with one, and the first sum with
it would be one, too.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

import msgspec

from tradeloop import __version__
from tradeloop.core.errors import BadInput, JournalDamaged
from tradeloop.core.events import Event
from tradeloop.core.types import UtcNs
from tradeloop.journal.upcast import FORMAT, OLDEST, STEPS, Step, upcast
from tradeloop.ports.journal import Batch

Head = tuple[int, int, bytes]
"""(batch, last_seq, hash) of the row a batch follows; what `Journal.head` gives."""

EMPTY: Final[Head] = (0, 0, bytes(32))
"""The head of a journal without rows: every chain begins here."""

_FIXED: Final = struct.Struct(">5q")
_SAID_MAX: Final = 200
_CURRENT: Final = bytes((0x92, FORMAT))  # how a payload of our form begins: array of two, then the small integer FORMAT

_NO_NUMBERS: Final = (b"nan", b"inf")
"""In small letters, what the text of a Decimal that is no number contains."""
_FLOATS: Final = (b"\xca", b"\xcb")
"""How a float begins, of four bytes and of eight."""

_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(tuple[int, list[Event]])
_frame: Final = msgspec.msgpack.Decoder(tuple[int, msgspec.Raw])
_plain: Final = msgspec.msgpack.Decoder(list[list[Any]])
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes it cannot read: text that is no UTF-8 and lists a thousand deep are not errors of its own."""


def encode(events: Sequence[Event]) -> bytes:
    """The payload that holds `events`."""
    return _encoder.encode((FORMAT, events))


def decode(payload: bytes, where: str = "a journal row", *, to: int = FORMAT, steps: Mapping[int, Step] = STEPS) -> list[Event]:
    """The events of a payload, older forms made new. Raises JournalDamaged, naming `where`, the form and this program."""
    try:
        if to == FORMAT and payload.startswith(_CURRENT):
            events = _decoder.decode(payload)[1]
        else:
            written_as, raw = _frame.decode(payload)
            _readable(written_as, where, to, min(steps, default=OLDEST))
            events = msgspec.convert(upcast(_plain.decode(raw), written_as, to=to, steps=steps), list[Event])
        if _may_hold_no_number(payload):
            _refuse_what_is_no_number(events)
        return events
    except _UNREADABLE as error:
        raise JournalDamaged(
            f"{where}: expected events in form {to} or older, was something else ({_in_one_line(error)}); where a newer version"
            " of this program has written here, go on with that one; else restore the journal from a backup, and run"
            " `tradeloop verify` on it"
        ) from error


def _may_hold_no_number(payload: bytes) -> bool:
    """Whether the bytes could be of a number that is none. Few are, so that the events of few payloads are walked through."""
    small = payload.lower()
    if any(text in small for text in _NO_NUMBERS):
        return True
    for begins in _FLOATS:
        at = payload.find(begins)
        while at >= 0:
            if payload[at + 1 : at + 2] in (b"\x7f", b"\xff"):  # the highest exponent, as every float that is no number has
                return True
            at = payload.find(begins, at + 1)
    return False


def _refuse_what_is_no_number(value: object) -> None:
    """Raises ValidationError at the first Decimal in `value` that is none."""
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise msgspec.ValidationError(f"Expected a number, got {value}")
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            _refuse_what_is_no_number(getattr(value, name))
    elif isinstance(value, dict):
        for key, each in value.items():
            _refuse_what_is_no_number(key)
            _refuse_what_is_no_number(each)
    elif isinstance(value, list | tuple):
        for each in value:
            _refuse_what_is_no_number(each)


def check_format(payload: bytes, where: str) -> None:
    """Refuse a payload whose form this program does not know, without reading its events."""
    try:
        written_as = _frame.decode(payload)[0]
    except _UNREADABLE as error:
        raise JournalDamaged(
            f"{where}: expected a list of events, was something else ({_in_one_line(error)}); restore the journal from a backup"
        ) from error
    _readable(written_as, where, FORMAT, OLDEST)


class WrittenOtherwise(JournalDamaged):
    """A row in a form that this program does not read, which another version of it wrote: nothing about it is damaged."""


def _readable(written_as: int, where: str, newest: int, oldest: int) -> None:
    if not oldest <= written_as <= newest:
        raise WrittenOtherwise(
            f"{where} was written in form {written_as}, and tradeloop {__version__} reads the forms {oldest} to {newest};"
            " run the version of tradeloop that wrote it, or a newer one"
        )


def _in_one_line(error: Exception) -> str:
    """What the decoder said; it repeats what it read, which may be anything."""
    said = "".join(each if each.isprintable() else "?" for each in str(error)[: _SAID_MAX + 1])
    return said if len(said) <= _SAID_MAX else f"{said[:_SAID_MAX]}…"


def hash_of(batch: Batch) -> bytes:
    """What the row's `hash` has to be: SHA-256 over every other column, so that a change anywhere is found."""
    return _hash(
        batch.prev_hash,
        batch.batch,
        batch.first_seq,
        batch.last_seq,
        batch.epoch,
        batch.appended_at,
        batch.payload,
    )


def _hash(prev: bytes, batch: int, first: int, last: int, epoch: int, at: int, payload: bytes) -> bytes:
    digest = sha256(prev)
    digest.update(_FIXED.pack(batch, first, last, epoch, at))
    digest.update(payload)
    return digest.digest()


def seal(payload: bytes, *, count: int, after: Head, epoch: int, appended_at: UtcNs) -> Batch:
    """The row that follows `after` and holds `payload`, which is the encoding of `count` events."""
    if count < 1:
        raise BadInput(f"a batch holds at least one event, was {count}")
    number, seq, prev = after[0] + 1, after[1], after[2]
    return Batch(
        batch=number,
        first_seq=seq + 1,
        last_seq=seq + count,
        epoch=epoch,
        appended_at=appended_at,
        prev_hash=prev,
        hash=_hash(prev, number, seq + 1, seq + count, epoch, appended_at, payload),
        payload=payload,
    )


def head_of(batch: Batch) -> Head:
    """The head of a journal whose last row is `batch`."""
    return batch.batch, batch.last_seq, batch.hash


def follow(after: Head | None, row: Batch) -> Head:
    """The head after `row`, or JournalDamaged naming the sequence number where the chain breaks.

    `after` None takes the row's own word for what came before it: the anchor of a reader that starts in the middle.
    """
    if after is not None:
        if row.batch != after[0] + 1 or row.first_seq != after[1] + 1:
            raise _broken(
                after[1] + 1,
                f"expected batch {after[0] + 1} starting there, was batch {row.batch} starting at {row.first_seq},"
                " so rows are missing or changed",
            )
        if row.prev_hash != after[2]:
            raise _broken(row.first_seq, f"batch {row.batch} does not follow the row before it")
    if row.last_seq < row.first_seq or row.hash != hash_of(row):
        raise _broken(row.first_seq, f"batch {row.batch} was changed after it was written")
    return row.batch, row.last_seq, row.hash


def _broken(seq: int, how: str) -> JournalDamaged:
    return JournalDamaged(
        f"the journal is damaged at sequence number {seq}: {how};"
        " restore it from a backup, or open a new one and let reconciliation adopt the broker's books"
    )
