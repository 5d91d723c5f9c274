"""What is proposed for the lines of a run that is paused: to resume it, where that trades the line."""

from __future__ import annotations

from decimal import Decimal

from tradeloop.cli.record import Record
from tradeloop.cli.run_tables import break_rows
from tradeloop.views.rows import OrderRow, RunLineRow, RunRow

HUNDRED = Decimal(100)
RUN = RunRow(
    id="r-1",
    project_id="p",
    mode="paper",
    decision_snapshot_id="s",
    trade_date="2013-10-08",
    attempt=1,
    status="PAUSED",
    requested_at=0,
    updated_at=0,
    created_by="ann",
    broker="paper",
    account_id="paper",
    currency="USD",
    content_hash="",
    rounding="floor_to_lot",
    cash=HUNDRED,
    equity=HUNDRED,
    params='{"sell_unlisted": true}',
    seq=1,
    updated_seq=1,
)


def a_line(leg: int, code: str = "", reason: str = "") -> RunLineRow:
    """A line that is to buy a hundred, or has a reason to buy none."""
    return RunLineRow(
        id=f"l{leg}",
        trade_run_id=RUN.id,
        line=leg,
        leg=leg,
        wave=1,
        symbol=f"S{leg}.US",
        side="BUY",
        position_effect="AUTO",
        target_weight=None,
        target_value=None,
        target_qty=HUNDRED,
        held_qty=Decimal(0),
        planned_qty=HUNDRED,
        order_qty=Decimal(0) if code else HUNDRED,
        ref_px=HUNDRED,
        residual_qty=Decimal(0),
        residual_value=Decimal(0),
        code=code,
        reason=reason,
        updated_seq=1,
    )


def an_order(leg: int, status: str, *, is_open: bool) -> OrderRow:
    """The order of a line, of which nothing has filled."""
    return OrderRow(
        id=f"o{leg}",
        client_order_id=f"o{leg}",
        trade_run_id=RUN.id,
        leg=leg,
        broker="paper",
        account_id="paper",
        symbol=f"S{leg}.US",
        qty=HUNDRED,
        leaves_qty=HUNDRED if is_open else Decimal(0),
        side="BUY",
        order_type="market",
        ord_type="MARKET",
        price=None,
        trading_day="2013-10-08",
        ord_status=status,
        error="canceled on request",
        is_open=is_open,
        updated_at=0,
        staged_at=0,
        seq=1,
        updated_seq=1,
    )


def proposed(line: RunLineRow, *orders: OrderRow) -> str:
    """The repair of the one line of a paused run."""
    record = Record(RUN, [line], list(orders), [], [])
    (found,) = break_rows(record, record.target_lines(), 0)
    repair: str = found["repair"]
    return repair


def test_a_line_that_was_not_sent_yet_is_traded_by_resuming() -> None:
    assert proposed(a_line(1)) == "tradeloop runs resume r-1"


def test_a_line_whose_order_is_open_is_left_to_it() -> None:
    assert proposed(a_line(1), an_order(1, "NEW", is_open=True)) == "tradeloop runs resume r-1"


def test_a_line_whose_order_was_cancelled_is_not_traded_by_resuming() -> None:
    assert proposed(a_line(1), an_order(1, "CANCELED", is_open=False)).startswith("wait: the run is paused, and trades")


def test_a_line_that_the_plan_left_out_is_not_traded_by_resuming() -> None:
    assert proposed(a_line(1, "below_lot", "below one lot")).startswith("wait: the run is paused, and trades")
