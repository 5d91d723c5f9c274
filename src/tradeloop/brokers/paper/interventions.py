"""What happens at a broker without the engine asking: fills taken back or corrected, orders typed in its app, its own
cancels, money and shares that come or go.

Each is a step on the books like any other, so that afterwards the books are right and the engine has something to find
out.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tradeloop.brokers.paper.changes import refusal
from tradeloop.brokers.paper.ledger import charge, closable
from tradeloop.brokers.paper.market import IMMEDIATE, Market
from tradeloop.brokers.paper.matching import Matching
from tradeloop.brokers.paper.rebooking import rebook
from tradeloop.brokers.paper.records import PaperChange, PaperOrder
from tradeloop.brokers.paper.words import MEANING, Code
from tradeloop.core.errors import BadInput, Refused
from tradeloop.core.instrument import Instrument
from tradeloop.core.reports import Execution, ExecutionBust, ExecutionCorrect, OrderRestate
from tradeloop.core.types import (
    ZERO,
    Amount,
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
    UtcNs,
)


def bust(matching: Matching, exec_id: ExecID, now: UtcNs) -> None:
    """Take a fill back: position, cash and fee return, and an order that was filled works again."""
    execution, instrument, order = _find(matching, exec_id)
    books = matching.books
    rebook(books, instrument, execution, None)
    books.touch_execution(execution, busted=True)
    matching.out.append(ExecutionBust(books.broker, books.account, execution.trading_day, exec_id, execution.side, now))
    if order is not None:
        _uncharge(order, instrument, execution)
        order.cum_qty -= execution.last_qty
        _settle(matching, order, now)
    _follow(matching, execution.symbol, now)


def correct(matching: Matching, exec_id: ExecID, qty: Qty, px: Px, now: UtcNs) -> None:
    """Change a fill's quantity and price, as if it had always been so; the order's quantity may be passed."""
    if qty <= ZERO or px <= ZERO:
        raise BadInput(f"correction of {exec_id} was {qty:f} at {px:f}; expected a positive quantity and price")
    execution, instrument, order = _find(matching, exec_id)
    books = matching.books
    corrected = msgspec.structs.replace(execution, last_qty=qty, last_px=px)
    from_today = rebook(books, instrument, execution, corrected)
    cash = books.cash_of(instrument.currency)
    if order is None:
        fee = Decimal(instrument.fees.grown(execution.side, qty, instrument.notional(px, qty), (ZERO, ZERO)))
    else:
        _uncharge(order, instrument, execution)
        fee = charge(order, instrument, qty, px, from_today)
        order.cum_qty += qty - execution.last_qty
    cash.balance -= fee
    books.touch_execution(msgspec.structs.replace(corrected, commission=Amount(fee)))
    books.touch_cash(cash)
    matching.out.append(
        ExecutionCorrect(books.broker, books.account, execution.trading_day, exec_id, execution.side, qty, px, Amount(fee), now)
    )
    if order is not None:
        _settle(matching, order, now)
    _follow(matching, execution.symbol, now)


def act_by_hand(
    matching: Matching,
    symbol: Symbol,
    side: Side,
    qty: Qty,
    now: UtcNs,
    *,
    price: Px | None = None,
    filled_at: Px | None = None,
    position_effect: PositionEffect = PositionEffect.AUTO,
) -> OrderID:
    """Type an order into the broker's app: limit with `price`, else market. `filled_at` fills it at once at that price.

    It passes the broker's checks and carries no client id. Raises Refused with the reject code.
    """
    order = matching.place(
        cl_ord_id=None,
        account=matching.books.account,
        symbol=symbol,
        side=side,
        order_qty=qty,
        now=now,
        ord_type=OrdType.MARKET if price is None else OrdType.LIMIT,
        price=price,
        tif=TimeInForce.DAY,
        position_effect=position_effect,
    )
    if order.ord_status is OrdStatus.REJECTED:
        raise Refused(order.code, order.text)
    if filled_at is not None and order.leaves_qty:
        matching.fill(order, order.leaves_qty, filled_at, now)
    return order.order_id


def cancel_unasked(matching: Matching, order_id: OrderID, text: str, now: UtcNs) -> None:
    """The broker takes an order out of the market by itself. Raises Refused when it is unknown or closed."""
    order = matching.books.orders.get(order_id)
    if order is None:
        raise Refused(Code.UNKNOWN_ORDER.value, MEANING[Code.UNKNOWN_ORDER])
    if not order.is_working:
        raise Refused(Code.TOO_LATE_TO_CANCEL.value, MEANING[Code.TOO_LATE_TO_CANCEL])
    matching.close(order, OrdStatus.CANCELED, text, now)


def fill(matching: Matching, order_id: OrderID, qty: Qty, px: Px, now: UtcNs) -> None:
    """Let a working order trade at a price, also more than is left of it. Raises Refused when it is unknown or closed."""
    if qty <= ZERO or px <= ZERO:
        raise BadInput(f"a fill of {order_id} was {qty:f} at {px:f}; expected a positive quantity and price")
    order = matching.books.orders.get(order_id)
    if order is None or not order.is_working:
        raise Refused(Code.UNKNOWN_ORDER.value, MEANING[Code.UNKNOWN_ORDER])
    matching.fill(order, qty, px, now)


def restate(matching: Matching, order_id: OrderID, qty: Qty, price: Px | None, text: str, now: UtcNs) -> None:
    """The broker gives a working order other terms by itself (FIX 4.4 vol. 7, appendix D, E.1.c and E.1.d).

    Raises Refused as a replace would be refused.
    """
    books = matching.books
    order = books.orders.get(order_id)
    if order is None:
        raise Refused(Code.UNKNOWN_ORDER.value, MEANING[Code.UNKNOWN_ORDER])
    market = matching.market(order.symbol)
    assert market is not None
    change = PaperChange(0, qty, price, now)
    refused = refusal(order, change, market, books, now)
    if refused is not None:
        raise Refused(refused[0].value, refused[1])
    matching.changes.apply(
        order,
        change,
        now,
        lambda: OrderRestate(
            books.broker,
            ClOrdID(order.cl_ord_id or ""),
            order.order_qty,
            order.price,
            None,
            text,
            None,
            Qty(order.cum_qty),
            None,
            now,
        ),
    )


def transfer(matching: Matching, subject: str, delta: Decimal) -> None:
    """Money of a currency, or shares of a listed symbol, come or go without an order and without a report: interest, a fee, a
    dividend, a transfer. Shares that come bring no cost, those that go take their part of it.

    Raises BadInput where more was to go than nobody has promised.
    """
    books = matching.books
    market = matching.market(Symbol(subject))
    if market is None:
        cash = books.cash_of(Currency(subject))
        if cash.available + delta < ZERO:
            raise BadInput(f"{-delta:f} {subject} were to go; expected at most {cash.available:f}, which is available")
        cash.balance += delta
        books.touch_cash(cash)
        return
    position = books.position(Symbol(subject))
    free = position.long_yesterday - market.frozen(Side.SELL)
    if free + delta < ZERO:
        raise BadInput(f"{-delta:f} {subject} were to go; expected at most {free:f}, which are settled and free")
    if position.short_qty:
        raise BadInput(
            f"{subject} was to be held long; expected a position that is not short, was {position.short_qty:f} short"
        )
    if delta < ZERO:
        position.long_cost = position.long_cost * (position.long_qty + delta) / position.long_qty
    position.long_yesterday += delta
    books.touch_position(position)
    day = books.day_of(market.instrument)
    if day is not None:
        books.open_position(position.symbol, day.trading_day, anew=True)


def find(matching: Matching, exec_id: ExecID) -> Execution:
    """The execution with this id. Raises BadInput when no such fill counts."""
    return _find(matching, exec_id)[0]


def _find(matching: Matching, exec_id: ExecID) -> tuple[Execution, Instrument, PaperOrder | None]:
    execution = matching.books.execution(exec_id)
    if execution is None:
        raise BadInput(f"execution was {exec_id!r}; expected the id of a fill that still counts")
    instrument = matching.books.instruments[execution.symbol]
    order = None if execution.order_id is None else matching.books.orders.get(execution.order_id)
    return execution, instrument, order


def _uncharge(order: PaperOrder, instrument: Instrument, execution: Execution) -> None:
    """Forget what the fill added to the order's fees; the close-today part is given back first."""
    if not instrument.fees.lines:
        return
    from_today = min(order.fee_today_qty, execution.last_qty)
    rest = execution.last_qty - from_today
    order.fee_today_qty -= from_today
    order.fee_today_notional -= instrument.notional(execution.last_px, from_today)
    order.fee_qty -= rest
    order.fee_notional -= instrument.notional(execution.last_px, rest)
    order.fee_charged -= execution.commission or ZERO


