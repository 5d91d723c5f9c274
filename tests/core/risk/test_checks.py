"""Every check of every order, in every way in which it can fail: each by the case that names its code."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.core.risk.cases import Step, refused
from tests.core.risk.checks_cases import CASES, CheckCase
from tests.core.risk.test_rules import restarted

from tradeloop.core.commands import SubmitOrder
from tradeloop.core.risk import pipeline
from tradeloop.core.risk.codes import ORDER_CODES
from tradeloop.core.risk.denied import Denied
from tradeloop.core.risk.pipeline import LAST, PIPELINE, SAYS
from tradeloop.testing.desk import Desk

LATE = ("price_drift",)
"""Asked of an order that leaves late alone."""
each_check = pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)


def happen(desk: Desk, steps: Sequence[Step]) -> None:
    """One after the other; every order passes."""
    for step in steps:
        if isinstance(step, SubmitOrder):
            assert refused(desk, step) is None
        else:
            step(desk)


def asked(desk: Desk, steps: Sequence[Step]) -> Denied | None:
    """What happens, one after the other; what is said of the last one. Every order before it passes."""
    *before, last = steps
    happen(desk, before)
    if isinstance(last, SubmitOrder):
        return refused(desk, last)
    said = last(desk)
    assert said is None or isinstance(said, Denied)
    return said


def test_every_code_has_a_case() -> None:
    assert sorted(case.rule for case in CASES) == sorted(ORDER_CODES)


@each_check
def test_an_order_within_a_bound_passes(case: CheckCase) -> None:
    assert case.no_boundary or asked(case.desk(), case.below) is None


@each_check
def test_an_order_that_comes_to_a_bound_passes(case: CheckCase) -> None:
    assert case.no_boundary or asked(case.desk(), case.at) is None


@each_check
def test_an_order_beyond_a_bound_is_refused_with_what_was_compared(case: CheckCase) -> None:
    """S0-56: rule, scope, limit, what there is and what the order asks for."""
    denied = asked(case.desk(), case.beyond)
    assert denied is not None
    assert denied.rule == case.rule
    assert denied.scope
    assert denied.limit
    assert denied.this_order
    assert case.figures in (None, (denied.limit, denied.was, denied.this_order))


@each_check
def test_two_orders_that_pass_a_check_alone_do_not_pass_it_together(case: CheckCase) -> None:
    if case.together is None:
        assert case.alone_only
        return
    for order in case.together:
        assert asked(case.desk(), [order]) is None
    denied = asked(case.desk(), case.together)
    assert denied is not None
    assert denied.rule == case.rule


@pytest.mark.parametrize("from_snapshot", [False, True], ids=["journal", "snapshot"])
@each_check
def test_a_restart_forgets_nothing_of_what_a_check_counts(case: CheckCase, from_snapshot: bool) -> None:
    """Cash and shares that are promised, fates that are unknown, halts, the state of the market and its brokers."""
    known = asked(case.desk(), case.beyond)
    desk = case.desk()
    *before, last = case.beyond
    happen(desk, before)
    restarted(desk, from_snapshot=from_snapshot)
    denied = asked(desk, [last])
    assert known is not None
    assert denied is not None
    assert (denied.rule, denied.limit, denied.was, denied.this_order) == (case.rule, known.limit, known.was, known.this_order)


@each_check
def test_a_check_that_is_taken_out_is_missed(case: CheckCase, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutation that every case has to kill: without the check, nobody else says its code."""
    if case.rule in LATE:
        monkeypatch.setattr(pipeline, "recheck", lambda *of: None)
    else:
        assert case.rule in SAYS[case.check]
        for part, checks in (("PIPELINE", PIPELINE), ("LAST", LAST)):
            monkeypatch.setattr(pipeline, part, tuple(check for check in checks if check is not case.check))
    denied = asked(case.desk(), case.beyond)
    assert denied is None or denied.rule != case.rule
