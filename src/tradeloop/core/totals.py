"""What holdings come to in money: one of them, and the sums that it is counted into and out of."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.core.types import ZERO, Currency, Symbol


class Figures(msgspec.Struct, frozen=True, gc=False):
    """What one holding, or all of a place together, comes to in money. `long` and `short`: the legs at worst. `up`: what is
    held, short counted against long, if every buy fills; `down`: the same the other way round, if every sell does.
    `in_equity`: what it is beside the cash: a future its profit, everything else all that it is worth.
    """

    long: Decimal = ZERO
    short: Decimal = ZERO
    up: Decimal = ZERO
    down: Decimal = ZERO
    market_value: Decimal = ZERO
    in_equity: Decimal = ZERO
    unrealized: Decimal = ZERO

    @property
    def gross(self) -> Decimal:
        """Both legs together."""
        return self.long + self.short

    def plus(self, other: Figures) -> Figures:
        """Both together."""
        return Figures(
            self.long + other.long,
            self.short + other.short,
            self.up + other.up,
            self.down + other.down,
            self.market_value + other.market_value,
            self.in_equity + other.in_equity,
            self.unrealized + other.unrealized,
        )

    def minus(self, other: Figures) -> Figures:
        """What is left without the other."""
        return Figures(
            self.long - other.long,
            self.short - other.short,
            self.up - other.up,
            self.down - other.down,
            self.market_value - other.market_value,
            self.in_equity - other.in_equity,
            self.unrealized - other.unrealized,
        )


NOTHING: Final = Figures()


class Row(msgspec.Struct, frozen=True, gc=False):
    """One holding. `unpriced`: nobody ever named a price, so that its figures are zero and mean nothing. `unvalued`: what it is
    of the equity is not known, `uncosted`: what it has gained is not.
    """

    currency: Currency
    industry: str
    figures: Figures
    unpriced: bool = False
    unvalued: bool = False
    uncosted: bool = False

    def like(self, other: Row) -> bool:
        """Whether both are in the same sums, all of whose figures are known."""
        known = not (self.unpriced or self.unvalued or self.uncosted or other.unpriced or other.unvalued or other.uncosted)
        return known and self.currency == other.currency and self.industry == other.industry


class Totals:
    """The sums of a place, and which symbols make each of them unknown, the first one first."""

    __slots__ = ("figures", "uncosted", "unpriced", "unvalued")

    def __init__(self) -> None:
        self.figures = NOTHING
        self.unpriced: dict[Symbol, None] = {}
        self.unvalued: dict[Symbol, None] = {}
        self.uncosted: dict[Symbol, None] = {}

    def take(self, symbol: Symbol, row: Row) -> None:
        """A row is in the sums from now on: name what it makes unknown."""
        if row.unpriced:
            self.unpriced[symbol] = None
        if row.unvalued:
            self.unvalued[symbol] = None
        if row.uncosted:
            self.uncosted[symbol] = None

    def drop(self, symbol: Symbol) -> None:
        """A row is in them no more."""
        self.unpriced.pop(symbol, None)
        self.unvalued.pop(symbol, None)
        self.uncosted.pop(symbol, None)
