"""Other terms for an order that works at the paper broker: what is refused, what becomes of its place in the queue.

A change is carried out whole or not at all, and judged when it reaches the market. It must keep the rules a new order keeps;
what the order already holds of cash and shares counts for it. A smaller quantity keeps the place in the queue; another price or
a larger quantity goes behind those that rest already, as price-time priority has it. Less than has filled is amended to that
(FIX 4.4 vol. 7, appendix D, C.3), and the order is filled.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from decimal import Decimal

import msgspec

from tradeloop.brokers.paper.admission import bad_price, may_open, no
from tradeloop.brokers.paper.books import Books
from tradeloop.brokers.paper.ledger import closable, needed
from tradeloop.brokers.paper.market import Market
from tradeloop.brokers.paper.records import PaperCash, PaperChange, PaperOrder
from tradeloop.brokers.paper.words import MEANING, Code
from tradeloop.core.reports import ReplaceAck, ReplaceReject, Report
from tradeloop.core.types import ZERO, ClOrdID, OrdStatus, OrdType, Px, Qty, Symbol, UtcNs


class Changes:
    """Replaces on their way to the market, in the order in which they reach it."""

    def __init__(
        self,
        books: Books,
        markets: dict[Symbol, Market],
        settle: Callable[[Market, PaperOrder, PaperCash], None],
        enter: Callable[[PaperOrder, UtcNs], None],
        tell: Callable[[Report], None],
    ) -> None:
        self._books = books
        self._markets = markets
        self._settle = settle
        self._enter = enter
        self._tell = tell
        under_way = [(order.change.due, order.no, order) for order in books.working() if order.change is not None]
        self._queue = deque(order for _, _, order in sorted(under_way, key=lambda one: one[:2]))

    def next_due(self) -> UtcNs | None:
        """When the next one reaches the market."""
        change = self._queue[0].change if self._queue else None
        return None if change is None else change.due

    def ask(self, order: PaperOrder | None, cl_ord_id: ClOrdID, change: PaperChange, now: UtcNs) -> None:
        """Take a request, or refuse it at once. One that is in force already is told again."""
        if order is None:
            why = (Code.UNKNOWN_ORDER, MEANING[Code.UNKNOWN_ORDER])
            self._tell(rejected(self._books, cl_ord_id, change.number, why, now))
            return
        if order.changed == change.number:
            self._tell(accepted(self._books, order, cl_ord_id, change.number, now))
            return
        if not order.is_working:
            why = no(Code.TOO_LATE_TO_REPLACE, order.ord_status.value)
            self._tell(rejected(self._books, cl_ord_id, change.number, why, now))
            return
        if order.change is not None:
            why = no(Code.REPLACE_PENDING, f"it is number {order.change.number}, this one is {change.number}")
            self._tell(rejected(self._books, cl_ord_id, change.number, why, now))
            return
        order.change = change
        self._books.touch_order(order)
        self._queue.append(order)

    def carry_out(self, now: UtcNs) -> None:
        """Do what the first request asks for, or say why not."""
        order = self._queue.popleft()
        change, order.change = order.change, None
        cl_ord_id = order.cl_ord_id
        assert change is not None
        assert cl_ord_id is not None
        number = change.number
        refused = refusal(order, change, self._markets[order.symbol], self._books, now)
        if refused is not None:
            self._books.touch_order(order)
            self._tell(rejected(self._books, cl_ord_id, number, refused, now))
            return
        order.changed = number
        self.apply(order, change, now, lambda: accepted(self._books, order, cl_ord_id, number, now))

    def apply(self, order: PaperOrder, change: PaperChange, now: UtcNs, report: Callable[[], Report]) -> None:
        """Give the order other terms and say so; it keeps its place in the queue only where it asks for less."""
        market = self._markets[order.symbol]
        behind = _take(order, change, market, self._books)
        if behind:
            market.leave(order)
            order.live_at = now
        self._settle(market, order, self._books.cash_of(market.instrument.currency))
        if order.cl_ord_id is not None:
            self._tell(report())
        if behind:
            self._enter(order, now)


def refusal(order: PaperOrder, change: PaperChange, market: Market, books: Books, now: UtcNs) -> tuple[Code, str] | None:
    """Why the change cannot be carried out now, or None. Changes nothing."""
    if not order.is_working:
        return no(Code.TOO_LATE_TO_REPLACE, order.ord_status.value)
    if change.order_qty <= order.cum_qty:
        return None  # nothing is left to judge
    instrument = market.instrument
    day = books.day_of(instrument)
    if day is None or not day.is_open(now):
        return no(Code.MARKET_CLOSED, f"session {instrument.session or 'always open'}")
    if market.quote is not None and market.quote.suspended:
        return no(Code.SUSPENDED, order.symbol)
    if (change.price is None) is not (order.ord_type is OrdType.MARKET):
        return no(
            Code.PRICE_REQUIRED,
            f"the order is {order.ord_type.value}, the price was {'none' if change.price is None else f'{change.price:f}'}",
        )
    wanted = _wanted(order, change, market, books)
    return bad_price(wanted, market) or _bad_qty(order, wanted, market) or _cannot_pay(order, wanted, market, books)


def _wanted(order: PaperOrder, change: PaperChange, market: Market, books: Books) -> PaperOrder:
    """The order as it would be: closing as much as is free to close besides other orders."""
    wanted = msgspec.structs.replace(order, order_qty=change.order_qty, price=change.price)
    if wanted.ord_type is OrdType.LIMIT and change.price is not None:
        wanted.ref_px = change.price
    free = closable(books.position(order.symbol), market.instrument, order.side, order.position_effect)
    free -= market.frozen(order.side) - order.close_leaves
    wanted.close_leaves = max(ZERO, min(wanted.leaves_qty, free))
    return wanted


def _bad_qty(order: PaperOrder, wanted: PaperOrder, market: Market) -> tuple[Code, str] | None:
    instrument, qty = market.instrument, wanted.order_qty
    if not instrument.is_tradable_qty(qty, order.side, order.cum_qty + max(wanted.close_leaves, order.close_leaves)):
        return no(
            Code.ILLEGAL_QTY,
            f"the quantity was {qty:f}, the minimum is {instrument.min_qty:f} and the lot {instrument.lot:f}",
        )
    most = instrument.max_qty_market if order.ord_type is OrdType.MARKET else instrument.max_qty_limit
    if most is not None and qty > most:
        return no(Code.QTY_ABOVE_MAXIMUM, f"the quantity was {qty:f}, the most is {most:f}")
    if wanted.close_leaves < wanted.leaves_qty and not may_open(wanted, instrument):
        return no(Code.INSUFFICIENT_POSITION, f"{wanted.leaves_qty:f} are left, free to close are {wanted.close_leaves:f}")
    return None


def _cannot_pay(order: PaperOrder, wanted: PaperOrder, market: Market, books: Books) -> tuple[Code, str] | None:
    needs = needed(wanted, market.instrument)
    available = books.cash_of(market.instrument.currency).available + order.reserved
    if needs <= max(available, order.reserved):
        return None
    currency = market.instrument.currency
    return no(Code.INSUFFICIENT_CASH, f"the order needs {needs} {currency}, available are {available}")


def _take(order: PaperOrder, change: PaperChange, market: Market, books: Books) -> bool:
    """Give the order its new terms; whether it lost its place in the queue."""
    filled = change.order_qty <= order.cum_qty
    behind = not filled and (change.price != order.price or change.order_qty > order.order_qty)
    wanted = _wanted(order, change, market, books)
    market.freeze(order.side, (ZERO if filled else wanted.close_leaves) - order.close_leaves)
    order.close_leaves = ZERO if filled else wanted.close_leaves
    order.order_qty = Qty(max(change.order_qty, order.cum_qty))
    order.price, order.ref_px = change.price, wanted.ref_px
    if filled:
        order.ord_status = OrdStatus.FILLED
    return behind


def accepted(books: Books, order: PaperOrder, cl_ord_id: ClOrdID, number: int, now: UtcNs) -> ReplaceAck:
    """The answer to a change that is in force, told once more to whoever asks twice."""
    price = None if order.price is None else Px(order.price)
    return ReplaceAck(books.broker, cl_ord_id, order.order_qty, price, None, number, None, Qty(Decimal(order.cum_qty)), now)


def rejected(books: Books, cl_ord_id: ClOrdID, number: int, why: tuple[Code, str], now: UtcNs) -> ReplaceReject:
    """The answer to a change that is not."""
    return ReplaceReject(books.broker, cl_ord_id, why[0].value, why[1], number, now)
