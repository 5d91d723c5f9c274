"""Positions, money, quotes, differences and troubles: what may be asked about them. Each function makes an `Ask`."""

from __future__ import annotations

from collections.abc import Sequence

from tradeloop.client.ask import Ask, asked, at
from tradeloop.client.books_told import Account, Alerts, Breaks, Curve, Position, Positions, Quotes


def positions(*, symbol: str = "", strategy_id: str = "", flat: bool = False) -> Ask[Positions]:
    """What is held, of the account or of a strategy."""
    return Ask("GET", "/api/v1/positions", Positions, query=asked(symbol=symbol, strategy_id=strategy_id, flat=flat or None))


def position(symbol: str, exchange: str, strategy_id: str = "-") -> Ask[Position]:
    """One position; of the account where no strategy is named."""
    path = at("/api/v1/positions/{strategy}/{exchange}/{symbol}", strategy=strategy_id, exchange=exchange, symbol=symbol)
    return Ask("GET", path, Position)


def account() -> Ask[Account]:
    """The money by currency, and symbols that take no new orders."""
    return Ask("GET", "/api/v1/account", Account)


def curve(currency: str, *, since: str = "", limit: int = 1_000) -> Ask[Curve]:
    """How the money of a currency went."""
    return Ask("GET", "/api/v1/account/curve", Curve, query=asked(currency=currency, since=since, limit=limit))


def quotes(symbols: Sequence[str] = ()) -> Ask[Quotes]:
    """The newest quotes with their age; all there are without symbols."""
    return Ask("GET", "/api/v1/quotes", Quotes, query=asked(symbols=",".join(symbols)))


def breaks(*, open_only: bool = True, limit: int = 100, cursor: str | None = None) -> Ask[Breaks]:
    """Differences between books, newest first."""
    return Ask("GET", "/api/v1/breaks", Breaks, query=asked(open=open_only, limit=limit, cursor=cursor))


def alerts(*, open_only: bool = True, limit: int = 100, cursor: str | None = None) -> Ask[Alerts]:
    """Troubles, newest first."""
    return Ask("GET", "/api/v1/alerts", Alerts, query=asked(open=open_only, limit=limit, cursor=cursor))
