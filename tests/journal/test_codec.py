"""Events to bytes and back; what is not a list of events this program knows is refused as a whole."""

from __future__ import annotations

import json
import math
import struct
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.journal.event_samples import EVENT_CLASSES, any_event, sample

from tradeloop import __version__
from tradeloop.core.errors import BadInput, JournalDamaged
from tradeloop.core.events import Event, Fact, ReserveRaised, SendBegun, SendFailed
from tradeloop.core.types import Amount, ClOrdID, UtcNs
from tradeloop.journal import codec
from tradeloop.journal.upcast import FORMAT, OLDEST, STEPS, upcast

GOLDEN: dict[str, list[str]] = json.loads((Path(__file__).parent / "golden_events.json").read_text(encoding="utf-8"))

ONE = SendBegun(UtcNs(1), ClOrdID("a0001b1"))


def payload_in_form(form: int, *events: list[Any]) -> bytes:
    return msgspec.msgpack.encode([form, list(events)])


def test_every_event_has_its_golden_bytes() -> None:
    assert sorted(GOLDEN) == sorted(cls.__name__ for cls in EVENT_CLASSES)


@pytest.mark.parametrize("cls", EVENT_CLASSES, ids=lambda cls: cls.__name__)
def test_an_event_has_the_bytes_it_always_had(cls: type[Fact]) -> None:
    """Invariant 34. The last golden encoding of a class is what this program writes."""
    assert codec.encode([sample(cls)]).hex() == GOLDEN[cls.__name__][-1]


@pytest.mark.parametrize(
    ("name", "stored"), [(name, stored) for name, forms in GOLDEN.items() for stored in forms], ids=lambda v: v[:24]
)
def test_bytes_that_were_ever_written_can_be_read(name: str, stored: str) -> None:
    (event,) = codec.decode(bytes.fromhex(stored))
    assert type(event).__name__ == name
    assert event.at == sample(UtcNs)


@given(st.lists(any_event, max_size=4))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_what_is_decoded_is_what_was_encoded(events: list[Event]) -> None:
    payload = codec.encode(events)
    assert codec.decode(payload) == events
    assert codec.encode(codec.decode(payload)) == payload


def test_the_same_events_give_the_same_bytes_from_a_list_and_from_a_tuple() -> None:
    assert codec.encode([ONE, ONE]) == codec.encode((ONE, ONE))


def test_a_newer_form_is_refused_naming_it_and_this_program() -> None:
    payload = payload_in_form(FORMAT + 1, ["SendBegun", 1, "a0001b1", "a new field"])
    with pytest.raises(
        JournalDamaged, match=f"batch 7 was written in form 2, and tradeloop {__version__} reads the forms 1 to 1"
    ):
        codec.decode(payload, "batch 7")
    with pytest.raises(JournalDamaged, match="form 2"):
        codec.check_format(payload, "batch 7")


def test_a_form_older_than_the_first_release_is_refused() -> None:
    with pytest.raises(JournalDamaged, match="form 0"):
        codec.decode(payload_in_form(0, ["SendBegun", 1, "a0001b1"]))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x92",
        b"not msgpack at all",
        msgspec.msgpack.encode([FORMAT]),
        msgspec.msgpack.encode({"format": FORMAT}),
        payload_in_form(FORMAT, ["NoSuchEvent", 1]),
        payload_in_form(FORMAT, ["SendBegun"]),
        payload_in_form(FORMAT, ["SendBegun", "yesterday", "a0001b1"]),
        codec.encode([ONE])[:-1],
        codec.encode([ONE]) + b"\x00",
    ],
)
def test_garbage_is_refused(payload: bytes) -> None:
    with pytest.raises(JournalDamaged, match="expected events in form 1 or older"):
        codec.decode(payload)


NO_NUMBERS = ("NaN", "nan", "-NaN", "sNaN", "NaN123", "Infinity", "-Infinity", "inf", "+INF", "-iNfInItY")


def with_a_figure(event: Event, was: str, becomes: str) -> bytes:
    """The payload of an event, with one of its figures written otherwise."""
    raw = msgspec.msgpack.decode(codec.encode([event]))
    assert was in raw[1][0]
    raw[1][0] = [becomes if field == was else field for field in raw[1][0]]
    return msgspec.msgpack.encode(raw)


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_a_figure_that_is_no_number_is_refused(text: str) -> None:
    raised = ReserveRaised(UtcNs(1), ClOrdID("a0001b1"), Amount(Decimal("7.25")))
    with pytest.raises(JournalDamaged, match=r"batch 7: expected events in form 1 or older.*Expected a number, got"):
        codec.decode(with_a_figure(raised, "7.25", text), "batch 7")


