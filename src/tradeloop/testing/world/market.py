"""The market of a world: four symbols whose prices wander, seen by the venue at once and by every process that lives."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Final

from tradeloop.core.commands import SeenPrice
from tradeloop.core.instrument import Instrument
from tradeloop.core.reports import Quote
from tradeloop.core.types import SECOND_NS, Px, Qty, Symbol, UtcNs
from tradeloop.testing.builders import an_instrument, fees
from tradeloop.testing.faults import Fault, Weather
from tradeloop.testing.world.clock import Sundial
from tradeloop.testing.world.loop import Timeline

SYMBOLS: Final = tuple(Symbol(f"60000{n}.SH") for n in (1, 2, 3, 4))
TICK: Final = Decimal("0.01")
CALM_PACE: Final = 3
QUIET_PACE: Final = 4
"""How much slower prices come when the faults are over, and when nothing shall happen any more: not so slow that the feed is
silent by the tightest limit of a world (world/limits.py).
"""
PLENTY: Final = 1_000_000
PREV_CLOSE: Final = Px(Decimal(10))


class Market:
    """Prices that move about once a second, one symbol at a time."""

    def __init__(self, timeline: Timeline, sundial: Sundial, weather: Weather, dice: Random) -> None:
        self.instruments = tuple(_listed(symbol, dice) for symbol in SYMBOLS)
        self.readers: list[Callable[[Quote], None]] = []
        self._timeline, self._sundial, self._weather, self._dice = timeline, sundial, weather, dice
        self._ticks = dict.fromkeys(SYMBOLS, 1000)
        self._halted_until = dict.fromkeys(SYMBOLS, timeline.now)
        self._next = 0
        self.tells_all = False
        """Whether quotes name the previous close and what has traded, which some limits of risk ask for."""
        self.is_quiet = False
        """Whether prices stand still, so that nothing new can happen because of them."""

    def quote_all(self) -> None:
        """Quote everything once."""
        for symbol in SYMBOLS:
            self._quote(symbol)

    def begin(self) -> None:
        """Quote everything, and go on from there."""
        self.quote_all()
        self._timeline.after(SECOND_NS, self._move)

    @property
    def latest(self) -> list[Quote]:
        """What a process that starts now sees first."""
        return [self._of(symbol) for symbol in SYMBOLS]

    def seen(self) -> tuple[SeenPrice, ...]:
        """The prices as somebody who decides now sees them."""
        now = self._sundial.true()
        return tuple(SeenPrice(symbol, self._px(symbol), now, "world") for symbol in SYMBOLS)

    def px(self, symbol: Symbol, away: int = 0) -> Px:
        """The price of a symbol, so many ticks away."""
        return Px((self._ticks[symbol] + away) * TICK)

    def _px(self, symbol: Symbol) -> Px:
        return Px(self._ticks[symbol] * TICK)

    def _move(self) -> None:
        dice = self._dice
        symbol = SYMBOLS[self._next % len(SYMBOLS)]
        self._next += 1
        if not self.is_quiet:
            self._ticks[symbol] = max(100, self._ticks[symbol] + dice.randint(-6, 6))
        if self._weather.strikes(Fault.HALTED):
            self._halted_until[symbol] = self._timeline.now + dice.randint(3, 20) * SECOND_NS
        self._quote(symbol)
        pace = QUIET_PACE if self.is_quiet else CALM_PACE if self._weather.calm else 1
        self._timeline.after(pace * dice.randint(SECOND_NS // 2, SECOND_NS), self._move)

    def _quote(self, symbol: Symbol) -> None:
        quote = self._of(symbol)
        for reader in [*self.readers]:
            reader(quote)

    def _of(self, symbol: Symbol) -> Quote:
        px = self._ticks[symbol]
        size = Qty(Decimal(PLENTY if self._weather.calm else self._dice.choice((100, 300, 1000, PLENTY))))
        return Quote(
            symbol=symbol,
            at=UtcNs(self._sundial.true()),
            bid=Px((px - 1) * TICK),
            ask=Px(px * TICK),
            bid_size=size,
            ask_size=size,
            last=Px(px * TICK),
            volume=size if self.tells_all else None,
            prev_close=PREV_CLOSE if self.tells_all else None,
            suspended=not self._weather.calm and self._timeline.now < self._halted_until[symbol],
        )


def _listed(symbol: Symbol, dice: Random) -> Instrument:
    """A stock, half of them with fees, a quarter under T+1."""
    charged = fees("0.0003", dice.choice(("0", "5"))) if dice.random() < 0.5 else fees("0")
    return an_instrument(symbol, fees=charged, settles_t1=dice.random() < 0.25)
