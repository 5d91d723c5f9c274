"""What the engine asks of the latch: halts that hold without a database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tradeloop.core.commands import HaltTrading

Mark = tuple[int, int]
"""What `Latch.mark` gives: to be compared by `Latch.is_newer` alone."""


class Latch(Protocol):
    """Halts beside the journal, which anybody may set who can write a file."""

    def read(self) -> tuple[HaltTrading, ...]:
        """What is latched now. Cheap: it is asked for every order. Never raises: what cannot be read stops everything."""
        ...

    def mark(self) -> Mark:
        """How often somebody else had written, of all and of less, as of what was last read or written here."""
        ...

    def is_newer(self, halt: HaltTrading, mark: Mark, /) -> bool:
        """Whether somebody else has written where `halt` stands since that mark, with the same words too, as of the same."""
        ...

    def write(self, halts: Sequence[HaltTrading]) -> None:
        """Hold exactly these from now on, durably. Raises OSError."""
        ...
