"""The store of strategies: a SQLite file of its own beside the journal (docs/adr/0028-strategies.md says why).

A commit that returned survives a power failure. What cannot be written here is not done: a trigger is written before it acts.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, event, func, insert, select, update
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from tradeloop.core.errors import TradeloopError
from tradeloop.core.types import UtcNs
from tradeloop.strategies.rows import Result, Trigger, Version, metadata, row_of, strategy_configs, strategy_triggers

PAGE_MAX: Final = 1000
FILE: Final = "strategies.db"
_LOST: Final = "the desk ended before the answer was written; the orders of the strategy say what became of it"


class StrategiesNotKept(TradeloopError):
    """The store of strategies can not be read or written; nothing was done that it would have to hold."""


class StrategyStore:
    """The store at `path`, made where there is none. `open` first, `close` in the end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        url = URL.create("sqlite+aiosqlite", database=str(path))
        self._engine = create_async_engine(url, pool_size=1, max_overflow=0)
        event.listen(self._engine.sync_engine, "connect", _set_up)
        event.listen(self._engine.sync_engine, "begin", _begin)

    async def open(self) -> None:
        """Make what is missing, for its owner alone; what was left unanswered is said to be."""
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise StrategiesNotKept(f"{self.path} can not be opened ({error.strerror or error}); see its folder") from None
        lost = update(strategy_triggers).where(strategy_triggers.c.execution_result == Result.PENDING.value)
        async with self._connected(writes=True) as connection:
            await connection.run_sync(metadata.create_all)
            await connection.execute(lost.values(execution_result=Result.UNKNOWN.value, error_message=_LOST))

    async def close(self) -> None:
        """Let go of the file."""
        await self._engine.dispose()

    async def version_of(self, name: str, config: str, sha256: str, by: str, at: UtcNs) -> Version:
        """The version of this configuration and this file, a new one where the last was another; it is the active one now."""
        table = strategy_configs
        newest = select(table).where(table.c.strategy_name == name).order_by(table.c.version.desc()).limit(1)
        async with self._connected(writes=True) as connection:
            row = (await connection.execute(newest)).mappings().one_or_none()
            last = None if row is None else _version(dict(row))
            here = (table.c.strategy_name == name) & table.c.is_active
            await connection.execute(update(table).where(here).values(is_active=False, update_time=at))
            if last is not None and (last.config_data, last.source_sha256) == (config, sha256):
                again = (table.c.strategy_name == name) & (table.c.version == last.version)
                await connection.execute(update(table).where(again).values(is_active=True, update_time=at))
                return msgspec.structs.replace(last, is_active=True, update_time=at)
            number = 1 if last is None else last.version + 1
            version = Version(name, number, config, sha256, is_active=True, started_by=by, create_time=at, update_time=at)
            await connection.execute(insert(table).values(row_of(version)))
            return version

    async def versions(self, name: str, limit: int = 50) -> list[Version]:
        """The versions of a strategy's configuration, newest first."""
        table = strategy_configs
        wanted = select(table).where(table.c.strategy_name == name).order_by(table.c.version.desc()).limit(limit)
        async with self._connected() as connection:
            return [_version(dict(row)) for row in (await connection.execute(wanted)).mappings()]

    async def put(self, trigger: Trigger) -> int:
        """Write a trigger; its number."""
        async with self._connected(writes=True) as connection:
            put = await connection.execute(insert(strategy_triggers).values(row_of(trigger, "id")))
            return int(put.inserted_primary_key[0])  # type: ignore[index]

    async def answer(self, number: int, result: Result, order_id: str | None = None, error: str = "") -> None:
        """Write what came of a trigger."""
        row = update(strategy_triggers).where(strategy_triggers.c.id == number)
        async with self._connected(writes=True) as connection:
            await connection.execute(row.values(execution_result=result.value, order_id=order_id, error_message=error))

    async def triggers(self, name: str = "", before: int | None = None, limit: int = 100) -> list[Trigger]:
        """Triggers, newest first: of one strategy, or of all; those before the number `before` where it is given."""
        table = strategy_triggers
        wanted = select(table).order_by(table.c.id.desc()).limit(min(limit, PAGE_MAX))
        if name:
            wanted = wanted.where(table.c.strategy_name == name)
        if before is not None:
            wanted = wanted.where(table.c.id < before)
        async with self._connected() as connection:
            return [Trigger(**row) for row in (await connection.execute(wanted)).mappings()]

    async def counts(self) -> dict[str, int]:
        """How many triggers each strategy has had."""
        table = strategy_triggers
        wanted = select(table.c.strategy_name, func.count()).group_by(table.c.strategy_name)
        async with self._connected() as connection:
            found = (await connection.execute(wanted)).all()
            return {str(name): int(count) for name, count in found}

    @asynccontextmanager
    async def _connected(self, *, writes: bool = False) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.connect() as connection:
                found = await connection.execution_options(tradeloop_writes=writes)
                yield found
                await found.commit()
        except (SQLAlchemyError, OSError) as error:
            cause = getattr(error, "orig", None) or error
            raise StrategiesNotKept(f"{self.path} can not be used ({cause}); free space on the disk, see its rights") from None


def _version(row: dict[str, Any]) -> Version:
    row.pop("id")
    return Version(**row)


def _set_up(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # `_begin` says when a transaction begins
    cursor = connection.cursor()
    for pragma in ("busy_timeout=10000", "journal_mode=WAL", "synchronous=FULL", "fullfsync=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("tradeloop_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
