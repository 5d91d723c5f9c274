"""An order that leaves later than it was made is judged by the present: its run, its day, its price, its cash."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.core.runs_made import A, Work

from tradeloop.core.commands import CancelOrder, ListInstruments, OpenTradingDay, PauseRun, ResumeRun
from tradeloop.core.effects import SendOrder
from tradeloop.core.events import OrderCanceled, OrderDenied, OrderExpired, ReserveRaised, SendBegun
from tradeloop.core.inputs import TimerFired
from tradeloop.core.instrument import AssetClass
from tradeloop.core.order import Order
from tradeloop.core.reports import SendOutcome
from tradeloop.core.risk.pipeline import approved
from tradeloop.core.staging import stage
from tradeloop.core.state import State
from tradeloop.core.types import (
    SECOND_NS,
    ClOrdID,
    OrderID,
    OrdStatus,
    OrdType,
    RunStatus,
    Side,
    TimeInForce,
    TradingDay,
    UtcNs,
)
from tradeloop.testing.builders import BROKER, a_quote, a_snapshot, an_execution, an_instrument, buy, sell, their_order
from tradeloop.testing.desk import Desk

MOUTAI, AU = "600519.SH", "au2512.SHFE"


def not_sent(desk: Desk, cl_ord_id: ClOrdID) -> None:
    desk.give(SendOutcome(BROKER, cl_ord_id, "NOT_SENT", "connection refused"))


def again(desk: Desk, cl_ord_id: ClOrdID, bid: str = "9.99", ask: str = "10.00", **changes: Any) -> None:
    """A second later the order is tried again, in the market given."""
    desk.wait(1)
    desk.give(a_quote(desk.known(cl_ord_id).symbol, bid=bid, ask=ask, at=desk.now, **changes))
    desk.give(TimerFired("resend", cl_ord_id))


def stop(desk: Desk, px: str = "11", **changes: Any) -> Order:
    return desk.order(buy(MOUTAI, 100, ord_type=OrdType.STOP, stop_px=px, **changes))


# --- the run


def test_the_staged_order_of_a_paused_run_stays_here_until_the_run_goes_on() -> None:
    work = Work.begun({A: "0.1"})
    not_sent(work.desk, work.order(A).cl_ord_id)
    work.desk.give(PauseRun(work.run_id, "ann"))
    again(work.desk, work.order(A).cl_ord_id)
    work.desk.give(a_snapshot(as_of=work.desk.now))
    assert (work.order(A).ord_status, len(work.desk.of(SendOrder))) == (OrdStatus.STAGED, 1)
    work.desk.give(ResumeRun(work.run_id, "ann"))
    assert (work.status, len(work.desk.of(SendOrder))) == (RunStatus.RUNNING, 2)


# --- the day


def test_a_day_order_is_not_sent_on_another_trading_day() -> None:
    desk = Desk().opened(an_instrument())
    order = desk.order(buy(MOUTAI, 100))
    desk.wait(86_400)
    window = ((UtcNs(desk.now - SECOND_NS), UtcNs(desk.now + 3600 * SECOND_NS)),)
    desk.give(OpenTradingDay("CN_A", TradingDay("2026-07-20"), window))
    not_sent(desk, order.cl_ord_id)
    again(desk, order.cl_ord_id)
    assert [e.text for e in desk.of(OrderExpired)] == ["a DAY order of 2026-07-17, never sent"]
    assert len(desk.of(SendOrder)) == 1


def test_an_order_good_till_cancelled_is_sent_on_another_trading_day() -> None:
    desk = Desk().opened(an_instrument())
    order = desk.order(buy(MOUTAI, 100, tif=TimeInForce.GTC))
    not_sent(desk, order.cl_ord_id)
    desk.give(OpenTradingDay("CN_A", TradingDay("2026-07-20"), desk.state.hours["CN_A"].windows))
    again(desk, order.cl_ord_id)
    assert len(desk.of(SendOrder)) == 2


# --- the cash


def test_a_stop_that_gaps_past_the_free_cash_is_not_sent() -> None:
    desk = Desk().opened(an_instrument(), cash=1120)
    order = stop(desk)
    assert order.reserved == Decimal("1111.00")
    desk.wait(1)
    desk.give(a_quote(bid="19.99", ask="20.00", at=desk.now))
    assert desk.of(SendOrder) == []
    (ended,) = desk.of(OrderCanceled)
    assert ended.text.startswith("never sent: BUY 100 600519.SH may cost 2020.00 CNY at present prices, 1111.00 is reserved")
    assert desk.state.accounts[order.account].cash[desk.state.instruments[order.symbol].currency].reserved == 0


def test_a_stop_that_gaps_takes_the_free_cash_it_may_cost_before_it_is_sent() -> None:
    desk = Desk().opened(an_instrument(), cash=3000)
    order = stop(desk)
    desk.wait(1)
    desk.give(a_quote(bid="19.99", ask="20.00", at=desk.now))
    assert [e.reserve for e in desk.of(ReserveRaised)] == [Decimal("2020.00")]
    assert (desk.known(order.cl_ord_id).reserved, len(desk.of(SendOrder))) == (Decimal("2020.00"), 1)
    book = desk.state.accounts[order.account].cash[desk.state.instruments[order.symbol].currency]
    assert (book.reserved, book.free) == (Decimal("2020.00"), Decimal("980.00"))
    assert State.unpack(desk.state.pack()).hash() == desk.state.hash()


def test_a_late_order_keeps_its_reserve_where_it_still_suffices() -> None:
    desk = Desk().opened(an_instrument(), cash=1100)
    order = desk.order(buy(MOUTAI, 100))
    not_sent(desk, order.cl_ord_id)
    again(desk, order.cl_ord_id)
    assert (desk.of(ReserveRaised), len(desk.of(SendOrder))) == ([], 2)


def test_two_stops_that_fit_alone_and_not_together_do_not_both_leave() -> None:
    desk = Desk().opened(an_instrument(), cash=4000)
    stop(desk)
    stop(desk)
    desk.wait(1)
    desk.give(a_quote(bid="19.99", ask="20.00", at=desk.now))
    assert (len(desk.of(SendOrder)), len(desk.of(OrderCanceled))) == (1, 1)
    assert desk.of(SendBegun)


# --- the price


def test_a_late_order_off_the_new_tick_or_outside_the_days_limits_is_not_sent() -> None:
    limited = an_instrument(price_limit="0.1")
    for changed, prev_close, why in (
        (an_instrument(tick="0.05"), None, "the tick of 600519.SH is 0.05"),
        (limited, Decimal("9.10"), "today's limits of 600519.SH are 8.19 to 10.01"),
        (an_instrument(lot=200, min_qty=200), None, "the lot of 600519.SH is 200"),
    ):
        desk = Desk().opened(limited)
        order = desk.order(buy(MOUTAI, 100, ord_type=OrdType.LIMIT, price="10.02"))
        not_sent(desk, order.cl_ord_id)
        desk.give(ListInstruments((changed,)))
        again(desk, order.cl_ord_id, prev_close=prev_close)
        assert len(desk.of(SendOrder)) == 1
        assert why in desk.of(OrderCanceled)[-1].text


def test_an_odd_remainder_that_was_promised_to_a_sell_is_sent_late_too() -> None:
    desk = Desk().opened(an_instrument(settles_t1=True), positions={MOUTAI: 150})
    order = desk.order(sell(MOUTAI, 150))
    not_sent(desk, order.cl_ord_id)
    again(desk, order.cl_ord_id)
    assert len(desk.of(SendOrder)) == 2


def test_an_order_whose_market_shows_no_offer_now_waits_for_one() -> None:
    desk = Desk().opened(an_instrument())
    order = desk.order(buy(MOUTAI, 100))
    not_sent(desk, order.cl_ord_id)
    again(desk, order.cl_ord_id, bid="0", ask="0")
    assert (desk.known(order.cl_ord_id).ord_status, len(desk.of(SendOrder))) == (OrdStatus.STAGED, 1)
    again(desk, order.cl_ord_id)
    assert len(desk.of(SendOrder)) == 2


def test_a_late_stop_whose_cancel_was_wanted_never_leaves() -> None:
    desk = Desk().opened(an_instrument())
    order = stop(desk)
    desk.give(CancelOrder(order.cl_ord_id, "tester"))
    again(desk, order.cl_ord_id, bid="11", ask="11.01")
    assert desk.of(SendOrder) == []


# --- a market without a price


@pytest.mark.parametrize(("bid", "ask"), [("-6", "-5"), ("0", "0")])
def test_a_buy_in_a_market_without_a_price_is_denied(bid: str, ask: str) -> None:
    """Its cost had no bound: an order of any size would have passed for nothing."""
    desk = Desk().opened(an_instrument())
    desk.give(a_quote(bid=bid, ask=ask))
    desk.give(buy(MOUTAI, 100_000_000))
    assert [e.rule for e in desk.of(OrderDenied)] == ["no_price"]


def test_an_empty_offer_is_bounded_by_the_bid_and_the_cash_holds() -> None:
    desk = Desk().opened(an_instrument())
    desk.give(a_quote(bid="9.99", ask="0"))
    desk.give(buy(MOUTAI, 100_000_000))
    assert [e.rule for e in desk.of(OrderDenied)] == ["cash"]


def test_a_future_at_a_price_below_zero_is_not_opened() -> None:
    gold = an_instrument(AU, asset_class=AssetClass.FUTURE, lot=1, min_qty=1, margin_rate="0.1", shortable=True)
    desk = Desk().opened(gold)
    desk.give(a_quote(AU, bid="-38", ask="-37"))
    desk.give(buy(AU, 1))
    assert [e.rule for e in desk.of(OrderDenied)] == ["no_price"]


def test_an_order_of_more_digits_than_the_ledger_holds_is_denied_and_not_an_error() -> None:
    coin = an_instrument("BTC.X", lot="0.00000001", min_qty="0.00000001", asset_class=AssetClass.CRYPTO)
    desk = Desk().opened(coin, cash="99000000000")
    intent = buy("BTC.X", "9753636622.13365735")
    facts = list(stage(desk.state, desk.around, intent, desk.now))
    assert [(type(e), getattr(e, "rule", "")) for e in facts] == [(OrderDenied, "exact_qty")]


# --- the proof for the wire


def test_an_order_made_elsewhere_has_no_proof_for_the_wire() -> None:
    desk = Desk().opened(an_instrument())
    theirs = their_order(None, MOUTAI, Side.BUY, 100, OrdStatus.NEW)
    desk.give(a_snapshot(orders=(theirs,)))
    (order,) = desk.state.orders.open.values()
    with pytest.raises(ValueError, match="never passed risk; only a staged order can be sent"):
        approved(order)


def test_a_late_sell_never_closes_what_somebody_sold_elsewhere() -> None:
    """A held stop must not open a short in a stock that cannot be sold short."""
    desk = Desk().opened(an_instrument("600519.SH"), positions={"600519.SH": 1000})
    stop = desk.order(sell("600519.SH", 1000, ord_type=OrdType.STOP, stop_px="9.50"))
    desk.give(an_execution(None, "600519.SH", Side.SELL, 1000, "9.99", exec_id="elsewhere", order_id=OrderID("theirs")))

    desk.give(a_quote("600519.SH", bid="9.40", ask="9.41", at=desk.now))

    assert not desk.of(SendOrder)
    assert desk.known(stop.cl_ord_id).ord_status is OrdStatus.CANCELED
