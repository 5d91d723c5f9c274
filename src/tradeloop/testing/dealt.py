"""What became of our own orders in simulated worlds: a desk that trades nothing breaks nothing, and proves nothing.

Counted are orders, from the durable facts: those a broker accepted, those of them that filled at least in part, and those that
were denied here. Once more of those that were made after the faults had stopped, when nothing keeps them from trading.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from tradeloop.core import events as ev
from tradeloop.core.state import State
from tradeloop.core.types import ClOrdID


class Dealt(msgspec.Struct):
    """How many orders of ours met what."""

    accepted: int = 0
    filled: int = 0
    denied: int = 0

    def add(self, other: Dealt) -> None:
        """Count those of another world."""
        self.accepted += other.accepted
        self.filled += other.filled
        self.denied += other.denied


class Dealing:
    """Watches one world's facts for our own orders."""

    def __init__(self, is_calm: Callable[[], bool]) -> None:
        self._is_calm = is_calm
        self._late: dict[ClOrdID, None] = {}
        """Those that were made after the faults had stopped."""
        self._accepted: dict[ClOrdID, None] = {}
        self._filled: dict[ClOrdID, None] = {}
        self._denied: dict[ClOrdID, None] = {}

    def fact(self, event: ev.Event, state: State, *, again: bool) -> None:
        """A durable fact, and the state it led to."""
        match event:
            case ev.OrderStaged() | ev.OrderDenied() if self._is_calm() and not again:
                self._late[event.cl_ord_id] = None
            case _:
                pass
        match event:
            case ev.OrderDenied():
                self._denied[event.cl_ord_id] = None
            case ev.OrderAcknowledged() if _is_ours(state, event.cl_ord_id):
                self._accepted[event.cl_ord_id] = None
            case ev.Traded() if _is_ours(state, event.cl_ord_id):
                self._accepted[event.cl_ord_id] = self._filled[event.cl_ord_id] = None
            case _:
                pass

    def forget(self) -> None:
        """The journal is read anew: an order that has met something has met it."""

    @property
    def whole(self) -> Dealt:
        """Of the whole life."""
        return Dealt(len(self._accepted), len(self._filled), len(self._denied))

    @property
    def late(self) -> Dealt:
        """Of the orders that were made after the faults had stopped."""
        return Dealt(*(len(self._late.keys() & met.keys()) for met in (self._accepted, self._filled, self._denied)))


def _is_ours(state: State, cl_ord_id: ClOrdID) -> bool:
    order = state.orders.get(cl_ord_id)
    return order is not None and not order.external
