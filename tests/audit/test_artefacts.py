"""The artefacts of a run: S1's names and fields, exact numbers, whole files, and nothing overwritten."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from arro3.core import DataType
from arro3.io import read_parquet

from tradeloop.audit.artefacts import (
    BreakRow,
    FillRow,
    OrderRow,
    ReconcileRow,
    Result,
    RunSummary,
    average_px,
    slippage_bp,
    write_result,
    write_submit,
)
from tradeloop.core.errors import BadInput
from tradeloop.core.types import SECOND_NS, Side, UtcNs

AT = UtcNs(1_784_253_600 * SECOND_NS + 123_456_789)  # 2026-07-17 02:00:00.123456789Z

RUN = RunSummary(
    run_id="r1",
    project_id="demo",
    decision_snapshot_id="snap-1",
    mode="paper",
    trade_date="2026-07-17",
    attempt=1,
    broker="paper",
    account="a1",
    currency="CNY",
    created_by="anna",
    status="COMPLETED",
    content_hash="00",
    rounding="floor_to_lot",
    equity=Decimal("1E+7"),
    cash=Decimal("500000.25"),
    active_champion_id="c1",
    risk_checks={"turnover": True},
    inputs=(("portfolio.csv", "ab"),),
    requested_at=AT,
)
ORDER = OrderRow(
    run_id="r1",
    client_order_id="g1000000001",
    leg=1,
    ts_code="600519.SH",
    side="BUY",
    target_weight=Decimal("0.05"),
    order_qty=Decimal(300),
    order_price=None,
    currency="CNY",
    status="PARTIAL_FILLED",
    status_time=AT,
    reject_reason="",
    filled_qty=Decimal(200),
    filled_amount=Decimal("252000.10"),
    avg_fill_price=Decimal("1260.0005"),
    arrival_price=Decimal("1259.50"),
    slippage_bp=Decimal("3.97"),
    fee=Decimal("75.60"),
    broker_order_id="77",
)
FILL = FillRow(
    run_id="r1",
    client_order_id="g1000000001",
    exec_id="e1",
    ts_code="600519.SH",
    side="BUY",
    trading_day="2026-07-17",
    fill_time=AT,
    fill_qty=Decimal(200),
    fill_price=Decimal("1260.0005"),
    fill_amount=Decimal("99999999999999999999999999.123456789012"),
    fee=Decimal("75.60"),
    currency="CNY",
)
LINE = ReconcileRow(
    run_id="r1",
    ts_code="600519.SH",
    side="BUY",
    target_weight=Decimal("0.05"),
    target_qty=Decimal(300),
    start_qty=Decimal(0),
    order_qty=Decimal(300),
    filled_qty=Decimal(200),
    filled_amount=Decimal("252000.10"),
    avg_fill_price=Decimal("1260.0005"),
    slippage_bp=Decimal("3.97"),
    held_qty=Decimal(200),
    broker_qty=None,
    residual_qty=Decimal(100),
    code="cash_short",
    reason="no money",
)
BREAK = BreakRow("b1", "position", "600519.SH", "200", "300", "unknown", "accept 300", AT)


def result(folder: Path, orders: Sequence[OrderRow] = (ORDER,), fills: Sequence[FillRow] = (FILL,)) -> Result:
    return write_result(folder, AT, RUN, orders, fills, [LINE], [BREAK])


def table(path: Path) -> list[dict[str, Any]]:
    read = read_parquet(path).read_all()
    columns = {name: read.column(name).to_pylist() for name in read.schema.names}
    return [{name: values[row] for name, values in columns.items()} for row in range(read.num_rows)]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_files_have_the_names_of_the_source_document(tmp_path: Path) -> None:
    """S1-11, S1-31, S1-32, S1-33, S1-34."""
    write_submit(tmp_path, AT, RUN, [ORDER])
    result(tmp_path)

    assert names(tmp_path) == [
        "broker_fills_20260717_020000.parquet",
        "broker_orders_20260717_020000.parquet",
        "broker_reconcile_20260717_020000.json",
        "broker_submit_20260717_020000.json",
    ]


def test_the_time_in_a_name_is_the_clock_of_the_given_zone(tmp_path: Path) -> None:
    path = write_submit(tmp_path, AT, RUN, [], ZoneInfo("Asia/Shanghai"))

    assert path.name == "broker_submit_20260717_100000.json"


def test_orders_read_back_from_parquet_as_they_were(tmp_path: Path) -> None:
    """S1-35, S1-36, S1-37, S1-38."""
    (row,) = table(result(tmp_path).orders)

    written = {name: getattr(ORDER, name) for name in OrderRow.__struct_fields__}
    written["status_time"] = datetime(2026, 7, 17, 2, 0, 0, 123456, tzinfo=UTC)
    assert row == written


def test_amounts_are_exact_decimals_in_parquet_and_times_keep_their_nanoseconds(tmp_path: Path) -> None:
    read = read_parquet(result(tmp_path).fills).read_all()

    assert read.schema.field("fill_amount").type == DataType.decimal128(38, 12)
    assert read.schema.field("fill_time").type == DataType.timestamp("ns", tz="UTC")
    assert read.column("fill_amount").to_pylist() == [FILL.fill_amount]
    as_integers = [chunk.cast(DataType.int64()).to_pylist() for chunk in read.column("fill_time").chunks]
    assert as_integers == [[AT]]


def test_a_run_without_orders_has_empty_tables_with_all_their_columns(tmp_path: Path) -> None:
    written = result(tmp_path, (), ())

    assert table(written.orders) == []
    assert tuple(read_parquet(written.fills).read_all().schema.names) == FillRow.__struct_fields__


def test_amounts_are_text_in_json_and_what_is_not_known_is_null(tmp_path: Path) -> None:
    submit = json.loads(write_submit(tmp_path, AT, RUN, [ORDER]).read_bytes())
    reconcile = json.loads(result(tmp_path).reconcile.read_bytes())

    assert submit["run"]["equity"] == "10000000"
    assert submit["run"]["requested_at"] == "2026-07-17T02:00:00.123456789Z"
    assert submit["run"]["inputs"] == [["portfolio.csv", "ab"]]
    assert submit["run"]["risk_checks"] == {"turnover": True}
    (order,) = submit["orders"]
    assert (order["order_qty"], order["order_price"], order["leg"]) == ("300", None, 1)
    assert reconcile["lines"][0]["slippage_bp"] == "3.97"
    assert reconcile["lines"][0]["broker_qty"] is None
    assert reconcile["breaks"][0]["repair"] == "accept 300"


def test_nothing_is_overwritten_the_same_second_gets_a_number(tmp_path: Path) -> None:
    first, second = result(tmp_path), result(tmp_path)

    assert second.orders.name == "broker_orders_20260717_020000_2.parquet"
    assert second.reconcile.name == "broker_reconcile_20260717_020000_2.json"
    assert first.orders.exists()


def test_a_name_taken_at_the_last_moment_is_refused_and_left_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = tmp_path / "broker_submit_20260717_020000.json"
    taken.write_text("mine")
    monkeypatch.setattr(Path, "exists", lambda _self: False)

    with pytest.raises(BadInput, match="exists and is not overwritten"):
        write_submit(tmp_path, AT, RUN, [])
    assert taken.read_text() == "mine"
    assert names(tmp_path) == [taken.name]


def test_a_file_system_without_hard_links_serves_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)

    path = write_submit(tmp_path, AT, RUN, [ORDER])

    assert json.loads(path.read_bytes())["orders"][0]["client_order_id"] == "g1000000001"
    assert names(tmp_path) == [path.name]


def test_a_full_disk_is_said_plainly_and_leaves_no_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(BadInput, match=r"can not be written \(No space left on device\); free space"):
        write_submit(tmp_path, AT, RUN, [ORDER])
    assert names(tmp_path) == []


def test_a_folder_that_can_not_be_made_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(BadInput, match="can not be written"):
        write_submit(tmp_path / "file" / "runs", AT, RUN, [])


def test_without_arro3_the_json_is_written_and_the_remedy_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "arro3.io", None)

    with pytest.raises(BadInput, match=r"pip install 'tradeloop\[parquet\]'"):
        result(tmp_path)
    assert names(tmp_path) == ["broker_reconcile_20260717_020000.json"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_text_can_be_taken_for_a_formula(tmp_path: Path, text: str) -> None:
    order = msgspec.structs.replace(ORDER, reject_reason=text, broker_order_id=text)
    line = msgspec.structs.replace(LINE, reason=text)
    run = msgspec.structs.replace(RUN, text=text, risk_checks={text: True}, inputs=((text, "ab"),))
    written = write_result(tmp_path, AT, run, [order], [FILL], [line], [])

    (row,) = table(written.orders)
    reconcile = json.loads(written.reconcile.read_bytes())

    assert row["reject_reason"] == row["broker_order_id"] == f"'{text}"
    assert reconcile["lines"][0]["reason"] == f"'{text}"
    assert reconcile["run"]["text"] == f"'{text}"
    assert reconcile["run"]["risk_checks"] == {f"'{text}": True}
    assert reconcile["run"]["inputs"] == [[f"'{text}", "ab"]]


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (Decimal("0.1234567890123"), "fee was 0.1234567890123; expected at most 12 decimal places"),
        (Decimal(10) ** 26, "fee was .*; expected a number of at most 26 digits"),
        (Decimal("NaN"), "fee was NaN"),
    ],
)
def test_an_amount_that_would_lose_a_digit_is_refused(tmp_path: Path, amount: Decimal, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        result(tmp_path, [msgspec.structs.replace(ORDER, fee=amount)])


@pytest.mark.parametrize(
    ("side", "arrival", "average", "bp"),
    [
        (Side.BUY, "100", "100.05", "5.00"),
        (Side.BUY, "100", "99.95", "-5.00"),
        (Side.SELL, "100", "99.95", "5.00"),
        (Side.SELL, "3", "3.0001", "-0.33"),
        (Side.BUY, None, "100", None),
        (Side.BUY, "100", None, None),
        (Side.BUY, "0", "100", None),
    ],
)
def test_slippage_is_positive_when_it_cost_money(side: Side, arrival: str | None, average: str | None, bp: str | None) -> None:
    """S1-38."""

    def number(text: str | None) -> Decimal | None:
        return None if text is None else Decimal(text)

    assert slippage_bp(side, number(arrival), number(average)) == number(bp)


def test_an_average_price_is_weighted_by_quantity_and_can_be_written() -> None:
    assert average_px([(Decimal(10), Decimal(100)), (Decimal(11), Decimal(200))]) == Decimal("10.666666666667")
    assert str(average_px([(Decimal("50.70"), Decimal(100)), (Decimal("50.7"), Decimal(200))])) == "50.7"
    assert average_px([]) is None
