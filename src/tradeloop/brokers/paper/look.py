"""The paper broker's books as it shows them to whoever asks: one snapshot of everything."""

from __future__ import annotations

from tradeloop.brokers.paper.books import Books
from tradeloop.brokers.paper.records import PaperOrder
from tradeloop.core.reports import BrokerSnapshot, Execution, HeldCash, HeldPosition, OpenOrder
from tradeloop.core.types import AccountID, Amount, Qty, UtcNs


def look(
    books: Books, broker: str, account: AccountID, now: UtcNs, executions: tuple[Execution, ...], since: UtcNs
) -> BrokerSnapshot:
    """Working orders and all orders of this trading day and the one before, positions, cash, and the executions given."""
    orders, first_day = books.orders_shown()
    return BrokerSnapshot(
        broker=broker,
        account=account,
        as_of=now,
        orders=tuple(map(_open_order, orders)),
        executions=executions,
        positions=tuple(
            HeldPosition(
                account,
                p.symbol,
                Qty(p.long_qty),
                Qty(p.short_qty),
                Qty(p.long_yesterday if books.instruments[p.symbol].settles_t1 else p.long_qty),
                Amount(p.long_cost if p.long_qty else p.short_cost),
            )
            for p in books.positions.values()
            if p.long_qty or p.short_qty
        ),
        cash=tuple(HeldCash(account, c.currency, Amount(c.balance), Amount(c.available)) for c in books.cash.values()),
        orders_complete=True,
        executions_since=since,
        trading_day=books.latest_day() or None,
        orders_from=first_day or None,
    )


def _open_order(order: PaperOrder) -> OpenOrder:
    return OpenOrder(
        order.account, order.symbol, order.side, order.order_qty, Qty(order.cum_qty), order.ord_status,
        order.order_id, order.cl_ord_id, order.price, order.text, order.position_effect,
    )  # fmt: skip
