"""A desk that tells of its work to nobody: a pipe that is full, a reader that has gone or comes back."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.cli.commands import orders, tradeloop

from tradeloop.cli.unblocked import Unblocked

SYNTHETIC = ("--feed", "synthetic")
STANDS = ("orders", "submit", "BTC/USDT", "buy", "0.1", "--type", "limit", "--price", "1", "--tif", "gtc", *SYNTHETIC)
_SMALL_PIPE = 4_096
_FILLED = b"." * _SMALL_PIPE
_PATIENCE_S = 30


@pytest.fixture
def home() -> Iterator[Path]:
    """A home in which an order stands, with a short name, for the socket in it."""
    with tempfile.TemporaryDirectory(prefix="tl") as folder:
        made = Path(folder)
        (made / "broker.yaml").write_text("kind: paper\npaper:\n  cash:\n    USDT: 100000\n", encoding="utf-8")
        (made / "broker.yaml").chmod(0o600)
        said = tradeloop(made, *STANDS)
        assert said.code == 0, said.err
        yield made


@contextmanager
def watching(home: Path, *words: str, stdout: int = subprocess.PIPE) -> Iterator[subprocess.Popen[bytes]]:
    """A process that trades and whose stderr is a small pipe."""
    command = [sys.executable, "-m", "tradeloop", "--home", str(home), "watch", *SYNTHETIC, *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=stdout) as process:
        try:
            assert process.stderr is not None
            fcntl.fcntl(process.stderr, fcntl.F_SETPIPE_SZ, _SMALL_PIPE)
            said = b""
            while b"watching" not in said:
                said += os.read(process.stderr.fileno(), 4_096)
                assert process.poll() is None
            yield process
        finally:
            process.kill()


def halt(home: Path, name: str) -> bool:
    """Ask the process that trades for a halt of a strategy, with a reason that makes its alert long."""
    request = {"do": "HaltTrading", "tier": "REDUCE_ONLY", "by": "ann", "reason": "r" * 300, "scope": "strategy", "name": name}
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(_PATIENCE_S)
        asking.connect(str(home / "control.sock"))
        asking.sendall(json.dumps(request).encode() + b"\n")
        return bool(json.loads(asking.makefile().readline())["ok"])


def until(true: Callable[[], bool]) -> None:
    """Return when it is, and fail where it is not in time."""
    end = time.monotonic() + _PATIENCE_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def statuses(home: Path) -> list[str]:
    return [each["ord_status"] for each in orders(home)]


@pytest.mark.crash
def test_a_desk_whose_alerts_nobody_reads_answers_and_cancels_by_the_file(home: Path) -> None:
    with watching(home) as process:
        assert all(halt(home, f"S{number}") for number in range(40))
        (home / "HALT").write_text("CANCEL_ALL the exchange called\n", encoding="utf-8")
        until(lambda: statuses(home) == ["CANCELED"])
        assert process.poll() is None
        process.terminate()
        assert process.wait(_PATIENCE_S) == 0


@pytest.mark.crash
def test_a_desk_whose_reader_has_gone_goes_on_trading_and_stops(home: Path) -> None:
    with watching(home) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        process.stderr.close()
        process.stdout.close()
        assert all(halt(home, f"S{number}") for number in range(3))
        (home / "HALT").write_text("CANCEL_ALL the exchange called\n", encoding="utf-8")
        until(lambda: statuses(home) == ["CANCELED"])
        assert process.poll() is None
        assert halt(home, "after")
        process.terminate()
        assert process.wait(_PATIENCE_S) == 0


@pytest.mark.crash
def test_a_result_that_nobody_reads_holds_no_desk_up(home: Path) -> None:
    """It is written when the lease was given back."""
    with full_pipe() as (reading, writing), watching(home, "--json", stdout=writing) as process:
        os.close(writing)
        process.terminate()
        until(lambda: not (home / "control.sock").exists())
        assert tradeloop(home, *STANDS).code == 0, "another process may trade here"
        assert process.poll() is None
        with os.fdopen(reading, "rb", closefd=False) as out:
            assert json.loads(out.read().removeprefix(_FILLED))["ended"] == "stopped"


@pytest.mark.crash
def test_a_plan_that_nobody_reads_is_traded_all_the_same_and_can_be_read_later(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tradeloop", "--home", str(tmp_path), "run", "--demo", "--speed", "300"]
    log = tmp_path / "stderr"
    with full_pipe() as (reading, writing), log.open("w") as err, subprocess.Popen(command, stdout=writing, stderr=err) as run:
        try:
            os.close(writing)
            until(lambda: "fill " in log.read_text(encoding="utf-8"))
            with os.fdopen(reading, "rb", closefd=False) as out:
                said = out.read().decode()
            assert run.wait(_PATIENCE_S) == 0
        finally:
            run.kill()
    assert 0 < said.index("plan for 2013-10-08") < said.index("Positions")


@contextmanager
def full_pipe() -> Iterator[tuple[int, int]]:
    """Both ends of a pipe that takes nothing more."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _SMALL_PIPE)
    os.write(writing, _FILLED)
    yield reading, writing
    os.close(reading)


@contextmanager
def into_a_full_pipe(pieces_max: int) -> Iterator[tuple[int, Unblocked]]:
    """A pipe that takes nothing more, seen by its reader, and what writes into it without waiting."""
    with full_pipe() as (reading, writing), os.fdopen(writing, "w", encoding="utf-8") as stream:
        yield reading, Unblocked(stream, pieces_max)


def test_what_nobody_reads_is_left_out_and_counted_where_it_is_missing() -> None:
    with into_a_full_pipe(2) as (reading, unblocked):
        for number in range(5):
            unblocked.write(f"line {number}\n")
        assert os.read(reading, _SMALL_PIPE) == _FILLED
        unblocked.finish(_PATIENCE_S)
        unblocked.write("line 5\n")
        unblocked.finish(_PATIENCE_S)
        missing = "warning: 3 lines are missing here: nobody read them while they were said\n"
        assert os.read(reading, _SMALL_PIPE).decode() == f"line 0\nline 1\n{missing}line 5\n"


def test_who_waits_for_a_reader_gives_up_and_one_that_reads_is_waited_for() -> None:
    with into_a_full_pipe(2) as (reading, unblocked):
        unblocked.write("line\n")
        unblocked.finish(0.1)
        os.read(reading, _SMALL_PIPE)
        unblocked.finish(_PATIENCE_S)
        assert os.read(reading, _SMALL_PIPE) == b"line\n"


def test_a_reader_that_has_gone_costs_what_was_said_and_nothing_else() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        unblocked = Unblocked(stream)
        assert [unblocked.write("said\n") for _ in range(3)] == [5, 5, 5]
        unblocked.finish(_PATIENCE_S)
