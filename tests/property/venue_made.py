"""A venue that keeps true books and tells of them badly: its words may come late, twice, in any order, or not at all.

It takes orders that reach it once, never fills more than was ordered or than is held, takes fills back and corrects them, ends
orders unasked, and shows its books as they are. What a desk believes in the end can be held against them.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tradeloop.core.instrument import Instrument
from tradeloop.core.order import Order
from tradeloop.core.reports import (
    BrokerSnapshot,
    CancelAck,
    CancelReject,
    Execution,
    ExecutionBust,
    ExecutionCorrect,
    HeldCash,
    HeldPosition,
    OpenOrder,
    OrderAck,
    OrderExpire,
    OrderReject,
    Report,
)
from tradeloop.core.types import (
    ZERO,
    Amount,
    ClOrdID,
    Currency,
    ExecID,
    OrderID,
    OrdStatus,
    PositionEffect,
    Px,
    Qty,
    Side,
    Symbol,
    TradingDay,
    UtcNs,
)
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY

OPENS = (PositionEffect.AUTO, PositionEffect.OPEN)


class Theirs(msgspec.Struct):
    """An order as the venue has it; `ended` None while it works."""

    order: Order
    order_id: OrderID
    day: TradingDay
    cum: Decimal = ZERO
    ended: OrdStatus | None = None

    @property
    def leaves(self) -> Decimal:
        """What may still trade."""
        return ZERO if self.status is not self._open else self.order.order_qty - self.cum

    @property
    def _open(self) -> OrdStatus:
        return OrdStatus.PARTIALLY_FILLED if self.cum else OrdStatus.NEW

    @property
    def status(self) -> OrdStatus:
        """What the books say of it."""
        if self.cum >= self.order.order_qty:
            return OrdStatus.FILLED
        return self._open if self.ended is None else self.ended


class Trade(msgspec.Struct):
    """A fill as it stands; `fate` is "" until it is taken back or corrected, which happens once."""

    theirs: Theirs
    exec_id: ExecID
    qty: Decimal
    px: Decimal
    fee: Decimal
    at: UtcNs
    fate: str = ""


class Venue:
    """Books of one account, and the words nobody has heard yet."""

    def __init__(self, instruments: tuple[Instrument, ...], cash: int, held: dict[Symbol, int]) -> None:
        self.instruments = {each.symbol: each for each in instruments}
        self.day = DAY
        self.since = UtcNs(0)  # when its day began
        self.orders: dict[ClOrdID, Theirs] = {}
        self.trades: list[Trade] = []
        self.unheard: list[Report] = []
        self.heard: list[Report] = []
        self.cash = Decimal(cash)
        self.legs = {
            (symbol, leg): Decimal(held.get(symbol, 0) if leg == "long" else 0) for symbol in self.instruments for leg in LEGS
        }
        self._count = 0

    # --- what it does

    def take(self, order: Order) -> None:
        """An order arrives: worked, or refused where it would close more than is held. An id it knows is refused again."""
        known = self.orders.get(order.cl_ord_id)
        if known is not None:
            self.unheard.append(OrderReject(BROKER, order.cl_ord_id, "DUP", "known already", of_repeat=True))
            return
        theirs = Theirs(order, OrderID(f"v{len(self.orders) + 1}"), self.day)
        leg = self._leg(order)
        closing = sum((t.leaves for t in self.working if self._leg(t.order) == leg and not self._opens(t.order)), ZERO)
        self.orders[order.cl_ord_id] = theirs
        if not self._opens(order) and self.legs[leg] - closing < order.order_qty:
            theirs.ended = OrdStatus.REJECTED
            self.unheard.append(OrderReject(BROKER, order.cl_ord_id, "HELD", "closes more than is held"))
        else:
            self.unheard.append(OrderAck(BROKER, order.cl_ord_id, theirs.order_id))

    def fill(self, pick: int, qty: int, px: Decimal, fee: int, now: UtcNs, *, by_number: bool) -> bool:
        """A working order trades; whether there was one."""
        working = [t for t in self.working if self._opens(t.order) or self.legs[self._leg(t.order)] > 0]
        if not working:
            return False
        theirs = working[pick % len(working)]
        most = theirs.leaves if self._opens(theirs.order) else min(theirs.leaves, self.legs[self._leg(theirs.order)])
        self._count += 1
        size = min(Decimal(qty), most)
        trade = Trade(theirs, ExecID(f"t{self._count}"), size, px, Decimal(fee), self._tick(now))
        self.trades.append(trade)
        self._count_in(trade, 1)
        self.unheard.append(self._told(trade, by_number=by_number))
        return True

    def take_back(self, pick: int, qty: int, px: Decimal, now: UtcNs, *, corrects: bool) -> bool:
        """A fill of today is taken back, or was of less and at another price; whether there was one that can be."""
        may = [t for t in self.trades if not t.fate and t.theirs.day == self.day and self._can_go(t)]
        if not may:
            return False
        trade = may[pick % len(may)]
        side, at = trade.theirs.order.side, self._tick(now)
        self._count_in(trade, -1)
        if corrects:
            trade.qty, trade.px, trade.fate = min(trade.qty, Decimal(qty)), px, "corrected"
            figures = (Qty(trade.qty), Px(trade.px), Amount(trade.fee))
            self.unheard.append(ExecutionCorrect(BROKER, ACCOUNT, self.day, trade.exec_id, side, *figures, transact_at=at))
            self._count_in(trade, 1)
        else:
            trade.fate = "busted"
            self.unheard.append(ExecutionBust(BROKER, ACCOUNT, self.day, trade.exec_id, side, transact_at=at))
        return True

    def cancel(self, cl_ord_id: ClOrdID) -> None:
        """A cancel arrives."""
        theirs = self.orders.get(cl_ord_id)
        if theirs is None or not theirs.leaves:
            self.unheard.append(CancelReject(BROKER, cl_ord_id, "GONE", "nothing to cancel"))
        else:
            theirs.ended = OrdStatus.CANCELED
            self.unheard.append(CancelAck(BROKER, cl_ord_id, cum_qty=Qty(theirs.cum)))

    def end(self, pick: int, *, expires: bool) -> bool:
        """A working order ends, and nobody asked; whether there was one."""
        working = self.working
        if not working:
            return False
        self._end(working[pick % len(working)], expires=expires)
        return True

    def close_day(self, next_day: TradingDay, now: UtcNs) -> None:
        """Everything that works expires, and the next day begins."""
        for theirs in self.working:
            self._end(theirs, expires=True)
        self.day, self.since = next_day, self._tick(now)

    def _end(self, theirs: Theirs, *, expires: bool) -> None:
        word = OrderExpire if expires else CancelAck
        theirs.ended = OrdStatus.EXPIRED if expires else OrdStatus.CANCELED
        self.unheard.append(word(BROKER, theirs.order.cl_ord_id, cum_qty=Qty(theirs.cum)))

    # --- what it shows

    def books(self, now: UtcNs, other_cash: dict[Currency, Amount]) -> BrokerSnapshot:
        """All of today as it truly is. `other_cash`: money it does not count itself."""
        orders = tuple(
            OpenOrder(
                ACCOUNT,
                t.order.symbol,
                t.order.side,
                t.order.order_qty,
                Qty(t.cum),
                t.status,
                t.order_id,
                t.order.cl_ord_id,
                t.order.price,
            )
            for t in self.orders.values()
            if t.day == self.day
        )
        fills = tuple(self._told(t, by_number=False) for t in self.trades if t.theirs.day == self.day and t.fate != "busted")
        held = tuple(
            HeldPosition(ACCOUNT, symbol, Qty(self.legs[symbol, "long"]), Qty(self.legs[symbol, "short"]))
            for symbol in self.instruments
        )
        cash = (
            HeldCash(ACCOUNT, Currency("CNY"), Amount(self.cash)),
            *(HeldCash(ACCOUNT, *each) for each in other_cash.items()),
        )
        return BrokerSnapshot(
            BROKER,
            ACCOUNT,
            now,
            orders,
            fills,
            held,
            cash,
            orders_complete=True,
            executions_since=self.since,
            trading_day=self.day,
            asked_at=now,
        )

    # --- its reckoning

    def _told(self, trade: Trade, *, by_number: bool) -> Execution:
        order = trade.theirs.order
        return Execution(
            BROKER,
            ACCOUNT,
            trade.theirs.day,
            trade.exec_id,
            order.symbol,
            order.side,
            Qty(trade.qty),
            Px(trade.px),
            None if by_number else order.cl_ord_id,
            trade.theirs.order_id,
            order.position_effect,
            Amount(trade.fee),
            "",
            trade.at,
        )

    def _count_in(self, trade: Trade, sign: int) -> None:
        order = trade.theirs.order
        trade.theirs.cum += sign * trade.qty
        leg = self._leg(order)
        self.legs[leg] += sign * (trade.qty if self._opens(order) else -trade.qty)
        if self.instruments[order.symbol].currency == "CNY":
            flow = trade.px * trade.qty * (-1 if order.side is Side.BUY else 1) - trade.fee
            self.cash += sign * flow

    def _can_go(self, trade: Trade) -> bool:
        """Whether what it opened is still there, and no later fill has closed it: a venue would have to take that back, too."""
        symbol, leg = self._leg(trade.theirs.order)
        held = self.legs[symbol, leg] - sum(
            (self._moves(t) for t in self.trades if self._leg(t.theirs.order) == (symbol, leg)), ZERO
        )
        for each in self.trades:
            if each is not trade and self._leg(each.theirs.order) == (symbol, leg):
                held += self._moves(each)
                if held < ZERO:
                    return False
        return True

    def _moves(self, trade: Trade) -> Decimal:
        """By how much the fill, as it stands, has moved its leg."""
        if trade.fate == "busted":
            return ZERO
        return trade.qty if self._opens(trade.theirs.order) else -trade.qty

    @property
    def working(self) -> list[Theirs]:
        """Orders that may still trade."""
        return [t for t in self.orders.values() if t.leaves]

    def _opens(self, order: Order) -> bool:
        return order.side is Side.BUY if order.position_effect is PositionEffect.AUTO else order.position_effect in OPENS

    def _leg(self, order: Order) -> tuple[Symbol, str]:
        return order.symbol, "long" if (order.side is Side.BUY) == self._opens(order) else "short"

    def _tick(self, now: UtcNs) -> UtcNs:
        """The venue's clock: no two of its words bear the same time."""
        self._count += 1
        return UtcNs(now + self._count)


LEGS = ("long", "short")
