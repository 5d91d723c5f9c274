"""What the paper broker does not take, and with which code. Instruments and prices are made up."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from tests.brokers.paper.made import ACME, MAOTAI, NEXT_DAY, Bench, ashare, at, bar, quote, stock

from tradeloop.brokers import paper
from tradeloop.brokers.paper.words import MEANING, Code
from tradeloop.core.reports import CancelAck, Execution, OrderAck, OrderExpire, OrderReject
from tradeloop.core.types import AccountID, ClOrdID, OrdStatus, OrdType, PositionEffect, Side, Symbol


def us(cash: int = 10_000) -> Bench:
    bench = Bench(stock(), cash=cash)
    bench.quote(quote(0, "10.00", "10.01"))
    return bench


def cn(*, settled: int = 0, today: int = 0) -> Bench:
    """An A-share account with `settled` shares of yesterday and `today` bought today."""
    bench = Bench(ashare())
    bench.quote(bar(0, "10.00", 0, symbol=MAOTAI, prev_close="10.00"))
    position = bench.books.position(MAOTAI)
    position.long_yesterday, position.long_today = Decimal(settled), Decimal(today)
    return bench


CASES: list[tuple[str, Callable[[], Bench], Callable[[Bench], object]]] = [
    ("UNKNOWN_SYMBOL", us, lambda b: b.buy(1, symbol=Symbol("NOPE.US"))),
    ("UNKNOWN_ACCOUNT", us, lambda b: b.buy(1, account=AccountID("other"))),
    ("BAD_CL_ORD_ID", us, lambda b: b.buy(1, cl_ord_id="Not_Legal")),
    ("BAD_CL_ORD_ID", us, lambda b: b.buy(1, cl_ord_id="a" * 37)),
    ("UNSUPPORTED_ORD_TYPE", us, lambda b: b.buy(1, "10.00", ord_type=OrdType.STOP_LIMIT)),
    ("PRICE_REQUIRED", us, lambda b: b.buy(1, ord_type=OrdType.LIMIT)),
    ("PRICE_OFF_TICK", us, lambda b: b.buy(1, "10.005")),
    ("PRICE_OFF_TICK", us, lambda b: b.buy(1, "-1.00")),
    ("INSUFFICIENT_CASH", us, lambda b: b.buy(1000)),
    ("INSUFFICIENT_POSITION", us, lambda b: b.sell(1)),
    ("ILLEGAL_QTY", us, lambda b: b.buy("0.5")),
    ("ILLEGAL_QTY", us, lambda b: b.buy(0)),
    ("NO_QUOTE", lambda: Bench(stock()), lambda b: b.buy(1)),
    ("ILLEGAL_QTY", cn, lambda b: b.buy(150, "10.00", symbol=MAOTAI)),
    ("QTY_ABOVE_MAXIMUM", cn, lambda b: b.buy(1_000_100, "10.00", symbol=MAOTAI)),
    ("PRICE_OUTSIDE_LIMITS", cn, lambda b: b.buy(100, "11.01", symbol=MAOTAI)),
    ("PRICE_OUTSIDE_LIMITS", cn, lambda b: b.buy(100, "8.99", symbol=MAOTAI)),
    ("MARKET_CLOSED", cn, lambda b: b.buy(100, "10.00", symbol=MAOTAI, seconds=5000)),
    ("MARKET_CLOSED", cn, lambda b: b.buy(100, "10.00", symbol=MAOTAI, seconds=10_800)),
    ("NOT_SELLABLE_T1", lambda: cn(today=100), lambda b: b.sell(100, symbol=MAOTAI)),
    ("NOT_SELLABLE_T1", lambda: cn(settled=100, today=100), lambda b: b.sell(200, symbol=MAOTAI)),
    ("INSUFFICIENT_POSITION", lambda: cn(settled=100), lambda b: b.sell(200, symbol=MAOTAI)),
    ("ILLEGAL_QTY", lambda: cn(settled=150), lambda b: b.sell(30, symbol=MAOTAI)),
    ("INSUFFICIENT_POSITION", lambda: cn(settled=100), lambda b: b.sell(100, symbol=MAOTAI, effect=PositionEffect.OPEN)),
]


@pytest.mark.parametrize(("code", "bench", "act"), CASES)
def test_an_order_is_rejected_with_its_code_and_changes_nothing(
    code: str, bench: Callable[[], Bench], act: Callable[[Bench], object]
) -> None:
    made = bench()
    currency = next(iter(made.books.cash))
    before = made.available(currency)
    act(made)
    assert made.code() == code
    assert made.available(currency) == before
    assert not made.books.working()


def test_a_suspended_stock_is_rejected() -> None:
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.01", suspended=True))
    bench.buy(1)
    assert bench.code() == "SUSPENDED"


def test_an_odd_remainder_is_sold_whole() -> None:
    bench = cn(settled=150)
    order = bench.sell(150, symbol=MAOTAI)
    assert order.is_working


def test_what_another_order_is_selling_cannot_be_sold_again() -> None:
    bench = cn(settled=200)
    bench.sell(100, "10.50", symbol=MAOTAI)
    bench.sell(200, "10.50", symbol=MAOTAI)
    assert bench.code() == "INSUFFICIENT_POSITION"


def test_cash_held_by_a_working_order_cannot_be_spent_again_and_comes_back_with_its_cancel() -> None:
    bench = us(cash=1000)
    first = bench.buy(60, "9.00")
    bench.buy(60, "9.00")
    assert bench.code() == "INSUFFICIENT_CASH"
    assert bench.available() == Decimal("460.00")
    assert first.cl_ord_id is not None
    bench.matching.cancel(first.cl_ord_id, None, first.placed_at)
    assert bench.available() == Decimal(1000)


def test_the_same_id_and_content_repeats_the_ack_and_changes_nothing() -> None:
    """S0-46: placing twice is one order."""
    bench = us()
    first = bench.buy(10, "9.00", cl_ord_id="twice")
    bench.heard()
    again = bench.buy(10, "9.00", cl_ord_id="twice")
    assert again is first
    (report,) = bench.heard()
    assert isinstance(report, OrderAck)
    assert report.order_id == first.order_id
    assert len(bench.books.orders) == 1


def test_a_repeat_of_a_filled_order_is_told_its_fills_again_and_fills_nothing_more() -> None:
    """Whoever asks twice missed the first answer; an ack alone would leave the order open for ever there."""
    bench = us()
    bench.buy(10, "10.01", cl_ord_id="twice")
    (filled,) = [r for r in bench.heard() if isinstance(r, Execution)]
    cash = bench.cash()
    bench.buy(10, "10.01", cl_ord_id="twice")
    assert [type(r) for r in bench.heard()] == [OrderAck, Execution]
    bench.buy(10, "10.01", cl_ord_id="twice")
    assert bench.heard()[1] == filled
    assert bench.cash() == cash


def test_a_repeat_of_a_canceled_order_is_told_what_filled_and_that_the_rest_is_canceled() -> None:
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.01", ask_size=4))
    first = bench.buy(10, "10.01", cl_ord_id="twice")
    bench.matching.cancel(ClOrdID("twice"), None, first.placed_at)
    bench.heard()
    bench.buy(10, "10.01", cl_ord_id="twice")
    ack, fill, end = bench.heard()
    assert isinstance(ack, OrderAck)
    assert isinstance(fill, Execution)
    assert isinstance(end, CancelAck)
    assert (fill.last_qty, end.cum_qty) == (Decimal(4), Decimal(4))


def test_a_repeat_of_an_expired_order_is_told_that_it_expired_a_day_later() -> None:
    bench = cn()
    bench.buy(100, "9.50", symbol=MAOTAI, cl_ord_id="twice")
    bench.matching.open_day("cn", NEXT_DAY, ((at(250_000), at(260_000)),), at(250_000))
    bench.heard()
    bench.buy(100, "9.50", symbol=MAOTAI, cl_ord_id="twice", seconds=250_001)
    ack, end = bench.heard()
    assert isinstance(ack, OrderAck)
    assert isinstance(end, OrderExpire)
    assert end.text == "trading day 2026-07-17 ended"


def test_a_repeat_of_a_working_order_is_told_what_it_has_filled() -> None:
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.01", ask_size=4))
    bench.buy(10, "10.01", cl_ord_id="twice")
    bench.heard()
    bench.buy(10, "10.01", cl_ord_id="twice")
    assert [type(r) for r in bench.heard()] == [OrderAck, Execution]


def test_the_same_id_with_other_content_is_rejected_and_the_first_order_stands() -> None:
    bench = us()
    first = bench.buy(10, "9.00", cl_ord_id="twice")
    bench.heard()
    bench.buy(11, "9.00", cl_ord_id="twice")
    assert bench.code() == "DUPLICATE_CL_ORD_ID"
    assert first.ord_status is OrdStatus.NEW


def test_a_repeated_reject_says_the_same_again() -> None:
    bench = us()
    bench.buy(1000, cl_ord_id="dear")
    bench.buy(1000, cl_ord_id="dear")
    first, second = (r for r in bench.heard() if isinstance(r, OrderReject))
    assert (first.code, first.text) == (second.code, second.text)


def test_a_cancel_of_an_unknown_order_is_refused_and_invents_nothing() -> None:
    bench = us()
    bench.matching.cancel(ClOrdID("nobody"), None, at(1))
    (report,) = bench.heard()
    assert getattr(report, "code", "") == "UNKNOWN_ORDER"
    assert not bench.books.orders


def test_a_price_limit_without_a_previous_close_cannot_be_checked_and_is_not() -> None:
    bench = Bench(ashare())
    bench.quote(bar(0, "10.00", 0, symbol=MAOTAI))
    assert bench.place(Side.BUY, 100, "20.00", symbol=MAOTAI).is_working


def test_a_short_sale_needs_a_shortable_stock_and_collateral() -> None:
    bench = Bench(msgspec.structs.replace(stock(shortable=True), margin_rate=Decimal("0.5")), cash=1000)
    bench.quote(quote(0, "10.00", "10.01"))
    bench.sell(201, symbol=ACME)
    assert bench.code() == "INSUFFICIENT_CASH"
    bench.sell(100, symbol=ACME)
    assert bench.books.position(ACME).short_qty == 100
    assert (bench.cash(), bench.available()) == (Decimal(2000), Decimal(500))


def test_every_code_has_a_meaning_and_stands_in_the_readme() -> None:
    text = Path(paper.__file__).with_name("README.md").read_text(encoding="utf-8")
    for code in Code:
        assert f"| `{code.value}` | {MEANING[code]} |" in text
    for fault in paper.Fault:
        assert f"| `{fault.value}` |" in text
