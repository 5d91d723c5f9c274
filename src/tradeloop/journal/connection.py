"""The way to a database: one dedicated thread for SQLite, an asyncio driver for PostgreSQL and MySQL/MariaDB.

Everything above writes its SQL once and runs it through `Line.run`. What a driver or a disk reports becomes
JournalFailed (durability can no longer be promised) or JournalDamaged (what is stored is not what was written), in
one sentence without the password. Nothing is tried again here: whether a statement that failed took effect is not
known, and an fsync that failed once may report success the next time although its pages were dropped
(https://wiki.postgresql.org/wiki/Fsync_Errors).
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal, Protocol, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, Executable, StaticPool, create_engine
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.sql import ClauseElement

from tradeloop.core.errors import BadInput, JournalDamaged, JournalFailed, TradeloopError
from tradeloop.journal.host import MACHINE, Host, Thread

Dialect = Literal["sqlite", "postgresql", "mysql"]
T = TypeVar("T")
Insert = Callable[[Sequence[dict[str, Any]]], Awaitable[int]]
"""Runs one prepared statement for each of some rows, durably and in one transaction; the number of rows it wrote. Fewer than
were given means that none was.
"""
Then = Callable[[dict[str, Any]], None]

BUSY_MS: Final = 10_000
ANSWER_S: Final = 20.0
"""How long a server may take for one statement before the connection counts as lost."""

_DRIVERS: Final = {"postgresql": "postgresql+asyncpg", "mysql": "mysql+aiomysql"}
_SQLITE_REMEDIES: Final = {
    sqlite3.SQLITE_FULL: "free space on the disk, then start again: everything committed before is safe",
    sqlite3.SQLITE_IOERR: "check the disk and its free space, then start again: everything committed before is safe",
    sqlite3.SQLITE_READONLY: "make the file, its folder and the mount writable, then start again",
    sqlite3.SQLITE_BUSY: "another program keeps the database locked; close it, then start again",
    sqlite3.SQLITE_CANTOPEN: "check that the folder exists and may be written by this user",
    sqlite3.SQLITE_PERM: "check that this user may read and write the file",
}
# UnicodeDecodeError: sqlite3 cannot even read the message that says what is damaged.
_SQLITE_ERRORS: Final = (SQLAlchemyError, sqlite3.Error, OSError, UnicodeDecodeError)
_SQLITE_DAMAGE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Line(Protocol):
    """A connection that statements run on."""

    dialect: Dialect
    label: str
    """Where it leads, fit for a message: no password."""

    async def run(self, work: Callable[[Connection], T], what: str) -> T:
        """Run `work`; `what` is the subject of the sentence when it fails."""
        ...

    async def prepare(self, statement: Executable, what: str, then: Then | None = None) -> Insert:
        """Make a statement ready to be run many times, durably each time, by a connection of its own. `then` is called where
        the statement ran, with the values of the last row, when all were written."""
        ...

    async def close(self) -> None:
        """Let go; a second call does nothing."""
        ...


def line_to(
    url: str | URL,
    *,
    read_only: bool = False,
    create: bool = False,
    answer_s: float | None = ANSWER_S,
    host: Host = MACHINE,
) -> Line:
    """The line that `url` asks for. `create` makes a missing SQLite file, readable by its owner alone; `answer_s` is the
    patience with a server in seconds, None for ever; `host` gives a SQLite journal what it stands on."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise BadInput(
            "the database URL was not one; expected sqlite:///FILE, postgresql://USER@HOST/NAME or mysql://USER@HOST/NAME"
        ) from error
    match parsed.get_backend_name():
        case "sqlite":
            if not parsed.database or parsed.database == ":memory:":
                raise BadInput("the journal's SQLite URL named no file; expected for example sqlite:///tradeloop.db")
            sealed = read_only and parsed.query.get("immutable") == "1"
            return SqliteLine(Path(parsed.database), read_only=read_only, create=create, sealed=sealed, host=host)
        case "postgresql":
            return ServerLine(parsed, "postgresql", answer_s)
        case "mysql" | "mariadb":
            return ServerLine(parsed, "mysql", answer_s)
        case other:
            raise BadInput(f"the database was {other!r}; expected sqlite, postgresql or mysql")


