"""The lines of a run at work: what they count is what has filled, whenever the run began to be followed."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest
from tests.core.runs_made import A, Work

from tradeloop.bootstrap import Desk
from tradeloop.cli.progress import RunProgress
from tradeloop.cli.shell import Voice
from tradeloop.core.state import State
from tradeloop.core.types import UtcNs
from tradeloop.engine.writer import Published


class Told:
    """A desk whose facts are told when the test says so, later than they were decided."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._told = len(work.desk.events)
        self._listener: Callable[[Published], None] = lambda published: None

    @property
    def state(self) -> State:
        return self._work.desk.state

    def listen(self, listener: Callable[[Published], None]) -> None:
        self._listener = listener

    def tell(self) -> None:
        """Everything that was decided so far is durable now."""
        new = self._work.desk.events[self._told :]
        self._told += len(new)
        self._listener(Published(1, self.state.seq - len(new) + 1, UtcNs(self._work.desk.now), new))


def test_a_fill_that_was_decided_before_a_run_is_followed_and_told_after_counts_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As after a restart: the broker's books show what filled while nobody listened."""
    work = Work.begun({A: "0.1"})
    desk = Told(work)
    work.fill(A, 4_000)
    with RunProgress(Voice(json=False), cast(Desk, desk), work.run_id):
        desk.tell()
        work.fill(A, 6_000)
        desk.tell()
    fills = [line for line in capsys.readouterr().err.splitlines() if "fill " in line]
    assert [line[line.index("(") :] for line in fills] == ["(4,000 of 10,000)", "(10,000 of 10,000)"]
