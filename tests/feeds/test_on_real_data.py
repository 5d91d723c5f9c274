"""The feeds on real recordings that may not be passed on. Skips, saying so, where the data pack is absent."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.feeds.made import JumpingClock, shanghai

from tradeloop.core.reports import Quote
from tradeloop.core.types import Symbol
from tradeloop.feeds.bars import read_daily_bars, read_minute_bars
from tradeloop.feeds.quotes import read_quotes
from tradeloop.feeds.replay import ReplayFeed

PACK = Path(os.environ.get("TRADELOOP_TEST_SHARED_DATA") or Path(__file__).parents[2].parent / "shared" / "data")
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not PACK.is_dir(), reason=f"no market data pack at {PACK} (set TRADELOOP_TEST_SHARED_DATA)"),
]


async def played(*sources: Callable[[], Iterator[Quote]], symbols: set[str]) -> list[Quote]:
    heard: list[Quote] = []
    await ReplayFeed(sources, JumpingClock()).run([Symbol(s) for s in sorted(symbols)], heard.append)
    assert [q.at for q in heard] == sorted(q.at for q in heard)
    return heard


async def test_index_futures_five_minute_bars() -> None:
    heard = await played(lambda: read_minute_bars(PACK / "cn_futures/if_m5.csv"), symbols={"CFFEX.IF.HOT"})
    assert len(heard) == 960
    assert (heard[0].last, heard[0].volume) == (Decimal("3849.2"), Decimal(2567))


async def test_bitcoin_minutes_with_their_fall() -> None:
    def source() -> Iterator[Quote]:
        file = PACK / "crypto/btc_perp_1m.csv.gz"
        return read_minute_bars(file, starts_after_ns=60_000_000_000)

    heard = await played(source, symbols={"BTC-PERP"})
    assert len(heard) == 10_080
    assert min(q.last for q in heard if q.last is not None) < Decimal(34_200)


async def test_ashare_daily_bars() -> None:
    file = PACK / "cn_ashare_daily/daily_bars.csv"
    with file.open(encoding="utf-8") as text:
        symbols = {line.split(",")[1] for line in text} - {"ts_code"}
    heard = await played(lambda: read_daily_bars(file, shanghai), symbols=symbols)
    assert len(heard) == 2 * 899
    assert len(symbols) == 25


async def test_copper_minutes_with_night_sessions() -> None:
    heard = await played(lambda: read_minute_bars(PACK / "cn_futures/cu2202_m1.csv.gz"), symbols={"SHFE.cu2202"})
    assert len(heard) == 3945


async def test_two_recordings_play_as_one() -> None:
    heard = await played(
        *(lambda name=name: read_quotes(PACK / f"us_equity_quotes/{name}_1s.csv.gz") for name in ("spy", "aig")),
        symbols={"SPY.US", "AIG.US"},
    )
    assert len(heard) == 2 * 23_400
