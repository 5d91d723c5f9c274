"""The fills of the last trading days, so that a list which is complete can be asked what it lacks.

Kept by evolve beside the orders, because no decision may walk all orders to find the fills of a day. Bounded: of each account
the newest days alone; brokers show no more of theirs, and take back older fills by statement.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from tradeloop.core.shards import Shards
from tradeloop.core.types import AccountID, TradingDay, UtcNs

DAYS_KEPT: Final = 4
"""Trading days of each account: today's night and day, yesterday's, and two more for markets whose days are apart."""

PackedFills = list[tuple[AccountID, list[tuple[TradingDay, list[tuple[str, UtcNs]]]]]]


class RecentFills:
    """account -> trading day -> execution key -> the earliest moment at which the fill can have happened."""

    __slots__ = ("_days",)

    def __init__(self) -> None:
        self._days: dict[AccountID, dict[TradingDay, Shards[UtcNs]]] = {}

    def add(self, account: AccountID, day: TradingDay, key: str, at: UtcNs) -> None:
        """A fill was booked. One of a day older than those kept is not remembered."""
        days = self._days.get(account)
        if days is None:
            days = self._days[account] = {}
        fills = days.get(day)
        if fills is None:
            fills = days[day] = Shards()
            while len(days) > DAYS_KEPT:
                del days[min(days)]
        fills[key] = at

    def absent(self, account: AccountID, since: UtcNs, shown: Container[str]) -> list[str]:
        """The keys of fills that surely happened at or after `since` and are not among those shown, sorted."""
        keys = [
            key
            for fills in self._days.get(account, {}).values()
            for part in fills.parts()
            for key, at in part.items()
            if key not in shown and at >= since
        ]
        keys.sort()
        return keys

    def pack(self) -> PackedFills:
        """All of it in one order, whatever order it came in."""
        return [
            (account, [(day, list(fills.items())) for day, fills in sorted(days.items())])
            for account, days in sorted(self._days.items())
        ]

    @classmethod
    def unpack(cls, packed: PackedFills) -> RecentFills:
        """What `pack` wrote."""
        recent = cls()
        for account, days in packed:
            for day, fills in days:
                for key, at in fills:
                    recent.add(account, day, key, at)
        return recent
