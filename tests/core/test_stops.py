"""Stops that the engine holds: watched on every quote, fired once, and still there after a restart."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tradeloop.core.commands import CancelOrder, HaltTrading, OpenTradingDay, ReleaseHalt, ReleaseSymbol
from tradeloop.core.effects import RaiseAlert, SendCancel, SendOrder
from tradeloop.core.events import OrderExpired, SendBegun, StopTriggered
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.inputs import Start
from tradeloop.core.order import Order
from tradeloop.core.reports import BrokerDown, BrokerUp, Quote, SendOutcome
from tradeloop.core.risk import pipeline
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, OrderID, OrdStatus, OrdType, Side, Symbol, TimeInForce, TradingDay, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, Number, a_quote, a_snapshot, an_execution, an_instrument, buy, sell
from tradeloop.testing.desk import ABLE, Desk

MOUTAI = "600519.SH"
HELD: dict[str, Number] = {MOUTAI: 1000}


def a_desk() -> Desk:
    return Desk().opened(an_instrument(), positions=HELD)


def buy_stop(desk: Desk, stop: str = "11", **changes: Any) -> Order:
    return desk.order(buy(MOUTAI, 100, ord_type=OrdType.STOP, stop_px=stop, **changes))


def sell_stop(desk: Desk, stop: str = "9", **changes: Any) -> Order:
    return desk.order(sell(MOUTAI, 100, ord_type=OrdType.STOP, stop_px=stop, **changes))


def quote(desk: Desk, bid: str | None, ask: str | None, **changes: Any) -> Quote:
    return a_quote(bid=bid, ask=ask, at=desk.now, **changes)


def test_a_stop_is_kept_here_until_the_market_reaches_it() -> None:
    desk = a_desk()
    order = buy_stop(desk)
    desk.give(quote(desk, "10.98", "10.99"))
    assert (desk.known(order.cl_ord_id).ord_status, desk.of(SendBegun)) == (OrdStatus.STAGED, [])


@pytest.mark.parametrize(("bid", "ask"), [("10.99", "11.00"), ("11.40", "11.50")])
def test_a_buy_stop_fires_at_or_above_its_price(bid: str, ask: str) -> None:
    desk = a_desk()
    order = buy_stop(desk)
    desk.give(quote(desk, bid, ask))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.PENDING_NEW
    assert [e.px for e in desk.of(StopTriggered)] == [Decimal(ask)]


@pytest.mark.parametrize(("bid", "ask"), [("9.00", "9.01"), ("8.00", "8.01")])
def test_a_sell_stop_fires_at_or_below_its_price(bid: str, ask: str) -> None:
    desk = a_desk()
    order = sell_stop(desk)
    desk.give(quote(desk, bid, ask))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.PENDING_NEW


def test_a_sell_stop_looks_at_the_bid_and_not_at_the_last_price() -> None:
    desk = a_desk()
    sell_stop(desk)
    desk.give(quote(desk, "9.10", "9.11", last=Decimal("8.00")))
    assert desk.of(StopTriggered) == []


def test_a_stop_is_measured_by_the_last_price_where_there_is_no_book() -> None:
    desk = a_desk()
    sell_stop(desk)
    desk.give(quote(desk, None, None, last=Decimal("8.90")))
    assert len(desk.of(StopTriggered)) == 1


def test_a_stop_fires_once() -> None:
    desk = a_desk()
    buy_stop(desk)
    for _ in range(3):
        desk.give(quote(desk, "11.00", "11.01"))
    assert (len(desk.of(StopTriggered)), len(desk.of(SendOrder))) == (1, 1)


def test_a_stop_limit_becomes_a_limit_order_at_its_own_price() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100, ord_type=OrdType.STOP_LIMIT, stop_px="11", price="11.20"))
    desk.give(quote(desk, "11.00", "11.01"))
    sent = desk.of(SendOrder)[0].order.order
    assert (sent.cl_ord_id, sent.ord_type, sent.price) == (order.cl_ord_id, OrdType.STOP_LIMIT, Decimal("11.20"))


def test_a_held_stop_reserves_its_cash_at_its_stop_price() -> None:
    assert buy_stop(a_desk(), "20").reserved == Decimal("2020.00")


def test_a_held_sell_stop_keeps_its_shares() -> None:
    desk = a_desk()
    order = sell_stop(desk)
    assert desk.state.held(order.account, order.symbol).long_frozen == Decimal(100)


def test_a_cancelled_stop_never_fires_and_the_broker_is_not_asked() -> None:
    desk = a_desk()
    order = buy_stop(desk)
    desk.give(CancelOrder(order.cl_ord_id, "tester"), quote(desk, "11.00", "11.01"))
    assert (desk.of(StopTriggered), desk.of(SendCancel)) == ([], [])


def test_a_stop_survives_the_packing_of_the_state() -> None:
    desk = a_desk()
    buy_stop(desk)
    desk.state = State.unpack(desk.state.pack())
    desk.give(quote(desk, "11.00", "11.01"), quote(desk, "11.00", "11.01"))
    assert len(desk.of(StopTriggered)) == 1


def test_a_fired_stop_does_not_fire_again_from_a_packed_state() -> None:
    desk = a_desk()
    buy_stop(desk)
    desk.give(quote(desk, "11.00", "11.01"))
    desk.state = State.unpack(desk.state.pack())
    desk.give(quote(desk, "11.00", "11.01"))
    assert len(desk.of(StopTriggered)) == 1


def test_a_stop_survives_a_restart_and_is_not_sent_by_it() -> None:
    desk = a_desk()
    order = buy_stop(desk)
    desk.give(Start(2, "test", "t1"), BrokerUp(BROKER), a_snapshot(positions=HELD))
    assert (desk.known(order.cl_ord_id).ord_status, desk.of(SendBegun)) == (OrdStatus.STAGED, [])
    desk.give(quote(desk, "11.00", "11.01"))
    assert len(desk.of(SendBegun)) == 1


def test_a_stop_that_fires_while_the_broker_is_away_is_sent_when_it_is_back() -> None:
    desk = a_desk()
    order = buy_stop(desk)
    desk.give(BrokerDown(BROKER, "gone"), quote(desk, "11.00", "11.01"))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.STAGED
    desk.give(BrokerUp(BROKER), a_snapshot(positions=HELD))
    assert (len(desk.of(StopTriggered)), len(desk.of(SendBegun))) == (1, 1)


def test_a_quote_outside_trading_hours_fires_no_stop() -> None:
    """Fired then, the order could not be sent, and its protection would be gone."""
    desk = a_desk()
    order = sell_stop(desk, tif=TimeInForce.GTC)
    desk.wait(2 * 86_400)
    desk.give(quote(desk, "8.00", "8.01"))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.STAGED
    window = ((UtcNs(desk.now - SECOND_NS), UtcNs(desk.now + 3600 * SECOND_NS)),)
    desk.give(OpenTradingDay("CN_A", TradingDay("2026-07-20"), window), quote(desk, "8.00", "8.01"))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.PENDING_NEW


def test_an_old_quote_fires_no_stop() -> None:
    desk = a_desk()
    order = sell_stop(desk)
    late = quote(desk, "8.00", "8.01")
    desk.wait(61)
    desk.give(late)
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.STAGED


def test_a_quote_of_a_suspended_instrument_fires_no_stop() -> None:
    desk = a_desk()
    order = sell_stop(desk)
    desk.give(quote(desk, "8.00", "8.01", suspended=True))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.STAGED


@pytest.mark.parametrize(("tif", "status"), [(TimeInForce.DAY, OrdStatus.EXPIRED), (TimeInForce.GTC, OrdStatus.STAGED)])
def test_a_held_stop_lasts_as_long_as_its_time_in_force(tif: TimeInForce, status: OrdStatus) -> None:
    desk = a_desk()
    order = sell_stop(desk, tif=tif)
    desk.give(OpenTradingDay("CN_A", TradingDay("2026-07-20"), desk.state.hours["CN_A"].windows))
    assert desk.known(order.cl_ord_id).ord_status is status
    frozen = desk.state.held(order.account, order.symbol).long_frozen
    assert frozen == (0 if desk.of(OrderExpired) else 100)


def test_a_stop_the_broker_holds_is_sent_at_once_and_not_watched_here() -> None:
    every = msgspec.structs.replace(ABLE, ord_types=frozenset(OrdType), holds_stops=True)
    desk = Desk(able=every).opened(an_instrument(), positions=HELD)
    order = sell_stop(desk)
    desk.ack(order)
    desk.give(quote(desk, "8.00", "8.01"))
    assert (len(desk.of(SendBegun)), desk.of(StopTriggered)) == (1, [])


def test_a_fired_stop_is_filled_like_any_order() -> None:
    desk = a_desk()
    order = sell_stop(desk)
    desk.give(quote(desk, "8.00", "8.01"))
    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.SELL, 100, "8.00"))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.FILLED
    assert desk.state.held(order.account, order.symbol).long_qty == Decimal(900)


def test_a_stop_that_had_to_be_given_up_is_told_to_a_person_at_once() -> None:
    """The protection is gone; silence about it would be the worst of all."""
    desk = Desk().opened(an_instrument("600519.SH"), positions={"600519.SH": 1000})
    stop = desk.order(sell("600519.SH", 1000, ord_type=OrdType.STOP, stop_px="9.50"))
    desk.give(an_execution(None, "600519.SH", Side.SELL, 1000, "9.99", exec_id="elsewhere", order_id=OrderID("theirs")))

    desk.give(a_quote("600519.SH", bid="9.40", ask="9.41", at=desk.now))

    assert [alert.level for alert in desk.of(RaiseAlert) if alert.key == f"never_sent:{stop.cl_ord_id}"] == ["CRITICAL"]


def a_stop_that_fired_beside_an_order_of_unknown_fate() -> tuple[Desk, Order, Order]:
    """The desk, the order without an answer, and the stop."""
    desk = a_desk()
    lost = desk.order(buy(MOUTAI, 100, ord_type=OrdType.LIMIT, price="10"))
    stop = sell_stop(desk)
    desk.give(SendOutcome(BROKER, lost.cl_ord_id, "UNKNOWN", "no answer"))
    desk.give(quote(desk, "8.99", "9.00"))
    assert stop.triggered_at is not None
    assert stop.ord_status is OrdStatus.STAGED
    return desk, lost, stop


def test_a_fired_stop_leaves_with_the_first_quote_after_what_stood_in_its_way() -> None:
    """The next look may be half a minute away, and the market falls."""
    desk, lost, stop = a_stop_that_fired_beside_an_order_of_unknown_fate()
    desk.ack(lost)
    desk.give(quote(desk, "8.90", "8.91"))
    assert stop.ord_status is OrdStatus.PENDING_NEW
    assert len(desk.of(StopTriggered)) == 1


def test_a_fired_stop_that_waits_survives_the_packing_of_the_state() -> None:
    desk, lost, stop = a_stop_that_fired_beside_an_order_of_unknown_fate()
    desk.state = State.unpack(desk.state.pack())
    desk.ack(lost)
    desk.give(quote(desk, "8.90", "8.91"))
    assert desk.known(stop.cl_ord_id).ord_status is OrdStatus.PENDING_NEW


def test_a_fired_stop_that_is_on_its_way_is_asked_of_no_quote() -> None:
    desk = a_desk()
    stop = sell_stop(desk)
    desk.give(quote(desk, "8.99", "9.00"))
    assert stop.ord_status is OrdStatus.PENDING_NEW
    assert not desk.state.stops[stop.symbol]


def test_whoever_releases_an_instrument_wakes_its_fired_stop() -> None:
    desk = a_desk()
    filled = desk.order(buy(MOUTAI, 100))
    stop = sell_stop(desk)
    desk.give(an_execution(filled.cl_ord_id, MOUTAI, Side.BUY, 300, "10.00"))
    desk.give(quote(desk, "8.99", "9.00"))
    assert stop.send_begun_at is None
    desk.give(ReleaseSymbol(stop.symbol, "ann", "looked at the contract note"))
    assert stop.ord_status is OrdStatus.PENDING_NEW


def a_thing_in_the_way(desk: Desk, what: str) -> None:
    """From now on nothing leaves in the symbol."""
    if what == "broker":
        desk.give(BrokerDown(BROKER, "line lost"))
    else:
        desk.give(HaltTrading(HaltTier.HALT, "ann", "a look", HaltScope(what), {"account": ACCOUNT}.get(what, "")))


def it_is_gone(desk: Desk, what: str) -> None:
    if what == "broker":
        desk.give(BrokerUp(BROKER), a_snapshot(positions=HELD, as_of=desk.now, asked_at=desk.now))
    else:
        desk.give(ReleaseHalt("ann", "looked", HaltScope(what), {"account": ACCOUNT}.get(what, ""), numbers=(1,)))


def fired(desk: Desk) -> list[Order]:
    """Two stops that have fired while their broker was away, and wait."""
    stops = [sell_stop(desk), sell_stop(desk)]
    desk.give(BrokerDown(BROKER, "line lost"), quote(desk, "8.99", "9.00"))
    assert [stop.ord_status for stop in stops] == [OrdStatus.STAGED] * 2
    return stops


@pytest.mark.parametrize("what", ["broker", "account", "global"])
def test_what_all_fired_stops_wait_for_is_asked_for_once_a_quote(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = a_desk()
    stops = fired(desk)
    if what != "broker":
        a_thing_in_the_way(desk, what)
        it_is_gone(desk, "broker")
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "recheck", None)
        desk.give(quote(desk, "8.90", "8.91"))
    assert [stop.ord_status for stop in stops] == [OrdStatus.STAGED] * 2
    it_is_gone(desk, what)
    desk.give(quote(desk, "8.90", "8.91"))
    assert [stop.ord_status for stop in stops] == [OrdStatus.PENDING_NEW] * 2


def test_a_fired_stop_that_waits_ends_with_its_day() -> None:
    desk = a_desk()
    fired(desk)
    session = desk.state.instruments[Symbol(MOUTAI)].session
    desk.state.hours[session] = msgspec.structs.replace(desk.state.hours[session], trading_day=TradingDay("2030-01-02"))
    desk.give(quote(desk, "8.90", "8.91"))
    assert len(desk.of(OrderExpired)) == 2


def test_a_fired_stop_that_waits_is_taken_out_by_a_halt_that_cancels() -> None:
    desk = a_desk()
    stops = fired(desk)
    a_thing_in_the_way(desk, "global")
    desk.give(HaltTrading(HaltTier.CANCEL_ALL, "ann", "out"))
    desk.give(quote(desk, "8.90", "8.91"))
    assert {desk.known(stop.cl_ord_id).ord_status for stop in stops} == {OrdStatus.CANCELED}
