"""Station 4: how an intent becomes an order, and how a staged one leaves.

An order is staged and its send begun in the same group commit: one durable write stands between the decision and the wire,
and a restart that finds SendBegun without an answer knows that it must ask (docs/adr/0004-three-fates.md).
"""

from __future__ import annotations

from collections.abc import Generator
from enum import Enum
from typing import Final

import msgspec

from tradeloop.core import room
from tradeloop.core.commands import SubmitOrder
from tradeloop.core.confirmation import Confirmation, Frozen
from tradeloop.core.errors import BadInput, Conflicts, NotKnown
from tradeloop.core.events import (
    CancelRequested,
    Event,
    LateOrderDenied,
    OrderCanceled,
    OrderDenied,
    OrderExpired,
    OrderStaged,
    ReserveRaised,
    SendBegun,
)
from tradeloop.core.hours import moment
from tradeloop.core.instrument import Instrument
from tradeloop.core.order import Order
from tradeloop.core.people import seen
from tradeloop.core.replies import Done, OrderReply
from tradeloop.core.reports import Quote
from tradeloop.core.risk import pipeline
from tradeloop.core.risk.cost import worst_cost
from tradeloop.core.risk.denied import Denied
from tradeloop.core.risk.judging import UNKNOWN, Beyond, throttled, told
from tradeloop.core.risk.live import trades_live
from tradeloop.core.risk.registry import RULES
from tradeloop.core.risk.stopped import HALTED, REDUCE_ONLY, canceling
from tradeloop.core.state import State, cl_ord_id_of
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import (
    DECIMAL_PLACES_MAX,
    LIMIT,
    MARKET,
    SIGNIFICANT_DIGITS_MAX,
    STOP,
    STOP_LIMIT,
    ZERO,
    AccountID,
    ClOrdID,
    PositionEffect,
    Px,
    Qty,
    RunID,
    RunStatus,
    Side,
    Symbol,
    TimeInForce,
    TradingDay,
    UtcNs,
    is_exact,
)

Facts = Generator[Event, None, None]

_BODY: Final = (
    "account",
    "symbol",
    "side",
    "order_qty",
    "ord_type",
    "price",
    "stop_px",
    "tif",
    "position_effect",
    "strategy_id",
)
"""What makes two requests of one id the same; who asked and why may be said differently."""


def submit(state: State, around: Surroundings, command: SubmitOrder, now: UtcNs) -> Generator[Event, None, OrderReply]:
    """One order asked for directly. Raises BadInput when it contradicts itself or names what is not known."""
    if command.request_id:
        earlier = _asked_before(state, command)
        if earlier is not None:
            return earlier
    consistent(command)
    return (yield from stage(state, around, command, now))


def _asked_before(state: State, command: SubmitOrder) -> OrderReply | None:
    """The answer to the first request of this id. Raises Conflicts when that one asked for something else."""
    cl_ord_id = state.requests.get(command.request_id)
    made = None if cl_ord_id is None else state.orders.get(cl_ord_id)
    denial = state.denied_request(command.request_id) if made is None else None
    if made is not None:
        reply = OrderReply(made.cl_ord_id, repeat=True)
    elif denial is not None:
        reply = OrderReply(denial.cl_ord_id, Denied.recorded(denial), repeat=True)
    else:
        return None
    terms = None if made is None else made.first_terms
    for name in _BODY:
        asked = terms if terms is not None and name in terms.__struct_fields__ else made or denial
        first, now = getattr(asked, name), getattr(command, name)
        if first != now:
            raise Conflicts(
                f"request_id {command.request_id!r} has made order {reply.cl_ord_id}, whose {name} was {_shown(first)}; "
                f"now {_shown(now)} is asked; a different order needs a request_id of its own"
            )
    return reply


def _shown(value: object) -> object:
    return value.value if isinstance(value, Enum) else value


