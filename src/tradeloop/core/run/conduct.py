"""How a run is born, worked and ended: from target to orders, wave by wave.

A run freezes what it was decided from, then releases orders as core/run/release.py allows: sells first, buys as real sell
fills fund them. What is filled stays filled, whatever becomes of the run (S0-40). When every order sent so far failed,
nothing further is sent (FAILED_BATCH); when some failed, the good ones go on and the rest is a list for a person.
"""

from __future__ import annotations

from collections.abc import Generator
from decimal import ROUND_UP, Decimal
from hashlib import sha256

import msgspec

from tradeloop.core.algo import ALGOS
from tradeloop.core.algo.base import Parent
from tradeloop.core.commands import (
    ApproveRun,
    CancelRun,
    PauseRun,
    ResumeRun,
    RetryRun,
    SeenPrice,
    StartRun,
    TargetLine,
)
from tradeloop.core.errors import BadInput
from tradeloop.core.events import (
    Event,
    LineResized,
    PlanLine,
    RunApproved,
    RunCancelRequested,
    RunCreated,
    RunDenied,
    RunEnded,
    RunPaused,
    RunResumed,
    RunStarted,
)
from tradeloop.core.instrument import AssetClass
from tradeloop.core.replies import RunReply
from tradeloop.core.run.checks import Finding, checks
from tradeloop.core.run.funds import cash_book, equity_of, holdings, hours_of
from tradeloop.core.run.plan import plan
from tradeloop.core.run.release import Drop, LegState, LineState, Send, Shrink, release
from tradeloop.core.staging import bound_px, cancel, order_of_run, stage
from tradeloop.core.state import Leg, Run, State, run_key
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import (
    ZERO,
    Amount,
    Mode,
    OrdType,
    PositionEffect,
    Qty,
    RunID,
    RunStatus,
    UtcNs,
)

Facts = Generator[Event, None, None]
ENDED = (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELED)
FAILED_BATCH = "FAILED_BATCH"
_ALGO = "immediate"

_LEFT_OVER = frozenset({"denied", "cash_short", "no_cash", "t1_shortfall", "no_price", "stale_price", "suspended", "order_cap"})
"""Codes of lines that want more than was ordered and could have it another time; not what rounding leaves over."""


class Preview(msgspec.Struct, frozen=True):
    """What a run would be, at this moment: its plan, or why it may not be. Dry-run shows it and sends nothing."""

    findings: tuple[Finding, ...]
    lines: tuple[PlanLine, ...]
    cash: Amount
    equity: Amount


def preview(state: State, cmd: StartRun, now: UtcNs) -> Preview:
    """Check and plan a run without making it. Raises BadInput when the account is not known."""
    if cmd.account not in state.accounts:
        raise BadInput(
            f"account was {cmd.account!r}, known are {sorted(state.accounts) or 'none yet'}; connect its broker first"
        )
    held = holdings(state, cmd.account)
    free = cash_book(state, cmd.account, cmd.currency).free
    equity, unpriced = equity_of(state, cmd.account, cmd.currency, cmd.prices)
    hours = hours_of(state, cmd.targets)
    trading = bool(hours) and all(h is not None and h.trading_day == cmd.trade_date for h in hours)
    shut = [h for h in hours if h is not None and not h.is_open(now)]
    windows = next((h.windows for h in (*shut, *hours) if h is not None), ())
    findings = checks(cmd, state.instruments, held, free, equity, now, trading, windows)
    if unpriced:
        named = ", ".join(sorted(unpriced))
        findings += (
            Finding("equity_unknown", f"the equity needs a price for every holding, was none for {named}; start its feed"),
        )
    if findings:
        return Preview(findings, (), free, Amount(equity))
    lines = plan(
        cmd.targets,
        cmd.prices,
        state.instruments,
        held,
        equity,
        cmd.rounding,
        cmd.sell_unlisted,
        now=now,
        max_quote_age_ns=cmd.limits.max_quote_age_ns,
        currency=cmd.currency,
    )
    return Preview((), lines, free, Amount(equity))


