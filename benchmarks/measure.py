"""One measurement: a named case, what it counted, how long it took, and the percentiles of its steps."""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def percentile(values: Sequence[int], at: float) -> int:
    """The value below which `at` percent of the sorted `values` lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(at / 100 * len(ordered)))]


def resident_bytes() -> int:
    """Memory of this process as the kernel counts it."""
    with open("/proc/self/statm", encoding="ascii") as stat:
        return int(stat.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Stopwatch:
    """Wall and processor time of a block, in seconds."""

    def __enter__(self) -> Stopwatch:
        gc.collect()
        self._wall = time.perf_counter()
        self._cpu = time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall = time.perf_counter() - self._wall
        self.cpu = time.process_time() - self._cpu


def emit(case: str, **figures: Any) -> None:
    """Print one result as one JSON line; `benchmarks.table` reads it back."""
    print(json.dumps({"case": case, "load1": round(os.getloadavg()[0], 2), **figures}), flush=True)


def steps(nanoseconds: Sequence[int]) -> dict[str, float]:
    """p50, p99, p99.9 and the longest of single steps, in microseconds."""
    return {
        "p50_us": round(percentile(nanoseconds, 50) / 1e3, 2),
        "p99_us": round(percentile(nanoseconds, 99) / 1e3, 2),
        "p999_us": round(percentile(nanoseconds, 99.9) / 1e3, 2),
        "max_us": round(max(nanoseconds) / 1e3, 1),
    }


def working_folder() -> Path:
    """Where journals are written while they are measured: the disk of the checkout, unless told otherwise."""
    folder = Path(os.environ.get("TRADELOOP_BENCH_DIR", ".bench"))
    folder.mkdir(exist_ok=True)
    return folder


def argument(position: int, default: int) -> int:
    """An integer from the command line."""
    return int(sys.argv[position]) if len(sys.argv) > position else default
