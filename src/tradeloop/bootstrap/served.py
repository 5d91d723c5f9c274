"""A working desk as the API needs it (api/desk.py): the same commands and the same questions as those of the command line."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tradeloop import __version__
from tradeloop.api.desk import Health, Latched, SwitchedTo
from tradeloop.audit.risk_answer import risk_answer
from tradeloop.bootstrap import main_contract
from tradeloop.bootstrap.brokers import live_brokers
from tradeloop.bootstrap.database import owner_of
from tradeloop.bootstrap.desk import Desk, market_time
from tradeloop.bootstrap.known_names import refuse_nobodys
from tradeloop.bootstrap.limit_changes import changed_limit, reverted_limit
from tradeloop.bootstrap.limits import Author
from tradeloop.bootstrap.release import checked_release
from tradeloop.bootstrap.start import run_at
from tradeloop.core.commands import (
    ChangeLimit,
    Command,
    HaltTrading,
    ReleaseHalt,
    ReleaseSymbol,
    ReplaceOrder,
    RetryRun,
    RevertLimit,
    StartRun,
    SubmitOrder,
    SwitchMainContract,
)
from tradeloop.core.confirmation import Frozen
from tradeloop.core.errors import FateUnknown, NotSent
from tradeloop.core.instrument import Instrument
from tradeloop.core.known import run_of
from tradeloop.core.replies import Reply
from tradeloop.core.reports import Quote
from tradeloop.core.risk.denied import Denied
from tradeloop.core.risk.live import frozen_order
from tradeloop.core.run.conduct import Preview, refuse_to_go, run_id_of
from tradeloop.core.run.confirming import frozen_plan, plan_of
from tradeloop.core.staging import in_the_way, intent_of
from tradeloop.core.state import State
from tradeloop.core.terms_to_confirm import looked_at, to_confirm
from tradeloop.core.types import AccountID, Mode, Px, RunID, Symbol, UtcNs
from tradeloop.engine.inbox import INBOX_MAX
from tradeloop.engine.latch import FileLatch, StandsIn
from tradeloop.engine.writer import Published
from tradeloop.strategies.host import Host
from tradeloop.targets.target import Target
from tradeloop.views.queries import Queries
from tradeloop.views.sql import Stored

SHOWN_S: Final = 2.0
"""How long a question waits for the read models; an older answer is better than none."""
COMPARED_S: Final = 20.0
QUOTED_S: Final = 3.0
"""How long the first quote of a symbol that was not traded yet is waited for."""


class ServedDesk:
    """What `api.desk.Desk` asks for, by a desk that was opened. `command`: as whom it holds the right to write."""

    def __init__(self, desk: Desk, command: str) -> None:
        self._desk = desk
        self._holder = owner_of(desk.loaded, command)
        self._is_live = bool(live_brokers(desk.loaded, desk.state))
        self._awaited: dict[Symbol, None] = {}
        """Symbols whose first quotes are waited for."""

    @property
    def state(self) -> State:
        """What is true now."""
        return self._desk.state

    @property
    def account(self) -> AccountID:
        """The account traded here."""
        return self._desk.account

    @property
    def broker(self) -> str:
        """What the journal calls the broker."""
        return self._desk.broker.name

    @property
    def is_ready(self) -> bool:
        """Whether orders may be sent."""
        return self._desk.is_ready

    @property
    def is_live(self) -> bool:
        """Whether real money is traded here, by the settings or by the journal."""
        return self._is_live

    @property
    def queries(self) -> Queries:
        """The read models."""
        return self._desk.views.queries

    @property
    def strategies(self) -> Host | None:
        """The host of strategies; None where none was opened."""
        return self._desk.strategies

    def now(self) -> UtcNs:
        """The desk's present."""
        return self._desk.clock.now()

    def health(self) -> Health:
        """How the desk does, from memory alone."""
        desk, state = self._desk, self._desk.state
        link = state.links.get(self.broker)
        return Health(
            version=__version__,
            group=state.group,
            epoch=state.epoch,
            broker=self.broker,
            is_ready=desk.is_ready,
            broker_text="" if link is None else link.text,
            holder=self._holder,
            inbox_waiting=len(desk.engine.inbox),
            inbox_max=INBOX_MAX,
            durable_seq=desk.durable_seq,
            shown_seq=desk.shown_seq,
            views_trouble=desk.trouble_of_views,
            feed="none" if desk.feed is None else desk.feed.name,
            feed_ended=desk.feed_ended,
            newest_quote_at=desk.latest.newest_at(),
            started_at=state.started_at,
            orders_open=len(state.orders.open),
            orders_unknown=sum(len(each) for each in state.unknown.values()),
            breaks_open=len(state.breaks),
            halts=len(state.halts),
        )

    def listen(self, listener: Callable[[Published], None]) -> None:
        """Have `listener` called with every durable batch from now on."""
        self._desk.listen(listener)

    def listen_rows(self, listener: Callable[[Stored], None]) -> None:
        """Have `listener` called with every change of the read models from now on."""
        self._desk.views.listen(listener)

    def watch(self, watcher: Callable[[Quote], None]) -> None:
        """Have `watcher` called with every quote from now on."""
        self._desk.watch(watcher)

    # --- asking

    def ask(self, command: Command) -> Awaitable[Reply]:
        """Have a command decided."""
        return self._desk.engine.ask(command)

    async def release(self, command: ReleaseHalt | ReleaseSymbol, code: str) -> Reply:
        """End halts, or that of a symbol, with the second factor where the broker is live."""
        desk = self._desk
        checked = await checked_release(desk.loaded, desk.state, command, code, desk.engine.alert)
        return await desk.engine.ask(checked)

    async def latch(self, command: HaltTrading) -> Latched:
        """Write the halt into the latch file, in a thread: a disk that hangs keeps nobody else waiting."""
        return await asyncio.to_thread(_latch, FileLatch(self._desk.loaded.home.latch), command)

    async def settled(self) -> None:
        """Return when everything that was asked so far is decided and durable."""
        await self._desk.settled()

    async def shown(self) -> None:
        """Return when the read models show what is durable now, or after SHOWN_S."""
        await self._desk.views_show(SHOWN_S)

    async def all_shown(self) -> bool:
        """Return when the read models show what is durable now; False where they do not come so far in SHOWN_S."""
        return await self._desk.views_show(SHOWN_S)

    async def reconcile(self) -> None:
        """Compare the books. Raises NotSent where the broker is not there, FateUnknown where it does not answer."""
        if not self.is_ready:
            link = self.state.links.get(self.broker)
            raise NotSent(f"broker {self.broker} is not ready: {link.text if link is not None else 'not heard yet'}")
        try:
            async with asyncio.timeout(COMPARED_S):
                await self._desk.reconcile()
        except TimeoutError:
            raise FateUnknown(f"broker {self.broker} did not give its books within {COMPARED_S:g} s; try again") from None

    async def reload_limits(self, by: str, reason: str) -> str:
        """Read risk.yaml anew."""
        return await self._desk.reload_limits(Author(by, reason))

    # --- the market

    def quotes(self) -> Sequence[Quote]:
        """The newest quote of each symbol."""
        return self._desk.latest.all()

    def quote(self, symbol: Symbol) -> Quote | None:
        """The newest quote, however old."""
        return self._desk.latest.get(symbol)

    def listed(self, symbol: Symbol) -> Instrument:
        """What the dated rules say of a symbol today."""
        return self._desk.listing.resolve(symbol, market_time(self._desk.clock.now(), self._desk.feed))

    def follows(self, symbol: Symbol) -> bool:
        """Whether a symbol is listed here, and its first quote has come or was waited for in vain."""
        return symbol not in self._awaited and self._desk.follows(symbol)

    async def switch_main(self, command: SwitchMainContract) -> SwitchedTo:
        """Have another instrument be the main contract, in S4's five steps."""
        return await main_contract.switch(self._desk, command, QUOTED_S)

    async def tradable(self, symbols: Iterable[Symbol], *, quoted: bool = False) -> None:
        """Have these listed; a quote that does not come leaves it to risk to say so."""
        wanted = list(dict.fromkeys(symbols))
        awaited = dict.fromkeys(wanted) if quoted and self._desk.feed is not None else {}
        self._awaited |= awaited
        try:
            await self._desk.tradable(wanted)
            if awaited:
                await self._desk.quoted(wanted, QUOTED_S)
        finally:
            for symbol in awaited:
                self._awaited.pop(symbol, None)

    # --- limits

    def changed_limit(self, given: Mapping[str, str], lasts: str, approved_by: str, by: str, reason: str) -> ChangeLimit:
        """The change of a limit that these words ask for."""
        command = changed_limit(given, lasts, approved_by, by, reason)
        refuse_nobodys(self._desk.loaded, self.state, command.limit)
        return command

    def reverted_limit(self, given: Mapping[str, str], by: str, reason: str, approved_by: str, *, shadow: bool) -> RevertLimit:
        """The end of a limit that a person had set."""
        return reverted_limit(given, by, reason, approved_by, shadow=shadow)

    # --- what would be

    def run(self, target: Target, *, mode: Mode, by: str, hold: bool, execute: bool) -> StartRun:
        """The command that starts a run."""
        return run_at(self._desk, target, mode=mode, by=by, hold=hold, execute=execute)

    def preview(self, command: StartRun) -> Preview:
        """What a run would be."""
        return self._desk.engine.preview(command)

    def frozen(self, command: StartRun, seen: Preview) -> Frozen:
        """What there is to confirm of a plan that was shown."""
        around = self._desk.engine.around
        return frozen_plan(self.state, around, run_id_of(command, 1), self.broker, command.account, seen.lines)

    def frozen_run(self, run_id: str) -> Frozen:
        """The same of a run that waits."""
        return plan_of(self.state, self._desk.engine.around, run_of(self.state, RunID(run_id)))

    def refuse_to_go(self, run_id: str) -> None:
        """Raise where a run that waits could not go now."""
        run = run_of(self.state, RunID(run_id))
        refuse_to_go(self.state, self._desk.engine.around, run, self.now())

    def frozen_order(self, command: SubmitOrder, px: Px | None = None) -> Frozen | None:
        """The same of an order of its own, or of one that was shown at `px` before; None where it needs nobody's word."""
        around, now = self._desk.engine.around, self.now()
        intent, instrument = intent_of(self.state, around, command, now)
        return frozen_order(self.state, around, intent, instrument, now, px)

    def frozen_change(self, command: ReplaceOrder) -> Frozen | None:
        """The same of other terms for an order."""
        return to_confirm(self.state, self._desk.engine.around, command, self.now())

    def against_change(self, command: ReplaceOrder) -> Denied | None:
        """What says no to other terms for an order whatever anybody says."""
        found = looked_at(self.state, self._desk.engine.around, command, self.now())
        return found if isinstance(found, Denied) else None

    def in_the_way(self, command: SubmitOrder, frozen: Frozen) -> Denied | None:
        """What would say no to an order though a person gave their word for it."""
        return in_the_way(self.state, self._desk.engine.around, command, frozen, self.now())

    def retry(self, run_id: str, by: str) -> RetryRun:
        """The command that tries again what a run left over."""
        run = run_of(self.state, RunID(run_id))
        symbols = dict.fromkeys(leg.line.symbol for leg in run.legs)
        return RetryRun(run.created.run_id, by, self._desk.seen_prices([*symbols, *self._desk.held_symbols()]))

    def artefacts(self, run_id: RunID) -> Path:
        """The folder that the files of a run are in."""
        return self._desk.loaded.home.artefacts / run_id

    def risk_answer(self, order: SubmitOrder) -> dict[str, Any]:
        """What risk would say of an order."""
        return risk_answer(self.state, self._desk.engine.around, order, self.now())


def _latch(latch: FileLatch, command: HaltTrading) -> Latched:
    file, what = latch.file_of(command), command.tier.value
    try:
        latch.add(command)
    except StandsIn as error:
        return Latched(True, f"{file.name} stands in for {what} and stops everything ({error.strerror})")
    except OSError as error:
        return Latched(False, f"{file.name} could not be written ({error.strerror or error}), only the journal holds this halt")
    return Latched(True, f"{what} is latched by {file.name}")