def start(state: State, around: Surroundings, cmd: StartRun, now: UtcNs) -> Generator[Event, None, RunReply]:
    """Make a run, once per key (S0-46, S0-60). Raises BadInput when the key exists with other content."""
    key = run_key(cmd.project_id, cmd.decision_snapshot_id, cmd.mode.value, cmd.trade_date, cmd.account)
    known = state.run_keys.get(key)
    if known is not None:
        run = state.runs[known]
        if run.created.content_hash != cmd.content_hash:
            raise BadInput(
                f"run {known} exists for this project, snapshot, mode and trade date with other content; "
                "a changed target needs a new decision_snapshot_id"
            )
        return RunReply(known, run.status, repeat=True)
    if cmd.mode is Mode.DRY_RUN:
        raise BadInput("a dry run is previewed, never made; ask for the plan instead")
    seen = preview(state, cmd, now)
    if seen.findings:
        denied = _denied(cmd, seen, now)
        yield denied
        return RunReply(None, None, failed=denied.failed)
    created = _created(state, cmd, seen, now, attempt=1, supersedes=None)
    yield created
    if cmd.execute and not cmd.hold_for_approval:
        yield from _go(state, around, created.run_id, now)
    return RunReply(created.run_id, state.runs[created.run_id].status)


def approve(state: State, around: Surroundings, cmd: ApproveRun, now: UtcNs) -> Generator[Event, None, RunReply]:
    """Let a planned run go (S0-43, S1-56)."""
    run = _run(state, cmd.run_id)
    if run.status not in (RunStatus.NEW, RunStatus.AWAITING_APPROVAL):
        return RunReply(cmd.run_id, run.status, repeat=True)
    day = run.created.trade_date
    if any(hours is None or hours.trading_day != day for hours in hours_of(state, run.created.targets)):
        raise BadInput(f"run {cmd.run_id} was planned for {day}, which is not the trading day now; make a run for today")
    if run.status is RunStatus.AWAITING_APPROVAL:
        yield RunApproved(now, cmd.run_id, cmd.by)
    yield from _go(state, around, cmd.run_id, now)
    return RunReply(cmd.run_id, run.status)


def pause(state: State, cmd: PauseRun, now: UtcNs) -> Generator[Event, None, RunReply]:
    """Release nothing more; what works goes on working."""
    run = _run(state, cmd.run_id)
    if run.status is RunStatus.RUNNING and not run.cancel_requested:
        yield RunPaused(now, cmd.run_id, cmd.by, cmd.reason)
    elif run.status is not RunStatus.PAUSED:
        raise BadInput(f"run {cmd.run_id} is {_word(run)}; only a RUNNING one can be paused")
    return RunReply(cmd.run_id, run.status)


def resume(state: State, around: Surroundings, cmd: ResumeRun, now: UtcNs) -> Generator[Event, None, RunReply]:
    """Go on with a paused run."""
    run = _run(state, cmd.run_id)
    if run.status is RunStatus.PAUSED:
        yield RunResumed(now, cmd.run_id, cmd.by)
        yield from advance(state, around, cmd.run_id, now)
    elif run.status is not RunStatus.RUNNING:
        raise BadInput(f"run {cmd.run_id} is {_word(run)}; only a PAUSED one can be resumed")
    return RunReply(cmd.run_id, run.status)


