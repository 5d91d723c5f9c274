"""What the API needs of a desk, and nothing more: it knows no concrete class (docs/adr/0024-the-web-desk.md).

Answers to `ask` come when their facts are durable. What is read from `state` may be one batch ahead of that; who answers with
it awaits `settled` first. `queries` are the read models, which hold durable facts alone; `shown` waits for them to come up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from tradeloop.core.commands import (
    ChangeLimit,
    Command,
    HaltTrading,
    ReleaseHalt,
    ReleaseSymbol,
    ReplaceOrder,
    RevertLimit,
    StartRun,
    SubmitOrder,
    SwitchMainContract,
)
from tradeloop.core.confirmation import Frozen
from tradeloop.core.instrument import Instrument
from tradeloop.core.replies import Reply
from tradeloop.core.reports import Quote
from tradeloop.core.risk.denied import Denied
from tradeloop.core.run.conduct import Preview
from tradeloop.core.state import State
from tradeloop.core.types import AccountID, Mode, Px, RunID, Symbol, UtcNs
from tradeloop.engine.writer import Published
from tradeloop.strategies.host import Host
from tradeloop.targets.target import Target
from tradeloop.views.queries import Queries
from tradeloop.views.sql import Stored


class Latched(msgspec.Struct, frozen=True):
    """What became of the latch file when a halt was asked for: whether it holds, and the sentence that says so."""

    holds: bool
    sentence: str


class SwitchedTo(msgspec.Struct, frozen=True):
    """What came of a switch of the main contract: a sentence, and one for each of five steps; none where nothing changed."""

    done: str
    steps: list[str]


class Health(msgspec.Struct, frozen=True):
    """How the desk does: what is durable, what the read models show of it, and what waits."""

    version: str
    group: str
    epoch: int
    broker: str
    is_ready: bool
    broker_text: str
    holder: str
    """Who holds the right to write: this process."""
    inbox_waiting: int
    inbox_max: int
    durable_seq: int
    shown_seq: int
    views_trouble: str
    feed: str
    feed_ended: bool
    newest_quote_at: UtcNs | None
    started_at: UtcNs
    orders_open: int
    orders_unknown: int
    breaks_open: int
    halts: int


class Desk(Protocol):
    """A working desk."""

    @property
    def state(self) -> State: ...
    @property
    def account(self) -> AccountID: ...
    @property
    def broker(self) -> str: ...
    @property
    def is_ready(self) -> bool: ...
    @property
    def is_live(self) -> bool:
        """Whether real money is traded here."""
        ...

    @property
    def queries(self) -> Queries: ...

    @property
    def strategies(self) -> Host | None:
        """The host of strategies; None where this desk has none."""
        ...

    def now(self) -> UtcNs:
        """The desk's present: of the world, or of the recording it lives in."""
        ...

    def health(self) -> Health: ...

    def listen(self, listener: Callable[[Published], None]) -> None:
        """Have `listener` called with every durable batch from now on."""
        ...

    def listen_rows(self, listener: Callable[[Stored], None]) -> None:
        """Have `listener` called with every change of the read models from now on, once stored. Its rows go on changing."""
        ...

    def watch(self, watcher: Callable[[Quote], None]) -> None:
        """Have `watcher` called with every quote from now on."""
        ...

    # --- asking

    def ask(self, command: Command) -> Awaitable[Reply]:
        """Have a command decided. Raises BadInput, NotKnown, Conflicts, InboxFull, JournalFailed."""
        ...

    async def release(self, command: ReleaseHalt | ReleaseSymbol, code: str) -> Reply:
        """End halts, or that of a symbol; `code` is of the second factor, which a live desk asks for."""
        ...

    async def latch(self, command: HaltTrading) -> Latched:
        """Write the halt into the latch file, which holds whatever becomes of the command."""
        ...

    async def settled(self) -> None:
        """Return when everything that was asked so far is decided and durable."""
        ...

    async def shown(self) -> None:
        """Return when the read models show what is durable now, or have had their time."""
        ...

    async def reconcile(self) -> None:
        """Compare our books with the broker's. Raises JournalFailed, and FateUnknown where the broker does not answer."""
        ...

    async def reload_limits(self, by: str, reason: str) -> str:
        """Read risk.yaml anew, and have it hold. Raises BadInput, also where it loosens what two have to agree to."""
        ...

    # --- the market

    def quotes(self) -> Sequence[Quote]:
        """The newest quote of each symbol."""
        ...

    def quote(self, symbol: Symbol) -> Quote | None:
        """The newest quote, however old."""
        ...

    def listed(self, symbol: Symbol) -> Instrument:
        """What the dated rules say of a symbol today, listed here or not. Raises BadInput."""
        ...

    def follows(self, symbol: Symbol) -> bool:
        """Whether a symbol is listed here and quoted where the feed has it."""
        ...

    async def switch_main(self, command: SwitchMainContract) -> SwitchedTo:
        """Have another instrument be the main contract. Raises BadInput, Conflicts."""
        ...

    async def tradable(self, symbols: Iterable[Symbol], *, quoted: bool = False) -> None:
        """Have these listed, and where `quoted`, wait a little for their first quotes. Raises BadInput."""
        ...

    # --- limits

    def changed_limit(self, given: Mapping[str, str], lasts: str, approved_by: str, by: str, reason: str) -> ChangeLimit:
        """The change of a limit that these words ask for. Raises BadInput."""
        ...

    def reverted_limit(self, given: Mapping[str, str], by: str, reason: str, approved_by: str, *, shadow: bool) -> RevertLimit:
        """The end of a limit that a person had set. Raises BadInput."""
        ...

    # --- what would be

    def run(self, target: Target, *, mode: Mode, by: str, hold: bool, execute: bool) -> StartRun:
        """The command that starts a run of a target whose symbols are tradable."""
        ...

    def preview(self, command: StartRun) -> Preview:
        """What a run would be; nothing is recorded and nothing sent."""
        ...

    def frozen(self, command: StartRun, seen: Preview) -> Frozen:
        """What there is to confirm of a plan that was shown, where its account is live."""
        ...

    def frozen_run(self, run_id: str) -> Frozen:
        """The same of a run that waits. Raises NotKnown."""
        ...

    def refuse_to_go(self, run_id: str) -> None:
        """Raise BadInput where a run that waits could not go now, whoever lets it. Raises NotKnown."""
        ...

    def frozen_order(self, command: SubmitOrder, px: Px | None = None) -> Frozen | None:
        """The same of an order of its own, or of one that was shown at `px` before; None where it needs nobody's word. Raises
        BadInput.
        """
        ...

    def frozen_change(self, command: ReplaceOrder) -> Frozen | None:
        """The same of other terms for an order; None where they need nobody's word, or are denied whatever anybody says. Raises
        BadInput and NotKnown.
        """
        ...

    def against_change(self, command: ReplaceOrder) -> Denied | None:
        """What says no to other terms for an order whatever anybody says; nothing is recorded. Raises BadInput and NotKnown."""
        ...

    def in_the_way(self, command: SubmitOrder, frozen: Frozen) -> Denied | None:
        """What would say no to an order though a person gave their word for it; nothing is recorded. Raises BadInput."""
        ...

    def retry(self, run_id: str, by: str) -> Command:
        """The command that tries again what a run left over, at the prices of now. Raises NotKnown."""
        ...

    def artefacts(self, run_id: RunID) -> Path:
        """The folder that the files of a run are in, once it has ended."""
        ...

    def risk_answer(self, order: SubmitOrder) -> dict[str, Any]:
        """What risk would say of an order."""
        ...
