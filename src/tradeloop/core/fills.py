"""Station 5: what an execution, a bust or a correction makes true.

A duplicate books nothing. A fill for an order we do not know becomes an external order, because the shares are ours whoever
asked. More than was ordered is booked too, and halts the instrument.
"""

from __future__ import annotations

from collections.abc import Generator
from decimal import Decimal

from tradeloop.core.events import (
    Event,
    ExternalOrderFound,
    InstrumentListed,
    Overfilled,
    TradeBusted,
    TradeCorrected,
    Traded,
)
from tradeloop.core.execution import exec_key
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.order import Order
from tradeloop.core.position import realizes
from tradeloop.core.reports import Execution, ExecutionBust, ExecutionCorrect
from tradeloop.core.state import State
from tradeloop.core.types import (
    ZERO,
    AccountID,
    Amount,
    ClOrdID,
    Currency,
    ExecID,
    OrderID,
    PositionEffect,
    Px,
    Qty,
    Side,
    Symbol,
    TradingDay,
    UtcNs,
)

Facts = Generator[Event, None, None]


def on_execution(state: State, x: Execution, now: UtcNs) -> Generator[Event, None, Order | None]:
    """Book one fill; returns the order it belongs to, None when it was known already.

    A fill of an account whose books are not ours yet is left to the first snapshot, which holds it in one form or the other.
    Of an order made elsewhere we may know a part only, so it is never judged overfilled.
    """
    if exec_key(x.broker, x.account, x.trading_day, x.exec_id, x.side) in state.exec_owner:
        return None
    if x.account not in state.accounts:
        return None
    order = find(state, x.broker, x.cl_ord_id, x.order_id)
    if order is None or order.symbol != x.symbol or order.side is not x.side:
        order = yield from adopt_order(
            state,
            x.broker,
            x.account,
            x.order_id,
            x.symbol,
            x.side,
            x.last_qty,
            None,
            x.trading_day,
            now,
            ref=x.exec_id,
            effect=x.position_effect,
        )
    instrument = state.instruments[x.symbol]
    px_qty = x.last_px * x.last_qty
    value = px_qty if instrument.multiplier == 1 else px_qty * instrument.multiplier
    fee = x.commission
    if fee is None:
        fee = fee_of_fill(order, instrument, x.last_qty, value)
    position = state.held(x.account, x.symbol)
    excess = order.cum_qty + x.last_qty - order.order_qty
    yield Traded(
        now,
        order.cl_ord_id,
        x.broker,
        x.account,
        x.trading_day,
        x.exec_id,
        x.symbol,
        x.side,
        x.last_qty,
        x.last_px,
        order.position_effect,
        fee,
        x.commission is not None,
        x.liquidity,
        x.transact_at,
        x.order_id,
        order.run_id,
        realizes(position, x.side, x.last_qty, value, order.position_effect),
    )
    if excess > ZERO and not order.external:
        yield Overfilled(now, order.cl_ord_id, order.symbol, Qty(excess))
    return order


def on_bust(state: State, x: ExecutionBust, now: UtcNs) -> Generator[Event, None, Order | None]:
    """Take a booked fill back; one that was never booked, or is back already, changes nothing."""
    order = _booked_on(state, x.broker, x.account, x.trading_day, x.exec_ref_id, x.side)
    key = exec_key(x.broker, x.account, x.trading_day, x.exec_ref_id, x.side)
    if order is None or order.execs is None or order.execs[key].busted:
        return None
    yield TradeBusted(now, order.cl_ord_id, x.broker, x.account, x.trading_day, x.exec_ref_id, x.side)
    return state.orders.get(order.cl_ord_id)


