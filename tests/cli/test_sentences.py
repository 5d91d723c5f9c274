"""Sentences and figures that a person reads: no stray sign, the file and the row, and one way to write a fraction."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from tests.cli.commands import FILES, a_portfolio, tradeloop, us_run

from tradeloop.config import find_home, load
from tradeloop.core.errors import BadInput
from tradeloop.core.events import RunEnded
from tradeloop.core.run.ending import end_in_words
from tradeloop.core.types import RunID, RunStatus, UtcNs


@pytest.mark.parametrize(
    ("status", "code", "text", "said"),
    [
        (RunStatus.CANCELED, "", "stop", "run r1 ended CANCELED: stop"),
        (RunStatus.CANCELED, "", "", "run r1 ended CANCELED"),
        (RunStatus.COMPLETED, "partial", "1 of 2", "run r1 ended COMPLETED partial: 1 of 2"),
    ],
)
def test_the_end_of_a_run_is_told_without_a_stray_sign(status: RunStatus, code: str, text: str, said: str) -> None:
    assert end_in_words(RunEnded(UtcNs(0), RunID("r1"), status, code, text)) == said


def test_a_choice_that_is_none_is_refused_in_our_words_alone(tmp_path: Path) -> None:
    said = tradeloop(tmp_path, "run", "p.csv", "--broker", "xx")
    assert (said.code, said.error) == (2, "Invalid value for '--broker': 'xx' is not one of 'paper', 'toy'")


def test_a_weight_of_minus_nothing_is_nothing(tmp_path: Path) -> None:
    said = us_run(tmp_path, a_portfolio(tmp_path, "AIG.US,0.95\nBAC.US,-0\n"), "--dry-run")
    assert said.code == 0, said.err
    assert "-0" not in said.out.split("Plan", 1)[1]


def test_no_portfolio_at_all_is_said_to_be_a_folder_by_its_path(tmp_path: Path) -> None:
    said = tradeloop(tmp_path, "run", "")
    assert (said.code, said.error) == (2, ".: is a folder; expected a file, name the file in it")


def test_a_symbol_whose_rules_begin_after_the_trade_date_is_named_with_file_and_row(tmp_path: Path) -> None:
    """The decision is of 2013-10-08, and names no market."""
    written = json.loads((FILES / "good" / "execution_context_us.json").read_text(encoding="utf-8"))
    context = tmp_path / "context.json"
    context.write_text(json.dumps(written | {"market": ""}), encoding="utf-8")
    portfolio = a_portfolio(tmp_path, "AIG.US,0.5\n600519.SH,0.45\n")
    said = tradeloop(tmp_path, "run", str(portfolio), "--context", str(context), "--feed", "demo", "--dry-run")
    assert said.code == 2
    assert said.error.startswith("portfolio.csv, row 3: 600519.SH: ")
    assert "begin 2015-08-01; 2013-10-08 is before the table" in said.error


def test_without_a_context_too_a_symbol_whose_rules_begin_later_is_named_with_file_and_row(tmp_path: Path) -> None:
    """The recording says which day it is."""
    portfolio = a_portfolio(tmp_path, "AIG.US,0.5\nBTC/USDT,0.45\n")
    said = tradeloop(tmp_path, "run", str(portfolio), "--feed", "demo")
    assert said.code == 2
    assert said.error.startswith(
        "portfolio.csv, row 3: BTC/USDT.CRYPTO: the order rules of BTC/USDT begin 2017-08-17; 2013-10-08"
    )
    assert said.error.endswith("is before the table, use a later day")


@pytest.mark.parametrize(("written", "read"), [("25%", "0.25"), ("0.25", "0.25"), ("7.5 %", "0.075")])
def test_a_fraction_is_written_as_itself_or_in_percent(tmp_path: Path, written: str, read: str) -> None:
    """As in risk.yaml."""
    loaded = load({}, home=find_home(tmp_path), environ={"TRADELOOP_RUN__MAX_WEIGHT": written}, folder=tmp_path)
    assert loaded.settings.run.max_weight == Decimal(read)


def test_a_fraction_that_is_no_number_is_refused_with_both_ways_to_write_it(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"a plain decimal number such as 0\.25, or 25%"):
        load({}, home=find_home(tmp_path), environ={"TRADELOOP_RUN__MAX_WEIGHT": "much%"}, folder=tmp_path)
