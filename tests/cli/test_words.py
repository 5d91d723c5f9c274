"""What is refused before a command begins, and what JSON says: one sentence, one document, times a person can read."""

from __future__ import annotations

import json
import shutil
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from tests.cli.commands import FAST, FILES, a_portfolio, demo, orders, runs, tradeloop, us_run

from tradeloop.cli.words import table

DEMO = ("--feed", "demo", "--speed", FAST)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a demo home in it."""
    folder = tmp_path_factory.mktemp("words")
    assert demo(folder).code == 0
    return folder


def test_a_number_below_zero_is_one_sentence_and_not_an_unknown_option(tmp_path: Path) -> None:
    said = tradeloop(tmp_path, "orders", "submit", "AIG", "buy", "-5")
    assert said.code == 2
    assert said.error == "a number was below zero (-5); expected one above it, the side says the direction"


@pytest.mark.parametrize("word", ["set", "shadow"])
def test_a_limit_below_zero_is_refused_in_words_about_limits(tmp_path: Path, word: str) -> None:
    said = tradeloop(tmp_path, "risk", word, "max_order_qty", "-1", "--for", "1h", "--reason", "news")
    assert said.code == 2
    assert said.error == "a limit was below zero (-1); expected zero or more"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("fills", "--limit", "0"), "--limit was '0'; expected a whole number from 1 to 1,000"),
        (("orders", "--limit", "1001"), "--limit was '1001'; expected a whole number from 1 to 1,000"),
        (("runs", "list", "--limit", "ten"), "--limit was 'ten'; expected a whole number from 1 to 1,000"),
        (("replay", "--until", "0"), "--until was '0'; expected a whole number of 1 or more"),
        (("replay", "--seed", "-1"), "--seed was '-1'; expected a whole number of 0 or more"),
        (("run", "p.csv", "--speed", "0.5"), "--speed was '0.5'; expected a number of 1 or more"),
        (("cancel-all", "--within", "-1"), "--within was '-1'; expected a number of 0 or more"),
        (("flatten", "--within", "nan"), "--within was 'nan'; expected a number of 0 or more"),
        (("flatten", "--within", "inf"), "--within was 'inf'; expected a number of 0 or more"),
    ],
    ids=lambda given: given if isinstance(given, str) else " ".join(given),
)
def test_a_number_beyond_the_bounds_of_its_option_is_one_sentence(
    words: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    said = tradeloop(tmp_path / "home", *words, "--json")
    assert said.code == 2
    assert said.error == sentence
    assert said.document == {"error": sentence, "exit_code": 2}
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("words", [("orders", "--bogus"), ("orders", "submit", "AIG"), ("dance",)], ids=" ".join)
def test_words_that_are_no_command_are_a_document_with_json(words: tuple[str, ...], tmp_path: Path) -> None:
    said = tradeloop(tmp_path, *words, "--json")
    assert said.code == 2
    assert said.document == {"error": said.error, "exit_code": 2}


def test_an_empty_home_is_refused() -> None:
    from tests.cli.commands import Said
    from typer.testing import CliRunner

    from tradeloop.cli.app import app

    result = CliRunner().invoke(app, ["--home", "", "orders"], catch_exceptions=False)
    assert "--home was empty" in Said(result.exit_code, result.stdout, result.stderr).error
    assert result.exit_code == 2


def test_where_only_the_demo_has_traded_its_home_is_named(home: Path) -> None:
    said = tradeloop(home, "runs", "list")
    assert said.code == 2
    assert f"--home {home / 'demo'}" in said.error
    assert "trade first" not in said.error


def test_times_are_text_beside_nanoseconds_and_lists_are_lists(home: Path) -> None:
    (run,) = runs(home / "demo")
    assert run["todo"] == []
    assert run["finished_at_iso"].startswith("2013-10-08T")
    assert "error" not in run
    order = orders(home / "demo")[0]
    assert order["broker_order_id"]
    assert "ib_order_id" not in order


def test_export_gives_the_very_files_the_run_left(home: Path) -> None:
    """Lost files come back from the journal, byte for byte."""
    (run,) = runs(home / "demo")
    folder = home / "demo" / "artefacts" / run["id"]
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert len(before) == 4
    said = tradeloop(home / "demo", "export", "--out", str(home / "out"), "--json")
    assert said.code == 0, said.err
    assert {path.name: path.read_bytes() for path in (home / "out" / run["id"]).iterdir()} == before
    shutil.rmtree(folder)
    assert tradeloop(home / "demo", "export", "--run", run["id"]).code == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_export_again_overwrites_nothing_and_adds_nothing(home: Path) -> None:
    (run,) = runs(home / "demo")
    folder = home / "demo" / "artefacts" / run["id"]
    before = sorted(path.name for path in folder.iterdir())
    assert tradeloop(home / "demo", "export").code == 0
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.parametrize(
    "line",
    [
        "run: {order_timeout_s: 1e400}",
        "run: {order_timeout_s: 1e300}",
        "run: {max_quote_age_s: 1e300}",
        "engine: {ack_timeout_s: 1e300}",
        "engine: {unknown_alert_s: nan}",
        "feed: {interval_ms: 1000000000000000000000}",
        "broker: {paper: {latency_ms: 1000000000000000000000}}",
        "run: {max_positions: 100000000000000000000000000}",
    ],
)
def test_a_number_beyond_every_use_is_refused_naming_the_setting(line: str, tmp_path: Path) -> None:
    (tmp_path / "tradeloop.yaml").write_text(f"{line}\n", encoding="utf-8")
    said = us_run(tmp_path, FILES / "good" / "portfolio_us.csv", "--yes")
    assert said.code == 2
    assert "expected" in said.error
    assert "tradeloop.yaml" in said.error


def test_a_finding_about_the_decision_names_its_file_and_one_about_the_hours_none(tmp_path: Path) -> None:
    context = json.loads((FILES / "good" / "execution_context_us.json").read_text(encoding="utf-8"))
    context["target_exposure"] = 0.5
    path = tmp_path / "decision.json"
    path.write_text(json.dumps(context), encoding="utf-8")
    portfolio = a_portfolio(tmp_path, "AIG.US,0.9\n")
    said = tradeloop(tmp_path / "home", "run", str(portfolio), "--context", str(path), *DEMO, "--yes")
    assert said.code == 3, said.err
    assert "denied: portfolio.csv and decision.json: exposure_mismatch: " in said.err


def test_a_price_far_from_the_market_is_refused_with_its_row(tmp_path: Path) -> None:
    portfolio = tmp_path / "priced.csv"
    portfolio.write_text("ts_code,weight,price\nAIG.US,0.1,4.89\n", encoding="utf-8")
    said = tradeloop(tmp_path, "run", str(portfolio), *DEMO, "--dry-run")
    assert said.code == 3
    assert "price_drift: row 2 prices AIG.US at 4.89, the market is at " in said.err


def test_books_without_their_journal_are_adopted_under_their_own_currency_and_said_so(tmp_path: Path) -> None:
    assert tradeloop(tmp_path, "orders", "submit", "AIG", "buy", "10", *DEMO).code == 0
    for path in tmp_path.glob("tradeloop.db*"):
        path.unlink()
    said = tradeloop(tmp_path, "reconcile", *DEMO)
    assert "adopted 1 position" in said.err
    (row,) = tradeloop(tmp_path, "positions", "--json").document["positions"]
    assert (row["symbol"], row["currency"]) == ("AIG.US", "USD")


def test_a_heading_is_whole_in_the_narrowest_terminal() -> None:
    """Cut off, it would name another thing: 'side' read 'sid', 'quantity' 'quan'."""
    out = StringIO()
    console = Console(file=out, width=20)
    table(console, "T", ("side", ">quantity", ">?realised"), [("B", "1", "2")])
    assert "side" in out.getvalue()
    assert "quantity" in out.getvalue()
