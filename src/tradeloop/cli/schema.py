"""The database below the journal as `db` and `doctor` look at it: patches, drift, and who holds the right to write."""

from __future__ import annotations

import msgspec

from tradeloop.bootstrap import is_new, label, sqlite_path
from tradeloop.config import Loaded
from tradeloop.core.errors import BadInput, LeaseHeld
from tradeloop.journal import patches
from tradeloop.journal import tables as journal_tables
from tradeloop.journal.connection import line_to
from tradeloop.journal.lock import FileLock
from tradeloop.journal.sql import lease_holder as held_by
from tradeloop.views import tables as view_tables


class SchemaStatus(msgspec.Struct, frozen=True):
    """Where the patches of a database stand, and how its live schema differs from what the program works with."""

    database: str
    patches: tuple[patches.PatchStatus, ...]
    drift: tuple[str, ...]

    @property
    def is_current(self) -> bool:
        """Every patch applied as it is, and no difference."""
        return not self.drift and all(each.state is patches.PatchState.APPLIED for each in self.patches)


async def schema_status(loaded: Loaded) -> SchemaStatus:
    """Patches and drift. Raises BadInput where nothing was recorded yet."""
    if await is_new(loaded):
        raise BadInput(f"{label(loaded)} has no tables yet; make them with `tradeloop db upgrade`")
    url = loaded.database_url
    lines = await patches.status(url)
    differences = [*await patches.drift(url, journal_tables.metadata), *await patches.drift(url, view_tables.metadata)]
    return SchemaStatus(label(loaded), tuple(lines), tuple(differences))


async def upgrade_schema(loaded: Loaded) -> list[str]:
    """Apply what is pending, a new database's everything; the names of the patches."""
    loaded.home.prepare()
    return await patches.upgrade(loaded.database_url)


async def lease_holder(loaded: Loaded) -> str | None:
    """Who writes this journal, in a sentence; None where nobody does. Takes and changes nothing."""
    path = sqlite_path(loaded)
    if path is not None:
        return FileLock(path).holder()
    line = line_to(loaded.database_url, read_only=True)
    try:
        return await line.run(lambda c: held_by(c, line), "reading the lease")
    finally:
        await line.close()


async def refuse_a_second_writer(loaded: Loaded) -> None:
    """Raise LeaseHeld, naming the holder, where another process writes the journal of this home."""
    if not await is_new(loaded) and (holder := await lease_holder(loaded)) is not None:
        raise LeaseHeld(holder)
