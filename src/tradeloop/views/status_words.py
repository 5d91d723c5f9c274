"""The words of the source documents, as views of FIX's: the one table that says which of ours is which of theirs.

The product computes FIX statuses (DESIGN 4); S0-30 knows six words and S1-22 seven. Both are too small (D6), so several of ours
share one of theirs, and the honest one stands beside it wherever theirs is shown. No status is without a word in either.
"""

from __future__ import annotations

from typing import Final

from tradeloop.core.types import OrdStatus, OrdType

STATUS_WORDS: Final[dict[OrdStatus, tuple[str, str]]] = {
    # ours                        S0-30         S1-22
    OrdStatus.STAGED: ("NEW", "NEW"),
    OrdStatus.DENIED: ("REJECTED", "REJECTED"),
    OrdStatus.PENDING_NEW: ("SUBMITTED", "NEW"),
    OrdStatus.NEW: ("SUBMITTED", "ACK"),
    OrdStatus.PARTIALLY_FILLED: ("PARTIAL", "PARTIAL_FILLED"),
    OrdStatus.FILLED: ("FILLED", "FILLED"),
    OrdStatus.PENDING_CANCEL: ("SUBMITTED", "CANCEL_PENDING"),
    OrdStatus.PENDING_REPLACE: ("SUBMITTED", "ACK"),
    OrdStatus.CANCELED: ("CANCELED", "CANCELLED"),
    OrdStatus.REJECTED: ("REJECTED", "REJECTED"),
    OrdStatus.EXPIRED: ("CANCELED", "CANCELLED"),
    OrdStatus.UNKNOWN: ("SUBMITTED", "ACK"),
}
"""UNKNOWN is SUBMITTED and ACK, the words for "at the broker": NEW or REJECTED would invite a reader to send it again
(S0-48)."""

S0_ORDER_TYPES: Final[dict[OrdType, str]] = {
    OrdType.MARKET: "MKT",
    OrdType.LIMIT: "LMT",
    OrdType.STOP: "STP",
    OrdType.STOP_LIMIT: "STP LMT",
}
"""S0-27 has MKT alone; the others are the words of the same broker's API."""


def s0_word(status: OrdStatus) -> str:
    """S0-30: NEW, SUBMITTED, PARTIAL, FILLED, CANCELED or REJECTED."""
    return STATUS_WORDS[status][0]


def s1_word(status: OrdStatus) -> str:
    """S1-22: NEW, ACK, PARTIAL_FILLED, FILLED, CANCEL_PENDING, CANCELLED or REJECTED."""
    return STATUS_WORDS[status][1]
