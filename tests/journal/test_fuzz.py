"""Bytes that nobody wrote: whatever a journal or a snapshot holds is read, or refused in one sentence, and soon.

Profile `nightly` (TRADELOOP_HYPOTHESIS=nightly) tries a hundred times as many.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from hashlib import sha256
from time import monotonic
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.journal.event_samples import EVENT_CLASSES, any_event, any_of, sample

from tradeloop.core.errors import JournalDamaged
from tradeloop.core.events import EngineStarted, Event, ReserveRaised, SendBegun
from tradeloop.core.state import SNAPSHOT_FORMAT, State
from tradeloop.core.types import Amount, ClOrdID, Side, UtcNs
from tradeloop.engine.recover import recover
from tradeloop.journal import codec
from tradeloop.journal.memory import MemoryJournal
from tradeloop.journal.verify import verify
from tradeloop.ports.journal import Batch, StoredSnapshot
from tradeloop.testing.builders import an_execution, an_instrument, buy, sell
from tradeloop.testing.desk import Desk
from tradeloop.testing.journal_contract import next_batch

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
SOON_S = 5.0
"""Far more than any of these bytes may cost on a busy machine, far less than a person would wait."""

WHOLE = codec.encode([sample(cls) for cls in EVENT_CLASSES])
"""One event of every class."""

HEADERS = st.sampled_from(
    [b"\xdc", b"\xdd", b"\xde", b"\xdf", b"\xd9", b"\xda", b"\xdb", b"\xc4", b"\xc5", b"\xc6", b"\xc7", b"\xc8", b"\xc9"]
)
"""Lists, maps, texts, bytes and extensions that say themselves how long they are."""

BOMBS = {
    "a list in a list, two million deep": b"\x91" * 2_000_000,
    "events a hundred thousand lists deep": b"\x92\x01" + b"\x91" * 100_000,
    "another form, a hundred thousand lists deep": b"\x92\x02" + b"\x91" * 100_000,
    "maps a hundred thousand deep": b"\x92\x01\x91" + b"\x81\xa1a" * 100_000,
    "a field a hundred thousand lists deep": b"\x92\x01\x91\x93\xa9SendBegun\x01" + b"\x91" * 100_000,
    "a list of four thousand million events": b"\x92\x01\xdd\xff\xff\xff\xff",
    "an event of four thousand million fields": b"\x92\x01\x91\xdd\xff\xff\xff\xff",
    "a map of four thousand million names": b"\x92\x01\x91\xdf\xff\xff\xff\xff",
    "a text of four thousand million bytes": b"\x92\x01\x91\x93\xa9SendBegun\x01\xdb\xff\xff\xff\xffa",
    "an extension of four thousand million bytes": b"\x92\x01\x91\xc9\xff\xff\xff\xff\x01a",
    "a frame of four thousand million parts": b"\xdd\xff\xff\xff\xff\x01\x90",
    "a form of twenty digits": b"\x92\xcf" + b"\xff" * 8 + b"\x90",
    "half of a surrogate pair": b"\x92\x01\x91\x93\xa9SendBegun\x01\xa3\xed\xa0\x80",
    "half of a surrogate pair in another form": b"\x92\x02\x91\x93\xa9SendBegun\x01\xa3\xed\xa0\x80",
    "text that is no UTF-8": b"\x92\x01\x91\x93\xa9SendBegun\x01\xa2\xc3\x28",
    "a tag that is no UTF-8": b"\x92\x01\x91\x93\xa2\xff\xfe\x01\xa1a",
    "a tag that is a page of text": b"\x92\x01\x91\x93\xda\x0f\xa0" + b"\n\x1b[2Jgone" * 500 + b"\x01\xa1a",
    "more after the end": b"\x92\x01\x90\x00",
    "a time as an extension": b"\x92\x01\x91\x93\xa9SendBegun\xc7\x0c\xff" + b"\xff" * 12 + b"\xa1a",
}


def refused_or_read(payload: bytes) -> list[Event] | None:
    """The events, or None for what was refused in one sentence that names the place."""
    begun, said = monotonic(), "batch 7"
    events: list[Event] | None = None
    try:
        events = codec.decode(payload, "batch 7")
    except JournalDamaged as refused:
        said = str(refused)
    assert said.startswith("batch 7")
    assert said.isprintable()
    assert len(said) < 1000
    assert monotonic() - begun < SOON_S
    return events


def changed(whole: bytes, edits: list[tuple[int, bytes]], kept: int) -> bytes:
    """`whole` with bytes written over it, cut off at `kept`."""
    bad = bytearray(whole)
    for place, new in edits:
        at = place % len(whole)
        bad[at : at + len(new)] = new
    return bytes(bad[:kept]) if kept < len(whole) else bytes(bad)


edits = st.lists(st.tuples(st.integers(0, 1 << 20), st.binary(min_size=1, max_size=4)), max_size=4)
cuts = st.integers(0, len(WHOLE) * 2)


@pytest.mark.parametrize("payload", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_at_once_in_one_sentence(payload: bytes) -> None:
    """F53: neither the depth nor a length that is only claimed costs memory, and no error of the decoder gets out."""
    assert refused_or_read(payload) is None


@pytest.mark.parametrize("payload", BOMBS.values(), ids=BOMBS)
def test_the_form_of_a_bomb_is_looked_at_without_harm(payload: bytes) -> None:
    begun = monotonic()
    sentence = ""
    try:
        codec.check_format(payload, "batch 7")
    except JournalDamaged as refused:
        sentence = str(refused)
    assert sentence == "" or sentence.startswith("batch 7")
    assert monotonic() - begun < SOON_S


@pytest.mark.parametrize("payload", BOMBS.values(), ids=BOMBS)
async def test_a_bomb_behind_a_right_hash_stops_verify_and_the_start_with_its_sequence_number(payload: bytes) -> None:
    """Whoever wrote it knew how to chain rows; the good rows before it are counted, and it is named."""
    journal = await a_journal(payload)
    report = await verify(journal)
    assert (report.sound, report.first_bad_seq, report.events) == (False, 5, 4)
    assert "sequence number 5" in report.sentence
    with pytest.raises(JournalDamaged, match="sequence number 5"):
        await recover(journal, codec)


@CALM
@given(st.binary(max_size=400))
@example(b"")
@example(b"\x92\x01")
def test_any_bytes_are_refused_or_are_events(payload: bytes) -> None:
    events = refused_or_read(payload)
    assert events is None or codec.decode(codec.encode(events)) == events


@CALM
@given(edits, cuts)
def test_a_changed_payload_is_refused_or_still_events(changes: list[tuple[int, bytes]], kept: int) -> None:
    """Bit flips, overwritten bytes and truncations of a payload that holds every event there is."""
    events = refused_or_read(changed(WHOLE, changes, kept))
    if not changes and kept < len(WHOLE):
        assert events is None  # a part of a batch is never handed on
    assert events is None or len(events) == len(EVENT_CLASSES)


@CALM
@given(st.integers(2, len(WHOLE) - 1), HEADERS, st.binary(min_size=1, max_size=8))
def test_a_length_that_lies_is_refused(place: int, header: bytes, length: bytes) -> None:
    lie = header + b"\x7f" + length
    events = refused_or_read(WHOLE[:place] + lie + WHOLE[place + len(lie) :])
    assert events is None or len(events) == len(EVENT_CLASSES)


# --- every event there is


@pytest.mark.parametrize("cls", EVENT_CLASSES, ids=lambda cls: cls.__name__)
def test_any_event_of_a_class_comes_back_as_it_was(cls: type[Any]) -> None:
    """decode(encode(x)) == x, and the bytes of what came back are the same bytes; for each class, not for most."""

    @settings(CALM, max_examples=max(10, settings().max_examples // 5))
    @given(st.lists(any_of(cls), min_size=1, max_size=2))
    def comes_back(events: list[Event]) -> None:
        payload = codec.encode(events)
        again = codec.decode(payload)
        assert again == events
        assert [type(event) for event in again] == [cls] * len(events)
        assert codec.encode(again) == payload

    comes_back()


@CALM
@given(any_event, any_event)
def test_two_events_have_the_same_bytes_only_if_they_are_the_same(one: Event, other: Event) -> None:
    """Two events that differ are never taken for each other after a restart."""
    assert one == other or codec.encode([one]) != codec.encode([other])


# --- a chain of rows


STARTS = codec.encode([EngineStarted(UtcNs(n), 1, "test", "t1") for n in (1, 2)])


async def a_journal(payload: bytes) -> MemoryJournal:
    """Two rows that can be folded, and a third that holds `payload` under a hash that is right."""
    journal = MemoryJournal()
    holder = await journal.acquire("one")
    rows = journal.store.rows
    for held in (STARTS, STARTS, payload):
        after = codec.head_of(rows[-1]) if rows else codec.EMPTY
        rows.append(codec.seal(held, count=2, after=after, epoch=holder.epoch, appended_at=UtcNs(1)))
    return journal


FIELDS = ("batch", "first_seq", "last_seq", "epoch", "appended_at", "prev_hash", "hash", "payload")


def put(row: Batch, field: str, number: int, raw: bytes) -> Batch:
    """The row with one column changed to something of its own type."""
    new: int | bytes = raw if field in {"prev_hash", "hash", "payload"} else number
    return msgspec.structs.replace(row, **{field: new})


@CALM
@given(st.integers(0, 4), st.sampled_from(FIELDS), st.integers(-(2**63), 2**63 - 1), st.binary(max_size=40), st.booleans())
async def test_a_row_with_any_other_value_is_found_by_its_sequence_number(
    place: int, field: str, number: int, raw: bytes, resealed: bool
) -> None:
    """Invariant 35. `resealed`: whoever changed it also knew how to make the hash of that row anew."""
    journal = MemoryJournal()
    rows = journal.store.rows
    for _ in range(5):
        rows.append(next_batch(codec.head_of(rows[-1]) if rows else codec.EMPTY, epoch=1))
    good = rows[place]
    bad = put(good, field, number, raw)
    if resealed and field != "hash":
        bad = msgspec.structs.replace(bad, hash=codec.hash_of(bad))
    rows[place] = bad
    report = await verify(journal)
    if bad == good:
        assert report.sound
    elif report.sound:
        # The last row alone may be made anew without a witness; what it says of its place still has to be right.
        assert (place, resealed) == (4, True)
        assert field in {"epoch", "appended_at"}
    else:
        assert report.first_bad_seq is not None
        found_at = good.first_seq if not resealed else min(good.last_seq + 1, report.first_bad_seq)
        assert report.first_bad_seq in {good.first_seq, found_at}
        assert f"sequence number {report.first_bad_seq}" in report.sentence


# --- snapshots


def a_state() -> State:
    """A state with something in most of its parts."""
    desk = Desk().opened(an_instrument(), an_instrument("000001.SZ"), positions={"000001.SZ": 500})
    one = desk.order(buy("600519.SH", 300, request_id="r1"))
    desk.ack(one)
    desk.give(an_execution(one.cl_ord_id, "600519.SH", Side.BUY, 100, "10"))
    desk.order(sell("000001.SZ", 200, reason="less"))
    desk.give(sell("000001.SZ", 10_000, request_id="r2"))
    return desk.state


PACKED = a_state().pack()


@CALM
@given(edits, st.integers(0, len(PACKED) * 2))
def test_a_changed_snapshot_is_refused_as_msgspec_refuses_or_is_a_state(changes: list[tuple[int, bytes]], kept: int) -> None:
    """A snapshot is only ever read behind its hash; one that passes and is no state is passed over, not fatal."""
    sentence = ""
    try:
        state = State.unpack(changed(PACKED, changes, kept))
    except msgspec.MsgspecError as refused:
        sentence = str(refused)
    else:
        assert state.seq >= 0 or changes
    assert bool(sentence) or kept >= len(PACKED) or bool(changes)


@pytest.mark.parametrize("payload", BOMBS.values(), ids=BOMBS)
async def test_a_snapshot_that_is_a_bomb_is_passed_over(payload: bytes) -> None:
    journal = await a_journal(STARTS)
    row = journal.store.rows[1]
    digest = sha256(payload).hexdigest()
    journal.store.snapshots = [StoredSnapshot(row.last_seq, row.batch, row.hash, digest, SNAPSHOT_FORMAT, payload)]
    recovered = await recover(journal, codec)
    assert (recovered.from_seq, recovered.state.seq) == (0, 6)


def test_a_state_comes_back_from_its_bytes_with_the_same_hash() -> None:
    again = State.unpack(PACKED)
    assert again.pack() == PACKED
    assert (again.hash(), again.id_prefix) == (a_state().hash(), a_state().id_prefix)


@pytest.mark.parametrize("make", [lambda: b"", lambda: PACKED[:-1], lambda: PACKED + b"\0", lambda: b"\xff" * 64])
def test_bytes_that_are_no_state_are_refused(make: Callable[[], bytes]) -> None:
    with pytest.raises(msgspec.DecodeError):
        State.unpack(make())


# --- the edges of what an event may hold


@CALM
@given(st.decimals(allow_nan=False, allow_infinity=False))
@example(Decimal("1E+999999"))
@example(Decimal("-1E-999999"))
@example(Decimal("-0"))
@example(Decimal("0E-12"))
@example(Decimal("9" * 400))
def test_an_amount_comes_back_with_every_digit_and_its_exponent(amount: Decimal) -> None:
    """ADR 5: whatever got into a fact is what is read, also where no rule would let it in today."""
    payload = codec.encode([ReserveRaised(UtcNs(1), ClOrdID("a"), Amount(amount))])
    (event,) = codec.decode(payload)
    assert isinstance(event, ReserveRaised)
    assert event.reserve.as_tuple() == amount.as_tuple()
    assert codec.encode([event]) == payload


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb"])
def test_half_of_a_character_is_never_written(text: str) -> None:
    """It has no UTF-8; the words of commands and reports are checked before a decision (core/checked.py)."""
    with pytest.raises(UnicodeEncodeError):
        codec.encode([SendBegun(UtcNs(1), ClOrdID(text))])


@CALM
@given(any_event)
def test_a_fact_changed_in_one_place_is_another_payload(event: Event) -> None:
    """The chain covers the payload, and the payload covers every field: none is left out of the bytes."""
    later = msgspec.structs.replace(event, at=UtcNs(event.at ^ 1))
    assert codec.encode([later]) != codec.encode([event])
