"""Real processes with odd streams: closed, full, cut off, of another encoding; and homes with names that shells dislike."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.commands import FAST, demo, orders

pytestmark = pytest.mark.crash


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with blanks and Chinese in its name, in which the demo has run."""
    folder = tmp_path_factory.mktemp("streams") / "\u6211\u7684 \u5bb6 & 'co'"
    assert demo(folder).code == 0
    return folder / "demo"


def shell(home: Path, line: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """A line of a shell in which `$TL` is the command in `home`."""
    command = f"{shlex.quote(sys.executable)} -m tradeloop --home {shlex.quote(str(home))}"
    ran = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line.replace("$TL", command)],
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
        env={**os.environ, **environ},
    )
    assert "Traceback" not in ran.stdout + ran.stderr
    assert "a fault of tradeloop" not in ran.stderr
    return ran


def test_a_closed_stdout_ends_a_command_as_an_open_one(home: Path) -> None:
    """Its number would be given to the next file that is opened, which the event loop refuses with an abort."""
    assert shell(home, "$TL positions >&-").returncode == 0
    assert shell(home, "$TL positions --json >&- 2>&-").returncode == 0
    assert shell(home, "$TL nonsense 2>&-").returncode == 2


def test_a_reader_that_has_seen_enough_is_no_fault(home: Path) -> None:
    ran = shell(home, "$TL config show | head -1")
    assert ran.stdout.strip() == "Folders"
    assert ran.stderr == ""


@pytest.mark.parametrize("words", ["verify", "runs list", "config show", "config show --json", "doctor"])
def test_a_reader_that_has_gone_leaves_an_answer_its_exit_code(words: str, home: Path) -> None:
    """The shell's `pipefail` gives the command's own."""
    for reader in ("head -1", "true"):
        ran = shell(home, f"$TL {words} | {reader}")
        assert (ran.returncode, ran.stderr) == (0, "")


def test_an_answer_that_is_bad_news_says_so_to_a_reader_that_has_gone_too(home: Path) -> None:
    assert shell(home, "$TL runs show nothing-like-it | true").returncode == 2


@pytest.mark.parametrize(("gone", "code"), [("| true", 0), ("| head -1", 0), (">/dev/full", 1)])
def test_a_run_whose_plan_can_not_be_shown_is_worked_to_its_end(tmp_path: Path, gone: str, code: int) -> None:
    """Where the result cannot be written the work is done all the same."""
    ran = shell(tmp_path, f"$TL run --demo --speed {FAST} {gone}")
    assert ran.returncode == code, ran.stderr
    assert {each["ord_status"] for each in orders(tmp_path / "demo")} == {"FILLED"}


def test_the_plan_stands_above_the_orders_that_it_becomes(tmp_path: Path) -> None:
    """In a log that takes both streams: nobody is asked, and the plan is to be seen before it is traded all the same."""
    said = shell(tmp_path, f"$TL run --demo --speed {FAST} 2>&1").stdout
    assert said.index("plan for 2013-10-08") < said.index("  order  BUY") < said.index("Positions")
    assert said.count("plan for 2013-10-08") == 1


@pytest.mark.parametrize("words", ["positions", "positions --json", "version", "verify", "doctor"])
def test_a_result_that_can_not_be_written_is_said_and_is_not_a_failure_of_the_work(words: str, home: Path) -> None:
    ran = shell(home, f"$TL {words} >/dev/full")
    assert ran.returncode == 1
    why = "the result could not be written (No space left on device)"
    assert ran.stderr == f"error: {why}; what was done stands, so look before doing it again\n"


def test_an_order_whose_result_can_not_be_written_is_not_asked_for_again(home: Path) -> None:
    before = len(orders(home))
    ran = shell(home, f"$TL orders submit BAC sell 1 --feed demo --speed {FAST} >/dev/full")
    assert "what was done stands, so look before doing it again" in ran.stderr
    assert len(orders(home)) == before + 1


def test_help_that_can_not_be_written_is_one_sentence(home: Path) -> None:
    ran = shell(home, "$TL --help >/dev/full")
    assert ran.returncode == 1
    assert ran.stderr.startswith("error: what there was to say could not be written")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gbk", "utf-8"])
def test_a_terminal_of_another_encoding_gets_every_table_and_exact_json(encoding: str, home: Path) -> None:
    environ = {"PYTHONIOENCODING": encoding}
    for words in ("export", "doctor", "config show", "runs list", "orders"):
        assert shell(home, f"$TL {words} >/dev/null", **environ).returncode == 0
    said = shell(home, "$TL config show --json", **environ)
    assert json.loads(said.stdout)["folders"]["data"] == str(home)


def test_a_name_that_the_terminals_encoding_can_not_read_is_refused_in_one_sentence(home: Path) -> None:
    ran = shell(home, "$TL orders", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert ran.returncode == 2
    assert "no Unicode text in the encoding of this terminal" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_what_is_proposed_to_type_can_be_typed(home: Path) -> None:
    """The hint of the demo, given to a shell as it stands."""
    ran = shell(home.parent, "$TL orders")
    assert ran.returncode == 2
    hint = ran.stderr.partition("give `")[2].partition("`")[0]
    assert hint == f"--home {shlex.quote(str(home))}"
    assert shell(home, f"{shlex.quote(sys.executable)} -m tradeloop {hint} orders").returncode == 0
    assert "%E6" not in ran.stderr


def test_a_home_of_nobody_is_refused(home: Path) -> None:
    ran = shell(Path("~nobody-of-this-name/x"), "$TL orders")
    assert ran.returncode == 2
    assert "TRADELOOP_HOME" in ran.stderr


def test_whoever_closes_the_terminal_ends_a_run_in_order_and_it_goes_on_later(tmp_path: Path) -> None:
    """SIGHUP is what a closed terminal sends; under `nohup` it is ignored, and the run comes to its end."""
    words = [sys.executable, "-m", "tradeloop", "--home", str(tmp_path), "run", "--demo", "--speed", "20"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.send_signal(signal.SIGHUP)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 1
        assert err.splitlines()[-1].startswith("error: interrupted; what was recorded stays, and the same command goes on")
    assert not (tmp_path / "demo" / "control.sock").exists()
    ignoring = ["bash", "-c", f"trap '' HUP; exec {shlex.join(words)}"]
    with subprocess.Popen(ignoring, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=100)
        assert process.returncode == 0


def test_work_goes_on_where_nobody_hears_of_it(tmp_path: Path) -> None:
    """A full or closed stderr takes the progress and the alerts, and never the run."""
    ran = shell(tmp_path, f"$TL run --demo --speed {FAST} 2>/dev/full >/dev/null")
    assert ran.returncode == 0
    assert {each["ord_status"] for each in orders(tmp_path / "demo")} == {"FILLED"}


def test_ctrl_c_before_a_command_has_begun_is_no_fault(tmp_path: Path) -> None:
    planted = (
        "import sys, importlib.abc\n"
        "class Stop(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'typer': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Stop())\n"
        "from tradeloop.cli import main\n"
        "main()\n"
    )
    ran = subprocess.run([sys.executable, "-c", planted, "orders"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ran.returncode == 1
    assert ran.stderr == "error: interrupted; nothing was begun\n"
