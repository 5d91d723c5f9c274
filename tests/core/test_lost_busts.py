"""A fill that the broker took back without our hearing: missing from its complete list until a person confirms the bust."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.core.runs_made import LISTED, A, B

from tradeloop.core.checked import Distrusted, checked
from tradeloop.core.commands import RepairBreak
from tradeloop.core.effects import RaiseAlert
from tradeloop.core.errors import BadInput
from tradeloop.core.events import BreakClosed, BreakFound, TradeBusted
from tradeloop.core.order import Order
from tradeloop.core.reports import BrokerSnapshot, Execution, ExecutionBust, ExecutionCorrect
from tradeloop.core.state import State
from tradeloop.core.types import ExecID, OrdStatus, Qty, Side, Symbol, TradingDay, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, a_snapshot, an_execution, buy, sell, their_order
from tradeloop.testing.desk import Desk

MISSING = f"fill_missing:paper:demo:{DAY}|B|e1"


def filled(desk: Desk, *, wait: float = 60) -> tuple[Order, Execution]:
    """A buy of 100 at 10, filled whole a minute ago."""
    order = desk.order(buy(A, 100))
    desk.ack(order)
    fill = an_execution(order.cl_ord_id, A, Side.BUY, 100, 10, transact_at=desk.now)
    desk.give(fill)
    desk.wait(wait)
    return order, fill


def books(desk: Desk, since: int | None, **changes: Any) -> BrokerSnapshot:
    """The broker's books now, with executions complete since a moment."""
    return a_snapshot(as_of=desk.now, executions_since=None if since is None else UtcNs(since), **changes)


def working_again(order: Order) -> Any:
    return their_order(order.cl_ord_id, A, Side.BUY, 100, OrdStatus.NEW)


def kinds(desk: Desk) -> set[str]:
    return {known.kind for known in desk.state.breaks.values()}


def test_a_fill_that_a_complete_list_lacks_is_a_break_with_cause_and_repair() -> None:
    """F29: the report of the bust was lost, and nothing repeats it."""
    desk = Desk().opened(*LISTED, cash=10_000)
    began = desk.now
    order, _ = filled(desk)
    desk.give(books(desk, began, cash=10_000, orders=(working_again(order),)))

    found = desk.state.breaks[MISSING]
    assert (found.subject, found.delta) == (f"{DAY}|B|e1", None)
    assert (found.ours, found.theirs) == (f"BUY 100 {A} at 10", "not shown")
    assert found.cause == f"a fill of order {order.cl_ord_id} that was taken back, and the report of it never came"
    assert f'tradeloop reconcile --accept "{MISSING}"' in found.repair
    assert f"break:{MISSING}" in [alert.key for alert in desk.of(RaiseAlert)]
    assert desk.known(order.cl_ord_id).cum_qty == 100, "absence books nothing"


def test_a_confirmed_bust_takes_order_position_and_cash_back_and_the_next_look_closes_what_followed() -> None:
    desk = Desk().opened(*LISTED, cash=10_000)
    began = desk.now
    order, _ = filled(desk)
    theirs = {"cash": 10_000, "orders": (working_again(order),)}
    desk.give(books(desk, began, **theirs))
    assert kinds(desk) == {"fill_missing", "order_open", "order_qty", "position", "cash"}

    desk.give(RepairBreak(MISSING, "ann", "the broker said so on the phone"))

    assert [(b.cl_ord_id, b.exec_id, b.side) for b in desk.of(TradeBusted)] == [(order.cl_ord_id, "e1", Side.BUY)]
    assert [(c.break_id, c.by) for c in desk.of(BreakClosed)] == [(MISSING, "ann")]
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.NEW
    assert desk.state.held(ACCOUNT, Symbol(A)).long_qty == 0
    assert desk.cash() == 10_000
    desk.wait(60)
    desk.give(books(desk, began, **theirs))
    assert not desk.state.breaks
    events = len(desk.events)
    desk.wait(60)
    desk.give(books(desk, began, **theirs))
    assert len(desk.events) == events, "a second look makes no event"


def test_the_same_lack_seen_again_makes_no_event() -> None:
    """Invariant 37."""
    desk = Desk().opened(*LISTED, cash=10_000)
    began = desk.now
    order, _ = filled(desk)
    desk.give(books(desk, began, cash=10_000, orders=(working_again(order),)))
    events = len(desk.events)
    desk.wait(60)
    desk.give(books(desk, began, cash=10_000, orders=(working_again(order),)))
    assert len(desk.events) == events


