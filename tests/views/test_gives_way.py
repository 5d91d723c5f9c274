"""Folding never keeps the engine waiting: not its loop while rows are made, and not for longer than a write takes."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from tests.views.builders import random_story
from tests.views.databases import a_database, dump

from tradeloop.journal.codec import decode
from tradeloop.views import database, projector, sql
from tradeloop.views.errors import ViewsFailed
from tradeloop.views.sql import SqlViews


async def test_everybody_has_a_turn_while_a_large_batch_is_folded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN 12: no pause above 10 ms; a batch of thousands folded in one go was one of hundreds."""
    folded = 0
    real = projector.project

    def counting(*given: object) -> None:
        nonlocal folded
        folded += 1
        real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(sql, "project", counting)
    journal = random_story(7, 600).journal(10_000)
    (row,) = journal.rows
    most = before = 0

    async def watch() -> None:
        nonlocal most, before
        while True:
            most, before = max(most, folded - before), folded
            await asyncio.sleep(0)

    async with a_database("sqlite", tmp_path) as url:
        views = SqlViews(url, decode)
        await views.cursor()
        watching = asyncio.ensure_future(watch())
        assert await views.apply(row.first_seq, row.batch, journal.contents[0], row.appended_at)
        watching.cancel()
        await views.close()
    assert folded == len(journal.contents[0]) > 600
    assert most <= sql.TURN_EVENTS


async def test_a_write_to_sqlite_does_not_wait_for_the_loop_while_it_holds_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal's commits wait for that lock; a loop that is busy deciding would hold them up."""
    threads: list[str] = []
    real = database._in_one_go

    def noting(engine: object, store: object) -> bool:
        threads.append(threading.current_thread().name)
        return real(engine, store)  # type: ignore[arg-type]

    monkeypatch.setattr(database, "_in_one_go", noting)
    journal = random_story(3, 50).journal(20)
    async with a_database("sqlite", tmp_path) as url:
        views = SqlViews(url, decode)
        await views.catch_up(journal)
        await views.close()
    assert threads
    assert threading.main_thread().name not in threads


async def test_many_rows_are_stored_by_several_statements_of_one_transaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Breaking off between two statements leaves nothing of them: rows and cursor are one."""
    monkeypatch.setattr(database, "ROWS_AT_ONCE", 3)
    journal = random_story(5, 200).journal(10_000)
    (row,) = journal.rows
    statements = 0
    real: Any = Connection.execute

    def breaks(self: Connection, *given: object, **named: object) -> object:
        nonlocal statements
        statements += 1
        if statements == 40:
            raise OSError("the disk is gone")
        return real(self, *given, **named)

    async with a_database("sqlite", tmp_path) as url:
        views = SqlViews(url, decode)
        await views.cursor()
        empty = await dump(url)
        with monkeypatch.context() as broken:
            broken.setattr(Connection, "execute", breaks)
            with pytest.raises(ViewsFailed, match="the disk is gone"):
                await views.apply(row.first_seq, row.batch, journal.contents[0], row.appended_at)
        assert await dump(url) == empty
        assert await views.apply(row.first_seq, row.batch, journal.contents[0], row.appended_at)
        in_small_steps = await dump(url)
        await views.close()
    monkeypatch.undo()
    (tmp_path / "again").mkdir()
    async with a_database("sqlite", tmp_path / "again") as url:
        views = SqlViews(url, decode)
        await views.catch_up(journal)
        await views.close()
        assert await dump(url) == in_small_steps
