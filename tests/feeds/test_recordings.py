"""Recorded files become quotes that show no more than was known, and every defect is named by file and row."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from tests.feeds.made import ns, shanghai, written

from tradeloop.core.errors import BadInput
from tradeloop.core.reports import Quote
from tradeloop.core.types import Symbol, TradingDay
from tradeloop.feeds.bars import read_daily_bars, read_minute_bars
from tradeloop.feeds.quotes import read_quotes

QUOTES = "ts,symbol,bid,ask,bid_size,ask_size,last,last_size,cum_volume"
DAILY = "trade_date,ts_code,open,high,low,close,pre_close,volume_shares"
MINUTE = "ts,symbol,open,high,low,close,volume"


@pytest.mark.parametrize("name", ["quotes.csv", "quotes.csv.gz"])
def test_a_quote_row_becomes_a_quote_and_volume_is_the_rise_of_the_total(tmp_path: Path, name: str) -> None:
    file = written(
        tmp_path / name,
        QUOTES,
        "2013-10-08T13:30:01Z,IBM.US,181.75,182.05,500,100,,,0",
        "2013-10-08T13:30:02Z,IBM.US,181.89,182.05,200,200,181.89,184,184",
        "2013-10-08T13:30:03Z,IBM.US,181.89,182.05,200,200,181.89,184,184",
    )
    first, second, third = read_quotes(file)
    assert first.at == ns("2013-10-08T13:30:01+00:00")
    assert (first.symbol, first.bid, first.ask) == ("IBM.US", Decimal("181.75"), Decimal("182.05"))
    assert (first.bid_size, first.ask_size, first.last, first.volume) == (Decimal(500), Decimal(100), None, None)
    assert (second.last, second.volume, third.volume) == (Decimal("181.89"), Decimal(184), Decimal(0))


def test_an_empty_or_zero_side_means_that_nobody_stands_there(tmp_path: Path) -> None:
    file = written(tmp_path / "q.csv", QUOTES, "2026-07-17T01:30:00Z,600519.SH,11.00,0,500,0,11.00,,")
    (quote,) = read_quotes(file)
    assert (quote.ask, quote.volume) == (None, None)


def test_a_symbol_can_be_renamed_and_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    file = written(tmp_path / "q.csv", "\ufeffts,symbol,bid,ask", "2021-01-08T00:00:01.076Z,BTCUSDT,39432.99,39433.62")
    (quote,) = read_quotes(file, rename=lambda text: Symbol(text.replace("USDT", "/USDT.BINANCE")))
    assert quote.symbol == "BTC/USDT.BINANCE"
    assert quote.at % 1_000_000_000 == 76_000_000


def test_a_daily_bar_shows_its_open_at_the_start_and_its_close_and_volume_at_the_end(tmp_path: Path) -> None:
    """The bars are made up."""
    file = written(tmp_path / "d.csv", DAILY, "2026-07-17,600519.SH,10.00,10.60,9.90,10.50,9.95,120000")
    opened, closed = read_daily_bars(file, shanghai)
    assert (opened.at, opened.last, opened.volume) == (ns("2026-07-17T01:30:00+00:00"), Decimal("10.00"), Decimal(0))
    assert (closed.at, closed.last, closed.volume) == (ns("2026-07-17T07:00:00+00:00"), Decimal("10.50"), Decimal(120_000))
    assert opened.prev_close == closed.prev_close == Decimal("9.95")


def test_daily_bars_kept_by_symbol_come_out_by_time(tmp_path: Path) -> None:
    file = written(
        tmp_path / "d.csv",
        DAILY,
        "2026-07-16,600519.SH,10,10,10,10,10,100",
        "2026-07-17,600519.SH,10,10,10,10,10,100",
        "2026-07-16,000001.SZ,10,10,10,10,10,100",
    )
    quotes = list(read_daily_bars(file, shanghai))
    assert [q.at for q in quotes] == sorted(q.at for q in quotes)
    assert len(list(read_daily_bars(file, shanghai, day=TradingDay("2026-07-17")))) == 2


def test_a_day_without_volume_is_a_suspended_day(tmp_path: Path) -> None:
    file = written(tmp_path / "d.csv", DAILY, "2026-07-17,600519.SH,10,10,10,10,10,0")
    assert [q.suspended for q in read_daily_bars(file, shanghai)] == [True, True]


def test_a_minute_bar_is_known_at_its_end(tmp_path: Path) -> None:
    file = written(tmp_path / "m.csv", MINUTE, "2022-01-04T09:01:00+08:00,SHFE.cu2202,70510,70550,70200,70230,2389")
    (at_end,) = read_minute_bars(file)
    (from_start,) = read_minute_bars(file, starts_after_ns=60_000_000_000)
    assert at_end.at == ns("2022-01-04T01:01:00+00:00")
    assert from_start.at == ns("2022-01-04T01:02:00+00:00")
    assert (at_end.last, at_end.volume, at_end.bid) == (Decimal(70230), Decimal(2389), None)


def test_a_traded_amount_becomes_a_volume_rounded_down(tmp_path: Path) -> None:
    file = written(
        tmp_path / "m.csv", "ts,symbol,open,high,low,close,amount", "2022-01-17T00:00:00Z,BTC,43095,43096,43095,43096.0,100000"
    )
    (bar,) = read_minute_bars(file, turnover_column="amount")
    assert bar.volume == Decimal("2.32040096")


def test_a_turnover_in_the_quote_currency_stands_in_for_a_volume_that_is_not_there(tmp_path: Path) -> None:
    header = "ts,symbol,open,high,low,close"
    bar = "2022-01-17T00:00:00Z,BTC-PERP,43095,43096,43095,43096.0"
    (alone,) = read_minute_bars(written(tmp_path / "a.csv", f"{header},volume_quote_usd", f"{bar},100000"))
    (beside,) = read_minute_bars(written(tmp_path / "b.csv", f"{header},volume,volume_quote_usd", f"{bar},7,100000"))
    assert (alone.volume, beside.volume) == (Decimal("2.32040096"), Decimal(7))


def quotes(path: Path) -> list[Quote]:
    return list(read_quotes(path))


def minutes(path: Path) -> list[Quote]:
    return list(read_minute_bars(path))


def days(path: Path) -> list[Quote]:
    return list(read_daily_bars(path, shanghai))


@pytest.mark.parametrize(
    ("read", "lines", "says"),
    [
        (quotes, ["ts,symbol,bid"], "row 1: columns were ts, symbol, bid; expected also ask"),
        (quotes, ["ts,symbol,bid,ask", "yesterday,A,1,2"], "row 2: ts was 'yesterday'; expected RFC 3339"),
        (quotes, ["ts,symbol,bid,ask", "2026-07-17T09:30:00,A,1,2"], "row 2: ts was .* without an offset"),
        (quotes, ["ts,symbol,bid,ask", "2026-07-17T09:30:00Z,A,nan,2"], "row 2: bid: the number was 'nan'"),
        (quotes, ["ts,symbol,bid,ask", "2026-07-17T09:30:00Z,A,1e400,2"], "row 2: bid: the number was '1e400'"),
        (quotes, ["ts,symbol,bid,ask", "2026-07-17T09:30:00Z,A,-1,2"], "row 2: bid was -1; expected a number of 0"),
        (quotes, ["ts,symbol,bid,ask", "2026-07-17T09:30:00Z,A,1"], "row 2: expected 4 fields"),
        (quotes, ["ts,symbol,bid,ask", "2026-07-17T09:30:00Z,A,1,2,3"], "row 2: expected 4 fields"),
        (quotes, ["ts,symbol,bid,ask", "2026-07-17T09:30:00Z,,1,2"], "row 2: symbol was empty"),
        (
            quotes,
            ["ts,symbol,bid,ask", "2026-07-17T09:30:01Z,A,1,2", "2026-07-17T09:30:00Z,A,1,2"],
            "row 3: ts is earlier than the row before",
        ),
        (minutes, [MINUTE, "2026-07-17T09:30:00Z,A,10,9,8,9.5,1"], "row 2: open 10, high 9, low 8, close 9.5; expected low"),
        (days, [DAILY, "2026-07-17,600519.SH,10,,10,10,10,100"], "row 2: open, high, low or close was empty"),
    ],
)
def test_a_defect_is_named_by_file_and_row(
    tmp_path: Path, read: Callable[[Path], list[Quote]], lines: list[str], says: str
) -> None:
    file = written(tmp_path / "bad.csv", *lines)
    with pytest.raises(BadInput, match=f"bad.csv {says}"):
        read(file)


def test_a_file_that_is_not_there_or_torn_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"gone.csv could not be read"):
        quotes(tmp_path / "gone.csv")
    torn = written(tmp_path / "torn.csv.gz", QUOTES, *["2013-10-08T13:30:01Z,IBM.US,181.75,182.05,500,100,,,0"] * 50)
    torn.write_bytes(torn.read_bytes()[:-12])
    with pytest.raises(BadInput, match=r"torn.csv.gz could not be read"):
        quotes(torn)


def test_reading_is_lazy(tmp_path: Path) -> None:
    file = written(tmp_path / "q.csv", "ts,symbol,bid,ask", "2026-07-17T09:30:00Z,A,1,2", "broken")
    assert next(read_quotes(file)).bid == 1
