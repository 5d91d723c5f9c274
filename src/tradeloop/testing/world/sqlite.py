"""The product's own journal in SQLite, on the disk of a simulated machine: `journal/sql.py` to its last statement.

A share of the seeds lives here (`LIVES_ON_SQLITE`). SQLite is real, and so is all of the journal; the world gives the files
(machine.py, through vfs.py), the lock, the thread and the time. A statement happens at one moment of virtual time, after the
delay of a disk; a process that dies meanwhile has done a drawn number of its writes and syncs, and where no other process
lives, the power may go with it, and takes of what was not synced all, a part or nothing.

The judge reads the database with a connection of its own. A row counts as durable from the moment at which no power failure
could take it; what was durable is asked for again after every death. So nothing the journal says of itself is believed.

In half of these seeds the lock of the operating system does not hold (F71): a second process is let in while the first one
writes. The condition on the lease's epoch in the append is then what keeps the first one from writing on.

What this cannot see. PostgreSQL and MySQL/MariaDB: the lease by the server's clock, their commits and fail-overs are played
by `disk.py`, and tested against real servers by tests/journal alone. SQLite's own locks always hold here; without them, on a
network file system, its log is lost whatever we do. Sectors are written whole or not at all (SQLite's "powersafe overwrite").
A process that sleeps between its SendBegun and the send while another is let in: on SQLite the successor takes its predecessor
for dead, which the lock proves and nothing else. Two processes never write at the same instant: a statement is one step. The
compiled way of SQLite to real files (its `unix` VFS) is replaced, and exercised by tests/crash. What somebody puts back wrongly
row by row (F94 to F96) is played on `disk.py`.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

from tradeloop.core.types import SECOND_NS
from tradeloop.journal import patches
from tradeloop.journal.headfile import HeadFile
from tradeloop.ports.journal import Batch
from tradeloop.testing.faults import Fault, Weather
from tradeloop.testing.world.clock import Sundial
from tradeloop.testing.world.disk import MS, STALL_NS, framed
from tradeloop.testing.world.housing import DATABASE, DYING, MachineHost, SqliteHost, SqliteJournal
from tradeloop.testing.world.loop import Timeline, VirtualLoop
from tradeloop.testing.world.machine import Machine
from tradeloop.testing.world.vfs import Vfs, unavailable

LIVES_ON_SQLITE: Final = 16
"""One seed in so many."""
AMONG_THEM: Final = 11
"""Which one: by its number, so that everybody can see whether a seed is of these."""
LOG: Final = "journal.db-wal"
JUDGE: Final = "judge"
LOCK_IS_IGNORED: Final = 0.5
POWER_GOES: Final = 0.5
"""How often the death of the only process is that of its machine."""
OTHERS_READ: Final = 0.5
"""How often somebody else reads the database while a process lives."""
FEW_ACTS: Final = 9
"""So many writes and syncs make up an ordinary commit, and one more."""
TRIES: Final = 12
"""How many bits are flipped until one is met that somebody has to notice."""
AROUND: Final = 1500
"""How far from the hash of a row a bit may flip: within the row, or on its page."""
_COLUMNS: Final = "batch, first_seq, last_seq, epoch, appended_at, prev_hash, hash, payload"
_ROWS: Final = f"SELECT {_COLUMNS} FROM journal WHERE batch > ? ORDER BY batch"  # noqa: S608


def lives_on_sqlite(seed: int) -> bool:
    """Whether this seed lives on the real journal, where this machine can give SQLite a disk of the world."""
    return seed % LIVES_ON_SQLITE == AMONG_THEM


def why_not() -> str:
    """Why no seed can live on the real journal here; empty where they can."""
    return unavailable()


class SqliteDisk:
    """One machine, the database on it, and what the judge sees of both."""

    is_lock = True
    """A lease never runs out here."""
    shows_damage_late = True
    """What was damaged is seen by the journal's last check only, when the lease is taken."""

    def __init__(self, timeline: Timeline, sundial: Sundial, dice: Random, weather: Weather) -> None:
        self.timeline = timeline
        self.weather = weather
        self.machine = Machine(dice)
        self.machine.readers.add(JUDGE)
        self.vfs = Vfs(self.machine, sundial.shown)
        self.machine.put(DATABASE, _empty())
        self.machine.trouble = self._trouble
        self.lets_two_in = dice.random() < LOCK_IS_IGNORED
        """Whether the lock of the operating system does not hold (F71)."""
        self.locked: dict[str, None] = {}
        self.rows: list[Batch] = []
        """What is durable, in the judge's eyes."""
        self.epoch = 0
        self.watch: Callable[..., None] = lambda *rows: None
        self.moment: Callable[[Fault], None] = lambda fault: None
        self.broken: Callable[[int, str], None] = lambda invariant, text: None
        self.took_over: Callable[[str], None] = lambda process: None
        """Called when a process has taken the lease while another one lives."""
        self.note: Callable[[str, str], None] = lambda mark, text: None
        self._living: dict[str, SqliteJournal] = {}
        self._dice = dice
        self._judge: sqlite3.Connection | None = None
        self._waiting: list[Batch] = []
        """Rows that anybody can read, and that a power failure could take."""
        self._full_until = 0
        self._acts_seen = 0
        self._sound: dict[str, bytes] | None = None
        self._backup: tuple[int, dict[str, bytes]] = (0, {})
        self._confirmed = 0
        """How many rows the product has taken for durable."""
        self._is_read = False
        """Whether somebody else has the database open for reading, as `tradeloop orders` does."""

    def journal(self, process: str, loop: VirtualLoop) -> SqliteJournal:
        """The journal of one process."""
        if self.rows and not self._waiting and not self.is_damaged_on_purpose and self._dice.random() < 0.5:
            self._backup = len(self.rows), self._database()
        self._is_read = self._dice.random() < OTHERS_READ
        if self._is_read and not self.is_damaged_on_purpose:
            self._look()
        self._living[process] = journal = SqliteJournal(SqliteHost(self, process, loop))
        return journal

    def leaves(self) -> None:
        """A process is about to close a connection. Where nobody else reads, it is the last, and SQLite tidies up the log."""
        if not self._is_read:
            self.look_away()

    # --- what a disk does to those who write

    def delay(self, *, commits: bool) -> int:
        """How long a statement takes, its syncs with it; and whether the disk is full from now on."""
        if commits and self.weather.strikes(Fault.NO_SPACE):
            self._full_until = self.timeline.now + self._dice.randint(1, 8) * SECOND_NS
        if commits and self.weather.strikes(Fault.FSYNC_STALLS):
            return STALL_NS
        return self._dice.randint(1, 8) * MS

    def _trouble(self, process: str, act: str) -> int:
        if process == JUDGE:
            return errno.EROFS
        if act == "write":
            return errno.ENOSPC if self.timeline.now < self._full_until else 0
        return errno.EIO if self.weather.strikes(Fault.FSYNC_FAILS) else 0

    # --- what the judge sees

    def looked(self, process: str) -> None:
        """Something was done to the database: see what it holds now."""
        if self.vfs.fault is not None:
            raise AssertionError("the world's own file system has failed") from self.vfs.fault
        if self.machine.acts == self._acts_seen or self.is_damaged_on_purpose:
            return
        self._acts_seen = self.machine.acts
        before = self.epoch
        self._look()
        if self.epoch > before and len(self._living) > 1:
            self.took_over(process)

    def committed(self, process: str) -> None:
        """An append has come to its end, and is about to be answered."""
        if self.is_damaged_on_purpose:
            self.broken(33, f"{process} writes on a journal that was damaged")
            self.mend()
        else:
            self._confirmed = max(self._confirmed, len(self.rows) + len(self._waiting))
            self.moment(Fault.KILLED_BEFORE_SEND)

    def look_away(self) -> None:
        """The judge closes its connection, and leaves nothing behind."""
        judge, self._judge = self._judge, None
        if judge is not None:
            judge.close()

    def _ask(self, question: str, *given: int) -> list[Any]:
        """What the database answers the judge; nothing where it cannot be read, which nobody has done on purpose."""
        try:
            if self._judge is None:
                self._judge = self.vfs.connect(JUDGE, DATABASE)
                self._judge.execute("PRAGMA query_only=ON").close()
            return self._judge.execute(question, given).fetchall()
        except sqlite3.Error as error:
            self.broken(33, f"the database cannot be read: {error}")
            return []

    def _look(self) -> None:
        """Rows that can be read now, and the epoch of the lease."""
        for row in (Batch(*row) for row in self._ask(_ROWS, len(self.rows) + len(self._waiting))):
            if row.epoch < self.epoch:
                self.broken(35, f"epoch {row.epoch} wrote batch {row.batch} after epoch {self.epoch} had taken the lease")
            self._waiting.append(row)
        self.epoch = max(self.epoch, *(epoch for (epoch,) in self._ask("SELECT epoch FROM lease")), 0)
        self._settle()

    def _settle(self) -> None:
        """Rows that no power failure can take any more are durable."""
        if not self._waiting:
            return
        database, logs = self.machine.files[DATABASE], self.machine.after_a_cut(LOG)
        if database.is_whole and all(log is None or log.is_whole for log in logs):
            safe = len(self._waiting)
        elif not any((database if log is None else log).unsynced for log in logs):
            # A sync has failed once: what is on the disk has to be read there, under each log that a cut may leave. SQLite does
            # not wait for the name of a log that it has tidied up to be gone, and the old log hides what came after it.
            safe = len(self._waiting)
            for log in logs:
                found = _read({DATABASE: bytes(database.on_disk)} | ({} if log is None else {LOG: bytes(log.on_disk)}))
                there = {row.hash for row in found or ()}
                safe = min(safe, sum(row.hash in there for row in self._waiting))
        else:
            return
        durable, self._waiting = self._waiting[:safe], self._waiting[safe:]
        if durable:
            self.rows.extend(durable)
            self.watch(*durable)

    # --- what a death leaves

    def bereave(self, process: str) -> None:
        """The process is gone, in the middle of whatever it did; maybe its machine with it."""
        journal = self._living[process]
        writer = journal.host.writer
        if writer is not None and writer.jobs:
            self.machine.die_within(process, self._dice.choice((0, self._dice.randint(1, FEW_ACTS), 1 << 30)))
            with suppress(*DYING):
                writer.jobs[0].work()
            writer.jobs.clear()
        self.machine.bury(process)
        journal.abandon()
        self.locked.pop(process, None)
        del self._living[process]
        if self.is_damaged_on_purpose:
            self.look_away()
            return
        if not self._living:
            self.look_away()
            if self._dice.random() < POWER_GOES:
                self._lose_power(process)
        self._look()
        self._compare(process)
        if not self._living:
            self.look_away()  # the next process finds no index of the log, and has to make it

    def _lose_power(self, process: str) -> None:
        if self.machine.lose_power():
            self.weather.meet(Fault.TORN_TAIL)
        self._waiting.clear()
        self.note("!", f"the power goes with {process}")

    def _compare(self, process: str) -> None:
        """What was durable is there, to the last byte, and what was confirmed."""
        there = [Batch(*row) for row in self._ask(_ROWS, 0)]
        if len(there) < self._confirmed:
            self.broken(7, f"batch {len(there) + 1} was confirmed and is gone after the death of {process}")
        self._confirmed = 0
        for row, kept in zip(self.rows, [*there, *[None] * len(self.rows)], strict=False):
            if row != kept:
                became = "is gone" if kept is None else "is another one"
                self.broken(7, f"batch {row.batch} was durable and {became} after the death of {process}")
                return

    # --- what happens to a database

    def fail_over(self) -> list[Batch]:
        """There is no replica."""
        return []

    def flip_a_bit(self) -> bool:
        """A bit of the files goes wrong where a start has to notice it: in a row it reads, or in what SQLite finds it by."""
        if not self._may_be_spoiled():
            return False
        sound = self._database()
        first = max((each[0] for each in _asked(sound, "SELECT batch FROM snapshots") or ()), default=0)
        wanted = [row for row in self.rows if row.batch > first]
        if not wanted:
            return False
        for _ in range(TRIES):
            name = self._dice.choice(sorted(sound))
            near = sound[name].find(self._dice.choice(wanted).hash)
            if near < 0:
                continue
            at = min(max(near + self._dice.randint(-AROUND, AROUND), 0), len(sound[name]) - 1)
            flipped = bytearray(sound[name])
            flipped[at] ^= 1 << self._dice.randrange(8)
            spoiled = sound | {name: bytes(flipped)}
            read = _read(spoiled)
            if read is None or [row for row in read if row.batch > first] != wanted:
                return self._spoil(sound, spoiled)
        return False

    def put_back_an_old_one(self) -> bool:
        """Somebody restores yesterday's database over today's (F60)."""
        count, images = self._backup
        return self._may_be_spoiled() and 0 < count < len(self.rows) and self._spoil(self._database(), images)

    def _may_be_spoiled(self) -> bool:
        """Whether a process could know: where the witness is behind the journal, as after a power failure, nobody does."""
        if self._living or self._waiting or self.is_damaged_on_purpose or not self.rows:
            return False
        seen = HeadFile(Path(f"/{JUDGE}/{DATABASE}"), MachineHost(self.machine, self.vfs, JUDGE)).read()
        return seen is not None and seen.hash == self.rows[-1].hash

    def _database(self) -> dict[str, bytes]:
        """The database and its log, without the witness."""
        return {name: content for name, content in self.machine.images().items() if name in {DATABASE, LOG}}

    def _spoil(self, sound: dict[str, bytes], spoiled: dict[str, bytes]) -> bool:
        self._sound = sound
        self._restore(spoiled)
        return True

    def _restore(self, images: dict[str, bytes]) -> None:
        for name in (DATABASE, LOG):
            if name in self.machine.files and name not in images:
                self.machine.removed(name, for_good=True)
        self.machine.restore(images)

    @property
    def is_damaged_on_purpose(self) -> bool:
        """Whether no process may start on it."""
        return self._sound is not None

    def mend(self) -> None:
        """The right database is put back; whoever still has the wrong one open is let go of first."""
        if self._sound is not None:
            for journal in [*self._living.values()]:
                journal.host.loop.die()
            sound, self._sound = self._sound, None
            self.look_away()
            self._restore(sound)

    def forget_ahead(self) -> bool:
        """Nothing is ever lost that a snapshot could know."""
        return False

    def bytes(self) -> bytes:
        """The whole journal as it can be read in the end."""
        return b"".join(framed(row) for row in self.rows)

    def close(self) -> None:
        """Let go of the memory and of SQLite's ear."""
        self.look_away()
        self.vfs.close()
        self.machine.clear()
        self._backup, self._sound = (0, {}), None


@cache
def _empty() -> bytes:
    """A database with every patch and nothing in it."""
    machine = Machine(Random(0))
    machine.put(DATABASE, b"")
    vfs = Vfs(machine, lambda: 0)
    making = patches.upgrade(f"sqlite:////making/{DATABASE}", None, MachineHost(machine, vfs, "making"))
    try:
        making.send(None)
    except StopIteration:
        return bytes(machine.files[DATABASE].kernel)
    finally:
        making.close()
        vfs.close()
    raise AssertionError("the patches waited for something")


def _read(images: dict[str, bytes]) -> list[Batch] | None:
    """The rows a database of these files has; None when it cannot be read."""
    found = _asked(images, _ROWS, 0)
    return None if found is None else [Batch(*row) for row in found]


def _asked(images: dict[str, bytes], question: str, *given: int) -> list[Any] | None:
    machine = Machine(Random(0))
    machine.restore(images)
    vfs = Vfs(machine, lambda: 0)
    try:
        connection = vfs.connect(JUDGE, DATABASE)
        try:
            return connection.execute(question, given).fetchall()
        finally:
            machine.bury(JUDGE)
            connection.close()
    except sqlite3.Error:
        return None
    finally:
        vfs.close()
