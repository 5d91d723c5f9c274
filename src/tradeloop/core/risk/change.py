"""The gate for other terms of an order: what passed once passes anew under what is asked for now.

The order's own promise of cash and shares counts for it: only what the new terms take beyond that has to be free. A change that
only lessens what the order may do (a smaller quantity, at no worse a price) is let through where a new order would not be: it
takes risk away, and of limits it needs room for one more request alone.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.core.confirmation import Confirmation
from tradeloop.core.events import OrderStaged
from tradeloop.core.instrument import Instrument
from tradeloop.core.order import Order
from tradeloop.core.replacement import Replacement, Terms
from tradeloop.core.risk.checks import (
    GATE,
    Check,
    closable_qty,
    equity_known,
    inside_cage,
    legal_price,
    lots,
    not_halted,
    not_stopped,
    order_type_known,
    promised_qty,
    settled,
    working_type,
)
from tradeloop.core.risk.cost import closes, unbounded, worst_cost
from tradeloop.core.risk.denied import Denied, of_account, of_holding
from tradeloop.core.risk.judging import PASSED, Verdict, denied, judge
from tradeloop.core.risk.live import account_listed, change_confirmed, run_confirmed
from tradeloop.core.risk.registry import RULES
from tradeloop.core.risk.rule import Look
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import ZERO, Amount, OrdType, Qty, Side, UtcNs

_NOTHING: Final = Amount(ZERO)
_CALMING: Final = tuple(
    rule for rule in GATE if rule not in (not_halted, not_stopped, equity_known, account_listed, run_confirmed)
)


def need(state: State, around: Surroundings, order: Order, terms: Terms, closed_before: Decimal | None = None) -> Amount:
    """The cash an order may cost at worst under these terms, for what of it has not filled. `closed_before`: what others may
    close before it, where that is not all that works on its side.
    """
    left = Qty(max(terms.order_qty - order.cum_qty, ZERO))
    if not left:
        return Amount(ZERO)
    # A stranger's order first seen as a fill had no price; it is the limit order that its price makes of it.
    limit = order.external and terms.price is not None
    ord_type = OrdType.LIMIT if limit else order.ord_type
    rest = msgspec.structs.replace(order, order_qty=left, price=terms.price, stop_px=terms.stop_px, ord_type=ord_type)
    filled = order if order.cum_qty else None
    quote = around.quotes.get(order.symbol)
    return worst_cost(state, around, rest, state.instruments[order.symbol], quote, filled, closed_before)


def need_while_asked(
    state: State, around: Surroundings, order: Order, terms: Terms, closed_before: Decimal | None = None
) -> Amount:
    """The cash an order may cost at worst until its broker has answered: what may still fill fills at the dearest of the terms
    in force and those asked for before, and the rest at the new ones.
    """
    return _need_after(state, around, order, terms, order.most_qty, closed_before)


def need_in_force(state: State, around: Surroundings, order: Order, terms: Terms, filled: Qty) -> Amount:
    """The same once these terms are in force: of what the broker says has `filled`, what was not heard of yet may have filled
    at the dearest of the terms before.
    """
    return _need_after(state, around, order, terms, filled)


def _need_after(
    state: State, around: Surroundings, order: Order, terms: Terms, before: Qty, closed_before: Decimal | None = None
) -> Amount:
    """What may still be heard of at worst where the first `before` of the order may fill, or have filled, at earlier terms."""
    asked = [one.terms for one in order.replaces or ()]
    prices = [price for price in (order.price, *(one.price for one in asked)) if price is not None]
    plain = need(state, around, order, terms, closed_before)
    if not prices or terms.price is None or max(prices) <= terms.price:
        return plain
    first = Qty(min(before, terms.order_qty))
    dear = need(state, around, order, Terms(first, max(prices), terms.stop_px), closed_before)
    cheap = need(state, around, order, Terms(first, terms.price, terms.stop_px), closed_before)
    return Amount(plain + max(dear - cheap, ZERO))


def check(
    state: State,
    around: Surroundings,
    order: Order,
    terms: Terms,
    needed: Amount,
    now: UtcNs,
    by: str = "",
    approved_by: str = "",
    confirmed: Confirmation | None = None,
) -> Verdict:
    """The first rule that says no to these terms, and what the limits say of them. The gate is asked where the change goes out
    now. `by` asks for these terms, and `approved_by` agreed to them: somebody else than who asks, whoever sent the order. Who
    agreed to those before did not see these, and agreed to whatever lessens them. `confirmed`: what they confirmed, where a
    live account asks for that.
    """
    instrument = state.instruments[order.symbol]
    less = lessens(order, terms)
    intent = as_intent(order, terms, needed, approved_by or (order.approved_by if less else ""), by)
    gate = () if not order.may_be_at_broker else (_CALMING if less else GATE)
    more: tuple[Check, ...] = () if terms.order_qty <= order.most_qty else (settled,)
    for rule in (*gate, order_type_known, legal_price, inside_cage, *more):
        refused = rule(state, around, intent, instrument, now)
        if refused is not None:
            return Verdict(refused)
    free = closable_qty(state, intent, instrument)
    refused = (
        lots(intent, instrument, order.frozen + order.cum_qty + free)
        or _shares(state, order, intent, terms, instrument, free)
        or _cash(state, order, intent, needed, instrument)
    )
    if refused is None and not less:
        refused = _unseen(state, around, order, terms, needed, instrument)
    if refused is not None:
        return Verdict(refused)
    verdict = PASSED
    if state.limits:
        verdict = _at_once(order, judge(Look(state, around, intent, instrument, now, order), lessens=less))
    if verdict.denied is not None or less:
        return verdict
    return Verdict(change_confirmed(state, around, intent, instrument, confirmed), verdict.told, verdict.waits_for)


def _at_once(order: Order, verdict: Verdict) -> Verdict:
    """A change does not wait for room as an order does: beyond a limit that throttles it is refused. Of an order that has not
    left nothing is asked of its broker, and it asks for room itself when it leaves.
    """
    beyond = verdict.waits_for
    if beyond is None or verdict.denied is not None:
        return verdict
    if not order.may_be_at_broker:
        return Verdict(None, verdict.told)
    return Verdict(denied(RULES[beyond.limit.rule], beyond), verdict.told)


def as_intent(order: Order, terms: Terms, reserve: Amount = _NOTHING, approved_by: str = "", by: str = "") -> OrderStaged:
    """The order as it would be asked for under these terms; a stop that has fired is judged by its own price alone. `reserve`:
    what it may cost under them, where that is asked. `approved_by`: who agreed to them, and `by`: who
    asked for them, where that is somebody else than who sent the order.
    """
    return OrderStaged(
        order.staged_at,
        order.cl_ord_id,
        order.broker,
        order.account,
        order.symbol,
        order.side,
        terms.order_qty,
        order.ord_type,
        terms.price,
        terms.stop_px if order.triggered_at is None else None,
        order.tif,
        order.position_effect,
        order.trading_day,
        by or order.by,
        order.risk_version,
        reserve,
        strategy_id=order.strategy_id,
        halt=order.halt,
        approved_by=approved_by,
    )


def lessens(order: Order, terms: Terms) -> bool:
    """Whether these terms ask for no more of the order, at no worse a price, than those that it may come to already."""
    if terms.order_qty > order.most_qty or terms.stop_px != order.stop_px:
        return False
    return _no_worse(order, terms)


def _no_worse(order: Order, terms: Terms) -> bool:
    if order.price is None or terms.price is None:
        return order.price == terms.price
    return terms.price <= order.price if order.side is Side.BUY else terms.price >= order.price


def calms(order: Order, terms: Terms) -> bool:
    """Whether these terms take risk away from those in force; asked at the wire, where the change waits itself."""
    if terms.order_qty > order.order_qty or (terms.stop_px != order.stop_px and order.triggered_at is None):
        return False
    return _no_worse(order, terms)


def _shares(
    state: State, order: Order, intent: OrderStaged, terms: Terms, instrument: Instrument, free: Decimal
) -> Denied | None:
    if not closes(order.side, order.position_effect, instrument):
        return None
    more = terms.order_qty - order.cum_qty - order.frozen
    if more <= free:
        return None
    promised = promised_qty(state, intent, instrument)
    return Denied(
        "sellable",
        f"{free + promised:f}",
        f"{promised:f}",
        f"{order.side.value} of {terms.order_qty:f} {order.symbol} would close {more:f} more than order {order.cl_ord_id} was "
        f"promised, only {free:f} may be closed now (held, settled and not in another order)",
        of_holding(order),
        f"{more:f}",
    )


def _cash(state: State, order: Order, intent: OrderStaged, needed: Amount, instrument: Instrument) -> Denied | None:
    if not needed:
        return None  # or it cannot be named: see `_unseen`
    more = needed - order.reserved
    book = state.accounts[order.account].cash.get(instrument.currency)
    free, reserved = (book.free, book.reserved) if book is not None else (ZERO, ZERO)
    if more <= max(free, ZERO):
        return None
    return Denied(
        "cash",
        f"{free + reserved:f}",
        f"{reserved:f}",
        f"{order.side.value} {intent.order_qty:f} {order.symbol} may cost {needed:f} {instrument.currency} from here, "
        f"{order.reserved:f} is reserved for it and {free:f} is free; reduce the order or add funds",
        of_account(order),
        f"{more:f}",
    )


def _unseen(
    state: State, around: Surroundings, order: Order, terms: Terms, needed: Amount, instrument: Instrument
) -> Denied | None:
    """Whether nobody knows what terms that ask for more may cost, or what a sell may be worth: a limit is the least it gets."""
    left = Qty(max(terms.order_qty - order.cum_qty, ZERO))
    if not left or (needed and (order.side is Side.BUY or terms.price is None)):
        return None
    rest = msgspec.structs.replace(order, order_qty=left, price=terms.price, stop_px=terms.stop_px)
    return unbounded(state, around, rest, instrument)


def replacement(order: Order, terms: Terms, number: int, *, holds_stops: bool) -> Replacement:
    """The change as its broker gets it."""
    return Replacement(
        order.broker,
        order.account,
        order.cl_ord_id,
        order.order_id,
        order.symbol,
        order.side,
        working_type(order.ord_type, holds_stops=holds_stops),
        order.position_effect,
        number,
        terms.order_qty,
        terms.price,
        terms.stop_px,
    )
