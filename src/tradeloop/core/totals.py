"""What holdings come to in money: one of them, and the sums that it is counted into and out of."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tradeloop.core.instrument import Instrument
from tradeloop.core.types import ZERO, Symbol


class Figures(msgspec.Struct, gc=False):
    """What one holding, or all of a place together, comes to in money. `long` and `short`: the legs at worst. `up`: what is
    held, short counted against long, if every buy fills; `down`: the same the other way round, if every sell does.
    `in_equity`: what it is beside the cash: a future its profit, everything else all that it is worth.
    """

    long: Decimal = ZERO
    short: Decimal = ZERO
    up: Decimal = ZERO
    down: Decimal = ZERO
    in_equity: Decimal = ZERO

    @property
    def gross(self) -> Decimal:
        """Both legs together."""
        return self.long + self.short

    def add(self, long: Decimal, short: Decimal, up: Decimal, down: Decimal, in_equity: Decimal) -> None:
        """So much more of each. Most of what is added is of one leg alone, and of a stock."""
        if long:
            self.long += long
        if short:
            self.short += short
        if up:
            self.up += up
        if down:
            self.down += down
        if in_equity:
            self.in_equity += in_equity


class Totals:
    """The sums of a place, and which symbols make each of them unknown, the first one first."""

    __slots__ = ("figures", "unpriced", "unvalued")

    def __init__(self) -> None:
        self.figures = Figures()
        self.unpriced: dict[Symbol, None] = {}
        self.unvalued: dict[Symbol, None] = {}


class Row:
    """One holding, and the sums that it is in. `unpriced`: nobody ever named a price, so that its figures are zero and mean
    nothing. `unvalued`: what it is of the equity is not known.
    """

    __slots__ = ("figures", "instrument", "sums", "unpriced", "unvalued")

    def __init__(self, instrument: Instrument, sums: tuple[Totals, ...]) -> None:
        self.instrument = instrument
        self.sums = sums
        self.figures = Figures()
        self.unpriced = self.unvalued = False

    def becomes(
        self, long: Decimal, short: Decimal, up: Decimal, down: Decimal, in_equity: Decimal, *, unpriced: bool, unvalued: bool
    ) -> None:
        """Other figures, in the sums as well."""
        was = self.figures
        more = long - was.long, short - was.short, up - was.up, down - was.down, in_equity - was.in_equity
        was.long, was.short, was.up, was.down, was.in_equity = long, short, up, down, in_equity
        for totals in self.sums:
            totals.figures.add(*more)
        if unpriced is not self.unpriced or unvalued is not self.unvalued:
            self.unpriced, self.unvalued = unpriced, unvalued
            for totals in self.sums:
                _name(totals.unpriced, self.instrument.symbol, there=unpriced)
                _name(totals.unvalued, self.instrument.symbol, there=unvalued)

    def leaves(self) -> None:
        """It is in no sum any more."""
        self.becomes(ZERO, ZERO, ZERO, ZERO, ZERO, unpriced=False, unvalued=False)


def _name(names: dict[Symbol, None], symbol: Symbol, *, there: bool) -> None:
    if there:
        names[symbol] = None
    else:
        names.pop(symbol, None)
