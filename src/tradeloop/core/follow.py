"""What the world must now do about a fact: (state, surroundings, event) -> effects. Acted upon only after the fact is durable.

`after_restart` gives a new process the effects that its predecessor still owed, so that a restart forgets no time-out and
no question.
"""

# size: one function for each fact, beside the table that names it; whoever asks what a fact leads to reads both.

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from tradeloop.core import events as ev
from tradeloop.core.breaks import FILL_TWICE
from tradeloop.core.cash import margin_of
from tradeloop.core.decide import (
    ACK_TIMEOUT,
    CANCEL_AGAIN,
    ORDER_TIMEOUT,
    OVERDUE,
    PROBE,
    RECONCILE,
    REPLACE_TIMEOUT,
    RESEND,
    UNREADY,
)
from tradeloop.core.effects import Effect, RaiseAlert, SendCancel, SendOrder, SendReplace, SetTimer, TakeSnapshot
from tradeloop.core.execution import exec_key
from tradeloop.core.inputs import TimerFired
from tradeloop.core.instrument import Instrument
from tradeloop.core.limiting import LIMIT_ENDS
from tradeloop.core.order import Order
from tradeloop.core.pacing import PACE, cancel_request, replace_request
from tradeloop.core.quiet import next_look, woken
from tradeloop.core.relisting import too_dear
from tradeloop.core.risk.judging import FAILED, UNKNOWN
from tradeloop.core.risk.limit_changes import Changes
from tradeloop.core.risk.pipeline import approved, approved_change
from tradeloop.core.room import ROOM, key_of, subject
from tradeloop.core.run.ending import end_in_words
from tradeloop.core.run.sending import WAITS
from tradeloop.core.staging import again_at, no_cancels_until
from tradeloop.core.state import State
from tradeloop.core.stopping import HALT_WORK, out_of_reach
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.taken_back import is_inside
from tradeloop.core.tripping import LOOK_NS, RISK_LOOK, looks
from tradeloop.core.types import SECOND_NS, AccountID, ClOrdID, RunStatus, TradingDay, UtcNs

_NOTHING: Final[tuple[Effect, ...]] = ()
_ASKS_BEFORE_ALERT: Final = 4
_DOUBLINGS_MAX: Final = 5
_SOON_NS: Final = 10 * SECOND_NS
_ASKS_SOON: Final = 12
"""A cancel that may never have left, at a wire that takes nothing for a moment, is not put off for long; but each ask may be a
message of the day after all, so that this ends.
"""
_ALERT_AT_LEAST_EVERY_NS: Final = 3600 * SECOND_NS
_AT_ONCE: Final = UtcNs(0)


def follow(state: State, around: Surroundings, event: ev.Event) -> tuple[Effect, ...]:
    """The effects of one fact, given the state it led to."""
    rule = _FOLLOW.get(type(event))
    effects = _NOTHING if rule is None else rule(state, around, event)
    return (*effects, *woken(state, around, event)) if around.quiet else effects


def on_timer(state: State, around: Surroundings, timer: TimerFired, now: UtcNs) -> tuple[Effect, ...]:
    """Timers that ask the world instead of deciding something."""
    if timer.kind == RECONCILE:
        broker, _, account = timer.subject.partition("|")
        link = state.links.get(broker)
        if link is None or not link.connected:
            return _NOTHING
        return (
            TakeSnapshot(broker, AccountID(account), "periodic", now),
            SetTimer(UtcNs(now + around.policy.reconcile_every_ns), RECONCILE, timer.subject),
        )
    if timer.kind == PROBE:
        order = state.orders.open.get(ClOrdID(timer.subject))
        if order is None:
            return _NOTHING
        if order.unknown_at is not None or order.is_uncounted:
            return _probe(state, around, order, now)
        return _probe_terms(around, order, now)
    if timer.kind == REPLACE_TIMEOUT:
        order = state.orders.open.get(ClOrdID(timer.subject))
        return _NOTHING if order is None else _doubt_in_time(around, order)
    if timer.kind == OVERDUE:
        cl_ord_id, _, lost_at = timer.subject.partition("|")
        order = state.orders.open.get(ClOrdID(cl_ord_id))
        if order is None or order.unknown_at is None or str(order.unknown_at) != lost_at:
            return _NOTHING
        return _overdue(state, around, order, order.unknown_at, now)
    if timer.kind == UNREADY:
        broker, _, since = timer.subject.partition("|")
        link = state.links.get(broker)
        if link is None or not link.connected or str(link.since) != since:
            return _NOTHING
        if link.ready and not _missing(state, around, broker):
            return _NOTHING
        return _look_again(state, around, broker, link.since, now)
    if timer.kind == RISK_LOOK and looks(state):
        return (SetTimer(UtcNs(now + LOOK_NS), RISK_LOOK, ""),)
    if timer.kind == HALT_WORK and int(timer.subject) in state.halts:
        return (next_look(state, around, int(timer.subject), now),)
    return _NOTHING


