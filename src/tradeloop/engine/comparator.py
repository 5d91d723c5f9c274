"""What leaves is what was decided: no more orders than sends were begun, none larger, and none that nobody decided (R11).

It keeps books of its own, of durable facts alone, and knows nothing of how they were decided: what sent four million executions
for 212 orders (Knight Capital, 2012; SEC release 34-70694) passed every check upstream of the wire. Whatever it objects to does
not leave, and trading is halted.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tradeloop.core import events as ev
from tradeloop.core.order import Order
from tradeloop.core.replacement import Replacement
from tradeloop.core.state import State
from tradeloop.core.types import AccountID, ClOrdID, Qty, Side, Symbol
from tradeloop.engine.writer import Published

Decided = tuple[AccountID, Symbol, Side, Decimal]
"""What an order was decided to be: its account, its symbol, its side, and at most so much."""


class Comparator:
    """Sends that were begun and have not left, and what each order may be at most."""

    __slots__ = ("_begun", "_changes", "_decided", "_left", "_readers")

    def __init__(self, state: State) -> None:
        self._decided: dict[ClOrdID, Decided] = {
            one.cl_ord_id: (one.account, one.symbol, one.side, one.most_qty) for one in state.orders.open.values()
        }
        self._left = {one.cl_ord_id: one.exposed_qty for one in state.orders.open.values()}
        """What has not filled: an order that has filled whole is forgotten, since it is never sent again."""
        self._begun: dict[ClOrdID, None] = {}
        """Two sends of one order never overlap: a new one takes the place of one that did not come to the wire."""
        self._changes: dict[tuple[ClOrdID, int], Decimal] = {}
        self._readers: dict[type, Callable[[Any], None]] = {
            ev.OrderStaged: self._staged,
            ev.SendBegun: self._send_begun,
            ev.ReplaceRequested: self._change_asked,
            ev.Traded: self._traded,
            ev.OrderCanceled: self._ended,
            ev.OrderExpired: self._ended,
            ev.OrderRejected: self._ended,
            ev.OrderResolved: self._ended,
        }

    def heard(self, published: Published) -> None:
        """A batch is durable."""
        for event in published.events:
            read = self._readers.get(type(event))
            if read is not None:
                read(event)

    def objects(self, order: Order) -> str | None:
        """Why an order must not leave, or None; it counts as having left then."""
        what = f"order {order.cl_ord_id} of {order.order_qty:f} {order.symbol}"
        decided = self._decided.get(order.cl_ord_id)
        if decided is None:
            return f"{what} is about to leave, and nobody decided it"
        if (order.account, order.symbol, order.side) != decided[:3] or order.order_qty > decided[3]:
            account, symbol, side, qty = decided
            return f"{what} is about to leave as {order.side.value}, and {side.value} {qty:f} {symbol} of {account} was decided"
        if order.cl_ord_id not in self._begun:
            return f"{what} is about to leave, and no send of it was begun that has not left"
        del self._begun[order.cl_ord_id]
        return None

    def objects_to_change(self, change: Replacement) -> str | None:
        """Why a change of an order must not leave, or None; it counts as having left then."""
        qty = self._changes.pop((change.cl_ord_id, change.number), None)
        what = f"change {change.number} of order {change.cl_ord_id} to {change.order_qty:f} {change.symbol}"
        if qty is None:
            return f"{what} is about to leave, and was not asked for, or has left already"
        return f"{what} is about to leave, and {qty:f} was asked for" if change.order_qty > qty else None

    def _staged(self, e: ev.OrderStaged) -> None:
        self._decided[e.cl_ord_id] = e.account, e.symbol, e.side, e.order_qty
        self._left[e.cl_ord_id] = e.order_qty

    def _send_begun(self, e: ev.SendBegun) -> None:
        self._begun[e.cl_ord_id] = None

    def _change_asked(self, e: ev.ReplaceRequested) -> None:
        self._changes[e.cl_ord_id, e.number] = e.order_qty
        decided = self._decided.get(e.cl_ord_id)
        if decided is not None and e.order_qty > decided[3]:
            self._decided[e.cl_ord_id] = *decided[:3], e.order_qty
            self._left[e.cl_ord_id] = Qty(self._left[e.cl_ord_id] + e.order_qty - decided[3])

    def _traded(self, e: ev.Traded) -> None:
        left = self._left.get(e.cl_ord_id)
        if left is not None:
            self._left[e.cl_ord_id] = Qty(left - e.last_qty)
            if left <= e.last_qty:
                self._ended(e)

    def _ended(self, e: ev.Traded | ev.OrderCanceled | ev.OrderExpired | ev.OrderRejected | ev.OrderResolved) -> None:
        self._decided.pop(e.cl_ord_id, None)
        self._left.pop(e.cl_ord_id, None)
        self._begun.pop(e.cl_ord_id, None)
