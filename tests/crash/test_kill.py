"""A real process that works a forty-line target is killed with -9 at random moments, again and again, and loses or
doubles nothing.

The judge is the paper broker's own file. Every history of the target has to end as the undisturbed one did. How many
times is set by `TRADELOOP_TEST_CRASH_KILLS`; the moments are drawn from the seed in each test's name, so that a failure
can be repeated.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from tests.crash.rehearsal import HELD, WANTED, Desk, write_market, write_target

KILLS = int(os.environ.get("TRADELOOP_TEST_CRASH_KILLS", "50"))
KILLS_EACH = 5
SEEDS = range(-(-KILLS // KILLS_EACH))


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, tuple[Path, Path], Desk]:
    """A desk that holds five names, the target of forty lines, and how the target ends undisturbed."""
    folder = tmp_path_factory.mktemp("crash")
    market = write_market(folder)
    before = write_target(folder, "before", dict.fromkeys(HELD, "0.19"))
    target = write_target(folder, "target", {**dict.fromkeys(HELD, "0"), **dict.fromkeys(WANTED, "0.027")})
    home = folder / "template"
    Desk(home, market).finish(before)
    undisturbed = Desk(folder / "undisturbed", market)
    shutil.copytree(home, undisturbed.home)
    undisturbed.finish(target)
    assert len(undisturbed.broker_positions()) == len(WANTED)
    return home, market, target, undisturbed


@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_killed_at_random_moments_ends_as_if_nothing_had_happened(
    stage: tuple[Path, Path, tuple[Path, Path], Desk], tmp_path: Path, seed: int
) -> None:
    """S0-4, S0-65, S1-2: no order lost, none doubled, the same final positions."""
    template, market, target, undisturbed = stage
    desk = Desk(tmp_path / "home", market)
    shutil.copytree(template, desk.home)
    moments = random.Random(seed)
    killed = 0
    while killed < KILLS_EACH:
        process = desk.start(target)
        time.sleep(moments.uniform(0.5, 2.5))
        process.kill()
        process.communicate()
        killed += 1

    desk.finish(target)

    assert desk.broker_positions() == undisturbed.broker_positions()
    assert desk.broker_fills() == undisturbed.broker_fills()
    ids = [cl_ord_id for cl_ord_id, *_ in desk.broker_orders()]
    assert len(ids) == len(set(ids)) == len(undisturbed.broker_orders())
    assert set(ids) <= desk.staged(), "the broker has an order that our journal never meant"
    assert all(filled == ordered for _, _, ordered, filled in desk.broker_orders())


def test_the_same_target_again_makes_no_new_order(stage: tuple[Path, Path, tuple[Path, Path], Desk]) -> None:
    """S0-60, S0-65."""
    _, _, target, undisturbed = stage
    before = undisturbed.broker_orders()

    again = undisturbed.finish(target)

    assert undisturbed.broker_orders() == before
    assert again["unexplained_breaks"] == 0


def test_a_process_killed_before_it_began_leaves_nothing_behind(
    stage: tuple[Path, Path, tuple[Path, Path], Desk], tmp_path: Path
) -> None:
    """A kill during start-up, twenty times in a row, never locks the desk."""
    template, market, target, undisturbed = stage
    desk = Desk(tmp_path / "home", market)
    shutil.copytree(template, desk.home)
    for hundredths in range(20):
        process = desk.start(target)
        try:
            process.wait(0.1 + hundredths / 50)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()

    desk.finish(target)

    assert desk.broker_positions() == undisturbed.broker_positions()
