"""Rows of `audit_log`: who or which rule did what to what, and what came of it; one row per such event, never changed.

Refusals stand here whole, with every figure (S0-56, S0-67); a refused run leaves nothing else. The journal is the proof,
this is the index.
"""

from __future__ import annotations

from tradeloop.core import events as ev
from tradeloop.core.risk.limit_changes import Changes
from tradeloop.views.fold import Fold
from tradeloop.views.rows import AuditRow


def audit(fold: Fold, e: ev.Event) -> None:
    """Note `e` where a person, a rule or the engine itself caused it."""
    row = _row(e, fold)
    if row is not None:
        fold.rows.audit.put(row)


def _row(e: ev.Event, fold: Fold) -> AuditRow | None:
    match e:
        case ev.EngineStarted():
            text = f"version {e.version}, epoch {e.epoch}, group {e.group}, configuration {e.config_hash or 'not named'}"
            text += "".join(f", broker {each.name} ({each.kind}{', live' if each.live else ''})" for each in e.brokers)
            return _of(fold, e, "engine", e.group, text)
        case ev.AccountAdopted():
            text = f"took {len(e.positions)} positions and {len(e.cash)} currencies from {e.broker}"
            return _of(fold, e, "engine", e.account, text, account=e.account)
        case ev.OrderStaged():
            text = f"{e.side.value} {e.order_qty:f} {e.symbol} {e.ord_type.value}"
            text += "" if e.price is None else f" at {e.price:f}"
            text += f", {_passed(e)}"
            return _of(fold, e, e.by, e.cl_ord_id, text, account=e.account, run=e.run_id)
        case ev.OrderDenied():
            text = f"{e.text} (asked by {e.by}: {e.side.value} {e.order_qty:f} {e.symbol}; {_compared(e)})"
            who = f"rule:{e.rule}"
            return _of(fold, e, who, e.cl_ord_id, text, "denied", account=e.account, run=e.run_id)
        case ev.LateOrderDenied():
            order = fold.rows.orders.get(e.cl_ord_id)
            account, run = ("", None) if order is None else (order.account_id, order.trade_run_id)
            text = f"{e.text} (when its turn came; {_compared(e)})"
            return _of(fold, e, f"rule:{e.rule}", e.cl_ord_id, text, "denied", account=account, run=run)
        case ev.CancelRequested():
            order = fold.rows.orders.get(e.cl_ord_id)
            account, run = ("", None) if order is None else (order.account_id, order.trade_run_id)
            return _of(fold, e, e.by, e.cl_ord_id, e.reason, "asked", account=account, run=run)
        case (
            ev.ReplaceRequested()
            | ev.ReplaceDenied()
            | ev.OrderReplaced()
            | ev.ReplaceRejected()
            | ev.ReplaceFateLost()
            | ev.OrderRestated()
        ):
            return _of_replace(fold, e)
        case ev.OrderResolved() | ev.NotSentProven():
            order = fold.rows.orders.get(e.cl_ord_id)
            account, run = ("", None) if order is None else (order.account_id, order.trade_run_id)
            if isinstance(e, ev.OrderResolved):
                return _of(fold, e, e.by, e.cl_ord_id, f"as {e.as_}: {e.reason}", account=account, run=run)
            text = f"{e.looks} complete looks at the broker's books did not show it"
            return _of(fold, e, "rule:absence", e.cl_ord_id, text, account=account, run=run)
        case ev.Overfilled():
            text = f"order {e.cl_ord_id} was filled with {e.excess:f} too much; no new orders in {e.symbol}"
            return _of(fold, e, "rule:overfill", e.symbol, text, "halted")
        case ev.FeeDistrusted():
            text = f"a commission of {e.commission:f} for fill {e.exec_id} is not believed; {e.charged:f} was charged"
            return _of(fold, e, "rule:fee", e.cl_ord_id, text, "denied", account=e.account)
        case ev.ListingRefused():
            return _of(fold, e, "rule:relisting", e.symbol, e.text, "denied")
        case ev.MainContractSwitched():
            before = "" if e.before is None else f"in the place of {e.before}"
            return _of(fold, e, e.by, e.symbol, "; ".join(filter(None, (before, e.reason))))
        case ev.AlertAcknowledged():
            return _of(fold, e, e.by, e.alert_id, e.note)
        case ev.SymbolReleased():
            return _of(fold, e, e.by, e.symbol, e.reason + _given(e))
        case ev.Halted():
            text = f"{e.tier.value} of {e.scope.value} {e.name}".strip() + (f": {e.reason}" if e.reason else "")
            return _of(fold, e, e.by, f"halt {e.number}", text + (", by the latch file" if e.from_file else ""), "halted")
        case ev.HaltReleased():
            return _of(fold, e, e.by, f"halt {e.number}", e.reason + _given(e))
        case ev.HaltChecked():
            text = "; ".join((e.text, *e.held))
            return _of(fold, e, "engine", f"halt {e.number}", text, "done" if e.done else "asked")
        case (
            ev.LimitsConfigured() | ev.LimitSet() | ev.LimitEnded() | ev.LimitPassed() | ev.OrderThrottled() | ev.LimitTripped()
        ):
            return _of_limit(fold, e)
        case ev.RunCreated():
            text = f"{e.mode.value} of {len(e.targets)} targets, attempt {e.attempt}, trade date {e.trade_date}"
            text += ("" if e.supersedes is None else f", after {e.supersedes}") + _confirmed(e)
            return _of(fold, e, e.by, e.run_id, text, account=e.account, run=e.run_id)
        case ev.RunDenied():
            text = f"{'; '.join(e.failed)} (asked by {e.by}, mode {e.mode.value}, trade date {e.trade_date})"
            subject = f"{e.project_id}/{e.decision_snapshot_id}"
            return _of(fold, e, "rule:run", subject, text, "denied", account=e.account)
        case ev.RunApproved():
            return _of_run(fold, e, e.by, _confirmed(e).removeprefix(", "))
        case ev.RunResumed():
            return _of_run(fold, e, e.by, "")
        case ev.RunPaused():
            return _of_run(fold, e, e.by, e.reason)
        case ev.RunCancelRequested():
            return _of_run(fold, e, e.by, e.reason, "asked")
        case ev.LineResized():
            text = f"leg {e.leg} is worked with {e.order_qty:f}: {e.reason}"
            return _of_run(fold, e, f"rule:{e.code}", text)
        case ev.RunEnded():
            return _of_run(fold, e, "engine", f"{e.code} {e.text}".strip(), e.status.value.lower())
        case ev.BreakClosed() if e.by:
            return _of(fold, e, e.by, e.break_id, e.why)
        case ev.BooksAdjusted():
            text = f"{e.kind} of {e.subject} by {e.delta}, for break {e.break_id}: {e.reason}"
            return _of(fold, e, e.by, e.subject, text, account=e.account)
        case _:
            return None


