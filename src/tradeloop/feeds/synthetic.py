"""Made-up quotes for demos, benches and tests: a seeded random walk for each symbol, with a spread and displayed sizes.

The same seed gives the same quotes. Each symbol has its own generator, so adding one does not change the others. Prices
walk in whole ticks and never fall below one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from random import Random

import msgspec

from tradeloop.core.errors import BadInput
from tradeloop.core.reports import Quote
from tradeloop.core.types import SECOND_NS, ZERO, Px, Qty, Symbol, UtcNs, step_down
from tradeloop.ports.clock import Clock


class Walk(msgspec.Struct, frozen=True, kw_only=True):
    """How one symbol walks: from `start`, `max_step` ticks at most, `spread` ticks wide, `max_lots` lots at most."""

    start: Px
    tick: Decimal = Decimal("0.01")
    lot: Decimal = Decimal(100)
    spread: int = 1
    max_step: int = 2
    max_lots: int = 20

    def __post_init__(self) -> None:
        """Refuse a walk that could not take a step."""
        if self.tick <= ZERO or self.lot <= ZERO or self.start < self.tick:
            raise BadInput(f"walk starts at {self.start} with tick {self.tick:f}, lot {self.lot:f}; expected start >= tick > 0")
        if self.spread < 1 or self.max_step < 0 or self.max_lots < 1:
            raise BadInput("walk needs a spread of at least 1 tick, max_step of at least 0 and max_lots of at least 1")


class SyntheticFeed:
    """Quotes of every walk each `interval_ns`, `count` times (None: without end), beginning one interval from now."""

    def __init__(
        self,
        walks: dict[Symbol, Walk],
        clock: Clock,
        *,
        seed: int,
        interval_ns: int = SECOND_NS,
        count: int | None = None,
        name: str = "synthetic",
        walk_of: Callable[[Symbol], Walk] | None = None,
    ) -> None:
        if interval_ns <= 0:
            raise BadInput(f"interval_ns was {interval_ns}; expected a positive number of nanoseconds")
        self.name = name
        self._walks = dict(walks)
        self._walk_of = walk_of
        self._steps: dict[Symbol, Iterator[Quote]] = {}
        self._clock = clock
        self._seed = seed
        self._interval = interval_ns
        self._count = count
        self._undelivered_at: UtcNs | None = None

    @property
    def undelivered_at(self) -> UtcNs | None:
        """When the next quotes are due, or those being delivered now; None outside a run."""
        return self._undelivered_at

    def also(self, symbols: Iterable[Symbol]) -> None:
        """Deliver the quotes of these too. Raises BadInput for a symbol that no walk can be made of."""
        for symbol in symbols:
            if symbol not in self._walks:
                if self._walk_of is None:
                    raise BadInput(f"symbol was {symbol}; expected one of {', '.join(self._walks)}")
                self._walks[symbol] = self._walk_of(symbol)
            if symbol not in self._steps:
                self._steps[symbol] = self._walk(symbol, self._walks[symbol])

    def leave(self, symbols: Iterable[Symbol]) -> None:
        """Deliver no quotes of these any more; asked for again, they walk from their start."""
        for symbol in symbols:
            self._steps.pop(symbol, None)

    async def run(self, symbols: Iterable[Symbol], on_quote: Callable[[Quote], None]) -> None:
        """Deliver quotes on the clock. Raises BadInput for a symbol that has no walk."""
        self.also(symbols)
        begin = self._clock.now()
        done = 0
        try:
            while self._count is None or done < self._count:
                done += 1
                self._undelivered_at = at = UtcNs(begin + done * self._interval)
                await self._clock.sleep_until(at)
                for step in list(self._steps.values()):
                    on_quote(msgspec.structs.replace(next(step), at=at))
        finally:
            self._undelivered_at = None

    def _walk(self, symbol: Symbol, walk: Walk) -> Iterator[Quote]:
        draw = Random(f"{self._seed}:{symbol}")
        bid = int(walk.start / walk.tick)
        prev_close = Px(step_down(walk.start, walk.tick))
        while True:
            bid = max(1, bid + draw.randint(-walk.max_step, walk.max_step))
            traded = draw.randint(0, walk.max_lots)
            lifted = draw.random() < 0.5
            ask = bid + walk.spread
            yield Quote(
                symbol,
                UtcNs(0),  # the run says when
                bid=Px(bid * walk.tick),
                ask=Px(ask * walk.tick),
                bid_size=Qty(draw.randint(1, walk.max_lots) * walk.lot),
                ask_size=Qty(draw.randint(1, walk.max_lots) * walk.lot),
                last=Px((ask if lifted else bid) * walk.tick),
                volume=Qty(traded * walk.lot),
                prev_close=prev_close,
            )
