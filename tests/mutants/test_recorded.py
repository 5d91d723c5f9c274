"""The long run on the page is a tally's: of a commit whose program was lived, figure by figure."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.mutants import recorded
from tests.mutants.planted import ROOT, every
from tests.mutants.proof import PAGE, load, page

from tradeloop.core.types import SECOND_NS
from tradeloop.testing.dealt import Dealt
from tradeloop.testing.tally import Kept, Tally

HOUR_NS = 3600 * SECOND_NS
TALLY = Tally(
    seeds=120_000,
    crashes=387_760,
    trades=1_132_040,
    events=12_103_240,
    virtual_ns=13_521 * HOUR_NS + HOUR_NS // 2,
    on_sqlite=7_500,
    dealt=Dealt(accepted=641_200, filled=450_680, denied=946_440),
    met={"KILLED": 44_840, "TORN_TAIL": 16_080},
)


@pytest.fixture
def head() -> str:
    ran = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=20)
    if ran.returncode:
        pytest.skip("no git repository around the source: there is no commit to name")
    return ran.stdout.strip()


def a_run(broken: list[int] | None = None) -> recorded.Recorded:
    return recorded.Recorded(
        commit="a" * 40, code="c" * 64, start=0, seeds=120_000, jobs=2, broken=broken or [], crashes=387_760, trades=1_132_040,
        events=12_103_240, virtual_hours=13_521, accepted=641_200, filled=450_680, denied=946_440, faults_met=2,
        on_sqlite=7_500, skipped=0,
    )  # fmt: skip


def test_the_page_agrees_with_the_recorded_run() -> None:
    """Each way: no section without a file, and each figure of the file in the section."""
    run, shown = recorded.load(), PAGE.read_text(encoding="utf-8")
    assert ("## A recorded run" in shown) is (run is not None)
    if run is not None:
        assert recorded.section(run) in shown
        assert run.commit in shown


def test_a_tally_is_recorded_with_the_commit_whose_program_it_lived(head: str) -> None:
    kept = Kept(recorded.code_of(head), start=7, seconds=9_000.5, tally=TALLY)
    run = recorded.from_tally(kept, head, jobs=2)
    assert (run.commit, run.seeds, run.start, run.broken) == (head, 120_000, 7, [])
    assert (run.crashes, run.trades, run.events, run.virtual_hours) == (387_760, 1_132_040, 12_103_240, 13_521)
    assert (run.accepted, run.filled, run.denied, run.faults_met) == (641_200, 450_680, 946_440, 2)
    assert run.command == "python -m tradeloop.testing.prove --seeds 120000 --from 7 --jobs 2"


def test_a_tally_of_another_program_than_the_commits_is_refused(head: str) -> None:
    with pytest.raises(ValueError, match="name the commit that was lived"):
        recorded.from_tally(Kept("0" * 64, start=0, tally=TALLY), head, jobs=1)


def test_a_tally_without_seeds_is_refused(head: str) -> None:
    with pytest.raises(ValueError, match="has lived no seed"):
        recorded.from_tally(Kept(recorded.code_of(head), start=0), head, jobs=1)


def test_what_is_recorded_is_read_as_it_was_written(tmp_path: Path) -> None:
    for run in (a_run(), a_run([4711, 90_001])):
        recorded.save(run, tmp_path / "recorded.toml")
        assert recorded.load(tmp_path / "recorded.toml") == run


def test_the_page_has_no_section_where_no_run_is_recorded(tmp_path: Path) -> None:
    assert recorded.load(tmp_path / "recorded.toml") is None
    assert "recorded run" not in page(every(), load(), None)


def test_the_section_says_what_was_lived_and_which_seeds_broke() -> None:
    said = page(every(), load(), a_run([4711, 90_001]))
    for figure in (
        f"| commit | `{'a' * 40}` |",
        "| command | `python -m tradeloop.testing.prove --seeds 120000 --from 0 --jobs 2` |",
        "| seeds | 120,000, from 0 on |",
        "| seeds broken | 2 (4711, 90001) |",
        "| crashes | 387,760 |",
        "| trades at the venues | 1,132,040 |",
        "| events in the journals | 12,103,240 |",
        "| virtual hours | 13,521 |",
    ):
        assert figure in said, figure
    assert "| seeds broken | 0 |" in recorded.section(a_run())


def test_the_hash_of_a_commit_is_the_one_a_tally_is_kept_with(head: str, tmp_path: Path) -> None:
    """Taken of the files, as `prove --tally` takes it of the program that runs."""
    archive = subprocess.run(["git", "archive", head, "src"], cwd=ROOT, capture_output=True, check=True, timeout=60).stdout
    subprocess.run(["tar", "-x", "-C", str(tmp_path)], input=archive, check=True, timeout=60)
    env = {"PYTHONPATH": str(tmp_path / "src")}
    ask = [sys.executable, "-c", "from tradeloop.testing.tally import code_hash; print(code_hash())"]
    said = subprocess.run(ask, env=env, capture_output=True, text=True, check=True, timeout=60).stdout.strip()
    assert said == recorded.code_of(head)
