"""Facts of an order's life: its intent, its way to the broker, what the broker said of it, and how it ended."""

from __future__ import annotations

from tradeloop.core import events as ev
from tradeloop.core.activity import Day
from tradeloop.core.booking import close_order, count_open, freeze, order_of
from tradeloop.core.days import day_of
from tradeloop.core.execution import order_key
from tradeloop.core.instrument import Instrument
from tradeloop.core.order import NO_DAY, Ending, Order
from tradeloop.core.ordered import worth_px
from tradeloop.core.state import State
from tradeloop.core.types import AUTO, LIMIT, MARKET, SECOND_NS, SELL, ZERO, Amount, TimeInForce, TradingDay, UtcNs


def order_staged(state: State, e: ev.OrderStaged) -> None:
    # By position: thirty names cost more than the object.
    order = Order(
        e.cl_ord_id,
        e.broker,
        e.account,
        e.symbol,
        e.side,
        e.order_qty,
        e.ord_type,
        e.price,
        e.stop_px,
        e.tif,
        e.position_effect,
        e.trading_day,
        e.by,
        e.risk_version,
        e.at,
        e.reserve,
        e.arrival_px,
        e.arrival_at,
        e.run_id,
        e.leg,
        e.parent,
        e.request_id,
        e.strategy_id,
        e.cancel_at,
    )
    order.updated_at = e.at
    if e.approved_by:
        order.approved_by = e.approved_by
    traded_at = state.brokers.get(e.broker)
    if e.live or e.confirmed is not None or (traded_at is not None and traded_at.live):  # older facts do not say it themselves
        order.live = True
        if e.confirmed is not None:
            order.shown_px = e.confirmed.px
    if e.halt:
        order.halt = e.halt
        _tried(state, e)
    state.counter += 1
    state.orders.open[e.cl_ord_id] = order
    state.index(order)
    instrument = state.instruments[e.symbol]
    if e.reserve:
        cash = state.cash(e.account, instrument.currency)
        cash.reserved = Amount(cash.reserved + e.reserve)
    if e.side is SELL or e.position_effect is not AUTO or instrument.can_be_short:
        freeze(state, order, instrument)
    else:
        count_open(state, order, instrument, e.order_qty)
    _count(state, order, instrument)
    if e.request_id:
        state.requests[e.request_id] = e.cl_ord_id
    if e.run_id is not None:
        leg = state.runs.live[e.run_id].leg(e.leg)
        leg.cl_ord_id = e.cl_ord_id


def _count(state: State, order: Order, instrument: Instrument) -> None:
    """What the day's limits count of an order: that it was made, and what it was worth as far as was known."""
    px = worth_px(order.side, order.price, order.stop_px, order.arrival_px)
    value = ZERO if px is None else instrument.notional(px, order.order_qty)
    for day in state.activity.days(order.account, order.symbol, order.strategy_id, instrument):
        day.orders += 1
        day.ordered += value
    if state.limits:
        state.lately.ordered(order, state.limits, order.staged_at)


def request_made(state: State, order: Order, at: UtcNs) -> tuple[Day, ...]:
    """Something is asked of the order's broker: the sums that count it."""
    days = state.activity.days(order.account, order.symbol, order.strategy_id, state.instruments[order.symbol])
    for day in days:
        day.messages += 1
    state.activity.requested(order.account, at)
    return days


def _tried(state: State, e: ev.OrderStaged) -> None:
    """A FLATTEN ordered something; what it orders at one moment for one leg is one try."""
    halt = state.halts.get(e.halt)
    if halt is not None:
        place = f"{e.account}|{e.symbol}|{e.side.value}"
        count, last = halt.tries.get(place, (0, None))
        halt.tries[place] = (count if last == e.at else count + 1, e.at)


def order_denied(state: State, e: ev.OrderDenied) -> None:
    state.counter += 1
    if e.run_id is not None:
        leg = state.runs.live[e.run_id].leg(e.leg)
        leg.code, leg.reason, leg.closed = "denied", e.text, True
    if e.request_id:
        state.deny_request(e)


def send_begun(state: State, e: ev.SendBegun) -> None:
    order = state.orders.open[e.cl_ord_id]
    order.send_begun_at = order.updated_at = e.at
    day = day_of(state, NO_DAY, order.symbol) or order.trading_day
    order.sent_on = NO_DAY if day == order.trading_day else day
    if order.stop_px is not None:
        state.index(order)
    request_made(state, order, e.at)


