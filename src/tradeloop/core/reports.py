"""What a broker says, in our words. An adapter translates its venue's messages into these and invents nothing.

A report may be late, repeated, out of order or about an order we never sent; deciding what that means is core/decide.py's work.
Times are the broker's own (`transact_at`), None where it gave none. Fills come from `Execution` alone, never from a status.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tradeloop.core.types import (
    TWO,
    AccountID,
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


class OrderAck(msgspec.Struct, frozen=True, gc=False):
    """The broker works the order under its own id."""

    broker: str
    cl_ord_id: ClOrdID
    order_id: OrderID
    transact_at: UtcNs | None = None


class OrderReject(msgspec.Struct, frozen=True, gc=False):
    """The broker refused the order; `code` and `text` are its words.

    `of_repeat`: what it refused is a second order under an id it knows; the first one stands as it stood (FIX F.1.a).
    """

    broker: str
    cl_ord_id: ClOrdID
    code: str
    text: str
    transact_at: UtcNs | None = None
    of_repeat: bool = False


class Execution(msgspec.Struct, frozen=True, gc=False):
    """One fill. Its identity is (broker, account, trading_day, exec_id, side) and nothing less; the same id under another
    symbol is another fill: the venues behind one broker may count their trades apart.

    `cl_ord_id` is None when the broker does not tell whose order it was. `commission` is None when the broker has not said what
    the fill cost; the dated fee schedule then stands in. `liquidity` is ADDED, REMOVED or empty.

    Fills of a symbol are booked in the order of `transact_at`, so it has to come from one clock in one resolution, or not at
    all (docs/adr/0015-order-of-fills.md).
    """

    broker: str
    account: AccountID
    trading_day: TradingDay
    exec_id: ExecID
    symbol: Symbol
    side: Side
    last_qty: Qty
    last_px: Px
    cl_ord_id: ClOrdID | None = None
    order_id: OrderID | None = None
    position_effect: PositionEffect = PositionEffect.AUTO
    commission: Amount | None = None
    liquidity: str = ""
    transact_at: UtcNs | None = None


class ExecutionBust(msgspec.Struct, frozen=True, gc=False):
    """The broker took a fill back (FIX TradeCancel). `exec_ref_id` is the fill's id, `exec_id` that of the bust itself, by
    which its repeat is known; None where the venue gives none. `symbol` is the fill's where the broker says it, and has to be
    said where the broker's venues count their trades apart.
    """

    broker: str
    account: AccountID
    trading_day: TradingDay
    exec_ref_id: ExecID
    side: Side
    transact_at: UtcNs | None = None
    exec_id: ExecID | None = None
    symbol: Symbol = Symbol("")


class ExecutionCorrect(msgspec.Struct, frozen=True, gc=False):
    """The broker changed a fill's price or quantity (FIX TradeCorrect). `exec_ref_id` is the fill's id or that of an earlier
    correction of it, `exec_id` this correction's own (IB: the last segment of the execId counts up), None where there is none.
    Without one, the figures and `transact_at` tell a repeat from a new word: an adapter gives the venue's time where it can.
    `symbol` as in ExecutionBust.
    """

    broker: str
    account: AccountID
    trading_day: TradingDay
    exec_ref_id: ExecID
    side: Side
    last_qty: Qty
    last_px: Px
    commission: Amount | None = None
    transact_at: UtcNs | None = None
    exec_id: ExecID | None = None
    symbol: Symbol = Symbol("")


class CancelAck(msgspec.Struct, frozen=True, gc=False):
    """The order is out of the market, asked for or not; fills may still follow.

    `cum_qty` is what the broker counts as filled by then, None where it does not say: then an order that had no answer before
    waits for a look at the books, and an adapter that knows the count says it. `order_id` is the broker's number of the order,
    None where it does not say it: the answer that told it may have been lost, and fills that name it alone are the order's.
    """

    broker: str
    cl_ord_id: ClOrdID
    text: str = ""
    transact_at: UtcNs | None = None
    cum_qty: Qty | None = None
    order_id: OrderID | None = None


class CancelReject(msgspec.Struct, frozen=True, gc=False):
    """The broker refused to cancel; the order stands as it stood."""

    broker: str
    cl_ord_id: ClOrdID
    code: str
    text: str
    transact_at: UtcNs | None = None


class ReplaceAck(msgspec.Struct, frozen=True, gc=False):
    """A replace took effect: from now on these are the order's terms, as the broker has them.

    `number` is that of the request, None where the broker does not say which: then it is the oldest without an answer. A broker
    that was asked for less than had filled says here what it made of it (FIX C.3.c: the quantity filled). A price that it
    does not name is None: it is the one asked for. `order_id` is the order's new number where the venue gives it one. `cum_qty`
    as in CancelAck.
    """

    broker: str
    cl_ord_id: ClOrdID
    order_qty: Qty
    price: Px | None
    stop_px: Px | None = None
    number: int | None = None
    order_id: OrderID | None = None
    cum_qty: Qty | None = None
    transact_at: UtcNs | None = None


class ReplaceReject(msgspec.Struct, frozen=True, gc=False):
    """The broker refused a replace; the order's terms stand as they stood. `number` as in ReplaceAck."""

    broker: str
    cl_ord_id: ClOrdID
    code: str
    text: str
    number: int | None = None
    transact_at: UtcNs | None = None


class OrderRestate(msgspec.Struct, frozen=True, gc=False):
    """The broker changed an order's terms, or says them again, without being asked (FIX ExecType D).

    `leaves_qty` where the broker counts in other units than the fills we know (after a split): what is open as `trading_day`
    begins is worth more than what its quantity says.
    """

    broker: str
    cl_ord_id: ClOrdID
    order_qty: Qty
    price: Px | None
    stop_px: Px | None = None
    text: str = ""
    order_id: OrderID | None = None
    cum_qty: Qty | None = None
    leaves_qty: Qty | None = None
    transact_at: UtcNs | None = None
    trading_day: TradingDay | None = None


