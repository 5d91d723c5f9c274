"""The judge's rule of fills that a venue names twice (F23): none counts twice unnoticed (invariant 12).

The venue says which two ids are one fill; the facts say what was booked, and under which of them. With the same figures it is
booked once. What a correction that nobody heard of tells apart may be booked under both: then it has to be taken back, or a
break of its symbol stands open when the next look after that has been compared. An id that was joined to a fill names that
fill: two that the venue made are never merged, but where it has taken back both: nothing counts under either name then.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from tradeloop.core import events as ev
from tradeloop.core.breaks import FILL_MISSING, FILL_TWICE
from tradeloop.core.execution import exec_key
from tradeloop.core.reports import BrokerSnapshot, ExecutionBust, Report
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, ExecID, Side, Symbol, TradingDay, UtcNs
from tradeloop.testing.builders import ACCOUNT

LAG_NS: Final = 8 * SECOND_NS
"""By how much the books of a venue may be behind (world/venue.py), so that nothing follows from them of what is younger."""
Name = tuple[TradingDay, ExecID, Side]
FirstID = Callable[[TradingDay, ExecID], ExecID]


class ToldTwice:
    """Watches which fills are booked under two ids, and what is said of it."""

    def __init__(self, broken: Callable[[int, str], None]) -> None:
        self.first_id: FirstID = lambda day, exec_id: exec_id
        self._broken = broken
        self._taken_back: dict[Name, None] = {}
        self.forget()

    def hear(self, report: Report) -> None:
        """Something happened at the venue."""
        if isinstance(report, ExecutionBust):
            self._taken_back[self._name(report.trading_day, report.exec_ref_id, report.side)] = None

    def forget(self) -> None:
        """The journal is read anew."""
        self._booked: dict[Name, dict[str, Symbol]] = {}
        self._figures: dict[str, tuple[Decimal, Decimal]] = {}
        self._twice: dict[Name, list[object]] = {}
        """Fills that count twice, and who has been handed the books since."""
        self._first_look: dict[Name, UtcNs] = {}
        """When the first of those were read."""

    def fact(self, event: ev.Event) -> None:
        """A durable fact."""
        match event:
            case ev.Traded():
                name = self._name(event.trading_day, event.exec_id, event.side)
                key = exec_key(event.broker, event.account, event.trading_day, event.exec_id, event.side)
                booked = self._booked.setdefault(name, {})
                figures = self._figures[key] = event.last_qty, event.last_px
                if any(self._figures[other] == figures for other in booked):
                    self._broken(12, f"fill {name[1]} of {event.symbol} is booked under {', '.join([*booked, key])}")
                elif booked:
                    self._twice[name] = []
                    self._first_look.pop(name, None)
                booked[key] = event.symbol
            case ev.TradeCorrected() if event.cl_ord_id:
                key = exec_key(event.broker, event.account, event.trading_day, event.exec_id, event.side)
                self._figures[key] = event.last_qty, event.last_px
            case ev.TradeBusted() if event.cl_ord_id:
                name = self._name(event.trading_day, event.exec_id, event.side)
                key = exec_key(event.broker, event.account, event.trading_day, event.exec_id, event.side)
                self._booked.get(name, {}).pop(key, None)
                if len(self._booked.get(name, {})) < 2:
                    self._twice.pop(name, None)
            case ev.ExecIDJoined():
                ours = self._name(event.trading_day, event.exec_id, event.side)
                second = self._name(event.secondary_day, event.secondary_exec_id, event.side)
                if ours != second and not (ours in self._taken_back and second in self._taken_back):
                    self._broken(12, f"fill {second[1]} is taken for {ours[1]}, and the venue made both")
            case _:
                pass

    def looked(self, by: object, books: BrokerSnapshot, state: State) -> None:
        """A process has been handed the venue's books. What the last ones it was handed have shown is durable by now."""
        if None in (books.orders, books.executions, books.positions, books.cash):
            return
        for name, looks in self._twice.items():
            symbol = next(iter(self._booked[name].values()))
            first = self._first_look.setdefault(name, books.read_at)
            if books.read_at < max(first + LAG_NS, state.held(ACCOUNT, symbol).updated_at):
                continue  # it may be older than the fill, also by a clock that was ahead, and tells nothing of the symbol
            if any(whose is by for whose in looks) and not _is_said(state, symbol):
                self._broken(
                    12, f"fill {name[1]} of {symbol} is booked under {', '.join(self._booked[name])}, and nobody says so"
                )
            looks.append(by)

    def _name(self, day: TradingDay, exec_id: ExecID, side: Side) -> Name:
        return day, self.first_id(day, exec_id), side


def _is_said(state: State, symbol: Symbol) -> bool:
    """Whether a break stands open that says so: of the position, or of a fill of this symbol."""
    return any(
        known.kind in ("position", FILL_TWICE, FILL_MISSING) and symbol in f"{known.subject} {known.ours}".split()
        for known in state.breaks.values()
    )
