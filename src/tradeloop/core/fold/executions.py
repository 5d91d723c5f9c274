"""Facts of trade: fills, busts and corrections. Only these move quantities; they are legal in every state of an order."""

from __future__ import annotations

from tradeloop.core import events as ev
from tradeloop.core.booking import book_fill, order_of, unbook_fill
from tradeloop.core.execution import exec_key
from tradeloop.core.fold.orders import numbered
from tradeloop.core.order import Exec
from tradeloop.core.state import Early, State
from tradeloop.core.types import UtcNs


def traded(state: State, e: ev.Traded) -> None:
    cl_ord_id = e.cl_ord_id
    order = state.orders.open.get(cl_ord_id)
    if order is None:
        order = order_of(state, cl_ord_id)
    key = exec_key(e.broker, e.account, e.trading_day, e.exec_id, e.side)
    state.exec_owner[key] = cl_ord_id
    happened = e.transact_at
    if happened is None:
        happened = UtcNs(0) if order.external else order.staged_at
    state.recent.add(e.account, e.trading_day, key, (happened, e.at))
    if state.early:
        state.early.pop(key, None)
    if order.execs is None:
        order.execs = {}
    order.execs[key] = Exec(e.last_qty, e.last_px, e.fee)
    if order.unknown_at is not None:
        order.unknown_at = None
        state.index(order)
    if order.acked_at is None:
        order.acked_at = e.at
        if e.order_id is not None:
            order.order_id = e.order_id
            numbered(state, order)
    book_fill(state, order, e.at, e.side, e.last_qty, e.last_px, e.fee)


def trade_busted(state: State, e: ev.TradeBusted) -> None:
    key = exec_key(e.broker, e.account, e.trading_day, e.exec_id, e.side)
    if not e.cl_ord_id:
        state.early[key] = Early(busted=True)
        return
    order = order_of(state, e.cl_ord_id)
    execs = order.execs
    assert execs is not None
    execution = execs[key]
    execution.busted = True
    unbook_fill(state, order, e.at, e.side, execution)


def trade_corrected(state: State, e: ev.TradeCorrected) -> None:
    key = exec_key(e.broker, e.account, e.trading_day, e.exec_id, e.side)
    if not e.cl_ord_id:
        state.early[key] = Early(False, e.last_qty, e.last_px, e.fee if e.fee_by_broker else None)
        return
    order = order_of(state, e.cl_ord_id)
    execs = order.execs
    assert execs is not None
    if not execs[key].busted:
        unbook_fill(state, order, e.at, e.side, execs[key])
        order = order_of(state, e.cl_ord_id)
        execs = order.execs
        assert execs is not None
    execs[key] = Exec(e.last_qty, e.last_px, e.fee)
    book_fill(state, order, e.at, e.side, e.last_qty, e.last_px, e.fee)


def overfilled(state: State, e: ev.Overfilled) -> None:
    state.halted[e.symbol] = f"order {e.cl_ord_id} was overfilled by {e.excess}"


def symbol_released(state: State, e: ev.SymbolReleased) -> None:
    state.halted.pop(e.symbol, None)