def settle(around: Surroundings, effects: Sequence[Effect], now: UtcNs) -> tuple[Effect, ...]:
    """After each input: its cancels and changes of orders take their room at brokers that have a rate, and what waits for its
    turn is woken in time.
    """
    paces = around.paces
    for effect in effects:
        if isinstance(effect, SendCancel) and (pace := paces.get(effect.broker)) is not None:
            pace.owe(cancel_request(effect.cl_ord_id))
        elif isinstance(effect, SendReplace):
            change = effect.change.order
            if (pace := paces.get(change.broker)) is not None:
                pace.owe(replace_request(change.cl_ord_id, change.number))
    return tuple(
        SetTimer(pace.order_at(now), PACE, broker) for broker, pace in paces.items() if pace.waiting and not pace.is_owing
    )


def _probe(state: State, around: Surroundings, order: Order, now: UtcNs) -> tuple[Effect, ...]:
    """Ask about an order of unknown fate, or one that ended with an unknown quantity: all the time while it may show at any
    moment, rarely once its day is over. Where looks prove nothing, each waits as long as they have proved nothing: what spoils
    the proof does so for ever, and a look costs the broker and the loop that decides.
    """
    seldom, often = around.policy.reconcile_every_ns, around.policy.probe_every_ns
    since = order.updated_at if order.unknown_at is None else max(order.unknown_at, order.absent_to or 0)
    wait = seldom if _is_over(order, _day_of(state, order)) else min(max(now - since, often), seldom)
    return (
        TakeSnapshot(order.broker, order.account, f"probe {order.cl_ord_id}", now),
        SetTimer(UtcNs(now + wait), PROBE, order.cl_ord_id),
    )


def _overdue(state: State, around: Surroundings, order: Order, lost_at: UtcNs, now: UtcNs) -> tuple[Effect, ...]:
    """A person hears of a fate that stays unknown; again each time that it has lasted twice as long, and hourly at last."""
    age = now - lost_at
    text = f"the fate of order {order.cl_ord_id} ({order.symbol}) has been unknown for {age // SECOND_NS} s: {order.text}"
    today = _day_of(state, order)
    if _is_over(order, today):
        text += f"; it is of trading day {order.day_there}, and books of {today} need not show it"
    elif not order.absences:
        # What the last looks showed is not known here; each that counted would have been one.
        text += (
            "; no look at the books has proved anything: they could not be read or do not reach back to it, or an order or a "
            "fill without an id in them may be this one"
        )
    text += (
        f"; ask the broker, then `tradeloop orders resolve {order.cl_ord_id} --as NOT_SENT|CANCELED --reason …`; a fill that "
        "comes later is booked all the same"
    )
    wait = min(max(age, around.policy.probe_every_ns), _ALERT_AT_LEAST_EVERY_NS)
    again = SetTimer(UtcNs(now + wait), OVERDUE, f"{order.cl_ord_id}|{lost_at}")
    return (RaiseAlert("CRITICAL", f"unknown:{order.cl_ord_id}", text), again)


def _first_alert(around: Surroundings, order: Order, lost_at: UtcNs) -> SetTimer:
    return SetTimer(UtcNs(lost_at + around.policy.unknown_alert_ns), OVERDUE, f"{order.cl_ord_id}|{lost_at}")


def _is_over(order: Order, today: TradingDay | None) -> bool:
    return today is not None and order.day_there != today


def _probe_terms(around: Surroundings, order: Order, now: UtcNs) -> tuple[Effect, ...]:
    """Ask the broker's books under which terms an order works while a replace of unknown fate waits."""
    lost = [asked for asked in order.replaces or () if asked.unknown_at is not None]
    if not lost:
        return _NOTHING
    effects: tuple[Effect, ...] = (
        TakeSnapshot(order.broker, order.account, f"terms of {order.cl_ord_id}", now),
        SetTimer(UtcNs(now + around.policy.probe_every_ns), PROBE, order.cl_ord_id),
    )
    age = now - (lost[0].unknown_at or now)
    if age >= around.policy.unknown_alert_ns:
        text = (
            f"whether replace {lost[0].number} of order {order.cl_ord_id} ({order.symbol}) took effect has been unknown for "
            f"{age // SECOND_NS} s; cash and shares stay promised for both, ask the broker or cancel the order"
        )
        effects += (RaiseAlert("CRITICAL", f"replace:{order.cl_ord_id}", text),)
    return effects


