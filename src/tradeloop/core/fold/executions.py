"""Facts of trade: fills, busts and corrections. Only these move quantities; they are legal in every state of an order."""

from __future__ import annotations

import msgspec

from tradeloop.core import events as ev
from tradeloop.core.booking import (
    book_fill,
    book_fill_before,
    count_fill,
    order_of,
    rebook,
    recharge,
    unbook_fill,
    uncount_fill,
)
from tradeloop.core.execution import Exec, exec_key, word_of
from tradeloop.core.fold.orders import heard, number_of_day, numbered
from tradeloop.core.lately import SELF_TRADES
from tradeloop.core.order import Order
from tradeloop.core.position import Position, closed_by
from tradeloop.core.rebooking import insert, note, reopen
from tradeloop.core.state import Early, State
from tradeloop.core.types import BUY, SELL, Qty, UtcNs


def traded(state: State, e: ev.Traded) -> None:
    cl_ord_id = e.cl_ord_id
    order = state.orders.open.get(cl_ord_id)
    if order is None:
        order = order_of(state, cl_ord_id)
    key = exec_key(e.broker, e.account, e.trading_day, e.exec_id, e.side)
    execution = Exec(cl_ord_id, e.last_qty, e.last_px, e.fee, e.position_effect, fee_by_broker=e.fee_by_broker)
    if state.early:
        early = state.early.pop(key, None)
        if early is not None:
            execution.told, execution.told_at = early.told, early.told_at
    state.execs.keep(key, execution)
    theirs = state.strangers.fills(cl_ord_id) if order.external else None
    if theirs is not None:
        theirs.append(key)
    happened = e.transact_at
    if happened is None:
        happened = UtcNs(0) if order.external else order.staged_at
    state.recent.add(e.account, e.trading_day, key, (happened, e.at))
    if e.by_books and e.transact_at is not None:
        state.ids.shown(e.account, e.trading_day, e.transact_at, key)
    if e.by_number and e.order_id is not None:
        state.ids.came(e.account, e.trading_day, key, e.order_id)
    order.told_qty = Qty(order.told_qty + e.last_qty)
    if heard(state, order, e.at) and e.order_id is not None:
        if order.order_id is None:
            number_of_day(order, e.trading_day)
        order.order_id = e.order_id
        numbered(state, order)
    position = state.position(e.account, e.symbol)
    realized = position.realized
    _count(state, order, e, position)
    if e.rebooked is None:
        note(state, e.account, e.symbol, key, e.transact_at, e.at)
        book_fill(state, order, e.at, e.trading_day, e.side, e.last_qty, e.last_px, e.fee, e.position_effect)
    else:
        assert e.transact_at is not None
        insert(state, e.account, e.symbol, key, e.transact_at, e.at)
        book_fill_before(state, order, e, execution, e.rebooked)
    now = position.realized
    if realized is not None and now is not None and now < realized:
        state.lately.losses[e.account, e.symbol] = e.at


def _count(state: State, order: Order, e: ev.Traded, position: Position) -> None:
    """What the day's limits count of a trade, beside the position that it meets; one of another day is no trade of this one."""
    instrument = state.instruments[e.symbol]
    hours = state.hours.get(instrument.session)
    if hours is not None and hours.trading_day != e.trading_day:
        return
    value = instrument.notional(e.last_px, e.last_qty)
    with_ourselves = SELF_TRADES in state.limits.rules and _is_with_ourselves(state, e)
    opened = e.last_qty - closed_by(position, e.side, e.last_qty, e.position_effect)
    for day in state.activity.days(e.account, e.symbol, order.strategy_id, instrument):
        day.trades += 1
        day.traded += value
        day.self_trades += with_ourselves
        day.opened += opened
    state.lately.traded(order, instrument.currency, value, e.last_qty, state.limits, e.at)


def _is_with_ourselves(state: State, e: ev.Traded) -> bool:
    """Whether both sides of a trade are ours: an exchange gives them one number and one price."""
    other = SELL if e.side is BUY else BUY
    for account, its in state.accounts.items():
        if its.broker == e.broker:
            twin = state.execs.get(exec_key(e.broker, account, e.trading_day, e.exec_id, other))
            if twin is not None and twin.px == e.last_px:
                order = state.orders.get(twin.cl_ord_id)
                if order is not None and order.symbol == e.symbol:
                    return True
    return False


def trade_busted(state: State, e: ev.TradeBusted) -> None:
    key = exec_key(e.broker, e.account, e.trading_day, e.exec_id, e.side)
    if not e.cl_ord_id:
        known = state.early.get(key) or Early(busted=True)
        told, told_at = _told(known, e)
        state.early[key] = Early(busted=True, own_id=e.by_exec_id, told=told, told_at=told_at)
        return
    was = state.execs.get(key)
    assert was is not None
    order = order_of(state, e.cl_ord_id)
    told, told_at = _told(was, e)
    now = Exec(was.cl_ord_id, was.qty, was.px, was.fee, was.effect, True, told, told_at, was.fee_by_broker)
    state.execs.keep(key, now)
    if e.rebooked is None:
        unbook_fill(state, order, e.at, e.trading_day, e.side, was)
        state.pages.pop((order.account, order.symbol), None)
    else:
        rebook(state, order, e.at, e.side, was, now, e.rebooked)
        uncount_fill(state, order, e.at, was)
        reopen(state, order.account, order.symbol, key)


