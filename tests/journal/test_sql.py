"""What the SQL journal does beyond the contract: failures are final and said clearly, and a takeover cannot be passed."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import create_async_engine
from tests.journal.databases import fresh_database

from tradeloop.core.errors import BadInput, JournalDamaged, JournalFailed, StaleEpoch
from tradeloop.journal import codec
from tradeloop.journal.connection import line_to
from tradeloop.journal.lock import FileLock
from tradeloop.journal.patches import upgrade
from tradeloop.journal.sql import LEASE_TTL_NS, LOG_BYTES, SqlJournal
from tradeloop.journal.thread import OneThread
from tradeloop.testing.journal_contract import all_rows, next_batch, written

SERVERS = [
    pytest.param("postgresql", marks=pytest.mark.postgres),
    pytest.param("mysql", marks=pytest.mark.mysql),
]
PASSWORD = "correct-horse"


@asynccontextmanager
async def a_sqlite_journal(folder: Path) -> AsyncIterator[SqlJournal]:
    url = f"sqlite:///{folder}/journal.db"
    await upgrade(url)
    async with opened(url) as journal:
        yield journal


@asynccontextmanager
async def opened(url: str | URL) -> AsyncIterator[SqlJournal]:
    journal = SqlJournal(url)
    await journal.open()
    try:
        yield journal
    finally:
        await journal.close()


async def in_the_journals_own_connection(journal: SqlJournal, sql: str) -> Any:
    assert journal._line is not None
    return await journal._line.run(lambda c: c.execute(text(sql)).scalar(), "by hand")


async def lease_row(url: URL) -> tuple[int, int]:
    """(epoch, expires_at)"""
    line = line_to(url)
    try:

        def read(connection: Connection) -> tuple[int, int]:
            row = connection.execute(text("SELECT epoch, expires_at FROM lease")).one()
            return row.epoch, row.expires_at

        return await line.run(read, "reading the lease")
    finally:
        await line.close()


async def test_a_commit_on_sqlite_waits_for_the_disk(tmp_path: Path) -> None:
    """S0: WAL with synchronous=FULL (2), on the very connection that appends."""
    async with a_sqlite_journal(tmp_path) as journal:
        assert await in_the_journals_own_connection(journal, "PRAGMA journal_mode") == "wal"
        assert await in_the_journals_own_connection(journal, "PRAGMA synchronous") == 2
        assert await in_the_journals_own_connection(journal, "PRAGMA foreign_keys") == 1
        assert await in_the_journals_own_connection(journal, "PRAGMA busy_timeout") == 10_000


async def test_a_full_database_is_one_clear_sentence_and_keeps_what_it_had(tmp_path: Path) -> None:
    """F54."""
    async with a_sqlite_journal(tmp_path) as journal:
        epoch = (await journal.acquire("one")).epoch
        rows = await written(journal, epoch, 2)
        pages = await in_the_journals_own_connection(journal, "PRAGMA page_count")
        await in_the_journals_own_connection(journal, f"PRAGMA max_page_count={pages + 1}")
        with pytest.raises(JournalFailed, match=r"journal\.db failed \(database or disk is full, SQLITE_FULL\); free space"):
            await journal.append(next_batch(codec.head_of(rows[-1]), epoch, 2_000))
        assert await all_rows(journal) == rows


async def test_a_lease_that_could_not_be_taken_for_want_of_space_can_be_taken_later(tmp_path: Path) -> None:
    async with a_sqlite_journal(tmp_path) as journal:
        pages = await in_the_journals_own_connection(journal, "PRAGMA page_count")
        await in_the_journals_own_connection(journal, f"PRAGMA max_page_count={pages}")
        with pytest.raises(JournalFailed, match=r"taking the lease in .* failed .*free space"):
            await journal.acquire("one")
        await in_the_journals_own_connection(journal, "PRAGMA max_page_count=100000")
        await written(journal, (await journal.acquire("one")).epoch, 1)


async def test_after_a_failed_append_nothing_is_tried_again(tmp_path: Path) -> None:
    """F55: an fsync that failed may report success the next time although its pages were dropped, so there is no next time."""
    tries = 0

    async def fails(rows: Sequence[dict[str, Any]]) -> int:
        nonlocal tries
        tries += 1
        raise JournalFailed("the disk said EIO")

    async with a_sqlite_journal(tmp_path) as journal:
        epoch = (await journal.acquire("one")).epoch
        journal._append = fails
        with pytest.raises(JournalFailed, match="the disk said EIO"):
            await journal.append(next_batch(codec.EMPTY, epoch))
        for _ in range(2):
            with pytest.raises(JournalFailed, match="nothing is appended after a failure: the disk said EIO"):
                await journal.append(next_batch(codec.EMPTY, epoch))
    assert tries == 1


async def test_an_append_nobody_waited_for_to_the_end_is_the_last(tmp_path: Path) -> None:
    """Whether it became durable is not known until the journal is opened again; then it is there, whole."""
    async with a_sqlite_journal(tmp_path) as journal:
        epoch = (await journal.acquire("one")).epoch
        row = next_batch(codec.EMPTY, epoch)
        appending = asyncio.ensure_future(journal.append(row))
        await asyncio.sleep(0)
        appending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await appending
        with pytest.raises(JournalFailed, match="append of batch 1 did not come to its end"):
            await journal.append(next_batch(codec.head_of(row), epoch))
        await journal.release()
    async with opened(f"sqlite:///{tmp_path}/journal.db") as journal:
        assert await all_rows(journal) == [row]
        await written(journal, (await journal.acquire("two")).epoch, 1)


async def test_a_second_append_before_the_first_is_durable_is_refused(tmp_path: Path) -> None:
    async with a_sqlite_journal(tmp_path) as journal:
        epoch = (await journal.acquire("one")).epoch
        first = next_batch(codec.EMPTY, epoch)
        appending = asyncio.ensure_future(journal.append(first))
        await asyncio.sleep(0)
        with pytest.raises(JournalFailed):
            await journal.append(next_batch(codec.head_of(first), epoch))
        await appending
        assert await all_rows(journal) == [first]


async def test_the_log_has_its_full_size_before_the_first_append_and_the_file_did_not_grow(tmp_path: Path) -> None:
    """Room for the log is made when the lease is taken; nothing of it is ever part of the journal."""
    async with a_sqlite_journal(tmp_path) as journal:
        pages = await in_the_journals_own_connection(journal, "PRAGMA page_count")
        await journal.acquire("one")
        assert (tmp_path / "journal.db-wal").stat().st_size > LOG_BYTES * 0.98
        assert await in_the_journals_own_connection(journal, "PRAGMA page_count") == pages
        assert await in_the_journals_own_connection(journal, "SELECT count(*) FROM snapshot_parts") == 0
        assert await journal.storage_damage() is None


async def test_a_lease_that_is_held_is_not_taken_twice(tmp_path: Path) -> None:
    async with a_sqlite_journal(tmp_path) as journal:
        await journal.acquire("one")
        with pytest.raises(BadInput, match=r"already holds the lease under epoch \d+; release"):
            await journal.acquire("one")


async def test_a_journal_without_its_lease_row_is_refused(tmp_path: Path) -> None:
    async with a_sqlite_journal(tmp_path) as journal:
        await in_the_journals_own_connection(journal, "DELETE FROM lease RETURNING epoch")
        with pytest.raises(JournalDamaged, match="has no row 'journal' in its table lease"):
            await journal.acquire("one")


async def test_an_epoch_stays_higher_than_every_row_even_if_the_lease_row_was_put_back(tmp_path: Path) -> None:
    """F60: a lease table restored from an old backup must not hand out an epoch that rows already carry."""
    async with a_sqlite_journal(tmp_path) as journal:
        last = 0
        for _ in range(3):
            last = (await journal.acquire("one")).epoch
            await written(journal, last, 1)
            await journal.release()
        await in_the_journals_own_connection(journal, "UPDATE lease SET epoch = 0 RETURNING epoch")
        assert (await journal.acquire("one")).epoch == last + 1


@pytest.mark.parametrize("server", SERVERS)
async def test_a_lease_on_a_server_lasts_its_time_to_live_by_the_servers_clock(server: str) -> None:
    async with fresh_database(server) as url:
        await upgrade(url)
        async with opened(url) as journal:
            holder = await journal.acquire("one")
            epoch, expires_at = await lease_row(url)
            assert (holder.epoch, holder.expires_at) == (epoch, expires_at)
            await journal.renew()
            renewed = (await lease_row(url))[1]
            assert expires_at < renewed < expires_at + LEASE_TTL_NS
            await journal.release()
            assert (await lease_row(url))[1] < renewed


@pytest.mark.parametrize("server", SERVERS)
async def test_an_append_cannot_pass_a_takeover_that_has_begun(server: str) -> None:
    """F70: the append looks at the lease row while another session is changing it; it waits, looks again, and is refused."""
    async with fresh_database(server) as url:
        await upgrade(url)
        other = create_async_engine(url)
        try:
            async with opened(url) as journal:
                epoch = (await journal.acquire("old")).epoch
                async with other.connect() as taking_over:
                    await taking_over.execute(text("UPDATE lease SET epoch = epoch + 1"))
                    appending = asyncio.ensure_future(journal.append(next_batch(codec.EMPTY, epoch)))
                    done, _ = await asyncio.wait([appending], timeout=0.2)
                    assert not done
                    await taking_over.commit()
                with pytest.raises(StaleEpoch):
                    await appending
                assert await all_rows(journal) == []
        finally:
            await other.dispose()


@pytest.mark.postgres
async def test_a_server_that_may_lose_commits_is_refused() -> None:
    async with fresh_database("postgresql") as url:
        await upgrade(url)
        line = line_to(url)
        name = url.database
        await line.run(lambda c: c.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off")).close(), "setting")
        await line.close()
        with pytest.raises(JournalFailed, match=r"may lose what it has confirmed .* set synchronous_commit = on"):
            await SqlJournal(url).open()


@pytest.mark.postgres
async def test_a_connection_that_is_lost_fails_the_append_for_good() -> None:
    async with fresh_database("postgresql") as url:
        await upgrade(url)
        other = create_async_engine(url, isolation_level="AUTOCOMMIT")
        try:
            async with opened(url) as journal:
                epoch = (await journal.acquire("one")).epoch
                rows = await written(journal, epoch, 1)
                others = "datname = current_database() AND pid <> pg_backend_pid()"
                kill = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"
                async with other.connect() as connection:
                    await connection.execute(text(kill))
                with pytest.raises(JournalFailed, match="appending to the journal in postgresql://"):
                    await journal.append(next_batch(codec.head_of(rows[-1]), epoch))
                with pytest.raises(JournalFailed, match="nothing is appended after a failure"):
                    await journal.append(next_batch(codec.head_of(rows[-1]), epoch))
        finally:
            await other.dispose()


@pytest.mark.postgres
async def test_a_server_that_stops_answering_is_given_up() -> None:
    """F68: waiting for ever would leave a writer that neither trades nor stops."""
    async with fresh_database("postgresql") as url:
        line = line_to(url, answer_s=0.2)
        with pytest.raises(JournalFailed, match=r"asking in postgresql://.* failed \(no answer in time\)"):
            await line.run(lambda c: c.execute(text("SELECT pg_sleep(30)")).close(), "asking")
        await line.close()


@pytest.mark.parametrize("backend", ["postgresql", "mysql"])
async def test_a_server_that_does_not_answer_is_named_without_the_password(backend: str) -> None:
    with pytest.raises(JournalFailed) as caught:
        await SqlJournal(f"{backend}://trader:{PASSWORD}@127.0.0.1:9/books").open()
    assert f"opening the journal in {backend}://127.0.0.1:9/books failed" in str(caught.value)
    assert "then start again" in str(caught.value)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("oracle://host/x", "the database was 'oracle'; expected sqlite, postgresql or mysql"),
        (f"not a url with {PASSWORD}", "the database URL was not one"),
        ("sqlite://", "named no file"),
        ("sqlite:///:memory:", "named no file"),
    ],
)
async def test_a_url_that_cannot_hold_a_journal_is_refused(url: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as caught:
        await SqlJournal(url).open()
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(("backend", "module"), [("postgresql", "asyncpg"), ("mysql", "aiomysql")])
async def test_a_driver_that_is_not_installed_is_named(backend: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(BadInput, match=r"install it with: pip install 'tradeloop\["):
        line_to(f"{backend}://u@localhost/x")


async def test_a_snapshot_that_was_not_finished_is_no_snapshot(tmp_path: Path) -> None:
    """F57."""
    async with a_sqlite_journal(tmp_path) as journal:
        await in_the_journals_own_connection(journal, "INSERT INTO snapshot_parts VALUES (6, 0, x'00') RETURNING seq")
        assert await journal.load_snapshots() == []
        await in_the_journals_own_connection(
            journal, "INSERT INTO snapshots VALUES (6, 3, zeroblob(32), 'h', 1, 2) RETURNING seq"
        )
        assert await journal.load_snapshots() == []


async def test_asking_a_journal_that_is_not_open_is_refused(tmp_path: Path) -> None:
    journal = SqlJournal(f"sqlite:///{tmp_path}/journal.db")
    with pytest.raises(JournalFailed, match="not open"):
        await journal.head()
    with pytest.raises(JournalFailed, match="not open"):
        await journal.acquire("one")


async def test_reading_on_from_a_batch_that_is_not_there_is_refused(tmp_path: Path) -> None:
    async with a_sqlite_journal(tmp_path) as journal:
        await written(journal, (await journal.acquire("one")).epoch, 2)
        with pytest.raises(JournalDamaged, match="has no batch 7"):
            await anext(journal.read(7))


async def test_a_database_somebody_else_keeps_locked_fails_the_append(tmp_path: Path) -> None:
    async with a_sqlite_journal(tmp_path) as journal:
        epoch = (await journal.acquire("one")).epoch
        await in_the_journals_own_connection(journal, "PRAGMA busy_timeout=50")
        with closing(sqlite3.connect(tmp_path / "journal.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(JournalFailed, match="another program keeps the database locked"):
                await journal.append(next_batch(codec.EMPTY, epoch))
            other.execute("ROLLBACK")


def test_on_windows_the_lock_says_what_to_use_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(JournalFailed, match="was Windows; keep the journal in PostgreSQL or MySQL"):
        FileLock(tmp_path / "journal.db").take("one")


def test_a_lock_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "journal.db.lock").mkdir()
    with pytest.raises(JournalFailed, match=r"lock file .*journal\.db\.lock could not be opened"):
        FileLock(tmp_path / "journal.db").take("one")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_fault_of_the_program_ends_the_thread_and_leaves_nobody_waiting() -> None:
    zero = 0
    thread = OneThread("journal", (ValueError,))
    calls = [thread.call(lambda: int("no number")), thread.call(lambda: 1 // zero), thread.call(lambda: 1)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(answer) for answer in answers] == [ValueError, JournalFailed, JournalFailed]
    with pytest.raises(JournalFailed, match="has ended"):
        await thread.call(lambda: 1)
    thread.end()
