"""Trouble at the wire is sorted by what it proves, the same way for every adapter."""

from __future__ import annotations

import pytest

from tradeloop.core.errors import FateUnknown, NotSent, Refused
from tradeloop.ports.trouble import Reply, Trouble, raised, sort

CODES = {
    "-2010": Trouble.DEFINITIVE_REJECT,
    "-1021": Trouble.NOT_SENT,
    "-1006": Trouble.AMBIGUOUS,
    "duplicate clOrdId": Trouble.DUP_ID,
    "-3": Trouble.THROTTLED,
}

BEFORE_THE_FIRST_BYTE = [
    ("risk, validation or a missing ability refuses here", {"allowed": False}, Trouble.LOCAL_DENY),
    ("the connection is refused, the name is not found, the time to send has passed", {}, Trouble.NOT_SENT),
    ("the fence refuses a superseded process", {"fenced": True}, Trouble.STALE_EPOCH),
    ("a superseded process is fenced before anything else is asked", {"fenced": True, "allowed": False}, Trouble.STALE_EPOCH),
]

AFTER_IT = [
    ("a time-out, a reset, a reply that cannot be read", None, Trouble.AMBIGUOUS),
    ("an acknowledgement with the venue's id", Reply(accepted=True), Trouble.DEFINITIVE_ACCEPT),
    ("a business code that means no, with HTTP 400", Reply("-2010", 400), Trouble.DEFINITIVE_REJECT),
    ("the same without HTTP", Reply("-2010"), Trouble.DEFINITIVE_REJECT),
    ("HTTP 401 and 403 with that code", Reply("-2010", 403), Trouble.DEFINITIVE_REJECT),
    ("HTTP 400 without a code proves nothing: a lost pop-up looks like that", Reply("", 400), Trouble.AMBIGUOUS),
    ("a code that nobody knows", Reply("-9999", 400), Trouble.AMBIGUOUS),
    ("HTTP 500", Reply("", 500), Trouble.AMBIGUOUS),
    ("HTTP 504 in spite of a code that means no", Reply("-2010", 504), Trouble.AMBIGUOUS),
    ("the venue's own word for not knowing", Reply("-1006", 400), Trouble.AMBIGUOUS),
    ("half of a cancel and replace, HTTP 409", Reply("-2010", 409), Trouble.AMBIGUOUS),
    ("HTTP 429", Reply("", 429), Trouble.THROTTLED),
    ("HTTP 418", Reply("-1003", 418), Trouble.THROTTLED),
    ("a flow-control code", Reply("-3"), Trouble.THROTTLED),
    ("the id is known there", Reply("duplicate clOrdId", 422), Trouble.DUP_ID),
    ("the venue threw away a request that came too late", Reply("-1021", 400), Trouble.NOT_SENT),
]


@pytest.mark.parametrize(("what", "known", "expected"), BEFORE_THE_FIRST_BYTE, ids=lambda v: v if isinstance(v, str) else "")
def test_before_the_first_byte_the_order_is_surely_here(what: str, known: dict[str, bool], expected: Trouble) -> None:
    allowed, fenced = known.get("allowed", True), known.get("fenced", False)
    assert sort(written=False, allowed=allowed, fenced=fenced) is expected
    assert isinstance(raised(expected, what), NotSent | Refused)


@pytest.mark.parametrize(("what", "reply", "expected"), AFTER_IT, ids=lambda v: v if isinstance(v, str) else "")
def test_after_the_first_byte_only_a_known_code_is_proof(what: str, reply: Reply | None, expected: Trouble) -> None:
    assert sort(written=True, reply=reply, codes=CODES) is expected


FATES = [
    (Trouble.LOCAL_DENY, Refused),
    (Trouble.NOT_SENT, NotSent),
    (Trouble.DEFINITIVE_REJECT, Refused),
    (Trouble.AMBIGUOUS, FateUnknown),
    (Trouble.THROTTLED, FateUnknown),
    (Trouble.DUP_ID, FateUnknown),
    (Trouble.STALE_EPOCH, NotSent),
]


@pytest.mark.parametrize(("trouble", "fate"), FATES)
def test_each_class_is_one_of_the_three_fates(trouble: Trouble, fate: type[Exception]) -> None:
    assert type(raised(trouble, "words")) is fate


def test_what_the_venue_has_raises_nothing() -> None:
    assert raised(Trouble.DEFINITIVE_ACCEPT, "words") is None
    assert {trouble for trouble, _ in FATES} | {Trouble.DEFINITIVE_ACCEPT} == set(Trouble)


def test_a_throttled_order_was_not_sent_only_where_the_venue_says_so() -> None:
    assert isinstance(raised(Trouble.THROTTLED, "slow down", Reply("-3", unprocessed=True)), NotSent)
    assert isinstance(raised(Trouble.THROTTLED, "slow down", Reply("-3")), FateUnknown)


def test_a_refusal_keeps_the_venues_code_and_words() -> None:
    refused = raised(Trouble.DEFINITIVE_REJECT, "Account has insufficient balance", Reply("-2010", 400))
    assert isinstance(refused, Refused)
    assert (refused.code, refused.text) == ("-2010", "Account has insufficient balance")


def test_an_unknown_fate_names_the_raw_code() -> None:
    assert str(raised(Trouble.AMBIGUOUS, "what is this", Reply("-9999"))) == "-9999: what is this"
