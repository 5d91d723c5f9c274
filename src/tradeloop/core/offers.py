"""Station 4: what the working orders of a side may still trade, as sums, so that no order looks at each of them.

Derived from the open orders: it follows each where what is promised to it follows, and a restart makes it anew.
"""

from __future__ import annotations

from decimal import Decimal

from tradeloop.core.instrument import Instrument
from tradeloop.core.order import Order
from tradeloop.core.types import AUTO, OPEN, SELL, ZERO, AccountID, ClOrdID, PositionEffect, Qty, Side, Symbol


class Offers:
    """What orders of one side may still trade, by what they open or close."""

    __slots__ = ("by_order", "of_leg")

    def __init__(self) -> None:
        self.by_order: dict[ClOrdID, tuple[PositionEffect, Qty]] = {}
        self.of_leg: dict[tuple[AccountID, Symbol, Side], dict[PositionEffect, Decimal]] = {}

    def count(self, order: Order, instrument: Instrument) -> None:
        """Count what an order may still trade, whatever was counted of it before.

        The plain buys of what cannot be sold short are left out: there are many, and hardly ever is there anything to cover.
        """
        effect = order.position_effect
        counts = order.side is SELL or effect is not AUTO or instrument.can_be_short
        known = self.by_order.get(order.cl_ord_id)
        was, now = ZERO if known is None else known[1], order.exposed_qty if counts else Qty(ZERO)
        if was == now:
            return
        key = (order.account, order.symbol, order.side)
        if now:
            self.by_order[order.cl_ord_id] = effect, now
        else:
            del self.by_order[order.cl_ord_id]
        sums = self.of_leg.get(key)
        if sums is None:
            sums = self.of_leg[key] = {}
        total = sums.get(effect, ZERO) + now - was
        if total:
            sums[effect] = total
        else:
            del sums[effect]
            if not sums:
                del self.of_leg[key]

    def of(self, account: AccountID, symbol: Symbol, side: Side, but: ClOrdID | None) -> Decimal:
        """What all of a side may still trade together to close, `but` one."""
        total = ZERO
        for effect, qty in self.of_leg.get((account, symbol, side), _NONE).items():
            if effect is not OPEN:
                total += qty
        known = None if but is None else self.by_order.get(but)
        return total if known is None or known[0] is OPEN else total - known[1]

    def opening(self, account: AccountID, symbol: Symbol, side: Side, but: ClOrdID | None) -> Decimal:
        """What all of a side that say OPEN may still trade together, `but` one."""
        total = self.of_part(account, symbol, side, OPEN)
        known = None if but is None else self.by_order.get(but)
        return total if known is None or known[0] is not OPEN else total - known[1]

    def of_part(self, account: AccountID, symbol: Symbol, side: Side, effect: PositionEffect) -> Decimal:
        """What all of a side that name the same part of a holding may still trade together."""
        return self.of_leg.get((account, symbol, side), _NONE).get(effect, ZERO)


_NONE: dict[PositionEffect, Decimal] = {}
