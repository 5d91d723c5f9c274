"""Who holds the right to write a journal on a server, by the server's own clock. Nothing here takes or changes it."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, select, text

from tradeloop.core.state import EPOCHS
from tradeloop.core.types import SECOND_NS
from tradeloop.journal.connection import Dialect, Line
from tradeloop.journal.tables import lease

LEASE: Final = "journal"
TTL_NS: Final = 3 * SECOND_NS
"""For how long a lease on a server is granted. A row that says more was not written by us, and is believed for as long."""
SERVER_NOW: Final[dict[Dialect, str]] = {
    "sqlite": "SELECT CAST(strftime('%s', 'now') AS INTEGER) * 1000000000",
    "postgresql": "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000000 AS BIGINT)",
    "mysql": "SELECT CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000000 AS SIGNED)",
}


class LeaseSeen(msgspec.Struct, frozen=True):
    """Who holds the lease of a server, in a sentence, and for how many seconds more unless it is renewed."""

    sentence: str
    owner: str
    left_s: float
    expires_at: int


def lease_seen(connection: Connection, line: Line) -> LeaseSeen | None:
    """The lease of a server by the server's own clock; None where nobody holds it."""
    now = connection.execute(text(SERVER_NOW[line.dialect])).scalar_one()
    held = connection.execute(select(lease).where(lease.c.name == LEASE)).one_or_none()
    if held is None or held.expires_at <= now:
        return None
    return LeaseSeen(held_by(line, held, now), held.owner, _left_s(held, now), held.expires_at)


def held_by(line: Line, held: Row[Any], now: int) -> str:
    """The sentence that refuses a second writer, from the row of the lease and the server's time."""
    return (
        f"the journal {line.label} is being written by {held.owner} (epoch {held.epoch}, its lease runs another"
        f" {_left_s(held, now):.1f} s); stop that process, or wait until its lease has run out"
    )


def _left_s(held: Row[Any], now: int) -> float:
    left_ns: int = min(max(0, held.expires_at - now), TTL_NS)
    return left_ns / SECOND_NS


def epoch_out_of_range(line: Line, connection: Connection, seen: int) -> str | None:
    """Why the epoch of the lease row cannot be one that was taken, in a sentence, or None; `seen` is what a witness knows."""
    # What the lease has to be above first: a writer that takes it meanwhile only raises it.
    written = connection.execute(text("SELECT epoch FROM journal ORDER BY batch DESC LIMIT 1")).scalar_one_or_none() or 0
    held = connection.execute(select(lease.c.epoch).where(lease.c.name == LEASE)).scalar_one_or_none()
    least = max(written, seen, 0)
    if held is None:
        return f"{line.label} has no row {LEASE!r} in its table lease; put it back with epoch {least} and an empty owner"
    if isinstance(held, int) and least <= held < EPOCHS:
        return None
    return (
        f"{line.label}: the epoch in the table lease was {held!r}, expected {least} to {EPOCHS - 1}: the row was changed"
        f" after it was written; put it back with epoch {least}, an empty owner and expires_at 0"
    )
