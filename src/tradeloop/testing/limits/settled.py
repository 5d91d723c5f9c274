"""What may be sold, and what a run may order: counted from the fills and the plan (invariants 22 and 30).

22 of a stock under T+1 no more is let through to be sold than was held when the day began and is held still · 30 an order of a
run is no larger than the line of the plan that it is for.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from tradeloop.core import events as ev
from tradeloop.core.execution import exec_key
from tradeloop.core.state import State
from tradeloop.core.types import ZERO, RunID, Side, Symbol, TradingDay
from tradeloop.testing.limits.sizes import may_trade


class Settled:
    """Watches what is bought in a day, and what runs plan."""

    def __init__(self, broken: Callable[[int, str], None]) -> None:
        self._broken = broken
        self.forget()

    def forget(self) -> None:
        """The journal is read anew."""
        self._day = TradingDay("")
        self._adopted: dict[Symbol, Decimal] = {}
        self._today: dict[str, tuple[Symbol, Decimal]] = {}
        """What was bought today, by fill."""
        self._unclear: dict[Symbol, None] = {}
        """Of what came to the books without a fill nobody knows since when it is held."""
        self._planned: dict[tuple[RunID, int], Decimal] = {}

    def fact(self, event: ev.Event) -> None:
        """A durable fact."""
        match event:
            case ev.TradingDayOpened():
                if event.trading_day != self._day:
                    self._adopted, self._today, self._unclear = {}, {}, {}
                self._day = event.trading_day
            case ev.AccountAdopted():
                for held in event.positions:
                    self._adopted[held.symbol] = held.long_qty - (
                        held.long_qty if held.long_sellable is None else held.long_sellable
                    )
            case ev.Traded() if event.side is Side.BUY and event.trading_day == self._day:
                self._today[self._key(event)] = event.symbol, event.last_qty
            case ev.TradeBusted() if self._key(event) in self._today:
                del self._today[self._key(event)]
            case ev.TradeCorrected() if self._key(event) in self._today:
                self._today[self._key(event)] = self._today[self._key(event)][0], event.last_qty
            case ev.BooksAdjusted() if event.kind != "cash":
                self._unclear[Symbol(event.subject)] = None
            case ev.RunCreated():
                self._planned |= {(event.run_id, line.leg): line.order_qty for line in event.lines}
            case ev.LineResized():
                self._planned[event.run_id, event.leg] = event.order_qty
            case ev.OrderStaged():
                self._of_a_run(event)
            case _:
                pass

    def sold(self, order: ev.OrderStaged, state: State) -> None:
        """An order, or more of one, passed; it is in the state already."""
        symbol = order.symbol
        if order.side is Side.BUY or not state.instruments[symbol].settles_t1 or symbol in self._unclear:
            return
        bought = sum((qty for of, qty in self._today.values() if of == symbol), self._adopted.get(symbol, ZERO))
        settled = state.held(order.account, symbol).net_qty - bought
        ours = (o for o in state.orders.open.values() if o.symbol == symbol and o.side is Side.SELL and not o.external)
        selling = sum((may_trade(one) for one in ours), ZERO)
        if selling > settled:
            self._broken(22, f"{selling} {symbol} may be sold with {order.cl_ord_id}, {settled} are held since before today")

    def _of_a_run(self, e: ev.OrderStaged) -> None:
        if e.run_id is None:
            return
        planned = self._planned.get((e.run_id, e.leg), ZERO)
        if e.order_qty > planned:
            self._broken(30, f"{e.cl_ord_id} is over {e.order_qty}; leg {e.leg} of run {e.run_id} is over {planned}")

    def _key(self, e: ev.Traded | ev.TradeBusted | ev.TradeCorrected) -> str:
        return exec_key(e.broker, e.account, e.trading_day, e.exec_id, e.side)
