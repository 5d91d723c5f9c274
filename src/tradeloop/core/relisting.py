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
"""

from __future__ import annotations

from tradeloop.core.instrument import UNRESOLVED, Instrument
from tradeloop.core.state import State
from tradeloop.core.types import ZERO, AccountID, Amount, Symbol


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
