"""The one gate between an intent and the wire, for orders of programs and of people alike.

`check` gives the verdict on an intent, by the checks that hold for every order and then by the limits in force
(core/risk/judging.py); it becomes OrderStaged or OrderDenied. `recheck` asks the gate again for an order
that is sent later than it was staged. `approved` is the only maker of `Approved[Order]`, which is all that `Broker.place`
accepts.
"""

from __future__ import annotations

from typing import Final

from tradeloop.core.events import OrderStaged
from tradeloop.core.instrument import Instrument
from tradeloop.core.order import Order
from tradeloop.core.replacement import Replacement
from tradeloop.core.risk import checks, live
from tradeloop.core.risk.approved import Approved
from tradeloop.core.risk.change import as_intent, replacement
from tradeloop.core.risk.checks import BOOKS, GATE, MARKET, Check, settled, still_held
from tradeloop.core.risk.cost import unbounded, worst_cost
from tradeloop.core.risk.denied import Denied, of_account
from tradeloop.core.risk.judging import PASSED, Verdict, judge
from tradeloop.core.risk.older_first import closed_before
from tradeloop.core.risk.rule import Look
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import ZERO, Amount, UtcNs

RISK_VERSION: Final = "13"
"""Changes whenever a check does; journalled with every order."""

PIPELINE: Final = GATE + BOOKS
"""The checks that hold for every order, in the order in which they are asked."""

LAST: Final[tuple[Check, ...]] = (live.order_confirmed,)
"""Asked after the limits: nobody is asked for their word, and no code is spent, for what cannot go anyhow."""

SAYS: Final[dict[Check, tuple[str, ...]]] = {
    checks.not_stopped: ("halted", "reduce_only"),
    live.account_listed: ("live_account",),
    live.run_confirmed: ("live_confirmation",),
    live.own_confirmed: ("live_confirmation",),
    checks.equity_known: ("equity_known",),
    checks.broker_ready: ("broker_ready",),
    checks.session_open: ("session_open",),
    checks.takes_market_orders: ("limits_only",),
    checks.not_halted: ("halted",),
    checks.not_quarantined: ("fate_unknown",),
    checks.not_doubted: ("fill_twice",),
    checks.quote_fresh: ("quote_fresh", "suspended"),
    checks.order_type_known: ("order_type", "time_in_force"),
    checks.legal_quantity: ("exact_qty", "lot", "order_qty_max"),
    checks.legal_price: ("tick", "price_limit"),
    checks.inside_cage: ("price_cage",),
    checks.closable: ("sellable",),
    checks.settled: ("sellable",),
    checks.effect_known: ("position_effect",),
    checks.bounded: ("order_value", "no_price"),
    checks.cash_free: ("cash",),
    live.order_confirmed: ("live_confirmation", "live_changed"),
}
"""The codes (core/risk/codes.py) that each of them can say no with."""


def version(state: State) -> str:
    """What an order has passed: the checks, and how often the limits had changed by then."""
    return f"{RISK_VERSION}.{state.limits.version}" if state.limits else RISK_VERSION


def check(state: State, around: Surroundings, intent: OrderStaged, instrument: Instrument, now: UtcNs) -> Verdict:
    """The first rule that says no; and what the limits say beside that."""
    for rule in PIPELINE:
        denied = rule(state, around, intent, instrument, now)
        if denied is not None:
            return Verdict(denied)
    verdict = judge(Look(state, around, intent, instrument, now)) if state.limits else PASSED
    if verdict.denied is None:
        for rule in LAST:
            denied = rule(state, around, intent, instrument, now)
            if denied is not None:
                return Verdict(denied, verdict.told)
    return verdict


def judge_late(state: State, around: Surroundings, order: Order, now: UtcNs) -> Verdict:
    """What the limits say of an order that is sent later than it was made: those that are asked again whenever one is; and
    where limits have changed since it was made, all of them, as of a new order.
    """
    if not state.limits:
        return PASSED
    changed = order.risk_version != version(state)
    needs = more_cash(state, around, order) if changed else order.reserved
    reserve = order.reserved if isinstance(needs, Denied) else needs
    intent = as_intent(order, order.terms, reserve, order.approved_by)
    look = Look(state, around, intent, state.instruments[order.symbol], now, order, late=changed)
    return judge(look, at_send=not changed)


def recheck(state: State, around: Surroundings, order: Order, now: UtcNs) -> Denied | None:
    """Whether a staged order may leave now: the gate, the day's steps and limits, and a price that has not run away since.

    What BOOKS promised it may be gone since, by a trade made elsewhere; it never closes more than is there. What it may cost
    at present prices is `more_cash`'s question.
    """
    instrument = state.instruments[order.symbol]
    for rule in GATE + MARKET:
        denied = rule(state, around, order, instrument, now)
        if denied is not None:
            return denied
    denied = still_held(state, order, instrument) or settled(state, around, order, instrument, now)
    if denied is not None:
        return denied
    if order.is_held or order.stop_px is not None:
        return None
    made, shown = order.arrival_px, order.shown_px
    return live.drifted(around, order, made, "the order was made; a person decides whether it goes") or live.drifted(
        around, order, shown, "it was shown and confirmed; make and confirm a new one"
    )


def more_cash(state: State, around: Surroundings, order: Order) -> Amount | Denied:
    """The reserve a staged order needs at present prices: at least what it has; Denied where free cash does not cover it. What
    is held older orders close before it, and it before younger ones.
    """
    instrument = state.instruments[order.symbol]
    before = closed_before(state, order)
    cost = worst_cost(state, around, order, instrument, around.quotes.get(order.symbol), closed_before=before)
    if not cost:
        return unbounded(state, around, order, instrument, before) or order.reserved
    if cost <= order.reserved:
        return order.reserved
    book = state.accounts[order.account].cash.get(instrument.currency)
    free, reserved = (book.free, book.reserved) if book is not None else (ZERO, ZERO)
    if cost - order.reserved <= free:
        return cost
    return Denied(
        "cash",
        f"{free + reserved:f}",
        f"{reserved:f}",
        f"{order.side.value} {order.order_qty:f} {order.symbol} may cost {cost:f} {instrument.currency} at present prices, "
        f"{order.reserved:f} is reserved for it and {free:f} is free; add funds and order again",
        of_account(order),
        f"{cost - order.reserved:f}",
    )


def approved_change(order: Order, number: int, *, holds_stops: bool) -> Approved[Replacement]:
    """The proof for the wire that the terms asked for by the `number`th replace of an order have passed."""
    asked = next((one for one in order.replaces or () if one.number == number), None)
    if order.external or not order.risk_version or asked is None:
        raise ValueError(f"replace {number} of order {order.cl_ord_id} never passed risk; only one that waits can be sent")
    change = replacement(order, asked.terms, number, holds_stops=holds_stops)
    return Approved(order=change, risk_version=RISK_VERSION)


def approved(order: Order) -> Approved[Order]:
    """The proof for the wire. An order that never went through `check`, one made elsewhere above all, has none."""
    if order.external or not order.risk_version or order.staged_at <= 0:
        raise ValueError(f"order {order.cl_ord_id} never passed risk; only a staged order can be sent")
    return Approved(order=order, risk_version=order.risk_version)
