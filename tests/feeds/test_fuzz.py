"""Files that nobody recorded: whatever a recording or a facts file holds is read, or refused in one sentence, and soon.

Profile `nightly` (TRADELOOP_HYPOTHESIS=nightly) tries a hundred times as many.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.feeds.made import shanghai

from tradeloop.core.errors import BadInput
from tradeloop.core.reports import Quote
from tradeloop.core.types import is_exact
from tradeloop.feeds.bars import read_daily_bars, read_minute_bars
from tradeloop.feeds.quotes import read_quotes
from tradeloop.feeds.rows import columns
from tradeloop.markets.facts import load_facts

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
SOON_S = 10.0
INT64_MAX = 2**63 - 1

Reader = Callable[[Path], Iterator[Quote]]


def daily(path: Path) -> Iterator[Quote]:
    return read_daily_bars(path, shanghai)


QUOTES = b"ts,symbol,bid,ask,bid_size,ask_size,last,last_size,cum_volume\n"
MINUTES = b"ts,symbol,open,high,low,close,volume\n"
TURNOVER = b"ts,symbol,open,high,low,close,volume_quote_usd\n"
DAILY = b"trade_date,ts_code,open,high,low,close,pre_close,volume_shares\n"
A_QUOTE = b"2013-10-08T13:30:01Z,IBM.US,181.75,182.05,500,100,182.00,100,1000\n"
A_MINUTE = b"2013-10-08T13:31:00Z,IBM.US,1,2,0.5,1.5,100\n"
A_DAY = b"2026-07-17,600519.SH,1,2,0.5,1.5,1,100\n"
KINDS: dict[str, tuple[Reader, bytes, bytes]] = {
    "quotes": (read_quotes, QUOTES, A_QUOTE),
    "minute bars": (read_minute_bars, MINUTES, A_MINUTE),
    "minute bars by turnover": (read_minute_bars, TURNOVER, A_MINUTE),
    "daily bars": (daily, DAILY, A_DAY),
}
kinds = st.sampled_from(sorted(KINDS))


def told(path: Path, raw: bytes, read: Reader) -> list[Quote] | str:
    """The quotes of a file with these bytes, or the sentence that refused it."""
    path.write_bytes(raw)
    begun = monotonic()
    try:
        columns(path)
        found: list[Quote] | str = list(read(path))
    except BadInput as refused:
        found = str(refused)
        assert found.startswith(path.name)
        assert found.isprintable()
        assert len(found) < 1000
    assert monotonic() - begun < SOON_S
    return found


def sane(quotes: list[Quote] | str) -> None:
    """What was read can be journalled and computed with: times of 64 bits in order, exact prices above zero."""
    if isinstance(quotes, str):
        return
    assert [quote.at for quote in quotes] == sorted(quote.at for quote in quotes)
    for quote in quotes:
        assert 0 <= quote.at <= INT64_MAX
        for px in (quote.bid, quote.ask, quote.last):
            assert px is None or (is_exact(px) and px > 0)
        for qty in (quote.bid_size, quote.ask_size, quote.volume):
            assert qty is None or (qty.is_finite() and qty >= 0)


HUGE = b"x" * 200_000
REFUSED = {
    "a field of two hundred thousand characters": QUOTES + A_QUOTE.replace(b"IBM", HUGE),
    "a header of two hundred thousand characters": HUGE,
    "UTF-16": (QUOTES + A_QUOTE).decode().encode("utf-16"),
    "a NUL": QUOTES + b"\0" + A_QUOTE,
    "Latin-1": QUOTES + A_QUOTE.replace(b"IBM", b"\xe9"),
    "a column named twice": QUOTES.replace(b"ask,", b"bid,", 1).replace(b"ask_size", b"ask") + A_QUOTE,
    "a size named twice": QUOTES.replace(b"ask_size", b"bid_size") + A_QUOTE,
    "a header across two lines": b'"' + QUOTES,
    "the year 9999": QUOTES + A_QUOTE.replace(b"2013", b"9999"),
    "the year 1": QUOTES + A_QUOTE.replace(b"2013-10-08T13:30:01Z", b"0001-01-01T00:00:00+23:59"),
    "a quote that never closes": QUOTES + b'"' + A_QUOTE * 3,
    "an exponent": QUOTES + A_QUOTE.replace(b"181.75", b"1E999999999"),
    "no number": QUOTES + A_QUOTE.replace(b"181.75", b"NaN"),
    "below zero": QUOTES + A_QUOTE.replace(b"181.75", b"-1"),
    "a workbook": b"PK\x03\x04" + bytes(range(256)),
    "nothing": b"",
}


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED)
def test_a_file_that_can_not_be_a_recording_is_refused_in_one_sentence(tmp_path: Path, raw: bytes) -> None:
    assert isinstance(told(tmp_path / "r.csv", raw, read_quotes), str)


@pytest.mark.parametrize("day", [b"", b"today", b"20260717", b"2026-W29-5", b"2026-07-32", b"0001-01-01", b"9999-12-31"])
def test_a_daily_bar_of_no_day_is_refused(tmp_path: Path, day: bytes) -> None:
    """Before its row is asked for a session, which no such day has."""
    said = told(tmp_path / "r.csv", DAILY + A_DAY.replace(b"2026-07-17", day), daily)
    assert isinstance(said, str)
    assert said.startswith("r.csv row 2: trade_date was ")


def test_a_turnover_that_no_coin_can_have_is_refused_with_its_row(tmp_path: Path) -> None:
    tiny = b"0.000000000001"
    row = b",".join([b"2013-10-08T13:31:00Z", b"A", tiny, tiny, tiny, tiny, b"99999999999999"]) + b"\n"
    said = told(tmp_path / "r.csv", TURNOVER + row, read_minute_bars)
    assert isinstance(said, str)
    assert said.startswith("r.csv row 2: volume_quote_usd 99999999999999 at close ")


@CALM
@given(kinds, st.binary(max_size=300))
def test_any_bytes_are_refused_or_are_a_recording(tmp_path: Path, kind: str, raw: bytes) -> None:
    read, header, _ = KINDS[kind]
    sane(told(tmp_path / "r.csv", raw, read))
    sane(told(tmp_path / "r.csv", header + raw, read))


@CALM
@given(kinds, st.lists(st.tuples(st.integers(0, 200), st.binary(max_size=3)), min_size=1, max_size=4))
def test_a_changed_recording_is_refused_or_still_sane(tmp_path: Path, kind: str, edits: list[tuple[int, bytes]]) -> None:
    read, header, row = KINDS[kind]
    raw = bytearray(header + row * 2)
    for place, new in edits:
        raw[place : place + len(new)] = new
    sane(told(tmp_path / "r.csv", bytes(raw), read))


CELLS = st.text("0123456789.,-+eEZT:\"'\n\r\t NaSH\u6743\ufeff", max_size=14) | st.sampled_from(
    ["", "0", "1", "0.000000000001", "99999999999999", "2013-10-08T13:30:01Z", "2026-07-17", "IBM.US", "inf", "1" * 40]
)


@CALM
@given(kinds, st.lists(st.lists(CELLS, min_size=7, max_size=9), max_size=3))
def test_any_cells_are_refused_or_sane(tmp_path: Path, kind: str, table: list[list[str]]) -> None:
    read, header, _ = KINDS[kind]
    width = header.count(b",") + 1
    lines = "\n".join(",".join(cells[:width]) for cells in table)
    sane(told(tmp_path / "r.csv", header + lines.encode(), read))


PACKED = gzip.compress(QUOTES + A_QUOTE * 200, mtime=0)


@CALM
@given(st.lists(st.tuples(st.integers(0, len(PACKED) - 1), st.integers(0, 255)), max_size=3), st.integers(0, len(PACKED) * 2))
def test_a_damaged_gzip_is_refused_or_whole(tmp_path: Path, edits: list[tuple[int, int]], kept: int) -> None:
    """A part of a recording is never played as if it were all of it: a cut or a flip is found by the end at the latest."""
    raw = bytearray(PACKED)
    for place, new in edits:
        raw[place] = new
    found = told(tmp_path / "r.csv.gz", bytes(raw[:kept]), read_quotes)
    assert isinstance(found, str) or len(found) == 200


def test_a_gzip_whose_packed_part_is_broken_is_refused(tmp_path: Path) -> None:
    raw = PACKED[:10] + b"\xff" * (len(PACKED) - 18) + PACKED[-8:]
    assert isinstance(told(tmp_path / "r.csv.gz", raw, read_quotes), str)


def test_a_gzip_of_two_hundred_million_letters_is_refused_without_reading_it_all(tmp_path: Path) -> None:
    said = told(tmp_path / "r.csv.gz", gzip.compress(b"x" * 200_000_000, 1), read_quotes)
    assert isinstance(said, str)


# --- facts


FACTS = b"ts_code,name,industry,is_st,list_date,asset_class,lot,tick,price_limit\n"
A_FACT = b"600519.SH,Kweichow,Drinks,false,2001-08-27,stock,100,0.01,0.1\n"


def facts_or_sentence(path: Path, raw: bytes) -> str:
    path.write_bytes(raw)
    said = ""
    try:
        load_facts(path)
    except BadInput as refused:
        said = str(refused)
        assert path.name in said
        assert said.isprintable()
        assert len(said) < 1000
    return said


@pytest.mark.parametrize(
    "raw",
    [
        FACTS + A_FACT.replace(b"Drinks", HUGE),
        b"ts_code" + HUGE,
        FACTS.replace(b"tick", b"lot") + A_FACT,
        FACTS + b"\0" + A_FACT,
        (FACTS + A_FACT).decode().encode("utf-16"),
        FACTS + A_FACT * 2,
    ],
    ids=["a giant field", "a giant header", "a column twice", "a NUL", "UTF-16", "a symbol twice"],
)
def test_facts_that_can_not_be_meant_are_refused_in_one_sentence(tmp_path: Path, raw: bytes) -> None:
    assert facts_or_sentence(tmp_path / "facts.csv", raw)


@CALM
@given(st.binary(max_size=200), st.lists(st.tuples(st.integers(0, 130), st.binary(max_size=3)), max_size=4))
def test_any_facts_are_read_or_refused_in_one_sentence(tmp_path: Path, raw: bytes, edits: list[tuple[int, bytes]]) -> None:
    facts_or_sentence(tmp_path / "facts.csv", raw)
    facts_or_sentence(tmp_path / "facts.csv", FACTS + raw)
    changed = bytearray(FACTS + A_FACT)
    for place, new in edits:
        changed[place : place + len(new)] = new
    said = facts_or_sentence(tmp_path / "facts.csv", bytes(changed))
    assert said == "" or bool(edits)
