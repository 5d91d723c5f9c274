"""The seam for execution algorithms: from a parent and the moment to the slices that are due."""

from __future__ import annotations

from typing import Protocol

import msgspec

from tradeloop.core.instrument import Instrument
from tradeloop.core.types import Qty, Side, UtcNs


class Parent(msgspec.Struct, frozen=True, gc=False):
    """What is to be worked: `order_qty` in all, of which `placed_qty` has become child orders."""

    side: Side
    order_qty: Qty
    placed_qty: Qty
    instrument: Instrument
    started_at: UtcNs


class Slice(msgspec.Struct, frozen=True, gc=False):
    """One child order that is due now."""

    qty: Qty


class Algo(Protocol):
    """Pure: the same parent at the same moment gives the same slices, and their sum never passes what is left."""

    def due(self, parent: Parent, now: UtcNs) -> tuple[Slice, ...]:
        """The slices to place at `now`."""
        ...
