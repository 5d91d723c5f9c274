"""The judge of limits: it is told every durable fact of a world that lives under them, and what its venue says."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from tradeloop.core import events as ev
from tradeloop.core.order import Order
from tradeloop.core.reports import Execution, ExecutionBust, ExecutionCorrect, Report
from tradeloop.core.risk.pipeline import RISK_VERSION
from tradeloop.core.state import State
from tradeloop.core.types import ZERO, ClOrdID, ExecID, Qty, Side, Symbol, TradingDay, UtcNs
from tradeloop.testing.limits.conduct import Conduct
from tradeloop.testing.limits.in_force import InForce
from tradeloop.testing.limits.rates import Rates
from tradeloop.testing.limits.settled import Settled
from tradeloop.testing.limits.sizes import Prices, Sizes, opens


class LimitsKept:
    """Stands beside the judge in worlds that have limits."""

    def __init__(self, broken: Callable[[int, str], None], now: Callable[[], int]) -> None:
        self._now = now
        self._tell, self._again = broken, False
        self._state = State()
        self._running: tuple[int, int] | None = None
        self.prices = Prices(now)
        self.limits = InForce(self._found)
        self.sizes = Sizes(self._found, self.limits, self.prices)
        self.rates = Rates(self._found, self.limits, self.prices)
        self.conduct = Conduct(self._found, self.limits)
        self.settled = Settled(self._found)
        self._told: dict[tuple[TradingDay, ExecID, Side], tuple[Symbol, Qty]] = {}
        self.forget()

    def forget(self) -> None:
        """The journal is read anew."""
        self._intents: dict[ClOrdID, ev.OrderStaged] = {}
        self._passed: dict[ClOrdID, int] = {}
        """How often the limits had changed when an order was made."""
        self._denied: dict[ClOrdID, None] = {}
        for part in (self.limits, self.rates, self.conduct, self.settled):
            part.forget()

    # --- the facts

    def fact(self, event: ev.Event, state: State, *, again: bool) -> None:
        """A durable fact, and the state it led to."""
        self._state, self._again = state, again
        if self.limits.fact(event):
            self.conduct.forget()
            self.sizes.limits_changed(state)
        self.rates.fact(event, state)
        self.settled.fact(event)
        match event:
            case ev.OrderDenied():
                self._denied[event.cl_ord_id] = None
            case ev.OrderStaged():
                self._intents[event.cl_ord_id] = event
                self._passed[event.cl_ord_id] = self.limits.changes
                self._version(event.cl_ord_id, event.risk_version)
                self.sizes.staged(event, state)
                self.conduct.staged(event, state)
                self.settled.sold(event, state)
            case ev.ReplaceRequested():
                self._changed(event, state)
            case ev.SendBegun():
                self._left(event.cl_ord_id, state)
            case _:
                pass

    def _found(self, invariant: int, text: str) -> None:
        """What a journal that is read anew tells was judged when it happened, by the prices of that time."""
        if not self._again:
            self._tell(invariant, text)

    def _changed(self, e: ev.ReplaceRequested, state: State) -> None:
        """Other terms passed for an order: what they add to it."""
        order, intent = state.orders.open.get(e.cl_ord_id), self._intents.get(e.cl_ord_id)
        if order is None or intent is None:
            return
        self._version(e.cl_ord_id, e.risk_version)
        if intent.halt:
            return
        asked = replace(intent, order_qty=e.order_qty, price=e.price, stop_px=e.stop_px)
        before = max(order.order_qty, *(one.terms.order_qty for one in order.replaces or () if one.number != e.number), ZERO)
        lessens = e.order_qty <= before and not _is_dearer(e, order)
        if not lessens:
            self.sizes.asked(asked, state)  # what lessens an order passes whatever it is still
        if e.order_qty > before:
            self.sizes.raised(asked, state)
            self.settled.sold(asked, state)
        if e.price != order.price and not lessens:
            self.conduct.meets_no_other(asked, state)

    def _left(self, cl_ord_id: ClOrdID, state: State) -> None:
        """An order leaves under other limits than those it was made under: as far as it opens, it keeps these."""
        order, intent = state.orders.open.get(cl_ord_id), self._intents.get(cl_ord_id)
        if order is None or intent is None or intent.halt or self._passed[cl_ord_id] == self.limits.changes:
            return
        asked = replace(intent, order_qty=order.order_qty, price=order.price, stop_px=None, approved_by=order.approved_by)
        if opens(asked, state):
            self.sizes.asked(asked, state)
            self.sizes.raised(asked, state)
            self.conduct.is_on_no_list(asked, state)
            self.conduct.meets_no_other(asked, state)

    def _version(self, cl_ord_id: ClOrdID, was: str) -> None:
        expected = f"{RISK_VERSION}.{self.limits.changes}" if self.limits else RISK_VERSION
        if was != expected:
            self._found(26, f"{cl_ord_id} passed version {was} of the rules; in force is {expected}")

    # --- the venue and its wire

    def arrived(self, order: Order) -> None:
        """The venue takes an order."""
        if order.cl_ord_id in self._denied:
            self._found(26, f"{order.cl_ord_id} was denied, and is at the venue")

    def hear(self, report: Report, *, ours: bool) -> None:
        """The venue says something, at the moment it happens."""
        match report:
            case Execution():
                name = report.trading_day, report.exec_id, report.side
                if name not in self._told:
                    self._told[name] = report.symbol, report.last_qty
                    self.sizes.hear(report, ours=ours)
            case ExecutionBust() | ExecutionCorrect():
                name = report.trading_day, report.exec_ref_id, report.side
                if name in self._told:
                    symbol, before = self._told[name]
                    now = report.last_qty if isinstance(report, ExecutionCorrect) else Qty(ZERO)
                    self._told[name] = symbol, now
                    self.sizes.changed(symbol, report.side, before, now)
            case _:
                pass

    def look(self, epoch: int | None, now: UtcNs) -> None:
        """Once a second: what is due has happened. `epoch` is of the process that runs, None when none does or where its clock
        was set just now; `now` its time.
        """
        self._again = False
        if epoch is None:
            self._running = None
            return
        if self._running is None or self._running[0] != epoch:
            self._running = epoch, self._now()
        running_ns = self._now() - self._running[1]
        self.limits.look(self._state, running_ns)
        self.rates.look(now, self._state, running_ns)


def _is_dearer(e: ev.ReplaceRequested, order: Order) -> bool:
    if e.stop_px != order.stop_px or e.price is None or order.price is None:
        return e.stop_px != order.stop_px or e.price != order.price
    return e.price > order.price if order.side is Side.BUY else e.price < order.price
