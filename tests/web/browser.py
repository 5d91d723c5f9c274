"""A desk as a real process and a real browser before it: Chromium, driven by Playwright. Where one of them is missing, a test
says which and is skipped.
"""

from __future__ import annotations

import json
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
PAGES = ("/", "/orders", "/positions", "/market", "/account", "/runs", "/trades", "/risk", "/breaks", "/audit", "/settings")
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


def typed_orders(home: Path) -> list[dict[str, Any]]:
    """The orders with a limit, which no run of the demo makes."""
    listed = json.loads(outside(home, "orders", "--json"))["orders"]
    return [each for each in listed if each["price"] is not None]


@contextmanager
def a_desk(home: Path, *, port: str = "0", user: bool = True) -> Iterator[Served]:
    """`tradeloop up --demo` with a user `ann` who has every role; without `user` nobody is there yet."""
    if user and not (home / "demo").exists():
        (home / "demo").mkdir(parents=True)
        roles = "admin,trader,risk,viewer"
        outside(home / "demo", "users", "add", "ann", "--roles", roles, "--from-stdin", given=f"{PASSWORD}\n")
    command = [sys.executable, "-m", "tradeloop", "--home", str(home), "up", "--demo", "--speed", SPEED, "--port", port]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said: list[str] = []
        while not any("/set-up#" in line for line in said) if not user else not any("the desk is at " in line for line in said):
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

    def sign_in(self) -> None:
        """Sign in as ann, and wait for the frame."""
        self.go("/orders")
        self.page.get_by_label("Name").fill("ann")
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.locator("[data-environment=paper]").wait_for()

    def choose(self, **choices: str) -> None:
        """Have the look of this browser be this, from the next page on."""
        self.page.evaluate(
            """given => {
                const kept = JSON.parse(localStorage.getItem("tradeloop.choices") ?? '{"state":{},"version":1}');
                localStorage.setItem("tradeloop.choices", JSON.stringify({...kept, state: {...kept.state, ...given}}));
            }""",
            choices,
        )

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
def a_window(browser: Browser, served: Served, *, width: int = 1440, height: int = 900) -> Iterator[Window]:
    """A page in English, with nothing remembered."""
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-US", timezone_id="UTC")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    window = Window(page, served)
    page.on("console", lambda said: window.complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: window.complaints.append(str(error)))
    try:
        yield window
    finally:
        context.close()


@contextmanager
def signed_in(home: Path) -> Iterator[Window]:
    """A desk, a browser, and ann in it."""
    with a_browser() as browser, a_desk(home) as served, a_window(browser, served) as window:
        window.sign_in()
        yield window
