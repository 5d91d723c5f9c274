"""The journal contract on every store: memory, SQLite, PostgreSQL, MySQL/MariaDB."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL
from tests.journal.databases import fresh_database

from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.journal.connection import line_to
from tradeloop.journal.memory import LEASE_TTL_NS, MemoryJournal, MemoryStore
from tradeloop.journal.patches import upgrade
from tradeloop.journal.sql import SqlJournal
from tradeloop.journal.verify import VerifiableJournal
from tradeloop.testing.journal_contract import JournalContract


class SetClock:
    """A clock that stands where it was put."""

    def __init__(self) -> None:
        self.at = 1_800_000_000 * SECOND_NS

    def now(self) -> UtcNs:
        return UtcNs(self.at)

    def elapsed(self) -> int:
        return self.at

    async def sleep_until(self, due: UtcNs) -> None:
        self.at = max(self.at, due)


class MemoryPlace:
    """A store in memory whose lease runs out by a clock that the test moves."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.clock = SetClock()

    def journal(self, *, read_only: bool = False) -> VerifiableJournal:
        return MemoryJournal(self.store, clock=self.clock, read_only=read_only)

    async def lose_lease(self) -> None:
        self.clock.at += LEASE_TTL_NS

    async def lose_last_row(self) -> None:
        self.store.rows.pop()


class SqlitePlace:
    """A file; its lease can be lost only by deleting the lock file under its holder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def journal(self, *, read_only: bool = False) -> VerifiableJournal:
        return SqlJournal(f"sqlite:///{self.path}", read_only=read_only)

    async def lose_lease(self) -> None:
        self.path.with_name(self.path.name + ".lock").unlink()

    async def lose_last_row(self) -> None:
        await without_the_last_row(f"sqlite:///{self.path}")


class ServerPlace:
    """A database on a server; its lease runs out by the server's clock."""

    def __init__(self, url: URL) -> None:
        self.url = url

    def journal(self, *, read_only: bool = False) -> VerifiableJournal:
        return SqlJournal(self.url, read_only=read_only)

    async def lose_lease(self) -> None:
        line = line_to(self.url)
        try:
            await line.run(lambda c: c.execute(text("UPDATE lease SET expires_at = 0")).close(), "letting the lease run out")
        finally:
            await line.close()

    async def lose_last_row(self) -> None:
        await without_the_last_row(self.url)


async def without_the_last_row(url: str | URL) -> None:
    """The journal as a server knows it that had not got the newest row yet."""
    line = line_to(url)
    try:
        newest = "SELECT newest FROM (SELECT max(batch) AS newest FROM journal) AS rows_there"
        work = text(f"DELETE FROM journal WHERE batch = ({newest})")
        await line.run(lambda c: c.execute(work).close(), "losing a row")
    finally:
        await line.close()


class TestMemory(JournalContract):
    @pytest.fixture
    def place(self) -> MemoryPlace:
        return MemoryPlace()


class TestSqlite(JournalContract):
    @pytest.fixture
    async def place(self, tmp_path: Path) -> SqlitePlace:
        await upgrade(f"sqlite:///{tmp_path}/journal.db")
        return SqlitePlace(tmp_path / "journal.db")


@pytest.mark.postgres
class TestPostgresql(JournalContract):
    @pytest.fixture
    async def place(self) -> AsyncIterator[ServerPlace]:
        async with fresh_database("postgresql") as url:
            await upgrade(url)
            yield ServerPlace(url)


@pytest.mark.mysql
class TestMysql(JournalContract):
    @pytest.fixture
    async def place(self) -> AsyncIterator[ServerPlace]:
        async with fresh_database("mysql") as url:
            await upgrade(url)
            yield ServerPlace(url)