def _day_of(state: State, order: Order) -> TradingDay | None:
    instrument = state.instruments.get(order.symbol)
    hours = None if instrument is None else state.hours.get(instrument.session)
    return None if hours is None else hours.trading_day


def _look_again(state: State, around: Surroundings, broker: str, since: UtcNs, now: UtcNs) -> tuple[Effect, ...]:
    """The look after the connect did not make the broker READY: ask for another, each time waiting as long as it has lasted."""
    age = now - since
    missing = _missing(state, around, broker)
    wait = min(max(age, around.policy.probe_every_ns), around.policy.reconcile_every_ns)
    effects: tuple[Effect, ...] = (
        *_look(state, broker, "not ready", now, missing),
        SetTimer(UtcNs(now + wait), UNREADY, f"{broker}|{since}"),
    )
    if age >= around.policy.unknown_alert_ns:
        link = state.links.get(broker)
        whose = f" of account {', '.join(missing)}" if link is not None and link.ready else ""
        text = (
            f"the session with {broker} has been up for {age // SECOND_NS} s and its books{whose} could not be compared: they, "
            f"or a part of them, could not be read; nothing{whose} is sent to it until they are"
        )
        effects += (RaiseAlert("WARNING", f"not_ready:{broker}", text),)
    return effects


def after_restart(state: State, around: Surroundings) -> tuple[Effect, ...]:
    """Everything that was still to be done when the last process ended; asking about orders waits for the connect."""
    effects: list[Effect] = []
    for order in state.orders.open.values():
        if order.cancel_at is not None:
            effects.append(SetTimer(order.cancel_at, ORDER_TIMEOUT, order.cl_ord_id))
        if order.cancel_asks:
            asked_at = order.cancel_requested_at or order.updated_at
            effects.append(SetTimer(UtcNs(asked_at + _patience(around, order)), CANCEL_AGAIN, order.cl_ord_id))
        again = None if order.may_be_at_broker else again_at(around, order)
        if again is not None:
            effects.append(SetTimer(again, RESEND, order.cl_ord_id))
        if order.replaces or order.is_uncounted:
            effects.append(SetTimer(UtcNs(order.updated_at + around.policy.probe_every_ns), PROBE, order.cl_ord_id))
        if order.unknown_at is not None:
            effects.append(SetTimer(UtcNs(order.unknown_at + around.policy.probe_every_ns), PROBE, order.cl_ord_id))
            effects.append(_first_alert(around, order, order.unknown_at))
    for halt in state.halts.values():
        if halt.tier.cancels:
            effects.append(SetTimer(UtcNs(halt.at + around.policy.probe_every_ns), HALT_WORK, str(halt.number)))
    for limit_id, limit in state.limits.by_person.items():
        if limit.until is not None:
            effects.append(SetTimer(limit.until, LIMIT_ENDS, limit_id))
    effects.extend(_look_at_risk(state, state.started_at))
    return tuple(effects)


def _send_begun(state: State, around: Surroundings, e: ev.SendBegun) -> tuple[Effect, ...]:
    order = state.orders.open[e.cl_ord_id]
    return (
        SendOrder(approved(order), UtcNs(e.at + around.policy.send_within_ns), e.at),
        SetTimer(UtcNs(e.at + around.policy.ack_timeout_ns), ACK_TIMEOUT, e.cl_ord_id),
    )


def _order_staged(state: State, around: Surroundings, e: ev.OrderStaged) -> tuple[Effect, ...]:
    return _NOTHING if e.cancel_at is None else (SetTimer(e.cancel_at, ORDER_TIMEOUT, e.cl_ord_id),)


def _send_failed(state: State, around: Surroundings, e: ev.SendFailed) -> tuple[Effect, ...]:
    order = state.orders.open[e.cl_ord_id]
    again = again_at(around, order)
    if again is None:
        return _NOTHING  # it is given up in the same decision, and `_order_canceled` tells a person
    return (SetTimer(again, RESEND, e.cl_ord_id),)


def _cancel_requested(state: State, around: Surroundings, e: ev.CancelRequested) -> tuple[Effect, ...]:
    """Ask the broker, and look after a while whether it helped; a person hears of an order that will not go."""
    order = state.orders.open[e.cl_ord_id]
    effects: tuple[Effect, ...] = _ask_cancel(around, order, e.at)
    if order.cancel_asks >= _ASKS_BEFORE_ALERT and order.cancel_requested_at == e.at:  # no repeat by somebody who waits
        text = f"order {e.cl_ord_id} ({order.symbol}) is still open after {order.cancel_asks} cancels; ask the broker"
        effects += (RaiseAlert("CRITICAL", f"cancel:{e.cl_ord_id}", text),)
    return effects


