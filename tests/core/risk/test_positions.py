"""What the rules of positions count and what they let pass, beside their limits themselves."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.core.risk.cases import BANK, MOUTAI, a_limit, buys, limited
from tests.core.risk.positions_cases import GOLD, GOLD_FUTURE, STOCKS, at_ten, lots, rich

from tradeloop.core.commands import ListInstruments, OpenTradingDay, ReplaceOrder, SetLimits, SubmitOrder
from tradeloop.core.limit import LimitScope
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import CancelAck, SendOutcome
from tradeloop.core.risk.denied import Denied
from tradeloop.core.state import Account
from tradeloop.core.types import (
    AccountID,
    Amount,
    Currency,
    OrdType,
    PositionEffect,
    Px,
    Qty,
    Side,
    TradingDay,
    UtcNs,
)
from tradeloop.testing.builders import ACCOUNT, BROKER, NOON, a_quote, an_execution, an_instrument, buy, sell
from tradeloop.testing.desk import Desk

OTHER = AccountID("other")
COIN = an_instrument("600036.SH", shortable=True, margin_rate="0.5")
CNY = Currency("CNY")


def said(desk: Desk, order: SubmitOrder) -> Denied | None:
    reply = desk.give(order)
    assert isinstance(reply, OrderReply)
    return reply.denied


def sells(qty: int, symbol: str = MOUTAI, price: str = "10", **changes: object) -> SubmitOrder:
    return sell(symbol, qty, ord_type=OrdType.LIMIT, price=price, **changes)


def fill(desk: Desk, order: SubmitOrder, exec_id: str, px: str = "10") -> None:
    """The order passes, and all of it fills."""
    made = desk.order(order)
    desk.give(an_execution(made.cl_ord_id, made.symbol, made.side, made.order_qty, px, exec_id))


def with_another_account(desk: Desk) -> Desk:
    desk.state.accounts[OTHER] = Account(BROKER, adopted=True)
    desk.state.links[BROKER].compared[OTHER] = None
    desk.state.cash(OTHER, CNY).balance = Amount(Decimal(100_000))
    return desk


def test_what_was_bought_counts_as_what_is_on_its_way_did() -> None:
    desk = rich(a_limit("max_position_qty", 500))
    fill(desk, buys(500), "e1")
    denied = said(desk, buys(100))
    assert denied is not None
    assert (denied.was, denied.this_order) == ("500", "100")


def test_an_order_of_unknown_fate_counts_as_if_it_were_to_fill() -> None:
    desk = rich(a_limit("max_gross_value", 5000))
    lost = desk.order(buys(500))
    desk.give(SendOutcome(BROKER, lost.cl_ord_id, "UNKNOWN", "timed out"))
    denied = said(desk, buys(100, BANK))
    assert denied is not None
    assert denied.was == "5000"


def test_a_cancelled_order_makes_room() -> None:
    desk = rich(a_limit("max_gross_value", 5000))
    order = desk.order(buys(500))
    assert said(desk, buys(100, BANK)) is not None
    desk.give(CancelAck(BROKER, order.cl_ord_id, cum_qty=order.cum_qty))
    assert said(desk, buys(500, BANK)) is None


def test_a_working_sell_makes_no_room_for_a_buy() -> None:
    desk = at_ten(*STOCKS, positions={MOUTAI: 500})(a_limit("max_position_qty", 500))
    assert said(desk, sells(500)) is None
    denied = said(desk, buys(100))
    assert denied is not None
    assert (denied.was, denied.this_order) == ("500", "100")


ALL_OF_IT = (
    a_limit("max_position_qty", 0),
    a_limit("max_position_value", 0),
    a_limit("max_position_ratio", 0),
    a_limit("max_industry_value", 0),
    a_limit("max_industry_ratio", 0),
    a_limit("max_gross_value", 0),
    a_limit("max_total_ratio", 0),
    a_limit("max_net_value", 0),
    a_limit("max_leverage", 0),
    a_limit("max_positions", 0),
    a_limit("min_cash_ratio", 1),
    a_limit("max_margin_ratio", 0),
    a_limit("max_opened_qty_per_day", 0, LimitScope.SYMBOL),
)
"""Every limit of positions at its tightest: whoever holds anything is beyond it."""


def test_a_sell_that_reduces_passes_whatever_is_beyond_its_limit() -> None:
    desk = at_ten(*STOCKS, positions={MOUTAI: 500})(*ALL_OF_IT)
    assert said(desk, buys(100)) is not None
    assert said(desk, sells(500)) is None


def test_a_sell_that_reduces_passes_where_neither_price_nor_cost_nor_industry_is_known() -> None:
    desk = Desk().opened(an_instrument(MOUTAI), positions={MOUTAI: 500}, quoted=False)
    limited(*ALL_OF_IT, desk=desk)
    assert said(desk, sells(500)) is None


def test_a_buy_that_covers_a_short_passes_whatever_is_beyond_its_limit() -> None:
    desk = at_ten(COIN)()
    fill(desk, sells(500, BANK), "e1")
    desk.give(SetLimits(ALL_OF_IT, "risk.yaml"))
    assert said(desk, buys(300, BANK)) is None
    assert said(desk, buys(200, BANK)) is None
    denied = said(desk, buys(100, BANK))
    assert denied is not None
    assert (denied.rule, denied.was, denied.this_order) == ("max_position_qty", "0", "100")


def test_a_close_of_a_future_passes_and_what_exceeds_the_holding_counts_as_opened() -> None:
    desk = at_ten(GOLD_FUTURE)()
    fill(desk, lots(3), "e1")
    desk.give(SetLimits((a_limit("max_position_qty", 2), a_limit("max_opened_qty_per_day", 3, LimitScope.SYMBOL)), "risk.yaml"))
    assert said(desk, sell(GOLD, 3, position_effect=PositionEffect.CLOSE)) is None
    denied = said(desk, sell(GOLD, 1))
    assert denied is not None
    assert (denied.rule, denied.was, denied.this_order) == ("max_opened_qty_per_day", "3", "1")


def test_what_says_that_it_opens_counts_whole_whatever_is_held_the_other_way() -> None:
    desk = at_ten(GOLD_FUTURE)(a_limit("max_position_qty", 3))
    fill(desk, sells(3, GOLD), "e1")
    opening = buy(GOLD, 3, ord_type=OrdType.LIMIT, price="10", position_effect=PositionEffect.OPEN)
    assert said(desk, opening) is None
    assert said(desk, buy(GOLD, 3, ord_type=OrdType.LIMIT, price="10", position_effect=PositionEffect.CLOSE)) is None
    denied = said(desk, lots(1))
    assert denied is not None
    assert (denied.was, denied.this_order) == ("3", "1")


def test_a_short_sale_counts_like_a_purchase() -> None:
    desk = at_ten(COIN)(a_limit("max_gross_value", 5000))
    assert said(desk, sells(300, BANK)) is None
    denied = said(desk, sells(300, BANK))
    assert denied is not None
    assert (denied.was, denied.this_order) == ("3000", "3000")


def test_what_is_short_and_what_is_long_net_in_the_limit_on_the_net_alone() -> None:
    desk = at_ten(*STOCKS, an_instrument("AAPL.US", shortable=True, margin_rate="0.5"))()
    fill(desk, sells(400, "AAPL.US"), "e1")
    desk.give(SetLimits((a_limit("max_net_value", 3000),), "risk.yaml"))
    assert said(desk, buys(700)) is None
    denied = said(desk, buys(100, BANK))
    assert denied is not None
    assert (denied.was, denied.this_order) == ("3000", "1000")
    desk.give(SetLimits((a_limit("max_gross_value", 11_900),), "risk.yaml"))
    denied = said(desk, buys(100, BANK))
    assert denied is not None
    assert (denied.was, denied.this_order) == ("11000", "1000")


def test_without_any_price_of_the_symbol_an_order_is_refused_unless_the_limit_lets_it() -> None:
    desk = Desk().opened(an_instrument(MOUTAI), quoted=False)
    limited(a_limit("max_gross_value", 5000), desk=desk)
    denied = said(desk, buys(100))
    assert denied is not None
    assert denied.text == (
        "the value of all positions, long and short together (each account) may be at most 5000, and a price of 600519.SH "
        "is not known; make it smaller, or reduce the position first"
    )
    desk.give(SetLimits((a_limit("max_gross_value", 5000, allow_missing=True),), "risk.yaml"))
    assert said(desk, buys(100)) is None


def test_a_holding_that_nobody_has_priced_makes_the_sum_unknown_and_is_named() -> None:
    desk = Desk().opened(*STOCKS, positions={BANK: 100}, quoted=False)
    desk.give(a_quote(MOUTAI, bid="10", ask="10"))
    for rule in ("max_gross_value", "max_industry_value", "max_leverage", "max_position_ratio", "min_cash_ratio"):
        desk.give(SetLimits((a_limit(rule, 1),), "risk.yaml"))
        denied = said(desk, buys(100))
        assert denied is not None
        assert (denied.rule, denied.was) == (rule, "unknown")
        assert BANK in denied.text


def test_a_price_counts_however_old_it_is_and_through_a_quote_that_names_none() -> None:
    desk = rich(a_limit("max_gross_value", 5000))
    desk.wait(3600)
    desk.give(a_quote(MOUTAI, bid=None, ask=None, at=desk.now, suspended=True))
    denied = said(desk, buys(600))
    assert denied is not None
    assert denied.this_order == "6000"


def test_a_price_that_falls_makes_room_and_one_that_rises_takes_it() -> None:
    desk = at_ten(*STOCKS, positions={MOUTAI: 400})(a_limit("max_gross_value", 5000))
    assert said(desk, buys(200, BANK)) is not None
    desk.give(a_quote(MOUTAI, bid="5", ask="5", at=NOON + 1))
    order = desk.order(buys(200, BANK))
    desk.give(CancelAck(BROKER, order.cl_ord_id, cum_qty=order.cum_qty))
    desk.give(a_quote(MOUTAI, bid="20", ask="20", at=NOON + 2))
    denied = said(desk, buys(100, BANK))
    assert denied is not None
    assert denied.was == "8000"


def test_an_order_in_what_has_no_industry_is_refused_by_a_limit_on_industries() -> None:
    desk = at_ten(an_instrument(MOUTAI), an_instrument(BANK, industry="banks"))(
        a_limit("max_industry_value", 5000, LimitScope.INDUSTRY, name="banks")
    )
    denied = said(desk, buys(100))
    assert denied is not None
    assert "the industry of 600519.SH" in denied.text
    assert said(desk, buys(500, BANK)) is None


def test_what_is_listed_in_another_industry_counts_there_from_then_on() -> None:
    desk = rich(a_limit("max_industry_value", 5000))
    assert said(desk, buys(500)) is None
    desk.give(ListInstruments((an_instrument(BANK, industry="banks"),)))
    assert said(desk, buys(500, BANK)) is None
    desk.give(ListInstruments((an_instrument(MOUTAI, industry="banks"),)))
    denied = said(desk, buys(100, BANK))
    assert denied is not None
    assert denied.was == "10000"


def test_a_change_is_asked_for_what_it_adds_and_one_that_lessens_always_passes() -> None:
    desk = rich(a_limit("max_position_qty", 500), a_limit("min_cash_ratio", "0.95"), a_limit("max_open_orders", 1))
    order = desk.order(buys(400))
    desk.ack(order)
    asked = desk.give(ReplaceOrder(order.cl_ord_id, "ann", order_qty=Qty(Decimal(600))))
    assert isinstance(asked, OrderReply)
    assert asked.denied is not None
    assert (asked.denied.rule, asked.denied.was, asked.denied.this_order) == ("max_position_qty", "400", "200")
    asked = desk.give(ReplaceOrder(order.cl_ord_id, "ann", price=Px(Decimal(13))))
    assert isinstance(asked, OrderReply)
    assert asked.denied is not None
    assert (asked.denied.rule, asked.denied.was, asked.denied.this_order) == ("min_cash_ratio", "96%", "-1.2%")
    desk.give(SetLimits(ALL_OF_IT, "risk.yaml"))
    less = desk.give(ReplaceOrder(order.cl_ord_id, "ann", order_qty=Qty(Decimal(300))))
    assert isinstance(less, OrderReply)
    assert less.denied is None


def test_a_limit_for_each_account_counts_its_own_and_a_global_one_all_together() -> None:
    for rule, value in (
        ("max_position_qty", 500),
        ("max_gross_value", 5000),
        ("max_open_orders", 1),
        ("max_total_ratio", "0.025"),
    ):
        each, every = a_limit(rule, value), a_limit(rule, value, LimitScope.GLOBAL)
        orders = buys(500), buys(500)
        for limit, passes in ((each, rule != "max_total_ratio"), (every, False)):
            desk = with_another_account(rich(limit))
            first = said(desk, orders[0])
            if rule == "max_total_ratio":
                assert (first is None) is (limit is every)  # 5 % of one account, 2.5 % of both
            else:
                assert first is None
            second = said(desk, buy(MOUTAI, 500, ord_type=OrdType.LIMIT, price="10", account=OTHER))
            assert (second is None) is passes


def test_one_symbol_in_two_accounts_is_one_position_of_all_and_one_of_each() -> None:
    desk = with_another_account(rich(a_limit("max_positions", 1, LimitScope.GLOBAL)))
    assert said(desk, buys(100)) is None
    assert said(desk, buy(MOUTAI, 100, account=OTHER)) is None
    denied = said(desk, buy(BANK, 100, account=OTHER))
    assert denied is not None
    assert (denied.was, denied.this_order) == ("1", "1")


def test_amounts_in_another_currency_are_not_counted_together() -> None:
    dollars = an_instrument("AAPL.US", currency=Currency("USD"))
    desk = at_ten(*STOCKS, dollars)(a_limit("max_gross_value", 5000), a_limit("max_leverage", "0.05"))
    desk.state.cash(ACCOUNT, Currency("USD")).balance = Amount(Decimal(100_000))
    assert said(desk, buys(500)) is None
    assert said(desk, buys(500, "AAPL.US")) is None
    assert said(desk, buys(100, "AAPL.US")) is not None


def test_where_no_equity_is_left_every_share_of_it_is_too_much_even_where_missing_data_is_let_through() -> None:
    desk = at_ten(GOLD_FUTURE)()
    fill(desk, lots(50), "e1")
    desk.give(a_quote(GOLD, bid="8", ask="8", at=NOON + 1))  # two thousand lost on each lot: nothing is left
    for rule in ("max_leverage", "max_position_ratio", "max_margin_ratio"):
        desk.give(SetLimits((a_limit(rule, 100_000, allow_missing=True),), "risk.yaml"))
        denied = said(desk, lots(1))
        assert denied is not None
        assert (denied.rule, denied.this_order.endswith(" of 0")) == (rule, True)
    desk.give(SetLimits((a_limit("min_cash_ratio", 0),), "risk.yaml"))
    denied = said(desk, lots(1))
    assert denied is not None
    assert (denied.was, denied.this_order) == ("50000 of 0", "-1000 of 0")


def test_the_equity_of_a_future_is_its_profit_and_of_a_stock_all_that_it_is_worth() -> None:
    desk = at_ten(GOLD_FUTURE, *STOCKS, positions={MOUTAI: 1000}, costs={MOUTAI: 0})()
    fill(desk, lots(1), "e1")
    desk.give(a_quote(GOLD, bid="12", ask="12", at=NOON + 1))
    worth = desk.around.valuation.look(desk.state, desk.around.quotes)
    assert worth.equity(desk.state, ACCOUNT, CNY) == 100_000 + 10_000 + 2_000
    assert worth.largest(ACCOUNT, CNY) == GOLD


def test_a_holding_of_unknown_cost_makes_the_equity_of_a_future_unknown_only() -> None:
    desk = at_ten(GOLD_FUTURE, *STOCKS, positions={MOUTAI: 1000})()
    worth = desk.around.valuation.look(desk.state, desk.around.quotes)
    assert worth.equity(desk.state, ACCOUNT, CNY) == 110_000
    desk = at_ten(GOLD_FUTURE, positions={GOLD: 1})()
    worth = desk.around.valuation.look(desk.state, desk.around.quotes)
    assert worth.equity(desk.state, ACCOUNT, CNY) is None


def test_what_was_opened_today_stays_counted_when_it_is_closed_and_not_on_the_next_day() -> None:
    desk = at_ten(GOLD_FUTURE, cash=1_000_000)(a_limit("max_opened_qty_per_day", 5, LimitScope.SYMBOL))
    fill(desk, lots(5), "e1")
    fill(desk, sells(5, GOLD), "e2")
    denied = said(desk, lots(1))
    assert denied is not None
    assert (denied.was, denied.this_order) == ("5", "1")
    desk.give(OpenTradingDay("CN_A", TradingDay("2026-07-20"), ((UtcNs(0), UtcNs(2**62)),)))
    assert said(desk, lots(5)) is None


@pytest.mark.parametrize("third", ["0.333", "0.333333333333"])
def test_a_share_that_no_decimal_can_write_is_neither_let_through_nor_held_up_by_a_digit(third: str) -> None:
    """Ten thousand of thirty thousand is a third: beyond every limit that is written a little below it, within one above."""
    desk = at_ten(*STOCKS, cash=30_000)(a_limit("max_position_ratio", third))
    assert said(desk, buys(1000)) is not None
    above = Decimal(third[:-1] + "4")
    desk.give(SetLimits((a_limit("max_position_ratio", f"{above:f}"),), "risk.yaml"))
    assert said(desk, buys(500)) is None
    assert said(desk, buys(500)) is None
    assert said(desk, buys(100)) is not None


def test_sums_past_the_digits_of_ordinary_numbers_are_told_all_the_same() -> None:
    desk = Desk().opened(*STOCKS, cash=100_000, positions={BANK: 99_999_999_999_999}, quoted=False)
    desk.give(a_quote(MOUTAI, bid="10", ask="10"), a_quote(BANK, bid="99999999999.123", ask="99999999999.124"))
    limited(a_limit("max_gross_value", 5000), desk=desk)
    denied = said(desk, buys(100))
    assert denied is not None
    assert denied.was.startswith("99999999999")


def test_the_side_of_a_trade_is_all_that_a_position_limit_looks_at() -> None:
    """What is long is no reason to refuse what goes short beside it, up to its own limit."""
    desk = at_ten(COIN, positions={BANK: 500})(a_limit("max_position_qty", 500))
    assert said(desk, sells(500, BANK)) is None
    assert said(desk, sells(500, BANK)) is None
    denied = said(desk, sells(100, BANK))
    assert denied is not None
    assert (denied.was, denied.this_order) == ("500", "100")
    assert desk.state.exposure.of(ACCOUNT, COIN.symbol, Side.SELL) == 1000
