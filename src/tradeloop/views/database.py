"""The way of the read models to their database: the journal's own, on connections that never hold it up.

On SQLite a write takes the lock at its beginning, when its rows are ready, and gives it back at its end without an fsync:
losing the last rows to a power failure loses their cursor with them, and they are folded again. It runs in a thread of its
own from beginning to end: the journal's commits wait for that lock, and must not wait for a loop that is busy deciding.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar
from urllib.parse import quote

import msgspec
from sqlalchemy import Connection, Engine, Insert, Select, Table, create_engine, delete, event, select, update
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from tradeloop.views.errors import ViewsFailed
from tradeloop.views.rows import CursorRow, Row
from tradeloop.views.tables import ROW_TYPES, view_cursors

R = TypeVar("R", bound=Row)

BUSY_MS: Final = 10_000
IDS_AT_ONCE: Final = 500
"""Ids in one IN list; SQLite allows 32,766 parameters, the others more."""
ROWS_AT_ONCE: Final = 100
"""Rows read or written by one statement: making them holds the loop, for a millisecond or two."""

_DRIVERS: Final = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "mysql": "mysql+aiomysql",
    "mariadb": "mysql+aiomysql",
}
_FAILURES: Final = (SQLAlchemyError, OSError)
_READ_ONLY: Final = "attempt to write a readonly database"
"""SQLite's words for a medium that may only be read, where a process that was killed left something to be written."""