def _replace_requested(state: State, around: Surroundings, e: ev.ReplaceRequested) -> tuple[Effect, ...]:
    """Hand it over, once; one for an order that has not left is settled here, in the same decision."""
    order = state.orders.open[e.cl_ord_id]
    if not order.may_be_at_broker:
        return _NOTHING
    change = approved_change(order, e.number, holds_stops=around.brokers[order.broker].holds_stops)
    return SendReplace(change, UtcNs(e.at + around.policy.send_within_ns)), *_doubt_in_time(around, order)


def _doubt_in_time(around: Surroundings, order: Order) -> tuple[SetTimer, ...]:
    """When the oldest change that has no answer is to be doubted, if no answer comes: newer ones do not put that off."""
    for asked in order.replaces or ():
        if asked.unknown_at is None:
            due = UtcNs(asked.asked_at + around.policy.ack_timeout_ns)
            return (SetTimer(due, REPLACE_TIMEOUT, order.cl_ord_id),)
    return ()


def _replace_fate_lost(state: State, around: Surroundings, e: ev.ReplaceFateLost) -> tuple[Effect, ...]:
    order = state.orders.open[e.cl_ord_id]
    text = f"whether replace {e.number} of order {e.cl_ord_id} ({order.symbol}) took effect is unknown: {e.text}"
    return (
        RaiseAlert("WARNING", f"replace:{e.cl_ord_id}", text),
        SetTimer(UtcNs(e.at + around.policy.probe_every_ns), PROBE, e.cl_ord_id),
    )


def _order_restated(state: State, around: Surroundings, e: ev.OrderRestated) -> tuple[Effect, ...]:
    """A person hears that the broker changed an order: nobody here asked."""
    where = "" if e.price is None else f" at {e.price:f}"
    text = f"the broker changed order {e.cl_ord_id} to {e.order_qty:f}{where} without being asked" + (
        f": {e.text}" if e.text else ""
    )
    return (RaiseAlert("WARNING", f"restated:{e.cl_ord_id}", text),)


def _ask_cancel(around: Surroundings, order: Order, asked_at: UtcNs, soonest: UtcNs = _AT_ONCE) -> tuple[SendCancel, SetTimer]:
    """The engine's own next ask comes no later for a repeat by somebody else, or for a new session: by its asks a person hears
    that nothing helps.
    """
    send = SendCancel(order.broker, order.account, order.cl_ord_id, order.order_id, order.symbol)
    due = max((order.cancel_requested_at or asked_at) + _patience(around, order), soonest)
    return send, SetTimer(UtcNs(due), CANCEL_AGAIN, order.cl_ord_id)


def _patience(around: Surroundings, order: Order) -> int:
    """How long a cancel may take to help: the time a broker has to answer an order, doubled with every time it was asked."""
    return around.policy.ack_timeout_ns << min(max(order.cancel_asks - 1, 0), _DOUBLINGS_MAX)


def _order_canceled(state: State, around: Surroundings, e: ev.OrderCanceled) -> tuple[Effect, ...]:
    """An order given up before it left is told to a person: it may have been the stop that protected something. So is a stop
    that ended in the market, and nobody asked for that.
    """
    if not e.given_up:
        return _NOTHING if e.by_us else _stop_ended(state, e.cl_ord_id)
    order = state.orders.get(e.cl_ord_id)
    assert order is not None
    level = "CRITICAL" if order.stop_px is not None else "WARNING"
    return (RaiseAlert(level, f"never_sent:{e.cl_ord_id}", f"order {e.cl_ord_id} ({order.symbol}) was {e.text}"),)


def _order_rejected(state: State, around: Surroundings, e: ev.OrderRejected) -> tuple[Effect, ...]:
    """A refused stop protects nothing, and whoever asked for it may have gone long ago."""
    return _stop_ended(state, e.cl_ord_id)


def _stop_ended(state: State, cl_ord_id: ClOrdID) -> tuple[Effect, ...]:
    order = state.orders.get(cl_ord_id)
    if order is None or order.stop_px is None:
        return _NOTHING
    text = (
        f"stop {cl_ord_id} ({order.symbol}) ended with {order.cum_qty:f} of {order.order_qty:f} traded, and nobody here asked "
        f"for that: {order.text or 'no reason was given'}; what it protected is open"
    )
    return (RaiseAlert("CRITICAL", f"stop_ended:{cl_ord_id}", text),)


