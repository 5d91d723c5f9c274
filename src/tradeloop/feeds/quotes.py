"""Recorded quotes: `ts,symbol,bid,ask[,bid_size,ask_size,last,last_size,cum_volume]` rows to `Quote`s.

A row is the state after every event at or before `ts`. `volume` is the rise of `cum_volume` since the row before of the
same symbol; the first row's is unknown. An empty or zero price means that nobody stood there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tradeloop.core.reports import Quote
from tradeloop.core.types import Qty, Symbol, UtcNs
from tradeloop.feeds.rows import CsvFile, rows


def as_written(symbol: str) -> Symbol:
    """The default reading of a recorded symbol: it is canonical already."""
    return Symbol(symbol)


def read_quotes(file: CsvFile, *, rename: Callable[[str], Symbol] = as_written) -> Iterator[Quote]:
    """The file's quotes in its order, lazily. Raises BadInput, naming file and row, also when time goes backwards."""
    before = UtcNs(0)
    traded: dict[str, Qty] = {}
    for row in rows(file, ("ts", "symbol", "bid", "ask")):
        at = row.at()
        if at < before:
            raise row.bad("ts is earlier than the row before; expected rows in the order of time")
        before = at
        written = row.text("symbol")
        if not written:
            raise row.bad("symbol was empty; expected one, such as AAPL.US")
        volume: Qty | None = None
        total = row.qty("cum_volume")
        if total is not None:
            last_total = traded.get(written)
            if last_total is not None:
                volume = Qty(total - last_total) if total >= last_total else total
            traded[written] = total
        yield Quote(
            rename(written),
            at,
            row.px("bid"),
            row.px("ask"),
            row.qty("bid_size"),
            row.qty("ask_size"),
            row.px("last"),
            volume,
        )
