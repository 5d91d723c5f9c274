"""What is proposed where books or targets differ is what would help, and its figures are exact."""

from __future__ import annotations

import json
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.cli.commands import FAST, a_portfolio, demo, runs, tradeloop
from tests.cli.test_orders import a_run_of_unknown_fate, unknown_orders
from tests.cli.test_replayed_bars import MINUTES

DEMO = ("--feed", "demo", "--speed", FAST)


def breaks(home: Path, run: str) -> dict[str, dict[str, Any]]:
    """Symbol -> its break with the target."""
    found = tradeloop(home, "runs", "show", run, "--json").document["breaks"]
    return {each["what"]: each for each in found if each["between"] == "target"}


def a_run_that_left_something(home: Path) -> str:
    """One order that our time-out ended; the id of the run."""
    home.mkdir(exist_ok=True)
    (home / "tradeloop.yaml").write_text("run:\n  order_timeout_s: 20\n", encoding="utf-8")
    quotes = home / "quotes.csv"
    quotes.write_text(
        "ts,symbol,bid,ask,bid_size,ask_size\n2013-10-08T13:30:01Z,AIG.US,48.80,48.90,500,500\n", encoding="utf-8"
    )
    target = str(a_portfolio(home, "AIG.US,0.1\n"))
    said = tradeloop(home, "run", target, "--feed", str(quotes), "--speed", "10", "--yes", "--json")
    assert said.code == 1, said.err
    run: str = said.document["run"]["id"]
    return run


def test_a_retry_is_offered_where_it_would_trade_what_is_left(tmp_path: Path) -> None:
    run = a_run_that_left_something(tmp_path)
    assert proposed_at(tmp_path, "2013-10-08T13:30:30Z") == f"tradeloop runs retry {run}"


def test_without_a_look_at_the_market_a_retry_is_offered_up_to_the_price_at_which_the_weight_is_held(tmp_path: Path) -> None:
    """A tenth of 1,000,000, of which 500 are held: worth it at 200."""
    run = a_run_that_left_something(tmp_path)
    assert breaks(tmp_path, run)["AIG.US"]["repair"] == (
        f"tradeloop runs retry {run}, while AIG.US is at most 200.00: above, what is held is worth its weight"
    )


def test_no_retry_is_offered_where_the_price_has_risen_so_far_that_it_would_be_denied(tmp_path: Path) -> None:
    run = a_run_that_left_something(tmp_path)
    with (tmp_path / "quotes.csv").open("a", encoding="utf-8") as quotes:
        quotes.write("2013-10-08T13:35:00Z,AIG.US,249.80,249.90,500,500\n")
    said = proposed_at(tmp_path, "2013-10-08T13:35:01Z")
    assert said.startswith("none at 249.85: what is held of AIG.US is worth its weight there")
    assert f"tradeloop runs retry {run} once it is at most 200.00" in said

    again = ("--feed", str(tmp_path / "quotes.csv"), "--start", "2013-10-08T13:35:02Z", "--speed", "10")
    denied = tradeloop(tmp_path, "runs", "retry", run, *again)
    assert (denied.code, "denied: beyond_weight: AIG.US has risen to 249.85" in denied.err) == (3, True)


def test_a_retry_says_that_its_equity_is_that_of_the_first_attempt(tmp_path: Path) -> None:
    """The weights are those of one decision; the account has paid a spread meanwhile."""
    run = a_run_that_left_something(tmp_path)
    said = tradeloop(tmp_path, "runs", "retry", run, "--feed", "demo", "--speed", FAST)
    assert "the weights of the first attempt and its equity, 1,000,000.00 USD, not those of now" in said.err
    newer = run.removesuffix("-1") + "-2"
    shown = tradeloop(tmp_path, "runs", "show", newer).out
    assert f"fractions of 1,000,000.00 USD, the equity of the first attempt {run}, since a retry works what is left" in shown
    found = tradeloop(tmp_path, "runs", "show", newer, "--json").document
    assert (found["run"]["equity"], found["run"]["equity_of"]) == ("1000000", run)
    (file,) = [Path(each) for each in found["artefacts"] if "reconcile" in each]
    assert json.loads(file.read_text(encoding="utf-8"))["run"]["equity_of"] == run


def test_no_second_retry_is_offered_of_a_run_that_was_retried(tmp_path: Path) -> None:
    run = a_run_that_left_something(tmp_path)
    again = tradeloop(tmp_path, "runs", "retry", run, "--feed", "demo", "--speed", FAST, "--json")
    assert again.code in (0, 1), again.err
    newer = again.document["run"]["id"]
    assert breaks(tmp_path, run)["AIG.US"]["repair"] == f"see run {newer}, which took up what this one left"


