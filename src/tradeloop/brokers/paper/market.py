"""One symbol as the paper broker sees it: the standing quote, what is left of it, and the open orders by side."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.brokers.paper.records import PaperOrder
from tradeloop.core.instrument import Instrument
from tradeloop.core.reports import Quote
from tradeloop.core.types import ZERO, Px, Qty, Side, TimeInForce

IMMEDIATE: Final = (TimeInForce.IOC, TimeInForce.FOK)


class Market(msgspec.Struct):
    """The market of one symbol.

    `buys` and `sells` keep the order of arrival. `highest_buy` and `lowest_sell` bound their limits (None: a market
    order rests, or nothing is known), so that a quote that can touch nobody costs nothing.
    """

    instrument: Instrument
    quote: Quote | None = None
    prev_close: Px | None = None
    bid_left: Decimal = ZERO
    ask_left: Decimal = ZERO
    buys: dict[int, PaperOrder] = {}
    sells: dict[int, PaperOrder] = {}
    highest_buy: Decimal | None = ZERO
    lowest_sell: Decimal | None = None
    immediate: int = 0
    frozen_buy: Decimal = ZERO
    frozen_sell: Decimal = ZERO

    def reference(self, side: Side) -> Px | None:
        """The price a market order is expected to meet: the opposite side, else the last trade."""
        if self.quote is None:
            return None
        opposite = self.quote.ask if side is Side.BUY else self.quote.bid
        return opposite if opposite is not None else self.quote.last

    def band(self) -> tuple[Px, Px] | None:
        """The day's lowest and highest price; None where there are no limits, or they are not known yet."""
        return None if self.prev_close is None else self.instrument.band(self.prev_close)

    def frozen(self, side: Side) -> Decimal:
        """What working orders of this side are going to close."""
        return self.frozen_sell if side is Side.SELL else self.frozen_buy

    def freeze(self, side: Side, qty: Decimal) -> None:
        """Promise `qty` of the holding to an order of this side; a negative quantity gives it back."""
        if side is Side.SELL:
            self.frozen_sell += qty
        else:
            self.frozen_buy += qty

    def promise_what_is_left(self, order: PaperOrder) -> None:
        """An order closes no more than is left of it: nothing once it has ended."""
        if order.close_leaves > order.leaves_qty:
            self.freeze(order.side, order.leaves_qty - order.close_leaves)
            order.close_leaves = order.leaves_qty

    def stand(self, quote: Quote, assumed_size: Decimal | None, *, anew: bool) -> None:
        """Let `quote` be the standing one. A side that only repeats what it showed offers what is left of that, since what was
        taken here was never taken from the real market; `anew` says that a break or a day lies between.
        """
        before = None if anew else self.quote
        self.quote = quote
        if quote.prev_close is not None:
            self.prev_close = quote.prev_close
        if before is None or (before.bid, before.bid_size) != (quote.bid, quote.bid_size):
            self.bid_left = _displayed(quote.bid, quote.bid_size, assumed_size)
        if before is None or (before.ask, before.ask_size) != (quote.ask, quote.ask_size):
            self.ask_left = _displayed(quote.ask, quote.ask_size, assumed_size)

    def in_priority(self, side: Side) -> list[PaperOrder]:
        """The resting orders of a side by price, then by arrival; one without a price goes first."""
        if side is Side.BUY:
            return sorted(self.buys.values(), key=lambda o: (o.price is not None, -o.price if o.price is not None else ZERO))
        return sorted(self.sells.values(), key=lambda o: (o.price is not None, o.price if o.price is not None else ZERO))

    def rest(self, order: PaperOrder) -> None:
        """Put an open order behind those that rest already."""
        if order.side is Side.BUY:
            if not self.buys:
                self.highest_buy = order.price
            elif order.price is None or self.highest_buy is None:
                self.highest_buy = None
            else:
                self.highest_buy = max(self.highest_buy, order.price)
            self.buys[order.no] = order
        else:
            if not self.sells:
                self.lowest_sell = order.price
            elif order.price is None or self.lowest_sell is None:
                self.lowest_sell = None
            else:
                self.lowest_sell = min(self.lowest_sell, order.price)
            self.sells[order.no] = order
        if order.tif in IMMEDIATE:
            self.immediate += 1

    def leave(self, order: PaperOrder) -> None:
        """Take a closed order out; harmless when it never rested."""
        orders = self.buys if order.side is Side.BUY else self.sells
        if orders.pop(order.no, None) is not None and order.tif in IMMEDIATE:
            self.immediate -= 1

    def may_buy(self, quote: Quote) -> bool:
        """Whether the quote could concern a resting buy."""
        if not self.buys:
            return False
        crosses = quote.ask is not None and (self.highest_buy is None or quote.ask <= self.highest_buy)
        return crosses or self.immediate > 0

    def may_sell(self, quote: Quote) -> bool:
        """Whether the quote could concern a resting sell."""
        if not self.sells:
            return False
        crosses = quote.bid is not None and (self.lowest_sell is None or quote.bid >= self.lowest_sell)
        return crosses or self.immediate > 0

    def bound(self) -> None:
        """Work out the bounds anew, after orders have left."""
        buys = [order.price for order in self.buys.values()]
        sells = [order.price for order in self.sells.values()]
        self.highest_buy = None if None in buys else max((px for px in buys if px is not None), default=ZERO)
        self.lowest_sell = None if None in sells else min((px for px in sells if px is not None), default=None)


def _displayed(px: Px | None, size: Qty | None, assumed_size: Decimal | None) -> Decimal:
    if px is None:
        return ZERO
    if size is not None:
        return size
    return ZERO if assumed_size is None else assumed_size
