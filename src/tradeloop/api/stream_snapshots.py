"""What a topic holds: read from the read models, newest first as REST has it, and said oldest first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from tradeloop.api.desk import Desk
from tradeloop.api.stream_channel import Pieces
from tradeloop.api.stream_topics import ACCOUNT, ALERTS, BREAKS, FILLS, ORDERS, POSITIONS, RUNS, TABLES, told_of
from tradeloop.ports.clock import Clock
from tradeloop.views.queries import PAGE_MAX, Page
from tradeloop.views.rows import Row

NEWEST_MAX: Final = 200
RUNS_MAX: Final = 100
_AT_ONCE: Final = 100
"""Rows rendered before everybody else has a turn: about two milliseconds."""


async def read(desk: Desk, clock: Clock, topic: str) -> Pieces:
    """The documents of a topic by their keys. Raises ViewsFailed."""
    rows = await _READ[topic](desk)
    table = next(name for name, (its, _) in TABLES.items() if its == topic)
    found: Pieces = {}
    for start in range(0, len(rows), _AT_ONCE):
        found |= told_of(desk, table, rows[start : start + _AT_ONCE])
        await clock.sleep_until(clock.now())
    return found


async def _orders(desk: Desk) -> list[Row]:
    newest = await desk.queries.orders(account_id=desk.account, limit=NEWEST_MAX)

    async def page(before: int | None) -> Page[Any]:
        return await desk.queries.orders(account_id=desk.account, open_only=True, before=before, limit=PAGE_MAX)

    rows = {row.id: row for row in [*newest.rows, *await _every(page)]}
    return sorted(rows.values(), key=lambda row: row.seq)


async def _fills(desk: Desk) -> list[Row]:
    return list((await desk.queries.fills(account_id=desk.account, limit=NEWEST_MAX)).rows[::-1])


async def _positions(desk: Desk) -> list[Row]:
    return list(await desk.queries.positions(account_id=desk.account))


async def _money(desk: Desk) -> list[Row]:
    return list(await desk.queries.accounts(account_id=desk.account))


async def _runs(desk: Desk) -> list[Row]:
    return list((await desk.queries.runs(account_id=desk.account, limit=RUNS_MAX)).rows[::-1])


async def _alerts(desk: Desk) -> list[Row]:
    async def page(before: int | None) -> Page[Any]:
        return await desk.queries.alerts(before=before, limit=PAGE_MAX)

    return (await _every(page))[::-1]


async def _breaks(desk: Desk) -> list[Row]:
    async def page(before: int | None) -> Page[Any]:
        return await desk.queries.breaks(account_id=desk.account, before=before, limit=PAGE_MAX)

    return (await _every(page))[::-1]


async def _every(page: Callable[[int | None], Awaitable[Page[Any]]]) -> list[Any]:
    """The rows of all pages."""
    found = await page(None)
    rows = list(found.rows)
    while found.before is not None:
        found = await page(found.before)
        rows += found.rows
    return rows


_READ: Final[Mapping[str, Callable[[Desk], Awaitable[list[Row]]]]] = {
    ORDERS: _orders,
    FILLS: _fills,
    POSITIONS: _positions,
    ACCOUNT: _money,
    RUNS: _runs,
    ALERTS: _alerts,
    BREAKS: _breaks,
}
