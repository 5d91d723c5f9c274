"""How often something is asked of a venue, and how much in a day, compared with the limits on it (invariant 27).

Counted from the facts that make a request leave, whichever process made them: what a restart forgets is counted here still. A
second and a minute are asked of every order that begins; the sums of a day of what is let through. An order that waits for room
goes by itself when there is room (42).
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from tradeloop.core import events as ev
from tradeloop.core.order import Order
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, ZERO, ClOrdID, Symbol, TradingDay, UtcNs
from tradeloop.testing.limits.in_force import InForce
from tradeloop.testing.limits.sizes import Prices, may_trade, opens

SPANS: Final = {"max_requests_per_second": SECOND_NS, "max_requests_per_minute": 60 * SECOND_NS}
WAITS_NS: Final = 20 * SECOND_NS
"""How long after its time an order that was held back may stand here although nothing stops it: others may be asked about
first, and the books of its symbol may be looked at.
"""

Place = tuple[str, str]


class Rates:
    """Asks of every order that begins how many requests there were, and of every order that is let through about its day."""

    def __init__(self, broken: Callable[[int, str], None], limits: InForce, prices: Prices) -> None:
        self._broken, self._limits, self._prices = broken, limits, prices
        self._calm_since: int | None = None
        self.forget()

    def forget(self) -> None:
        """The journal is read anew."""
        self._at: list[UtcNs] = []
        self._day = TradingDay("")
        self._intents: dict[ClOrdID, ev.OrderStaged] = {}
        self._held_back: dict[ClOrdID, ev.OrderThrottled] = {}
        self._new_day()

    def _new_day(self) -> None:
        self._counts: dict[tuple[str, Place], Decimal] = {}
        """(what, place) -> how much of it today."""
        self._bought: dict[Symbol, Decimal] = {}
        self._cancelled: dict[ClOrdID, None] = {}

    # --- the facts

    def fact(self, event: ev.Event, state: State) -> None:
        """A durable fact, and the state it led to."""
        match event:
            case ev.TradingDayOpened():
                if self._day not in ("", event.trading_day):
                    self._new_day()
                self._day = event.trading_day
            case ev.OrderStaged():
                self._staged(event, state)
            case ev.SendBegun():
                self._requested(event, state)
                self._begins(event, state)
            case ev.CancelRequested():
                self._requested(event, state)
                if event.cl_ord_id not in self._cancelled:
                    self._cancelled[event.cl_ord_id] = None
                    self._count("cancels", state.orders.get(event.cl_ord_id), Decimal(1), state)
            case ev.ReplaceRequested():
                order = state.orders.open.get(event.cl_ord_id)
                if order is not None and order.may_be_at_broker:
                    self._requested(event, state)
                    self._begins(event, state)
                self._changed(event, order, state)
            case ev.Traded() if event.trading_day == self._day:
                order = state.orders.get(event.cl_ord_id)
                self._count("trades", order, Decimal(1), state)
                self._count("traded", order, event.last_qty * event.last_px, state)
            case ev.OrderThrottled():
                self._held_back[event.cl_ord_id] = event
                return
            case _:
                pass
        cl_ord_id = getattr(event, "cl_ord_id", None)
        if cl_ord_id in self._held_back and type(event) is not ev.OrderStaged:
            del self._held_back[cl_ord_id]

    def _requested(self, event: Any, state: State) -> None:
        self._at.append(event.at)
        self._count("messages", state.orders.get(event.cl_ord_id), Decimal(1), state)

    def _count(self, what: str, order: Order | ev.OrderStaged | None, by: Decimal, state: State) -> None:
        if order is None:
            return
        industry = state.instruments[order.symbol].industry
        for place in (
            ("global", ""),
            ("account", order.account),
            ("symbol", order.symbol),
            ("strategy", order.strategy_id),
            ("industry", industry),
        ):
            self._counts[what, place] = self._counts.get((what, place), ZERO) + by

    def _begins(self, e: ev.SendBegun | ev.ReplaceRequested, state: State) -> None:
        """How many requests were made until now; those stamped later, by a clock that was set back since, do not count."""
        intent = self._intents.get(e.cl_ord_id)
        if intent is None:
            return
        instrument = state.instruments[intent.symbol]
        for rule, span in SPANS.items():
            for limit in self._limits.binding(rule, intent, instrument):
                made = sum(1 for at in self._at[-_LOOKS_BACK:] if e.at - span < at <= e.at)
                if made > limit.value:
                    self._broken(27, f"{e.cl_ord_id} begins as request {made} of {rule}, at most {limit.value}")
        for limit in self._limits.binding("max_requests_per_day", intent, instrument):
            self._day_within(limit, "messages", intent, ZERO, state)

    def _staged(self, e: ev.OrderStaged, state: State) -> None:
        self._intents[e.cl_ord_id] = e
        px = e.price if e.price is not None else e.stop_px or e.arrival_px
        now = e.order_qty * (e.price if e.price is not None else e.stop_px or self._prices.low(e.symbol))
        instrument = state.instruments[e.symbol]
        if not e.halt:
            asks: list[tuple[str, str, Decimal]] = []
            if opens(e, state):  # what only closes is never held up until tomorrow
                asks = [
                    ("max_orders_per_day", "orders", Decimal(1)),
                    ("max_trades_per_day", "trades", Decimal(1)),
                    ("max_daily_order_value", "ordered", now),
                    ("max_daily_traded_value", "traded", now),
                    ("max_cancels_per_day", "cancels", Decimal(1)),
                ]
                self._opened(e, state)
            for rule, what, adds in asks:
                for limit in self._limits.binding(rule, e, instrument):
                    self._day_within(limit, what, e, adds, state)
        self._count("orders", e, Decimal(1), state)
        self._count("ordered", e, ZERO if px is None else px * e.order_qty, state)

    def _changed(self, e: ev.ReplaceRequested, order: Order | None, state: State) -> None:
        """What a change adds to an order is ordered as well."""
        intent = self._intents.get(e.cl_ord_id)
        if order is None or intent is None or intent.halt:
            return
        known = [(order.order_qty, order.price or order.stop_px)]
        known += [
            (one.terms.order_qty, one.terms.price or one.terms.stop_px)
            for one in order.replaces or ()
            if one.number != e.number
        ]

        asked = e.price or e.stop_px

        def more(px: Decimal) -> Decimal:
            left = [(qty - order.cum_qty) * (px if at is None else at) for qty, at in known]
            return (e.order_qty - order.cum_qty) * (asked or px) - max(left)

        low = more(self._prices.low(intent.symbol))
        if low > ZERO and opens(intent, state):
            for limit in self._limits.binding("max_daily_order_value", intent, state.instruments[intent.symbol]):
                self._day_within(limit, "ordered", intent, low, state)
        if asked is not None or intent.arrival_px is not None:
            self._count("ordered", intent, max(more(intent.arrival_px or ZERO), ZERO), state)

    def _day_within(self, limit: Any, what: str, order: ev.OrderStaged, adds: Decimal, state: State) -> None:
        name = {
            "global": "",
            "account": order.account,
            "symbol": order.symbol,
            "strategy": order.strategy_id,
            "industry": state.instruments[order.symbol].industry,
        }[limit.scope.value]
        becomes = self._counts.get((what, (limit.scope.value, name)), ZERO) + adds
        if becomes > limit.value:
            self._broken(
                27,
                f"{order.cl_ord_id} was let through: {becomes} of {limit.rule} ({limit.where}), at most {limit.value}",
            )

    def _opened(self, e: ev.OrderStaged, state: State) -> None:
        """What orders of a day may still open beside one another; what they have opened is in `_bought`."""
        buys = (o for o in state.orders.open.values() if o.symbol == e.symbol and o.side is e.side)
        working = sum((may_trade(order) for order in buys), ZERO)
        for limit in self._limits.binding("max_opened_qty_per_day", e, state.instruments[e.symbol]):
            if working > limit.value:
                self._broken(25, f"{e.cl_ord_id} was let through, with which {working} {e.symbol} may be opened today")

    # --- what was held back

    def look(self, now: UtcNs, state: State, running_ns: int) -> None:
        """An order that waits for room goes when there is room, whoever is asked by then."""
        free = (
            not state.halts
            and not state.halted
            and not state.unknown
            and not state.breaks
            and not any(what.startswith("unknown") for _, what in state.limits.tripped)
            and all(link.ready for link in state.links.values())
        )
        if not free or running_ns < WAITS_NS:
            self._calm_since = None
            return
        if self._calm_since is None:
            self._calm_since = now
        wake_at: dict[str, UtcNs] = {}
        for cl_ord_id, held in [*self._held_back.items()]:
            order = state.orders.open.get(cl_ord_id)
            if order is None:
                continue
            # It goes behind those of its account that were held back before it.
            until = wake_at[order.account] = max(held.until, wake_at.get(order.account, held.until))
            if order.may_be_at_broker or order.run_id is not None or order.is_held:
                continue
            if now - max(until, self._calm_since) > WAITS_NS:
                del self._held_back[cl_ord_id]
                self._broken(
                    42,
                    f"{cl_ord_id} was held back by {held.rule} until {(now - until) / SECOND_NS:.0f} s ago; nothing stops "
                    "it, and it stands here still",
                )


_LOOKS_BACK: Final = 4096
"""Requests that are looked at: more than a world makes in a minute."""
