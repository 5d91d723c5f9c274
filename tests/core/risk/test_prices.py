"""Rules of price at their edges: what is not known, what only closes, and stops."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from tests.core.risk.cases import MOUTAI, a_limit, buys, limited, quoted, refused, sells, waits
from tests.core.risk.prices_cases import holding

from tradeloop.core.commands import ReplaceOrder
from tradeloop.core.decide import RESEND
from tradeloop.core.inputs import TimerFired
from tradeloop.core.instrument import AssetClass
from tradeloop.core.limit import RiskLimit, Severity
from tradeloop.core.replies import OrderReply
from tradeloop.core.risk.registry import RULES
from tradeloop.core.surroundings import Policy
from tradeloop.core.types import OrdType, Px
from tradeloop.testing.builders import a_quote, an_instrument, buy, sell
from tradeloop.testing.desk import Desk

COLLAR = a_limit("max_price_deviation", "0.03")


@pytest.mark.parametrize("limit", [COLLAR, a_limit("max_deviation_from_prev_close", "0.03"), a_limit("limit_up_down", 0)])
def test_who_closes_with_an_own_price_is_not_held_up_by_a_silent_feed(limit: RiskLimit) -> None:
    desk = holding(limit)
    waits(61)(desk)
    assert refused(desk, sells(1000)) is None
    denied = refused(desk, buys(100))
    assert denied is not None
    assert (denied.rule, denied.was, denied.this_order) == (limit.rule, "unknown", "unknown")
    assert "is not known" in denied.text


def test_what_opens_without_a_market_passes_where_the_limit_lets_it() -> None:
    desk = holding(a_limit("max_price_deviation", "0.03", allow_missing=True))
    waits(61)(desk)
    assert refused(desk, buys(100, price="10.9")) is None


def test_the_safe_side_of_the_market_has_no_collar() -> None:
    desk = holding(COLLAR)
    assert refused(desk, buys(100, price="1")) is None
    assert refused(desk, sells(100, price="99")) is None


def test_an_order_at_the_market_pays_half_the_spread_and_is_judged_by_it() -> None:
    desk = holding(COLLAR)
    quoted("9.60", "10.40")(desk)
    denied = refused(desk, buy(MOUTAI, 100))
    assert denied is not None
    assert (denied.rule, denied.this_order) == ("max_price_deviation", "4%")


def test_a_stop_is_judged_by_its_own_price_and_fires_through_a_wide_market() -> None:
    desk = holding(COLLAR)
    assert refused(desk, sell(MOUTAI, 100, ord_type=OrdType.STOP_LIMIT, stop_px="9.00", price="8.70")) is not None
    stop = desk.order(sell(MOUTAI, 100, ord_type=OrdType.STOP, stop_px="9.50"))
    desk.give(a_quote(MOUTAI, "9.00", "10.40", at=desk.now))
    assert desk.known(stop.cl_ord_id).send_begun_at == desk.now


@pytest.mark.parametrize(
    ("limit", "ord_type", "show"),
    [(COLLAR, OrdType.LIMIT, quoted("9.60", "9.62")), (a_limit("max_quote_age_seconds", "0.5"), OrdType.MARKET, None)],
)
def test_an_order_that_leaves_late_is_judged_by_the_market_of_that_moment(
    limit: RiskLimit, ord_type: OrdType, show: Callable[[Desk], object] | None
) -> None:
    desk = Desk(Policy(max_drift=Decimal(1))).opened(an_instrument(MOUTAI))
    limited(limit, a_limit("max_requests_per_second", 1, severity=Severity.THROTTLE), desk=desk)
    desk.order(buys(100, price="9.50"))
    waiting = desk.order(buy(MOUTAI, 100, ord_type=ord_type, price="10.00" if ord_type is OrdType.LIMIT else None))
    desk.wait(1)
    if show is not None:
        show(desk)
    desk.give(TimerFired(RESEND, waiting.cl_ord_id))
    ended = desk.known(waiting.cl_ord_id)
    assert ended.given_up
    assert RULES[limit.rule].words.title in ended.text


def test_a_change_of_price_meets_the_collar() -> None:
    desk = holding(COLLAR)
    order = desk.order(buys(100, price="10"))
    desk.ack(order)
    reply = desk.give(ReplaceOrder(order.cl_ord_id, "ann", price=Px(Decimal("10.50"))))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert reply.denied.rule == "max_price_deviation"


def test_a_price_of_zero_or_less_bounds_nothing() -> None:
    future = an_instrument(MOUTAI, asset_class=AssetClass.FUTURE, margin_rate="0.1", shortable=True)
    desk = limited(COLLAR, desk=Desk().opened(future))
    quoted("-1.00", "0.50")(desk)
    denied = refused(desk, buys(100, price="1"))
    assert denied is not None
    assert denied.was == "unknown"


@pytest.mark.parametrize(
    ("bid", "ask", "size", "missing"),
    [("9.99", None, 100, "both sides of the market"), ("9.99", "10.00", 0, "the displayed size")],
)
def test_slippage_needs_both_sides_of_the_market_and_their_size(bid: str, ask: str | None, size: int, missing: str) -> None:
    desk = limited(a_limit("max_slippage", "0.01"))
    quoted(bid, ask, size=size, last="10.00")(desk)
    denied = refused(desk, buy(MOUTAI, 100))
    assert denied is not None
    assert denied.rule == "max_slippage"
    assert missing in denied.text


def test_a_limit_order_has_no_slippage_and_no_age_of_a_quote() -> None:
    desk = limited(a_limit("max_slippage", 0), a_limit("max_quote_age_seconds", 0))
    waits(5)(desk)
    assert refused(desk, buys(100)) is None


def test_an_offer_of_no_size_is_no_offer() -> None:
    desk = holding(a_limit("limit_up_down", 0))
    quoted("11.00", "11.00", prev_close="10", size=0)(desk)
    denied = refused(desk, buys(100, price="11"))
    assert denied is not None
    assert denied.text == (
        "a buy at a locked limit up, or a sell at a locked limit down (each account): not allowed: 600519.SH stands at 11.0 "
        "and nobody takes the other side; wait until the other side is back"
    )
