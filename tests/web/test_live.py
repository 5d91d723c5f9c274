"""A live account in a real browser: what a person confirms, and what the desk refuses (issue of the desk, item 8; S0-63)."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyotp
import pytest
from tests.web.browser import PASSWORD, Served, Window, a_window, expect_shown, outside, served_at

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

SETTINGS = """\
feed:
  kind: demo
  speed: 20
  goes_on: true
live:
  accounts: [U1]
  order_value: 100
"""
BELOW, ABOVE = "5", "20"
"""Quantities at 9.50 that are worth less and more than `live.order_value`."""
BROKER = "kind: paper\naccount: U1\npaper:\n  as_live: true\n"


@contextmanager
def a_live_desk(home: Path) -> Iterator[Served]:
    """`tradeloop up` where a paper broker asks for what a live one asks for, with a user `ann` of every role."""
    home.mkdir(mode=0o700)
    for name, text in (("tradeloop.yaml", SETTINGS), ("broker.yaml", BROKER)):
        (home / name).write_text(text, encoding="ascii")
        (home / name).chmod(0o600)
    outside(home, "users", "add", "ann", "--roles", "admin,trader,risk,viewer", "--from-stdin", given=f"{PASSWORD}\n")
    with served_at(home, "--port", "0") as served:
        yield served


def factor_of(window: Window) -> pyotp.TOTP:
    """A second factor that ann sets up; its next code is the one of half a minute from now."""
    page = window.page
    window.go("/settings")
    page.locator("[data-factor=begin]").click()
    device = pyotp.TOTP(page.locator("[data-factor=secret]").inner_text())
    page.locator("[data-factor=code]").fill(device.now())
    page.get_by_role("button", name="Confirm").click()
    page.locator("[data-factor=codes] li").first.wait_for()
    return device


def orders_of(home: Path) -> list[object]:
    found: list[object] = json.loads(outside(home, "orders", "--json"))["orders"]
    return found


def test_a_live_run_is_refused_with_the_wrong_word_and_goes_with_the_right_one(browser: Browser, tmp_path: Path) -> None:
    portfolio, home = tmp_path / "portfolio.csv", tmp_path / "home"
    portfolio.write_text("ts_code,weight\nBAC.US,0.10\nSPY.US,0.20\n", encoding="utf-8")
    with a_live_desk(home) as served, a_window(browser, served) as window:
        page = window.page
        window.go("/orders")
        page.get_by_label("Name").fill("ann")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.locator("[data-environment=live]").wait_for()
        device = factor_of(window)
        window.go("/runs")
        page.locator("[data-import=portfolio]").set_input_files(portfolio)
        page.get_by_label("Hold for approval").uncheck()
        page.locator("[data-import=preview]").click()
        page.locator("[data-plan]").get_by_text("SPY.US").wait_for()
        page.locator("[data-import=make]").click()
        page.locator("[data-run-status=NEW]").wait_for()
        page.locator("[data-run-do=execute]").click()
        label = page.locator("[data-live-confirm] label", has_text="to confirm").inner_text()
        phrase = re.search(r"LIVE U1 \d+", label)
        assert phrase, label
        for wrong in ("LIVE", phrase.group().lower(), f"{phrase.group()}0"):
            page.locator("[data-confirm=typed]").fill(wrong)
            page.locator("[data-confirm=code]").fill("000000")
            page.locator("[data-confirm=do]").click()
            expect_shown(page.locator("[data-live-refused]").get_by_text("nothing was sent"))
        assert orders_of(home) == []
        page.locator("[data-confirm=typed]").fill(phrase.group())
        page.locator("[data-confirm=code]").fill(device.at(int(time.time()) + 30))
        page.locator("[data-confirm=do]").click()
        expect_shown(page.locator("[data-run-status=RUNNING], [data-run-status=COMPLETED]"))
        window.go("/positions")
        page.locator("[data-close='BAC.US']").click()
        page.locator("[data-confirm=typed]").fill("BAC.US")
        page.locator("[data-confirm=do]").click()
        closing = page.locator("[data-live-confirm]")
        shown = closing.locator("[data-live-order='BAC.US']")
        expect_shown(shown.get_by_text("Sell"))
        text = shown.inner_text()
        assert "BAC.US · Market" in text, text
        assert re.search(r"Price seen\s+[0-9]", text), text
        assert re.search(r"Worth up to\s+[0-9,.]+ USD", text), text
        for width, height in ((390, 700), (1440, 900)):
            page.set_viewport_size({"width": width, "height": height})
            page.locator("[data-stop]").click(timeout=3000)  # one click, in front of both dialogs
            page.locator("[data-kill=halt]").wait_for()
            page.keyboard.press("Escape")
            page.locator("[data-kill=halt]").wait_for(state="detached")
            expect_shown(shown.get_by_text("Sell"))
        closing.locator("[data-confirm=typed]").fill("LIVE")
        closing.locator("[data-confirm=code]").fill("000000")
        closing.locator("[data-confirm=do]").click()
        expect_shown(page.locator("[data-live-refused]").get_by_text("nothing was sent"))
        assert not [each for each in window.complaints if "401" not in each and "403" not in each]
        window.go("/orders")
        change_above_the_figure(window)
    assert len(orders_of(home)) == 3


def change_above_the_figure(window: Window) -> None:
    """An order that needed no word is changed to one that would: the page says what to do, and the desk refuses it."""
    page = window.page
    window.fill_ticket("BAC.US", BELOW, "9.50")
    page.locator("[data-judgement=passes]").wait_for()
    page.locator("[data-ticket-send]").click()
    row = page.locator("[role=row]", has_text="9.50")
    row.get_by_text("Working").wait_for()
    row.click()
    page.locator("[data-order]").get_by_role("button", name="Change").click()
    expect_shown(page.locator("[data-amend=live]").get_by_text("Cancel the order instead and place a new one"))
    page.locator("[data-amend=quantity]").fill(ABOVE)
    page.locator("[data-confirm=do]").click()
    expect_shown(page.locator("[data-refused]").get_by_text("above 100"))
    assert [each["quantity"] for each in window.orders() if each["price"] == "9.5"] == [BELOW]
