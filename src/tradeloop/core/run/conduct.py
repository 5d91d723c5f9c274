"""How a run is born, worked and ended: from target to orders, wave by wave.

A run freezes what it was decided from, then releases orders as core/run/release.py allows: sells first, buys as real sell
fills fund them. What is filled stays filled, whatever becomes of the run (S0-40). When every order sent so far failed,
nothing further is sent (FAILED_BATCH); when some failed, the good ones go on and the rest is a list for a person.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from decimal import Decimal
from hashlib import sha256

import msgspec
from msgspec.structs import replace

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
from tradeloop.core.errors import BadInput, Conflicts, NotKnown
from tradeloop.core.events import (
    Event,
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
from tradeloop.core.replies import RunReply
from tradeloop.core.risk.live import trades_live
from tradeloop.core.risk.stopped import stopped_run
from tradeloop.core.run.attempts import retried_lines, seen_px
from tradeloop.core.run.checks import Finding, checks, reasons_first
from tradeloop.core.run.confirming import confirmed_of, goes_at_once, refuse_unconfirmed, why_not_live
from tradeloop.core.run.drift import at_market, far, far_from_market
from tradeloop.core.run.ending import FAILED_BATCH, ended, left_over, whole_batch_failed
from tradeloop.core.run.funds import cash_book, equity_of, holdings, hours_of, lacking
from tradeloop.core.run.old_quote import refuse_an_old_quote
from tradeloop.core.run.others import newer_target, others_at_work
from tradeloop.core.run.plan import plan
from tradeloop.core.run.sending import DAY_OVER, day_is_over, give_up_the_day, send_ready
from tradeloop.core.run.sizing import Held
from tradeloop.core.run_book import Run
from tradeloop.core.staging import cancel, send_late
from tradeloop.core.state import State, run_key
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import (
    ZERO,
    Amount,
    Mode,
    RunID,
    RunStatus,
    Symbol,
    UtcNs,
)

Facts = Generator[Event, None, None]
ENDED = (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELED)


class Preview(msgspec.Struct, frozen=True):
    """What a run would be, at this moment: its plan, or why it may not be. Dry-run shows it and sends nothing.

    `following` are findings that only follow from one of `findings`: no reason of their own, kept for the record.
    `last_prices` are older than a run would take: their market is shut, and a dry-run plans with the last there were.
    """

    findings: tuple[Finding, ...]
    lines: tuple[PlanLine, ...]
    cash: Amount
    equity: Amount
    following: tuple[Finding, ...] = ()
    last_prices: tuple[SeenPrice, ...] = ()


def preview(state: State, cmd: StartRun, now: UtcNs, max_drift: Decimal) -> Preview:
    """Check and plan a run without making it; a price of the target may be `max_drift` from the market's. Raises BadInput when
    the account is not known.
    """
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
    open_days = [h.trading_day for h in hours if h is not None]
    ageless = _ageless(state, cmd, held, now)
    refused = far_from_market(cmd.targets, cmd.prices, now, cmd.limits.max_quote_age_ns, max_drift, ageless)
    findings = checks(cmd, state.instruments, held, free, equity, now, trading, windows, open_days, ageless, refused)
    if unpriced:
        named = ", ".join(lacking(state, cmd.account, unpriced))
        findings += (
            Finding("equity_unknown", f"the equity needs a price for every holding, was none for {named}; start its feed"),
        )
    findings += tuple(others_at_work(state, cmd.account, _touched(cmd, held)))
    halted = stopped_run(state, cmd.account, state.accounts[cmd.account].broker, cmd.strategy)
    if halted is not None:
        findings += (Finding(halted.rule, halted.text),)
    if findings:
        found = reasons_first(findings)
        following = tuple(finding for finding in found if finding.follows_from)
        return Preview(found[: len(found) - len(following)], (), free, Amount(equity), following)
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
        ageless=ageless,
        refused=refused,
    )
    brought = {target.symbol for target in cmd.targets if target.price is not None}
    old = (p for p in cmd.prices if p.symbol in ageless and now - p.at > cmd.limits.max_quote_age_ns)
    return Preview((), lines, free, Amount(equity), last_prices=tuple(p for p in old if p.symbol not in brought))


def _ageless(state: State, cmd: StartRun, held: Mapping[Symbol, Held], now: UtcNs) -> tuple[Symbol, ...]:
    """What a dry-run plans at its last price however old that is: its market is shut, and brings no newer one (S1-41)."""
    if cmd.mode is not Mode.DRY_RUN:
        return ()
    hours = {s: state.hours.get(state.instruments[s].session) for s in _touched(cmd, held) if s in state.instruments}
    return tuple(symbol for symbol, each in hours.items() if each is not None and not each.is_open(now))


def _touched(cmd: StartRun, held: Mapping[Symbol, Held]) -> tuple[Symbol, ...]:
    """The symbols a run may order in: those it names, and the holdings it does not name where it sells them."""
    return (*(target.symbol for target in cmd.targets), *(held if cmd.sell_unlisted else ()))


def start(state: State, around: Surroundings, cmd: StartRun, now: UtcNs) -> Generator[Event, None, RunReply]:
    """Make a run, once per key (S0-46, S0-60). Raises BadInput when the key exists with other content."""
    key = run_key(cmd.project_id, cmd.decision_snapshot_id, cmd.mode.value, cmd.trade_date, cmd.account)
    known = state.run_keys.get(key)
    if known is not None:
        run = state.runs[known]
        if run.created.content_hash != cmd.content_hash:
            raise Conflicts(
                f"run {known} exists for this project, snapshot, mode and trade date with other content: its target,"
                " its decision, its rounding or its strategy was another; give what it was made from, or a new"
                " decision_snapshot_id"
            )
        return RunReply(known, run.status, repeat=True)
    if cmd.mode is Mode.DRY_RUN:
        raise BadInput("a dry run is previewed, never made; ask for the plan instead")
    seen = preview(state, cmd, now, around.policy.max_drift)
    seen = _at_a_live_account(state, around, cmd, seen)
    if seen.findings:
        yield _denied(cmd, seen, now)
        return RunReply(None, None, failed=_said(seen.findings))
    created = _created(state, around, cmd, seen, now, attempt=1, supersedes=None)
    yield created
    if cmd.execute and not cmd.hold_for_approval:
        yield from _go(state, around, created.run_id, now)
    return RunReply(created.run_id, state.runs[created.run_id].status)


def _at_a_live_account(state: State, around: Surroundings, cmd: StartRun, seen: Preview) -> Preview:
    """What was seen, and why a run of it may not be made, or may not go at once, where its account is live."""
    found = None if seen.findings else why_not_live(state, around, cmd, run_id_of(cmd, 1), seen.lines)
    return seen if found is None else replace(seen, findings=(found,))


def approve(state: State, around: Surroundings, cmd: ApproveRun, now: UtcNs) -> Generator[Event, None, RunReply]:
    """Let a planned run go, held for approval or not (S0-43, S1-56); who did is in the journal either way.

    The plan is looked at once more: its day, its prices, its holdings, and what else is at work in its symbols. Raises BadInput
    where one of them is no longer what it was, and NotConfirmed where its account is live and nobody confirmed this plan. That
    the approver is another person than the author is not asked here: the core knows names, not people, and a desk of one could
    approve nothing. Where it is, its orders go as approved by them, too.
    """
    run = _run(state, cmd.run_id)
    if not cmd.by.strip():
        raise BadInput("a run is approved by a named person; the name was empty")
    if run.status not in (RunStatus.NEW, RunStatus.AWAITING_APPROVAL):
        return RunReply(cmd.run_id, run.status, repeat=True)
    refuse_to_go(state, around, run, now)
    refuse_unconfirmed(state, around, run, cmd.confirmed)
    yield RunApproved(now, cmd.run_id, cmd.by, confirmed_of(state, around, run.created.broker, cmd.confirmed))
    yield from _go(state, around, cmd.run_id, now)
    return RunReply(cmd.run_id, run.status)


def refuse_to_go(state: State, around: Surroundings, run: Run, now: UtcNs) -> None:
    """Raise BadInput where a run that waits could not go now, whoever lets it: nobody is asked for a code then."""
    _refuse_under_a_halt(state, run)
    _refuse_another_day(state, run)
    _refuse_an_old_target(state, run)
    _refuse_another_market(state, around, run, now)


def _refuse_under_a_halt(state: State, run: Run) -> None:
    """Raise BadInput while nothing of the run could leave."""
    created = run.created
    halted = stopped_run(state, created.account, created.broker, created.strategy_id)
    if halted is not None:
        raise BadInput(f"run {created.run_id} cannot go: {halted.text}")


def _refuse_another_day(state: State, run: Run) -> None:
    """Raise BadInput when the trading day of the run is not the one its markets are in."""
    day = run.created.trade_date
    sessions = dict.fromkeys(state.instruments[leg.line.symbol].session for leg in run.legs if leg.line.order_qty)
    known = [state.hours.get(session) for session in sessions]
    if any(hours is None or hours.trading_day != day for hours in known):
        raise BadInput(
            f"run {run.created.run_id} was planned for {day}, which is not the trading day now; make a run for today"
        )


def _refuse_an_old_target(state: State, run: Run) -> None:
    """Raise BadInput when what the run would trade has another target by now: held back, it missed the newer decision."""
    newer = newer_target(state, run, (leg.line.symbol for leg in run.legs if leg.line.order_qty))
    if newer is not None:
        raise BadInput(
            f"run {run.created.run_id} was planned before run {newer} began towards another target, which this one would undo;"
            " make a new run"
        )


def _refuse_another_market(state: State, around: Surroundings, run: Run, now: UtcNs) -> None:
    """Raise BadInput when a plan that waited is no longer the plan that would be made.

    While its market is shut a symbol's last quote is the newest there is; its legs wait for a current one (run/sending.py).
    A symbol that was suspended meanwhile brings no newer one either: the gate denies its legs, and the others go.
    """
    created = run.created
    limit = around.policy.max_drift
    lines = [leg.line for leg in run.legs if not leg.closed]
    for line in lines:
        quote = around.quotes.get(line.symbol)
        if quote is not None and quote.suspended:
            continue
        seen = None if quote is None else quote.mid_or_last
        then = seen_px(run, line)
        if seen is None or then is None:
            raise BadInput(f"run {created.run_id} needs a present price of {line.symbol}, none was known; start its feed")
        if quote is not None and state.hours[state.instruments[line.symbol].session].is_open(now):
            refuse_an_old_quote(around, run, quote, now)
        if far(then, seen, limit):
            raise BadInput(
                f"run {created.run_id} was planned with {line.symbol} at {then:f}, which was {seen:f} now; at most"
                f" {limit:.2%} of change is allowed, make a new run"
            )
        held = state.held(created.account, line.symbol).net_qty
        if held != line.held_qty:
            raise BadInput(
                f"run {created.run_id} was planned with {line.held_qty:f} {line.symbol} held, it was {held:f} now;"
                " make a new run"
            )
    others = others_at_work(state, created.account, (line.symbol for line in lines), created.run_id)
    if others:
        raise BadInput(f"run {created.run_id} cannot go: {'; '.join(finding.text for finding in others)}")


def pause(state: State, cmd: PauseRun, now: UtcNs) -> Generator[Event, None, RunReply]:
    """Release nothing more; what works goes on working."""
    run = _run(state, cmd.run_id)
    if run.status is RunStatus.RUNNING and not run.cancel_requested:
        yield RunPaused(now, cmd.run_id, cmd.by, cmd.reason)
    elif run.status is not RunStatus.PAUSED:
        raise Conflicts(f"run {cmd.run_id} is {_word(run)}; only a RUNNING one can be paused")
    return RunReply(cmd.run_id, run.status)


def resume(state: State, around: Surroundings, cmd: ResumeRun, now: UtcNs) -> Generator[Event, None, RunReply]:
    """Go on with a paused run, on its own trading day. Raises BadInput on another: cancel it, what it sent stays."""
    run = _run(state, cmd.run_id)
    if run.status is RunStatus.PAUSED:
        _refuse_under_a_halt(state, run)
        _refuse_another_day(state, run)
        yield RunResumed(now, cmd.run_id, cmd.by)
        for leg in run.legs:
            order = None if leg.cl_ord_id is None or leg.closed else state.orders.open.get(leg.cl_ord_id)
            if order is not None:
                yield from send_late(state, around, order, now)
        yield from advance(state, around, cmd.run_id, now)
    elif run.status is not RunStatus.RUNNING:
        raise Conflicts(f"run {cmd.run_id} is {_word(run)}; only a PAUSED one can be resumed")
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

    The targets in units are those of the first attempt: its equity and the prices it could use are used again
    (core/run/attempts.py), but for what is worth more than its weight by now; what the market shows is frozen beside them. A
    price that the target brought is held against the market as in a run. What the first attempt had
    to wait for, each attempt waits for again: an approval, or somebody who lets it go. Only what was to be ordered and was not
    is taken up: a holding that the run was told to keep is kept. Raises Conflicts where a newer run has another target for it.
    At a live account it waits at NEW: nobody has seen its plan, which is another one, and it goes when that is confirmed.
    """
    old = _run(state, cmd.run_id)
    if old.status not in ENDED:
        raise Conflicts(f"run {cmd.run_id} is {_word(old)}; only one that ended can be retried")
    if old.superseded_by is not None:
        raise Conflicts(f"run {cmd.run_id} was retried as {old.superseded_by}; retry that one")
    if not cmd.by.strip():
        raise BadInput("a retry is made by a named person; --by was empty")
    was = old.created
    wanted = {old.leg(number).line.symbol for number in left_over(state, old)}
    if not wanted:
        raise Conflicts(f"run {cmd.run_id} left nothing over; there is nothing to retry")
    newer = newer_target(state, old, wanted)
    if newer is not None:
        raise Conflicts(
            f"run {newer} began after {cmd.run_id}, towards another target, which a retry would undo; retry {newer} if it left"
            " something over, or run the portfolio again under another decision_snapshot_id"
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
        prices=cmd.prices,
        content_hash=was.content_hash,
        champion_id=was.champion_id,
        risk_checks=was.risk_checks,
        rounding=was.rounding,
        # How old a price may be is a matter of the desk it is traded at now, such as one that replays faster.
        limits=replace(was.limits, max_quote_age_ns=around.policy.max_quote_age_ns),
        order_timeout_ns=was.order_timeout_ns,
        sell_unlisted=False,
        execute=was.execute and not trades_live(state, around, was.broker),
        hold_for_approval=was.hold_for_approval,
        inputs=was.inputs,
        strategy_id=was.strategy_id,
    )
    planned = replace(again, targets=at_market(targets, cmd.prices))
    seen = _at_a_live_account(state, around, planned, preview(state, planned, now, around.policy.max_drift))
    if seen.findings:
        yield _denied(again, seen, now)
        return RunReply(None, None, failed=_said(seen.findings))
    lines, refused = retried_lines(state, old, planned, now, around.policy.max_drift)
    if refused and not any(line.order_qty for line in lines):
        seen = Preview(tuple(Finding(code, text) for code, text in refused.values()), (), seen.cash, was.equity)
        yield _denied(again, seen, now)
        return RunReply(None, None, failed=_said(seen.findings))
    seen = Preview((), lines, seen.cash, was.equity)
    created = _created(state, around, again, seen, now, attempt=was.attempt + 1, supersedes=cmd.run_id)
    yield created
    if created.execute and not created.hold_for_approval:
        yield from _go(state, around, created.run_id, now)
    return RunReply(created.run_id, state.runs[created.run_id].status)


