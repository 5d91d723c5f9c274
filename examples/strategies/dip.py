"""Buys a lot when the price has come down from the highest of the last bars, and sells it when it has come back up."""

from __future__ import annotations

from collections import deque
from decimal import Decimal

from tradeloop.strategies import Bar, Fill, Order

PATIENCE = 12
"""Bars that an order has until its first fill; then the strategy looks anew, as it does after one that risk denied."""


class Dip:
    """One lot at a time of one symbol. `parameters`: how far down and up, as fractions, and how many units a lot is."""

    parameters: dict[str, str]

    def on_start(self) -> None:
        """What it held before it was stopped is not looked after again: a process remembers nothing of the one before."""
        self.highs: deque[Decimal] = deque(maxlen=20)
        self.held = Decimal(0)
        self.paid = Decimal(0)
        self.waits = 0

    def on_bar(self, bar: Bar) -> Order | None:
        """Look at each bar that is over."""
        down, up = Decimal(self.parameters["down"]), Decimal(self.parameters["up"])
        self.highs.append(bar.high)
        if self.waits:
            self.waits -= 1
            return None
        if not self.held and bar.close <= max(self.highs) * (1 - down):
            self.waits = PATIENCE
            why = f"{down} below the highest, {max(self.highs)}"
            return Order(symbol=bar.symbol, side="buy", quantity=self.parameters["lot"], why=why)
        if self.held and bar.close >= self.paid * (1 + up):
            self.waits = PATIENCE
            return Order(symbol=bar.symbol, side="sell", quantity=self.held, why=f"{up} above what was paid, {self.paid}")
        return None

    def on_fill(self, fill: Fill) -> None:
        """Count what is held; an order may be filled in parts."""
        self.waits = 0
        if fill.side == "BUY":
            self.held, self.paid = self.held + fill.quantity, fill.price
        else:
            self.held -= fill.quantity
