"""The tables have the columns the source documents name, and hold every number exactly."""

from __future__ import annotations

import types
import typing
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite
from tests.views.builders import AAPL, Story
from tests.views.databases import a_database, every_dialect

from tradeloop.core.types import Side
from tradeloop.journal.codec import decode
from tradeloop.strategies.rows import metadata as of_strategies
from tradeloop.views.columns import Dec, fit, plain, short, shown
from tradeloop.views.rowset import RowSet
from tradeloop.views.sql import SqlViews
from tradeloop.views.tables import ROW_TYPES, metadata

# fmt: off
NAMED = {
    # S0-14..S0-36
    "trade_runs": {
        "id", "project_id", "mode", "decision_snapshot_id", "status", "requested_at", "started_at", "finished_at",
        "created_by", "params",
    },
    "trade_orders": {
        "id", "trade_run_id", "symbol", "target_weight", "target_value", "qty", "side", "order_type", "client_order_id",
        "ib_order_id", "status", "error", "submitted_at", "updated_at",
    },
    "trade_fills": {"id", "trade_order_id", "fill_qty", "fill_price", "fill_time", "commission", "liquidity"},
    # S4-41..S4-45
    "accounts": {
        "id", "account_id", "balance", "available", "margin", "unrealized_pnl", "realized_pnl", "update_time",
    },
    "positions": {
        "id", "account_id", "symbol", "direction", "volume", "avg_price", "current_price", "unrealized_pnl", "margin",
        "open_time", "update_time", "today_volume", "yesterday_volume",
    },
    "trades": {
        "id", "trade_id", "order_id", "account_id", "symbol", "direction", "volume", "price", "commission", "trade_time",
        "create_time", "position_effect", "trading_day",
    },
    "strategy_configs": {"id", "strategy_name", "config_data", "is_active", "create_time", "update_time"},
    "strategy_triggers": {
        "id", "strategy_name", "trigger_time", "trigger_condition", "trigger_price", "action_type", "execution_result",
        "order_id", "error_message", "create_time",
    },
}
# fmt: on


@pytest.mark.parametrize("table", NAMED)
def test_the_columns_that_the_source_documents_name_are_there(table: str) -> None:
    """S0-14..S0-36, S4-41..S4-45, D5."""
    where = of_strategies if table.startswith("strategy_") else metadata
    assert NAMED[table] <= set(where.tables[table].columns.keys())


@pytest.mark.parametrize("table", ROW_TYPES)
def test_a_row_is_its_table_column_by_column(table: str) -> None:
    kind = ROW_TYPES[table]
    columns = metadata.tables[table].columns
    assert set(kind.__struct_fields__) == set(columns.keys())
    hints = typing.get_type_hints(kind)
    optional = {name for name, hint in hints.items() if isinstance(hint, types.UnionType)}
    assert {column.name for column in columns if column.nullable} == optional


def test_every_table_is_one_that_the_fold_writes_to() -> None:
    """One truth for each: what strategies did stands in their own store, and no empty table has its name here (ADR 28)."""
    written = {kept.table.name for kept in RowSet()._all()}
    assert written | {"view_cursors"} == set(metadata.tables)


def test_every_table_of_the_metadata_has_a_row() -> None:
    assert set(ROW_TYPES) == set(metadata.tables)


def test_a_fill_is_unique_by_broker_account_day_exec_id_and_side() -> None:
    """D5: an exec id alone repeats over days and over the sides of a self-trade."""
    key = ["broker", "account_id", "trading_day", "exec_id", "side"]
    unique = [c for c in metadata.tables["trade_fills"].constraints if c.name == "uk_trade_fills_key"]
    assert [column.name for constraint in unique for column in constraint.columns] == key  # type: ignore[attr-defined]


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**18) + 1, max_value=10**18 - 1))
def test_a_number_reads_back_as_it_was_written(number: Decimal) -> None:
    dialect = sqlite.dialect()
    column = Dec()
    written = column.process_bind_param(number, dialect)
    assert isinstance(written, str)
    assert column.process_result_value(written, dialect) == number
    assert "E" not in written


