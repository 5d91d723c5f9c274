"""`tradeloop run`: when it sends, when it does not, and what it says where it can not."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from tests.cli.commands import FAST, FILES, a_portfolio, orders, runs, tradeloop, us_run


def test_without_a_yes_nothing_is_sent(tmp_path: Path) -> None:
    """The default is a dry-run wherever nobody can be asked."""
    said = us_run(tmp_path, FILES / "good" / "portfolio_us.csv", "--json")
    assert said.code == 0
    assert said.document["sent"] is False
    assert not (tmp_path / "tradeloop.db").exists()


def test_a_dry_run_shows_the_plan_and_leaves_its_record(tmp_path: Path) -> None:
    """S1-11, S1-49."""
    said = us_run(tmp_path, FILES / "good" / "portfolio_us.csv", "--dry-run")
    assert said.code == 0, said.err
    assert "Plan" in said.out
    assert "dry-run: nothing was sent" in said.out
    (path,) = (tmp_path / "artefacts" / "unsent").glob("broker_submit_20131008_*.json")
    written = json.loads(path.read_text(encoding="utf-8"))
    assert written["run"]["status"] == "DRY_RUN"
    assert len(written["orders"]) == 4


def test_the_dry_run_plans_what_the_run_then_orders(tmp_path: Path) -> None:
    """S0-2: one path; the same prices give the same plan."""
    lines = "".join(f"{symbol},0.2,{price}\n" for symbol, price in (("AIG.US", "48.90"), ("BAC.US", "13.83")))
    portfolio = tmp_path / "priced.csv"
    portfolio.write_text(f"ts_code,weight,price\n{lines}", encoding="utf-8")
    words = ("run", str(portfolio), "--feed", "demo", "--speed", FAST, "--json")
    dry = tradeloop(tmp_path, *words, "--dry-run")
    sent = tradeloop(tmp_path, *words, "--yes")
    assert sent.code == 0, sent.err
    planned = {line["symbol"]: Decimal(line["order_qty"]) for line in dry.document["lines"]}
    assert planned == {order["symbol"]: Decimal(order["qty"]) for order in sent.document["orders"]}


def test_yes_and_dry_run_contradict_each_other(tmp_path: Path) -> None:
    said = us_run(tmp_path, FILES / "good" / "portfolio_us.csv", "--dry-run", "--yes")
    assert said.code == 2
    assert "contradict each other" in said.error


def test_a_run_needs_a_portfolio_or_the_demo(tmp_path: Path) -> None:
    assert "was neither" in tradeloop(tmp_path, "run").error


def test_the_demo_takes_no_feed_but_its_own(tmp_path: Path) -> None:
    said = tradeloop(tmp_path / "home", "run", "--demo", "--feed", "synthetic")
    assert said.code == 2
    assert "brings its own" in said.error
    assert not (tmp_path / "home").exists()


def test_sending_without_a_feed_is_refused_before_anything_happens(tmp_path: Path) -> None:
    said = tradeloop(tmp_path / "home", "run", str(FILES / "good" / "portfolio_us.csv"), "--yes")
    assert said.code == 2
    assert "no feed is configured" in said.error
    assert not (tmp_path / "home").exists()


def test_a_closed_market_denies_a_run_and_lets_a_dry_run_be(tmp_path: Path) -> None:
    """S1-41."""
    portfolio = FILES / "good" / "portfolio_ashare.csv"
    context = FILES / "good" / "execution_context.json"
    lunch = ("--feed", "synthetic", "--start", "2026-07-17T12:00:00+08:00", "--speed", "100")
    denied = tradeloop(tmp_path, "run", str(portfolio), "--context", str(context), *lunch, "--yes")
    assert denied.code == 3
    assert "off_session: " in denied.err
    assert runs(tmp_path) == []
    planned = tradeloop(tmp_path, "run", str(portfolio), "--context", str(context), *lunch, "--dry-run")
    assert planned.code == 0, planned.err


def a_recording(folder: Path, *rows: str) -> Path:
    """Quotes of AIG.US on the demo's day."""
    path = folder / "quotes.csv"
    path.write_text("ts,symbol,bid,ask,bid_size,ask_size\n" + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def test_minute_bars_fill_at_their_close_up_to_a_share_of_their_volume(tmp_path: Path) -> None:
    """Made-up bars: the first prices the plan, a tenth of the second's volume is not enough, the third completes it."""
    bars = tmp_path / "bars.csv"
    rows = "".join(
        f"2026-07-17T09:{minute}:00+08:00,600036.SH,40.00,41.00,39.00,{close},{volume}\n"
        for minute, close, volume in (("31", "40.00", "900000"), ("32", "40.10", "50000"), ("33", "40.20", "900000"))
    )
    bars.write_text(f"ts,symbol,open,high,low,close,volume\n{rows}", encoding="utf-8")
    portfolio = a_portfolio(tmp_path, "600036.SH,0.5\n")
    said = tradeloop(tmp_path, "run", str(portfolio), "--feed", str(bars), "--speed", "60", "--yes", "--json")
    assert said.code == 0, said.err
    fills = [(fill["fill_qty"], fill["fill_price"]) for fill in said.document["fills"]]
    assert fills == [("5000", "40.1"), ("7500", "40.2")]


def test_a_recording_that_ends_too_soon_leaves_the_run_to_be_continued(tmp_path: Path) -> None:
    quotes = a_recording(
        tmp_path,
        "2013-10-08T13:30:01Z,AIG.US,48.80,48.90,500,500",
        "2013-10-08T13:30:03Z,AIG.US,48.80,48.90,500,500",
    )
    words = ("run", str(a_portfolio(tmp_path, "AIG.US,0.1\n")), "--speed", "10", "--yes")
    said = tradeloop(tmp_path, *words, "--feed", str(quotes))
    assert said.code == 1
    assert "the recording has ended and 1 order" in said.error
    (run,) = runs(tmp_path)
    assert run["status"] == "RUNNING"
    on = tradeloop(tmp_path, *words, "--feed", "demo")
    assert on.code == 0, on.err
    assert [order["ord_status"] for order in orders(tmp_path)] == ["FILLED"]


def test_an_order_that_is_not_filled_in_time_is_cancelled(tmp_path: Path) -> None:
    """S1-58."""
    (tmp_path / "tradeloop.yaml").write_text("run:\n  order_timeout_s: 20\n", encoding="utf-8")
    quotes = a_recording(tmp_path, "2013-10-08T13:30:01Z,AIG.US,48.80,48.90,500,500")
    portfolio = a_portfolio(tmp_path, "AIG.US,0.1\n")
    said = tradeloop(tmp_path, "run", str(portfolio), "--feed", str(quotes), "--speed", "10", "--yes", "--json")
    assert said.code == 1
    (order,) = said.document["orders"]
    assert order["ord_status"] == "CANCELED"
    assert order["cum_qty"] == "500"
    assert said.document["run"]["code"] == "partial"
    (left,) = said.document["breaks"]
    assert left["repair"] == f"tradeloop runs retry {said.document['run']['id']}"


def test_a_stale_quote_denies_the_run(tmp_path: Path) -> None:
    quotes = a_recording(tmp_path, "2013-10-08T13:30:01Z,AIG.US,48.80,48.90,500,500")
    portfolio = a_portfolio(tmp_path, "AIG.US,0.01\n")
    late = ("--feed", str(quotes), "--start", "2013-10-08T15:00:00Z", "--speed", "1")
    said = tradeloop(tmp_path, "run", str(portfolio), *late, "--yes")
    assert said.code == 3
    assert "stale_prices: " in said.err
    assert "at most 60 s old" in said.err
    assert runs(tmp_path) == []


def test_a_dry_run_after_the_close_shows_the_plan_at_the_last_prices(tmp_path: Path) -> None:
    """S1-41: the feed is silent because the market is shut, which a dry-run is made for; how old the prices are is said."""
    quotes = a_recording(tmp_path, "2013-10-08T19:30:01Z,AIG.US,48.80,48.90,500,500")
    portfolio = a_portfolio(tmp_path, "AIG.US,0.01\n")
    evening = ("--feed", str(quotes), "--start", "2013-10-08T21:00:00Z", "--speed", "1")
    said = tradeloop(tmp_path, "run", str(portfolio), *evening, "--dry-run")
    assert said.code == 0, said.err
    assert "the market is shut: planned with its last prices, the oldest of 2013-10-08 19:30:01Z (AIG.US)" in said.out
    document = tradeloop(tmp_path, "run", str(portfolio), *evening, "--dry-run", "--json").document
    assert [(line["symbol"], line["order_qty"]) for line in document["lines"]] == [("AIG.US", "204")]
    assert document["last_prices"] == [{"symbol": "AIG.US", "px": "48.85", "at": "2013-10-08 19:30:01Z"}]
    sent = tradeloop(tmp_path, "run", str(portfolio), *evening, "--yes")
    assert sent.code == 3
    assert [line.split(": ")[1] for line in sent.err.splitlines() if line.startswith("denied: ")] == ["off_session"]


def test_a_dry_run_while_the_market_is_open_takes_no_old_price(tmp_path: Path) -> None:
    quotes = a_recording(tmp_path, "2013-10-08T13:30:01Z,AIG.US,48.80,48.90,500,500")
    noon = ("--feed", str(quotes), "--start", "2013-10-08T16:00:00Z", "--speed", "1")
    said = tradeloop(tmp_path, "run", str(a_portfolio(tmp_path, "AIG.US,0.01\n")), *noon, "--dry-run")
    assert said.code == 3
    assert "stale_prices: " in said.err


def test_no_price_at_all_denies_the_run(tmp_path: Path) -> None:
    quotes = a_recording(tmp_path, "2013-10-08T13:30:01Z,AIG.US,48.80,48.90,500,500")
    portfolio = a_portfolio(tmp_path, "AAPL.US,0.01\n")
    said = tradeloop(tmp_path, "run", str(portfolio), "--feed", str(quotes), "--speed", "60", "--yes")
    assert said.code == 3
    assert "no_prices: " in said.err


def test_an_account_without_money_is_denied(tmp_path: Path) -> None:
    """S0-53."""
    (tmp_path / "broker.yaml").write_text("paper:\n  cash:\n    USD: 0\n", encoding="utf-8")
    said = us_run(tmp_path, FILES / "good" / "portfolio_us.csv", "--yes")
    assert said.code == 3
    assert "no_equity: " in said.err
    assert runs(tmp_path) == []


def test_a_weight_above_the_limit_is_denied_naming_the_rows(tmp_path: Path) -> None:
    """S0-54."""
    (tmp_path / "tradeloop.yaml").write_text("run:\n  max_weight: 0.2\n", encoding="utf-8")
    said = us_run(tmp_path, FILES / "good" / "portfolio_us.csv", "--yes")
    assert said.code == 3
    assert "max_weight: one name may weigh at most 0.2" in said.err
    assert "(row 2)" in said.err


def test_the_same_decision_with_another_portfolio_is_refused(tmp_path: Path) -> None:
    """S0-12."""
    first = us_run(tmp_path, FILES / "good" / "portfolio_us.csv", "--yes")
    assert first.code == 0, first.err
    other = a_portfolio(tmp_path, "AIG.US,0.25\nBAC.US,0.25\nIBM.US,0.25\nSPY.US,0.20\n")
    again = us_run(tmp_path, other, "--yes")
    assert again.code == 2
    assert "with other content" in again.error
    assert len(runs(tmp_path)) == 1


def test_a_run_that_sells_and_buys_ends_at_the_new_target(tmp_path: Path) -> None:
    """D4: sells first; what they bring pays for the buys."""
    day = ("--feed", "demo", "--speed", FAST, "--yes", "--json")
    first = tradeloop(tmp_path, "run", str(a_portfolio(tmp_path, "BAC.US,0.5\nSPY.US,0.45\n", "a.csv")), *day)
    assert first.code == 0, first.err
    second = tradeloop(tmp_path, "run", str(a_portfolio(tmp_path, "SPY.US,0.9\n", "b.csv")), *day)
    assert second.code == 0, second.err
    held = {row["symbol"]: Decimal(row["volume"]) for row in second.document["positions"]}
    assert set(held) == {"SPY.US"}
    sides = [order["side"] for order in second.document["orders"]]
    assert sides == ["SELL", "BUY"]
    assert all(Decimal(row["balance"]) >= 0 for row in second.document["accounts"])


def test_a_run_says_which_strategy_it_trades_for(tmp_path: Path) -> None:
    portfolio = a_portfolio(tmp_path, "AIG.US,0.5\nBAC.US,0.45\n")
    held = us_run(tmp_path, portfolio, "--yes", "--hold", "--strategy", "trend", "--json")
    assert held.code == 0, held.err
    (listed,) = tradeloop(tmp_path, "runs", "list", "--json").document["runs"]
    assert listed["strategy_id"] == "trend"
    assert "trend" in tradeloop(tmp_path, "runs", "list").out
    assert "strategy: trend" in tradeloop(tmp_path, "runs", "show", listed["id"]).out


def test_a_run_held_back_goes_when_it_is_approved(tmp_path: Path) -> None:
    """S0-43, S1-56."""
    held = us_run(tmp_path, a_portfolio(tmp_path, "AIG.US,0.5\nBAC.US,0.45\n"), "--yes", "--hold", "--json")
    assert held.code == 0, held.err
    run_id = held.document["run"]["id"]
    assert held.document["run"]["status"] == "AWAITING_APPROVAL"
    assert orders(tmp_path) == []
    gone = tradeloop(tmp_path, "runs", "approve", run_id, "--feed", "demo", "--speed", FAST, "--by", "second person", "--json")
    assert gone.code == 0, gone.err
    assert gone.document["run"]["status"] == "COMPLETED"
    assert gone.document["run"]["approved_by"] == "second person"


def test_a_replay_of_an_earlier_day_needs_a_home_of_its_own(tmp_path: Path) -> None:
    made_up = ("--feed", "synthetic", "--start", "2026-07-17T10:00:00+08:00", "--speed", "100")
    ashare = FILES / "good" / "portfolio_ashare.csv"
    decision = str(FILES / "good" / "execution_context.json")
    tradeloop(tmp_path, "run", str(ashare), "--context", decision, *made_up, "--yes")
    said = us_run(tmp_path, FILES / "good" / "portfolio_us.csv", "--dry-run")
    assert said.code == 2
    assert "time does not go back" in said.error


def test_a_portfolio_without_a_context_is_one_run_a_day(tmp_path: Path) -> None:
    """S0-46: the day is part of what makes a run the same."""
    portfolio = a_portfolio(tmp_path, "BAC.US,0.5\n")
    words = ("run", str(portfolio), "--feed", "demo", "--speed", FAST, "--yes")
    assert tradeloop(tmp_path, *words).code == 0
    again = tradeloop(tmp_path, *words)
    assert again.code == 0
    assert "exists; nothing was sent" in again.err
    assert [run["project_id"] for run in runs(tmp_path)] == ["manual"]
    assert len(orders(tmp_path)) == 1


def test_a_denied_run_stands_in_the_journal(tmp_path: Path) -> None:
    """S0-56."""
    us_run(tmp_path, a_portfolio(tmp_path, "AIG.US,0.5\n"), "--yes")
    events = tradeloop(tmp_path, "replay", "--json").document["events"]
    assert events["RunDenied"] == 1
    assert "RunCreated" not in events


def ask(home: Path, *answers: str, meanwhile: Callable[[], None] = lambda: None) -> tuple[int, str]:
    """Run on a terminal and answer its question, each time that it is asked, after what happens `meanwhile`; the exit code, and
    what stdout got.
    """
    import os
    import pty
    import subprocess
    import sys

    terminal, side = pty.openpty()
    context = FILES / "good" / "execution_context_us.json"
    command = [sys.executable, "-m", "tradeloop", "--home", str(home), "run", str(FILES / "good" / "portfolio_us.csv")]
    command += ["--context", str(context), "--feed", "demo", "--speed", "60"]
    with subprocess.Popen(command, stdin=side, stderr=side, stdout=subprocess.PIPE, text=True) as process:
        os.close(side)
        for answer in answers:
            said = b""
            while b"[y/N]" not in said:
                said += os.read(terminal, 4096)
            meanwhile()
            os.write(terminal, answer.encode())
        assert process.stdout is not None
        with contextlib.suppress(OSError):  # the terminal goes when the process does
            while os.read(terminal, 4096):
                pass
        out = process.stdout.read()
        code = process.wait(timeout=60)
    os.close(terminal)
    return code, out


def test_on_a_terminal_a_no_sends_nothing(tmp_path: Path) -> None:
    """S1-56: a person confirms."""
    code, out = ask(tmp_path, "n\n")
    assert code == 0
    assert "nothing was sent" in out
    assert orders(tmp_path) == []


def test_on_a_terminal_what_is_neither_is_asked_again_and_the_end_of_the_terminal_sends_nothing(tmp_path: Path) -> None:
    end_of_file = "\x04"
    code, _ = ask(tmp_path, "maybe\n", end_of_file)
    assert code == 1
    assert orders(tmp_path) == []


def test_on_a_terminal_the_desk_works_on_while_somebody_thinks(tmp_path: Path) -> None:
    """A question held the whole process up: its lease, its stops and the file HALT."""

    def halted() -> None:
        (tmp_path / "HALT").touch()
        until = time.monotonic() + 20
        while not any(halt["recorded"] for halt in tradeloop(tmp_path, "halts", "--json").document["halts"]):
            assert time.monotonic() < until, "nobody looked at the file while the question stood"
            time.sleep(0.1)

    ask(tmp_path, "y\n", meanwhile=halted)
    assert orders(tmp_path) == []


def test_on_a_terminal_a_yes_sends_the_plan_that_was_shown(tmp_path: Path) -> None:
    code, out = ask(tmp_path, "y\n")
    assert code == 0
    assert "COMPLETED" in out
    assert len(orders(tmp_path)) == 4
