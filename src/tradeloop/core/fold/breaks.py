"""Facts of reconciliation: differences found, changed and closed, and our books taking the broker's figure."""

from __future__ import annotations

import msgspec

from tradeloop.core import events as ev
from tradeloop.core.cash import margin_of
from tradeloop.core.marks import Mark
from tradeloop.core.position import adjust
from tradeloop.core.state import State
from tradeloop.core.types import ZERO, Amount, Currency, Symbol


def break_found(state: State, e: ev.BreakFound) -> None:
    _keep(state, e)


def break_changed(state: State, e: ev.BreakChanged) -> None:
    b = state.breaks[e.break_id]
    _keep(state, msgspec.structs.replace(b, ours=e.ours, theirs=e.theirs, delta=e.delta, ended=e.ended))


def break_closed(state: State, e: ev.BreakClosed) -> None:
    known = state.breaks.pop(e.break_id, None)
    if known is not None:
        state.doubts.closed(known)


def _keep(state: State, known: ev.BreakFound) -> None:
    before = state.breaks.get(known.break_id)
    if before is not None:
        state.doubts.closed(before)
    state.breaks[known.break_id] = known
    state.doubts.found(known)


def books_adjusted(state: State, e: ev.BooksAdjusted) -> None:
    _move_marks(state, e)
    if e.kind == "cash":
        cash = state.cash(e.account, Currency(e.subject))
        cash.balance = Amount(cash.balance + e.delta)
        return
    position = state.position(e.account, Symbol(e.subject))
    instrument = state.instruments.get(Symbol(e.subject))
    margin = ZERO if instrument is None else margin_of(position, instrument)
    adjust(position, short=e.kind == "short", delta=e.delta)
    state.pages.pop((e.account, Symbol(e.subject)), None)
    state.exposure.moved((e.account, Symbol(e.subject)))
    if margin and instrument is not None:
        cash = state.cash(e.account, instrument.currency)
        cash.margin = Amount(cash.margin + margin_of(position, instrument) - margin)


def _move_marks(state: State, e: ev.BooksAdjusted) -> None:
    """What came in or went out without a trade is neither profit nor loss: what losses are measured from moves with it."""
    instrument = None if e.kind == "cash" else state.instruments.get(Symbol(e.subject))
    worth = e.delta if e.kind == "cash" else e.worth
    currency = Currency(e.subject) if instrument is None else instrument.currency
    mark = state.marks.get((e.account, currency))
    if mark is not None and worth is not None:
        state.marks[e.account, currency] = Mark(mark.trading_day, Amount(mark.start + worth), Amount(mark.highest + worth))
