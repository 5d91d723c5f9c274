"""Other terms for an order under limits: what lessens it passes, what is dearer counts, and no price slips by unseen."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.core.risk.cases import MOUTAI, a_limit, buys, limited, refused

from tradeloop.core.commands import ReplaceOrder, SetLimits
from tradeloop.core.decide import RESEND
from tradeloop.core.effects import SendOrder
from tradeloop.core.inputs import TimerFired
from tradeloop.core.limit import RiskLimit, Severity
from tradeloop.core.order import Order
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import ReplaceAck, ReplaceReject
from tradeloop.core.types import OrdStatus, Px, Qty
from tradeloop.testing.builders import BROKER, a_quote
from tradeloop.testing.desk import Desk


def works(desk: Desk, qty: int, price: str = "10") -> Order:
    """An order that its broker has."""
    order = desk.order(buys(qty, price=price))
    desk.ack(order)
    return order


def denied(desk: Desk, order: Order, qty: int | None = None, price: str | None = None) -> str:
    """The rule that refuses these terms; empty where none does."""
    wanted = None if qty is None else Qty(Decimal(qty))
    reply = desk.give(ReplaceOrder(order.cl_ord_id, "ann", wanted, None if price is None else Px(Decimal(price))))
    assert isinstance(reply, OrderReply)
    return "" if reply.denied is None else reply.denied.rule


@pytest.mark.parametrize(
    "limit", [a_limit("max_order_qty", 500), a_limit("max_order_value", 5000), a_limit("max_price_deviation", 0)]
)
def test_what_lessens_an_order_passes_a_limit_that_was_lowered_below_it(limit: RiskLimit) -> None:
    """Refused, it would leave more at the market than it asks for."""
    desk = limited()
    order = works(desk, 1000, "10.5")
    desk.give(SetLimits((limit,), "risk.yaml"))
    assert not denied(desk, order, qty=800)
    assert not denied(desk, order, price="10.4")
    assert denied(desk, order, qty=1200) == limit.rule
    assert denied(desk, order, price="10.6") == limit.rule or limit.rule == "max_order_qty"


def test_what_lessens_an_order_is_a_request_all_the_same() -> None:
    desk = limited(a_limit("max_requests_per_day", 1))
    assert denied(desk, works(desk, 1000), qty=800) == "max_requests_per_day"


def test_a_dearer_price_is_ordered_that_day_as_well() -> None:
    """S2-22: an order of 100 that becomes ten times as dear is one of 1000 shares at the old price."""
    desk = limited(a_limit("max_daily_order_value", 1000))
    order = works(desk, 100, "9")
    assert denied(desk, order, price="10.01") == "max_daily_order_value"
    assert not denied(desk, order, price="9.5")
    assert refused(desk, buys(100, price="0.51")) is not None
    assert refused(desk, buys(100, price="0.50")) is None


@pytest.mark.parametrize("answered", [True, False])
def test_a_price_asked_for_again_counts_what_it_adds_to_the_dearest_that_may_be_in_force(answered: bool) -> None:
    desk = limited(a_limit("max_daily_order_value", 1000))
    order = works(desk, 100, "5")
    assert not denied(desk, order, price="6")
    if answered:
        desk.give(ReplaceAck(BROKER, order.cl_ord_id, order.order_qty, Px(Decimal(6))))
    assert not denied(desk, order, price="7")
    assert refused(desk, buys(100, price="3.01")) is not None
    assert refused(desk, buys(100, price="3")) is None


def test_what_was_asked_for_and_refused_was_ordered() -> None:
    desk = limited(a_limit("max_daily_order_value", 1000))
    order = works(desk, 100, "5")
    assert not denied(desk, order, price="9")
    desk.give(ReplaceReject(BROKER, order.cl_ord_id, "no", "no"))
    assert refused(desk, buys(100, price="1.01")) is not None


@pytest.mark.parametrize("rule", ["max_price_deviation", "max_deviation_from_prev_close"])
def test_a_worse_price_is_refused_where_nobody_knows_what_it_is_worse_than(rule: str) -> None:
    desk = limited(a_limit(rule, "0.05"))
    desk.give(a_quote(MOUTAI, "9.99", "10", at=desk.now, prev_close=Px(Decimal(10))))
    order = works(desk, 100)
    desk.wait(3600)
    desk.give(a_quote(MOUTAI, None, None, at=desk.now, prev_close=None))
    assert denied(desk, order, price="15") == rule
    assert not denied(desk, order, price="9")


def test_a_late_order_waits_for_the_market_that_its_price_is_judged_by() -> None:
    desk = limited(a_limit("max_requests_per_second", 1, severity=Severity.THROTTLE), a_limit("max_price_deviation", "0.05"))
    desk.order(buys(100))
    order = desk.order(buys(100))
    desk.wait(3600)
    desk.give(TimerFired(RESEND, order.cl_ord_id))
    assert (order.ord_status, len(desk.of(SendOrder))) == (OrdStatus.STAGED, 1)
    desk.give(a_quote(MOUTAI, "9.99", "10", at=desk.now))
    desk.give(TimerFired(RESEND, order.cl_ord_id))
    assert order.send_begun_at is not None
