"""The journal in SQL: one file for SQLite, PostgreSQL and MySQL/MariaDB.

An append is one conditional statement: the row goes in only while the lease row carries our epoch, and the lease row
is read with a lock, so that an append and a takeover cannot pass each other. One that fails is never tried again and
nothing is appended after it: whether it took effect is found out by starting again. Every row is checked against the
one before it whenever it is read.

The lease on a server runs out by the server's clock alone. On SQLite it is a lock of the operating system
(journal/lock.py); the epoch in the table fences off whoever held it before, and a witness beside the file knows how far
the journal had come (journal/headfile.py).

An epoch is at least the minutes since 2020 by the database's clock, so that a journal that was begun anew, or restored
from a backup, does not give out the ids again that its forerunner left in the broker's books.
"""

# size: each statement stands beside what appends, reads or fences by it; whoever changes one has to see the others.

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Connection,
    bindparam,
    delete,
    insert,
    inspect,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.engine import URL

from tradeloop.core.errors import BadInput, JournalDamaged, JournalFailed, LeaseHeld, StaleEpoch
from tradeloop.core.state import EPOCHS
from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.journal import codec, patches
from tradeloop.journal.connection import Dialect, Insert, Line, SqliteLine, line_to
from tradeloop.journal.headfile import HeadFile, Seen
from tradeloop.journal.held import LEASE, SERVER_NOW, TTL_NS, epoch_out_of_range, held_by
from tradeloop.journal.host import MACHINE, Host, Lock
from tradeloop.journal.tables import journal, lease, snapshot_parts, snapshots
from tradeloop.journal.verify import Witness
from tradeloop.journal.wal import find_break
from tradeloop.ports.journal import Batch, Holder, StoredSnapshot

LEASE_TTL_NS: Final = TTL_NS
KEPT_SNAPSHOTS: Final = 3
PART_BYTES: Final = 1 << 20
"""A snapshot is written in parts of this size, so that no commit of the journal waits longer than for one of them."""
PAGE_ROWS: Final = 256
LOG_BYTES: Final = 4 << 20
"""About what SQLite's write-ahead log holds before it begins again: 1,000 pages, its default."""
PACKET_BYTES: Final = 4 << 20
"""What MySQL and MariaDB must take in one statement: a row or a part of a snapshot, in hexadecimal."""
EPOCH_ZERO_NS: Final = 1_577_836_800 * SECOND_NS
"""2020-01-01T00:00:00Z, where the epochs of the clock begin."""
EPOCH_MINUTE_NS: Final = 60 * SECOND_NS
EPOCH_OF_CLOCK_MAX: Final = 42_000_000
"""The minute in 2099 after which a clock is taken to be wrong; ids have room for 60,466,175 epochs."""
_OWNER_MAX: Final = 500

_COLUMNS: Final = [column.name for column in journal.columns]
_TYPES: Final = (int, int, int, int, int, bytes, bytes, bytes)
_APPEND: Final = insert(journal).from_select(
    _COLUMNS,
    select(*(bindparam(f"p_{column.name}", type_=column.type) for column in journal.columns))
    .where(lease.c.name == LEASE, lease.c.epoch == bindparam("p_epoch", type_=BigInteger()))
    .with_for_update(read=True),
)
# Read as text and without types: what the driver gives is what is stored, and a value of another type is found.
_PAGE: Final = text(f"SELECT {', '.join(_COLUMNS)} FROM journal WHERE batch > :after ORDER BY batch LIMIT :rows")  # noqa: S608
_HASH: Final = text("SELECT hash FROM journal WHERE batch = :batch")
_BEFORE: Final = text("SELECT batch FROM journal WHERE batch < 1 LIMIT 1")
_TAIL: Final = text(f"SELECT {', '.join(_COLUMNS)} FROM journal ORDER BY batch DESC LIMIT 2")  # noqa: S608
# What a server must be set to for a commit that returned to survive a power failure: (question, bad answers, remedy).
_DURABLE: Final[dict[Dialect, tuple[str, frozenset[str], str]]] = {
    "sqlite": ("PRAGMA synchronous", frozenset({"0", "1"}), "open it with synchronous=FULL"),
    "postgresql": ("SHOW synchronous_commit", frozenset({"off"}), "set synchronous_commit = on"),
    "mysql": (
        "SELECT @@innodb_flush_log_at_trx_commit",
        frozenset({"0", "2"}),
        "set innodb_flush_log_at_trx_commit = 1",
    ),
}