def trade_corrected(state: State, e: ev.TradeCorrected) -> None:
    key = exec_key(e.broker, e.account, e.trading_day, e.exec_id, e.side)
    behind: tuple[str, ...] = ()
    if e.by_exec_id is not None:
        own = exec_key(e.broker, e.account, e.trading_day, e.by_exec_id, e.side)
        if own not in state.execs:
            state.execs.name(own, key)
        if e.cl_ord_id and own in state.early:
            behind = state.early.pop(own).told
    if not e.cl_ord_id:
        known = state.early.get(key) or Early(busted=False)
        told, told_at = _told(known, e)
        fee = e.fee if e.fee_by_broker else None
        state.early[key] = Early(False, e.last_qty, e.last_px, fee, e.by_exec_id, told, told_at)
        return
    was = state.execs.get(key)
    assert was is not None
    order = order_of(state, e.cl_ord_id)
    told, told_at = _told(was, e)
    by_broker = e.fee_by_broker or was.fee_by_broker
    now = Exec(was.cl_ord_id, e.last_qty, e.last_px, e.fee, was.effect, False, (*told, *behind), told_at, by_broker)
    state.execs.keep(key, now)
    if e.rebooked is None:
        if not was.busted:
            unbook_fill(state, order, e.at, e.trading_day, e.side, was)
            order = order_of(state, e.cl_ord_id)
        book_fill(state, order, e.at, e.trading_day, e.side, e.last_qty, e.last_px, e.fee, was.effect)
        state.pages.pop((order.account, order.symbol), None)
        return
    rebook(state, order, e.at, e.side, was, now, e.rebooked)
    if not was.busted:
        uncount_fill(state, order, e.at, was)
        order = order_of(state, e.cl_ord_id)
    count_fill(state, order, state.instruments[order.symbol], e.at, e.last_qty, e.last_px * e.last_qty, e.fee)
    reopen(state, order.account, order.symbol, key)


def _told(known: Exec | Early, e: ev.TradeBusted | ev.TradeCorrected) -> tuple[tuple[str, ...], UtcNs | None]:
    """What the fill has been told by now, and the time of the newest word."""
    if isinstance(e, ev.TradeBusted):
        word = word_of(e.by_exec_id, e.transact_at)
    else:
        word = word_of(e.by_exec_id, e.transact_at, e.last_qty, e.last_px, e.fee if e.fee_by_broker else None)
    told = known.told if word in known.told else (*known.told, word)
    if isinstance(e, ev.TradeBusted):
        return told, e.transact_at  # without a time it may be newer than any word that comes
    return told, known.told_at if e.transact_at is None else e.transact_at


def trade_moved(state: State, e: ev.TradeMoved) -> None:
    key = exec_key(e.broker, e.account, e.trading_day, e.exec_id, e.side)
    was = state.execs.get(key)
    assert was is not None
    now = msgspec.structs.replace(was, cl_ord_id=e.cl_ord_id, effect=e.position_effect)
    state.execs.keep(key, now)
    theirs, found = state.strangers.fills(e.from_cl_ord_id), state.strangers.fills(e.cl_ord_id)
    if theirs is not None and key in theirs:
        theirs.remove(key)
    if found is not None:
        found.append(key)
    left = order_of(state, e.from_cl_ord_id)
    left.told_qty = Qty(left.told_qty - was.qty)
    state.orders.keep(left)
    if not was.busted:
        uncount_fill(state, left, e.at, was)
    order = order_of(state, e.cl_ord_id)
    order.told_qty = Qty(order.told_qty + was.qty)
    heard(state, order, e.at)
    if e.rebooked is not None:
        rebook(state, order, e.at, e.side, was, now, e.rebooked)
        reopen(state, order.account, order.symbol, key)
    if not was.busted:
        count_fill(state, order, state.instruments[order.symbol], e.at, was.qty, was.px * was.qty, was.fee)
    state.orders.keep(order)


def trade_never_came(state: State, e: ev.TradeNeverCame) -> None:
    state.early.pop(exec_key(e.broker, e.account, e.trading_day, e.exec_id, e.side), None)


def exec_id_joined(state: State, e: ev.ExecIDJoined) -> None:
    again = exec_key(e.broker, e.account, e.secondary_day, e.secondary_exec_id, e.side)
    root = exec_key(e.broker, e.account, e.trading_day, e.exec_id, e.side)
    state.execs.name(again, root)
    state.ids.joined(e.account, e.secondary_day, again, root)
    state.early.pop(again, None)


def exec_id_parted(state: State, e: ev.ExecIDParted) -> None:
    again = exec_key(e.broker, e.account, e.secondary_day, e.secondary_exec_id, e.side)
    state.execs.forget(again)
    state.ids.parted(e.account, e.secondary_day, again)


def fee_changed(state: State, e: ev.FeeChanged) -> None:
    key = exec_key(e.broker, e.account, e.trading_day, e.exec_id, e.side)
    execution = state.execs.get(key)
    assert execution is not None
    more = e.fee - execution.fee
    execution.fee = e.fee
    state.execs.keep(key, execution)
    recharge(state, order_of(state, e.cl_ord_id), e.at, more)


def fee_distrusted(state: State, e: ev.FeeDistrusted) -> None:
    """A doubt is recorded and changes nothing; what was charged is in the fill."""


def overfilled(state: State, e: ev.Overfilled) -> None:
    state.halted[e.symbol] = f"order {e.cl_ord_id} was overfilled by {e.excess:f}"


def symbol_released(state: State, e: ev.SymbolReleased) -> None:
    state.halted.pop(e.symbol, None)
