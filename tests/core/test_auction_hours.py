"""The hours of an exchange that takes limits alone, or no cancels: what is closed, refused, kept and asked again then."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from tests.core.test_halt import GOLD, MOUTAI, gold, halt

from tradeloop.bootstrap.listing import Listing
from tradeloop.core.commands import CancelOrder, ListInstruments, OpenTradingDay
from tradeloop.core.effects import SendCancel, SendOrder, SetTimer
from tradeloop.core.events import HaltChecked, OrderDenied, OrderStaged, StopTriggered
from tradeloop.core.halt import HaltTier
from tradeloop.core.hours import Hours
from tradeloop.core.inputs import Start, TimerFired
from tradeloop.core.order import Order
from tradeloop.core.replies import Done, OrderReply
from tradeloop.core.reports import BrokerUp, CancelReject, SendOutcome
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, OrdStatus, OrdType, PositionEffect, Px, Side, TradingDay, UtcNs
from tradeloop.testing.builders import BROKER, DAY, a_quote, a_snapshot, an_execution, an_instrument, buy, sell
from tradeloop.testing.desk import Desk


def at(clock: str) -> UtcNs:
    hour, minute = map(int, clock.split(":"))
    return UtcNs(int(datetime(2026, 7, 17, hour, minute, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()) * SECOND_NS)


def a_desk(clock: str, held: int = 1000) -> Desk:
    """A day of the Shanghai exchange by the rows of its hours, at this time of day."""
    desk = Desk()
    desk.now = at(clock)
    share = an_instrument(MOUTAI, price_limit="0.1", cage=Decimal("0.02"), cage_ticks=10, settles_t1=True)
    desk.give(Start(1, "test", "t1"), ListInstruments((share,)), Listing.opening("CN_A", desk.now), BrokerUp(BROKER))
    desk.give(a_snapshot(positions={MOUTAI: held}, as_of=desk.now))
    quoted(desk)
    return desk


def quoted(desk: Desk, bid: str = "9.99", ask: str = "10.00") -> None:
    desk.give(a_quote(MOUTAI, bid, ask, at=desk.now, prev_close=Px(Decimal(10)), last=Px(Decimal(bid))))


def works(desk: Desk, side: Side = Side.SELL, px: str = "10.50") -> Order:
    make = sell if side is Side.SELL else buy
    order = desk.order(make(MOUTAI, 100, ord_type=OrdType.LIMIT, price=px))
    desk.ack(order)
    return order


@pytest.mark.parametrize(
    ("clock", "ord_type", "price"),
    [("14:56", OrdType.MARKET, None), ("14:57", OrdType.LIMIT, "9.00"), ("14:59", OrdType.LIMIT, "9.00")],
)
def test_a_flatten_in_the_closing_auction_goes_at_the_end_of_the_days_band(
    clock: str, ord_type: OrdType, price: str | None
) -> None:
    desk = a_desk(clock)
    halt(desk, HaltTier.FLATTEN)
    (closing,) = desk.of(OrderStaged)
    assert (closing.ord_type, closing.price) == (ord_type, None if price is None else Px(Decimal(price)))


def test_a_market_order_is_refused_in_the_auction_and_a_limit_is_not() -> None:
    desk = a_desk("14:58")
    reply = desk.give(sell(MOUTAI, 100))
    assert isinstance(reply, OrderReply)
    assert desk.of(OrderDenied)[-1].rule == "limits_only"
    assert desk.of(OrderDenied)[-1].text == (
        f"the exchange takes no market orders of {MOUTAI} in its auction, until 07:00:00Z; give a limit"
    )
    works(desk, px="10.10")


def test_a_closing_order_that_did_not_leave_before_the_auction_goes_at_a_limit_instead() -> None:
    desk = a_desk("14:56")
    halt(desk, HaltTier.FLATTEN)
    (first,) = desk.of(OrderStaged)
    desk.give(SendOutcome(BROKER, first.cl_ord_id, "NOT_SENT", "reset"))
    desk.now = at("14:58")
    quoted(desk)
    desk.give(TimerFired("resend", first.cl_ord_id), TimerFired("halt", "1"))
    assert desk.known(first.cl_ord_id).ord_status is OrdStatus.CANCELED
    assert [(each.ord_type, each.price) for each in desk.of(OrderStaged)][1:] == [(OrdType.LIMIT, Px(Decimal("9.00")))]


def test_the_hours_are_kept_in_a_snapshot() -> None:
    kept = State.unpack(a_desk("14:56").state.pack())
    assert kept.hours["CN_A"].limits_until(at("14:58")) == at("15:00")
    assert kept.hours["CN_A"].no_cancels_until(at("09:21")) == at("09:25")


def test_a_stop_without_a_limit_stays_on_watch_while_the_auction_takes_none() -> None:
    desk = a_desk("14:58")
    stop = desk.order(sell(MOUTAI, 100, ord_type=OrdType.STOP, stop_px="9.50"))
    limited = desk.order(sell(MOUTAI, 100, ord_type=OrdType.STOP_LIMIT, stop_px="9.50", price="9.20"))
    quoted(desk, "9.40", "9.41")
    assert [each.cl_ord_id for each in desk.of(StopTriggered)] == [limited.cl_ord_id]
    assert desk.known(stop.cl_ord_id).is_held


# --- cancels


@pytest.mark.parametrize(("clock", "told"), [("14:56", False), ("14:57", True)])
def test_a_cancel_is_sent_when_none_are_taken_and_its_author_is_told(clock: str, told: bool) -> None:
    desk = a_desk(clock)
    order = works(desk)
    reply = desk.give(CancelOrder(order.cl_ord_id, "ann"))
    assert isinstance(reply, Done)
    sentence = f"the exchange takes no cancels of {MOUTAI} until 07:00:00Z, and will refuse it: ask again then"
    assert (sentence in reply.text) is told
    assert [each.cl_ord_id for each in desk.of(SendCancel)] == [order.cl_ord_id]


@pytest.mark.parametrize("clock", ["14:30", "14:58"])
def test_a_refused_cancel_that_a_halt_wants_is_asked_again_when_the_exchange_takes_cancels(clock: str) -> None:
    desk = a_desk(clock)
    order = works(desk)
    halt(desk, HaltTier.CANCEL_ALL)
    desk.give(CancelReject(BROKER, order.cl_ord_id, "busy", "no cancels now"))
    again = [each.due for each in desk.of(SetTimer) if each.kind == "cancel_again"][-1]
    assert again == (at("15:00") if clock == "14:58" else UtcNs(desk.now + 5 * SECOND_NS))
    desk.now = again
    desk.give(TimerFired("cancel_again", order.cl_ord_id))
    assert len(desk.of(SendCancel)) == 2


def test_what_is_in_the_way_of_a_flatten_says_that_no_cancels_are_taken() -> None:
    desk = a_desk("14:58", held=100)
    order = works(desk)
    halt(desk, HaltTier.FLATTEN)
    last = desk.of(HaltChecked)[-1]
    assert f"order {order.cl_ord_id} is to go first, and the exchange takes no cancels until 07:00:00Z" in last.held[0]
    assert not last.done


def closing(desk: Desk) -> list[tuple[Side, int, Px | None]]:
    return [(each.side, int(each.order_qty), each.price) for each in desk.of(OrderStaged) if each.halt]


def test_what_an_order_that_cannot_be_cancelled_leaves_free_is_closed_beside_it_at_once() -> None:
    desk = a_desk("14:58")
    works(desk)
    halt(desk, HaltTier.FLATTEN)
    assert closing(desk) == [(Side.SELL, 900, Px(Decimal("9.00")))]
    for _ in range(3):
        desk.wait(5)
        quoted(desk)
        desk.give(TimerFired("halt", "1"))
    assert len(closing(desk)) == 1
    assert not desk.of(HaltChecked)[-1].done


def test_while_cancels_are_taken_what_is_in_the_way_goes_first() -> None:
    desk = a_desk("14:30")
    works(desk)
    halt(desk, HaltTier.FLATTEN)
    assert (closing(desk), len(desk.of(SendCancel))) == ([], 1)


def test_beside_a_buy_that_cannot_be_cancelled_it_is_closed_at_a_price_that_does_not_meet_it() -> None:
    desk = a_desk("14:58")
    works(desk, Side.BUY, "9.50")
    halt(desk, HaltTier.FLATTEN)
    assert closing(desk) == [(Side.SELL, 1000, Px(Decimal("9.51")))]


def test_of_a_contract_the_part_that_is_free_is_closed_beside_an_order_for_the_other() -> None:
    """Ten of yesterday, of which two are on their way out, and four of today."""
    fut = gold()
    desk = Desk().opened(fut, cash=1_000_000, positions={GOLD: 10})
    bought = desk.order(buy(GOLD, 4, position_effect=PositionEffect.OPEN))
    desk.give(an_execution(bought.cl_ord_id, GOLD, Side.BUY, 4, 10))
    for effect in (PositionEffect.CLOSE_YESTERDAY, PositionEffect.CLOSE_TODAY):
        order = desk.order(sell(GOLD, 2, ord_type=OrdType.LIMIT, price="11", position_effect=effect))
        desk.ack(order, effect.value)
    end = UtcNs(desk.now + 300 * SECOND_NS)
    desk.give(OpenTradingDay(fut.session, DAY, ((UtcNs(0), end),), auctions=((desk.now, end),), no_cancels=((desk.now, end),)))

    halt(desk, HaltTier.FLATTEN)

    parts = [(each.position_effect, int(each.order_qty)) for each in desk.of(OrderStaged) if each.halt]
    assert parts == [(PositionEffect.CLOSE_YESTERDAY, 8), (PositionEffect.CLOSE_TODAY, 2)]


def test_a_closing_limit_is_not_renewed_while_no_cancels_are_taken() -> None:
    desk = a_desk("14:57")
    halt(desk, HaltTier.FLATTEN)
    (closing,) = desk.state.orders.open.values()
    desk.ack(closing)
    desk.wait(60)
    quoted(desk, "8.90", "8.91")
    desk.give(TimerFired("halt", "1"))
    assert (len(desk.of(SendOrder)), desk.of(SendCancel)) == (1, [])


def test_spans_that_touch_are_one_and_an_hour_outside_them_is_free() -> None:
    times = [UtcNs(each) for each in (10, 20, 30)]
    limits = ((times[0], times[1]), (times[1], times[2]))
    hours = Hours(TradingDay("2026-07-17"), (), limits_only=limits, no_cancels=limits[1:])
    assert [hours.limits_until(UtcNs(each)) for each in (9, 10, 20, 29, 30)] == [None, 30, 30, 30, None]
    assert [hours.no_cancels_until(UtcNs(each)) for each in (19, 20, 30)] == [None, 30, None]
