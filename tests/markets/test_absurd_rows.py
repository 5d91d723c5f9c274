"""Rows that say something absurd: refused with the file, the place, what was expected and what was found; before they hold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tradeloop.core.errors import BadInput
from tradeloop.markets import rules
from tradeloop.markets.across import refuse_strangers
from tradeloop.markets.calendars import CALENDAR_FILES, calendar
from tradeloop.markets.own_rules import TABLE_FILES, use_rules
from tradeloop.markets.sessions import segments
from tradeloop.markets.tables import data_bytes, read_table

TODAY = date(2026, 11, 21)
FINITE = "expected a finite number in plain digits"
FRACTION = "expected a fraction below 1"
LIMITS, SIZES, LARGEST, HOURS = "price_limits.yaml", "order_rules.yaml", "order_limits.yaml", "sessions.yaml"
CN, PRODUCTS, FEES, BOARDS = "calendar_cn.yaml", "futures_products.yaml", "fees.yaml", "boards.yaml"
MORNING = '{kind: continuous, from: "09:30", to: "11:30"}'
MAIN = '["600", "601", "603", "605"]'

CASES = [
    (LIMITS, 'limit: "0.10"', 'limit: "10"', f" row 1: limit was 10; {FRACTION}"),
    (LIMITS, 'limit: "0.10"', 'limit: "-0.10"', " row 1: limit was -0.10; expected more than zero"),
    (LIMITS, 'limit: "0.10"', 'limit: "0"', " row 1: limit was 0; expected more than zero"),
    (LIMITS, 'limit: "0.10"', 'limit: "1"', f" row 1: limit was 1; {FRACTION}"),
    (LIMITS, 'limit: "0.10"', 'limit: "NaN"', f" row 1: limit was NaN; {FINITE}"),
    (LIMITS, 'limit: "0.10"', 'limit: "sNaN"', f" row 1: limit was sNaN; {FINITE}"),
    (LIMITS, 'limit: "0.10"', "limit: .nan", f" row 1: limit was NaN; {FINITE}"),
    (LIMITS, 'limit: "0.10"', 'limit: "Infinity"', f" row 1: limit was Infinity; {FINITE}"),
    (LIMITS, 'limit: "0.10"', f'limit: "0.{"1" * 50}"', f" row 1: limit was 0.{'1' * 38}…; {FINITE}"),
    (LIMITS, "board: MAIN_SH", "board: MAIN_SX", " row 1: board was MAIN_SX; expected one of B"),
    (LIMITS, "market: US, board: US", "market: US, board: MAIN_SH", ": board was MAIN_SH; expected one of US"),
    (LIMITS, "effective_to: 2026-07-05", "effective_to: 2026-07-06", " row 2: two rows of CN_A MAIN_SH True overlap; the one"),
    (LIMITS, "effective_to: 2026-07-05", "effective_to: 2026-07-04", " row 2: the rows of CN_A MAIN_SH True leave out"),
    (LIMITS, "effective_to: 2026-07-05", "effective_to: 2026-07-32", "2026-07-32 was no day of the calendar; expected one"),
    (LIMITS, "market: CN_A", "market: CN_B", " row 1: there is no market 'CN_B'; expected one of CN_A, "),
    (LIMITS, "st: false, limit", "st: false, limt: 1, limit", "unknown field `limt`, row 1"),
    (LIMITS, "st: false, limit", 'st: false, limit: "0.2", limit', " limit was there twice; expected it once"),
    (
        LIMITS,
        "verified_on: 2026-11-20",
        "verified_on: 2099-01-01",
        " row 1: verified_on was 2099-01-01; expected 2026-11-21 at",
    ),
    (LIMITS, "source: main", "source: nobody", " row 1: source 'nobody' is not among its sources"),
    (LIMITS, "{CN_A: 2026-12-31", "{CN_A: 2099-12-31", ": verified_through of CN_A was 2099-12-31; expected 2031-"),
    (LIMITS, "{CN_A: 2026-12-31", "{CN_AA: 2026-12-31, CN_A: 2026-12-31", ": verified_through was of CN_AA; expected one of"),
    (LIMITS, "{CN_A: 2026-12-31", "{CN_A: 2027-12-31, CN_A: 2026-12-31", "in line 6 CN_A was there twice; expected it once"),
    (LIMITS, "file: price_limits.yaml", "file: fees.yaml", ": file was fees.yaml; expected price_limits.yaml"),
    (LIMITS, "market: CN_A, board", "<<: &a {}, x: *a, market: CN_A, board", " a value was named by reference; expected it"),
    (SIZES, 'lot: "100", min_qty: "100"', 'lot: "100", min_qty: "150"', " row 1: min_qty was 150; expected whole lots of 100"),
    (SIZES, 'lot: "100", min_qty: "100"', 'lot: "0", min_qty: "100"', " row 1: lot was 0; expected more than zero"),
    (SIZES, 'lot: "100", min_qty: "100"', 'lot: "100", min_qty: "2000000"', " row 1: max_qty_limit was 1000000; expected at"),
    (SIZES, 'tick: "0.01", settles_t1: true', 'tick: "NaN", settles_t1: true', f" row 1: tick was NaN; {FINITE}"),
    (SIZES, 'tick: "0.01", settles_t1: true', 'tick: "1E+3", settles_t1: true', f" row 1: tick was 1E+3; {FINITE}"),
    (SIZES, "settles_t1: true", 'settles_t1: "no"', "Expected `bool`, got `str`, row 1, settles_t1"),
    (
        LARGEST,
        'max_qty_limit: "1000000"',
        'max_qty_limit: "50"',
        " row 1: max_qty_limit was 50; expected at least 100, the min",
    ),
    (LARGEST, 'max_qty_market: "1000000"', 'max_qty_market: "50"', " row 1: max_qty_market was 50; expected at least 100"),
    (LARGEST, 'max_lots: "3000"', 'max_lots: "0.5"', ": max_lots was 0.5; expected whole lots"),
    (LARGEST, 'max_qty_limit: "1000000"', 'max_qty_limit: "Infinity"', f" row 1: max_qty_limit was Infinity; {FINITE}"),
    ("tick_ladders.yaml", '[["0.25", "0.001"], ["0.50"', '[["0.50", "0.001"], ["0.25"', " row 1: steps should rise in price"),
    ("tick_ladders.yaml", '[null, "5"]', '["9999", "5"]', " row 1: steps should rise in price and end with null"),
    ("tick_ladders.yaml", '[null, "5"]', '[null, "NaN"]', f" row 1: steps was NaN; {FINITE}"),
    ("tick_ladders.yaml", '["0.25", "0.001"]', '["NaN", "0.001"]', f" row 1: steps was NaN; {FINITE}"),
    (BOARDS, MAIN, '["600", "601", "603", "605", "688"]', " row 1: two rows of SH 688 overlap"),
    (BOARDS, MAIN, '["600", "600", "603", "605"]', " row 1: two rows of SH 600 overlap"),
    (BOARDS, MAIN, '["6", ""]', " row 1: prefixes held ''; expected one to six digits each"),
    (BOARDS, MAIN, "[]", " row 1: prefixes held ''; expected one to six digits each"),
    (BOARDS, "venue: SH", "venue: XX", " row 1: venue was XX; expected one of SH, SZ, BJ"),
    (BOARDS, "kind: stock", "kind: stok", " row 1: kind was stok; expected one of stock, fund, "),
    (HOURS, MORNING, MORNING.replace("11:30", "13:30"), " row 1: segments of CN_A: one from 13:00 came behind one to 13:30"),
    (HOURS, MORNING, MORNING.replace("09:30", "09:70"), " row 1: CN_A has a segment from '09:70' to '11:30'; expected"),
    (HOURS, "calendar: CN", "calendar: XX", " row 1: calendar was XX; expected one of CN, US, HK, ALWAYS"),
    (HOURS, 'day_rolls: "19:00"', 'day_rolls: "99:00"', ": day_rolls was 99:00; expected a time of day such as 19:00"),
    (HOURS, 'day_rolls: "19:00"', 'day_rolls: ""', ": day_rolls was ''; expected a time of day such as 19:00"),
    (HOURS, 'day_rolls: "19:00"', 'day_rolls: "14:00"', ": day_rolls was 14:00; expected a time from 15:00 to 20:55"),
    (HOURS, 'to: "26:30"', 'to: "38:00"', ": the night went to 38:00; expected it to end by 32:55"),
    (FEES, 'rate: "0.0005"', 'rate: "5"', f" row 3: rate was 5; {FRACTION}"),
    (FEES, "side: SELL", "side: SEL", "'SEL', row 2, side"),
    (FEES, "assets: [stock]", "assets: [stok]", "'stok', row 2, assets"),
    (FEES, "venues: [SH, SZ]", "venues: [SH, SX]", " row 4: venues was SX; expected one of BJ, SH, SZ"),
    (PRODUCTS, "session: FN0230", "session: FN9999", " row 1: session was FN9999; expected one of FD0900, "),
    (PRODUCTS, 'multiplier: "1000"', 'multiplier: "0"', " row 1: multiplier was 0; expected more than zero"),
    (PRODUCTS, 'max_qty_market: "30"', 'max_qty_market: "-1"', " row 1: max_qty_market was -1; expected zero or more"),
    (PRODUCTS, "exchange: SHFE", "exchange: SHEF", " row 1: exchange was SHEF; expected one of SHFE, "),
    (PRODUCTS, "exchange: SHFE, product: ag", "exchange: DCE, product: au", ": product was au, which two exchanges list"),
    ("futures_costs.yaml", "product: au,", "product: ax,", " row 1: product was ax; expected one of "),
    ("futures_costs.yaml", 'margin_rate: "0.14"', 'margin_rate: "14"', f" row 1: margin_rate was 14; {FRACTION}"),
    ("futures_conduct.yaml", "self_trades: 5", "self_trades: 0", " row 1: self_trades was 0; expected more than zero"),
    (CN, '2026: "01-01', '2026: "02-30 01-01', "closed of 2026 held 02-30; expected days such as 12-31"),
    (CN, '2026: "01-01', '2026: "01-01 01-01', ": closed of 2026 held 01-01 twice; expected it once"),
    (CN, '2026: "01-01', '2026: "01-03 01-01', ": closed of 2026 held 01-03, a Saturday; expected weekdays"),
    (CN, '2026: "01-01 01-02 02-16', '2026: "', ": closed left out 2026-01-01, a weekday; expected it among the holidays"),
    (CN, "to: 2026-12-31", "to: 2027-12-31", ": closed left out 2027-01-01, a weekday; expected it among the holidays"),
    (CN, '  2026: "01-01', '  2025: "01-01', "2025 was there twice; expected it once"),
    (CN, "verified_on: 2026-11-20", "verified_on: 2026-11-22", ": verified_on was 2026-11-22; expected 2026-11-21 at"),
    ("calendar_hk.yaml", '2024: "02-09', '2024: "02-12', ": early held 2024-02-12, which is closed; expected days that trade"),
    ("calendar_us.yaml", 'early_close: "13:00"', 'early_close: "25:00"', ": early_close was 25:00; expected a time of day"),
    ("price_cages.yaml", 'cage: "0.02", ticks: 10', 'cage: "2", ticks: 10', f": cage was 2; {FRACTION}"),
    ("listing_days.yaml", "days: 5", "days: 0", ": days was 0; expected more than zero"),
    ("listing_days.yaml", 'down: "0.36"', 'down: "1.36"', f": down was 1.36; {FRACTION}"),
    ("short_margins.yaml", 'rate: "0.5"', 'rate: "0"', " row 1: rate was 0; expected more than zero"),
    ("short_margins.yaml", 'rate: "0.5"', 'rate: "1.5"', " row 1: rate was 1.5; expected a fraction of at most 1"),
    ("permissions.yaml", "board: STAR", "board: STARR", " row 1: board was STARR; expected one of B"),
]


@pytest.fixture(autouse=True)
def packaged_again() -> Iterator[None]:
    """The rules are those of the process: what a test put in their place goes with it."""
    yield
    use_rules(None)


def own(folder: Path, file: str, old: str, new: str) -> Path:
    """A folder with a packaged file in which one text is another."""
    folder.mkdir()
    packaged = data_bytes(file).decode()
    assert old in packaged
    (folder / file).write_text(packaged.replace(old, new, 1), encoding="utf-8")
    return folder


@pytest.mark.parametrize(("file", "old", "new", "says"), CASES, ids=[f"{file} {new[:50]}" for file, _, new, _ in CASES])
def test_an_absurd_row_is_refused_in_one_sentence_and_what_was_in_force_stays_so(
    tmp_path: Path, file: str, old: str, new: str, says: str
) -> None:
    use_rules(own(tmp_path / "good", LIMITS, 'limit: "0.10"', 'limit: "0.11"'), TODAY)
    bad = own(tmp_path / "bad", file, old, new)
    with pytest.raises(BadInput) as refused:
        use_rules(bad, TODAY)
    said = str(refused.value)
    other = says.startswith(" row 1: max_qty") and file == SIZES
    assert said.startswith(f"markets/data/{LARGEST}" if other else str(bad / file))
    assert says in said
    assert "\n" not in said
    assert rules.price_limit("CN_A", "MAIN_SH", TODAY, is_st=False) == Decimal("0.11")


def test_a_number_without_quotes_is_the_one_that_is_written(tmp_path: Path) -> None:
    use_rules(own(tmp_path / "own", LIMITS, 'limit: "0.10"', "limit: 0.1"), TODAY)
    assert rules.price_limit("CN_A", "MAIN_SH", TODAY, is_st=False) == Decimal("0.1")


def test_a_whole_short_margin_is_none_that_is_absurd(tmp_path: Path) -> None:
    use_rules(own(tmp_path / "own", "short_margins.yaml", 'rate: "0.5"', 'rate: "1"'), TODAY)
    assert rules.short_margin("US", TODAY) == 1


def test_the_newest_hours_are_those_of_the_newest_day_wherever_they_stand_in_the_file(tmp_path: Path) -> None:
    text = data_bytes(HOURS).decode()
    head, first, second, *others = text.split("  - market: ")
    (tmp_path / HOURS).write_text("  - market: ".join([head, second, first, *others]), encoding="utf-8")
    packaged = segments("CN_A", date(2026, 7, 17))
    use_rules(tmp_path, TODAY)
    assert segments("CN_A", date(2026, 7, 17)) == packaged


def test_the_packaged_files_fit_one_another() -> None:
    refuse_strangers({name: read_table(name, kind) for name, kind in TABLE_FILES.items()}, list(TABLE_FILES), str)
    assert [calendar(name).name for name in CALENDAR_FILES] == [*CALENDAR_FILES]