def cancel_run(state: State, around: Surroundings, cmd: CancelRun, now: UtcNs) -> Generator[Event, None, RunReply]:
    """Release nothing more and cancel what works. Asking again cancels again what still works."""
    run = _run(state, cmd.run_id)
    if run.status in ENDED:
        return RunReply(cmd.run_id, run.status, repeat=True)
    if not run.cancel_requested:
        yield RunCancelRequested(now, cmd.run_id, cmd.by, cmd.reason)
    for leg in run.legs:
        if leg.cl_ord_id is not None and not leg.closed:
            yield from cancel(state, leg.cl_ord_id, cmd.by, cmd.reason or "run cancelled", now)
    yield from advance(state, around, cmd.run_id, now)
    return RunReply(cmd.run_id, run.status)


def retry(state: State, around: Surroundings, cmd: RetryRun, now: UtcNs) -> Generator[Event, None, RunReply]:
    """A new attempt at what an ended run left over, made by a named person (S0-59, D1).

    The targets in units are those of the first attempt: its frozen prices and equity are used again wherever it had a
    price, so that a market that moved meanwhile does not turn the residual into another portfolio.
    """
    old = _run(state, cmd.run_id)
    if old.status not in ENDED:
        raise BadInput(f"run {cmd.run_id} is {_word(old)}; only one that ended can be retried")
    if old.superseded_by is not None:
        raise BadInput(f"run {cmd.run_id} was retried as {old.superseded_by}; retry that one")
    if not cmd.by.strip():
        raise BadInput("a retry is made by a named person; --by was empty")
    was = old.created
    wanted = {old.leg(number).line.symbol for number in old.todo}
    if old.status is RunStatus.CANCELED or old.code == FAILED_BATCH:
        wanted = {leg.line.symbol for leg in old.legs}
    if not wanted:
        raise BadInput(f"run {cmd.run_id} left nothing over; there is nothing to retry")
    usable = {p.symbol: p for p in was.prices if not p.suspended}
    prices = tuple(
        SeenPrice(p.symbol, usable[p.symbol].px if p.symbol in usable else p.px, p.at, p.source, p.prev_close, p.suspended)
        for p in cmd.prices
    )
    listed = {t.symbol for t in was.targets}
    targets = tuple(t for t in was.targets if t.symbol in wanted) + tuple(
        TargetLine(symbol, ZERO, row=0) for symbol in sorted(wanted - listed)
    )
    again = StartRun(
        account=was.account,
        currency=was.currency,
        mode=was.mode,
        project_id=was.project_id,
        decision_snapshot_id=was.decision_snapshot_id,
        trade_date=was.trade_date,
        by=cmd.by,
        targets=targets,
        prices=prices,
        content_hash=was.content_hash,
        champion_id=was.champion_id,
        risk_checks=was.risk_checks,
        rounding=was.rounding,
        limits=was.limits,
        order_timeout_ns=was.order_timeout_ns,
        sell_unlisted=False,
        inputs=was.inputs,
    )
    seen = preview(state, again, now)
    if seen.findings:
        denied = _denied(again, seen, now)
        yield denied
        return RunReply(None, None, failed=denied.failed)
    held = holdings(state, was.account)
    lines = plan(
        targets,
        prices,
        state.instruments,
        held,
        was.equity,
        was.rounding,
        False,
        now=now,
        max_quote_age_ns=was.limits.max_quote_age_ns,
        currency=was.currency,
    )
    seen = Preview((), lines, seen.cash, was.equity)
    created = _created(state, again, seen, now, attempt=was.attempt + 1, supersedes=cmd.run_id)
    yield created
    yield from _go(state, around, created.run_id, now)
    return RunReply(created.run_id, state.runs[created.run_id].status)


