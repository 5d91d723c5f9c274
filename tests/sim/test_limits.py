"""Worlds that live under limits of risk: which do, what they meet, and that nothing which limits promise is broken in them."""

from __future__ import annotations

from collections import Counter
from functools import cache
from random import Random

import pytest

from tradeloop.core.limit import LimitScope, Severity
from tradeloop.core.risk.registry import RULES, checked
from tradeloop.core.risk.rule import Unit
from tradeloop.core.risk.triggers import TRIGGERS
from tradeloop.testing.prove import story
from tradeloop.testing.world.life import Outcome, live
from tradeloop.testing.world.limits import VALUES, file_of, halts_out, is_limited

SEEDS = [seed for seed in range(200, 280) if is_limited(seed)]
IN_PARTS = 2
FILES = [file_of(Random(number)) for number in range(200)]


@cache
def lived(seed: int) -> Outcome:
    """Each of them once, whatever is asked of it."""
    return live(seed)


@pytest.mark.parametrize("part", range(IN_PARTS))
def test_no_invariant_breaks_under_limits(part: int) -> None:
    """Invariants 22 and 25 to 30, with limits in force (testing/limits)."""
    for seed in SEEDS[part::IN_PARTS]:
        outcome = lived(seed)
        assert outcome.violations == [], f"seed {seed}\n" + "\n".join(story(outcome))


def test_limits_bind_end_throttle_and_halt() -> None:
    """A limit that never stops anything proves nothing."""
    told = Counter(text.split()[0] for seed in SEEDS for _, _, text in lived(seed).lines if text.strip())
    for fact in ("LimitSet", "LimitEnded", "LimitPassed", "LimitTripped", "LimitCleared", "OrderThrottled"):
        assert told[fact], fact


def test_orders_trade_under_limits_all_the_same() -> None:
    assert sum(lived(seed).dealt.filled for seed in SEEDS) > 3 * len(SEEDS)


def test_every_rule_has_values_from_one_that_never_binds_on() -> None:
    """A rule of eligibility has no figure: its list is as long as it is tight."""
    without = {code for code, rule in RULES.items() if rule.unit is Unit.NONE}
    assert {*RULES, *TRIGGERS} - without <= VALUES.keys() <= {*RULES, *TRIGGERS}


def test_files_have_a_few_rules_or_all_of_them_at_once() -> None:
    sizes = Counter(len({limit.rule for limit in limits}) for limits in FILES)
    assert sizes[len(RULES) + len(TRIGGERS)] > len(FILES) // 5
    assert sum(count for size, count in sizes.items() if size < 20) > len(FILES) // 5


def test_files_use_every_scope_severity_and_shadow_and_are_as_people_may_write_them() -> None:
    limits = [checked(limit) for each in FILES for limit in each]
    assert {limit.scope for limit in limits} == {*LimitScope}
    assert {limit.severity for limit in limits} == {*Severity}
    assert {limit.shadow for limit in limits} == {True, False}
    assert {limit.rule for limit in limits} == {*RULES, *TRIGGERS}


def test_one_file_says_each_limit_once() -> None:
    for limits in FILES:
        assert len({limit.limit_id for limit in limits}) == len(limits)


def test_what_halts_is_taken_out_before_a_world_comes_to_rest() -> None:
    calm = [limit for limits in FILES for limit in halts_out(limits)]
    assert calm
    assert not any(limit.rule in TRIGGERS or limit.severity is Severity.HALT for limit in calm)


def test_a_quarter_of_the_seeds_live_under_limits() -> None:
    assert sum(map(is_limited, range(1000))) == 260
