"""A correction whose report was lost: the broker's list shows the fill with its new figures, and that is as good."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.core.runs_made import LISTED, A
from tests.core.watched import WatchedDesk

from tradeloop.core.commands import CancelOrder
from tradeloop.core.events import BreakFound, Overfilled, TradeBusted, TradeCorrected
from tradeloop.core.execution import exec_key
from tradeloop.core.inputs import Start
from tradeloop.core.instrument import AssetClass
from tradeloop.core.order import Order
from tradeloop.core.reports import BrokerSnapshot, BrokerUp, Execution, ExecutionBust, ExecutionCorrect
from tradeloop.core.shown_otherwise import opened_otherwise
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, OrdStatus, OrdType, PositionEffect, Px, Qty, Side, Symbol, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, a_snapshot, an_execution, an_instrument, buy, number, their_order
from tradeloop.testing.desk import ABLE, Desk


def filled(desk: Desk, *, wait: float = 60) -> tuple[Order, Execution]:
    """A buy of 100 at 10, filled whole a minute ago."""
    order = desk.order(buy(A, 100))
    desk.ack(order)
    fill = an_execution(order.cl_ord_id, A, Side.BUY, 100, 10, transact_at=desk.now)
    desk.give(fill)
    desk.wait(wait)
    return order, fill


def other(fill: Execution, qty: int = 100, px: str = "10") -> Execution:
    return msgspec.structs.replace(fill, last_qty=Qty(number(qty)), last_px=Px(number(px)))


def books(desk: Desk, *fills: Execution, **changes: Any) -> BrokerSnapshot:
    return a_snapshot(as_of=desk.now, executions=fills, executions_since=UtcNs(0), **changes)


def test_a_fill_shown_with_another_price_is_corrected_and_the_money_agrees() -> None:
    """F29: nobody repeats the report of a correction."""
    desk = Desk().opened(*LISTED, cash=10_000)
    order, fill = filled(desk)
    desk.give(books(desk, other(fill, px="9.90"), cash=9_010, positions={A: 100}))

    assert [(c.cl_ord_id, c.last_qty, c.last_px) for c in desk.of(TradeCorrected)] == [
        (order.cl_ord_id, number(100), number("9.90"))
    ]
    assert desk.cash() == 9_010
    assert not desk.state.breaks
    events = len(desk.events)
    desk.wait(60)
    desk.give(books(desk, other(fill, px="9.90"), cash=9_010, positions={A: 100}))
    assert len(desk.events) == events


def test_a_fill_shown_with_a_smaller_quantity_lets_its_order_work_again() -> None:
    desk = Desk().opened(*LISTED, cash=10_000)
    order, fill = filled(desk)
    desk.give(books(desk, other(fill, 60), cash=9_400, positions={A: 60}))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.PARTIALLY_FILLED
    assert desk.state.held(ACCOUNT, Symbol(A)).long_qty == 60


def test_a_fill_shown_with_more_than_was_ordered_is_an_overfill() -> None:
    desk = Desk().opened(*LISTED, cash=10_000)
    _, fill = filled(desk)
    desk.give(books(desk, other(fill, 150), cash=8_500, positions={A: 150}))
    assert [over.excess for over in desk.of(Overfilled)] == [50]
    assert A in desk.state.halted


def test_a_look_older_than_what_we_heard_since_corrects_nothing() -> None:
    desk = Desk().opened(*LISTED, cash=10_000)
    _, fill = filled(desk, wait=1)
    desk.give(books(desk, other(fill, px="9.90"), cash=9_010, positions={A: 100}))
    assert not desk.of(TradeCorrected)
    desk.wait(30)
    desk.give(books(desk, other(fill, px="9.90"), cash=9_010, positions={A: 100}))
    assert (len(desk.of(TradeCorrected)), desk.state.breaks) == (1, {})


def test_what_a_correction_about_to_be_booked_has_moved_is_to_be_waited_for_and_not_accepted() -> None:
    """Accepted, it would be moved twice once the correction is booked, or the order would differ for as long as it is shown."""
    slow = msgspec.structs.replace(ABLE, visibility_lag_ns=8 * SECOND_NS)
    desk = Desk(able=slow).opened(*LISTED, cash=10_000)
    order, fill = filled(desk, wait=5)
    line = their_order(order.cl_ord_id, A, Side.BUY, 100, OrdStatus.FILLED, cum_qty=Qty(number(150)))
    looked = {"cash": 8_500, "positions": {A: 150}, "orders": (line,)}
    desk.give(books(desk, other(fill, 150), **looked))
    repairs = {found.kind: found.repair for found in desk.of(BreakFound)}
    wait = f'wait for break "order_qty:paper:demo:{order.cl_ord_id}": what closes it moves this, too, and would count twice'
    assert (repairs["position"], repairs["cash"]) == (wait, wait)
    assert "accept" not in repairs["order_qty"]
    desk.wait(60)
    desk.give(books(desk, other(fill, 150), **looked))
    assert desk.cash() == 8_500
    assert not desk.state.breaks


def test_a_fill_that_was_taken_back_is_not_corrected_to_life() -> None:
    desk = Desk().opened(*LISTED, cash=10_000)
    _, fill = filled(desk)
    desk.give(ExecutionBust(BROKER, ACCOUNT, fill.trading_day, fill.exec_id, Side.BUY))
    desk.wait(60)
    desk.give(books(desk, other(fill, px="9.90"), cash=9_010, positions={A: 100}))
    assert (len(desk.of(TradeBusted)), desk.of(TradeCorrected)) == (1, [])


def test_a_fill_that_was_taken_back_stands_again_once_list_count_and_holdings_say_so() -> None:
    """F29: a correction without a time came behind its bust, and may be older; the books tell which was the last word."""
    desk = WatchedDesk().opened(*LISTED, cash=10_000)
    order, fill = filled(desk)
    desk.give(ExecutionBust(BROKER, ACCOUNT, fill.trading_day, fill.exec_id, Side.BUY))
    line = their_order(order.cl_ord_id, A, Side.BUY, 100, OrdStatus.CANCELED, cum_qty=Qty(number(70)))
    whole = {"cash": 9_300, "positions": {A: 70}, "orders": (line,)}
    desk.wait(1)
    desk.give(books(desk, other(fill, 70), **whole))
    assert desk.known(order.cl_ord_id).cum_qty == 0, "so soon the books may be older than the bust"
    desk.wait(60)
    for lacking in ("positions", "orders"):
        desk.give(books(desk, other(fill, 70), **{name: said for name, said in whole.items() if name != lacking}))
        assert desk.known(order.cl_ord_id).cum_qty == 0
    desk.give(books(desk, other(fill, 70), **whole))
    desk.wait(60)
    desk.give(books(desk, other(fill, 70), **whole))
    assert desk.known(order.cl_ord_id).cum_qty == 70
    assert desk.cash() == 9_300
    assert not desk.state.breaks


@pytest.mark.parametrize(("after", "whole_seconds"), [(-0.5, False), (0.4, True)])
def test_a_bust_that_follows_a_correction_found_in_the_books_is_no_old_word(after: float, whole_seconds: bool) -> None:
    """Books may lag by a second, and venues stamp whole ones."""
    desk = WatchedDesk().opened(*LISTED, cash=10_000)
    order, fill = filled(desk, wait=60.5)
    line = their_order(order.cl_ord_id, A, Side.BUY, 100, OrdStatus.FILLED, cum_qty=Qty(number(100)))
    desk.give(books(desk, other(fill, px="9.90"), cash=9_010, positions={A: 100}, orders=(line,)))
    assert len(desk.of(TradeCorrected)) == 1
    at = desk.now + int(after * SECOND_NS)
    at -= at % SECOND_NS if whole_seconds else 0
    desk.wait(1)
    desk.give(ExecutionBust(BROKER, ACCOUNT, fill.trading_day, fill.exec_id, Side.BUY, UtcNs(at)))
    assert desk.known(order.cl_ord_id).cum_qty == 0


def test_what_was_heard_before_the_books_showed_other_figures_is_older_however_long_they_may_lag() -> None:
    slow = msgspec.structs.replace(ABLE, visibility_lag_ns=20 * SECOND_NS)
    desk = WatchedDesk(able=slow).opened(*LISTED, cash=10_000)
    _, fill = filled(desk)
    at, px = desk.now, Px(number("9.95"))
    desk.give(ExecutionCorrect(BROKER, ACCOUNT, fill.trading_day, fill.exec_id, Side.BUY, fill.last_qty, px, transact_at=at))
    desk.wait(20.5)
    desk.give(books(desk, fill, cash=9_000, positions={A: 100}))
    assert desk.cash() == 9_000
    desk.give(ExecutionBust(BROKER, ACCOUNT, fill.trading_day, fill.exec_id, Side.BUY, at))
    assert desk.state.held(ACCOUNT, Symbol(A)).long_qty == 100


def test_a_fill_from_before_we_came_in_something_nobody_listed_is_left_alone() -> None:
    """It is inside the books that were adopted, and has no order here."""
    desk = Desk()
    desk.give(Start(1, "test", "t1"), BrokerUp(BROKER))
    old = an_execution(None, "MYST.XX", Side.SELL, 100, 10)
    desk.give(books(desk, old, cash=10_000))
    desk.wait(60)
    desk.give(books(desk, other(old, px="9.90"), cash=9_990))
    assert not desk.of(TradeCorrected)
    assert list(desk.state.breaks) == ["cash:paper:demo:CNY"]


def test_a_correction_behind_an_old_difference_is_found_however_old() -> None:
    """F29, F54: the cash had been wrong for an hour, by a clock that was set forward or for another reason."""
    desk = Desk().opened(*LISTED, cash=10_000)
    _, fill = filled(desk)
    desk.give(books(desk, fill, cash=8_500, positions={A: 100}))
    desk.wait(3_600)
    desk.give(books(desk, other(fill, px="9.90"), cash=8_500, positions={A: 100}))
    assert [str(told.last_px) for told in desk.of(TradeCorrected)] == ["9.90"]
    desk.give(books(desk, other(fill, px="9.90"), cash=9_010, positions={A: 100}))
    assert (len(desk.of(TradeCorrected)), desk.state.breaks) == (1, {})


def test_a_cancel_that_is_asked_for_again_and_again_hides_no_correction() -> None:
    """F29, F33: it touches the order, and says nothing of its fills."""
    desk = Desk().opened(*LISTED, cash=10_000)
    order = desk.order(buy(A, 300))
    desk.ack(order)
    fill = an_execution(order.cl_ord_id, A, Side.BUY, 100, 10, transact_at=desk.now)
    desk.give(fill)
    desk.wait(30)
    desk.give(CancelOrder(order.cl_ord_id, "ann"))
    desk.wait(1)
    desk.give(books(desk, other(fill, px="9.90"), cash=9_010, positions={A: 100}))
    assert (len(desk.of(TradeCorrected)), desk.state.breaks) == (1, {})


def test_figures_that_agree_leave_the_list_unread() -> None:
    """The broker's list and its money contradict each other: a price is a mistake of the list until the money moves."""
    desk = Desk().opened(*LISTED, cash=10_000)
    _, fill = filled(desk)
    desk.give(books(desk, other(fill, px="9.90"), cash=9_000, positions={A: 100}))
    assert not desk.of(TradeCorrected)


