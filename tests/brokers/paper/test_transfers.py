"""Money and shares that come or go without an order and without a report, as a dividend, a fee or a transfer does (F92)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.brokers.paper.made import ACME, Bench, connected, quote, stock

from tradeloop.brokers.paper import interventions
from tradeloop.core.errors import BadInput


def holding(size: int) -> Bench:
    bench = Bench(stock(), cash=100_000)
    bench.quote(quote(0, "9.99", "10.00"))
    bench.buy(size)
    position = bench.books.position(ACME)
    position.long_yesterday, position.long_today = position.long_today, Decimal(0)
    bench.heard()
    return bench


@pytest.mark.parametrize(("delta", "balance"), [("12.50", "100012.50"), ("-100000", "0")])
def test_money_comes_and_goes_and_no_report_says_so(delta: str, balance: str) -> None:
    bench = Bench(stock(), cash=100_000)
    interventions.transfer(bench.matching, "USD", Decimal(delta))
    assert bench.books.cash_of(stock().currency).balance == Decimal(balance)
    assert bench.heard() == []


@pytest.mark.parametrize(("delta", "qty", "cost"), [(50, 150, 1000), (-40, 60, 600), (-100, 0, 0)])
def test_shares_come_without_a_cost_and_go_with_theirs(delta: int, qty: int, cost: int) -> None:
    bench = holding(100)
    interventions.transfer(bench.matching, ACME, Decimal(delta))
    position = bench.books.position(ACME)
    assert (position.long_qty, position.long_cost) == (Decimal(qty), Decimal(cost))
    assert bench.heard() == []


def test_what_an_order_may_still_take_does_not_go() -> None:
    bench = holding(100)
    bench.sell(60, "12.00")
    with pytest.raises(BadInput, match="expected at most 40, which are settled and free"):
        interventions.transfer(bench.matching, ACME, Decimal(-41))
    bench.buy(100, "9.00")
    with pytest.raises(BadInput, match=r"expected at most 98100\.00, which is available"):
        interventions.transfer(bench.matching, "USD", Decimal(-99_000))


async def test_the_snapshot_shows_what_no_report_has_told() -> None:
    session = await connected()
    before = (await session.broker.snapshot()).cash or ()
    session.broker.transfer("USD", Decimal(7))
    after = (await session.broker.snapshot()).cash or ()
    assert after[0].balance - before[0].balance == 7
    assert [type(report).__name__ for report in session.reports[1:]] == []