class SqliteLine:
    """One SQLite connection that lives in one thread of its own, so that an fsync never waits behind other work.

    WAL with synchronous=FULL: a commit that returned survives a power failure. Readers of other processes go on meanwhile.
    `sealed` is a file that nobody can write while it is read: SQLite then needs no files beside it.
    """

    dialect: Dialect = "sqlite"

    def __init__(
        self, path: Path, *, read_only: bool = False, create: bool = False, sealed: bool = False, host: Host = MACHINE
    ) -> None:
        self.path = path
        self._host = host
        self._how = ("mode=ro&immutable=1" if sealed else "mode=rw") + (f"&vfs={host.vfs}" if host.vfs else "")
        self.label = str(path)
        self._read_only = read_only
        self._create = create
        self._thread: Thread | None = None
        self._closed = False
        self._connection: Connection | None = None

    async def run(self, work: Callable[[Connection], T], what: str) -> T:
        return await self._in_thread(lambda: work(self._connected()), what)

    async def prepare(self, statement: Executable, what: str, then: Then | None = None) -> Insert:
        assert isinstance(statement, ClauseElement)  # for the type checker: every statement is one
        compiled = statement.compile(dialect=sqlite.dialect(paramstyle="named"))
        sql, fixed = str(compiled), {name: value for name, value in compiled.params.items() if value is not None}
        raw = await self._in_thread(self._driver, what)

        def write_all(rows: Sequence[dict[str, Any]]) -> int:
            if len(rows) == 1:
                return raw.execute(sql, fixed | rows[0]).rowcount
            raw.execute("BEGIN IMMEDIATE")
            committed = False
            try:
                if all(raw.execute(sql, fixed | values).rowcount == 1 for values in rows):
                    raw.execute("COMMIT")
                    committed = True
            finally:
                if not committed and raw.in_transaction:
                    raw.rollback()
            return len(rows) if committed else 0

        def write(rows: Sequence[dict[str, Any]]) -> int:
            written = write_all(rows)
            if written and then is not None:
                then(rows[-1])
            return written

        async def insert(rows: Sequence[dict[str, Any]]) -> int:
            return await self._in_thread(lambda: write(rows), what)

        return insert

    async def close(self) -> None:
        self._closed = True
        if (thread := self._thread) is not None:
            self._thread = None
            with told(f"closing {self.label}", _SQLITE_ERRORS):
                await thread.call(self.disconnect)
            thread.end()

    async def _in_thread(self, work: Callable[[], T], what: str) -> T:
        if self._closed:
            raise JournalFailed(f"{what}: {self.label} is closed; open it first")
        if self._thread is None:
            name = "journal reader" if self._read_only else "journal"
            self._thread = self._host.thread(name, (*_SQLITE_ERRORS, TradeloopError))
        with told(f"{what} in {self.label}", _SQLITE_ERRORS):
            return await self._thread.call(work)

    def _connected(self) -> Connection:
        if self._connection is None:
            if not self._host.exists(self.path):
                if not self._create:
                    raise JournalFailed(f"there is no journal at {self.path}; make one with `tradeloop db upgrade`")
                self._host.make(self.path)
            engine = create_engine(
                "sqlite+pysqlite://", creator=self._connect, poolclass=StaticPool, isolation_level="AUTOCOMMIT"
            )
            self._connection = engine.connect()
        return self._connection

    def _driver(self) -> sqlite3.Connection:
        driver = self._connected().connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)  # made by _connect
        return driver

    def _connect(self) -> sqlite3.Connection:
        raw = sqlite3.connect(f"file:{quote(str(self.path))}?{self._how}", uri=True, isolation_level=None)
        try:
            raw.execute(f"PRAGMA busy_timeout={BUSY_MS}")
            raw.execute("PRAGMA foreign_keys=ON")
            raw.execute("PRAGMA cell_size_check=ON")
            if self._read_only:
                raw.execute("PRAGMA query_only=ON")
            else:
                mode = raw.execute("PRAGMA journal_mode=WAL").fetchone()[0]
                if mode != "wal":
                    raise JournalFailed(
                        f"{self.path}: expected SQLite to keep a write-ahead log, was {mode!r}; use a local disk"
                    )
                raw.execute("PRAGMA synchronous=FULL")
                raw.execute("PRAGMA fullfsync=ON")  # macOS: fsync alone does not reach the disk there
                raw.execute("PRAGMA checkpoint_fullfsync=ON")
        except (sqlite3.Error, JournalFailed):
            raw.close()
            raise
        return raw

    def disconnect(self) -> None:
        """Close the connection, in the thread that it lives in."""
        if self._connection is not None:
            self._connection.close()
            self._connection.engine.dispose()
        self._connection = None


