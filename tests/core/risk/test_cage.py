"""The price cage (R26): how far beyond the market a limit may lie while orders are matched one by one."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from tests.core.risk.cases import MOUTAI, buys, quoted, refused, sells, waits

from tradeloop.core.commands import OpenTradingDay, ReplaceOrder
from tradeloop.core.hours import Hours
from tradeloop.core.replies import OrderReply
from tradeloop.core.types import SECOND_NS, OrdType, Px, UtcNs
from tradeloop.testing.builders import DAY, NOON, a_quote, an_instrument, buy
from tradeloop.testing.desk import Desk

HOUR = 3600 * SECOND_NS


def caged(cage: str = "0.02", ticks: int = 0) -> Desk:
    """A desk with a holding of a stock whose limits lie in a cage, quoted 9.99 to 10.00."""
    stock = an_instrument(MOUTAI, cage=Decimal(cage), cage_ticks=ticks)
    return Desk().opened(stock, positions={MOUTAI: 1000}, costs={MOUTAI: 10_000})


def test_a_buy_goes_to_the_cage_above_the_lowest_offer_and_no_further() -> None:
    desk = caged()
    assert refused(desk, buys(100, price="10.20")) is None
    denied = refused(desk, buys(100, price="10.21"))
    assert denied is not None
    assert (denied.rule, denied.limit, denied.was, denied.this_order) == ("price_cage", "at most 10.20", "10.00", "10.21")
    assert denied.text == (
        "price was 10.21; BUY orders of 600519.SH may be at most 10.20 now, by the best offer or the last price (10.00); "
        "move the price"
    )


def test_a_sell_goes_to_the_cage_below_the_highest_bid_and_no_further() -> None:
    desk = caged()
    assert refused(desk, sells(100, price="9.79")) is None
    denied = refused(desk, sells(100, price="9.78"))
    assert denied is not None
    assert (denied.rule, denied.limit) == ("price_cage", "at least 9.79")


def test_the_far_side_of_the_market_has_no_cage() -> None:
    desk = caged()
    assert refused(desk, buys(100, price="1")) is None
    assert refused(desk, sells(100, price="99")) is None


def test_the_free_ticks_hold_where_they_reach_further() -> None:
    desk = caged(ticks=30)
    assert refused(desk, buys(100, price="10.30")) is None
    assert refused(desk, buys(100, price="10.31")) is not None


@pytest.mark.parametrize(
    ("show", "most"),
    [
        (quoted("9.00", None, last="8.00", prev_close="7.00"), "9.18"),
        (quoted(None, None, last="8.00", prev_close="7.00"), "8.16"),
        (quoted(None, None, prev_close="7.00"), "7.14"),
    ],
)
def test_without_an_offer_the_cage_hangs_on_the_bid_the_last_price_or_the_close(
    show: Callable[[Desk], object], most: str
) -> None:
    desk = caged()
    show(desk)
    assert refused(desk, buys(100, price=most)) is None
    assert refused(desk, buys(100, price=str(Decimal(most) + Decimal("0.01")))) is not None


def test_who_sees_no_present_market_leaves_the_cage_to_the_exchange() -> None:
    desk = caged()
    waits(61)(desk)
    assert refused(desk, buys(100, price="11")) is None


def test_orders_of_an_auction_have_no_cage() -> None:
    desk = caged()
    whole = (UtcNs(NOON - HOUR), UtcNs(NOON + HOUR))
    auction = (UtcNs(NOON + 60 * SECOND_NS), UtcNs(NOON + 120 * SECOND_NS))
    desk.give(OpenTradingDay("CN_A", DAY, (whole,), (auction,)))
    desk.wait(59)
    desk.give(a_quote(MOUTAI, at=desk.now))
    assert refused(desk, buys(100, price="11")) is not None
    desk.wait(1)
    assert refused(desk, buys(100, price="11")) is None
    desk.wait(60)
    desk.give(a_quote(MOUTAI, at=desk.now))
    assert refused(desk, buys(100, price="11")) is not None


def test_the_auctions_of_a_day_are_told_anew_where_they_were_not_known() -> None:
    desk = caged()
    windows = desk.state.hours["CN_A"].windows
    desk.give(OpenTradingDay("CN_A", DAY, windows, windows))
    assert desk.state.hours["CN_A"] == Hours(DAY, windows, windows, began_at=NOON)
    made = len(desk.events)
    desk.give(OpenTradingDay("CN_A", DAY, windows, windows))
    assert len(desk.events) == made


def test_a_change_stays_inside_the_cage_as_well() -> None:
    desk = caged()
    order = desk.order(buys(100, price="10"))
    desk.ack(order)
    reply = desk.give(ReplaceOrder(order.cl_ord_id, "ann", price=Px(Decimal("10.21"))))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert reply.denied.rule == "price_cage"


def test_a_stop_meets_the_cage_when_it_fires_and_not_before() -> None:
    desk = caged()
    stop = desk.order(buy(MOUTAI, 100, ord_type=OrdType.STOP_LIMIT, price="11.00", stop_px="10.90"))
    desk.give(a_quote(MOUTAI, "10.89", "10.90", at=desk.now))
    assert desk.known(stop.cl_ord_id).send_begun_at == desk.now, "11.00 is within 2 % of 10.90"
