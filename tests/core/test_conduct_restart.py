"""A run across a restart: it goes on where it stood, asks about what was on its way, and sends nothing twice."""

from __future__ import annotations

from decimal import Decimal

from tests.core.runs_made import LISTED, A, B, Work

from tradeloop.core.effects import SendOrder
from tradeloop.core.events import FateLost, NotSentProven, OrderStaged, SendBegun
from tradeloop.core.evolve import evolve
from tradeloop.core.follow import after_restart
from tradeloop.core.inputs import Start
from tradeloop.core.replies import RunReply
from tradeloop.core.reports import BrokerUp, SendOutcome
from tradeloop.core.state import State
from tradeloop.core.types import OrdStatus, RunStatus, Side
from tradeloop.testing.builders import BROKER, NOON, a_quote, a_snapshot, an_execution, their_order
from tradeloop.testing.desk import Desk


def restarted(desk: Desk, epoch: int = 2) -> Desk:
    """A new process: the state folded from the events, or from a snapshot of it; quotes and timers forgotten."""
    again = Desk()
    for event in desk.events:
        evolve(again.state, event)
    assert again.state.hash() == desk.state.hash()
    again.state = State.unpack(again.state.pack())
    again.now, again.events = desk.now, list(desk.events)
    again.effects.extend(after_restart(again.state, again.around))
    again.give(Start(epoch, "test", "t1"))
    again.give(BrokerUp(BROKER))
    for instrument in LISTED:
        again.give(a_quote(instrument.symbol, at=again.now))
    return again


def test_a_run_goes_on_after_a_restart_and_sends_nothing_twice() -> None:
    """S0-65, issue 2 done when."""
    before = Work.begun({A: 0, B: "0.5"}, cash=0, held={A: 1000})
    before.ack(A)
    sell = before.order(A)
    desk = restarted(before.desk)
    work = Work(desk, RunReply(before.run_id, None))
    assert not desk.of(SendOrder)

    fill = an_execution(sell.cl_ord_id, A, Side.SELL, 1000, "9.99", "while-away")
    filled = their_order(sell.cl_ord_id, A, Side.SELL, 1000, OrdStatus.FILLED, cum_qty=Decimal(1000), order_id=sell.order_id)
    desk.give(a_snapshot(cash=9_990, orders=(filled,), executions=(fill,)))

    assert work.sent() == {A: -1000, B: 500}
    assert [effect.order.order.symbol for effect in desk.of(SendOrder)] == [B]
    assert not desk.state.breaks


def test_an_order_in_flight_at_the_crash_is_unknown_and_never_sent_again_by_itself() -> None:
    """D7."""
    before = Work.begun({A: "0.1"})
    desk = restarted(before.desk)
    work = Work(desk, RunReply(before.run_id, None))

    desk.give(a_snapshot())
    desk.give(a_snapshot(as_of=desk.now))

    assert [event.text for event in desk.of(FateLost)] == ["the process ended before an answer came"]
    assert work.status is RunStatus.RUNNING
    assert len(desk.of(SendBegun)) == 1


def test_an_order_in_flight_at_the_crash_goes_again_once_its_absence_is_proven() -> None:
    """D7: the same order, the same id."""
    before = Work.begun({A: "0.1"})
    desk = restarted(before.desk)
    work = Work(desk, RunReply(before.run_id, None))
    for _ in range(6):
        desk.wait(3)
        desk.give(a_quote(A, at=desk.now), a_snapshot(as_of=desk.now))

    assert len(desk.of(NotSentProven)) == 1
    assert [effect.order.order.cl_ord_id for effect in desk.of(SendOrder)] == [before.order(A).cl_ord_id]
    assert len(desk.of(OrderStaged)) == 1
    work.fill(A)
    assert work.status is RunStatus.COMPLETED


def test_a_run_ends_when_its_order_is_proven_absent_and_may_not_go_any_more() -> None:
    """Invariant 42: nothing else would ever wake the run."""
    before = Work.begun({A: "0.1"})
    desk = restarted(before.desk)
    work = Work(desk, RunReply(before.run_id, None))
    for _ in range(6):
        desk.wait(3)
        desk.give(a_quote(A, bid="12.99", ask="13.00", at=desk.now), a_snapshot(as_of=desk.now))

    assert work.order(A).ord_status is OrdStatus.CANCELED
    assert work.has_ended, work.status


def test_the_same_key_after_a_restart_gives_the_same_run() -> None:
    """S0-60, S0-65."""
    before = Work.begun({A: "0.1"})
    desk = restarted(before.desk)
    desk.give(a_snapshot())
    staged = len(desk.of(OrderStaged))

    again = Work.begun({A: "0.1"}, desk=desk)

    assert again.run_id == before.run_id
    assert len(desk.of(OrderStaged)) == staged


def test_ids_of_the_new_process_differ_from_those_of_the_old_one() -> None:
    """Invariant 5."""
    before = Work.begun({A: "0.1"})
    before.fill(A)
    desk = restarted(before.desk)
    desk.give(a_snapshot(cash=900_000, positions={A: 10_000}))

    other = Work.begun({A: "0.1", B: "0.1"}, desk=desk, decision_snapshot_id="s2")

    assert other.order(B).cl_ord_id != before.order(A).cl_ord_id
    assert other.order(B).cl_ord_id[:7] == "t100002"


def test_a_late_not_sent_after_the_restart_belongs_to_nobody() -> None:
    """D7: UNKNOWN is left only by proof, not by what an old process would have said."""
    before = Work.begun({A: "0.1"})
    desk = restarted(before.desk)
    desk.now = NOON
    desk.give(SendOutcome(BROKER, before.order(A).cl_ord_id, "NOT_SENT", "late"))
    assert desk.known(before.order(A).cl_ord_id).ord_status is OrdStatus.UNKNOWN