def _cancel_rejected(state: State, around: Surroundings, e: ev.CancelRejected) -> tuple[Effect, ...]:
    """Look again whether the order has to go (core/decide.py), whatever the broker's reason was: not before the exchange takes
    cancels again.
    """
    order = state.orders.open.get(e.cl_ord_id)
    if order is None:
        return _NOTHING
    until = no_cancels_until(state, order.symbol, e.at)
    if until is None:
        waits = _patience(around, order)
        if e.code == ev.NOT_DELIVERED and order.cancel_asks <= _ASKS_SOON:
            waits = min(waits, max(around.policy.ack_timeout_ns, _SOON_NS))
        until = UtcNs(e.at + waits)
    return (SetTimer(until, CANCEL_AGAIN, e.cl_ord_id),)


def _fate_lost(state: State, around: Surroundings, e: ev.FateLost) -> tuple[Effect, ...]:
    order = state.orders.open[e.cl_ord_id]
    return (
        RaiseAlert(
            "WARNING", f"unknown:{e.cl_ord_id}", f"the fate of order {e.cl_ord_id} ({order.symbol}) is unknown: {e.text}"
        ),
        SetTimer(UtcNs(e.at + around.policy.probe_every_ns), PROBE, e.cl_ord_id),
        _first_alert(around, order, e.at),
    )


def _end_announced(state: State, around: Surroundings, e: ev.EndAnnounced) -> tuple[Effect, ...]:
    """With how much traded the order has ended, only the broker's books say."""
    order = state.orders.open[e.cl_ord_id]
    return _probe(state, around, order, e.at) if order.is_uncounted else _NOTHING


def _broker_connected(state: State, around: Surroundings, e: ev.BrokerConnected) -> tuple[Effect, ...]:
    first = SetTimer(UtcNs(e.at + around.policy.probe_every_ns), UNREADY, f"{e.broker}|{e.at}")
    gone = [account for account in state.not_compared(e.broker) if not around.serves(e.broker, account)]
    told = tuple(
        RaiseAlert(
            "WARNING",
            f"no_adapter:{e.broker}|{account}",
            f"account {account} of {e.broker} stands in the journal, and no configured broker shows it: nothing of it is"
            " compared, cancelled or closed, and nothing waits for it; configure it again to reach it",
        )
        for account in gone
    )
    return (*_look(state, e.broker, "connected", e.at, _missing(state, around, e.broker)), first, *told)


def _missing(state: State, around: Surroundings, broker: str) -> list[AccountID]:
    """The accounts whose books have not been compared, and can be."""
    return [account for account in state.not_compared(broker) if around.serves(broker, account)]


def _look(state: State, broker: str, why: str, now: UtcNs, accounts: list[AccountID]) -> tuple[Effect, ...]:
    return tuple(TakeSnapshot(broker, account, why, now) for account in accounts) or (
        TakeSnapshot(broker, AccountID(""), why, now),
    )


def _broker_ready(state: State, around: Surroundings, e: ev.BrokerReady) -> tuple[Effect, ...]:
    """Look again in a while, and ask again for the cancels that a lost session or a restart left without an answer, or of which
    only the wire said that they may not have arrived: it is another session now.
    """
    cancels = tuple(
        effect
        for order in state.orders.open.values()
        if order.broker == e.broker and order.account == e.account and order.is_wanted_out
        for effect in _ask_cancel(around, order, e.at, UtcNs(e.at + around.policy.ack_timeout_ns))
    )
    again = SetTimer(UtcNs(e.at + around.policy.reconcile_every_ns), RECONCILE, f"{e.broker}|{e.account}")
    return (*cancels, again)


def _broker_disconnected(state: State, around: Surroundings, e: ev.BrokerDisconnected) -> tuple[Effect, ...]:
    return (RaiseAlert("WARNING", f"down:{e.broker}", f"the session with {e.broker} is down: {e.text}"),)


def _overfilled(state: State, around: Surroundings, e: ev.Overfilled) -> tuple[Effect, ...]:
    text = f"order {e.cl_ord_id} was overfilled by {e.excess:f} {e.symbol}; the position has it, {e.symbol} is halted here"
    return (RaiseAlert("CRITICAL", f"overfill:{e.cl_ord_id}", text),)


def _listed(state: State, around: Surroundings, e: ev.InstrumentListed) -> tuple[Effect, ...]:
    """A person hears of an account that cannot bear what its positions hold by the rules of now."""
    held = (account for account in state.positions if margin_of(state.held(account, e.instrument.symbol), e.instrument))
    return tuple(effect for account in held for effect in _short_of_cash(state, account, e.instrument))


