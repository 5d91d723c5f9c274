"""What the host needs of a desk, and nothing more: it asks what everybody asks, and stands behind the same risk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from tradeloop.core.commands import Command, StartRun
from tradeloop.core.replies import Reply
from tradeloop.core.reports import Quote
from tradeloop.core.state import State
from tradeloop.core.types import AccountID, Mode, Symbol, UtcNs
from tradeloop.engine.writer import Published
from tradeloop.targets.target import Target
from tradeloop.views.queries import Queries


class Floor(Protocol):
    """A working desk."""

    @property
    def state(self) -> State: ...
    @property
    def account(self) -> AccountID: ...
    @property
    def is_live(self) -> bool:
        """Whether real money is traded here."""
        ...

    @property
    def queries(self) -> Queries: ...

    def now(self) -> UtcNs:
        """The desk's present."""
        ...

    def listen(self, listener: Callable[[Published], None]) -> None:
        """Have `listener` called with every durable batch from now on."""
        ...

    def watch(self, watcher: Callable[[Quote], None]) -> None:
        """Have `watcher` called with every quote from now on."""
        ...

    def quote(self, symbol: Symbol) -> Quote | None:
        """The newest quote, however old."""
        ...

    def ask(self, command: Command) -> Awaitable[Reply]:
        """Have a command decided. Raises BadInput, InboxFull, JournalFailed."""
        ...

    async def settled(self) -> None:
        """Return when everything that was asked so far is decided and durable."""
        ...

    async def all_shown(self) -> bool:
        """Return when the read models show what is durable now; False where they do not come so far in time."""
        ...

    async def tradable(self, symbols: Iterable[Symbol], *, quoted: bool = False) -> None:
        """Have these listed. Raises BadInput."""
        ...

    def run(self, target: Target, *, mode: Mode, by: str, hold: bool, execute: bool) -> StartRun:
        """The command that starts a run of a target whose symbols are tradable."""
        ...
