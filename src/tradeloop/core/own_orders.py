"""At what prices our own orders may trade, and what that is worth: for rules that ask whether two of them could meet.

Derived from the open orders, those in flight and of unknown fate included, so that no rule walks them: of each symbol and side
the best price is at hand. It is kept while a limit asks for it, and made anew when one begins to and after a restart. An order
without a limit may trade at any price; so may a stop, which becomes one when it fires.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from heapq import heapify, heappop, heappush
from typing import Final

from tradeloop.core.instrument import Instrument
from tradeloop.core.lately import MINUTE_VALUE
from tradeloop.core.order import Order
from tradeloop.core.ordered import worth_px
from tradeloop.core.types import BUY, LIMIT, STOP_LIMIT, ZERO, AccountID, Amount, ClOrdID, Currency, Px, Qty, Side, Symbol

NO_SELF_TRADE: Final = "no_self_trade"

Leg = tuple[AccountID, Side, Currency]
_SPARE: Final = 64


class OwnOrders:
    """The prices of the open orders by symbol and side, and the value that may still trade by account and side."""

    __slots__ = ("_known", "_levels", "is_kept", "values")

    def __init__(self) -> None:
        self.is_kept = False
        self._levels: dict[tuple[Symbol, Side], _Levels] = {}
        self._known: dict[ClOrdID, tuple[Px | None, Leg, Amount]] = {}
        self.values: dict[Leg, Decimal] = {}

    def watch(
        self, rules: Mapping[str, Decimal], orders: Mapping[ClOrdID, Order], instruments: Mapping[Symbol, Instrument]
    ) -> None:
        """Keep it from now on if one of these rules asks for it, with what is open already."""
        kept = NO_SELF_TRADE in rules or MINUTE_VALUE in rules
        if kept == self.is_kept:
            return
        self.is_kept = kept
        for kept_of in (self._levels, self._known, self.values):
            kept_of.clear()
        for order in orders.values() if kept else ():
            self.count(order, instruments[order.symbol], order.exposed_qty)

    def count(self, order: Order, instrument: Instrument, qty: Qty) -> None:
        """Count that an order may still trade `qty`, whatever was counted of it before."""
        cl_ord_id = order.cl_ord_id
        known = self._known.get(cl_ord_id)
        if known is None and not qty:
            return
        levels = self._levels.get((order.symbol, order.side))
        if levels is None:
            levels = self._levels[order.symbol, order.side] = _Levels(buying=order.side is BUY)
        if known is not None:
            px, leg, value = known
            levels.remove(px)
            self.values[leg] -= value
        if not qty:
            del self._known[cl_ord_id]
            return
        px = _reach(order)
        leg = order.account, order.side, instrument.currency
        at = px if px is not None and order.side is BUY else _dearest(order)
        value = Amount(ZERO) if at is None else instrument.notional(at, qty)
        self._known[cl_ord_id] = px, leg, value
        levels.add(px)
        self.values[leg] = self.values.get(leg, ZERO) + value

    def meets(self, symbol: Symbol, side: Side, px: Px | None) -> bool:
        """Whether an order of the other side could trade at `px`, at any price where that is None, with an order of `side`."""
        levels = self._levels.get((symbol, side))
        return levels is not None and levels.reach(px)

    def __len__(self) -> int:
        """How many prices are kept, those included at which nothing works any more."""
        return sum(levels.size for levels in self._levels.values())

    def value(self, leg: Leg, own: Order | None = None) -> Decimal:
        """What the orders of an account and side may still trade together, `own` left out."""
        known = None if own is None else self._known.get(own.cl_ord_id)
        total = self.values.get(leg, ZERO)
        return total if known is None or known[1] != leg else total - known[2]


class _Levels:
    """How many orders there are at each price; the best price of all on top of a heap, whose others may be empty."""

    __slots__ = ("_at", "_buying", "_heap", "_live", "_unlimited")

    def __init__(self, *, buying: bool) -> None:
        self._buying = buying
        self._at: dict[Decimal, int] = {}
        self._heap: list[Decimal] = []
        self._live = 0
        self._unlimited = 0

    def add(self, px: Px | None) -> None:
        if px is None:
            self._unlimited += 1
            return
        known = self._at.get(px)
        if known is None:
            heappush(self._heap, -px if self._buying else px)
        self._at[px] = (known or 0) + 1
        self._live += 1

    def remove(self, px: Px | None) -> None:
        if px is None:
            self._unlimited -= 1
            return
        self._at[px] -= 1
        self._live -= 1
        while self._heap and not self._at[self._best]:
            del self._at[self._best]
            heappop(self._heap)
        if len(self._heap) > 2 * self._live + _SPARE:
            self._at = {at: count for at, count in self._at.items() if count}
            self._heap = [-at if self._buying else at for at in self._at]
            heapify(self._heap)

    def reach(self, px: Px | None) -> bool:
        if self._unlimited:
            return True
        if not self._heap:
            return False
        return px is None or (px <= self._best if self._buying else px >= self._best)

    @property
    def size(self) -> int:
        return len(self._heap)

    @property
    def _best(self) -> Decimal:
        return -self._heap[0] if self._buying else self._heap[0]


def _dearest(order: Order) -> Px | None:
    """The most that the order may be worth a unit, whatever becomes of the replaces that wait; None where nobody knows."""
    side, seen = order.side, order.arrival_px
    px = worth_px(side, order.price, order.stop_px, seen)
    for asked in order.replaces or ():
        other = worth_px(side, asked.terms.price, asked.terms.stop_px, seen)
        if px is None or (other is not None and other > px):
            px = other
    return px


def _reach(order: Order) -> Px | None:
    """The price furthest into the market that the order may trade at, whatever becomes of the replaces that wait."""
    if order.ord_type is not LIMIT and order.ord_type is not STOP_LIMIT:
        return None
    px = order.price
    for asked in order.replaces or ():
        other = asked.terms.price
        if px is None or other is None:
            return None
        px = max(px, other) if order.side is BUY else min(px, other)
    return px
