"""An order that waits here while limits change keeps those that are in force when it leaves, and is counted once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.core.risk.cases import BANK, MOUTAI, a_limit, buys, limited, sells

from tradeloop.core.commands import ChangeLimit, SetLimits, SubmitOrder
from tradeloop.core.decide import RESEND
from tradeloop.core.effects import SendOrder
from tradeloop.core.events import Halted, LateOrderDenied, LimitPassed
from tradeloop.core.halt import HaltTier
from tradeloop.core.inputs import TimerFired
from tradeloop.core.limit import LimitScope, RiskLimit, Severity
from tradeloop.core.order import Order
from tradeloop.core.types import SECOND_NS, ZERO, OrdStatus, OrdType, Px
from tradeloop.testing.builders import a_quote, an_instrument, buy, sell
from tradeloop.testing.desk import Desk

ONE_A_SECOND = a_limit("max_requests_per_second", 1, severity=Severity.THROTTLE)
BLACK = RiskLimit("blacklist", ZERO, only=(BANK,))


def a_waiting_order(*limits: RiskLimit, command: SubmitOrder | None = None) -> tuple[Desk, Order]:
    """A desk that has sent one order in this second, and one in another stock that waits; both are worth 1000."""
    held = Desk().opened(an_instrument(MOUTAI, industry="A"), an_instrument(BANK, industry="B"), positions={BANK: 1000})
    desk = limited(ONE_A_SECOND, *limits, desk=held)
    for symbol in (MOUTAI, BANK):
        desk.give(a_quote(symbol, "10", "10", at=desk.now))
    desk.order(buys(100))
    waiting = desk.order(buys(100, BANK) if command is None else command)
    assert waiting.send_begun_at is None
    return desk, waiting


def sets(desk: Desk, *limits: RiskLimit) -> None:
    """Other limits from the file."""
    desk.give(SetLimits((ONE_A_SECOND, *limits), "risk.yaml"))


def goes(desk: Desk, order: Order) -> bool:
    """Whether it leaves once it is asked again."""
    desk.wait(2)
    desk.give(TimerFired(RESEND, order.cl_ord_id))
    return desk.known(order.cl_ord_id).send_begun_at is not None


@pytest.mark.parametrize(
    "limit",
    [
        a_limit("max_order_qty", 99),
        a_limit("max_order_value", 999),
        BLACK,
        RiskLimit("whitelist", ZERO, but=(MOUTAI,)),
        a_limit("max_position_qty", 1099),
        a_limit("max_position_value", 10_999),
        a_limit("max_industry_value", 10_999, LimitScope.ACCOUNT),
        a_limit("max_gross_value", 11_999),
        a_limit("max_net_value", 11_999),
        a_limit("max_open_orders", 1),
        a_limit("max_orders_per_day", 1),
        a_limit("max_daily_order_value", 1999),
        a_limit("max_opened_qty_per_day", 99, LimitScope.SYMBOL),
        a_limit("max_minute_traded_value", 1999),
        a_limit("min_cash_ratio", "0.99"),
    ],
    ids=lambda limit: limit.rule,
)
def test_a_limit_that_was_tightened_since_ends_it_and_one_that_leaves_room_lets_it_go(limit: RiskLimit) -> None:
    desk, order = a_waiting_order()
    roomy = msgspec.structs.replace(limit, value=limit.value + 1) if limit.value else None
    if limit.rule == "min_cash_ratio":
        roomy = msgspec.structs.replace(limit, value=Decimal("0.98"))
    sets(desk, limit)
    assert not goes(desk, order)
    ended = desk.known(order.cl_ord_id)
    assert (ended.ord_status, ended.given_up, ended.reserved) == (OrdStatus.CANCELED, True, ZERO)
    assert ended.text.startswith("never sent: ")
    if roomy is not None:
        assert goes_under(roomy, *a_waiting_order()), "what is counted of it is not counted again"


def goes_under(limit: RiskLimit, desk: Desk, order: Order) -> bool:
    """Whether it goes once this limit is in force."""
    sets(desk, limit)
    return goes(desk, order)


def test_what_is_missing_in_the_listing_of_its_stock_ends_it_since_no_waiting_brings_that() -> None:
    desk, order = a_waiting_order()
    sets(desk, a_limit("no_special_treatment", 0))
    assert not goes(desk, order)
    ended = desk.known(order.cl_ord_id)
    assert (ended.ord_status, ended.given_up) == (OrdStatus.CANCELED, True)
    assert f"the name of {BANK}" in ended.text


def test_what_the_market_has_not_said_yet_is_waited_for() -> None:
    desk, order = a_waiting_order()
    sets(desk, a_limit("no_suspended", 0))
    desk.wait(18 * 3600)
    assert not goes(desk, order)
    assert not desk.known(order.cl_ord_id).is_done
    desk.give(a_quote(BANK, "10", "10", at=desk.now))
    assert goes(desk, order)


@pytest.mark.parametrize(("symbol", "passes"), [(MOUTAI, True), (BANK, False)])
def test_what_waits_counts_as_a_position_only_where_nothing_else_is_one(symbol: str, passes: bool) -> None:
    desk = limited(ONE_A_SECOND)
    desk.order(buys(100, MOUTAI))
    assert goes_under(a_limit("max_positions", 1), desk, desk.order(buys(100, symbol))) is passes


def test_where_no_limit_has_changed_none_is_asked_again() -> None:
    """It was within its limit when it was made, and prices alone do not take that back."""
    desk, order = a_waiting_order(a_limit("max_position_value", 11_000))
    desk.give(a_quote(BANK, "10.02", "10.04", at=desk.now))
    assert goes(desk, order)


def test_a_persons_limit_that_ended_is_no_permission_any_more() -> None:
    desk = limited(ONE_A_SECOND, a_limit("max_order_qty", 100))
    limit = a_limit("max_order_qty", 500, by="ann", reason="index day")
    desk.give(ChangeLimit(limit, lasts_ns=SECOND_NS))
    desk.order(buys(100))
    order = desk.order(buys(500))
    desk.wait(1)
    desk.give(TimerFired("limit_ends", limit.limit_id))
    assert not goes(desk, order)


def test_what_only_closes_goes_past_what_lets_closing_orders_pass() -> None:
    desk, order = a_waiting_order(command=sells(1000, BANK))
    sets(desk, BLACK, a_limit("max_position_qty", 1), a_limit("max_gross_value", 1), a_limit("max_cancels_per_day", 0))
    assert goes(desk, order)


def test_a_stop_held_here_that_opens_keeps_the_limits_of_the_day_on_which_it_fires() -> None:
    desk = limited()
    order = desk.order(buy(BANK, 1000, ord_type=OrdType.STOP, stop_px="11"))
    desk.give(SetLimits((BLACK,), "risk.yaml"))
    desk.wait(1)
    desk.give(a_quote(BANK, "11", "11.01", at=desk.now, last=Px(Decimal(11))))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.CANCELED
    assert desk.of(SendOrder) == []


def test_a_stop_held_here_that_only_closes_is_not_lost_to_a_limit_on_one_order() -> None:
    """Nobody is there to split it or to price it anew."""
    desk = limited(desk=Desk().opened(an_instrument(BANK), positions={BANK: 1000}))
    order = desk.order(sell(BANK, 1000, ord_type=OrdType.STOP, stop_px="9"))
    small = (a_limit("max_order_qty", 100), a_limit("max_order_value", 100), a_limit("max_deviation_from_prev_close", "0.01"))
    desk.give(SetLimits(small, "risk.yaml"))
    desk.wait(1)
    desk.give(a_quote(BANK, "8.99", "9", at=desk.now, last=Px(Decimal("8.99")), prev_close=Px(Decimal(10))))
    assert desk.known(order.cl_ord_id).send_begun_at is not None


def test_a_limit_that_warns_is_told_of_once_it_leaves() -> None:
    desk, order = a_waiting_order()
    sets(desk, a_limit("max_order_qty", 99, severity=Severity.WARN))
    assert goes(desk, order)
    assert [told.rule for told in desk.of(LimitPassed)] == ["max_order_qty"]


@pytest.mark.parametrize("changes", [{"severity": Severity.WARN}, {"shadow": True}], ids=["warning", "shadow"])
def test_what_a_limit_finds_only_when_an_order_leaves_late_is_told(changes: dict[str, Any]) -> None:
    """Within it when it was made, beyond it when it goes."""
    desk = limited(
        a_limit("max_requests_per_second", 1, severity=Severity.THROTTLE), a_limit("max_price_deviation", "0.005", **changes)
    )
    desk.order(buys(100))
    waiting = desk.order(buys(100))
    assert desk.of(LimitPassed) == []
    desk.wait(1)
    desk.give(a_quote(MOUTAI, "9.90", "9.91", at=desk.now))
    desk.give(TimerFired(RESEND, waiting.cl_ord_id))
    assert waiting.send_begun_at is not None
    assert [(told.cl_ord_id, told.rule) for told in desk.of(LimitPassed)] == [(waiting.cl_ord_id, "max_price_deviation")]


@pytest.mark.parametrize("scope", [LimitScope.GLOBAL, LimitScope.SYMBOL])
def test_one_beyond_a_limit_that_halts_is_told_of_and_halts_what_the_limit_is_of(scope: LimitScope) -> None:
    desk, order = a_waiting_order()
    sets(desk, a_limit("max_order_qty", 99, scope, severity=Severity.HALT, tier=HaltTier.REDUCE_ONLY))
    assert not goes(desk, order)
    (denied,) = desk.of(LateOrderDenied)
    assert (denied.cl_ord_id, denied.rule, denied.limit, denied.this_order) == (order.cl_ord_id, "max_order_qty", "99", "100")
    (halted,) = desk.of(Halted)
    name = BANK if scope is LimitScope.SYMBOL else ""
    assert (halted.tier, halted.scope.value, halted.name, halted.by) == (HaltTier.REDUCE_ONLY, scope.value, name, "risk")
