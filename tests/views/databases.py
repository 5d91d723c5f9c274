"""A database of one's own for a test: a SQLite file or a fresh database on a server, upgraded by the patches, dropped after."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from tradeloop.journal import patches
from tradeloop.views.tables import FOLDED

DIALECTS = ("sqlite", "postgresql", "mysql")
SERVERS = {
    "postgresql": ("TRADELOOP_TEST_POSTGRES_URL", "postgresql+asyncpg://postgres@127.0.0.1:5432/test"),
    "mysql": ("TRADELOOP_TEST_MYSQL_URL", "mysql+aiomysql://root@127.0.0.1:3306/test"),
}
_numbers = count(1)
_template: dict[str, bytes] = {}

every_dialect = pytest.mark.parametrize(
    "dialect",
    [
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.postgres),
        pytest.param("mysql", marks=pytest.mark.mysql),
    ],
)


@asynccontextmanager
async def bare_database(dialect: str, folder: Path) -> AsyncIterator[str]:
    """The URL of an empty database; skips with the reason where the server does not answer."""
    name = f"tradeloop_views_{os.getpid()}_{next(_numbers)}"
    if dialect == "sqlite":
        yield f"sqlite:///{folder / name}.db"
        return
    variable, usual = SERVERS[dialect]
    server = make_url(os.environ.get(variable, usual))
    server = server.set(drivername=make_url(usual).drivername)
    try:
        await _say(server, f"CREATE DATABASE {name}")
    except (OSError, SQLAlchemyError) as error:
        if variable in os.environ:
            raise
        pytest.skip(f"{dialect} does not answer at {server.host}:{server.port} ({type(error).__name__}); set {variable}")
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        await _say(server, f"DROP DATABASE {name}" + (" WITH (FORCE)" if dialect == "postgresql" else ""))


@asynccontextmanager
async def a_database(dialect: str, folder: Path) -> AsyncIterator[str]:
    """The URL of a database with every patch applied; a SQLite one is a copy of a file that was upgraded once."""
    async with bare_database(dialect, folder) as url:
        if dialect == "sqlite":
            if "upgraded" not in _template:
                await patches.upgrade(url)
                _template["upgraded"] = _file(url).read_bytes()
            _file(url).write_bytes(_template["upgraded"])
        else:
            await patches.upgrade(url)
        yield url


async def dump(url: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of every folded table, by id."""
    parsed = make_url(url)
    drivers = {"sqlite": "sqlite+aiosqlite"} | {d: make_url(usual).drivername for d, (_, usual) in SERVERS.items()}
    engine = create_async_engine(parsed.set(drivername=drivers[parsed.get_backend_name()]))
    try:
        async with engine.connect() as connection:
            return {
                table.name: [dict(row) for row in (await connection.execute(select(table).order_by(table.c.id))).mappings()]
                for table in FOLDED
            }
    finally:
        await engine.dispose()


async def say(url: str, *sentences: str) -> None:
    """Run SQL on a SQLite database as somebody else would."""
    for sentence in sentences:
        await _say(make_url(url).set(drivername="sqlite+aiosqlite"), sentence)


async def _say(url: URL, sentence: str) -> None:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text(sentence))
    finally:
        await engine.dispose()


def _file(url: str) -> Path:
    return Path(str(make_url(url).database))


def only(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The one row there is."""
    if len(rows) != 1:
        raise AssertionError(f"expected one row, was {len(rows)}")
    return rows[0]
