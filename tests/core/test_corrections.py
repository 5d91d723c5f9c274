"""Corrections and busts that come again, in another order, or about one another: each counts once (F21, F22, F24, F29)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tradeloop.core.events import TradeBusted, TradeCorrected, Traded, TradeNeverCame
from tradeloop.core.order import Order
from tradeloop.core.reports import ExecutionBust, ExecutionCorrect
from tradeloop.core.state import State
from tradeloop.core.types import ExecID, Px, Qty, Side, TradingDay, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, NOON, a_snapshot, an_execution, an_instrument, buy
from tradeloop.testing.desk import Desk

MOUTAI = "600519.SH"
NEXT_DAY = TradingDay("2026-07-20")


def correction(qty: int, ref: str = "e1", px: str = "10", **changes: Any) -> ExecutionCorrect:
    return ExecutionCorrect(BROKER, ACCOUNT, DAY, ExecID(ref), Side.BUY, Qty(Decimal(qty)), Px(Decimal(px)), **changes)


def a_bust(ref: str = "e1", **changes: Any) -> ExecutionBust:
    return ExecutionBust(BROKER, ACCOUNT, DAY, ExecID(ref), Side.BUY, **changes)


def at(second: int) -> dict[str, Any]:
    return {"transact_at": UtcNs(NOON + second)}


def own(exec_id: str) -> dict[str, Any]:
    return {"exec_id": ExecID(exec_id)}


def a_desk() -> tuple[Desk, Order]:
    desk = Desk().opened(an_instrument(lot=1, min_qty=1))
    return desk, desk.order(buy(MOUTAI, 100))


def fill(desk: Desk, order: Order, exec_id: str = "e1", qty: int = 100) -> None:
    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, qty, "10", exec_id))


def filled(desk: Desk, order: Order) -> Decimal:
    """What the order has, which is what is held."""
    held = desk.state.held(ACCOUNT, order.symbol).long_qty
    assert held == desk.known(order.cl_ord_id).cum_qty
    return held


def test_an_older_correction_that_comes_again_does_not_bring_its_figures_back() -> None:
    desk, order = a_desk()
    fill(desk, order)
    desk.give(correction(50), correction(60), correction(50))
    assert filled(desk, order) == 60


def test_an_older_correction_does_not_overtake_a_newer_one_that_changed_nothing() -> None:
    """The newer word gives the fill back the figures it was booked with, before the older one was ever heard."""
    desk, order = a_desk()
    fill(desk, order)
    desk.give(correction(100, **at(2)), correction(60, **at(1)))
    assert filled(desk, order) == 100


def test_a_correction_that_changes_nothing_is_remembered_once() -> None:
    desk, order = a_desk()
    fill(desk, order)
    desk.give(correction(100, **at(2)))
    before = desk.state.hash()
    desk.give(correction(100, **at(2)))
    assert desk.state.hash() == before


def test_an_older_correction_with_an_id_that_comes_again_changes_nothing() -> None:
    desk, order = a_desk()
    fill(desk, order)
    desk.give(correction(50, **own("c1")), correction(60, **own("c2")))
    before = desk.state.hash()
    desk.give(correction(50, **own("c1")), correction(60, **own("c2")))
    assert desk.state.hash() == before


def test_a_broker_may_state_earlier_figures_anew_under_a_new_id() -> None:
    desk, order = a_desk()
    fill(desk, order)
    desk.give(correction(50, **own("c1")), correction(60, **own("c2")), correction(50, **own("c3")))
    assert filled(desk, order) == 50


def test_a_broker_without_ids_may_state_earlier_figures_anew_at_a_later_time() -> None:
    desk, order = a_desk()
    fill(desk, order)
    desk.give(correction(50, **at(1)), correction(60, **at(2)), correction(50, **at(1)))
    assert filled(desk, order) == 60
    desk.give(correction(50, **at(3)))
    assert filled(desk, order) == 50


def test_a_correction_that_a_newer_one_overtook_does_not_undo_it() -> None:
    """F24."""
    desk, order = a_desk()
    fill(desk, order)
    desk.give(correction(60, **own("c2"), **at(2)), correction(50, **own("c1"), **at(1)))
    assert filled(desk, order) == 60


def test_a_correction_may_name_the_correction_before_it() -> None:
    """IB counts the last segment of the execId up, and FIX names the last of them."""
    desk, order = a_desk()
    fill(desk, order, "f.01")
    desk.give(correction(50, "f.01", **own("f.02")), correction(60, "f.02", **own("f.03")))
    assert filled(desk, order) == 60
    desk.give(a_bust("f.03"))
    assert filled(desk, order) == 0


def test_a_correction_of_a_correction_that_has_not_come_yet_waits_for_it() -> None:
    desk, order = a_desk()
    fill(desk, order, "f.01")
    desk.give(correction(60, "f.02", **own("f.03")))
    assert filled(desk, order) == 100
    desk.give(correction(50, "f.01", **own("f.02")))
    assert filled(desk, order) == 60
    assert desk.state.early == {}


def test_a_fill_that_all_its_corrections_overtook_is_booked_as_the_last_of_them_says() -> None:
    desk, order = a_desk()
    desk.give(correction(60, "f.02", **own("f.03")), correction(50, "f.01", **own("f.02")))
    fill(desk, order, "f.01")
    assert filled(desk, order) == 60
    assert desk.state.early == {}


def test_what_a_fill_was_told_before_it_came_is_still_a_repeat_afterwards() -> None:
    desk, order = a_desk()
    desk.give(correction(50), correction(60))
    fill(desk, order)
    desk.give(correction(50), correction(60))
    assert filled(desk, order) == 60


def test_an_older_correction_that_comes_again_does_not_replace_a_newer_one_that_waits() -> None:
    desk, order = a_desk()
    desk.give(correction(50), correction(60), correction(50))
    fill(desk, order)
    assert filled(desk, order) == 60


def test_the_brokers_books_show_a_corrected_fill_under_the_corrections_id_and_it_is_not_booked_twice() -> None:
    desk, order = a_desk()
    fill(desk, order, "f.01")
    desk.give(correction(50, "f.01", **own("f.02")))
    fill(desk, order, "f.02", 50)
    assert filled(desk, order) == 50


def test_a_fill_first_seen_under_the_id_of_a_correction_that_overtook_it_is_booked_once() -> None:
    desk, order = a_desk()
    desk.give(correction(50, "f.01", **own("f.02")))
    fill(desk, order, "f.02", 50)
    fill(desk, order, "f.01")
    assert filled(desk, order) == 50
    assert [e.exec_id for e in desk.of(Traded)] == ["f.01"]


def test_a_bust_that_comes_again_after_a_correction_brought_the_fill_back_does_not_take_it_away() -> None:
    desk, order = a_desk()
    fill(desk, order)
    desk.give(a_bust(**own("b1"), **at(1)), correction(70, **own("c1"), **at(2)), a_bust(**own("b1"), **at(1)))
    assert filled(desk, order) == 70
    desk.give(a_bust(**own("b2")))
    assert filled(desk, order) == 0


@pytest.mark.parametrize("time", [{}, at(1)])
@pytest.mark.parametrize("known", [True, False])
def test_a_correction_that_may_be_older_than_the_bust_it_comes_behind_does_not_undo_it(
    time: dict[str, Any], known: bool
) -> None:
    """F24: words of one second, or without a time, come in any order; the fill may come behind both."""
    desk, order = a_desk()
    if known:
        fill(desk, order)
    desk.give(a_bust(**time), correction(70, **time))
    if not known:
        fill(desk, order)
    assert filled(desk, order) == 0


def test_a_correction_from_before_a_bust_without_a_time_does_not_undo_it() -> None:
    desk, order = a_desk()
    fill(desk, order)
    desk.give(correction(80, **at(1)), a_bust(), correction(70, **at(2)))
    assert filled(desk, order) == 0


def test_the_corrections_of_a_busted_fill_that_come_again_leave_it_busted() -> None:
    desk, order = a_desk()
    fill(desk, order)
    desk.give(correction(50), correction(60), a_bust())
    desk.give(correction(50), correction(60))
    assert filled(desk, order) == 0


def test_what_a_fill_has_been_told_outlives_a_snapshot_of_the_state() -> None:
    desk, order = a_desk()
    fill(desk, order)
    desk.give(correction(50, **own("c1")), correction(60, **own("c2")))
    before = desk.state.hash()
    desk.state = State.unpack(desk.state.pack())
    assert desk.state.hash() == before
    desk.give(correction(50, **own("c1")))
    assert desk.state.hash() == before


def test_a_repeat_is_no_second_fact() -> None:
    desk, order = a_desk()
    fill(desk, order)
    desk.give(correction(50), correction(50), a_bust(), a_bust())
    assert (len(desk.of(TradeCorrected)), len(desk.of(TradeBusted))) == (1, 1)


# --- those that wait for their fill


def look(desk: Desk, day: TradingDay, **changes: Any) -> None:
    desk.give(a_snapshot(as_of=desk.now, trading_day=day, **changes))


def test_a_bust_waits_for_its_fill_while_its_day_lasts() -> None:
    desk, order = a_desk()
    desk.give(a_bust())
    look(desk, DAY)
    fill(desk, order)
    assert filled(desk, order) == 0


def test_a_bust_whose_fill_has_not_come_by_the_first_whole_look_of_another_day_is_forgotten() -> None:
    desk, _ = a_desk()
    desk.give(a_bust(), correction(50, "e2"))
    look(desk, NEXT_DAY)
    assert desk.state.early == {}
    assert [e.exec_id for e in desk.of(TradeNeverCame)] == ["e1", "e2"]


def test_a_fill_that_the_first_look_of_another_day_shows_still_meets_its_bust() -> None:
    desk, order = a_desk()
    desk.give(a_bust())
    look(desk, NEXT_DAY, executions=(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 100, "10"),))
    assert filled(desk, order) == 0
    assert desk.of(TradeNeverCame) == []


def test_a_look_that_could_not_read_everything_lets_nothing_be_forgotten() -> None:
    desk, _ = a_desk()
    desk.give(a_bust())
    for part in ("executions", "positions", "cash"):
        desk.give(msgspec.structs.replace(a_snapshot(as_of=desk.now, trading_day=NEXT_DAY), **{part: None}))
    assert len(desk.state.early) == 1


def test_books_of_another_account_let_nothing_be_forgotten() -> None:
    desk, _ = a_desk()
    desk.give(a_bust())
    look(desk, NEXT_DAY, account="second")
    assert len(desk.state.early) == 1
