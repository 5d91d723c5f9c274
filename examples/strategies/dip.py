"""Buys a lot when the price has come down from the highest of the last bars, and sells it when it has come back up."""

from __future__ import annotations

from collections import deque
from decimal import Decimal

from tradeloop.strategies import Bar, Fill, Order


class Dip:
    """One lot at a time. `parameters`: how far down and up, as fractions, and how many units a lot is."""

    parameters: dict[str, str]

    def on_start(self) -> None:
        """Nothing is held when it begins."""
        self.highs: deque[Decimal] = deque(maxlen=20)
        self.bought_at: Decimal | None = None
        self.waits = False

    def on_bar(self, bar: Bar) -> Order | None:
        """Look at each bar that is over."""
        down, up = Decimal(self.parameters["down"]), Decimal(self.parameters["up"])
        lot = self.parameters["lot"]
        self.highs.append(bar.high)
        if self.waits:
            return None
        if self.bought_at is None and bar.close <= max(self.highs) * (1 - down):
            self.waits = True
            return Order(symbol=bar.symbol, side="buy", quantity=lot, why=f"{down} below the highest, {max(self.highs)}")
        if self.bought_at is not None and bar.close >= self.bought_at * (1 + up):
            self.waits = True
            return Order(symbol=bar.symbol, side="sell", quantity=lot, why=f"{up} above what was paid, {self.bought_at}")
        return None

    def on_fill(self, fill: Fill) -> None:
        """What was asked for has been done."""
        self.waits = False
        self.bought_at = fill.price if fill.side == "BUY" else None
