"""`tradeloop up` as a real process: healthy, closed to strangers, ended in order, killed and started again."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.cli.commands import orders, runs, tradeloop

pytestmark = pytest.mark.crash
PATIENCE_S = 60.0


@contextlib.contextmanager
def up(home: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its address, once it has said where it is."""
    command = [sys.executable, "-m", "tradeloop", "--home", str(home), "up", "--port", "0", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = ""
        while "the desk is at " not in said:
            said = process.stderr.readline()
            assert said or process.poll() is None, process.communicate()
        try:
            yield process, said.split("the desk is at ")[1].split(";")[0]
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()


def healthy(address: str) -> None:
    """Return when it says ok."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        said = httpx2.get(f"{address}/health", timeout=10)
        if (said.status_code, said.json()["status"]) == (200, "ok"):
            return
        time.sleep(0.05)
    raise AssertionError("it did not become healthy")


def ended(process: subprocess.Popen[str], how: signal.Signals) -> tuple[int, str]:
    """Its exit code and what it said."""
    os.kill(process.pid, how)
    out, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, out + err


def test_it_is_healthy_and_lets_nobody_do_anything(tmp_path: Path) -> None:
    with up(tmp_path, "--feed", "demo") as (process, address):
        healthy(address)
        order = {"symbol": "BAC.US", "side": "buy", "quantity": "1"}
        said = httpx2.post(f"{address}/api/v1/orders", json=order, headers={"Authorization": "Bearer tlk_x"}, timeout=10)
        listed = httpx2.get(f"{address}/api/v1/orders", timeout=10)
        code, words = ended(process, signal.SIGINT)
    assert (said.status_code, listed.status_code) == (401, 401)
    assert code == 0
    assert "stopped; 0 open orders left" in words
    assert orders(tmp_path) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_trades_and_goes_on_after_an_end_in_order(tmp_path: Path, how: signal.Signals) -> None:
    demo = tmp_path / "demo"
    with up(tmp_path, "--demo", "--speed", "60") as (process, address):
        healthy(address)
        _until(lambda: any(each["ord_status"] == "FILLED" for each in orders(demo)))
        code, _ = ended(process, how)
    assert code in (0, 1)
    with up(tmp_path, "--demo", "--speed", "60") as (process, address):
        healthy(address)
        _until(lambda: runs(demo)[0]["status"] == "COMPLETED")
        _until(lambda: any((demo / "artefacts").rglob("broker_reconcile_*.json")))
        ended(process, signal.SIGINT)
    assert len(runs(demo)) == 1


def test_the_files_of_a_run_that_ended_with_its_process_are_written_by_the_next(tmp_path: Path) -> None:
    demo = tmp_path / "demo"
    assert tradeloop(tmp_path, "run", "--demo", "--speed", "300").code == 0
    shutil.rmtree(demo / "artefacts")
    with up(tmp_path, "--demo", "--speed", "60") as (process, address):
        healthy(address)
        _until(lambda: any((demo / "artefacts").rglob("broker_reconcile_*.json")))
        ended(process, signal.SIGINT)


def test_killed_in_the_middle_it_goes_on_where_it_was(tmp_path: Path) -> None:
    demo = tmp_path / "demo"
    for _ in range(3):
        with up(tmp_path, "--demo", "--speed", "20") as (process, address):
            healthy(address)
            _until(lambda: bool(orders(demo)))
            process.kill()
            process.communicate()
    with up(tmp_path, "--demo", "--speed", "60") as (process, address):
        healthy(address)
        _until(lambda: runs(demo)[0]["status"] == "COMPLETED")
        ended(process, signal.SIGINT)
    assert len(runs(demo)) == 1
    of_run = [each for each in orders(demo) if each["trade_run_id"]]
    assert len({each["symbol"] for each in of_run}) == len(of_run)
    said = tradeloop(demo, "verify")
    assert said.code == 0, said.err


def test_while_there_is_nobody_it_prints_a_link_and_what_prints_another(tmp_path: Path) -> None:
    with up(tmp_path, "--feed", "demo") as (process, address):
        assert process.stderr is not None
        offered = ""
        while "users set-up-link" not in offered:
            line = process.stderr.readline()
            assert line, offered
            offered += line
        words = offered + ended(process, signal.SIGINT)[1]
    assert re.search(rf"{address}/set-up#[A-Z2-7]{{52}}\n", words)
    assert f"tradeloop --home {tmp_path} users set-up-link --base {address}" in words


def test_a_key_of_the_command_line_opens_the_desk_until_it_is_revoked(tmp_path: Path) -> None:
    password = "four words nobody says\n"
    assert tradeloop(tmp_path, "users", "add", "ann", "--roles", "admin,trader", "--from-stdin", given=password).code == 0
    with up(tmp_path, "--feed", "demo") as (process, address):
        healthy(address)
        made = tradeloop(tmp_path, "keys", "make", "--owner", "ann", "--scopes", "read:acct", "robot", "--json").document
        with httpx2.Client(base_url=address, headers={"Authorization": f"Bearer {made['key']}"}, timeout=10) as http:
            _until(lambda: http.get("/api/v1/orders").status_code == 200)
            assert tradeloop(tmp_path, "keys", "revoke", made["id"]).code == 0
            time.sleep(1.0)
            after = http.get("/api/v1/orders").status_code
        _, words = ended(process, signal.SIGINT)
    assert after == 401
    assert "set-up" not in words
    assert made["key"] not in words


def test_a_port_that_is_taken_is_one_sentence_and_opens_nothing(tmp_path: Path) -> None:
    with up(tmp_path / "one", "--feed", "demo") as (_, address):
        port = address.rpartition(":")[2]
        said = tradeloop(tmp_path / "two", "up", "--port", port, "--feed", "demo")
    assert said.code == 2
    assert f"port {port} of 127.0.0.1 is taken by another program" in said.error
    assert not (tmp_path / "two" / "tradeloop.db").exists()


def test_a_second_desk_in_one_home_is_refused_by_the_name_of_the_first(tmp_path: Path) -> None:
    with up(tmp_path, "--feed", "demo") as (process, _):
        said = tradeloop(tmp_path, "up", "--port", "0", "--feed", "demo")
    assert said.code == 1
    assert str(process.pid) in said.error


def test_an_open_address_is_refused(tmp_path: Path) -> None:
    said = tradeloop(tmp_path, "up", "--host", "0.0.0.0")
    assert said.code == 2
    assert "there is no TLS" in said.error


def test_the_command_line_reaches_the_desk_that_is_up(tmp_path: Path) -> None:
    with up(tmp_path, "--feed", "demo") as (process, address):
        healthy(address)
        said = tradeloop(tmp_path, "halt", "--reason", "look")
        ended(process, signal.SIGINT)
    assert said.code == 0, said.err


def _until(done: object) -> None:
    assert callable(done)
    until = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < until
        time.sleep(0.2)
