"""Who lets a run of somebody else go has approved its orders: those beyond a limit that asks for a second person go."""

from __future__ import annotations

import pytest
from tests.core.risk.cases import a_limit, limited
from tests.core.runs_made import LISTED, A, B, Work, prices

from tradeloop.core.checked_commands import checked_command
from tradeloop.core.commands import ApproveRun, RetryRun
from tradeloop.core.errors import BadInput
from tradeloop.core.events import OrderDenied, OrderStaged
from tradeloop.core.limit import Severity
from tradeloop.core.state import State
from tradeloop.core.surroundings import Policy
from tradeloop.core.types import RunID
from tradeloop.testing.desk import Desk


def held(by: str = "ann", approvers: tuple[str, ...] = ()) -> Work:
    """A run that waits for an approval, on a desk whose larger orders need a second person."""
    limit = a_limit("max_order_qty", 5000, severity=Severity.APPROVAL)
    desk = limited(limit, desk=Desk(Policy(approvers=approvers)).opened(*LISTED))
    return Work.begun({A: "0.1", B: "0.01"}, desk=desk, hold_for_approval=True, by=by)


def test_an_order_beyond_an_approval_limit_goes_in_a_run_that_another_approved() -> None:
    work = held()
    work.desk.give(ApproveRun(work.run_id, "bob"))
    assert work.sent() == {A: 10000, B: 1000}
    assert {event.approved_by for event in work.desk.of(OrderStaged)} == {"bob"}


@pytest.mark.parametrize("name", ["ann", " ANN ", "Ann"])
def test_who_made_a_run_has_approved_none_of_its_orders_by_letting_it_go(name: str) -> None:
    work = held()
    work.desk.give(ApproveRun(work.run_id, name))
    (denied,) = work.desk.of(OrderDenied)
    assert (denied.rule, denied.symbol, denied.approved_by) == ("max_order_qty", A, "")
    assert work.sent() == {B: 1000}


def test_where_approvers_are_named_the_run_is_approved_by_one_of_them() -> None:
    work = held(approvers=("ann", "bob"))
    work.desk.give(ApproveRun(work.run_id, "eve"))
    (denied,) = work.desk.of(OrderDenied)
    assert "the approval of 'eve' does not count" in denied.text
    allowed = held(approvers=("ann", "bob"))
    allowed.desk.give(ApproveRun(allowed.run_id, "bob"))
    assert allowed.sent() == {A: 10000, B: 1000}


def test_a_retry_waits_for_an_approval_of_its_own() -> None:
    work = held()
    work.desk.give(ApproveRun(work.run_id, "ann"))
    work.fill(B)
    again = work.retried(by="ann")
    assert again.sent() == {}
    again.desk.give(ApproveRun(again.run_id, "bob"))
    assert again.sent() == {A: 10000}


def test_a_restart_knows_who_approved_a_run() -> None:
    work = held()
    work.desk.give(ApproveRun(work.run_id, "bob"))
    state = State.unpack(work.desk.state.pack())
    assert state.runs[work.run_id].approved_by == "bob"


def test_a_name_with_signs_that_nobody_sees_lets_no_run_go() -> None:
    for command in (ApproveRun(RunID("r"), "ann\u200b"), RetryRun(RunID("r"), "ann\u200b", prices())):
        with pytest.raises(BadInput, match="not seen"):
            checked_command(command)
