"""What rules of conduct let through, and what they count: closing and cancelling always pass, whatever was done before."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.core.risk.cases import BANK, MOUTAI, a_limit, buys, limited, quoted, refused, sells, waits
from tests.core.risk.conduct_cases import cancelled_slowly, of_strategy, with_futures, with_holdings

from tradeloop.core.commands import CancelOrder, OpenTradingDay, ReplaceOrder, SubmitOrder
from tradeloop.core.events import CancelRequested
from tradeloop.core.instrument import AssetClass
from tradeloop.core.limit import LimitScope, RiskLimit, Severity
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import CancelAck
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, OrdType, Px, Qty, Side, TimeInForce, TradingDay, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, an_execution, an_instrument, buy, sell
from tradeloop.testing.desk import Desk


@pytest.mark.parametrize(
    "limit",
    [
        a_limit("max_cancels_per_day", 1, LimitScope.SYMBOL),
        a_limit("max_quick_cancels_per_day", 0),
        a_limit("max_cancel_ratio", "0.1", floor=Decimal(1)),
        a_limit("cool_down_seconds", 600, LimitScope.SYMBOL),
        a_limit("max_self_trades", 0),
        a_limit("max_large_cancels_per_day", 0),
    ],
    ids=lambda limit: limit.rule,
)
def test_beyond_a_limit_of_conduct_nothing_opens_and_everything_closes(limit: RiskLimit) -> None:
    desk = with_holdings(a_limit("max_orders_per_day", 100))
    desk.order(buys(100, BANK))
    desk.give(an_execution(None, MOUTAI, Side.BUY, 100, "10"))
    cancelled_slowly(desk)
    limited(limit, desk=desk)
    working = desk.order(sells(100))
    desk.give(CancelOrder(working.cl_ord_id, "ann"))
    assert len(desk.of(CancelRequested)) == 2
    assert refused(desk, sells(9000)) is None
    denied = refused(desk, buys(100))
    assert denied is not None
    assert denied.rule == limit.rule


def test_the_close_of_a_future_passes_where_its_opening_does_not() -> None:
    desk = with_futures(a_limit("max_cancels_per_day", 0, LimitScope.SYMBOL))
    desk.give(an_execution(None, MOUTAI, Side.BUY, 5, "10"))
    assert refused(desk, sells(5)) is None
    denied = refused(desk, sells(1))
    assert denied is not None, "what the other order closes already cannot be closed again: it opens"
    assert denied.rule == "max_cancels_per_day"


def test_a_repeated_order_is_let_through_where_anything_of_it_differs() -> None:
    desk = limited(a_limit("no_duplicate_order", 2))
    desk.order(buys(100))
    for other in (buys(200), buys(100, price="9.99"), buys(100, BANK), buy(MOUTAI, 100)):
        assert refused(desk, other) is None
    denied = refused(desk, buys(100))
    assert denied is not None
    assert denied.text == (
        "the time between two equal orders (each account) may be at least 2 s, is 0 s, and this order adds 0 s; "
        "wait, or ask for another quantity or price if both are meant"
    )


def test_a_time_that_lacks_a_nanosecond_is_told_to_the_nanosecond() -> None:
    desk = limited(a_limit("no_duplicate_order", 2))
    desk.order(buys(100))
    desk.now = UtcNs(desk.now + 2 * SECOND_NS - 1)
    denied = refused(desk, buys(100))
    assert denied is not None
    assert (denied.limit, denied.was) == ("2 s", "1.999999999 s")
    desk.now = UtcNs(desk.now + 1)
    assert refused(desk, buys(100)) is None


def test_a_change_into_the_terms_of_another_order_repeats_none() -> None:
    desk = limited(a_limit("no_duplicate_order", 2))
    desk.order(buys(100))
    other = desk.order(buys(100, price="9.99"))
    desk.ack(other)
    reply = desk.give(ReplaceOrder(other.cl_ord_id, "ann", price=Px(Decimal(10))))
    assert isinstance(reply, OrderReply)
    assert reply.denied is None


def test_equal_orders_are_forgotten_when_no_limit_asks_for_them_any_more() -> None:
    desk = limited(a_limit("no_duplicate_order", 2))
    for number in range(50):
        desk.order(buys(100 + 100 * number, price="1"))
        desk.wait(1)
    assert len(desk.state.lately.pack().alike) == 3
    assert len(State.unpack(desk.state.pack()).lately.pack().alike) == 3


def test_an_order_at_the_market_meets_every_own_order_of_the_other_side() -> None:
    desk = with_holdings(a_limit("no_self_trade", 0))
    desk.order(buys(100, price="1"))
    denied = refused(desk, sell(MOUTAI, 100))
    assert denied is not None
    assert denied.text == (
        "an order that could trade with an own one (each account): not allowed: an own BUY order of 600519.SH works within its "
        "price; cancel the other order first, or move the price away from it"
    )
    assert refused(desk, sells(100, BANK)) is None


def test_an_own_order_that_has_ended_is_met_by_nobody() -> None:
    desk = with_holdings(a_limit("no_self_trade", 0))
    order = desk.order(buys(100))
    assert refused(desk, sells(100)) is not None
    desk.give(CancelOrder(order.cl_ord_id, "ann"))
    assert refused(desk, sells(100)) is not None, "it may still trade until the broker has taken it out"
    desk.give(CancelAck(BROKER, order.cl_ord_id, cum_qty=order.cum_qty))
    assert refused(desk, sells(100)) is None


def test_orders_made_before_the_limit_are_met_as_well() -> None:
    desk = with_holdings(a_limit("max_orders_per_day", 9))
    desk.order(buys(100))
    limited(a_limit("no_self_trade", 0), desk=desk)
    assert refused(desk, sells(100)) is not None
    limited(desk=desk)
    assert refused(desk, sells(100)) is None
    limited(a_limit("no_self_trade", 0), desk=desk)
    assert refused(desk, buys(100)) is not None


def test_a_change_that_moves_a_price_into_an_own_order_is_refused() -> None:
    desk = with_holdings(a_limit("no_self_trade", 0))
    bought, sold = desk.order(buys(100, price="9.90")), desk.order(sells(100, price="10"))
    for order in (bought, sold):
        desk.ack(order, f"n{order.cl_ord_id}")
    reply = desk.give(ReplaceOrder(bought.cl_ord_id, "ann", price=sold.price))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert reply.denied.rule == "no_self_trade"
    assert refused(desk, buys(100, price="9.99")) is None


def test_while_a_change_waits_its_price_counts_as_well() -> None:
    desk = with_holdings(a_limit("no_self_trade", 0))
    bought = desk.order(buys(100, price="9.90"))
    desk.ack(bought)
    desk.give(ReplaceOrder(bought.cl_ord_id, "ann", price=buys(1, price="9.95").price))
    assert refused(desk, sells(100, price="9.95")) is not None
    assert refused(desk, sells(100, price="9.96")) is None


def test_orders_without_a_strategy_repeat_one_another_in_their_account() -> None:
    """A program may name no strategy, and no person orders that often."""
    desk = limited(a_limit("max_repeated_executions", 3))
    for price in ("9.97", "9.98", "9.99"):
        assert refused(desk, buys(100, price=price)) is None
    denied = refused(desk, buys(100))
    assert denied is not None
    assert (denied.rule, denied.limit, denied.was) == ("max_repeated_executions", "3", "3")
    assert refused(desk, buys(100, BANK)) is None, "another symbol"
    assert refused(desk, of_strategy(100)) is None, "a strategy counts by itself"
    desk.wait(60)
    assert refused(desk, buys(100)) is None


def test_what_has_no_strategy_is_within_no_limit_of_a_strategy() -> None:
    desk = limited(a_limit("max_repeated_executions", 1, LimitScope.STRATEGY))
    for _ in range(5):
        assert refused(desk, buys(100)) is None


def test_a_strategy_repeats_itself_in_one_symbol() -> None:
    desk = limited(a_limit("max_repeated_executions", 1))
    assert refused(desk, of_strategy(100)) is None
    assert refused(desk, of_strategy(100, BANK)) is None
    assert refused(desk, of_strategy(100)) is not None
    desk.wait(60)
    assert refused(desk, of_strategy(100)) is None


def test_below_its_floor_the_cancel_ratio_says_nothing() -> None:
    desk = limited(a_limit("max_cancel_ratio", 0))
    for _ in range(20):
        assert refused(desk, buys(100)) is None
    assert refused(desk, buys(100)) is not None, "20 orders are its own floor"


@pytest.mark.parametrize(("counts_killed", "asked", "killed"), [(None, 1, 0), (False, 0, 0), (True, 1, 1)])
def test_orders_that_never_rest_count_as_cancelled_where_their_exchange_says_so(
    counts_killed: bool | None, asked: int, killed: int
) -> None:
    future = an_instrument(
        MOUTAI, asset_class=AssetClass.FUTURE, margin_rate="0.1", lot=1, min_qty=1, shortable=True, counts_killed=counts_killed
    )
    desk = limited(a_limit("max_cancels_per_day", 9, LimitScope.SYMBOL), desk=Desk().opened(future))

    def cancels() -> int:
        return desk.state.activity.total(LimitScope.SYMBOL, MOUTAI).cancels

    order = desk.order(buys(5, tif=TimeInForce.IOC))
    desk.ack(order)
    desk.give(CancelOrder(order.cl_ord_id, "ann"), CancelAck(BROKER, order.cl_ord_id, cum_qty=order.cum_qty))
    assert cancels() == asked
    order = desk.order(buys(5, tif=TimeInForce.FOK))
    desk.ack(order, "b2")
    desk.give(CancelAck(BROKER, order.cl_ord_id, "killed", cum_qty=order.cum_qty))
    assert cancels() == asked + killed


def test_a_cancel_that_is_asked_for_again_on_another_day_is_one_of_that_day() -> None:
    """Its answer of the day before never came; until then a repeat wants the same thing sooner."""
    desk = limited(a_limit("max_cancels_per_day", 9), desk=Desk().opened(an_instrument(MOUTAI)))
    order = desk.order(buys(100, tif=TimeInForce.GTC, price="10"))
    desk.ack(order)
    counted = []
    for day in ("2026-07-17", "2026-07-20"):
        desk.give(OpenTradingDay("CN_A", TradingDay(day), ((UtcNs(desk.now - SECOND_NS), UtcNs(desk.now + 3600 * SECOND_NS)),)))
        desk.wait(1)
        desk.give(*[CancelOrder(order.cl_ord_id, "ann")] * (2 if day == "2026-07-17" else 1))
        counted.append(desk.state.activity.total(LimitScope.ACCOUNT, ACCOUNT).cancels)
        desk.wait(72 * 3600)
    assert counted == [1, 1]


def test_an_order_that_never_left_was_killed_by_no_exchange() -> None:
    future = an_instrument(MOUTAI, asset_class=AssetClass.FUTURE, margin_rate="0.1", lot=1, min_qty=1, counts_killed=True)
    throttle = a_limit("max_requests_per_second", 1, severity=Severity.THROTTLE)
    desk = limited(a_limit("max_cancels_per_day", 9), throttle, desk=Desk().opened(future))
    desk.order(buys(5))
    waiting = desk.order(buys(5, tif=TimeInForce.FOK))
    desk.give(CancelOrder(waiting.cl_ord_id, "ann"))
    assert desk.known(waiting.cl_ord_id).canceled_at == desk.now
    assert desk.state.activity.total(LimitScope.ACCOUNT, ACCOUNT).cancels == 0


def test_trades_of_other_symbols_prices_and_sides_are_no_self_trades() -> None:
    desk = with_holdings(a_limit("max_self_trades", 1, LimitScope.SYMBOL))
    for symbol, side, px, exec_id in (
        (MOUTAI, Side.BUY, "10", "one"),
        (MOUTAI, Side.SELL, "10", "another"),
        (BANK, Side.BUY, "10", "two"),
        (BANK, Side.SELL, "11", "two"),
    ):
        desk.give(an_execution(None, symbol, side, 100, px, exec_id=exec_id))
    assert refused(desk, buys(100, price="9")) is None
    desk.give(an_execution(None, MOUTAI, Side.BUY, 100, "10", exec_id="another"))
    denied = refused(desk, buys(100, price="9"))
    assert denied is not None
    assert (denied.rule, denied.was) == ("max_self_trades", "1")
    assert refused(desk, buys(100, BANK, price="9")) is None


class TestAMinute:
    """The own share of a minute's volume."""

    def ramped(self, value: str = "0.2") -> Desk:
        """The price has risen by 2 % within half a minute in which 600 traded."""
        desk = with_holdings(a_limit("max_minute_share", value, LimitScope.SYMBOL))
        for show in (quoted("9.99", "10.01", volume=600), waits(30), quoted("10.19", "10.21", volume=600)):
            show(desk)
        return desk

    def test_a_share_counts_what_works_already(self) -> None:
        desk = self.ramped()
        assert refused(desk, buys(200)) is None
        denied = refused(desk, buys(200))
        assert denied is not None
        assert (denied.was, denied.this_order) == ("14.28571429%", "10.71428571%")

    def test_trading_against_the_move_pushes_nothing(self) -> None:
        desk = with_holdings(a_limit("max_minute_share", "0.2", LimitScope.SYMBOL))
        for show in (quoted("10.19", "10.21", volume=60), waits(30), quoted("9.99", "10.01", volume=60)):
            show(desk)
        assert refused(desk, buys(1000)) is None

    def test_a_move_no_larger_than_the_floor_says_nothing(self) -> None:
        desk = self.ramped()
        limited(a_limit("max_minute_share", "0.2", LimitScope.SYMBOL, floor=Decimal("0.02")), desk=desk)
        assert refused(desk, buys(1000)) is None

    def test_what_is_older_than_a_minute_counts_no_more(self) -> None:
        desk = self.ramped()
        desk.wait(31)
        quoted("10.19", "10.21", volume=100)(desk)
        denied = refused(desk, buys(200))
        assert denied is not None, "700 traded in the minute, and the price a minute ago was 10.00"
        desk.wait(30)
        quoted("10.19", "10.21", volume=100)(desk)
        assert refused(desk, buys(1000)) is None, "the price was there a minute ago"

    def test_own_trades_that_the_feed_has_not_shown_yet_count_as_volume(self) -> None:
        desk = with_holdings(a_limit("max_minute_share", "0.9", LimitScope.SYMBOL))
        desk.give(an_execution(None, MOUTAI, Side.BUY, 100, "10"))
        for show in (quoted("9.99", "10.01", volume=0), waits(30), quoted("10.19", "10.21", volume=0)):
            show(desk)
        assert refused(desk, buys(100)) is None, "nobody else traded, and an order adds nothing to all there is"
        quoted("10.29", "10.31", volume=300)(desk)
        denied = refused(desk, buys(9000))
        assert denied is not None
        assert denied.was == "50%", "100 traded and 100 works, of 300 that all traded and the 100"

    def test_without_a_volume_what_opens_waits_for_one(self) -> None:
        desk = with_holdings(a_limit("max_minute_share", "0.2", LimitScope.SYMBOL))
        for show in (quoted("9.99", "10.01"), waits(30), quoted("10.19", "10.21")):
            show(desk)
        denied = refused(desk, buys(100))
        assert denied is not None
        assert denied.text.endswith("price and volume of the last minute of 600519.SH is not known; trade more slowly")
        assert refused(desk, sells(1000)) is None


