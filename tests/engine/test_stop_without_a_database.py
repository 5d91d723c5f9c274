"""CANCEL_ALL with the database gone: a real SQLite journal, and orders at the toy venue over its real socket."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from benchmarks.last_cancel import Stopped

from tradeloop.core.events import CancelRequested, Halted, OrderStaged
from tradeloop.journal import codec

ORDERS = 100


def recorded(folder: Path, table: str) -> list[object]:
    """Every event that the database holds."""
    with closing(sqlite3.connect(folder / "journal.db")) as db:
        rows = db.execute(f"SELECT payload FROM {table} ORDER BY batch").fetchall()
    return [event for (payload,) in rows for event in codec.decode(payload)]


@pytest.mark.parametrize(("how", "table"), [("hangs", "journal"), ("fails", "gone")])
async def test_every_cancel_is_on_the_wire_and_no_new_order_is(tmp_path: Path, how: str, table: str) -> None:
    """ADR 18: every commit hangs behind another process, or raises."""
    desk = Stopped(tmp_path)
    await desk.open(ORDERS)
    try:
        desk.goes(how)
        before = recorded(tmp_path, table)
        await desk.latch(ORDERS)
        assert len(desk.canceled) == ORDERS
        assert desk.working == 0
        assert desk.placed == ORDERS
        assert recorded(tmp_path, table) == before, "nothing could be recorded while they left"
        await desk.ends_well()
        assert desk.placed == ORDERS
    finally:
        await desk.close()
    kinds = [type(event) for event in recorded(tmp_path, table)]
    assert CancelRequested not in kinds[: len(before)]
    assert kinds.count(OrderStaged) == ORDERS + (how == "hangs")
    assert kinds.count(Halted) == (how == "hangs"), "what only hung is recorded afterwards"
    assert any("the database is gone" in text or "journal failed" in text for text in desk.alerts)
