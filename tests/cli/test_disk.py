"""A disk that is full or may only be read, under real processes: one sentence, exit code 1, nothing lost, and it goes on.

The disk is a small file system of its own in a mount namespace of its own; where the system allows none, these tests are
skipped and say so (tests/cli/test_processes.py has one that needs nothing).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.crash

FAST = "--speed 300"
DEMO = f"--feed demo {FAST}"
_MAY_MOUNT = ("unshare", "-rm", "sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt")


@pytest.fixture(scope="module", autouse=True)
def _namespaces() -> None:
    if shutil.which("unshare") is None or subprocess.run(_MAY_MOUNT, capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody mount a file system of his own")


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tl") as made:
        yield Path(made)


@dataclass(frozen=True)
class Ran:
    """How one command on the disk ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    @property
    def sentence(self) -> str:
        """The one sentence it ended with."""
        errors = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1, self.err
        assert self.err.splitlines()[-1] == errors[0]
        assert "a fault of tradeloop" not in self.err
        assert "Traceback" not in self.err
        return errors[0]


def on_a_disk(folder: Path, steps: list[str], kib: int = 20_000) -> list[Ran]:
    """Run `steps` one after the other on a new disk mounted at `folder`: a line that begins with `!` is for the shell, any
    other the words of a command in the home `folder`/h. How the commands ended, in order.
    """
    results = folder.with_name(folder.name + "-results")
    results.mkdir()
    lines = [f"mount -t tmpfs -o size={kib}k tmpfs {folder}", f"cd {folder}", "mkdir -m 700 h"]
    number = 0
    for step in steps:
        if step.startswith("!"):
            lines.append(step[1:])
            continue
        command = f"{sys.executable} -m tradeloop --home {folder}/{step if step.startswith('h') else 'h ' + step}"
        lines.append(f"timeout 100 {command} </dev/null >{results}/{number}.out 2>{results}/{number}.err")
        lines.append(f"echo $? >{results}/{number}.code")
        number += 1
    try:
        shell = subprocess.run(["unshare", "-rm", "bash", "-c", "\n".join(lines)], capture_output=True, text=True, check=False)
        files = [[results / f"{each}.{kind}" for kind in ("code", "out", "err")] for each in range(number)]
        assert all(path.exists() for row in files for path in row), shell.stderr
        return [Ran(int(code.read_text()), out.read_text(), err.read_text()) for code, out, err in files]
    finally:
        shutil.rmtree(results)


FILL = "!dd if=/dev/zero of=ballast bs=1k count=1000000 status=none 2>/dev/null"
FREE = "!rm ballast"


def left(kib: int) -> str:
    """After `FILL`: so much is free again."""
    return f"!truncate -s -{kib}k ballast"


@pytest.mark.parametrize("kib", [0, 200, 400])
def test_a_first_run_on_a_full_disk_ends_in_one_sentence_and_runs_when_there_is_room(folder: Path, kib: int) -> None:
    """At every stage of making a home: its settings, its tables, its books, its lease."""
    steps = [
        FILL,
        left(kib),
        f"run --demo {FAST}",
        FREE,
        f"run --demo {FAST} --json",
        "h/demo verify",
        "h/demo config show --json",
    ]
    full, again, verified, settings = on_a_disk(folder, steps)
    assert full.code == 1
    assert "disk" in full.sentence or "space" in full.sentence
    assert again.code == 0, again.err
    assert again.document["unexplained_breaks"] == 0
    assert verified.code == 0, verified.out + verified.err
    kinds = {row["name"]: row["value"] for row in settings.document["settings"]}
    assert kinds["feed.kind"] == "demo"


def test_an_order_on_a_full_disk_is_not_sent_and_can_be_given_again(folder: Path) -> None:
    """Promise 1: what is not durable does not leave."""
    give = f"h/demo orders submit AIG sell 10 {DEMO} --json"
    steps = [f"run --demo {FAST}", FILL, left(100), give, FREE, give, "h/demo orders --symbol AIG --json", "h/demo verify"]
    _, full, again, listed, verified = on_a_disk(folder, steps)
    assert full.code == 1
    assert "free space on the disk" in full.sentence
    assert full.document["exit_code"] == 1
    assert again.code == 0, again.err
    sells = [each for each in listed.document["orders"] if each["side"] == "SELL"]
    assert [each["ord_status"] for each in sells] == ["FILLED"]
    assert verified.code == 0, verified.out + verified.err


def test_a_rebuild_that_meets_a_full_disk_leaves_read_models_that_are_made_up_later(folder: Path) -> None:
    steps = [f"run --demo {FAST}", FILL, left(40), "h/demo db rebuild", FREE, "h/demo positions --json", "h/demo verify"]
    _, full, positions, verified = on_a_disk(folder, steps)
    assert full.code == 1
    assert "full" in full.sentence
    assert len(positions.document["positions"]) == 4
    assert verified.code == 0, verified.out + verified.err