def test_what_was_traded_a_minute_ago_is_not_counted_and_what_works_is() -> None:
    desk = limited(a_limit("max_minute_traded_value", 5000))
    order = desk.order(buys(300))
    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 200, "10"))
    denied = refused(desk, buys(300))
    assert denied is not None
    assert denied.was == "3000", "2,000 traded and 1,000 works"
    desk.wait(60)
    assert refused(desk, buys(400)) is None


def test_a_loss_begins_a_rest_and_a_profit_does_not() -> None:
    desk = with_holdings(a_limit("cool_down_after_loss_seconds", 60))
    for price, passes in (("11", True), ("10", True), ("9", False)):
        order = desk.order(sells(100, price=price))
        desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.SELL, 100, price, exec_id=f"at{price}"))
        assert (refused(desk, buys(100)) is None) is passes
    assert refused(desk, buys(100, BANK)) is None, "the rest is of the symbol"


def test_an_order_at_the_market_counts_for_a_duplicate_by_its_quantity() -> None:
    desk = limited(a_limit("no_duplicate_order", 2))
    command = SubmitOrder(ACCOUNT, an_instrument(MOUTAI).symbol, Side.BUY, Qty(Decimal(100)), "ann", OrdType.MARKET)
    desk.order(command)
    assert refused(desk, command) is not None
