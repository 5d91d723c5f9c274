"""Every bad file of the manifest is refused with one sentence: file, place, remedy; what a file can not say
is said by the checks.

A sentence comes from the reader (exit code 2) or, where the file is well formed and may not be traded, from
the checks of the run (exit code 3), which make of it an audit record and no run.
"""

from __future__ import annotations

import csv
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tradeloop.core.commands import SeenPrice, StartRun
from tradeloop.core.errors import BadInput
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.run.checks import checks
from tradeloop.core.types import SECOND_NS, AccountID, Currency, Mode, Px, Symbol, UtcNs
from tradeloop.markets.sessions import is_trading_day, windows
from tradeloop.markets.symbols import canonical
from tradeloop.targets.context import Context, read_context
from tradeloop.targets.portfolio import Portfolio, read_portfolio

FILES = Path(__file__).parent / "files"
NOW = UtcNs(1_784_253_600 * SECOND_NS)

# File -> the place and the remedy its sentence must name.
REFUSED_BY_THE_READER = {
    "duplicate_code.csv": ("row 22: 600036.SH stands in row 21 already", "keep one row"),
    "weights_sum_1_4.csv": ("rows 2 to 21: the weights sum to 1.4", "scale them down"),
    "nan_weight.csv": ("row 9: the weight of 000333.SZ was 'NaN'", "expected a plain decimal number"),
    "inf_weight.csv": ("row 9: the weight of 000333.SZ was 'inf'", "expected a plain decimal number"),
    "blank_weight.csv": ("row 9: the weight of 000333.SZ is empty", "write 0 to sell"),
    "text_weight.csv": ("row 9: the weight of 000333.SZ was '6.5%'", "write all weights alike"),
    "negative_weight.csv": ("row 7: the weight of 601012.SH was '-0.0400'", "write 0 to sell"),
    "unknown_code.csv": ("row 9: 999999.SH", "check the code"),
    "wrong_suffix.csv": ("row 2: 600519", "did you mean 600519.SH (1 other row is wrong too)"),
    "excel_lost_zeros.csv": ("row 8: 1 has lost", "write 000001.SZ or 00001.HK (4 other rows"),
    "empty.csv": ("row 1: the file is empty", "expected a header with ts_code and weight"),
    "header_only.csv": ("row 1: has a header and no rows", "expected one row for each symbol"),
    "missing_weight_column.csv": ("row 1: has no column weight", "add it to the header"),
    "formula_injection.csv": ("row 2: the code was the formula '=HYPERLINK(", "write its value instead"),
    "huge_5000_lines.csv": ("row 2002: has 5,000 lines; expected at most 2,000", "shorten the portfolio"),
    "context_wrong_trade_date.json": ("trade_date was 2026-07-13", "use the date of the next session"),
    "context_holiday_trade_date.json": ("trade_date was 2026-06-19", "use the date of the next session"),
    "context_bad_date_format.json": ("trade_date was '17/07/2026'", "expected a date such as 2026-07-17"),
    "context_no_risk_checks.json": ("risk_checks is empty", "run the checks of the decision"),
    "context_null_champion.json": ("active_champion_id was null", "expected text, correct it"),
    "context_passed_is_string.json": ("risk_checks.gross_exposure.passed was text", "expected true or false"),
    "context_truncated.json": ("row 13, column 17: is not complete JSON", "write the file again"),
}
REFUSED_BY_THE_CHECKS = {
    "context_failed_risk_check.json": ("risk_check_failed", "failed was st_exposure; make a new decision"),
    "context_weekend_trade_date.json": ("not_a_trading_day", "2026-07-18 was not; use the date of the next"),
    "context_exposure_mismatch.json": (
        "exposure_mismatch",
        "target_exposure 0.5 (within 0.0001), the sum was 0.95; use the portfolio and the context of one",
    ),
}


