"""Apply one fact to the state. No choice is made here and nothing can fail that was decided rightly.

One function per event, found by its type: a chain of `match` arms costs a microsecond at the fortieth, this costs the same
for all; tests/core/test_evolve.py proves that every event has one. Quantities move by fills alone; a status never moves
them.
"""

# size: one short function per event, all in one place; apart they would be harder to prove complete.

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tradeloop.core import events as ev
from tradeloop.core.booking import book_fill, close_order, freeze, order_of, unbook_fill
from tradeloop.core.cash import margin_of
from tradeloop.core.execution import exec_key, order_key
from tradeloop.core.instrument import Instrument
from tradeloop.core.order import Exec, Order
from tradeloop.core.position import forget_cost, roll
from tradeloop.core.state import Account, Early, Hours, Leg, Link, Run, State, id_prefix, run_key
from tradeloop.core.types import (
    ZERO,
    Amount,
    ClOrdID,
    Currency,
    OrdType,
    PositionEffect,
    Qty,
    RunStatus,
    Side,
    Symbol,
    TimeInForce,
)

__all__ = ["evolve"]


def evolve(state: State, event: ev.Event) -> None:
    """Make `event` true in `state`; it becomes number `state.seq`."""
    state.seq += 1
    _APPLY[type(event)](state, event)


# --- the engine and what it knows of the world


def _engine_started(state: State, e: ev.EngineStarted) -> None:
    state.epoch = e.epoch
    state.started_at, state.predecessor_dead = e.at, e.predecessor_dead
    state.clock = e.clock
    state.group = e.group
    state.counter = 0
    state.id_prefix = id_prefix(e.group, e.epoch)
    for link in state.links.values():
        link.connected, link.ready, link.text = False, False, "engine restarted"


def _instrument_listed(state: State, e: ev.InstrumentListed) -> None:
    instrument = e.instrument
    known = state.instruments.get(instrument.symbol)
    state.instruments[instrument.symbol] = instrument
    if known is not None:
        _relisted(state, known, instrument)


def _relisted(state: State, before: Instrument, after: Instrument) -> None:
    """What is held takes over the new margin rate."""
    for account, by_symbol in state.positions.items():
        position = by_symbol.get(after.symbol)
        if position is None:
            continue
        change = margin_of(position, after) - margin_of(position, before)
        if change:
            cash = state.cash(account, after.currency)
            cash.margin = Amount(cash.margin + change)


def _trading_day_opened(state: State, e: ev.TradingDayOpened) -> None:
    before = state.hours.get(e.session)
    state.hours[e.session] = Hours(e.trading_day, e.windows)
    if before is None or before.trading_day == e.trading_day:
        return  # without an earlier day, what is held is what the broker showed, and so is what of it may be sold
    for by_symbol in state.positions.values():
        for symbol, position in by_symbol.items():
            if state.instruments[symbol].session == e.session:
                roll(position)


def _broker_connected(state: State, e: ev.BrokerConnected) -> None:
    state.links[e.broker] = Link(connected=True, ready=False, text="books not compared yet", since=e.at)


def _broker_ready(state: State, e: ev.BrokerReady) -> None:
    state.links[e.broker] = Link(connected=True, ready=True, since=e.at)


def _broker_disconnected(state: State, e: ev.BrokerDisconnected) -> None:
    state.links[e.broker] = Link(connected=False, ready=False, text=e.text, since=e.at)


def _account_adopted(state: State, e: ev.AccountAdopted) -> None:
    account = state.accounts[e.account] = Account(e.broker, adopted=True)
    account.cash = {}
    for held in e.cash:
        state.cash(e.account, held.currency).balance = held.balance
    for position in e.positions:
        book_ = state.position(e.account, position.symbol)
        book_.long_qty, book_.short_qty = position.long_qty, position.short_qty
        if position.long_sellable is not None:
            book_.long_today = Qty(max(position.long_qty - position.long_sellable, ZERO))
        if position.cost is not None:
            if position.long_qty >= position.short_qty:
                book_.long_cost = position.cost
            else:
                book_.short_cost = position.cost
        instrument = state.instruments[position.symbol]
        margin = margin_of(book_, instrument)
        if margin:
            cash = state.cash(e.account, instrument.currency)
            cash.margin = Amount(cash.margin + margin)
    for key in e.seen:
        state.exec_owner[key] = ClOrdID("")


