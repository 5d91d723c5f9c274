"""Connecting and closing: a broker that hangs, fails or has a bug holds up neither the others, nor the start, nor the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from tests.engine.made import A, House, Venue, order_of, placed, settle
from typing_extensions import override

from tradeloop.core.commands import ListInstruments
from tradeloop.core.errors import NotSent, Refused
from tradeloop.core.events import BrokerConnected
from tradeloop.core.replies import Done
from tradeloop.core.reports import Report
from tradeloop.core.types import OrdStatus
from tradeloop.engine import sessions
from tradeloop.testing.builders import buy


class Stubborn(Venue):
    """Its connects and closes meet `trouble` in turn: "hang", or an exception."""

    def __init__(self) -> None:
        super().__init__()
        self.connects: list[object] = []
        self.closes: list[object] = []
        self.tries = 0

    @override
    async def connect(self, report: Callable[[Report], None]) -> None:
        self.tries += 1
        await meet(self.connects)
        await super().connect(report)

    @override
    async def close(self) -> None:
        await meet(self.closes)
        await super().close()


async def meet(troubles: list[object]) -> None:
    trouble = troubles.pop(0) if troubles else None
    if trouble == "hang":
        await asyncio.Event().wait()
    if isinstance(trouble, Exception):
        raise trouble


def stubborn_house() -> tuple[House, Stubborn]:
    house, venue = House(), Stubborn()
    venue.clock = house.clock
    house.venue = venue
    return house, venue


@pytest.mark.parametrize("trouble", ["hang", NotSent("connection refused"), ConnectionResetError("reset")])
async def test_a_broker_that_cannot_be_reached_is_tried_again_and_the_engine_takes_commands_meanwhile(
    trouble: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D9, S0: the start does not wait for a broker for ever."""
    monkeypatch.setattr(sessions, "CONNECT_TIMEOUT_S", 0.01)
    house, venue = stubborn_house()
    venue.connects = [trouble, NotSent("connection refused")]
    engine = house.engine()
    await engine.start()
    assert isinstance(await engine.ask(ListInstruments(house.instruments)), Done)
    assert not house.on_disk(BrokerConnected)
    await settle()
    assert [alert.key for alert in house.alerts] == [f"connect:{venue.name}"]

    await house.clock.forward(0.9)
    assert venue.tries == 1
    await house.clock.forward(0.1)
    assert venue.tries == 2
    await house.clock.forward(2)

    assert venue.tries == 3
    assert len(house.on_disk(BrokerConnected)) == 1
    await engine.stop()


async def test_a_broker_that_says_no_to_the_session_is_not_tried_again() -> None:
    """A wrong password that is repeated locks the account."""
    house, venue = stubborn_house()
    venue.connects = [Refused("401", "wrong password")]
    engine = house.engine()
    with pytest.raises(Refused, match="wrong password"):
        await engine.start()
    await engine.stop()
    assert venue.tries == 1
    assert house.store.holder is None


@pytest.mark.parametrize("trouble", ["hang", NotSent("connection refused"), OSError("broken pipe")])
async def test_a_broker_that_does_not_close_does_not_hold_up_the_end(trouble: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lease is given back and what was decided is kept."""
    monkeypatch.setattr(sessions, "CLOSE_TIMEOUT_S", 0.01)
    house, venue = stubborn_house()
    engine = await house.open()
    cl_ord_id = await placed(engine, buy(A, 100))
    venue.closes = [trouble]
    await engine.stop()
    assert house.store.holder is None
    assert house.store.snapshots
    assert order_of(engine, cl_ord_id).ord_status is OrdStatus.NEW
    await settle()
    assert f"close:{venue.name}" in [alert.key for alert in house.alerts]


async def test_a_bug_in_the_close_of_a_broker_is_raised_after_everything_else_was_ended() -> None:
    """F51."""
    house, venue = stubborn_house()
    engine = await house.open()
    venue.closes = [ZeroDivisionError("bug")]
    with pytest.raises(ZeroDivisionError):
        await engine.stop()
    assert house.store.holder is None
    assert engine._running is not None
    assert engine._running.done()


async def test_stopping_twice_is_harmless() -> None:
    house = House()
    engine = await house.open()
    await engine.stop()
    appends = house.journal.appends
    await engine.stop()
    assert house.journal.appends == appends


async def test_a_stop_that_is_cancelled_gives_the_lease_back_all_the_same() -> None:
    """F51: Ctrl-C during the end."""
    house = House()
    engine = await house.open()
    house.journal.gate.clear()
    reply = asyncio.ensure_future(engine.ask(buy(A, 100)))
    await settle()
    stopping = asyncio.ensure_future(engine.stop())
    await settle()
    stopping.cancel()
    await settle()
    house.journal.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert house.store.holder is None
    assert reply.done()
    assert house.venue.placed == []