@pytest.mark.parametrize("number", ["0.0000000000001", "1000000000000000000"])
def test_a_number_that_a_column_cannot_hold_is_refused_and_not_rounded(number: str) -> None:
    dialect = sqlite.dialect()
    with pytest.raises(ValueError, match="at most 18 digits and 12 places"):
        Dec().process_bind_param(Decimal(number), dialect)


def test_a_quotient_is_shown_with_twelve_places_and_an_absurd_sum_as_unknown() -> None:
    assert shown(Decimal(1) / Decimal(3)) == Decimal("0.333333333333")
    assert shown(Decimal(10) ** 18) is None
    assert fit(-(Decimal(10) ** 18)) == -(Decimal(10) ** 18 - 1)
    assert plain(Decimal("1E+2")) == "100"
    assert plain(Decimal("-0.000")) == "0"


@given(st.text(max_size=300), st.text(max_size=300))
@example("e1", "e1 ")
@example("e1 ", "e1  ")
@example("e1", "e1\x00")
def test_two_names_stay_two_however_long_and_whatever_the_database_drops(one: str, other: str) -> None:
    """M13: blanks at the end count for nothing in MariaDB, and PostgreSQL takes no NUL."""
    assert len(short(one, 64)) <= 64
    assert (short(one, 64).rstrip(" ") == short(other, 64).rstrip(" ")) is (one == other)
    assert short(short(one, 64), 64) == short(one, 64)


@pytest.mark.parametrize("length", [4, 8, 10, 16, 24])
def test_a_narrow_column_holds_what_is_made_of_a_long_name(length: int) -> None:
    assert len(short("x" * 100, length)) == length


@every_dialect
async def test_numbers_and_strange_texts_come_back_the_same_from_every_database(dialect: str, tmp_path: Path) -> None:
    story = Story.begun()
    order = story.working(AAPL, Side.BUY, "12345678901234", reserve="0.01")
    story.fill(order, "0.000000000001", "99999999.999999", "-0.000000000003", exec_id="Ex\x00/ e \U0001f600" + "x" * 300)
    async with a_database(dialect, tmp_path) as url:
        views = SqlViews(url, decode)
        await views.catch_up(story.journal(5))
        fill = (await views.queries.fills()).rows[0]
        row = await views.queries.order(order)
        await views.close()
    assert (fill.fill_qty, fill.fill_price) == (Decimal("0.000000000001"), Decimal("99999999.999999"))
    assert fill.commission == Decimal("-0.000000000003")
    assert fill.exec_id.startswith("Ex/ e \U0001f600xxx")
    assert row is not None
    assert row.cum_value == Decimal("99999999.999999") * Decimal("0.000000000001")


@every_dialect
async def test_execution_numbers_that_differ_in_a_blank_or_a_nul_alone_are_two_fills(dialect: str, tmp_path: Path) -> None:
    """M13."""
    story = Story.begun()
    order = story.working(AAPL, Side.BUY, "10")
    fills = [story.fill(order, "1", "10", exec_id=exec_id) for exec_id in ("e1", "e1 ", "e1\x00", "e1  ")]
    story.bust(fills[1])
    async with a_database(dialect, tmp_path) as url:
        views = SqlViews(url, decode)
        await views.catch_up(story.journal(2))
        rows = (await views.queries.fills()).rows
        await views.close()
    assert sorted(row.exec_type for row in rows) == ["TRADE", "TRADE", "TRADE", "TRADE_CANCEL"]


@every_dialect
async def test_names_that_differ_in_case_alone_are_two(dialect: str, tmp_path: Path) -> None:
    """Exec ids of some venues are base64, and `au2512` is not `AU2512`."""
    story = Story.begun()
    order = story.working(AAPL, Side.BUY, "10")
    story.fill(order, "1", "10", exec_id="aB")
    story.fill(order, "1", "10", exec_id="Ab")
    async with a_database(dialect, tmp_path) as url:
        views = SqlViews(url, decode)
        await views.catch_up(story.journal(50))
        assert [fill.exec_id for fill in (await views.queries.fills()).rows] == ["Ab", "aB"]
        await views.close()
