"""Station 7: lines of the broker's books that were shown before, compared all at once.

A look shows again what the last one showed, and to ask of each line by itself whether it says anything new would take longer
than the loop that decides may stand still. As long as no record of ours has changed, and the look begins with the very lines of
the last one, those among them that said nothing then say nothing now.
"""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

Line = TypeVar("Line")


class Records(Protocol):
    """What the lines are compared with."""

    changes: int
    """How often a record that was there already has become another, or none."""


class ShownLines(Generic[Line]):
    """The lines of one look, and the places of those that had to be gone through."""

    __slots__ = ("_changes", "_records", "lines", "told")

    def __init__(self, lines: tuple[Line, ...], told: list[int], records: Records) -> None:
        self.lines = lines
        self.told = told
        self._records = records
        self._changes = records.changes

    def begin(self, lines: tuple[Line, ...], records: Records) -> bool:
        """Whether another look begins with these lines, and what they were compared with has not changed since."""
        if self._records is not records or self._changes != records.changes:
            return False
        before = self.lines
        return (lines if len(lines) == len(before) else lines[: len(before)]) == before

    def left(self, lines: tuple[Line, ...]) -> list[int]:
        """The places of what such a look shows that may say something new."""
        return [*self.told, *range(len(self.lines), len(lines))]