@pytest.mark.parametrize(
    "words",
    [f"run --demo {FAST}", f"orders submit AIG buy 1 {DEMO}", f"reconcile {DEMO}", f"watch {DEMO}", "db upgrade"],
    ids=lambda words: words.partition(" --")[0],
)
def test_a_home_that_can_not_be_made_is_one_sentence(folder: Path, words: str) -> None:
    (said,) = on_a_disk(folder, ["!mount -o remount,ro .", f"h/new {words}"])
    assert said.code == 1
    assert "Read-only file system" in said.sentence
    assert "TRADELOOP_HOME" in said.sentence


def test_a_medium_that_may_only_be_read_answers_questions(folder: Path) -> None:
    """An archive burnt or mounted for an auditor: SQLite can make no files beside the database, and needs none."""
    asked = ["positions --json", "orders --json", "runs list --json", "verify"]
    steps = [f"run --demo {FAST}", "!mount -o remount,ro .", *(f"h/demo {words}" for words in asked)]
    _, positions, orders, runs, verified = on_a_disk(folder, steps)
    assert positions.code == 0, positions.err
    assert len(positions.document["positions"]) == 4
    assert [order["ord_status"] for order in orders.document["orders"]] == ["FILLED"] * 4
    assert [run["status"] for run in runs.document["runs"]] == ["COMPLETED"]
    assert verified.code == 0, verified.out + verified.err


LEAVES_A_LOG = """
import os, sqlite3
db = sqlite3.connect("h/demo/tradeloop.db", isolation_level=None)
db.execute("PRAGMA wal_autocheckpoint=0")
db.execute("UPDATE trade_runs SET error = 'said in the log alone'")
os._exit(0)
"""


@pytest.mark.parametrize("logged", [False, True], ids=["closed in order", "killed"])
def test_a_full_disk_answers_questions_with_everything_that_was_committed(folder: Path, logged: bool) -> None:
    """SQLite wants room for an index beside the log. What is in the log alone, as after a kill, is told too."""
    asked = [
        "positions --json",
        "orders --json",
        "runs list --json",
        "halts",
        "db status --json",
        "replay --json",
        "doctor --json",
    ]
    log = [f"!{sys.executable} - <<'END'{LEAVES_A_LOG}END"] if logged else []
    steps = [f"run --demo {FAST}", *log, FILL, *(f"h/demo {words}" for words in asked)]
    _, positions, orders, runs, halts, status, replayed, doctor = on_a_disk(folder, steps)
    assert positions.code == 0, positions.err
    assert len(positions.document["positions"]) == 4
    assert [order["ord_status"] for order in orders.document["orders"]] == ["FILLED"] * 4
    (run,) = runs.document["runs"]
    assert run["status"] == "COMPLETED"
    assert (run["text"] == "said in the log alone") is logged
    assert (halts.code, status.code, replayed.code) == (0, 0, 0)
    assert [each["state"] for each in doctor.document["findings"] if each["what"] in ("disk", "journal")] == ["bad", "ok"]


def test_read_models_are_never_made_anew_in_a_copy(folder: Path) -> None:
    """What is read on a full disk is a copy; what is to be written there is not."""
    _, rebuilt = on_a_disk(folder, [f"run --demo {FAST}", FILL, "h/demo db rebuild"])
    assert rebuilt.code == 1
    assert "free space" in rebuilt.sentence


def test_a_log_on_a_medium_that_may_only_be_read_is_never_passed_over(folder: Path) -> None:
    """Its commits are in no other file: an answer without them would be a wrong one."""
    left_behind = "!cp h/demo/tradeloop.db h/demo/tradeloop.db-wal; rm -f h/demo/tradeloop.db-shm"
    steps = [f"run --demo {FAST}", left_behind, "!mount -o remount,ro .", "h/demo positions"]
    _, said = on_a_disk(folder, steps)
    assert said.code == 1
    assert "writable" in said.sentence or "may be written" in said.sentence


def test_a_home_that_may_only_be_read_changes_nothing_and_goes_on_when_it_may_be_written(folder: Path) -> None:
    refused = [f"orders submit AIG sell 10 {DEMO}", f"reconcile {DEMO}", "db rebuild", "db upgrade", f"runs retry x {DEMO}"]
    steps = [
        f"run --demo {FAST}",
        "h/demo replay --json",
        "!mount -o remount,ro .",
        *(f"h/demo {words}" for words in refused),
        "!mount -o remount,rw .",
        "h/demo replay --json",
        f"h/demo orders submit AIG sell 10 {DEMO}",
        "h/demo verify",
    ]
    _, before, *middle, after, order, verified = on_a_disk(folder, steps, 60_000)
    for said in middle[:-1]:
        assert said.code == 1
        assert said.sentence
    assert after.document["state_hash"] == before.document["state_hash"]
    assert order.code == 0, order.err
    assert verified.code == 0, verified.out + verified.err
