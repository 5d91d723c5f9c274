"""Every bad file ends with one sentence and exit code 2 or 3, and leaves no run; every odd one is taken for what it means."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from tests.cli.commands import FILES, Said, runs, tradeloop

BAD = sorted(path.name for path in (FILES / "bad").iterdir() if path.name != "manifest.csv")
CONTEXT = "execution_context.json"
DENIED_BY_THE_CHECKS = {
    "context_failed_risk_check.json": "risk_check_failed",
    "context_weekend_trade_date.json": "not_a_trading_day",
    "context_exposure_mismatch.json": "exposure_mismatch",
}


def run(home: Path, portfolio: Path, context: Path, *words: str) -> Said:
    """A run that would send orders, if only it could: made-up quotes, the session open."""
    made_up = ("--feed", "synthetic", "--start", "2026-07-17T10:00:00+08:00", "--speed", "100")
    return tradeloop(home, "run", str(portfolio), "--context", str(context), *made_up, *words)


def bad(home: Path, name: str, *words: str) -> Said:
    """The bad file with the good one that belongs to it."""
    good = FILES / "good"
    if name.startswith("context_"):
        return run(home, good / "portfolio_ashare.csv", FILES / "bad" / name, *words)
    return run(home, FILES / "bad" / name, good / "execution_context.json", *words)


def test_the_manifest_names_every_bad_file() -> None:
    with (FILES / "bad" / "manifest.csv").open(encoding="utf-8", newline="") as file:
        assert sorted(row["file"] for row in csv.DictReader(file)) == BAD


@pytest.mark.parametrize("name", [name for name in BAD if name not in DENIED_BY_THE_CHECKS])
def test_a_file_that_can_not_be_meant_is_refused_with_one_sentence(name: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    said = bad(home, name, "--yes")
    assert said.code == 2
    assert said.out == ""
    assert said.error.startswith(name)
    assert "row" in said.error or name.startswith("context_")
    assert "Traceback" not in said.err
    assert not home.exists()


@pytest.mark.parametrize(("name", "rule"), sorted(DENIED_BY_THE_CHECKS.items()))
def test_a_target_that_may_not_be_traded_is_denied_and_recorded(name: str, rule: str, tmp_path: Path) -> None:
    """S0-56, S1-39, S1-40, S1-41."""
    said = bad(tmp_path, name, "--yes")
    assert said.code == 3
    assert f"{rule}: " in said.err
    assert name in said.err
    assert runs(tmp_path) == []
    (written,) = (tmp_path / "artefacts" / "unsent").glob("broker_submit_*.json")
    assert '"status": "DENIED"' in written.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", BAD)
def test_on_a_recording_every_bad_file_is_named_too(name: str, tmp_path: Path) -> None:
    """A recorded day decides by itself when the clock begins, before any check of a run sees the context. A made-up bar."""
    bars = tmp_path / "bars.csv"
    bars.write_text(
        "ts,symbol,open,high,low,close,volume\n2026-07-17T10:00:00+08:00,600036.SH,40,41,39,40,900000\n", encoding="utf-8"
    )
    folder, good = FILES / "bad", FILES / "good"
    pair = (good / "portfolio_ashare.csv", folder / name) if name.startswith("context_") else (folder / name, good / CONTEXT)
    words = ("run", str(pair[0]), "--context", str(pair[1]), "--feed", str(bars), "--speed", "600", "--yes")
    said = tradeloop(tmp_path / "home", *words)
    assert (said.code in (2, 3), name in said.err) == (True, True), said.err
    assert runs(tmp_path / "home") == []


@pytest.mark.parametrize(
    ("day", "what"),
    [
        ("2026-06-19", "2026-06-19 is a holiday and no trading day of CN_A"),
        ("2026-07-18", "2026-07-18 is a Saturday and no trading day of CN_A"),
        ("2026-07-21", "2026-07-21, and the recording ends on 2026-07-17"),
    ],
)
def test_a_day_without_trading_is_told_with_its_file_and_what_it_is(day: str, what: str, tmp_path: Path) -> None:
    """S1-41. A context that does not say when it was made is not refused for having been made later."""
    written = json.loads((FILES / "good" / CONTEXT).read_text(encoding="utf-8"))
    context = tmp_path / "of_the_day.json"
    context.write_text(json.dumps(written | {"trade_date": day, "generated_at": None}), encoding="utf-8")
    bars = tmp_path / "bars.csv"
    bars.write_text(
        "ts,symbol,open,high,low,close,volume\n2026-07-17T10:00:00+08:00,600036.SH,40,41,39,40,900000\n", encoding="utf-8"
    )
    portfolio = FILES / "good" / "portfolio_ashare.csv"
    said = tradeloop(tmp_path / "home", "run", str(portfolio), "--context", str(context), "--feed", str(bars), "--yes")
    assert said.code == 2
    assert said.error.startswith("of_the_day.json: the trade date ")
    assert what in said.error


def test_a_denial_is_one_json_document_too(tmp_path: Path) -> None:
    said = bad(tmp_path, "context_failed_risk_check.json", "--yes", "--json")
    assert said.code == 3
    assert [finding["code"] for finding in said.document["findings"]] == ["risk_check_failed"]
    assert said.document["sent"] is False


@pytest.mark.parametrize("name", ["percent_weights.csv", "gbk_encoded.csv", "utf8_bom.csv"])
def test_an_odd_file_is_planned_as_what_it_means(name: str, tmp_path: Path) -> None:
    said = run(tmp_path, FILES / "odd" / name, FILES / "good" / "execution_context.json", "--json")
    assert said.code == 0, said.err
    lines = said.document["lines"]
    assert len(lines) == 20
    assert {line["symbol"]: line["target_weight"].rstrip("0") for line in lines}["600036.SH"] == "0.07"
    assert said.document["sent"] is False


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    said = tradeloop(tmp_path, "run", str(tmp_path / "nowhere.csv"))
    assert said.code == 2
    assert "nowhere.csv: there is no such file" in said.error


def test_an_unknown_market_names_the_row(tmp_path: Path) -> None:
    portfolio = tmp_path / "p.csv"
    portfolio.write_text("ts_code,weight\nAIG.US,0.5\nFOO.XX,0.2\n", encoding="utf-8")
    said = tradeloop(tmp_path / "home", "run", str(portfolio), "--feed", "demo", "--yes")
    assert said.code == 2
    assert said.error.startswith("p.csv, row 3: ")
    assert not (tmp_path / "home").exists()


def in_market(folder: Path, market: str) -> Path:
    """The good US decision, said to be for `market`."""
    written = json.loads((FILES / "good" / "execution_context_us.json").read_text(encoding="utf-8"))
    context = folder / "of_a_market.json"
    context.write_text(json.dumps(written | {"market": market}), encoding="utf-8")
    return context


@pytest.mark.parametrize("market", ["HK", "CN_A", "CN_FUTURES", "CRYPTO"])
def test_a_decision_for_another_market_is_refused_with_row_and_both_files(market: str, tmp_path: Path) -> None:
    context, home = in_market(tmp_path, market), tmp_path / "home"
    words = ("run", str(FILES / "good" / "portfolio_us.csv"), "--context", str(context), "--feed", "demo", "--yes")
    said = tradeloop(home, *words)
    assert (said.code, home.exists()) == (2, False)
    assert said.error.startswith("portfolio_us.csv, row 2: AIG.US trades in US, and the market of of_a_market.json was")
    assert f"was {market}, and 3 more rows elsewhere too" in said.error