LimitWord = ev.LimitsConfigured | ev.LimitSet | ev.LimitEnded | ev.LimitPassed | ev.OrderThrottled | ev.LimitTripped


def _of_limit(fold: Fold, e: LimitWord) -> AuditRow:
    """Who set which limit and why, and which orders met one that did not refuse them."""
    match e:
        case ev.LimitsConfigured():
            many = "1 limit" if len(e.limits) == 1 else f"{len(e.limits)} limits"
            reason = f": {e.reason}" if e.reason else ""
            agreed = f"; approved by {e.approved_by}" if e.approved_by else ""
            news = Changes(e.ended, e.looser, e.tighter).sentence
            text = f"{many} from {e.origin or 'a command'}{reason}{agreed}{news}"
            return _of(fold, e, e.by or "engine", "limits", text)
        case ev.LimitSet():
            agreed = f"; approved by {e.approved_by}" if e.approved_by else ""
            text = f"{e.limit.value:f} of {e.limit.where}: {e.limit.reason}{agreed}"
            return _of(fold, e, e.limit.by, f"limit {e.limit.rule}", text)
        case ev.LimitEnded():
            return _of(fold, e, e.by, f"limit {e.limit_id.split('|', 1)[0]}", f"over: {e.reason}")
        case ev.LimitPassed():
            text = f"limit {e.limit} of {e.scope}, was {e.was}, and the order adds {e.this_order}"
            return _of(fold, e, f"rule:{e.rule}", e.cl_ord_id, text, "shadow" if e.shadow else "warned")
        case ev.LimitTripped():
            text = f"limit {e.limit}, was {e.was}"
            outcome = "unknown" if e.was.startswith("unknown") else "halted"
            return _of(fold, e, f"rule:{e.rule}", e.what, text, "shadow" if e.shadow else outcome)
        case ev.OrderThrottled():
            return _of(fold, e, f"rule:{e.rule}", e.cl_ord_id, f"limit {e.limit}, was {e.was}; it waits", "throttled")