class ServerLine:
    """PostgreSQL through asyncpg or MySQL/MariaDB through aiomysql; every statement commits by itself."""

    def __init__(self, url: URL, dialect: Dialect, answer_s: float | None) -> None:
        self.dialect = dialect
        self._answer_s = answer_s
        self.label = f"{dialect}://{url.host or 'localhost'}{f':{url.port}' if url.port else ''}/{url.database or ''}"
        self._errors: tuple[type[Exception], ...] = (SQLAlchemyError, OSError)
        connect: dict[str, Any] = {"connect_timeout": 5, "init_command": "SET time_zone = '+00:00'"}
        try:
            if dialect == "postgresql":
                import asyncpg

                self._errors += (asyncpg.PostgresError, asyncpg.InterfaceError)
                connect = {"timeout": 5}
            self._engine: AsyncEngine | None = create_async_engine(
                url.set(drivername=_DRIVERS[dialect]), isolation_level="AUTOCOMMIT", pool_size=4, connect_args=connect
            )
        except ModuleNotFoundError as error:
            extra = "postgres" if dialect == "postgresql" else "mysql"
            raise BadInput(
                f"{self.label} needs the module {error.name}; install it with: pip install 'tradeloop[{extra}]'"
            ) from error
        self._apart: list[AsyncConnection] = []

    async def run(self, work: Callable[[Connection], T], what: str) -> T:
        engine = self._open(what)
        with told(f"{what} in {self.label}", self._errors):
            async with asyncio.timeout(self._answer_s), engine.connect() as connection:
                return await connection.run_sync(work)

    async def prepare(self, statement: Executable, what: str, then: Then | None = None) -> Insert:
        engine = self._open(what)
        with told(f"{what} in {self.label}", self._errors):
            async with asyncio.timeout(self._answer_s):
                connection = await engine.connect()
        self._apart.append(connection)

        async def write(rows: Sequence[dict[str, Any]]) -> int:
            if len(rows) == 1:
                return (await connection.execute(statement, rows[0])).rowcount
            # The connection commits by itself; in between these two words it does not. One that fails there is not used again.
            await connection.exec_driver_sql("BEGIN")
            for values in rows:
                if (await connection.execute(statement, values)).rowcount != 1:
                    await connection.exec_driver_sql("ROLLBACK")
                    return 0
            await connection.exec_driver_sql("COMMIT")
            return len(rows)

        async def insert(rows: Sequence[dict[str, Any]]) -> int:
            with told(f"{what} in {self.label}", self._errors):
                async with asyncio.timeout(self._answer_s):
                    written = await write(rows)
                if written and then is not None:
                    then(rows[-1])
                return written

        return insert

    async def close(self) -> None:
        if (engine := self._engine) is None:
            return
        self._engine = None
        with told(f"closing {self.label}", self._errors):
            for connection in self._apart:
                await connection.close()
            await engine.dispose()

    def _open(self, what: str) -> AsyncEngine:
        if self._engine is None:
            raise JournalFailed(f"{what}: {self.label} is closed; open it first")
        return self._engine


@contextmanager
def told(what: str, errors: tuple[type[Exception], ...]) -> Iterator[None]:
    """Turns what a driver raises into one sentence: what failed, where, and what to do."""
    try:
        yield
    except errors as error:
        raise _trouble(what, error) from error


_ABSENT: Final = re.compile(r'database "[^"]*" does not exist|Unknown database')
"""How PostgreSQL (3D000) and MySQL (1049) say that a server has no such database."""


def _trouble(what: str, error: Exception) -> JournalFailed | JournalDamaged:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    text = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", None)
        undecodable = code is None and isinstance(cause, sqlite3.OperationalError)  # text that is not UTF-8
        if undecodable:
            text = "a text in it is not UTF-8"  # sqlite3 would print all of it
        if undecodable or (code is not None and code & 0xFF in _SQLITE_DAMAGE):
            return JournalDamaged(f"{what} met a damaged file ({text}); restore it from a backup")
        remedy = _SQLITE_REMEDIES.get((code or 0) & 0xFF, "see the cause, then start again")
        return JournalFailed(f"{what} failed ({text}, {getattr(cause, 'sqlite_errorname', 'no code')}); {remedy}")
    if isinstance(cause, UnicodeDecodeError):
        return JournalDamaged(f"{what} met a damaged file (a text in it is not UTF-8); restore it from a backup")
    if isinstance(cause, TimeoutError):
        text = "no answer in time"
    if _ABSENT.search(text):
        return JournalFailed(f"{what} failed ({text}); create it on the server, empty, or correct database.url")
    return JournalFailed(
        f"{what} failed ({text}); see that the database is up, reachable and lets this user in, then start again"
    )