# --- orders


def _order_staged(state: State, e: ev.OrderStaged) -> None:
    # By position: thirty names cost more than the object.
    order = Order(
        e.cl_ord_id,
        e.broker,
        e.account,
        e.symbol,
        e.side,
        e.order_qty,
        e.ord_type,
        e.price,
        e.stop_px,
        e.tif,
        e.position_effect,
        e.trading_day,
        e.by,
        e.risk_version,
        e.at,
        e.reserve,
        e.arrival_px,
        e.arrival_at,
        e.run_id,
        e.leg,
        e.parent,
        e.request_id,
        e.strategy_id,
        e.cancel_at,
    )
    order.updated_at = e.at
    state.counter += 1
    state.orders.open[e.cl_ord_id] = order
    state.index(order)
    instrument = state.instruments[e.symbol]
    if e.reserve:
        cash = state.cash(e.account, instrument.currency)
        cash.reserved = Amount(cash.reserved + e.reserve)
    if e.side is Side.SELL or e.position_effect is not PositionEffect.AUTO:
        freeze(state, order, instrument)
    if e.request_id:
        state.requests[e.request_id] = e.cl_ord_id
    if e.run_id is not None:
        leg = state.runs[e.run_id].leg(e.leg)
        leg.cl_ord_id = e.cl_ord_id


def _order_denied(state: State, e: ev.OrderDenied) -> None:
    state.counter += 1
    if e.run_id is not None:
        leg = state.runs[e.run_id].leg(e.leg)
        leg.code, leg.reason, leg.closed = "denied", e.text, True
    if e.request_id:
        state.deny_request(e)


def _send_begun(state: State, e: ev.SendBegun) -> None:
    order = state.orders.open[e.cl_ord_id]
    order.send_begun_at = order.updated_at = e.at


def _send_failed(state: State, e: ev.SendFailed) -> None:
    order = state.orders.open.get(e.cl_ord_id)
    if order is not None:
        order.send_begun_at = order.unknown_at = None
        order.send_failures += 1
        order.text, order.updated_at = e.text, e.at
        state.index(order)


def _fate_lost(state: State, e: ev.FateLost) -> None:
    order = state.orders.open[e.cl_ord_id]
    order.unknown_at = order.updated_at = e.at
    order.absences, order.absent_from, order.absent_to, order.text = 0, None, None, e.text
    state.index(order)


def _absence_seen(state: State, e: ev.AbsenceSeen) -> None:
    order = state.orders.open[e.cl_ord_id]
    order.absences += 1
    if order.absent_from is None:
        order.absent_from = e.as_of
    order.absent_to = e.as_of


def _not_sent_proven(state: State, e: ev.NotSentProven) -> None:
    order = state.orders.open[e.cl_ord_id]
    order.send_begun_at = order.unknown_at = None
    order.updated_at = e.at
    state.index(order)


def _order_resolved(state: State, e: ev.OrderResolved) -> None:
    order = state.orders.open[e.cl_ord_id]
    close_order(state, order, e.at, f"resolved as {e.as_} by {e.by}: {e.reason}", "canceled_at")


def _order_acknowledged(state: State, e: ev.OrderAcknowledged) -> None:
    order = state.orders.open.get(e.cl_ord_id)
    closed = order is None
    if order is None:
        order = state.orders.get(e.cl_ord_id)
        assert order is not None
    order.order_id, order.acked_at, order.updated_at = e.order_id, e.at, e.at
    _numbered(state, order)
    if order.unknown_at is not None:
        order.unknown_at = None
        state.index(order)
    if closed:
        state.orders.keep(order)


def _order_rejected(state: State, e: ev.OrderRejected) -> None:
    order = order_of(state, e.cl_ord_id)
    close_order(state, order, e.at, f"{e.code}: {e.text}" if e.code else e.text, "rejected_at")


def _cancel_requested(state: State, e: ev.CancelRequested) -> None:
    order = state.orders.open[e.cl_ord_id]
    order.cancel_requested_at = order.updated_at = e.at
    order.cancel_asks += 1


def _cancel_rejected(state: State, e: ev.CancelRejected) -> None:
    order = order_of(state, e.cl_ord_id)
    order.cancel_requested_at, order.updated_at = None, e.at
    if order.is_done:
        state.orders.keep(order)