def test_what_the_list_shows_is_newer_than_a_correction_that_was_heard() -> None:
    """The broker corrected once more, to what stood before, and that report was lost. The list bears the fill's own time."""
    desk = Desk().opened(*LISTED, cash=10_000)
    _, fill = filled(desk)
    heard = ExecutionCorrect(
        BROKER, ACCOUNT, fill.trading_day, fill.exec_id, Side.BUY, Qty(number(50)), fill.last_px, fill.commission, desk.now
    )
    desk.give(heard)
    desk.wait(60)
    desk.give(books(desk, fill, cash=9_000, positions={A: 100}))
    assert desk.state.held(ACCOUNT, Symbol(A)).long_qty == 100
    desk.give(heard)
    assert desk.state.held(ACCOUNT, Symbol(A)).long_qty == 100
    assert not desk.state.breaks


def test_all_lost_corrections_that_one_look_shows_are_booked() -> None:
    """F29: the first one moves the position, and says nothing of how old the look is."""
    desk = Desk().opened(*LISTED, cash=10_000)
    order = desk.order(buy(A, 300))
    desk.ack(order)
    fills = [an_execution(order.cl_ord_id, A, Side.BUY, 100, 10, f"e{n}", transact_at=desk.now) for n in range(3)]
    desk.give(*fills)
    desk.wait(60)
    desk.give(books(desk, *(other(fill, px="9") for fill in fills), cash=7_300, positions={A: 300}))
    assert (len(desk.of(TradeCorrected)), desk.state.breaks) == (3, {})
    assert desk.cash() == 7_300
    assert desk.known(order.cl_ord_id).avg_px == 9


