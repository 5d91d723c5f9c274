"""What a sell is worth to limits on money: its limit is the least that it gets, and the market what it gets."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.core.risk.cases import MOUTAI, a_limit, buys, limited, quoted, refused, sells

from tradeloop.core.commands import ReplaceOrder, SubmitOrder
from tradeloop.core.instrument import Instrument
from tradeloop.core.limit import RiskLimit
from tradeloop.core.replies import OrderReply
from tradeloop.core.types import Currency, OrdType, Px
from tradeloop.testing.builders import an_instrument, sell
from tradeloop.testing.desk import Desk

SUMS = ("max_daily_order_value", "max_minute_traded_value")
DEAR = 1_000_000


def holding(*limits: RiskLimit) -> Desk:
    """A desk that holds plenty of a stock which is bid for at 9.99 and offered at 10.00."""
    return limited(*limits, desk=Desk().opened(an_instrument(MOUTAI), positions={MOUTAI: 100_000}))


def short_sellable() -> Instrument:
    """A stock that may be sold short."""
    return an_instrument(MOUTAI, lot=1, min_qty=1, shortable=True, margin_rate=Decimal("0.5"))


def shorting(*limits: RiskLimit) -> Desk:
    """A desk that holds nothing of it."""
    return limited(*limits, desk=Desk().opened(short_sellable()))


def stop_limit(qty: int, stop: str, price: str) -> SubmitOrder:
    """A sell that begins at its stop price and gets its limit at least."""
    return sell(MOUTAI, qty, ord_type=OrdType.STOP_LIMIT, price=price, stop_px=stop)


@pytest.mark.parametrize(
    ("order", "worth"),
    [
        (sells(100, price="0.01"), "999"),
        (sells(100, price="9.99"), "999"),
        (sells(100, price="10"), "1000"),
        (sells(100, price="12"), "1200"),
        (sell(MOUTAI, 100), "999"),
        (stop_limit(100, "9", "0.01"), "900"),
        (sell(MOUTAI, 100, ord_type=OrdType.STOP, stop_px="9"), "900"),
        (buys(100, price="0.01"), "1"),
    ],
    ids=["far below", "at the bid", "above", "far above", "market", "stop-limit", "stop", "a buy far below"],
)
def test_a_sell_is_worth_its_limit_or_what_it_trades_at_if_that_is_more(order: SubmitOrder, worth: str) -> None:
    assert refused(holding(a_limit("max_order_value", worth)), order) is None
    denied = refused(holding(a_limit("max_order_value", f"{Decimal(worth) - Decimal('0.01')}")), order)
    assert denied is not None
    assert (denied.rule, denied.this_order) == ("max_order_value", worth)


def test_where_nobody_bids_a_sell_is_worth_its_limit_or_the_last_price() -> None:
    desk = holding(a_limit("max_order_value", 500))
    quoted(None, None, last="8")(desk)
    denied = refused(desk, sells(100, price="0.01"))
    assert denied is not None
    assert denied.this_order == "800"


def test_a_sell_without_any_quote_is_worth_its_limit() -> None:
    desk = holding(a_limit("max_order_value", 100))
    desk.around.quotes.clear()
    assert refused(desk, sells(100, price="1")) is None
    denied = refused(desk, sells(100, price="1.01"))
    assert denied is not None
    assert denied.this_order == "101"


@pytest.mark.parametrize("rule", SUMS)
@pytest.mark.parametrize("price", ["0.01", "9", "9.99"])
def test_sells_with_a_low_limit_count_in_sums_for_what_they_trade_at(rule: str, price: str) -> None:
    desk = shorting(a_limit(rule, 2500))
    assert refused(desk, sells(100, price=price)) is None
    assert refused(desk, sells(100, price=price)) is None
    denied = refused(desk, sells(100, price=price))
    assert denied is not None
    assert (denied.rule, denied.was, denied.this_order) == (rule, "1999", "999")


@pytest.mark.parametrize("rule", ["max_order_value", *SUMS])
def test_a_short_sale_at_a_cent_is_no_order_of_a_few_cents(rule: str) -> None:
    denied = refused(shorting(a_limit(rule, 1000)), sells(1000, price="0.01"))
    assert denied is not None
    assert (denied.rule, denied.this_order) == (rule, "9990")


@pytest.mark.parametrize(("price", "adds"), [("1", 0), ("9.99", 0), ("12", 200)])
def test_a_lower_limit_adds_nothing_to_what_a_sell_is_worth(price: str, adds: int) -> None:
    desk = shorting(a_limit("max_daily_order_value", DEAR))
    order = desk.order(sells(100, price="10"))
    desk.ack(order)
    before = desk.state.activity.of(a_limit("max_daily_order_value", 1).scope, order.account, "CNY")
    assert before is not None
    assert before.ordered == 1000
    reply = desk.give(ReplaceOrder(order.cl_ord_id, "ann", price=Px(Decimal(price))))
    assert not isinstance(reply, OrderReply) or reply.denied is None
    assert before.ordered == 1000 + adds


def test_a_sell_that_is_raised_counts_for_what_it_may_be_worth_while_both_terms_may_trade() -> None:
    desk = shorting(a_limit("max_minute_traded_value", DEAR))
    order = desk.order(sells(100, price="1"))
    desk.ack(order)
    leg = (order.account, order.side, Currency("CNY"))
    assert desk.state.exposure.own.value(leg) == Decimal("999.5")
    desk.give(ReplaceOrder(order.cl_ord_id, "ann", price=Px(Decimal(12))))
    assert desk.state.exposure.own.value(leg) == 1200
