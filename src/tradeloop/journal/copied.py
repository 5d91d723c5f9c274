"""A journal on a server as a SQLite file: rows and snapshots, to be read and gone on with where nothing of it counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import insert
from sqlalchemy.engine import Connection

from tradeloop.journal import patches, tables
from tradeloop.journal.connection import line_to
from tradeloop.journal.headfile import HeadFile, Seen
from tradeloop.journal.sql import SqlJournal

_ROWS: Final = 1_000
"""Rows written at a time."""


async def copy_journal(url: str, to: Path) -> None:
    """Make the file `to`, with every row and snapshot of the journal at `url`, each checked as it is read. The epoch goes on,
    so that ids are not given out a second time. Raises JournalDamaged and JournalFailed.
    """
    there = f"sqlite:///{to}"
    await patches.upgrade(there)
    source, copy, line = SqlJournal(url, read_only=True), SqlJournal(there), line_to(there)
    try:
        await source.open()
        waiting: list[dict[str, Any]] = []

        def written(connection: Connection) -> None:
            connection.execute(insert(tables.journal), waiting)

        last = None
        async for last in source.read():
            waiting.append(msgspec.structs.asdict(last))
            if len(waiting) == _ROWS:
                await line.run(written, "copying the journal")
                waiting.clear()
        if waiting:
            await line.run(written, "copying the journal")
        if last is None:
            return
        HeadFile(to).begin(Seen(last.epoch, last.batch, last.last_seq, last.hash))
        await copy.open()
        for snapshot in reversed(await source.load_snapshots()):
            await copy.save_snapshot(snapshot)
    finally:
        for each in (source, copy, line):
            await each.close()
