"""How the desk looks: both languages, both themes, which colour is up, a phone; and that everybody can read it (axe)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tidy.tree import ROOT
from tests.web.browser import PAGES, PICTURES, Window, signed_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
SETTLED_MS = 1_500
LOOKS = [(language, theme) for language in ("en", "zh") for theme in ("dark", "light")]


@pytest.mark.parametrize(("language", "theme"), LOOKS)
def test_every_page_is_shown_without_a_complaint(tmp_path: Path, language: str, theme: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    broken: list[str] = []
    with signed_in(tmp_path) as window:
        page = window.page
        page.locator("[role=row]", has_text="AIG.US").get_by_text("Filled").first.wait_for()  # a strategy trades it, too
        window.choose(language=language, theme=theme, upDown="cn" if language == "zh" else "intl")
        window.complaints.clear()
        for path in PAGES:
            window.go(path)
            page.locator("main h2").first.wait_for()
            page.wait_for_timeout(SETTLED_MS)
            page.screenshot(path=PICTURES / f"{path.strip('/') or 'system'}-{language}-{theme}.png")
            broken += [f"{path} {each}" for each in against_everybody(window)]
        complaints = list(window.complaints)
    assert complaints == []
    assert broken == []


def test_the_open_ticket_the_drawer_and_the_stop_can_be_read_by_everybody(tmp_path: Path) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    broken: list[str] = []
    with signed_in(tmp_path) as window:
        page = window.page
        page.locator("[role=row]", has_text="SPY.US").get_by_text("Filled").click()
        page.locator("[data-order]").wait_for()
        broken += pictured(window, "drawer")
        page.keyboard.press("Escape")
        window.fill_ticket("SPY.US", "10", "100")
        page.locator("[data-judgement]").wait_for()
        broken += pictured(window, "ticket")
        page.keyboard.press("Escape")
        page.keyboard.press("Control+Shift+K")
        page.locator("[data-kill=halt]").wait_for()
        broken += pictured(window, "kill")
        page.keyboard.press("Escape")
        page.keyboard.press("Control+k")
        page.get_by_placeholder("Go to a page").wait_for()
        broken += pictured(window, "palette")
    assert broken == []


def test_the_language_and_the_colours_change_at_once_and_stay(tmp_path: Path) -> None:
    with signed_in(tmp_path) as window:
        page = window.page
        root = page.locator("html")
        assert root.get_attribute("data-updown") == "intl"
        rises = colour(window)
        page.get_by_role("button", name="中文").click()
        page.get_by_role("link", name="委托").first.wait_for()
        assert (root.get_attribute("lang"), root.get_attribute("data-updown")) == ("zh-CN", "cn")
        assert colour(window) != rises, "in Chinese red is up, until somebody says otherwise"
        page.get_by_role("button", name="改为绿涨红跌").click()
        page.reload()
        page.get_by_role("link", name="委托").first.wait_for()
        assert root.get_attribute("data-updown") == "intl"


def test_a_phone_reads_and_kills(tmp_path: Path) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with signed_in(tmp_path) as window:
        page = window.page
        page.set_viewport_size({"width": 390, "height": 844})
        for path in ("/orders", "/positions", "/account", "/"):
            window.go(path)
            page.locator("main h2").first.wait_for()
            page.wait_for_timeout(SETTLED_MS)
            page.screenshot(path=PICTURES / f"phone-{path.strip('/') or 'system'}.png")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than the phone"
        page.get_by_role("button", name="KILL").click()
        page.locator("[data-kill=halt]").click()
        page.locator("[data-banner=halt]").wait_for()
        page.screenshot(path=PICTURES / "phone-halted.png")


def pictured(window: Window, name: str) -> list[str]:
    """A picture of what is open, and what axe finds in it."""
    window.page.wait_for_timeout(SETTLED_MS)
    window.page.screenshot(path=PICTURES / f"{name}-en-dark.png")
    return [f"{name} {each}" for each in against_everybody(window)]


def against_everybody(window: Window) -> list[str]:
    """What keeps some people from reading this page, by the rules of WCAG 2 A and AA."""
    if not AXE.is_file():
        pytest.skip("axe-core is not there: npm install in web/")
    window.page.evaluate(AXE.read_text(encoding="utf-8"))
    found = window.page.evaluate("() => axe.run({ runOnly: ['wcag2a', 'wcag2aa'] })")
    return [f"{each['id']}: {node['html'][:160]}" for each in found["violations"] for node in each["nodes"][:3]]


def colour(window: Window) -> str:
    """The colour of what rises."""
    said: str = window.page.evaluate(
        "() => { const sign = document.createElement('i'); sign.className = 'text-up'; document.body.append(sign);"
        " const found = getComputedStyle(sign).color; sign.remove(); return found; }"
    )
    return said
