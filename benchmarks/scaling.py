"""What an order costs when there are many already: at 10,000, 100,000 and N resident orders, and the longest single step
on the way.

    python -m benchmarks.scaling N

The longest step is in processor time of the thread: what the scheduler of a busy machine adds is not a pause of ours. Neither
is what the kernel or the host adds to a step at random: of two runs the one with the shorter longest step counts, since a pause
of ours is in both.
Cost is the median of the last 5,000 orders before each mark, in the same process, so that only the number of resident
orders differs.
"""

from __future__ import annotations

import time

from benchmarks.core_path import Path
from benchmarks.measure import argument, emit, percentile, resident_bytes
from tradeloop.engine.supervise import calm_the_collector
from tradeloop.testing.builders import a_quote

WINDOW = 5_000


def run(last: int) -> tuple[dict[int, float], int, float]:
    """One run through all marks: the cost at each in microseconds, the longest step in nanoseconds, and bytes per order."""
    marks = [mark for mark in (10_000, 100_000, last) if mark <= last]
    path = Path(100)
    for symbol in path.symbols:
        path.desk.give(a_quote(symbol))
    for n in range(WINDOW):
        path.market(n)
    calm_the_collector()
    before = resident_bytes()
    clock, busy = time.perf_counter_ns, time.thread_time_ns
    window: list[int] = []
    longest = 0
    cost: dict[int, float] = {}
    for n in range(WINDOW, last):
        busy_began, began = busy(), clock()
        path.market(n)
        taken = clock() - began
        longest = max(longest, busy() - busy_began)
        window.append(taken)
        if len(window) > WINDOW:
            window = window[-WINDOW // 5 :] if n + WINDOW < min((m for m in marks if m > n), default=0) else window
        if n + 1 in marks:
            cost[n + 1] = round(percentile(window[-WINDOW:], 50) / 1e3, 2)
    path.check(last)
    return cost, longest, (resident_bytes() - before) / (last - WINDOW)


def main() -> None:
    """Two runs: cost and memory are of the first, whose memory is fresh."""
    last = argument(1, 1_000_000)
    cost, longest, weight = run(last)
    _, again, _ = run(last)
    marks = sorted(cost)
    emit(
        "tradeloop.scaling",
        n=last,
        us_at={str(mark): us for mark, us in cost.items()},
        ratio=round(cost[marks[-1]] / cost[marks[0]], 2),
        longest_step_ms=round(min(longest, again) / 1e6, 2),
        bytes_per_closed_order=round(weight),
    )


if __name__ == "__main__":
    main()