def send_failed(state: State, e: ev.SendFailed) -> None:
    order = state.orders.open.get(e.cl_ord_id)
    if order is not None:
        order.send_begun_at = order.unknown_at = None
        order.send_failures += 1
        order.text, order.updated_at, order.send_failed_at = e.text, e.at, e.at
        state.index(order)


def heard(state: State, order: Order, at: UtcNs) -> bool:
    """The broker has said something that only an order it has can be said of: that is an answer, whatever it speaks of, and
    positive proof where the fate was unknown (docs/adr/0004-three-fates.md). Whether there had been none before.
    """
    if order.unknown_at is not None:
        order.unknown_at = None
        state.index(order)
    if order.acked_at is not None:
        return False
    order.acked_at = at
    return True


def fate_lost(state: State, e: ev.FateLost) -> None:
    order = state.orders.open[e.cl_ord_id]
    if order.acked_at is not None:
        return  # journals of before an announced end or a moved fill counted as an answer doubt it all the same
    order.unknown_at = order.updated_at = e.at
    order.absences, order.absent_from, order.absent_to, order.text = 0, None, None, e.text
    order.absent_from_theirs = None
    state.index(order)


def absence_seen(state: State, e: ev.AbsenceSeen) -> None:
    order = state.orders.open[e.cl_ord_id]
    order.absences += 1
    if order.absent_from is None:
        order.absent_from = e.as_of
    if order.absent_from_theirs is None:
        order.absent_from_theirs = e.broker_at
    order.absent_to = e.as_of


def not_sent_proven(state: State, e: ev.NotSentProven) -> None:
    order = state.orders.open[e.cl_ord_id]
    order.send_begun_at = order.unknown_at = None
    order.updated_at = e.at
    state.index(order)


def order_resolved(state: State, e: ev.OrderResolved) -> None:
    order = state.orders.open[e.cl_ord_id]
    close_order(state, order, e.at, f"resolved as {e.as_} by {e.by}: {e.reason}", "canceled_at")


def order_acknowledged(state: State, e: ev.OrderAcknowledged) -> None:
    order = state.orders.open.get(e.cl_ord_id)
    closed = order is None
    if order is None:
        order = state.orders.get(e.cl_ord_id)
        assert order is not None
    if order.order_id not in (None, e.order_id):
        number_of_day(order, day_of(state, NO_DAY, order.symbol))
    order.order_id, order.acked_at, order.updated_at = e.order_id, e.at, e.at
    numbered(state, order)
    heard(state, order, e.at)
    if closed:
        state.orders.keep(order)


def order_rejected(state: State, e: ev.OrderRejected) -> None:
    order = order_of(state, e.cl_ord_id)
    close_order(state, order, e.at, f"{e.code}: {e.text}" if e.code else e.text, "rejected_at")


def cancel_requested(state: State, e: ev.CancelRequested) -> None:
    order = state.orders.open[e.cl_ord_id]
    instrument = state.instruments[order.symbol]
    days = request_made(state, order, e.at)
    is_repeat = order.cancel_requested_at is not None and e.by != ev.BY_ENGINE
    if is_repeat and not _was_asked_before_today(state, order, instrument):
        return  # whoever asks while an answer is awaited wants the same thing sooner: it must not make the engine more patient
    is_first = order.cancel_asks == 0
    is_quick = is_first and order.send_begun_at is not None and e.at - order.send_begun_at < SECOND_NS
    if not is_repeat:
        order.cancel_asks += 1
        order.cancel_requested_at = order.updated_at = e.at
        order.cancel_unheard = False
    if instrument.counts_killed is False and order.tif in (TimeInForce.IOC, TimeInForce.FOK):
        return
    is_large = is_first and _is_large(order, instrument)
    for day in days:
        day.cancels += 1
        day.quick_cancels += is_quick
        day.large_cancels += is_large


def _was_asked_before_today(state: State, order: Order, instrument: Instrument) -> bool:
    """Whether its last cancel is one of an earlier trading day, whose requests are no longer counted."""
    hours = state.hours.get(instrument.session)
    return hours is not None and order.cancel_requested_at is not None and order.cancel_requested_at < hours.began_at