def on_correct(state: State, x: ExecutionCorrect, now: UtcNs) -> Generator[Event, None, Order | None]:
    """Give a booked fill its new figures; the same figures again change nothing."""
    order = _booked_on(state, x.broker, x.account, x.trading_day, x.exec_ref_id, x.side)
    if order is None or order.execs is None:
        return None
    known = order.execs[exec_key(x.broker, x.account, x.trading_day, x.exec_ref_id, x.side)]
    fee = known.fee if x.commission is None else x.commission
    if not known.busted and (known.qty, known.px, known.fee) == (x.last_qty, x.last_px, fee):
        return None
    yield TradeCorrected(
        now, order.cl_ord_id, x.broker, x.account, x.trading_day, x.exec_ref_id, x.side, x.last_qty, x.last_px, fee
    )
    order = state.orders.get(order.cl_ord_id)
    assert order is not None
    excess = order.cum_qty - order.order_qty
    if excess > ZERO and not order.external:
        yield Overfilled(now, order.cl_ord_id, order.symbol, Qty(excess))
    return order


def find(state: State, broker: str, cl_ord_id: ClOrdID | None, order_id: OrderID | None) -> Order | None:
    """The order a report speaks of: by our id, else by the broker's."""
    if cl_ord_id is not None:
        order = state.orders.open.get(cl_ord_id) or state.orders.get(cl_ord_id)
        if order is not None:
            return order
    if order_id is not None:
        owner = state.by_order_id.get(f"{broker}|{order_id}")
        if owner is not None:
            return state.orders.get(owner)
    return None


def adopt_order(
    state: State,
    broker: str,
    account: AccountID,
    order_id: OrderID | None,
    symbol: Symbol,
    side: Side,
    qty: Qty,
    price: Px | None,
    trading_day: TradingDay,
    now: UtcNs,
    *,
    ref: str = "",
    effect: PositionEffect = PositionEffect.AUTO,
) -> Generator[Event, None, Order]:
    """An order somebody else made at the broker becomes ours to count; its id derives from the broker's, so it
    is adopted once.
    """
    their_id = order_id if order_id is not None else OrderID(f"exec-{ref}")
    cl_ord_id = ClOrdID(f"x-{broker}-{their_id}-{side.value[0].lower()}")
    known = state.orders.get(cl_ord_id)
    if known is not None:
        return known
    if symbol not in state.instruments:
        yield InstrumentListed(now, unresolved(state, account, symbol))
    yield ExternalOrderFound(now, cl_ord_id, broker, account, their_id, symbol, side, qty, price, trading_day, effect)
    return state.orders.open[cl_ord_id]


def fee_of_fill(order: Order, instrument: Instrument, qty: Decimal, value: Decimal) -> Amount:
    """What our dated schedule says a fill cost.

    A minimum holds per order, not per fill: the fee of everything filled so far, less what earlier fills were charged.
    """
    total_qty = order.cum_qty + qty
    total = value if not order.cum_qty else order.cum_value * instrument.multiplier + value
    close_today = order.position_effect is PositionEffect.CLOSE_TODAY
    fee = instrument.fees.fee(order.side, total_qty, total, close_today=close_today)
    return Amount(max(fee - order.fees, ZERO))


def _booked_on(
    state: State, broker: str, account: AccountID, trading_day: TradingDay, exec_id: ExecID, side: Side
) -> Order | None:
    owner = state.exec_owner.get(exec_key(broker, account, trading_day, exec_id, side))
    return state.orders.get(owner) if owner else None


def unresolved(state: State, account: AccountID, symbol: Symbol) -> Instrument:
    """An instrument no rule resolves, met in a fill: counted one for one in the account's first currency, and it takes no
    orders
    because it has no trading hours."""
    books = state.accounts[account].cash if account in state.accounts else {}
    currency = next(iter(books), Currency("XXX"))
    one = Decimal(1)
    return Instrument(
        symbol=symbol,
        asset_class=AssetClass.STOCK,
        currency=currency,
        tick=Decimal("0.000000000001"),
        lot=one,
        min_qty=one,
        market="UNRESOLVED",
        board="UNRESOLVED",
    )