def test_a_fill_that_is_shown_again_closes_its_break_by_itself() -> None:
    desk = Desk().opened(*LISTED, cash=10_000)
    began = desk.now
    _, fill = filled(desk)
    desk.give(books(desk, began, cash=9_000, positions={A: 100}))
    assert kinds(desk) == {"fill_missing"}
    desk.give(books(desk, began, cash=9_000, positions={A: 100}, executions=(fill,)))

    assert not desk.state.breaks
    assert [closed.why for closed in desk.of(BreakClosed)] == ["the broker shows the fill again"]
    assert not desk.of(TradeBusted)


def test_a_report_of_the_bust_that_comes_after_all_closes_the_break_at_the_next_look() -> None:
    desk = Desk().opened(*LISTED, cash=10_000)
    began = desk.now
    order, _ = filled(desk)
    desk.give(books(desk, began, cash=10_000, orders=(working_again(order),)))
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY))
    with pytest.raises(BadInput, match="was taken back since; look again"):
        desk.give(RepairBreak(MISSING, "ann", "late"))
    desk.wait(60)
    desk.give(books(desk, began, cash=10_000, orders=(working_again(order),)))

    assert not desk.state.breaks
    assert len(desk.of(TradeBusted)) == 1


@pytest.mark.parametrize("since", ["never said", "after the fill"])
def test_a_list_that_does_not_reach_back_to_a_fill_lacks_nothing(since: str) -> None:
    desk = Desk().opened(*LISTED, cash=10_000)
    filled(desk)
    desk.give(books(desk, None if since == "never said" else desk.now, cash=9_000, positions={A: 100}))
    assert not desk.state.breaks


def test_a_list_that_could_not_be_read_lacks_nothing() -> None:
    """Unknown is not empty."""
    desk = Desk().opened(*LISTED, cash=10_000)
    began = desk.now
    filled(desk)
    desk.give(books(desk, began, cash=9_000, positions={A: 100}, executions=None))
    assert not desk.state.breaks


def test_a_list_with_a_row_that_cannot_be_believed_proves_no_absence() -> None:
    """The row left out may be the very fill."""
    desk = Desk().opened(*LISTED, cash=10_000)
    began = desk.now
    _, fill = filled(desk)
    garbled = msgspec.structs.replace(fill, last_qty=Qty(Decimal(0)))
    read = checked(books(desk, began, cash=9_000, positions={A: 100}, executions=(garbled,)))
    assert isinstance(read, Distrusted)
    assert read.rest is not None
    desk.give(read.rest)
    assert not desk.state.breaks


def test_a_fill_that_came_just_now_is_not_missed_yet() -> None:
    """The broker's books lag its reports."""
    desk = Desk().opened(*LISTED, cash=10_000)
    began = desk.now
    filled(desk, wait=1)
    desk.give(books(desk, began, cash=9_000, positions={A: 100}))
    assert "fill_missing" not in kinds(desk)


def test_a_look_that_a_fill_has_overtaken_says_nothing_of_it() -> None:
    desk = Desk().opened(*LISTED, cash=10_000)
    read = books(desk, desk.now, cash=10_000)
    desk.wait(1)
    filled(desk, wait=300)
    desk.give(read)
    assert not desk.state.breaks


def test_what_fills_since_does_not_hide_an_older_fill_that_is_missing() -> None:
    """An order whose fill was taken back works again, and may fill at every moment."""
    desk = Desk().opened(*LISTED, cash=10_000)
    began = desk.now
    order, _ = filled(desk)
    again = an_execution(order.cl_ord_id, A, Side.BUY, 100, 10, "e2", transact_at=desk.now)
    desk.give(again)
    desk.give(books(desk, began, cash=9_000, positions={A: 100}, executions=(again,)))
    assert MISSING in desk.state.breaks


def test_a_fill_without_a_time_of_its_own_happened_after_its_order_was_made() -> None:
    desk = Desk().opened(*LISTED, cash=10_000)
    desk.wait(10)
    order = desk.order(buy(A, 100))
    desk.give(an_execution(order.cl_ord_id, A, Side.BUY, 100, 10))
    made = desk.now
    desk.wait(60)
    desk.give(books(desk, made + 1, cash=9_000, positions={A: 100}))
    assert not desk.state.breaks
    desk.give(books(desk, made, cash=9_000, positions={A: 100}))
    assert kinds(desk) == {"fill_missing"}


