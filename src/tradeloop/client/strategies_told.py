"""Strategies as the desk tells them: prices are `Decimal`, times `datetime` in UTC."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from tradeloop.client.document import Document


class Strategy(Document, frozen=True):
    """A strategy: `standing` is STOPPED, STARTING, RUNNING, PAUSED or FAILED, `why` says by whom or of what."""

    name: str
    file: str
    symbols: list[str]
    standing: str
    why: str
    since: datetime | None
    version: int
    pid: int | None
    triggers: int


class Strategies(Document, frozen=True):
    """All strategies of the desk, by name."""

    strategies: list[Strategy]


class Triggered(Document, frozen=True):
    """What a strategy asked for, and what came of it; of a TARGET `order_id` is a run's."""

    id: int
    strategy_name: str
    config_version: int
    trigger_time: datetime
    trigger_condition: str
    trigger_price: Decimal | None
    action_type: str
    execution_result: str
    order_id: str | None
    error_message: str
    create_time: datetime


class Triggers(Document, frozen=True):
    """Triggers, newest first; `next` is the cursor of the next page."""

    triggers: list[Triggered]
    next: str | None


class ConfigVersion(Document, frozen=True):
    """A version of a configuration that was started; `config_data` is JSON, and the hash is that of the strategy's file."""

    strategy_name: str
    version: int
    config_data: str
    source_sha256: str
    is_active: bool
    started_by: str
    create_time: datetime
    update_time: datetime


class ConfigVersions(Document, frozen=True):
    """The newest versions, newest first."""

    versions: list[ConfigVersion]