def test_a_lost_correction_is_booked_with_the_missed_fills_that_the_same_look_shows() -> None:
    desk = Desk().opened(*LISTED, cash=10_000)
    order = desk.order(buy(A, 300))
    desk.ack(order)
    first, missed = (an_execution(order.cl_ord_id, A, Side.BUY, 100, 10, e, transact_at=desk.now) for e in ("e1", "e2"))
    desk.give(first)
    desk.wait(60)
    desk.give(books(desk, other(first, px="9"), missed, cash=8_100, positions={A: 200}))
    assert (len(desk.of(TradeCorrected)), desk.state.breaks) == (1, {})
    assert desk.cash() == 8_100


def test_what_overtook_a_fill_is_not_undone_by_the_look_that_brings_the_fill() -> None:
    """The list was read before the correction, which we have heard of; the fill itself was never told."""
    desk = Desk().opened(*LISTED, cash=10_000)
    order = desk.order(buy(A, 100))
    desk.ack(order)
    fill = an_execution(order.cl_ord_id, A, Side.BUY, 100, 10, transact_at=desk.now)
    desk.wait(60)
    heard = ExecutionCorrect(
        BROKER, ACCOUNT, fill.trading_day, fill.exec_id, Side.BUY, fill.last_qty, Px(number(9)), fill.commission, desk.now
    )
    desk.give(heard, books(desk, fill, cash=9_000, positions={A: 100}))
    assert desk.cash() == 9_100


