"""What a person is told who stops a command, or whose broker is away: which order is out, and that it must not be repeated."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cli.commands import FAST, FILES, orders, tradeloop, us_run

AFTERNOON = ("--feed", "demo", "--speed", "20", "--start", "2013-10-08T14:00:00Z")


def broker_away(home: Path, script: str = "[disconnect:1]", **engine: str) -> None:
    """The session goes down at the first order and does not come back."""
    home.mkdir(exist_ok=True)
    lines = "".join(f"  {name}: {value}\n" for name, value in engine.items())
    (home / "tradeloop.yaml").write_text(f"engine:\n{lines}" if lines else "", encoding="utf-8")
    away = f"paper:\n  faults:\n    script: {script}\n    outage_ms: 100000000\n"
    (home / "broker.yaml").write_text(away, encoding="utf-8")


def interrupted_submit(home: Path) -> tuple[int, str]:
    """A submit that is stopped with Ctrl-C as soon as its order was handed to the broker; exit code and stderr."""
    command = [sys.executable, "-m", "tradeloop", "--home", str(home), "orders", "submit", "AIG", "buy", "10", *AFTERNOON]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for _ in range(300):
            listed = (home / "tradeloop.db").exists() and tradeloop(home, "orders", "--json")
            if listed and listed.code == 0 and any(order["submitted_at"] is not None for order in listed.document["orders"]):
                break
            time.sleep(0.1)  # a real process, on the clock of the world
        else:
            process.kill()
            pytest.fail("the order was never sent")
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=30)
        return process.returncode, err


@pytest.mark.crash
def test_a_submit_interrupted_while_its_fate_is_unknown_names_the_order_and_says_not_to_repeat_it(tmp_path: Path) -> None:
    broker_away(tmp_path, "[request_lost:1]", ack_timeout_s="600")
    code, err = interrupted_submit(tmp_path)
    (order,) = orders(tmp_path)
    assert code == 4, err
    assert order["id"] in err
    assert "tradeloop orders --unknown" in err
    assert "do not repeat the command" in err
    assert "goes on from there" not in err


@pytest.mark.crash
def test_the_same_submit_after_an_interruption_sends_no_second_order(tmp_path: Path) -> None:
    broker_away(tmp_path, "[request_lost:1]", ack_timeout_s="600")
    interrupted_submit(tmp_path)
    (order,) = orders(tmp_path)
    (tmp_path / "broker.yaml").unlink()
    again = tradeloop(tmp_path, "orders", "submit", "AIG", "buy", "10", *AFTERNOON)
    assert again.code == 4
    assert order["id"] in again.error
    assert "--anyway" in again.error
    assert "--request-id" in again.error
    assert len(orders(tmp_path)) == 1


def test_a_submit_that_gets_no_answer_ends_with_exit_code_four(tmp_path: Path) -> None:
    """Also on a fast replay: patience is counted in seconds of the world."""
    broker_away(tmp_path, "[request_lost:1, disconnect:2]", unknown_alert_s="1")
    said = us_run(tmp_path, FILES / "good" / "portfolio_us.csv", "--yes")
    assert said.code == 4, said.err
    assert "is still unknown" in said.error


def test_a_submit_whose_broker_stays_away_ends_and_names_its_order(tmp_path: Path) -> None:
    """It surely was not sent, so its fate is no question; but it will go on, and must not be given again."""
    broker_away(tmp_path, ready_within_s="1")
    said = tradeloop(tmp_path, "orders", "submit", "AIG", "buy", "10", "--feed", "demo", "--speed", "30")
    assert said.code == 1, said.err
    (order,) = orders(tmp_path)
    assert order["id"] in said.error
    assert order["unknown_at"] is None
    assert "is not ready: connection reset by the broker" in said.error


def test_a_broker_that_never_becomes_ready_ends_the_command(tmp_path: Path) -> None:
    assert tradeloop(tmp_path, "orders", "submit", "BAC", "buy", "1", "--feed", "demo", "--speed", FAST).code == 0
    (tmp_path / "tradeloop.yaml").write_text("engine:\n  ready_within_s: 0.000001\n", encoding="utf-8")
    said = tradeloop(tmp_path, "reconcile", "--feed", "demo", "--speed", FAST)
    assert said.code in (1, 4)
    assert "was not ready within" in said.error
