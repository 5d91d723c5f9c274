"""Runs as the desk tells them: amounts are `Decimal`, times `datetime` in UTC."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from tradeloop.client.document import Document


class PlanLine(Document, frozen=True):
    """One line of a plan: wanted, held, what would be ordered, and why not more."""

    leg: int
    symbol: str
    side: str
    target_weight: Decimal | None
    target_qty: Decimal | None
    held_qty: Decimal | None
    order_qty: Decimal | None
    ref_px: Decimal | None
    code: str
    reason: str


class Plan(Document, frozen=True):
    """What a run would be now. With findings there is none, and they say why."""

    trade_date: date
    currency: str
    equity: Decimal
    cash: Decimal
    findings: list[dict[str, str]]
    lines: list[PlanLine]


class Run(Document, frozen=True):
    """A run as it stands (S0-14..S0-21); `todo` are the legs that a person has to look at."""

    run_id: str
    project_id: str
    mode: str
    decision_snapshot_id: str
    trade_date: date
    attempt: int
    status: str
    code: str
    text: str
    broker: str
    account: str
    currency: str
    created_by: str
    approved_by: str
    champion_id: str
    rounding: str
    cash: Decimal | None
    equity: Decimal | None
    supersedes: str | None
    superseded_by: str | None
    todo: list[int]
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    updated_at: datetime


class RunLine(Document, frozen=True):
    """One line of a run: planned, worked, and what is left with its reason."""

    line: int
    leg: int
    wave: int
    symbol: str
    side: str
    position_effect: str
    target_weight: Decimal | None
    target_qty: Decimal | None
    held_qty: Decimal | None
    planned_qty: Decimal | None
    order_qty: Decimal | None
    ref_px: Decimal | None
    residual_qty: Decimal | None
    residual_value: Decimal | None
    code: str
    reason: str
    order_id: str | None


class Runs(Document, frozen=True):
    """Runs, newest first; `next` is the cursor of the next page."""

    runs: list[Run]
    next: str | None


class RunInFull(Document, frozen=True):
    """A run with its lines and what it was made from."""

    run: Run
    lines: list[RunLine]
    params: dict[str, Any]


class OrderToConfirm(Document, frozen=True):
    """One order as it is confirmed, with the price that it was planned or seen at, and what it may be worth."""

    leg: int
    symbol: str
    side: str
    quantity: Decimal
    order_type: str
    price: Decimal | None
    stop_price: Decimal | None
    reference_price: Decimal | None
    position_effect: str
    value: Decimal | None
    currency: str


class Total(Document, frozen=True):
    """What the orders in one currency may be worth together."""

    currency: str
    value: Decimal | None


class ToConfirm(Document, frozen=True):
    """What a person confirms before it goes to a live account. A program with a key is told none."""

    content: str
    account: str
    orders: int
    phrase: str
    live_confirm_token: str
    until: datetime
    totals: list[Total]
    lines: list[OrderToConfirm]


class RunTaken(Document, frozen=True):
    """A run that is durable, or a plan that nothing was made of: `dry_run` says which. `repeat`: the key made it before."""

    dry_run: bool
    run_id: str | None = None
    status: str | None = None
    repeat: bool = False
    plan: Plan | None = None
    confirm: ToConfirm | None = None


class Artefact(Document, frozen=True):
    """One file that a run left behind: `kind` is submit, orders, fills or reconcile."""

    name: str
    kind: str
    media_type: str
    size: int
    written_at: datetime


class Artefacts(Document, frozen=True):
    """The files of a run, newest first; none while it works."""

    run_id: str
    artefacts: list[Artefact]
