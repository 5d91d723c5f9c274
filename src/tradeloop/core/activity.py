"""What was asked of brokers and what traded today, counted where limits count it: for rules of frequency and the day's sums.

Counted as facts are applied, so that a restart counts what its predecessor did. A row belongs to one account, symbol and
strategy; the sums of the scopes that limits in force count over follow it, so that no order adds them up.
A day is the trading day that the symbol's session is in when the fact is made: when a session opens its next one, the rows of
what trades in it begin anew.
"""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.core.instrument import Instrument
from tradeloop.core.limit import LimitScope
from tradeloop.core.types import ZERO, AccountID, Symbol, UtcNs

WINDOW_NS: Final = 60_000_000_000
"""How far back requests are remembered one by one."""
_TRIM_AT: Final = 4096

Row = tuple[AccountID, Symbol, str]
"""(account, symbol, strategy)"""
Place = tuple[LimitScope, str | None]
"""Over what something is summed: a scope and its name."""


class Day(msgspec.Struct, array_like=True):
    """Sums of one trading day in one currency.

    `messages` are orders, cancels and changes asked of brokers; `quick_cancels` came within a second of their order. `ordered`
    is the value of orders at the price they were judged by, `traded` that of fills. `large_cancels` took back what the exchange
    calls large; `self_trades` had own orders on both sides. `opened` is the quantity of fills that opened.
    """

    orders: int = 0
    cancels: int = 0
    quick_cancels: int = 0
    messages: int = 0
    trades: int = 0
    ordered: Decimal = ZERO
    traded: Decimal = ZERO
    large_cancels: int = 0
    self_trades: int = 0
    opened: Decimal = ZERO

    def add(self, other: Day, sign: int) -> None:
        """Count another's sums in (1) or out (-1)."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + sign * getattr(other, name))


class Requests:
    """When the requests of the last minute were made, the oldest first. A clock set back counts as standing still."""

    __slots__ = ("at",)

    def __init__(self, at: list[UtcNs] | None = None) -> None:
        self.at: list[UtcNs] = [] if at is None else at

    def count(self, now: UtcNs) -> None:
        """One more."""
        at = self.at
        at.append(now if not at or at[-1] <= now else at[-1])
        if len(at) > _TRIM_AT and at[len(at) // 2] <= now - WINDOW_NS:
            del at[: bisect_right(at, now - WINDOW_NS)]

    def within(self, span_ns: int, now: UtcNs) -> int:
        """How many were made in the last `span_ns`, at most WINDOW_NS."""
        return len(self.at) - bisect_right(self.at, now - span_ns)

    def is_below(self, most: int, since: UtcNs) -> bool:
        """Whether fewer than `most` were made since then."""
        at = self.at
        return most > 0 and (len(at) < most or at[-most] <= since)

    def room_at(self, span_ns: int, limit: int, now: UtcNs) -> UtcNs:
        """When one more makes no more than `limit` within the span: now, or when enough of them lie behind it. `limit` > 0."""
        if self.within(span_ns, now) < limit:
            return now
        return UtcNs(self.at[-limit] + span_ns)


class Activity:
    """The rows, and the sums over them."""

    __slots__ = ("_found", "_watched", "requests", "rows", "sums")

    def __init__(self) -> None:
        self.rows: dict[Row, tuple[str, str, str, Day]] = {}
        """(session, currency, industry) of the symbol, and the day's sums."""
        self.sums: dict[Place, dict[str, Day]] = {}
        """By currency."""
        self.requests: dict[AccountID, Requests] = {}
        self._watched: tuple[LimitScope, ...] = ()
        self._found: dict[Row, tuple[Day, ...]] = {}

    def watch(self, scopes: tuple[LimitScope, ...]) -> None:
        """Sum over these scopes from now on, what was counted so far included."""
        if scopes == self._watched:
            return
        self._watched = scopes
        self.sums.clear()
        self._found.clear()
        for row in self.rows:
            self._count(row, 1)

    def days(self, account: AccountID, symbol: Symbol, strategy_id: str, instrument: Instrument) -> tuple[Day, ...]:
        """The row of an order and every sum that it is in: what counts, counts in each of them."""
        row = account, symbol, strategy_id
        found = self._found.get(row)
        if found is None:
            if row not in self.rows:
                self.rows[row] = instrument.session, instrument.currency, instrument.industry, Day()
            found = self._found[row] = self._days_of(row)
        return found

    def requested(self, account: AccountID, at: UtcNs) -> None:
        """A request was made of the account's broker."""
        try:
            self.requests[account].count(at)
        except KeyError:
            self.requests[account] = Requests([at])

    def of(self, scope: LimitScope, name: str, currency: str) -> Day | None:
        """The sums of a place in a currency; None where nothing was counted."""
        return self.sums.get((scope, name), _NONE).get(currency)

    def total(self, scope: LimitScope, name: str) -> Day:
        """The same together, in whatever currency: for counts. It is not to be written to."""
        by_currency = self.sums.get((scope, name), _NONE)
        if len(by_currency) == 1:
            return next(iter(by_currency.values()))
        total = Day()
        for day in by_currency.values():
            total.add(day, 1)
        return total

    def open_day(self, session: str) -> None:
        """A session begins its next trading day: nothing was done in it yet."""
        for row in [row for row, (its, *_) in self.rows.items() if its == session]:
            self._count(row, -1)
            del self.rows[row]
            self._found.pop(row, None)

    def relist(self, instrument: Instrument) -> None:
        """What was done today in a symbol counts where it belongs now: in the sums of its industry, and until its session opens
        its next day. What was counted in money was counted in the currency it is listed in from now on.
        """
        becomes = instrument.session, instrument.currency, instrument.industry
        for row, (session, currency, industry, day) in self.rows.items():
            if row[1] != instrument.symbol or becomes == (session, currency, industry):
                continue
            self._count(row, -1)
            self.rows[row] = *becomes, day
            self._count(row, 1)
            self._found.pop(row, None)

    def pack(self) -> PackedActivity:
        """As a snapshot keeps it; the sums are made anew from the limits in force."""
        requests = [(account, of.at) for account, of in self.requests.items()]
        rows = [(*row, session, currency, industry, day) for row, (session, currency, industry, day) in self.rows.items()]
        return PackedActivity(rows, requests)

    @classmethod
    def unpack(cls, packed: PackedActivity) -> Activity:
        """What `pack` wrote."""
        activity = cls()
        for account, symbol, strategy_id, session, currency, industry, day in packed.rows:
            activity.rows[account, symbol, strategy_id] = session, currency, industry, day
        activity.requests = {account: Requests(at) for account, at in packed.requests}
        return activity

    def _count(self, row: Row, sign: int) -> None:
        """Count a row in (1) or out (-1) of every sum that it is in."""
        day, *totals = self._days_of(row)
        for total in totals:
            total.add(day, sign)

    def _days_of(self, row: Row) -> tuple[Day, ...]:
        _, currency, industry, day = self.rows[row]
        places = ((scope, _name(scope, row, industry)) for scope in self._watched)
        sums = (self.sums.setdefault(place, {}).setdefault(currency, Day()) for place in places if place[1] is not None)
        return day, *sums


class PackedActivity(msgspec.Struct, array_like=True, frozen=True):
    """The shape of the activity in a snapshot."""

    rows: list[tuple[AccountID, Symbol, str, str, str, str, Day]] = []
    requests: list[tuple[AccountID, list[UtcNs]]] = []


def _name(scope: LimitScope, row: Row, industry: str) -> str | None:
    """The name within a scope that a row belongs to; None where it belongs to none."""
    account, symbol, strategy_id = row
    match scope:
        case LimitScope.GLOBAL:
            return ""
        case LimitScope.ACCOUNT:
            return account
        case LimitScope.SYMBOL:
            return symbol
        case LimitScope.STRATEGY:
            return strategy_id or None
        case LimitScope.INDUSTRY:
            return industry or None


_NONE: Final[dict[str, Day]] = {}
