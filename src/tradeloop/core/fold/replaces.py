"""Facts of other terms for an order: asked for, in force, refused, lost on the way, or made by the broker alone."""

from __future__ import annotations

from tradeloop.core import events as ev
from tradeloop.core.booking import order_of, settle_terms
from tradeloop.core.days import day_of
from tradeloop.core.fold.orders import heard, number_of_day, numbered, request_made
from tradeloop.core.order import NO_DAY, Order
from tradeloop.core.ordered import added_value
from tradeloop.core.replacement import Asked, Terms
from tradeloop.core.state import State


def replace_requested(state: State, e: ev.ReplaceRequested) -> None:
    order = order_of(state, e.cl_ord_id)
    _count(state, order, e)
    if not order.replaces:
        order.own_reserve, order.replaces = order.reserved, []
    order.replaces.append(Asked(e.number, Terms(e.order_qty, e.price, e.stop_px), e.at, e.need))
    order.replace_asks = e.number
    order.cancel_unheard = False  # whoever changes it wants it
    if e.approved_by:
        order.approved_by = e.approved_by
    if e.confirmed is not None:
        order.live, order.shown_px = True, e.confirmed.px
    if e.request_id:
        state.keep_change(e)
    if order.may_be_at_broker:
        request_made(state, order, e.at)
    settle_terms(state, order, e.at, e.reserve)


def _count(state: State, order: Order, e: ev.ReplaceRequested) -> None:
    """What a change adds to an order is ordered that day as well."""
    instrument = state.instruments[order.symbol]
    value = added_value(order, Terms(e.order_qty, e.price, e.stop_px), order.arrival_px, instrument)
    if not value:
        return
    for day in state.activity.days(order.account, order.symbol, order.strategy_id, instrument):
        day.ordered += value


def replace_denied(state: State, e: ev.ReplaceDenied) -> None:
    if e.request_id:
        state.keep_change(e)


def order_replaced(state: State, e: ev.OrderReplaced) -> None:
    order = order_of(state, e.cl_ord_id)
    order.own_reserve = e.need
    order.replaced = e.number
    order.replaces = [asked for asked in order.replaces or () if asked.number > e.number] or None
    _terms(state, order, e)
    settle_terms(state, order, e.at, e.reserve)


def replace_rejected(state: State, e: ev.ReplaceRejected) -> None:
    order = order_of(state, e.cl_ord_id)
    order.replaces = [asked for asked in order.replaces or () if asked.number != e.number] or None
    settle_terms(state, order, e.at, e.reserve)


def replace_fate_lost(state: State, e: ev.ReplaceFateLost) -> None:
    order = state.orders.open[e.cl_ord_id]
    order.updated_at = e.at
    for asked in order.replaces or ():
        if asked.number == e.number:
            asked.unknown_at = e.at


def order_restated(state: State, e: ev.OrderRestated) -> None:
    order = order_of(state, e.cl_ord_id)
    order.own_reserve = e.need
    if e.text:
        order.text = e.text
    heard(state, order, e.at)
    _terms(state, order, e)
    settle_terms(state, order, e.at, e.reserve)


def _terms(state: State, order: Order, e: ev.OrderReplaced | ev.OrderRestated) -> None:
    if order.first_terms is None:
        order.first_terms = order.terms
    order.order_qty, order.price, order.stop_px = e.order_qty, e.price, e.stop_px
    order.terms_at = e.at
    order.terms_took_effect_at = None if e.shown else e.transact_at
    if e.transact_at is not None:
        order.terms_said_at = e.transact_at
    if e.order_id is not None and e.order_id != order.order_id:
        order.order_id = e.order_id
        number_of_day(order, day_of(state, NO_DAY, order.symbol))
        numbered(state, order)
