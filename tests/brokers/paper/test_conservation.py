"""Whatever happens, money and shares are neither made nor lost (property tests)."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.brokers.paper.made import ACME, COPPER, Bench, at, bar, future, quote, stock

from tradeloop.brokers.paper import interventions
from tradeloop.core.reports import Execution
from tradeloop.core.types import ClOrdID, OrdStatus, PositionEffect, Px, Side, TimeInForce

CENT = Decimal("0.01")

steps = st.one_of(
    st.tuples(st.just("quote"), st.integers(950, 1050), st.integers(1, 5), st.integers(0, 400)),
    st.tuples(st.just("bar"), st.integers(950, 1050), st.just(0), st.integers(0, 4000)),
    st.tuples(st.just("buy"), st.integers(900, 1100), st.integers(0, 3), st.integers(1, 300)),
    st.tuples(st.just("sell"), st.integers(900, 1100), st.integers(0, 3), st.integers(1, 300)),
    st.tuples(st.just("market buy"), st.just(0), st.integers(0, 3), st.integers(1, 300)),
    st.tuples(st.just("market sell"), st.just(0), st.integers(0, 3), st.integers(1, 300)),
    st.tuples(st.just("cancel"), st.just(0), st.just(0), st.integers(0, 30)),
    st.tuples(st.just("day"), st.just(0), st.just(0), st.just(0)),
    st.tuples(st.just("bust"), st.just(0), st.just(0), st.integers(0, 30)),
    st.tuples(st.just("correct"), st.integers(950, 1050), st.just(0), st.integers(0, 30)),
)
Step = tuple[str, int, int, int]
TIFS = tuple(TimeInForce)


def play(bench: Bench, script: list[Step], *, revisions: bool) -> None:
    """Act out the script, a second a step, and check the books after each."""
    now = 0
    for n, (what, price, kind, size) in enumerate(script):
        now += 1
        text = str(price * CENT)
        if what == "quote":
            bench.quote(quote(now, text, str((price + kind) * CENT), bid_size=size, ask_size=size))
        elif what == "bar":
            bench.quote(bar(now, text, size))
        elif what in {"buy", "sell"}:
            side = Side.BUY if what == "buy" else Side.SELL
            bench.place(side, size, text, seconds=now, tif=TIFS[kind], cl_ord_id=f"s{n}")
        elif what.startswith("market"):
            side = Side.BUY if what.endswith("buy") else Side.SELL
            bench.place(side, size, seconds=now, tif=TIFS[kind], cl_ord_id=f"s{n}")
        elif what == "cancel":
            bench.matching.cancel(ClOrdID(f"s{size}"), None, at(now))
        elif what == "day":
            now += 86_400
            bench.matching.advance(at(now))
        elif revisions and bench.books.executions:
            executions = list(bench.books.executions)
            exec_id = executions[size % len(executions)]
            if what == "bust":
                interventions.bust(bench.matching, exec_id, at(now))
            else:
                was = bench.books.executions[exec_id]
                interventions.correct(bench.matching, exec_id, was.last_qty, Px(price * CENT), at(now))
        check(bench)


def check(bench: Bench, opening: Decimal = Decimal(100_000)) -> None:
    books = bench.books
    signed = {Side.BUY: 1, Side.SELL: -1}
    fills = list(books.executions.values())
    paid = sum((signed[e.side] * e.last_px * e.last_qty + (e.commission or 0) for e in fills), Decimal(0))
    held = sum((signed[e.side] * e.last_qty for e in fills), Decimal(0))
    position = books.position(ACME)
    assert bench.cash() == opening - paid
    assert position.long_qty - position.short_qty == held
    for order in books.orders.values():
        own = sum((e.last_qty for e in fills if e.order_id == order.order_id), Decimal(0))
        assert order.cum_qty == own
        assert order.is_working or not order.reserved
        assert (order.ord_status is OrdStatus.FILLED) == (order.cum_qty >= order.order_qty and order.code == "")
    reserved = sum((o.reserved for o in books.orders.values()), Decimal(0))
    frozen = sum((o.close_leaves for o in books.orders.values() if o.side is Side.SELL), Decimal(0))
    market = bench.matching.market(ACME)
    assert market is not None
    assert books.cash_of(market.instrument.currency).reserved == reserved
    assert market.frozen_sell == frozen


@settings(max_examples=150, deadline=None)
@given(st.lists(steps, max_size=40))
def test_cash_and_shares_equal_the_sum_of_the_fills_and_never_go_below_zero(script: list[Step]) -> None:
    """S0-61: cash never negative, nothing sold that is not there."""
    bench = Bench(stock(fee_per_share="0.005", fee_minimum="1.00"), cash=100_000)
    play(bench, script, revisions=False)
    position = bench.books.position(ACME)
    assert bench.cash() >= 0
    assert position.long_qty >= 0
    assert position.short_qty == 0
    assert bench.available() >= 0


@settings(max_examples=150, deadline=None)
@given(st.lists(steps, max_size=40))
def test_busts_and_corrections_keep_books_and_fills_in_step(script: list[Step]) -> None:
    bench = Bench(stock(fee_per_share="0.005", fee_minimum="1.00", shortable=True), cash=100_000)
    play(bench, script, revisions=True)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(Side), st.sampled_from(PositionEffect), st.integers(1, 9), st.integers(7790, 7810)),
        max_size=30,
    )
)
def test_futures_profit_equals_cash_flow_once_flat(trades: list[tuple[Side, PositionEffect, int, int]]) -> None:
    bench = Bench(future(), cash=10_000_000)
    for n, (side, effect, size, price) in enumerate(trades):
        bench.quote(quote(n, str(price * 10), str(price * 10), symbol=COPPER))
        bench.place(side, size, symbol=COPPER, effect=effect, seconds=n)
    flows = -sum(
        ((1 if r.side is Side.BUY else -1) * r.last_px * r.last_qty * 5 + (r.commission or 0) for r in _fills(bench)),
        Decimal(0),
    )
    position = bench.books.position(COPPER)
    gained = bench.cash("CNY") - 10_000_000 - position.long_cost + position.short_cost
    assert gained == flows
    assert bench.books.cash_of(future().currency).held == position.held


@settings(max_examples=50, deadline=None)
@given(st.lists(steps, max_size=30))
def test_the_same_steps_give_the_same_reports(script: list[Step]) -> None:
    heard = []
    for _ in range(2):
        bench = Bench(stock(fee_per_share="0.005"), cash=100_000)
        play(bench, script, revisions=True)
        heard.append(bench.heard())
    assert heard[0] == heard[1]


def _fills(bench: Bench) -> list[Execution]:
    return [r for r in bench.heard() if isinstance(r, Execution)]
