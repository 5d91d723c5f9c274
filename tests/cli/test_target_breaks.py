"""Our books against the target: what the run itself left is explained, what another hand did is not."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.cli.commands import FAST, FILES, a_portfolio, demo, runs, tradeloop, us_run

DEMO = ("--feed", "demo", "--speed", FAST)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home in which the demo has run."""
    assert demo(tmp_path).code == 0
    return tmp_path / "demo"


def shown(home: Path) -> dict[str, Any]:
    (run,) = runs(home)
    found: dict[str, Any] = tradeloop(home, "runs", "show", run["id"], "--json").document
    return found


def test_shares_sold_by_hand_after_the_run_are_an_unexplained_break(home: Path) -> None:
    """S1-19, S1-34."""
    assert tradeloop(home, "orders", "submit", "AIG", "sell", "100", *DEMO).code == 0
    said = tradeloop(home, "reconcile", *DEMO, "--json")
    assert said.code == 1
    (moved,) = [each for each in said.document["breaks"] if not each["explained"]]
    assert moved["what"] == "AIG.US"
    assert "changed by -100" in moved["cause"]
    assert "orders submit AIG.US buy 100" in moved["repair"]


def test_an_order_typed_beside_a_run_is_named(home: Path) -> None:
    sold = tradeloop(home, "orders", "submit", "AIG", "sell", "100", *DEMO, "--json").document["order"]["id"]
    said = tradeloop(home, "reconcile", *DEMO, "--json").document
    (moved,) = [each for each in said["breaks"] if not each["explained"]]
    assert moved["cause"] == f"held changed by -100 since: traded by order {sold} (-100), beside the run"


def test_what_a_strategy_holds_for_itself_is_explained_by_it_and_not_sold(home: Path) -> None:
    assert tradeloop(home, "orders", "submit", "AIG", "buy", "10", "--strategy", "dip", *DEMO).code == 0
    said = tradeloop(home, "reconcile", *DEMO, "--json")
    assert (said.code, said.document["unexplained_breaks"]) == (0, 0)
    (held,) = [each for each in said.document["breaks"] if "strategy" in each["cause"]]
    assert held["cause"] == "held changed by +10 since: traded by strategy dip (+10), beside the run"
    assert held["repair"].startswith("none needed")


def test_what_a_strategy_sold_of_the_runs_shares_is_unexplained(home: Path) -> None:
    assert tradeloop(home, "orders", "submit", "AIG", "sell", "10", "--strategy", "dip", *DEMO).code == 0
    said = tradeloop(home, "reconcile", *DEMO, "--json")
    assert (said.code, said.document["unexplained_breaks"]) == (1, 1)
    (moved,) = [each for each in said.document["breaks"] if not each["explained"]]
    assert moved["cause"] == "held changed by -10 since: traded by strategy dip (-10), beside the run"
    assert "orders submit AIG.US buy 10" in moved["repair"]


def test_what_a_person_sold_of_a_strategys_shares_leaves_no_break(home: Path) -> None:
    """Also where something else differs."""
    assert tradeloop(home, "orders", "submit", "AIG", "buy", "10", "--strategy", "dip", *DEMO).code == 0
    assert tradeloop(home, "orders", "submit", "AIG", "sell", "10", *DEMO).code == 0
    assert tradeloop(home, "orders", "submit", "BAC", "sell", "100", *DEMO).code == 0
    said = tradeloop(home, "reconcile", *DEMO, "--json").document
    assert {each["what"] for each in said["breaks"] if "beside the run" in each["cause"]} == {"BAC.US"}


def test_an_order_under_the_runs_own_strategy_is_one_beside_the_run(home: Path) -> None:
    (run,) = runs(home)
    own = run["params"]["strategy_id"] if isinstance(run.get("params"), dict) else ""
    words = ("--strategy", own or run["project_id"])
    assert tradeloop(home, "orders", "submit", "AIG", "buy", "10", *words, *DEMO).code == 0
    said = tradeloop(home, "reconcile", *DEMO, "--json")
    assert (said.code, said.document["unexplained_breaks"]) == (1, 1)


def test_what_a_halt_closed_is_explained_by_it_and_not_bought_back(home: Path) -> None:
    """Under the halt that order would be denied."""
    assert tradeloop(home, "flatten", "--symbol", "AIG", "--by", "ann", "--reason", "news", *DEMO).code == 0
    said = tradeloop(home, "reconcile", *DEMO, "--json")
    (closed,) = [each for each in said.document["breaks"] if "closed by" in each["cause"]]
    assert closed["cause"].endswith("closed by halt 1 (FLATTEN of symbol AIG.US): news")
    assert closed["repair"] == "`tradeloop resume` where the halt stands still, then trade a new target"
    assert (said.code, said.document["unexplained_breaks"]) == (0, 0)


