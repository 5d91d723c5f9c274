"""Run everything, interleaved, and print the table: `make bench`, or `python -m benchmarks [ROUNDS] [--quick] [--alone]`.

Every case is a process of its own. Rounds take turns between us and the peers, so that a busy minute of the machine falls
on all of them; the medians are compared. A peer that cannot be installed is left out, and the table says why;
`--alone` leaves all of them out, `--quick` takes small numbers.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.peers.install import PEERS, interpreter
from benchmarks.table import show

HERE = Path(__file__).resolve().parent


def run(command: list[str]) -> dict[str, Any]:
    """One case; its last line of output is its result. A case that fails ends the run: a rate without a check is none."""
    done = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, timeout=1800, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    print(".", end="", file=sys.stderr, flush=True)
    return result


def ours(module: str, *arguments: object) -> dict[str, Any]:
    """One of our cases."""
    return run([sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)])


def main() -> None:
    """Interleave, take medians, print."""
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    quick = "--quick" in sys.argv
    rounds = int(words[0]) if words else (1 if quick else 3)
    count = 2_000 if quick else 10_000
    results: dict[str, list[dict[str, Any]]] = {}
    missing: dict[str, str] = {}
    peers = {}
    alone = ["--alone"] if "--alone" in sys.argv else []
    for name in PEERS:
        python, why = (None, "asked for with --alone") if alone else interpreter(name)
        if python is None:
            missing[name] = why
        else:
            peers[name] = python

    def keep(result: dict[str, Any]) -> None:
        results.setdefault(result["case"], []).append(result)

    for _ in range(rounds):
        for case in ("market", "limit_cancel"):
            keep(ours("core_path", case, count))
            if "nautilus" in peers:
                keep(run([str(peers["nautilus"]), str(HERE / "peers/nautilus_path.py"), case, str(count)]))
        for case in ("risk", "risk_one_at_a_time"):
            if "vnpy" in peers:
                keep(run([str(peers["vnpy"]), str(HERE / "peers/vnpy_path.py"), case, str(count // 2)]))
        keep(ours("core_path", "market_limits", count))
        keep(ours("limits", count // 10))
        keep(ours("durable", 256, count, "memory"))
        keep(ours("durable", 256, count))
        keep(ours("durable", 16, count // 4))
        keep(ours("durable", 1, count // 10))
        keep(ours("core_path", "one_position", 50_000 if not quick else 5_000))
        keep(ours("core_path", "many_positions", 50_000 if not quick else 5_000))
        for orders in (100, 1_000) if not quick else (20, 100):
            keep(ours("last_cancel", orders))
        keep(ours("first_health", 5 if not quick else 1))
        keep(ours("rest", 64, count // 2, *alone))
        keep(ours("push", 500, 50, 10 if not quick else 3, *alone))
    keep(ours("scaling", 1_000_000 if not quick else 50_000))
    keep(ours("recovery", *((100_000, 1_000_000) if not quick else (5_000, 50_000))))
    print(file=sys.stderr)
    show({case: _median(runs) for case, runs in results.items()}, missing, rounds)


def _median(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Median of every number over the rounds; everything else from the last one."""
    merged = dict(runs[-1])
    for name, value in runs[-1].items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            merged[name] = statistics.median(one[name] for one in runs)
    return merged


if __name__ == "__main__":
    main()
