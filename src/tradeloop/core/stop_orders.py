"""Stops that the engine holds: watched on every quote of their symbol, fired once, and asked again while they cannot leave."""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

from tradeloop.core import market
from tradeloop.core.events import Event, StopTriggered
from tradeloop.core.halt import HaltTier
from tradeloop.core.hours import Hours
from tradeloop.core.instrument import Instrument
from tradeloop.core.order import Order
from tradeloop.core.reports import Quote
from tradeloop.core.risk.checks import broker_ready, not_doubted, not_halted, not_quarantined, session_open
from tradeloop.core.risk.stopped import stopped
from tradeloop.core.staging import may_wait, send_late
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import BUY, STOP, AccountID, TimeInForce, UtcNs

SHARED: Final = (broker_ready, session_open, not_halted, not_quarantined, not_doubted)
"""What of the gate says the same of every order of an account in a symbol."""


def on_quote(state: State, around: Surroundings, quote: Quote, now: UtcNs) -> Generator[Event, None, None]:
    """Stops that the engine holds are watched on every quote: a buy fires at or above its stop price, a sell at or below. One
    that has fired and could not leave is asked again: what stood in its way may be gone.

    Only a quote of a market that is open, trading and seen just now fires one: fired at any other time the order could not
    be sent, and the protection would be gone.
    """
    held = state.stops.get(quote.symbol)
    if not held:
        return
    hours = state.hours.get(state.instruments[quote.symbol].session)
    if hours is None or not hours.is_open(now) or quote.suspended or not market.is_current(around, quote, now):
        return
    instrument = state.instruments[quote.symbol]
    limits_alone = hours.limits_until(now) is not None
    shut: dict[tuple[str, AccountID, str], bool] = {}
    for cl_ord_id in list(held):
        order = state.orders.open.get(cl_ord_id)
        if order is None:
            continue
        if order.triggered_at is not None:
            of = order.broker, order.account, order.strategy_id
            is_shut = shut.get(of)
            if is_shut is None:
                is_shut = shut[of] = _is_shut(state, around, order, instrument, now)
            if not (is_shut and _only_waits(order, hours)) and not order.may_be_at_broker:
                yield from send_late(state, around, order, now)
            continue
        if order.may_be_at_broker:
            continue
        stop = order.stop_px
        assert stop is not None
        buying = order.side is BUY
        seen = quote.last
        if seen is None or (quote.ask if buying else quote.bid) is not None:
            seen = quote.ask if buying else quote.bid
        reached = quote.high if buying else quote.low
        if reached is not None:
            seen = reached if seen is None else (max(seen, reached) if buying else min(seen, reached))
        if seen is None or (seen < stop if buying else seen > stop):
            continue
        if state.halts and stopped(state, order, instrument) is not None:
            continue  # it stays on watch: fired now it could not be sent, and would be gone when the halt ends
        if order.ord_type is STOP and limits_alone:
            continue  # likewise: what it becomes has no price, and this hour's auction takes none such
        yield StopTriggered(now, cl_ord_id, seen, quote.at)
        yield from send_late(state, around, order, now)


def _is_shut(state: State, around: Surroundings, order: Order, instrument: Instrument, now: UtcNs) -> bool:
    """Whether something stands in the way of this order that stands in the way of all of its account and strategy, and that
    passes by itself. Asked once for a quote, however many stops wait for it.
    """
    if any(halt.tier.cancels and halt.covers(order) for halt in state.halts.values()):
        return False  # it is to end, not to wait
    if any(halt.tier is HaltTier.HALT and halt.covers(order) for halt in state.halts.values()):
        return True
    for check in SHARED:
        denied = check(state, around, order, instrument, now)
        if denied is not None:
            return may_wait(state, order, denied, now)
    return False


def _only_waits(order: Order, hours: Hours) -> bool:
    """Whether nothing of its own asks for more than to wait: an end, above all."""
    if order.run_id is not None or order.halt or order.is_wanted_out:
        return False
    return order.tif is not TimeInForce.DAY or order.trading_day == hours.trading_day
