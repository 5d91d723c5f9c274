"""Station 4: whether an order may get other terms at all, and whether it was asked for them before.

Asked before any rule of risk: what may not be changed is refused in words that say what to do instead. What risk refuses then
is a fact of its own.
"""

from __future__ import annotations

from tradeloop.core.commands import ReplaceOrder
from tradeloop.core.errors import BadInput, Conflicts
from tradeloop.core.events import ReplaceDenied, ReplaceRequested
from tradeloop.core.order import Order
from tradeloop.core.replacement import REPLACES_MAX, UNANSWERED_MAX, Terms
from tradeloop.core.replies import OrderReply
from tradeloop.core.risk.denied import Denied
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import OrdStatus, UtcNs


def may_change(around: Surroundings, order: Order, terms: Terms) -> None:
    """Raises BadInput, with what to do instead, where the order is not ours to change now, or not changeable at its broker."""
    able = around.brokers[order.broker]
    anew = f"cancel it (`tradeloop orders cancel {order.cl_ord_id}`) and place a new one"
    if order.external:
        raise BadInput(f"order {order.cl_ord_id} was made elsewhere and never passed our risk; change it there, or {anew}")
    if order.run_id is not None:
        # Its size is the plan's: another one would leave the line's residual, the next wave's cash and the retry wrong.
        raise BadInput(
            f"order {order.cl_ord_id} works leg {order.leg} of run {order.run_id}, whose plan says its size; "
            "cancel the run and start another, or let it end and retry what is left"
        )
    ended = order.canceled_at is not None or order.expired_at is not None or order.rejected_at is not None
    if ended and order.ord_status is OrdStatus.FILLED:
        raise BadInput(
            f"order {order.cl_ord_id} had left the market before its last fill came, so it cannot get more; place a new one"
        )
    if order.is_done and (ended or terms.order_qty <= order.cum_qty or not able.replaces_filled):
        raise BadInput(f"order {order.cl_ord_id} is {order.ord_status.value} already; place a new one")
    if order.cancel_requested_at is not None:
        raise BadInput(f"a cancel of order {order.cl_ord_id} is on its way; wait for its answer")
    if order.replace_asks >= REPLACES_MAX:
        raise BadInput(f"order {order.cl_ord_id} has been changed {REPLACES_MAX} times, which is the most; {anew}")
    if not order.may_be_at_broker:
        return
    if not able.replaces:
        raise BadInput(f"broker {order.broker} cannot replace an order in one step; {anew}")
    if order.acked_at is None or order.unknown_at is not None:
        raise BadInput(
            f"order {order.cl_ord_id} is {order.ord_status.value}: the broker has not said that it has it; wait for its answer"
        )
    for asked in order.replaces or ():
        if asked.unknown_at is not None:
            raise BadInput(
                f"the fate of replace {asked.number} of order {order.cl_ord_id} ({in_words(asked.terms)}) is unknown; the "
                "broker's books will tell, wait for them or cancel the order"
            )
    if len(order.replaces or ()) >= UNANSWERED_MAX:
        raise BadInput(
            f"{UNANSWERED_MAX} changes of order {order.cl_ord_id} have no answer yet, which is the most that may wait; wait "
            "for an answer or cancel the order"
        )


def refused(command: ReplaceOrder, terms: Terms, denied: Denied, now: UtcNs) -> ReplaceDenied:
    """The fact that risk refused these terms."""
    return ReplaceDenied(
        now,
        command.cl_ord_id,
        terms.order_qty,
        terms.price,
        terms.stop_px,
        denied.rule,
        denied.limit,
        denied.was,
        denied.text,
        command.by,
        command.reason,
        command.request_id,
        denied.scope,
        denied.this_order,
        command.approved_by,
        denied.uncounted,
    )


def in_words(terms: Terms | ReplaceRequested | ReplaceDenied) -> str:
    """Terms in words."""
    where = "" if terms.price is None else f" at {terms.price:f}"
    return f"{terms.order_qty:f}{where}" + ("" if terms.stop_px is None else f" once at {terms.stop_px:f}")


def asked_before(state: State, command: ReplaceOrder) -> OrderReply | None:
    """The answer to the first request of this id. Raises Conflicts when that one asked for something else."""
    first = state.change_asked(command.request_id) if command.request_id else None
    if first is None:
        return None
    same = first.cl_ord_id == command.cl_ord_id and all(
        asked is None or asked == then
        for asked, then in (
            (command.order_qty, first.order_qty),
            (command.price, first.price),
            (command.stop_px, first.stop_px),
        )
    )
    if not same:
        raise Conflicts(
            f"request_id {command.request_id!r} has changed order {first.cl_ord_id} to {in_words(first)}; now something else "
            "is asked; a different change needs a request_id of its own"
        )
    denied = Denied.recorded(first) if isinstance(first, ReplaceDenied) else None
    return OrderReply(first.cl_ord_id, denied, repeat=True)
