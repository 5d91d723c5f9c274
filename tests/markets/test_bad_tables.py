"""What a data file may not say: each fault is refused in one sentence that names the file and the row."""

from __future__ import annotations

from datetime import date

import pytest

from tradeloop.core.errors import BadInput
from tradeloop.markets.boards import BoardRow
from tradeloop.markets.calendars import decoded_calendar
from tradeloop.markets.fees import FeeRow
from tradeloop.markets.futures import ProductRow
from tradeloop.markets.rules import OrderRulesRow, PriceLimitRow, TickLadderRow
from tradeloop.markets.sessions import SessionRow
from tradeloop.markets.tables import Dated, Table, decoded

HEAD = """\
table: price limits
file: made_up.yaml
verified_through: {CN_A: 2026-12-31}
sources: {a: A made-up source}
rows:
"""
SAID = "effective_from: 2019-07-22, source: a, verified_on: null"
LIMIT = '{market: CN_A, board: STAR, st: false, limit: "0.20", effective_from: 2019-07-22, source: a, verified_on: null}'


def table(*rows: str, row_type: type[Dated] = PriceLimitRow) -> Table[Dated]:
    """A table of price limits, or of another kind, with these rows."""
    return decoded("made_up.yaml", (HEAD + "".join(f"  - {row}\n" for row in rows)).encode(), row_type)


def refusal(*rows: str, row_type: type[Dated] = PriceLimitRow) -> str:
    """What is said of these rows."""
    with pytest.raises(BadInput) as refused:
        table(*rows, row_type=row_type)
    return str(refused.value)


def changed(**fields: str) -> str:
    """The row of this file with other values; a field of the value `""` is left out."""
    parts = dict(part.split(": ", 1) for part in LIMIT.strip("{}").split(", "))
    parts.update(fields)
    return "{" + ", ".join(f"{name}: {value}" for name, value in parts.items() if value) + "}"


def test_rows_that_follow_one_another_are_a_table() -> None:
    early, late = changed(effective_to="2026-07-05"), changed(effective_from="2026-07-06", limit='"0.10"')
    assert [row.effective_from for row in table(late, early).rows] == [date(2026, 7, 6), date(2019, 7, 22)]


def test_two_rows_for_one_day_are_refused_with_the_day_the_first_should_end_before() -> None:
    late = changed(effective_from="2026-07-06")
    says = "two rows of CN_A STAR False overlap; the one from 2019-07-22 should end before 2026-07-06"
    assert says in refusal(changed(effective_to="2026-07-06"), late)
    assert says in refusal(LIMIT, late)
    assert "overlap" in refusal(LIMIT, LIMIT)


def test_a_fee_whose_maximum_is_zero_or_below_its_minimum_is_refused() -> None:
    row = f'{{market: CN_A, name: a, minimum: "5", maximum: "%s", {SAID}}}'
    assert "maximum was 4; expected at least the minimum, 5" in refusal(row % "4", row_type=FeeRow)
    assert "maximum was 0; expected more than zero" in refusal(row % "0", row_type=FeeRow)


def test_a_day_between_two_rows_is_refused() -> None:
    says = refusal(changed(effective_to="2026-07-03"), changed(effective_from="2026-07-06"))
    assert says.endswith("the rows of CN_A STAR False leave out 2026-07-04 to 2026-07-05; let them follow one another")


def test_a_prefix_that_two_rows_give_to_one_day_is_refused() -> None:
    head = "{market: CN_A, venue: SH, kind: stock, " + SAID
    star, main = head + ', board: STAR, prefixes: ["688", "689"]}', head + ', board: MAIN_SH, prefixes: ["60", "689"]}'
    says = refusal(star, main, row_type=BoardRow)
    assert "two rows of SH 689 overlap" in says


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (changed(market="MARS"), "row 1: there is no market 'MARS'; expected one of CN_A, CN_FUTURES, US, HK, CRYPTO"),
        (changed(market="US"), "row 1: 'US' has no verified_through; add the last known day"),
        (changed(source="b"), "row 1: source 'b' is not among its sources; name it there"),
        (changed(band='"0.1"'), "cannot be read: Object contains unknown field `band`"),
        (changed(verified_on=""), "cannot be read: Object missing required field `verified_on`"),
        (changed(effective_from=""), "cannot be read: Object missing required field `effective_from`"),
        (changed(effective_from="2019-02-30"), "cannot be read: "),
        (changed(limit='"ten"'), "cannot be read: "),
        (changed(limit='"-0.1"'), "row 1: limit was -0.1; expected more than zero"),
        (changed(effective_to="2019-07-21"), "row 1: effective_to is 2019-07-21, before effective_from (2019-07-22)"),
    ],
)
def test_a_row_that_cannot_be_meant_is_refused(row: str, says: str) -> None:
    said = refusal(row)
    assert said.startswith("markets/data/made_up.yaml")
    assert says in said
    assert "\n" not in said


