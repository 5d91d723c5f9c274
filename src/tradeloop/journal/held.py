"""Who holds the right to write a journal on a server, by the server's own clock. Nothing here takes or changes it."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, select, text

from tradeloop.core.types import SECOND_NS
from tradeloop.journal.connection import Dialect, Line
from tradeloop.journal.tables import lease

LEASE: Final = "journal"
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
    return LeaseSeen(held_by(line, held, now), held.owner, (held.expires_at - now) / SECOND_NS, held.expires_at)


def held_by(line: Line, held: Row[Any], now: int) -> str:
    """The sentence that refuses a second writer, from the row of the lease and the server's time."""
    left = max(0, held.expires_at - now) / SECOND_NS
    return (
        f"the journal {line.label} is being written by {held.owner} (epoch {held.epoch}, its lease runs another"
        f" {left:.1f} s); stop that process, or wait until its lease has run out"
    )
