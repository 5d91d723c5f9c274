"""Two runs, or a run and an order by hand, never buy the same thing twice: the second is refused until the first has ended."""

from __future__ import annotations

from typing import Any

import pytest
from tests.core.runs_made import LISTED, A, B, C, Work, a_run, prices

from tradeloop.core.commands import ApproveRun, CancelRun, RepairBreak, RetryRun
from tradeloop.core.errors import BadInput
from tradeloop.core.events import OrderStaged
from tradeloop.core.replies import RunReply
from tradeloop.core.reports import CancelAck, SendOutcome
from tradeloop.core.types import OrdStatus, RunID, RunStatus
from tradeloop.testing.builders import BROKER, a_snapshot, buy, their_order
from tradeloop.testing.desk import Desk


def refused(reply: object) -> tuple[str, ...]:
    """The findings of a run that was not made."""
    assert isinstance(reply, RunReply)
    assert reply.run_id is None
    return reply.failed


def test_a_second_run_of_the_same_target_is_refused_while_orders_of_the_first_work() -> None:
    """S0-65: another snapshot id is another key, and the same shares."""
    work = Work.begun({A: "0.4"})
    order = work.order(A)

    failed = refused(work.desk.give(a_run({A: "0.4"}, decision_snapshot_id="s2")))

    assert failed[0] == (
        f"open_orders: no other order may be open in a symbol of the run, since what it trades would be ordered twice; was"
        f" {order.cl_ord_id} (BUY 40000 {A}, PENDING_NEW); cancel it or let it end, then ask again"
    )
    assert len(failed) == len(work.desk.of(OrderStaged)) == 1


def test_a_run_is_refused_while_an_order_by_hand_works_in_one_of_its_symbols() -> None:
    desk = Desk().opened(*LISTED)
    desk.order(buy(A, 40_000))
    (failed,) = refused(desk.give(a_run({A: "0.4", B: "0.1"})))
    assert failed.startswith("open_orders: ")


def test_a_run_is_refused_while_an_order_of_unknown_fate_stands_in_one_of_its_symbols() -> None:
    """D7: it may be at the broker."""
    desk = Desk().opened(*LISTED)
    lost = desk.order(buy(A, 100))
    desk.give(SendOutcome(BROKER, lost.cl_ord_id, "UNKNOWN", "time-out"))
    (failed,) = refused(desk.give(a_run({A: "0.4"})))
    assert "UNKNOWN" in failed


def test_orders_in_other_symbols_do_not_stand_in_the_way() -> None:
    desk = Desk().opened(*LISTED)
    desk.order(buy(C, 100))
    assert Work.begun({A: "0.4"}, desk=desk).sent() == {A: 40_000}


def test_an_order_in_a_holding_that_the_run_would_sell_stands_in_the_way_and_not_in_one_it_keeps() -> None:
    desk = Desk().opened(*LISTED, positions={C: 1000})
    desk.order(buy(C, 100))

    assert len(refused(desk.give(a_run({A: "0.4"})))) == 1

    assert Work.begun({A: "0.4"}, desk=desk, sell_unlisted=False).sent() == {A: 40_400}


def test_a_run_is_refused_while_another_one_has_yet_to_send_its_buy_of_the_same_symbol() -> None:
    """The buy waits for money, so no order shows it."""
    work = Work.begun({A: 0, B: "0.9"}, cash=0, held={A: 1000})

    failed = refused(work.desk.give(a_run({B: "0.9"}, decision_snapshot_id="s2", sell_unlisted=False)))

    assert failed[-1] == (
        f"open_runs: no other run may have orders left to send in a symbol of the run, was {work.run_id};"
        " cancel it or let it end, then ask again"
    )


def test_a_retry_is_refused_while_somebody_buys_the_rest_by_hand() -> None:
    """S0-59."""
    work = Work.begun({A: "0.4"})
    work.fill(A, 10_000)
    work.canceled(A)
    by_hand = work.desk.order(buy(A, 30_000))

    (failed,) = refused(work.desk.give(RetryRun(work.run_id, "ann", prices())))
    assert by_hand.cl_ord_id in failed

    work.desk.give(CancelAck(BROKER, by_hand.cl_ord_id, cum_qty=by_hand.cum_qty))
    assert work.retried().sent() == {A: 30_000}


