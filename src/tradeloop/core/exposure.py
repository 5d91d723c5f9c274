"""What orders may still trade, by account, symbol and side: working, in flight and UNKNOWN alike count until they end.

Derived from the open orders, so that no rule walks them; a restart makes it anew. Beside it stands which symbols have changed,
so that what values positions looks at those alone (core/valuation.py).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from tradeloop.core.order import Order
from tradeloop.core.own_orders import OwnOrders
from tradeloop.core.types import BUY, ZERO, AccountID, ClOrdID, Qty, Side, Symbol

Holding = tuple[AccountID, Symbol]


class Exposure:
    """Quantities that may still trade, and how many orders they are of."""

    __slots__ = ("_by_order", "_moved", "buys", "changes", "orders", "own", "sells")

    def __init__(self) -> None:
        self.buys: dict[Holding, Qty] = {}
        self.sells: dict[Holding, Qty] = {}
        self.orders: dict[AccountID, int] = {}
        """How many orders of an account may still trade."""
        self.own = OwnOrders()
        """At what prices they may trade, while a limit asks."""
        self._by_order: dict[ClOrdID, Qty] = {}
        self._moved: dict[Holding, int] = {}
        """Each holding, and its last change; what moved last stands last."""
        self.changes = 0
        """How many changes there were so far."""

    def count(self, order: Order, now: Qty) -> None:
        """Count that the order may still trade `now`, whatever was counted of it before. Whoever calls knows its `exposed_qty`
        already, mostly: to ask the order costs more than all of this.
        """
        was = self._by_order.get(order.cl_ord_id)
        if was is None:
            if not now:
                return
            self.orders[order.account] = self.orders.get(order.account, 0) + 1
            more: Decimal = now
        else:
            more = now - was
            if not more:
                return
        if now:
            self._by_order[order.cl_ord_id] = now
        else:
            del self._by_order[order.cl_ord_id]
            self.orders[order.account] -= 1
        holding = order.account, order.symbol
        legs = self.buys if order.side is BUY else self.sells
        known = legs.get(holding)
        legs[holding] = Qty(more if known is None else known + more)
        self.moved(holding)

    def moved(self, holding: Holding) -> None:
        """What is held, or may still trade, is not what it was."""
        self.changes += 1
        self._moved.pop(holding, None)
        self._moved[holding] = self.changes

    def moved_since(self, change: int) -> list[Holding]:
        """What has moved behind the `change`th change, each of it once, what moved last in the end."""
        found = []
        for holding, at in reversed(self._moved.items()):
            if at <= change:
                break
            found.append(holding)
        found.reverse()
        return found

    def of(self, account: AccountID, symbol: Symbol, side: Side, own: Order | None = None) -> Qty:
        """What all orders of a side may still trade together, `own` left out."""
        total = (self.buys if side is BUY else self.sells).get((account, symbol), _NOTHING)
        if own is None or own.side is not side:
            return total
        return Qty(total - self._by_order.get(own.cl_ord_id, _NOTHING))


_NOTHING: Final = Qty(ZERO)
