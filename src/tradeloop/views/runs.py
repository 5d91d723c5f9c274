"""Rows of `trade_runs` and `trade_run_lines`: what was wanted, what was planned from it, and how it ended (S0-14..S0-21).

`params` keeps the frozen snapshot as JSON, so that a run can be explained from its row alone (S0-10).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.core import events as ev
from tradeloop.core.commands import RunLimits
from tradeloop.core.types import RunStatus
from tradeloop.views.columns import shown
from tradeloop.views.fold import Fold
from tradeloop.views.rows import RunLineRow, RunRow
from tradeloop.views.wanted import line_id


class SeenTarget(msgspec.Struct):
    """One line of the target, in `params`."""

    symbol: str
    weight: Decimal
    row: int
    price: Decimal | None
    name: str
    industry: str


class SeenQuote(msgspec.Struct):
    """One price of the frozen snapshot, in `params`; `age_ns` is how old it was when the run was made."""

    symbol: str
    px: Decimal
    at: int
    age_ns: int
    source: str
    prev_close: Decimal | None
    suspended: bool


class Params(msgspec.Struct):
    """The shape of `trade_runs.params` (S0-21)."""

    targets: list[SeenTarget]
    prices: list[SeenQuote]
    limits: RunLimits
    risk_checks: dict[str, bool]
    inputs: list[tuple[str, str]]
    order_timeout_ns: int | None
    sell_unlisted: bool
    execute: bool
    hold_for_approval: bool
    strategy_id: str = ""


class _Named(msgspec.Struct):
    strategy_id: str = ""


_JSON: Final = msgspec.json.Encoder()
_NAMED: Final = msgspec.json.Decoder(_Named)


def strategy_of(run: RunRow) -> str:
    """The strategy that a run trades for; empty where it has none of its own, and its orders count as its project's."""
    return _NAMED.decode(run.params).strategy_id


def created(fold: Fold, e: ev.RunCreated) -> None:
    """A target was frozen and planned; its prices are the newest the journal holds, its equity a point on the curve.

    A retry works towards the units of the first attempt, so its equity is of that moment and none of this one.
    """
    row = RunRow(
        id=e.run_id,
        project_id=e.project_id,
        mode=e.mode.value,
        decision_snapshot_id=e.decision_snapshot_id,
        trade_date=e.trade_date,
        attempt=e.attempt,
        status=(RunStatus.AWAITING_APPROVAL if e.hold_for_approval else RunStatus.NEW).value,
        requested_at=e.at,
        updated_at=e.at,
        created_by=e.by,
        broker=e.broker,
        account_id=e.account,
        currency=e.currency,
        content_hash=e.content_hash,
        champion_id=e.champion_id,
        target_exposure=shown(e.target_exposure),
        rounding=e.rounding.value,
        cash=shown(e.cash),
        equity=shown(e.equity),
        supersedes=e.supersedes,
        params=_JSON.encode(_params(e)).decode(),
        seq=fold.seq,
        updated_seq=fold.seq,
    )
    fold.rows.runs.put(row)
    for number, line in enumerate(e.lines, start=1):
        fold.rows.lines.put(_line(e.run_id, number, line, fold.seq))
    if e.supersedes is not None and (old := fold.rows.runs.get(e.supersedes)) is not None:
        old.superseded_by, old.updated_at, old.updated_seq = e.run_id, e.at, fold.seq
        fold.rows.runs.put(old)
    for price in e.prices:
        fold.books.see_price(price.symbol, price.px, price.at, e.at, fold.seq)
    if e.supersedes is None:
        fold.books.value(e.account, e.broker, e.currency, e.equity, e.at, fold.seq)


RunFact = ev.RunApproved | ev.RunStarted | ev.RunPaused | ev.RunResumed | ev.RunCancelRequested | ev.RunEnded


def moved(fold: Fold, e: RunFact) -> None:
    """A run went on, or ended."""
    row = fold.rows.runs.get(e.run_id)
    if row is None:
        return
    match e:
        case ev.RunApproved():
            row.status, row.approved_by, row.approved_at = RunStatus.NEW.value, e.by, e.at
        case ev.RunStarted():
            row.status, row.started_at = RunStatus.RUNNING.value, e.at
        case ev.RunPaused():
            row.status = RunStatus.PAUSED.value
        case ev.RunResumed():
            row.status = RunStatus.RUNNING.value
        case ev.RunCancelRequested():
            row.cancel_requested_by, row.cancel_requested_at, row.error = e.by, e.at, e.reason
        case ev.RunEnded():
            row.status, row.code, row.finished_at = e.status.value, e.code, e.at
            # A run that did all it was to do has no error; its words are those of every such run.
            row.error = e.text if e.todo or e.status is not RunStatus.COMPLETED else ""
            row.todo = _JSON.encode(e.todo).decode()
    row.updated_at, row.updated_seq = e.at, fold.seq
    fold.rows.runs.put(row)


def resized(fold: Fold, e: ev.LineResized) -> None:
    """A line is worked with less than was planned."""
    line = fold.rows.lines.get(line_id(e.run_id, e.leg))
    if line is not None:
        line.order_qty, line.code, line.reason = shown(e.order_qty), e.code, e.reason
        line.updated_seq = fold.seq
        fold.rows.lines.put(line)


def _line(run_id: str, number: int, line: ev.PlanLine, seq: int) -> RunLineRow:
    return RunLineRow(
        id=line_id(run_id, line.leg, number),
        trade_run_id=run_id,
        line=number,
        leg=line.leg,
        wave=line.wave,
        symbol=line.symbol,
        side=line.side.value,
        position_effect=line.position_effect.value,
        target_weight=shown(line.target_weight),
        target_value=shown(line.target_value),
        target_qty=shown(line.target_qty),
        held_qty=shown(line.held_qty),
        planned_qty=shown(line.order_qty),
        order_qty=shown(line.order_qty),
        ref_px=shown(line.ref_px),
        residual_qty=shown(line.residual_qty),
        residual_value=shown(line.residual_value),
        code=line.code,
        reason=line.reason,
        updated_seq=seq,
    )


def _params(e: ev.RunCreated) -> Params:
    return Params(
        targets=[SeenTarget(t.symbol, t.weight, t.row, t.price, t.name, t.industry) for t in e.targets],
        prices=[SeenQuote(p.symbol, p.px, p.at, e.at - p.at, p.source, p.prev_close, p.suspended) for p in e.prices],
        limits=e.limits,
        risk_checks=e.risk_checks,
        inputs=list(e.inputs),
        order_timeout_ns=e.order_timeout_ns,
        sell_unlisted=e.sell_unlisted,
        execute=e.execute,
        hold_for_approval=e.hold_for_approval,
        strategy_id=e.strategy_id,
    )
