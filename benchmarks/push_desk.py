"""`tradeloop up` with a feed that gives quotes evenly, and stamps of when the desk received what it then pushes.

    python -m benchmarks.push_desk --home HOME up --port 0     with BENCH_QUOTES_PER_S of all symbols together

A stamp is taken when the feed hands a quote to the desk, and when the read models tell the stream what they have stored.
SIGUSR2 has them written to HOME/stamps.json; SIGUSR1 ends the quotes first. Nothing else of the desk is another.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path

import msgspec
from typing_extensions import override

from tradeloop.api.plain import moment
from tradeloop.api.stream_hub import Hub
from tradeloop.bootstrap import market
from tradeloop.cli import main as tradeloop
from tradeloop.core.reports import Quote
from tradeloop.core.types import SECOND_NS, Symbol, UtcNs
from tradeloop.feeds.synthetic import SyntheticFeed
from tradeloop.views.sql import Stored

QUOTES: list[tuple[Symbol, UtcNs, int]] = []
STORED: list[tuple[int, int]] = []


class Evenly(SyntheticFeed):
    """The same walks, one symbol after the other in place of all at once."""

    _ends = False

    @override
    async def run(self, symbols: Iterable[Symbol], on_quote: Callable[[Quote], None]) -> None:
        self.also(symbols)
        loop, clock = asyncio.get_running_loop(), self._clock
        loop.add_signal_handler(signal.SIGUSR1, self._end)
        loop.add_signal_handler(signal.SIGUSR2, write)
        every, begin = SECOND_NS // int(os.environ["BENCH_QUOTES_PER_S"]), clock.now()
        for number in count(1):
            at = UtcNs(begin + number * every)
            await clock.sleep_until(at)
            if self._steps and not self._ends:
                symbol = next(iter(self._steps))
                self._steps[symbol] = steps = self._steps.pop(symbol)  # the next time it comes after all others
                quote = msgspec.structs.replace(next(steps), at=at)
                QUOTES.append((symbol, at, time.perf_counter_ns()))
                on_quote(quote)

    def _end(self) -> None:
        self._ends = True
        write()


def write() -> None:
    """What was stamped, for whoever measures."""
    home = Path(sys.argv[sys.argv.index("--home") + 1])
    found = {"quotes": [(symbol, moment(at), ns) for symbol, at, ns in QUOTES], "stored": STORED}
    (home / "stamps.new").write_text(json.dumps(found), encoding="ascii")
    (home / "stamps.new").replace(home / "stamps.json")


def main() -> None:
    """Put the stamps in, and be `tradeloop`."""
    told = Hub._stored

    def stamped(hub: Hub, stored: Stored) -> None:
        STORED.append((stored.seq, time.perf_counter_ns()))
        told(hub, stored)

    setattr(Hub, told.__name__, stamped)
    setattr(market, SyntheticFeed.__name__, Evenly)
    tradeloop()


if __name__ == "__main__":
    main()
