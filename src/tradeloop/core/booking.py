"""What several facts do alike: a fill into order, position and cash, its reversal, and the end of an order.

Called by core/fold alone. A fill moves four things in one step: the order's quantities, the position, the cash, and what
the order had promised of cash and shares. A reversal moves them back: to what they would be without the fill where that was
decided (`Rebooked`), else by the opposite trade.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tradeloop.core.cash import flow_of, margin_of
from tradeloop.core.events import Traded
from tradeloop.core.execution import Exec
from tradeloop.core.instrument import Instrument
from tradeloop.core.order import Order
from tradeloop.core.position import Rebooked, become, book, is_past
from tradeloop.core.promises import drawn_qty, effect_of_reversal, frozen_anew, released_by_fill, reserved_by_reversal
from tradeloop.core.state import State
from tradeloop.core.types import AUTO, BUY, ONE, SELL, ZERO, Amount, ClOrdID, PositionEffect, Px, Qty, Side, TradingDay, UtcNs


def book_fill(
    state: State,
    order: Order,
    at: UtcNs,
    trading_day: TradingDay,
    side: Side,
    qty: Qty,
    px: Px,
    fee: Amount,
    effect: PositionEffect | None = None,
) -> None:
    """One fill into order, position and cash. `effect`: where the fill's is known to be another than its order's."""
    instrument = state.instruments[order.symbol]
    px_qty = px * qty
    value = px_qty if instrument.multiplier == ONE else px_qty * instrument.multiplier
    position = state.position(order.account, order.symbol)
    margin = margin_of(position, instrument)
    effect = order.position_effect if effect is None else effect
    drawn = px * drawn_qty(position, side, qty, effect) if order.reserved else ZERO
    realized = book(position, side, qty, value, effect, past=_past(state, instrument, trading_day))
    position.fees = Amount(position.fees + fee)
    position.updated_at = at
    state.exposure.moved((order.account, order.symbol))
    cash = state.cash(order.account, instrument.currency)
    flow = flow_of(instrument, side, value, realized) - fee
    cash.balance = Amount(cash.balance + flow)
    cash.updated_at = at
    held = margin_of(position, instrument)
    if held != margin:
        cash.margin = Amount(cash.margin + held - margin)
    count_fill(state, order, instrument, at, qty, px_qty, fee, drawn)


def book_fill_before(state: State, order: Order, e: Traded, fill: Exec, to: Rebooked) -> None:
    """One fill into order, position and cash, which happened before others that are booked already: position and cash as they
    were decided to be then. What it draws on the order's reserve is what it opened as the books stood when it came.
    """
    instrument = state.instruments[order.symbol]
    px_qty = e.last_px * e.last_qty
    position = state.position(order.account, order.symbol)
    drawn = e.last_px * drawn_qty(position, e.side, e.last_qty, fill.effect) if order.reserved else ZERO
    never = msgspec.structs.replace(fill, busted=True)
    rebook(state, order, e.at, e.side, never, fill, to)
    count_fill(state, order, instrument, e.at, e.last_qty, px_qty, e.fee, drawn)


def _past(state: State, instrument: Instrument, trading_day: TradingDay) -> bool:
    hours = state.hours.get(instrument.session)
    return hours is not None and is_past(trading_day, hours.trading_day)


def count_fill(
    state: State,
    order: Order,
    instrument: Instrument,
    at: UtcNs,
    qty: Qty,
    px_qty: Decimal,
    fee: Amount,
    drawn: Decimal | None = None,
) -> None:
    """One fill into its order alone: its quantities, and what it has promised. `drawn`: price times the quantity that draws on
    the reserve, where that is less than all.
    """
    order.cum_qty = Qty(order.cum_qty + qty)
    order.cum_value += px_qty
    order.fees = Amount(order.fees + fee)
    order.updated_at = order.traded_at = at
    done = order.is_done
    if order.reserved:
        value = (px_qty if drawn is None else drawn) * instrument.multiplier
        release = released_by_fill(order, instrument, value, fee)
        order.reserved = Amount(order.reserved - release)
        cash = state.cash(order.account, instrument.currency)
        cash.reserved = Amount(cash.reserved - release)
        if order.replaces:
            _use_up(order, release)
    if order.side is SELL or order.position_effect is not AUTO or instrument.can_be_short:
        freeze(state, order, instrument)
    else:
        count_open(state, order, instrument, Qty(ZERO) if done else order.exposed_qty)
    if done:
        state.index(order)
        state.orders.keep(order)
        _leg_closed(state, order)


def _use_up(order: Order, amount: Decimal) -> None:
    """A fill counts once under whichever terms turn out to be in force."""
    assert order.replaces is not None
    order.own_reserve = Amount(max(order.own_reserve - amount, ZERO))
    for asked in order.replaces:
        asked.reserve = Amount(max(asked.reserve - amount, ZERO))


def unbook_fill(state: State, order: Order, at: UtcNs, trading_day: TradingDay, side: Side, execution: Exec) -> None:
    """Reverse one fill by the opposite trade at the same price: exact in quantity and in what was paid."""
    instrument = state.instruments[order.symbol]
    value = execution.px * execution.qty * instrument.multiplier
    back = SELL if side is BUY else BUY
    effect = effect_of_reversal(execution.effect)
    position = state.position(order.account, order.symbol)
    margin = margin_of(position, instrument)
    past = _past(state, instrument, trading_day)
    realized = book(position, back, execution.qty, value, effect, of_today=True, past=past)
    position.fees = Amount(position.fees - execution.fee)
    position.updated_at = at
    cash = state.cash(order.account, instrument.currency)
    cash.balance = Amount(cash.balance + flow_of(instrument, back, value, realized) + execution.fee)
    cash.updated_at = at
    cash.margin = Amount(cash.margin + margin_of(position, instrument) - margin)
    state.exposure.moved((order.account, order.symbol))
    uncount_fill(state, order, at, execution)


def uncount_fill(state: State, order: Order, at: UtcNs, execution: Exec) -> None:
    """One fill out of its order alone; what is left to trade again is promised again."""
    instrument = state.instruments[order.symbol]
    px_qty = execution.px * execution.qty
    order.cum_qty = Qty(order.cum_qty - execution.qty)
    order.cum_value -= px_qty
    order.fees = Amount(order.fees - execution.fee)
    order.updated_at = order.traded_at = at
    done = order.is_done
    again = reserved_by_reversal(order, instrument, px_qty * instrument.multiplier, execution.fee)
    if again:
        cash = state.cash(order.account, instrument.currency)
        order.reserved = Amount(order.reserved + again)
        cash.reserved = Amount(cash.reserved + again)
        if order.replaces:
            _use_up(order, -again)
    freeze(state, order, instrument)
    state.index(order)
    state.orders.keep(order)
    if not done and order.run_id is not None:
        _leg_reopened(state, order)


def rebook(state: State, order: Order, at: UtcNs, side: Side, was: Exec, now: Exec, to: Rebooked) -> None:
    """Position and cash as they were decided to be when `was` had been `now`; the order is counted apart."""
    instrument = state.instruments[order.symbol]
    position = state.position(order.account, order.symbol)
    cash = state.cash(order.account, instrument.currency)
    margin = margin_of(position, instrument)
    more = become(position, to)
    fee = (ZERO if now.busted else now.fee) - (ZERO if was.busted else was.fee)
    value = (ZERO if now.busted else now.px * now.qty) - (ZERO if was.busted else was.px * was.qty)
    flow = flow_of(instrument, side, value * instrument.multiplier, more)
    position.fees = Amount(position.fees + fee)
    cash.balance = Amount(cash.balance + flow - fee)
    cash.margin = Amount(cash.margin + margin_of(position, instrument) - margin)
    position.updated_at = cash.updated_at = at
    state.exposure.moved((order.account, order.symbol))


def recharge(state: State, order: Order, at: UtcNs, more: Decimal) -> None:
    """A fill of the order has cost so much more."""
    instrument = state.instruments[order.symbol]
    position = state.position(order.account, order.symbol)
    cash = state.cash(order.account, instrument.currency)
    order.fees = Amount(order.fees + more)
    position.fees = Amount(position.fees + more)
    cash.balance = Amount(cash.balance - more)
    order.updated_at = position.updated_at = cash.updated_at = at
    if order.is_done:
        state.orders.keep(order)


def order_of(state: State, cl_ord_id: ClOrdID) -> Order:
    order = state.orders.get(cl_ord_id)
    assert order is not None, f"event about order {cl_ord_id}, which no event made"
    return order


def close_order(state: State, order: Order, at: UtcNs, text: str, how: str) -> None:
    """The order leaves the market: its promise of cash and shares ends, its fills stay."""
    setattr(order, how, at)
    order.text, order.updated_at, order.cancel_requested_at, order.unknown_at = text, at, None, None
    order.replaces = order.ending = None
    order.cancel_unheard = False
    instrument = state.instruments[order.symbol]
    if order.reserved:
        cash = state.cash(order.account, instrument.currency)
        cash.reserved = Amount(cash.reserved - order.reserved)
        order.reserved = Amount(ZERO)
    freeze(state, order, instrument)
    state.index(order)
    state.orders.keep(order)
    _leg_closed(state, order)


def settle_terms(state: State, order: Order, at: UtcNs, reserve: Amount) -> None:
    """The order's terms, or those asked for, have changed: what is promised to it follows, and where it belongs."""
    order.updated_at = at
    if reserve != order.reserved:
        cash = state.cash(order.account, state.instruments[order.symbol].currency)
        cash.reserved = Amount(cash.reserved + reserve - order.reserved)
        order.reserved = reserve
    freeze(state, order, state.instruments[order.symbol])
    state.index(order)
    state.orders.keep(order)
    if order.is_done:
        _leg_closed(state, order)
    elif order.run_id is not None:
        _leg_reopened(state, order)


