"""What the page of the desk costs in a real browser, beside the figures asked for: `python -m benchmarks.desk [--quick]`.

The first page is that of `tradeloop up --demo`, with nothing kept by the browser; the other two come from a stand-in, for what
they ask of the page no demo has. Processor time is counted beside frames: it says what the page needs, and frames what this
machine gave it, which a busy neighbour takes away.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx2
from rich.console import Console
from rich.table import Table
from tests.web.browser import QUIET, a_browser, a_desk, a_window

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FRAME_MS: Final = 1_000 / 60
ROW_PX: Final = 28
ROWS: Final = 4
"""Scrolled with each frame: 6,700 pixels a second, a wheel that is spun."""
Row = tuple[str, str, str, bool]

_FIRST_ROW: Final = """
const look = () => {
    if (document.querySelector("[data-row]")) window.firstRow = performance.now();
    else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""

_SCROLL: Final = """async ({ seconds, step }) => {
    const grid = document.querySelector("[role=grid]");
    const most = grid.scrollHeight - grid.clientHeight;
    const frames = [];
    let [at, way, before, blank] = [0, 1, performance.now(), 0];
    const until = before + seconds * 1000;
    return new Promise(done => {
        const next = now => {
            frames.push(now - before);
            before = now;
            if (!grid.querySelector("[data-row]")) blank += 1;
            at += way * step;
            if (at >= most || at <= 0) way = -way;
            grid.scrollTop = at;
            if (now < until) requestAnimationFrame(next);
            else done({ frames: frames.slice(1), blank });
        };
        requestAnimationFrame(next);
    });
}"""


@contextmanager
def a_stand_in(orders: int, updates_per_s: int) -> Iterator[str]:
    """The stand-in in a process of its own; its address."""
    command = [sys.executable, "-m", "benchmarks.desk_stand_in", str(orders), str(updates_per_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


@contextmanager
def a_page(browser: Browser) -> Iterator[Page]:
    """A page of its own, in English."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    page = context.new_page()
    page.set_default_timeout(120_000)
    try:
        yield page
    finally:
        context.close()


def first_page(browser: Browser, rounds: int) -> Row:
    """From the address to the first row of the blotter, with nothing in the browser's cache."""
    with tempfile.TemporaryDirectory() as home, a_desk(Path(home), strategies=QUIET, speed="1") as served:
        with a_window(browser, served) as window:
            window.sign_in()
            window.page.locator("[data-row]").first.wait_for()
            state = window.page.context.storage_state()
        took = []
        for _ in range(rounds):
            with a_window(browser, served, state=state) as window:
                window.page.add_init_script(_FIRST_ROW)
                window.go("/orders")
                took.append(window.page.wait_for_function("() => window.firstRow").json_value() / 1_000)
    middle = statistics.median(took)
    return (f"first page, {rounds} times", f"{middle:.2f} s, the longest {max(took):.2f} s", "<= 1 s", middle <= 1)


def blotter(browser: Browser, orders: int, seconds: int) -> Iterator[Row]:
    """Bring all orders into the blotter by scrolling to its end, and then scroll through them."""
    with a_stand_in(orders, 0) as address, a_page(browser) as page:
        page.goto(f"{address}/orders")
        page.locator("[data-row]").first.wait_for()
        loaded = 0
        while loaded < orders:
            loaded = page.evaluate(
                "() => { const grid = document.querySelector('[role=grid]'); grid.scrollTop = grid.scrollHeight;"
                " return Number(grid.getAttribute('aria-rowcount')) - 1; }"
            )
            page.wait_for_timeout(20)
        cdp = page.context.new_cdp_session(page)
        cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
        before = busy_s(cdp)
        found: dict[str, Any] = page.evaluate(_SCROLL, {"seconds": seconds, "step": ROWS * ROW_PX})
        frames, used = found["frames"], busy_s(cdp) - before
    needed = used / len(frames) * 1_000
    late = sum(frame > 1.5 * FRAME_MS for frame in frames)
    what = f"blotter of {loaded:,} orders, {ROWS} rows a frame"
    yield (f"{what}: main thread per frame", f"{needed:.1f} ms", f"<= {FRAME_MS:.1f} ms", needed <= FRAME_MS)
    yield (f"{what}: frames that came late", f"{late} of {len(frames)}", "none", late == 0)
    yield (f"{what}: frames without a row", f"{found['blank']} of {len(frames)}", "none", found["blank"] == 0)


def busy_s(cdp: Any) -> float:
    """The processor time of the page's main thread, in seconds: what a neighbour takes away does not count."""
    metrics = {each["name"]: each["value"] for each in cdp.send("Performance.getMetrics")["metrics"]}
    return float(metrics["TaskDuration"])


def quotes(browser: Browser, updates_per_s: int, seconds: int) -> Iterator[Row]:
    """The grid of quotes while they are pushed: the processor time of the renderer, all of its threads."""
    with a_stand_in(0, updates_per_s) as address, a_page(browser) as page:
        page.goto(f"{address}/market")
        page.locator("[data-symbol]").first.wait_for()
        page.wait_for_function("() => fetch('/sent').then(said => said.json()).then(told => told.sent > 0)")
        page.wait_for_timeout(2_000)  # until the first painting is over
        cdp = browser.new_browser_cdp_session()
        began, since, sent = renderers_s(cdp), time.monotonic(), httpx2.get(f"{address}/sent").json()["sent"]
        page.wait_for_timeout(seconds * 1_000)
        took = time.monotonic() - since
        used = (renderers_s(cdp) - began) / took
        rate = (httpx2.get(f"{address}/sent").json()["sent"] - sent) / took
    what = f"market page at {rate:,.0f} quotes a second"
    yield (
        f"{what}: processor of the renderer",
        f"{used:.0%} of a core",
        "<= 50 %",
        used <= 0.5,
    )
    yield ("quotes pushed a second", f"{rate:,.0f}", f">= {updates_per_s * 0.95:,.0f}", rate >= updates_per_s * 0.95)


def renderers_s(cdp: Any) -> float:
    """Processor time of all renderers, in seconds."""
    told = cdp.send("SystemInfo.getProcessInfo")["processInfo"]
    return float(sum(each["cpuTime"] for each in told if each["type"] == "renderer"))


def main() -> None:
    """Measure, and print the table."""
    quick = "--quick" in sys.argv
    with a_browser() as browser:
        rows = [first_page(browser, 2 if quick else 7)]
        rows += blotter(browser, 5_000 if quick else 100_000, 3 if quick else 10)
        rows += quotes(browser, 10_000, 3 if quick else 15)
    table = Table(title="The page of the desk in a browser")
    for column in ("what", "measured", "asked for", ""):
        table.add_column(column)
    for what, measured, wanted, reached in rows:
        table.add_row(what, measured, wanted, "reached" if reached else "not reached")
    console = Console(width=160)
    console.print(table)
    console.print(
        f"{sum(row[3] for row in rows)} of {len(rows)} reached on this machine, load {os.getloadavg()[0]:.1f} at the end"
    )


if __name__ == "__main__":
    main()
