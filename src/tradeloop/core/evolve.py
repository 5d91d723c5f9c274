"""Apply one fact to the state. No choice is made here and nothing can fail that was decided rightly.

One function per event (core/fold), found by its type: a chain of `match` arms costs a microsecond at the fortieth, this costs
the same for all; tests/core/test_evolve.py proves that every event has one. Quantities move by fills alone; a status never
moves them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tradeloop.core import events as ev
from tradeloop.core.fold import breaks, executions, halts, limits, orders, replaces, runs, world
from tradeloop.core.state import State


def evolve(state: State, event: ev.Event) -> None:
    """Make `event` true in `state`; it becomes number `state.seq`."""
    state.seq += 1
    _APPLY[type(event)](state, event)


_APPLY: Final[dict[type, Callable[[State, Any], None]]] = {
    ev.EngineStarted: world.engine_started,
    ev.InstrumentListed: world.instrument_listed,
    ev.TradingDayOpened: world.trading_day_opened,
    ev.BrokerConnected: world.broker_connected,
    ev.BrokerReady: world.broker_ready,
    ev.BrokerDisconnected: world.broker_disconnected,
    ev.AccountAdopted: world.account_adopted,
    ev.OrderStaged: orders.order_staged,
    ev.OrderDenied: orders.order_denied,
    ev.SendBegun: orders.send_begun,
    ev.SendFailed: orders.send_failed,
    ev.FateLost: orders.fate_lost,
    ev.AbsenceSeen: orders.absence_seen,
    ev.NotSentProven: orders.not_sent_proven,
    ev.OrderResolved: orders.order_resolved,
    ev.OrderAcknowledged: orders.order_acknowledged,
    ev.OrderRejected: orders.order_rejected,
    ev.CancelRequested: orders.cancel_requested,
    ev.CancelRejected: orders.cancel_rejected,
    ev.OrderCanceled: orders.order_canceled,
    ev.OrderExpired: orders.order_expired,
    ev.StopTriggered: orders.stop_triggered,
    ev.ExternalOrderFound: orders.external_order_found,
    ev.Traded: executions.traded,
    ev.TradeBusted: executions.trade_busted,
    ev.TradeCorrected: executions.trade_corrected,
    ev.Overfilled: executions.overfilled,
    ev.SymbolReleased: executions.symbol_released,
    ev.RunCreated: runs.run_created,
    ev.RunDenied: runs.run_denied,
    ev.RunApproved: runs.run_approved,
    ev.RunStarted: runs.run_started,
    ev.RunPaused: runs.run_paused,
    ev.RunResumed: runs.run_resumed,
    ev.RunCancelRequested: runs.run_cancel_requested,
    ev.LineResized: runs.line_resized,
    ev.RunEnded: runs.run_ended,
    ev.BreakFound: breaks.break_found,
    ev.BreakChanged: breaks.break_changed,
    ev.BreakClosed: breaks.break_closed,
    ev.BooksAdjusted: breaks.books_adjusted,
    ev.ReserveRaised: orders.reserve_raised,
    ev.ReplaceRequested: replaces.replace_requested,
    ev.ReplaceDenied: replaces.replace_denied,
    ev.OrderReplaced: replaces.order_replaced,
    ev.ReplaceRejected: replaces.replace_rejected,
    ev.ReplaceFateLost: replaces.replace_fate_lost,
    ev.OrderRestated: replaces.order_restated,
    ev.FeeDistrusted: executions.fee_distrusted,
    ev.ListingRefused: world.listing_refused,
    ev.FeeChanged: executions.fee_changed,
    ev.TradeMoved: executions.trade_moved,
    ev.TradeNeverCame: executions.trade_never_came,
    ev.ExecIDJoined: executions.exec_id_joined,
    ev.ExecIDParted: executions.exec_id_parted,
    ev.EndAnnounced: orders.end_announced,
    ev.OrderHeard: orders.order_heard,
    ev.Halted: halts.halted,
    ev.HaltReleased: halts.halt_released,
    ev.HaltChecked: halts.halt_checked,
    ev.LimitsConfigured: limits.limits_configured,
    ev.LimitSet: limits.limit_set,
    ev.LimitEnded: limits.limit_ended,
    ev.LimitPassed: limits.limit_passed,
    ev.LateOrderDenied: limits.late_order_denied,
    ev.OrderThrottled: limits.order_throttled,
    ev.LimitTripped: limits.limit_tripped,
    ev.LimitCleared: limits.limit_cleared,
    ev.EquityMarked: limits.equity_marked,
    ev.MainContractSwitched: world.main_contract_switched,
    ev.AlertAcknowledged: world.alert_acknowledged,
}
