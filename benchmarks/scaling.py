"""What an order costs when there are many already: at 10,000, 100,000 and N resident orders, and the longest single step
on the way.

    python -m benchmarks.scaling N

The longest step is in processor time of the thread: what the scheduler of a busy machine adds is not a pause of ours.
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


def main() -> None:
    """One run through all marks."""
    last = argument(1, 1_000_000)
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
    longest, cost = 0, {}
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
    emit(
        "tradeloop.scaling",
        n=last,
        us_at={str(mark): us for mark, us in cost.items()},
        ratio=round(cost[marks[-1]] / cost[marks[0]], 2),
        longest_step_ms=round(longest / 1e6, 2),
        bytes_per_closed_order=round((resident_bytes() - before) / (last - WINDOW)),
    )


if __name__ == "__main__":
    main()
