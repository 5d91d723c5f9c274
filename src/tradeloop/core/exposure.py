"""What orders may still trade, by account, symbol and side: working, in flight and UNKNOWN alike count until they end.

Derived from the open orders, so that no rule walks them; a restart makes it anew. Beside it stands which symbols have changed,
so that what values positions looks at those alone (core/risk/valuation.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from tradeloop.core.order import Order
from tradeloop.core.types import BUY, ZERO, AccountID, ClOrdID, Qty, Side, Symbol

Holding = tuple[AccountID, Symbol]


class Exposure:
    """Quantities that may still trade, and how many orders they are of."""

    __slots__ = ("_by_order", "_changes", "_moved", "buys", "orders", "sells")

    def __init__(self) -> None:
        self.buys: dict[Holding, Qty] = {}
        self.sells: dict[Holding, Qty] = {}
        self.orders: dict[AccountID, int] = {}
        """How many orders of an account may still trade."""
        self._by_order: dict[ClOrdID, Qty] = {}
        self._moved: dict[Holding, int] = {}
        self._changes = 0

    def count(self, order: Order) -> None:
        """Count what an order may still trade, whatever was counted of it before."""
        was, now = self._by_order.get(order.cl_ord_id, _NOTHING), order.exposed_qty
        if was == now:
            return
        holding = order.account, order.symbol
        if not now:
            del self._by_order[order.cl_ord_id]
            self.orders[order.account] -= 1
        else:
            self._by_order[order.cl_ord_id] = now
            if not was:
                self.orders[order.account] = self.orders.get(order.account, 0) + 1
        legs = self.buys if order.side is BUY else self.sells
        legs[holding] = Qty(legs.get(holding, _NOTHING) + now - was)
        self.moved(holding)

    def moved(self, holding: Holding) -> None:
        """What is held, or may still trade, is not what it was."""
        self._changes += 1
        self._moved.pop(holding, None)
        self._moved[holding] = self._changes

    def moved_since(self, change: int) -> Iterator[Holding]:
        """What has moved behind the `change`th change, the newest first."""
        for holding in reversed(self._moved):
            if self._moved[holding] <= change:
                return
            yield holding

    @property
    def changes(self) -> int:
        """How many changes there were so far."""
        return self._changes

    def of(self, account: AccountID, symbol: Symbol, side: Side, own: Order | None = None) -> Qty:
        """What all orders of a side may still trade together, `own` left out."""
        total = (self.buys if side is BUY else self.sells).get((account, symbol), _NOTHING)
        if own is None or own.side is not side:
            return total
        return Qty(total - self._by_order.get(own.cl_ord_id, _NOTHING))


_NOTHING = Qty(ZERO)
