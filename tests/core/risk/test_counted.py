"""What is counted, and over what: orders at the market, orders without a limit, all accounts together, changes in flight."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.core.risk.cases import BANK, MOUTAI, a_limit, buys, limited, refused, sells

from tradeloop.core.commands import ReplaceOrder
from tradeloop.core.effects import SendReplace
from tradeloop.core.limit import LimitScope, RiskLimit
from tradeloop.core.replies import OrderReply
from tradeloop.core.state import Account
from tradeloop.core.types import AccountID, Amount, Currency, OrdType, Px, Qty
from tradeloop.testing.builders import BROKER, a_quote, an_instrument, buy, sell
from tradeloop.testing.desk import Desk

OTHER = AccountID("other")


def test_an_order_at_the_market_is_ordered_that_day_at_the_price_it_arrived_at() -> None:
    desk = limited(a_limit("max_daily_order_value", 2000))
    desk.give(a_quote(MOUTAI, "10", "10", at=desk.now))
    assert refused(desk, buy(MOUTAI, 100)) is None
    denied = refused(desk, buys(100, BANK, price="10.1"))
    assert denied is not None
    assert (denied.was, denied.this_order) == ("1000", "1010")


def test_a_stop_is_ordered_that_day_at_the_price_at_which_it_fires() -> None:
    """By which it is judged as well: two of them are as much as their sum."""
    desk = limited(a_limit("max_daily_order_value", 4000))
    for _ in range(2):
        assert refused(desk, buy(MOUTAI, 100, ord_type=OrdType.STOP, stop_px="20")) is None
    denied = refused(desk, buys(100, BANK))
    assert denied is not None
    assert denied.was == "4000"


@pytest.mark.parametrize("first", [{}, {"ord_type": OrdType.STOP, "stop_px": "1"}], ids=["at the market", "a stop"])
def test_an_own_order_without_a_limit_meets_any_price(first: dict[str, object]) -> None:
    desk = limited(
        a_limit("no_self_trade", 0),
        desk=Desk().opened(an_instrument(MOUTAI), an_instrument(BANK), positions={MOUTAI: 1000}),
    )
    assert refused(desk, sell(MOUTAI, 100, **first)) is None
    denied = refused(desk, buys(100, price="9.5"))
    assert denied is not None
    assert denied.rule == "no_self_trade"
    assert refused(desk, sells(100, price="9.5")) is None


@pytest.mark.parametrize("rule", ["max_requests_per_second", "max_requests_per_minute", "max_requests_per_day"])
@pytest.mark.parametrize(("scope", "together"), [(LimitScope.GLOBAL, True), (LimitScope.ACCOUNT, False)])
def test_a_global_limit_of_frequency_counts_all_accounts_together(rule: str, scope: LimitScope, together: bool) -> None:
    desk = limited(RiskLimit(rule, Decimal(1), scope))
    desk.state.accounts[OTHER] = Account(BROKER, adopted=True)
    desk.state.links[BROKER].compared[OTHER] = None
    desk.state.cash(OTHER, Currency("CNY")).balance = Amount(Decimal(100_000))
    assert refused(desk, buys(100, account=OTHER)) is None
    assert (refused(desk, buys(100)) is not None) is together


def test_a_change_in_flight_is_counted_once_and_not_again_by_the_next() -> None:
    desk = limited(a_limit("max_position_qty", 300))
    order = desk.order(buys(100))
    desk.ack(order)
    for qty, passes in ((300, True), (200, True), (400, False)):
        reply = desk.give(ReplaceOrder(order.cl_ord_id, "ann", Qty(Decimal(qty))))
        assert isinstance(reply, OrderReply)
        assert (reply.denied is None) is passes


def test_a_change_to_less_than_one_that_waits_for_its_answer_adds_nothing() -> None:
    """What may trade already counts with the change that was asked for."""
    desk = limited(a_limit("max_position_qty", 300))
    order = desk.order(buys(100))
    desk.ack(order)
    desk.give(ReplaceOrder(order.cl_ord_id, "ann", order_qty=Qty(Decimal(300))))
    desk.give(ReplaceOrder(order.cl_ord_id, "ann", order_qty=Qty(Decimal(200)), price=Px(Decimal("10.01"))))
    assert len(desk.of(SendReplace)) == 2
