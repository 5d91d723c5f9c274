"""Orders that a limit of frequency holds back, in the order in which they go: one queue for each account and currency, whose
orders all ask the same limits for room.

The first of a queue has a timer. When it is up, as many go as there is room for, and the next that finds none sets the timer
anew: so that a thousand that wait cost a thousand times what one costs, and none is passed over.
Volatile, as the pace of a broker is: a process that begins asks all staged orders anew, and whoever finds no room queues up.
"""

from __future__ import annotations

from typing import Final

from tradeloop.core.order import Order
from tradeloop.core.state import State
from tradeloop.core.types import AccountID, ClOrdID, Currency, UtcNs

ROOM: Final = "room"
"""Kind of the timer that wakes the first of a queue; its subject names the queue."""

Key = tuple[Currency, AccountID]


class Room:
    """The queues."""

    __slots__ = ("queues",)

    def __init__(self) -> None:
        self.queues: dict[Key, dict[ClOrdID, UtcNs]] = {}
        """Each order with the moment up to which it was last held back."""

    def waits(self, state: State, order: Order, until: UtcNs) -> None:
        """An order is held back: behind those of its queue, or where it stands in it."""
        self.queues.setdefault(key_of(state, order), {})[order.cl_ord_id] = until

    def is_first(self, state: State, order: Order) -> bool:
        """Whether nothing of its queue goes before it; so it is of one that is in no queue."""
        queue = self.queues.get(key_of(state, order)) or {order.cl_ord_id: UtcNs(0)}
        return next(iter(queue)) == order.cl_ord_id


def key_of(state: State, order: Order) -> Key:
    """The queue of an order."""
    return state.instruments[order.symbol].currency, order.account


def subject(key: Key) -> str:
    """A queue as the subject of its timer."""
    return "|".join(key)


def key(name: str) -> Key:
    """What `subject` wrote."""
    currency, _, account = name.partition("|")
    return Currency(currency), AccountID(account)
