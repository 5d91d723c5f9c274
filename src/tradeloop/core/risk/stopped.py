"""What a halt stops: the first check of every order, asked again at the wire for what was staged before the halt."""

from __future__ import annotations

from decimal import Decimal

from tradeloop.core.breaks import theirs_of
from tradeloop.core.events import OrderStaged
from tradeloop.core.halt import Halt, HaltScope, HaltTier
from tradeloop.core.instrument import Instrument
from tradeloop.core.order import Order
from tradeloop.core.risk.cost import closes, closing_qty
from tradeloop.core.risk.denied import Denied, asked_for
from tradeloop.core.state import State
from tradeloop.core.types import AccountID, PositionEffect, Side

HALTED = "halted"
REDUCE_ONLY = "reduce_only"


def stopped(state: State, order: OrderStaged | Order, instrument: Instrument) -> Denied | None:
    """Why an order may not leave now, or None."""
    for halt in state.halts.values():
        if stops(state, halt, order, instrument):
            return denial(halt, asked_for(order))
    return _beyond_theirs(state, order, instrument) if order.halt and state.breaks else None


def stops(state: State, halt: Halt, order: OrderStaged | Order, instrument: Instrument) -> bool:
    """Whether this halt holds the order back."""
    if not halt.covers(order) or closes_under(state, order, halt):
        return False
    return halt.tier is not HaltTier.REDUCE_ONLY or not reduces(state, order, instrument)


def closes_under(state: State, order: OrderStaged | Order, halt: Halt) -> bool:
    """Whether the order is the work of a FLATTEN that this halt does not stop: it is this one, or came after it, or the halt
    yields. A person's halt that comes after the FLATTEN stops its orders, too: how else could it be stopped?
    """
    return order.halt in state.halts and (halt.number <= order.halt or halt.yields)


def canceling(state: State, order: Order) -> Halt | None:
    """The halt that wants this order out of the market, or None."""
    for halt in state.halts.values():
        if halt.tier.cancels and halt.covers(order) and not closes_under(state, order, halt):
            return halt
    return None


def denial(halt: Halt, asked: str = "") -> Denied:
    """What somebody is told who `asked` for an order that is stopped: who halted what, when and why, and how it is released."""
    what = "takes only orders that reduce a position" if halt.tier is HaltTier.REDUCE_ONLY else "takes no new orders"
    return Denied(
        REDUCE_ONLY if halt.tier is HaltTier.REDUCE_ONLY else HALTED,
        "no halt",
        f"{halt.tier.value} of {halt.where}",
        f"{halt.where} {what}: {halt.said}; whoever has looked releases it with `{halt.release}`",
        "global" if halt.scope is HaltScope.GLOBAL else halt.where,
        asked,
    )


def _beyond_theirs(state: State, order: OrderStaged | Order, instrument: Instrument) -> Denied | None:
    """A closing order may open at the broker what it is to close, where that shows less than we do."""
    theirs = theirs_of(state, order.broker, order.account, order.symbol, short=order.side is Side.BUY)
    if theirs is None or reduces(state, order, instrument):
        return None
    return Denied(
        REDUCE_ONLY,
        f"{theirs:f}",
        f"{order.order_qty:f}",
        f"the broker shows {theirs:f} {order.symbol} to close, and an order of {order.order_qty:f} may with those at work be "
        "for more; settle the break, see `tradeloop reconcile`",
    )


def stopped_run(state: State, account: AccountID, broker: str, strategy: str) -> Denied | None:
    """Why no run of an account and strategy could send anything now, or None."""
    for halt in state.halts.values():
        if halt.tier is not HaltTier.REDUCE_ONLY and halt.covers_all_of(broker, account, strategy):
            return denial(halt)
    return None


def reduces(state: State, order: OrderStaged | Order, instrument: Instrument) -> bool:
    """Whether an order can only make a position smaller, whatever becomes of the others that work on the same side. Where the
    broker shows less of it than we do, it may be that there is no more: it counts as theirs.
    """
    if order.position_effect is PositionEffect.OPEN and not closes(order.side, order.position_effect, instrument):
        return False
    position = state.held(order.account, order.symbol)
    held: Decimal = position.long_qty if order.side is Side.SELL else position.short_qty
    if state.breaks:
        theirs = theirs_of(state, order.broker, order.account, order.symbol, short=order.side is Side.BUY)
        held = held if theirs is None else min(held, theirs)
    wanted = order.exposed_qty if isinstance(order, Order) else order.order_qty
    if wanted > held:
        return False
    of = (order.account, order.symbol, order.side, order.cl_ord_id)
    return wanted <= held - closing_qty(state, *of) - state.offers.opening(*of)
