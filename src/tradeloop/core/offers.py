"""Station 4: what the working orders that may close a leg may still trade, as one sum, so that no order looks at each of them.

Derived from the open orders: it follows each where what is promised to it follows, and a restart makes it anew.
"""

from __future__ import annotations

from decimal import Decimal

from tradeloop.core.instrument import Instrument
from tradeloop.core.order import Order
from tradeloop.core.types import OPEN, SELL, ZERO, AccountID, ClOrdID, Qty, Side, Symbol


class Offers:
    """The sells that may close a long leg, and the buys that may close a short one."""

    __slots__ = ("by_order", "of_leg")

    def __init__(self) -> None:
        self.by_order: dict[ClOrdID, Qty] = {}
        self.of_leg: dict[tuple[AccountID, Symbol, Side], Decimal] = {}

    def count(self, order: Order, instrument: Instrument) -> None:
        """Count what an order may still trade, whatever was counted of it before.

        The buys of what cannot be sold short are left out: there are many, and hardly ever is there anything to cover.
        """
        if order.position_effect is OPEN:
            return
        counts = order.side is SELL or instrument.can_be_short
        was, now = self.by_order.get(order.cl_ord_id, ZERO), order.exposed_qty if counts else Qty(ZERO)
        if was == now:
            return
        key = (order.account, order.symbol, order.side)
        if now:
            self.by_order[order.cl_ord_id] = now
        else:
            del self.by_order[order.cl_ord_id]
        total = self.of_leg.get(key, ZERO) + now - was
        if total:
            self.of_leg[key] = total
        else:
            del self.of_leg[key]

    def of(self, account: AccountID, symbol: Symbol, side: Side, but: ClOrdID | None) -> Decimal:
        """What all of a side may still trade together to close, `but` one."""
        total = self.of_leg.get((account, symbol, side), ZERO)
        return total if but is None else total - self.by_order.get(but, ZERO)
