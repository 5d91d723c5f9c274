"""A limit with a figure before its own: it warns, asks for approval or makes wait there, and refuses or halts at its value."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.core.risk.cases import BANK, a_limit, buys, limited, refused, sells
from tests.core.risk.test_rules import restarted

from tradeloop.core.commands import CancelOrder, RevertLimit
from tradeloop.core.effects import SendOrder, SetTimer
from tradeloop.core.errors import BadInput
from tradeloop.core.events import Halted, LimitPassed, OrderThrottled
from tradeloop.core.inputs import TimerFired
from tradeloop.core.limit import LimitScope, RiskLimit, Severity, SoftLimit, parts
from tradeloop.core.order import Order
from tradeloop.core.replies import OrderReply
from tradeloop.core.risk.change import as_intent
from tradeloop.core.risk.judging import judge
from tradeloop.core.risk.rule import Look
from tradeloop.core.room import ROOM
from tradeloop.core.surroundings import Policy
from tradeloop.core.types import SECOND_NS, OrdStatus
from tradeloop.testing.builders import an_instrument
from tradeloop.testing.desk import Desk


def soft(rule: str, value: str | int, at: str | int, **changes: Any) -> RiskLimit:
    """A limit for each account with a softer figure before it."""
    return a_limit(rule, value, soft=Decimal(at), **changes)


DAY = soft("max_requests_per_day", 10, 4, soft_severity=Severity.THROTTLE)


def holding(qty: int) -> Desk:
    """A desk that holds something of what it may sell."""
    return limited(DAY, desk=Desk(Policy()).opened(an_instrument(), positions={an_instrument().symbol: qty}))


def spent(desk: Desk, count: int) -> None:
    """So many orders of today have left."""
    for _ in range(count):
        assert desk.order(buys(100)).ord_status is OrdStatus.PENDING_NEW


def rings(desk: Desk) -> None:
    """The newest timer of those that wait."""
    timer = [each for each in desk.of(SetTimer) if each.kind == ROOM][-1]
    desk.now = timer.due
    desk.give(TimerFired(timer.kind, timer.subject))


@pytest.mark.parametrize(
    ("qty", "told", "goes"), [(399, 0, True), (400, 0, True), (401, 1, True), (500, 1, True), (501, 0, False)]
)
def test_between_the_two_figures_people_are_told_and_beyond_the_second_it_is_refused(qty: int, told: int, goes: bool) -> None:
    """R32: warn at 60 %, stop at 80 %."""
    desk = limited(soft("max_order_qty", 500, 400), desk=Desk(Policy()).opened(an_instrument(lot=1)))
    assert (refused(desk, buys(qty)) is None) is goes
    assert [each.limit for each in desk.of(LimitPassed)] == ["400"] * told


def test_between_the_two_figures_somebody_else_may_approve_and_nobody_beyond_the_second() -> None:
    desk = limited(soft("max_order_qty", 500, 400, soft_severity=Severity.APPROVAL))
    assert refused(desk, buys(500)) is not None
    assert refused(desk, buys(500, approved_by="bob")) is None
    denied = refused(desk, buys(600, approved_by="bob"))
    assert denied is not None
    assert denied.limit == "500"


def test_only_the_second_figure_halts() -> None:
    desk = limited(soft("max_order_qty", 500, 400, severity=Severity.HALT, soft_severity=Severity.APPROVAL))
    denied = refused(desk, buys(500))
    assert denied is not None
    assert denied.limit == "400"
    assert desk.of(Halted) == []
    refused(desk, buys(600))
    assert len(desk.of(Halted)) == 1


def test_from_the_soft_figure_on_the_rest_of_a_day_is_spread_over_what_is_left_of_it() -> None:
    """R15: 20,000 in a day, throttled from 80 % on. Six are left of ten, so the next goes after a seventh of the hours."""
    desk = limited(DAY)
    spent(desk, 4)
    fifth = desk.order(buys(100))
    assert fifth.send_begun_at is None
    told = desk.of(OrderThrottled)[-1]
    left = sum(max(end - max(start, desk.now), 0) for start, end in desk.state.hours["CN_A"].windows)
    assert (told.rule, told.was, told.limit, told.until) == ("max_requests_per_day", "4", "4", desk.now + left // 7)
    rings(desk)
    assert fifth.ord_status is OrdStatus.PENDING_NEW


def test_all_that_wait_go_within_the_day_and_no_more_than_the_limit_allows() -> None:
    desk = limited(DAY)
    spent(desk, 4)
    waiting = [desk.order(buys(100)) for _ in range(7)]
    closes_at = desk.state.hours["CN_A"].windows[-1][1]
    for _ in range(7):
        rings(desk)
    assert desk.now < closes_at
    assert [order.ord_status for order in waiting[:6]] == [OrdStatus.PENDING_NEW] * 6
    assert len(desk.of(SendOrder)) == 10
    assert waiting[6].ord_status is OrdStatus.CANCELED, "the limit itself refuses the eleventh"


def test_an_order_that_comes_when_its_turn_has_passed_does_not_wait() -> None:
    desk = limited(DAY)
    spent(desk, 4)
    left = sum(max(end - max(start, desk.now), 0) for start, end in desk.state.hours["CN_A"].windows)
    desk.wait(left / 7 / SECOND_NS + 1)
    assert refused(desk, buys(100)) is None
    assert desk.of(OrderThrottled) == []


def test_what_only_closes_does_not_wait_for_the_rest_of_the_day() -> None:
    desk = holding(1000)
    spent(desk, 4)
    desk.wait(2)
    order = desk.order(sells(100))
    assert order.ord_status is OrdStatus.PENDING_NEW


def test_a_flatten_does_not_wait_for_the_rest_of_the_day() -> None:
    desk = limited(DAY)
    spent(desk, 4)
    waits = desk.order(buys(100))
    intent = as_intent(waits, waits.terms)
    flattens = msgspec.structs.replace(intent, halt=1)
    look = [Look(desk.state, desk.around, each, desk.state.instruments[waits.symbol], desk.now) for each in (intent, flattens)]
    assert [judge(each).waits_for is None for each in look] == [False, True]


def test_a_cancel_never_waits() -> None:
    desk = limited(DAY)
    order = desk.order(buys(100))
    desk.ack(order)
    spent(desk, 3)
    desk.give(CancelOrder(order.cl_ord_id, "ann"))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.PENDING_CANCEL


@pytest.mark.parametrize("from_snapshot", [False, True], ids=["journal", "snapshot"])
def test_a_restart_forgets_neither_figure_nor_what_was_counted(from_snapshot: bool) -> None:
    desk = limited(DAY)
    spent(desk, 4)
    restarted(desk, from_snapshot=from_snapshot)
    assert desk.order(buys(100, BANK)).ord_status is OrdStatus.STAGED


def test_two_figures_are_one_limit_that_is_set_and_taken_back_whole() -> None:
    plain = a_limit("max_requests_per_day", 10)
    assert DAY.limit_id == plain.limit_id
    desk = limited(DAY)
    with pytest.raises(BadInput, match="was set by a person"):
        desk.give(RevertLimit("max_requests_per_day", "ann", "enough", LimitScope.ACCOUNT))
    whole, softly = parts(DAY)
    assert isinstance(softly, SoftLimit)
    assert (softly.value, softly.severity, softly.hard, whole) == (Decimal(4), Severity.THROTTLE, Decimal(10), DAY)


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        (soft("max_order_qty", 500, 500), "expected one below its value, 500: it comes first"),
        (soft("min_cash_ratio", "0.1", "0.05"), "expected one above its value"),
        (soft("max_order_qty", 500, -1), "not below zero"),
        (soft("max_requests_per_day", 10, "4.5"), "expected a number such as its value"),
        (soft("max_order_qty", 500, 400, soft_severity=Severity.THROTTLE), "cannot throttle softly; expected warn or approval"),
        (soft("max_order_qty", 500, 400, severity=Severity.WARN), "expected severity deny or halt"),
        (a_limit("max_order_qty", 500, soft_severity=Severity.APPROVAL), "give soft, too"),
        (soft("max_daily_loss", 500, 400), "has one figure or none"),
        (a_limit("max_requests_per_day", 10, severity=Severity.THROTTLE), "cannot throttle"),
    ],
)
def test_a_soft_figure_that_says_nothing_is_refused(limit: RiskLimit, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        limited(limit)


SECOND = soft("max_requests_per_second", 4, 2, soft_severity=Severity.THROTTLE)


def after(desk: Desk, requests: int) -> Order:
    """The next order behind so many requests of this second: orders while they go, then cancels of these."""
    sent = [desk.order(buys(100, price=f"9.9{number}")) for number in range(2)]
    for order in sent[: requests - 2]:
        desk.give(CancelOrder(order.cl_ord_id, "ann"))
    reply = desk.give(buys(100))
    assert isinstance(reply, OrderReply)
    assert reply.denied is None
    return desk.known(reply.cl_ord_id)


@pytest.mark.parametrize("rule", ["max_requests_per_second", "max_requests_per_minute"])
def test_requests_in_a_moment_wait_from_the_softer_figure_on_and_are_refused_at_the_limit(rule: str) -> None:
    """R15: three hundred in a second, and throttled at eighty per cent of that, as one limit."""
    limit = msgspec.structs.replace(SECOND, rule=rule)
    desk = limited(limit)
    spent(desk, 2)
    for requests in (2, 3):
        waiting = after(limited(limit), requests)
        assert waiting.ord_status is OrdStatus.STAGED, f"{requests} of 4 requests are beyond the softer figure"
    for order in [*desk.state.orders.open.values()]:
        desk.give(CancelOrder(order.cl_ord_id, "ann"))
    denied = refused(desk, buys(100))
    assert denied is not None
    assert (denied.rule, denied.limit, denied.was) == (rule, "4", "4")


def test_what_waits_for_the_softer_figure_goes_by_itself_also_after_a_restart() -> None:
    desk = limited(SECOND)
    waiting = after(desk, 2)
    told = desk.of(OrderThrottled)[-1]
    assert (told.cl_ord_id, told.until) == (waiting.cl_ord_id, desk.now + SECOND_NS)
    restarted(desk, from_snapshot=True)
    rings(desk)
    assert desk.known(waiting.cl_ord_id).ord_status is OrdStatus.PENDING_NEW
