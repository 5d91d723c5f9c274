"""The way of the access store to its database: a SQLite file for its owner alone, or tables on the journal's server.

A commit that returned survives a power failure. A change goes in only while the store stands at the version that its writer has
seen, so that two processes never overwrite each other's changes. What is deleted is overwritten in the file (secure_delete).
"""

from __future__ import annotations

import asyncio
import logging
import os
import shlex
import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Connection, delete, event, insert, select, text, update
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from tradeloop.access.records import FORMAT, KINDS, Entry, Record
from tradeloop.access.refusals import StoreFailed
from tradeloop.access.tables import access_log, access_records, access_store, metadata
from tradeloop.core.errors import BadInput, JournalDamaged

T = TypeVar("T")

BUSY_MS: Final = 10_000
ANSWER_S: Final = 10.0
LOG_MAX: Final = 100_000
"""Lines of the log that are kept: whoever goes on trying fills no disk, and the oldest go."""
_STORE: Final = "access"
_OPEN: Final = 0o077
_DRIVERS: Final = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "mysql": "mysql+aiomysql",
    "mariadb": "mysql+aiomysql",
}
# Two processes that start at once make the tables one after the other; on SQLite the lock of writing does it.
_ALONE: Final = {
    "postgresql": "SELECT pg_advisory_xact_lock(hashtext('tradeloop.access'))",
    "mysql": "DO GET_LOCK(LEFT(CONCAT('tradeloop.access.', DATABASE()), 64), 60)",
}
_TOGETHER: Final = {"mysql": "DO RELEASE_LOCK(LEFT(CONCAT('tradeloop.access.', DATABASE()), 64))"}


class Found(msgspec.Struct, frozen=True):
    """All of the store at one moment."""

    version: int
    log_lines: int
    records: tuple[Record, ...]


class Written(msgspec.Struct, frozen=True):
    """One change: what is put, what is dropped, and what the log says of it, all or nothing."""

    puts: Sequence[Record]
    drops: Sequence[Record]
    entries: Sequence[Entry]