def _reserve_raised(state: State, around: Surroundings, e: ev.ReserveRaised) -> tuple[Effect, ...]:
    order = state.orders.open[e.cl_ord_id]
    return _short_of_cash(state, order.account, state.instruments[order.symbol], order)


def _short_of_cash(state: State, account: AccountID, instrument: Instrument, order: Order | None = None) -> tuple[Effect, ...]:
    text = too_dear(state, account, instrument, order)
    return (RaiseAlert("WARNING", f"short_of_cash:{account}:{instrument.currency}", text),) if text else _NOTHING


def _listing_refused(state: State, around: Surroundings, e: ev.ListingRefused) -> tuple[Effect, ...]:
    return (RaiseAlert("WARNING", f"listing:{e.symbol}", e.text),)


def _fee_distrusted(state: State, around: Surroundings, e: ev.FeeDistrusted) -> tuple[Effect, ...]:
    text = (
        f"{e.broker} named a commission of {e.commission:f} for fill {e.exec_id} of order {e.cl_ord_id} ({e.symbol}), which "
        f"cannot be true of it; the fill is booked, charged with {e.charged}: ask the broker, then compare the cash"
    )
    return (RaiseAlert("WARNING", f"fee:{e.broker}:{e.account}:{e.trading_day}:{e.exec_id}:{e.side.value}", text),)


def _trade_busted(state: State, around: Surroundings, e: ev.TradeBusted) -> tuple[Effect, ...]:
    return _taken_back(state, e, "took back")


def _trade_corrected(state: State, around: Surroundings, e: ev.TradeCorrected) -> tuple[Effect, ...]:
    return _taken_back(state, e, "corrected")


def _taken_back(state: State, e: ev.TradeBusted | ev.TradeCorrected, did: str) -> tuple[Effect, ...]:
    """A person hears of it; an order that works again because of it is watched again, also where its run has ended."""
    fill = f"{e.exec_id} ({e.side.value}, {e.trading_day})"
    key = f"taken_back:{e.broker}:{e.account}:{e.trading_day}:{e.exec_id}:{e.side.value}"
    if not e.cl_ord_id:
        text = f"{e.broker} {did} fill {fill} of {e.account}, which has not come yet"
        if is_inside(state, exec_key(e.broker, e.account, e.trading_day, e.exec_id, e.side)):
            text = (
                f"{e.broker} {did} fill {fill} of {e.account}, which was inside its books when they became ours: the next look "
                "shows by how much they differ, accept its figures then"
            )
        return (RaiseAlert("WARNING", key, text),)
    text = f"{e.broker} {did} fill {fill} of order {e.cl_ord_id}"
    order = state.orders.open.get(e.cl_ord_id)
    if order is None:
        return (RaiseAlert("WARNING", key, text),)
    text += f", which has {order.leaves_qty:f} {order.symbol} left to trade"
    level = "WARNING"
    run = state.runs[order.run_id] if order.run_id is not None else None
    if run is not None and run.finished_at is not None:
        level, text = "CRITICAL", f"{text}; run {order.run_id} has ended and does not wait for it: watch it or cancel it"
    alert = RaiseAlert(level, key, text)
    if order.cancel_at is None:
        return (alert,)
    return (alert, SetTimer(UtcNs(max(order.cancel_at, e.at)), ORDER_TIMEOUT, e.cl_ord_id))


def _trade_moved(state: State, around: Surroundings, e: ev.TradeMoved) -> tuple[Effect, ...]:
    """That a stranger's fill is ours is no news to a person. That one of our orders had the fill of another is: it has more to
    trade than it seemed, and is watched again.
    """
    was = state.orders.get(e.from_cl_ord_id)
    assert was is not None
    if was.external or e.busted:
        return _NOTHING
    text = (
        f"fill {e.exec_id} ({e.side.value}, {e.trading_day}) is of order {e.cl_ord_id} by the books of {e.broker}, and was "
        f"booked on order {e.from_cl_ord_id}"
    )
    text += f", which has {was.leaves_qty:f} {was.symbol} left to trade" if not was.is_done else ""
    key = f"moved:{e.broker}:{e.account}:{e.trading_day}:{e.exec_id}:{e.side.value}"
    alert = RaiseAlert("WARNING", key, f"{text}: their acknowledgements were mixed up")
    if was.is_done or was.cancel_at is None:
        return (alert,)
    return (alert, SetTimer(UtcNs(max(was.cancel_at, e.at)), ORDER_TIMEOUT, was.cl_ord_id))


