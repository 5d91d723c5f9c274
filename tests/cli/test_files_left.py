"""The files of a run say how it ended, whichever command it ended in."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest
from tests.cli.commands import FAST, a_portfolio, runs, tradeloop, us_run
from tests.cli.watched import watching

DEMO = ("--feed", "demo", "--speed", FAST)


def waiting_run(home: Path) -> str:
    """A run that waits for a person; its id."""
    assert us_run(home, a_portfolio(home, "AIG.US,0.5\nBAC.US,0.45\n"), "--yes", "--hold").code == 0
    (run,) = runs(home)
    return str(run["id"])


def told(home: Path, run_id: str) -> list[str]:
    """What each reconciliation that was left says of how the run stands, the newest last."""
    found = sorted((home / "artefacts" / run_id).glob("broker_reconcile_*.json"))
    return [json.loads(path.read_text(encoding="utf-8"))["run"]["status"] for path in found]


def test_a_run_that_a_command_cancels_leaves_its_files(tmp_path: Path) -> None:
    run_id = waiting_run(tmp_path)
    said = tradeloop(tmp_path, "runs", "cancel", run_id, *DEMO)
    assert said.code == 0, said.err
    assert told(tmp_path, run_id) == ["CANCELED"]


def test_a_copy_of_a_file_is_no_file_of_the_run(tmp_path: Path) -> None:
    run_id = waiting_run(tmp_path)
    assert tradeloop(tmp_path, "runs", "cancel", run_id, *DEMO).code == 0
    (left,) = (tmp_path / "artefacts" / run_id).glob("broker_reconcile_*.json")
    left.with_name(f"{left.stem} (copy).json").write_text('{"schema_version": 1}', encoding="ascii")
    before = set(left.parent.iterdir())
    said = tradeloop(tmp_path, "watch", *DEMO)
    assert (said.code, said.err.count("Traceback")) == (0, 0)
    assert set(left.parent.iterdir()) == before


def test_what_cannot_be_written_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "artefacts").write_text("in the place of the folder", encoding="ascii")
    said = us_run(tmp_path, a_portfolio(tmp_path, "AIG.US,0.5\nBAC.US,0.45\n"), "--yes")
    assert said.code == 0, said.err
    assert said.err.count("then write them with `tradeloop export") == 1


def test_a_run_without_parquet_leaves_one_reconciliation_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "arro3.io", None)
    said = us_run(tmp_path, a_portfolio(tmp_path, "AIG.US,0.5\nBAC.US,0.45\n"), "--yes")
    assert said.code == 0, said.err
    assert said.err.count("Parquet files need the package arro3") == 1
    (run,) = runs(tmp_path)
    assert tradeloop(tmp_path, "watch", *DEMO).code == 0
    assert told(tmp_path, run["id"]) == ["COMPLETED"]


def test_a_run_that_ends_in_a_desk_that_watches_leaves_its_files_beside_those_of_before(tmp_path: Path) -> None:
    """Those that were exported while it waited say that it waits, and are not taken for the end's."""
    run_id = waiting_run(tmp_path)
    assert tradeloop(tmp_path, "export", "--run", run_id).code == 0
    with watching(tmp_path, "--feed", "demo", "--speed", "60"):
        assert tradeloop(tmp_path, "runs", "approve", run_id).code == 0
        until = time.monotonic() + 60
        while len(told(tmp_path, run_id)) < 2 and time.monotonic() < until:
            time.sleep(0.1)
    assert told(tmp_path, run_id) == ["AWAITING_APPROVAL", "COMPLETED"]
