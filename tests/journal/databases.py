"""Databases of a test's own on the servers that answer; a test that finds none skips and says why."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

SERVERS = {
    "postgresql": ("TRADELOOP_TEST_POSTGRES_URL", "postgresql+asyncpg://postgres@127.0.0.1:5432/postgres"),
    "mysql": ("TRADELOOP_TEST_MYSQL_URL", "mysql+aiomysql://root@127.0.0.1:3306/mysql"),
}
_numbers = count(1)


@asynccontextmanager
async def fresh_database(server: str) -> AsyncIterator[URL]:
    """The URL of a new, empty database, dropped in the end."""
    variable, default = SERVERS[server]
    asked = os.environ.get(variable)
    url = make_url(asked or default)
    if url.drivername in {"postgresql", "mysql", "mariadb"}:
        url = url.set(drivername=make_url(default).drivername)
    name = f"tradeloop_test_{os.getpid()}_{next(_numbers)}"
    drop = f"DROP DATABASE IF EXISTS {name}" + (" WITH (FORCE)" if server == "postgresql" else "")
    admin = create_async_engine(url, isolation_level="AUTOCOMMIT")
    try:
        try:
            async with asyncio.timeout(5), admin.connect() as connection:
                await connection.execute(text(f"CREATE DATABASE {name}"))
        except (OSError, SQLAlchemyError) as error:
            if asked:
                raise
            pytest.skip(f"no {server} answers at {url.host}:{url.port} and {variable} is not set ({error})")
        try:
            yield url.set(database=name)
        finally:
            async with admin.connect() as connection:
                await connection.execute(text(drop))
    finally:
        await admin.dispose()
