"""Station 1: what must hold when an instrument is listed again in another currency or class, or with another multiplier.

Cash, cost and promises were booked in the one and by the other, and whether a fill was paid for in full or margined goes by its
asset class. So none of them may change while something depends on it: an open
order, a position, or a fill that the broker may still take back; such a row is refused alone, and a person told.

An instrument that nobody could resolve was counted in a guessed currency; what is promised to orders in it moves over to the
right one when its rules are known. The cash of its fills does not: it stays a break in both currencies until a person accepts
the broker's figures (`tradeloop reconcile --accept`). What those fills moved cannot be told from the books by then: one of the
two breaks may have been accepted already, which names an amount and not its cause; what was taken over at the start never moved
our cash; and a true multiplier or a contract's margin makes other flows of the same fills. Moved twice, money would be missing
in silence; a break is seen.

A margin rate may change at any time, and does. Positions take it over, and open orders are promised what they may cost by the
new one. No order is cancelled for it; where the account cannot bear it, a person is told (core/follow.py).
"""

from __future__ import annotations

from collections.abc import Generator

from tradeloop.core.events import Event
from tradeloop.core.instrument import UNRESOLVED, Instrument
from tradeloop.core.order import Order
from tradeloop.core.risk.older_first import in_turn
from tradeloop.core.short_promise import promise_in_turn
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import BUY, SELL, ZERO, AccountID, Amount, Symbol, UtcNs


def why_not(state: State, after: Instrument) -> str:
    """Why an instrument may not be listed in this currency, with this multiplier or as this now; empty where it may."""
    before = state.instruments.get(after.symbol)
    if before is None or before.market == UNRESOLVED:
        return ""
    if _money(before) == _money(after):
        return ""
    why = _depends(state, after.symbol)
    if not why:
        return ""
    return (
        f"{after.symbol} was to be listed as {_in_words(after)}; it stays as it is booked, as {_in_words(before)}, because "
        f"{why}; close what is open first, or list it under another symbol"
    )


def reserves_to_move(state: State, after: Instrument) -> tuple[tuple[AccountID, Amount], ...]:
    """What is reserved for open orders in the instrument, by account, where `after` is in another currency."""
    before = state.instruments.get(after.symbol)
    if before is None or before.currency == after.currency:
        return ()
    sums: dict[AccountID, Amount] = {}
    for order in state.orders.open.values():
        if order.symbol == after.symbol and order.reserved:
            sums[order.account] = Amount(sums.get(order.account, ZERO) + order.reserved)
    return tuple(sums.items())


def promise_at_new_rate(
    state: State, around: Surroundings, before: Instrument | None, after: Instrument, now: UtcNs
) -> Generator[Event, None, None]:
    """Raise what open orders are promised to what they may cost by the rules that are listed now. One that has not left is
    promised no more than the account has; it is looked at again before it leaves (core/staging.py).
    """
    if before is None or (before.margin_rate, before.multiplier) == (after.margin_rate, after.multiplier):
        return
    for account in state.accounts:
        for side in (BUY, SELL):
            for order, closed_before in in_turn(state, account, after.symbol, side):
                yield from promise_in_turn(state, around, order, closed_before, now)


def too_dear(state: State, account: AccountID, instrument: Instrument, order: Order | None = None) -> str:
    """Why an account cannot bear what its positions hold and its orders may cost; empty where it can. `order`: the one that may
    cost more now, where it is known.
    """
    known = state.accounts.get(account)
    book = None if known is None else known.cash.get(instrument.currency)
    if book is None or book.free >= ZERO:
        return ""
    since, what = f"{instrument.symbol} may cost more", "cancel orders"
    if order is not None:
        left = f"{order.side.value} {order.exposed_qty:f} {order.symbol}"
        since, what = f"order {order.cl_ord_id} ({left}) may cost {order.reserved:f} by now", "cancel that order"
    return (
        f"account {account} has {book.balance:f} {instrument.currency}, its positions hold {book.margin:f} and its orders may "
        f"cost {book.reserved:f}, {-book.free:f} more than it has, since {since}; nothing was cancelled: {what}, "
        "add funds or reduce positions; no order that costs anything passes until then"
    )


def _money(instrument: Instrument) -> tuple[object, ...]:
    """What its fills were booked by."""
    return instrument.currency, instrument.multiplier, instrument.asset_class


def _in_words(instrument: Instrument) -> str:
    return f"{instrument.asset_class.value} in {instrument.currency} with multiplier {instrument.multiplier}"


def _depends(state: State, symbol: Symbol) -> str:
    """What depends on the instrument's money, in words; empty where nothing does."""
    for order in state.orders.open.values():
        if order.symbol == symbol:
            return f"order {order.cl_ord_id} is open"
    for account, by_symbol in state.positions.items():
        position = by_symbol.get(symbol)
        if position is not None and not position.is_flat:
            return f"account {account} holds {position.net_qty:f} of it"
    for account, traded in state.pages:
        if traded == symbol:
            return f"fills of account {account} in it may still be taken back for two trading days"
    return ""
