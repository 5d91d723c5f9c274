"""A desk as a real process and a real browser before it: Chromium, driven by Playwright. Where one of them is missing, a test
says which and is skipped.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.api.test_up import healthy
from tests.tidy.tree import ROOT

from tradeloop.bootstrap.web import BUILT_PAGE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

PASSWORD = "four words nobody says"
PICTURES = ROOT / "build" / "pictures"
"""Where pictures of the pages are put, for people to look at."""
PATIENCE_MS = 60_000
SPEED = "20"
PAGES = (
    "/",
    "/orders",
    "/positions",
    "/market",
    "/account",
    "/runs",
    "/strategy",
    "/trades",
    "/risk",
    "/breaks",
    "/audit",
    "/settings",
)
QUIET = """\
# Nothing trades by itself but the portfolio of the demo: the strategy here is not the one that the demo starts.
strategies:
  - name: buyer
    file: strategies/dip.py
    symbols: [AIG.US]
    bar_s: 2
    parameters: {down: "0", up: "1", lot: "10"}
"""
"""A strategy that buys with its first bar, and then waits until it has doubled."""
GO = "path => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')); }"
"""Goes to another page of the desk as a link does."""
_NAMES = ("chromium", "chromium-browser", "google-chrome")


@dataclass
class Served:
    """A desk that runs, and where."""

    home: Path
    process: subprocess.Popen[str]
    address: str
    port: str
    said: list[str]

    @property
    def own_home(self) -> Path:
        """The home of the demo."""
        return self.home / "demo"

    def end(self) -> None:
        """End it at once, as a loss of power would."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.communicate()


def chromium() -> str:
    """The browser of this machine; the test is skipped where there is none, no Playwright, or no page to show."""
    pytest.importorskip("playwright", reason="playwright is not installed: pip install playwright")
    if not BUILT_PAGE.joinpath("index.html").is_file():
        pytest.skip("the page of the desk is not built: make web")
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("there is no Chromium: apt install chromium")
    return found


def outside(home: Path, *words: str, given: str = "") -> str:
    """The command line in a process of its own, since Playwright has the event loop of this one."""
    command = [sys.executable, "-m", "tradeloop", "--home", str(home), *words]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=True, timeout=120).stdout


def add_user(home: Path, name: str, roles: str = "admin,trader,risk,viewer") -> None:
    """Add a user, who has every role if nothing is said."""
    outside(home, "users", "add", name, "--roles", roles, "--from-stdin", given=f"{PASSWORD}\n")


@contextmanager
def a_desk(
    home: Path, *, port: str = "0", user: bool = True, strategies: str | None = None, speed: str = SPEED
) -> Iterator[Served]:
    """`tradeloop up --demo` with a user `ann` who has every role; without `user` nobody is there yet. With `strategies` these
    stand in strategies.yaml, and the example that the demo starts does not.
    """
    if user and not (home / "demo").exists():
        (home / "demo").mkdir(parents=True)
        add_user(home / "demo", "ann")
    if strategies is not None:
        (home / "demo" / "strategies.yaml").write_text(strategies, encoding="utf-8")
    last = "the desk is at " if user else "/set-up#"
    with served_at(home, "--demo", "--speed", speed, "--port", port, last=last) as served:
        yield served


@contextmanager
def served_at(home: Path, *words: str, last: str = "the desk is at ") -> Iterator[Served]:
    """`tradeloop up` of this home, once it has said its `last` word and is healthy."""
    command = [sys.executable, "-m", "tradeloop", "--home", str(home), "up", *words]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said: list[str] = []
        while not any(last in line for line in said):
            line = process.stderr.readline()
            assert line or process.poll() is None, said
            said.append(line)
        where = next(line for line in said if "the desk is at " in line)
        address = where.split("the desk is at ")[1].split(";")[0]
        served = Served(home, process, address, address.rpartition(":")[2], said)
        try:
            healthy(address)
            yield served
        finally:
            served.end()


