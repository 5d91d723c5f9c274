"""An order that was to close a holding which another closed first opens, and holds what that may cost. Figures are made up."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from tests.brokers.paper.made import COPPER, Bench, at, future, quote, stock

from tradeloop.brokers.paper import interventions
from tradeloop.core.reports import CancelAck, Execution, ExecutionBust
from tradeloop.core.types import OrdStatus, Px, Qty, Side

HALF = msgspec.structs.replace(stock(shortable=True), margin_rate=Decimal("0.5"))


def a_short(cash: int = 1000) -> Bench:
    """100 sold short at 10: 1,500 are held, the account's own half of it."""
    bench = Bench(HALF, cash=cash)
    bench.quote(quote(0, "10.00", "10.01"))
    bench.sell(100, "10.00")
    bench.heard()
    return bench


def test_a_cover_behind_which_another_has_closed_the_short_holds_what_it_opens() -> None:
    bench = a_short(2000)
    first, second = bench.buy(100, "9.00"), bench.buy(100, "9.50")
    assert [first.reserved, second.reserved] == [0, 950]
    bench.quote(quote(1, "9.40", "9.45", ask_size=100))
    assert second.ord_status is OrdStatus.FILLED
    assert [first.close_leaves, first.reserved] == [0, 900]
    assert bench.available() == 2000 + 1000 - 950 - 900
    assert not any(isinstance(report, CancelAck) for report in bench.heard())


def test_of_several_the_older_ones_close_first() -> None:
    bench = a_short(5000)
    orders = [bench.buy(80, "8.00"), bench.buy(60, "9.00"), bench.buy(50, "9.50")]
    assert [order.reserved for order in orders] == [0, 360, 475]
    bench.quote(quote(1, "9.40", "9.45", ask_size=50))
    assert [order.reserved for order in orders] == [240, 540, 0]  # 50 are left to cover, 140 are bought
    assert bench.books.cash_of(HALF.currency).reserved == 780


def test_a_holding_that_a_person_sells_leaves_the_exit_to_open_a_short() -> None:
    bench = Bench(future(), cash=100_000)
    bench.quote(quote(0, "70000", "70010", symbol=COPPER))
    bench.buy(1, symbol=COPPER)
    exit_ = bench.sell(1, "71000", symbol=COPPER)
    assert exit_.close_leaves == 1
    interventions.act_by_hand(bench.matching, COPPER, Side.SELL, Qty(Decimal(1)), at(1), filled_at=Px(Decimal(70000)))
    assert exit_.close_leaves == 0
    assert exit_.reserved == 71000 * 5 * Decimal("0.1") + 3


def test_an_order_that_can_no_longer_be_paid_for_is_cancelled_and_says_why() -> None:
    """The cash never goes below zero by it."""
    bench = a_short()
    cover, other = bench.buy(100, "9.00"), bench.buy(50, "9.50")
    bench.heard()
    interventions.fill(bench.matching, other.order_id, Qty(Decimal(50)), Px(Decimal(20)), at(1))
    told = bench.heard()
    assert cover.ord_status is OrdStatus.CANCELED
    assert [type(report) for report in told] == [Execution, CancelAck]
    assert "INSUFFICIENT_CASH: what it was to close is closed" in cover.text
    assert [cover.close_leaves, cover.reserved, bench.cash(), bench.available()] == [0, 0, 1000, 250]


def test_a_sale_that_is_taken_back_leaves_its_cover_to_open() -> None:
    bench = Bench(HALF, cash=2000)
    bench.quote(quote(0, "10.00", "10.01"))
    sale = bench.sell(100, "10.00")
    cover = bench.buy(100, "9.00")
    (fill,) = (report for report in bench.heard() if isinstance(report, Execution))
    interventions.bust(bench.matching, fill.exec_id, at(1))
    assert [type(report) for report in bench.heard()] == [ExecutionBust]
    assert sale.ord_status is OrdStatus.NEW
    assert [cover.close_leaves, cover.reserved] == [0, 900]


def test_what_only_closes_is_left_alone() -> None:
    """A sell of what cannot be sold short opens nothing by its terms, whatever is held by then."""
    bench = Bench(stock(), cash=2000)
    bench.quote(quote(0, "10.00", "10.01"))
    bench.buy(100)
    exit_ = bench.sell(100, "11.00")
    (fill,) = (report for report in bench.heard() if isinstance(report, Execution))
    interventions.bust(bench.matching, fill.exec_id, at(1))
    assert exit_.ord_status is OrdStatus.NEW
    assert exit_.reserved == 0


def test_orders_whose_money_a_bust_takes_are_cancelled_from_the_youngest_on() -> None:
    bench = Bench(stock(), cash=1000)
    bench.quote(quote(0, "10.00", "10.01"))
    bench.buy(90)
    bench.sell(90)
    sold = [report for report in bench.heard() if isinstance(report, Execution)][-1]
    old, young = bench.buy(40, "9.00"), bench.buy(60, "9.00")
    interventions.bust(bench.matching, sold.exec_id, at(1))
    assert [old.ord_status, young.ord_status] == [OrdStatus.CANCELED, OrdStatus.CANCELED]
    assert "what was to pay for it is gone" in young.text
    assert bench.available() == bench.cash() == Decimal("99.10")
