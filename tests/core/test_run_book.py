"""Runs that have ended weigh little, cost nothing while others are decided about, and are still there for whoever asks."""

from __future__ import annotations

import pytest
from tests.core.runs_made import A, B, Work, a_run
from typing_extensions import override

from tradeloop.core.commands import CancelRun, HaltTrading, OpenTradingDay
from tradeloop.core.errors import BadInput
from tradeloop.core.halt import HaltTier
from tradeloop.core.replies import RunReply
from tradeloop.core.reports import ExecutionBust
from tradeloop.core.state import State
from tradeloop.core.types import ExecID, RunID, RunStatus, Side, TradingDay, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, a_snapshot, an_execution


class Past(dict[RunID, bytes]):
    """Ended runs, of which each look at one is counted."""

    looks = 0

    @override
    def get(self, key: RunID, default: object = None) -> bytes | None:  # type: ignore[override]
        self.looks += 1
        return super().get(key)


def ended() -> Work:
    """A run that filled half of one line and was cancelled."""
    work = Work.begun({A: "0.1", B: "0.1"})
    work.fill(A, 4_000)
    work.desk.give(CancelRun(work.run_id, "ann"))
    work.canceled(A)
    work.canceled(B)
    return work


def test_a_run_is_live_until_it_ends_and_its_bytes_from_then_on() -> None:
    work = Work.begun({A: "0.1"})
    runs = work.desk.state.runs
    assert (list(runs.live), list(runs.ended)) == ([work.run_id], [])
    work.fill(A)
    assert (list(runs.live), list(runs.ended)) == ([], [work.run_id])
    assert work.status is RunStatus.COMPLETED
    assert work.leg(A).cl_ord_id is not None
    assert len(runs.ended[work.run_id]) < 2_000


def test_an_ended_run_is_the_same_after_a_restart() -> None:
    work = ended()
    again = State.unpack(work.desk.state.pack())
    assert again.runs[work.run_id] == work.run
    assert again.hash() == work.desk.state.hash()
    assert list(again.runs.items()) == list(work.desk.state.runs.items())


def test_the_same_start_names_the_ended_run_and_another_content_is_refused() -> None:
    """S0-46, S0-60."""
    work = ended()
    again = work.desk.give(a_run({A: "0.1", B: "0.1"}))
    assert again == RunReply(work.run_id, RunStatus.CANCELED, repeat=True)
    with pytest.raises(BadInput, match="with other content"):
        work.desk.give(a_run({A: "0.1", B: "0.1"}, content_hash="0" * 64))


def test_a_retry_takes_up_what_an_ended_run_left_and_is_named_by_it() -> None:
    """S0-59, D1."""
    first = ended()
    second = first.retried()
    assert second.sent() == {A: 6_000, B: 10_000}
    assert first.run.superseded_by == second.run_id
    assert list(first.desk.state.runs) == [first.run_id, second.run_id]


def test_no_look_new_day_or_halt_looks_at_runs_that_have_ended() -> None:
    """Each walked all runs there ever were."""
    desk = ended().desk
    for number in range(2, 6):
        work = Work.begun({A: "0.04", B: "0.1"}, desk=desk, decision_snapshot_id=f"s{number}")
        desk.give(CancelRun(work.run_id, "ann"))
        work.canceled(B)
    assert len(desk.state.runs.ended) == 5
    live = Work.begun({A: "0.04", B: "0.5"}, desk=desk, decision_snapshot_id="s9")
    desk.state.runs.ended = past = Past(desk.state.runs.ended)

    desk.give(a_snapshot(as_of=desk.now))
    desk.give(HaltTrading(HaltTier.HALT, "ann", "looking"))
    desk.wait(86_400)
    desk.give(OpenTradingDay("CN_A", TradingDay("2026-07-20"), ((UtcNs(desk.now - 1), UtcNs(desk.now + 10**13)),)))

    assert live.run_id in desk.state.runs
    assert past.looks == 0


def test_a_fill_taken_back_after_the_end_of_its_run_leaves_the_run_as_it_was() -> None:
    work = Work.begun({A: "0.1"})
    order = work.order(A)
    work.desk.give(an_execution(order.cl_ord_id, A, Side.BUY, order.order_qty, "10", "e1"))
    was = work.run
    assert was.status is RunStatus.COMPLETED
    work.desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY))
    assert work.desk.known(order.cl_ord_id).leaves_qty == order.order_qty
    assert work.run == was
    work.desk.give(an_execution(order.cl_ord_id, A, Side.BUY, order.order_qty, "10", "e2"))
    assert work.run == was