def advance(state: State, around: Surroundings, run_id: RunID, now: UtcNs) -> Facts:
    """Look at a run again: send what may go now, and end it when nothing is left to happen.

    A run that is paused or waits for a person releases nothing; its day ends all the same, and nobody could let it go after it.
    """
    run = state.runs.live.get(run_id)
    if run is None:
        return  # it has ended
    if run.status is not RunStatus.RUNNING and not run.cancel_requested:
        yield from give_up_the_day(state, run, now)
    if run.status in (RunStatus.NEW, RunStatus.AWAITING_APPROVAL) and not run.cancel_requested:
        over = any(leg.code == DAY_OVER for leg in run.legs) or day_is_over(state, run, now)
        if over and all(leg.closed for leg in run.legs):
            yield ended(state, run, now, day_over=True)
        return
    while not whole_batch_failed(state, run):
        if run.status is not RunStatus.RUNNING or run.cancel_requested:
            break
        # What was denied works no more, so that what waited for its money may go now or never: ask until nothing is left to do.
        if not (yield from send_ready(state, around, run, now)):
            break
    else:
        text = "every order sent so far failed"
        yield RunEnded(now, run_id, RunStatus.FAILED, FAILED_BATCH, text, left_over(state, run))
        return
    if run.cancel_requested:
        if all(leg.closed or leg.cl_ord_id is None for leg in run.legs):
            yield RunEnded(now, run_id, RunStatus.CANCELED, "", run.text, left_over(state, run))
    elif all(leg.closed for leg in run.legs):
        yield ended(state, run, now)


