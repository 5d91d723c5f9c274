"""What a person confirms of other terms for an order before they go to a live account (core/risk/live.py)."""

from __future__ import annotations

from tradeloop.core.changeable import asked_before, may_change
from tradeloop.core.commands import ReplaceOrder
from tradeloop.core.confirmation import Frozen
from tradeloop.core.errors import NotKnown
from tradeloop.core.replace import need_asked, wanted
from tradeloop.core.risk import change
from tradeloop.core.risk.denied import Denied
from tradeloop.core.risk.live import LIVE_CONFIRMATION, frozen_change
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import UtcNs


def to_confirm(state: State, around: Surroundings, command: ReplaceOrder, now: UtcNs) -> Frozen | None:
    """What a person has to confirm of other terms before they go to a live account; None where they need nobody's word, are
    denied whatever anybody says, or were asked for before. Records nothing, and raises as `ask` does.
    """
    found = looked_at(state, around, command, now)
    return found if isinstance(found, Frozen) else None


def looked_at(state: State, around: Surroundings, command: ReplaceOrder, now: UtcNs) -> Frozen | Denied | None:
    """The same, or what says no to them whatever anybody says."""
    if asked_before(state, command) is not None:
        return None
    order = state.orders.get(command.cl_ord_id)
    if order is None:
        raise NotKnown(f"order was {command.cl_ord_id!r}, which is not known; see `tradeloop orders`")
    terms = wanted(order, command)
    may_change(around, order, terms)
    need = need_asked(state, around, order, terms)
    denied = change.check(state, around, order, terms, need, now, command.by, command.approved_by).denied
    if denied is None or denied.rule != LIVE_CONFIRMATION:
        return denied
    intent = change.as_intent(order, terms, need, command.approved_by, command.by)
    return frozen_change(around, intent, state.instruments[order.symbol])