def _settle(matching: Matching, order: PaperOrder, now: UtcNs) -> None:
    market = matching.market(order.symbol)
    if market is None:
        return
    if order.cum_qty < order.order_qty and order.ord_status is OrdStatus.FILLED:
        _reopen(matching, market, order, now)
        return
    if order.is_working:
        if order.cum_qty >= order.order_qty:
            order.ord_status = OrdStatus.FILLED
        else:
            order.ord_status = OrdStatus.PARTIALLY_FILLED if order.cum_qty else OrdStatus.NEW
    matching.settle(market, order, matching.books.cash_of(market.instrument.currency))


def _follow(matching: Matching, symbol: Symbol, now: UtcNs) -> None:
    market = matching.market(symbol)
    if market is not None:
        matching.holding.follow(market, now)
        matching.holding.cancel_unpaid(market, now)


def _reopen(matching: Matching, market: Market, order: PaperOrder, now: UtcNs) -> None:
    """An order that was filled and lost a fill works again, behind those that rest already (FIX 4.4 vol. 7, D.J.1)."""
    books = matching.books
    order.ord_status = OrdStatus.PARTIALLY_FILLED if order.cum_qty else OrdStatus.NEW
    day = books.day_of(market.instrument)
    if order.tif is TimeInForce.DAY and (day is None or day.trading_day != order.trading_day or day.is_over(now)):
        matching.close(order, OrdStatus.EXPIRED, f"trading day {order.trading_day} ended", now)
        return
    free = closable(books.position(order.symbol), market.instrument, order.side, order.position_effect)
    order.close_leaves = max(ZERO, min(order.leaves_qty, free - market.frozen(order.side)))
    market.freeze(order.side, order.close_leaves)
    matching.settle(market, order, books.cash_of(market.instrument.currency))
    if order.tif in IMMEDIATE:
        matching.end_immediate(order, now)
    else:
        market.rest(order)
