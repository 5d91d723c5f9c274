"""What only closes is on the way out: no rule that bounds risk, or a day, stands in it; what bounds requests may."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.core.risk.cases import BANK, MOUTAI, a_limit, buys, limited, refused, sells

from tradeloop.core.commands import ReplaceOrder
from tradeloop.core.limit import RiskLimit
from tradeloop.core.replies import OrderReply
from tradeloop.core.risk.registry import RULES
from tradeloop.core.risk.rule import ByList, RiskRule, Unit
from tradeloop.core.types import ZERO, Px, Side
from tradeloop.testing.builders import an_execution, an_instrument
from tradeloop.testing.desk import Desk

WAY_OUT = [rule for rule in RULES.values() if not rule.of_closing]


def the_least(rule: RiskRule) -> RiskLimit:
    """The tightest limit of a rule that there is: nothing of MOUTAI, or nothing within the hour."""
    value = {Unit.SECONDS: Decimal(3600), Unit.FRACTION: Decimal(1) if rule.at_least else ZERO}.get(rule.unit, ZERO)
    only = (MOUTAI,) if rule.by_list is ByList.ONLY else ()
    return RiskLimit(rule.code, value, rule.scopes[0], only=only, floor=None if rule.floor is None else ZERO)


def a_desk_that_was_busy(*limits: RiskLimit) -> Desk:
    """1000 MOUTAI are held, and BANK was traded and works still."""
    desk = Desk().opened(an_instrument(MOUTAI), an_instrument(BANK), positions={MOUTAI: 1000})
    filled = desk.order(buys(100, BANK))
    desk.ack(filled)
    desk.give(an_execution(filled.cl_ord_id, BANK, Side.BUY, 100, 10))
    desk.ack(desk.order(buys(100, BANK, price="5")))
    return limited(*limits, desk=desk)


@pytest.mark.parametrize("rule", WAY_OUT, ids=lambda rule: rule.code)
def test_what_only_closes_passes_the_tightest_limit_that_bounds_risk_or_a_day(rule: RiskRule) -> None:
    assert refused(a_desk_that_was_busy(the_least(rule)), sells(1000, price="9.99")) is None


def test_it_passes_all_of_them_at_once_and_is_counted_all_the_same() -> None:
    desk = a_desk_that_was_busy(*(the_least(rule) for rule in WAY_OUT), a_limit("max_daily_order_value", 3000))
    assert refused(desk, sells(500)) is None
    assert refused(desk, buys(100, BANK)) is not None


@pytest.mark.parametrize("code", ["max_open_orders", "max_orders_per_day", "max_trades_per_day", "max_daily_traded_value"])
def test_what_opens_keeps_the_same_limit(code: str) -> None:
    denied = refused(a_desk_that_was_busy(a_limit(code, 1)), buys(100))
    assert denied is not None
    assert denied.rule == code


def test_requests_bind_whatever_they_are_for() -> None:
    denied = refused(a_desk_that_was_busy(a_limit("max_requests_per_day", 2)), sells(100))
    assert denied is not None
    assert denied.rule == "max_requests_per_day"


def test_other_terms_are_no_other_order_of_the_day() -> None:
    desk = limited(a_limit("max_orders_per_day", 1))
    order = desk.order(buys(100))
    desk.ack(order)
    reply = desk.give(ReplaceOrder(order.cl_ord_id, "ann", price=Px(Decimal("10.1"))))
    assert isinstance(reply, OrderReply)
    assert reply.denied is None
