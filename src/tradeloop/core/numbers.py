"""Stations 4 and 7: which working orders bear a number of the broker's, whatever trading day it was given on.

Numbers begin anew every day, so that several may bear the same one. Derived from the open orders: it follows each where its
number or its end does, and a restart makes it anew.
"""

from __future__ import annotations

from collections.abc import Collection

from tradeloop.core.order import Order
from tradeloop.core.types import AccountID, ClOrdID, OrderID, Symbol

_Key = tuple[AccountID, Symbol, OrderID]


class Numbers:
    """Working orders by account, symbol and the broker's number."""

    __slots__ = ("by_number", "of_order")

    def __init__(self) -> None:
        self.by_number: dict[_Key, dict[ClOrdID, None]] = {}
        self.of_order: dict[ClOrdID, OrderID] = {}

    def count(self, order: Order, now: OrderID | None) -> None:
        """Know an order by the number it bears `now`, and by no other; one that is done by none."""
        was = self.of_order.get(order.cl_ord_id)
        if was == now:
            return
        if was is not None:
            key = (order.account, order.symbol, was)
            bearers = self.by_number[key]
            del self.of_order[order.cl_ord_id], bearers[order.cl_ord_id]
            if not bearers:
                del self.by_number[key]
        if now is not None:
            self.by_number.setdefault((order.account, order.symbol, now), {})[order.cl_ord_id] = None
            self.of_order[order.cl_ord_id] = now

    def of(self, account: AccountID, symbol: Symbol, number: OrderID) -> Collection[ClOrdID]:
        """The working orders that bear a number."""
        return self.by_number.get((account, symbol, number), ())