@dataclass
class Window:
    """A page in a browser of its own, and what its console complained of."""

    page: Page
    served: Served
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        """Open a page of the desk."""
        self.page.goto(f"{self.served.address}{path}")

    def visit(self, path: str) -> None:
        """Go to another page of the desk as a link does, without loading anew."""
        self.page.evaluate(GO, path)
        self.settled()

    def give_password(self, name: str) -> None:
        """Say who one is, and prove it."""
        self.go("/orders")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()

    def sign_in(self) -> None:
        """Sign in as ann, and wait for the frame."""
        self.give_password("ann")
        self.page.locator("[data-environment=paper]").wait_for()

    def enter(self, name: str) -> None:
        """Sign in as somebody whose password was set by somebody else, choose another one, and wait for the frame."""
        self.give_password(name)
        self.page.get_by_label("Present password").fill(PASSWORD)
        self.page.get_by_label("New password").fill(f"{PASSWORD} but {name}")
        self.page.get_by_role("button", name="Change password").click()
        self.page.locator("[data-environment=paper]").wait_for()

    def settled(self) -> None:
        """Return when the page has what it asked for, charts too, and has drawn it."""
        self.page.locator("main h2").first.wait_for()
        self.page.wait_for_function(_SETTLED)

    def orders(self) -> list[dict[str, Any]]:
        """The newest orders, as the page may ask for them."""
        told: dict[str, Any] = self.page.evaluate("async () => (await fetch('/api/v1/orders?limit=300')).json()")
        orders: list[dict[str, Any]] = told["orders"]
        return orders

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
        """What the desk answers to this session, and with which status."""
        status, document = self.page.evaluate(_ASK, [method, path, body])
        return int(status), dict(document)

    def start(self, strategy: str) -> None:
        """Start a strategy, and return when it has traded."""
        assert self.page.evaluate(_START, strategy) == "traded"

    def tidy(self) -> None:
        """Leave the desk as the next test expects it: no halt, no order that works, no strategy that runs."""
        left = self.page.evaluate(_TIDY)
        assert left == [], left

    def fill_ticket(self, symbol: str, quantity: str, price: str) -> None:
        """Open the ticket and type a limit order to buy."""
        page = self.page
        page.get_by_role("button", name="New order").first.click()
        page.locator("[data-ticket-field=symbol]").fill(symbol)
        page.locator("[data-ticket-field=type]").select_option("limit")
        page.locator("[data-ticket-field=quantity]").fill(quantity)
        page.locator("[data-ticket-field=price]").fill(price)


def expect_shown(locator: Locator) -> None:
    """It comes into sight while one is patient."""
    from playwright.sync_api import expect

    expect(locator.first).to_be_visible(timeout=PATIENCE_MS)


def expect_gone(locator: Locator) -> None:
    """It goes while one is patient."""
    from playwright.sync_api import expect

    expect(locator).to_have_count(0, timeout=PATIENCE_MS)


def expect_text(locator: Locator, text: str) -> None:
    """It says so while one is patient."""
    from playwright.sync_api import expect

    expect(locator).to_contain_text(text, timeout=PATIENCE_MS)


_SETTLED = """() => {
    const waits = document.querySelector("main .animate-pulse, [role=dialog] .animate-pulse");
    const charts = [...document.querySelectorAll("[data-chart]")];
    return !waits && charts.every(each => each.querySelector("canvas"))
        && new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))));
}"""

_ASK = """async ([method, path, body]) => {
    const session = await (await fetch("/api/v1/session")).json();
    const headers = { "x-csrf-token": session.csrf, "content-type": "application/json" };
    const asked = method === "GET" ? {} : { method, headers, body: JSON.stringify(body ?? {}) };
    const answer = await fetch(path, asked);
    return [answer.status, await answer.json()];
}"""

_START = """async name => {
    const session = await (await fetch("/api/v1/session")).json();
    await fetch(`/api/v1/strategies/${name}/start`, { method: "POST", headers: { "x-csrf-token": session.csrf } });
    for (let tries = 0; tries < 600; tries += 1) {
        const held = (await (await fetch(`/api/v1/positions?strategy_id=${name}`)).json()).positions;
        if (held.length) return "traded";
        await new Promise(done => setTimeout(done, 100));
    }
    return "nothing was traded";
}"""

_TIDY = """async () => {
    const session = await (await fetch("/api/v1/session")).json();
    const headers = { "x-csrf-token": session.csrf, "content-type": "application/json" };
    const post = async (path, body) => fetch(path, { method: "POST", headers, body: JSON.stringify(body ?? {}) });
    const get = async path => (await fetch(path)).json();
    for (const each of (await get("/api/v1/strategies")).strategies)
        if (each.pid !== null) await post(`/api/v1/strategies/${each.name}/stop`);
    for (const each of (await get("/api/v1/halts")).halts)
        await post("/api/v1/halts/release", {
            reason: "the next test", scope: each.scope, name: each.name, numbers: [each.number], seen: each.number,
        });
    let open = [];
    for (let tries = 0; tries < 100; tries += 1) {
        open = (await get("/api/v1/orders?open=true&limit=200")).orders;
        if (!open.length) break;
        if (tries % 20 === 0) for (const each of open) await post(`/api/v1/orders/${each.order_id}/cancel`);
        await new Promise(done => setTimeout(done, 50));
    }
    return open.map(each => each.order_id);
}"""


@contextmanager
def a_browser() -> Iterator[Browser]:
    """The browser of this machine, without a window."""
    executable = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-dev-shm-usage"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def a_window(browser: Browser, served: Served, *, state: Any = None) -> Iterator[Window]:
    """A page in English, with nothing remembered but `state`: the cookie of who has signed in before."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, locale="en-US", timezone_id="UTC", storage_state=state
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    window = Window(page, served)
    page.on("console", lambda said: window.complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: window.complaints.append(str(error)))
    try:
        yield window
    finally:
        context.close()