class AccessDatabase:
    """The tables at `url`; a SQLite file is made where there is none."""

    def __init__(self, url: str | URL) -> None:
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise BadInput("the URL of the access store was not one; expected for example sqlite:///access.db") from None
        backend = parsed.get_backend_name()
        if backend not in _DRIVERS:
            raise BadInput(f"the database of the access store was {backend!r}; expected sqlite, postgresql or mysql")
        if backend == "sqlite" and not parsed.database:
            raise BadInput("the SQLite URL of the access store named no file; expected for example sqlite:///access.db")
        self.path = Path(parsed.database) if backend == "sqlite" and parsed.database else None
        self.label = str(self.path) if self.path else f"{backend}://{parsed.host or 'localhost'}/{parsed.database or ''}"
        options: dict[str, Any] = {"pool_size": 2, "hide_parameters": True}
        if self.path is None:
            options |= {"pool_pre_ping": True, "isolation_level": "REPEATABLE READ"}
        _quiet_driver()
        self._errors: tuple[type[BaseException], ...] = (SQLAlchemyError, OSError)
        try:
            if backend == "postgresql":
                import asyncpg

                self._errors += (asyncpg.PostgresError, asyncpg.InterfaceError)  # raised as they are while it connects
            self._engine: AsyncEngine = create_async_engine(parsed.set(drivername=_DRIVERS[backend]), **options)
        except ModuleNotFoundError as error:
            extra = "postgres" if backend == "postgresql" else "mysql"
            raise BadInput(
                f"{self.label} needs the module {error.name}; install it with: pip install 'tradeloop[{extra}]'"
            ) from None
        if self.path is not None:
            event.listen(self._engine.sync_engine, "connect", _set_up_sqlite)
            event.listen(self._engine.sync_engine, "begin", _begin_sqlite)

    async def open(self) -> None:
        """Make what is missing. Raises BadInput where others may read the file, JournalDamaged for a newer format."""
        if self.path is not None:
            await asyncio.to_thread(_make_and_judge, self.path)
        async with self._writing("opening") as connection:
            name = connection.dialect.name
            if name in _ALONE:
                await connection.execute(text(_ALONE[name]))
            try:
                await connection.run_sync(metadata.create_all)
                there = (await connection.execute(select(access_store.c.format))).scalar_one_or_none()
                if there is None:
                    first = {"id": _STORE, "format": FORMAT, "version": 0, "log_lines": 0}
                    await connection.execute(insert(access_store), first)
                await connection.commit()
            finally:
                if name in _TOGETHER:
                    await connection.execute(text(_TOGETHER[name]))
        self._refuse_newer(FORMAT if there is None else int(there))

    async def version(self) -> int:
        """At which version the store stands."""
        async with self._reading() as connection:
            return int((await connection.execute(select(access_store.c.version))).scalar_one())

    async def read(self) -> Found:
        """All of it, as it stood at one moment. Raises JournalDamaged where a row is none of ours."""
        async with self._reading() as connection:
            head = (await connection.execute(select(access_store))).one()
            self._refuse_newer(head.format)
            rows = (await connection.execute(select(access_records))).all()
        return Found(head.version, head.log_lines, tuple(self._record(row.kind, row.id, row.body) for row in rows))

    async def write(self, seen: Found, change: Written) -> bool:
        """Have a change in, durably; False, and nothing of it, where the store no longer stands where `seen` was read."""
        lines = seen.log_lines + len(change.entries)
        step = (
            update(access_store)
            .where(access_store.c.version == seen.version, access_store.c.format == FORMAT)
            .values(version=seen.version + 1, log_lines=lines)
        )

        def store(connection: Connection) -> bool:
            if connection.execute(step).rowcount != 1:
                return False
            for record in (*change.drops, *change.puts):
                here = (access_records.c.kind == record.kind) & (access_records.c.id == record.id)
                connection.execute(delete(access_records).where(here))
            if change.puts:
                rows = [{"kind": each.kind, "id": each.id, "body": _body(each)} for each in change.puts]
                connection.execute(insert(access_records), rows)
            if change.entries:
                connection.execute(insert(access_log), [msgspec.structs.asdict(each) for each in change.entries])
                connection.execute(delete(access_log).where(access_log.c.number <= lines - LOG_MAX))
            return True

        async with self._writing("writing") as connection:
            done = await connection.run_sync(store)
            await (connection.commit() if done else connection.rollback())
        return done

    async def log(self, newest: int, before: int | None, what: str | None = None, who: str | None = None) -> list[Entry]:
        """The newest lines of the log, those before the line `before` where it is given; the newest first. `who`: by them or
        about them.
        """
        asked = select(access_log).order_by(access_log.c.number.desc()).limit(newest)
        if before is not None:
            asked = asked.where(access_log.c.number < before)
        if what is not None:
            asked = asked.where(access_log.c.what == what)
        if who is not None:
            asked = asked.where((access_log.c.who == who) | (access_log.c.subject == who))
        async with self._reading() as connection:
            return [Entry(**row) for row in (await connection.execute(asked)).mappings()]

    async def close(self) -> None:
        """Let go of every connection; a second call does nothing."""
        await self._engine.dispose()

    def _record(self, kind: str, name: str, body: str) -> Record:
        try:
            record = msgspec.json.decode(body, type=KINDS[kind])
        except (KeyError, msgspec.MsgspecError):
            record = None
        if record is None or record.id != name:
            raise JournalDamaged(
                f"{self.label} holds a {kind[:16]!r} of id {name[:40]!r} that can not be read; restore it from a backup"
            )
        return record

    def _refuse_newer(self, found: int) -> None:
        if found != FORMAT:
            raise JournalDamaged(
                f"{self.label} has format {found}, and this version of tradeloop knows {FORMAT}; run the version that wrote it,"
                " or a newer one"
            )

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        with _told(f"reading users and keys in {self.label}", self._errors):
            async with asyncio.timeout(ANSWER_S), self._engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def _writing(self, what: str) -> AsyncIterator[AsyncConnection]:
        with _told(f"{what} users and keys in {self.label}", self._errors):
            async with asyncio.timeout(ANSWER_S + BUSY_MS / 1000), self._engine.connect() as connection:
                # A server lets the later of two writers see what the earlier one did, and its step then fits no more.
                options = {"tradeloop_writes": True} if self.path else {"isolation_level": "READ COMMITTED"}
                yield await connection.execution_options(**options)


def _body(record: Record) -> str:
    return msgspec.json.encode(record).decode()


class _told:  # noqa: N801  # read as a word, as in `with _told(...)`
    """Turns what a driver raises into one sentence; no value of a row is in it."""

    def __init__(self, what: str, errors: tuple[type[BaseException], ...]) -> None:
        self._what, self._errors = what, errors

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, self._errors):
            return
        cause: BaseException = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        said = "no answer in time" if isinstance(cause, TimeoutError) else _named(cause)
        raise StoreFailed(f"{self._what} failed ({said}); see that the disk or the server is there, then try again") from None


def _quiet_driver() -> None:
    """At DEBUG it logs every statement with its values."""
    driver = logging.getLogger("aiosqlite")
    if driver.level < logging.INFO:
        driver.setLevel(logging.INFO)


def _named(cause: BaseException) -> str:
    """What a driver calls it: a server's own words may hold what was written."""
    name = getattr(cause, "sqlite_errorname", None) or type(cause.__cause__ or cause).__name__
    number = cause.args[0] if cause.args and isinstance(cause.args[0], int) else None
    return str(name) if number is None else f"{name} {number}"


def _make_and_judge(path: Path) -> None:
    try:
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            if os.name != "nt" and (mode := stat.S_IMODE(path.stat().st_mode)) & _OPEN:
                raise BadInput(
                    f"{path} holds users and keys and its mode was {mode:04o}; expected 0600: others may have read it, so see"
                    f" who could, then run: chmod 600 {shlex.quote(str(path))}"
                ) from None
    except OSError as error:
        raise StoreFailed(f"{path} can not be opened ({error.strerror or error}); see its folder and rights") from None


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # `_begin_sqlite` says when a transaction begins
    cursor = connection.cursor()
    for pragma in (f"busy_timeout={BUSY_MS}", "journal_mode=WAL", "synchronous=FULL", "fullfsync=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("tradeloop_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
