"""Station 4: how an intent becomes an order, and how a staged one leaves.

An order is staged and its send begun in the same group commit: one durable write stands between the decision and the wire,
and a restart that finds SendBegun without an answer knows that it must ask (docs/adr/0004-three-fates.md).
"""

from __future__ import annotations

from collections.abc import Generator
from decimal import ROUND_UP, Decimal
from typing import Final

from tradeloop.core.commands import SubmitOrder
from tradeloop.core.errors import BadInput
from tradeloop.core.events import CancelRequested, Event, OrderCanceled, OrderDenied, OrderStaged, SendBegun, StopTriggered
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.order import Order
from tradeloop.core.replies import Done, OrderReply
from tradeloop.core.reports import Quote
from tradeloop.core.risk import pipeline
from tradeloop.core.risk.checks import closes
from tradeloop.core.risk.denied import Denied
from tradeloop.core.state import State, cl_ord_id_of
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import (
    DECIMAL_PLACES_MAX,
    SIGNIFICANT_DIGITS_MAX,
    ZERO,
    AccountID,
    Amount,
    ClOrdID,
    OrdType,
    PositionEffect,
    Px,
    Qty,
    RunID,
    Side,
    Symbol,
    TradingDay,
    UtcNs,
    is_exact,
)

Facts = Generator[Event, None, None]

VALUE_DIGITS_MAX: Final = 15
"""Digits before the point of one order's value: it can still be rounded to twelve places within the context's 28 digits."""


def submit(state: State, around: Surroundings, command: SubmitOrder, now: UtcNs) -> Generator[Event, None, OrderReply]:
    """One order asked for directly. Raises BadInput when it contradicts itself or names what is not known."""
    if command.request_id:
        earlier = state.requests.get(command.request_id)
        if earlier is not None:
            return OrderReply(earlier, repeat=True)
    _consistent(command)
    return (yield from stage(state, around, command, now))


def stage(
    state: State,
    around: Surroundings,
    want: SubmitOrder,
    now: UtcNs,
    *,
    run_id: RunID | None = None,
    leg: int = 0,
    cancel_at: UtcNs | None = None,
) -> Generator[Event, None, OrderReply]:
    """Put an intent through risk; it becomes a staged order on its way to the broker, or a denied one."""
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
        pipeline.RISK_VERSION,
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
    )
    denied = pipeline.check(state, around, intent, instrument, now)
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
        )
        return OrderReply(intent.cl_ord_id, denied)
    yield intent
    if want.stop_px is None or around.brokers[account.broker].holds_stops:
        yield SendBegun(now, intent.cl_ord_id)
    return OrderReply(intent.cl_ord_id)


def send_late(state: State, around: Surroundings, order: Order, now: UtcNs) -> Facts:
    """A staged order that surely did not leave tries again: it passes the gate and the price check first, or ends here."""
    if order.is_done or order.may_be_at_broker or order.is_held:
        return
    denied = pipeline.recheck(state, around, order, now)
    if denied is None:
        yield SendBegun(now, order.cl_ord_id)
    elif not _may_wait(state, order, denied, now):
        yield OrderCanceled(now, order.cl_ord_id, f"never sent: {denied.text}")


def _may_wait(state: State, order: Order, denied: Denied, now: UtcNs) -> bool:
    """Whether what stands in the way passes by itself, so that the order may be asked for again instead of ending."""
    if denied.rule == "session_open":
        hours = state.hours.get(state.instruments[order.symbol].session)
        return hours is not None and hours.opens_later(now)
    return denied.rule in ("broker_ready", "fate_unknown", "quote_fresh")


def cancel(state: State, cl_ord_id: ClOrdID, by: str, reason: str, now: UtcNs) -> Generator[Event, None, Done]:
    """Take an order out of the market; one that never left ends at once. Asking twice asks the broker again, harmlessly."""
    order = state.orders.get(cl_ord_id)
    if order is None:
        raise BadInput(f"order was {cl_ord_id!r}, which is not known; see `tradeloop orders`")
    if order.is_done:
        return Done(f"order {cl_ord_id} is {order.ord_status.value} already")
    if not order.may_be_at_broker:
        yield OrderCanceled(now, cl_ord_id, f"cancelled by {by} before it was sent: {reason}")
        return Done(f"order {cl_ord_id} had not been sent and is cancelled")
    yield CancelRequested(now, cl_ord_id, by, reason)
    return Done(f"cancel of {cl_ord_id} is on its way; the broker answers")


def on_quote(state: State, around: Surroundings, quote: Quote, now: UtcNs) -> Facts:
    """Stops that the engine holds are watched on every quote: a buy fires at or above its stop price, a sell at or below.

    Only a quote of a market that is open, trading and seen just now fires one: fired at any other time the order could not
    be sent, and the protection would be gone.
    """
    held = state.stops.get(quote.symbol)
    if not held:
        return
    hours = state.hours.get(state.instruments[quote.symbol].session)
    stale = now - quote.at > around.policy.max_quote_age_ns
    if hours is None or not hours.is_open(now) or quote.suspended or stale:
        return
    for cl_ord_id in list(held):
        order = state.orders.open.get(cl_ord_id)
        if order is None or order.may_be_at_broker:
            continue
        stop = order.stop_px
        assert stop is not None
        buying = order.side is Side.BUY
        seen = quote.last
        if seen is None or (quote.ask if buying else quote.bid) is not None:
            seen = quote.ask if buying else quote.bid
        if seen is None or (seen < stop if buying else seen > stop):
            continue
        yield StopTriggered(now, cl_ord_id, seen, quote.at)
        yield from send_late(state, around, order, now)


