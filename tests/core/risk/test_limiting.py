"""Who sets limits, for how long, and what is refused: whatever cannot be understood leaves in force what was."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.core.risk.cases import MOUTAI, a_limit, buys, limited

from tradeloop.core.commands import ChangeLimit, ReplaceOrder, RevertLimit, SetLimits
from tradeloop.core.effects import RaiseAlert, SetTimer
from tradeloop.core.errors import BadInput
from tradeloop.core.events import Halted, LimitEnded, LimitPassed, LimitsConfigured, LimitSet, OrderDenied
from tradeloop.core.evolve import evolve
from tradeloop.core.follow import after_restart
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.inputs import TimerFired
from tradeloop.core.limit import LimitScope, RiskLimit, Severity
from tradeloop.core.limiting import LIMIT_ENDS
from tradeloop.core.replies import OrderReply
from tradeloop.core.risk.change import as_intent
from tradeloop.core.risk.judging import judge
from tradeloop.core.risk.rule import Look
from tradeloop.core.types import SECOND_NS, Qty, UtcNs
from tradeloop.testing.desk import Desk

SMALL = a_limit("max_order_value", 5000)
HOUR = 3600


def changed(desk: Desk, limit: RiskLimit, seconds: int = HOUR, **changes: Any) -> None:
    """Ann sets the limit for a time."""
    fields = {"by": "ann", "reason": "index day", "until": UtcNs(desk.now + seconds * SECOND_NS), **changes}
    desk.give(ChangeLimit(msgspec.structs.replace(limit, **fields)))


def passes(desk: Desk, qty: int) -> bool:
    """Whether an order of so many shares at 10 may go."""
    reply = desk.give(buys(qty))
    assert isinstance(reply, OrderReply)
    return reply.denied is None


def fires(desk: Desk, timer: SetTimer) -> None:
    """The time of a timer has come."""
    desk.now = max(desk.now, timer.due)
    desk.give(TimerFired(timer.kind, timer.subject))


def test_the_same_file_again_is_no_news() -> None:
    desk = limited(SMALL)
    desk.give(SetLimits((SMALL,), "risk.yaml"))
    assert len(desk.of(LimitsConfigured)) == 1


def test_what_the_file_no_longer_says_is_no_longer_in_force() -> None:
    desk = limited(SMALL)
    assert not passes(desk, 600)
    desk.give(SetLimits((a_limit("max_order_qty", 1000),), "risk.yaml"))
    assert passes(desk, 600)


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        (a_limit("max_order_valu", 1), "did you mean max_order_value"),
        (a_limit("max_order_value", -1), "expected a number that is not below zero"),
        (a_limit("max_order_value", "1e400"), "expected a number"),
        (a_limit("max_order_value", "NaN"), "expected a number"),
        (a_limit("max_orders_per_day", "2.5"), "expected a whole number"),
        (a_limit("max_requests_per_second", 5, LimitScope.INDUSTRY), "cannot be counted over industry"),
        (a_limit("max_order_value", 5, severity=Severity.THROTTLE), "cannot throttle"),
        (a_limit("max_order_value", 5, LimitScope.GLOBAL, name="demo"), "a global limit has no name"),
        (a_limit("max_order_qty", 5, currency="CNY"), "is not of money"),
    ],
)
def test_a_limit_that_no_rule_can_ask_leaves_in_force_what_was(limit: RiskLimit, sentence: str) -> None:
    desk = limited(SMALL)
    before = desk.state.hash()
    with pytest.raises(BadInput, match=sentence):
        desk.give(SetLimits((a_limit("max_order_qty", 900), limit), "risk.yaml"))
    assert desk.state.hash() == before
    assert not passes(desk, 600)


def test_one_limit_set_twice_is_refused() -> None:
    desk = limited(SMALL)
    with pytest.raises(BadInput, match="was set twice"):
        desk.give(SetLimits((SMALL, a_limit("max_order_value", 6000)), "risk.yaml"))


def test_a_persons_limit_stands_over_the_files_until_its_time_is_up() -> None:
    desk = limited(SMALL)
    changed(desk, a_limit("max_order_value", 10_000))
    assert passes(desk, 600)
    (timer,) = [each for each in desk.of(SetTimer) if each.kind == LIMIT_ENDS]
    fires(desk, timer)
    assert not passes(desk, 600)
    assert desk.of(LimitEnded)[-1].by == "engine"


def test_a_limit_set_again_for_longer_outlives_the_first_time() -> None:
    desk = limited(SMALL)
    changed(desk, a_limit("max_order_value", 10_000), HOUR)
    changed(desk, a_limit("max_order_value", 10_000), 2 * HOUR)
    first, second = [each for each in desk.of(SetTimer) if each.kind == LIMIT_ENDS]
    fires(desk, first)
    assert passes(desk, 600)
    fires(desk, second)
    assert not passes(desk, 600)


def test_a_persons_limit_outlives_the_file_being_read_again() -> None:
    desk = limited(SMALL)
    changed(desk, a_limit("max_order_value", 2000))
    desk.give(SetLimits((SMALL, a_limit("max_order_qty", 900)), "risk.yaml"))
    assert not passes(desk, 300)


def test_a_persons_limit_is_taken_back_by_name_and_for_a_reason() -> None:
    desk = limited(SMALL)
    changed(desk, a_limit("max_order_value", 10_000))
    with pytest.raises(BadInput, match="for a reason"):
        desk.give(RevertLimit("max_order_value", "ann", " ", LimitScope.ACCOUNT))
    desk.give(RevertLimit("max_order_value", "ann", "the index day is over", LimitScope.ACCOUNT))
    assert not passes(desk, 600)
    with pytest.raises(BadInput, match="was set by a person"):
        desk.give(RevertLimit("max_order_value", "ann", "again", LimitScope.ACCOUNT))


def test_who_takes_back_what_is_not_there_is_told_what_is() -> None:
    desk = limited()
    changed(desk, a_limit("max_order_value", 10_000, currency="CNY"))
    changed(desk, a_limit("max_order_value", 500, LimitScope.SYMBOL, name=MOUTAI, shadow=True))
    changed(desk, a_limit("max_order_qty", 100))
    with pytest.raises(BadInput) as caught:
        desk.give(RevertLimit("max_order_value", "ann", "over", LimitScope.ACCOUNT))
    assert str(caught.value) == (
        "no limit max_order_value of each account was set by a person; those that are: max_order_value of each account in CNY; "
        f"max_order_value of symbol {MOUTAI} in shadow"
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"by": " "}, "by somebody and for a reason"),
        ({"reason": ""}, "by somebody and for a reason"),
        ({"until": None}, "ends by itself"),
        ({"until": UtcNs(1)}, "ends by itself"),
        ({"until": UtcNs(2**62)}, "ends by itself"),
    ],
)
def test_a_change_says_who_why_and_until_when(changes: dict[str, Any], sentence: str) -> None:
    desk = limited(SMALL)
    with pytest.raises(BadInput, match=sentence):
        changed(desk, SMALL, **changes)
    assert desk.of(LimitSet) == []


def test_nobody_approves_a_change_of_their_own() -> None:
    desk = limited(SMALL)
    limit = msgspec.structs.replace(SMALL, by="ann", reason="index day", until=UtcNs(desk.now + SECOND_NS))
    for approver in ("ann", "Ann "):
        with pytest.raises(BadInput, match="somebody else"):
            desk.give(ChangeLimit(limit, approver))


def test_people_hear_of_a_changed_limit_and_of_its_end() -> None:
    desk = limited(SMALL)
    changed(desk, a_limit("max_order_value", 10_000))
    assert "max_order_value of each account is 10000" in desk.of(RaiseAlert)[-1].text
    desk.give(RevertLimit("max_order_value", "bob", "enough", LimitScope.ACCOUNT))
    assert "what it was before: enough (bob)" in desk.of(RaiseAlert)[-1].text


def test_a_restart_ends_a_persons_limit_in_time() -> None:
    desk = limited(SMALL)
    changed(desk, a_limit("max_order_value", 10_000))
    (timer,) = [each for each in after_restart(desk.state, desk.around) if isinstance(each, SetTimer)]
    assert (timer.kind, timer.due) == (LIMIT_ENDS, desk.now + HOUR * SECOND_NS)


def test_a_limit_that_warns_lets_go_and_tells() -> None:
    desk = limited(msgspec.structs.replace(SMALL, severity=Severity.WARN))
    assert passes(desk, 600)
    told = desk.of(LimitPassed)[-1]
    assert (told.limit, told.was, told.this_order, told.shadow) == ("5000", "0", "6000", False)
    assert "went beyond max_order_value" in desk.of(RaiseAlert)[-1].text


def test_what_stands_in_shadow_is_recorded_and_told_to_nobody() -> None:
    desk = limited(msgspec.structs.replace(SMALL, shadow=True))
    alerts = len(desk.of(RaiseAlert))
    assert passes(desk, 600)
    assert desk.of(LimitPassed)[-1].shadow
    assert len(desk.of(RaiseAlert)) == alerts


def test_an_order_that_needs_approval_goes_when_somebody_else_has_given_it() -> None:
    desk = limited(msgspec.structs.replace(SMALL, severity=Severity.APPROVAL))
    assert not passes(desk, 600)
    assert "have somebody else approve it" in desk.of(OrderDenied)[-1].text
    own = msgspec.structs.replace(buys(600), by="ann", approved_by="ann")
    reply = desk.give(own)
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    order = desk.order(msgspec.structs.replace(own, approved_by="bob"))
    assert order.approved_by == "bob"


def test_a_denial_says_why_the_approval_that_an_order_names_did_not_count() -> None:
    desk = limited(msgspec.structs.replace(SMALL, severity=Severity.APPROVAL), approvers=("bob", "eve"))
    for approver, why in (
        ("mallory", "the approval of 'mallory' does not count, risk.approvers names bob, eve alone; have somebody else"),
        ("Ann", "the approval of 'Ann' does not count, nobody approves what they ask for themselves; have somebody else"),
        ("", "and this order adds 6000; have somebody else approve it, or make it smaller"),
    ):
        reply = desk.give(msgspec.structs.replace(buys(600), by="ann", approved_by=approver))
        assert isinstance(reply, OrderReply)
        assert reply.denied is not None
        assert why in reply.denied.text
        assert desk.of(OrderDenied)[-1].approved_by == approver


def test_the_denial_of_a_change_says_why_its_approval_did_not_count_and_says_so_again() -> None:
    desk = limited(msgspec.structs.replace(SMALL, severity=Severity.APPROVAL), approvers=("bob",))
    order = desk.order(buys(100))
    desk.ack(order)
    change = ReplaceOrder(order.cl_ord_id, "eve", Qty(Decimal(900)), request_id="r1", approved_by="mallory")
    first, again = desk.give(change), desk.give(change)
    assert isinstance(first, OrderReply)
    assert isinstance(again, OrderReply)
    assert first.denied is not None
    assert "the approval of 'mallory' does not count, risk.approvers names bob alone" in first.denied.text
    assert again.denied == first.denied


def test_an_approval_that_would_not_have_helped_is_not_spoken_of() -> None:
    desk = limited(SMALL, approvers=("bob",))
    reply = desk.give(buys(600, approved_by="mallory"))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert "mallory" not in reply.denied.text


@pytest.mark.parametrize("approver", ["Ann", " ann", "\uff41nn", "ann ", " "])
def test_nobody_approves_an_order_of_their_own_under_another_spelling(approver: str) -> None:
    desk = limited(msgspec.structs.replace(SMALL, severity=Severity.APPROVAL))
    reply = desk.give(msgspec.structs.replace(buys(600), by="ann", approved_by=approver))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None


def test_an_approver_is_known_under_any_spelling() -> None:
    desk = limited(msgspec.structs.replace(SMALL, severity=Severity.APPROVAL), approvers=("Bob Li",))
    assert desk.order(buys(600, approved_by="bob  li")).approved_by == "bob  li"


@pytest.mark.parametrize("name", ["ann\u200b", "ann\u00ad", "an\tn"])
def test_a_name_with_signs_that_nobody_sees_is_refused(name: str) -> None:
    desk = limited(msgspec.structs.replace(SMALL, severity=Severity.APPROVAL))
    order = desk.order(buys(100))
    commands = (
        buys(600, approved_by=name),
        msgspec.structs.replace(buys(600), by=name),
        ReplaceOrder(order.cl_ord_id, "ann", Qty(Decimal(600)), approved_by=name),
        ChangeLimit(msgspec.structs.replace(SMALL, by=name, reason="index day"), lasts_ns=SECOND_NS),
        ChangeLimit(msgspec.structs.replace(SMALL, by="ann", reason="index day"), name, SECOND_NS),
    )
    for command in commands:
        with pytest.raises(BadInput, match="signs that are not seen"):
            desk.give(command)


def test_nobody_approves_the_change_of_an_order_that_they_ask_for_whoever_sent_it() -> None:
    desk = limited(msgspec.structs.replace(SMALL, severity=Severity.APPROVAL))
    order = desk.order(buys(100))
    desk.ack(order)
    for approver, passes_ in (("Eve", False), ("bob", True)):
        reply = desk.give(ReplaceOrder(order.cl_ord_id, "eve", Qty(Decimal(900)), approved_by=approver))
        assert isinstance(reply, OrderReply)
        assert (reply.denied is None) is passes_


def test_where_the_desk_names_approvers_nobody_else_approves() -> None:
    desk = limited(msgspec.structs.replace(SMALL, severity=Severity.APPROVAL), approvers=("bob",))
    mallory = desk.give(buys(600, approved_by="mallory"))
    assert isinstance(mallory, OrderReply)
    assert mallory.denied is not None
    assert desk.order(buys(600, approved_by="bob")).approved_by == "bob"


def test_an_approval_is_of_the_terms_it_was_given_for() -> None:
    desk = limited(msgspec.structs.replace(SMALL, severity=Severity.APPROVAL))
    order = desk.order(buys(700, approved_by="bob"))
    desk.ack(order)

    def passes_as(qty: int, approved_by: str = "") -> bool:
        reply = desk.give(ReplaceOrder(order.cl_ord_id, "ann", Qty(Decimal(qty)), approved_by=approved_by))
        assert isinstance(reply, OrderReply)
        return reply.denied is None

    assert not passes_as(900)
    assert passes_as(600), "who agreed to 700 agreed to less"
    assert passes_as(900, "eve")
    assert order.approved_by == "eve"


def test_a_change_beyond_a_limit_that_halts_halts_like_an_order() -> None:
    desk = limited(a_limit("max_order_value", 5000, LimitScope.SYMBOL, severity=Severity.HALT, tier=HaltTier.REDUCE_ONLY))
    order = desk.order(buys(500))
    desk.ack(order)
    desk.give(ReplaceOrder(order.cl_ord_id, "ann", Qty(Decimal(600))))
    assert [(halt.tier, halt.scope, halt.name) for halt in desk.state.halts.values()] == [
        (HaltTier.REDUCE_ONLY, HaltScope.SYMBOL, MOUTAI)
    ]
    assert "may be 5000, was 0, and an order added 6000" in desk.of(Halted)[-1].reason


def test_a_limit_that_halts_halts_nothing_in_shadow_or_where_its_figure_is_not_known() -> None:
    limit = a_limit("max_order_value", 5000, severity=Severity.HALT)
    desk = limited(msgspec.structs.replace(limit, shadow=True))
    assert passes(desk, 600)
    assert desk.state.halts == {}
    blind = limited(a_limit("max_deviation_from_prev_close", 0, severity=Severity.HALT))
    blind.around.quotes.clear()
    assert not passes(blind, 100)
    assert blind.of(OrderDenied)[-1].was == "unknown"
    assert blind.state.halts == {}


def test_a_tier_says_how_much_a_limit_stops_that_halts_and_no_other() -> None:
    with pytest.raises(BadInput, match="its tier was FLATTEN, take that out or give it severity halt"):
        limited(msgspec.structs.replace(SMALL, tier=HaltTier.FLATTEN))


FLATTENS = a_limit("max_orders_per_day", 1, LimitScope.STRATEGY, name="trend", severity=Severity.HALT, tier=HaltTier.FLATTEN)


def test_a_limit_of_a_strategy_that_flattens_is_refused_by_the_file_and_by_the_command() -> None:
    no = "limit max_orders_per_day of strategy trend cannot FLATTEN, positions are not kept by strategy; give it .* CANCEL_ALL"
    with pytest.raises(BadInput, match=no):
        limited(FLATTENS)
    desk = limited(SMALL)
    with pytest.raises(BadInput, match=no):
        changed(desk, FLATTENS)
    assert [*desk.state.limits.in_force] == [SMALL.limit_id]


def test_a_limit_that_flattens_a_strategy_in_an_old_journal_cancels_what_works_of_it() -> None:
    desk = limited()
    evolve(desk.state, LimitsConfigured(desk.now, (FLATTENS,), "risk.yaml"))
    works = desk.order(msgspec.structs.replace(buys(100), strategy_id="trend"))
    desk.ack(works)
    for request in ("second", "third"):
        reply = desk.give(msgspec.structs.replace(buys(100), strategy_id="trend", request_id=request))
        assert isinstance(reply, OrderReply)
        assert reply.denied is not None
    (halted,) = desk.of(Halted)
    assert (halted.tier, halted.scope, halted.name) == (HaltTier.CANCEL_ALL, HaltScope.STRATEGY, "trend")
    assert desk.known(works.cl_ord_id).cancel_requested_at is not None


def test_the_tighter_of_two_limits_decides_whichever_comes_first() -> None:
    wide, tight = a_limit("max_order_value", 9000, LimitScope.GLOBAL), SMALL
    for limits in ((wide, tight), (tight, wide)):
        desk = limited(*limits)
        assert not passes(desk, 600)
        assert passes(desk, 500)


def test_a_limit_of_one_account_is_no_other_accounts_business() -> None:
    desk = limited(a_limit("max_order_value", 5000, name="another"))
    assert passes(desk, 600)


def test_a_limit_in_one_currency_says_nothing_of_another() -> None:
    desk = limited(a_limit("max_order_value", 5000, currency="USD"))
    assert passes(desk, 600)


def test_what_nobody_knows_refuses_unless_the_limit_says_otherwise() -> None:
    """A market order without a quote has no value that a limit could bound."""
    desk = limited(SMALL)
    order = desk.order(buys(100))
    desk.around.quotes.clear()
    intent = msgspec.structs.replace(as_intent(order, order.terms), price=None)
    look = Look(desk.state, desk.around, intent, desk.state.instruments[order.symbol], desk.now)
    denied = judge(look).denied
    assert denied is not None
    assert (denied.was, denied.this_order) == ("unknown", "unknown")
    assert "a price of 600519.SH is not known" in denied.text
    desk.give(SetLimits((msgspec.structs.replace(SMALL, allow_missing=True),), "risk.yaml"))
    assert judge(look).denied is None


def test_an_order_says_how_often_the_limits_had_changed_when_it_passed() -> None:
    desk = limited(SMALL)
    first = desk.order(buys(100))
    changed(desk, a_limit("max_order_value", 10_000))
    second = desk.order(buys(100))
    assert first.risk_version != second.risk_version


def test_a_change_of_an_order_keeps_the_limits_too() -> None:
    desk = limited(a_limit("max_daily_order_value", 5000))
    order = desk.order(buys(400))
    desk.ack(order)
    reply = desk.give(ReplaceOrder(order.cl_ord_id, "ann", order_qty=Qty(Decimal(600))))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert (reply.denied.rule, reply.denied.was, reply.denied.this_order) == ("max_daily_order_value", "4000", "2000")


def test_what_changes_add_to_orders_is_ordered_that_day_as_well() -> None:
    """S2-22: an order that grows by changes takes as much of the day's value as one of that size."""
    desk = limited(a_limit("max_daily_order_value", 2500))
    order = desk.order(buys(100))
    desk.ack(order)
    desk.give(ReplaceOrder(order.cl_ord_id, "ann", order_qty=Qty(Decimal(200))))
    assert not passes(desk, 100)


def test_a_change_that_lessens_an_order_gives_nothing_of_the_day_back() -> None:
    """What was ordered was ordered, as with an order that is cancelled."""
    desk = limited(a_limit("max_daily_order_value", 2500))
    order = desk.order(buys(200))
    desk.ack(order)
    desk.give(ReplaceOrder(order.cl_ord_id, "ann", order_qty=Qty(Decimal(100))))
    assert not passes(desk, 100)
