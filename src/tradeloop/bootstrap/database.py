"""The database of an installation: whether it is new, made ready, and named without its password."""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from tradeloop.bootstrap.full_disk import copied
from tradeloop.config import Loaded
from tradeloop.core.errors import BadInput
from tradeloop.core.types import SECOND_NS
from tradeloop.engine.clock import WallClock
from tradeloop.journal import patches
from tradeloop.journal.headfile import HeadFile


async def is_new(loaded: Loaded) -> bool:
    """Whether nothing can have been recorded: no file, no patch applied, or not every patch and no row in the journal."""
    path = sqlite_path(loaded)
    if path is not None and not path.exists():
        return True
    return not await patches.is_begun(reading_url(loaded))


def refuse_lost_journal(loaded: Loaded) -> None:
    """Raise JournalDamaged where nothing is recorded in the database, and the witness beside it has seen a journal there."""
    path = sqlite_path(loaded)
    if path is None:
        return
    witness = HeadFile(path)
    seen = witness.read()
    if seen is not None:
        witness.refuse_lost(seen, (0, 0, bytes(32)))


async def prepare_database(loaded: Loaded) -> None:
    """Make folders and, where the database is new, the tables it lacks. An older schema is left to `tradeloop db upgrade`.
    Raises JournalDamaged where it is empty and was not before.
    """
    loaded.home.prepare()
    if await is_new(loaded):
        refuse_lost_journal(loaded)
        await patches.upgrade(loaded.database_url)


def sqlite_path(loaded: Loaded) -> Path | None:
    """The file of the database; None where it is a server. Raises BadInput for what is no database URL."""
    try:
        url = make_url(loaded.database_url)
    except ArgumentError:
        raise BadInput(
            "database.url was not a URL; expected sqlite:///FILE, postgresql+asyncpg://USER@HOST/NAME"
            " or mysql+aiomysql://USER@HOST/NAME"
        ) from None
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def reading_url(loaded: Loaded) -> str | URL:
    """The database for questions. On a medium mounted for reading alone SQLite can make no files beside it, so it is told that
    the file does not change; not where a log lies there, whose commits would then be missing without a word. On a full disk it
    is a copy (bootstrap/full_disk.py).
    """
    path = sqlite_path(loaded)
    if path is None or sys.platform == "win32" or not path.exists():
        return loaded.database_url
    log = path.with_name(path.name + "-wal")
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        if log.exists() and log.stat().st_size:
            return loaded.database_url
        return make_url(loaded.database_url).update_query_dict({"immutable": "1"})
    copy = copied(path)
    return loaded.database_url if copy is None else make_url(loaded.database_url).set(database=str(copy))


def label(loaded: Loaded) -> str:
    """The database in words: a file by its path, a server without its password."""
    path = sqlite_path(loaded)
    return str(path) if path is not None else make_url(loaded.database_url).render_as_string(hide_password=True)


def owner_of(loaded: Loaded, command: str) -> str:
    """Who holds the lease, as a second process will be told. A SQLite lock adds pid, command line and time by itself."""
    if sqlite_path(loaded) is not None:
        return f"tradeloop {command}"
    since = datetime.fromtimestamp(WallClock().now() // SECOND_NS, UTC)
    return f"tradeloop {command} (pid {os.getpid()} on {platform.node()}, since {since:%Y-%m-%dT%H:%M:%SZ})"
