"""Two processes and one journal: who trades, who asks, and what a kill -9 leaves."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.cli.commands import demo, orders, runs, tradeloop


@pytest.fixture
def home() -> Iterator[Path]:
    """A home with a short name: a socket's path may have 103 bytes on every system."""
    with tempfile.TemporaryDirectory(prefix="tl") as folder:
        yield Path(folder)


@contextmanager
def trading(home: Path, *, speed: str = "1", until: str = "fill") -> Iterator[subprocess.Popen[str]]:
    """A real process that trades the demo slowly, from the moment it has told `until`; it is gone when the block ends."""
    command = [sys.executable, "-m", "tradeloop", "--home", str(home), "run", "--demo", "--speed", speed]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if f"  {until} " in line:
                break
        else:
            pytest.fail(f"the process ended before it told {until!r}: {process.wait()}")
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def books(home: Path) -> list[tuple[str, str, str]]:
    """The paper broker's own orders: client id, ordered, filled."""
    with sqlite3.connect(home / "demo" / "paper.db") as db:
        return db.execute("SELECT cl_ord_id, order_qty, cum_qty FROM orders ORDER BY no").fetchall()


@pytest.mark.crash
def test_after_a_kill_the_same_command_goes_on_to_the_end(home: Path) -> None:
    """Promise 1, S0-4."""
    with trading(home) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    said = demo(home, "--json")
    assert said.code == 0, said.err
    assert "exists and goes on" in said.err
    assert said.document["run"]["status"] == "COMPLETED"
    assert said.document["unexplained_breaks"] == 0
    at_broker = books(home)
    assert len(at_broker) == 4
    assert all(ordered == filled for _, ordered, filled in at_broker)
    assert {order["id"] for order in orders(home / "demo")} == {cl_ord_id for cl_ord_id, _, _ in at_broker}
    assert len(said.document["artefacts"]) == 4


@pytest.mark.crash
def test_a_second_process_is_refused_and_told_who_trades(home: Path) -> None:
    with trading(home) as process:
        said = demo(home)
        assert said.code == 1
        assert f"pid {process.pid}" in said.error
        assert "run --demo" in said.error


@pytest.mark.crash
@pytest.mark.parametrize("word", ["rebuild", "upgrade"])
def test_the_database_is_not_made_over_under_a_process_that_trades(home: Path, word: str) -> None:
    with trading(home) as process:
        said = tradeloop(home / "demo", "db", word)
        assert said.code == 1
        assert f"pid {process.pid}" in said.error
        assert len(orders(home / "demo")) == 4


@pytest.mark.crash
def test_questions_are_answered_while_another_process_trades(home: Path) -> None:
    with trading(home):
        inside = home / "demo"
        (run,) = runs(inside)
        assert run["status"] == "RUNNING"
        assert len(orders(inside)) == 4
        assert tradeloop(inside, "positions", "--json").document["positions"]
        assert tradeloop(inside, "verify").code == 0
        doctor = tradeloop(inside, "doctor", "--json").document["findings"]
        (lease,) = [each["text"] for each in doctor if each["what"] == "lease"]
        assert "newest quote" in lease


@pytest.mark.crash
def test_pause_resume_and_cancel_reach_the_process_that_trades(home: Path) -> None:
    with trading(home) as process:
        inside = home / "demo"
        (run,) = runs(inside)
        assert "is PAUSED" in tradeloop(inside, "runs", "pause", run["id"]).out
        assert runs(inside)[0]["status"] == "PAUSED"
        assert "is RUNNING" in tradeloop(inside, "runs", "resume", run["id"]).out
        refused = tradeloop(inside, "runs", "pause", "20200101-none-1")
        assert refused.code == 2
        assert "is not known" in refused.error
        assert tradeloop(inside, "runs", "cancel", run["id"], "--reason", "enough").code == 0
        assert process.wait(timeout=30) == 1
    assert runs(inside)[0]["status"] == "CANCELED"
    assert all(not order["is_open"] for order in orders(inside))