@pytest.mark.parametrize("waiting", ["execute", "hold_for_approval"])
def test_of_two_runs_that_wait_for_a_person_only_one_is_let_go(waiting: str) -> None:
    """Both were planned from the same holdings."""
    held_back: dict[str, Any] = {"execute": waiting != "execute", "hold_for_approval": waiting != "execute"}
    first = Work.begun({A: "0.4"}, **held_back)
    second = Work.begun({A: "0.4"}, desk=first.desk, decision_snapshot_id="s2", **held_back)
    first.desk.give(ApproveRun(first.run_id, "ann"))

    with pytest.raises(BadInput, match=f"run {second.run_id} cannot go: no other order may be open"):
        second.desk.give(ApproveRun(second.run_id, "ann"))
    first.fill(A)
    with pytest.raises(BadInput, match=f"was planned with 0 {A} held, it was 40000 now; make a new run"):
        second.desk.give(ApproveRun(second.run_id, "ann"))

    second.desk.give(CancelRun(RunID(second.run_id), "ann"))
    assert (second.status, second.sent()) == (RunStatus.CANCELED, {})


def test_a_run_is_refused_while_the_broker_works_an_order_that_is_over_in_our_books() -> None:
    """What it trades yet is in no plan: our books count it no more."""
    desk = Desk().opened(*LISTED)
    order = desk.order(buy(A, 300))
    desk.ack(order)
    desk.give(CancelAck(BROKER, order.cl_ord_id, cum_qty=order.cum_qty))
    desk.wait(60)
    line = their_order(order.cl_ord_id, A, order.side, 300, OrdStatus.NEW)
    desk.give(a_snapshot(as_of=desk.now, orders=(line,)))

    (failed,) = refused(desk.give(a_run({A: "0.4"})))
    assert failed.startswith("open_orders: ")
    assert f"{order.cl_ord_id} (BUY 300 {A}, CANCELED here, and the broker works it still)" in failed

    desk.wait(60)
    desk.give(a_snapshot(as_of=desk.now, orders=(their_order(order.cl_ord_id, A, order.side, 300, OrdStatus.CANCELED),)))
    assert Work.begun({A: "0.4"}, desk=desk, prices=prices(at=desk.now)).status is RunStatus.RUNNING


def test_a_run_is_refused_where_the_broker_holds_something_else_than_we_do_until_a_person_settled_it() -> None:
    """It would sell what is not there."""
    desk = Desk().opened(*LISTED, positions={A: 1000, C: 500})
    desk.give(a_snapshot(as_of=desk.now, positions={A: 400, C: 500}))

    (failed,) = refused(desk.give(a_run({A: 0})))
    assert failed == (
        "position_breaks: our books and the broker's must agree about what is held in the symbols of the run, was"
        f" {A} long (ours 1000, theirs 400); find out why and settle it, see `tradeloop reconcile`, then ask again"
    )
    assert desk.of(OrderStaged) == []
    assert Work.begun({C: 0}, desk=desk, sell_unlisted=False).sent() == {C: -500}

    desk.give(RepairBreak(f"position:paper:demo:{A} long", "ann", "a transfer"))
    again = Work.begun({A: 0}, desk=desk, decision_snapshot_id="s2", sell_unlisted=False)
    assert again.sent() == {A: -400}


def test_a_run_that_waits_for_approval_does_not_go_over_a_difference_that_was_found_meanwhile() -> None:
    work = Work.begun({A: "0.4"}, hold_for_approval=True)
    work.desk.give(a_snapshot(as_of=work.desk.now, positions={A: 400}))
    with pytest.raises(BadInput, match=f"run {work.run_id} cannot go: our books and the broker's must agree"):
        work.desk.give(ApproveRun(work.run_id, "ann"))


def test_a_run_that_was_held_back_is_not_approved_against_a_newer_target() -> None:
    """The newer run had nothing to trade in what it names: holdings alone do not show that the decision is another."""
    waits = Work.begun({A: "0.4"}, hold_for_approval=True)
    waits.desk.wait(10)
    newer = Work.begun({A: "0"}, desk=waits.desk, decision_snapshot_id="s2", prices=prices(at=waits.desk.now))
    assert newer.status is RunStatus.COMPLETED
    with pytest.raises(BadInput, match=f"was planned before run {newer.run_id} began towards another target"):
        waits.desk.give(ApproveRun(waits.run_id, "bob"))
    assert waits.desk.of(OrderStaged) == []
