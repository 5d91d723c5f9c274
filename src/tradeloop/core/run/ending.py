"""What became of the legs of a run: whether all of them failed, what is left over, and how the run ends."""

from __future__ import annotations

from typing import Final

from tradeloop.core.events import RunEnded
from tradeloop.core.run.sending import DAY_OVER
from tradeloop.core.run_book import Leg, Run
from tradeloop.core.state import State
from tradeloop.core.types import RunStatus, UtcNs

FAILED_BATCH: Final = "FAILED_BATCH"
PARTIAL: Final = "partial"
ALL_DONE: Final = "every line was worked to its end"

_LEFT_OVER = frozenset(
    {
        "denied",
        "price_drift",
        "cash_short",
        "no_cash",
        "t1_shortfall",
        "no_price",
        "stale_price",
        "suspended",
        "order_cap",
        DAY_OVER,
    }
)
"""Codes of lines that want more than was ordered and could have it another time; not what rounding leaves over."""


def whole_batch_failed(state: State, run: Run) -> bool:
    """Whether orders were tried, all of them are closed, and none of them traded because we or the broker refused."""
    tried = False
    for leg in run.legs:
        if leg.code != "denied" and leg.cl_ord_id is None:
            continue
        if not leg.closed or not _refused(state, leg):
            return False
        tried = True
    return tried and not run.cancel_requested


def _refused(state: State, leg: Leg) -> bool:
    """Refused by risk, by the broker, or given up by the engine; not taken back by a person or a time-out."""
    if leg.code == "denied":
        return True
    order = state.orders.get(leg.cl_ord_id) if leg.cl_ord_id is not None else None
    if order is None or order.cum_qty:
        return False
    return order.rejected_at is not None or order.given_up


def left_over(state: State, run: Run) -> tuple[int, ...]:
    """Legs a person has to look at: refused, given up, never sent, or ended short of what was ordered."""
    todo = []
    for leg in run.legs:
        if leg.code in _LEFT_OVER or leg.line.code in _LEFT_OVER:
            todo.append(leg.line.leg)
        elif leg.cl_ord_id is not None:
            order = state.orders.get(leg.cl_ord_id)
            if order is not None and order.cum_qty < leg.line.order_qty:
                todo.append(leg.line.leg)
        elif not leg.closed:
            todo.append(leg.line.leg)
    return tuple(todo)


def end_in_words(e: RunEnded) -> str:
    """What is told of an end that a person has to know about."""
    return f"run {e.run_id} ended {f'{e.status.value} {e.code}'.rstrip()}{f': {e.text}' if e.text else ''}"


def ended(state: State, run: Run, now: UtcNs, *, day_over: bool = False) -> RunEnded:
    """The end of a run whose legs are all closed. One that its trading day left behind without a fill has failed, but not
    where there was nothing to give up: `day_over` is then what ended it.
    """
    run_id = run.created.run_id
    todo = left_over(state, run)
    text = f"{len(todo)} of {len(run.legs)} lines need a person" if todo else ALL_DONE
    gave_up = any(leg.code == DAY_OVER for leg in run.legs)
    if day_over or gave_up:
        text = f"trading day {run.created.trade_date} is over; {text}"
        if gave_up and not any(_traded(state, leg) for leg in run.legs):
            return RunEnded(now, run_id, RunStatus.FAILED, DAY_OVER, text, todo)
    return RunEnded(now, run_id, RunStatus.COMPLETED, PARTIAL if todo else "", text, todo)


def _traded(state: State, leg: Leg) -> bool:
    order = state.orders.get(leg.cl_ord_id) if leg.cl_ord_id is not None else None
    return order is not None and bool(order.cum_qty)