def _order_canceled(state: State, e: ev.OrderCanceled) -> None:
    close_order(state, order_of(state, e.cl_ord_id), e.at, e.text, "canceled_at")


def _order_expired(state: State, e: ev.OrderExpired) -> None:
    close_order(state, order_of(state, e.cl_ord_id), e.at, e.text, "expired_at")


def _stop_triggered(state: State, e: ev.StopTriggered) -> None:
    order = state.orders.open[e.cl_ord_id]
    order.triggered_at = order.updated_at = e.at
    state.index(order)


def _reserve_raised(state: State, e: ev.ReserveRaised) -> None:
    order = state.orders.open[e.cl_ord_id]
    cash = state.cash(order.account, state.instruments[order.symbol].currency)
    cash.reserved = Amount(cash.reserved + e.reserve - order.reserved)
    order.reserved, order.updated_at = e.reserve, e.at


def _external_order_found(state: State, e: ev.ExternalOrderFound) -> None:
    order = Order(
        cl_ord_id=e.cl_ord_id,
        broker=e.broker,
        account=e.account,
        symbol=e.symbol,
        side=e.side,
        order_qty=e.order_qty,
        ord_type=OrdType.MARKET if e.price is None else OrdType.LIMIT,
        price=e.price,
        stop_px=None,
        tif=TimeInForce.DAY,
        position_effect=e.position_effect,
        trading_day=e.trading_day,
        by="external",
        risk_version="",
        staged_at=e.at,
        reserved=e.reserve,
        external=True,
        order_id=e.order_id,
        acked_at=e.at,
        updated_at=e.at,
    )
    state.orders.open[e.cl_ord_id] = order
    _numbered(state, order)
    state.index(order)
    instrument = state.instruments[e.symbol]
    if e.reserve:
        cash = state.cash(e.account, instrument.currency)
        cash.reserved = Amount(cash.reserved + e.reserve)
    freeze(state, order, instrument)


def _numbered(state: State, order: Order) -> None:
    """The order can be found by the number its venue gave it."""
    assert order.order_id is not None
    key = order_key(order.broker, order.account, order.trading_day, order.symbol, order.order_id)
    state.by_order_id[key] = order.cl_ord_id


# --- executions


def _traded(state: State, e: ev.Traded) -> None:
    cl_ord_id = e.cl_ord_id
    order = state.orders.open.get(cl_ord_id)
    if order is None:
        order = order_of(state, cl_ord_id)
    key = exec_key(e.broker, e.account, e.trading_day, e.exec_id, e.side)
    state.exec_owner[key] = cl_ord_id
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
            _numbered(state, order)
    book_fill(state, order, e.at, e.side, e.last_qty, e.last_px, e.fee)


def _trade_busted(state: State, e: ev.TradeBusted) -> None:
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


def _trade_corrected(state: State, e: ev.TradeCorrected) -> None:
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


def _overfilled(state: State, e: ev.Overfilled) -> None:
    state.halted[e.symbol] = f"order {e.cl_ord_id} was overfilled by {e.excess}"


def _symbol_released(state: State, e: ev.SymbolReleased) -> None:
    state.halted.pop(e.symbol, None)


# --- runs


def _run_created(state: State, e: ev.RunCreated) -> None:
    legs = [Leg(line, line.order_qty, code=line.code, reason=line.reason, closed=not line.order_qty) for line in e.lines]
    status = RunStatus.AWAITING_APPROVAL if e.hold_for_approval else RunStatus.NEW
    state.runs[e.run_id] = Run(e, status, legs)
    key = run_key(e.project_id, e.decision_snapshot_id, e.mode.value, e.trade_date, e.account)
    state.run_keys[key] = e.run_id
    if e.supersedes is not None:
        state.runs[e.supersedes].superseded_by = e.run_id


def _run_approved(state: State, e: ev.RunApproved) -> None:
    state.runs[e.run_id].status = RunStatus.NEW


def _run_started(state: State, e: ev.RunStarted) -> None:
    run = state.runs[e.run_id]
    run.status, run.started_at = RunStatus.RUNNING, e.at


def _run_paused(state: State, e: ev.RunPaused) -> None:
    state.runs[e.run_id].status = RunStatus.PAUSED


def _run_resumed(state: State, e: ev.RunResumed) -> None:
    state.runs[e.run_id].status = RunStatus.RUNNING


