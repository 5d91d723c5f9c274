"""What a simulated machine gives the journal of one process: files, a lock, and a thread that lives in virtual time.

The journal is the product's (journal/sql.py) over its own port for this (journal/host.py). A statement is done at one moment,
after the delay of a disk; those of a process that is dead are not done, and those of one that is stopped wait with it.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Generic, Protocol, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from typing_extensions import override

from tradeloop.core.errors import LeaseHeld, TradeloopError
from tradeloop.core.types import SECOND_NS
from tradeloop.journal.connection import SqliteLine
from tradeloop.journal.host import Host, Lock, Thread
from tradeloop.journal.sql import SqlJournal
from tradeloop.ports.journal import Batch
from tradeloop.testing.faults import Fault
from tradeloop.testing.world.loop import Killed, VirtualLoop
from tradeloop.testing.world.machine import File, Machine
from tradeloop.testing.world.vfs import Vfs

T = TypeVar("T")

DATABASE: Final = "journal.db"
DYING: Final = (sqlite3.Error, SQLAlchemyError, OSError, TradeloopError)
"""What a dying process would have raised, and nobody hears."""


class Ground(Protocol):
    """The database that the processes of a world share (sqlite.py)."""

    machine: Machine
    vfs: Vfs
    locked: dict[str, None]
    lets_two_in: bool
    moment: Callable[[Fault], None]

    def delay(self, *, commits: bool) -> int:
        """How long a statement takes."""
        ...

    def looked(self, process: str) -> None:
        """A process has done something to it."""
        ...

    def committed(self, process: str) -> None:
        """An append of a process has come to its end."""
        ...

    def leaves(self) -> None:
        """A process is about to close a connection."""
        ...


class Done(Generic[T]):
    """An answer that is there already."""

    def __init__(self, value: T) -> None:
        self._value = value

    def __await__(self) -> Generator[Any, None, T]:
        """Nothing to wait for."""
        yield from ()
        return self._value


class AtOnce:
    """A thread that does everything while it is asked, before the world begins."""

    def call(self, work: Callable[[], T]) -> Awaitable[T]:
        """What it returns."""
        return Done(work())

    def end(self) -> None:
        """There is nothing to end."""


class Job:
    """Something a connection was asked to do."""

    __slots__ = ("answer", "commits", "work")

    def __init__(self, work: Callable[[], Any], answer: Any, *, commits: bool) -> None:
        self.work, self.answer, self.commits = work, answer, commits


class Worker:
    """The thread of one connection in virtual time: one thing after another, and what writes takes the time of a disk."""

    def __init__(self, host: SqliteHost, errors: tuple[type[Exception], ...], *, writes: bool) -> None:
        self.jobs: deque[Job] = deque()
        self._host, self._errors, self._writes = host, errors, writes
        self._free_at = 0

    def call(self, work: Callable[[], T]) -> Awaitable[T]:
        """What `work` will return or raise, some moments from now. A dead process asks for nothing."""
        loop, disk = self._host.loop, self._host.disk
        if loop.dead:
            raise Killed
        answer = loop.create_future()
        commits, self._host.is_appending = self._writes and self._host.is_appending, False
        self.jobs.append(Job(work, answer, commits=commits))
        if self._writes:
            self._free_at = max(loop.timeline.now, self._free_at) + disk.delay(commits=commits)
            loop.call_at(self._free_at / SECOND_NS, self._do)
        else:
            loop.call_soon(self._do)
        if commits:
            disk.moment(Fault.KILLED_WRITING)
            if loop.dead:
                raise Killed
        return answer

    def end(self) -> None:
        """There is no thread to end."""

    def _do(self) -> None:
        job = self.jobs.popleft()
        value: Any = None
        error: Exception | None = None
        try:
            value = job.work()
        except self._errors as raised:
            error = raised
        disk = self._host.disk
        disk.looked(self._host.process)
        if job.commits and error is None:
            disk.committed(self._host.process)
        if self._host.loop.dead or job.answer.done():
            return
        if error is None:
            job.answer.set_result(value)
        else:
            job.answer.set_exception(error)


class MachineHost(Host):
    """The files of the machine, as one process has them; everything asked of a connection is done at once."""

    def __init__(self, machine: Machine, vfs: Vfs, process: str) -> None:
        self.machine, self.process = machine, process
        self.vfs = vfs.name
        self._open: dict[int, File] = {}

    @override
    def thread(self, name: str, errors: tuple[type[Exception], ...]) -> Thread:
        return AtOnce()

    @override
    def exists(self, path: Path) -> bool:
        return path.name in self.machine.files

    @override
    def read(self, path: Path) -> bytes:
        return bytes(self.machine.opened(path.name, create=False).kernel)

    @override
    def open(self, path: Path) -> int:
        number = len(self._open)
        self._open[number] = self.machine.opened(path.name, create=True)
        return number

    @override
    def write(self, file: int, content: bytes, at: int) -> None:
        self.machine.write(self.process, self._open[file], at, content)

    @override
    def sync(self, file: int) -> None:
        self.machine.sync(self.process, self._open[file])

    @override
    def sync_folder(self, path: Path) -> None:
        self.machine.sync_folder(self.process)

    @override
    def close(self, file: int) -> None:
        """Files are left open; whoever dies lets go of them."""


class SqliteHost(MachineHost):
    """What the machine gives the journal of one process."""

    def __init__(self, disk: Ground, process: str, loop: VirtualLoop) -> None:
        super().__init__(disk.machine, disk.vfs, process)
        self.disk, self.loop = disk, loop
        self.is_appending = False
        """Whether the next thing that is asked of the connection is an append."""
        self.writer: Worker | None = None

    @override
    def thread(self, name: str, errors: tuple[type[Exception], ...]) -> Thread:
        writes = name == "journal"
        worker = Worker(self, errors, writes=writes)
        if writes:
            self.writer = worker
        return worker

    @override
    def lock(self, database: Path) -> Lock:
        return WorldLock(self.disk, self.process)


class WorldLock:
    """The lock of the operating system, where it holds; where it does not, everybody gets it."""

    def __init__(self, disk: Ground, process: str) -> None:
        self._disk, self._process = disk, process

    def take(self, owner: str) -> None:  # noqa: ARG002 - who holds it is known here by the name of the process
        """Take it at once or raise LeaseHeld."""
        others = [process for process in self._disk.locked if process != self._process]
        if others and not self._disk.lets_two_in:
            raise LeaseHeld(f"the journal is being written by {others[0]}; wait until it ends, or stop it first")
        self._disk.locked[self._process] = None

    def stands(self) -> bool:
        """Whether it is held, as far as anybody can see."""
        return self._process in self._disk.locked

    def drop(self) -> None:
        """Let go."""
        self._disk.locked.pop(self._process, None)


class SqliteJournal(SqlJournal):
    """The product's journal, of one process of the world."""

    def __init__(self, host: SqliteHost, *, read_only: bool = False) -> None:
        super().__init__(f"sqlite:////{host.process}/{DATABASE}", read_only=read_only, host=host)
        self.host = host
        self._past: SqliteJournal | None = None

    @property
    def epoch(self) -> int | None:
        """The fencing token it holds."""
        return self._epoch

    def reader(self) -> SqliteJournal:
        """What this process reads the past with, before it asks for the lease."""
        self._past = SqliteJournal(self.host, read_only=True)
        return self._past

    @override
    async def append(self, *batches: Batch) -> None:
        self.host.is_appending = True
        try:
            await super().append(*batches)
        finally:
            self.host.is_appending = False

    @override
    async def close(self) -> None:
        self.host.disk.leaves()
        await super().close()

    def abandon(self) -> None:
        """The process is dead: its connections are gone, and nothing that closing them would do is done."""
        for line in (self._line, self._reader):
            if isinstance(line, SqliteLine):
                with suppress(*DYING):
                    line.disconnect()
        if self._past is not None:
            self._past.abandon()
