"""The first start in a database: whatever ended one before its tables were all made, the next one makes the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import URL, make_url
from tests.journal.databases import fresh_database

from tradeloop.bootstrap import is_new
from tradeloop.bootstrap.database import prepare_database
from tradeloop.config import Loaded, find_home, load
from tradeloop.journal import patches
from tradeloop.journal.connection import Dialect, line_to
from tradeloop.journal.patches import PatchState

DIALECTS: tuple[Dialect, ...] = ("sqlite", "postgresql", "mysql")
A_ROW = (
    "INSERT INTO journal (batch, first_seq, last_seq, epoch, appended_at, prev_hash, hash, payload)"
    " VALUES (1, 1, 1, 1, 1, '12345678901234567890123456789012', '12345678901234567890123456789012', 'x')"
)


@asynccontextmanager
async def a_database(dialect: Dialect, folder: Path) -> AsyncIterator[URL]:
    """An empty database of a dialect; for SQLite a file that does not exist yet."""
    if dialect == "sqlite":
        yield make_url(f"sqlite:///{folder}/tradeloop.db")
    else:
        async with fresh_database(dialect) as url:
            yield url


async def half_made(dialect: Dialect, url: URL, folder: Path, *more: str) -> Loaded:
    """A home whose database has the first patch and the first statements of the next, as a kill leaves it on MySQL."""
    first, second, *_ = patches.patches(dialect)
    alone = folder / "patches"
    alone.mkdir()
    (alone / first.name).write_text(first.sql, encoding="utf-8")
    assert await patches.upgrade(url, alone) == [first.name]
    line = line_to(url)
    for statement in [*patches.statements(second.sql, dialect)[:3], *more]:
        await line.run(lambda c, said=statement: c.exec_driver_sql(said).close(), "by hand")  # type: ignore[misc]
    await line.close()
    written = url.render_as_string(hide_password=False)
    return load({"database.url": written}, home=find_home(folder), environ={}, folder=folder)


async def states(loaded: Loaded) -> set[PatchState]:
    return {each.state for each in await patches.status(loaded.database_url)}


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_first_start_that_was_killed_between_two_patches_is_finished_by_the_next(
    dialect: Dialect, tmp_path: Path
) -> None:
    async with a_database(dialect, tmp_path) as url:
        loaded = await half_made(dialect, url, tmp_path)
        assert await is_new(loaded)
        await prepare_database(loaded)
        assert await states(loaded) == {PatchState.APPLIED}
        assert not await is_new(loaded)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_journal_with_rows_is_never_patched_unasked(dialect: Dialect, tmp_path: Path) -> None:
    """An older schema is somebody's record: `tradeloop db upgrade` is for a person to give."""
    async with a_database(dialect, tmp_path) as url:
        loaded = await half_made(dialect, url, tmp_path, A_ROW)
        assert not await is_new(loaded)
        await prepare_database(loaded)
        assert PatchState.PENDING in await states(loaded)
