"""What the paper broker keeps in its books: orders, positions, cash, trading days.

Mutable structs that only books.py and matching.py change. Quantities are in units, amounts in the instrument's
currency, times in nanoseconds UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.core.types import (
    SECOND_NS,
    ZERO,
    AccountID,
    ClOrdID,
    Currency,
    ExecID,
    OrderID,
    OrdStatus,
    OrdType,
    PositionEffect,
    Px,
    Qty,
    Side,
    Symbol,
    TimeInForce,
    TradingDay,
    UtcNs,
)

WORKING = (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED)

CLOSING_PRINT_WITHIN_NS: Final = 5 * SECOND_NS
"""How long after the bell the print of the close may come in; DAY orders end only then, as they could still trade at it.

Time of the market. A recording that the machine plays later than its clock runs is waited for as well, however fast the
clock (`Matching`, `undelivered_at`).
"""


class PaperChange(msgspec.Struct, frozen=True, gc=False):
    """Other terms on their way to the market, which they reach at `due`; `number` is the asker's name for the request."""

    number: int
    order_qty: Qty
    price: Px | None
    due: UtcNs


class PaperOrder(msgspec.Struct, gc=False):
    """One order, ours (`cl_ord_id` set) or typed in the broker's app (`cl_ord_id` None).

    `no` is its place in the order of arrival and the root of `order_id`. `live_at` is when it reaches the market,
    `cancel_at` when a cancel under way does, None once it was answered. `change` is a replace under way, `changed` the number
    of the last one in force. `close_leaves` is how much of the rest will close a position, `reserved` the cash held for the
    rest at `ref_px`.
    The `fee_` fields carry what fees were charged on, so that minimum fees are charged once per order.
    """

    no: int
    order_id: OrderID
    cl_ord_id: ClOrdID | None
    account: AccountID
    symbol: Symbol
    side: Side
    order_qty: Qty
    ord_type: OrdType
    price: Px | None
    tif: TimeInForce
    position_effect: PositionEffect
    trading_day: TradingDay
    placed_at: UtcNs
    live_at: UtcNs
    ord_status: OrdStatus = OrdStatus.NEW
    cum_qty: Decimal = ZERO
    ref_px: Decimal = ZERO
    close_leaves: Decimal = ZERO
    reserved: Decimal = ZERO
    cancel_at: UtcNs | None = None
    fee_qty: Decimal = ZERO
    fee_notional: Decimal = ZERO
    fee_today_qty: Decimal = ZERO
    fee_today_notional: Decimal = ZERO
    fee_charged: Decimal = ZERO
    code: str = ""
    text: str = ""
    change: PaperChange | None = None
    changed: int = 0
    ended_on: TradingDay | None = None
    """The trading day in which it ended; None while it works, or where that was before it was kept."""

    @property
    def last_day(self) -> TradingDay:
        """The last trading day in which anything became of it, as far as that is known."""
        return self.trading_day if self.ended_on is None else self.ended_on

    @property
    def leaves_qty(self) -> Decimal:
        """What may still fill; zero once the order is closed."""
        return self.order_qty - self.cum_qty if self.ord_status in WORKING else ZERO

    @property
    def is_working(self) -> bool:
        """Whether the order is open: on its way to the market or in it."""
        return self.ord_status in WORKING

    def same_content(self, other: PaperOrder) -> bool:
        """Whether both ask for the same thing; the measure of a harmless repeat."""
        return (
            self.symbol == other.symbol
            and self.side is other.side
            and self.order_qty == other.order_qty
            and self.ord_type is other.ord_type
            and self.price == other.price
            and self.tif is other.tif
            and self.position_effect is other.position_effect
            and self.account == other.account
        )


class PaperPosition(msgspec.Struct, gc=False):
    """Long and short holdings of one symbol, split into opened today and before; `held` is cash that backs them."""

    symbol: Symbol
    long_today: Decimal = ZERO
    long_yesterday: Decimal = ZERO
    long_cost: Decimal = ZERO
    short_today: Decimal = ZERO
    short_yesterday: Decimal = ZERO
    short_cost: Decimal = ZERO
    held: Decimal = ZERO

    @property
    def long_qty(self) -> Decimal:
        """All that is held long."""
        return self.long_today + self.long_yesterday

    @property
    def short_qty(self) -> Decimal:
        """All that is held short."""
        return self.short_today + self.short_yesterday


