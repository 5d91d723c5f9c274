"""Station 4: what the working sells of a holding may still sell, as one sum, so that no order looks at each of them.

Derived from the open orders: it follows each where what is promised to it follows, and a restart makes it anew.
"""

from __future__ import annotations

from decimal import Decimal

from tradeloop.core.order import Order
from tradeloop.core.types import OPEN, SELL, ZERO, AccountID, ClOrdID, Qty, Symbol


class Offers:
    """The sells that may close a long leg."""

    __slots__ = ("by_order", "of_holding")

    def __init__(self) -> None:
        self.by_order: dict[ClOrdID, Qty] = {}
        self.of_holding: dict[tuple[AccountID, Symbol], Decimal] = {}

    def count(self, order: Order) -> None:
        """Count what an order may still sell, whatever was counted of it before."""
        if order.side is not SELL or order.position_effect is OPEN:
            return
        was, now = self.by_order.get(order.cl_ord_id, ZERO), order.exposed_qty
        if was == now:
            return
        key = (order.account, order.symbol)
        if now:
            self.by_order[order.cl_ord_id] = now
        else:
            del self.by_order[order.cl_ord_id]
        total = self.of_holding.get(key, ZERO) + now - was
        if total:
            self.of_holding[key] = total
        else:
            del self.of_holding[key]

    def of(self, account: AccountID, symbol: Symbol, but: ClOrdID | None) -> Decimal:
        """What all of a holding may still sell together, `but` one."""
        total = self.of_holding.get((account, symbol), ZERO)
        return total if but is None else total - self.by_order.get(but, ZERO)
