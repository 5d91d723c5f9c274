"""Symbols as a path or a body has them: an exchange and a name, as S3-23 writes them, or one name that says both."""

from __future__ import annotations

from typing import Final

from tradeloop.core.errors import BadInput
from tradeloop.core.types import Symbol
from tradeloop.markets.symbols import VENUES, canonical

COIN_VENUES: Final = frozenset({"binance", "okx", "bybit", "coinbase", "kraken", "gate", "bitget", "huobi", "htx", "kucoin"})
"""Exchanges of coins as S3-23 names them. A pair carries no venue here (markets/symbols.py): the account's broker says it."""


def symbol_of(exchange: str, symbol: str, broker: str) -> Symbol:
    """The symbol on an exchange; the exchange may also be that of the desk's broker by its name, which says no more than the
    account does. Raises BadInput for an exchange that is another than the symbol's, or unknown.
    """
    written = exchange.strip()
    if not written or written == broker:
        return canonical(symbol)
    venue = VENUES.get(written.upper())
    if venue is None and written.lower() in COIN_VENUES:
        venue = "CRYPTO"
    if venue is None:
        known = ", ".join(sorted({*VENUES.values(), broker}))
        raise BadInput(f"exchange was {written[:40]!r}; expected one of {known}, or none where the symbol says it")
    named = symbol.rpartition(".")[2].upper()
    found = canonical(symbol if named in VENUES else f"{symbol}.{venue}")
    if exchange_of(found) != venue:
        raise BadInput(f"symbol was {found}, which is not on exchange {written}; leave one of them away")
    return found


def exchange_of(symbol: str) -> str:
    """The exchange that a canonical symbol carries."""
    return symbol.rpartition(".")[2]