def test_a_missing_fill_is_the_first_thing_that_breaks_of_its_shares_and_money_name() -> None:
    """Accepting both would take the shares back twice."""
    desk = Desk().opened(*LISTED, cash=10_000, positions={B: 50})
    began = desk.now
    filled(desk)
    desk.give(books(desk, began, cash=10_000, positions={B: 40}))
    repairs = {found.subject: found.repair for found in desk.of(BreakFound)}
    first = f'settle break "{MISSING}" first, then look again'
    assert (repairs[f"{A} long"], repairs["CNY"]) == (first, first)
    assert "accept the broker's figure" in repairs[f"{B} long"]


@pytest.mark.parametrize(("by", "reason"), [("", "why"), ("ann", " ")])
def test_a_bust_is_confirmed_with_a_name_and_a_reason(by: str, reason: str) -> None:
    desk = Desk().opened(*LISTED, cash=10_000)
    began = desk.now
    filled(desk)
    desk.give(books(desk, began, cash=10_000))
    with pytest.raises(BadInput, match="a repair needs a name and a reason"):
        desk.give(RepairBreak(MISSING, by, reason))
    assert desk.cash() == 9_000


def test_the_two_halves_of_a_self_trade_are_missed_apart() -> None:
    """Invariant 12: SHFE gives both halves one number."""
    desk = Desk().opened(*LISTED, cash=10_000, positions={A: 100})
    began = desk.now
    _, fill = filled(desk)
    order = desk.order(sell(A, 100))
    desk.give(an_execution(order.cl_ord_id, A, Side.SELL, 100, 10, transact_at=desk.now))
    desk.wait(60)
    desk.give(books(desk, began, cash=10_000, positions={A: 100}, executions=(fill,)))
    assert list(desk.state.breaks) == [f"fill_missing:paper:demo:{DAY}|S|e1"]


def test_an_order_filled_here_that_the_broker_still_works_with_less_is_a_break_that_says_so() -> None:
    """Also where the broker does not show since when its executions are complete."""
    desk = Desk().opened(*LISTED, cash=10_000)
    order, _ = filled(desk)
    desk.give(books(desk, None, cash=10_000, orders=(working_again(order),), executions=None))
    found = desk.state.breaks[f"order_open:paper:demo:{order.cl_ord_id}"]
    assert (found.ours, found.theirs) == ("FILLED", "NEW")
    assert "more of it has filled here than the broker counts" in found.cause


def test_what_is_remembered_of_fills_survives_a_snapshot_of_the_state() -> None:
    desk = Desk().opened(*LISTED, cash=10_000)
    began = desk.now
    filled(desk)
    packed = desk.state.pack()
    desk.state = State.unpack(packed)
    assert desk.state.pack() == packed
    desk.give(books(desk, began, cash=9_000, positions={A: 100}))
    assert kinds(desk) == {"fill_missing"}


def test_fills_are_remembered_for_four_trading_days_of_an_account() -> None:
    """Bounded: a desk that runs for years does not keep its fills twice."""
    desk = Desk().opened(*LISTED, cash=10_000)
    order = desk.order(buy(A, 500))
    for day in range(5):
        fill = an_execution(order.cl_ord_id, A, Side.BUY, 100, 10, trading_day=TradingDay(f"2026-07-1{day}"))
        desk.give(msgspec.structs.replace(fill, transact_at=desk.now))
    absent = desk.state.recent.absent(ACCOUNT, UtcNs(0), ())
    assert [key.split("|")[2] for key in absent] == ["2026-07-11", "2026-07-12", "2026-07-13", "2026-07-14"]


def test_a_fill_that_is_shown_under_the_id_of_its_correction_is_not_missing() -> None:
    """IB counts the last segment of the execId up, and shows that one from then on."""
    desk = Desk().opened(*LISTED, cash=10_000)
    began = desk.now
    order, fill = filled(desk)
    desk.give(
        ExecutionCorrect(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY, Qty(Decimal(100)), fill.last_px, exec_id=ExecID("e2"))
    )
    desk.wait(60)
    shown = msgspec.structs.replace(fill, exec_id=ExecID("e2"))
    theirs = their_order(order.cl_ord_id, A, Side.BUY, 100, OrdStatus.FILLED, cum_qty=Qty(Decimal(100)))
    desk.give(books(desk, began, cash=9_000, positions={A: 100}, orders=(theirs,), executions=(shown,)))
    assert kinds(desk) == set()
