"""When delays may be judged: not while a clock is wrong, and again when it is right."""

from __future__ import annotations

import pytest

from tradeloop.core.types import SECOND_NS
from tradeloop.testing.clocks import Clocks
from tradeloop.testing.faults import Fault
from tradeloop.testing.told import Told
from tradeloop.testing.world.life import live

REACH_NS = 4 * SECOND_NS


class World:
    """A time that can be set."""

    def __init__(self) -> None:
        self.now = 0
        self.clocks = Clocks(lambda: self.now, REACH_NS)

    def wrong_until(self) -> int:
        """The second from which on delays are judged."""
        while not self.clocks.are_right:
            self.now += SECOND_NS
        return self.now // SECOND_NS


def test_clocks_that_nobody_sets_are_right() -> None:
    assert World().clocks.are_right


def test_a_clock_set_forward_is_right_when_what_had_begun_before_is_over() -> None:
    world = World()
    world.clocks.stepped(3600 * SECOND_NS)
    assert world.wrong_until() == 5


@pytest.mark.parametrize("back", [2, 30])
def test_a_clock_set_back_is_right_when_its_processes_have_waited_for_it(back: int) -> None:
    """They go on at half their pace (engine/clock.py), so it takes twice as long."""
    world = World()
    world.clocks.stepped(-back * SECOND_NS)
    assert world.wrong_until() == 2 * back + 5


def test_a_clock_set_back_and_forward_again_is_as_wrong_as_what_is_left_of_the_first_step() -> None:
    world = World()
    world.clocks.stepped(-30 * SECOND_NS)
    world.now = 20 * SECOND_NS
    world.clocks.stepped(15 * SECOND_NS)
    assert world.wrong_until() == 20 + 2 * 5 + 5


def test_a_long_span_is_judged_later_than_a_short_one() -> None:
    world = World()
    world.clocks.stepped(3600 * SECOND_NS)
    world.now = 5 * SECOND_NS
    assert world.clocks.are_right
    assert not world.clocks.were_right_for(REACH_NS + 2 * SECOND_NS)


def test_a_world_whose_clock_is_set_at_some_time_is_judged_by_its_delays_at_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alerts that nobody hears are missed (41) although somebody sets the clock in this world."""
    monkeypatch.setattr(Told, "alert", lambda self, epoch, process, alert: None)
    outcome = live(14)
    assert Fault.CLOCK_STEPS in outcome.met
    assert 41 in {violation.invariant for violation in outcome.violations}
