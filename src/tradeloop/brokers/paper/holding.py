"""What working orders of the paper broker hold when what they were taken to close, or were to be paid with, has gone.

An order holds no cash for what it closes. Once another has closed it first, or a bust has taken it, the order opens, and
no order of ours takes the cash below zero.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from tradeloop.brokers.paper.admission import may_open
from tradeloop.brokers.paper.books import Books
from tradeloop.brokers.paper.ledger import closable, needed
from tradeloop.brokers.paper.market import Market
from tradeloop.brokers.paper.records import PaperCash, PaperOrder
from tradeloop.brokers.paper.words import Code
from tradeloop.core.types import ZERO, OrdStatus, PositionEffect, Side, UtcNs


class Holding:
    """Looks at the working orders behind what moves the books."""

    def __init__(
        self,
        books: Books,
        settle: Callable[[Market, PaperOrder, PaperCash], None],
        close: Callable[[PaperOrder, OrdStatus, str, UtcNs], None],
    ) -> None:
        self._books = books
        self._settle = settle
        self._close = close

    def follow(self, market: Market, now: UtcNs) -> None:
        """Less may be held than working orders were taken to close: the older ones close it, what the others open is held for
        them, and one that can no longer be paid for is cancelled.
        """
        for side in (Side.BUY, Side.SELL):
            frozen = market.frozen(side)
            if not frozen:
                continue
            left = closable(self._books.position(market.instrument.symbol), market.instrument, side, PositionEffect.AUTO)
            if frozen > left:
                self._open_with_the_rest(market, side, left, now)

    def _open_with_the_rest(self, market: Market, side: Side, left: Decimal, now: UtcNs) -> None:
        instrument = market.instrument
        cash = self._books.cash_of(instrument.currency)
        for order in self._books.working():
            if order.symbol != instrument.symbol or order.side is not side or not order.close_leaves:
                continue
            closes = min(order.close_leaves, left)
            left -= closes
            if closes == order.close_leaves or not may_open(order, instrument):
                continue
            market.freeze(side, closes - order.close_leaves)
            order.close_leaves = closes
            if needed(order, instrument) - order.reserved > cash.available:
                text = f"{Code.INSUFFICIENT_CASH.value}: what it was to close is closed, and it cannot be paid for"
                self._close(order, OrdStatus.CANCELED, text, now)
            else:
                self._settle(market, order, cash)

    def cancel_unpaid(self, market: Market, now: UtcNs) -> None:
        """Money has gone that working orders were to open something with: the youngest of them are cancelled, as many as it
        takes.
        """
        cash = self._books.cash_of(market.instrument.currency)
        if cash.available >= ZERO:
            return
        for order in reversed(self._books.working()):
            opens = order.reserved and order.leaves_qty > order.close_leaves
            if opens and self._books.instruments[order.symbol].currency == cash.currency:
                text = f"{Code.INSUFFICIENT_CASH.value}: what was to pay for it is gone"
                self._close(order, OrdStatus.CANCELED, text, now)
                if cash.available >= ZERO:
                    return
