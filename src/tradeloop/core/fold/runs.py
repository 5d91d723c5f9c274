"""Facts of a run, from its frozen plan to its end."""

from __future__ import annotations

from tradeloop.core import events as ev
from tradeloop.core.run_book import Leg, Run
from tradeloop.core.state import State, run_key
from tradeloop.core.types import RunStatus


def run_created(state: State, e: ev.RunCreated) -> None:
    legs = [Leg(line, line.order_qty, code=line.code, reason=line.reason, closed=not line.order_qty) for line in e.lines]
    status = RunStatus.AWAITING_APPROVAL if e.hold_for_approval else RunStatus.NEW
    confirmed_by = "" if e.confirmed is None else e.by
    state.runs.keep(Run(e, status, legs, confirmed_by=confirmed_by))
    key = run_key(e.project_id, e.decision_snapshot_id, e.mode.value, e.trade_date, e.account)
    state.run_keys[key] = e.run_id
    if e.supersedes is not None:
        old = state.runs[e.supersedes]
        old.superseded_by = e.run_id
        state.runs.keep(old)


def run_approved(state: State, e: ev.RunApproved) -> None:
    run = state.runs.live[e.run_id]
    run.status, run.approved_by = RunStatus.NEW, e.by
    if e.confirmed is not None:
        run.confirmed_by = e.by


def run_started(state: State, e: ev.RunStarted) -> None:
    run = state.runs.live[e.run_id]
    run.status, run.started_at = RunStatus.RUNNING, e.at


def run_paused(state: State, e: ev.RunPaused) -> None:
    state.runs.live[e.run_id].status = RunStatus.PAUSED


def run_resumed(state: State, e: ev.RunResumed) -> None:
    state.runs.live[e.run_id].status = RunStatus.RUNNING


def run_cancel_requested(state: State, e: ev.RunCancelRequested) -> None:
    run = state.runs.live[e.run_id]
    run.cancel_requested, run.text = True, e.reason


def line_resized(state: State, e: ev.LineResized) -> None:
    leg = state.runs.live[e.run_id].leg(e.leg)
    leg.order_qty, leg.code, leg.reason = e.order_qty, e.code, e.reason
    if not e.order_qty:
        leg.closed = True


def run_ended(state: State, e: ev.RunEnded) -> None:
    run = state.runs.live[e.run_id]
    run.status, run.code, run.text, run.todo, run.finished_at = e.status, e.code, e.text, e.todo, e.at
    state.runs.keep(run)


def run_denied(state: State, e: ev.RunDenied) -> None:
    """A refusal is recorded and changes nothing."""