def filled_twice(waited: float) -> tuple[Desk, Order, Execution, list[Execution]]:
    """A buy of 300 of which we heard that it filled whole; and two fills of 100 that we did not hear of."""
    desk = WatchedDesk().opened(*LISTED, cash=10_000)
    order = desk.order(buy(A, 300))
    desk.ack(order)
    whole = an_execution(order.cl_ord_id, A, Side.BUY, 300, 10, "e1", transact_at=desk.now)
    missed = [an_execution(order.cl_ord_id, A, Side.BUY, 100, 10, e, transact_at=desk.now) for e in ("e2", "e3")]
    desk.give(whole)
    desk.wait(waited)
    return desk, order, whole, missed


@pytest.mark.parametrize("waited", [0, 60])
def test_a_missed_fill_that_fits_by_a_correction_which_the_same_look_shows_is_no_overfill(waited: int) -> None:
    """F29: 300 were told, of which 100 stand; the report of that is on its way or lost, and the rest traded anew."""
    desk, order, whole, missed = filled_twice(waited)
    desk.give(books(desk, *missed, other(whole, 100), cash=7_000, positions={A: 300}))
    assert (desk.of(Overfilled), desk.state.halted, desk.state.breaks) == ([], {}, {})
    assert desk.known(order.cl_ord_id).cum_qty == 300
    assert desk.cash() == 7_000


def test_what_is_too_much_once_a_look_is_booked_is_one_overfill() -> None:
    desk, _, whole, missed = filled_twice(60)
    desk.give(books(desk, *missed, other(whole, 200), cash=6_000, positions={A: 400}))
    assert [over.excess for over in desk.of(Overfilled)] == [100]
    assert A in desk.state.halted


