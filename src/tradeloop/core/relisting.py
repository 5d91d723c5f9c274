"""Station 1: what must hold when an instrument is listed again in another currency, or with another multiplier.

Cash, cost and promises were booked in the one and by the other. So neither may change while something depends on it: an open
order, a position, or a fill that the broker may still take back. An instrument that nobody could resolve was counted in a
guessed currency; what is promised to orders in it moves over to the right one when its rules are known.
"""

from __future__ import annotations

from collections.abc import Iterable

from tradeloop.core.errors import BadInput
from tradeloop.core.instrument import UNRESOLVED, Instrument
from tradeloop.core.state import State
from tradeloop.core.types import ZERO, AccountID, Amount, Symbol


def refuse_other_money(state: State, instruments: Iterable[Instrument]) -> None:
    """Raise BadInput for the first of `instruments` whose currency or multiplier may not change now."""
    for after in instruments:
        before = state.instruments.get(after.symbol)
        if before is None or before.market == UNRESOLVED:
            continue
        if (before.currency, before.multiplier) == (after.currency, after.multiplier):
            continue
        why = _depends(state, after.symbol)
        if why:
            raise BadInput(
                f"{after.symbol} was to be listed in {after.currency} with multiplier {after.multiplier}; it is booked in "
                f"{before.currency} with multiplier {before.multiplier}, and {why}; close what is open first, or list it "
                "under another symbol"
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
