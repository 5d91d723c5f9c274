"""What leaves is what was decided: no more orders than sends were begun, none larger, none at another price or broker, and none
that nobody decided (R11).

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
from tradeloop.core.types import AccountID, ClOrdID, OrdType, Px, Qty, Side, Symbol
from tradeloop.engine.writer import Published

Decided = tuple[str, AccountID, Symbol, Side, OrdType, Px | None, Decimal]
"""What an order was decided to be: its broker, account, symbol, side, type and limit, and at most so much."""


class Comparator:
    """Sends that were begun and have not left, and what each order may be at most."""

    __slots__ = ("_begun", "_changes", "_decided", "_left", "_readers")

    def __init__(self, state: State) -> None:
        self._decided: dict[ClOrdID, Decided] = {
            one.cl_ord_id: (one.broker, one.account, one.symbol, one.side, one.ord_type, one.price, one.most_qty)
            for one in state.orders.open.values()
        }
        self._left = {one.cl_ord_id: one.exposed_qty for one in state.orders.open.values()}
        """What has not filled: an order that has filled whole is forgotten, since it is never sent again."""
        self._begun: dict[ClOrdID, None] = {}
        """Two sends of one order never overlap: a new one takes the place of one that did not come to the wire."""
        self._changes: dict[tuple[ClOrdID, int], tuple[Decimal, Px | None]] = {}
        self._readers: dict[type, Callable[[Any], None]] = {
            ev.OrderStaged: self._staged,
            ev.SendBegun: self._send_begun,
            ev.ReplaceRequested: self._change_asked,
            ev.OrderReplaced: self._changed,
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
        leaves: Decided = (
            order.broker, order.account, order.symbol, order.side, order.ord_type, order.price, order.order_qty,
        )  # fmt: skip
        if leaves[:-1] != decided[:-1] or order.order_qty > decided[-1]:
            return f"{what} is about to leave as {_said(leaves)}, and {_said(decided)} was decided"
        if order.cl_ord_id not in self._begun:
            return f"{what} is about to leave, and no send of it was begun that has not left"
        del self._begun[order.cl_ord_id]
        return None

    def objects_to_change(self, change: Replacement) -> str | None:
        """Why a change of an order must not leave, or None; it counts as having left then."""
        asked = self._changes.pop((change.cl_ord_id, change.number), None)
        what = f"change {change.number} of order {change.cl_ord_id} to {change.order_qty:f} {change.symbol}"
        if asked is None:
            return f"{what} is about to leave, and was not asked for, or has left already"
        qty, price = asked
        if change.order_qty > qty or change.price != price:
            return f"{what}{_at(change.price)} is about to leave, and {qty:f}{_at(price)} was asked for"
        return None

    def _staged(self, e: ev.OrderStaged) -> None:
        self._decided[e.cl_ord_id] = e.broker, e.account, e.symbol, e.side, e.ord_type, e.price, e.order_qty
        self._left[e.cl_ord_id] = e.order_qty

    def _send_begun(self, e: ev.SendBegun) -> None:
        self._begun[e.cl_ord_id] = None

    def _change_asked(self, e: ev.ReplaceRequested) -> None:
        self._changes[e.cl_ord_id, e.number] = e.order_qty, e.price
        decided = self._decided.get(e.cl_ord_id)
        if decided is not None and e.order_qty > decided[-1]:
            self._decided[e.cl_ord_id] = *decided[:-1], e.order_qty
            self._left[e.cl_ord_id] = Qty(self._left[e.cl_ord_id] + e.order_qty - decided[-1])

    def _changed(self, e: ev.OrderReplaced) -> None:
        decided = self._decided.get(e.cl_ord_id)
        if decided is not None:  # one that has not left yet leaves at its new limit
            self._decided[e.cl_ord_id] = *decided[:-2], e.price, decided[-1]

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


def _said(decided: Decided) -> str:
    broker, account, symbol, side, ord_type, price, qty = decided
    return f"{side.value} {qty:f} {symbol} {ord_type.value}{_at(price)} of {account} at {broker}"


def _at(price: Px | None) -> str:
    return "" if price is None else f" at {price:f}"
