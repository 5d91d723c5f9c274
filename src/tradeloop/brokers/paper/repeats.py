"""What the paper broker answers to an order that bears the client id of an earlier one.

With other content it is refused. With the same it changes nothing and is told how the first one stands now: whoever asks twice
missed the answer, and an ack alone would let an order that has ended work there for ever.
"""

from __future__ import annotations

from tradeloop.brokers.paper.books import Books
from tradeloop.brokers.paper.records import PaperOrder
from tradeloop.brokers.paper.words import MEANING, Code
from tradeloop.core.reports import CancelAck, OrderAck, OrderExpire, OrderReject, Report
from tradeloop.core.types import ClOrdID, OrdStatus, Qty, UtcNs


def answers(books: Books, first: PaperOrder, repeat: PaperOrder, cl_ord_id: ClOrdID, now: UtcNs) -> list[Report]:
    """The reports that answer `repeat`, given the order that bore its id before."""
    if not first.same_content(repeat):
        text = f"{MEANING[Code.DUPLICATE_CL_ORD_ID]}: it is {first.order_id}"
        return [OrderReject(books.broker, cl_ord_id, Code.DUPLICATE_CL_ORD_ID.value, text, now, of_repeat=True)]
    if first.ord_status is OrdStatus.REJECTED:
        return [OrderReject(books.broker, cl_ord_id, first.code, first.text, now)]
    told: list[Report] = [OrderAck(books.broker, cl_ord_id, first.order_id, first.placed_at)]
    if first.cum_qty:
        told.extend(e for e in books.executions_since(first.placed_at) if e.order_id == first.order_id)
    if first.ord_status is OrdStatus.CANCELED:
        told.append(CancelAck(books.broker, cl_ord_id, first.text, None, Qty(first.cum_qty), first.order_id))
    elif first.ord_status is OrdStatus.EXPIRED:
        told.append(OrderExpire(books.broker, cl_ord_id, first.text, None, Qty(first.cum_qty), first.order_id))
    return told
