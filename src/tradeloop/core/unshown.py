"""Station 7: fills that we have booked and the broker does not show, though it shows all of their time: busts not told of.

A report of a bust can be lost like any other, and no later report repeats it. Absence proves less than a report: a list may
lag, and a person decides what it means. Until then our books stand, and the difference is a break of its own.
"""

from __future__ import annotations

from collections.abc import Container, Generator

from tradeloop.core.breaks import FILL_MISSING, ORDER_QTY, closed, found
from tradeloop.core.charging import charge_anew
from tradeloop.core.commands import RepairBreak
from tradeloop.core.errors import BadInput
from tradeloop.core.events import BreakClosed, BreakFound, Event
from tradeloop.core.execution import Exec, parts_of
from tradeloop.core.order import Order
from tradeloop.core.reports import BrokerSnapshot
from tradeloop.core.shown_again import lacking
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.taken_back import bust_of
from tradeloop.core.types import AccountID, ClOrdID, UtcNs

Facts = Generator[Event, None, None]


def missing_fills(state: State, around: Surroundings, snap: BrokerSnapshot, shown: Container[str], now: UtcNs) -> Facts:
    """Find and close breaks of fills that the broker's list lacks. `shown` are the keys of all executions in it.

    Only a list that says since when it is complete can lack something, only what happened after that, and only fills booked
    longer before the look than the broker's books lag.
    """
    if snap.executions is None:
        return
    known = [one for one in state.breaks.values() if (one.kind, one.broker, one.account) == _of(snap)]
    for one in known:
        key = _key(one)
        live = _live(state, key)
        if live is None:
            yield from closed(state, now, one.break_id, "the fill was taken back")
        elif key in shown:
            yield from closed(state, now, one.break_id, "the broker shows the fill again")
    if snap.executions_since is None:
        return
    lag = max(around.policy.recent_ns, around.brokers[snap.broker].visibility_lag_ns)
    begins = _begins(snap.broker, snap.account)
    for key in lacking(state, around, snap, shown, snap.executions_since):
        live = _live(state, key)
        booked_at = state.recent.booked_at(snap.account, parts_of(key)[2], key)
        if live is None or booked_at is None or booked_at >= snap.read_at - lag or not key.startswith(begins):
            continue
        order, execution = live
        yield from found(
            state,
            now,
            snap,
            FILL_MISSING,
            key.removeprefix(begins),
            f"{order.side.value} {execution.qty:f} {order.symbol} at {execution.px:f}",
            "not shown",
            f"a fill of order {order.cl_ord_id} that was taken back, and the report of it never came",
            "ask the broker; if it was taken back, confirm the bust: `tradeloop reconcile --accept {id} --reason …`; "
            "order, position and cash follow",
            None,
        )


def confirm_bust(state: State, known: BreakFound, command: RepairBreak, now: UtcNs) -> Generator[Event, None, Order | None]:
    """A named person confirms that a missing fill was taken back: it is busted as if the broker had said so; its order."""
    live = _live(state, _key(known))
    if live is None:
        raise BadInput(f"the fill of break {known.break_id} was taken back since; look again with `tradeloop reconcile`")
    order, execution = live
    yield bust_of(state, _key(known), execution, None, None, now)
    yield from charge_anew(state, order.cl_ord_id, now)
    yield BreakClosed(now, known.break_id, f"bust confirmed: {command.reason}", command.by)
    return state.orders.get(order.cl_ord_id)


def explanations(state: State, snap: BrokerSnapshot) -> dict[str, BreakFound]:
    """The breaks of missing fills, and behind them those of orders of which the broker counts another quantity, by symbol and
    by currency: each would explain why holdings or money differ there.
    """
    found: dict[str, BreakFound] = {}
    for kind in (FILL_MISSING, ORDER_QTY):
        for one in state.breaks.values():
            if (one.kind, one.broker, one.account) != (kind, snap.broker, snap.account):
                continue
            order = _order_of(state, one)
            if order is not None:
                found.setdefault(order.symbol, one)
                found.setdefault(state.instruments[order.symbol].currency, one)
    return found


def _order_of(state: State, known: BreakFound) -> Order | None:
    """The order that a break speaks of; None where its fill counts no more."""
    if known.kind == ORDER_QTY:
        return state.orders.get(ClOrdID(known.subject))
    live = _live(state, _key(known))
    return None if live is None else live[0]


def _of(snap: BrokerSnapshot) -> tuple[str, str, AccountID]:
    return FILL_MISSING, snap.broker, snap.account


def _begins(broker: str, account: AccountID) -> str:
    """How the execution keys of an account begin (core/execution.py); the rest is the subject of a break."""
    return f"{broker}|{account}|"


def _key(known: BreakFound) -> str:
    return _begins(known.broker, known.account) + known.subject


def _live(state: State, key: str) -> tuple[Order, Exec] | None:
    """The order and the fill of a key, as long as the fill counts."""
    execution = state.execs.get(key)
    order = None if execution is None else state.orders.get(execution.cl_ord_id)
    return None if order is None or execution is None or execution.busted else (order, execution)