class ReplaceOutcome(msgspec.Struct, frozen=True, gc=False):
    """What dispatch knows of the `number`th replace after the wire failed it: `fate` is NOT_SENT or UNKNOWN."""

    broker: str
    cl_ord_id: ClOrdID
    number: int
    fate: str
    text: str


class OrderExpire(msgspec.Struct, frozen=True, gc=False):
    """The order ended by its time in force; `cum_qty` and `order_id` as in CancelAck."""

    broker: str
    cl_ord_id: ClOrdID
    text: str = ""
    transact_at: UtcNs | None = None
    cum_qty: Qty | None = None
    order_id: OrderID | None = None


class SendOutcome(msgspec.Struct, frozen=True, gc=False):
    """What dispatch knows after the wire failed it: `fate` is NOT_SENT or UNKNOWN.

    `begun_at` is the SendBegun it answers, so that a slow failure of one attempt is never taken for that of the next.
    """

    broker: str
    cl_ord_id: ClOrdID
    fate: str
    text: str
    begun_at: UtcNs | None = None


class CancelOutcome(msgspec.Struct, frozen=True, gc=False):
    """A cancel request that did not surely arrive; asking again is harmless."""

    broker: str
    cl_ord_id: ClOrdID
    text: str


class OpenOrder(msgspec.Struct, frozen=True, gc=False):
    """An order as the broker's books show it."""

    account: AccountID
    symbol: Symbol
    side: Side
    order_qty: Qty
    cum_qty: Qty
    ord_status: OrdStatus
    order_id: OrderID
    cl_ord_id: ClOrdID | None = None
    price: Px | None = None
    text: str = ""
    position_effect: PositionEffect = PositionEffect.AUTO
    """AUTO where the broker does not say."""


class HeldPosition(msgspec.Struct, frozen=True, gc=False):
    """A position as the broker's books show it. `long_sellable` is what T+1 allows to be sold today."""

    account: AccountID
    symbol: Symbol
    long_qty: Qty
    short_qty: Qty
    long_sellable: Qty | None = None
    cost: Amount | None = None


class HeldCash(msgspec.Struct, frozen=True, gc=False):
    """Cash as the broker's books show it; `available` excludes what its working orders hold."""

    account: AccountID
    currency: Currency
    balance: Amount
    available: Amount | None = None


class BrokerSnapshot(msgspec.Struct, frozen=True):
    """The broker's books at one moment.

    `orders` are today's orders, closed ones included, when `orders_complete`; otherwise only open ones. Where they reach back
    further, `orders_from` is the first trading day whose orders are all shown. `executions` are all since `executions_since`.
    A part that could not be read is None, which is not the same as empty.

    `as_of` is the broker's time; `asked_at` is ours, from before the books were asked for. Dispatch sets it.
    """

    broker: str
    account: AccountID
    as_of: UtcNs
    orders: tuple[OpenOrder, ...] | None
    executions: tuple[Execution, ...] | None
    positions: tuple[HeldPosition, ...] | None
    cash: tuple[HeldCash, ...] | None
    orders_complete: bool = False
    executions_since: UtcNs | None = None
    trading_day: TradingDay | None = None
    orders_from: TradingDay | None = None
    asked_at: UtcNs | None = None

    @property
    def read_at(self) -> UtcNs:
        """The moment on our clock up to which the books surely show everything, whatever the broker's clock says."""
        return self.as_of if self.asked_at is None else min(self.as_of, self.asked_at)

    @property
    def first_day(self) -> TradingDay | None:
        """The first trading day whose orders are all shown; None where the broker did not say."""
        return self.trading_day if self.orders_from is None else self.orders_from


class BrokerUp(msgspec.Struct, frozen=True, gc=False):
    """The session with the broker is established; nothing may be sent before a snapshot has been compared."""

    broker: str


class BrokerDown(msgspec.Struct, frozen=True, gc=False):
    """The session with the broker is lost."""

    broker: str
    text: str


Report = (
    OrderAck
    | OrderReject
    | Execution
    | ExecutionBust
    | ExecutionCorrect
    | CancelAck
    | CancelReject
    | ReplaceAck
    | ReplaceReject
    | OrderRestate
    | OrderExpire
    | SendOutcome
    | CancelOutcome
    | ReplaceOutcome
    | BrokerSnapshot
    | BrokerUp
    | BrokerDown
)


class Quote(msgspec.Struct, frozen=True, gc=False):
    """The best bid and ask of one instrument, or the state of its bar, at `at`. Sizes are in units; None is unknown.

    `volume` is what traded since the previous quote of the symbol: a bar's volume, or a tick's. `prev_close` lets price limits
    be computed. A quote is volatile: it is never journalled, but what a decision saw of it is.

    `high` and `low`: the highest offer (last where there is none) and the lowest bid of the quotes that this one stands for,
    where several came before it could be looked at; None means its own. Stops are watched by them.
    """

    symbol: Symbol
    at: UtcNs
    bid: Px | None = None
    ask: Px | None = None
    bid_size: Qty | None = None
    ask_size: Qty | None = None
    last: Px | None = None
    volume: Qty | None = None
    prev_close: Px | None = None
    suspended: bool = False
    high: Px | None = None
    low: Px | None = None

    @property
    def mid_or_last(self) -> Decimal | None:
        """The price that values a position: middle of bid and ask, else the last trade, else None."""
        if self.bid is not None and self.ask is not None:
            return (self.bid + self.ask) / TWO
        return self.last if self.last is not None else (self.bid if self.bid is not None else self.ask)
