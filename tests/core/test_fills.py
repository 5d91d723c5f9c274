"""Executions, busts and corrections: booked once, in every state, whoever ordered them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tradeloop.core.commands import CancelOrder
from tradeloop.core.effects import RaiseAlert
from tradeloop.core.events import ExternalOrderFound, InstrumentListed, Overfilled, TradeBusted, TradeCorrected, Traded
from tradeloop.core.inputs import Start
from tradeloop.core.instrument import AssetClass, FeeLine, FeeSchedule
from tradeloop.core.order import Order
from tradeloop.core.position import Position
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import (
    CancelAck,
    CancelReject,
    ExecutionBust,
    ExecutionCorrect,
    OrderAck,
    OrderExpire,
    OrderReject,
    SendOutcome,
)
from tradeloop.core.types import Amount, ExecID, OrderID, OrdStatus, PositionEffect, Px, Qty, Side, Symbol, TradingDay, UtcNs
from tradeloop.testing.builders import (
    ACCOUNT,
    BROKER,
    DAY,
    a_snapshot,
    an_execution,
    an_instrument,
    buy,
    fees,
    sell,
    their_order,
)
from tradeloop.testing.desk import Desk

BUY, SELL = Side.BUY, Side.SELL
MOUTAI = "600519.SH"


def a_desk(**instrument: Any) -> Desk:
    return Desk().opened(an_instrument(lot=1, min_qty=1, **instrument), cash=1_000_000)


def fill(desk: Desk, order: Order, qty: int, px: str = "10", exec_id: str = "e1", **changes: Any) -> None:
    desk.give(an_execution(order.cl_ord_id, order.symbol, order.side, qty, px, exec_id, **changes))


def bust(desk: Desk, exec_id: str = "e1", side: Side = BUY, at: UtcNs | None = None) -> None:
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID(exec_id), side, at))


def correct(
    desk: Desk, qty: int, px: str, exec_id: str = "e1", side: Side = BUY, fee: str | None = None, at: UtcNs | None = None
) -> None:
    commission = None if fee is None else Amount(Decimal(fee))
    its = ExecID(exec_id)
    desk.give(ExecutionCorrect(BROKER, ACCOUNT, DAY, its, side, Qty(Decimal(qty)), Px(Decimal(px)), commission, at))


def standing(desk: Desk, order: Order) -> tuple[OrdStatus, Decimal, Decimal]:
    """Status, filled and left."""
    now = desk.known(order.cl_ord_id)
    return now.ord_status, now.cum_qty, now.leaves_qty


def held(desk: Desk, symbol: str = MOUTAI) -> Position:
    return desk.state.held(ACCOUNT, Symbol(symbol))


# --- fills


def test_an_order_is_filled_by_its_fills() -> None:
    """FIX A.1.a."""
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.ack(order)
    seen = [standing(desk, order)[0]]
    for exec_id, qty, px in (("e1", 20, "10"), ("e2", 30, "11"), ("e3", 50, "12")):
        fill(desk, order, qty, px, exec_id)
        seen.append(standing(desk, order)[0])
    partly = OrdStatus.PARTIALLY_FILLED
    assert seen == [OrdStatus.NEW, partly, partly, OrdStatus.FILLED]
    assert desk.known(order.cl_ord_id).avg_px == Decimal("11.3")
    assert (held(desk).long_qty, desk.cash()) == (Decimal(100), Decimal(1_000_000 - 1130))


def test_a_fill_that_is_reported_twice_is_booked_once() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    fill(desk, order, 40)
    before = desk.state.hash()
    fill(desk, order, 40)
    assert desk.state.hash() == before


def test_a_repeat_with_other_figures_is_still_a_repeat() -> None:
    """New figures come as a correction, never as the same execution again."""
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    fill(desk, order, 40)
    before = desk.state.hash()
    fill(desk, order, 50, "11")
    assert desk.state.hash() == before


@pytest.mark.parametrize(
    ("changes", "ours"),
    [({"trading_day": TradingDay("2026-07-20")}, 80), ({"broker": "other"}, 40)],
    ids=["another day", "another broker"],
)
def test_the_same_execution_number_elsewhere_is_another_fill(changes: dict[str, Any], ours: int) -> None:
    """C7: what another broker reports is no fill of ours, whatever order it names."""
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    fill(desk, order, 40)
    fill(desk, order, 40, **changes)
    assert (standing(desk, order)[1], held(desk).long_qty) == (Decimal(ours), Decimal(80))


def test_both_halves_of_a_self_trade_count_under_one_trade_number() -> None:
    """D5: SHFE gives them one TradeID."""
    desk = Desk().opened(an_instrument(), positions={MOUTAI: 100})
    bought, sold = desk.order(buy(MOUTAI, 100)), desk.order(sell(MOUTAI, 100))
    fill(desk, bought, 100, exec_id="t1")
    fill(desk, sold, 100, exec_id="t1")
    assert (standing(desk, bought)[0], standing(desk, sold)[0]) == (OrdStatus.FILLED, OrdStatus.FILLED)


def test_a_fill_before_the_acknowledgement_is_booked_and_the_late_one_adds_the_brokers_id() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    fill(desk, order, 40)
    assert standing(desk, order)[0] is OrdStatus.PARTIALLY_FILLED
    desk.ack(order, "b7")
    assert standing(desk, order) == (OrdStatus.PARTIALLY_FILLED, Decimal(40), Decimal(60))
    assert desk.known(order.cl_ord_id).order_id == "b7"


def test_a_fill_that_names_the_brokers_id_alone_finds_its_order() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.ack(order, "b7")
    desk.give(an_execution(None, MOUTAI, BUY, 40, "10", order_id=OrderID("b7")))
    assert standing(desk, order)[1] == Decimal(40)


def test_a_fill_proves_an_order_of_unknown_fate() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "UNKNOWN", "timeout"))
    fill(desk, order, 40)
    assert standing(desk, order)[0] is OrdStatus.PARTIALLY_FILLED
    assert desk.state.unknown == {}


def test_a_fill_for_an_unknown_order_becomes_an_external_order_and_is_booked() -> None:
    """FIX E.1.a."""
    desk = a_desk()
    desk.give(an_execution("theirs", MOUTAI, BUY, 40, "10", order_id=OrderID("b9")))
    found = desk.of(ExternalOrderFound)[0]
    assert desk.known(found.cl_ord_id).external
    assert (held(desk).long_qty, desk.cash()) == (Decimal(40), Decimal(1_000_000 - 400))


def test_a_second_fill_of_an_external_order_goes_to_the_same_order_and_halts_nothing() -> None:
    """The first fill does not say how much was ordered elsewhere."""
    desk = a_desk()
    for exec_id in ("e1", "e2"):
        desk.give(an_execution(None, MOUTAI, BUY, 40, "10", exec_id, order_id=OrderID("b9")))
    assert len(desk.of(ExternalOrderFound)) == 1
    assert (held(desk).long_qty, desk.of(Overfilled)) == (Decimal(80), [])


@pytest.mark.parametrize("shown", [PositionEffect.AUTO, PositionEffect.OPEN])
def test_what_a_strangers_fill_opens_is_opened_also_where_its_order_was_seen_before(shown: PositionEffect) -> None:
    """S4: long and short of a contract stand apart. Books may show an order without saying what it opens or closes."""
    desk = a_desk(asset_class=AssetClass.FUTURE, multiplier=10, margin_rate="0.1", shortable=True)
    short = desk.order(sell(MOUTAI, 3, position_effect=PositionEffect.OPEN))
    fill(desk, short, 3, "9", position_effect=PositionEffect.OPEN)
    desk.wait(10)
    resting = their_order(
        None, MOUTAI, BUY, 4, OrdStatus.NEW, order_id=OrderID("b9"), price=Px(Decimal(8)), position_effect=shown
    )
    desk.give(a_snapshot(as_of=desk.now, orders=(resting,), positions=None))
    assert [e.position_effect for e in desk.of(ExternalOrderFound)] == [shown]
    desk.give(an_execution(None, MOUTAI, BUY, 4, "8", "e2", order_id=OrderID("b9"), position_effect=PositionEffect.OPEN))
    assert (held(desk).long_qty, held(desk).short_qty, held(desk).realized) == (Decimal(4), Decimal(3), Decimal(0))


def test_a_strangers_fill_that_closes_today_costs_what_closing_today_costs() -> None:
    schedule = FeeSchedule((FeeLine("exchange", per_unit=Decimal(3), close_today_per_unit=Decimal(6)),))
    desk = a_desk(asset_class=AssetClass.FUTURE, margin_rate="0.1", shortable=True, closes_today_apart=True, fees=schedule)
    short = desk.order(sell(MOUTAI, 3, position_effect=PositionEffect.OPEN))
    fill(desk, short, 3, "9", position_effect=PositionEffect.OPEN)
    desk.wait(10)
    resting = their_order(None, MOUTAI, BUY, 2, OrdStatus.NEW, order_id=OrderID("b9"), price=Px(Decimal(8)))
    desk.give(a_snapshot(as_of=desk.now, orders=(resting,), positions=None))
    said = {"order_id": OrderID("b9"), "position_effect": PositionEffect.CLOSE_TODAY, "commission": None}
    desk.give(an_execution(None, MOUTAI, BUY, 2, "8", "e2", **said))
    assert desk.of(Traded)[-1].fee == Decimal(12)


def test_a_fill_of_an_unlisted_symbol_is_booked_all_the_same() -> None:
    desk = a_desk()
    desk.give(an_execution(None, "000001.SZ", BUY, 40, "10", order_id=OrderID("b9")))
    assert desk.of(InstrumentListed)[-1].instrument.market == "UNRESOLVED"
    assert held(desk, "000001.SZ").long_qty == Decimal(40)


def test_a_fill_that_names_our_order_but_another_symbol_is_not_booked_on_it() -> None:
    desk = Desk().opened(an_instrument(), an_instrument("000001.SZ"))
    order = desk.order(buy(MOUTAI, 100))
    desk.give(an_execution(order.cl_ord_id, "000001.SZ", BUY, 100, "10", order_id=OrderID("b9")))
    assert standing(desk, order)[1] == Decimal(0)
    assert held(desk, "000001.SZ").long_qty == Decimal(100)


def test_a_fill_before_the_accounts_books_are_ours_is_left_to_the_first_snapshot() -> None:
    """A stream may speak before the first look at the books is back; that look holds the fill in one form or the other."""
    desk = Desk()
    desk.give(Start(1, "test", "t1"))
    desk.give(an_execution(None, MOUTAI, BUY, 40, "10", order_id=OrderID("b9")))
    assert desk.of(Traded) == []
    early = an_execution(None, MOUTAI, BUY, 40, "10", order_id=OrderID("b9"))
    desk.give(a_snapshot(cash=600, positions={MOUTAI: 40}, executions=(early,)), early)
    assert (held(desk).long_qty, desk.cash(), desk.of(Traded)) == (Decimal(40), Decimal(600), [])


def test_more_than_was_ordered_is_booked_halts_the_instrument_and_alerts() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    fill(desk, order, 100)
    fill(desk, order, 30, exec_id="e2")
    assert (held(desk).long_qty, standing(desk, order)) == (Decimal(130), (OrdStatus.FILLED, Decimal(130), Decimal(0)))
    assert [e.excess for e in desk.of(Overfilled)] == [Decimal(30)]
    assert [a.level for a in desk.of(RaiseAlert)] == ["CRITICAL"]
    reply = desk.give(buy(MOUTAI, 100))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert reply.denied.rule == "halted"


def close(desk: Desk, order: Order, how: str) -> None:
    match how:
        case "canceled":
            desk.give(CancelAck(BROKER, order.cl_ord_id))
        case "rejected":
            desk.give(OrderReject(BROKER, order.cl_ord_id, "7", "no"))
        case "expired":
            desk.give(OrderExpire(BROKER, order.cl_ord_id))
        case _:
            raise AssertionError(how)


CLOSED = ["canceled", "rejected", "expired"]


@pytest.mark.parametrize("how", CLOSED)
def test_a_fill_after_the_end_is_booked_and_reserves_nothing_again(how: str) -> None:
    """D6; FIX J.1.b."""
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.ack(order)
    close(desk, order, how)
    fill(desk, order, 40)
    now = desk.known(order.cl_ord_id)
    assert (now.cum_qty, now.leaves_qty, now.is_done) == (Decimal(40), Decimal(0), True)
    assert (held(desk).long_qty, desk.state.accounts[ACCOUNT].cash[_CNY].reserved) == (Decimal(40), Decimal(0))


_CNY = an_instrument().currency


@pytest.mark.parametrize("how", CLOSED)
def test_a_bust_after_the_end_is_booked(how: str) -> None:
    """D6; FIX J.1.b."""
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.ack(order)
    fill(desk, order, 40)
    close(desk, order, how)
    bust(desk)
    assert (standing(desk, order)[1:], held(desk).long_qty, desk.cash()) == (
        (Decimal(0), Decimal(0)),
        Decimal(0),
        Decimal(1_000_000),
    )


@pytest.mark.parametrize("how", CLOSED)
def test_a_correction_after_the_end_is_booked(how: str) -> None:
    """D6; FIX J.1.a."""
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.ack(order)
    fill(desk, order, 40)
    close(desk, order, how)
    correct(desk, 30, "11")
    assert (standing(desk, order)[1:], desk.cash()) == ((Decimal(30), Decimal(0)), Decimal(1_000_000 - 330))


# --- busts and corrections


def test_a_bust_reopens_a_filled_order_and_reserves_for_what_it_may_trade_again() -> None:
    """FIX J.1.a."""
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    fill(desk, order, 60)
    fill(desk, order, 40, exec_id="e2")
    bust(desk)
    assert standing(desk, order) == (OrdStatus.PARTIALLY_FILLED, Decimal(40), Decimal(60))
    assert desk.state.accounts[ACCOUNT].cash[_CNY].reserved == Decimal(606)  # at its bound, not at what it had paid
    fill(desk, order, 60, exec_id="e3")
    assert standing(desk, order)[0] is OrdStatus.FILLED
    assert desk.state.accounts[ACCOUNT].cash[_CNY].reserved == Decimal(0)


def test_an_order_may_be_filled_busted_corrected_and_filled_again() -> None:
    """FIX J.1.a: the filled quantity may fall and rise."""
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    fill(desk, order, 100)
    bust(desk, at=UtcNs(1))
    seen = [standing(desk, order)]
    for qty, at in ((90, 2), (100, 3)):
        correct(desk, qty, "10", at=UtcNs(at))
        seen.append(standing(desk, order))
    assert seen == [
        (OrdStatus.NEW, Decimal(0), Decimal(100)),
        (OrdStatus.PARTIALLY_FILLED, Decimal(90), Decimal(10)),
        (OrdStatus.FILLED, Decimal(100), Decimal(0)),
    ]


def test_a_cancelled_order_may_be_busted_to_nothing_and_filled_again() -> None:
    """FIX J.1.b."""
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.ack(order)
    fill(desk, order, 50)
    close(desk, order, "canceled")
    bust(desk)
    fill(desk, order, 40, exec_id="e2")
    assert standing(desk, order) == (OrdStatus.CANCELED, Decimal(40), Decimal(0))


def test_a_bust_gives_cash_fee_and_position_back_to_the_last_digit() -> None:
    desk = a_desk(fees=fees("0.001", 5))
    order = desk.order(buy(MOUTAI, 100))
    fill(desk, order, 33, "10.07", commission=Amount(Decimal("5.01")))
    bust(desk)
    position = held(desk)
    assert desk.cash() == Decimal(1_000_000)
    figures = (position.long_qty, position.long_cost, position.realized, position.fees)
    assert figures == (Decimal(0),) * 4


@pytest.mark.parametrize("times", [2, 3])
def test_a_bust_that_is_reported_again_changes_nothing(times: int) -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    fill(desk, order, 40)
    for _ in range(times):
        bust(desk)
    assert len(desk.of(TradeBusted)) == 1


def test_the_fill_that_was_busted_does_not_come_back_by_being_repeated() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    fill(desk, order, 40)
    bust(desk)
    fill(desk, order, 40)
    assert standing(desk, order)[1] == Decimal(0)


def test_a_correction_to_the_same_figures_changes_nothing() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    fill(desk, order, 40)
    correct(desk, 40, "10")
    assert desk.of(TradeCorrected) == []


def test_a_correction_of_price_moves_cash_and_cost_and_makes_no_profit() -> None:
    """FIX J.1.a."""
    desk = a_desk()
    first, second = desk.order(buy(MOUTAI, 100)), desk.order(buy(MOUTAI, 100))
    fill(desk, first, 100, "10")
    fill(desk, second, 100, "12", "e2")
    correct(desk, 100, "10.50")
    position = held(desk)
    assert (desk.cash(), position.long_cost, position.realized) == (Decimal(1_000_000 - 2250), Decimal(2250), Decimal(0))


def test_a_correction_above_what_was_ordered_halts_the_instrument() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    fill(desk, order, 90)
    correct(desk, 120, "10")
    assert [e.excess for e in desk.of(Overfilled)] == [Decimal(20)]
    assert Symbol(MOUTAI) in desk.state.halted


def test_a_corrected_sale_does_not_lock_the_rest_of_the_holding_under_t1() -> None:
    desk = Desk().opened(an_instrument(settles_t1=True), positions={MOUTAI: 200})
    order = desk.order(sell(MOUTAI, 100))
    fill(desk, order, 100, "10")
    correct(desk, 100, "11", side=SELL)
    assert held(desk).sellable(settles_t1=True) == Decimal(100)


@pytest.mark.parametrize("exec_id", ["never", "e9"])
def test_a_bust_or_correction_of_a_fill_we_never_booked_moves_no_position_and_no_money(exec_id: str) -> None:
    """It is kept for the fill, should that come (tests/core/test_taken_back.py)."""
    desk = a_desk()
    before = (desk.state.positions, desk.cash(), len(desk.state.orders))
    bust(desk, exec_id)
    correct(desk, 10, "10", exec_id)
    assert (desk.state.positions, desk.cash(), len(desk.state.orders)) == before


def test_a_bust_of_a_fill_that_was_inside_the_books_we_took_over_moves_nothing() -> None:
    """It never was booked here; the next look shows what it moved (tests/core/test_inside_the_books.py)."""
    desk = Desk()
    desk.give(Start(1, "test", "t1"))
    inside = an_execution(None, MOUTAI, BUY, 40, "10", order_id=OrderID("b9"))
    desk.give(a_snapshot(cash=600, positions={MOUTAI: 40}, executions=(inside,)))
    before = msgspec.msgpack.encode((desk.state.positions, desk.state.accounts), order="deterministic")
    bust(desk)
    assert msgspec.msgpack.encode((desk.state.positions, desk.state.accounts), order="deterministic") == before


# --- fills and cancels cross


def test_fills_that_arrive_while_a_cancel_is_pending_are_booked() -> None:
    """FIX B.1.b."""
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.ack(order)
    desk.give(CancelOrder(order.cl_ord_id, "tester"))
    fill(desk, order, 40)
    assert standing(desk, order)[0] is OrdStatus.PENDING_CANCEL
    desk.give(CancelAck(BROKER, order.cl_ord_id))
    assert standing(desk, order) == (OrdStatus.CANCELED, Decimal(40), Decimal(0))


def test_a_cancel_that_comes_too_late_leaves_the_order_filled() -> None:
    """D6; FIX B.1.c."""
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.ack(order)
    desk.give(CancelOrder(order.cl_ord_id, "tester"))
    fill(desk, order, 100)
    desk.give(CancelReject(BROKER, order.cl_ord_id, "1", "too late"))
    assert standing(desk, order)[0] is OrdStatus.FILLED


def test_a_part_filled_order_may_be_cancelled_by_the_broker_unasked() -> None:
    """D6; FIX E.1.b."""
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.give(OrderAck(BROKER, order.cl_ord_id, OrderID("b1")))
    fill(desk, order, 40)
    desk.give(CancelAck(BROKER, order.cl_ord_id, "surveillance"))
    assert standing(desk, order) == (OrdStatus.CANCELED, Decimal(40), Decimal(0))
    assert desk.known(order.cl_ord_id).text == "surveillance"


# --- fees


def test_a_minimum_fee_is_charged_once_per_order_and_not_per_fill() -> None:
    desk = a_desk(fees=fees("0.001", 5))
    order = desk.order(buy(MOUTAI, 1000))
    for exec_id, qty in (("e1", 100), ("e2", 100), ("e3", 800)):
        fill(desk, order, qty, "10", exec_id, commission=None)
    assert [t.fee for t in desk.of(Traded)] == [Decimal(5), Decimal(0), Decimal(5)]
    assert desk.known(order.cl_ord_id).fees == Decimal(10)


def test_the_fee_the_broker_states_wins_over_the_schedule() -> None:
    desk = a_desk(fees=fees("0.001", 5))
    order = desk.order(buy(MOUTAI, 100))
    fill(desk, order, 100, commission=Amount(Decimal("3.21")))
    assert [(t.fee, t.fee_by_broker) for t in desk.of(Traded)] == [(Decimal("3.21"), True)]


def test_stamp_duty_is_taken_from_sales_alone() -> None:
    desk = Desk().opened(an_instrument(fees=fees("0.0005", sell_only=True)), positions={MOUTAI: 100})
    for order in (desk.order(buy(MOUTAI, 100)), desk.order(sell(MOUTAI, 100))):
        fill(desk, order, 100, commission=None)
    assert [t.fee for t in desk.of(Traded)] == [Decimal(0), Decimal("0.50")]


def test_closing_todays_contract_is_charged_its_own_fee() -> None:
    """D5."""
    schedule = FeeSchedule((FeeLine("fee", per_unit=Decimal(2), close_today_per_unit=Decimal(0)),))
    contract = {"asset_class": AssetClass.FUTURE, "multiplier": 10, "margin_rate": "0.1", "shortable": True}
    desk = a_desk(fees=schedule, **contract)
    opened = desk.order(buy(MOUTAI, 1, position_effect=PositionEffect.OPEN))
    fill(desk, opened, 1, commission=None)
    closed = desk.order(sell(MOUTAI, 1, position_effect=PositionEffect.CLOSE_TODAY))
    fill(desk, closed, 1, exec_id="e2", commission=None)
    assert [t.fee for t in desk.of(Traded)] == [Decimal(2), Decimal(0)]


def test_a_fill_states_what_it_realised_before_fees() -> None:
    desk = a_desk()
    bought = desk.order(buy(MOUTAI, 100))
    fill(desk, bought, 100, "10")
    sold = desk.order(sell(MOUTAI, 100))
    fill(desk, sold, 100, "12", "e2", commission=Amount(Decimal(3)))
    assert [t.realized for t in desk.of(Traded)] == [None, Decimal(200)]
