"""The record of an installation for questions: no lease, nothing written, while another process may trade."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy.engine import URL

from tradeloop.bootstrap.database import is_new, label, reading_url, refuse_lost_journal
from tradeloop.config import Loaded
from tradeloop.core.errors import BadInput
from tradeloop.engine.recover import Recovered, false_snapshots, recover
from tradeloop.journal import codec, patches
from tradeloop.journal.sql import SqlJournal
from tradeloop.views.compare import Comparison, compare
from tradeloop.views.errors import ViewsBehind
from tradeloop.views.sql import SqlViews


class Archive:
    """The record of an installation, for questions: nothing here can write it."""

    def __init__(self, loaded: Loaded, reader: SqlJournal, views: SqlViews) -> None:
        self.loaded = loaded
        self.reader = reader
        self.views = views

    async def recovered(self) -> Recovered:
        """The state as the journal gives it now."""
        return await recover(self.reader, codec)

    async def false_snapshots(self) -> list[tuple[int, str]]:
        """Snapshots that are not the fold of the journal at their place: (sequence number, sentence)."""
        return await false_snapshots(self.reader, codec)

    async def compared(self) -> Comparison:
        """The read models held against the journal, which is folded anew into a database that is thrown away."""
        with TemporaryDirectory(prefix="tradeloop-verify-") as folder:
            url = URL.create("sqlite", database=str(Path(folder) / "views.db"))
            await patches.upgrade(url)
            fresh = SqlViews(url, codec.decode)
            try:
                return await compare(self.views, fresh, self.reader)
            finally:
                await fresh.close()


@asynccontextmanager
async def open_archive(loaded: Loaded, *, fresh_views: bool = True, writes: bool = False) -> AsyncIterator[Archive]:
    """The journal and the read models, to be read while another process may be writing them.

    A process that was killed leaves read models behind its journal; `fresh_views` folds what is missing first.
    `writes` is for who makes the read models anew: what is written must be the database itself, and never a copy.
    """
    if await is_new(loaded):
        refuse_lost_journal(loaded)
        demo = loaded.home.inside("demo")
        hint = (
            f"the demo's home is {demo.data}: give `--home {shlex.quote(str(demo.data))}` before the command to look at it"
            if demo.database.exists()
            else "trade first, for example with `tradeloop run --demo`"
        )
        raise BadInput(f"nothing has been recorded in {label(loaded)} yet; {hint}")
    async with AsyncExitStack() as stack:
        reader = SqlJournal(reading_url(loaded), read_only=True)
        stack.push_async_callback(reader.close)
        await reader.open()
        views = SqlViews(loaded.database_url if writes else reading_url(loaded), codec.decode)
        stack.push_async_callback(views.close)
        if fresh_views and await _views_lag(reader, views):
            await _fold_the_rest(reader, views)
        yield Archive(loaded, reader, views)


async def _views_lag(reader: SqlJournal, views: SqlViews) -> bool:
    head = await reader.head()
    return (await views.cursor())[1] < head[1]


async def _fold_the_rest(reader: SqlJournal, views: SqlViews) -> None:
    try:
        await views.catch_up(reader)
    except ViewsBehind:
        return  # the writing process moved them meanwhile: then they are as new as it gets