def manifest(folder: str) -> list[str]:
    with (FILES / folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return [row["file"] for row in csv.DictReader(file)]


def read(name: str) -> tuple[Portfolio, Context]:
    """The named file with the good one that belongs to it."""
    good, bad = FILES / "good", FILES / "bad"
    is_context = name.startswith("context_")
    context = read_context(bad / name if is_context else good / "execution_context.json")
    return read_portfolio(good / "portfolio_ashare.csv" if is_context else bad / name, canonical), context


def earlier(name: str, generated_at: str) -> tuple[Portfolio, Context]:
    """The named context as its decision would have been, made at another time; with the good portfolio."""
    written = json.loads((FILES / "bad" / name).read_text(encoding="utf-8"))
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(json.dumps(written | {"generated_at": generated_at}), encoding="utf-8")
        return read_portfolio(FILES / "good" / "portfolio_ashare.csv", canonical), read_context(path)


def stock(symbol: Symbol) -> Instrument:
    return Instrument(
        symbol=symbol,
        asset_class=AssetClass.STOCK,
        currency=Currency("CNY"),
        tick=Decimal("0.01"),
        lot=Decimal(100),
        min_qty=Decimal(100),
        market="CN_A",
    )


def findings(portfolio: Portfolio, context: Context, mode: Mode = Mode.DRY_RUN) -> list[tuple[str, str]]:
    symbols = [line.symbol for line in portfolio.lines]
    command = StartRun(
        account=AccountID("paper"),
        currency=context.currency,
        mode=mode,
        project_id=context.project_id,
        decision_snapshot_id=context.decision_snapshot_id,
        trade_date=context.trade_date,
        by="anna",
        targets=portfolio.lines,
        prices=tuple(SeenPrice(symbol, Px(Decimal(10)), NOW, "test") for symbol in symbols),
        content_hash=portfolio.sha256,
        risk_checks=context.passed,
        target_exposure=context.target_exposure,
    )
    found = checks(
        command,
        {symbol: stock(symbol) for symbol in symbols},
        {},
        Decimal(10_000_000),
        Decimal(10_000_000),
        NOW,
        is_trading_day(context.market, date.fromisoformat(context.trade_date)),
        windows(context.market, date.fromisoformat(context.trade_date)),
    )
    return [(finding.code, finding.text) for finding in found]


def test_every_file_of_the_manifests_is_here_and_is_expected_to_end_somehow() -> None:
    for folder in ("bad", "odd"):
        files = {path.name for path in (FILES / folder).iterdir()} - {"manifest.csv"}
        assert files == set(manifest(folder))
    assert set(manifest("bad")) == set(REFUSED_BY_THE_READER) | set(REFUSED_BY_THE_CHECKS)


@pytest.mark.parametrize("name", sorted(REFUSED_BY_THE_READER))
def test_a_bad_file_is_refused_with_one_sentence(name: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(name)

    said = str(caught.value)
    place, remedy = REFUSED_BY_THE_READER[name]
    assert said.startswith(name)
    assert place in said
    assert remedy in said
    assert "\n" not in said
    assert len(said) < 300


def test_the_date_of_a_holiday_is_refused_as_such_by_a_decision_made_before_it() -> None:
    """The file's own decision is of a month after its date, which is refused first: here it is made the day before."""
    found = findings(*earlier("context_holiday_trade_date.json", "2026-06-18T07:30:00+00:00"))
    assert [code for code, _ in found] == ["not_a_trading_day"]
    assert "2026-06-19 was not; use the date of the next session" in found[0][1]


def test_a_session_that_is_over_is_refused_by_a_decision_made_before_it() -> None:
    """The file's own decision was made after its date; one that was made before it, and is brought four sessions late, is
    refused by the hours of that session.
    """
    portfolio, context = earlier("context_wrong_trade_date.json", "2026-07-13T00:30:00+00:00")
    found = findings(portfolio, context, Mode.PAPER)
    assert [code for code, _ in found] == ["off_session"]
    assert "orders for 2026-07-13 may be sent" in found[0][1]


@pytest.mark.parametrize("name", ["context_holiday_trade_date.json", "context_wrong_trade_date.json"])
def test_a_date_is_refused_as_before_the_decision_by_nothing_else_in_the_file(name: str) -> None:
    before = earlier(name, "2026-06-18T07:30:00+00:00")[1]
    assert before.trade_date in REFUSED_BY_THE_READER[name][0]
    with pytest.raises(BadInput, match="before the decision was made"):
        read(name)


@pytest.mark.parametrize("name", sorted(REFUSED_BY_THE_CHECKS))
def test_a_well_formed_file_that_may_not_be_traded_is_refused_by_one_finding(name: str) -> None:
    """S1-39, S1-40, S1-41."""
    ((code, text),) = findings(*read(name))

    expected_code, words = REFUSED_BY_THE_CHECKS[name]
    assert code == expected_code
    assert words in text


@pytest.mark.parametrize("name", manifest("odd"))
def test_an_odd_portfolio_passes_the_checks_of_the_plain_one(name: str) -> None:
    context = read_context(FILES / "good" / "execution_context.json")
    portfolio = read_portfolio(FILES / "odd" / name, canonical)
    plain = read_portfolio(FILES / "good" / "portfolio_ashare.csv", canonical)

    assert findings(portfolio, context) == []
    assert [(line.symbol, line.weight) for line in portfolio.lines] == [(line.symbol, line.weight) for line in plain.lines]


def test_the_holiday_is_no_trading_day_either() -> None:
    """The reader refuses its context for its age; the calendar would have."""
    assert not is_trading_day("CN_A", date(2026, 6, 19))
