"""How bars fill orders. The bars are made up."""

from __future__ import annotations

from decimal import Decimal

from tests.brokers.paper.made import MAOTAI, NEXT_DAY, Bench, ashare, at, bar, stock

from tradeloop.core.types import OrdStatus, TimeInForce


def test_an_order_fills_at_the_close_up_to_a_tenth_of_the_volume() -> None:
    bench = Bench(stock())
    bench.quote(bar(60, "10.00", 3000))
    bench.buy(500, seconds=61)
    bench.quote(bar(120, "10.10", 3000))
    bench.quote(bar(180, "10.20", 1000))
    assert bench.fills() == [("300", "10.10"), ("100", "10.20")]


def test_an_order_never_trades_on_a_bar_that_had_ended_before_it() -> None:
    bench = Bench(stock())
    bench.quote(bar(60, "10.00", 3000))
    order = bench.buy(100, seconds=60)
    bench.quote(bar(60, "10.00", 3000))
    assert order.cum_qty == 0


def test_a_bar_without_volume_fills_nothing() -> None:
    bench = Bench(stock())
    bench.quote(bar(60, "10.00", 0))
    order = bench.buy(100, seconds=61)
    bench.quote(bar(120, "10.00", 0))
    bench.quote(bar(180, "10.00", None))
    assert order.cum_qty == 0


def test_a_limit_fills_at_a_close_on_its_side_only() -> None:
    bench = Bench(stock())
    bench.quote(bar(60, "10.00", 10_000))
    bench.buy(100, "9.95", seconds=61)
    bench.quote(bar(120, "9.96", 10_000))
    assert bench.fills() == []
    bench.quote(bar(180, "9.95", 10_000))
    assert bench.fills() == [("100", "9.95")]


def test_a_limit_that_a_bar_falls_through_fills_at_the_limit_and_no_better() -> None:
    """It stood in the book: the price met it there on its way down."""
    bench = Bench(stock())
    bench.quote(bar(60, "10.00", 10_000))
    bench.buy(100, "9.95", seconds=61)
    bench.quote(bar(120, "9.96", 10_000))
    bench.quote(bar(180, "9.90", 10_000))
    assert bench.fills() == [("100", "9.95")]


def test_a_limit_above_the_last_bar_meets_the_market_and_pays_what_the_next_bar_shows() -> None:
    bench = Bench(stock())
    bench.quote(bar(60, "10.00", 10_000))
    bench.buy(100, "10.20", seconds=61)
    bench.quote(bar(120, "10.10", 10_000))
    assert bench.fills() == [("100", "10.10")]


def test_a_bar_delivered_twice_has_its_volume_once() -> None:
    """A feed that reconnects repeats itself."""
    bench = Bench(stock())
    bench.quote(bar(60, "10.00", 1000))
    order = bench.buy(500, seconds=61)
    bench.quote(bar(120, "10.00", 1000))
    bench.quote(bar(120, "10.00", 1000))
    assert order.cum_qty == 100


def test_the_better_limit_has_the_first_share_of_a_bar() -> None:
    bench = Bench(stock())
    bench.quote(bar(60, "10.00", 1000))
    early, better = bench.buy(80, "9.91", seconds=61), bench.buy(80, "9.95", seconds=62)
    bench.quote(bar(120, "9.90", 1000))
    assert (early.cum_qty, better.cum_qty) == (Decimal(20), Decimal(80))


def test_orders_share_the_volume_by_arrival_and_each_side_has_its_share() -> None:
    bench = Bench(stock(shortable=True))
    bench.quote(bar(60, "10.00", 1000))
    first, second = bench.buy(80, seconds=61), bench.buy(80, seconds=62)
    sale = bench.sell(80, seconds=63)
    bench.quote(bar(120, "10.00", 1000))
    assert (first.cum_qty, second.cum_qty, sale.cum_qty) == (Decimal(80), Decimal(20), Decimal(80))


def test_a_fok_needs_a_bar_with_room_for_all_of_it() -> None:
    bench = Bench(stock())
    bench.quote(bar(60, "10.00", 1000))
    order = bench.buy(101, seconds=61, tif=TimeInForce.FOK)
    bench.quote(bar(120, "10.00", 1000))
    assert (order.cum_qty, order.ord_status) == (Decimal(0), OrdStatus.CANCELED)


def test_a_bar_that_closes_at_limit_up_sells_to_nobody() -> None:
    bench = Bench(ashare())
    bench.quote(bar(60, "10.90", 100_000, symbol=MAOTAI, prev_close="10.00"))
    order = bench.buy(100, "11.00", seconds=61, symbol=MAOTAI)
    bench.quote(bar(120, "11.00", 100_000, symbol=MAOTAI, prev_close="10.00"))
    assert order.cum_qty == 0
    bench.quote(bar(180, "10.99", 100_000, symbol=MAOTAI, prev_close="10.00"))
    assert bench.fills() == [("100", "10.99")]


def test_yesterdays_close_does_not_make_todays_limits() -> None:
    """After a split or a long holiday it would forbid prices that are legal, and allow what is not."""
    bench = Bench(ashare())
    bench.quote(bar(60, "10.00", 1000, symbol=MAOTAI, prev_close="10.00"))
    bench.matching.open_day("cn", NEXT_DAY, ((at(86_400), at(90_000)),), at(86_000))
    order = bench.buy(100, "5.00", symbol=MAOTAI, seconds=86_460)
    assert order.is_working
    bench.quote(bar(86_520, "5.00", 100_000, symbol=MAOTAI, prev_close="5.00"))
    assert order.ord_status is OrdStatus.FILLED


def test_the_close_of_the_day_fills_at_the_very_end_of_the_last_window() -> None:
    bench = Bench(ashare())
    bench.quote(bar(0, "10.00", 0, symbol=MAOTAI, prev_close="10.00"))
    bench.buy(100, seconds=10, symbol=MAOTAI)
    bench.quote(bar(10_800, "10.20", 500_000, symbol=MAOTAI, prev_close="10.00"))
    assert bench.fills() == [("100", "10.20")]


def test_the_share_of_the_volume_is_cut_to_whole_lots() -> None:
    bench = Bench(ashare(), cash=10**9)
    bench.quote(bar(60, "10.00", 0, symbol=MAOTAI, prev_close="10.00"))
    order = bench.buy(1000, seconds=61, symbol=MAOTAI)
    bench.quote(bar(120, "10.00", 3990, symbol=MAOTAI, prev_close="10.00"))
    assert order.cum_qty == Decimal(300)
