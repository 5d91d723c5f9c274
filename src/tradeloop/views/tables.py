"""The tables of the read models; the patches in deploy/<dialect>/patches create them and the drift check compares.

One table per struct of views/rows.py, column by field. Every key is one text column `id`, derived from the subject, so that a
rebuild gives the same rows. On MySQL and MariaDB text compares by bytes (utf8mb4_bin): `au2512` is not `AU2512`.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, Table, UniqueConstraint

from tradeloop.views.columns import Dec, Exact, Word, Words
from tradeloop.views.rows import (
    AccountRow,
    AlertRow,
    AuditRow,
    BreakRow,
    CursorRow,
    CurveRow,
    DenialRow,
    FillRow,
    InstrumentRow,
    OrderRow,
    PositionRow,
    Row,
    RunLineRow,
    RunRow,
    SessionRow,
    TradeRow,
)

metadata: Final = MetaData()


def _table(name: str, *parts: Column[Any] | Index | UniqueConstraint, id_length: int = 64) -> Table:
    key: Column[str] = Column("id", Word(id_length), primary_key=True)
    return Table(
        name,
        metadata,
        key,
        *parts,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def _word(name: str, length: int, *, null: bool = False) -> Column[str]:
    return Column(name, Word(length), nullable=null)


def _text(name: str) -> Column[str]:
    return Column(name, Words(), nullable=False)


def _dec(name: str, *, null: bool = False) -> Column[Any]:
    return Column(name, Dec(), nullable=null)


def _exact(name: str) -> Column[Any]:
    return Column(name, Exact(), nullable=False)


def _time(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, BigInteger(), nullable=null)


def _long(name: str) -> Column[int]:
    return Column(name, BigInteger(), nullable=False)


def _int(name: str) -> Column[int]:
    return Column(name, Integer(), nullable=False)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean(), nullable=False)


instruments: Final = _table(
    "instruments",
    _word("asset_class", 16),
    _word("currency", 16),
    _word("market", 32),
    _word("session", 64),
    _word("board", 32),
    _word("name", 255),
    _word("industry", 255),
    _dec("multiplier"),
    _dec("lot"),
    _dec("tick"),
    _text("listing"),
    _long("updated_seq"),
)

sessions: Final = _table(
    "sessions",
    _word("trading_day", 10),
    _time("opens_at", null=True),
    _time("closes_at", null=True),
    _text("windows"),
    _long("updated_seq"),
)

trade_runs: Final = _table(
    "trade_runs",
    _word("project_id", 128),
    _word("mode", 16),
    _word("decision_snapshot_id", 128),
    _word("trade_date", 10),
    _int("attempt"),
    _word("status", 24),
    _word("code", 64),
    _text("error"),
    _time("requested_at"),
    _time("started_at", null=True),
    _time("finished_at", null=True),
    _time("updated_at"),
    _word("created_by", 128),
    _word("approved_by", 128),
    _time("approved_at", null=True),
    _word("cancel_requested_by", 128),
    _time("cancel_requested_at", null=True),
    _word("broker", 64),
    _word("account_id", 64),
    _word("currency", 16),
    _word("content_hash", 128),
    _word("champion_id", 128),
    _dec("target_exposure", null=True),
    _word("rounding", 24),
    _dec("cash", null=True),
    _dec("equity", null=True),
    _word("supersedes", 64, null=True),
    _word("superseded_by", 64, null=True),
    _text("todo"),
    _text("params"),
    _long("seq"),
    _long("updated_seq"),
    UniqueConstraint(
        "project_id",
        "decision_snapshot_id",
        "mode",
        "trade_date",
        "account_id",
        "attempt",
        name="uk_trade_runs_key",
    ),
    Index("ix_trade_runs_seq", "seq"),
    Index("ix_trade_runs_status", "status"),
)

trade_run_lines: Final = _table(
    "trade_run_lines",
    _word("trade_run_id", 64),
    _int("line"),
    _int("leg"),
    _int("wave"),
    _word("symbol", 64),
    _word("side", 4),
    _word("position_effect", 16),
    _dec("target_weight", null=True),
    _dec("target_value", null=True),
    _dec("target_qty", null=True),
    _dec("held_qty", null=True),
    _dec("planned_qty", null=True),
    _dec("order_qty", null=True),
    _dec("ref_px", null=True),
    _dec("residual_qty", null=True),
    _dec("residual_value", null=True),
    _word("code", 64),
    _text("reason"),
    _word("trade_order_id", 64, null=True),
    _long("updated_seq"),
    Index("ix_trade_run_lines_run", "trade_run_id", "line"),
    id_length=80,
)

trade_orders: Final = _table(
    "trade_orders",
    _word("trade_run_id", 64, null=True),
    _int("leg"),
    _word("broker", 64),
    _word("account_id", 64),
    _word("symbol", 64),
    _dec("target_weight", null=True),
    _dec("target_value", null=True),
    _dec("qty"),
    _word("side", 4),
    _word("order_type", 16),
    _word("ord_type", 16),
    _dec("price", null=True),
    _dec("stop_px", null=True),
    _word("tif", 8),
    _word("position_effect", 16),
    _word("trading_day", 10),
    _word("client_order_id", 64),
    _word("ib_order_id", 128, null=True),
    _word("order_id", 128, null=True),
    _word("status", 16),
    _word("ord_status", 24),
    _text("error"),
    _word("error_code", 64),
    _dec("cum_qty"),
    _dec("leaves_qty"),
    _dec("avg_px", null=True),
    _dec("filled_amount", null=True),
    _dec("commission", null=True),
    _time("submitted_at", null=True),
    _time("updated_at"),
    _time("staged_at"),
    _time("acked_at", null=True),
    _time("triggered_at", null=True),
    _time("unknown_at", null=True),
    _time("cancel_requested_at", null=True),
    _time("canceled_at", null=True),
    _time("expired_at", null=True),
    _time("rejected_at", null=True),
    _time("denied_at", null=True),
    _time("cancel_at", null=True),
    _int("send_failures"),
    _int("absences"),
    _flag("is_open"),
    _flag("is_external"),
    _word("created_by", 128),
    _word("risk_version", 64),
    _word("approved_by", 128),
    _word("request_id", 255),
    _word("strategy_id", 128),
    _word("parent_id", 64, null=True),
    _text("reason"),
    _dec("arrival_px", null=True),
    _time("arrival_at", null=True),
    _exact("reserved"),
    _exact("frozen"),
    _exact("cum_value"),
    _text("replaces"),
    _dec("multiplier"),
    _long("seq"),
    _long("updated_seq"),
    UniqueConstraint("client_order_id", name="uk_trade_orders_client_order_id"),
    Index("ix_trade_orders_seq", "seq"),
    Index("ix_trade_orders_run", "trade_run_id", "leg"),
    Index("ix_trade_orders_symbol", "account_id", "symbol"),
    Index("ix_trade_orders_status", "ord_status"),
    Index("ix_trade_orders_open", "is_open"),
)

trade_denials: Final = _table(
    "trade_denials",
    _word("rule", 64),
    _text("scope"),
    _text("limit_value"),
    _text("was"),
    _text("this_order"),
    _text("text"),
    _word("approved_by", 128),
    _word("uncounted", 16),
    _flag("late"),
    _time("at"),
    _long("seq"),
    Index("ix_trade_denials_seq", "seq"),
)

trade_fills: Final = _table(
    "trade_fills",
    _word("trade_order_id", 64),
    _word("trade_run_id", 64, null=True),
    _word("broker", 64),
    _word("account_id", 64),
    _word("trading_day", 10),
    _word("exec_id", 128),
    _word("side", 4),
    _word("symbol", 64),
    _word("position_effect", 16),
    _dec("fill_qty"),
    _dec("fill_price"),
    _time("fill_time"),
    _dec("commission"),
    _flag("commission_by_broker"),
    _word("liquidity", 16),
    _word("order_id", 128, null=True),
    _dec("realized_pnl", null=True),
    _word("exec_type", 16),
    _time("booked_at"),
    _long("seq"),
    _long("updated_seq"),
    UniqueConstraint("broker", "account_id", "trading_day", "exec_id", "side", name="uk_trade_fills_key"),
    Index("ix_trade_fills_seq", "seq"),
    Index("ix_trade_fills_order", "trade_order_id"),
    Index("ix_trade_fills_run", "trade_run_id"),
    id_length=255,
)

trades: Final = _table(
    "trades",
    _word("trade_id", 128),
    _word("order_id", 64),
    _word("broker", 64),
    _word("account_id", 64),
    _word("symbol", 64),
    _word("direction", 4),
    _word("position_effect", 16),
    _word("trading_day", 10),
    _dec("volume"),
    _dec("price"),
    _dec("commission"),
    _time("trade_time"),
    _time("create_time"),
    _long("seq"),
    UniqueConstraint("broker", "account_id", "trading_day", "trade_id", "direction", name="uk_trades_key"),
    Index("ix_trades_seq", "seq"),
    Index("ix_trades_symbol", "account_id", "symbol"),
    id_length=255,
)

accounts: Final = _table(
    "accounts",
    _word("account_id", 64),
    _word("broker", 64),
    _word("currency", 16),
    _dec("balance", null=True),
    _dec("available", null=True),
    _dec("reserved", null=True),
    _dec("margin", null=True),
    _dec("unrealized_pnl", null=True),
    _dec("realized_pnl", null=True),
    _dec("fees", null=True),
    _time("update_time"),
    _long("updated_seq"),
    _text("book"),
    UniqueConstraint("account_id", "currency", name="uk_accounts_account_currency"),
    id_length=96,
)

account_curve: Final = _table(
    "account_curve",
    _word("account_id", 64),
    _word("currency", 16),
    _time("at"),
    _dec("balance", null=True),
    _dec("available", null=True),
    _dec("realized_pnl", null=True),
    _dec("equity", null=True),
    _dec("held_value", null=True),
    _long("batch"),
    _long("seq"),
    Index("ix_account_curve_account", "account_id", "currency", "batch"),
    id_length=128,
)

positions: Final = _table(
    "positions",
    _word("account_id", 64),
    _word("broker", 64),
    _word("symbol", 64),
    _word("direction", 5),
    _word("currency", 16),
    _dec("multiplier"),
    _dec("volume"),
    _dec("today_volume"),
    _dec("yesterday_volume"),
    _dec("frozen_volume"),
    _dec("avg_price", null=True),
    _dec("cost", null=True),
    _dec("current_price", null=True),
    _time("price_at", null=True),
    _dec("unrealized_pnl", null=True),
    _dec("realized_pnl", null=True),
    _dec("margin", null=True),
    _time("open_time", null=True),
    _time("update_time"),
    _long("updated_seq"),
    _text("book"),
    UniqueConstraint("account_id", "symbol", "direction", name="uk_positions_account_symbol_direction"),
    id_length=160,
)

breaks: Final = _table(
    "breaks",
    _word("kind", 64),
    _word("broker", 64),
    _word("account_id", 64),
    _word("subject", 128),
    _text("ours"),
    _text("theirs"),
    _dec("delta", null=True),
    _text("cause"),
    _text("repair"),
    _word("status", 8),
    _text("why"),
    _word("closed_by", 128),
    _int("times"),
    _time("found_at"),
    _time("changed_at"),
    _time("closed_at", null=True),
    _long("seq"),
    _long("updated_seq"),
    Index("ix_breaks_status", "status"),
    Index("ix_breaks_seq", "seq"),
    id_length=255,
)

alerts: Final = _table(
    "alerts",
    _word("level", 8),
    _word("subject", 128),
    _text("text"),
    _int("times"),
    _time("raised_at"),
    _time("last_at"),
    _time("resolved_at", null=True),
    _time("acknowledged_at", null=True),
    _word("acknowledged_by", 128),
    _word("note", 255),
    _long("seq"),
    _long("updated_seq"),
    Index("ix_alerts_seq", "seq"),
    id_length=255,
)

audit_log: Final = _table(
    "audit_log",
    _time("at"),
    _word("who", 128),
    _word("what", 32),
    _word("subject", 128),
    _word("account_id", 64),
    _word("trade_run_id", 64, null=True),
    _word("result", 16),
    _text("text"),
    _long("seq"),
    Index("ix_audit_log_seq", "seq"),
    Index("ix_audit_log_subject", "subject"),
    Index("ix_audit_log_run", "trade_run_id"),
    id_length=32,
)

view_cursors: Final = _table(
    "view_cursors",
    _long("batch"),
    _long("seq"),
    _int("projection"),
    _flag("clearing"),
    _time("updated_at"),
)

ROW_TYPES: Final[dict[str, type[Row]]] = {
    "instruments": InstrumentRow,
    "sessions": SessionRow,
    "trade_runs": RunRow,
    "trade_run_lines": RunLineRow,
    "trade_orders": OrderRow,
    "trade_denials": DenialRow,
    "trade_fills": FillRow,
    "trades": TradeRow,
    "accounts": AccountRow,
    "account_curve": CurveRow,
    "positions": PositionRow,
    "breaks": BreakRow,
    "alerts": AlertRow,
    "audit_log": AuditRow,
    "view_cursors": CursorRow,
}
"""Table name -> its struct."""

FOLDED: Final[tuple[Table, ...]] = tuple(metadata.tables[name] for name in ROW_TYPES if name != "view_cursors")
"""What a rebuild clears: everything but the cursor."""