def advance(state: State, around: Surroundings, run_id: RunID, now: UtcNs) -> Facts:
    """Look at a run again: send what may go now, and end it when nothing is left to happen."""
    run = state.runs[run_id]
    if run.status in ENDED or (run.status not in (RunStatus.RUNNING, RunStatus.PAUSED) and not run.cancel_requested):
        return
    while not _whole_batch_failed(state, run):
        if run.status is not RunStatus.RUNNING or run.cancel_requested:
            break
        # What was denied works no more, so that what waited for its money may go now or never: ask until nothing is left to do.
        if not (yield from _release(state, around, run, now)):
            break
    else:
        yield RunEnded(now, run_id, RunStatus.FAILED, FAILED_BATCH, "every order sent so far failed", _todo(state, run))
        return
    if run.cancel_requested:
        if all(leg.closed or leg.cl_ord_id is None for leg in run.legs):
            yield RunEnded(now, run_id, RunStatus.CANCELED, "", run.text, _todo(state, run))
    elif all(leg.closed for leg in run.legs):
        todo = _todo(state, run)
        text = f"{len(todo)} of {len(run.legs)} lines need a person" if todo else "every line was worked to its end"
        yield RunEnded(now, run_id, RunStatus.COMPLETED, "partial" if todo else "", text, todo)


def _go(state: State, around: Surroundings, run_id: RunID, now: UtcNs) -> Facts:
    yield RunStarted(now, run_id)
    yield from advance(state, around, run_id, now)


def _release(state: State, around: Surroundings, run: Run, now: UtcNs) -> Generator[Event, None, bool]:
    """Do what may be done with the unsent legs now; whether anything was."""
    created = run.created
    if all(leg.closed or leg.cl_ord_id is not None for leg in run.legs):
        return False
    link = state.links.get(created.broker)
    if link is None or not link.ready or any(_waits(state, around, leg, now) for leg in run.legs):
        return False
    states = [LineState(leg.line, leg.order_qty, _leg_state(leg), state.instruments[leg.line.symbol]) for leg in run.legs]
    free = cash_book(state, created.account, created.currency).free

    def cost(line: PlanLine, qty: Decimal) -> Decimal:
        return _cost_bound(state, around, line, qty)

    actions = release(states, free, cost)
    for action in actions:
        match action:
            case Send(leg=number, qty=qty):
                line = run.leg(number).line
                parent = Parent(line.side, qty, Qty(ZERO), state.instruments[line.symbol], now)
                for child in ALGOS[_ALGO].due(parent, now):
                    want = order_of_run(
                        created.account,
                        line.symbol,
                        line.side,
                        child.qty,
                        line.position_effect,
                        f"run:{created.run_id}",
                        f"target {line.target_qty}, held {line.held_qty}",
                    )
                    cancel_at = None if created.order_timeout_ns is None else UtcNs(now + created.order_timeout_ns)
                    yield from stage(state, around, want, now, run_id=created.run_id, leg=number, cancel_at=cancel_at)
            case Shrink(leg=number, qty=qty, code=code, reason=reason):
                yield LineResized(now, created.run_id, number, qty, code, reason)
            case Drop(leg=number, code=code, reason=reason):
                yield LineResized(now, created.run_id, number, Qty(ZERO), code, reason)
    return bool(actions)


def _waits(state: State, around: Surroundings, leg: Leg, now: UtcNs) -> bool:
    """Whether an unsent leg's market is shut and opens again today, or has not been heard of since this process began.

    The next look at the broker's books asks again.
    """
    if leg.closed or leg.cl_ord_id is not None:
        return False
    if leg.line.symbol not in around.quotes:
        return True
    hours = state.hours.get(state.instruments[leg.line.symbol].session)
    return hours is not None and hours.opens_later(now)


def _cost_bound(state: State, around: Surroundings, line: PlanLine, qty: Decimal) -> Decimal:
    """The most a buy of this line may take from the free cash; without a market it is the plan's own price plus the buffer."""
    instrument = state.instruments[line.symbol]
    px = bound_px(around, OrdType.MARKET, None, None, instrument, around.quotes.get(line.symbol))
    if px is None:
        px = (line.ref_px or ZERO) * (1 + around.policy.market_buffer)
    value = instrument.notional(px, qty)
    fee = instrument.fees.fee(line.side, qty, value)
    if instrument.asset_class is AssetClass.FUTURE:
        opens = line.position_effect in (PositionEffect.AUTO, PositionEffect.OPEN)
        value = Amount(value * (instrument.margin_rate or Decimal(1)) if opens else ZERO)
    return (value + fee).quantize(instrument.fees.quantum, rounding=ROUND_UP)