def test_what_a_retry_bought_is_explained_by_it_at_the_run_that_it_retried(tmp_path: Path) -> None:
    """Who followed an order to undo it would buy twice."""
    run = a_run_that_left_something(tmp_path)
    again = tradeloop(tmp_path, "runs", "retry", run, "--feed", "demo", "--speed", "20", "--json")
    newer = again.document["run"]["id"]
    said = tradeloop(tmp_path, "reconcile", "--run", run, *DEMO, "--json")
    assert (said.code, said.document["unexplained_breaks"]) == (0, 0)
    left, bought = said.document["breaks"]
    assert left["repair"] == f"see run {newer}, which took up what this one left"
    assert (f"traded by run {newer} (+" in bought["cause"], bought["repair"]) == (True, f"see run {newer}, which is newer")


def test_no_retry_is_offered_of_a_run_whose_account_has_a_newer_target(tmp_path: Path) -> None:
    """It would buy back what the newer one sold."""
    run = a_run_that_left_something(tmp_path)
    other = tradeloop(tmp_path, "run", str(a_portfolio(tmp_path, "BAC.US,0.1\n", "b.csv")), *DEMO, "--yes", "--json")
    assert other.code in (0, 1), other.err
    newer = other.document["run"]["id"]
    assert breaks(tmp_path, run)["AIG.US"]["repair"].startswith(f"see run {newer}, which is newer")


def test_beside_a_retry_no_order_is_offered_for_what_a_hand_did(tmp_path: Path) -> None:
    """A retry goes by what is held: after it the order would trade a second time."""
    run = a_run_that_left_something(tmp_path)
    assert tradeloop(tmp_path, "orders", "submit", "AIG", "buy", "7", *DEMO).code == 0
    found = tradeloop(tmp_path, "runs", "show", run, "--json").document["breaks"]
    left, moved = [each for each in found if each["between"] == "target"]
    assert left["repair"].startswith(f"tradeloop runs retry {run}")
    assert moved["repair"].startswith("none beside that of what the run left")


def test_no_retry_is_offered_when_the_trading_day_of_the_run_is_over(tmp_path: Path) -> None:
    """It would be denied: a retry keeps the trade date of its run."""
    run = a_run_that_left_something(tmp_path)
    next_day = ("--feed", "synthetic", "--start", "2013-10-09T14:00:00Z", "--speed", "10")
    assert tradeloop(tmp_path, "orders", "submit", "BAC", "buy", "1", *next_day).code == 0
    assert "trade a new target: 2013-10-08" in breaks(tmp_path, run)["AIG.US"]["repair"]
    assert tradeloop(tmp_path, "runs", "retry", run, *next_day).code in (2, 3)


def test_a_retry_of_a_line_whose_bars_ended_long_ago_is_offered_for_when_it_has_a_price_again(tmp_path: Path) -> None:
    """Now it would leave the line out again. Made-up bars: the Beijing stock's last one is of April."""
    bars = tmp_path / "minutes.csv"
    rows = ["2026-04-10T10:00:00+08:00,920799.BJ,10.00,10.20,9.90,10.10,10000000"]
    rows += [f"2026-07-17T09:{at}:00+08:00,600519.SH,10.00,10.20,9.90,10.10,10000000" for at in range(31, 40)]
    bars.write_text("\n".join((MINUTES, *rows, "")), encoding="utf-8")
    target = str(a_portfolio(tmp_path, "600519.SH,0.5\n920799.BJ,0.2\n"))
    feed = ("--feed", str(bars), "--start", "2026-07-17T09:31:01+08:00", "--speed", "60")
    said = tradeloop(tmp_path / "home", "run", target, *feed, "--yes", "--json")
    assert said.code == 1, said.err
    run = said.document["run"]["id"]
    assert breaks(tmp_path / "home", run)["920799.BJ"]["repair"] == (
        f"tradeloop runs retry {run}, once 920799.BJ has a current price; before that it would be left out again"
    )


def proposed_at(home: Path, start: str, *words: str) -> str:
    """What `reconcile` proposes for the line that was left, at this time."""
    feed = ("--feed", str(home / "quotes.csv"), "--start", start, "--speed", "10")
    said = tradeloop(home, "reconcile", *feed, *words, "--json")
    repairs = [each["repair"] for each in said.document["breaks"] if each["between"] == "target"]
    assert len(repairs) == 1, said.out
    return str(repairs[0])


def test_a_retry_without_a_current_price_is_offered_for_when_there_is_one(tmp_path: Path) -> None:
    """The recording has one price, which is half an hour old by then: a retry would be denied."""
    run = a_run_that_left_something(tmp_path)
    assert proposed_at(tmp_path, "2013-10-08T14:00:00Z") == (
        f"tradeloop runs retry {run}, once AIG.US has a current price: its newest came at 2013-10-08 13:30:01Z,"
        " and a recording that has ended brings no more"
    )


def test_after_the_close_no_retry_is_offered_but_a_new_target(tmp_path: Path) -> None:
    """It keeps the trade date of its run, whose market opens no more."""
    run = a_run_that_left_something(tmp_path)
    assert proposed_at(tmp_path, "2013-10-08T20:30:00Z") == (
        "trade a new target on the next trading day: the market of AIG.US has closed for 2013-10-08"
    )
    late = ("--feed", str(tmp_path / "quotes.csv"), "--start", "2013-10-08T20:30:00Z", "--speed", "10")
    assert tradeloop(tmp_path, "runs", "retry", run, *late).code == 3


