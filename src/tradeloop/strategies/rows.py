"""What the store of strategies keeps: versions of configurations (S4-44) and triggers (S4-45), with S4's columns."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final

import msgspec
from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, Text, UniqueConstraint


class Result(Enum):
    """What came of a trigger."""

    PENDING = "PENDING"
    """Written before it is done; after a restart it says that the end was never told."""
    TAKEN = "TAKEN"
    """The order, or the run, is durable; what becomes of it stands there."""
    DENIED = "DENIED"
    """Risk said no."""
    REFUSED = "REFUSED"
    """It could not be understood, or the strategy may not do it now."""
    DONE = "DONE"
    """The strategy was started, paused or stopped, or has ended by itself."""
    UNKNOWN = "UNKNOWN"
    """The desk ended before the answer was written."""


class Version(msgspec.Struct, frozen=True):
    """One version of a strategy's configuration, its file's hash included. `is_active`: it was the last one started."""

    strategy_name: str
    version: int
    config_data: str
    source_sha256: str
    is_active: bool
    started_by: str
    create_time: int
    update_time: int


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy asked for something, or began or ended: when, on which condition, at which price, and what came of it.

    `action_type` is BUY, SELL or TARGET, or START, PAUSE, STOP, FAIL. Times are nanoseconds UTC by the clock of the desk.
    """

    id: int = 0
    strategy_name: str
    config_version: int
    trigger_time: int
    trigger_condition: str
    trigger_price: str | None
    action_type: str
    execution_result: str
    order_id: str | None = None
    error_message: str = ""
    create_time: int


metadata: Final = MetaData()

strategy_configs: Final = Table(
    "strategy_configs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("strategy_name", String(100), nullable=False),
    Column("version", Integer, nullable=False),
    Column("config_data", Text, nullable=False),
    Column("source_sha256", String(64), nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("started_by", String(128), nullable=False),
    Column("create_time", BigInteger, nullable=False),
    Column("update_time", BigInteger, nullable=False),
    UniqueConstraint("strategy_name", "version", name="uk_strategy_configs_version"),
)

strategy_triggers: Final = Table(
    "strategy_triggers",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("strategy_name", String(100), nullable=False),
    Column("config_version", Integer, nullable=False),
    Column("trigger_time", BigInteger, nullable=False),
    Column("trigger_condition", Text, nullable=False),
    Column("trigger_price", String(64), nullable=True),
    Column("action_type", String(8), nullable=False),
    Column("execution_result", String(8), nullable=False),
    Column("order_id", String(64), nullable=True),
    Column("error_message", Text, nullable=False),
    Column("create_time", BigInteger, nullable=False),
    Index("ix_strategy_triggers_name", "strategy_name", "id"),
)


def row_of(struct: msgspec.Struct, *without: str) -> dict[str, Any]:
    """A row as the database takes it."""
    return {name: value for name, value in msgspec.structs.asdict(struct).items() if name not in without}
