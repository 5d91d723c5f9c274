"""Folds events into rows: one arm per event, and the type checker fails here when a new one has none.

The same events in the same batches give the same rows, whether they came one by one, after a restart, or all at once in a
rebuild. A fact about something no event made is passed over: a view never stops the product.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tradeloop.core import events as ev
from tradeloop.views import breaks, fills, orders, runs
from tradeloop.views.alerts import alert
from tradeloop.views.audit import audit
from tradeloop.views.fold import Fold
from tradeloop.views.rows import InstrumentRow, SessionRow

PROJECTION: Final = 7
"""Version of the fold; a change that gives other rows counts it up, and the rows are made anew at the next start."""

_JSON: Final = msgspec.json.Encoder()


def project(fold: Fold, e: ev.Event) -> None:
    """Fold one event, which is number `fold.seq`."""
    audit(fold, e)
    alert(fold, e)
    match e:
        case ev.InstrumentListed():
            _listed(fold, e)
        case ev.TradingDayOpened():
            _day_opened(fold, e)
        case ev.AccountAdopted():
            _adopted(fold, e)
        case ev.OrderStaged():
            orders.staged(fold, e)
        case ev.OrderDenied():
            orders.denied(fold, e)
        case ev.LateOrderDenied():
            orders.denied_late(fold, e)
        case ev.ExternalOrderFound():
            orders.found_outside(fold, e)
        case (
            ev.SendBegun()
            | ev.SendFailed()
            | ev.FateLost()
            | ev.AbsenceSeen()
            | ev.NotSentProven()
            | ev.OrderResolved()
            | ev.OrderAcknowledged()
            | ev.OrderRejected()
            | ev.CancelRequested()
            | ev.CancelRejected()
            | ev.OrderCanceled()
            | ev.OrderExpired()
            | ev.StopTriggered()
            | ev.ReserveRaised()
            | ev.ReplaceRequested()
            | ev.OrderReplaced()
            | ev.ReplaceRejected()
            | ev.ReplaceFateLost()
            | ev.OrderRestated()
            | ev.EndAnnounced()
            | ev.OrderHeard()
        ):
            orders.learned(fold, e)
        case ev.Traded():
            fills.traded(fold, e)
        case ev.TradeBusted():
            fills.busted(fold, e)
        case ev.TradeCorrected():
            fills.corrected(fold, e)
        case ev.FeeChanged():
            fills.charged(fold, e)
        case ev.TradeMoved():
            fills.moved(fold, e)
        case ev.RunCreated():
            runs.created(fold, e)
        case ev.RunApproved() | ev.RunStarted() | ev.RunPaused() | ev.RunResumed() | ev.RunCancelRequested() | ev.RunEnded():
            runs.moved(fold, e)
        case ev.LineResized():
            runs.resized(fold, e)
        case ev.BreakFound():
            breaks.found(fold, e)
        case ev.BreakChanged():
            breaks.changed(fold, e)
        case ev.BreakClosed():
            breaks.closed(fold, e)
        case ev.BooksAdjusted():
            fold.books.adjust(e.account, e.kind, e.subject, e.delta, e.at, fold.seq)
        case (
            ev.EngineStarted()
            | ev.BrokerConnected()
            | ev.BrokerReady()
            | ev.BrokerDisconnected()
            | ev.Overfilled()
            | ev.SymbolReleased()
            | ev.RunDenied()
            | ev.ReplaceDenied()
            | ev.FeeDistrusted()
            | ev.ListingRefused()
            | ev.TradeNeverCame()
            | ev.ExecIDJoined()
            | ev.ExecIDParted()
            | ev.Halted()
            | ev.HaltReleased()
            | ev.HaltChecked()
            | ev.LimitsConfigured()
            | ev.LimitSet()
            | ev.LimitEnded()
            | ev.LimitPassed()
            | ev.OrderThrottled()
            | ev.LimitTripped()
            | ev.LimitCleared()
            | ev.EquityMarked()
            | ev.MainContractSwitched()
            | ev.AlertAcknowledged()
        ):
            pass  # the audit log and the alerts have them


def _listed(fold: Fold, e: ev.InstrumentListed) -> None:
    it = e.instrument
    fold.books.learn(it, e.moved, e.at, fold.seq)
    fold.rows.instruments.put(
        InstrumentRow(
            id=it.symbol,
            asset_class=it.asset_class.value,
            currency=it.currency,
            market=it.market,
            session=it.session,
            board=it.board,
            name=it.name,
            industry=it.industry,
            multiplier=it.multiplier,
            lot=it.lot,
            tick=it.tick,
            listing=_JSON.encode(it).decode(),
            updated_seq=fold.seq,
        )
    )


def _day_opened(fold: Fold, e: ev.TradingDayOpened) -> None:
    fold.books.open_day(e.session, e.trading_day, e.at, fold.seq)
    fold.rows.sessions.put(
        SessionRow(
            id=e.session,
            trading_day=e.trading_day,
            opens_at=e.windows[0][0] if e.windows else None,
            closes_at=e.windows[-1][1] if e.windows else None,
            windows=_JSON.encode(e.windows).decode(),
            updated_seq=fold.seq,
        )
    )


def _adopted(fold: Fold, e: ev.AccountAdopted) -> None:
    balances = {held.currency: held.balance for held in e.cash}
    fold.books.adopt_cash(e.account, e.broker, {str(c): b for c, b in balances.items()}, e.at, fold.seq)
    for held in e.positions:
        what = (held.long_qty, held.short_qty, held.long_sellable, held.cost)
        fold.books.adopt_position(e.account, e.broker, held.symbol, what, e.at, fold.seq)