def test_what_a_newer_run_traded_is_explained_by_it_and_never_undone_by_an_order(home: Path) -> None:
    """An order back would trade against the newer target."""
    (old,) = runs(home)
    words = ("--feed", "demo", "--speed", FAST, "--yes", "--json")
    newer = tradeloop(home, "run", str(a_portfolio(home, "AIG.US,0.05\nSPY.US,0.5\n")), *words)
    assert newer.code == 0, newer.err
    said = tradeloop(home, "reconcile", "--run", old["id"], *DEMO, "--json")
    assert (said.code, said.document["unexplained_breaks"]) == (0, 0)
    moved = {each["what"]: each for each in said.document["breaks"]}
    assert "SPY.US" in moved, "what the older target did not name"
    new = newer.document["run"]["id"]
    assert all(f"traded by run {new} (" in each["cause"] for each in moved.values())
    assert {each["repair"] for each in moved.values()} == {f"see run {new}, which is newer"}


def test_of_a_hand_and_of_a_newer_run_each_has_the_part_that_it_traded(home: Path) -> None:
    (old,) = runs(home)
    words = ("--feed", "demo", "--speed", FAST, "--yes", "--json")
    assert tradeloop(home, "orders", "submit", "AIG", "sell", "100", *DEMO).code == 0
    newer = tradeloop(home, "run", str(a_portfolio(home, "AIG.US,0.05\n")), *words)
    assert newer.code == 0, newer.err
    said = tradeloop(home, "reconcile", "--run", old["id"], *DEMO, "--json").document
    aig = [each for each in said["breaks"] if each["what"] == "AIG.US"]
    assert [each["cause"].split(":")[1].split()[2] for each in aig] == ["run", "order"]
    assert [int(each["ours"]) - int(each["theirs"]) for each in aig][1] == -100
    assert not any("orders submit" in each["repair"] for each in said["breaks"])


def test_what_no_order_of_ours_traded_stays_unexplained_beside_what_one_did(home: Path) -> None:
    """Books that take the broker's figure change by no fill: an order of ours explains its own part alone."""
    assert tradeloop(home, "orders", "submit", "AIG", "sell", "100", *DEMO).code == 0
    with sqlite3.connect(home / "paper.db") as db:
        db.execute("UPDATE positions SET long_today = CAST(long_today AS INTEGER) + 7 WHERE symbol = 'AIG.US'")
    differs = tradeloop(home, "reconcile", *DEMO, "--json").document["breaks"]
    (broken,) = [each["break_id"] for each in differs if "break_id" in each]
    said = tradeloop(home, "reconcile", "--accept", broken, "--reason", "counted", *DEMO, "--json").document
    changes = {each["cause"].partition(": ")[2][:15]: each for each in said["breaks"] if each["what"] == "AIG.US"}
    assert sorted(changes) == ["traded by hand,", "traded by order"]
    assert "orders submit AIG.US sell 7" in changes["traded by hand,"]["repair"]
    assert "orders submit AIG.US buy 100" in changes["traded by order"]["repair"]


def test_runs_show_says_what_reconcile_says(home: Path) -> None:
    tradeloop(home, "orders", "submit", "AIG", "sell", "100", *DEMO)
    reconciled = tradeloop(home, "reconcile", *DEMO, "--json").document
    record = shown(home)
    assert record["unexplained_breaks"] == reconciled["unexplained_breaks"] == 1
    assert [each["cause"] for each in record["breaks"]] == [each["cause"] for each in reconciled["breaks"]]


@pytest.mark.parametrize("with_context", [True, False])
def test_a_run_that_is_given_again_ends_with_1_while_a_break_is_unexplained(tmp_path: Path, with_context: bool) -> None:
    """S0-60: it is the same run and sends nothing, but something is left for a person."""
    portfolio = a_portfolio(tmp_path, "BAC.US,0.5\nAIG.US,0.45\n")
    context = ("--context", str(FILES / "good" / "execution_context_us.json")) if with_context else ()
    words = ("run", str(portfolio), *context, *DEMO, "--yes")
    assert tradeloop(tmp_path, *words).code == 0
    assert tradeloop(tmp_path, *words).code == 0
    assert tradeloop(tmp_path, "orders", "submit", "AIG", "sell", "100", *DEMO).code == 0

    again = tradeloop(tmp_path, *words)

    assert "exists; nothing was sent" in again.err
    assert (again.code, "1 unexplained break" in again.out) == (1, True)


