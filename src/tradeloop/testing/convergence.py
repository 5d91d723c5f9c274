"""What must be true in the end: the faults have stopped, time has passed, and our books are the venue's.

Safety is judged all along (checkers.py). Here it is liveness: everything that was accepted has ended, or works at the venue
as it does here, or says plainly that a person has to look (invariants 2, 3, 32, 36, 38 and 42).
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from tradeloop.core.breaks import ORDER_QTY
from tradeloop.core.evolve import evolve
from tradeloop.core.execution import exec_key
from tradeloop.core.order import Order
from tradeloop.core.reports import BrokerSnapshot, OpenOrder
from tradeloop.core.run.conduct import ENDED
from tradeloop.core.state import State
from tradeloop.core.types import ZERO, ClOrdID, OrderID, OrdStatus, RunStatus, Symbol
from tradeloop.journal import codec
from tradeloop.testing.builders import ACCOUNT, BROKER
from tradeloop.testing.checkers import Judge
from tradeloop.testing.second_ids import SecondIDs

WORKING = (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED)


def converged(judge: Judge, state: State, truth: BrokerSnapshot, ids: SecondIDs) -> None:
    """Compare everything with the venue's own books, and note what differs."""
    _orders(judge, state, truth)
    _fills(judge, state, truth, ids)
    _books(judge, state, truth)
    _nothing_open(judge, state)
    judge.costs.ended(state)
    _replays(judge, state)


def _orders(judge: Judge, state: State, truth: BrokerSnapshot) -> None:
    theirs = {_name(state, order.cl_ord_id, order.order_id): order for order in truth.orders or ()}
    working = {name: order for name, order in theirs.items() if order.ord_status in WORKING}
    ours = {_name(state, o.cl_ord_id, o.order_id): o for o in state.orders.open.values() if o.may_be_at_broker}
    for name, local in ours.items():
        if name not in working:
            at_venue = theirs[name].ord_status.value if name in theirs else "unknown"
            judge.broken(36, f"{local.cl_ord_id} is {local.ord_status.value} here and {at_venue} at the venue")
        elif local.order_id != working[name].order_id:
            judge.broken(36, f"{local.cl_ord_id} is number {local.order_id} here, {working[name].order_id} at the venue")
        elif not local.external and local.cum_qty != working[name].cum_qty:
            judge.broken(36, f"{local.cl_ord_id} has filled {local.cum_qty} here, {working[name].cum_qty} at the venue")
        elif local.replaces:
            judge.broken(36, f"{local.cl_ord_id} still waits for {len(local.replaces)} changes of its terms")
        elif not local.external and _terms(local) != _terms(working[name]):
            judge.broken(36, f"{local.cl_ord_id} is over {_terms(local)} here, {_terms(working[name])} at the venue")
    for name, order in working.items():
        if name not in ours:
            judge.broken(36, f"{order.order_id} ({order.cl_ord_id}) works at the venue, and not here")
    for order in theirs.values():
        if order.cl_ord_id is not None and state.orders.get(order.cl_ord_id) is None and order.cl_ord_id not in judge.lost_ids:
            judge.broken(2, f"the venue has {order.cl_ord_id}, which no journal knows")
    for cl_ord_id in judge.staged:
        if state.orders.get(cl_ord_id) is None:
            judge.broken(3, f"the intent {cl_ord_id} has disappeared")


def _terms(order: Order | OpenOrder) -> tuple[Decimal, Decimal | None]:
    return order.order_qty, order.price


def _name(state: State, cl_ord_id: ClOrdID | None, order_id: OrderID | None) -> str:
    """What names an order on both sides: our id where it is ours, else the venue's number."""
    order = None if cl_ord_id is None else state.orders.get(cl_ord_id)
    return f"{cl_ord_id}" if order is not None and not order.external else f"number {order_id}"


def _fills(judge: Judge, state: State, truth: BrokerSnapshot, ids: SecondIDs) -> None:
    made = Counter(order.cl_ord_id for order in truth.orders or ())
    for fill in truth.executions or ():
        names = (fill.exec_id, ids.second(fill.trading_day, fill.exec_id))
        keys = [exec_key(BROKER, ACCOUNT, fill.trading_day, name, fill.side) for name in names]
        known = [key for key in keys if key in state.execs]
        # Told apart by a correction that nobody heard of, it may be booked under both, and was taken back under one: it counts,
        # and has to be of its order, under the other (told_twice.py).
        counting = [key for key in known if (its := state.execs.get(key)) is None or not its.busted]
        key = next(iter(counting or known), None)
        if key is None:
            judge.broken(36, f"the venue traded {fill.exec_id} ({fill.side.value} {fill.last_qty} {fill.symbol}), unknown here")
            continue
        booked = state.execs.get(key)
        ours = None if fill.cl_ord_id is None else state.orders.get(fill.cl_ord_id)
        if ours is not None and made[ours.cl_ord_id] > 1 and fill.order_id != ours.order_id:
            continue  # a server that lost the commit had it sent twice (F67): ours is one of the two, the other a stranger's
        if booked is not None and ours is not None and not ours.external and booked.cl_ord_id != ours.cl_ord_id:
            judge.broken(36, f"fill {fill.exec_id} is booked on {booked.cl_ord_id}, at the venue it is of {ours.cl_ord_id}")


def _books(judge: Judge, state: State, truth: BrokerSnapshot) -> None:
    theirs: dict[Symbol, Decimal] = {held.symbol: held.long_qty - held.short_qty for held in truth.positions or ()}
    for symbol in sorted({*theirs, *state.positions.get(ACCOUNT, {})}):
        ours, there = state.held(ACCOUNT, symbol).net_qty, theirs.get(symbol, ZERO)
        if ours != there:
            judge.broken(36, f"{ours} {symbol} here, {there} at the venue")
    for held in truth.cash or ():
        balance = state.accounts[ACCOUNT].cash[held.currency].balance
        if balance != held.balance:
            judge.broken(36, f"cash is {balance} {held.currency} here, {held.balance} at the venue")


def _nothing_open(judge: Judge, state: State) -> None:
    for cl_ord_ids in state.unknown.values():
        judge.broken(36, f"the fate of {', '.join(cl_ord_ids)} is still unknown")
    for break_id, known in state.breaks.items():
        if known.kind == ORDER_QTY and known.subject in judge.lost_ids:
            continue  # sent twice under one id, because the row of its first send was lost
        judge.broken(36, f"the break {break_id} is still open: ours {known.ours}, theirs {known.theirs}")
    for run_id, run in state.runs.live.items():
        if run.status not in (*ENDED, RunStatus.NEW, RunStatus.AWAITING_APPROVAL):
            waiting = [f"{leg.line.symbol} {leg.code or 'at work'}" for leg in run.legs if not leg.closed]
            judge.broken(42, f"run {run_id} is still {run.status.value}: {', '.join(waiting)}")


def _replays(judge: Judge, state: State) -> None:
    replayed = State()
    for row in judge.rows:
        for event in codec.decode(row.payload):
            evolve(replayed, event)
    if replayed.hash() != state.hash():
        judge.broken(32, "replaying the journal gives another state than the engine has")
