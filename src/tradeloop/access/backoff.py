"""How many wrong guesses are looked at: ten in any hour, and from the fifth in a row on each costs twice the time of the last.

A right one ends the row, not the hour: whoever guesses beside an honest user gains nothing by it. Pure: the time is an
argument.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from tradeloop.access.records import Guesses
from tradeloop.core.types import SECOND_NS, UtcNs

FREE: Final = 4
"""Wrong ones in a row that cost no time."""
LOCK_NS: Final = 60 * SECOND_NS
HOUR_NS: Final = 3600 * SECOND_NS
IN_AN_HOUR: Final = 10


def locked_until(guesses: Guesses | None, now: UtcNs) -> UtcNs | None:
    """Until when nothing is looked at; None where something is."""
    if guesses is None or guesses.until <= now:
        return None
    if guesses.until > now + HOUR_NS:  # longer than any lock: the clock was set back since
        return None
    return guesses.until


def after_wrong(guesses: Guesses | None, subject: str, now: UtcNs) -> Guesses:
    """What is known of `subject` after one more wrong guess."""
    before = guesses if guesses is not None else Guesses(subject, (), 0, UtcNs(0))
    lately = tuple(sorted((*_lately(before, now), now)))[-IN_AN_HOUR:]
    in_a_row = before.in_a_row + 1
    over = in_a_row - FREE - 1
    until = now if over < 0 else now + min(LOCK_NS << min(over, 6), HOUR_NS)
    if len(lately) == IN_AN_HOUR:
        until = max(until, lately[0] + HOUR_NS)
    return Guesses(before.id, lately, in_a_row, UtcNs(until))


def after_right(guesses: Guesses, now: UtcNs) -> Guesses | None:
    """The same after a right one; None where nothing is left to know."""
    lately = tuple(_lately(guesses, now))
    return msgspec.structs.replace(guesses, wrong=lately, in_a_row=0, told=False) if lately else None


def _lately(guesses: Guesses, now: UtcNs) -> Iterator[UtcNs]:
    """Those of an hour ago, and of an hour ahead: two who ask at once may be looked at in the other order. What lies further
    ahead is from before the clock was set back.
    """
    return (at for at in guesses.wrong if now - HOUR_NS < at < now + HOUR_NS)


def is_over(guesses: Guesses, now: UtcNs) -> bool:
    """Whether nobody has guessed for a day: then it may be forgotten."""
    return not guesses.wrong or guesses.wrong[-1] < now - 24 * HOUR_NS
