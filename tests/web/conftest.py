"""One Chromium and one desk for all tests of a file that one process runs, and ann who has signed in once.

They last no longer than the file: Playwright holds the event loop of its thread, which tests elsewhere want for themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from tests.web.browser import QUIET, Served, Window, a_browser, a_desk, a_window, chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@dataclass
class Desk:
    """A desk whose demo has traded and where nothing moves by itself, and the cookie of ann's session."""

    served: Served
    state: Any


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The Chromium of this machine."""
    chromium()
    with a_browser() as started:
        yield started


@pytest.fixture(scope="module")
def desk(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The desk that tests share."""
    with a_desk(tmp_path_factory.mktemp("desk"), strategies=QUIET) as served:
        with a_window(browser, served) as window:
            window.sign_in()
            window.go("/runs")
            window.page.locator("[role=row]", has_text="demo-us-replay").get_by_text("Completed").wait_for()
            state = window.page.context.storage_state()
        yield Desk(served, state)


@pytest.fixture
def window(browser: Browser, desk: Desk) -> Iterator[Window]:
    """A new page of the shared desk, on its orders; afterwards the desk is as it was."""
    with a_window(browser, desk.served, state=desk.state) as opened:
        opened.go("/orders")
        opened.page.locator("[data-environment=paper]").wait_for()
        yield opened
        opened.tidy()
