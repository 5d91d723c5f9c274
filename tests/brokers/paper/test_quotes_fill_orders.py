"""How two-sided quotes fill orders."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from tests.brokers.paper.made import MAOTAI, NEXT_DAY, Bench, ashare, at, quote, stock

from tradeloop.core.reports import CancelAck, Execution, OrderAck
from tradeloop.core.types import OrdStatus, Symbol, TimeInForce


def test_a_market_buy_fills_at_the_ask_and_a_market_sell_at_the_bid() -> None:
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.01"))
    bench.buy(100)
    bench.sell(40)
    assert bench.fills() == [("100", "10.01"), ("40", "10.00")]


def test_the_ack_comes_before_the_fill() -> None:
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.01"))
    bench.buy(100)
    assert [type(r) for r in bench.heard()] == [OrderAck, Execution]


EARLY = Symbol("EARLY.US")


def test_the_market_seen_before_a_listing_stands_from_the_listing_on() -> None:
    """An order that follows its listing at once is not refused for want of a quote everybody has seen."""
    early = stock(EARLY)
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.01", ask_size=300, symbol=EARLY))
    bench.matching.list_instruments([early])
    order = bench.buy(500, symbol=EARLY)
    assert bench.fills() == [("300", "10.01")]
    assert order.leaves_qty == 200


def test_a_market_order_takes_no_more_than_the_displayed_size_of_each_quote() -> None:
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.01", ask_size=300))
    order = bench.buy(500)
    bench.quote(quote(1, "10.00", "10.02", ask_size=150))
    assert order.leaves_qty == 50
    bench.quote(quote(2, "10.00", "10.03", ask_size=150))
    assert bench.fills() == [("300", "10.01"), ("150", "10.02"), ("50", "10.03")]
    assert order.ord_status is OrdStatus.FILLED


def test_a_displayed_size_is_taken_once_and_shared_by_arrival() -> None:
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.01", ask_size=300))
    first, second, third = bench.buy(200), bench.buy(200), bench.buy(200)
    assert (first.cum_qty, second.cum_qty, third.cum_qty) == (Decimal(200), Decimal(100), Decimal(0))
    bench.quote(quote(1, "10.00", "10.01", ask_size=150))
    assert (second.cum_qty, third.cum_qty) == (Decimal(200), Decimal(50))


def test_a_limit_that_comes_to_a_better_quote_fills_at_the_quote() -> None:
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.02"))
    bench.buy(100, "10.03")
    assert bench.fills() == [("100", "10.02")]


def test_a_resting_limit_that_the_quote_comes_to_fills_at_its_own_price() -> None:
    """Who sells at 10.02 while a bid of 10.03 stands gets 10.03."""
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.05"))
    bench.buy(100, "10.03")
    assert bench.fills() == []
    bench.quote(quote(1, "9.99", "10.02"))
    assert bench.fills() == [("100", "10.03")]


def test_a_limit_that_was_taken_before_the_days_limits_were_known_does_not_trade_outside_them() -> None:
    bench = Bench(ashare())
    bench.buy(100, "12.00", symbol=MAOTAI)
    bench.quote(quote(1, "11.00", None, ask_size=None, symbol=MAOTAI, prev_close="10.00"))
    bench.quote(quote(2, "10.98", "10.99", symbol=MAOTAI, prev_close="10.00"))
    assert bench.fills() == [("100", "11.00")]


def test_the_rest_of_a_limit_that_took_all_there_was_pays_what_is_shown_next() -> None:
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.01", ask_size=60))
    bench.buy(100, "10.05")
    bench.quote(quote(1, "10.00", "10.02"))
    assert bench.fills() == [("60", "10.01"), ("40", "10.02")]


def test_the_first_quote_after_a_break_is_an_auction_at_one_price() -> None:
    """A gap at the open fills a resting limit at the open, not at its limit."""
    bench = Bench(ashare())
    bench.quote(quote(3590, "10.00", "10.05", symbol=MAOTAI))
    bench.buy(100, "10.03", symbol=MAOTAI, seconds=3591)
    bench.quote(quote(7201, "9.89", "9.90", symbol=MAOTAI))
    assert bench.fills() == [("100", "9.90")]


def test_a_sell_limit_waits_for_a_bid_at_its_price_or_better() -> None:
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.01"))
    bench.buy(100)
    bench.heard()
    bench.sell(100, "10.04")
    bench.quote(quote(1, "10.03", "10.05"))
    assert bench.fills() == []
    bench.quote(quote(2, "10.04", "10.07"))
    assert bench.fills() == [("100", "10.04")]


def test_a_later_and_better_limit_fills_though_an_earlier_one_rests_below() -> None:
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.05"))
    low, high = bench.buy(100, "10.01"), bench.buy(100, "10.03")
    bench.quote(quote(1, "10.00", "10.02"))
    assert (low.cum_qty, high.cum_qty) == (Decimal(0), Decimal(100))
    bench.quote(quote(2, "10.00", "10.01"))
    assert low.cum_qty == 100


def test_an_order_is_not_in_the_market_before_its_latency_has_passed() -> None:
    bench = Bench(stock(), latency_ns=500_000_000)
    bench.quote(quote(0, "10.00", "10.01"))
    order = bench.buy(100)
    bench.quote(quote(0.4, "10.00", "10.02"))
    assert order.cum_qty == 0
    bench.quote(quote(1, "10.00", "10.03"))
    assert bench.fills() == [("100", "10.02")], "it met at 0.5 s the quote that stood then"


def test_time_alone_brings_an_order_to_the_standing_quote() -> None:
    bench = Bench(stock(), latency_ns=500_000_000)
    bench.quote(quote(0, "10.00", "10.01"))
    bench.buy(100)
    assert bench.matching.next_due() == at(0.5)
    bench.matching.advance(at(0.5))
    assert bench.fills() == [("100", "10.01")]
    assert bench.matching.next_due() is None


def test_an_ioc_takes_what_is_there_and_the_rest_is_cancelled() -> None:
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.01", ask_size=30))
    order = bench.buy(100, "10.01", tif=TimeInForce.IOC)
    heard = bench.heard()
    assert [type(r) for r in heard] == [OrderAck, Execution, CancelAck]
    assert (order.cum_qty, order.ord_status) == (Decimal(30), OrdStatus.CANCELED)


def test_an_ioc_without_a_standing_quote_is_offered_the_next_one_only() -> None:
    bench = Bench(stock())
    order = bench.buy(100, "10.01", tif=TimeInForce.IOC)
    bench.quote(quote(1, "10.00", "10.02"))
    assert (order.cum_qty, order.ord_status) == (Decimal(0), OrdStatus.CANCELED)


def test_a_fok_fills_whole_or_not_at_all() -> None:
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.01", ask_size=99))
    refused = bench.buy(100, "10.01", tif=TimeInForce.FOK)
    taken = bench.buy(99, "10.01", tif=TimeInForce.FOK)
    assert (refused.cum_qty, refused.ord_status) == (Decimal(0), OrdStatus.CANCELED)
    assert taken.ord_status is OrdStatus.FILLED


def test_nobody_buys_where_nobody_sells() -> None:
    """A quote without an ask is how a stock at limit-up looks."""
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.01"))
    bench.quote(quote(1, "11.00", None, ask_size=None))
    order = bench.buy(100, "11.00")
    bench.quote(quote(2, "11.00", None, ask_size=None))
    assert order.cum_qty == 0
    assert order.is_working


def test_a_quote_without_sizes_fills_nothing_unless_a_size_is_assumed() -> None:
    wary, trusting = Bench(stock()), Bench(stock(), assumed_size=70)
    for bench in (wary, trusting):
        bench.quote(quote(0, "10.00", "10.01", bid_size=None, ask_size=None))
        bench.buy(100)
    assert wary.fills() == []
    assert trusting.fills() == [("70", "10.01")]


def test_a_suspended_stock_does_not_trade() -> None:
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.05"))
    order = bench.buy(100, "10.02")
    bench.quote(quote(1, "10.00", "10.01", suspended=True))
    assert order.cum_qty == 0
    bench.quote(quote(2, "10.00", "10.01"))
    assert order.cum_qty == 100


def test_a_quote_older_than_the_standing_one_is_ignored() -> None:
    bench = Bench(stock())
    bench.quote(quote(5, "10.00", "10.05"))
    bench.buy(100, "10.02", seconds=5)
    bench.heard()
    bench.matching.on_quote(quote(4, "10.00", "10.01"), at(6))
    assert bench.fills() == []


def test_a_partial_fill_is_whole_lots() -> None:
    bench = Bench(msgspec.structs.replace(stock(), lot=Decimal(10), min_qty=Decimal(10)))
    bench.quote(quote(0, "10.00", "10.01", ask_size=57))
    order = bench.buy(100)
    assert order.cum_qty == 50


def test_a_cancel_takes_its_latency_and_a_fill_may_come_first() -> None:
    bench = Bench(stock(), latency_ns=500_000_000)
    bench.quote(quote(0, "10.00", "10.05"))
    order = bench.buy(100, "10.02")
    bench.quote(quote(1, "10.00", "10.05"))
    assert order.cl_ord_id is not None
    bench.matching.cancel(order.cl_ord_id, None, at(1))
    bench.quote(quote(1.2, "10.00", "10.01", ask_size=60))
    bench.matching.advance(at(1.5))
    assert [type(r) for r in bench.heard()] == [OrderAck, Execution, CancelAck]
    assert (order.cum_qty, order.ord_status) == (Decimal(60), OrdStatus.CANCELED)


def test_a_cancel_that_the_fill_outran_is_refused() -> None:
    bench = Bench(stock(), latency_ns=500_000_000)
    bench.quote(quote(0, "10.00", "10.05"))
    order = bench.buy(100, "10.02")
    bench.quote(quote(1, "10.00", "10.05"))
    assert order.cl_ord_id is not None
    bench.matching.cancel(order.cl_ord_id, None, at(1))
    bench.quote(quote(1.2, "10.00", "10.01"))
    bench.matching.advance(at(1.5))
    assert [getattr(r, "code", "") for r in bench.heard()] == ["", "", "TOO_LATE_TO_CANCEL"]


def test_a_market_buy_whose_price_ran_away_stops_where_the_cash_does() -> None:
    bench = Bench(stock(), cash=1000)
    bench.quote(quote(0, "9.99", "10.00", ask_size=50))
    order = bench.buy(100)
    bench.quote(quote(1, "14.99", "15.00"))
    assert bench.fills() == [("50", "10.00"), ("33", "15.00")]
    assert order.ord_status is OrdStatus.CANCELED
    assert bench.cash() == Decimal(5)


def test_a_side_that_only_repeats_itself_shows_nothing_new() -> None:
    """The other side moved, and the feed sent both: the thousand sellers are the same thousand."""
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.01", ask_size=300))
    order = bench.buy(1000)
    for second, bid in ((1, "9.99"), (2, "10.00"), (3, "9.98")):
        bench.quote(quote(second, bid, "10.01", ask_size=300))
    assert order.cum_qty == 300
    bench.quote(quote(4, "10.00", "10.01", ask_size=310))
    assert order.cum_qty == 610, "another size is another display"


def test_a_quote_delivered_twice_is_one_quote() -> None:
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.01", ask_size=300))
    order = bench.buy(1000)
    bench.quote(quote(0, "10.00", "10.01", ask_size=300), late=5)
    assert order.cum_qty == 300


def test_the_better_price_goes_first_and_the_earlier_of_two_equal_ones() -> None:
    """Price, then time."""
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.09"))
    low, high, later = bench.buy(100, "10.02"), bench.buy(100, "10.05"), bench.buy(100, "10.05")
    bench.quote(quote(1, "10.00", "10.01", ask_size=150))
    assert (low.cum_qty, high.cum_qty, later.cum_qty) == (Decimal(0), Decimal(100), Decimal(50))


def test_the_lower_offer_goes_first_and_one_at_the_market_before_it() -> None:
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.01"))
    bench.buy(300)
    bench.quote(quote(1, None, "10.09", bid_size=None))
    high, low, market = bench.sell(100, "10.06", seconds=1), bench.sell(100, "10.02", seconds=1), bench.sell(100, seconds=1)
    bench.quote(quote(2, "10.07", "10.09", bid_size=150))
    assert (high.cum_qty, low.cum_qty, market.cum_qty) == (Decimal(0), Decimal(50), Decimal(100))


def test_a_price_of_zero_means_that_nobody_is_there() -> None:
    """How some feeds show a stock at limit-up; it must not be sold for nothing."""
    bench = Bench(stock(), assumed_size=100)
    bench.quote(quote(0, "10.00", "10.01", ask_size=None, bid_size=None))
    order = bench.buy(300, "11.00")
    bench.heard()
    bench.quote(quote(1, "11.00", "0", ask_size=None, bid_size=None))
    assert bench.fills() == []
    assert order.is_working


@pytest.mark.parametrize("seconds", [7201, 86_401], ids=["after the midday break", "on the next day"])
def test_an_order_does_not_meet_a_quote_from_before_a_break(seconds: int) -> None:
    bench = Bench(ashare())
    bench.quote(quote(3599, "10.00", "10.01", symbol=MAOTAI))
    if seconds > 86_400:
        bench.matching.open_day("cn", NEXT_DAY, ((at(86_400), at(90_000)),), at(86_000))
    order = bench.buy(100, "10.05", symbol=MAOTAI, seconds=seconds)
    assert order.cum_qty == 0
    bench.quote(quote(seconds + 1, "10.02", "10.03", symbol=MAOTAI))
    assert bench.fills() == [("100", "10.03")]


@pytest.mark.parametrize("tif", [TimeInForce.IOC, TimeInForce.FOK])
def test_an_order_for_at_once_that_no_quote_came_for_ends_with_the_day(tif: TimeInForce) -> None:
    """It must not fill tomorrow."""
    bench = Bench(ashare())
    order = bench.buy(100, "10.05", symbol=MAOTAI, seconds=10_799, tif=tif)
    bench.matching.advance(at(10_806))
    assert order.ord_status is OrdStatus.EXPIRED