def _is_large(order: Order, instrument: Instrument) -> bool:
    return instrument.large_cancel_qty is not None and order.leaves_qty >= instrument.large_cancel_qty


def cancel_rejected(state: State, e: ev.CancelRejected) -> None:
    order = order_of(state, e.cl_ord_id)
    order.cancel_requested_at, order.updated_at = None, e.at
    # Who never said that it has the order does not know what it refuses.
    order.cancel_unheard = not order.is_done and (e.code == ev.NOT_DELIVERED or order.acked_at is None)
    if order.is_done:
        state.orders.keep(order)


def order_canceled(state: State, e: ev.OrderCanceled) -> None:
    order = order_of(state, e.cl_ord_id)
    order.given_up = e.given_up
    instrument = state.instruments[order.symbol]
    if instrument.counts_killed and order.tif in (TimeInForce.IOC, TimeInForce.FOK) and not order.cancel_asks:
        _killed(state, order, instrument)
    close_order(state, order, e.at, e.text, "canceled_at")


def _killed(state: State, order: Order, instrument: Instrument) -> None:
    """The venue took back the rest of an order that never rests: a cancel, where the exchange counts it as one."""
    if order.acked_at is None:
        return  # it never left, or never arrived
    is_large = _is_large(order, instrument)
    for day in state.activity.days(order.account, order.symbol, order.strategy_id, instrument):
        day.cancels += 1
        day.large_cancels += is_large


def order_expired(state: State, e: ev.OrderExpired) -> None:
    close_order(state, order_of(state, e.cl_ord_id), e.at, e.text, "expired_at")


def end_announced(state: State, e: ev.EndAnnounced) -> None:
    order = state.orders.open[e.cl_ord_id]
    order.ending, order.updated_at = Ending(e.as_, e.cum_qty, e.text, e.transact_at), e.at
    heard(state, order, e.at)


def order_heard(state: State, e: ev.OrderHeard) -> None:
    order = state.orders.open[e.cl_ord_id]
    order.updated_at = e.at
    heard(state, order, e.at)


def stop_triggered(state: State, e: ev.StopTriggered) -> None:
    order = state.orders.open[e.cl_ord_id]
    order.triggered_at = order.updated_at = e.at
    state.index(order)


def reserve_raised(state: State, e: ev.ReserveRaised) -> None:
    order = state.orders.open[e.cl_ord_id]
    cash = state.cash(order.account, state.instruments[order.symbol].currency)
    cash.reserved = Amount(cash.reserved + e.reserve - order.reserved)
    if e.own is not None:
        order.own_reserve = e.own
    for one, reserve in zip(order.replaces or (), e.asked, strict=bool(e.asked)):
        one.reserve = reserve
    order.reserved, order.updated_at = e.reserve, e.at


def external_order_found(state: State, e: ev.ExternalOrderFound) -> None:
    order = Order(
        cl_ord_id=e.cl_ord_id,
        broker=e.broker,
        account=e.account,
        symbol=e.symbol,
        side=e.side,
        order_qty=e.order_qty,
        ord_type=MARKET if e.price is None else LIMIT,
        price=e.price,
        stop_px=None,
        tif=TimeInForce.DAY,
        position_effect=e.position_effect,
        trading_day=e.trading_day,
        by="external",
        risk_version="",
        staged_at=e.at,
        reserved=e.reserve,
        external=True,
        order_id=e.order_id,
        acked_at=e.at,
        updated_at=e.at,
    )
    state.orders.open[e.cl_ord_id] = order
    state.strangers.add(order)
    numbered(state, order)
    state.index(order)
    instrument = state.instruments[e.symbol]
    if e.reserve:
        cash = state.cash(e.account, instrument.currency)
        cash.reserved = Amount(cash.reserved + e.reserve)
    freeze(state, order, instrument)


def number_of_day(order: Order, day: TradingDay) -> None:
    """The number that it gets now is one of that day: what changes a number that is known tells one of its own time."""
    order.numbered_on = NO_DAY if day == order.day_there else day


def numbered(state: State, order: Order) -> None:
    """The order can be found by the number its venue gave it."""
    assert order.order_id is not None
    key = order_key(order.broker, order.account, order.number_day, order.symbol, order.order_id)
    state.by_order_id[key] = order.cl_ord_id
    state.numbers.count(order, None if order.is_done else order.order_id)
