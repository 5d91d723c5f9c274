"""Hundreds of halts cost the loop no more than one: a batch of them is one write, and a file that nobody touched no work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.engine.made import House, ManualClock
from typing_extensions import override

from tradeloop.core.commands import HaltTrading, ReleaseHalt
from tradeloop.core.effects import RaiseAlert
from tradeloop.core.events import Event, Halted, HaltReleased
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.inputs import LatchFound
from tradeloop.core.state import State
from tradeloop.engine import guard as guarding
from tradeloop.engine.guard import LOOK_NS, Guard
from tradeloop.engine.latch import FileLatch, HaltKey, key_of
from tradeloop.engine.writer import Published
from tradeloop.testing.builders import NOON

MANY = 300


class CountedLatch(FileLatch):
    """Counts how often it is written, and can have no room."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.writes = 0
        self.full = False

    @override
    def write(self, halts: Sequence[HaltTrading]) -> None:
        self.writes += 1
        if self.full:
            raise OSError(28, "No space left on device")
        super().write(halts)


class Desk:
    """A guard without an engine."""

    def __init__(self, path: Path) -> None:
        self.latch, self.clock = CountedLatch(path / "HALT"), ManualClock()
        self.put: list[LatchFound] = []
        self.alerts: list[RaiseAlert] = []
        self.guard = Guard(self.latch, State(), self.clock, self.put.append, self.alerts.append)

    def hears(self, *events: Event) -> None:
        self.guard.heard(Published(1, 1, NOON, list(events)))

    async def looks(self, times: int = 1) -> None:
        for _ in range(times):
            await self.clock.forward(LOOK_NS / 1e9)
            self.guard._look()


def name_of(number: int) -> str:
    return f"{600000 + number}.SH"


def begins(number: int) -> Halted:
    return Halted(NOON, number, HaltTier.HALT, HaltScope.SYMBOL, name_of(number), "risk", "")


def ends(number: int) -> HaltReleased:
    return HaltReleased(NOON, number, "ann", "looked")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_the_halts_of_a_batch_are_one_write_and_so_are_their_releases(desk: Desk) -> None:
    desk.hears(*map(begins, range(MANY)))
    assert desk.latch.writes == 1
    assert [each.name for each in desk.latch.read()] == [*map(name_of, range(MANY))]
    await desk.looks(5)
    desk.hears(*map(ends, range(1, MANY)), begins(MANY))
    assert desk.latch.writes == 2
    assert [each.name for each in desk.latch.read()] == [name_of(0), name_of(MANY)]
    await desk.looks(5)
    assert (desk.latch.writes, desk.put) == (2, [])


async def test_a_file_that_nobody_touched_is_not_gone_through(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.hears(*map(begins, range(MANY)))
    await desk.looks()
    asked: list[HaltTrading] = []

    def counted(halt: HaltTrading) -> HaltKey:
        asked.append(halt)
        return key_of(halt)

    monkeypatch.setattr(guarding, "key_of", counted)
    await desk.looks(50)
    assert asked == []
    (desk.latch._files[1]).unlink()
    await desk.looks()
    assert len(desk.latch.read()) == MANY, "it is looked at nevertheless"


async def test_a_file_that_cannot_be_written_is_tried_again_every_five_seconds(desk: Desk) -> None:
    desk.latch.full = True
    desk.hears(begins(1))
    await desk.looks(20)
    assert desk.latch.writes == 1
    await desk.looks(35)
    assert (desk.latch.writes, len(desk.alerts)) == (3, 3)
    desk.latch.full = False
    await desk.looks(25)
    assert desk.latch.writes == 4
    assert [each.name for each in desk.latch.read()] == [name_of(1)]


async def test_what_is_asked_for_anew_stands_on_when_the_older_one_ends(desk: Desk) -> None:
    again = Halted(NOON, 2, HaltTier.HALT, HaltScope.SYMBOL, name_of(1), "ann", "again")
    desk.hears(begins(1), again, ends(1))
    assert [each.name for each in desk.latch.read()] == [name_of(1)]
    await desk.looks(3)
    desk.hears(ends(2))
    assert desk.latch.read() == ()
    await desk.looks(3)
    assert desk.put == []


async def test_a_halt_written_anew_after_its_release_is_found_though_the_file_says_the_same(tmp_path: Path) -> None:
    house, latch = House(), FileLatch(tmp_path / "HALT")
    engine = await house.open(house.engine(latch))
    for number in (1, 2):
        latch.add(HaltTrading(HaltTier.HALT, "ann", "the same words"))
        await house.clock.forward(LOOK_NS / 1e9)
        await engine.ask(ReleaseHalt("ann", "looked", numbers=(number,)))
    latch.add(HaltTrading(HaltTier.HALT, "ann", "the same words"))
    await house.clock.forward(LOOK_NS / 1e9)
    assert len(house.on_disk(Halted)) == 3
    await engine.stop()