def _break_found(state: State, around: Surroundings, e: ev.BreakFound) -> tuple[Effect, ...]:
    text = f"{e.kind} {e.subject} of {e.account} at {e.broker}: ours {e.ours}, theirs {e.theirs}"
    alert = RaiseAlert("WARNING", f"break:{e.break_id}", text)
    return (alert,) if e.kind != FILL_TWICE else (alert, TakeSnapshot(e.broker, e.account, f"{e.kind} {e.subject}", e.at))


def _line_resized(state: State, around: Surroundings, e: ev.LineResized) -> tuple[Effect, ...]:
    if e.code != WAITS:
        return _NOTHING
    return (RaiseAlert("WARNING", f"waits:{e.run_id}:{e.leg}", f"line {e.leg} of run {e.run_id} is held back: {e.reason}"),)


def _halted(state: State, around: Surroundings, e: ev.Halted) -> tuple[Effect, ...]:
    """A person hears of it; what it has to do is looked after until it is released."""
    halt = state.halts[e.number]
    alert = RaiseAlert("CRITICAL", f"halt:{e.number}", f"{halt.where} is halted, {halt.said}; `{halt.release}` ends it")
    if not e.tier.cancels:
        return (alert,)
    return alert, SetTimer(UtcNs(e.at + around.policy.probe_every_ns), HALT_WORK, str(e.number))


def _limits_configured(state: State, around: Surroundings, e: ev.LimitsConfigured) -> tuple[Effect, ...]:
    """What ended or has more room now is a warning, also where a start took it and nobody was asked."""
    news = Changes(e.ended, e.looser, e.tighter)
    are = "1 limit of risk is in force" if len(e.limits) == 1 else f"{len(e.limits)} limits of risk are in force"
    text = f"{are if e.limits else 'no limit of risk is in force'} from {e.origin or 'a command'}"
    text += "" if e.limits else " any more"
    agreed = f", approved by {e.approved_by}" if e.approved_by else ""
    why = f": {e.reason}" if e.reason else ""
    text += f", by {e.by}{agreed}{why}" if e.by else ""
    alert = RaiseAlert("WARNING" if news.loosens else "INFO", "limits", f"{text}{news.sentence}")
    return alert, *_look_at_risk(state, e.at)


def _look_at_risk(state: State, now: UtcNs) -> tuple[SetTimer, ...]:
    """Whatever may trip by itself is looked at from now on; one timer for all, however often it is set."""
    return (SetTimer(UtcNs(now + LOOK_NS), RISK_LOOK, ""),) if looks(state) else ()


def _limit_set(state: State, around: Surroundings, e: ev.LimitSet) -> tuple[Effect, ...]:
    limit = e.limit
    assert limit.until is not None
    agreed = f", approved by {e.approved_by}" if e.approved_by else ""
    is_now = f"set for {', '.join(limit.only)}" if limit.only and not limit.value else f"{limit.value:f}"
    text = f"limit {limit.rule} of {limit.where} is {is_now} for a time, by {limit.by}{agreed}: {limit.reason}"
    ends = SetTimer(limit.until, LIMIT_ENDS, limit.limit_id)
    return RaiseAlert("WARNING", f"limit:{limit.limit_id}", text), ends, *_look_at_risk(state, e.at)


def _limit_ended(state: State, around: Surroundings, e: ev.LimitEnded) -> tuple[Effect, ...]:
    rule, scope, name, *_ = e.limit_id.split("|")
    where = f"{scope} {name}".strip()
    return (RaiseAlert("INFO", f"limit:{e.limit_id}", f"limit {rule} of {where} is what it was before: {e.reason} ({e.by})"),)


def _limit_passed(state: State, around: Surroundings, e: ev.LimitPassed) -> tuple[Effect, ...]:
    """A person hears of a warning; what stands in shadow is recorded and told to nobody."""
    if e.shadow:
        return _NOTHING
    text = f"order {e.cl_ord_id} went beyond {e.rule} of {e.scope}: at most {e.limit}, was {e.was}, and it adds {e.this_order}"
    return (RaiseAlert("WARNING", f"limit_passed:{e.rule}:{e.scope}", text),)


def _limit_tripped(state: State, around: Surroundings, e: ev.LimitTripped) -> tuple[Effect, ...]:
    """The halt that follows tells of itself; in shadow nothing follows, and a person hears what would have. Where the place
    cannot be measured nothing is halted.
    """
    if e.was.startswith(UNKNOWN):
        limit = state.limits.in_force[e.limit_id]
        then = "nothing is refused for that" if e.shadow or limit.allow_missing else "until it is, only what closes goes there"
        text = f"limit {e.rule} of {limit.where} (at most {e.limit}) cannot be measured, {e.was}; {then}; start its feed"
        return (RaiseAlert("INFO" if e.shadow else "CRITICAL", f"tripped:{e.limit_id}:{e.what}", text),)
    if not e.shadow:
        return _NOTHING
    if e.was.startswith(FAILED):
        return (
            RaiseAlert("CRITICAL", f"rule:{e.rule}", f"limit {e.rule}, in shadow, could not be measured ({e.was}); report it"),
        )
    text = f"limit {e.rule} would have halted {e.what}: it is {e.was}, at most {e.limit}"
    return (RaiseAlert("INFO", f"tripped:{e.limit_id}:{e.what}", text),)


