"""Money of an account: what orders promise, what fills move, what contracts hold, each currency for itself."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from tradeloop.core.cash import CashBook
from tradeloop.core.commands import CancelOrder, ListInstruments
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import CancelAck, HeldCash, HeldPosition
from tradeloop.core.types import Amount, Currency, OrdType, PositionEffect, Qty, Side, Symbol
from tradeloop.testing.builders import ACCOUNT, BROKER, a_quote, a_snapshot, an_execution, an_instrument, buy, fees, sell
from tradeloop.testing.desk import Desk

BUY, SELL = Side.BUY, Side.SELL
MOUTAI = "600519.SH"
AU = "au2512.SHFE"
LIMIT = OrdType.LIMIT
CNY, USD = Currency("CNY"), Currency("USD")


def gold(margin_rate: str = "0.1") -> Instrument:
    return an_instrument(
        AU,
        asset_class=AssetClass.FUTURE,
        lot=1,
        min_qty=1,
        multiplier=1000,
        margin_rate=margin_rate,
        shortable=True,
        odd_lot_sell=False,
    )


def purse(desk: Desk, currency: Currency = CNY) -> CashBook:
    return desk.state.accounts[ACCOUNT].cash[currency]


def fill(desk: Desk, order_id: str, symbol: str, side: Side, qty: int, px: str, exec_id: str = "e1") -> None:
    desk.give(an_execution(order_id, symbol, side, qty, px, exec_id))


def test_a_limit_buy_reserves_its_price_and_its_fees() -> None:
    desk = Desk().opened(an_instrument(fees=fees("0.001", 5)))
    desk.order(buy(MOUTAI, 100, ord_type=LIMIT, price="9.50"))
    assert purse(desk).reserved == Decimal("955.00")


def test_a_market_buy_reserves_the_offer_and_a_buffer() -> None:
    desk = Desk().opened(an_instrument())
    desk.order(buy(MOUTAI, 100))
    assert purse(desk).reserved == Decimal("1010.00")


def test_a_market_buy_reserves_no_more_than_the_days_highest_price() -> None:
    desk = Desk().opened(an_instrument(price_limit="0.1"), quoted=False)
    desk.give(a_quote(prev_close=Decimal("9.10")))
    desk.order(buy(MOUTAI, 100))
    assert purse(desk).reserved == Decimal("1001.00")


def test_a_fill_below_the_bound_gives_the_rest_of_the_reserve_back() -> None:
    desk = Desk().opened(an_instrument(fees=fees("0.001", 5)))
    order = desk.order(buy(MOUTAI, 100))
    fill(desk, order.cl_ord_id, MOUTAI, BUY, 100, "9.00")
    assert (purse(desk).reserved, desk.cash()) == (Decimal(0), Decimal(1_000_000 - 900))


def test_a_partial_fill_keeps_enough_for_the_rest() -> None:
    desk = Desk().opened(an_instrument(lot=1, min_qty=1))
    order = desk.order(buy(MOUTAI, 100, ord_type=LIMIT, price="10.00"))
    fill(desk, order.cl_ord_id, MOUTAI, BUY, 40, "9.00")
    assert purse(desk).reserved == Decimal(1000 - 360)


def test_a_cancelled_order_releases_its_reserve_to_zero() -> None:
    desk = Desk().opened(an_instrument())
    order = desk.order(buy(MOUTAI, 100))
    desk.ack(order)
    desk.give(CancelOrder(order.cl_ord_id, "tester"), CancelAck(BROKER, order.cl_ord_id))
    assert (purse(desk).reserved, purse(desk).free) == (Decimal(0), Decimal(1_000_000))


def test_two_buys_that_pass_alone_do_not_pass_together() -> None:
    desk = Desk().opened(an_instrument(), cash=1_500)
    desk.order(buy(MOUTAI, 100))
    reply = desk.give(buy(MOUTAI, 100))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    denied = reply.denied
    assert (denied.rule, denied.scope) == ("cash", "account demo")
    assert (denied.limit, denied.was, denied.this_order) == ("1500.00", "1010.00", "1010.00")


def test_a_fee_of_the_dated_schedule_is_taken_with_the_fill() -> None:
    desk = Desk().opened(an_instrument(fees=fees("0.001", 5)))
    order = desk.order(buy(MOUTAI, 100))
    desk.give(an_execution(order.cl_ord_id, MOUTAI, BUY, 100, "10.00", commission=None))
    assert desk.cash() == Decimal(1_000_000 - 1000 - 5)


def test_money_of_each_currency_stays_apart() -> None:
    apple = an_instrument("AAPL.US", currency=USD, lot=1, min_qty=1)
    cash = (HeldCash(ACCOUNT, CNY, Amount(Decimal(500))), HeldCash(ACCOUNT, USD, Amount(Decimal(2000))))
    desk = Desk()
    desk.give(msgspec.structs.replace(a_snapshot(), cash=cash))
    desk.opened(apple)
    order = desk.order(buy("AAPL.US", 100))
    fill(desk, order.cl_ord_id, "AAPL.US", BUY, 100, "10.00")
    assert (desk.cash("CNY"), desk.cash("USD")) == (Decimal(500), Decimal(1000))


def test_an_order_in_a_currency_the_account_has_never_had_is_denied_and_leaves_no_trace_in_the_books() -> None:
    desk = Desk().opened(an_instrument("AAPL.US", currency=USD, lot=1, min_qty=1))
    reply = desk.give(buy("AAPL.US", 1))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert reply.denied.rule == "cash"
    assert list(desk.state.accounts[ACCOUNT].cash) == [CNY]


def test_opening_a_contract_holds_margin_and_moves_no_other_money() -> None:
    """D5."""
    desk = Desk().opened(gold(), quoted=False)
    desk.give(a_quote(AU, "499.00", "500.00"))
    order = desk.order(buy(AU, 2, position_effect=PositionEffect.OPEN))
    assert purse(desk).reserved == Decimal("101000.00")
    fill(desk, order.cl_ord_id, AU, BUY, 2, "500.00")
    book = purse(desk)
    assert (book.balance, book.margin, book.reserved) == (Decimal(1_000_000), Decimal(100_000), Decimal(0))


@pytest.mark.parametrize(("opening", "closing", "px", "profit"), [(BUY, SELL, "510", 10_000), (SELL, BUY, "510", -10_000)])
def test_closing_a_contract_pays_the_profit_of_its_direction_and_frees_the_margin(
    opening: Side, closing: Side, px: str, profit: int
) -> None:
    """D5, S4-14."""
    desk = Desk().opened(gold(), quoted=False)
    desk.give(a_quote(AU, "499.00", "500.00"))
    orders = {BUY: buy, SELL: sell}
    first = desk.order(orders[opening](AU, 1, position_effect=PositionEffect.OPEN))
    fill(desk, first.cl_ord_id, AU, opening, 1, "500")
    second = desk.order(orders[closing](AU, 1, position_effect=PositionEffect.CLOSE_TODAY))
    fill(desk, second.cl_ord_id, AU, closing, 1, px, "e2")
    assert (desk.cash(), purse(desk).margin) == (Decimal(1_000_000 + profit), Decimal(0))


def test_a_new_margin_rate_holds_for_what_is_already_open() -> None:
    desk = Desk().opened(gold("0.1"), quoted=False)
    desk.give(a_quote(AU, "499.00", "500.00"))
    order = desk.order(buy(AU, 1, position_effect=PositionEffect.OPEN))
    fill(desk, order.cl_ord_id, AU, BUY, 1, "500")
    desk.give(ListInstruments((gold("0.2"),)))
    assert purse(desk).margin == Decimal(100_000)
    close = desk.order(sell(AU, 1, position_effect=PositionEffect.CLOSE))
    fill(desk, close.cl_ord_id, AU, SELL, 1, "500", "e2")
    assert purse(desk).margin == Decimal(0)


def test_an_adopted_contract_holds_its_margin() -> None:
    desk = Desk()
    desk.give(ListInstruments((gold(),)))
    one, none = Qty(Decimal(1)), Qty(Decimal(0))
    held = HeldPosition(ACCOUNT, Symbol(AU), one, none, one, Amount(Decimal(500_000)))
    desk.give(msgspec.structs.replace(a_snapshot(), positions=(held,)))
    assert purse(desk).margin == Decimal(50_000)


def test_two_orders_without_an_effect_do_not_count_on_the_same_contract() -> None:
    """D5: one short contract; the first buy closes it, the second would open and needs its margin."""
    desk = Desk().opened(gold(), cash=1_500)
    first = desk.order(sell(AU, 1, position_effect=PositionEffect.OPEN))
    fill(desk, first.cl_ord_id, AU, SELL, 1, "10")
    desk.order(buy(AU, 1))
    reply = desk.give(buy(AU, 1))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert reply.denied.rule == "cash"
