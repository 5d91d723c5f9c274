"""Halts and limits of risk as the desk tells them: amounts are `Decimal`, times `datetime` in UTC."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from tradeloop.client.document import Document


class InForce(Document, frozen=True):
    """A halt in force, and what it has come to."""

    number: int
    tier: str
    scope: str
    name: str
    by: str
    reason: str
    trigger: str
    at: datetime
    found: str
    done: bool
    unknown: int
    held: int
    release: str


class Halts(Document, frozen=True):
    """The halts in force, the oldest first."""

    halts: list[InForce]


class Halted(Document, frozen=True):
    """What came of a halt. `recorded` is False where only the file holds it yet."""

    done: str
    recorded: bool
    latched: bool
    halts: list[InForce]


class Limit(Document, frozen=True):
    """A limit in force; `origin` is risk.yaml, or the person who set it, until when."""

    rule: str
    value: Decimal
    scope: str
    name: str
    where: str
    currency: str
    severity: str
    missing: str
    shadow: bool
    only: list[str]
    but: list[str]
    floor: Decimal | None
    tier: str
    origin: str
    reason: str
    until: datetime | None


class Limits(Document, frozen=True):
    """The limits in force."""

    limits: list[Limit]


class Judgement(Document, frozen=True):
    """What risk says of an order that nobody sends: every check, and every limit with its figures."""

    denied: dict[str, Any] | None
    waits: bool
    checks: list[dict[str, Any]]
    limits: list[dict[str, Any]]


class RiskFact(Document, frozen=True):
    """What became of a limit, or what it said; `number` is that of the event. `subject`: the order, or what the limit is on."""

    number: int
    at: datetime
    what: str
    limit_id: str = ""
    rule: str = ""
    subject: str = ""
    text: str = ""