def _order_denied(state: State, around: Surroundings, e: ev.OrderDenied | ev.LateOrderDenied) -> tuple[Effect, ...]:
    """A denial is the answer to whoever asked; a rule that failed is everybody's business."""
    return (RaiseAlert("CRITICAL", f"rule:{e.rule}", e.text),) if e.was == FAILED else _NOTHING


def _order_throttled(state: State, around: Surroundings, e: ev.OrderThrottled) -> tuple[Effect, ...]:
    order = state.orders.open[e.cl_ord_id]
    if not around.room.is_first(state, order):
        return _NOTHING  # whoever is before it wakes it
    return (SetTimer(e.until, ROOM, subject(key_of(state, order))),)


def _halt_released(state: State, around: Surroundings, e: ev.HaltReleased) -> tuple[Effect, ...]:
    return (RaiseAlert("WARNING", f"released:{e.number}", f"halt {e.number} was released by {e.by}: {e.reason}"),)


def _halt_checked(state: State, around: Surroundings, e: ev.HaltChecked) -> tuple[Effect, ...]:
    halt = state.halts[e.number]
    left = f": {'; '.join(e.held)}" if e.held else ""
    if e.done:
        # What cannot be reached may trade on, and nothing here will ever take it out.
        level = "CRITICAL" if out_of_reach(state, around, halt) else "WARNING"
        return (RaiseAlert(level, f"halt_done:{e.number}", f"halt {e.number} ({halt.tier.value}): {e.text}{left}"),)
    if e.at - halt.at < around.policy.unknown_alert_ns:
        return _NOTHING
    text = f"halt {e.number} ({halt.tier.value} of {halt.where}) is not at its end: {e.text}{left}"
    text += "; it goes on trying, ask the broker"
    return (RaiseAlert("CRITICAL", f"halt_open:{e.number}", text),)


def _run_ended(state: State, around: Surroundings, e: ev.RunEnded) -> tuple[Effect, ...]:
    if e.status is RunStatus.FAILED or e.todo:
        return (RaiseAlert("WARNING", f"run:{e.run_id}", end_in_words(e)),)
    return _NOTHING


_FOLLOW: Final[dict[type, Callable[[State, Surroundings, Any], tuple[Effect, ...]]]] = {
    ev.SendBegun: _send_begun,
    ev.OrderStaged: _order_staged,
    ev.SendFailed: _send_failed,
    ev.CancelRequested: _cancel_requested,
    ev.OrderCanceled: _order_canceled,
    ev.OrderRejected: _order_rejected,
    ev.CancelRejected: _cancel_rejected,
    ev.FateLost: _fate_lost,
    ev.EndAnnounced: _end_announced,
    ev.ReplaceRequested: _replace_requested,
    ev.ReplaceFateLost: _replace_fate_lost,
    ev.OrderRestated: _order_restated,
    ev.BrokerConnected: _broker_connected,
    ev.BrokerReady: _broker_ready,
    ev.BrokerDisconnected: _broker_disconnected,
    ev.Overfilled: _overfilled,
    ev.FeeDistrusted: _fee_distrusted,
    ev.InstrumentListed: _listed,
    ev.ReserveRaised: _reserve_raised,
    ev.ListingRefused: _listing_refused,
    ev.TradeBusted: _trade_busted,
    ev.TradeCorrected: _trade_corrected,
    ev.TradeMoved: _trade_moved,
    ev.BreakFound: _break_found,
    ev.LineResized: _line_resized,
    ev.RunEnded: _run_ended,
    ev.Halted: _halted,
    ev.HaltReleased: _halt_released,
    ev.HaltChecked: _halt_checked,
    ev.LimitsConfigured: _limits_configured,
    ev.LimitSet: _limit_set,
    ev.LimitEnded: _limit_ended,
    ev.LimitPassed: _limit_passed,
    ev.OrderThrottled: _order_throttled,
    ev.OrderDenied: _order_denied,
    ev.LateOrderDenied: _order_denied,
    ev.LimitTripped: _limit_tripped,
}
