"""The host of strategies at a working desk: where its file and its store lie."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tradeloop.bootstrap.database import sqlite_path
from tradeloop.bootstrap.desk import Desk
from tradeloop.bootstrap.served import ServedDesk
from tradeloop.config import Loaded
from tradeloop.strategies.configured import FILE
from tradeloop.strategies.host import Host
from tradeloop.strategies.store import FILE as STORE
from tradeloop.strategies.store import StrategiesNotKept, StrategyStore


@asynccontextmanager
async def hosting(desk: Desk, command: str, say: Callable[[str], None] = lambda _: None) -> AsyncIterator[Host | None]:
    """Have a host at this desk while the block runs; every strategy is stopped until somebody starts it. Where the store can
    not be opened there is none, which is said: the desk trades, and is stopped, without.
    """
    loaded = desk.loaded
    host = Host(ServedDesk(desk, command), StrategyStore(store_path(loaded)), desk.clock, config_path(loaded))
    try:
        await host.open()
    except StrategiesNotKept as error:
        say(f"warning: no strategy can be started: {error}")
        await host.close()
        yield None
        return
    desk.strategies = host
    try:
        yield host
    finally:
        desk.strategies = None
        await host.close()


def config_path(loaded: Loaded) -> Path:
    """strategies.yaml, which need not be there."""
    return loaded.home.config / FILE


def store_path(loaded: Loaded) -> Path:
    """The store: beside the journal where that is a file, in the data folder where it is on a server."""
    journal = sqlite_path(loaded)
    return loaded.home.data / STORE if journal is None else journal.with_name(STORE)