GOLD = an_instrument(
    "au2512.SHFE", asset_class=AssetClass.FUTURE, lot=1, min_qty=1, tick="1", multiplier=10, margin_rate="0.1", shortable=True
)


def opened(desk: Desk, effect: PositionEffect = PositionEffect.OPEN) -> Execution:
    """Three bought at 9 a minute ago, which open."""
    order = desk.order(buy(GOLD.symbol, 3, ord_type=OrdType.LIMIT, price="12", position_effect=effect))
    desk.ack(order)
    fill = an_execution(order.cl_ord_id, GOLD.symbol, Side.BUY, 3, 9, position_effect=effect, transact_at=desk.now)
    desk.give(fill)
    desk.wait(60)
    return fill


def look(desk: Desk, *fills: Execution) -> None:
    desk.wait(60)
    desk.give(books(desk, *fills, positions={GOLD.symbol: 3}))


@pytest.mark.parametrize("effect", [PositionEffect.OPEN, PositionEffect.AUTO])
def test_another_price_at_which_a_future_was_opened_is_believed_though_it_moves_nothing_yet(effect: PositionEffect) -> None:
    """The price of an opening is its cost and its margin; cash and quantities agree before and after."""
    desk = Desk().opened(GOLD)
    fill = opened(desk, effect)
    look(desk, fill)
    look(desk, other(fill, 3, "12"))
    assert [x.last_px for x in desk.of(TradeCorrected)] == [12]
    assert [desk.state.held(ACCOUNT, GOLD.symbol).long_cost, desk.state.accounts[ACCOUNT].cash[GOLD.currency].margin] == [
        360,
        36,
    ]
    events = len(desk.events)
    look(desk, other(fill, 3, "12"))
    assert len(desk.events) == events
    look(desk, other(fill, 3, "15"))
    assert [x.last_px for x in desk.of(TradeCorrected)] == [12, 15]


def test_a_price_shown_too_early_to_be_believed_is_believed_later() -> None:
    desk = Desk().opened(GOLD)
    fill = opened(desk)
    desk.state.recent.add(
        ACCOUNT, fill.trading_day, exec_key(BROKER, ACCOUNT, fill.trading_day, fill.exec_id, fill.side), (desk.now, desk.now)
    )
    desk.give(books(desk, other(fill, 3, "12"), positions={GOLD.symbol: 3}))
    assert not desk.of(TradeCorrected)
    look(desk, other(fill, 3, "12"))
    assert [x.last_px for x in desk.of(TradeCorrected)] == [12]


def test_a_list_that_follows_no_correction_of_an_opening_takes_none_back() -> None:
    desk = Desk().opened(GOLD)
    fill = opened(desk)
    look(desk, fill)
    desk.give(ExecutionCorrect(BROKER, ACCOUNT, fill.trading_day, fill.exec_id, Side.BUY, Qty(number(3)), Px(number(12))))
    for _ in range(3):
        look(desk, fill)
    assert desk.state.held(ACCOUNT, GOLD.symbol).long_cost == 360


def test_the_same_openings_are_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, a look that shows them as before compares none of them."""
    desk = Desk().opened(GOLD)
    order = desk.order(buy(GOLD.symbol, 50, position_effect=PositionEffect.OPEN))
    desk.ack(order)
    fills = [
        an_execution(order.cl_ord_id, GOLD.symbol, Side.BUY, 1, 9, f"e{n}", position_effect=PositionEffect.OPEN)
        for n in range(50)
    ]
    desk.give(*fills)
    asked: list[str] = []
    desk.wait(60)
    desk.give(books(desk, *fills, positions={GOLD.symbol: 50}))

    def watched(state: State, key: str, x: Execution) -> bool:
        asked.append(key)
        return opened_otherwise(state, key, x)

    monkeypatch.setattr("tradeloop.core.shown_otherwise.opened_otherwise", watched)
    desk.wait(60)
    desk.give(books(desk, *fills, positions={GOLD.symbol: 50}))
    assert not asked
