"""The benchmarks still run and still check their own books; how fast they are is `make bench`'s business and never a test's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from benchmarks.table import show

from tradeloop.core.risk.registry import RULES

ROOT = Path(__file__).resolve().parents[2]


def run(folder: Path, *words: str) -> dict[str, object]:
    """One case as a process; the result it prints."""
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env={**os.environ, "TRADELOOP_BENCH_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return result


@pytest.mark.parametrize("case", ["market", "market_limits", "limit_cancel", "one_position", "many_positions"])
def test_a_core_case_counts_what_it_did(tmp_path: Path, case: str) -> None:
    """The oracle inside agrees, or the process would have failed."""
    assert run(tmp_path, "benchmarks.core_path", case, "200")["n"] == 200


def test_the_pipeline_case_lets_every_order_pass_and_refuses_beyond_each_limit(tmp_path: Path) -> None:
    """Or the process would have failed; and each rule has its cost."""
    result = run(tmp_path, "benchmarks.limits", "20", "1")
    assert {name.removeprefix("adds_us.") for name in result if name.startswith("adds_us.")} == set(RULES)


@pytest.mark.parametrize("journal", ["sqlite", "memory"])
def test_the_engine_case_counts_what_it_did(tmp_path: Path, journal: str) -> None:
    """Every order was filled and durable."""
    assert run(tmp_path, "benchmarks.durable", "8", "100", journal)["n"] == 100


def test_the_stop_case_leaves_no_order_in_the_market(tmp_path: Path) -> None:
    """Nor lets a new one leave, or the process would have failed."""
    assert run(tmp_path, "benchmarks.last_cancel", "20")["n"] == 20


def test_the_start_case_comes_to_a_desk_that_is_healthy(tmp_path: Path) -> None:
    """Or the process would have failed."""
    assert run(tmp_path, "benchmarks.first_health", "1")["n"] == 1


@pytest.mark.slow
def test_the_rest_case_finds_every_order_in_the_journal(tmp_path: Path) -> None:
    """Each once, filled and not denied, or the process would have failed; without the peers, which are not installed here."""
    assert run(tmp_path, "benchmarks.rest", "8", "50", "--alone")["n"] == 50


@pytest.mark.slow
def test_the_push_case_finds_every_client_told_everything_in_order(tmp_path: Path) -> None:
    """Or the process would have failed; of quotes the newest alone must be the last."""
    result = run(tmp_path, "benchmarks.push", "20", "4", "1", "--alone")
    assert result["clients"] == 4
    assert result["orders_deltas"] != 0


def test_recovery_ends_in_the_same_state_both_ways(tmp_path: Path) -> None:
    """Cold and from a snapshot."""
    assert run(tmp_path, "benchmarks.recovery", "50", "5000")["open_orders"] == 50


def test_scaling_reaches_its_marks(tmp_path: Path) -> None:
    """One mark is enough to see that it still works."""
    assert run(tmp_path, "benchmarks.scaling", "10000")["n"] == 10_000


def test_a_case_whose_books_are_wrong_fails(tmp_path: Path) -> None:
    """A rate without a check is none: the oracle inside is able to say no."""
    spoiled = (
        "import benchmarks.core_path as c; c.QTY = c.Qty(c.Decimal(200)); p = c.Path(1); p.desk.give(c.a_quote(p.symbols[0]));"
    )
    spoiled += " p.market(0); c.QTY = c.Qty(c.Decimal(100)); p.check(1)"
    done = subprocess.run([sys.executable, "-c", spoiled], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "AssertionError" in done.stderr


def test_the_table_prints_ratios_and_says_what_was_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """A missing peer is named with its reason, and its rows are not judged."""
    core = {"per_s": 100, "us": 6.0, "p50_us": 5.0, "load1": 0}
    results: dict[str, dict[str, Any]] = {
        "tradeloop.core.market": core,
        "tradeloop.core.limit_cancel": core,
        "tradeloop.core.one_position": core,
        "tradeloop.core.many_positions": core,
        "tradeloop.engine_memory.256": core,
        "tradeloop.durable.256": core,
        "tradeloop.durable.16": core,
        "tradeloop.durable.1": {**core, "reply_p50_us": 150.0, "raw_fdatasync_p50_us": 100.0},
        "tradeloop.scaling": {
            "us_at": {"10000": 5.0},
            "ratio": 1.0,
            "longest_step_ms": 3.0,
            "bytes_per_closed_order": 600,
            "n": 10_000,
        },
        "tradeloop.core.market_limits": {**core, "us": 25.5},
        "tradeloop.limits": {
            "rules": 47,
            "open_orders": 10_000,
            "none.p50_us": 7.0,
            "none.p99_us": 9.0,
            "all.p50_us": 30.0,
            "all.p99_us": 80.0,
            "adds_us.max_order_qty": 0.75,
        },
        "tradeloop.recovery": {"open_orders": 1, "events": 2, "cold_s": 9.0, "snapshot_s": 1.0},
        "tradeloop.first_health": {"n": 5, "first_s": 2.9, "slowest_s": 2.4, "processor_s": 2.1},
        "tradeloop.last_cancel.100": {"n": 100, "asked_s": 1.0, "hangs_s": 0.35, "fails_s": 0.02},
        "tradeloop.rest": {
            "connections": 64,
            "per_s": 900.0,
            "per_cpu_s": 800.0,
            "fastapi.per_s": 9000,
            "fastapi.per_cpu_s": 9500,
        },
        "tradeloop.push": {
            "symbols": 500,
            "clients": 50,
            "quotes_p99_ms": 33.25,
            "orders_p50_ms": 1.0,
            "orders_p99_ms": 6.0,
            "raw_p50_ms": 0.5,
            "raw_p99_ms": 2.0,
        },
        "nautilus.market": {"per_s": 4},
    }

    show(results, {"vnpy": "no network"}, 1)

    printed = capsys.readouterr().out
    assert "25.0 x 4/s" in printed
    assert "1.5 x fdatasync 100 us" in printed
    assert "not reached" in printed
    assert "19.5 us" in printed
    assert "a limit of each of 47 rules" in printed
    assert "hangs 0.35 s, fails 0.02 s" in printed
    assert "max_order_qty │ 0.75" in printed
    assert "0.10 x 9,000/s" in printed
    assert "echoes 9,500" in printed
    assert "13.2 ms beyond" in printed
    assert "3.0 x 2.00 ms" in printed
    assert "left out: vnpy: no network" in printed
