"""A journal on a server as a file: what was written is there, and what is written on goes to the copy alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.journal.databases import fresh_database

from tradeloop.core.events import SendBegun
from tradeloop.core.types import ClOrdID, UtcNs
from tradeloop.journal import codec, patches
from tradeloop.journal.copied import copy_journal
from tradeloop.journal.sql import SqlJournal
from tradeloop.ports.journal import Batch, StoredSnapshot

SERVERS = ("postgresql", "mysql")


async def rows_of(journal: SqlJournal) -> list[Batch]:
    return [row async for row in journal.read()]


async def written(journal: SqlJournal, count: int) -> None:
    """So many rows of one event each, and a snapshot at the last."""
    await journal.open()
    epoch = (await journal.acquire("a test")).epoch
    for number in range(1, count + 1):
        event = SendBegun(UtcNs(number), ClOrdID(f"a{number:06}"))
        after = await journal.head()
        await journal.append(codec.seal(codec.encode([event]), count=1, after=after, epoch=epoch, appended_at=UtcNs(number)))
    head = await journal.head()
    await journal.save_snapshot(StoredSnapshot(head[1], head[0], head[2], "hash", 1, b"state"))


@pytest.mark.parametrize("server", SERVERS)
async def test_the_copy_of_a_servers_journal_has_its_rows_and_goes_on_alone(server: str, tmp_path: Path) -> None:
    async with fresh_database(server) as url:
        await patches.upgrade(url)
        original, copy = SqlJournal(url), SqlJournal(f"sqlite:///{tmp_path / 'copy.db'}")
        try:
            await written(original, 3)
            await copy_journal(url.render_as_string(hide_password=False), tmp_path / "copy.db")
            await copy.open()
            assert await rows_of(copy) == await rows_of(original)
            assert await copy.load_snapshots() == await original.load_snapshots()
            epoch = (await copy.acquire("the copy")).epoch
            assert epoch > (await rows_of(original))[-1].epoch, "no id is given out a second time"
            head = await original.head()
            payload = codec.encode([SendBegun(UtcNs(9), ClOrdID("a000009"))])
            await copy.append(codec.seal(payload, count=1, after=head, epoch=epoch, appended_at=UtcNs(9)))
            assert await original.head() == head
        finally:
            await original.close()
            await copy.close()
