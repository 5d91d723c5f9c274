"""The words of the source documents are one table over ours, and nothing is missing in it."""

from __future__ import annotations

import pytest

from tradeloop.core.types import OrdStatus, OrdType
from tradeloop.views.status_words import S0_ORDER_TYPES, STATUS_WORDS, s0_word, s1_word

S0_WORDS = {"NEW", "SUBMITTED", "PARTIAL", "FILLED", "CANCELED", "REJECTED"}
S1_WORDS = {"NEW", "ACK", "PARTIAL_FILLED", "FILLED", "CANCEL_PENDING", "CANCELLED", "REJECTED"}


def test_every_status_has_a_word_in_both_documents() -> None:
    """D6."""
    assert set(STATUS_WORDS) == set(OrdStatus)


def test_the_words_are_those_of_the_documents_and_each_is_used() -> None:
    """S0-30, S1-22."""
    assert {s0_word(status) for status in OrdStatus} == S0_WORDS
    assert {s1_word(status) for status in OrdStatus} == S1_WORDS


@pytest.mark.parametrize("word", [s0_word, s1_word])
def test_an_order_of_unknown_fate_never_looks_unsent_or_refused(word: object) -> None:
    """S0-48: either word would invite a second send."""
    assert callable(word)
    assert word(OrdStatus.UNKNOWN) not in {"NEW", "REJECTED"}


def test_a_denied_order_is_rejected_to_the_source_documents() -> None:
    """S0-57: they know no difference between our refusal and the broker's; `ord_status` beside it does."""
    assert (s0_word(OrdStatus.DENIED), s1_word(OrdStatus.DENIED)) == ("REJECTED", "REJECTED")


def test_every_order_type_has_s0_s_word() -> None:
    """S0-27."""
    assert set(S0_ORDER_TYPES) == set(OrdType)
    assert S0_ORDER_TYPES[OrdType.MARKET] == "MKT"
