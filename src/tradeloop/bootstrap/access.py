"""Access as the settings say it: where users and keys are kept, what seals their secrets, and how long a session lasts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from tradeloop.access.access import Access
from tradeloop.access.master_key import MasterKeyFile, keys_in
from tradeloop.access.sealed import MasterKey
from tradeloop.access.sessions import SessionTimes
from tradeloop.bootstrap.database import sqlite_path
from tradeloop.config import Loaded
from tradeloop.core.errors import BadInput
from tradeloop.core.types import SECOND_NS
from tradeloop.engine.clock import WallClock

SET_UP_PAGE = "/set-up"


@asynccontextmanager
async def open_access(loaded: Loaded) -> AsyncIterator[Access]:
    """Users, sessions and keys of this installation; the store and the master key are made where there are none. A desk runs
    `Access.follow` beside it. Raises as `Access.open` does.
    """
    loaded.home.prepare()
    times = SessionTimes(loaded.settings.access.idle_s * SECOND_NS, loaded.settings.access.longest_s * SECOND_NS)
    access = Access(access_url(loaded), lambda: master_keys(loaded), times=times)
    clock = WallClock()
    await access.open()
    try:
        yield access
    finally:
        await access.close(clock.now())


def access_path(loaded: Loaded) -> Path | None:
    """The file of it, beside that of the journal; None where the database is a server, whose tables it has."""
    path = sqlite_path(loaded)
    return None if path is None else path.with_name(loaded.home.access.name)


def access_url(loaded: Loaded) -> URL:
    """Where it is."""
    path = access_path(loaded)
    return make_url(loaded.database_url) if path is None else URL.create("sqlite", database=str(path))


def master_key_file(loaded: Loaded) -> MasterKeyFile | None:
    """The file of the master key; None where a setting holds the key itself."""
    if loaded.settings.access.master_key.get_secret_value():
        return None
    return MasterKeyFile(loaded.settings.access.master_file or loaded.home.master_key)


def master_keys(loaded: Loaded) -> list[MasterKey]:
    """The master keys, the one that seals first. Only the file in the configuration folder is ever made. Raises BadInput."""
    file = master_key_file(loaded)
    if file is None:
        where = loaded.origins.get("access.master_key", "access.master_key")
        return keys_in(loaded.settings.access.master_key, where)
    if loaded.settings.access.master_file is None:
        return file.read_or_make()
    found = file.read()
    if found is None:
        raise BadInput(f"{file.path}, which access.master_file names, is not there; put the master key there, with mode 0600")
    return found


def set_up_link(base: str, token: str) -> str:
    """What a person opens to make the first user. The token stands behind `#`, which no browser sends and no log has."""
    return f"{base.rstrip('/')}{SET_UP_PAGE}#{token}"
