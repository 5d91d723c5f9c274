"""All orders, so that a million of them neither weigh nor pause: what is open as objects, what has ended as bytes."""

from __future__ import annotations

import msgspec

from tradeloop.core.order import Order
from tradeloop.core.shards import Shards
from tradeloop.core.types import ClOrdID


class OrderBook:
    """All orders: open ones as objects, closed ones as their bytes, so that a million of them neither weigh nor pause."""

    __slots__ = ("_decode", "_encode", "changes", "closed", "open", "unanswered")

    def __init__(self) -> None:
        self.open: dict[ClOrdID, Order] = {}
        self.closed: Shards[bytes] = Shards()
        self.changes = 0
        """How often one that had ended has changed all the same: kept by no snapshot (core/shown_lines.py)."""
        self.unanswered: dict[ClOrdID, None] = {}  # closed orders whose cancel nobody has answered
        self._encode = msgspec.msgpack.Encoder(order="deterministic").encode
        self._decode = msgspec.msgpack.Decoder(Order).decode

    def get(self, cl_ord_id: ClOrdID) -> Order | None:
        """The order, or None. A closed one comes as a copy: `keep` it after a change."""
        order = self.open.get(cl_ord_id)
        if order is None:
            packed = self.closed.get(cl_ord_id)
            return None if packed is None else self._decode(packed)
        return order

    def keep(self, order: Order) -> None:
        """Put an order where it now belongs."""
        cl_ord_id = order.cl_ord_id
        if order.is_done:
            if self.open.pop(cl_ord_id, None) is None:
                self.changes += 1
            self.closed[cl_ord_id] = self._encode(order)
            if order.cancel_requested_at is not None:
                self.unanswered[cl_ord_id] = None
            elif self.unanswered:
                self.unanswered.pop(cl_ord_id, None)
        elif cl_ord_id not in self.open:
            self.changes += 1
            self.closed.pop(cl_ord_id)
            self.unanswered.pop(cl_ord_id, None)
            self.open[cl_ord_id] = order

    def __len__(self) -> int:
        return len(self.open) + len(self.closed)
