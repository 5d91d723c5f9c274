"""The simplest algorithm: everything at once, as one child."""

from __future__ import annotations

from tradeloop.core.algo.base import Parent, Slice
from tradeloop.core.types import ZERO, Qty, UtcNs


class Immediate:
    """Places what is left, now."""

    def due(self, parent: Parent, now: UtcNs) -> tuple[Slice, ...]:  # noqa: ARG002 - the moment makes no difference
        """One slice of everything not placed yet; none when all of it is."""
        left = parent.order_qty - parent.placed_qty
        return (Slice(Qty(left)),) if left > ZERO else ()
