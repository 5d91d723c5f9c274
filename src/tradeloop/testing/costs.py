"""What positions have cost and what they have made, counted a second time: from the venue's own fills, in the venue's order.

The product books fills as they come and puts a late one where it belongs (docs/adr/0015-order-of-fills.md). Quantities and cash
are the same in any order; cost and profit are not, so nothing else would show a fill that stayed where it came. Here all
fills of the venue that our journal has booked are taken in the order in which they happened, at average cost, by other
means than the product's (invariant 24): asked in the end, when every fill has been told.

Of two fills of one moment the one that was told first came first. Not determinable, and not asked: a symbol whose figure a
person took over, one with a fill that a process could not believe because its clock was far behind, and one where a fill was
taken back that had been inside the books we adopted.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.core import events as ev
from tradeloop.core.execution import parts_of
from tradeloop.core.reports import Execution, ExecutionBust, ExecutionCorrect, Report
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, ZERO, ExecID, Side, Symbol, TradingDay
from tradeloop.testing.builders import ACCOUNT
from tradeloop.testing.told_twice import FirstID, Name

DUST: Final = Decimal("0.000001")
"""Below what anybody is paid; shares of a cost are rounded at twelve places."""
AHEAD_AT_MOST_NS: Final = 3600 * SECOND_NS


class Fill(msgspec.Struct):
    """A fill as the venue has it now; one that it took back has no quantity."""

    symbol: Symbol
    at: int
    qty: Decimal
    px: Decimal


class Leg(msgspec.Struct):
    """What is held one way, and what that has cost in all."""

    qty: Decimal = ZERO
    cost: Decimal = ZERO

    def take(self, qty: Decimal) -> Decimal:
        """Take out a part at average cost; returns that cost."""
        cost = self.cost if qty == self.qty else self.cost * qty / self.qty
        self.qty, self.cost = self.qty - qty, self.cost - cost
        return cost


class Costs:
    """Watches the venue's fills and what our journal books of them."""

    def __init__(self, broken: Callable[[int, str], None]) -> None:
        self.first_id: FirstID = lambda day, exec_id: exec_id
        """What the venue's stream calls a fill that its books may call otherwise (F23)."""
        self._broken = broken
        self._made: dict[Name, Fill] = {}
        self.forget()

    def forget(self) -> None:
        """The journal is read anew: what the venue did stays."""
        self._told: dict[Name, int] = {}
        self._began: dict[Symbol, Leg] = {}
        self._not_asked: dict[Symbol, None] = {}
        self._inside: dict[Name, None] = {}

    def hear(self, report: Report) -> None:
        """The venue says something, at the moment it happens."""
        match report:
            case Execution():
                name = self._name(report.trading_day, report.exec_id, report.side)
                at = report.transact_at or 0
                self._made.setdefault(name, Fill(report.symbol, at, report.last_qty, report.last_px))
            case ExecutionBust():
                self._change(self._name(report.trading_day, report.exec_ref_id, report.side), ZERO, ZERO)
            case ExecutionCorrect():
                self._change(self._name(report.trading_day, report.exec_ref_id, report.side), report.last_qty, report.last_px)
            case _:
                pass

    def _name(self, day: TradingDay, exec_id: ExecID, side: Side) -> Name:
        return day, self.first_id(day, exec_id), side

    def _change(self, name: Name, qty: Decimal, px: Decimal) -> None:
        fill = self._made[name]
        fill.qty, fill.px = qty, px
        if name in self._inside:
            self._not_asked[fill.symbol] = None

    def fact(self, event: ev.Event, state: State) -> None:
        """A durable fact, and the state it led to."""
        del state
        match event:
            case ev.Traded():
                self._told.setdefault(self._name(event.trading_day, event.exec_id, event.side), len(self._told))
                if event.transact_at is not None and event.transact_at - event.at > AHEAD_AT_MOST_NS:
                    self._not_asked[event.symbol] = None
            case ev.BooksAdjusted() if event.kind != "cash":
                self._not_asked[Symbol(event.subject)] = None
            case ev.AccountAdopted():
                self._began = {held.symbol: Leg(held.long_qty, held.cost or ZERO) for held in event.positions}
                for key in event.seen:
                    _, _, day, side, exec_id = parts_of(key)
                    self._inside[self._name(day, exec_id, side)] = None
            case _:
                pass

    def ended(self, state: State) -> None:
        """Every fill has been told: compare."""
        names = sorted(self._told, key=lambda name: (self._made[name].at, self._told[name]))
        for symbol in dict.fromkeys(self._made[name].symbol for name in names):
            if symbol not in self._not_asked:
                self._compare(state, symbol, [name for name in names if self._made[name].symbol == symbol])

    def _compare(self, state: State, symbol: Symbol, names: list[Name]) -> None:
        began = self._began.get(symbol, Leg())
        long, short, made = Leg(began.qty, began.cost), Leg(), ZERO
        for name in names:
            fill, bought = self._made[name], name[2] is Side.BUY
            opens, closes = (long, short) if bought else (short, long)
            closing = min(fill.qty, closes.qty)
            if closing:
                paid, got = closes.take(closing), closing * fill.px
                made += paid - got if bought else got - paid
            opens.qty += fill.qty - closing
            opens.cost += (fill.qty - closing) * fill.px
        held = state.held(ACCOUNT, symbol)
        theirs = (long.cost, short.cost, made)
        ours = (held.long_cost, held.short_cost, held.realized)
        if any(our is None or abs(our - their) > DUST for our, their in zip(ours, theirs, strict=True)):
            self._broken(
                24,
                f"{symbol} has cost {ours[0]} long and {ours[1]} short and made {ours[2]} here; the venue's fills in their "
                f"order make it {theirs[0]:f}, {theirs[1]:f} and {theirs[2]:f}",
            )
