"""A sell of what no market is seen of is worth nobody knows what: its limit is the least that it gets, and bounds nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from tests.core.live_made import a_live_desk
from tests.core.risk.cases import a_limit

from tradeloop.core.commands import HaltTrading, ReplaceOrder, SetLimits, SubmitOrder
from tradeloop.core.events import OrderStaged, SendBegun
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.instrument import FUTURE, Instrument
from tradeloop.core.replies import OrderReply
from tradeloop.core.risk.denied import Denied
from tradeloop.core.risk.judging import judge
from tradeloop.core.risk.rule import Look
from tradeloop.core.staging import intent_of
from tradeloop.core.types import OrdType, PositionEffect, Px, Qty
from tradeloop.testing.builders import ACCOUNT, a_quote, an_instrument, buy, sell
from tradeloop.testing.desk import Desk

GOLD = "AU2612.SHFE"


def gold(**changes: Any) -> Instrument:
    given = {"lot": 1, "min_qty": 1, "multiplier": 1000, "margin_rate": "0.1", "shortable": True, "price_limit": "0.1"}
    return an_instrument(GOLD, asset_class=FUTURE, **{**given, **changes})


def unseen(**opened: Any) -> Desk:
    """A desk that has seen no quote of it."""
    return Desk().opened(gold(), quoted=False, cash=10_000_000, **opened)


def short(price: str = "1", qty: int = 5, **changes: Any) -> SubmitOrder:
    return sell(GOLD, qty, ord_type=OrdType.LIMIT, price=price, **changes)


def said(desk: Desk, command: Any) -> Denied | None:
    reply = desk.give(command)
    assert isinstance(reply, OrderReply)
    return reply.denied


def test_a_short_sale_of_a_future_that_no_quote_is_known_of_is_denied() -> None:
    desk = unseen()
    denied = said(desk, short())
    assert denied is not None
    assert (denied.rule, denied.was) == ("no_price", "none")
    assert "wait for a quote" in denied.text
    desk.give(a_quote(GOLD, bid="899", ask="900", at=desk.now))
    assert said(desk, short()) is None
    (order,) = desk.state.orders.open.values()
    assert order.reserved >= 5 * 900 * 100


def test_at_a_live_account_it_is_not_worth_its_limit() -> None:
    desk = a_live_desk(gold(), small=10_000, quoted=False, cash=10_000_000)
    assert said(desk, short()) is not None
    assert not desk.of(SendBegun)
    desk.give(a_quote(GOLD, bid="899", ask="900", at=desk.now))
    denied = said(desk, short())
    assert denied is not None
    assert (denied.rule, denied.this_order) == ("live_confirmation", "4500000")


@pytest.mark.parametrize("rule", ["max_order_value", "max_daily_order_value"])
def test_a_limit_of_value_does_not_know_what_it_is_worth(rule: str) -> None:
    """Asked beside the check of its cost: whichever is taken out, the other one is left."""
    desk = unseen()
    desk.give(SetLimits((a_limit(rule, 10_000),), "risk.yaml"))
    look = Look(desk.state, desk.around, *intent_of(desk.state, desk.around, short(), desk.now), desk.now)
    verdict = judge(look)
    assert verdict.denied is not None
    assert (verdict.denied.rule, verdict.denied.was) == (rule, "unknown")


@pytest.mark.parametrize("effect", [PositionEffect.CLOSE, PositionEffect.AUTO])
def test_what_only_closes_goes_all_the_same(effect: PositionEffect) -> None:
    desk = unseen(positions={GOLD: 5})
    desk.give(SetLimits((a_limit("max_order_value", 5_000), a_limit("max_daily_order_value", 1)), "risk.yaml"))
    assert said(desk, short(position_effect=effect)) is None
    assert len(desk.of(SendBegun)) == 1


def test_a_stop_that_waits_with_a_limit_is_worth_its_trigger_at_most() -> None:
    desk = unseen()
    order = replace(short("800"), ord_type=OrdType.STOP_LIMIT, stop_px=Px(Decimal(850)))
    assert said(desk, order) is None
    (staged,) = desk.of(OrderStaged)
    assert staged.reserve >= 5 * 850 * 100


def test_a_buy_is_worth_its_limit_without_a_quote() -> None:
    assert said(unseen(), buy(GOLD, 5, ord_type=OrdType.LIMIT, price="900")) is None


def test_less_of_a_working_one_goes_without_a_quote_and_more_does_not() -> None:
    desk = unseen()
    desk.give(a_quote(GOLD, bid="899", ask="900", at=desk.now))
    order = desk.order(short("900"))
    desk.ack(order)
    desk.around.quotes.clear()
    denied = said(desk, ReplaceOrder(order.cl_ord_id, "ann", order_qty=Qty(Decimal(6))))
    assert denied is not None
    assert denied.rule == "no_price"
    assert said(desk, ReplaceOrder(order.cl_ord_id, "ann", order_qty=Qty(Decimal(4)))) is None


def test_a_flatten_closes_without_asking_what_it_is_worth() -> None:
    desk = unseen(positions={GOLD: 5})
    desk.give(a_quote(GOLD, bid="899", ask="900", at=desk.now))
    desk.give(SetLimits((a_limit("max_order_value", 1),), "risk.yaml"))
    desk.give(HaltTrading(HaltTier.FLATTEN, "ann", "stop", HaltScope.ACCOUNT, ACCOUNT))
    assert [(event.symbol, event.halt) for event in desk.of(OrderStaged)] == [(GOLD, 1)]