@pytest.mark.parametrize(("field", "value"), [("lot", "0"), ("tick", "-0.01"), ("min_qty", "-100")])
def test_a_step_is_more_than_zero(field: str, value: str) -> None:
    steps = {"lot": "100", "min_qty": "100", "tick": "0.01", field: value}
    written = ", ".join(f'{name}: "{number}"' for name, number in steps.items())
    row = f"{{market: CN_A, board: STAR, {written}, odd_lot_sell: true, settles_t1: true, {SAID}}}"
    assert f"row 1: {field} was {value}; expected more than zero" in refusal(row, row_type=OrderRulesRow)


def test_a_negative_multiplier_is_refused() -> None:
    row = (
        '{market: CN_A, exchange: SHFE, product: au, multiplier: "-1000", tick: "0.02", session: FN0230, apart: true,'
        f' max_qty_limit: "500", max_qty_market: "30", {SAID}}}'
    )
    assert "multiplier was -1000; expected more than zero" in refusal(row, row_type=ProductRow)


@pytest.mark.parametrize(
    "steps", ['[["10", "0.01"], ["5", "0.02"], [null, "1"]]', '[["10", "0.01"]]', "[]", '[[null, "1"], ["5", "1"]]']
)
def test_a_ladder_of_ticks_rises_and_reaches_above_all(steps: str) -> None:
    row = f"{{market: CN_A, steps: {steps}, {SAID}}}"
    assert "steps should rise in price and end with null" in refusal(row, row_type=TickLadderRow)


@pytest.mark.parametrize(
    ("segment", "zone", "says"),
    [
        ('{kind: continuous, from: "11:30", to: "09:30"}', "Asia/Shanghai", "from '11:30' to '09:30'"),
        ('{kind: continuous, from: "9:30", to: "11:30"}', "Asia/Shanghai", "from '9:30' to '11:30'"),
        ('{kind: lunch, from: "11:30", to: "13:00"}', "Asia/Shanghai", "of kind 'lunch'"),
        ('{kind: night, from: "21:00", to: "23:00", day: sunday}', "Asia/Shanghai", "for day 'sunday'"),
        ('{kind: continuous, from: "09:30", to: "11:30"}', "Mars/Olympus", "the unknown zone 'Mars/Olympus'"),
    ],
)
def test_hours_that_are_none_are_refused(segment: str, zone: str, says: str) -> None:
    row = f"{{market: CN_A, key: K, calendar: CN, zone: {zone}, {SAID}, segments: [{segment}]}}"
    assert says in refusal(row, row_type=SessionRow)


def test_a_file_that_is_no_yaml_is_refused() -> None:
    with pytest.raises(BadInput, match=r"markets/data/made_up\.yaml cannot be read"):
        decoded("made_up.yaml", b"rows: [", PriceLimitRow)


CALENDAR = """\
calendar: HK
sources: {a: A made-up source}
spans:
  - {from: 2024-01-01, to: 2024-12-31, source: a, verified_on: null}
closed:
  2024: "01-01 12-25"
"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("calendar: HK", "calendar: MARS", "is the calendar 'MARS'; expected HK"),
        ('"01-01 12-25"', '"01-01 02-30"', "cannot be read"),
        ("2024: ", "2025: ", "names 2025-01-01, which none of its spans covers; add the span and its source"),
        ("source: a,", "source: b,", "source 'b' is not among its sources"),
        ("to: 2024-12-31", "to: 2023-12-31", "a span ends 2023-12-31, before it begins (2024-01-01)"),
        ("closed:", "  - {from: 2024-12-31, to: 2025-12-31, source: a, verified_on: null}\nclosed:", "two spans overlap"),
        ("closed:", "shut:", "cannot be read"),
        ('"01-01 12-25"', '"01-01 12-25"\nearly: {2024: "12-24"}', "has days that close early and no early_close"),
        ("closed:", "closed: [", "cannot be read"),
    ],
)
def test_a_calendar_that_contradicts_itself_is_refused(old: str, new: str, says: str) -> None:
    assert decoded_calendar("HK", CALENDAR.encode()).last_day == date(2024, 12, 31)
    with pytest.raises(BadInput) as refused:
        decoded_calendar("HK", CALENDAR.replace(old, new, 1).encode())
    assert str(refused.value).startswith("markets/data/calendar_hk.yaml")
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
