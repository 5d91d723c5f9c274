"""What a run is planned from: the holdings, the cash, the equity and the trading hours of its account, read and never written.

Asking leaves no trace in the state, so that a preview changes nothing and a replay gives the same hash.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from tradeloop.core.cash import CashBook
from tradeloop.core.commands import SeenPrice, TargetLine
from tradeloop.core.hours import Hours
from tradeloop.core.instrument import AssetClass
from tradeloop.core.run.sizing import Held
from tradeloop.core.state import State
from tradeloop.core.types import ZERO, AccountID, Currency, Symbol


def holdings(state: State, account: AccountID, only: Symbol | None = None) -> dict[Symbol, Held]:
    """Every holding that is not flat, with what of it may be sold now; of all symbols, or of one."""
    held = {}
    positions = state.positions.get(account, {})
    for symbol, position in positions.items() if only is None else ((only, positions.get(only)),):
        if position is None or position.is_flat:
            continue
        held[symbol] = Held(
            position.long_qty,
            position.sellable(settles_t1=state.instruments[symbol].settles_t1),
            position.short_qty,
            position.long_today,
            position.short_today,
        )
    return held


def hours_of(state: State, targets: Iterable[TargetLine]) -> list[Hours | None]:
    """The hours of every session the targets trade in, each once; None for a session that has no trading day yet."""
    instruments = (state.instruments.get(target.symbol) for target in targets)
    sessions = dict.fromkeys(instrument.session for instrument in instruments if instrument is not None)
    return [state.hours.get(session) for session in sessions]


def cash_book(state: State, account: AccountID, currency: Currency) -> CashBook:
    """The cash book, an empty one where there is none; unlike `State.cash` it makes none."""
    return state.accounts[account].cash.get(currency) or CashBook()


def equity_of(state: State, account: AccountID, currency: Currency, prices: Iterable[SeenPrice]) -> tuple[Decimal, set[Symbol]]:
    """Cash plus holdings at the seen prices, in `currency`, and the holdings that have none; a future counts with its gain,
    which needs its cost as well.

    A price of zero or less is nobody's price in every market but futures (core/market.py): unknown, never worthless.
    """
    px = {p.symbol: p.px for p in prices}
    total: Decimal = cash_book(state, account, currency).balance
    unpriced: set[Symbol] = set()
    for symbol, position in state.positions.get(account, {}).items():
        instrument = state.instruments[symbol]
        if position.is_flat or instrument.currency != currency:
            continue
        future = instrument.asset_class is AssetClass.FUTURE
        if symbol not in px or (px[symbol] <= ZERO and not future):
            unpriced.add(symbol)
        elif future:
            gain = position.unrealized(px[symbol], instrument.multiplier)
            if gain is None:
                unpriced.add(symbol)
            else:
                total += gain
        else:
            total += instrument.notional(px[symbol], position.net_qty)
    return total, unpriced


def lacking(state: State, account: AccountID, unpriced: Iterable[Symbol]) -> list[str]:
    """The holdings that kept the equity from being known; a price alone does not help a future whose broker named no cost."""
    named = []
    for symbol in sorted(unpriced):
        future = state.instruments[symbol].asset_class is AssetClass.FUTURE
        costless = future and state.held(account, symbol).unrealized(Decimal(1)) is None
        named.append(f"{symbol} (its broker named no cost either, close it by hand)" if costless else symbol)
    return named
