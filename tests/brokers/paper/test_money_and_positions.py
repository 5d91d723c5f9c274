"""What fills do to cash and positions, and what a new day does. Instruments, prices and fees are made up."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from tests.brokers.paper.made import ACME, COPPER, DAY, MAOTAI, NEXT_DAY, Bench, ashare, at, bar, future, quote, stock

from tradeloop.brokers.paper import interventions
from tradeloop.brokers.paper.matching import Matching
from tradeloop.brokers.paper.records import PaperOrder
from tradeloop.core.errors import BadInput, Refused
from tradeloop.core.instrument import FeeLine, FeeSchedule
from tradeloop.core.reports import CancelAck, CancelReject, Execution, ExecutionBust, ExecutionCorrect, OrderExpire
from tradeloop.core.types import ClOrdID, ExecID, OrderID, OrdStatus, PositionEffect, Px, Qty, Side, TimeInForce, TradingDay

CN_FEES = FeeSchedule(
    (
        FeeLine("commission", rate=Decimal("0.00025"), minimum=Decimal(5)),
        FeeLine("stamp", rate=Decimal("0.0005"), side=Side.SELL),
    )
)
TOMORROW = 24 * 3600


def next_day(bench: Bench) -> None:
    bench.matching.open_day("cn", NEXT_DAY, ((at(TOMORROW), at(TOMORROW + 3600)),), at(TOMORROW))


def test_a_minimum_fee_is_charged_once_per_order_however_many_fills() -> None:
    bench = Bench(stock(fee_per_share="0.005", fee_minimum="1.00"), cash=10_000)
    bench.quote(quote(0, "10.00", "10.01", ask_size=100))
    bench.buy(300)
    bench.quote(quote(1, "10.00", "10.02", ask_size=100))
    bench.quote(quote(2, "10.00", "10.01", ask_size=100))
    fees = [r.commission for r in bench.heard() if isinstance(r, Execution)]
    assert fees == [Decimal("1.00"), Decimal("0.00"), Decimal("0.50")]
    assert bench.cash() == Decimal(10_000) - 200 * Decimal("10.01") - 100 * Decimal("10.02") - Decimal("1.50")


TAF = FeeLine("taf", per_unit=Decimal("0.000195"), side=Side.SELL, maximum=Decimal("9.79"))


def a_large_sale() -> Bench:
    """200 000 shares sold in two fills, under a fee of at most 9.79 per trade."""
    bench = Bench(msgspec.structs.replace(stock(), fees=FeeSchedule((TAF,))), cash=10_000)
    bench.books.position(ACME).long_yesterday = Decimal(200_000)
    bench.quote(quote(0, "1.00", "1.01", bid_size=199_000))
    bench.sell(200_000)
    bench.quote(quote(1, "0.99", "1.02", bid_size=199_000))
    return bench


def test_a_maximum_per_trade_is_asked_of_each_fill() -> None:
    bench = a_large_sale()
    assert [str(r.commission) for r in bench.heard() if isinstance(r, Execution)] == ["9.79", "0.19"]
    assert bench.cash() == Decimal(10_000) + 199_990 - Decimal("9.98")


def test_a_fill_that_reached_its_maximum_is_taken_back_with_what_it_cost() -> None:
    bench = a_large_sale()
    first, _ = (r for r in bench.heard() if isinstance(r, Execution))
    interventions.bust(bench.matching, first.exec_id, at(2))
    assert bench.cash() == Decimal(10_000) + 990 - Decimal("0.19")
    bench.quote(quote(3, "1.00", "1.01", bid_size=199_000))
    assert [str(r.commission) for r in bench.heard() if isinstance(r, Execution)] == ["9.79"]


def test_a_fill_that_is_corrected_to_a_small_one_pays_what_the_fee_of_its_order_grows_by() -> None:
    bench = a_large_sale()
    first, _ = (r for r in bench.heard() if isinstance(r, Execution))
    interventions.correct(bench.matching, first.exec_id, Qty(Decimal(1000)), Px(Decimal("1.00")), at(2))
    assert [str(r.commission) for r in bench.heard() if isinstance(r, ExecutionCorrect)] == ["0.19"]


def test_stamp_duty_falls_on_the_sale_alone() -> None:
    bench = Bench(ashare(fees=CN_FEES), cash=1_000_000)
    bench.books.position(MAOTAI).long_yesterday = Decimal(1000)
    bench.quote(quote(0, "10.00", "10.01", symbol=MAOTAI, prev_close="10.00"))
    bench.buy(1000, symbol=MAOTAI)
    bench.sell(1000, symbol=MAOTAI)
    assert [r.commission for r in bench.heard() if isinstance(r, Execution)] == [Decimal("5.00"), Decimal("10.00")]


def test_shares_bought_today_can_be_sold_after_the_next_day_opens() -> None:
    """T+1."""
    bench = Bench(ashare(), cash=1_000_000)
    bench.quote(quote(0, "10.00", "10.01", symbol=MAOTAI, prev_close="10.00"))
    bench.buy(100, symbol=MAOTAI)
    bench.sell(100, symbol=MAOTAI, seconds=60)
    assert bench.code() == "NOT_SELLABLE_T1"
    next_day(bench)
    bench.quote(quote(TOMORROW, "10.00", "10.01", symbol=MAOTAI, prev_close="10.00"))
    bench.heard()
    bench.sell(100, symbol=MAOTAI, seconds=TOMORROW + 1)
    assert bench.fills() == [("100", "10.00")]


def test_an_execution_counts_for_the_trading_day_its_session_is_in() -> None:
    """A night session belongs to the next trading day: the day is what `open_day` said, not the date."""
    bench = Bench(future(), cash=1_000_000)
    bench.matching.open_day("cn", TradingDay("2026-07-20"), ((at(0), at(3600)),), at(0))
    bench.quote(quote(1, "78000", "78010", symbol=COPPER))
    bench.buy(1, symbol=COPPER, seconds=1)
    (fill,) = [r for r in bench.heard() if isinstance(r, Execution)]
    assert fill.trading_day == "2026-07-20"


def test_a_day_order_expires_when_the_last_window_is_over() -> None:
    bench = Bench(ashare())
    bench.quote(quote(0, "10.00", "10.05", symbol=MAOTAI, prev_close="10.00"))
    order = bench.buy(100, "9.50", symbol=MAOTAI)
    bench.matching.advance(at(5000))
    assert order.is_working, "the midday break ends nothing"
    bench.heard()
    bench.matching.advance(at(10_801))
    assert order.is_working, "the print of the close has a few seconds to arrive"
    bench.matching.advance(at(10_806))
    assert [type(r) for r in bench.heard()] == [OrderExpire]
    assert order.ord_status is OrdStatus.EXPIRED


def test_a_day_order_expires_at_the_roll_and_a_gtc_order_goes_on() -> None:
    bench = Bench(ashare())
    bench.quote(quote(0, "10.00", "10.05", symbol=MAOTAI, prev_close="10.00"))
    day = bench.buy(100, "9.50", symbol=MAOTAI)
    gtc = bench.buy(100, "9.50", symbol=MAOTAI, tif=TimeInForce.GTC)
    next_day(bench)
    assert (day.ord_status, gtc.ord_status) == (OrdStatus.EXPIRED, OrdStatus.NEW)
    bench.quote(quote(TOMORROW + 1, "9.40", "9.45", symbol=MAOTAI, prev_close="10.00"))
    assert gtc.ord_status is OrdStatus.FILLED


def test_opening_the_same_day_again_changes_nothing_and_an_earlier_one_is_refused() -> None:
    bench = Bench(ashare())
    bench.quote(quote(0, "10.00", "10.01", symbol=MAOTAI, prev_close="10.00"))
    bench.buy(100, symbol=MAOTAI)
    bench.matching.open_day("cn", DAY, ((at(0), at(3600)),), at(10))
    assert bench.books.position(MAOTAI).long_today == 100
    with pytest.raises(BadInput, match="expected 2026-07-17 or later"):
        bench.matching.open_day("cn", TradingDay("2026-07-16"), (), at(10))


def test_a_quote_in_the_midday_break_fills_nothing() -> None:
    bench = Bench(ashare())
    bench.quote(quote(0, "10.00", "10.05", symbol=MAOTAI, prev_close="10.00"))
    order = bench.buy(100, "10.02", symbol=MAOTAI)
    bench.quote(quote(5000, "10.00", "10.01", symbol=MAOTAI, prev_close="10.00"))
    assert order.cum_qty == 0


def test_an_instrument_without_session_rolls_at_utc_midnight() -> None:
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.01"))
    bench.buy(100)
    order = bench.buy(100, "9.00")
    bench.matching.advance(at(TOMORROW))
    assert order.ord_status is OrdStatus.EXPIRED
    assert bench.books.position(ACME).long_yesterday == 100


def test_futures_hold_margin_and_move_only_profit() -> None:
    bench = Bench(future(), cash=100_000)
    bench.quote(quote(0, "78000", "78010", symbol=COPPER))
    bench.buy(2, symbol=COPPER, effect=PositionEffect.OPEN)
    assert bench.cash("CNY") == Decimal(100_000) - 6
    assert bench.available("CNY") == bench.cash("CNY") - 2 * 5 * 78010 * Decimal("0.10")
    bench.quote(quote(1, "78110", "78120", symbol=COPPER))
    bench.sell(2, symbol=COPPER, effect=PositionEffect.CLOSE_TODAY, seconds=1)
    assert bench.cash("CNY") == Decimal(100_000) - 6 + 2 * 5 * 100 - 12, "closing today costs 6 a lot"
    assert bench.available("CNY") == bench.cash("CNY")


def test_shanghai_futures_close_today_and_yesterday_apart() -> None:
    bench = Bench(future(), cash=1_000_000)
    bench.quote(quote(0, "78000", "78010", symbol=COPPER))
    bench.buy(1, symbol=COPPER, effect=PositionEffect.OPEN)
    for effect in (PositionEffect.CLOSE, PositionEffect.CLOSE_YESTERDAY):
        bench.sell(1, symbol=COPPER, effect=effect)
        assert bench.code() == "INSUFFICIENT_POSITION"
    next_day(bench)
    bench.quote(quote(TOMORROW, "78000", "78010", symbol=COPPER))
    bench.sell(1, symbol=COPPER, effect=PositionEffect.CLOSE_TODAY, seconds=TOMORROW + 1)
    assert bench.code() == "INSUFFICIENT_POSITION"
    bench.sell(1, symbol=COPPER, effect=PositionEffect.CLOSE, seconds=TOMORROW + 1)
    assert bench.books.position(COPPER).long_qty == 0


def test_long_and_short_stand_side_by_side_when_both_are_opened() -> None:
    bench = Bench(future(), cash=1_000_000)
    bench.quote(quote(0, "78000", "78010", symbol=COPPER))
    bench.buy(1, symbol=COPPER, effect=PositionEffect.OPEN)
    bench.sell(2, symbol=COPPER, effect=PositionEffect.OPEN)
    position = bench.books.position(COPPER)
    assert (position.long_qty, position.short_qty) == (Decimal(1), Decimal(2))


def test_a_bust_gives_cash_and_shares_back_and_a_filled_order_works_again() -> None:
    """FIX 4.4 vol. 7, D.J.1.a."""
    bench = Bench(stock(fee_per_share="0.01"), cash=10_000)
    bench.quote(quote(0, "10.00", "10.01", ask_size=60))
    order = bench.buy(100)
    bench.quote(quote(1, "10.00", "10.02", ask_size=40))
    (first, _second) = [r for r in bench.heard() if isinstance(r, Execution)]
    interventions.bust(bench.matching, first.exec_id, at(2))
    assert [type(r) for r in bench.heard()] == [ExecutionBust]
    assert (order.cum_qty, order.leaves_qty, order.ord_status) == (Decimal(40), Decimal(60), OrdStatus.PARTIALLY_FILLED)
    assert bench.cash() == Decimal(10_000) - 40 * Decimal("10.02") - Decimal("0.40")
    bench.quote(quote(3, "10.00", "10.03"))
    assert bench.fills() == [("60", "10.03")]


def busted_after_a_late_cancel() -> tuple[Bench, PaperOrder]:
    """An order whose cancel came too late, and whose fill was then taken back: it works again."""
    bench = Bench(stock(), latency_ns=500_000_000)
    bench.quote(quote(0, "10.00", "10.05"))
    order = bench.buy(100, "10.02", cl_ord_id="late")
    bench.quote(quote(1, "10.00", "10.05"))
    bench.matching.cancel(ClOrdID("late"), None, at(1))
    bench.quote(quote(1.2, "10.00", "10.01"))
    bench.matching.advance(at(2))
    (fill,) = (r for r in bench.heard() if isinstance(r, Execution))
    interventions.bust(bench.matching, fill.exec_id, at(3))
    bench.heard()
    return bench, order


def test_an_order_that_works_again_after_a_bust_can_be_cancelled_though_an_earlier_cancel_came_too_late() -> None:
    bench, order = busted_after_a_late_cancel()
    bench.matching.cancel(ClOrdID("late"), None, at(4))
    bench.matching.advance(at(5))
    assert [type(r) for r in bench.heard()] == [CancelAck]
    assert order.ord_status is OrdStatus.CANCELED


def test_a_cancel_that_was_refused_as_too_late_is_not_carried_out_by_a_restart() -> None:
    bench, order = busted_after_a_late_cancel()
    Matching(bench.books, latency_ns=500_000_000).advance(at(10))
    assert order.ord_status is OrdStatus.NEW


def test_a_cancel_that_the_fill_outran_is_answered_by_a_restart_too() -> None:
    bench = Bench(stock(), latency_ns=500_000_000)
    bench.quote(quote(0, "10.00", "10.05"))
    bench.buy(100, "10.02", cl_ord_id="late")
    bench.quote(quote(1, "10.00", "10.05"))
    bench.matching.cancel(ClOrdID("late"), None, at(1))
    bench.quote(quote(1.2, "10.00", "10.01"))
    restarted = Matching(bench.books, latency_ns=500_000_000)
    restarted.advance(at(2))
    assert [type(r) for r in restarted.out] == [CancelReject]


def test_a_fill_busted_after_its_day_does_not_bring_its_day_order_back_to_life() -> None:
    """It would fill on a day it was not made for."""
    bench = Bench(ashare())
    bench.quote(quote(0, "10.00", "10.01", symbol=MAOTAI))
    order = bench.buy(100, symbol=MAOTAI)
    (fill,) = (r for r in bench.heard() if isinstance(r, Execution))
    next_day(bench)
    interventions.bust(bench.matching, fill.exec_id, at(86_500))

    assert order.ord_status is OrdStatus.EXPIRED
    assert [type(r).__name__ for r in bench.heard()] == ["ExecutionBust", "OrderExpire"], (
        "first what happened, then what followed"
    )
    bench.quote(quote(86_501, "10.00", "10.01", symbol=MAOTAI))
    assert order.cum_qty == 0


def test_a_bust_of_an_order_for_at_once_is_told_before_its_end() -> None:
    """The other way round the end speaks of an order that is filled, and is not believed."""
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.01"))
    bench.buy(100, tif=TimeInForce.IOC)
    (fill,) = (r for r in bench.heard() if isinstance(r, Execution))
    interventions.bust(bench.matching, fill.exec_id, at(1))
    assert [type(r).__name__ for r in bench.heard()] == ["ExecutionBust", "CancelAck"]


def test_a_bust_of_a_cancelled_order_leaves_it_cancelled() -> None:
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.01", ask_size=60))
    order = bench.buy(100, tif=TimeInForce.IOC)
    (fill,) = [r for r in bench.heard() if isinstance(r, Execution)]
    interventions.bust(bench.matching, fill.exec_id, at(2))
    assert (order.cum_qty, order.ord_status) == (Decimal(0), OrdStatus.CANCELED)


def test_a_correction_rewrites_the_fill() -> None:
    bench = Bench(stock(), cash=10_000)
    bench.quote(quote(0, "10.00", "10.01"))
    bench.buy(100)
    (fill,) = [r for r in bench.heard() if isinstance(r, Execution)]
    interventions.correct(bench.matching, fill.exec_id, Qty(Decimal(100)), Px(Decimal("10.00")), at(1))
    assert [type(r) for r in bench.heard()] == [ExecutionCorrect]
    assert bench.cash() == Decimal(9000)
    assert bench.books.executions[fill.exec_id].last_px == Decimal("10.00")


def test_a_correction_above_the_order_is_an_overfill_that_the_books_show() -> None:
    bench = Bench(stock(), cash=10_000)
    bench.quote(quote(0, "10.00", "10.01"))
    order = bench.buy(100)
    (fill,) = [r for r in bench.heard() if isinstance(r, Execution)]
    interventions.correct(bench.matching, fill.exec_id, Qty(Decimal(120)), fill.last_px, at(1))
    assert (order.cum_qty, bench.books.position(ACME).long_qty) == (Decimal(120), Decimal(120))


def test_a_bust_of_an_unknown_or_busted_fill_is_refused() -> None:
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.01"))
    bench.buy(100)
    (fill,) = [r for r in bench.heard() if isinstance(r, Execution)]
    interventions.bust(bench.matching, fill.exec_id, at(1))
    for exec_id in (fill.exec_id, ExecID("E9")):
        with pytest.raises(BadInput, match="expected the id of a fill that still counts"):
            interventions.bust(bench.matching, exec_id, at(1))


def test_an_order_typed_by_hand_passes_the_checks_and_carries_no_client_id() -> None:
    bench = Bench(stock(), cash=1000)
    bench.quote(quote(0, "10.00", "10.01"))
    interventions.act_by_hand(bench.matching, ACME, Side.BUY, Qty(Decimal(10)), at(1), filled_at=Px(Decimal("9.90")))
    (fill,) = bench.heard()
    assert isinstance(fill, Execution)
    assert fill.cl_ord_id is None
    with pytest.raises(Refused, match="INSUFFICIENT_CASH"):
        interventions.act_by_hand(bench.matching, ACME, Side.BUY, Qty(Decimal(1000)), at(1))


def test_the_broker_may_cancel_without_being_asked() -> None:
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.01"))
    order = bench.buy(100, "9.00")
    bench.heard()
    interventions.cancel_unasked(bench.matching, order.order_id, "margin call", at(1))
    (report,) = bench.heard()
    assert isinstance(report, CancelAck)
    assert report.text == "margin call"
    with pytest.raises(Refused, match="TOO_LATE_TO_CANCEL"):
        interventions.cancel_unasked(bench.matching, order.order_id, "", at(1))


def test_an_order_may_trade_more_than_is_left_of_it() -> None:
    """F31: books that are wrong are kept as they are, and told as they are."""
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.01"))
    order = bench.buy(100, "9.00")
    bench.heard()
    interventions.fill(bench.matching, order.order_id, Qty(Decimal(300)), Px(Decimal(9)), at(1))
    (report,) = bench.heard()
    assert isinstance(report, Execution)
    assert (report.last_qty, order.cum_qty, order.ord_status) == (Decimal(300), Decimal(300), OrdStatus.FILLED)
    with pytest.raises(Refused, match="UNKNOWN_ORDER"):
        interventions.fill(bench.matching, order.order_id, Qty(Decimal(1)), Px(Decimal(9)), at(1))


def test_a_fill_of_nothing_is_refused() -> None:
    bench = Bench(stock())
    with pytest.raises(BadInput, match="positive quantity"):
        interventions.fill(bench.matching, OrderID("P1"), Qty(Decimal(0)), Px(Decimal(9)), at(1))


def test_bars_and_orders_by_hand_share_the_same_books() -> None:
    bench = Bench(stock())
    bench.quote(bar(60, "10.00", 1000))
    interventions.act_by_hand(bench.matching, ACME, Side.BUY, Qty(Decimal(30)), at(61))
    order = bench.buy(100, seconds=62)
    bench.quote(bar(120, "10.00", 1000))
    assert order.cum_qty == 70