@pytest.mark.parametrize("figure", [math.nan, math.inf, -math.inf])
def test_a_float_that_is_no_number_is_refused(figure: float) -> None:
    raw = msgspec.msgpack.encode([FORMAT, [["ReserveRaised", 1, "a0001b1", figure]]])
    short = msgspec.msgpack.encode([FORMAT, [["ReserveRaised", 1, "a0001b1"]]]).replace(b"\x93", b"\x94", 1)
    for payload in (raw, short + b"\xca" + struct.pack(">f", figure)):
        with pytest.raises(JournalDamaged, match="Expected a number, got"):
            codec.decode(payload)


@pytest.mark.parametrize("cls", EVENT_CLASSES, ids=lambda cls: cls.__name__)
def test_no_figure_of_any_event_can_be_no_number_however_deep_it_lies(cls: type[Fact]) -> None:
    """A law: each figure in turn is written as Infinity, which is as long, and the payload is refused."""
    figure = str(sample(Decimal)).encode()
    parts = codec.encode([sample(cls)]).split(figure)
    for at in range(1, len(parts)):
        payload = figure.join(parts[:at]) + b"Infinity" + figure.join(parts[at:])
        with pytest.raises(JournalDamaged):
            codec.decode(payload)


def test_a_text_may_say_what_no_figure_may() -> None:
    told = SendFailed(UtcNs(1), ClOrdID("a0001b1"), "NaN banana: no more information")
    assert codec.decode(codec.encode([told])) == [told]


def test_a_figure_of_an_older_form_that_is_no_number_is_refused() -> None:
    payload = payload_in_form(0, ["ReserveRaised", 1, "a0001b1", "nan"])
    with pytest.raises(JournalDamaged, match="Expected a number, got"):
        codec.decode(payload, steps={0: lambda event: event})


@pytest.mark.parametrize("payload", [b"", b"garbage", b"\x92\x01"])
def test_garbage_has_no_form(payload: bytes) -> None:
    with pytest.raises(JournalDamaged, match="expected a list of events"):
        codec.check_format(payload, "batch 1")


def test_every_form_but_the_newest_has_a_step_and_no_other_has() -> None:
    assert sorted(STEPS) == list(range(OLDEST, FORMAT))


def test_an_older_form_is_read_through_every_step_between() -> None:
    """The forms of this test: 0 named the order by two words, 1 as today, 2 says why a send began, 3 put the reason first."""
    steps = {
        0: lambda event: [*event[:2], event[2] + event[3]],
        1: lambda event: ["SendFailed", *event[1:], "no reason known"],
        2: lambda event: [event[0], event[1], event[2].upper(), event[3]],
    }
    payload = payload_in_form(0, ["SendBegun", 5, "a0001", "b1"])
    assert codec.decode(payload, to=3, steps=steps) == [SendFailed(UtcNs(5), ClOrdID("A0001B1"), "no reason known")]
    assert codec.decode(payload, to=1, steps={0: steps[0]}) == [SendBegun(UtcNs(5), ClOrdID("a0001b1"))]


def test_a_step_changes_no_sequence_number() -> None:
    assert upcast([["A", 1], ["B", 2]], 1, to=2, steps={1: lambda event: [*event, 0]}) == [["A", 1, 0], ["B", 2, 0]]


def test_an_event_that_no_step_makes_readable_is_refused() -> None:
    with pytest.raises(JournalDamaged, match="something else"):
        codec.decode(payload_in_form(0, ["Gone", 1]), to=1, steps={0: lambda event: event})


def test_a_batch_follows_the_head_it_was_sealed_after() -> None:
    first = codec.seal(codec.encode([ONE, ONE]), count=2, after=codec.EMPTY, epoch=1, appended_at=UtcNs(9))
    second = codec.seal(codec.encode([ONE]), count=1, after=codec.head_of(first), epoch=1, appended_at=UtcNs(9))
    assert (first.batch, first.first_seq, first.last_seq) == (1, 1, 2)
    assert (second.batch, second.first_seq, second.last_seq, second.prev_hash) == (2, 3, 3, first.hash)
    assert codec.follow(codec.follow(codec.EMPTY, first), second) == (2, 3, second.hash)


def test_the_hash_is_what_the_format_says() -> None:
    """Anybody can check a journal without this program: docs give the rule, and it holds for these bytes."""
    row = codec.seal(b"\x92\x01\x90", count=1, after=codec.EMPTY, epoch=1, appended_at=UtcNs(9))
    assert row.hash.hex() == "92c788f971e935d3d51a84e42fe63f2eea88d7dd3165f379493726a59e4d74f6"


def test_an_empty_batch_is_refused() -> None:
    with pytest.raises(BadInput, match="at least one event"):
        codec.seal(codec.encode([]), count=0, after=codec.EMPTY, epoch=1, appended_at=UtcNs(9))