def _run_cancel_requested(state: State, e: ev.RunCancelRequested) -> None:
    run = state.runs[e.run_id]
    run.cancel_requested, run.text = True, e.reason


def _line_resized(state: State, e: ev.LineResized) -> None:
    leg = state.runs[e.run_id].leg(e.leg)
    leg.order_qty, leg.code, leg.reason = e.order_qty, e.code, e.reason
    if not e.order_qty:
        leg.closed = True


def _run_ended(state: State, e: ev.RunEnded) -> None:
    run = state.runs[e.run_id]
    run.status, run.code, run.text, run.todo, run.finished_at = e.status, e.code, e.text, e.todo, e.at


# --- reconciliation


def _break_found(state: State, e: ev.BreakFound) -> None:
    state.breaks[e.break_id] = e


def _break_changed(state: State, e: ev.BreakChanged) -> None:
    b = state.breaks[e.break_id]
    state.breaks[e.break_id] = ev.BreakFound(
        b.at, b.break_id, b.kind, b.broker, b.account, b.subject, e.ours, e.theirs, b.cause, b.repair, e.delta
    )


def _break_closed(state: State, e: ev.BreakClosed) -> None:
    state.breaks.pop(e.break_id, None)


def _books_adjusted(state: State, e: ev.BooksAdjusted) -> None:
    if e.kind == "cash":
        cash = state.cash(e.account, Currency(e.subject))
        cash.balance = Amount(cash.balance + e.delta)
        return
    position = state.position(e.account, Symbol(e.subject))
    instrument = state.instruments.get(Symbol(e.subject))
    margin = ZERO if instrument is None else margin_of(position, instrument)
    if e.kind == "short":
        position.short_qty = Qty(position.short_qty + e.delta)
        position.short_today = Qty(min(position.short_today, position.short_qty))
    else:
        position.long_qty = Qty(position.long_qty + e.delta)
        position.long_today = Qty(min(position.long_today, position.long_qty))
    forget_cost(position)
    if margin and instrument is not None:
        cash = state.cash(e.account, instrument.currency)
        cash.margin = Amount(cash.margin + margin_of(position, instrument) - margin)


def _nothing(state: State, e: ev.RunDenied) -> None:
    """A refusal is recorded and changes nothing."""


_APPLY: Final[dict[type, Callable[[State, Any], None]]] = {
    ev.EngineStarted: _engine_started,
    ev.InstrumentListed: _instrument_listed,
    ev.TradingDayOpened: _trading_day_opened,
    ev.BrokerConnected: _broker_connected,
    ev.BrokerReady: _broker_ready,
    ev.BrokerDisconnected: _broker_disconnected,
    ev.AccountAdopted: _account_adopted,
    ev.OrderStaged: _order_staged,
    ev.OrderDenied: _order_denied,
    ev.SendBegun: _send_begun,
    ev.SendFailed: _send_failed,
    ev.FateLost: _fate_lost,
    ev.AbsenceSeen: _absence_seen,
    ev.NotSentProven: _not_sent_proven,
    ev.OrderResolved: _order_resolved,
    ev.OrderAcknowledged: _order_acknowledged,
    ev.OrderRejected: _order_rejected,
    ev.CancelRequested: _cancel_requested,
    ev.CancelRejected: _cancel_rejected,
    ev.OrderCanceled: _order_canceled,
    ev.OrderExpired: _order_expired,
    ev.StopTriggered: _stop_triggered,
    ev.ExternalOrderFound: _external_order_found,
    ev.Traded: _traded,
    ev.TradeBusted: _trade_busted,
    ev.TradeCorrected: _trade_corrected,
    ev.Overfilled: _overfilled,
    ev.SymbolReleased: _symbol_released,
    ev.RunCreated: _run_created,
    ev.RunDenied: _nothing,
    ev.RunApproved: _run_approved,
    ev.RunStarted: _run_started,
    ev.RunPaused: _run_paused,
    ev.RunResumed: _run_resumed,
    ev.RunCancelRequested: _run_cancel_requested,
    ev.LineResized: _line_resized,
    ev.RunEnded: _run_ended,
    ev.BreakFound: _break_found,
    ev.BreakChanged: _break_changed,
    ev.BreakClosed: _break_closed,
    ev.BooksAdjusted: _books_adjusted,
    ev.ReserveRaised: _reserve_raised,
}
