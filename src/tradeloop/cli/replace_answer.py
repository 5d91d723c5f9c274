"""What became of a change of an order, as a document: the same from the process that trades and from a desk of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tradeloop.cli.denial import denied_document
from tradeloop.core.replacement import Terms

if TYPE_CHECKING:
    from tradeloop.core.commands import ReplaceOrder
    from tradeloop.core.order import Order
    from tradeloop.core.replies import OrderReply

REPLACED, PENDING, DENIED, REFUSED, UNKNOWN = "REPLACED", "PENDING", "DENIED", "REFUSED", "UNKNOWN"


def terms_of(order: Order) -> Terms:
    """The terms in force now; an order is moved by every fact about it."""
    return Terms(order.order_qty, order.price, order.stop_px)


def change_document(
    order: Order,
    before: Terms,
    command: ReplaceOrder,
    reply: OrderReply,
    change: str,
    text: str,
    why: tuple[str, str] = ("", ""),
) -> dict[str, Any]:
    """The order and its ids, the terms before, those asked for and those in force, what became of the change, and a denial with
    its parts. `why`: the broker's code and words where it refused.
    """
    asked = Terms(
        before.order_qty if command.order_qty is None else command.order_qty,
        before.price if command.price is None else command.price,
        before.stop_px if command.stop_px is None else command.stop_px,
    )
    return {
        "order": order.cl_ord_id,
        "broker_order_id": order.order_id,
        "request_id": command.request_id,
        "account_id": order.account,
        "symbol": order.symbol,
        "side": order.side.value,
        "status": order.ord_status.value,
        "cum_qty": f"{order.cum_qty:f}",
        "change": DENIED if reply.denied is not None else change,
        "repeat": reply.repeat,
        "before": _plain(before),
        "asked": _plain(asked),
        "in_force": _plain(terms_of(order)),
        "denied": None if reply.denied is None else denied_document(reply.denied),
        "error_code": why[0],
        "error": why[1],
        "done": text,
    }


def _plain(terms: Terms) -> dict[str, str | None]:
    return {
        "qty": f"{terms.order_qty:f}",
        "price": None if terms.price is None else f"{terms.price:f}",
        "stop_px": None if terms.stop_px is None else f"{terms.stop_px:f}",
    }