def _leg_closed(state: State, order: Order) -> None:
    if order.run_id is not None:
        run = state.runs.live.get(order.run_id)
        if run is None:
            return  # a run ends when each leg that has an order is closed
        leg = run.leg(order.leg)
        if leg.cl_ord_id == order.cl_ord_id:
            leg.closed = True


def _leg_reopened(state: State, order: Order) -> None:
    """A run that still goes on waits for the order again; of one that has ended core/follow.py says so."""
    assert order.run_id is not None
    run = state.runs.live.get(order.run_id)
    leg = None if run is None else run.leg(order.leg)
    if leg is not None and leg.cl_ord_id == order.cl_ord_id:
        leg.closed = False


def count_open(state: State, order: Order, instrument: Instrument, qty: Qty) -> None:
    """That an order may still trade `qty`, and at what price, counts anew."""
    state.exposure.count(order, qty)
    if state.exposure.own.is_kept:
        state.exposure.own.count(order, instrument, qty)


def freeze(state: State, order: Order, instrument: Instrument) -> None:
    """What a working order will close is promised to it; while a replace waits, as much as the larger quantity leaves."""
    state.offers.count(order, instrument)
    count_open(state, order, instrument, order.exposed_qty)
    delta = frozen_anew(order, instrument)
    if not delta:
        return
    order.frozen = order.exposed_qty
    position = state.position(order.account, order.symbol)
    if order.side is SELL:
        position.long_frozen = Qty(position.long_frozen + delta)
    else:
        position.short_frozen = Qty(position.short_frozen + delta)
