"""The desk in a real browser: what a trader does with it, from the printed link to the stop."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.web.browser import GO, PASSWORD, QUIET, Window, a_desk, a_window, add_user, expect_gone, expect_shown, expect_text
from tests.web.conftest import Desk

from tradeloop.feeds.demo import demo_context, demo_portfolio

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

ENOUGH = 8
"""Times of a quote that were seen, one after the other."""
LATE_ORDERS = """
const real = window.fetch, before = {};
window.given = 0;
window.fetch = async (what, how) => {
    if (!String(what).includes("/api/v1/orders?")) return real(what, how);
    if (window.late && before[what]) {
        await new Promise(done => setTimeout(done, 1000));
        window.given += 1;
        return before[what].clone();
    }
    const answer = await real(what, how);
    before[what] = answer.clone();
    return answer;
};
"""
"""From `window.late` on, lists of orders come a second late, and are those of before."""


def test_the_printed_link_makes_the_first_user_who_sees_the_demo_trade(browser: Browser, tmp_path: Path) -> None:
    with a_desk(tmp_path, user=False) as served, a_window(browser, served) as window:
        page = window.page
        page.goto(next(line for line in served.said if "/set-up#" in line).strip())
        page.get_by_label("Name").fill("ann")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("Password again").fill(PASSWORD)
        page.get_by_role("button", name="Make the user and sign in").click()
        page.locator("[data-environment=paper]").wait_for()
        assert "#" not in page.url, "the token stays in no history"
        page.get_by_role("link", name="Orders").first.click()
        expect_shown(page.locator("[role=row]", has_text="SPY.US").get_by_text("Filled"))


def test_an_order_is_checked_by_risk_placed_changed_and_cancelled(window: Window) -> None:
    page = window.page
    window.fill_ticket("BAC.US", "10", "9.50")
    page.locator("[data-judgement=passes]").wait_for()
    page.locator("[data-ticket-send]").click()
    row = page.locator("[role=row]", has_text="BAC.US").filter(has_text="9.50")
    row.get_by_text("Working").wait_for()
    row.click()
    page.locator("[data-order]").get_by_text("Acknowledged").wait_for()
    page.get_by_role("button", name="Change").click()
    page.locator("[data-amend=price]").fill("9.40")
    page.locator("[data-confirm=do]").click()
    page.locator("[role=row]", has_text="9.40").get_by_text("Working").wait_for()
    page.locator("[data-order-cancel]").click()
    page.locator("[data-confirm=do]").click()
    page.locator("[role=row]", has_text="9.40").get_by_text("Cancelled").wait_for()
    assert [each["status"] for each in window.orders() if each["price"] in ("9.4", "9.5")] == ["CANCELED"]


def test_risk_says_why_it_would_refuse_before_anything_is_sent(window: Window) -> None:
    window.fill_ticket("BAC.US", "10000000", "13.00")
    window.page.locator("[data-judgement=denied]").wait_for()
    assert [each for each in window.orders() if each["quantity"] == "10000000"] == []


def test_a_position_is_closed_only_when_its_symbol_is_typed(window: Window) -> None:
    page = window.page
    window.go("/positions")
    page.locator("[data-close='SPY.US']").click()
    does = page.locator("[data-confirm=do]")
    assert does.is_disabled()
    page.locator("[data-confirm=typed]").fill("SPY.US")
    does.click()
    expect_gone(page.locator("[data-row='SPY.US|LONG']"))


def test_kill_halts_and_a_reason_lets_trading_go_on(window: Window) -> None:
    page = window.page
    page.keyboard.press("Control+Shift+K")
    page.locator("[data-kill=halt]").click()
    page.locator("[data-banner=halt]").wait_for()
    assert page.locator("[data-kill=flatten]").is_disabled(), "everything is closed only when the account is typed"
    page.locator("[data-kill=release-reason]").fill("it was a drill")
    page.locator("[data-halt]").get_by_role("button", name="Resume").click()
    expect_gone(page.locator("[data-banner=halt]"))


def test_a_portfolio_is_shown_made_approved_and_filled(window: Window, tmp_path: Path) -> None:
    portfolio = tmp_path / "portfolio.csv"
    portfolio.write_text("ts_code,weight\nBAC.US,0.10\nSPY.US,0.20\n", encoding="utf-8")
    page = window.page
    window.go("/runs")
    page.locator("[data-import=portfolio]").set_input_files(portfolio)
    page.locator("[data-import=preview]").click()
    page.locator("[data-plan]").get_by_text("SPY.US").wait_for()
    page.locator("[data-import=make]").click()
    page.locator("[data-run-status=AWAITING_APPROVAL]").wait_for()
    page.locator("[data-run-do=approve]").click()
    page.locator("[data-confirm=do]").click()
    expect_shown(page.locator("[data-run-status=COMPLETED]"))


def test_a_page_whose_desk_is_gone_says_so_and_comes_back_with_every_order(browser: Browser, tmp_path: Path) -> None:
    with a_desk(tmp_path, strategies=QUIET) as first, a_window(browser, first) as window:
        window.sign_in()
        page = window.page
        window.fill_ticket("BAC.US", "10", "9.50")
        page.locator("[data-ticket-send]").click()
        page.locator("[role=row]", has_text="9.50").get_by_text("Working").wait_for()
        first.end()
        page.locator("[data-banner=stale]").wait_for()
        assert page.locator("main[data-stale]").count() == 1
        with a_desk(tmp_path, port=first.port, strategies=QUIET):
            expect_gone(page.locator("[data-banner=stale]"))
            expect_shown(page.locator("[role=row]", has_text="9.50"))


def test_quotes_are_pushed_and_not_asked_for(window: Window) -> None:
    page = window.page
    window.go("/")
    page.get_by_text("pushed").wait_for()
    with page.expect_websocket() as opened:
        window.go("/market")
    opened.value.wait_for_event("framereceived", lambda text: '"t":"quotes"' in str(text))
    cell = page.locator("[data-symbol='SPY.US'] [role=gridcell]").last
    cell.get_by_text(":").wait_for()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/v1/quotes" in request.url else None)
    seen: set[str] = set()
    for _ in range(30):
        seen.add(cell.inner_text())
        if len(seen) >= ENOUGH:
            break
        page.wait_for_timeout(100)
    assert len(seen) > len(asked) + 1, (seen, asked)


def test_what_the_stream_told_stands_over_an_answer_that_was_made_before_it(window: Window) -> None:
    page = window.page
    page.add_init_script(LATE_ORDERS)
    window.go("/orders")
    window.fill_ticket("BAC.US", "10", "9.20")
    page.locator("[data-ticket-send]").click()
    row = page.locator("[role=row]", has_text="9.20")
    row.get_by_text("Working").wait_for()
    page.evaluate("() => { window.late = true; }")
    row.click()
    page.locator("[data-order-cancel]").click()
    page.locator("[data-confirm=do]").click()
    row.get_by_text("Cancelled").wait_for()
    page.wait_for_function("() => window.given >= 2")  # the answers in which it still worked
    page.wait_for_timeout(300)
    assert row.get_by_text("Cancelled").is_visible()


def test_a_second_factor_is_set_up_from_its_picture(browser: Browser, desk: Desk) -> None:
    import pyotp

    add_user(desk.served.own_home, "ben")
    with a_window(browser, desk.served) as window:
        page = window.page
        window.enter("ben")
        window.go("/settings")
        page.locator("[data-factor=begin]").click()
        page.locator("[data-factor=picture]").wait_for()
        assert page.locator("[data-factor=picture]").evaluate("picture => picture.naturalWidth") > 0
        secret = page.locator("[data-factor=secret]").inner_text()
        page.locator("[data-factor=code]").fill(pyotp.TOTP(secret).now())
        page.get_by_role("button", name="Confirm").click()
        page.locator("[data-factor=codes] li").first.wait_for()
        assert page.locator("[data-factor=codes] li").count() >= 8


def test_a_key_is_shown_once(window: Window) -> None:
    page = window.page
    window.go("/settings")
    page.locator("[data-key=make]").click()
    page.locator("[data-key=name]").fill("robot")
    page.locator("[data-confirm=do]").click()
    text = page.locator("[data-key=text]").inner_text()
    assert re.fullmatch(r"tlk_\S+", text)
    page.reload()
    page.get_by_text("robot").first.wait_for()
    assert text not in page.content()


def test_the_demo_can_be_imported_once_more_and_is_the_same_run(window: Window, tmp_path: Path) -> None:
    portfolio, context = tmp_path / "portfolio.csv", tmp_path / "context.json"
    portfolio.write_bytes(demo_portfolio().read_bytes())
    context.write_bytes(demo_context().read_bytes())
    page = window.page
    window.go("/runs")
    page.locator("[data-import=portfolio]").set_input_files(portfolio)
    page.locator("[data-import=context]").set_input_files(context)
    page.get_by_label("Hold for approval").uncheck()
    page.locator("[data-import=preview]").click()
    page.locator("[data-import=make]").click()
    expect_shown(page.get_by_text("This run was made before"))


def test_a_strategy_is_started_paused_and_stopped_and_its_log_says_what_it_did(window: Window) -> None:
    page = window.page
    window.go("/strategy")
    page.locator("[data-strategy=buyer]").click()
    standing = page.locator("[data-standing]")
    log = page.get_by_role("grid", name="Trigger log")
    row = log.locator("[role=row]", has_text="below the highest").filter(has_text="taken").first
    for deed, stands in (("start", "Running"), ("pause", "Paused"), ("start", "Running"), ("stop", "Stopped")):
        page.locator(f"[data-strategy-do={deed}]").click()
        page.locator("[data-confirm=do]").click()  # the second confirmation (S4-73)
        standing.get_by_text(stands).wait_for()
        row.wait_for()
    assert re.search(r"\d+\.\d+", row.locator("[data-column=price]").inner_text()), "at which price (S4-45)"
    page.locator("[data-chip=life]").click()
    for what in ("started by ann", "paused by ann", "goes on, by ann", "stopped by ann"):
        log.locator("[role=row]", has_text=what).first.wait_for()
    page.locator("[data-row='AIG.US']").get_by_text("AIG.US").wait_for()
    page.locator("[data-strategy-gain=USD]").wait_for()
    version = page.locator("[data-version='1']")
    expect_shown(version.get_by_text("parameters.lot"))
    expect_shown(version.get_by_text("the last started"))
    page.locator("[data-chip=asked]").click()
    row.click()
    page.locator("[data-order]").get_by_text("buyer").first.wait_for()


def test_a_column_is_put_away_and_stays_away(window: Window) -> None:
    page = window.page
    head = page.get_by_role("columnheader", name="TIF")
    head.wait_for()
    page.locator("[data-columns] summary").click()
    page.get_by_role("checkbox", name="TIF").uncheck()
    expect_gone(head)
    page.reload()
    page.get_by_role("columnheader", name="Symbol").wait_for()
    assert head.count() == 0


def test_an_order_is_cancelled_from_its_drawer_on_any_page(window: Window) -> None:
    page = window.page
    window.fill_ticket("BAC.US", "10", "9.30")
    page.locator("[data-ticket-send]").click()
    page.locator("[role=row]", has_text="9.30").get_by_text("Working").wait_for()
    window.go("/audit")
    page.locator("[role=row]", has_text="9.3").filter(has_text="Order taken").first.click()
    page.locator("[data-order]").get_by_text("Acknowledged").wait_for()
    page.keyboard.press("x")
    page.locator("[data-confirm=do]").click()
    expect_shown(page.locator("[data-order]").get_by_text("Cancelled"))


def test_whoever_has_seen_an_alert_says_so_by_keyboard_and_stands_beside_it(window: Window) -> None:
    page = window.page
    window.ask("POST", "/api/v1/halts", {"scope": "symbol", "name": "IBM.US", "reason": "a drill"})
    page.get_by_role("button", name="open alerts").click()
    alert = page.get_by_role("dialog", name="Alerts").locator("[data-alert]", has_text="a drill")
    alert.get_by_role("button", name="I have seen it").press("Enter")
    page.keyboard.type("I call the broker")
    page.keyboard.press("Enter")
    expect_text(alert.locator("[data-alert-seen]"), "Seen by ann")
    expect_text(alert, "I call the broker")
    expect_text(alert, "open")  # to have seen it does not end it
    expect_gone(alert.get_by_role("button"))
    page.get_by_role("button", name="open alerts, 0 not seen").wait_for()


def test_a_viewer_is_told_what_is_not_theirs_and_the_desk_refuses_it(browser: Browser, desk: Desk) -> None:
    add_user(desk.served.own_home, "vic", "viewer")
    with a_window(browser, desk.served, state=desk.state) as window:
        window.go("/orders")
        window.ask("POST", "/api/v1/halts", {"scope": "symbol", "name": "BAC.US", "reason": "not for vic"})
        alerts = window.ask("GET", "/api/v1/alerts")[1]["alerts"]
        alert_id = next(each["id"] for each in alerts if "not for vic" in each["text"])
        with a_window(browser, desk.served) as other:
            page = other.page
            other.enter("vic")
            page.get_by_role("button", name="open alerts").click()
            drawer = page.get_by_role("dialog", name="Alerts")
            expect_shown(drawer.get_by_text("asks for the permission halt"))
            assert drawer.locator("[data-alert-see]").count() == 0
            other.go("/market")
            page.get_by_role("heading", name="Main contract").wait_for()
            other.settled()
            assert page.locator("[data-main=switch]").count() == 0
            other.go("/settings")
            other.settled()
            assert page.get_by_role("heading", name="Log of access").count() == 0
            assert page.get_by_role("heading", name="Secrets of brokers").count() == 0
            tried = [
                other.ask("POST", f"/api/v1/alerts/{alert_id}/acknowledge"),
                other.ask("PUT", "/api/v1/main-contract", {"symbol": "BAC.US"}),
                other.ask("GET", "/api/v1/access-log"),
                other.ask("GET", "/api/v1/secrets"),
            ]
        window.tidy()
    assert [(status, said["code"]) for status, said in tried] == [(403, "forbidden")] * 4


def test_the_files_of_a_run_are_taken_as_they_were_written(window: Window, desk: Desk) -> None:
    page = window.page
    window.go("/runs")
    page.locator("[role=row]", has_text="demo-us-replay").first.click()
    files = page.locator("[data-file]")
    for kind in ("Submission", "Orders", "Fills", "Reconciliation"):
        files.filter(has_text=kind).first.wait_for()
    names = [str(each.get_attribute("data-file")) for each in files.all()]
    assert {Path(name).suffix for name in names} == {".json", ".parquet"}
    for name in names:
        with page.expect_download() as begun:
            page.locator(f"[data-file='{name}']").get_by_role("button").click()
        assert begun.value.suggested_filename == name
        assert Path(begun.value.path()).read_bytes() == next(desk.served.own_home.rglob(name)).read_bytes()


def test_a_file_that_is_gone_is_refused_in_the_words_of_the_desk(window: Window, desk: Desk) -> None:
    page = window.page
    window.go("/runs")
    page.locator("[role=row]", has_text="demo-us-replay").first.click()
    file = page.locator("[data-file]").first
    written = next(desk.served.own_home.rglob(str(file.get_attribute("data-file"))))
    content = written.read_bytes()
    written.unlink()
    try:
        file.get_by_role("button").click()
        expect_shown(page.get_by_text("see the list of its artefacts"))
    finally:
        written.write_bytes(content)


def test_the_main_contract_is_switched_by_typing_it_twice_and_not_away_from_what_one_has(window: Window) -> None:
    page = window.page
    window.go("/market")
    for symbol in ("AAPL.US", "IBM.US"):
        main_contract_asked(window, symbol)
        steps = page.locator("[data-main=steps] li")
        steps.nth(4).wait_for()
        assert steps.count() == 5, "the steps of S4-50"
        page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
        page.locator(f"[data-main-contract='{symbol}']").wait_for()
    order = {"symbol": "IBM.US", "side": "buy", "quantity": "1", "order_type": "limit", "price": "150"}
    assert window.ask("POST", "/api/v1/orders", order)[0] == 201
    main_contract_asked(window, "BAC.US")
    expect_text(page.locator("[data-refused]"), "of IBM.US is held" if held(window, "IBM.US") else "works in IBM.US")
    page.get_by_role("button", name="Back").click()
    page.locator("[data-main-contract='IBM.US']").wait_for()
    page.reload()
    expect_shown(page.get_by_role("heading", name="IBM.US").first)  # it is what one sees first


def main_contract_asked(window: Window, symbol: str) -> None:
    """Ask for another main contract, and type it once more."""
    page = window.page
    page.locator("[data-main=switch]").click()
    page.locator("[data-main=symbol]").fill(symbol)
    does = page.locator("[data-confirm=do]")
    assert does.is_disabled()
    page.locator("[data-confirm=typed]").fill(symbol)
    does.click()


def held(window: Window, symbol: str) -> bool:
    """Whether something of it is held."""
    positions = window.ask("GET", "/api/v1/positions")[1]["positions"]
    return any(each["symbol"] == symbol and each["quantity"] != "0" for each in positions)


def test_a_secret_of_a_broker_is_written_set_anew_and_removed_and_never_comes_back(window: Window) -> None:
    page = window.page
    answers: list[str] = []
    page.on("response", lambda said: answers.append(said.text()) if "/api/" in said.url else None)
    window.go("/settings")
    window.ask("POST", "/api/v1/session/confirm", {"password": PASSWORD})
    page.locator("[data-secret=set]").click()
    page.locator("[data-secret-field=name]").fill("token")
    page.locator("[data-secret-field=value]").fill("canary of the sea: qzxj")
    page.locator("[data-confirm=do]").click()
    there = page.locator("[data-secret$='/token']")
    expect_text(there, "by ann")
    there.get_by_role("button", name="Set anew").click()
    assert page.locator("[data-secret-field=name]").is_disabled()
    assert page.locator("[data-secret-field=value]").input_value() == ""
    page.locator("[data-secret-field=value]").fill("canary of the land: vbnm")
    page.locator("[data-confirm=do]").click()
    expect_shown(page.get_by_text("is set anew, in the place of the one before"))
    page.reload()
    there.wait_for()
    assert "canary" not in page.content() + "".join(answers)
    there.get_by_role("button", name="Remove").click()
    page.locator("[data-confirm=typed]").fill("token")
    page.locator("[data-confirm=do]").click()
    expect_gone(there)


def test_the_log_of_access_is_read_page_by_page_and_narrowed(window: Window) -> None:
    page = window.page
    page.route("**/api/v1/access-log*", lambda route: route.continue_(url=route.request.url.replace("limit=100", "limit=2")))
    window.ask("POST", "/api/v1/session/confirm", {"password": PASSWORD})
    for name in ("first", "second", "third"):
        window.ask("PUT", f"/api/v1/secrets/ib/U1/{name}", {"value": "words"})
    window.go("/settings")
    rows = page.get_by_role("grid", name="Log of access").locator("[data-row]")
    rows.filter(has_text="third").wait_for()
    assert rows.count() == 2
    page.locator("[data-log=older]").press("Enter")
    expect_shown(rows.filter(has_text="first"))
    page.get_by_role("combobox", name="What").select_option("signed in")
    expect_shown(rows.filter(has_text="with a password"))
    expect_gone(rows.filter(has_text="Secret set"))


def test_a_page_that_cannot_be_drawn_leaves_the_badge_the_stop_and_the_way_elsewhere(window: Window) -> None:
    page = window.page
    lost, odd, bar = "**/assets/risk-*.js", "**/api/trade/runs/odd", "**/api/v1/account"
    page.route(lost, lambda route: route.abort())
    page.route(odd, lambda route: route.fulfill(json={"run": None, "lines": None}))
    page.route(bar, lambda route: route.fulfill(json={"account": "paper", "broker": "paper", "money": [None], "halted": []}))
    window.go("/orders")
    page.locator("[role=row]", has_text="SPY.US").first.wait_for()
    for path, says in (("/risk", "This part of the page did not come"), ("/runs/odd", "This could not be shown")):
        page.evaluate(GO, path)
        page.locator("main").get_by_text(says).wait_for()
        assert page.locator("[data-environment=paper]").is_visible()
        page.get_by_role("button", name="KILL").click()
        page.locator("[data-kill=halt]").wait_for()
        page.keyboard.press("Escape")
        page.get_by_role("link", name="Trades").first.click()
        page.locator("main [role=row]", has_text="SPY.US").first.wait_for()
    page.unroute(lost)
    page.evaluate(GO, "/risk")
    page.get_by_role("button", name="Load anew").click()
    expect_shown(page.get_by_role("heading", name="Limits in force"))
