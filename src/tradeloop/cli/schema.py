"""The database below the journal as `db` and `doctor` look at it: patches, drift, and who holds the right to write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from tradeloop.bootstrap import is_new, label, reading_url, refuse_lost_journal, sqlite_path
from tradeloop.config import Loaded
from tradeloop.core.errors import BadInput, LeaseHeld
from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.engine.clock import WallClock
from tradeloop.journal import patches
from tradeloop.journal import tables as journal_tables
from tradeloop.journal.connection import line_to
from tradeloop.journal.held import LeaseSeen, lease_seen
from tradeloop.journal.lock import FileLock
from tradeloop.views import tables as view_tables

_LEASE_WAIT_S: Final = 5.0
_MARGIN_S: Final = 1.0
_LEASE_LOOK_S: Final = 0.25


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
        refuse_lost_journal(loaded)
        raise BadInput(f"{label(loaded)} has no tables yet; make them with `tradeloop db upgrade`")
    url = reading_url(loaded)
    lines = await patches.status(url)
    differences = [*await patches.drift(url, journal_tables.metadata), *await patches.drift(url, view_tables.metadata)]
    return SchemaStatus(label(loaded), tuple(lines), tuple(differences))


async def upgrade_schema(loaded: Loaded) -> list[str]:
    """Apply what is pending, a new database's everything; the names of the patches."""
    loaded.home.prepare()
    return await patches.upgrade(loaded.database_url)


async def restore_read_models(loaded: Loaded) -> None:
    """Make the tables of the read models anew that are not as they should be: they are derived, so that nothing is lost with
    them. Where one of the journal's differs, that is for a person to look at.
    """
    url = loaded.database_url
    if await is_new(loaded) or not await patches.drift(url, view_tables.metadata):
        return
    if not await patches.drift(url, journal_tables.metadata):
        await patches.remake(url, view_tables.metadata)


async def lease_holder(loaded: Loaded) -> str | None:
    """Who writes this journal, in a sentence; None where nobody does. Takes and changes nothing."""
    path = sqlite_path(loaded)
    if path is not None:
        return FileLock(path).holder()
    seen = await _lease_seen(loaded)
    return None if seen is None else seen.sentence


async def _lease_seen(loaded: Loaded) -> LeaseSeen | None:
    line = line_to(loaded.database_url, read_only=True)
    try:
        return await line.run(lambda c: lease_seen(c, line), "reading the lease")
    finally:
        await line.close()


async def refuse_a_second_writer(loaded: Loaded, say: Callable[[str], None]) -> None:
    """Raise LeaseHeld, naming the holder, where another process writes the journal of this home.

    A process that was killed leaves its lease on a server behind, for seconds: it is waited for, as long as it runs and is not
    renewed. Whoever lives renews it, and is met then.
    """
    if await is_new(loaded):
        return
    if sqlite_path(loaded) is not None:
        if (holder := await lease_holder(loaded)) is not None:
            raise LeaseHeld(holder)
        return
    first = seen = await _lease_seen(loaded)
    if first is None:
        return
    clock = WallClock()
    refused_at = clock.now() + int(min(first.left_s + _MARGIN_S, _LEASE_WAIT_S) * SECOND_NS)
    say(f"waiting up to {first.left_s:.1f} s for the right to write of {first.owner}, which runs out unless that process lives")
    while seen is not None:
        if seen.expires_at == first.expires_at > refused_at and clock.now() >= refused_at:
            return  # nobody renews it, and nobody was granted one that long: whoever takes the lease decides
        if seen.expires_at != first.expires_at or clock.now() >= refused_at:
            raise LeaseHeld(seen.sentence)
        await clock.sleep_until(UtcNs(clock.now() + int(min(seen.left_s + 0.05, _LEASE_LOOK_S) * SECOND_NS)))
        seen = await _lease_seen(loaded)
