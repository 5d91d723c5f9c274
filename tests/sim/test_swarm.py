"""A small swarm of worlds at every change; `make prove SEEDS=2000` lives more of them."""

from __future__ import annotations

from collections import Counter

import pytest

from tradeloop.testing.faults import NOT_YET, Fault
from tradeloop.testing.prove import story
from tradeloop.testing.tally import Tally
from tradeloop.testing.world.life import CASH, cash_of, live

SEEDS = 60
IN_PARTS = 6


@pytest.mark.parametrize("part", range(IN_PARTS))
def test_no_invariant_breaks_whatever_goes_wrong(part: int) -> None:
    """Invariants 1 to 12, 15, 17, 20 to 23, 25 to 33, 35 to 38 and 40 to 42 (testing/checkers.py)."""
    for seed in range(part, SEEDS, IN_PARTS):
        outcome = live(seed)
        assert outcome.violations == [], f"seed {seed}\n" + "\n".join(story(outcome))


def test_the_faults_of_the_list_are_those_that_can_happen_and_those_that_cannot_yet() -> None:
    """F1 to F80: each required number is a fault of the world, or says why it is none."""
    required = [*range(1, 13), *range(16, 38), *range(41, 47), 49, *range(52, 57), 60, 61, 62, 65, 67, 68, 70, *range(72, 79)]
    known = Counter(fault.number for fault in Fault)
    assert max(known.values()) == 1
    assert [f"F{number}" for number in required if f"F{number}" not in known and f"F{number}" not in NOT_YET] == []
    assert [number for number in NOT_YET if number in known] == []


def test_a_small_swarm_meets_most_faults_and_crashes_often() -> None:
    """A simulation that never meets a fault proves nothing; 2,000 seeds have to meet every one (testing/prove.py)."""
    tally = Tally()
    for seed in range(100, 100 + SEEDS):
        tally.add(live(seed))
    assert tally.crashes > SEEDS
    assert tally.trades > SEEDS
    assert len(tally.never_met) <= len(Fault) // 8, tally.never_met


def test_a_small_swarm_changes_orders_loses_the_answers_and_runs_out_of_money() -> None:
    """What no fault stands for happens, too: orders get other terms (ADR 13), and cash is so scarce that orders vie for it."""
    told = Counter(text.split()[0] for seed in range(SEEDS) for _, _, text in live(seed).lines if text.strip())
    for fact in ("OrderReplaced", "ReplaceRejected", "ReplaceFateLost", "ReplaceDenied"):
        assert told[fact], fact
    scarce = [seed for seed in range(SEEDS) if cash_of(seed) < CASH]
    assert SEEDS // 6 < len(scarce) < SEEDS // 2
