"""Market data as the engine sees it: quotes that come by themselves, and quotes that can be asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from tradeloop.core.reports import Quote
from tradeloop.core.types import Symbol, UtcNs


class Feed(Protocol):
    """A source of quotes for a set of symbols."""

    name: str

    @property
    def undelivered_at(self) -> UtcNs | None:
        """When the next quote is due, or was, where the machine is slower than the clock; None where there is none to come."""
        ...

    def also(self, symbols: Iterable[Symbol]) -> None:
        """Deliver the quotes of these too, from now on. Raises BadInput for a symbol that this source can never have."""
        ...

    def leave(self, symbols: Iterable[Symbol]) -> None:
        """Deliver no quotes of these any more, until they are asked for again."""
        ...

    async def run(self, symbols: Iterable[Symbol], on_quote: Callable[[Quote], None]) -> None:
        """Deliver quotes in order of time until the source ends or the task is cancelled."""
        ...
