"""The engine, wired: inbox, writer, dispatch, timers and lease around one State.

`start` recovers, connects the brokers and returns when commands are taken; `READY` per broker follows when its books have
been compared.
`wait` returns when the engine was stopped and raises what ended it otherwise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from tradeloop.core.capabilities import takes_our_ids
from tradeloop.core.checked import Distrusted, checked, checked_quote
from tradeloop.core.commands import Command, StartRun
from tradeloop.core.decide import ACK_TIMEOUT, ORDER_TIMEOUT, PROBE, RESEND
from tradeloop.core.effects import RaiseAlert
from tradeloop.core.errors import BadInput, InvariantBroken, JournalFailed, LeaseHeld
from tradeloop.core.events import TradedAt
from tradeloop.core.fit import shown
from tradeloop.core.follow import after_restart
from tradeloop.core.inputs import Start
from tradeloop.core.replies import Reply
from tradeloop.core.reports import BrokerSnapshot, CancelOutcome, Execution, ExecutionBust, ExecutionCorrect, Quote, Report
from tradeloop.core.run.conduct import Preview, preview
from tradeloop.core.state import State
from tradeloop.core.surroundings import Policy, Surroundings
from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.engine.damper import Damper
from tradeloop.engine.dispatch import Dispatch
from tradeloop.engine.guard import Guard, NoLatch
from tradeloop.engine.inbox import Inbox
from tradeloop.engine.lease import keep_lease
from tradeloop.engine.recover import SNAPSHOT_AFTER_EVENTS, Recovered, recover, take_snapshot
from tradeloop.engine.sessions import Sessions
from tradeloop.engine.supervise import calm_the_collector, first_failure
from tradeloop.engine.timers import Timers
from tradeloop.engine.writer import Published, Writer
from tradeloop.ports.broker import Broker
from tradeloop.ports.clock import Clock
from tradeloop.ports.journal import Codec, Holder, Journal
from tradeloop.ports.latch import Latch

OF_AN_ORDER: Final = frozenset({ACK_TIMEOUT, RESEND, ORDER_TIMEOUT, PROBE})
"""Timers that an order which is done needs no more."""


class Engine:
    """One account group: its journal, its brokers, its state. Raises BadInput where two brokers have accounts of one
    name: books are kept by the name of the account.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        codec: Codec,
        clock: Clock,
        brokers: dict[str, Broker],
        policy: Policy,
        group: str,
        owner: str,
        version: str,
        alert: Callable[[RaiseAlert], None],
        config_hash: str = "",
        lease_clock: Clock | None = None,
        clock_kind: str = "wall",
        traded_at: tuple[TradedAt, ...] = (),
        latch: Latch | None = None,
        row_events: int = 0,
    ) -> None:
        """`row_events`: how many events one row of the journal holds at most, 0 for as many as the writer thinks right."""
        _one_broker_each(brokers)
        self._journal = journal
        self._codec = codec
        self._clock = clock
        self._brokers = brokers
        self._group = group
        self._owner = owner
        self._version = version
        self._config_hash = config_hash
        self._clock_kind = clock_kind
        self._traded_at = traded_at
        self._latch = latch
        self._row_events = row_events
        self._guard: Guard | None = None
        self._lease_clock = clock if lease_clock is None else lease_clock
        self.alert = Damper(alert, self._lease_clock)
        """Tells a person; whoever works beside the engine raises its alerts here too."""
        self.around = Surroundings(
            policy,
            {name: broker.capabilities for name, broker in brokers.items()},
            {name: broker.account for name, broker in brokers.items()},
        )
        self.inbox = Inbox()
        self.tail_events = 0
        self._readers: list[Callable[[Published], None]] = []
        self._writer: Writer | None = None
        self._dispatch: Dispatch | None = None
        self._running: asyncio.Task[None] | None = None
        self._sessions = Sessions(brokers, clock, self.report, self.alert)
        self._stopped = False
        self._failure_told = False

    @property
    def state(self) -> State:
        """The state as decided so far. Read it, never write it; what the newest batch added may not be durable yet."""
        assert self._writer is not None, "the engine has not been started"
        return self._writer.state

    def subscribe(self, reader: Callable[[Published], None]) -> None:
        """Have `reader` called with every durable batch; to be called before `start`."""
        self._readers.append(reader)

    async def start(self, prepared: Recovered | None = None) -> None:
        """Take the lease, recover, and begin. Raises LeaseHeld, JournalDamaged or JournalFailed, and BadInput when a broker
        cannot take the ids of our orders.

        `prepared` is what the caller read to prepare this start, before the lease was ours. It is not read again: while the
        head of the journal is the same, its hash says that all before it is. One that has moved since is refused, because
        clock, feed and quotes were chosen for another state. The state is the engine's from here on.
        """
        for name, broker in self._brokers.items():
            takes_our_ids(name, broker.capabilities)
        await self._journal.open()
        holder = await self._journal.acquire(self._owner)
        if prepared is None:
            recovered = await recover(self._journal, self._codec)
        else:
            recovered, head = prepared, await self._journal.head()
            if head != prepared.head:
                raise LeaseHeld(
                    "another process wrote the journal while this one prepared to start: expected it to end at sequence"
                    f" number {prepared.head[1]}, was {head[1]}; start again"
                )
        if recovered.tail_events > SNAPSHOT_AFTER_EVENTS:
            await take_snapshot(self._journal, recovered.state, recovered.head)
        self.tail_events = recovered.tail_events
        calm_the_collector()
        orders = recovered.state.orders
        timers = Timers(self._clock, self.inbox.put, lambda kind, subject: kind not in OF_AN_ORDER or subject in orders.open)
        if recovered.head[0]:
            self._leave_room(recovered.state, may_be_paused=holder.expires_at is not None)
        latch = NoLatch() if self._latch is None else self._latch
        guard = self._guard = Guard(latch, recovered.state, self._lease_clock, self.inbox.put, self.alert)
        dispatch = self._dispatch = Dispatch(
            self._brokers, self._clock, self.report, timers.set, self.alert, self.around.paces, guard
        )
        writer = self._writer = Writer(
            recovered.state,
            self.around,
            self.inbox,
            self._journal,
            self._codec,
            self._clock,
            recovered.head,
            dispatch.act,
            self._lease_clock,
            self._row_events,
        )
        writer.subscribe(guard.heard)
        for reader in self._readers:
            writer.subscribe(reader)
        # A lease without an end is a lock that the operating system lets go only with its process.
        dead = holder.expires_at is None
        begins = Start(holder.epoch, self._version, self._group, self._config_hash, dead, self._clock_kind, self._traded_at)
        self.inbox.begin(begins)
        guard.begin()
        self._running = asyncio.create_task(self._run(writer, timers, dispatch, holder, guard), name="engine")
        dispatch.act(after_restart(recovered.state, self.around))
        await self._sessions.open()

    def ask(self, command: Command) -> Awaitable[Reply]:
        """Have a command decided; the reply comes when its facts are durable. Raises BadInput (awaited) or InboxFull."""
        return self.inbox.ask(command)

    def report(self, report: Report) -> None:
        """Take what a broker says. What cannot be true is not decided: a person is told, and what it kept from our books
        shows as a break at the next comparison with the broker's. After the end of the engine nothing is taken: the next start
        asks the broker.
        """
        if self.inbox.ended is not None:
            text = (
                f"a {type(report).__name__} came after the engine had ended and was not taken; start again, the broker is asked"
            )
            self.alert(RaiseAlert("CRITICAL", "ended", text))
            self.inbox.put(report)
            return
        found = checked(report)
        believed = found.rest if isinstance(found, Distrusted) else found
        if believed is not None:
            found = self._of_ours(believed) or found
        if isinstance(found, Distrusted):
            what = f"{type(report).__name__} of broker {shown(getattr(report, 'broker', None))}"
            if found.of_others:
                self._pass_over(what, found.of_others)
            if found.reason:
                self._distrust(what, found.reason, in_part=found.rest is not None)
            if found.rest is None:
                return
            found = found.rest
        self.inbox.put(found)

    def quote(self, quote: Quote) -> None:
        """Take a quote; one that cannot be true is passed over and a person is told."""
        found = checked_quote(quote)
        if isinstance(found, Distrusted):
            self._distrust(f"Quote of {shown(getattr(quote, 'symbol', None))}", found.reason)
            return
        self.inbox.quote(found)

    def _leave_room(self, state: State, *, may_be_paused: bool) -> None:
        """Nobody knows what the predecessor sent in the last second, nor what it may send when it only slept."""
        now, policy = self._clock.now(), self.around.policy
        for name, pace in self.around.paces.items():
            pace.rest(UtcNs(now + SECOND_NS))
            for order in state.orders.open.values() if may_be_paused else ():
                if order.broker == name and order.send_begun_at is not None and order.acked_at is None:
                    pace.expect(UtcNs(min(order.send_begun_at, now) + policy.send_within_ns + SECOND_NS))

    def _distrust(self, what: str, reason: str, *, in_part: bool = False) -> None:
        fate = "is believed in part only" if in_part else "is not believed and was not booked"
        text = f"a {what} {fate}: {reason}; ask who sent it, then compare the books"
        self.alert(RaiseAlert("CRITICAL", f"distrusted:{what}", text))

    def _of_ours(self, report: Report) -> Distrusted | None:
        """Why a report is no business of ours; None where it is."""
        broker = self._brokers.get(report.broker)
        if broker is None:
            return None if type(report) is CancelOutcome else Distrusted("no broker of that name is configured")
        if isinstance(report, BrokerSnapshot) and report.account != broker.account:
            return Distrusted(f"account was {shown(report.account)}; expected {shown(broker.account)}, which it was asked of")
        if isinstance(report, Execution | ExecutionBust | ExecutionCorrect) and report.account != broker.account:
            return Distrusted("", of_others=f"a fill of {shown(report.account)}")
        return None

    def _pass_over(self, what: str, of_others: str) -> None:
        text = (
            f"a {what} showed what is another account's, which was left out: {of_others}; where one login sees several "
            "accounts nothing has to be done, else look at the account in broker.yaml"
        )
        self.alert(RaiseAlert("WARNING", f"of-others:{what}", text))

    def preview(self, command: StartRun) -> Preview:
        """What a run would be now; nothing is recorded and nothing sent."""
        return preview(self.state, command, self._clock.now(), self.around.policy.max_drift)

    async def wait(self) -> None:
        """Until the engine ends; raises what ended it."""
        assert self._running is not None, "the engine has not been started"
        await asyncio.shield(self._running)

    async def stop(self) -> None:
        """Wait for what is on the wire, close the brokers, finish what is decided, keep a snapshot and give the lease back;
        a second call does nothing. Whatever of it fails, the rest is done.
        """
        if self._stopped:
            return
        self._stopped = True
        try:
            await self._leave()
        except JournalFailed as failed:
            self._tell_failure(failed)
            self.alert.flush()
            raise

    async def _leave(self) -> None:
        try:
            await self._end()
        finally:
            try:
                await self._journal.release()
            finally:
                await self._journal.close()

    async def _end(self) -> None:
        if self._writer is None or self._running is None or self._dispatch is None:
            return
        try:
            await self._dispatch.close()
            await self._sessions.close()
        finally:
            self._writer.stop()
            await self._running
        await take_snapshot(self._journal, self._writer.state, self._writer.head)

    async def _run(self, writer: Writer, timers: Timers, dispatch: Dispatch, holder: Holder, guard: Guard) -> None:
        try:
            await first_failure(
                {
                    "writer": self._cancels_last(writer.run, dispatch, guard),
                    **({} if self._latch is None else {"latch": guard.run(dispatch.act)}),
                    "timers": timers.run(),
                    "alerts": self.alert.run(),
                    "sessions": self._sessions.run(),
                    "lease": self._cancels_last(partial(keep_lease, self._journal, holder, self._lease_clock), dispatch, guard),
                    "dispatch": dispatch.failed,
                },
                dispatch.halt,
            )
        except InvariantBroken as broken:
            self.alert(RaiseAlert("CRITICAL", f"invariant:{broken.number}", str(broken)))
            raise
        except JournalFailed as failed:
            self._tell_failure(failed)
            raise
        finally:
            self.alert.flush()

    def _tell_failure(self, failed: JournalFailed) -> None:
        """Once: what ended the engine is raised again by its end, which may fail for itself, too."""
        if not self._failure_told:
            self._failure_told = True
            text = f"the journal failed, and nothing more is traded: {failed}; start again, what was durable is found again"
            self.alert(RaiseAlert("CRITICAL", "journal", text))

    async def _cancels_last(self, work: Callable[[], Awaitable[None]], dispatch: Dispatch, guard: Guard) -> None:
        """What needs the journal, for life. Where the journal fails under a halt that cancels, the cancels are the last thing
        that leaves: they ask for no record (docs/adr/0018-cancels-without-a-journal.md). One that lost its lease sends nothing:
        another has it. The failure is told before them: they may wait for a broker that does not answer.

        A server that is gone is noticed by whichever comes first, a commit or the lease; neither cuts the other's cancels off.
        """
        try:
            await work()
        except JournalFailed as failed:
            self._tell_failure(failed)
            if guard.is_cancelling:
                await dispatch.cancel_last(guard.last_cancels())
            raise


def _one_broker_each(brokers: dict[str, Broker]) -> None:
    whose: dict[str, str] = {}
    for name, broker in brokers.items():
        first = whose.setdefault(broker.account, name)
        if first != name:
            raise BadInput(
                f"account {broker.account} is configured at broker {first} and at broker {name}; expected each account at one"
                " broker, since its books are kept by its name: give one of the two another name"
            )
