"""What was done lately, as rules of conduct ask it: equal orders, orders of a strategy, trades of the last minute, and when
something last traded.

Kept as facts are applied and for as long as a limit in force asks, so that a verdict looks up one number and a restart knows
what its predecessor knew. A clock set back counts as standing still.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.core.activity import WINDOW_NS, Requests
from tradeloop.core.limit import RiskLimits
from tradeloop.core.order import Order
from tradeloop.core.types import SECOND_NS, ZERO, AccountID, Currency, Px, Qty, Side, Symbol, UtcNs

NO_DUPLICATE: Final = "no_duplicate_order"
REPEATED: Final = "max_repeated_executions"
MINUTE_SHARE: Final = "max_minute_share"
MINUTE_VALUE: Final = "max_minute_traded_value"
SELF_TRADES: Final = "max_self_trades"
"""Rules for which something is counted that no other rule asks."""

Alike = tuple[AccountID, Symbol, Side, Qty, Px | None]
"""What makes two orders equal."""
Of = tuple[str, str, Side]
"""(symbol, "", side) or (account, currency, side)"""
Fires = tuple[str, str, Symbol, Side]
"""Whose orders of what: (strategy, "", symbol, side), and of orders without a strategy ("", account, symbol, side)."""
_TRIM_AT: Final = 4096


def fires_of(strategy_id: str, account: AccountID, symbol: Symbol, side: Side) -> Fires:
    """With which others an order is counted as fired by one program: those of its strategy, or of its account without one."""
    return strategy_id, "" if strategy_id else account, symbol, side


class Flow:
    """What came in the last minute, as sums up to each time, so that any part of it is one difference."""

    __slots__ = ("at", "before", "sums")

    def __init__(self, at: list[UtcNs] | None = None, sums: list[Decimal] | None = None, before: Decimal = ZERO) -> None:
        self.at = [] if at is None else at
        self.sums = [] if sums is None else sums
        self.before = before
        """What came before the first of them."""

    def add(self, now: UtcNs, amount: Decimal) -> None:
        """So much more."""
        at, sums = self.at, self.sums
        at.append(now if not at or at[-1] <= now else at[-1])
        sums.append((sums[-1] if sums else self.before) + amount)
        if len(at) > _TRIM_AT and at[len(at) // 2] <= now - WINDOW_NS:
            old = bisect_right(at, now - WINDOW_NS)
            self.before = sums[old - 1]
            del at[:old], sums[:old]

    def within_minute(self, now: UtcNs) -> Decimal:
        """What came in the last minute."""
        if not self.at:
            return ZERO
        old = bisect_right(self.at, now - WINDOW_NS)
        return self.sums[-1] - (self.sums[old - 1] if old else self.before)


class Lately:
    """What the rules of conduct remember."""

    __slots__ = ("_alike", "_fires", "_qty", "_value", "losses", "trades")

    def __init__(self) -> None:
        self._alike: OrderedDict[Alike, UtcNs] = OrderedDict()
        self._fires: dict[Fires, Requests] = {}
        self._qty: dict[Of, Flow] = {}
        self._value: dict[Of, Flow] = {}
        self.trades: dict[tuple[AccountID, Symbol], UtcNs] = {}
        """When something was last traded."""
        self.losses: dict[tuple[AccountID, Symbol], UtcNs] = {}
        """When a trade last closed something at a loss."""

    def ordered(self, order: Order, limits: RiskLimits, at: UtcNs) -> None:
        """An order was made."""
        span = limits.rules.get(NO_DUPLICATE)
        if span is not None:
            alike = self._alike
            alike[order.account, order.symbol, order.side, order.order_qty, order.price] = at
            alike.move_to_end((order.account, order.symbol, order.side, order.order_qty, order.price))
            while alike and next(iter(alike.values())) < at - span * SECOND_NS:
                alike.popitem(last=False)
        if REPEATED in limits.rules and not order.halt:  # a FLATTEN orders as often as it has to
            self._fires.setdefault(fires_of(order.strategy_id, order.account, order.symbol, order.side), Requests()).count(at)

    def traded(self, order: Order, currency: Currency, value: Decimal, qty: Qty, limits: RiskLimits, at: UtcNs) -> None:
        """Something was traded."""
        self.trades[order.account, order.symbol] = at
        if MINUTE_SHARE in limits.rules:
            self._qty.setdefault((order.symbol, "", order.side), Flow()).add(at, qty)
        if MINUTE_VALUE in limits.rules:
            self._value.setdefault((order.account, currency, order.side), Flow()).add(at, value)

    def alike_at(self, alike: Alike) -> UtcNs | None:
        """When an order equal to this one was last made."""
        return self._alike.get(alike)

    def fires(self, of: Fires) -> Requests | None:
        """When a strategy, or an account without one, made orders of a symbol and side in the last minute."""
        return self._fires.get(of)

    def fired(self, of: Fires, now: UtcNs) -> int:
        """How many they were."""
        requests = self.fires(of)
        return 0 if requests is None else requests.within(WINDOW_NS, now)

    def minute_qty(self, symbol: Symbol, side: Side, now: UtcNs) -> Decimal:
        """What all accounts traded of a symbol and side in the last minute."""
        flow = self._qty.get((symbol, "", side))
        return ZERO if flow is None else flow.within_minute(now)

    def minute_value(self, account: AccountID, currency: Currency, side: Side, now: UtcNs) -> Decimal:
        """What an account traded on a side in the last minute is worth."""
        flow = self._value.get((account, currency, side))
        return ZERO if flow is None else flow.within_minute(now)

    def pack(self) -> PackedLately:
        """As a snapshot keeps it."""
        return PackedLately(
            [(*alike, at) for alike, at in self._alike.items()],
            [(of, requests.at) for of, requests in self._fires.items()],
            [(of, flow.at, flow.sums, flow.before) for of, flow in self._qty.items()],
            [(of, flow.at, flow.sums, flow.before) for of, flow in self._value.items()],
            [(*of, at) for of, at in self.trades.items()],
            [(*of, at) for of, at in self.losses.items()],
        )

    @classmethod
    def unpack(cls, packed: PackedLately) -> Lately:
        """What `pack` wrote."""
        lately = cls()
        for account, symbol, side, qty, px, at in packed.alike:
            lately._alike[account, symbol, side, qty, px] = at
        lately._fires = {of: Requests(at) for of, at in packed.fires}
        lately._qty = {of: Flow(at, sums, before) for of, at, sums, before in packed.qty}
        lately._value = {of: Flow(at, sums, before) for of, at, sums, before in packed.value}
        lately.trades = {(account, symbol): at for account, symbol, at in packed.trades}
        lately.losses = {(account, symbol): at for account, symbol, at in packed.losses}
        return lately


class PackedLately(msgspec.Struct, array_like=True, frozen=True):
    """The shape of it in a snapshot."""

    alike: list[tuple[AccountID, Symbol, Side, Qty, Px | None, UtcNs]] = []
    fires: list[tuple[Fires, list[UtcNs]]] = []
    qty: list[tuple[Of, list[UtcNs], list[Decimal], Decimal]] = []
    value: list[tuple[Of, list[UtcNs], list[Decimal], Decimal]] = []
    trades: list[tuple[AccountID, Symbol, UtcNs]] = []
    losses: list[tuple[AccountID, Symbol, UtcNs]] = []