class SqlJournal:
    """The Journal port on a SQL database, whose tables `patches.upgrade(url)` has made.

    `url` is a SQLAlchemy URL; `read_only` is for questions from another process: it takes no lease, writes nothing, and
    works while a writer holds the lease.
    """

    def __init__(self, url: str | URL, *, read_only: bool = False, host: Host = MACHINE) -> None:
        self._url = url
        self._host = host
        self._read_only = read_only
        self._line: Line | None = None
        self._reader: Line | None = None
        self._append: Insert | None = None
        self._lock: Lock | None = None
        self._file: HeadFile | None = None
        self._epoch: int | None = None
        self._head: codec.Head = codec.EMPTY
        self._why_not = ""
        self.remark = ""
        """What a person should know about the journal that was acquired; empty when there is nothing."""

    async def open(self) -> None:
        """Connect, check the patches, the server's durability and the last rows."""
        line = line_to(self._url, read_only=self._read_only, host=self._host)
        # Reading has a thread of its own on SQLite, so that no commit waits behind a page of an export.
        apart = isinstance(line, SqliteLine) and not self._read_only
        reader = line_to(self._url, read_only=True, host=self._host) if apart else line
        self._line, self._reader = line, reader
        self._file = HeadFile(line.path, self._host) if isinstance(line, SqliteLine) else None
        opened = False
        try:
            if not self._read_only and (broken := self._broken_log()) is not None:
                raise JournalDamaged(broken)
            await line.run(lambda c: _check_schema(c, line), "opening the journal")
            if not self._read_only:  # a reader checks every row it reads; `verify` has to be able to open what is damaged
                await self._check_tail()
                await line.run(lambda c: _check_durable(c, line), "opening the journal")
                self._append = await line.prepare(_APPEND, "appending to the journal", self._note)
                self._lock = self._host.lock(line.path) if isinstance(line, SqliteLine) else None
            opened = True
        finally:
            if not opened:
                await self.close()

    async def acquire(self, owner: str) -> Holder:
        """Take the lease under an epoch higher than any before; LeaseHeld at once while another process has it."""
        line = self._writable("taking the lease")
        if self._epoch is not None:
            raise BadInput(f"this journal already holds the lease under epoch {self._epoch}; release it first")
        if self._lock is not None:
            self._lock.take(owner)
        taken = False
        try:
            seen = self._file.read() if self._file is not None else None
            floor = seen.epoch if seen is not None else 0
            holder = await line.run(lambda c: _take(c, line, owner[:_OWNER_MAX], floor), "taking the lease")
            self._head = await self._check_tail()
            if self._file is not None:
                if seen is None and self._head[0]:
                    self.remark = f"the journal {line.label} was opened as it is: {self._file.absence}"
                self._file.begin(Seen(holder.epoch, *self._head))
            taken = True
        finally:
            if not taken and self._lock is not None:
                self._lock.drop()
        self._epoch, self._why_not = holder.epoch, ""
        return holder

    async def renew(self) -> None:
        """Keep the lease for another LEASE_TTL_NS by the server's clock; StaleEpoch when another epoch has begun, JournalFailed
        when the last row is not there any more: a fail-over to a server that had not got it, or a restore.
        """
        line, epoch = self._writable("renewing the lease"), self._epoch
        head = self._head  # before the question: what is appended meanwhile stands behind it
        if epoch is None or (self._lock is not None and not self._lock.stands()):
            raise self._stale(f"the lease of epoch {epoch} is not held any more")
        if await line.run(lambda c: _extend(c, line, epoch, LEASE_TTL_NS), "renewing the lease") != 1:
            raise self._stale(f"another process has taken over from epoch {epoch}")
        if head[0]:
            rows = await line.run(lambda c: c.execute(_HASH, {"batch": head[0]}).scalars().all(), "renewing the lease")
            if rows != [head[2]]:
                became = "is another one now" if rows else "has gone"
                self._why_not = (
                    f"batch {head[0]} was durable and {became} in {line.label}, as after a fail-over to a server that had not"
                    " got it; this process has to stop, and starting again compares what is left with the broker"
                )
                raise JournalFailed(self._why_not)

    async def release(self) -> None:
        """Give the lease back; the next epoch may begin at once."""
        epoch, self._epoch = self._epoch, None
        if epoch is not None and (line := self._line) is not None:
            try:
                await line.run(lambda c: _extend(c, line, epoch, 0), "releasing the lease")
            finally:
                self._drop()

    async def head(self) -> codec.Head:
        """(batch, last_seq, hash) of the last row, which is checked, also against what the witness has seen."""
        return await self._check_tail()

    async def append(self, *batches: Batch) -> None:
        """Make rows durable, all of them or none. Raises StaleEpoch when another epoch has begun, JournalFailed when they may
        not be durable.
        """
        self._writable("appending to the journal")
        if self._why_not:
            raise JournalFailed(f"nothing is appended after a failure: {self._why_not}")
        head = self._head
        for batch in batches:
            if self._epoch is None or batch.epoch != self._epoch:
                raise StaleEpoch(f"batch {batch.batch} carries epoch {batch.epoch}; this process holds {self._epoch or 'none'}")
            if batch.batch != head[0] + 1 or batch.first_seq != head[1] + 1 or batch.prev_hash != head[2]:
                raise JournalFailed(f"batch {batch.batch} does not follow batch {head[0]}; nothing was written")
            head = codec.head_of(batch)
        assert self._append is not None  # prepared by open, as _writable has seen
        last = batches[-1]
        self._why_not = f"the append of batch {last.batch} did not come to its end"  # true while we wait, and if cancelled
        try:
            written = await self._append([_values(batch) for batch in batches])
        except (JournalFailed, JournalDamaged) as error:
            self._why_not = str(error)
            raise JournalFailed(str(error)) from error
        if written != len(batches):
            raise self._stale(f"batch {last.batch} was refused: epoch {last.epoch} is not the current one any more")
        self._head = head
        self._why_not = ""

    async def read(self, after_batch: int = 0) -> AsyncIterator[Batch]:
        """Rows in order, each checked against the one before; JournalDamaged at the first that does not fit."""
        after = await self._anchor(after_batch)
        while rows := await self._page(after, PAGE_ROWS):
            for values in rows:
                row = _batch(values, after)
                after = codec.follow(after, row)
                yield row
        if await self._read_line().run(lambda c: c.execute(_BEFORE).first(), "reading the journal") is not None:
            raise JournalDamaged(
                f"the journal is damaged at sequence number {after[1] + 1}: a row has a batch number below 1;"
                " restore it from a backup"
            )

    async def save_snapshot(self, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot and the two before it. It counts once its last part is durable; a piece of one is never seen."""
        line = self._writable("saving a snapshot")
        what = "saving a snapshot"
        await line.run(lambda c: _forget(c, snapshot.seq), what)
        for part, start in enumerate(range(0, len(snapshot.payload), PART_BYTES)):
            piece = snapshot.payload[start : start + PART_BYTES]
            row = {"seq": snapshot.seq, "part": part, "payload": piece}
            await line.run(lambda c, row=row: c.execute(insert(snapshot_parts), row).close(), what)  # type: ignore[misc]
        header = {
            "seq": snapshot.seq,
            "batch": snapshot.batch,
            "batch_hash": snapshot.batch_hash,
            "state_hash": snapshot.state_hash,
            "format": snapshot.format,
            "size": len(snapshot.payload),
        }
        await line.run(lambda c: c.execute(insert(snapshots), header).close(), what)
        stored = await line.run(_stored_seqs, what)
        for seq in stored[KEPT_SNAPSHOTS:]:
            await line.run(lambda c, seq=seq: _forget(c, seq), what)  # type: ignore[misc]

    async def load_snapshots(self) -> list[StoredSnapshot]:
        """Kept snapshots, newest first; one whose parts are not all there is left out."""
        return await self._read_line().run(_load, "reading the snapshots")

    async def storage_damage(self) -> str | None:
        """What the database itself finds wrong with its file, or None. SQLite only; servers keep checksums of their own."""
        line = self._read_line()
        if not isinstance(line, SqliteLine):
            return None
        if (broken := self._broken_log()) is not None:
            return broken
        try:
            said = await line.run(lambda c: c.execute(text("PRAGMA integrity_check(1)")).scalar_one(), "checking the file")
        except JournalDamaged as error:
            return str(error)
        return None if said == "ok" else f"{line.label}: SQLite finds the file damaged: {' '.join(str(said).split())}"

    async def lease_damage(self) -> str | None:
        """What the row of the lease says that cannot be, or None."""
        line = self._read_line()
        try:
            seen = self._file.read() if self._file is not None else None
        except JournalDamaged:
            seen = None  # told as a witness that says nothing
        floor = seen.epoch if seen is not None else 0
        return await line.run(lambda c: epoch_out_of_range(line, c, floor), "reading the lease")

    async def witnesses(self) -> tuple[list[Witness], str]:
        """What the file beside the database has seen, and a remark where it says nothing."""
        if self._file is None:
            return [], ""
        try:
            seen = self._file.read()
        except JournalDamaged as error:
            return [], str(error)
        if seen is None:
            return [], self._file.absence
        return [Witness(str(self._file.path), seen.seq, seen.batch, seen.hash)], ""

    async def close(self) -> None:
        """Let go of every connection and of the file lock; the lease of a server runs out by itself."""
        line, reader = self._line, self._reader
        self._line = self._reader = self._append = self._epoch = None
        if reader is not None and reader is not line:
            await reader.close()
        if line is not None:
            await line.close()
        self._drop()

    def _broken_log(self) -> str | None:
        """What SQLite's log has lost, asked where no witness knows better what was committed."""
        if self._file is None or self._file.exists:
            return None
        log = self._file.database.with_name(self._file.database.name + "-wal")
        lost = find_break(log, self._host)
        if lost is None:
            return None
        return (
            f"{log}: frame {lost.frame} fails its checksum although {lost.commits} commits follow it, so they are lost;"
            " restore the journal from a backup"
        )

    def _drop(self) -> None:
        if self._file is not None:
            self._file.drop()
        if self._lock is not None:
            self._lock.drop()

    def _note(self, values: dict[str, Any]) -> None:
        """In the thread of the commit, right after it."""
        if self._file is not None:
            self._file.note(Seen(values["p_epoch"], values["p_batch"], values["p_last_seq"], values["p_hash"]))

    def _writable(self, what: str) -> Line:
        if self._read_only:
            raise JournalFailed(f"{what}: the journal was opened for reading; nothing was written")
        if self._line is None:
            raise JournalFailed(f"{what}: the journal is not open")
        return self._line

    def _read_line(self) -> Line:
        if self._reader is None:
            raise JournalFailed("reading the journal: it is not open")
        return self._reader

    def _stale(self, why: str) -> StaleEpoch:
        self._why_not = why
        return StaleEpoch(f"{why}; this process has to stop")

    async def _page(self, after: codec.Head, rows: int) -> list[Any]:
        """Up to so many rows as the driver gave them; none only at the end."""
        try:
            return await self._read_line().run(
                lambda c: list(c.execute(_PAGE, {"after": after[0], "rows": rows}).all()), "reading the journal"
            )
        except JournalDamaged as error:
            if rows > 1:  # row by row, so that the good ones are handed on and the bad one is named
                return await self._page(after, 1)
            raise JournalDamaged(f"the journal is damaged at sequence number {after[1] + 1}: {error}") from error

    async def _anchor(self, batch: int) -> codec.Head:
        if batch == 0:
            return codec.EMPTY
        rows = await self._page((batch - 1, 0, b""), 1)
        if not rows or rows[0][0] != batch:
            raise JournalDamaged(f"the journal has no batch {batch} to read on from; read it from its beginning")
        return codec.follow(None, _batch(rows[0], None))

    async def _check_tail(self) -> codec.Head:
        # Before the rows: a writer in another process commits first and tells its witness after.
        seen = self._file.read() if self._file is not None else None
        head = await self._last_row()
        if seen is not None and self._file is not None:
            self._file.refuse_lost(seen, head)
        return head

    async def _last_row(self) -> codec.Head:
        rows = await self._read_line().run(lambda c: list(c.execute(_TAIL).all()), "reading the end of the journal")
        if not rows:
            return codec.EMPTY
        tail = [_batch(row, None) for row in rows]
        before = codec.EMPTY if len(tail) == 1 else codec.head_of(tail[1])
        head = codec.follow(before, tail[0])
        codec.check_format(tail[0].payload, f"batch {tail[0].batch} of {self._read_line().label}")
        return head


def _values(batch: Batch) -> dict[str, Any]:
    return {
        "p_batch": batch.batch,
        "p_first_seq": batch.first_seq,
        "p_last_seq": batch.last_seq,
        "p_epoch": batch.epoch,
        "p_appended_at": batch.appended_at,
        "p_prev_hash": batch.prev_hash,
        "p_hash": batch.hash,
        "p_payload": batch.payload,
    }


def _batch(row: Any, after: codec.Head | None) -> Batch:
    """A row as the driver gave it, when every column has the type it was written with."""
    if tuple(map(type, row)) == _TYPES:
        return Batch(*row)
    place = f"sequence number {after[1] + 1}" if after is not None else f"batch {row[0]!r}"
    raise JournalDamaged(
        f"the journal is damaged at {place}: a column holds another type than was written; restore it from a backup"
    )


def _check_schema(connection: Connection, line: Line) -> None:
    lines = patches.standing(connection, patches.patches(line.dialect))
    patches.refuse_strange(lines, line.label)
    pending = [one.name for one in lines if one.state is patches.PatchState.PENDING]
    if pending and len(pending) == len(lines) and inspect(connection).has_table(journal.name):
        raise JournalFailed(
            f"{line.label} has no record of its schema patches; record them with `tradeloop db upgrade`, which makes what is"
            " missing and harms nothing that is there"
        )
    if pending:
        raise JournalFailed(f"the schema of {line.label} lacks {', '.join(pending)}; apply it with `tradeloop db upgrade`")


def _check_durable(connection: Connection, line: Line) -> None:
    question, bad, remedy = _DURABLE[line.dialect]
    answer = str(connection.execute(text(question)).scalar_one())
    if answer in bad:
        raise JournalFailed(f"{line.label} may lose what it has confirmed ({question} was {answer}); {remedy}")
    if line.dialect == "mysql":
        packet = int(connection.execute(text("SELECT @@max_allowed_packet")).scalar_one())
        if packet < PACKET_BYTES:
            raise JournalFailed(
                f"{line.label} takes statements of {packet} bytes at most, expected {PACKET_BYTES};"
                f" set max_allowed_packet = {PACKET_BYTES} or more, then connect again"
            )


def _clock_epoch(now_ns: int) -> int:
    """Minutes since 2020; 0 from a clock that is plainly wrong."""
    minutes = (now_ns - EPOCH_ZERO_NS) // EPOCH_MINUTE_NS
    return minutes if 0 < minutes < EPOCH_OF_CLOCK_MAX else 0


def _take(connection: Connection, line: Line, owner: str, floor: int) -> Holder:
    """Compare and swap on the lease row: who sees another epoch than the one it read has lost the race."""
    if line.dialect == "sqlite":
        _prepare_log(connection)
    now = connection.execute(text(SERVER_NOW[line.dialect])).scalar_one()
    held = connection.execute(select(lease).where(lease.c.name == LEASE)).one_or_none()
    if held is None:
        raise JournalDamaged(
            f"{line.label} has no row {LEASE!r} in its table lease; put it back with epoch 0 and an empty owner, or restore it"
        )
    written = connection.execute(text("SELECT epoch FROM journal ORDER BY batch DESC LIMIT 1")).scalar_one_or_none()
    known = held.epoch if isinstance(held.epoch, int) else -1
    epoch = max(max(known, written or 0, floor) + 1, _clock_epoch(now))
    if known < 0 or epoch >= EPOCHS:
        raise JournalDamaged(epoch_out_of_range(line, connection, floor) or f"{line.label} has no epoch left for another start")
    until = now + LEASE_TTL_NS if line.dialect != "sqlite" else 0
    swap = update(lease).where(lease.c.name == LEASE, lease.c.epoch == held.epoch)
    if line.dialect != "sqlite":  # there whoever has the lock of the file is alone, whatever the row says
        swap = swap.where(or_(lease.c.expires_at <= now, lease.c.expires_at > now + LEASE_TTL_NS))
    if connection.execute(swap.values(owner=owner, epoch=epoch, expires_at=until)).rowcount != 1:
        holder = connection.execute(select(lease).where(lease.c.name == LEASE)).one()
        raise LeaseHeld(held_by(line, holder, now))
    return Holder(owner, epoch, UtcNs(until) if until else None)


def _prepare_log(connection: Connection) -> None:
    """Make SQLite's write-ahead log safe to trust and quick to write."""
    # After a failed fsync the log may be readable and yet not on the disk; a checkpoint writes what it says there anew.
    connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)").close()
    # A commit into blocks that exist costs half of one that lets the file grow (measured: 140 against 240 microseconds), so let
    # it grow now: a write too large for the cache goes into the log before it is rolled back, and its frames count for nothing.
    cache = connection.exec_driver_sql("PRAGMA cache_size").scalar_one()
    connection.exec_driver_sql("PRAGMA cache_size=16").close()
    connection.exec_driver_sql("BEGIN IMMEDIATE").close()
    try:
        connection.exec_driver_sql("INSERT INTO snapshot_parts VALUES (-1, -1, zeroblob(?))", (LOG_BYTES,)).close()
    finally:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.rollback()  # harmless when a full disk has rolled it back already
        connection.exec_driver_sql(f"PRAGMA cache_size={cache}").close()