ReplaceWord = (
    ev.ReplaceRequested | ev.ReplaceDenied | ev.OrderReplaced | ev.ReplaceRejected | ev.ReplaceFateLost | ev.OrderRestated
)


def _of_replace(fold: Fold, e: ReplaceWord) -> AuditRow:
    """Every step of a change of terms, so that an order's quantity and price can be explained at any time."""
    order = fold.rows.orders.get(e.cl_ord_id)
    account, run = ("", None) if order is None else (order.account_id, order.trade_run_id)
    broker = "" if order is None else order.broker
    who, text, result = f"broker:{broker}", "", "done"
    match e:
        case ev.ReplaceRequested():
            who, result = e.by, "asked"
            text = f"change {e.number} to {_terms(e)}, {_passed(e)}"
        case ev.ReplaceDenied():
            who, result = f"rule:{e.rule}", "denied"
            text = f"{e.text} (asked by {e.by}: {_terms(e)}; {_compared(e)})"
        case ev.OrderReplaced():
            text = f"change {e.number}: {_terms(e)} from now on"
        case ev.ReplaceRejected():
            result = "refused"
            text = f"change {e.number}: {e.code + ': ' if e.code else ''}{e.text}"
        case ev.ReplaceFateLost():
            who, result = "engine", "unknown"
            text = f"change {e.number}: {e.text}"
        case ev.OrderRestated():
            text = f"{_terms(e)} from now on, without being asked" + (f": {e.text}" if e.text else "")
    return _of(fold, e, who, e.cl_ord_id, text, result, account=account, run=run)


def _compared(e: ev.OrderDenied | ev.LateOrderDenied | ev.ReplaceDenied) -> str:
    """What a denial compared, and over what it is counted."""
    figures = (("limit", e.limit), ("was", e.was), ("this order", e.this_order), ("of", e.scope))
    return ", ".join(f"{name} {figure}" for name, figure in figures if figure)


def _passed(e: ev.OrderStaged | ev.ReplaceRequested) -> str:
    """By which rules it went, who agreed beside whoever asked, and why it was asked for."""
    agreed = f", approved by {e.approved_by}" if e.approved_by else ""
    return f"passed rules {e.risk_version}{agreed}{_confirmed(e)}" + (f"; {e.reason}" if e.reason else "")


def _terms(e: ev.ReplaceRequested | ev.ReplaceDenied | ev.OrderReplaced | ev.OrderRestated) -> str:
    text = f"{e.order_qty:f}" + ("" if e.price is None else f" at {e.price:f}")
    return text + ("" if e.stop_px is None else f", once at {e.stop_px:f}")


RunWord = ev.RunApproved | ev.RunResumed | ev.RunPaused | ev.RunCancelRequested | ev.LineResized | ev.RunEnded


def _of_run(fold: Fold, e: RunWord, who: str, text: str, result: str = "done") -> AuditRow:
    run = fold.rows.runs.get(e.run_id)
    account = "" if run is None else run.account_id
    return _of(fold, e, who, e.run_id, text, result, account=account, run=e.run_id)


def _given(e: ev.HaltReleased | ev.SymbolReleased) -> str:
    """Which second factor a release was given with, and whose it is."""
    whose = f", set up by {e.set_up_by}" if e.set_up_by else ""
    return f" (second factor given: {e.second_factor}{whose})" if e.second_factor else ""


def _confirmed(e: ev.OrderStaged | ev.ReplaceRequested | ev.RunCreated | ev.RunApproved) -> str:
    """What whoever did it confirmed for a live account: the words, the second factor, and the hash of what they saw."""
    given = e.confirmed
    if given is None:
        return ""
    whose = f" set up by {given.set_up_by}" if given.set_up_by else ""
    return f", confirmed with {given.phrase!r} and {given.second_factor}{whose} for {given.content[:12]}"


def _of(
    fold: Fold,
    e: ev.Event,
    who: str,
    subject: str,
    text: str,
    result: str = "done",
    *,
    account: str = "",
    run: str | None = None,
) -> AuditRow:
    return AuditRow(
        id=str(fold.seq),
        at=e.at,
        who=who,
        what=type(e).__name__,
        subject=subject,
        account_id=account,
        trade_run_id=run,
        result=result,
        text=text,
        seq=fold.seq,
    )
