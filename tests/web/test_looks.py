"""How the desk looks: both languages, both themes, which colour is up, a phone; and that everybody can read it (axe)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.tidy.tree import ROOT
from tests.web.browser import PAGES, PICTURES, Window
from tests.web.readable import astray, unreadable

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
LANGUAGES = ("en", "zh")
THEMES = ("dark", "light")


@pytest.mark.parametrize("theme", THEMES)
def test_every_page_is_shown_without_a_complaint(window: Window, theme: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    broken: list[str] = []
    page = window.page
    window.complaints.clear()
    wear(window, theme)
    window.start("buyer")
    for path in PAGES:
        window.visit(path)
        broken += [f"{path} {each}" for each in astray(page, whole=path == PAGES[0])] if theme == THEMES[0] else []
        for language in LANGUAGES:
            speak(window, language)
            window.settled()
            page.screenshot(path=PICTURES / f"{path.strip('/') or 'system'}-{language}-{theme}.png")
            broken += [f"{path} {language} {each}" for each in against_everybody(window)]
        speak(window, "en")
    assert window.complaints == []
    assert broken == []


def test_the_open_ticket_the_drawer_and_the_stop_can_be_read_by_everybody(window: Window) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    broken: list[str] = []
    page = window.page
    page.locator("[role=row]", has_text="SPY.US").get_by_text("Filled").first.click()
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
    page.keyboard.press("Escape")
    window.go("/strategy")
    page.locator("[data-strategy-do=start]").click()
    page.locator("[data-confirm=do]").wait_for()
    broken += pictured(window, "start")
    assert broken == []


def test_what_is_said_of_an_alert_a_run_a_contract_and_a_secret_can_be_read_by_everybody(window: Window) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    broken: list[str] = []
    page = window.page
    window.ask("POST", "/api/v1/halts", {"scope": "symbol", "name": "IBM.US", "reason": "a drill"})
    page.get_by_role("button", name="open alerts").click()
    page.locator("[data-alert-see]").first.wait_for()
    broken += pictured(window, "alerts")
    page.locator("[data-alert-see]").first.click()
    page.locator("[data-alert-note]").wait_for()
    broken += pictured(window, "alert-seen")
    page.keyboard.press("Escape")
    window.go("/runs")
    page.locator("[role=row]", has_text="demo-us-replay").first.click()
    page.locator("[data-file]").first.wait_for()
    broken += pictured(window, "run")
    window.go("/market")
    page.locator("[data-main=switch]").click()
    page.locator("[data-main=symbol]").fill("IBM.US")
    page.locator("[data-confirm=typed]").wait_for()
    broken += pictured(window, "main-contract")
    page.keyboard.press("Escape")
    window.go("/settings")
    page.locator("[data-secret=set]").click()
    page.locator("[data-secret-field=value]").wait_for()
    broken += pictured(window, "secret")
    assert broken == []


def test_the_language_and_the_colours_change_at_once_and_stay(window: Window) -> None:
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


def test_a_phone_reads_and_kills(window: Window) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page = window.page
    page.set_viewport_size({"width": 390, "height": 844})
    for path in PAGES:
        window.visit(path)
        page.screenshot(path=PICTURES / f"phone-{path.strip('/') or 'system'}.png")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than the phone"
    page.get_by_role("button", name="KILL").click()
    page.locator("[data-kill=halt]").click()
    page.locator("[data-banner=halt]").wait_for()
    page.screenshot(path=PICTURES / "phone-halted.png")


def speak(window: Window, language: str) -> None:
    """Have the page in this language; which colour is up follows it."""
    name = {"en": "English", "zh": "中文"}[language]
    if window.page.locator("html").get_attribute("lang") != {"en": "en", "zh": "zh-CN"}[language]:
        window.page.get_by_role("banner").get_by_role("button", name=name).click()


def wear(window: Window, theme: str) -> None:
    """Have the page in this theme."""
    if window.page.locator("html").get_attribute("data-theme") != theme:
        window.page.get_by_role("button", name=f"{theme.capitalize()} theme").click()


def pictured(window: Window, name: str) -> list[str]:
    """A picture of what is open, and what axe finds in it."""
    window.settled()
    window.page.screenshot(path=PICTURES / f"{name}-en-dark.png")
    return [f"{name} {each}" for each in against_everybody(window)]


def against_everybody(window: Window) -> list[str]:
    """What keeps some people from reading this page: by our own rules, and where axe is there by WCAG 2 A and AA."""
    own = unreadable(window.page)
    if not AXE.is_file():
        return own
    if not window.page.evaluate("() => 'axe' in window"):
        window.page.evaluate(AXE.read_text(encoding="utf-8"))
    found = window.page.evaluate("() => axe.run({ runOnly: ['wcag2a', 'wcag2aa'] })")
    return own + [f"{each['id']}: {node['html'][:160]}" for each in found["violations"] for node in each["nodes"][:3]]


def colour(window: Window) -> str:
    """The colour of what rises."""
    said: str = window.page.evaluate(
        "() => { const sign = document.createElement('i'); sign.className = 'text-up'; document.body.append(sign);"
        " const found = getComputedStyle(sign).color; sign.remove(); return found; }"
    )
    return said


def test_what_nobody_could_use_is_found(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(
        "<html><body><header>Desk</header><header>Desk</header><img src=data:, width=9 height=9><button></button>"
        "<p id=a>One</p><p id=a>Two</p>"
        "<p style='color: #999'>pale</p><p style='opacity: 0.5'>faded</p>"
        "<b aria-labelledby=gone>x</b><i tabindex=3>in front</i></body></html>"
    )
    found = {each.split(":")[0] for each in unreadable(page)}
    page.close()
    assert found >= {"a control has no name", "what it is has no name", "two have the id a", "it pushes in front by tabindex"}
    assert found >= {"aria-labelledby points nowhere", "expected one main", "expected one banner", "the page has no heading"}
    assert sum(each.startswith("contrast") for each in found) == 2
    assert "the page has no title" in found
