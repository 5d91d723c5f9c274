"""Other terms for a working order: what is asked for, what goes to the broker, and the name of each request.

An order keeps one `cl_ord_id` for life. Its replaces are numbered from 1, and a venue that wants a new id for each (FIX 11 and
41) gets one that derives from both, so that a replay and a retry name the same request alike.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tradeloop.core.types import AccountID, Amount, ClOrdID, OrderID, OrdType, PositionEffect, Px, Qty, Side, Symbol, UtcNs

_BASE36: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_ORDER_CHARS: Final = 18
REPLACE_ID_LENGTH: Final = 20
"""Characters of a replace's id: the order's eighteen and two of its number (docs/adr/0006-ids.md)."""
REPLACES_MAX: Final = 36**2 - 1
"""Replaces of one order that two characters can number."""
UNANSWERED_MAX: Final = 4
"""Replaces of one order that may wait for their answers at a time: cash and shares are promised for the dearest of them."""


class Terms(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What of an order a replace may change."""

    order_qty: Qty
    price: Px | None
    stop_px: Px | None


class Asked(msgspec.Struct, array_like=True, gc=False):
    """One replace that has no answer yet. The order's own terms stay in force until it has.

    `reserve` is the cash the order may still cost at worst under these terms; it falls with every fill, like the order's own.
    """

    number: int
    terms: Terms
    asked_at: UtcNs
    reserve: Amount
    unknown_at: UtcNs | None = None
    """Since when nobody knows whether it reached the broker; it is never sent again."""


class Replacement(msgspec.Struct, frozen=True, gc=False):
    """A replace as its broker gets it: the order it is for, and all its terms as they are to be from now on."""

    broker: str
    account: AccountID
    cl_ord_id: ClOrdID
    order_id: OrderID | None
    symbol: Symbol
    side: Side
    ord_type: OrdType
    position_effect: PositionEffect
    number: int
    order_qty: Qty
    price: Px | None
    stop_px: Px | None

    @property
    def replace_id(self) -> ClOrdID:
        """The id of this request, for venues that want one of its own."""
        return replace_id(self.cl_ord_id, self.number)


def replace_id(cl_ord_id: ClOrdID, number: int) -> ClOrdID:
    """The id of the `number`th replace of an order: the order's and two digits of base 36."""
    assert 0 < number <= REPLACES_MAX
    return ClOrdID(f"{cl_ord_id}{_BASE36[number // 36]}{_BASE36[number % 36]}")


def order_named(cl_ord_id: ClOrdID) -> ClOrdID:
    """The order that an id speaks of, be it the order's own or that of one of its replaces."""
    return ClOrdID(cl_ord_id[:_ORDER_CHARS]) if len(cl_ord_id) == REPLACE_ID_LENGTH else cl_ord_id
