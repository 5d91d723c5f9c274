"""What the toy venue does wrong when it is told to: each fault strikes a number of times at its next opportunities."""

from __future__ import annotations

from enum import Enum


class Fault(Enum):
    """A misbehaviour; the sentence says at which opportunity it strikes."""

    LOSE_ACK = "lose_ack"
    """The next order is taken and works, and its `new` is never said."""
    LOSE_TRADE = "lose_trade"
    """The next trade is booked and never said, though the connection is sound."""
    SWAP = "swap"
    """The next message is said only after the one that follows it."""
    CUT_AFTER = "cut_after"
    """The next place, cancel or replace is carried out; then the connection is cut without an answer."""
    SWALLOW = "swallow"
    """The next place, cancel or replace is carried out and never answered; the connection stays."""
    GARBLE = "garble"
    """The next place, cancel or replace is carried out; its answer is not JSON."""
    MUMBLE = "mumble"
    """The next message that the venue says by itself is not JSON; the connection stays."""
    SCRAMBLE = "scramble"
    """The next books have a word in an order's status that stands in no list; without an order they wait for one."""
    LATE = "late"
    """The next place stays on its way for `late_ns`, and is acted on only then, if it may still live."""
    PIECES = "pieces"
    """The next line leaves in single bytes, each in a packet of its own as far as the system allows."""


class Faults:
    """Which faults wait for their opportunity, and how often."""

    def __init__(self) -> None:
        self._waiting: dict[Fault, int] = {}

    def arm(self, fault: Fault, times: int = 1) -> None:
        """Let it strike at its next `times` opportunities."""
        self._waiting[fault] = times

    def strikes(self, fault: Fault) -> bool:
        """Whether it strikes now; asking is the opportunity."""
        left = self._waiting.get(fault, 0)
        if left:
            self._waiting[fault] = left - 1
        return left > 0
