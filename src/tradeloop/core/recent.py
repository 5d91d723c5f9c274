"""The fills of the last trading days, so that a list which is complete can be asked what it lacks.

Kept by evolve beside the orders, because no decision may walk all orders to find the fills of a day. Bounded: of each account
the newest days alone; brokers show no more of theirs, and take back older fills by statement.
"""

from __future__ import annotations

from collections.abc import Container
from itertools import filterfalse
from typing import Final

from tradeloop.core.shards import Shards
from tradeloop.core.types import AccountID, TradingDay, UtcNs

DAYS_KEPT: Final = 4
"""Trading days of each account: today's night and day, yesterday's, and two more for markets whose days are apart."""

_BITS: Final = 64
_BOOKED: Final = 2**_BITS - 1

Moments = tuple[UtcNs, UtcNs]
"""The earliest moment at which a fill can have happened, by the broker's clock, and the one at which it was booked, by ours."""
PackedFills = list[tuple[AccountID, list[tuple[TradingDay, list[tuple[str, Moments]]]]]]


class RecentFills:
    """account -> trading day -> execution key -> when the fill happened and was booked.

    Both moments are kept in one number, so that the collector has nothing to walk, however many fills a day has.
    """

    __slots__ = ("_days", "_newest", "changes")

    def __init__(self) -> None:
        self._days: dict[AccountID, dict[TradingDay, Shards[int]]] = {}
        self._newest: dict[tuple[AccountID, TradingDay], UtcNs] = {}
        """When the newest fill of a day happened: one that ended before what a list shows needs no walk."""
        self.changes = 0
        """How many fills were added: kept by no snapshot."""

    def add(self, account: AccountID, day: TradingDay, key: str, moments: Moments) -> None:
        """A fill was booked. One of a day older than those kept is not remembered."""
        days = self._days.get(account)
        if days is None:
            days = self._days[account] = {}
        fills = days.get(day)
        if fills is None:
            fills = days[day] = Shards()
            while len(days) > DAYS_KEPT:
                oldest = min(days)
                del days[oldest]
                self._newest.pop((account, oldest), None)
        self.changes += 1
        happened, booked = moments
        fills[key] = happened << _BITS | booked
        if happened > self._newest.get((account, day), -1):
            self._newest[account, day] = happened

    def absent(self, account: AccountID, since: UtcNs, shown: Container[str]) -> list[str]:
        """The keys of fills that surely happened at or after `since` and are not shown."""
        keys = [
            key
            for day, fills in self._days.get(account, {}).items()
            if self._newest[account, day] >= since
            for part in fills.parts()
            for key in filterfalse(shown.__contains__, part)
            if part[key] >> _BITS >= since
        ]
        keys.sort()
        return keys

    def happened_at(self, account: AccountID, at: Container[int]) -> list[tuple[str, int]]:
        """The fills that happened at one of these moments, by their keys, each with its own."""
        found = [
            (key, moments >> _BITS)
            for fills in self._days.get(account, {}).values()
            for part in fills.parts()
            for key, moments in part.items()
            if moments >> _BITS in at
        ]
        found.sort()
        return found

    def booked_at(self, account: AccountID, day: TradingDay, key: str) -> UtcNs | None:
        """When a fill was booked, by our clock; None where it is not remembered."""
        moments = self._moments(account, day, key)
        return None if moments is None else UtcNs(moments & _BOOKED)

    def happened(self, account: AccountID, day: TradingDay, key: str) -> UtcNs | None:
        """The earliest moment at which a fill can have happened: that of the venue, where it told one. None where it is not
        remembered.
        """
        moments = self._moments(account, day, key)
        return None if moments is None else UtcNs(moments >> _BITS)

    def _moments(self, account: AccountID, day: TradingDay, key: str) -> int | None:
        fills = self._days.get(account, {}).get(day)
        return None if fills is None else fills.get(key)

    def pack(self) -> PackedFills:
        """All of it in one order, whatever order it came in."""
        return [
            (
                account,
                [(day, [(key, _apart(moments)) for key, moments in fills.items()]) for day, fills in sorted(days.items())],
            )
            for account, days in sorted(self._days.items())
        ]

    @classmethod
    def unpack(cls, packed: PackedFills) -> RecentFills:
        """What `pack` wrote."""
        recent = cls()
        for account, days in packed:
            for day, fills in days:
                kept: Shards[int] = Shards()
                kept.update((key, happened << _BITS | booked) for key, (happened, booked) in fills)
                recent._days.setdefault(account, {})[day] = kept
                if fills:
                    recent._newest[account, day] = max(happened for _, (happened, _) in fills)
        return recent


def _apart(moments: int) -> Moments:
    return UtcNs(moments >> _BITS), UtcNs(moments & _BOOKED)