def test_the_plans_reason_explains_the_planned_residual_and_nothing_beyond_it(tmp_path: Path) -> None:
    """A line that the plan rounded, and a sale by hand on top of it: two breaks, one of them explained."""
    bars = tmp_path / "bars.csv"
    rows = "".join(f"2026-07-17T09:{minute}:00+08:00,600036.SH,40.00,41.00,39.00,40.00,90000000\n" for minute in range(31, 60))
    bars.write_text(f"ts,symbol,open,high,low,close,volume\n{rows}", encoding="utf-8")
    feed = ("--feed", str(bars), "--speed", "60")
    ran = tradeloop(tmp_path, "run", str(a_portfolio(tmp_path, "600036.SH,0.5\n")), *feed, "--yes", "--json")
    assert ran.code == 0, ran.err
    assert tradeloop(tmp_path, "orders", "submit", "600036.SH", "buy", "100", *feed).code == 0
    said = tradeloop(tmp_path, "reconcile", *feed, "--json")
    assert said.code == 1
    assert [each["explained"] for each in said.document["breaks"]] == [False]


def test_what_the_target_does_not_name_and_was_bought_after_it_is_a_break(tmp_path: Path) -> None:
    portfolio = a_portfolio(tmp_path, "BAC.US,0.5\n")
    assert tradeloop(tmp_path, "run", str(portfolio), *DEMO, "--yes").code == 0
    assert tradeloop(tmp_path, "orders", "submit", "AIG", "buy", "7", *DEMO).code == 0
    said = tradeloop(tmp_path, "reconcile", *DEMO, "--json")
    assert said.code == 1
    (moved,) = [each for each in said.document["breaks"] if not each["explained"]]
    assert (moved["what"], moved["ours"]) == ("AIG.US", "7")


def test_an_older_run_is_not_blamed_for_what_a_newer_one_did(tmp_path: Path) -> None:
    words = (*DEMO, "--yes", "--json")
    first = tradeloop(tmp_path, "run", str(a_portfolio(tmp_path, "BAC.US,0.5\n", "a.csv")), *words)
    assert tradeloop(tmp_path, "run", str(a_portfolio(tmp_path, "SPY.US,0.5\n", "b.csv")), *words).code == 0
    record = tradeloop(tmp_path, "runs", "show", first.document["run"]["id"], "--json").document
    assert record["unexplained_breaks"] == 0


def test_an_older_run_says_that_its_holdings_are_of_another_time(tmp_path: Path) -> None:
    words = (*DEMO, "--yes", "--json")
    first = tradeloop(tmp_path, "run", str(a_portfolio(tmp_path, "BAC.US,0.5\n", "a.csv")), *words)
    newer = tradeloop(tmp_path, "run", str(a_portfolio(tmp_path, "SPY.US,0.5\n", "b.csv")), *words)
    said = tradeloop(tmp_path, "runs", "show", first.document["run"]["id"]).out
    assert f"held is what this run left; run {newer.document['run']['id']} (COMPLETED) is newer" in said


def test_a_newer_run_that_never_began_takes_no_run_its_place(tmp_path: Path) -> None:
    words = (*DEMO, "--yes", "--json")
    first = tradeloop(tmp_path, "run", str(a_portfolio(tmp_path, "BAC.US,0.5\n", "a.csv")), *words)
    waiting = tradeloop(tmp_path, "run", str(a_portfolio(tmp_path, "SPY.US,0.5\n", "b.csv")), *words, "--hold")
    assert waiting.document["run"]["id"] != first.document["run"]["id"]
    assert "is newer" not in tradeloop(tmp_path, "runs", "show", first.document["run"]["id"]).out


def test_a_run_that_waits_for_approval_says_so_and_how_to_let_it_go(tmp_path: Path) -> None:
    said = us_run(tmp_path, FILES / "good" / "portfolio_us.csv", "--yes", "--hold")
    assert said.code == 0, said.err
    (run,) = runs(tmp_path)
    assert f"tradeloop runs approve {run['id']}" in said.out
    record = tradeloop(tmp_path, "runs", "show", run["id"], "--json").document
    assert {each["cause"] for each in record["breaks"]} == {"waits for approval"}
    assert record["unexplained_breaks"] == 0


def test_an_order_our_time_out_ended_says_so_and_not_the_brokers_words(tmp_path: Path) -> None:
    """S1-58."""
    (tmp_path / "tradeloop.yaml").write_text("run:\n  order_timeout_s: 20\n", encoding="utf-8")
    quotes = tmp_path / "quotes.csv"
    quotes.write_text(
        "ts,symbol,bid,ask,bid_size,ask_size\n2013-10-08T13:30:01Z,AIG.US,48.80,48.90,500,500\n", encoding="utf-8"
    )
    words = ("run", str(a_portfolio(tmp_path, "AIG.US,0.1\n")), "--feed", str(quotes), "--speed", "10", "--yes")
    told = tradeloop(tmp_path, *words).err
    assert "ended  BUY  AIG.US: time-out: not filled within 20 s" in told
    (run,) = runs(tmp_path)
    (line,) = tradeloop(tmp_path, "runs", "show", run["id"], "--json").document["lines"]
    assert line["reason"] == "time-out: not filled within 20 s"
    assert Decimal(line["residual_qty"]) > 0
    assert "time-out" in tradeloop(tmp_path, "orders").out
