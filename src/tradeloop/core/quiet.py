"""Halts that have done their work look seldom, and a fact that may undo it wakes them within a second.

A halt that takes orders out of the market looks once a second until it is at its end (core/stopping.py). From then on it would
find nothing for days, and hundreds of halts that find nothing keep the writer from its work: where nothing is left they look at
the pace of reconciliation. What is left of a FLATTEN waits for a market or a day, which no fact tells of: that is looked at as
before. None of it is state: a new process looks at every halt at once.
"""

from __future__ import annotations

from typing import Final

from tradeloop.core import events as ev
from tradeloop.core.breaks import ORDER_OPEN, POSITION
from tradeloop.core.effects import SetTimer
from tradeloop.core.halt import Halt, HaltScope
from tradeloop.core.order import Order
from tradeloop.core.state import State
from tradeloop.core.stopping import HALT_WORK
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import AccountID, ClOrdID, Symbol, UtcNs, venue_of

Place = tuple[HaltScope, str]

_EVERYWHERE: Final = (ev.BrokerConnected, ev.BrokerDisconnected, ev.AccountAdopted)


def next_look(state: State, around: Surroundings, number: int, now: UtcNs) -> SetTimer:
    """When a halt that has just looked looks again."""
    halt = state.halts[number]
    if not _has_nothing_left(halt):
        return _timer(around, number, now)
    around.quiet.setdefault((halt.scope, halt.name), {})[number] = None
    return SetTimer(UtcNs(now + around.policy.reconcile_every_ns), HALT_WORK, str(number))


def woken(state: State, around: Surroundings, event: ev.Event) -> tuple[SetTimer, ...]:
    """The looks of the halts that a fact may have given something to do. Asked while any of them is quiet."""
    if isinstance(event, ev.HaltReleased):
        for numbers in around.quiet.values():
            numbers.pop(event.number, None)
        return ()
    quiet = around.quiet
    places = [*quiet] if isinstance(event, _EVERYWHERE) else _places(state, event)
    found = [number for place in places for number in quiet.pop(place, {})]
    return tuple(_timer(around, number, event.at) for number in found)


def _has_nothing_left(halt: Halt) -> bool:
    return halt.done and not halt.held


def _timer(around: Surroundings, number: int, now: UtcNs) -> SetTimer:
    return SetTimer(UtcNs(now + around.policy.probe_every_ns), HALT_WORK, str(number))


def _places(state: State, event: ev.Event) -> tuple[Place, ...]:
    """Where a fact may be something to a halt."""
    match event:
        case ev.HaltChecked():
            halt = state.halts[event.number]
            return () if _has_nothing_left(halt) else ((halt.scope, halt.name),)
        case ev.BooksAdjusted():
            its = state.accounts[event.account]
            return _around(its.broker, event.account, Symbol(event.subject), "")
        case ev.BreakFound(kind=kind) if kind == POSITION:
            return _around(event.broker, event.account, Symbol(event.subject.rsplit(" ", 1)[0]), "")
        case ev.BreakFound():
            return _of(state.orders.get(ClOrdID(event.subject))) if event.kind == ORDER_OPEN else ()
        case ev.TradeMoved():
            return (*_of(state.orders.get(event.cl_ord_id)), *_of(state.orders.get(event.from_cl_ord_id)))
        case ev.Traded() | ev.TradeBusted() | ev.TradeCorrected():  # something is held that was not, though the order has ended
            return _of(state.orders.get(event.cl_ord_id))
        case _:
            cl_ord_id: ClOrdID | None = getattr(event, "cl_ord_id", None)
            return () if cl_ord_id is None else _of(state.orders.open.get(cl_ord_id))


def _of(order: Order | None) -> tuple[Place, ...]:
    return () if order is None else _around(order.broker, order.account, order.symbol, order.strategy_id)


def _around(broker: str, account: AccountID, symbol: Symbol, strategy_id: str) -> tuple[Place, ...]:
    return (
        (HaltScope.GLOBAL, ""),
        (HaltScope.BROKER, broker),
        (HaltScope.VENUE, venue_of(symbol)),
        (HaltScope.ACCOUNT, account),
        (HaltScope.SYMBOL, symbol),
        (HaltScope.STRATEGY, strategy_id),
    )