class Moment:
    """The tables as they stood at one moment; given by `Database.moment`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def rows(self, statement: Select[Any], kind: type[R]) -> list[R]:
        """The rows of a select over one whole table."""
        return [kind(**row) for row in (await self._connection.execute(statement)).mappings()]

    async def ids(self, table: Table, at_once: int) -> AsyncIterator[list[str]]:
        """Every id of a table, in the order of its database."""
        last: str | None = None
        while True:
            page = select(table.c.id).order_by(table.c.id).limit(at_once)
            found = await self._connection.execute(page if last is None else page.where(table.c.id > last))
            ids = [str(each) for each in found.scalars()]
            if not ids:
                return
            yield ids
            last = ids[-1]

    async def known(self, table: Table, ids: Sequence[str]) -> list[str]:
        """Those of `ids` that the table has."""
        found = await self._connection.execute(select(table.c.id).where(table.c.id.in_(ids)))
        return [str(each) for each in found.scalars()]


class Database:
    """Reads rows as structs, and writes what a fold changed together with its cursor."""

    def __init__(self, url: str | URL) -> None:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
        if backend not in _DRIVERS:
            raise ViewsFailed(f"the database was {backend!r}; expected sqlite, postgresql or mysql")
        file = parsed.database if backend == "sqlite" else None
        self.label = file or parsed.render_as_string(hide_password=True)
        if file and parsed.query.get("immutable") == "1":  # on a medium that nobody can write
            parsed = parsed.set(database=f"file:{quote(file)}", query={"mode": "ro", "immutable": "1", "uri": "true"})
        options: dict[str, Any] = {} if backend == "sqlite" else {"pool_pre_ping": True}
        self._engine: AsyncEngine = create_async_engine(parsed.set(drivername=_DRIVERS[backend]), pool_size=4, **options)
        self._apart: Engine | None = None  # for writes in a thread
        if backend == "sqlite":
            self._apart = create_engine(parsed.set(drivername="sqlite+pysqlite"))
            for engine in (self._engine.sync_engine, self._apart):
                event.listen(engine, "connect", _set_up_sqlite)
                event.listen(engine, "begin", _begin_sqlite)
        self._upserts: dict[str, Insert] = {}

    async def close(self) -> None:
        """Let go of every connection; a second call does nothing."""
        await self._engine.dispose()
        if self._apart is not None:
            self._apart.dispose()

    async def rows(self, statement: Select[Any], kind: type[R]) -> list[R]:
        """The rows of a select over one whole table."""
        async with self._told("reading"), self._engine.connect() as connection:
            return [kind(**row) for row in (await connection.execute(statement)).mappings()]

    async def counted(self, statement: Select[Any]) -> list[tuple[Any, ...]]:
        """The rows of a select that counts."""
        async with self._told("counting"), self._engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(statement)]

    async def rows_by_id(self, table: Table, ids: Sequence[str], kind: type[R]) -> list[R]:
        """The rows with these ids, as many as there are."""
        found: list[R] = []
        for start in range(0, len(ids), ROWS_AT_ONCE):
            part = ids[start : start + ROWS_AT_ONCE]
            found += await self.rows(select(table).where(table.c.id.in_(part)), kind)
        return found

    @asynccontextmanager
    async def moment(self) -> AsyncIterator[Moment]:
        """Reads that all see the same moment, however long they last and whoever writes meanwhile."""
        # SQLite's transactions see one moment anyway, in WAL.
        options = {} if self._engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
        async with self._told("reading"), self._engine.connect() as connection:
            reader = await connection.execution_options(**options)
            async with reader.begin():
                yield Moment(reader)

    async def cursor(self, name: str) -> CursorRow | None:
        """How far the fold called `name` has come; None where it has never begun."""
        found = await self.rows(select(view_cursors).where(view_cursors.c.id == name), CursorRow)
        return found[0] if found else None

    async def begin_cursor(self, cursor: CursorRow) -> None:
        """Make a cursor where there is none; one that another process made meanwhile stays."""
        async with self._writing() as connection:
            there = select(view_cursors.c.id).where(view_cursors.c.id == cursor.id)
            if (await connection.execute(there)).first() is None:
                await connection.execute(self._upsert(view_cursors), [msgspec.structs.asdict(cursor)])

    async def write(
        self,
        changes: Sequence[tuple[Table, Sequence[Row], Sequence[str]]],
        before: CursorRow,
        after: CursorRow,
    ) -> bool:
        """Store rows and move the cursor, all or nothing; False where the cursor no longer stands at `before`."""
        move = (
            update(view_cursors)
            .where(
                view_cursors.c.id == before.id,
                view_cursors.c.batch == before.batch,
                view_cursors.c.clearing == before.clearing,
                view_cursors.c.projection == before.projection,
            )
            .values(msgspec.structs.asdict(after))
        )

        def store(connection: Connection) -> bool:
            if connection.execute(move).rowcount != 1:
                return False
            for table, rows, gone in changes:
                for start in range(0, len(gone), IDS_AT_ONCE):
                    connection.execute(delete(table).where(table.c.id.in_(gone[start : start + IDS_AT_ONCE])))
                for start in range(0, len(rows), ROWS_AT_ONCE):
                    values = [msgspec.structs.asdict(row) for row in rows[start : start + ROWS_AT_ONCE]]
                    connection.execute(self._upsert(table), values)
            return True

        if self._apart is not None:
            async with self._told("writing"):
                return await asyncio.to_thread(_in_one_go, self._apart, store)
        async with self._writing() as connection:
            return await connection.run_sync(store)

    async def clear(self, table: Table) -> None:
        """Delete every row of a table, a bounded number per transaction, so that nobody waits long for the lock."""
        while True:
            async with self._told("reading"), self._engine.connect() as connection:
                ids = (await connection.execute(select(table.c.id).limit(IDS_AT_ONCE))).scalars().all()
            if not ids:
                return
            async with self._writing() as connection:
                await connection.execute(delete(table).where(table.c.id.in_(ids)))

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        async with self._told("writing"), self._engine.connect() as connection:
            writer = await connection.execution_options(tradeloop_writes=True)
            async with writer.begin():
                yield writer

    @asynccontextmanager
    async def _told(self, what: str) -> AsyncIterator[None]:
        try:
            yield
        except _FAILURES as error:
            cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
            text = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
            if _READ_ONLY in text:
                then = "mount its disk for writing, or copy its folder to one that can be written and give that as --home"
            else:
                then = "see that the database is there and upgraded (`tradeloop db status`), then `tradeloop db rebuild`"
            raise ViewsFailed(f"{what} read models in {self.label} failed ({text}); {then}") from error

    def _upsert(self, table: Table) -> Insert:
        """INSERT that overwrites the row of the same id; each dialect has its own words for it."""
        statement = self._upserts.get(table.name)
        if statement is None:
            others = [field for field in ROW_TYPES[table.name].__struct_fields__ if field != "id"]
            match self._engine.dialect.name:
                case "sqlite":
                    lite = sqlite.insert(table)
                    statement = lite.on_conflict_do_update(
                        index_elements=["id"], set_={name: lite.excluded[name] for name in others}
                    )
                case "postgresql":
                    post = postgresql.insert(table)
                    statement = post.on_conflict_do_update(
                        index_elements=["id"], set_={name: post.excluded[name] for name in others}
                    )
                case _:
                    my = mysql.insert(table)
                    statement = my.on_duplicate_key_update({name: my.inserted[name] for name in others})
            self._upserts[table.name] = statement
        return statement


def _in_one_go(engine: Engine, store: Callable[[Connection], bool]) -> bool:
    with engine.connect() as connection:
        writer = connection.execution_options(tradeloop_writes=True)
        with writer.begin():
            return store(writer)


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # `_begin_sqlite` says when a transaction begins
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("tradeloop_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