class PaperOpening(msgspec.Struct, frozen=True, gc=False):
    """What was held of a symbol before the first of the day's fills that are still to be told apart: those with an id beyond
    `after`, the newest one when this was put down.
    """

    symbol: Symbol
    trading_day: TradingDay
    after: ExecID
    long_today: Decimal
    long_yesterday: Decimal
    long_cost: Decimal
    short_today: Decimal
    short_yesterday: Decimal
    short_cost: Decimal

    def position(self) -> PaperPosition:
        """A position that is so again; its cash is not held yet."""
        return PaperPosition(
            self.symbol,
            self.long_today,
            self.long_yesterday,
            self.long_cost,
            self.short_today,
            self.short_yesterday,
            self.short_cost,
        )


class PaperCash(msgspec.Struct, gc=False):
    """One currency: `balance` is settled money, `reserved` backs working orders, `held` backs positions (margin, shorts)."""

    currency: Currency
    balance: Decimal
    reserved: Decimal = ZERO
    held: Decimal = ZERO

    @property
    def available(self) -> Decimal:
        """What a new order may use."""
        return self.balance - self.reserved - self.held


class PaperDay(msgspec.Struct):
    """The trading day a session is in, the one before, its trading windows and when it was opened here.

    The session named "" has no hours: it is always open and its trading day is the UTC date.
    """

    session: str
    trading_day: TradingDay
    opened_at: UtcNs
    previous_day: TradingDay | None = None
    previous_opened_at: UtcNs | None = None
    windows: tuple[tuple[UtcNs, UtcNs], ...] = ()

    def is_open(self, at: UtcNs, *, closing_print: bool = False) -> bool:
        """Whether `at` lies in a window; with `closing_print` the very end of a window counts too."""
        if not self.session:
            return True
        return any(start <= at < end or (closing_print and at == end) for start, end in self.windows)

    def is_one_window(self, earlier: UtcNs, later: UtcNs) -> bool:
        """Whether both moments lie in the same window: what was offered before a break or another day is offered no more."""
        if not self.session:
            return True
        return any(start <= earlier <= later < end for start, end in self.windows)

    def is_over(self, at: UtcNs) -> bool:
        """Whether the last window of the day has ended, and the closing print has had its time to arrive."""
        ends = self.ends_at
        return ends is not None and at >= ends

    @property
    def ends_at(self) -> UtcNs | None:
        """The first moment after the closing print's time; None for a day without hours."""
        if not self.session or not self.windows:
            return None
        return UtcNs(self.windows[-1][1] + CLOSING_PRINT_WITHIN_NS + 1)


DAYS_APART_MAX: Final = 10
"""A session whose trading day lies further back than this is not traded any more; no market's holidays last longer."""


def in_use(days: Iterable[PaperDay]) -> list[PaperDay]:
    """The days of sessions that are still traded. One that was opened months ago must not hold back what may be forgotten."""
    known = list(days)
    latest = max((day.trading_day for day in known), default=TradingDay(""))
    if not latest:
        return known
    horizon = (date.fromisoformat(latest) - timedelta(days=DAYS_APART_MAX)).isoformat()
    return [day for day in known if day.trading_day >= horizon]


def kept_since(days: Iterable[PaperDay]) -> tuple[TradingDay, UtcNs] | None:
    """The oldest trading day that is kept whole (the previous one of a session in use), and when it was opened."""
    oldest: tuple[TradingDay, UtcNs] | None = None
    for day in in_use(days):
        kept = (day.trading_day, day.opened_at)
        if day.previous_day is not None and day.previous_opened_at is not None:
            kept = (day.previous_day, day.previous_opened_at)
        if oldest is None or kept < oldest:
            oldest = kept
    return oldest
