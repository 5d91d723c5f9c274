"""What keeps an order from leaving: each check says its rule, its limit and what it found."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tradeloop.core.capabilities import Capabilities
from tradeloop.core.commands import ListInstruments, OpenTradingDay, SubmitOrder
from tradeloop.core.effects import SendOrder
from tradeloop.core.events import OrderDenied, OrderStaged
from tradeloop.core.inputs import Start
from tradeloop.core.instrument import AssetClass
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import BrokerDown, BrokerUp, SendOutcome
from tradeloop.core.risk.denied import Denied
from tradeloop.core.types import (
    SECOND_NS,
    OrderID,
    OrdStatus,
    OrdType,
    PositionEffect,
    Side,
    Symbol,
    TimeInForce,
    TradingDay,
    UtcNs,
)
from tradeloop.testing.builders import ACCOUNT, BROKER, a_quote, a_snapshot, an_execution, an_instrument, buy, sell
from tradeloop.testing.desk import ABLE, Desk

MOUTAI, AU = "600519.SH", "au2512.SHFE"
LIMIT = OrdType.LIMIT
OPEN, CLOSE = PositionEffect.OPEN, PositionEffect.CLOSE
TODAY, YESTERDAY = PositionEffect.CLOSE_TODAY, PositionEffect.CLOSE_YESTERDAY
T1 = an_instrument(settles_t1=True)


def accepted(desk: Desk, command: SubmitOrder) -> bool:
    """Whether the order is on its way."""
    return desk.order(command).ord_status is OrdStatus.PENDING_NEW


def denied(desk: Desk, command: SubmitOrder) -> Denied:
    """Give the order and expect a no, which sends nothing and reserves nothing."""
    sent, staged = len(desk.of(SendOrder)), len(desk.of(OrderStaged))
    reply = desk.give(command)
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert (len(desk.of(SendOrder)), len(desk.of(OrderStaged))) == (sent, staged)
    assert desk.of(OrderDenied)[-1].rule == reply.denied.rule
    return reply.denied


def next_day(desk: Desk) -> None:
    """The next trading day of the market opens."""
    desk.wait(86_400)
    day = ((UtcNs(desk.now - SECOND_NS), UtcNs(desk.now + 3600 * SECOND_NS)),)
    desk.give(OpenTradingDay("CN_A", TradingDay("2026-07-20"), day), a_quote(MOUTAI, at=desk.now))


def gold_desk() -> Desk:
    gold = an_instrument(
        AU,
        asset_class=AssetClass.FUTURE,
        lot=1,
        min_qty=1,
        multiplier=1000,
        margin_rate="0.1",
        shortable=True,
        odd_lot_sell=False,
        closes_today_apart=True,
    )
    return Desk().opened(gold)


def opened(desk: Desk, side: Side, qty: int, exec_id: str) -> None:
    """Open `qty` contracts, filled."""
    order = desk.order({Side.BUY: buy, Side.SELL: sell}[side](AU, qty, position_effect=OPEN))
    desk.give(an_execution(order.cl_ord_id, AU, side, qty, "10", exec_id, trading_day=order.trading_day))


def test_nothing_is_sent_to_a_broker_that_was_never_connected() -> None:
    desk = Desk()
    desk.give(Start(1, "test", "t1"))
    desk.opened(an_instrument())
    desk.state.links.clear()
    assert denied(desk, buy(MOUTAI, 100)).was == "never connected"


def test_nothing_is_sent_before_the_brokers_books_have_been_compared() -> None:
    desk = Desk().opened(an_instrument())
    desk.give(BrokerDown(BROKER, "gone"))
    assert denied(desk, buy(MOUTAI, 100)).was == "gone"
    desk.give(BrokerUp(BROKER))
    assert denied(desk, buy(MOUTAI, 100)).was == "connected, books not compared yet"
    desk.give(a_snapshot())
    assert accepted(desk, buy(MOUTAI, 100))


def test_a_closed_market_takes_no_orders() -> None:
    """S1-41."""
    desk = Desk().opened(an_instrument())
    desk.wait(2 * 86_400)
    desk.give(a_quote(at=desk.now))
    assert denied(desk, buy(MOUTAI, 100)).rule == "session_open"


def test_a_market_order_needs_a_quote() -> None:
    assert denied(Desk().opened(an_instrument(), quoted=False), buy(MOUTAI, 100)).rule == "quote_fresh"


def test_a_market_order_needs_a_quote_that_was_seen_just_now() -> None:
    desk = Desk().opened(an_instrument())
    desk.wait(61)
    found = denied(desk, buy(MOUTAI, 100))
    assert (found.rule, found.limit, found.was) == ("quote_fresh", "60 s", "61 s")


def test_a_limit_order_needs_no_quote() -> None:
    assert accepted(Desk().opened(an_instrument(), quoted=False), buy(MOUTAI, 100, ord_type=LIMIT, price="10"))


def test_a_suspended_instrument_takes_no_market_order() -> None:
    desk = Desk().opened(an_instrument())
    desk.give(a_quote(suspended=True))
    assert denied(desk, buy(MOUTAI, 100)).rule == "suspended"


def able(**changes: Any) -> Capabilities:
    return msgspec.structs.replace(ABLE, **changes)


def test_a_type_the_broker_does_not_know_is_denied() -> None:
    desk = Desk(able=able(ord_types=frozenset({LIMIT}))).opened(an_instrument())
    assert denied(desk, buy(MOUTAI, 100)).rule == "order_type"


def test_a_time_in_force_the_broker_does_not_know_is_denied() -> None:
    desk = Desk(able=able(tifs=frozenset({TimeInForce.DAY}))).opened(an_instrument())
    assert denied(desk, buy(MOUTAI, 100, tif=TimeInForce.FOK)).rule == "time_in_force"


@pytest.mark.parametrize("qty", [50, 150])
def test_a_buy_that_is_no_whole_number_of_lots_is_denied(qty: int) -> None:
    assert denied(Desk().opened(an_instrument()), buy(MOUTAI, qty)).rule == "lot"


@pytest.mark.parametrize(("qty", "advice"), [(100, "order at least 200"), (250, "round down")])
def test_a_quantity_below_the_smallest_order_is_not_to_be_rounded_down(qty: int, advice: str) -> None:
    desk = Desk().opened(an_instrument(lot=100, min_qty=200))
    assert denied(desk, buy(MOUTAI, qty)).text.endswith(f"(at least 200); {advice}")


def test_a_denial_for_want_of_cash_has_no_idle_zeros() -> None:
    desk = Desk().opened(an_instrument(), cash="17.5000")
    assert "free cash is 17.5; reduce the order" in denied(desk, buy(MOUTAI, 100)).text


def test_an_order_before_the_first_bar_is_told_to_wait_for_it() -> None:
    """At the open of futures the first five-minute bar is five minutes away."""
    desk = Desk().opened(an_instrument(), quoted=False)
    assert "wait for its first quote or bar" in denied(desk, buy(MOUTAI, 100)).text


def test_an_odd_remainder_may_be_sold_but_only_all_of_it_at_once() -> None:
    desk = Desk().opened(T1, positions={MOUTAI: 150})
    assert denied(desk, sell(MOUTAI, 130)).rule == "lot"
    assert accepted(desk, sell(MOUTAI, 150))


def test_the_odd_remainder_left_after_a_round_sell_may_be_sold_too() -> None:
    desk = Desk().opened(T1, positions={MOUTAI: 150})
    desk.order(sell(MOUTAI, 100))
    assert accepted(desk, sell(MOUTAI, 50))


def test_one_order_is_no_larger_than_the_exchange_takes() -> None:
    desk = Desk().opened(an_instrument(max_qty_market=200, max_qty_limit=300))
    assert denied(desk, buy(MOUTAI, 300)).rule == "order_qty_max"
    assert accepted(desk, buy(MOUTAI, 300, ord_type=LIMIT, price="10"))
    assert denied(desk, buy(MOUTAI, 300, ord_type=OrdType.STOP, stop_px="11")).rule == "order_qty_max"


def test_a_price_off_the_tick_is_denied() -> None:
    desk = Desk().opened(an_instrument())
    assert denied(desk, buy(MOUTAI, 100, ord_type=LIMIT, price="10.001")).rule == "tick"


@pytest.mark.parametrize("price", ["8.99", "11.01"])
def test_a_price_outside_the_days_limits_is_denied(price: str) -> None:
    desk = Desk().opened(an_instrument(price_limit="0.1"))
    desk.give(a_quote(prev_close=Decimal(10)))
    found = denied(desk, buy(MOUTAI, 100, ord_type=LIMIT, price=price))
    assert (found.rule, found.limit) == ("price_limit", "9.0 to 11.0")


@pytest.mark.parametrize("price", ["9.00", "11.00"])
def test_a_price_on_the_days_limit_passes(price: str) -> None:
    desk = Desk().opened(an_instrument(price_limit="0.1"))
    desk.give(a_quote(prev_close=Decimal(10)))
    assert accepted(desk, buy(MOUTAI, 100, ord_type=LIMIT, price=price))


def test_what_was_bought_today_cannot_be_sold_today_and_can_be_the_next_trading_day() -> None:
    desk = Desk().opened(T1)
    order = desk.order(buy(MOUTAI, 100))
    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 100, "10"))
    found = denied(desk, sell(MOUTAI, 100))
    assert (found.rule, found.limit) == ("sellable", "0")
    next_day(desk)
    assert accepted(desk, sell(MOUTAI, 100))


@pytest.mark.parametrize("effect", [TODAY, YESTERDAY])
def test_a_share_is_not_closed_by_the_day_it_was_bought(effect: PositionEffect) -> None:
    """Otherwise what was bought today could be sold today by giving the sell another name."""
    desk = Desk().opened(T1, positions={MOUTAI: 1000})
    order = desk.order(buy(MOUTAI, 100))
    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 100, "10"))
    found = denied(desk, sell(MOUTAI, 100, position_effect=effect))
    assert (found.rule, found.was, found.this_order) == ("position_effect", "", effect.value)
    assert "use AUTO or CLOSE" in found.text


def test_a_close_draws_on_the_settled_part_alone() -> None:
    desk = Desk().opened(T1, positions={MOUTAI: 1000})
    order = desk.order(buy(MOUTAI, 100))
    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 100, "10"))
    assert denied(desk, sell(MOUTAI, 1100, position_effect=CLOSE)).limit == "1000"
    assert accepted(desk, sell(MOUTAI, 1000, position_effect=CLOSE))


def test_a_fill_that_a_broker_calls_a_close_of_todays_shares_takes_settled_ones() -> None:
    """It is a fact and is booked; but under T+1 nothing else could have been sold."""
    desk = Desk().opened(T1, positions={MOUTAI: 1000})
    order = desk.order(buy(MOUTAI, 100))
    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 100, "10"))
    desk.give(an_execution(None, MOUTAI, Side.SELL, 100, "10", "e2", order_id=OrderID("hand"), position_effect=TODAY))
    held = desk.state.held(order.account, order.symbol)
    assert (held.long_qty, held.long_today) == (Decimal(1000), Decimal(100))
    assert denied(desk, sell(MOUTAI, 1000)).limit == "900"


def test_what_is_held_is_not_sold_by_calling_it_a_short_sale() -> None:
    """The gate would promise it the holding, and the books would open a short and leave the holding for the next sell."""
    desk = Desk().opened(an_instrument(), positions={MOUTAI: 1000})
    found = denied(desk, sell(MOUTAI, 1000, position_effect=OPEN))
    assert (found.rule, found.was, found.this_order) == ("position_effect", "", "OPEN")
    assert "cannot be sold short, use AUTO or CLOSE" in found.text


def test_a_fill_that_a_broker_calls_a_short_sale_takes_what_is_held_where_nothing_can_be_short() -> None:
    desk = Desk().opened(an_instrument(), positions={MOUTAI: 1000})
    desk.give(an_execution(None, MOUTAI, Side.SELL, 1000, "10", "e2", order_id=OrderID("hand"), position_effect=OPEN))
    held = desk.state.held(ACCOUNT, Symbol(MOUTAI))
    assert (held.long_qty, held.short_qty) == (Decimal(0), Decimal(0))
    assert denied(desk, sell(MOUTAI, 100)).rule == "sellable"


def test_opening_the_same_trading_day_again_settles_nothing() -> None:
    desk = Desk().opened(T1)
    order = desk.order(buy(MOUTAI, 100))
    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 100, "10"))
    hours = desk.state.hours["CN_A"]
    later = tuple((start, UtcNs(end + SECOND_NS)) for start, end in hours.windows)
    desk.give(OpenTradingDay("CN_A", hours.trading_day, hours.windows), OpenTradingDay("CN_A", hours.trading_day, later))
    assert denied(desk, sell(MOUTAI, 100)).rule == "sellable"


def test_two_sells_that_pass_alone_do_not_pass_together() -> None:
    desk = Desk().opened(T1, positions={MOUTAI: 300})
    desk.order(sell(MOUTAI, 200))
    found = denied(desk, sell(MOUTAI, 200))
    assert (found.rule, found.limit, found.was, found.this_order) == ("sellable", "300", "200", "200")
    assert found.scope == f"account demo, symbol {MOUTAI}"


def test_a_stock_that_cannot_be_borrowed_is_not_sold_short_even_when_asked_to_open() -> None:
    desk = Desk().opened(an_instrument())
    assert denied(desk, sell(MOUTAI, 100, position_effect=OPEN)).rule == "sellable"


def test_a_sell_of_unknown_fate_keeps_its_shares() -> None:
    desk = Desk().opened(T1, positions={MOUTAI: 300})
    order = desk.order(sell(MOUTAI, 200))
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "UNKNOWN", "timeout"))
    assert desk.state.held(order.account, order.symbol).sellable(settles_t1=True) == Decimal(100)


def test_a_contract_is_closed_only_as_far_as_it_is_held() -> None:
    """D5."""
    desk = gold_desk()
    opened(desk, Side.SELL, 2, "e1")
    assert denied(desk, buy(AU, 3, position_effect=CLOSE)).limit == "2"
    assert denied(desk, sell(AU, 1, position_effect=CLOSE)).limit == "0"


def test_todays_and_yesterdays_contracts_are_closed_by_their_own_instructions() -> None:
    """D5."""
    desk = gold_desk()
    opened(desk, Side.BUY, 2, "e1")
    assert denied(desk, sell(AU, 1, position_effect=YESTERDAY)).limit == "0"
    assert accepted(desk, sell(AU, 2, position_effect=TODAY))


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_two_closes_of_todays_contracts_that_pass_alone_do_not_pass_together(side: Side) -> None:
    """D5: one contract is today's, one is yesterday's."""
    desk = gold_desk()
    opened(desk, side, 1, "e1")
    position = desk.state.positions["demo"]  # type: ignore[index]
    desk.wait(1)
    windows = desk.state.hours["CN_A"].windows
    desk.give(OpenTradingDay("CN_A", TradingDay("2026-07-20"), windows))
    opened(desk, side, 1, "e2")
    assert len(position) == 1
    close = {Side.BUY: sell, Side.SELL: buy}[side]
    desk.order(close(AU, 1, position_effect=TODAY))
    found = denied(desk, close(AU, 1, position_effect=TODAY))
    assert (found.limit, found.was, found.this_order) == ("1", "1", "1")
    assert accepted(desk, close(AU, 1, position_effect=YESTERDAY))


def test_what_a_check_denied_is_journalled_with_its_numbers() -> None:
    """S0-56."""
    desk = Desk().opened(T1, positions={MOUTAI: 100})
    denied(desk, sell(MOUTAI, 200))
    fact = desk.of(OrderDenied)[0]
    assert (fact.rule, fact.limit, fact.was, fact.this_order) == ("sellable", "100", "0", "200")
    assert "only 100 may be closed now" in fact.text


def test_a_quantity_that_is_no_lot_is_named_in_plain_notation() -> None:
    said = denied(Desk().opened(an_instrument()), buy(MOUTAI, Decimal("1E-8")))
    assert "order_qty was 0.00000001," in said.text


def test_what_was_bought_today_is_not_closed_today_where_t1_holds_even_of_a_contract_that_closes_by_day() -> None:
    """R27: whatever an instrument was listed as when it was bought."""
    desk = gold_desk()
    opened(desk, Side.BUY, 2, "e1")
    gold = desk.state.instruments[Symbol(AU)]
    desk.give(ListInstruments((msgspec.structs.replace(gold, settles_t1=True),)))
    assert denied(desk, sell(AU, 1, position_effect=TODAY)).limit == "0"
