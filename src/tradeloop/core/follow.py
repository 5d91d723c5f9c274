"""What the world must now do about a fact: (state, surroundings, event) -> effects. Acted upon only after the fact is durable.

`after_restart` gives a new process the effects that its predecessor still owed, so that a restart forgets no time-out and
no question.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tradeloop.core import events as ev
from tradeloop.core.answers import NOT_DELIVERED
from tradeloop.core.decide import ACK_TIMEOUT, ORDER_TIMEOUT, PROBE, RECONCILE, RESEND
from tradeloop.core.effects import Effect, RaiseAlert, SendCancel, SendOrder, SetTimer, TakeSnapshot
from tradeloop.core.inputs import TimerFired
from tradeloop.core.risk.pipeline import approved
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import SECOND_NS, AccountID, ClOrdID, RunStatus, UtcNs

_NOTHING: Final[tuple[Effect, ...]] = ()


def follow(state: State, around: Surroundings, event: ev.Event) -> tuple[Effect, ...]:
    """The effects of one fact, given the state it led to."""
    rule = _FOLLOW.get(type(event))
    return _NOTHING if rule is None else rule(state, around, event)


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
        if order is None or order.unknown_at is None:
            return _NOTHING
        effects: tuple[Effect, ...] = (
            TakeSnapshot(order.broker, order.account, f"probe {order.cl_ord_id}", now),
            SetTimer(UtcNs(now + around.policy.probe_every_ns), PROBE, timer.subject),
        )
        age = now - order.unknown_at
        if age >= around.policy.unknown_alert_ns:
            text = (
                f"the fate of order {order.cl_ord_id} ({order.symbol}) has been unknown for {age // SECOND_NS} s: {order.text}"
            )
            effects += (RaiseAlert("CRITICAL", f"unknown:{order.cl_ord_id}", text),)
        return effects
    return _NOTHING


def after_restart(state: State, around: Surroundings) -> tuple[Effect, ...]:
    """Everything that was still to be done when the last process ended; asking about orders waits for the connect."""
    effects: list[Effect] = []
    for order in state.orders.open.values():
        if order.cancel_at is not None:
            effects.append(SetTimer(order.cancel_at, ORDER_TIMEOUT, order.cl_ord_id))
        if order.unknown_at is not None:
            effects.append(SetTimer(UtcNs(order.unknown_at + around.policy.probe_every_ns), PROBE, order.cl_ord_id))
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
    waits = around.policy.resend_after_ns
    if order.send_failures > len(waits):
        text = f"order {e.cl_ord_id} ({order.symbol}) could not be sent {order.send_failures} times: {e.text}"
        return (RaiseAlert("WARNING", f"not_sent:{e.cl_ord_id}", text),)
    return (SetTimer(UtcNs(e.at + waits[order.send_failures - 1]), RESEND, e.cl_ord_id),)


def _cancel_requested(state: State, around: Surroundings, e: ev.CancelRequested) -> tuple[Effect, ...]:
    order = state.orders.open[e.cl_ord_id]
    return (SendCancel(order.broker, order.account, e.cl_ord_id, order.order_id, order.symbol),)


def _cancel_rejected(state: State, around: Surroundings, e: ev.CancelRejected) -> tuple[Effect, ...]:
    """A time-out cancel that did not arrive is asked for again."""
    order = state.orders.open.get(e.cl_ord_id)
    if e.code != NOT_DELIVERED or order is None or order.cancel_at is None:
        return _NOTHING
    return (SetTimer(UtcNs(max(order.cancel_at, e.at + around.policy.ack_timeout_ns)), ORDER_TIMEOUT, e.cl_ord_id),)


def _fate_lost(state: State, around: Surroundings, e: ev.FateLost) -> tuple[Effect, ...]:
    order = state.orders.open[e.cl_ord_id]
    return (
        RaiseAlert(
            "WARNING", f"unknown:{e.cl_ord_id}", f"the fate of order {e.cl_ord_id} ({order.symbol}) is unknown: {e.text}"
        ),
        SetTimer(UtcNs(e.at + around.policy.probe_every_ns), PROBE, e.cl_ord_id),
    )


def _broker_connected(state: State, around: Surroundings, e: ev.BrokerConnected) -> tuple[Effect, ...]:
    accounts = [account for account, known in state.accounts.items() if known.broker == e.broker]
    return tuple(TakeSnapshot(e.broker, account, "connected", e.at) for account in accounts) or (
        TakeSnapshot(e.broker, AccountID(""), "connected", e.at),
    )


def _broker_ready(state: State, around: Surroundings, e: ev.BrokerReady) -> tuple[Effect, ...]:
    """Look again in a while, and ask again for the cancels that a lost session or a restart left without an answer."""
    cancels = tuple(
        SendCancel(order.broker, order.account, order.cl_ord_id, order.order_id, order.symbol)
        for order in state.orders.open.values()
        if order.broker == e.broker and order.cancel_requested_at is not None
    )
    again = SetTimer(UtcNs(e.at + around.policy.reconcile_every_ns), RECONCILE, f"{e.broker}|{e.account}")
    return (*cancels, again)


def _broker_disconnected(state: State, around: Surroundings, e: ev.BrokerDisconnected) -> tuple[Effect, ...]:
    return (RaiseAlert("WARNING", f"down:{e.broker}", f"the session with {e.broker} is down: {e.text}"),)


def _overfilled(state: State, around: Surroundings, e: ev.Overfilled) -> tuple[Effect, ...]:
    text = f"order {e.cl_ord_id} was overfilled by {e.excess} {e.symbol}; the position has it, {e.symbol} is halted here"
    return (RaiseAlert("CRITICAL", f"overfill:{e.cl_ord_id}", text),)


def _break_found(state: State, around: Surroundings, e: ev.BreakFound) -> tuple[Effect, ...]:
    text = f"{e.kind} {e.subject} of {e.account} at {e.broker}: ours {e.ours}, theirs {e.theirs}"
    return (RaiseAlert("WARNING", f"break:{e.break_id}", text),)


def _run_ended(state: State, around: Surroundings, e: ev.RunEnded) -> tuple[Effect, ...]:
    if e.status is RunStatus.FAILED or e.todo:
        return (RaiseAlert("WARNING", f"run:{e.run_id}", f"run {e.run_id} ended {e.status.value} {e.code}: {e.text}"),)
    return _NOTHING


_FOLLOW: Final[dict[type, Callable[[State, Surroundings, Any], tuple[Effect, ...]]]] = {
    ev.SendBegun: _send_begun,
    ev.OrderStaged: _order_staged,
    ev.SendFailed: _send_failed,
    ev.CancelRequested: _cancel_requested,
    ev.CancelRejected: _cancel_rejected,
    ev.FateLost: _fate_lost,
    ev.BrokerConnected: _broker_connected,
    ev.BrokerReady: _broker_ready,
    ev.BrokerDisconnected: _broker_disconnected,
    ev.Overfilled: _overfilled,
    ev.BreakFound: _break_found,
    ev.RunEnded: _run_ended,
}
