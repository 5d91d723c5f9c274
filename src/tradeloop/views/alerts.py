"""Rows of `alerts`: the troubles that the journal itself shows, each once, and whether they are over.

One row per trouble, by its key: a repeat counts up, the event that ends it resolves it, and who has seen it is noted. What is
sent to whom is alerts/'s work.
"""

from __future__ import annotations

from tradeloop.core import events as ev
from tradeloop.core.run.ending import end_in_words
from tradeloop.core.types import RunStatus
from tradeloop.views.fold import Fold
from tradeloop.views.rows import AlertRow
from tradeloop.views.wanted import alert_ids, break_alert, broker_alert, fate_alert, halt_alert, overfill_alert, run_alert


def alert(fold: Fold, e: ev.Event) -> None:
    """Raise what `e` shows to be wrong, resolve what it shows to be over."""
    match e:
        case ev.FateLost():
            text = f"nobody knows whether order {e.cl_ord_id} is at the broker: {e.text}"
            _raise(fold, e, fate_alert(e.cl_ord_id), "CRITICAL", e.cl_ord_id, text)
        case ev.BrokerDisconnected():
            text = f"the session with {e.broker} is lost: {e.text}"
            _raise(fold, e, broker_alert(e.broker), "CRITICAL", e.broker, text)
        case ev.Overfilled():
            text = f"order {e.cl_ord_id} was filled with {e.excess:f} more than ordered; {e.symbol} takes no new orders"
            _raise(fold, e, overfill_alert(e.symbol), "CRITICAL", e.symbol, text)
        case ev.Halted():
            where = f"{e.scope.value} {e.name}".strip()
            text = f"{e.tier.value} of {where} by {e.by}" + (f": {e.reason}" if e.reason else "")
            _raise(fold, e, halt_alert(e.number), "CRITICAL", where, text)
        case ev.BreakFound():
            text = f"{e.kind} of {e.subject}: ours {e.ours}, theirs {e.theirs}; {e.cause}"
            _raise(fold, e, break_alert(e.break_id), "WARNING", e.subject, text)
        case ev.RunEnded() if e.status is RunStatus.FAILED or e.todo:
            level = "CRITICAL" if e.status is RunStatus.FAILED else "WARNING"
            _raise(fold, e, run_alert(e.run_id), level, e.run_id, end_in_words(e))
        case ev.AlertAcknowledged():
            _acknowledge(fold, e)
        case _:
            for key in alert_ids(e):
                _resolve(fold, e, key)


def _raise(fold: Fold, e: ev.Event, key: str, level: str, subject: str, text: str) -> None:
    row = fold.rows.alerts.get(key)
    if row is None:
        row = AlertRow(
            id=key,
            level=level,
            subject=subject,
            text=text,
            times=0,
            raised_at=e.at,
            last_at=e.at,
            seq=fold.seq,
            updated_seq=fold.seq,
        )
    elif row.resolved_at is not None:
        row.raised_at, row.resolved_at = e.at, None
        row.acknowledged_at, row.acknowledged_by, row.note = None, "", ""
    row.level, row.text, row.last_at, row.updated_seq = level, text, e.at, fold.seq
    row.times += 1
    fold.rows.alerts.put(row)


def _resolve(fold: Fold, e: ev.Event, key: str) -> None:
    row = fold.rows.alerts.get(key)
    if row is not None and row.resolved_at is None:
        row.resolved_at, row.updated_seq = e.at, fold.seq
        fold.rows.alerts.put(row)


def _acknowledge(fold: Fold, e: ev.AlertAcknowledged) -> None:
    """Note who has seen an open alert; the first stands, until the trouble is over and comes back."""
    row = fold.rows.alerts.get(e.alert_id)
    if row is not None and row.resolved_at is None and row.acknowledged_at is None:
        row.acknowledged_at, row.acknowledged_by, row.note = e.at, e.by, e.note
        row.updated_seq = fold.seq
        fold.rows.alerts.put(row)
