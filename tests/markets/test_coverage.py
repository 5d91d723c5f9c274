"""What the tables say about themselves: no gaps, a source for every row, and a warning before they end."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest

from tradeloop.core.errors import BadInput
from tradeloop.markets import coverage
from tradeloop.markets.fees import fee_table
from tradeloop.markets.futures import conduct, products
from tradeloop.markets.rules import (
    listing_days_table,
    order_limit_table,
    order_rule_table,
    permission_table,
    price_cage_table,
    price_limit_table,
    short_margin_table,
)
from tradeloop.markets.sessions import is_trading_day, session_table
from tradeloop.markets.tables import Dated, Table, read_table


def test_every_row_has_a_source_that_says_something() -> None:
    for table in coverage.tables():
        for row in table.rows:
            assert len(table.sources[row.source]) > 20, (table.file, row)


def test_no_source_is_listed_without_a_row_that_uses_it() -> None:
    for table in coverage.tables():
        used = {row.source for row in table.rows}
        assert set(table.sources) == used, table.file


def test_every_table_is_called_by_the_name_of_its_file() -> None:
    for table in coverage.tables():
        assert table.file.endswith(".yaml")
        assert read_table(table.file, type(table.rows[0])) == table


@pytest.mark.parametrize(
    ("table", "fields"),
    [
        (order_rule_table, ("market", "board")),
        (order_limit_table, ("market", "board")),
        (price_limit_table, ("market", "board", "st")),
        (price_cage_table, ("market", "board")),
        (permission_table, ("market", "board")),
        (listing_days_table, ("market", "board")),
        (short_margin_table, ("market",)),
        (fee_table, ("market", "name", "venues", "assets")),
        (session_table, ("market", "key")),
        (products, ("market", "exchange", "product")),
        (conduct, ("market", "exchange", "product")),
    ],
)
def test_the_rows_of_one_rule_follow_each_other_without_gap_or_overlap(
    table: Callable[[], Table[Any]], fields: tuple[str, ...]
) -> None:
    by_rule: dict[tuple[object, ...], list[Dated]] = defaultdict(list)
    for row in table().rows:
        by_rule[tuple(getattr(row, field) for field in fields)].append(row)
    for rule, rows in by_rule.items():
        rows.sort(key=lambda row: row.effective_from)
        for earlier, later in pairwise(rows):
            assert earlier.effective_to is not None, rule
            assert earlier.effective_to + timedelta(days=1) == later.effective_from, rule
        assert rows[-1].effective_to is None, rule


def test_every_futures_product_names_a_session_that_exists() -> None:
    assert {row.session for row in products().rows} <= {row.key for row in session_table().rows}


def test_rows_that_rest_on_general_knowledge_are_listed_with_their_source() -> None:
    listed = {(row.file, row.row) for row in coverage.unverified_rows()}
    assert ("fees.yaml", "CN_A stamp_duty") in listed
    assert ("order_rules.yaml", "CN_A BSE") not in listed
    assert ("price_limits.yaml", "CN_A MAIN_SH ST") not in listed
    assert all(row.source for row in coverage.unverified_rows())


def test_calendars_and_tables_that_end_soon_are_listed_soonest_first() -> None:
    ending = coverage.ending_within(60, date(2026, 11, 20))
    assert {end.what for end in ending} >= {"calendar CN", "fees of CN_A", "sessions of CN_FUTURES"}
    assert "calendar US" not in {end.what for end in ending}
    assert {end.days_left for end in ending} == {41}


def test_nothing_ends_within_a_day_of_the_middle_of_the_year() -> None:
    assert coverage.ending_within(1, date(2026, 7, 1)) == ()


def test_a_calendar_that_has_passed_has_negative_days_left() -> None:
    ended = {end.what: end.days_left for end in coverage.ending_within(0, date(2027, 1, 10))}
    assert ended["calendar CN"] == -10


def test_the_gap_between_two_sources_is_filled_by_a_marked_year() -> None:
    assert is_trading_day("CN_A", date(2023, 6, 21))
    assert not is_trading_day("CN_A", date(2023, 6, 22))


def test_a_data_file_of_another_shape_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match=r"markets/data/calendar_us\.yaml cannot be read"):
        read_table("calendar_us.yaml", Dated)


def test_importing_the_package_reads_no_table() -> None:
    program = (
        "import tradeloop.markets.coverage, tradeloop.markets.instruments as i\n"
        "from tradeloop.markets.tables import data_bytes\n"
        "print(data_bytes.cache_info().currsize)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "0"