def _go(state: State, around: Surroundings, run_id: RunID, now: UtcNs) -> Facts:
    yield RunStarted(now, run_id)
    yield from advance(state, around, run_id, now)


def _denied(cmd: StartRun, seen: Preview, now: UtcNs) -> RunDenied:
    failed = _said(seen.findings) + tuple(
        f"{said} (follows from {f.follows_from})" for f, said in zip(seen.following, _said(seen.following), strict=True)
    )
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


def _said(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(f"{finding.code}: {finding.text}" for finding in findings)


def _created(
    state: State, around: Surroundings, cmd: StartRun, seen: Preview, now: UtcNs, *, attempt: int, supersedes: RunID | None
) -> RunCreated:
    given = cmd.confirmed if goes_at_once(cmd) else None
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
        cmd.strategy,
        confirmed_of(state, around, state.accounts[cmd.account].broker, given),
    )


def run_id_of(cmd: StartRun, attempt: int) -> RunID:
    """Derived from the key, so that the same key names the same run on every machine: trade date, ten hex digits, attempt."""
    key = run_key(cmd.project_id, cmd.decision_snapshot_id, cmd.mode.value, cmd.trade_date, cmd.account)
    return RunID(f"{cmd.trade_date.replace('-', '')}-{sha256(key.encode()).hexdigest()[:10]}-{attempt}")


def _run(state: State, run_id: RunID) -> Run:
    run = state.runs.get(run_id)
    if run is None:
        raise NotKnown(f"run was {run_id!r}, which is not known; see `tradeloop runs list`")
    return run


def _word(run: Run) -> str:
    return f"{run.status.value}{' and being cancelled' if run.cancel_requested and run.status not in ENDED else ''}"
