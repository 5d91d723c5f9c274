"""A halt that cancels while the database goes: every cancel leaves, however slow the broker and whoever notices first."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
from tests.engine.made import A, House, PacedVenue, outcome, placed, settle

from tradeloop.core.commands import HaltTrading
from tradeloop.core.errors import JournalFailed, StaleEpoch
from tradeloop.core.halt import HaltTier
from tradeloop.core.types import OrdType, UtcNs
from tradeloop.engine import dispatch
from tradeloop.engine.engine import Engine
from tradeloop.engine.latch import FileLatch
from tradeloop.ports.journal import Holder
from tradeloop.testing.builders import buy

RATE, ORDERS = 10, 40
CANCEL_ALL = HaltTrading(HaltTier.CANCEL_ALL, "ann", "fat finger")


class Server:
    """The desk's journal is on a server, whose lease is renewed every second; on demand the server is gone."""

    def __init__(self, folder: Path) -> None:
        self.house = House(cash=100_000_000)
        self.house.venue = self.venue = PacedVenue(RATE, 100_000_000)
        self.venue.clock = self.house.clock
        self.latch = FileLatch(folder / "HALT")
        self.lost: Exception | None = None

    async def open(self) -> Engine:
        """A desk with its orders in the market."""
        house = self.house
        engine = house.engine(self.latch)
        acquire = house.journal.acquire

        async def acquired(owner: str) -> Holder:
            return msgspec.structs.replace(await acquire(owner), expires_at=UtcNs(2**62))

        async def renew() -> None:
            if self.lost is not None:
                raise self.lost

        house.journal.acquire, house.journal.renew = acquired, renew
        await house.open(engine)
        for _ in range(ORDERS):
            await placed(engine, buy(A, 100, ord_type=OrdType.LIMIT, price="9.50"))
            await house.clock.forward(0.1)
        assert len(self.venue.placed) == ORDERS
        return engine

    async def ends(self, engine: Engine, *, after_s: float) -> None:
        """Time goes on until the desk has ended."""
        waiting = asyncio.ensure_future(outcome(engine.wait()))  # type: ignore[arg-type]
        await self.house.clock.forward(after_s)
        self.house.journal.fails = self.lost or self.house.journal.fails
        self.house.journal.gate.set()
        await waiting


async def test_a_lease_that_cannot_be_renewed_cuts_no_cancel_off(tmp_path: Path) -> None:
    """The server is gone: the lease notices within a second, while cancels still wait for their turns."""
    server = Server(tmp_path)
    engine = await server.open()
    server.house.journal.gate.clear()  # no commit returns
    server.latch.add(CANCEL_ALL)
    await server.house.clock.forward(0.5)
    server.lost = JournalFailed("the server is gone")

    await server.ends(engine, after_s=20)

    assert {*server.venue.canceled} >= {*server.venue.placed}
    assert len(server.venue.placed) == ORDERS
    with pytest.raises(JournalFailed):
        await engine.stop()


async def test_a_commit_that_fails_while_the_lease_has_failed_cuts_no_cancel_off(tmp_path: Path) -> None:
    server = Server(tmp_path)
    engine = await server.open()
    server.latch.add(CANCEL_ALL)
    server.lost = server.house.journal.fails = JournalFailed("the server is gone")
    asked = asyncio.ensure_future(outcome(engine.ask(buy(A, 100))))

    await server.ends(engine, after_s=20)

    assert isinstance(await asked, JournalFailed)
    assert {*server.venue.canceled} >= {*server.venue.placed}
    assert len(server.venue.placed) == ORDERS
    with pytest.raises(JournalFailed):
        await engine.stop()


async def test_the_last_cancels_are_given_the_time_that_the_brokers_rate_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty at ten a second take longer than one request may."""
    monkeypatch.setattr(dispatch, "PLACE_TIMEOUT_S", 0.2)
    server = Server(tmp_path)
    engine = await server.open()
    server.latch.add(CANCEL_ALL)
    server.house.journal.fails = JournalFailed("the disk is full")
    asked = asyncio.ensure_future(outcome(engine.ask(buy(A, 100))))
    for _ in range(30):
        await server.house.clock.forward(0.2)
        await asyncio.sleep(0.02)  # the patience of the last cancels is time of the world

    assert {*server.venue.canceled} >= {*server.venue.placed}
    await server.ends(engine, after_s=1)
    assert isinstance(await asked, JournalFailed)
    with pytest.raises(JournalFailed):
        await engine.stop()


async def test_a_lease_that_another_process_took_ends_the_cancels_at_once(tmp_path: Path) -> None:
    server = Server(tmp_path)
    engine = await server.open()
    server.house.journal.gate.clear()
    server.latch.add(CANCEL_ALL)
    await server.house.clock.forward(0.5)
    left = len(server.venue.canceled)
    server.lost = StaleEpoch("another process has taken over")
    await server.ends(engine, after_s=20)
    assert left < ORDERS
    assert len(server.venue.canceled) <= left + RATE
    with pytest.raises(StaleEpoch):
        await engine.stop()
    await settle()
