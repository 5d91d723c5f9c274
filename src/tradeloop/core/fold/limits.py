"""Facts of the limits of risk, and of the orders that they told of or held back."""

from __future__ import annotations

from tradeloop.core import events as ev
from tradeloop.core.marks import Mark
from tradeloop.core.state import State


def limits_configured(state: State, e: ev.LimitsConfigured) -> None:
    state.limits.configure(e.limits)
    _watch(state)


def limit_set(state: State, e: ev.LimitSet) -> None:
    state.limits.set(e.limit)
    _watch(state)


def limit_ended(state: State, e: ev.LimitEnded) -> None:
    state.limits.end(e.limit_id)
    _watch(state)


def _watch(state: State) -> None:
    """What the limits in force count over, and what only some rules ask for."""
    state.activity.watch(state.limits.scopes)
    state.exposure.own.watch(state.limits.rules, state.orders.open, state.instruments)


def limit_passed(state: State, e: ev.LimitPassed) -> None:
    """What people are told of; the order goes."""


def late_order_denied(state: State, e: ev.LateOrderDenied) -> None:
    """Why the order ends, which the next fact says."""


def limit_tripped(state: State, e: ev.LimitTripped) -> None:
    state.limits.tripped[e.limit_id, e.what] = e.at


def limit_cleared(state: State, e: ev.LimitCleared) -> None:
    state.limits.tripped.pop((e.limit_id, e.what), None)


def equity_marked(state: State, e: ev.EquityMarked) -> None:
    before = state.marks.get((e.account, e.currency))
    if before is None or before.trading_day < e.trading_day:
        highest = e.equity if before is None else max(e.equity, before.highest)
        state.marks[e.account, e.currency] = Mark(e.trading_day, e.equity, highest)
    else:
        state.marks[e.account, e.currency] = Mark(before.trading_day, before.start, max(e.equity, before.highest))


def order_throttled(state: State, e: ev.OrderThrottled) -> None:
    order = state.orders.open.get(e.cl_ord_id)
    if order is not None:
        order.text, order.updated_at = f"waits for room: {e.rule} is {e.was}, at most {e.limit}", e.at
