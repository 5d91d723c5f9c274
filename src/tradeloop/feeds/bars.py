"""Recorded bars to `Quote`s that show no more than was known at the time.

The convention, chosen so that nothing can trade on the future: - A **minute** bar becomes one quote at its end: `last`
is its close, `volume` what traded in it. It shows no bid and no ask. - A **daily** bar becomes two: at the session's
start `last` is the open and the volume is zero, so the price is known and nothing fills; at the session's end `last` is
the close and `volume` the day's. The paper broker fills what was live before the end at the close, up to its share of
the volume. High and low are not used: their order in time is not known. - A daily bar without volume is a suspended
day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import Final

from tradeloop.core.reports import Quote
from tradeloop.core.types import ZERO, Px, Qty, Symbol, TradingDay, UtcNs
from tradeloop.feeds.quotes import as_written
from tradeloop.feeds.rows import CsvFile, Row, columns, rows

SessionSpan = Callable[[Symbol, TradingDay], tuple[UtcNs, UtcNs]]
"""First and last moment of a symbol's trading day; it raises BadInput for a day without trading."""

TURNOVER_COLUMNS: Final = ("volume_quote_usd",)
"""Columns that give what was traded in money, looked for where a file has no volume."""

_COIN: Final = Decimal("0.00000001")


def read_minute_bars(
    file: CsvFile,
    *,
    rename: Callable[[str], Symbol] = as_written,
    starts_after_ns: int = 0,
    volume_column: str = "volume",
    turnover_column: str = "",
) -> Iterator[Quote]:
    """Intraday bars `ts,symbol,open,high,low,close,volume` in the file's order, lazily.

    `ts` is taken as the bar's end; a file stamped with the start says how long a bar is in `starts_after_ns` (read
    without it, all its bars come one bar early, in the right order). Where a file gives only the traded amount,
    `turnover_column` names it, or it is one of `TURNOVER_COLUMNS`, and the volume is amount / close, rounded down to
    eight places: the bar's one price that is known not to be an extreme. Raises BadInput.
    """
    header = columns(file)
    if not turnover_column and volume_column not in header:
        turnover_column = next((name for name in TURNOVER_COLUMNS if name in header), "")
    needed = turnover_column or volume_column
    before = UtcNs(0)
    for row in rows(file, ("ts", "symbol", "open", "high", "low", "close", needed)):
        at = UtcNs(row.at() + starts_after_ns)
        if at < before:
            raise row.bad("ts is earlier than the row before; expected rows in the order of time")
        before = at
        close = _prices(row)[1]
        volume = row.qty(needed)
        if volume is not None and turnover_column:
            try:
                volume = Qty((volume / close).quantize(_COIN, rounding=ROUND_DOWN))
            except InvalidOperation:
                raise row.bad(f"{needed} {volume} at close {close} is more than can be counted; correct the row") from None
        yield Quote(rename(row.text("symbol")), at, last=close, volume=volume)


def read_daily_bars(
    file: CsvFile, span: SessionSpan, *, rename: Callable[[str], Symbol] = as_written, day: TradingDay | None = None
) -> Iterator[Quote]:
    """Daily bars `trade_date, ts_code or symbol, open, high, low, close, pre_close, volume_shares`, sorted by time.

    `day` keeps one trading day. The rows kept are held in memory to be sorted: daily files are kept by symbol.
    """
    column = "symbol" if "symbol" in columns(file) else "ts_code"
    quotes: list[Quote] = []
    for row in rows(file, ("trade_date", column, "open", "high", "low", "close", "pre_close", "volume_shares")):
        trading_day = TradingDay(row.text("trade_date"))
        if not _is_day(trading_day):
            raise row.bad(f"trade_date was {trading_day[:40]!r}; expected a day such as 2026-07-17")
        if day is not None and trading_day != day:
            continue
        symbol = rename(row.text(column))
        start, end = span(symbol, trading_day)
        opened, close = _prices(row)
        volume = row.qty("volume_shares")
        prev_close = row.px("pre_close")
        halted = volume == ZERO
        quotes.append(Quote(symbol, start, last=opened, volume=Qty(ZERO), prev_close=prev_close, suspended=halted))
        quotes.append(Quote(symbol, end, last=close, volume=volume, prev_close=prev_close, suspended=halted))
    quotes.sort(key=lambda quote: quote.at)
    yield from quotes


def _is_day(written: str) -> bool:
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return False
    return day.isoformat() == written and 1970 <= day.year <= 2261


def _prices(row: Row) -> tuple[Px, Px]:
    """Open and close of a bar whose four prices can be true together."""
    opened, high, low, close = row.px("open"), row.px("high"), row.px("low"), row.px("close")
    if opened is None or high is None or low is None or close is None:
        raise row.bad("open, high, low or close was empty or zero; expected four positive prices")
    if not low <= min(opened, close) <= max(opened, close) <= high:
        raise row.bad(f"open {opened}, high {high}, low {low}, close {close}; expected low <= open, close <= high")
    return opened, close
