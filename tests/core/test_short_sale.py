"""A short sale needs money of its own: its proceeds pay for nothing, and half as much again is held beside them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tradeloop.core.cash import CashBook
from tradeloop.core.commands import CancelOrder, ReplaceOrder
from tradeloop.core.inputs import Input
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.order import Order
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import CancelAck, ExecutionBust, SendOutcome
from tradeloop.core.risk.denied import Denied
from tradeloop.core.types import Currency, ExecID, OrdStatus, OrdType, PositionEffect, Px, Qty, Side
from tradeloop.testing.builders import (
    ACCOUNT,
    BROKER,
    DAY,
    a_quote,
    a_snapshot,
    an_execution,
    an_instrument,
    buy,
    fees,
    sell,
    their_order,
)
from tradeloop.testing.desk import Desk

APPLE = "AAPL.US"
LIMIT = OrdType.LIMIT


def apple(**changes: Any) -> Instrument:
    """A stock that may be sold short under Regulation T."""
    fields: dict[str, Any] = {"lot": 1, "min_qty": 1, "shortable": True, "margin_rate": "0.5"}
    return an_instrument(APPLE, **{**fields, **changes})


def a_desk(cash: int = 1000, *instruments: Instrument, positions: dict[str, int] | None = None) -> Desk:
    return Desk().opened(*(instruments or (apple(),)), cash=cash, positions=positions)


def purse(desk: Desk) -> CashBook:
    return desk.state.accounts[ACCOUNT].cash[Currency("CNY")]


def denied(desk: Desk, command: Input) -> Denied | None:
    reply = desk.give(command)
    assert isinstance(reply, OrderReply)
    return reply.denied


def fill(desk: Desk, order: Order, qty: int, px: str, exec_id: str = "e1") -> None:
    desk.give(an_execution(order.cl_ord_id, order.symbol, order.side, qty, px, exec_id))


def short(desk: Desk, qty: int, px: str = "10.00", exec_id: str = "short") -> Order:
    order = desk.order(sell(APPLE, qty, ord_type=LIMIT, price=px))
    fill(desk, order, qty, px, exec_id)
    return desk.known(order.cl_ord_id)


def test_more_is_not_sold_short_than_the_accounts_own_money_secures() -> None:
    desk = a_desk(1000)
    found = denied(desk, sell(APPLE, 201, ord_type=LIMIT, price="10.20"))
    assert found is not None
    assert found.rule == "cash"


def test_a_short_sale_that_works_reserves_half_of_its_value_and_its_fee() -> None:
    desk = a_desk(1000, apple(fees=fees("0.001")))
    order = desk.order(sell(APPLE, 100, ord_type=LIMIT, price="10.20"))
    assert (order.reserved, purse(desk).free) == (Decimal("511.02"), Decimal("488.98"))


def test_what_a_short_sale_brings_in_pays_for_nothing() -> None:
    desk = a_desk(1000)
    short(desk, 100)
    assert [purse(desk).balance, purse(desk).margin, purse(desk).free, purse(desk).reserved] == [2000, 1500, 500, 0]
    found = denied(desk, buy(APPLE, 200, ord_type=LIMIT, price="10.00", position_effect=PositionEffect.OPEN))
    assert found is not None
    assert found.rule == "cash"


def test_short_sales_are_counted_together_while_they_work_are_on_their_way_or_unknown() -> None:
    desk = a_desk(1000)
    working = desk.order(sell(APPLE, 100, ord_type=LIMIT, price="10.20"))
    assert denied(desk, sell(APPLE, 97, ord_type=LIMIT, price="10.20")) is not None
    desk.give(SendOutcome(BROKER, working.cl_ord_id, "unknown", "the line broke"))
    assert desk.known(working.cl_ord_id).ord_status is not OrdStatus.CANCELED
    assert purse(desk).free == 490


def test_a_cancelled_short_sale_gives_its_reserve_back() -> None:
    desk = a_desk(1000)
    order = desk.order(sell(APPLE, 100, ord_type=LIMIT, price="10.20"))
    desk.give(CancelOrder(order.cl_ord_id, "mia"))
    desk.give(CancelAck(BROKER, order.cl_ord_id, cum_qty=order.cum_qty))
    assert purse(desk).free == 1000


def test_covering_gives_back_what_was_held_and_leaves_the_profit() -> None:
    desk = a_desk(1000)
    short(desk, 100)
    cover = desk.order(buy(APPLE, 100, ord_type=LIMIT, price="9.00"))
    fill(desk, cover, 100, "9.00")
    assert [purse(desk).balance, purse(desk).margin, purse(desk).reserved, purse(desk).free] == [1100, 0, 0, 1100]


def test_half_a_cover_gives_back_half() -> None:
    desk = a_desk(1000)
    short(desk, 100)
    cover = desk.order(buy(APPLE, 100, ord_type=LIMIT, price="10.00"))
    fill(desk, cover, 50, "10.00")
    assert [purse(desk).margin, purse(desk).reserved, purse(desk).free] == [750, 0, 750]


def test_an_account_without_free_cash_can_cover() -> None:
    desk = a_desk(1000)
    short(desk, 200)
    assert purse(desk).free == 0
    assert denied(desk, buy(APPLE, 200)) is None


def test_a_buy_beyond_the_short_pays_for_the_rest_and_two_buys_do_not_cover_the_same() -> None:
    desk = a_desk(1000)
    short(desk, 100)
    desk.order(buy(APPLE, 80, ord_type=LIMIT, price="10.00"))
    assert purse(desk).reserved == 0
    second = desk.order(buy(APPLE, 60, ord_type=LIMIT, price="10.00"))
    assert second.reserved == 400
    fill(desk, second, 60, "10.00", "second")
    assert purse(desk).reserved == 400  # 40 are left to cover, and the first buys 80


def test_selling_what_is_held_needs_no_cash_and_only_what_exceeds_it_does() -> None:
    desk = a_desk(0, positions={APPLE: 100})
    desk.order(sell(APPLE, 60, ord_type=LIMIT, price="10.20"))
    assert purse(desk).reserved == 0
    found = denied(desk, sell(APPLE, 60, ord_type=LIMIT, price="10.20"))
    assert found is not None
    assert (found.rule, found.was, found.this_order) == ("cash", "0", "102.00")
    assert denied(desk, sell(APPLE, 40, ord_type=LIMIT, price="10.20")) is None


def test_a_market_sale_of_what_is_held_needs_no_price() -> None:
    desk = Desk().opened(apple(), cash=0, positions={APPLE: 100}, quoted=False)
    assert denied(desk, sell(APPLE, 100, ord_type=LIMIT, price="10.20")) is None


def test_a_sale_below_the_market_is_secured_at_what_the_market_pays() -> None:
    """A limit is the least that a sell takes: at a limit of one cent it still sells at ten."""
    desk = a_desk(1000)
    order = desk.order(sell(APPLE, 100, ord_type=LIMIT, price="0.01"))
    assert order.reserved == 500
    assert denied(desk, sell(APPLE, 10_000, ord_type=LIMIT, price="0.01")) is not None


def test_nothing_is_sold_short_where_no_price_of_the_market_is_known() -> None:
    desk = Desk().opened(apple(), cash=1_000_000, quoted=False)
    found = denied(desk, sell(APPLE, 100, ord_type=LIMIT, price="0.01"))
    assert found is not None
    assert found.rule == "no_price"


def test_without_a_known_rate_the_whole_value_is_held_beside_the_proceeds() -> None:
    desk = a_desk(1000, apple(margin_rate=None))
    assert denied(desk, sell(APPLE, 101, ord_type=LIMIT, price="10.10")) is not None
    short(desk, 90, "10.10")
    assert purse(desk).free == 1000 - 909


def test_a_short_sale_taken_back_holds_what_it_may_cost_again() -> None:
    desk = a_desk(1000)
    order = desk.order(sell(APPLE, 100, ord_type=LIMIT, price="10.20"))
    fill(desk, order, 60, "10.20")
    assert [desk.known(order.cl_ord_id).reserved, purse(desk).margin, purse(desk).free] == [204, 918, 490]
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.SELL))
    assert [desk.known(order.cl_ord_id).reserved, purse(desk).margin, purse(desk).free] == [510, 0, 490]


def test_a_larger_short_sale_asked_for_later_needs_the_money_too() -> None:
    desk = a_desk(1000)
    order = desk.order(sell(APPLE, 100, ord_type=LIMIT, price="10.20"))
    desk.ack(order)
    assert denied(desk, ReplaceOrder(order.cl_ord_id, "mia", order_qty=Qty(Decimal(250)))) is not None
    assert denied(desk, ReplaceOrder(order.cl_ord_id, "mia", order_qty=Qty(Decimal(150)))) is None
    assert purse(desk).reserved == 765


def test_a_strangers_short_sale_at_the_broker_is_reserved_for() -> None:
    desk = a_desk(1000, positions={APPLE: 40})
    line = their_order(None, APPLE, Side.SELL, 100, OrdStatus.NEW, price=Px(Decimal("10.00")))
    desk.give(a_snapshot(orders=(line,), cash=1000, positions={APPLE: 40}))
    assert purse(desk).reserved == 300


@pytest.mark.parametrize("asset_class", [AssetClass.STOCK, AssetClass.FUND, AssetClass.CRYPTO])
def test_what_cannot_be_sold_short_is_sold_as_far_as_it_is_held(asset_class: AssetClass) -> None:
    desk = a_desk(1_000_000, apple(shortable=False, margin_rate=None, asset_class=asset_class), positions={APPLE: 100})
    for effect in PositionEffect:
        found = denied(desk, sell(APPLE, 101, ord_type=LIMIT, price="10.00", position_effect=effect))
        assert found is not None
        assert found.rule == "sellable"
    assert denied(desk, sell(APPLE, 100, ord_type=LIMIT, price="10.00")) is None
    assert denied(desk, sell(APPLE, 1, ord_type=LIMIT, price="10.00")) is not None


def test_what_was_bought_today_is_not_sold_today_where_it_could_be_sold_short_either() -> None:
    desk = a_desk(100_000, apple(settles_t1=True), positions={APPLE: 50})
    order = desk.order(buy(APPLE, 100, ord_type=LIMIT, price="10.00"))
    fill(desk, order, 100, "10.00")
    found = denied(desk, sell(APPLE, 51, ord_type=LIMIT, price="10.00"))
    assert found is not None
    assert (found.rule, found.limit) == ("sellable", "50")
    first = desk.order(sell(APPLE, 30, ord_type=LIMIT, price="10.00"))
    assert denied(desk, sell(APPLE, 21, ord_type=LIMIT, price="10.00")) is not None
    desk.ack(first)
    assert denied(desk, ReplaceOrder(first.cl_ord_id, "mia", order_qty=Qty(Decimal(51)))) is not None
    assert denied(desk, ReplaceOrder(first.cl_ord_id, "mia", order_qty=Qty(Decimal(50)))) is None
    before = purse(desk).reserved
    assert denied(desk, sell(APPLE, 100, ord_type=LIMIT, price="10.00", position_effect=PositionEffect.OPEN)) is None
    assert purse(desk).reserved == before + 500


def test_without_shares_of_today_a_sell_under_t1_may_go_short_and_costs() -> None:
    desk = a_desk(100_000, apple(settles_t1=True), positions={APPLE: 50})
    desk.order(sell(APPLE, 150, ord_type=LIMIT, price="10.00"))
    assert purse(desk).reserved == 500


def test_a_sale_that_rests_above_the_market_is_secured_at_its_limit() -> None:
    desk = a_desk(1000)
    order = desk.order(sell(APPLE, 100, ord_type=LIMIT, price="12.00"))
    assert order.reserved == 600
    desk.give(a_quote(APPLE, bid="12.00", ask="12.01"))
    fill(desk, order, 100, "12.00")
    assert [purse(desk).free, purse(desk).reserved] == [400, 0]


def test_a_sale_that_says_it_only_closes_does_not_count_on_what_another_may_sell_first() -> None:
    desk = a_desk(0, positions={APPLE: 100})
    desk.order(sell(APPLE, 100, ord_type=LIMIT, price="10.20"))
    found = denied(desk, sell(APPLE, 100, ord_type=LIMIT, price="10.20", position_effect=PositionEffect.CLOSE))
    assert found is not None
    assert found.rule == "cash"
