"""What an order holds when it works again: asked at the end of each decision that took a fill of it back, gave it other figures
or moved it to another order; and what buys hold that were to close a short position, when less of it is left.

The gate (gate.py) counts from the intent of an order and what it has spent, which says nothing any more of one whose fills
have changed: what its last fill gave back beyond its own cost is gone, and the rest may trade dearer than the fill that was
taken back. Here stands what follows from its terms alone (invariant 23): what is left of a buy may cost its limit, under each
of the terms that may be in force, and that much is reserved for it.

Asked between two decisions: what raises a promise follows the fact that asks for it. Of an order without a limit nothing is
known but the market of that moment. What buys a short position back costs nothing as long as there is one: of several the older
ones close it first, and what is left of a buy beyond that may cost its limit. One that has not left asks for its cash before it
does.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from tradeloop.core import events as ev
from tradeloop.core.order import Order
from tradeloop.core.state import State
from tradeloop.core.types import ZERO, AccountID, ClOrdID, Side, Symbol

CHANGES: tuple[type, ...] = (ev.TradeBusted, ev.TradeCorrected, ev.TradeMoved)
MOVES: tuple[type, ...] = (ev.Traded, ev.TradeBusted, ev.TradeCorrected)


class Promised:
    """Watches the orders whose fills have changed."""

    def __init__(self, broken: Callable[[int, str], None]) -> None:
        self._broken = broken
        self.forget()

    def forget(self) -> None:
        """The journal is read anew."""
        self._changed: dict[ClOrdID, None] = {}
        self._touched: dict[ClOrdID, None] = {}
        self._free: dict[ClOrdID, None] = {}
        """Orders that were judged while a short position was to be bought back."""
        self._moved: dict[tuple[AccountID, Symbol], None] = {}

    def fact(self, event: ev.Event, state: State) -> None:
        """A durable fact, and the state it led to."""
        if isinstance(event, ev.BooksAdjusted) and event.kind == "short":
            self._moved[event.account, Symbol(event.subject)] = None
        if isinstance(event, MOVES):
            moved = state.orders.get(getattr(event, "cl_ord_id", None) or ClOrdID(""))
            if moved is not None:
                self._moved[moved.account, moved.symbol] = None
        for name in ("cl_ord_id", "from_cl_ord_id"):
            cl_ord_id: ClOrdID = getattr(event, name, None) or ClOrdID("")
            if isinstance(event, CHANGES):
                self._changed[cl_ord_id] = None
            order = state.orders.open.get(cl_ord_id)
            if order is None:
                continue
            if cl_ord_id in self._changed:
                self._touched[cl_ord_id] = None
            if state.held(order.account, order.symbol).short_qty:
                self._free[cl_ord_id] = None

    def decided(self, state: State) -> None:
        """The decisions of one row are whole."""
        for cl_ord_id in self._touched:
            order = state.orders.open.get(cl_ord_id)
            if order is not None and order.side is Side.BUY and not order.external and cl_ord_id not in self._free:
                self._holds(order)
        self._touched.clear()
        for account, symbol in self._moved:
            if self._free:
                self._cover(state, account, symbol)
        self._moved.clear()

    def _cover(self, state: State, account: AccountID, symbol: Symbol) -> None:
        """Buys that were to close a short position hold what they may buy beyond what is left of it."""
        short = Decimal(state.held(account, symbol).short_qty)
        buys = [o for o in state.orders.open.values() if (o.account, o.symbol, o.side) == (account, symbol, Side.BUY)]
        for order in sorted(buys, key=lambda o: (o.staged_at, len(o.cl_ord_id), o.cl_ord_id)):
            closes = min(order.exposed_qty, short)
            short -= closes
            if order.cl_ord_id in self._free and order.may_be_at_broker and not order.external:
                self._holds(order, closes)

    def _holds(self, order: Order, closes: Decimal = ZERO) -> None:
        for terms in (order.terms, *(asked.terms for asked in order.replaces or ())):
            left = terms.order_qty - order.cum_qty - closes
            if terms.price is None or left <= ZERO or order.reserved >= left * terms.price:
                continue
            self._broken(
                23,
                f"{order.cl_ord_id}, of which a fill was changed, or which was to close what is closed, may buy {left} more at "
                f"{terms.price}; reserved for it are {order.reserved}",
            )