def worst_cost(state: State, around: Surroundings, want: SubmitOrder, instrument: Instrument, quote: Quote | None) -> Amount:
    """Cash an order may cost at worst, fees included, rounded up; what it is reserved for until it closes.

    A market order is bounded by the offer plus the policy's buffer, and by the day's upper limit. Without a price the bound
    is zero and the freshness check refuses the order.
    """
    buying = want.side is Side.BUY
    only_closes = closes(want.side, want.position_effect, instrument)
    if not buying and (only_closes or instrument.asset_class is not AssetClass.FUTURE):
        return Amount(ZERO)
    px = bound_px(around, want.ord_type, want.price, want.stop_px, instrument, quote)
    if px is None:
        return Amount(ZERO)
    value = instrument.notional(px, want.order_qty)
    if value.adjusted() >= VALUE_DIGITS_MAX:
        raise BadInput(
            f"{want.order_qty} {want.symbol} at {px} was worth {value:.2E} {instrument.currency}; "
            f"expected less than 1E+{VALUE_DIGITS_MAX}, check quantity and price"
        )
    close_today = want.position_effect is PositionEffect.CLOSE_TODAY
    cost = instrument.fees.fee(want.side, want.order_qty, value, close_today=close_today)
    if instrument.asset_class is AssetClass.FUTURE:
        if not only_closes:
            held = state.held(want.account, want.symbol)
            opening = want.order_qty
            if want.position_effect is PositionEffect.AUTO:
                closable = (held.short_qty if buying else held.long_qty) - _closing(state, want)
                opening = Qty(max(want.order_qty - max(closable, ZERO), ZERO))
            cost = Amount(cost + instrument.notional(px, opening) * (instrument.margin_rate or Decimal(1)))
    else:
        cost = Amount(cost + value)
    return Amount(cost.quantize(instrument.fees.quantum, rounding=ROUND_UP))


def _closing(state: State, want: SubmitOrder) -> Decimal:
    """What working orders of the same side may already close: two orders never count on the same contracts."""
    working = state.working.get((want.account, want.symbol), {})
    others = (state.orders.open[cl_ord_id] for cl_ord_id in working)
    opens = PositionEffect.OPEN
    return sum((o.leaves_qty for o in others if o.side is want.side and o.position_effect is not opens), ZERO)


def bound_px(
    around: Surroundings, ord_type: OrdType, price: Px | None, stop_px: Px | None, instrument: Instrument, quote: Quote | None
) -> Decimal | None:
    """The highest price an order is expected to pay; None when nothing is known."""
    if ord_type is OrdType.LIMIT or ord_type is OrdType.STOP_LIMIT:
        return price
    seen = None if quote is None else (quote.ask if quote.ask is not None else quote.mid_or_last)
    if stop_px is not None:
        seen = stop_px if seen is None else max(seen, stop_px)
    if seen is None:
        return None
    bound = seen * (1 + around.policy.market_buffer)
    band = instrument.band(quote.prev_close) if quote is not None and quote.prev_close is not None else None
    return bound if band is None else min(bound, band[1])


def order_of_run(
    account: AccountID, symbol: Symbol, side: Side, qty: Qty, effect: PositionEffect, by: str, reason: str
) -> SubmitOrder:
    """The order a run's leg asks for: at the market (S0-3, S0-27)."""
    return SubmitOrder(account=account, symbol=symbol, side=side, order_qty=qty, by=by, position_effect=effect, reason=reason)


def _arrival(quote: Quote | None) -> Px | None:
    seen = quote.mid_or_last if quote is not None else None
    return Px(seen) if seen is not None else None


def _consistent(command: SubmitOrder) -> None:
    """An order's prices agree with its type, and all its numbers are positive and such that the ledger carries them exactly."""
    for number, what in ((command.order_qty, "order_qty"), (command.price, "price"), (command.stop_px, "stop_px")):
        if number is not None and not is_exact(number):
            raise BadInput(
                f"{what} was {str(number)[:40]}; expected a number of at most {SIGNIFICANT_DIGITS_MAX} significant digits "
                f"and {DECIMAL_PLACES_MAX} decimal places"
            )
    if command.order_qty <= ZERO:
        raise BadInput(f"order_qty was {command.order_qty}; expected more than zero, the side says the direction")
    if command.ord_type is OrdType.MARKET and command.price is None and command.stop_px is None:
        return
    wants_price = command.ord_type in (OrdType.LIMIT, OrdType.STOP_LIMIT)
    wants_stop = command.ord_type in (OrdType.STOP, OrdType.STOP_LIMIT)
    for wanted, value, what in ((wants_price, command.price, "price"), (wants_stop, command.stop_px, "stop_px")):
        if wanted and value is None:
            raise BadInput(f"a {command.ord_type.value} order needs {what}; none was given")
        if not wanted and value is not None:
            raise BadInput(f"a {command.ord_type.value} order has no {what}; {what} was {value}")
        if value is not None and value <= ZERO:
            raise BadInput(f"{what} was {value}; expected more than zero")
