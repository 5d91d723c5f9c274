"""Old forms of the journal made new while they are read; what is stored never changes.

FORMAT counts the forms of an event's array. Adding a field with a default to the end of an event needs no step; every
other change raises FORMAT by one and adds a step here, from the form before to the new one, with a stored sample of
the old form in tests/journal. A step works on one event as plain msgpack values, `[tag, at, field, …]`, because the
classes of an old form are gone, and gives back one event: sequence numbers never move.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

Step = Callable[[list[Any]], list[Any]]
"""One event in form n to the same event in form n+1."""

FORMAT: Final = 1
"""The form this program writes, and the newest it reads."""

OLDEST: Final = 1
"""The oldest form this program reads: no journal with an older one was ever released."""

STEPS: Final[Mapping[int, Step]] = {}
"""Form n -> the step from n to n+1, for every n from OLDEST to FORMAT - 1."""


def upcast(events: list[list[Any]], written_as: int, *, to: int = FORMAT, steps: Mapping[int, Step] = STEPS) -> list[list[Any]]:
    """The events, written in form `written_as`, in form `to`: every step between is applied in order."""
    for form in range(written_as, to):
        step = steps[form]
        events = [step(event) for event in events]
    return events
