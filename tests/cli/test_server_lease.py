"""A second command on a server journal: refused while another process lives, and not for what a dead one left behind."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.engine import URL
from tests.journal.databases import fresh_database

from tradeloop.cli.schema import refuse_a_second_writer
from tradeloop.config import Loaded, find_home, load
from tradeloop.core.errors import LeaseHeld
from tradeloop.journal import patches
from tradeloop.journal.connection import line_to
from tradeloop.journal.sql import SqlJournal
from tradeloop.journal.tables import lease

SERVERS = ("postgresql", "mysql")


@asynccontextmanager
async def a_writer(server: str, folder: Path) -> AsyncIterator[tuple[Loaded, SqlJournal, URL]]:
    """A home on a server whose lease somebody has just taken."""
    async with fresh_database(server) as url:
        await patches.upgrade(url)
        loaded = load(
            {"database.url": url.render_as_string(hide_password=False)}, home=find_home(folder), environ={}, folder=folder
        )
        journal = SqlJournal(url)
        await journal.open()
        try:
            await journal.acquire("tradeloop run (pid 4711)")
            yield loaded, journal, url
        finally:
            await journal.close()


@pytest.mark.parametrize("server", SERVERS)
async def test_the_lease_of_a_process_that_was_killed_is_waited_for(server: str, tmp_path: Path) -> None:
    said: list[str] = []
    async with a_writer(server, tmp_path) as (loaded, _, _):
        await refuse_a_second_writer(loaded, said.append)
        journal = SqlJournal(loaded.database_url)
        await journal.open()
        await journal.acquire("the same command again")
        await journal.close()
    (line,) = said
    assert "tradeloop run (pid 4711)" in line


@pytest.mark.parametrize("server", SERVERS)
async def test_a_process_that_lives_is_met_as_soon_as_it_renews_its_lease(server: str, tmp_path: Path) -> None:
    async with a_writer(server, tmp_path) as (loaded, journal, _):
        asked = asyncio.ensure_future(refuse_a_second_writer(loaded, lambda _: None))
        await asyncio.sleep(0.5)
        await journal.renew()
        with pytest.raises(LeaseHeld, match="pid 4711"):
            async with asyncio.timeout(2):
                await asked


@pytest.mark.parametrize("renewed", [False, True])
@pytest.mark.parametrize("server", SERVERS)
async def test_a_lease_that_says_more_than_was_ever_granted_is_believed_for_as_long_as_one_that_was(
    server: str, renewed: bool, tmp_path: Path
) -> None:
    """Its row was changed; whoever lives renews it meanwhile."""
    async with a_writer(server, tmp_path) as (loaded, journal, url):
        line = line_to(url)
        await line.run(lambda c: c.execute(update(lease).values(expires_at=9223372036854775000)).close(), "by hand")
        await line.close()
        async with asyncio.timeout(6):
            asked = asyncio.ensure_future(refuse_a_second_writer(loaded, lambda _: None))
            if renewed:
                await asyncio.sleep(0.5)
                await journal.renew()
                with pytest.raises(LeaseHeld):
                    await asked
            else:
                await asked
                other = SqlJournal(url)
                await other.open()
                assert (await other.acquire("the next")).epoch
                await other.close()


@pytest.mark.parametrize("word", ["rebuild", "upgrade"])
async def test_the_database_of_a_process_that_lives_is_not_made_over(word: str, tmp_path: Path) -> None:
    async with a_writer("postgresql", tmp_path) as (loaded, journal, _):
        settings = tmp_path / "tradeloop.yaml"
        settings.write_text(f"database:\n  url: {loaded.database_url}\n", encoding="utf-8")
        settings.chmod(0o600)
        command = (sys.executable, "-m", "tradeloop", "--home", str(tmp_path), "db", word)
        asked = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
        while asked.returncode is None:
            await journal.renew()
            await asyncio.wait([asyncio.ensure_future(asked.wait())], timeout=0.5)
        _, said = await asked.communicate()
    assert asked.returncode == 1
    assert "tradeloop run (pid 4711)" in said.decode().splitlines()[-1]
