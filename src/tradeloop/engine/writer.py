"""The single writer: the only code that changes State, and only by events.

The one rule: no reply, publication or broker call leaves before its events are durable. While one batch is being committed
the next is decided in memory; its replies and effects wait for its own commit. If a commit fails the writer raises and the
process stops: memory is then ahead of the disk, and starting again is always recovery.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from tradeloop.core.decide import decide
from tradeloop.core.effects import Effect
from tradeloop.core.errors import BadInput, JournalFailed
from tradeloop.core.events import Event
from tradeloop.core.evolve import evolve
from tradeloop.core.follow import follow, on_timer, settle
from tradeloop.core.inputs import TimerFired
from tradeloop.core.replies import Done, Reply
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import UtcNs
from tradeloop.engine.inbox import Inbox, Waiting
from tradeloop.engine.invariants import Invariants, follows
from tradeloop.ports.clock import Clock
from tradeloop.ports.journal import Codec, Journal

BATCH_MAX: Final = 1024
"""Inputs decided in one go: about 15 ms at 15 us an input."""

TURN_NS: Final = 100_000_000
"""How long the loop is held by deciding at most, one input's time aside. Some inputs take milliseconds, such as a late fill
with a thousand behind it; a thousand of them outlast the lease (3 s), which is renewed between two turns, as commits are.
"""

LAST_COMMIT_S: Final = 10.0
"""How long an engine that ends waits for the commit on its way, to tell the askers the truth about it."""

TURN_EVENTS_MAX: Final = 16_384
"""Events that may gather behind a commit in flight before deciding waits for it."""

ROW_EVENTS_MAX: Final = 512
ROW_BYTES_MAX: Final = 1 << 20
"""What one row of the journal holds at most. A server takes statements of a bounded size, and MySQL gets two digits a byte.
However many rows a turn needs, they become durable together, so that no decision is ever half remembered. Read models are
stored a row at a time, under a lock that commits wait for: what is in one keeps them waiting for some ten milliseconds.
"""


class Published(msgspec.Struct, frozen=True, gc=False):
    """Events that are durable now: what views, desks and alerts may see."""

    batch: int
    first_seq: int
    appended_at: UtcNs
    events: Sequence[Event]


class _Turn:
    """What one batch owes the world once it is durable."""

    __slots__ = ("durable", "effects", "events", "refusals", "replies")

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.durable = False
        self.effects: list[Effect] = []
        self.replies: list[tuple[asyncio.Future[Reply], Reply]] = []
        self.refusals: list[tuple[asyncio.Future[Reply], BadInput]] = []

    def __bool__(self) -> bool:
        return bool(self.events or self.effects or self.replies or self.refusals)


class Writer:
    """Inbox to journal to world."""

    def __init__(
        self,
        state: State,
        around: Surroundings,
        inbox: Inbox,
        journal: Journal,
        codec: Codec,
        clock: Clock,
        head: tuple[int, int, bytes],
        act: Callable[[Sequence[Effect]], None],
        lease_clock: Clock,
        row_events: int = 0,
    ) -> None:
        self.state = state
        self._around = around
        self._inbox = inbox
        self._journal = journal
        self._codec = codec
        self._clock = clock
        self._lease_clock = lease_clock
        self._row_events = row_events or ROW_EVENTS_MAX
        self.head = head
        """(batch, last_seq, hash) of the last durable row."""
        self._act = act
        self._invariants = Invariants(state, around)
        self._readers: list[Callable[[Published], None]] = []
        self._stopping = False
        self._in_flight, self._gathering = _Turn(), _Turn()
        self._undecided: list[Waiting] = []
        """What was taken from the inbox, until all of it is decided: a decision that cannot be made ends the process."""
        self._committing: asyncio.Task[None] | None = None

    def subscribe(self, reader: Callable[[Published], None]) -> None:
        """Have `reader` called with every batch after it is durable. It must be quick and must not raise."""
        self._readers.append(reader)

    def stop(self) -> None:
        """Finish what waits, then return from `run`."""
        self._stopping = True
        self._inbox.wake.set()

    async def run(self) -> None:
        """Decide and commit until stopped. Raises JournalFailed or StaleEpoch when a commit does not return success.

        However it ends, nobody is left waiting: what was not durable is answered with why.
        """
        try:
            await self._loop()
        finally:
            await self._end()

    async def _end(self) -> None:
        """Answer everybody with what is true. What is durable is answered as decided, though nothing of it is sent any more:
        the next start finds it. A commit that may still succeed is not denied.
        """
        in_flight, committing = self._in_flight, self._committing
        try:
            if committing is not None:
                await asyncio.wait((committing,), timeout=LAST_COMMIT_S)
        finally:
            if in_flight.durable:
                _answer(in_flight)
            _refuse(
                in_flight,
                "the engine ended while this was becoming durable; nothing of it was sent, and whether it was recorded shows"
                " after a restart: look before you ask again",
            )
            why = "the engine ended before this was durable; nothing of it was sent, ask again after a restart"
            _refuse(self._gathering, why)
            for _, reply in self._undecided:
                if reply is not None and not reply.done():
                    reply.set_exception(JournalFailed(why))
            self._inbox.refuse(JournalFailed(why))

    async def _loop(self) -> None:
        inbox, wake = self._inbox, self._inbox.wake
        while True:
            committing = self._committing
            if committing is not None and committing.done():
                committing.result()
                committing = self._committing = None
                self._release(self._in_flight)
            if (self._undecided or len(inbox)) and len(self._gathering.events) < TURN_EVENTS_MAX:
                self._undecided = given = inbox.drain(BATCH_MAX - len(self._undecided), self._undecided)
                self._undecided = given[self._decide(given, self._gathering) :]
            if committing is None and self._gathering:
                self._in_flight, self._gathering = self._gathering, _Turn()
                if self._in_flight.events:
                    committing = self._committing = asyncio.create_task(self._commit(self._in_flight), name="commit")
                    committing.add_done_callback(lambda _: wake.set())
                else:
                    self._release(self._in_flight)
                    continue
            more = bool(self._undecided or len(inbox))
            if committing is None and not more and self._stopping:
                return
            if more and (committing is None or len(self._gathering.events) < TURN_EVENTS_MAX):
                await self._clock.sleep_until(self._clock.now())  # everybody else has a turn, though `wake` is set
            else:
                await wake.wait()
            wake.clear()

    def _decide(self, given: list[Waiting], turn: _Turn) -> int:
        """Decide and evolve a batch of inputs in memory, as many as there is time for; how many that were."""
        state, around = self.state, self._around
        events, effects = turn.events, turn.effects
        rules = self._invariants
        before_it, whole = rules.before, rules.decided
        now, elapsed = self._clock.now(), self._lease_clock.elapsed
        until = elapsed() + TURN_NS
        for number, (item, future) in enumerate(given):
            if number and elapsed() >= until:
                return number
            before = len(effects)
            rules.input = item.__class__
            decision = decide(state, around, item, now)
            reply: Reply | None = None
            try:
                while True:
                    event = next(decision)
                    then = before_it(event)
                    evolve(state, event)
                    if then is not None:
                        then()
                    events.append(event)
                    effects.extend(follow(state, around, event))
            except StopIteration as done:
                reply = done.value
                whole()
            except BadInput as refusal:
                if future is None:
                    raise
                turn.refusals.append((future, refusal))
                continue
            if type(item) is TimerFired:
                effects.extend(on_timer(state, around, item, now))
            if around.paces:
                effects.extend(settle(around, effects[before:], now))
            if future is not None:
                turn.replies.append((future, reply if reply is not None else Done()))
        return len(given)

    async def _commit(self, turn: _Turn) -> None:
        """Make the turn durable: one row, or several at once where it is too large for one."""
        epoch = self.state.epoch  # of the events: while a row is on its way the state goes on
        events, rows, after = turn.events, [], self.head
        for start in range(0, len(events), self._row_events):
            part = events[start : start + self._row_events]
            for piece, payload in self._cut(part, self._codec.encode(part)):
                row = self._codec.seal(payload, count=len(piece), after=after, epoch=epoch, appended_at=self._clock.now())
                follows(row.first_seq, after[1])
                after = (row.batch, row.last_seq, row.hash)
                rows.append((row, piece))
        await self._journal.append(*(row for row, _ in rows))
        self.head, turn.durable = after, True
        for row, piece in rows:
            published = Published(row.batch, row.first_seq, row.appended_at, piece)
            for reader in self._readers:
                reader(published)

    def _cut(self, events: list[Event], payload: bytes) -> Iterator[tuple[list[Event], bytes]]:
        """The events with their encodings, halved until each is small enough for a row; a single event is never cut."""
        if len(payload) <= ROW_BYTES_MAX or len(events) == 1:
            yield events, payload
            return
        half = len(events) // 2
        for part in (events[:half], events[half:]):
            yield from self._cut(part, self._codec.encode(part))

    def _release(self, turn: _Turn) -> None:
        """The batch is durable: answer, and let the effects go."""
        _answer(turn)
        if turn.effects:
            self._act(turn.effects)


def _answer(turn: _Turn) -> None:
    for future, reply in turn.replies:
        if not future.done():
            future.set_result(reply)
    for future, refusal in turn.refusals:
        if not future.done():
            future.set_exception(refusal)


def _refuse(turn: _Turn, why: str) -> None:
    for future, _ in (*turn.replies, *turn.refusals):
        if not future.done():
            future.set_exception(JournalFailed(why))
