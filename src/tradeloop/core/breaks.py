"""Station 7: the life of a break. Found once, changed with its figures, closed when the difference is gone.

A break's id derives from its kind and subject, so the same difference is the same break in every look, and a second look at
the same books makes no event.
"""

from __future__ import annotations

from collections.abc import Generator
from decimal import Decimal
from typing import Final

from tradeloop.core import doubts
from tradeloop.core.events import BreakChanged, BreakClosed, BreakFound, Event
from tradeloop.core.order import Order
from tradeloop.core.reports import BrokerSnapshot
from tradeloop.core.state import State
from tradeloop.core.types import ZERO, AccountID, ClOrdID, Symbol, UtcNs

Facts = Generator[Event, None, None]

CASH: Final = "cash"
POSITION: Final = "position"
ORDERS: Final = "orders"
ORDER_MISSING: Final = "order_missing"
ORDER_OPEN: Final = "order_open"
ORDER_QTY: Final = "order_qty"
FILL_MISSING: Final = "fill_missing"
FILL_TWICE: Final = doubts.FILL_TWICE
NOT_COMPARED: Final = "not_compared"
_WORDS: Final = (ORDER_MISSING, ORDER_OPEN, FILL_MISSING, FILL_TWICE, NOT_COMPARED)
"""Breaks of words; all others are of figures, which are compared as numbers."""


def id_of(kind: str, broker: str, account: AccountID, subject: str) -> str:
    """The id of the break of this kind about this subject."""
    return f"{kind}:{broker}:{account}:{subject}"


def theirs_of(state: State, broker: str, account: AccountID, symbol: Symbol, *, short: bool) -> Decimal | None:
    """What the broker holds of a leg, where an open break says that it is not what we do: by its last look, and by what our
    books have moved since. None where no break says so.
    """
    known = state.breaks.get(id_of(POSITION, broker, account, f"{symbol} {'short' if short else 'long'}"))
    if known is None:
        return None
    held = state.held(account, symbol)
    ours = held.short_qty if short else held.long_qty
    return max(ours + Decimal(known.theirs) - Decimal(known.ours), ZERO)


def in_doubt(state: State, account: AccountID, symbol: Symbol) -> str | None:
    """A fill of the symbol of which nobody knows yet whether it was told twice (core/second_ids.py)."""
    for known in state.doubts.of_symbol(account, symbol):
        return known.subject.split(" ", 1)[1]
    return None


def ended_here_alone(state: State) -> list[Order]:
    """Orders that are over in our books, while the broker works them still: what they trade comes yet."""
    named = (state.orders.get(ClOrdID(known.subject)) for known in state.breaks.values() if known.kind == ORDER_OPEN)
    return [order for order in named if order is not None]


def found(
    state: State,
    now: UtcNs,
    snap: BrokerSnapshot,
    kind: str,
    subject: str,
    ours: str,
    theirs: str,
    cause: str,
    fix: str,
    delta: Decimal | None,
    *,
    ended: bool = False,
) -> Facts:
    """The books differ: a new break, other figures of a known one, or nothing new. `{id}` in `fix` stands for its id. A figure
    that may be accepted is new, too; one that is not known to be so this time (`delta` None) takes back no earlier one.
    """
    break_id = id_of(kind, snap.broker, snap.account, subject)
    known = state.breaks.get(break_id)
    if known is None:
        text = fix.replace("{id}", f'"{break_id}"')
        yield BreakFound(now, break_id, kind, snap.broker, snap.account, subject, ours, theirs, cause, text, delta, ended)
    elif kind in _WORDS:
        if (known.ours, known.theirs) != (ours, theirs):
            yield BreakChanged(now, break_id, ours, theirs, delta)
    elif (Decimal(known.ours), Decimal(known.theirs), known.ended) != (Decimal(ours), Decimal(theirs), ended) or (
        known.delta is None and delta is not None
    ):
        yield BreakChanged(now, break_id, ours, theirs, delta, ended)


def closed(state: State, now: UtcNs, break_id: str, why: str) -> Facts:
    """The difference is gone; nothing where there was none."""
    if break_id in state.breaks:
        yield BreakClosed(now, break_id, why)