@pytest.mark.crash
def test_reconcile_asks_the_process_that_trades(home: Path) -> None:
    with trading(home):
        inside = home / "demo"
        said = tradeloop(inside, "reconcile", "--json")
        assert said.code == 0, said.err
        assert said.document["unexplained_breaks"] == 0
        assert {each["repair"] for each in said.document["breaks"]} == {"wait: the run is not at its end"}
        refused = tradeloop(inside, "reconcile", "--accept", "nothing", "--reason", "none")
        assert refused.code == 2
        assert "nothing" in refused.error


@pytest.mark.crash
def test_a_stopped_run_says_how_many_orders_are_left_open(home: Path) -> None:
    with trading(home) as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 1
        assert process.stderr is not None
        assert "still open at the broker" in process.stderr.read()


@pytest.mark.crash
def test_the_cancel_of_a_run_is_accepted_and_said_so(home: Path) -> None:
    with trading(home):
        inside = home / "demo"
        (run,) = runs(inside)
        said = tradeloop(inside, "runs", "cancel", run["id"])
        assert said.code == 0
        assert f"run {run['id']} is RUNNING" not in said.out
        assert run["id"] in said.out


@pytest.mark.crash
def test_an_order_of_a_trading_process_can_be_cancelled(home: Path) -> None:
    with trading(home):
        inside = home / "demo"
        (order,) = [each for each in orders(inside) if each["symbol"] == "AIG.US"]
        said = tradeloop(inside, "orders", "cancel", order["id"])
        assert said.code == 0
        assert "on its way" in said.out


@pytest.mark.crash
def test_the_control_socket_is_its_owners_alone_and_refuses_what_it_does_not_know(home: Path) -> None:
    import socket

    with trading(home):
        path = home / "demo" / "control.sock"
        assert path.stat().st_mode & 0o777 == 0o600
        for request in (b'{"do": "StartRun"}\n', b"not json\n", b'{"do": "CancelRun"}\n'):
            with socket.socket(socket.AF_UNIX) as line:
                line.connect(str(path))
                line.sendall(request)
                answer = json.loads(line.makefile().readline())
            assert answer["ok"] is False
            assert answer["exit_code"] == 2


@pytest.mark.crash
def test_a_request_to_stop_ends_in_order_and_the_run_goes_on_later(home: Path) -> None:
    with trading(home) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 1
        assert process.stderr is not None
        assert "goes on from there" in process.stderr.read()
    assert not (home / "demo" / "control.sock").exists()
    assert demo(home).code == 0


def killed(home: Path) -> tuple[Path, str]:
    """A demo killed in the middle, in a home that no longer says where quotes come from; the home and the run."""
    with trading(home) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    (home / "demo" / "tradeloop.yaml").unlink()
    (run,) = runs(home / "demo")
    return home / "demo", run["id"]


@pytest.mark.crash
def test_a_run_left_behind_is_not_driven_on_without_quotes(home: Path) -> None:
    """Its orders would be denied for the lack of them, and a run spoilt by a question."""
    inside, run_id = killed(home)
    said = tradeloop(inside, "reconcile")
    assert said.code == 2
    assert f"run {run_id} is still RUNNING" in said.error
    assert "--feed" in said.error
    assert runs(inside)[0]["status"] == "RUNNING"


@pytest.mark.crash
def test_a_run_left_behind_is_cancelled_before_it_can_go_on(home: Path) -> None:
    inside, run_id = killed(home)
    sent = len(books(home))
    said = tradeloop(inside, "runs", "cancel", run_id, "--start", "2013-10-08T13:31:00Z")
    assert said.code == 0, said.err
    assert runs(inside)[0]["status"] == "CANCELED"
    assert len(books(home)) == sent
    assert all(not order["is_open"] for order in orders(inside))


