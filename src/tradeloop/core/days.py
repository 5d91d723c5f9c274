"""Stations 5 and 7: which trading day a report is of, and which order of another day it may still speak of."""

from __future__ import annotations

from tradeloop.core.order import Order
from tradeloop.core.state import State
from tradeloop.core.types import Symbol, TimeInForce, TradingDay


def day_of(state: State, told: TradingDay | None, symbol: Symbol) -> TradingDay:
    """The trading day a report is of: the one it tells, else the one its market is in."""
    if told:
        return told
    instrument = state.instruments.get(symbol)
    hours = state.hours.get(instrument.session) if instrument is not None else None
    return TradingDay("") if hours is None else hours.trading_day


def lives_on(state: State, order: Order) -> bool:
    """Whether an order may be meant by a report of another trading day than the one it was made in: it is good till
    cancelled, or nobody told us for how long it is good, or its day is not over here.
    """
    return order.external or order.tif is TimeInForce.GTC or order.trading_day == day_of(state, TradingDay(""), order.symbol)
