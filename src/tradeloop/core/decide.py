"""All the choices, found by what came in: (state, surroundings, input, now) -> the facts that follow.

`decide` is a generator. Each fact it yields has been applied to the state before it is asked for the next one, so that an
order late in a batch is judged by what the earlier ones reserved; what it returns is the reply. It reads the state and
never writes it. The same state, surroundings, input and moment give the same facts. Raises BadInput, before the first fact,
when a command cannot be understood.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Final

import msgspec

from tradeloop.core import (
    acknowledging,
    answers,
    fate,
    fills,
    limiting,
    main_contract,
    market,
    reconcile,
    replace,
    room,
    staging,
    stop_orders,
    stopping,
    taken_back,
    tripping,
)
from tradeloop.core import commands as c
from tradeloop.core import reports as r
from tradeloop.core.errors import BadInput
from tradeloop.core.events import (
    BY_ENGINE,
    BrokerConnected,
    BrokerDisconnected,
    EngineStarted,
    Event,
    FateLost,
    InstrumentListed,
    ListingRefused,
    OrderCanceled,
    OrderExpired,
    SymbolReleased,
    TradingDayOpened,
)
from tradeloop.core.halt import HaltScope
from tradeloop.core.halting import with_halts
from tradeloop.core.hours import Hours
from tradeloop.core.inputs import Input, LatchFound, Start, TimerFired
from tradeloop.core.order import Order
from tradeloop.core.pacing import PACE
from tradeloop.core.relisting import promise_at_new_rate, reserves_to_move, why_not
from tradeloop.core.replies import Done, Reply
from tradeloop.core.risk.cost import closed_by
from tradeloop.core.risk.stopped import canceling
from tradeloop.core.room import ROOM
from tradeloop.core.run import conduct
from tradeloop.core.second_ids import told_again
from tradeloop.core.short_promise import is_dearer, promise_behind, promise_changed
from tradeloop.core.spoken import WORDS, overtaken, taken_in
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import BUY, SELL, ClOrdID, TimeInForce, UtcNs

Decision = Generator[Event, None, Reply | None]


def decide(state: State, around: Surroundings, given: Input, now: UtcNs) -> Decision:
    """The facts that follow from `given` at `now`."""
    ends_at = state.limits.ends_at
    if ends_at is not None and ends_at <= now and type(given) is not Start:
        return _limits_over(state, around, given, now)
    around.valuation.keep_up(state, around.quotes)
    decision = _DECIDE[type(given)](state, around, given, now)
    if state.limits.halting:
        decision = with_halts(state, around, decision, now)
    if isinstance(given, WORDS):
        decision = taken_in(state, decision, given, now)
    return overtaken(state, decision, now) if state.breaks and isinstance(given, r.Report) else decision


def _limits_over(state: State, around: Surroundings, given: Input, now: UtcNs) -> Decision:
    """The same once the limits whose time is up have ended: no order passes by one that is over."""
    yield from limiting.over(state, now)
    return (yield from decide(state, around, given, now))


# --- the engine's own inputs


def _start(state: State, around: Surroundings, s: Start, now: UtcNs) -> Decision:
    yield EngineStarted(now, s.epoch, s.version, s.group, s.config_hash, s.predecessor_dead, s.clock, s.brokers)
    yield from fate.after_restart(state, now)
    yield from replace.doubt(state, now, "the process ended before an answer came")
    return None


def _timer(state: State, around: Surroundings, t: TimerFired, now: UtcNs) -> Decision:
    if t.kind == PACE:
        yield from _next_turns(state, around, t.subject, now)
        return None
    if t.kind == ROOM:
        for one in (yield from staging.go_on(state, around, room.key(t.subject), now)):
            yield from _run_goes_on(state, around, one, now)
        return None
    if t.kind == stopping.HALT_WORK:
        yield from stopping.go_on(state, around, t.subject, now)
        return None
    if t.kind == tripping.RISK_LOOK:
        yield from tripping.look(state, around, now)
        return None
    if t.kind == limiting.LIMIT_ENDS:
        yield from limiting.on_timer(state, t.subject, now)
        return None
    order = state.orders.open.get(ClOrdID(t.subject))
    if order is None:
        return None
    if t.kind == ACK_TIMEOUT:
        yield from fate.on_silence(around, order, now)
    elif t.kind == RESEND:
        yield from staging.send_late(state, around, order, now)
        yield from _run_goes_on(state, around, order, now)
    elif t.kind == ORDER_TIMEOUT and order.cancel_requested_at is None and now >= (order.cancel_at or now):
        yield from staging.cancel(state, order.cl_ord_id, "time-out", "not filled in time", now)
        yield from _run_goes_on(state, around, order, now)
    elif t.kind == REPLACE_TIMEOUT:
        yield from replace.on_silence(around, order, now)
    elif t.kind == CANCEL_AGAIN:
        yield from _cancel_again(state, around, order, now)
    return None


def _next_turns(state: State, around: Surroundings, broker: str, now: UtcNs) -> Generator[Event, None, None]:
    """Orders that wait for their turn at a broker go, as many as it takes now. One that may not go for another reason gives up
    its place: it is asked again as every staged order is.
    """
    pace = around.paces.get(broker)
    while pace is not None and pace.waiting and pace.has_room(now):
        cl_ord_id = next(iter(pace.waiting))
        order = state.orders.open.get(cl_ord_id)
        if order is not None:
            yield from staging.send_late(state, around, order, now)
        pace.waiting.pop(cl_ord_id, None)
        if order is not None and order.is_done:
            yield from _run_goes_on(state, around, order, now)


def _cancel_again(state: State, around: Surroundings, order: Order, now: UtcNs) -> Generator[Event, None, None]:
    """A cancel that was lost or refused is asked for again for as long as the order should be out of the market.

    One without an answer always is, and one that was refused by a broker which never said that it has the order: it may come
    yet. One that the broker refused is where its run is being cancelled, its time is up or a halt wants it out; a single order
    that a person wanted out is theirs to ask about again.
    """
    waiting = order.cancel_requested_at is not None
    if waiting and not state.is_ready(order.broker, order.account):
        return  # asked for when the broker is READY (core/follow.py)
    run = None if order.run_id is None else state.runs[order.run_id]
    if run is not None and run.cancel_requested:
        why = "its run is being cancelled"
    elif order.cancel_at is not None and now >= order.cancel_at:
        why = "not filled in time"
    elif (halt := canceling(state, order)) is not None:
        why = halt.said
    elif waiting or order.cancel_unheard:
        why = "no answer came"
    else:
        return
    yield from staging.cancel(state, order.cl_ord_id, BY_ENGINE, f"{why}; asked {order.cancel_asks} times before", now)
    yield from _run_goes_on(state, around, order, now)


def _quote(state: State, around: Surroundings, q: r.Quote, now: UtcNs) -> Decision:
    taken = market.take(state, around, q, now)
    if taken is not None and state.stops:
        yield from stop_orders.on_quote(state, around, taken, now)
    return None


# --- commands


def _cancel(state: State, around: Surroundings, cmd: c.CancelOrder, now: UtcNs) -> Decision:
    done = yield from staging.cancel(state, cmd.cl_ord_id, cmd.by, cmd.reason, now)
    order = state.orders.get(cmd.cl_ord_id)
    if order is not None and order.run_id is not None:
        yield from conduct.advance(state, around, order.run_id, now)
    return done


def _replace(state: State, around: Surroundings, cmd: c.ReplaceOrder, now: UtcNs) -> Decision:
    return (yield from replace.ask(state, around, cmd, now))


def _resolve(state: State, around: Surroundings, cmd: c.ResolveOrder, now: UtcNs) -> Decision:
    done = yield from fate.resolve(state, around, cmd, now)
    order = state.orders.get(cmd.cl_ord_id)
    if order is not None:
        yield from _run_goes_on(state, around, order, now)
    return done


def _start_run(state: State, around: Surroundings, cmd: c.StartRun, now: UtcNs) -> Decision:
    return (yield from conduct.start(state, around, cmd, now))


def _approve_run(state: State, around: Surroundings, cmd: c.ApproveRun, now: UtcNs) -> Decision:
    return (yield from conduct.approve(state, around, cmd, now))


def _pause_run(state: State, around: Surroundings, cmd: c.PauseRun, now: UtcNs) -> Decision:
    return (yield from conduct.pause(state, cmd, now))


def _resume_run(state: State, around: Surroundings, cmd: c.ResumeRun, now: UtcNs) -> Decision:
    return (yield from conduct.resume(state, around, cmd, now))


def _cancel_run(state: State, around: Surroundings, cmd: c.CancelRun, now: UtcNs) -> Decision:
    return (yield from conduct.cancel_run(state, around, cmd, now))


def _retry_run(state: State, around: Surroundings, cmd: c.RetryRun, now: UtcNs) -> Decision:
    return (yield from conduct.retry(state, around, cmd, now))


def _repair(state: State, around: Surroundings, cmd: c.RepairBreak, now: UtcNs) -> Decision:
    return (yield from reconcile.repair(state, around, cmd, now))


def _release_symbol(state: State, around: Surroundings, cmd: c.ReleaseSymbol, now: UtcNs) -> Decision:
    why = state.halted.get(cmd.symbol)
    if why is None:
        raise BadInput(f"symbol was {cmd.symbol!r}, which is not halted here; nothing to release")
    if not cmd.by.strip() or not cmd.reason.strip():
        raise BadInput("a release needs a name and a reason; one of them was empty")
    if not cmd.second_factor and (live := stopping.live_within(state, around, HaltScope.SYMBOL, cmd.symbol)):
        raise BadInput(f"broker {live} trades live: a symbol there is released with a second factor, and none was given")
    yield SymbolReleased(now, cmd.symbol, cmd.by, cmd.reason, cmd.second_factor, cmd.set_up_by)
    for account in state.accounts:
        for cl_ord_id in list(state.working.get((account, cmd.symbol), ())):
            order = state.orders.open.get(cl_ord_id)
            if order is None:
                continue  # it went with its run
            yield from staging.send_late(state, around, order, now)
            yield from _run_goes_on(state, around, order, now)
    return Done(f"{cmd.symbol} takes orders again; it was halted because {why}")


def _halt(state: State, around: Surroundings, cmd: c.HaltTrading, now: UtcNs) -> Decision:
    return (yield from stopping.halt(state, around, cmd, now))


def _release_halt(state: State, around: Surroundings, cmd: c.ReleaseHalt, now: UtcNs) -> Decision:
    return (yield from stopping.release(state, around, cmd, now))


def _latch_found(state: State, around: Surroundings, found: LatchFound, now: UtcNs) -> Decision:
    yield from stopping.latched(state, around, found, now)
    return None


def _set_limits(state: State, around: Surroundings, cmd: c.SetLimits, now: UtcNs) -> Decision:
    return (yield from limiting.configure(state, around, cmd, now))


def _change_limit(state: State, around: Surroundings, cmd: c.ChangeLimit, now: UtcNs) -> Decision:
    return (yield from limiting.change(state, around, cmd, now))


def _revert_limit(state: State, around: Surroundings, cmd: c.RevertLimit, now: UtcNs) -> Decision:
    return (yield from limiting.revert(state, around, cmd, now))


def _list_instruments(state: State, around: Surroundings, cmd: c.ListInstruments, now: UtcNs) -> Decision:
    changed = [i for i in cmd.instruments if state.instruments.get(i.symbol) != i]
    refused = []
    for instrument in changed:
        why = why_not(state, instrument)
        if why:
            refused.append(why)
            yield ListingRefused(now, instrument.symbol, why)
        else:
            before = state.instruments.get(instrument.symbol)
            yield InstrumentListed(now, instrument, reserves_to_move(state, instrument))
            yield from promise_at_new_rate(state, around, before, instrument, now)
    text = f"{len(changed) - len(refused)} instruments listed or changed"
    return Done(f"{text}; {len(refused)} refused: {'; '.join(refused)}" if refused else text)


def _open_day(state: State, around: Surroundings, cmd: c.OpenTradingDay, now: UtcNs) -> Decision:
    known = state.hours.get(cmd.session)
    told = Hours(cmd.trading_day, cmd.windows, cmd.auctions, UtcNs(0), cmd.limits_only, cmd.no_cancels)
    if known is not None and msgspec.structs.replace(known, began_at=UtcNs(0)) == told:
        return Done(f"{cmd.session} is in trading day {cmd.trading_day} already")
    if known is not None and cmd.trading_day < known.trading_day:
        raise BadInput(
            f"trading day was {cmd.trading_day}, {cmd.session} is in {known.trading_day} already; days do not go back"
        )
    yield TradingDayOpened(now, cmd.session, cmd.trading_day, cmd.windows, cmd.auctions, cmd.limits_only, cmd.no_cancels)
    for order in list(state.orders.open.values()):
        if (
            order.tif is TimeInForce.DAY
            and not order.may_be_at_broker
            and order.trading_day != cmd.trading_day
            and state.instruments[order.symbol].session == cmd.session
        ):
            yield OrderExpired(now, order.cl_ord_id, f"a DAY order of {order.trading_day}, held here to its end")
            yield from _run_goes_on(state, around, order, now)
    for run_id, run in list(state.runs.live.items()):
        if run.created.trade_date != cmd.trading_day:
            yield from conduct.advance(state, around, run_id, now)
    return Done(f"{cmd.session} opened trading day {cmd.trading_day}")


# --- reports


def _execution(state: State, around: Surroundings, x: r.Execution, now: UtcNs) -> Decision:
    if (state.ids or state.breaks) and (yield from told_again(state, around, x, now)):
        return None
    some_early, leg = bool(state.early), closed_by(state, x.account, x.symbol, x.side)
    order = yield from fills.on_execution(state, around, x, now)
    if order is not None and (leg or some_early or is_dearer(state, around, order, x)):
        yield from promise_behind(state, around, order, x, leg, now, some_early=some_early)
    if order is not None and order.run_id is not None:
        yield from conduct.advance(state, around, order.run_id, now)
    return None


def _bust(state: State, around: Surroundings, x: r.ExecutionBust, now: UtcNs) -> Decision:
    order = yield from taken_back.on_bust(state, x, now)
    yield from promise_changed(state, around, order, now, gone=(BUY if x.side is SELL else SELL,))
    yield from _run_goes_on(state, around, order, now)
    return None


def _correct(state: State, around: Surroundings, x: r.ExecutionCorrect, now: UtcNs) -> Decision:
    order = yield from taken_back.on_correct(state, x, now)
    yield from promise_changed(state, around, order, now)
    yield from _run_goes_on(state, around, order, now)
    return None


def _ack(state: State, around: Surroundings, a: r.OrderAck, now: UtcNs) -> Decision:
    order = yield from answers.on_ack(state, around, a, now)
    if order is not None and order.run_id is not None and (order.cum_qty or a.cl_ord_id not in state.orders.open):
        yield from conduct.advance(state, around, order.run_id, now)  # it may have claimed fills that came before it
    return None


def _reject(state: State, around: Surroundings, a: r.OrderReject, now: UtcNs) -> Decision:
    yield from _run_goes_on(state, around, (yield from answers.on_reject(state, a, now)), now)
    return None


def _cancel_ack(state: State, around: Surroundings, a: r.CancelAck, now: UtcNs) -> Decision:
    order = yield from answers.on_cancel_ack(state, around, a, now)
    if order is not None and order.run_id is not None:
        yield from conduct.advance(state, around, order.run_id, now)
    return None


def _cancel_reject(state: State, around: Surroundings, a: r.CancelReject, now: UtcNs) -> Decision:
    yield from answers.on_cancel_reject(state, a, now)
    return None


def _replace_ack(state: State, around: Surroundings, a: r.ReplaceAck, now: UtcNs) -> Decision:
    yield from _run_goes_on(state, around, (yield from replace.on_ack(state, around, a, now)), now)
    return None


def _replace_reject(state: State, around: Surroundings, a: r.ReplaceReject, now: UtcNs) -> Decision:
    yield from replace.on_reject(state, around, a, now)
    return None


def _restate(state: State, around: Surroundings, a: r.OrderRestate, now: UtcNs) -> Decision:
    yield from _run_goes_on(state, around, (yield from replace.on_restate(state, around, a, now)), now)
    return None


def _replace_outcome(state: State, around: Surroundings, a: r.ReplaceOutcome, now: UtcNs) -> Decision:
    yield from replace.on_outcome(state, around, a, now)
    return None


def _expire(state: State, around: Surroundings, a: r.OrderExpire, now: UtcNs) -> Decision:
    yield from _run_goes_on(state, around, (yield from answers.on_expire(state, around, a, now)), now)
    return None


def _send_outcome(state: State, around: Surroundings, a: r.SendOutcome, now: UtcNs) -> Decision:
    order = yield from answers.on_send_outcome(state, a, now)
    if order is None:
        return None
    if not order.is_done and order.send_failures > len(around.policy.resend_after_ns):
        tries = f"{order.send_failures} tries failed, the last one with: {a.text}"
        yield OrderCanceled(now, a.cl_ord_id, f"never sent: {tries}", given_up=True)
    if order.is_done:
        yield from _run_goes_on(state, around, order, now)
    return None


def _cancel_outcome(state: State, around: Surroundings, a: r.CancelOutcome, now: UtcNs) -> Decision:
    order = state.orders.open.get(a.cl_ord_id)
    if order is not None and not state.is_ready(a.broker, order.account):
        return None  # still wanted: asked for again when the broker is READY (core/follow.py)
    yield from answers.on_cancel_outcome(state, a, now)
    return None


def _snapshot(state: State, around: Surroundings, s: r.BrokerSnapshot, now: UtcNs) -> Decision:
    yield from reconcile.on_snapshot(state, around, s, now)
    return None


def _broker_up(state: State, around: Surroundings, b: r.BrokerUp, now: UtcNs) -> Decision:
    yield BrokerConnected(now, b.broker)
    return None


def _broker_down(state: State, around: Surroundings, b: r.BrokerDown, now: UtcNs) -> Decision:
    link = state.links.get(b.broker)
    if link is not None and not link.connected and link.text == b.text:
        return None
    yield BrokerDisconnected(now, b.broker, b.text)
    for order in list(state.orders.open.values()):
        in_flight = order.send_begun_at is not None and order.acked_at is None and order.unknown_at is None
        if in_flight and order.broker == b.broker:
            yield FateLost(now, order.cl_ord_id, f"the session was lost before an answer came: {b.text}")
    yield from replace.doubt(state, now, f"the session was lost before an answer came: {b.text}", b.broker)
    return None


def _run_goes_on(state: State, around: Surroundings, order: Order | None, now: UtcNs) -> Generator[Event, None, None]:
    if order is not None and order.run_id is not None:
        yield from conduct.advance(state, around, order.run_id, now)


ACK_TIMEOUT: Final = "ack_timeout"
RESEND: Final = "resend"
ORDER_TIMEOUT: Final = "order_timeout"
CANCEL_AGAIN: Final = "cancel_again"
REPLACE_TIMEOUT: Final = "replace_timeout"
PROBE: Final = "probe"
OVERDUE: Final = "overdue"
RECONCILE: Final = "reconcile"
UNREADY: Final = "unready"
"""Kinds of timers; core/follow.py sets them."""

_DECIDE: Final[dict[type, Callable[[State, Surroundings, Any, UtcNs], Decision]]] = {
    Start: _start,
    TimerFired: _timer,
    r.Quote: _quote,
    c.SubmitOrder: staging.submit,
    c.CancelOrder: _cancel,
    c.ReplaceOrder: _replace,
    c.ResolveOrder: _resolve,
    c.StartRun: _start_run,
    c.ApproveRun: _approve_run,
    c.PauseRun: _pause_run,
    c.ResumeRun: _resume_run,
    c.CancelRun: _cancel_run,
    c.RetryRun: _retry_run,
    c.RepairBreak: _repair,
    c.ReleaseSymbol: _release_symbol,
    c.HaltTrading: _halt,
    c.ReleaseHalt: _release_halt,
    LatchFound: _latch_found,
    c.SetLimits: _set_limits,
    c.ChangeLimit: _change_limit,
    c.RevertLimit: _revert_limit,
    c.ListInstruments: _list_instruments,
    c.OpenTradingDay: _open_day,
    c.SwitchMainContract: main_contract.switch,
    c.AcknowledgeAlert: acknowledging.acknowledge,
    r.Execution: _execution,
    r.ExecutionBust: _bust,
    r.ExecutionCorrect: _correct,
    r.OrderAck: _ack,
    r.OrderReject: _reject,
    r.CancelAck: _cancel_ack,
    r.CancelReject: _cancel_reject,
    r.ReplaceAck: _replace_ack,
    r.ReplaceReject: _replace_reject,
    r.OrderRestate: _restate,
    r.ReplaceOutcome: _replace_outcome,
    r.OrderExpire: _expire,
    r.SendOutcome: _send_outcome,
    r.CancelOutcome: _cancel_outcome,
    r.BrokerSnapshot: _snapshot,
    r.BrokerUp: _broker_up,
    r.BrokerDown: _broker_down,
}
