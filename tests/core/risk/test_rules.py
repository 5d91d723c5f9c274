"""Every rule of limits, in every way in which a rule can fail: each by the case that names it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from tests.core.risk import capital_cases, conduct_cases, eligibility_cases, frequency_cases, positions_cases, prices_cases
from tests.core.risk.cases import Case, Step

from tradeloop.core.commands import CancelOrder, SetLimits, SubmitOrder
from tradeloop.core.effects import RaiseAlert
from tradeloop.core.evolve import evolve
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.limit import LimitScope, RiskLimit, Severity
from tradeloop.core.replies import OrderReply
from tradeloop.core.risk.denied import Denied
from tradeloop.core.risk.registry import RULES
from tradeloop.core.risk.rule import Look, Screen
from tradeloop.core.risk.stopped import HALTED
from tradeloop.core.state import State
from tradeloop.testing.desk import Desk

CASES = (
    *capital_cases.CASES,
    *frequency_cases.CASES,
    *prices_cases.CASES,
    *conduct_cases.CASES,
    *eligibility_cases.CASES,
    *positions_cases.CASES,
)
OF = {
    LimitScope.GLOBAL: HaltScope.GLOBAL,
    LimitScope.ACCOUNT: HaltScope.ACCOUNT,
    LimitScope.STRATEGY: HaltScope.STRATEGY,
    LimitScope.SYMBOL: HaltScope.SYMBOL,
    LimitScope.INDUSTRY: HaltScope.SYMBOL,
}
"""What a limit halts, by what it is counted over."""
each_rule = pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)


def asked(case: Case, desk: Desk, orders: Sequence[Step]) -> Denied | None:
    """Ask for the orders in turn; all but the last one pass. What is said of the last one."""
    denied = None
    for number, command in enumerate(orders, start=1):
        if not isinstance(command, SubmitOrder):
            command(desk)
            continue
        reply = desk.give(command)
        assert isinstance(reply, OrderReply)
        denied = reply.denied
        if number < len(orders):
            assert denied is None, denied
            case.done(desk)
    return denied


def restarted(desk: Desk, *, from_snapshot: bool) -> None:
    """Another process goes on with what the last one recorded."""
    if from_snapshot:
        desk.state = State.unpack(desk.state.pack())
    else:
        state = State()
        for event in desk.events:
            evolve(state, event)
        desk.state = state


def test_every_rule_has_a_case() -> None:
    assert sorted({case.rule for case in CASES}) == sorted(RULES)


@each_rule
def test_an_order_below_a_limit_passes(case: Case) -> None:
    assert asked(case, case.desk(case.limit), case.below) is None


@each_rule
def test_an_order_that_comes_to_a_limit_passes(case: Case) -> None:
    assert asked(case, case.desk(case.limit), case.at) is None


@each_rule
def test_an_order_beyond_a_limit_is_refused_with_the_figures(case: Case) -> None:
    denied = asked(case, case.desk(case.limit), case.beyond)
    assert denied is not None
    assert (denied.rule, denied.scope) == (case.rule, case.limit.where)
    assert (denied.limit, denied.was, denied.this_order) == case.figures


@each_rule
def test_two_orders_that_pass_alone_do_not_pass_together(case: Case) -> None:
    if case.together is None:
        assert case.alone_only
        return
    for order in case.together:
        assert asked(case, case.desk(case.limit), [order]) is None
    denied = asked(case, case.desk(case.limit), case.together)
    assert denied is not None
    assert denied.rule == case.rule


@pytest.mark.parametrize("from_snapshot", [False, True], ids=["journal", "snapshot"])
@each_rule
def test_a_restart_forgets_nothing_of_what_a_limit_counts(case: Case, from_snapshot: bool) -> None:
    desk = case.desk(case.limit)
    *before, last = case.beyond
    for command in before:
        assert asked(case, desk, [command]) is None
        case.done(desk)
    restarted(desk, from_snapshot=from_snapshot)
    denied = asked(case, desk, [last])
    assert denied is not None
    assert (denied.rule, denied.was) == (case.rule, case.figures[1])


@each_rule
def test_a_rule_that_measures_nothing_is_missed(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutation that every case has to kill: without it, `beyond` would pass for another reason."""
    monkeypatch.setitem(RULES, case.rule, msgspec.structs.replace(RULES[case.rule], measure=lambda look, limit: None))
    assert asked(case, case.desk(case.limit), case.beyond) is None


@each_rule
def test_a_limit_in_shadow_stops_nothing(case: Case) -> None:
    desk = case.desk(msgspec.structs.replace(case.limit, shadow=True))
    assert asked(case, desk, case.beyond) is None


@each_rule
def test_without_its_limit_a_rule_says_nothing(case: Case) -> None:
    desk = case.desk(case.limit)
    desk.give(SetLimits((), "risk.yaml"))
    assert asked(case, desk, case.beyond) is None


@pytest.mark.parametrize("case", [case for case in CASES if RULES[case.rule].family is not None], ids=lambda case: case.rule)
def test_a_screen_that_fails_has_its_limits_asked_one_by_one(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(limits: tuple[RiskLimit, ...]) -> Screen:
        return lambda look: bool(1 / 0)

    monkeypatch.setitem(RULES, case.rule, msgspec.structs.replace(RULES[case.rule], family=fails))
    assert asked(case, case.desk(case.limit), case.at) is None
    assert asked(case, case.desk(case.limit), case.beyond) is not None


@each_rule
def test_a_limit_that_halts_refuses_the_order_and_latches_the_halt_of_what_it_counts_over(case: Case) -> None:
    """S2-70: what is at the limit halts nothing; a restart releases nothing."""
    limit = msgspec.structs.replace(case.limit, severity=Severity.HALT)
    desk = case.desk(limit)
    assert asked(case, desk, case.at) is None
    assert desk.state.halts == {}
    desk = case.desk(limit)
    denied = asked(case, desk, case.beyond)
    assert denied is not None
    assert denied.rule == case.rule
    (halt,) = desk.state.halts.values()
    assert (halt.tier, halt.by, halt.scope) == (HaltTier.HALT, "risk", OF[limit.scope])
    restarted(desk, from_snapshot=True)
    denied = asked(case, desk, [case.beyond[-1]])
    assert denied is not None
    assert denied.rule == HALTED


@pytest.mark.parametrize("change", [{}, {"severity": Severity.WARN}, {"allow_missing": True}], ids=["deny", "warn", "allow"])
@each_rule
def test_a_rule_that_fails_refuses_the_order_and_tells_people(
    case: Case, change: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fail closed: the order is refused, the desk goes on, and cancels ask no rule."""

    def fails(look: Look, limit: RiskLimit) -> None:
        raise ZeroDivisionError("no volume")

    desk = case.desk(msgspec.structs.replace(case.limit, **change))
    first = case.beyond[0]
    working = desk.order(first) if len(case.beyond) > 1 and isinstance(first, SubmitOrder) else None
    monkeypatch.setitem(RULES, case.rule, msgspec.structs.replace(RULES[case.rule], measure=fails, family=None))
    desk.state.limits.relisted()  # nothing is remembered of the rule that measured
    denied = asked(case, desk, [case.beyond[-1]])
    assert denied is not None
    assert (denied.rule, denied.was) == (case.rule, "failed")
    assert "ZeroDivisionError: no volume" in desk.of(RaiseAlert)[-1].text
    if working is not None:
        desk.give(CancelOrder(working.cl_ord_id, "ann"))
        assert desk.known(working.cl_ord_id).cancel_requested_at is not None
