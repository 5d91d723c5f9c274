"""Who keeps the processes of a world running, and which of them speaks for its journal."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import cast

from tradeloop.core.surroundings import Policy
from tradeloop.testing.faults import LATER, Weather
from tradeloop.testing.world.disk import Disk
from tradeloop.testing.world.loop import Timeline
from tradeloop.testing.world.process import Process
from tradeloop.testing.world.supervisor import Supervisor


class Started:
    """As much of a process as its supervisor asks of one that nothing happens to."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.epoch = 0
        self.ended = self.stopped = False
        self.loop = self
        self.on_ended: Callable[[Process], None] | None = None


def spawn(name: str, policy: Policy) -> Process:
    return cast(Process, Started(name))


def a_supervisor() -> Supervisor:
    timeline = Timeline(0)
    weather = Weather(Random(0), *(Random(0) for _ in LATER))
    return Supervisor(timeline, Disk(timeline, Random(0), weather, is_lock=True), weather, Random(0), spawn)


def leader(supervisor: Supervisor) -> str:
    return "nobody" if supervisor.leading is None else supervisor.leading.name


def test_of_two_processes_that_a_lock_let_in_the_one_with_the_newest_epoch_leads() -> None:
    """F71: the older one has nothing to write, and so it never learns that it leads no more."""
    supervisor = a_supervisor()
    assert leader(supervisor) == "nobody"
    supervisor.start()
    supervisor.start()
    older, newer = cast(list[Started], supervisor.lives)
    older.epoch = 8
    assert leader(supervisor) == "p1"  # the other one has not taken the lease yet
    newer.epoch = 9
    assert leader(supervisor) == "p2"