@pytest.mark.crash
def test_books_that_can_not_be_written_are_the_cause_a_run_ends_with(home: Path) -> None:
    """Not that the quotes have ended; another program that holds the file stands in for the disk."""
    (home / "demo").mkdir(mode=0o700)
    settings = "feed:\n  kind: demo\nengine:\n  ready_within_s: 1\n"
    (home / "demo" / "tradeloop.yaml").write_text(settings, encoding="utf-8")
    with trading(home, until="order") as process, closing(sqlite3.connect(home / "demo" / "paper.db", timeout=30)) as db:
        db.execute("BEGIN IMMEDIATE")
        assert process.wait(timeout=60) in (1, 4)
        assert process.stderr is not None
        last = process.stderr.read().splitlines()[-1]
    assert last.startswith("error: ")
    assert "the paper books could not be" in last


@pytest.mark.crash
def test_a_full_disk_is_one_sentence_and_loses_nothing(home: Path) -> None:
    """A limit on the size of files stands in for the disk; the write that meets it fails as on a full one."""
    assert tradeloop(home / "demo", "db", "upgrade").code == 0
    command = f"ulimit -f 120; exec {sys.executable} -m tradeloop --home {home} run --demo --speed 20"
    full = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert full.returncode == 1, full.stderr
    assert "error: " in full.stderr
    assert "Traceback" not in full.stderr
    assert "a fault of tradeloop" not in full.stderr
    assert "disk" in full.stderr.splitlines()[-1]
    assert tradeloop(home / "demo", "verify").code == 0
    said = demo(home, "--json")
    assert said.code == 0, said.err
    assert said.document["unexplained_breaks"] == 0
    assert all(ordered == filled for _, ordered, filled in books(home))
    assert len(books(home)) == 4


@pytest.mark.crash
def test_an_order_by_hand_beside_a_live_run_is_refused_and_told_who_trades(home: Path) -> None:
    """Also for a symbol in which that run has an order open: it is not one that an earlier command left behind."""
    with trading(home) as process:
        inside = home / "demo"
        for symbol in ("AIG", "BAC", "JPM"):
            said = tradeloop(inside, "orders", "submit", symbol, "buy", "10")
            assert said.code == 1
            assert f"pid {process.pid}" in said.error
            assert "run --demo" in said.error
            assert "wait until it ends, or stop it first" in said.error
        assert len(orders(inside)) == 4


@pytest.mark.crash
def test_asking_who_trades_keeps_nobody_from_trading(home: Path) -> None:
    """The question takes a shared lock: two who ask at once do not take each other for the holder."""
    from tradeloop.journal.lock import FileLock

    with trading(home):
        held = FileLock(home / "demo" / "tradeloop.db").holder()
        assert held is not None
        assert "run --demo" in held
    asking = FileLock(home / "demo" / "tradeloop.db")
    assert asking.holder() is None
    asking.take("the test")
    assert "the test" in (FileLock(home / "demo" / "tradeloop.db").holder() or "")
    asking.drop()
    assert FileLock(home / "nowhere.db").holder() is None
    assert not (home / "nowhere.db.lock").exists()


@pytest.mark.crash
@pytest.mark.parametrize("words", ["flatten", "cancel-all"])
def test_a_stop_is_worked_to_its_end_by_the_run_that_it_ends(home: Path, words: str) -> None:
    """Promise 3: the run is cancelled by the stop, and its process is the only one that can do the rest of it."""
    with trading(home, speed="5") as process:
        inside = home / "demo"
        said = tradeloop(inside, words, "--reason", "out", "--within", "60", "--json")
        assert (said.code, said.document["done"]) == (0, True), said.err
        process.communicate(timeout=60)
    assert [each["ord_status"] for each in orders(inside) if each["is_open"]] == []
    if words == "flatten":
        assert tradeloop(inside, "positions", "--json").document["positions"] == []