def stage(
    state: State,
    around: Surroundings,
    want: SubmitOrder,
    now: UtcNs,
    *,
    run_id: RunID | None = None,
    leg: int = 0,
    cancel_at: UtcNs | None = None,
    halt: int = 0,
) -> Generator[Event, None, OrderReply]:
    """Put an intent through risk; it becomes a staged order on its way to the broker, or a denied one."""
    intent, instrument = _intent(state, around, want, now, run_id, leg, cancel_at, halt)
    verdict = pipeline.check(state, around, intent, instrument, now)
    if verdict.told:
        yield from told(intent.cl_ord_id, verdict, now)
    denied = verdict.denied
    if denied is not None:
        yield OrderDenied(
            now,
            intent.cl_ord_id,
            want.account,
            want.symbol,
            want.side,
            want.order_qty,
            want.ord_type,
            want.price,
            denied.rule,
            denied.limit,
            denied.was,
            denied.text,
            want.by,
            run_id,
            leg,
            want.request_id,
            want.stop_px,
            want.tif,
            want.position_effect,
            want.strategy_id,
            denied.scope,
            denied.this_order,
            want.approved_by,
            denied.uncounted,
        )
        return OrderReply(intent.cl_ord_id, denied)
    yield intent
    if verdict.waits_for is not None:
        yield from _waits(state, around, state.orders.open[intent.cl_ord_id], verdict.waits_for, now)
        return OrderReply(intent.cl_ord_id)
    leaves_now = want.stop_px is None or around.brokers[intent.broker].holds_stops
    if leaves_now and _takes_turn(around, intent.broker, intent.cl_ord_id, now):
        yield SendBegun(now, intent.cl_ord_id)
    return OrderReply(intent.cl_ord_id)


def intent_of(state: State, around: Surroundings, want: SubmitOrder, now: UtcNs) -> tuple[OrderStaged, Instrument]:
    """The order as it would be staged, of somebody who only asks. Raises BadInput as `submit` does."""
    consistent(want)
    return _intent(state, around, want, now, None, 0, None, 0)


def in_the_way(state: State, around: Surroundings, want: SubmitOrder, frozen: Frozen, now: UtcNs) -> Denied | None:
    """What would say no to an order at a live account though a person gave their word for it, without a fact of it: nobody is
    asked for that, and no code is spent, where it could not go anyhow.
    """
    word = Confirmation(frozen.content, frozen.phrase, "any", px=frozen.px)
    return why_not(state, around, msgspec.structs.replace(want, confirmed=word), now)


def why_not(state: State, around: Surroundings, want: SubmitOrder, now: UtcNs, *, halt: int = 0) -> Denied | None:
    """What risk would say of an order, without a fact of it."""
    intent, instrument = _intent(state, around, want, now, None, 0, None, halt)
    return pipeline.check(state, around, intent, instrument, now).denied


def _intent(
    state: State,
    around: Surroundings,
    want: SubmitOrder,
    now: UtcNs,
    run_id: RunID | None,
    leg: int,
    cancel_at: UtcNs | None,
    halt: int,
) -> tuple[OrderStaged, Instrument]:
    """The order as it would be staged. Raises BadInput when it names what is not known."""
    account = state.accounts.get(want.account)
    if account is None:
        raise BadInput(
            f"account was {want.account!r}, known are {sorted(state.accounts) or 'none yet'}; connect its broker first"
        )
    instrument = state.instruments.get(want.symbol)
    if instrument is None:
        raise BadInput(f"symbol was {want.symbol!r}, which is not listed; list its instrument first")
    quote = around.quotes.get(want.symbol)
    hours = state.hours.get(instrument.session)
    intent = OrderStaged(
        now,
        cl_ord_id_of(state.id_prefix, state.counter + 1),
        account.broker,
        want.account,
        want.symbol,
        want.side,
        want.order_qty,
        want.ord_type,
        want.price,
        want.stop_px,
        want.tif,
        want.position_effect,
        hours.trading_day if hours is not None else TradingDay(""),
        want.by,
        pipeline.version(state),
        worst_cost(state, around, want, instrument, quote),
        _arrival(quote),
        quote.at if quote is not None else None,
        run_id,
        leg,
        None,
        want.request_id,
        want.strategy_id,
        cancel_at,
        want.reason,
        halt,
        want.approved_by,
        want.confirmed,
        trades_live(state, around, account.broker),
    )
    return intent, instrument


def _takes_turn(around: Surroundings, broker: str, cl_ord_id: ClOrdID, now: UtcNs) -> bool:
    """The order is on its way from here on, if its broker takes it now; one whose turn has not come stays STAGED."""
    pace = around.paces.get(broker)
    return pace is None or pace.take(cl_ord_id, now)


