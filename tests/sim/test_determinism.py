"""The same seed is the same life, to the byte, in every process."""

from __future__ import annotations

import os
import subprocess
import sys

from tradeloop.testing.world.life import live
from tradeloop.testing.world.limits import is_limited
from tradeloop.testing.world.sqlite import lives_on_sqlite

SEEDS = (37, *range(40, 48), 54, 91)
"""Two of them on SQLite, two under limits of risk."""
PROGRAM = """
import sys
from tradeloop.testing.world.life import live
for seed in map(int, sys.argv[1:]):
    outcome = live(seed)
    print(seed, outcome.journal, outcome.state, outcome.steps, outcome.trades, len(outcome.lines), outcome.on_sqlite)
"""


def told_by_a_fresh_process(hash_seed: str) -> list[str]:
    """What a new process says of the seeds: journal bytes, state, and how it came to them."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, SEEDS)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return ran.stdout.splitlines()


def test_two_fresh_processes_with_other_hash_seeds_live_the_same_lives() -> None:
    """Same-seed equality: journal bytes and state hash (invariant 32)."""
    one, two = told_by_a_fresh_process("1"), told_by_a_fresh_process("4242")
    assert len(one) == len(SEEDS)
    assert one == two


def test_seeds_on_the_journal_in_sqlite_are_among_those_that_are_compared() -> None:
    assert sum(map(lives_on_sqlite, SEEDS)) == 2


def test_seeds_under_limits_are_among_those_that_are_compared() -> None:
    assert sum(map(is_limited, SEEDS)) == 2


def test_a_seed_is_not_changed_by_the_seeds_lived_before_it() -> None:
    alone = live(45)
    for seed in (46, 47):
        live(seed)
    again = live(45)
    assert (again.journal, again.state, again.steps) == (alone.journal, alone.state, alone.steps)


def test_other_seeds_live_other_lives() -> None:
    assert len({live(seed).journal for seed in SEEDS}) == len(SEEDS)
