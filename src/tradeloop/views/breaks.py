"""Rows of `breaks`: differences between books, from the day they were found to the day they closed."""

from __future__ import annotations

from tradeloop.core import events as ev
from tradeloop.views.columns import shown
from tradeloop.views.fold import Fold
from tradeloop.views.rows import BreakRow


def found(fold: Fold, e: ev.BreakFound) -> None:
    """A difference; one that had been closed before opens again and keeps count."""
    before = fold.rows.breaks.get(e.break_id)
    fold.rows.breaks.put(
        BreakRow(
            id=e.break_id,
            kind=e.kind,
            broker=e.broker,
            account_id=e.account,
            subject=e.subject,
            ours=e.ours,
            theirs=e.theirs,
            delta=shown(e.delta),
            cause=e.cause,
            repair=e.repair,
            status="OPEN",
            times=1 if before is None else before.times + 1,
            found_at=e.at,
            changed_at=e.at,
            seq=fold.seq if before is None else before.seq,
            updated_seq=fold.seq,
        )
    )


def changed(fold: Fold, e: ev.BreakChanged) -> None:
    """The figures of a break moved."""
    row = fold.rows.breaks.get(e.break_id)
    if row is not None:
        row.ours, row.theirs, row.delta = e.ours, e.theirs, shown(e.delta)
        row.changed_at, row.updated_seq = e.at, fold.seq
        fold.rows.breaks.put(row)


def closed(fold: Fold, e: ev.BreakClosed) -> None:
    """A break is no more."""
    row = fold.rows.breaks.get(e.break_id)
    if row is not None:
        row.status, row.why, row.closed_by, row.closed_at = "CLOSED", e.why, e.by, e.at
        row.changed_at, row.updated_seq = e.at, fold.seq
        fold.rows.breaks.put(row)
