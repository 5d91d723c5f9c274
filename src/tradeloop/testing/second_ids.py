"""Fills that the venue of a world calls by one id on its stream and by another in its books (F23).

Drawn when a fill happens, and kept: a replay of the stream says the one again, and every look the other.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from tradeloop.core.reports import BrokerSnapshot, Execution
from tradeloop.core.types import ExecID, TradingDay


class SecondIDs:
    """The two ids of fills, by trading day and either of them."""

    def __init__(self, strikes: Callable[[], bool]) -> None:
        self._strikes = strikes
        self._drawn: dict[tuple[TradingDay, ExecID], None] = {}
        self._second: dict[tuple[TradingDay, ExecID], ExecID] = {}
        self._first: dict[tuple[TradingDay, ExecID], ExecID] = {}

    def happened(self, fill: Execution) -> None:
        """A fill happened, or is told again; the stream calls it by its own id."""
        name = fill.trading_day, fill.exec_id
        if name in self._drawn:
            return
        self._drawn[name] = None
        if self._strikes():
            second = ExecID(f"B{fill.exec_id[1:]}")
            self._second[name] = second
            self._first[fill.trading_day, second] = fill.exec_id

    def first(self, day: TradingDay, exec_id: ExecID) -> ExecID:
        """The id on the stream of a fill that either id names."""
        return self._first.get((day, exec_id), exec_id)

    def second(self, day: TradingDay, exec_id: ExecID) -> ExecID:
        """The id in the books of a fill that the stream names."""
        return self._second.get((day, exec_id), exec_id)

    def shown(self, books: BrokerSnapshot) -> BrokerSnapshot:
        """The books as the venue shows them."""
        if not self._second:
            return books
        fills = tuple(msgspec.structs.replace(x, exec_id=self.second(x.trading_day, x.exec_id)) for x in books.executions or ())
        return msgspec.structs.replace(books, executions=fills)