def _leg_state(leg: Leg) -> LegState:
    if leg.closed:
        return LegState.CLOSED
    return LegState.WORKING if leg.cl_ord_id is not None else LegState.UNSENT


def _whole_batch_failed(state: State, run: Run) -> bool:
    """Whether orders were sent, all of them are closed, and none of them traded because we or the broker refused."""
    tried = [leg for leg in run.legs if leg.code == "denied" or leg.cl_ord_id is not None]
    if not tried or run.cancel_requested:
        return False
    return all(leg.closed and _refused(state, leg) for leg in tried)


def _refused(state: State, leg: Leg) -> bool:
    if leg.code == "denied":
        return True
    order = state.orders.get(leg.cl_ord_id) if leg.cl_ord_id is not None else None
    if order is None or order.cum_qty:
        return False
    return order.rejected_at is not None or (order.canceled_at is not None and order.send_begun_at is None)


def _todo(state: State, run: Run) -> tuple[int, ...]:
    """Legs a person has to look at: refused, or ended short of what was ordered."""
    todo = []
    for leg in run.legs:
        if leg.code in _LEFT_OVER:
            todo.append(leg.line.leg)
        elif leg.cl_ord_id is not None:
            order = state.orders.get(leg.cl_ord_id)
            if order is not None and order.cum_qty < leg.line.order_qty:
                todo.append(leg.line.leg)
        elif not leg.closed:
            todo.append(leg.line.leg)
    return tuple(todo)


def _denied(cmd: StartRun, seen: Preview, now: UtcNs) -> RunDenied:
    failed = tuple(f"{f.code}: {f.text}" for f in seen.findings)
    return RunDenied(
        now,
        cmd.project_id,
        cmd.decision_snapshot_id,
        cmd.mode,
        cmd.trade_date,
        cmd.account,
        cmd.by,
        cmd.content_hash,
        failed,
    )


def _created(state: State, cmd: StartRun, seen: Preview, now: UtcNs, *, attempt: int, supersedes: RunID | None) -> RunCreated:
    return RunCreated(
        now,
        run_id_of(cmd, attempt),
        cmd.project_id,
        cmd.decision_snapshot_id,
        cmd.mode,
        cmd.trade_date,
        attempt,
        state.accounts[cmd.account].broker,
        cmd.account,
        cmd.currency,
        cmd.by,
        cmd.content_hash,
        cmd.targets,
        cmd.prices,
        seen.cash,
        seen.equity,
        cmd.rounding,
        cmd.limits,
        seen.lines,
        cmd.champion_id,
        cmd.risk_checks,
        cmd.target_exposure,
        cmd.order_timeout_ns,
        cmd.sell_unlisted,
        cmd.execute,
        cmd.hold_for_approval,
        cmd.inputs,
        supersedes,
    )


def run_id_of(cmd: StartRun, attempt: int) -> RunID:
    """Derived from the key, so that the same key names the same run on every machine: trade date, ten hex digits, attempt."""
    key = run_key(cmd.project_id, cmd.decision_snapshot_id, cmd.mode.value, cmd.trade_date, cmd.account)
    return RunID(f"{cmd.trade_date.replace('-', '')}-{sha256(key.encode()).hexdigest()[:10]}-{attempt}")


def _run(state: State, run_id: RunID) -> Run:
    run = state.runs.get(run_id)
    if run is None:
        raise BadInput(f"run was {run_id!r}, which is not known; see `tradeloop runs list`")
    return run


def _word(run: Run) -> str:
    return f"{run.status.value}{' and being cancelled' if run.cancel_requested and run.status not in ENDED else ''}"
