"""A fill that was dearer than its share leaves the rest of its order covered: cash is never given out twice."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.core.watched import WatchedDesk

from tradeloop.core.commands import ReplaceOrder
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.order import Order
from tradeloop.core.reports import OrderRestate, ReplaceAck, ReplaceReject
from tradeloop.core.short_promise import what_it_may_cost
from tradeloop.core.types import Amount, OrdType, Px, Qty, Side
from tradeloop.testing.builders import ACCOUNT, BROKER, a_quote, an_execution, an_instrument, buy, fees, sell
from tradeloop.testing.desk import Desk

STOCK = "600519.SH"
LIMIT = OrdType.LIMIT


def a_desk(instrument: Instrument | None = None, cash: int = 150_000) -> Desk:
    return WatchedDesk().opened(instrument or an_instrument(STOCK), cash=cash)


def working(desk: Desk, command: Any, number: str = "b1") -> Order:
    order = desk.order(command)
    desk.ack(order, number)
    return order


def fill(desk: Desk, order: Order, qty: int, px: str, exec_id: str = "e1", **changes: Any) -> None:
    desk.give(an_execution(order.cl_ord_id, order.symbol, order.side, qty, px, exec_id, **changes))


def promised(desk: Desk, order: Order) -> Decimal:
    return desk.known(order.cl_ord_id).reserved


def crossed(cum: int | None) -> tuple[Desk, Order]:
    """10,000 at 10 became 20,000 at 5, and the first 10,000 had filled by then: the answer counts them, or nothing."""
    desk = a_desk()
    order = working(desk, buy(STOCK, 10_000, ord_type=LIMIT, price="10"))
    desk.give(ReplaceOrder(order.cl_ord_id, "ann", Qty(Decimal(20_000)), Px(Decimal(5))))
    told = None if cum is None else Qty(Decimal(cum))
    desk.give(ReplaceAck(BROKER, order.cl_ord_id, Qty(Decimal(20_000)), Px(Decimal(5)), None, 1, None, told))
    return desk, order


def test_fills_that_the_answer_to_a_replace_counts_keep_their_old_price_until_they_are_heard_of() -> None:
    desk, order = crossed(10_000)
    assert promised(desk, order) == 150_000
    fill(desk, order, 10_000, "10")
    assert promised(desk, order) == 50_000


def test_a_fill_that_crossed_a_replace_leaves_the_rest_covered() -> None:
    """Invariant 25: what may still trade is paid for, whatever the answer said."""
    desk, order = crossed(None)
    fill(desk, order, 10_000, "10")
    assert promised(desk, order) == 50_000
    assert desk.state.accounts[ACCOUNT].cash["CNY"].free == 0  # type: ignore[index]


def test_terms_that_the_broker_made_alone_keep_unheard_fills_covered_too() -> None:
    desk = a_desk()
    order = working(desk, buy(STOCK, 10_000, ord_type=LIMIT, price="10"))
    desk.give(OrderRestate(BROKER, order.cl_ord_id, Qty(Decimal(12_000)), Px(Decimal(5)), cum_qty=Qty(Decimal(10_000))))
    assert promised(desk, order) == 110_000


def test_a_short_sale_that_gets_more_than_its_limit_leaves_the_rest_covered() -> None:
    desk = a_desk(an_instrument(STOCK, shortable=True, margin_rate="0.5"), 20_000)
    order = working(desk, sell(STOCK, 2000, ord_type=LIMIT, price="10"))
    fill(desk, order, 1000, "19")
    assert promised(desk, order) == 5000


def test_a_market_order_that_slips_past_its_bound_leaves_the_rest_covered() -> None:
    desk = a_desk()
    order = working(desk, buy(STOCK, 2000))
    desk.give(a_quote(STOCK, bid="11.99", ask="12"))
    fill(desk, order, 1000, "12")
    assert promised(desk, order) == Decimal(12120)


def test_a_commission_above_our_schedule_leaves_the_rest_covered() -> None:
    desk = a_desk(an_instrument(STOCK, fees=fees("0.001")))
    order = working(desk, buy(STOCK, 2000, ord_type=LIMIT, price="10"))
    fill(desk, order, 1000, "10", commission=Amount(Decimal(500)))
    assert promised(desk, order) == Decimal(10010)


def test_a_fill_within_its_share_raises_nothing() -> None:
    desk = a_desk(an_instrument(STOCK, fees=fees("0.001")))
    order = working(desk, buy(STOCK, 2000, ord_type=LIMIT, price="10"))
    fill(desk, order, 1000, "9.90", commission=Amount(Decimal("9.90")))
    assert promised(desk, order) == Decimal("10110.10")


@pytest.mark.parametrize("side", list(Side))
def test_a_future_whose_margin_nobody_knows_holds_all_that_it_is_worth(side: Side) -> None:
    """What its order reserved, its position holds: an unknown rate is no rate of zero."""
    future = an_instrument(
        "IF2512.CFFEX", asset_class=AssetClass.FUTURE, lot=1, min_qty=1, shortable=True, odd_lot_sell=False, margin_rate=None
    )
    desk = a_desk(future, 1500)
    make = buy if side is Side.BUY else sell
    order = working(desk, make("IF2512.CFFEX", 100, ord_type=LIMIT, price="10"))
    assert promised(desk, order) == 1000
    fill(desk, order, 100, "10")
    assert desk.state.accounts[ACCOUNT].cash["CNY"].free == 500  # type: ignore[index]


def test_a_broker_that_charges_its_least_commission_for_every_fill_leaves_the_rest_covered() -> None:
    """Invariant 25: our schedule has it once for an order, and the rest needs its limit however often it was charged."""
    desk = a_desk(an_instrument(STOCK, lot=1, min_qty=1, fees=fees("0.0001", 5)))
    order = working(desk, buy(STOCK, 1000, ord_type=LIMIT, price="10"))
    for number in range(19):
        fill(desk, order, 50, "10", f"e{number}", commission=Decimal(5))
        assert promised(desk, order) >= desk.known(order.cl_ord_id).leaves_qty * 10


def test_a_fill_that_is_dearer_than_terms_asked_for_leaves_what_these_need() -> None:
    """Invariant 25: the change may take effect yet, and then the rest is bought at its price."""
    desk = a_desk(an_instrument(STOCK, lot=1, min_qty=1))
    order = working(desk, buy(STOCK, 800, ord_type=LIMIT, price="10"))
    desk.give(ReplaceOrder(order.cl_ord_id, "ann", Qty(Decimal(1400)), Px(Decimal("9.90"))))
    for number in range(8):
        fill(desk, order, 100, "9.96", f"e{number}")
        known = desk.known(order.cl_ord_id)
        assert promised(desk, order) >= (1400 - known.cum_qty) * Decimal("9.90")
        assert promised(desk, order) == max(known.own_reserve, *(asked.reserve for asked in known.replaces or ()))


def test_what_a_dear_fill_is_made_up_with_belongs_to_the_terms_that_were_short() -> None:
    """Made larger unasked and asked back to one unit, its first fill is dearer than either; then the change is refused."""
    desk = a_desk(an_instrument(STOCK, lot=1, min_qty=1))
    order = working(desk, buy(STOCK, 1, ord_type=LIMIT, price="9.80"))
    desk.give(OrderRestate(BROKER, order.cl_ord_id, Qty(Decimal(2)), Px(Decimal("9.80"))))
    desk.give(ReplaceOrder(order.cl_ord_id, "ann", Qty(Decimal(1))))
    fill(desk, order, 1, "10.00")
    known = desk.known(order.cl_ord_id)
    assert promised(desk, order) == known.own_reserve == Decimal("9.80")
    desk.give(ReplaceReject(BROKER, order.cl_ord_id, "E1", "too late", 1))
    assert promised(desk, order) == Decimal("9.80")


def test_what_a_change_may_cost_after_terms_that_the_broker_made_dearer_is_promised_at_once() -> None:
    """Asked for 2,000 at 9 while 1,000 stand at 9: made 10 unasked, the first 1,000 may fill at 10 before the change does."""
    desk = a_desk(an_instrument(STOCK, lot=1, min_qty=1))
    order = working(desk, buy(STOCK, 1000, ord_type=LIMIT, price="9.00"))
    desk.give(ReplaceOrder(order.cl_ord_id, "ann", Qty(Decimal(2000))))
    desk.give(OrderRestate(BROKER, order.cl_ord_id, Qty(Decimal(1000)), Px(Decimal("10.00"))))
    assert promised(desk, order) == 19_000


def test_a_restatement_after_a_dear_fill_leaves_no_change_short() -> None:
    """While its own terms were in force they covered what the change may cost; other terms of the broker's end that."""
    desk = a_desk(an_instrument(STOCK, lot=1, min_qty=1))
    order = working(desk, buy(STOCK, 1000, ord_type=LIMIT, price="10.00"))
    desk.give(ReplaceOrder(order.cl_ord_id, "ann", Qty(Decimal(1000)), Px(Decimal("9.50"))))
    fill(desk, order, 500, "12.00")
    desk.give(OrderRestate(BROKER, order.cl_ord_id, Qty(Decimal(1000)), Px(Decimal("9.00"))))
    known = desk.known(order.cl_ord_id)
    assert promised(desk, order) == max(what_it_may_cost(desk.state, desk.around, known))
