"""`tradeloop run` on recorded bars: what fills does not depend on how fast they are played."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.commands import a_portfolio, orders, tradeloop

DAILY = "trade_date,ts_code,open,high,low,close,pre_close,volume_shares"
NAMES = tuple(f"6005{number:02d}.SH" for number in range(12))


def daily_bars(folder: Path) -> Path:
    """One made-up day of twelve stocks, each with its open, its close and ten million shares."""
    rows = (f"2026-07-17,{name},10.00,10.20,9.90,10.10,10.00,10000000" for name in NAMES)
    file = folder / "daily.csv"
    file.write_text("\n".join((DAILY, *rows, "")), encoding="utf-8")
    return file


@pytest.mark.parametrize("speed", ["5000", "10000"])
def test_every_order_fills_at_its_closing_bar_at_any_speed(tmp_path: Path, speed: str) -> None:
    """The bars of the close come one after the other, and at this speed that takes minutes of the market."""
    portfolio = a_portfolio(tmp_path, "".join(f"{name},0.05\n" for name in NAMES))
    said = tradeloop(tmp_path / "home", "run", str(portfolio), "--feed", str(daily_bars(tmp_path)), "--yes", "--speed", speed)
    assert said.code == 0, said.err
    assert [order["ord_status"] for order in orders(tmp_path / "home")] == ["FILLED"] * len(NAMES)


def test_a_recording_of_minutes_with_turnover_plays_a_perpetual(tmp_path: Path) -> None:
    """Made-up bars in the columns that crypto vendors use."""
    rows = [f"2022-01-17T00:{minute:02d}:00Z,BTC-PERP,43095,43096,43095,43096,900000" for minute in range(20)]
    recording = tmp_path / "minutes.csv"
    recording.write_text("\n".join(("ts,symbol,open,high,low,close,volume_quote_usd", *rows, "")), encoding="utf-8")
    portfolio = a_portfolio(tmp_path, "BTC-PERP,0.1\n")
    said = tradeloop(tmp_path / "home", "run", str(portfolio), "--feed", str(recording), "--yes", "--speed", "300")
    assert said.code == 0, said.err
    (order,) = orders(tmp_path / "home")
    assert (order["symbol"], order["ord_status"], order["qty"]) == ("BTC-PERP.CRYPTO", "FILLED", "2.3204")
