"""`tradeloop watch`, and what an order that stands says about who looks after it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.commands import FAST, orders, tradeloop

DEMO = ("--feed", "demo", "--speed", FAST)


def test_a_stop_says_that_it_is_watched_only_while_a_process_runs(tmp_path: Path) -> None:
    said = tradeloop(
        tmp_path, "orders", "submit", "BAC.US", "buy", "100", "--type", "stop", "--stop-price", "20.00", *DEMO, "--json"
    )
    assert said.code == 0, said.err
    (warning,) = said.document["warnings"]
    assert "its stop is watched only while a process of tradeloop runs" in warning
    assert "tradeloop watch" in warning
    assert f"warning: {warning}" in said.err


def test_an_order_that_is_filled_warns_of_nothing(tmp_path: Path) -> None:
    said = tradeloop(tmp_path, "orders", "submit", "BAC.US", "buy", "100", *DEMO, "--json")
    assert said.document["warnings"] == []


def test_watching_triggers_a_stop_and_tells_its_fill(tmp_path: Path) -> None:
    words = ("orders", "submit", "BAC.US", "buy", "100", "--type", "stop", "--stop-price", "13.85", "--tif", "gtc")
    # Slow while it is given, so that the market, which gets there after twenty minutes, is met by who watches.
    assert tradeloop(tmp_path, *words, "--feed", "demo", "--speed", "1").code == 0
    said = tradeloop(tmp_path, "watch", "--feed", "demo", "--speed", "1000", "--json")
    assert said.code == 0, said.err
    assert said.document["ended"] == "the recording has ended"
    assert any("triggered at" in line for line in said.document["told"]), said.document
    assert [order["ord_status"] for order in orders(tmp_path)] == ["FILLED"]


def test_watching_needs_quotes(tmp_path: Path) -> None:
    said = tradeloop(tmp_path, "watch")
    assert said.code == 2
    assert "--feed" in said.error


@pytest.mark.crash
def test_watching_ends_with_ctrl_c_in_order(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tradeloop", "--home", str(tmp_path), "watch", "--feed", "demo", "--speed", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while "watching" not in process.stderr.readline():
            assert process.poll() is None
        os.kill(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=30)
        assert process.returncode == 0
        assert "stopped; 0 open orders left" in out
