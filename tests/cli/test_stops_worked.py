"""Which stops a command's desk works on, behind what it was opened for."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from tradeloop.cli.shell import Voice
from tradeloop.cli.stops import stops_worked
from tradeloop.core.halt import Halt, HaltScope, HaltTier
from tradeloop.core.types import UtcNs


def desk_with(*halts: Halt, stood: tuple[int, ...]) -> SimpleNamespace:
    """Only what is looked at: a desk that would have to be worked has no more to give than this, and fails."""
    return SimpleNamespace(state=SimpleNamespace(halts={halt.number: halt for halt in halts}), stood={*stood})


def a_halt(number: int, tier: HaltTier = HaltTier.FLATTEN, *, done: bool = False) -> Halt:
    return Halt(number, tier, HaltScope.GLOBAL, "", "ann", "news", UtcNs(0), done=done)


def works_on(desk: SimpleNamespace) -> bool:
    """Whether it begins to wait."""
    try:
        asyncio.run(stops_worked(desk, Voice(json=False)))  # type: ignore[arg-type]
    except AttributeError:
        return True
    return False


def test_a_stop_that_came_meanwhile_is_worked() -> None:
    assert works_on(desk_with(a_halt(1), a_halt(2), stood=(1,)))


def test_a_stop_that_stood_before_holds_up_no_other_work() -> None:
    """One that cannot come to its end, since a person has to settle something, would keep every later run from ending."""
    assert not works_on(desk_with(a_halt(1), stood=(1,)))


@pytest.mark.parametrize("halt", [a_halt(1, HaltTier.HALT), a_halt(1, HaltTier.CANCEL_ALL, done=True)])
def test_what_has_nothing_left_to_do_is_not_waited_for(halt: Halt) -> None:
    assert not works_on(desk_with(halt, stood=()))