def send_late(state: State, around: Surroundings, order: Order, now: UtcNs) -> Facts:
    """A staged order that surely did not leave tries again, or ends here.

    It waits while its run is paused, after each failed attempt as long as the policy says, whatever else asks for it, and for
    its turn where the broker has a rate. It is not sent on another trading day than it was made for, passes the gate, the day's
    price rules and whatever limits were changed since it was made, and what it may cost at present prices is reserved before.
    """
    if order.is_done or order.may_be_at_broker or order.is_held:
        return
    run = None if order.run_id is None else state.runs[order.run_id]
    if order.is_wanted_out or (run is not None and run.cancel_requested):
        yield OrderCanceled(now, order.cl_ord_id, "never sent, and a cancel was wanted")
        return
    halt = canceling(state, order) if state.halts else None
    if halt is not None:
        yield OrderCanceled(now, order.cl_ord_id, f"never sent: {halt.said}")
        return
    hours = state.hours.get(state.instruments[order.symbol].session)
    if order.tif is TimeInForce.DAY and hours is not None and hours.trading_day != order.trading_day:
        yield OrderExpired(now, order.cl_ord_id, f"a DAY order of {order.trading_day}, never sent")
        return
    if run is not None and run.status is RunStatus.PAUSED:
        return
    if _is_too_soon(around, order, now):
        return  # its own timer asks again (core/follow.py)
    pace = around.paces.get(order.broker)
    if pace is not None and not pace.is_turn_of(order.cl_ord_id, now):
        pace.waiting[order.cl_ord_id] = None
        return
    verdict = pipeline.judge_late(state, around, order, now)
    if verdict.waits_for is not None:
        yield from _waits(state, around, order, verdict.waits_for, now)
        return
    denied = pipeline.recheck(state, around, order, now) or verdict.denied
    if denied is None:
        needs = pipeline.more_cash(state, around, order)
        if not isinstance(needs, Denied):
            if needs != order.reserved:
                yield ReserveRaised(now, order.cl_ord_id, needs)
            if _takes_turn(around, order.broker, order.cl_ord_id, now):
                yield from told(order.cl_ord_id, verdict, now)
                yield SendBegun(now, order.cl_ord_id)
            return
        denied = needs
    if not may_wait(state, order, denied, now):
        yield LateOrderDenied(
            now, order.cl_ord_id, denied.rule, denied.limit, denied.was, denied.text, denied.scope, denied.this_order
        )
        yield OrderCanceled(now, order.cl_ord_id, f"never sent: {denied.text}", given_up=True)


def _waits(state: State, around: Surroundings, order: Order, beyond: Beyond, now: UtcNs) -> Facts:
    """It queues up for room, and is asked again when its turn comes."""
    fact = throttled(order.cl_ord_id, beyond, now)
    around.room.waits(state, order, fact.until)
    yield fact


def go_on(state: State, around: Surroundings, queue: room.Key, now: UtcNs) -> Generator[Event, None, list[Order]]:
    """Orders that waited for room go, as many as there is room for now: those that were asked. One that may not go for another
    reason gives up its place: it is asked again as every staged order is.
    """
    asked: list[Order] = []
    waiting = around.room.queues.get(queue, {})
    while waiting:
        cl_ord_id = next(iter(waiting))
        order = state.orders.open.get(cl_ord_id)
        waiting[cl_ord_id] = now
        if order is not None:
            yield from send_late(state, around, order, now)
            asked.append(order)
            if waiting[cl_ord_id] > now:
                return asked
        del waiting[cl_ord_id]
    around.room.queues.pop(queue, None)
    return asked


def again_at(around: Surroundings, order: Order) -> UtcNs | None:
    """When an order whose last attempt did not leave may be sent again; None where nothing is to be waited for."""
    waits = around.policy.resend_after_ns
    if order.send_failed_at is None or not 0 < order.send_failures <= len(waits):
        return None
    return UtcNs(order.send_failed_at + waits[order.send_failures - 1])


def _is_too_soon(around: Surroundings, order: Order, now: UtcNs) -> bool:
    """Whether the last attempt failed just now. A failure that lies ahead, since the clock was set back, does not say how long
    ago it was.
    """
    again = again_at(around, order)
    return again is not None and now < again and (order.send_failed_at or now) <= now


def may_wait(state: State, order: Order, denied: Denied, now: UtcNs) -> bool:
    """Whether what stands in the way passes by itself, so that the order may be asked for again instead of ending."""
    if denied.rule == "session_open":
        hours = state.hours.get(state.instruments[order.symbol].session)
        return hours is not None and hours.opens_later(now)
    if denied.was == UNKNOWN:
        # What a limit needs to know may be known soon: a process that began just now has seen no quote yet. A listing stays.
        rule = RULES.get(denied.rule)
        return rule is None or rule.unlisted is None or not rule.unlisted(state.instruments[order.symbol])
    return denied.rule in ("broker_ready", "fate_unknown", "fill_twice", HALTED, REDUCE_ONLY, "quote_fresh", "no_price")


