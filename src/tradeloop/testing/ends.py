"""An order that is over here is over at its venue: asked at the very moment at which a fact ends it, and when it arrives.

An order that works at the venue and has ended here is the worst that a user can own: it may trade, nothing is reserved for it,
and nobody looks. In the end a person takes such an order out at the venue (world/operators.py), so what is compared then
(convergence.py) would not show it. Left like that while its fate was unknown, it has left UNKNOWN without proof (invariant 6);
else our books were not the venue's (36).

What a person resolves is judged like all others, for the person of the worlds has asked the venue before.
"""

from __future__ import annotations

from collections.abc import Callable, Container

from tradeloop.core import events as ev
from tradeloop.core.order import Order
from tradeloop.core.types import ClOrdID

End = ev.OrderCanceled | ev.OrderExpired | ev.OrderRejected | ev.OrderResolved


class Ends:
    """Holds the ends of one world's orders against the venue. `lost_ids` are those whose rows a failover has lost."""

    def __init__(self, broken: Callable[[int, str], None], lost_ids: Container[ClOrdID]) -> None:
        self.works: Callable[[ClOrdID], str] = lambda cl_ord_id: ""
        """How an order of ours works at the venue now; empty where it does not."""
        self._broken, self._lost_ids = broken, lost_ids
        self._came: dict[ClOrdID, None] = {}
        """Orders that have come to the venue, whatever it made of them."""
        self.forget()

    def forget(self) -> None:
        """The journal is read anew."""
        self._over: dict[ClOrdID, tuple[str, bool]] = {}
        """Orders that have ended here: by which fact, and whether their fate was unknown then."""

    def ended(self, e: End, order: Order | None, *, again: bool) -> None:
        """A fact is about to end an order; `again` when a journal that lost a row is read anew."""
        if order is None or order.external:
            return
        self._over[e.cl_ord_id] = type(e).__name__, order.unknown_at is not None
        if not again and (status := self.works(e.cl_ord_id)):
            self._wrongly(e.cl_ord_id, f"is {status} at the venue at that moment")

    def arrived(self, cl_ord_id: ClOrdID) -> None:
        """An order comes to the venue: one that has ended here before would work there. A repeat makes no second one."""
        if cl_ord_id in self._over and cl_ord_id not in self._came:
            self._wrongly(cl_ord_id, "comes to the venue now")
        self._came[cl_ord_id] = None

    def _wrongly(self, cl_ord_id: ClOrdID, where: str) -> None:
        how, unknown = self._over[cl_ord_id]
        if cl_ord_id not in self._lost_ids:
            was = ", while its fate was unknown," if unknown else ""
            self._broken(6 if unknown else 36, f"{cl_ord_id} was ended here{was} by an {how}, and {where}")
