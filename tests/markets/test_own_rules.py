"""Rules of the user's own: taken whole in the place of the packaged ones, or refused with what was in force still so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tradeloop.core.errors import BadInput
from tradeloop.markets.calendars import CALENDAR_FILES
from tradeloop.markets.coverage import tables
from tradeloop.markets.instruments import InstrumentMaster
from tradeloop.markets.own_rules import TABLE_FILES, use_rules
from tradeloop.markets.sessions import is_trading_day
from tradeloop.markets.symbols import canonical
from tradeloop.markets.tables import data_bytes

NEXT_YEAR = date(2027, 1, 4)


@pytest.fixture(autouse=True)
def packaged_again() -> Iterator[None]:
    """The rules are those of the process: what a test put in their place goes with it."""
    yield
    use_rules(None)


def own(folder: Path, name: str, old: str, new: str) -> Path:
    """A folder with a packaged file in which one text is another."""
    folder.mkdir(exist_ok=True)
    packaged = data_bytes(name).decode()
    assert old in packaged
    (folder / name).write_text(packaged.replace(old, new, 1), encoding="utf-8")
    return folder


def longer_calendar(folder: Path) -> Path:
    """The packaged calendar, and a year more."""
    span = "spans:\n  - {from: 2027-01-01, to: 2027-12-31, source: general, verified_on: null}"
    folder = own(folder, "calendar_cn.yaml", "spans:", f"  general: Made up for 2027\n{span}")
    path = folder / "calendar_cn.yaml"
    path.write_text(path.read_text(encoding="utf-8") + '  2027: "01-01"\n', encoding="utf-8")
    return folder


def test_a_calendar_of_ones_own_goes_on_where_the_packaged_one_ends(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="ends 2026-12-31"):
        is_trading_day("CN_A", NEXT_YEAR)
    assert use_rules(longer_calendar(tmp_path / "rules")) == ("calendar_cn.yaml",)
    assert is_trading_day("CN_A", NEXT_YEAR)
    assert not is_trading_day("CN_A", date(2027, 1, 1))
    use_rules(None)
    with pytest.raises(BadInput, match="ends 2026-12-31"):
        is_trading_day("CN_A", NEXT_YEAR)


def test_a_rule_of_ones_own_reaches_the_instruments_that_were_asked_for_before(tmp_path: Path) -> None:
    on, symbol = date(2026, 7, 17), canonical("688981.SH")
    assert InstrumentMaster().resolve(symbol, on).min_qty == 200
    use_rules(own(tmp_path / "rules", "order_rules.yaml", 'min_qty: "200"', 'min_qty: "300"'))
    assert InstrumentMaster().resolve(symbol, on).min_qty == 300


def test_a_refusal_names_the_file_of_ones_own(tmp_path: Path) -> None:
    folder = longer_calendar(tmp_path / "rules")
    use_rules(folder)
    with pytest.raises(BadInput, match="ends 2027-12-31; 2028-01-03 needs rows in") as refused:
        is_trading_day("CN_A", date(2028, 1, 3))
    assert str(folder / "calendar_cn.yaml") in str(refused.value)


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("price_limits.yaml", "market: US", "market: MARS", "there is no market 'MARS'; expected one of CN_A"),
        ("price_limits.yaml", "effective_to: 2026-07-05", "effective_to: 2026-07-06", "two rows of CN_A MAIN_SH True overlap"),
        ("price_limits.yaml", 'limit: "0.10"', 'limit: "-0.10"', "limit was -0.10; expected more than zero"),
        ("price_limits.yaml", "limit:", "band:", "unknown field `band`"),
        ("calendar_hk.yaml", "calendar: HK", "calendar: MARS", "is the calendar 'MARS'; expected HK"),
    ],
)
def test_a_bad_file_is_refused_and_what_was_in_force_stays_so(tmp_path: Path, name: str, old: str, new: str, says: str) -> None:
    use_rules(longer_calendar(tmp_path / "good"))
    bad = own(longer_calendar(tmp_path / "bad"), name, old, new)
    with pytest.raises(BadInput) as refused:
        use_rules(bad)
    assert str(refused.value).startswith(str(bad / name))
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
    assert is_trading_day("CN_A", NEXT_YEAR)


def test_a_file_of_a_market_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    (tmp_path / "calendar_mars.yaml").write_text("calendar: MARS\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"calendar_mars\.yaml is the file of no market and no rule there is; expected one of"):
        use_rules(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read: No such file or directory"):
        use_rules(tmp_path / "missing")


def test_every_packaged_file_may_be_replaced() -> None:
    packaged = {path.name for path in (Path(__file__).parents[2] / "src/tradeloop/markets/data").iterdir()}
    assert (
        packaged == {*TABLE_FILES, *CALENDAR_FILES.values()} == {table.file for table in tables()} | {*CALENDAR_FILES.values()}
    )


def cut(folder: Path, name: str, before: str, drops: str = "") -> Path:
    """A folder with a packaged file cut off before the row that holds this, with `drops` at its top."""
    lines = data_bytes(name).decode().splitlines(keepends=True)
    end = next(number for number, line in enumerate(lines) if before in line)
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(drops + "".join(lines[:end]), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("name", "before", "gone"),
    [
        ("price_cages.yaml", "board: STAR", "CN_A STAR, CN_A BSE"),
        ("permissions.yaml", "board: CB_SZ", "CN_A CB_SZ"),
        ("fees.yaml", "market: US", "US "),
        ("calendar_us.yaml", '  2026: "11-27 12-24"', "early 2026, early 2027"),
    ],
)
def test_a_file_cut_off_at_the_end_of_a_row_is_refused_with_what_is_gone(
    tmp_path: Path, name: str, before: str, gone: str
) -> None:
    folder = cut(tmp_path / "rules", name, before)
    with pytest.raises(BadInput) as refused:
        use_rules(folder)
    assert str(refused.value).startswith(f"{folder / name} has nothing of {gone}")
    assert "which the packaged file has, and may be cut off" in str(refused.value)


def test_a_calendar_without_the_days_that_had_no_night_is_refused(tmp_path: Path) -> None:
    lines = data_bytes("calendar_cn.yaml").decode().splitlines(keepends=True)
    began = next(number for number, line in enumerate(lines) if line.startswith("no_nights:"))
    ends = next(number for number in range(began + 1, len(lines)) if not lines[number].startswith(" "))
    (tmp_path / "calendar_cn.yaml").write_text("".join((*lines[:began], *lines[ends:])), encoding="utf-8")
    with pytest.raises(BadInput, match="has nothing of no_nights "):
        use_rules(tmp_path)


def test_what_is_left_out_on_purpose_is_said(tmp_path: Path) -> None:
    folder = cut(tmp_path / "rules", "price_cages.yaml", "board: STAR", "drops: [CN_A STAR, CN_A BSE]\n")
    assert use_rules(folder) == ("price_cages.yaml",)


@pytest.mark.parametrize(
    ("drops", "says"),
    [
        ("[CN_A STAR, CN_A BSE, CN_A MAIN_SH]", "drops held CN_A MAIN_SH, and the file has rows of it"),
        ("[CN_A STAR, CN_A BSE, CN_A STARS]", "drops held CN_A STARS, of which the packaged file has nothing"),
        ("[CN_A STAR]", r"has nothing of CN_A BSE, .* or say `drops: \[CN_A BSE\]` if that is meant"),
    ],
)
def test_a_word_of_dropping_that_cannot_be_meant_is_refused(tmp_path: Path, drops: str, says: str) -> None:
    folder = cut(tmp_path / "rules", "price_cages.yaml", "board: STAR", f"drops: {drops}\n")
    with pytest.raises(BadInput, match=says):
        use_rules(folder)


def test_a_calendar_of_other_years_need_not_repeat_those_that_it_does_not_cover(tmp_path: Path) -> None:
    text = data_bytes("calendar_us.yaml").decode()
    text = text.replace("{from: 2013-01-01, to: 2023-12-31, source: lean", "{from: 2023-01-01, to: 2023-12-31, source: lean")
    kept = [line for line in text.splitlines() if not (line[:4] == "  20" and int(line[2:6]) < 2023)]
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "calendar_us.yaml").write_text("\n".join(kept) + "\n", encoding="utf-8")
    assert use_rules(folder) == ("calendar_us.yaml",)