def test_over_a_noon_break_a_retry_is_offered_for_the_afternoon(tmp_path: Path) -> None:
    """Made-up bars that trade nothing, so that the time-out ends the order."""
    tmp_path.joinpath("tradeloop.yaml").write_text("run:\n  order_timeout_s: 20\n", encoding="utf-8")
    bars = tmp_path / "quotes.csv"
    row = "2026-07-17T11:2{}:00+08:00,600519.SH,10.00,10.00,10.00,10.00,0"
    bars.write_text("\n".join((MINUTES, row.format(8), row.format(9), "")), encoding="utf-8")
    target = str(a_portfolio(tmp_path, "600519.SH,0.5\n"))
    feed = ("--feed", str(bars), "--start", "2026-07-17T11:28:01+08:00", "--speed", "10")
    said = tradeloop(tmp_path, "run", target, *feed, "--yes", "--json")
    run = said.document["run"]["id"]
    assert proposed_at(tmp_path, "2026-07-17T12:00:00+08:00") == (
        f"tradeloop runs retry {run}, once the market of 600519.SH opens at 2026-07-17 05:00:00Z"
    )


def test_no_retry_is_offered_over_a_position_that_the_books_differ_about(tmp_path: Path) -> None:
    """It would be denied."""
    run = a_run_that_left_something(tmp_path)
    with sqlite3.connect(tmp_path / "paper.db") as db:
        db.execute("UPDATE positions SET long_today = '7' WHERE symbol = 'AIG.US'")
    proposed_at(tmp_path, "2013-10-08T13:30:30Z")
    assert breaks(tmp_path, run)["AIG.US"]["repair"].startswith('settle break "position:paper:paper:AIG.US long" first')


def test_an_order_of_unknown_fate_is_resolved_and_not_waited_for(tmp_path: Path) -> None:
    a_run_of_unknown_fate(tmp_path)
    (run,) = runs(tmp_path)
    order = unknown_orders(tmp_path)["AIG.US"]
    assert f"tradeloop orders resolve {order}" in breaks(tmp_path, run["id"])["AIG.US"]["repair"]


def test_the_amounts_of_breaks_are_exact_decimals_in_json_and_readable_in_tables(tmp_path: Path) -> None:
    """ADR 5: amounts are plain decimals on every wire; thousands are set apart for people only."""
    a_run_of_unknown_fate(tmp_path)
    (run,) = runs(tmp_path)
    said = tradeloop(tmp_path, "runs", "show", run["id"], "--json")
    found = json.loads(said.out)["breaks"]
    assert len(found) == 4
    for each in found:
        for side in ("ours", "theirs"):
            assert f"{Decimal(each[side]):f}" == each[side]
    assert any(len(each["theirs"]) > 3 for each in found)
    assert f"{int(breaks(tmp_path, run['id'])['AIG.US']['theirs']):,}" in tradeloop(tmp_path, "runs", "show", run["id"]).out


def test_files_written_while_a_run_waits_are_not_taken_for_those_of_its_end(tmp_path: Path) -> None:
    """S1-11, S1-38."""
    assert demo(tmp_path, "--hold").code == 0
    home = tmp_path / "demo"
    early = [Path(path) for path in tradeloop(home, "export", "--json").document["written"]]
    (run,) = runs(home)
    said = tradeloop(home, "runs", "approve", run["id"], "--feed", "demo", "--speed", FAST, "--json")
    assert said.code == 0, said.err
    late = [Path(path) for path in said.document["artefacts"]]
    assert len(early) == len(late) == 4
    assert not set(early) & set(late)
    (reconcile,) = [path for path in late if "reconcile" in path.name]
    assert json.loads(reconcile.read_text(encoding="utf-8"))["run"]["status"] == "COMPLETED"
    (submit,) = [path for path in late if "submit" in path.name]
    assert len(json.loads(submit.read_text(encoding="utf-8"))["orders"]) == len(
        tradeloop(home, "orders", "--json").document["orders"]
    )
    assert all(path.exists() for path in early), "what was written is never taken away"
    assert tradeloop(home, "export", "--json").document["written"] == []


def test_an_export_says_what_it_wrote_and_what_was_there(tmp_path: Path) -> None:
    assert demo(tmp_path).code == 0
    home = tmp_path / "demo"
    said = tradeloop(home, "export")
    assert "written: " not in said.out
    assert said.out.count("there already: ") == 4
    assert tradeloop(home, "export", "--json").document["written"] == []
    elsewhere = tradeloop(home, "export", "--out", str(tmp_path / "copy"))
    assert elsewhere.out.count("written: ") == 4
    next((tmp_path / "copy").rglob("broker_submit_*.json")).unlink()
    again = tradeloop(home, "export", "--out", str(tmp_path / "copy"), "--json").document
    assert len(again["artefacts"]) == 4
    assert [Path(path).name[:13] for path in again["written"]] == ["broker_submit"]
