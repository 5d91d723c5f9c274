"""A run belongs to a strategy: what limits and halts a strategy concerns the run's orders."""

from __future__ import annotations

import msgspec
import pytest
from tests.core.risk.cases import a_limit, limited
from tests.core.runs_made import LISTED, A, B, Work, a_run, prices

from tradeloop.core.commands import HaltTrading, ReleaseHalt, ResumeRun, RetryRun
from tradeloop.core.errors import BadInput
from tradeloop.core.events import OrderDenied, OrderStaged, RunCreated
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.limit import LimitScope, RiskLimit
from tradeloop.core.replies import RunReply
from tradeloop.journal import codec
from tradeloop.testing.desk import Desk


def under(*limits: RiskLimit) -> Desk:
    """A desk with the instruments of a run, under limits."""
    return limited(*limits, desk=Desk().opened(*LISTED))


def of_strategies(desk: Desk) -> set[str]:
    """The strategies of all orders."""
    return {event.strategy_id for event in desk.of(OrderStaged)}


@pytest.mark.parametrize(("named", "strategy"), [("trend", "trend"), ("", "alpha")], ids=["named", "its project"])
def test_the_orders_of_a_run_belong_to_its_strategy_or_else_to_its_project(named: str, strategy: str) -> None:
    work = Work.begun({A: "0.1", B: "0.1"}, strategy_id=named)
    assert of_strategies(work.desk) == {strategy}
    assert work.run.created.strategy_id == strategy


def test_a_retry_belongs_to_the_strategy_of_its_run() -> None:
    work = Work.begun({A: "0.1"}, strategy_id="trend")
    work.reject(A)
    work.desk.give(RetryRun(work.run_id, "ann", prices()))
    assert len(work.desk.of(OrderStaged)) == 2
    assert of_strategies(work.desk) == {"trend"}


def test_a_limit_of_a_strategy_holds_for_its_runs_alone() -> None:
    limit = a_limit("max_order_qty", 1, LimitScope.STRATEGY, name="trend")
    Work.begun({A: "0.1"}, desk=(desk := under(limit)), strategy_id="trend")
    (denied,) = desk.of(OrderDenied)
    assert (denied.rule, denied.scope, denied.strategy_id) == ("max_order_qty", "strategy trend", "trend")
    Work.begun({A: "0.1"}, desk=(other := under(limit)), strategy_id="mean")
    assert other.of(OrderDenied) == []


def test_a_run_that_repeats_itself_is_stopped() -> None:
    """R5: a plan that is cut into many orders of one symbol fires them all at once."""
    many = tuple(msgspec.structs.replace(one, max_qty_market=one.lot) for one in LISTED)
    desk = limited(a_limit("max_repeated_executions", 3), desk=Desk().opened(*many))
    desk.give(a_run({A: "0.01"}))
    assert len(desk.of(OrderStaged)) == 3
    assert {event.rule for event in desk.of(OrderDenied)} == {"max_repeated_executions"}


def test_a_halt_of_a_strategy_pauses_its_runs_and_no_others() -> None:
    work = Work.begun({A: 0, B: "0.5"}, cash=0, held={A: 1000}, strategy_id="trend")
    work.desk.give(HaltTrading(HaltTier.HALT, "ann", "odd", HaltScope.STRATEGY, "mean"))
    assert work.status.name == "RUNNING"
    work.desk.give(HaltTrading(HaltTier.HALT, "ann", "odd", HaltScope.STRATEGY, "trend"))
    assert work.status.name == "PAUSED"
    with pytest.raises(BadInput, match="strategy trend takes no new orders"):
        work.desk.give(ResumeRun(work.run_id, "ann"))


def test_no_run_of_a_halted_strategy_is_made() -> None:
    desk = Desk().opened(*LISTED)
    desk.give(HaltTrading(HaltTier.HALT, "ann", "odd", HaltScope.STRATEGY, "alpha"))
    reply = desk.give(a_run({A: "0.1"}))
    assert isinstance(reply, RunReply)
    assert reply.run_id is None
    assert any(said.startswith("halted: strategy alpha") for said in reply.failed)
    assert Work.begun({A: "0.1"}, desk=desk, strategy_id="trend").sent() == {A: 10000}
    desk.give(ReleaseHalt("ann", "looked", HaltScope.STRATEGY, "alpha", numbers=(1,)))
    Work.begun({B: "0.1"}, desk=desk)


def test_a_halt_that_cancels_takes_the_orders_of_its_strategys_runs_out() -> None:
    work = Work.begun({A: "0.1"}, strategy_id="trend")
    work.ack(A)
    work.desk.give(HaltTrading(HaltTier.CANCEL_ALL, "ann", "odd", HaltScope.STRATEGY, "trend"))
    assert work.order(A).cancel_requested_at is not None
    assert work.run.cancel_requested


def test_a_run_of_a_journal_from_before_belongs_to_no_strategy() -> None:
    work = Work.begun({A: "0.1"})
    (created,) = work.desk.of(RunCreated)
    form, [fields] = msgspec.msgpack.decode(codec.encode([created]))
    assert fields[-2:] == ["alpha", None]
    del fields[-2:]
    (before,) = codec.decode(msgspec.msgpack.encode([form, [fields]]))
    assert before == msgspec.structs.replace(created, strategy_id="")
