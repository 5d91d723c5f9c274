"""`tradeloop run` on recorded bars: what fills does not depend on how fast they are played."""

from __future__ import annotations

from decimal import Decimal
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


MINUTES = "ts,symbol,open,high,low,close,volume"


def minute_bars(folder: Path, name: str, *rows: tuple[str, str]) -> Path:
    """Made-up bars of two stocks on one day: the minute and its volume."""
    lines = [f"2026-07-17T{at}:00+08:00,{each},10,10,10,10,{size}" for at, size in rows for each in NAMES[:2]]
    file = folder / name
    file.write_text("\n".join((MINUTES, *lines, "")), encoding="utf-8")
    return file


def test_a_restart_after_the_close_fills_at_the_closing_bar_what_stood_until_then(tmp_path: Path) -> None:
    """The process ended before that bar was handed over, and its clock, which runs fast on a replay, was past it."""
    home = tmp_path / "home"
    portfolio = a_portfolio(tmp_path, "".join(f"{name},0.2\n" for name in NAMES[:2]))
    morning = minute_bars(tmp_path, "morning.csv", ("09:31", "10"), ("09:32", "50000"))
    first = tradeloop(home, "run", str(portfolio), "--feed", str(morning), "--yes", "--speed", "60")
    assert "2 orders still wait" in first.error
    before = {order["symbol"]: Decimal(order["cum_qty"]) for order in orders(home)}
    assert all(0 < qty < 20_000 for qty in before.values())

    day = minute_bars(tmp_path, "day.csv", ("09:31", "10"), ("09:32", "50000"), ("15:00", "9000000"))
    late = ("--feed", str(day), "--start", "2026-07-17T15:00:30+08:00")
    said = tradeloop(home, "run", str(portfolio), *late, "--yes", "--speed", "60", "--json")

    assert said.code == 0, said.err
    assert [order["ord_status"] for order in orders(home)] == ["FILLED"] * 2
    sizes = [(fill["symbol"], Decimal(fill["fill_qty"])) for fill in said.document["fills"]]
    assert sorted(sizes) == sorted(
        (name, qty) for name in NAMES[:2] for qty in (before[name], Decimal(20_000) - before[name])
    ), "the bar of 09:32 has its volume once"


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
