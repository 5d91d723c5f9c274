"""The checks before a run: each refusal names rule, limit, what was found and what to do, and nothing passes
for want of data.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec
import pytest

from tradeloop.core.commands import RunLimits, SeenPrice, StartRun, TargetLine
from tradeloop.core.instrument import AssetClass, FeeLine, FeeSchedule, Instrument
from tradeloop.core.run.checks import Finding, checks
from tradeloop.core.run.plan import Held
from tradeloop.core.types import (
    SECOND_NS,
    AccountID,
    Currency,
    Mode,
    Px,
    Qty,
    Symbol,
    TradingDay,
    UtcNs,
)

NOW = UtcNs(1_784_253_600 * SECOND_NS)  # 2026-07-17 02:00:00Z, ten in the morning in Shanghai
WINDOWS = ((UtcNs(NOW - 1800 * SECOND_NS), UtcNs(NOW + 5400 * SECOND_NS)),)


def instrument(symbol: str, industry: str = "", currency: str = "CNY") -> Instrument:
    return Instrument(
        symbol=Symbol(symbol),
        asset_class=AssetClass.STOCK,
        currency=Currency(currency),
        tick=Decimal("0.01"),
        lot=Decimal(100),
        min_qty=Decimal(100),
        market="CN_A",
        industry=industry,
        fees=FeeSchedule((FeeLine("commission", rate=Decimal("0.0003"), minimum=Decimal(5)),)),
    )


def line(symbol: str, weight: str, row: int = 2, industry: str = "") -> TargetLine:
    return TargetLine(Symbol(symbol), Decimal(weight), row, industry=industry)


GOOD = StartRun(
    account=AccountID("paper"),
    currency=Currency("CNY"),
    mode=Mode.PAPER,
    project_id="demo",
    decision_snapshot_id="snap-1",
    trade_date=TradingDay("2026-07-17"),
    by="anna",
    targets=(line("600001.SH", "0.3", 2, "banks"), line("600002.SH", "0.2", 3, "liquor")),
    prices=tuple(SeenPrice(Symbol(symbol), Px(Decimal(10)), NOW, "test") for symbol in ("600001.SH", "600002.SH")),
    content_hash="0" * 64,
    risk_checks={"gross_exposure": True, "st_exposure": True},
    target_exposure=Decimal("0.5"),
    limits=RunLimits(max_weight=Decimal("0.3"), max_positions=2, max_industry_weight=Decimal("0.3")),
)


def changed(**fields: object) -> StartRun:
    """A good run with other fields; names that are limits change its limits."""
    limits = {name: fields.pop(name) for name in RunLimits.__struct_fields__ if name in fields}
    cmd = msgspec.structs.replace(GOOD, **fields)
    return msgspec.structs.replace(cmd, limits=msgspec.structs.replace(cmd.limits, **limits))


def found(
    cmd: StartRun = GOOD,
    *,
    held: dict[str, int] | None = None,
    cash: str = "100000",
    equity: str = "100000",
    is_trading_day: bool = True,
    windows: Sequence[tuple[UtcNs, UtcNs]] = WINDOWS,
    open_days: Sequence[TradingDay] = (),
    listed: Sequence[Instrument] = (instrument("600001.SH"), instrument("600002.SH")),
) -> tuple[Finding, ...]:
    return checks(
        cmd,
        {each.symbol: each for each in listed},
        {Symbol(s): Held(Qty(Decimal(qty)), Qty(Decimal(qty))) for s, qty in (held or {}).items()},
        Decimal(cash),
        Decimal(equity),
        NOW,
        is_trading_day,
        windows,
        open_days,
    )


def only(findings: tuple[Finding, ...]) -> Finding:
    (finding,) = findings
    return finding


def test_a_good_run_has_no_finding() -> None:
    assert found() == ()


@pytest.mark.parametrize(
    ("cmd", "code", "words"),
    [
        (
            changed(risk_checks={"st_exposure": False, "turnover": True}),
            "risk_check_failed",
            "failed was st_exposure; make a new decision",
        ),
        (
            changed(max_weight=Decimal("0.25")),
            "max_weight",
            "at most 0.25, was 600001.SH with 0.3 (row 2); lower it",
        ),
        (changed(max_positions=1), "max_positions", "at most 1 positions may be held, was 2"),
        (
            changed(max_total_weight=Decimal("0.4")),
            "total_weight",
            "sum to at most 0.4, the sum was 0.5; scale them down",
        ),
        (
            changed(target_exposure=Decimal("0.95")),
            "exposure_mismatch",
            "target_exposure 0.95 (within 0.0001), the sum was 0.5; use the portfolio",
        ),
        (
            changed(max_industry_weight=Decimal("0.25")),
            "max_industry_weight",
            "at most 0.25, was banks with 0.3; lower it",
        ),
        (
            changed(blacklist=(Symbol("600002.SH"),)),
            "blacklist",
            "was 600002.SH with 0.2 (row 3); give it weight 0",
        ),
        (changed(currency=Currency("USD")), "other_currency", "600002.SH in CNY; correct the currency"),
        (changed(prices=()), "no_prices", "was none for any of 2 targets; start the feed"),
        (changed(targets=(), target_exposure=None), "no_targets", "the target has no lines"),
        (
            changed(targets=(line("600001.SH", "0.1", 2, "a"), line("600001.SH", "0.4", 7, "b"))),
            "duplicate_target",
            "was 600001.SH in rows 2, 7; put its whole weight in one row",
        ),
        (
            changed(targets=(line("600001.SH", "-0.1", 5, "a"),), target_exposure=None),
            "negative_weight",
            "was 600001.SH with -0.1 (row 5); write 0",
        ),
    ],
)
def test_a_refusal_names_the_rule_its_limit_what_was_and_the_remedy(cmd: StartRun, code: str, words: str) -> None:
    """S0-54, S0-55, S1-39, S1-40."""
    finding = next(finding for finding in found(cmd) if finding.code == code)

    assert words in finding.text
    assert "\n" not in finding.text


def test_every_reason_is_found_at_once() -> None:
    """S0-56: the audit record has them all."""
    cmd = changed(risk_checks={"a": False}, max_positions=1, target_exposure=Decimal(1))

    assert [finding.code for finding in found(cmd, is_trading_day=False)] == [
        "risk_check_failed",
        "exposure_mismatch",
        "max_positions",
        "not_a_trading_day",
    ]


def test_a_weight_at_its_limit_passes_and_one_basis_point_of_exposure_is_rounding() -> None:
    assert found(changed(max_weight=Decimal("0.3"), target_exposure=Decimal("0.5001"))) == ()
    assert [f.code for f in found(changed(target_exposure=Decimal("0.50011")))] == ["exposure_mismatch"]


def test_an_unknown_instrument_is_refused_by_name() -> None:
    finding = only(found(listed=[instrument("600001.SH")]))

    assert finding.code == "unknown_instrument"
    assert "600002.SH was not; correct the symbol" in finding.text


def test_an_industry_cap_without_an_industry_is_a_refusal_not_a_pass() -> None:
    cmd = changed(targets=(line("600001.SH", "0.3"), line("600002.SH", "0.2")))

    finding = only(found(cmd))

    assert finding.code == "industry_unknown"
    assert "600001.SH, 600002.SH had none; add an industry column" in finding.text


def test_the_industry_of_the_instrument_stands_in_for_that_of_the_line() -> None:
    cmd = changed(targets=(line("600001.SH", "0.3"), line("600002.SH", "0.2")))
    both_banks = [instrument("600001.SH", "banks"), instrument("600002.SH", "banks")]

    assert only(found(cmd, listed=both_banks)).text.startswith("one industry may weigh at most 0.3, was banks with 0.5")


def test_holdings_that_are_kept_count_as_positions() -> None:
    """S0-55."""
    cmd = changed(sell_unlisted=False)

    assert only(found(cmd, held={"600003.SH": 100})).code == "max_positions"
    assert found(changed(sell_unlisted=True), held={"600003.SH": 100}) == ()


def test_one_missing_price_stops_its_line_only() -> None:
    assert found(changed(prices=GOOD.prices[:1])) == ()


def test_prices_that_are_all_stale_stop_the_run() -> None:
    old = tuple(msgspec.structs.replace(price, at=UtcNs(NOW - 61 * SECOND_NS)) for price in GOOD.prices)

    finding = only(found(changed(prices=old)))

    assert finding.code == "stale_prices"
    assert "at most 60 s old, the youngest of 2 was 61 s old (600001.SH, 2026-07-17 01:58:59Z)" in finding.text


def test_prices_that_are_all_of_the_future_stop_the_run() -> None:
    """A wrong clock would keep them fresh for ever."""
    ahead = tuple(msgspec.structs.replace(price, at=UtcNs(NOW + 61 * SECOND_NS)) for price in GOOD.prices)

    finding = only(found(changed(prices=ahead)))

    assert finding.code == "stale_prices"
    assert "at most 60 s ahead of our clock, the nearest of 2 was 61 s ahead (600001.SH, 2026-07-17 02:01:01Z)" in finding.text
    assert found(changed(prices=(ahead[0], GOOD.prices[1]))) == ()


def test_off_session_only_a_dry_run_is_planned() -> None:
    """S1-41."""
    tomorrow = [(UtcNs(start + 86400 * SECOND_NS), UtcNs(end + 86400 * SECOND_NS)) for start, end in WINDOWS]

    finding = only(found(windows=tomorrow))

    assert finding.code == "off_session"
    assert "2026-07-18 01:30:00Z to 2026-07-18 03:30:00Z, now was 2026-07-17 02:00:00Z" in finding.text
    assert "wait for the session or make a dry-run" in finding.text
    assert found(changed(mode=Mode.DRY_RUN), windows=tomorrow) == ()


def test_hours_that_are_not_known_are_closed() -> None:
    assert "the session hours of 2026-07-17 are not known" in only(found(windows=[])).text


@pytest.mark.parametrize("mode", list(Mode))
def test_not_even_a_dry_run_is_for_a_day_without_trading(mode: Mode) -> None:
    finding = only(found(changed(mode=mode, trade_date=TradingDay("2026-07-18")), is_trading_day=False))

    assert finding.text == "the trade date must be a trading day, 2026-07-18 was not; use the date of the next session"


def test_a_run_for_another_day_than_the_open_one_is_told_both_days() -> None:
    """2013-10-08 was a trading day; that it is over is what the reader has to know."""
    asked = changed(trade_date=TradingDay("2013-10-08"))
    finding = only(found(asked, is_trading_day=False, open_days=[TradingDay("2026-07-17")]))

    assert finding.text == (
        "the trade date must be the trading day that is open, 2026-07-17, was 2013-10-08;"
        " use the context of 2026-07-17, or a feed that plays 2013-10-08 if that is a trading day"
    )


def test_cash_below_the_floor_is_refused() -> None:
    """S0-53."""
    finding = only(found(changed(min_cash=Decimal(5000)), cash="4999.99"))

    assert finding.text == "available cash must be at least 5000 CNY, was 4999.99; fund the account"


def test_a_run_that_only_buys_needs_the_money_for_its_smallest_order_with_its_fee() -> None:
    """S0-53."""
    assert found(cash="1005") == ()
    finding = only(found(cash="1004.99"))
    assert finding.code == "min_cash"
    assert "1005 CNY for 600001.SH, was 1004.99" in finding.text


def test_a_run_that_sells_needs_no_money_for_its_buys() -> None:
    """D4."""
    assert found(cash="0", held={"600001.SH": 10_000}) == ()


def test_an_account_without_equity_is_refused() -> None:
    assert only(found(equity="0", cash="0")).code == "no_equity"


def test_a_long_list_of_names_is_shortened() -> None:
    many = tuple(line(f"6001{n:02}.SH", "0.01", n) for n in range(10, 20))
    cmd = changed(targets=many, target_exposure=None, max_positions=None, max_industry_weight=None)

    finding = next(finding for finding in found(cmd) if finding.code == "unknown_instrument")

    assert "600114.SH and 5 more was not" in finding.text
