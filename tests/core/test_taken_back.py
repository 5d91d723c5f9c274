"""Busts and corrections out of their turn: before their fill, and after the run that ordered it has ended."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.core.runs_made import A, Work

from tradeloop.core.effects import RaiseAlert, SetTimer
from tradeloop.core.events import Overfilled, TradeBusted, TradeCorrected
from tradeloop.core.order import Order
from tradeloop.core.reports import ExecutionBust, ExecutionCorrect
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, AccountID, Amount, ExecID, OrdStatus, Px, Qty, RunStatus, Side
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, NOON, an_execution, an_instrument, buy
from tradeloop.testing.desk import Desk

CASH = 1_000_000


def a_bust(exec_id: str = "e1", account: AccountID = ACCOUNT) -> ExecutionBust:
    return ExecutionBust(BROKER, account, DAY, ExecID(exec_id), Side.BUY)


def a_correction(qty: int, px: str, fee: str | None = None) -> ExecutionCorrect:
    commission = None if fee is None else Amount(Decimal(fee))
    return ExecutionCorrect(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY, Qty(Decimal(qty)), Px(Decimal(px)), commission)


def an_order(qty: int = 100) -> tuple[Desk, Order]:
    desk = Desk().opened(an_instrument(lot=1, min_qty=1), cash=CASH)
    order = desk.order(buy("600519.SH", qty))
    desk.ack(order)
    return desk, order


def fill(desk: Desk, order: Order, qty: int = 100, fee: str = "0") -> None:
    desk.give(an_execution(order.cl_ord_id, order.symbol, Side.BUY, qty, "10", commission=Amount(Decimal(fee))))


def books(desk: Desk, order: Order) -> tuple[OrdStatus, Decimal, Decimal, Decimal]:
    """Status, filled, held, cash."""
    now = desk.known(order.cl_ord_id)
    return now.ord_status, now.cum_qty, desk.state.held(ACCOUNT, order.symbol).long_qty, desk.cash()


def test_a_fill_that_its_bust_overtook_does_not_stay_in_the_books() -> None:
    """H10."""
    desk, order = an_order()
    desk.give(a_bust())
    fill(desk, order, fee="5")
    assert books(desk, order) == (OrdStatus.NEW, Decimal(0), Decimal(0), Decimal(CASH))


def test_after_an_early_bust_the_order_may_fill_again_and_nothing_is_overfilled() -> None:
    desk, order = an_order()
    desk.give(a_bust())
    fill(desk, order)
    desk.give(an_execution(order.cl_ord_id, order.symbol, Side.BUY, 100, "10", "e2"))
    assert books(desk, order) == (OrdStatus.FILLED, Decimal(100), Decimal(100), Decimal(CASH - 1000))
    assert desk.of(Overfilled) == []


def test_an_overfill_that_was_busted_before_it_came_halts_nothing() -> None:
    desk, order = an_order()
    desk.give(a_bust())
    fill(desk, order, 130)
    assert (desk.of(Overfilled), desk.state.halted) == ([], {})


def test_an_early_bust_outlives_a_snapshot_of_the_state() -> None:
    desk, order = an_order()
    desk.give(a_bust())
    before = desk.state.hash()
    desk.state = State.unpack(desk.state.pack())
    assert desk.state.hash() == before
    fill(desk, order)
    assert books(desk, order)[2] == Decimal(0)


def test_an_early_bust_that_is_repeated_is_noted_once() -> None:
    desk, _ = an_order()
    desk.give(a_bust(), a_bust())
    assert [e.cl_ord_id for e in desk.of(TradeBusted)] == [""]


def test_an_early_bust_of_one_account_leaves_the_same_number_of_another_alone() -> None:
    desk, order = an_order()
    desk.give(a_bust(account=AccountID("second")))
    fill(desk, order)
    assert books(desk, order)[1] == Decimal(100)


@pytest.mark.parametrize(("fee", "charged"), [(None, 5), ("3", 3)])
def test_a_fill_that_its_correction_overtook_is_booked_as_corrected(fee: str | None, charged: int) -> None:
    desk, order = an_order()
    desk.give(a_correction(60, "11", fee))
    fill(desk, order, fee="5")
    assert books(desk, order) == (
        OrdStatus.PARTIALLY_FILLED,
        Decimal(60),
        Decimal(60),
        Decimal(CASH - 660 - charged),
    )


def test_a_fill_that_comes_with_its_corrected_figures_already_is_not_corrected_again() -> None:
    desk, order = an_order()
    desk.give(a_correction(100, "10"))
    fill(desk, order)
    assert [e.cl_ord_id for e in desk.of(TradeCorrected)] == [""]
    assert desk.state.early == {}


def test_the_last_word_before_the_fill_counts() -> None:
    desk, order = an_order()
    desk.give(a_correction(60, "11"), a_bust())
    fill(desk, order)
    assert books(desk, order)[1] == Decimal(0)


@pytest.mark.parametrize("report", [a_bust(), a_correction(50, "10")], ids=["bust", "correction"])
def test_a_person_hears_that_the_broker_changed_a_fill(report: ExecutionBust | ExecutionCorrect) -> None:
    desk, order = an_order()
    fill(desk, order)
    desk.give(report)
    assert [alert.key for alert in desk.of(RaiseAlert)] == [f"taken_back:{BROKER}:{ACCOUNT}:{DAY}:e1:BUY"]


def test_a_person_hears_that_a_bust_came_for_a_fill_that_has_not() -> None:
    desk, _ = an_order()
    desk.give(a_bust())
    assert "has not come yet" in desk.of(RaiseAlert)[0].text


# --- runs


def a_filled_run(**changes: Any) -> tuple[Work, Order]:
    """A run of one buy, filled whole by execution e1, and so at its end."""
    work = Work.begun({A: "0.1"}, **changes)
    work.ack(A)
    order = work.order(A)
    work.desk.give(an_execution(order.cl_ord_id, A, Side.BUY, order.order_qty, "10"))
    assert work.status is RunStatus.COMPLETED
    return work, order


def test_an_order_that_works_again_after_its_run_has_ended_is_put_before_a_person() -> None:
    """H10."""
    work, _ = a_filled_run()
    work.desk.give(a_bust())
    alert = work.desk.of(RaiseAlert)[-1]
    assert (alert.level, work.order(A).ord_status) == ("CRITICAL", OrdStatus.NEW)
    assert f"run {work.run_id} has ended" in alert.text


def test_the_time_out_of_an_order_that_works_again_is_set_again() -> None:
    work, order = a_filled_run(order_timeout_ns=5 * SECOND_NS)
    work.desk.wait(6)
    work.timer("order_timeout", A)
    work.desk.give(a_bust())
    last = work.desk.of(SetTimer)[-1]
    assert (last.kind, last.subject, last.due) == ("order_timeout", order.cl_ord_id, NOON + 6 * SECOND_NS)
    work.timer("order_timeout", A)
    assert work.order(A).ord_status is OrdStatus.PENDING_CANCEL


def test_a_run_that_goes_on_waits_again_for_an_order_whose_fill_was_taken_back() -> None:
    work = Work.begun({A: "0.1"})
    work.ack(A)
    order = work.order(A)
    work.desk.give(a_bust())
    work.desk.give(an_execution(order.cl_ord_id, A, Side.BUY, order.order_qty, "10"))
    assert (work.status, work.leg(A).closed) == (RunStatus.RUNNING, False)
    work.desk.give(an_execution(order.cl_ord_id, A, Side.BUY, order.order_qty, "10", "e2"))
    assert work.status is RunStatus.COMPLETED


def test_a_correction_that_fills_the_order_ends_its_run() -> None:
    work = Work.begun({A: "0.1"})
    work.ack(A)
    order = work.order(A)
    work.desk.give(an_execution(order.cl_ord_id, A, Side.BUY, order.order_qty - 100, "10"))
    work.desk.give(a_correction(int(order.order_qty), "10"))
    assert work.status is RunStatus.COMPLETED


def test_a_repeated_correction_does_not_bring_a_busted_fill_back() -> None:
    """Redelivery is normal life: what was taken back stays taken back."""
    desk = Desk().opened(an_instrument("600519.SH"))
    order = desk.order(buy("600519.SH", 100))
    correct = ExecutionCorrect(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY, Qty(Decimal(50)), Px(Decimal("10.00")))
    desk.give(an_execution(order.cl_ord_id, "600519.SH", Side.BUY, 100, "10.00"), correct)
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY))

    desk.give(correct)

    assert desk.known(order.cl_ord_id).cum_qty == 0
    assert desk.state.held(ACCOUNT, order.symbol).is_flat
