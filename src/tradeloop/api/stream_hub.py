"""Everything that the sockets of a desk share: the topics, who watches them, and what looks after the sockets.

What the desk publishes is only taken down where it is published, and told from here in a task of its own: a fault here closes
sockets and holds nothing up. While nobody watches, nothing of this runs.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from http import HTTPStatus
from typing import Any, Final

import msgspec

from tradeloop.api.desk import Desk
from tradeloop.api.health import details_of, status_of
from tradeloop.api.identify import Identifies
from tradeloop.api.people import People
from tradeloop.api.plain import moment
from tradeloop.api.problem import Problem
from tradeloop.api.rates import Rates
from tradeloop.api.stream_channel import Channel, Pieces
from tradeloop.api.stream_facts import OF_INTEREST, Facts
from tradeloop.api.stream_quotes import Quoting, Ticks
from tradeloop.api.stream_snapshots import read
from tradeloop.api.stream_socket import Code, Socket
from tradeloop.api.stream_topics import HALTS, QUOTES, RISK, SCOPES, SYSTEM, TABLES, encoded, may_see, told_of
from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.engine.writer import Published
from tradeloop.ports.clock import Clock
from tradeloop.views.rows import Row
from tradeloop.views.rowset import as_read
from tradeloop.views.sql import Stored

LOOK_NS: Final = SECOND_NS // 4
"""How often sockets are looked at: what is revoked at the command line is seen half a second later, and gone within one."""

LOOKS_PER_BEAT: Final = 4
_TRIES: Final = 5

_Change = tuple[int, dict[str, list[Row]], bool]


class Hub:
    """All of it. `name` is that of this run of the desk."""

    def __init__(self, desk: Desk, identifies: Identifies, rates: Rates, clock: Clock, people: People | None) -> None:
        self.desk, self.rates, self.clock = desk, rates, clock
        self.name = ""
        self.sockets: dict[Socket, None] = {}
        self.channels = {topic: Channel(topic, keys_are_numbers=topic == HALTS) for topic in SCOPES if topic != QUOTES}
        self._identifies, self._people = identifies, people
        self._quoting = Quoting(clock, self._give_quotes)
        self._facts: Facts | None = None
        self._waiting: deque[Published | _Change] = deque()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Future[None]] = []
        self._listens = False
        self._starting = asyncio.Lock()
        self._resyncs: set[asyncio.Task[None]] = set()
        self._said = b""

    async def start(self) -> None:
        """Have everything run that sockets need. Raises JournalFailed."""
        async with self._starting:
            if self._facts is not None:
                return
            await self.desk.settled()
            for channel in self.channels.values():
                channel.skip()  # what happened while nobody looked
            self._facts = Facts(self.desk.state.halts.values())
            if not self._listens:
                self._listens = True
                self.name = str(self.desk.health().epoch)
                self.desk.listen(self._published)
                self.desk.listen_rows(self._stored)
                self.desk.watch(self._quoting.on_quote)
            for work in (self._tell(), self._quoting.run(), self._care()):
                self._tasks.append(self._begun(work))

    async def close(self) -> None:
        """End everything; sockets end with the server."""
        await self._stop()

    def join(self, socket: Socket, channel: Channel) -> None:
        """Have a socket told of a topic from here on; one that is gone meanwhile is not."""
        if socket not in self.sockets:
            return
        channel.watchers[socket] = None
        socket.topics[channel.name] = channel

    def leave(self, socket: Socket, channel: Channel) -> None:
        """Have a socket told of it no more."""
        if channel.watchers.pop(socket, socket) is None:
            channel.wake(self.clock.elapsed())
        socket.topics.pop(channel.name, None)

    def remove(self, socket: Socket) -> None:
        """A socket is gone."""
        for channel in tuple(socket.topics.values()):
            self.leave(socket, channel)
        self.sockets.pop(socket, None)
        socket.forget()
        self.want_quotes()

    async def resume(self, socket: Socket, channel: Channel, n: int) -> bool:
        """Give a socket what came after number `n`, and what follows; False where that is not known any more."""
        async with socket.alone:
            self.leave(socket, channel)
            await socket.drained()
            self.tell_waiting()
            missed = channel.after(n)
            if missed is None:
                return False
            resumed = msgspec.json.encode({"t": "resumed", "topic": channel.name, "n": n}).decode()
            socket.offer_unbounded([resumed, *(delta.frame for delta in missed)])
            self.join(socket, channel)
            return True

    async def show(self, socket: Socket, channel: Channel, because: str) -> None:
        """Give a socket all that a topic holds, and what follows. Raises Problem where it changes too fast to be read."""
        async with socket.alone:
            self.leave(socket, channel)
            await socket.drained()
            channel.wake(self.clock.elapsed())
            for _ in range(_TRIES):
                self.tell_waiting()
                n = channel.n
                found = await self._found(channel.name)
                self.tell_waiting()
                now = channel.laid_over(found, n)
                if now is not None:
                    socket.offer_unbounded(channel.snapshot(now, because))
                    self.join(socket, channel)
                    return
        text = f"the topic {channel.name} changes faster than it can be read; subscribe again"
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "too_busy", text)

    def want_quotes(self) -> None:
        """Gather quotes exactly while somebody wants some."""
        self._quoting.is_wanted = any(socket.symbols for socket in self.sockets)

    def tell_waiting(self) -> None:
        """Tell what has been taken down since."""
        while self._waiting and self._facts is not None:
            change = self._waiting.popleft()
            if isinstance(change, Published):
                for topic, seq, put, drop in self._facts.told(change):
                    self.channels[topic].tell(seq, put, drop)
            else:
                self._tell_rows(*change)

    # --- what the desk calls: it must be quick and must not raise

    def _published(self, published: Published) -> None:
        if self._facts is not None and not OF_INTEREST.isdisjoint(map(type, published.events)):
            self._waiting.append(published)
            self._wake.set()

    def _stored(self, stored: Stored) -> None:
        if self._facts is None:
            return
        now, changed = self.clock.elapsed(), {}
        for table, rows in stored.changed.items():
            if rows and table in TABLES:
                channel = self.channels[TABLES[table][0]]
                if channel.is_awake(now):
                    changed[table] = [as_read(row) for row in rows]
                else:
                    channel.skip()
        if changed or stored.missed:
            self._waiting.append((stored.seq, changed, stored.missed))
            self._wake.set()

    # --- what runs while somebody watches

    async def _tell(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            self.tell_waiting()

    def _tell_rows(self, seq: int, changed: dict[str, list[Row]], missed: bool) -> None:
        if missed:  # another process has changed rows: nobody knows which
            for topic, _ in TABLES.values():
                self._anew(self.channels[topic])
        for table, rows in changed.items():
            self.channels[TABLES[table][0]].tell(seq, told_of(self.desk, table, rows))

    def _anew(self, channel: Channel) -> None:
        channel.skip()
        for socket in tuple(channel.watchers):
            task = asyncio.ensure_future(self._resynced(socket, channel))  # type: ignore[arg-type]
            self._resyncs.add(task)
            task.add_done_callback(self._resyncs.discard)

    async def _resynced(self, socket: Socket, channel: Channel) -> None:
        try:
            await self.show(socket, channel, "behind")
        except Problem:
            socket.end(Code.TOO_SLOW, "connect anew")

    def _give_quotes(self, moved: Pieces) -> None:
        """Give everybody theirs; those who want the same have the same, which is made once."""
        made: dict[frozenset[str], Ticks | None] = {}
        for socket in self.sockets:
            wanted = socket.symbols
            if not wanted:
                continue
            if wanted not in made:
                own = {symbol: piece for symbol, piece in moved.items() if symbol in wanted}
                made[wanted] = Ticks(own) if own else None
            found = made[wanted]
            if found is not None:
                socket.offer_quotes(found)

    async def _care(self) -> None:
        """Look after the sockets until nobody has watched for a while."""
        looks = 0
        while self.sockets or any(channel.is_awake(self.clock.elapsed()) for channel in self.channels.values()):
            for socket in tuple(self.sockets):
                self._look_at(socket)
            if looks % LOOKS_PER_BEAT == 0:
                self._tell_system()
                self._beat()
            looks += 1
            await self.clock.sleep_until(UtcNs(self.clock.now() + LOOK_NS))
        self._forget()  # with nothing awaited in between: a socket that comes now finds nothing begun, and begins it

    def _look_at(self, socket: Socket) -> None:
        who = self._identifies.still(socket.who)
        if who is None:
            socket.end(Code.ENDED, "the session or the key has ended")
            return
        socket.who = who
        watched = [*socket.topics, *([QUOTES] if socket.symbols else [])]
        lost = [topic for topic in watched if not may_see(who, topic, self.desk.account)]
        if lost:
            socket.end(Code.NOT_ALLOWED, f"the scope for {', '.join(lost)} is gone")
        socket.look()

    def _beat(self) -> None:
        health = self.desk.health()
        at, now = moment(self.clock.now()), moment(self.desk.now())
        for socket in self.sockets:
            beat = {
                "t": "beat",
                "at": at,
                "now": now,
                "durable_seq": health.durable_seq,
                "shown_seq": health.shown_seq,
                "numbers": {name: channel.n for name, channel in socket.topics.items()},
            }
            socket.offer_beat(msgspec.json.encode(beat).decode())

    def _tell_system(self) -> None:
        channel = self.channels[SYSTEM]
        if channel.watchers and (said := self._system()) != self._said:
            self._said = said
            channel.tell(self.desk.health().shown_seq, {"desk": said})

    def _system(self) -> bytes:
        found = self.desk.health()
        trouble = "" if self._people is None else self._people.trouble
        details = msgspec.structs.asdict(details_of(self.desk, found, trouble))
        del details["now"]  # every beat says it, and it is never the same
        return encoded({"id": "desk", "status": status_of(found, trouble), **details})

    async def _found(self, topic: str) -> Pieces:
        match topic:
            case _ if topic == HALTS:
                return {} if self._facts is None else self._facts.halts()
            case _ if topic == RISK:
                return {}
            case _ if topic == SYSTEM:
                return {"desk": self._system()}
            case _:
                return await read(self.desk, self.clock, topic)

    def _begun(self, work: Coroutine[Any, Any, None]) -> asyncio.Future[None]:
        task = asyncio.ensure_future(work)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Future[None]) -> None:
        """One of the tasks is over: it was let go of, or by a fault, which ends the sockets and nothing else."""
        fault = None if task.cancelled() else task.exception()
        if task not in self._tasks:
            return
        if fault is not None:
            for socket in self.sockets:
                socket.end(Code.FAULT, "a fault of the program, which is in the log")
            asyncio.get_running_loop().call_exception_handler({"message": "the stream failed", "exception": fault})
        self._forget()

    async def _stop(self) -> None:
        tasks = [*self._forget(), *self._resyncs]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self) -> list[asyncio.Future[None]]:
        """Let go of everything that runs; a socket that comes later begins anew."""
        tasks, self._tasks = self._tasks, []
        self._facts = None
        self._waiting.clear()
        for task in tasks:
            task.cancel()
        return tasks
