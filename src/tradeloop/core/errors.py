"""Every error the product raises on purpose, sorted by the fate of the order it concerns.

    TradeloopError
    ├─ BadInput        what was asked cannot be understood or is not allowed; nothing changed
    │  ├─ NotKnown     it names an order, a run or something else that there is not
    │  │  └─ UnknownName  of a halt: nobody here is called so
    │  ├─ NotConfirmed it goes to a live account without the confirmation that asks for
    │  └─ Conflicts    it contradicts what was asked before under the same name, or comes after the end of what it is about
    ├─ NotSent         surely not at the broker          -> may be retried with the same id
    ├─ FateUnknown     perhaps at the broker             -> ask, never resend
    ├─ Refused         the broker said no; its words kept -> an event, not a retry
    ├─ JournalFailed   durability can no longer be promised -> the process stops; starting again is recovery
    ├─ JournalDamaged  the record was altered or is newer than this program -> refuse to start, name the place
    ├─ LeaseHeld       another process writes this journal -> refuse to start, name the holder
    ├─ StaleEpoch      another process has taken over     -> the process stops
    └─ InvariantBroken what must never be untrue was about to be -> the process stops before it is recorded

Sorting by fate, not by transport, is what makes a retry safe: only `NotSent` may be tried again (docs/adr/0004-three-fates.md).
"""

from __future__ import annotations

from typing import Final


class TradeloopError(Exception):
    """Base of all errors below; never raised itself."""


class BadInput(TradeloopError):
    """Input says something impossible or forbidden: one sentence with what was expected, what was found, what to do."""


class NotKnown(BadInput):
    """What was asked names something that there is not."""


class UnknownName(NotKnown):
    """What a halt was asked for is not there: alone of all that is wrong, it is a reason to halt nothing."""


class Conflicts(BadInput):
    """What was asked contradicts how things stand: its name was used for something else, or what it is about has ended."""


class NotConfirmed(BadInput):
    """It trades live, and nobody confirmed exactly that: `rule` is the code (docs/reference/risk-rules.md)."""

    def __init__(self, rule: str, text: str) -> None:
        super().__init__(text)
        self.rule = rule


class NotSent(TradeloopError):
    """The order surely did not reach the broker."""


class FateUnknown(TradeloopError):
    """The order may or may not have reached the broker."""


class Refused(TradeloopError):
    """The broker refused; `code` and `text` are its own words. `of_repeat`: what it refused is a second order under an id that
    it knows, so the first one is there and stands as it stood.
    """

    def __init__(self, code: str, text: str, *, of_repeat: bool = False) -> None:
        super().__init__(f"{code}: {text}" if code else text)
        self.code = code
        self.text = text
        self.of_repeat = of_repeat


class JournalFailed(TradeloopError):
    """A commit did not return success; memory is now ahead of the disk."""


class JournalDamaged(TradeloopError):
    """The journal does not verify; the message names the first bad sequence number or the format that was met."""


class LeaseHeld(TradeloopError):
    """Another process holds the right to write; the message names it."""


class StaleEpoch(TradeloopError):
    """The journal refused an append because a newer epoch exists."""


class InvariantBroken(TradeloopError):
    """What must never be untrue was about to become so (engine/invariants.py). Nothing of it was recorded or sent."""

    def __init__(self, number: int, what: str) -> None:
        super().__init__(
            f"invariant {number} does not hold: {what}; nothing of this was recorded or sent, and the process stops. Keep the "
            "journal, look at the orders at the broker, and report this sentence before you start again"
        )
        self.number = number


BUGS: Final = (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, AssertionError)
"""What a mistake in a rule raises, or a figure that nobody thought of: it fails closed and does not end the process."""
