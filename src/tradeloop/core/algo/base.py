"""The seam for execution algorithms: from a parent and the moment to the slices that are due.

Today it carries one child for each leg; `Parent` says what is missing for more.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from tradeloop.core.instrument import Instrument
from tradeloop.core.types import Qty, Side, UtcNs


class Parent(msgspec.Struct, frozen=True, gc=False):
    """What is to be worked: `order_qty` in all, of which `placed_qty` has become child orders.

    A leg of a run remembers one order so far (core/state.py), so its parent is asked about once, with `placed_qty` zero, and
    must answer with exactly one slice of everything: core/run/sending.py insists on it. An algorithm that slices over time
    needs legs with several orders and a timer first.
    """

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
