"""What the engine asks of the latch: halts that hold without a database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tradeloop.core.commands import HaltTrading


class Latch(Protocol):
    """Halts beside the journal, which anybody may set who can write a file."""

    def read(self) -> tuple[HaltTrading, ...]:
        """What is latched now. Cheap: it is asked for every order. Never raises: what cannot be read stops everything."""
        ...

    def mark(self, halt: HaltTrading, /) -> object:
        """Another one each time that somebody has written where `halt` stands, with the same words too. Never raises."""
        ...

    def write(self, halts: Sequence[HaltTrading]) -> None:
        """Hold exactly these from now on, durably. Raises OSError."""
        ...
