"""Positions, money, quotes, differences and troubles: what may be asked about them. Each function makes an `Ask`."""

from __future__ import annotations

from collections.abc import Sequence

from tradeloop.client.ask import Ask, asked, at, present
from tradeloop.client.books_told import (
    Account,
    Alert,
    Alerts,
    Breaks,
    Compared,
    Curve,
    MainContract,
    Position,
    Positions,
    Quotes,
    Switched,
)


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


def alerts(*, open_only: bool = True, unseen: bool = False, limit: int = 100, cursor: str | None = None) -> Ask[Alerts]:
    """Troubles, newest first; `unseen` leaves out those that somebody has acknowledged."""
    query = asked(open=open_only, unseen=unseen or None, limit=limit, cursor=cursor)
    return Ask("GET", "/api/v1/alerts", Alerts, query=query)


def acknowledge(alert_id: str, note: str = "") -> Ask[Alert]:
    """Say that you have seen a trouble. The first who says so stands, so that to ask twice says no more."""
    path = at("/api/v1/alerts/{alert_id}/acknowledge", alert_id=alert_id)
    return Ask("POST", path, Alert, body=present(note=note), is_harmless=True)


def main_contract() -> Ask[MainContract]:
    """The main contract of the desk."""
    return Ask("GET", "/api/v1/main-contract", MainContract)


def switch_main_contract(symbol: str, *, exchange: str = "", reason: str = "") -> Ask[Switched]:
    """Have another instrument be it; refused while one of the contract before is held or worked. Asked twice, it is it."""
    body = present(symbol=symbol, exchange=exchange, reason=reason)
    return Ask("PUT", "/api/v1/main-contract", Switched, body=body, is_harmless=True)


def sync(exchange: str) -> Ask[Compared]:
    """Compare the books with the broker's now; nothing is overwritten."""
    return Ask("POST", at("/api/v1/positions/sync/{exchange}", exchange=exchange), Compared, is_harmless=True)
