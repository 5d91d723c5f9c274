"""Which fills of the last days the books alone have told of, which ids are second ids, and what came by a number alone.

Kept by evolve, so that a report can be compared with what a look brought without walking the fills of a day. Where no look ever
brings a fill that no report told of, and all name their order by our id, there is nothing in it. Bounded as the recent fills
are (core/recent.py).
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from tradeloop.core.recent import DAYS_KEPT
from tradeloop.core.types import AccountID, OrderID, TradingDay, UtcNs


class DayOfIds(msgspec.Struct, array_like=True):
    """`shown`: when a fill happened, by the venue's clock -> keys of those that the books alone told of. `second`: the keys by
    which a fill is known beside its own. `numbers`: under which number a fill came that did not name our id, by its key.
    """

    shown: dict[str, list[str]] = {}
    second: dict[str, None] = {}
    numbers: dict[str, OrderID] = {}


class IdsOfFills:
    """account -> trading day -> ids."""

    __slots__ = ("_days", "_roots", "_twice")

    def __init__(self) -> None:
        self._days: dict[AccountID, dict[TradingDay, DayOfIds]] = {}
        self._roots: dict[str, str] = {}
        self._twice: dict[str, int] = {}
        """Which fill each second id names, and how many each fill has: derived, packed by no snapshot."""

    def shown(self, account: AccountID, day: TradingDay, at: UtcNs, key: str) -> None:
        """A fill was booked from the broker's books."""
        self._day(account, day).shown.setdefault(str(at), []).append(key)

    def joined(self, account: AccountID, day: TradingDay, key: str, root: str) -> None:
        """`key` is a second id of the fill `root`."""
        self._day(account, day).second[key] = None
        self._count(key, root)

    def parted(self, account: AccountID, day: TradingDay, key: str) -> None:
        """`key` is none after all."""
        self._day(account, day).second.pop(key, None)
        self._forget(key)

    def has_second(self, root: str) -> bool:
        """Whether a fill is known by a second id beside its own."""
        return root in self._twice

    def came(self, account: AccountID, day: TradingDay, key: str, number: OrderID) -> None:
        """A fill was booked that named its order by the broker's number alone."""
        self._day(account, day).numbers[key] = number

    def number_of(self, account: AccountID, day: TradingDay, key: str) -> OrderID | None:
        """The number by which a fill named its order, None where it named our id or is too old to be known here."""
        its = self._days.get(account, {}).get(day)
        return None if its is None else its.numbers.get(key)

    def shown_at(self, account: AccountID, at: UtcNs) -> list[str]:
        """The fills of that moment that the books alone told of."""
        moment = str(at)
        return [key for its in self._days.get(account, {}).values() for key in its.shown.get(moment, ())]

    def is_second(self, account: AccountID, day: TradingDay, key: str) -> bool:
        """Whether the key is known as a second id."""
        its = self._days.get(account, {}).get(day)
        return its is not None and key in its.second

    def any_second(self, account: AccountID) -> bool:
        """Whether any id of the account is a second one."""
        return any(its.second for its in self._days.get(account, {}).values())

    def _day(self, account: AccountID, day: TradingDay) -> DayOfIds:
        days = self._days.setdefault(account, {})
        its = days.get(day)
        if its is None:
            its = days[day] = DayOfIds()
            while len(days) > DAYS_KEPT:
                for key in days.pop(min(days)).second:
                    self._forget(key)
        return its

    def _count(self, key: str, root: str) -> None:
        self._forget(key)
        self._roots[key] = root
        self._twice[root] = self._twice.get(root, 0) + 1

    def _forget(self, key: str) -> None:
        root = self._roots.pop(key, None)
        if root is not None:
            self._twice[root] -= 1
            if not self._twice[root]:
                del self._twice[root]

    def __bool__(self) -> bool:
        return bool(self._days)

    def pack(self) -> list[tuple[AccountID, list[tuple[TradingDay, DayOfIds]]]]:
        """All of it in one order."""
        return [(account, sorted(days.items())) for account, days in sorted(self._days.items())]

    @classmethod
    def unpack(
        cls, packed: list[tuple[AccountID, list[tuple[TradingDay, DayOfIds]]]], root_of: Callable[[str], str]
    ) -> IdsOfFills:
        """What `pack` wrote; `root_of` says which fill a second id names."""
        ids = cls()
        ids._days = {account: dict(days) for account, days in packed}
        for days in ids._days.values():
            for its in days.values():
                for key in its.second:
                    ids._count(key, root_of(key))
        return ids