def cancel(state: State, cl_ord_id: ClOrdID, by: str, reason: str, now: UtcNs) -> Generator[Event, None, Done]:
    """Take an order out of the market; one that never left ends at once. Asking twice asks the broker again, harmlessly."""
    order = state.orders.get(cl_ord_id)
    if order is None:
        raise NotKnown(f"order was {cl_ord_id!r}, which is not known; see `tradeloop orders`")
    if order.is_done:
        return Done(f"order {cl_ord_id} is {order.ord_status.value} already")
    if not order.may_be_at_broker:
        yield OrderCanceled(now, cl_ord_id, f"cancelled by {by} before it was sent: {reason}")
        return Done(f"order {cl_ord_id} had not been sent and is cancelled")
    yield CancelRequested(now, cl_ord_id, by, reason)
    until = no_cancels_until(state, order.symbol, now)
    if until is not None:
        return Done(
            f"cancel of {cl_ord_id} is on its way; the exchange takes no cancels of {order.symbol} until {moment(until)}, and "
            "will refuse it: ask again then"
        )
    return Done(f"cancel of {cl_ord_id} is on its way; the broker answers")


def no_cancels_until(state: State, symbol: Symbol, now: UtcNs) -> UtcNs | None:
    """Until when the exchange takes no cancels of a symbol; None where it takes them now. One is sent all the same: it does no
    harm, and the broker may keep it until then.
    """
    hours = state.hours.get(state.instruments[symbol].session)
    return None if hours is None else hours.no_cancels_until(now)


def order_of_run(
    account: AccountID,
    symbol: Symbol,
    side: Side,
    qty: Qty,
    effect: PositionEffect,
    by: str,
    reason: str,
    strategy_id: str = "",
    approved_by: str = "",
) -> SubmitOrder:
    """The order a run's leg asks for: at the market (S0-3, S0-27). `approved_by`: who let the run go, of another maker."""
    return SubmitOrder(
        account=account,
        symbol=symbol,
        side=side,
        order_qty=qty,
        by=by,
        position_effect=effect,
        reason=reason,
        strategy_id=strategy_id,
        approved_by=approved_by,
    )


def _arrival(quote: Quote | None) -> Px | None:
    seen = quote.mid_or_last if quote is not None else None
    return Px(seen) if seen is not None else None


def consistent(command: SubmitOrder) -> None:
    """An order's prices agree with its type, all its numbers are positive and such that the ledger carries them exactly, and
    its names can be read.
    """
    seen(command.by, "by")
    seen(command.approved_by, "approved_by")
    qty, price, stop_px, ord_type = command.order_qty, command.price, command.stop_px, command.ord_type
    if not is_exact(qty) or (price is not None and not is_exact(price)) or (stop_px is not None and not is_exact(stop_px)):
        _refuse_inexact(command)
    if qty <= ZERO:
        raise BadInput(f"order_qty was {qty:f}; expected more than zero, the side says the direction")
    if ord_type is MARKET and price is None and stop_px is None:
        return
    wants_price = ord_type is LIMIT or ord_type is STOP_LIMIT
    wants_stop = ord_type is STOP or ord_type is STOP_LIMIT
    for wanted, value, what in ((wants_price, price, "price"), (wants_stop, stop_px, "stop_px")):
        if wanted and value is None:
            raise BadInput(f"a {ord_type.value} order needs {what}; none was given")
        if not wanted and value is not None:
            raise BadInput(f"a {ord_type.value} order has no {what}; {what} was {value}")
        if value is not None and value <= ZERO:
            raise BadInput(f"{what} was {value}; expected more than zero")


def _refuse_inexact(command: SubmitOrder) -> None:
    for number, what in ((command.order_qty, "order_qty"), (command.price, "price"), (command.stop_px, "stop_px")):
        if number is not None and not is_exact(number):
            raise BadInput(
                f"{what} was {str(number)[:40]}; expected a number of at most {SIGNIFICANT_DIGITS_MAX} significant digits "
                f"and {DECIMAL_PLACES_MAX} decimal places"
            )