def _extend(connection: Connection, line: Line, epoch: int, ttl_ns: int) -> int:
    now = connection.execute(text(SERVER_NOW[line.dialect])).scalar_one()
    until = now + ttl_ns if line.dialect != "sqlite" else 0
    ours = update(lease).where(lease.c.name == LEASE, lease.c.epoch == epoch)
    return connection.execute(ours.values(expires_at=until)).rowcount


def _stored_seqs(connection: Connection) -> list[int]:
    return list(connection.execute(select(snapshots.c.seq).order_by(snapshots.c.seq.desc())).scalars())


def _forget(connection: Connection, seq: int) -> None:
    """The header first: without it the parts are no snapshot. Then part by part, for the sake of the commits in between."""
    connection.execute(delete(snapshots).where(snapshots.c.seq == seq)).close()
    parts = connection.execute(select(snapshot_parts.c.part).where(snapshot_parts.c.seq == seq)).scalars().all()
    for part in parts:
        one = delete(snapshot_parts).where(snapshot_parts.c.seq == seq, snapshot_parts.c.part == part)
        connection.execute(one).close()


def _load(connection: Connection) -> list[StoredSnapshot]:
    found = []
    for head in connection.execute(select(snapshots).order_by(snapshots.c.seq.desc())).all():
        parts = select(snapshot_parts.c.payload).where(snapshot_parts.c.seq == head.seq).order_by(snapshot_parts.c.part)
        payload = b"".join(connection.execute(parts).scalars())
        if len(payload) == head.size:
            found.append(
                StoredSnapshot(
                    seq=head.seq,
                    batch=head.batch,
                    batch_hash=head.batch_hash,
                    state_hash=head.state_hash,
                    format=head.format,
                    payload=payload,
                )
            )
    return found
