"""The other side of a matrix: the broker's own books after each of its messages, which it shows after a reconnect.

It follows what it said and nothing else: what we asked for shows only once it has answered.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec
from tests.matrices.table import Message

from tradeloop.core.reports import BrokerSnapshot, Execution, OpenOrder
from tradeloop.core.types import ClOrdID, OrderID, OrdStatus, Px, Qty, Side, Symbol, TradingDay, UtcNs
from tradeloop.testing.builders import ACCOUNT, a_snapshot, an_execution

SYMBOL = Symbol("600519.SH")
DAYS = (TradingDay("2026-07-17"), TradingDay("2026-07-20"), TradingDay("2026-07-21"))
OURS, PHONED = OrderID("b1"), OrderID("p1")


class Venue:
    """One order in the broker's books; `cl_ord_id` None for one that was telephoned."""

    def __init__(self) -> None:
        self.shown = False
        self.cl_ord_id: ClOrdID | None = None
        self.order_id = OURS
        self.order_qty = Decimal(0)
        self.price = Decimal(55)
        self.ended: OrdStatus | None = None
        self.executions: dict[str, Execution] = {}
        self.day = 0

    @property
    def cum_qty(self) -> Qty:
        """What has traded, by its own count."""
        return Qty(sum((x.last_qty for x in self.executions.values()), Decimal(0)))

    def say(self, m: Message, cl_ord_id: ClOrdID | None) -> None:
        """Do to the books what a message says."""
        self.day = m.day
        self.cl_ord_id = cl_ord_id or self.cl_ord_id
        match m.verb:
            case "new order":
                self.order_qty = Decimal(m.words[0])
            case "ack":
                self.shown = True
            case "phone order":
                self.shown, self.order_id, self.order_qty = True, PHONED, Decimal(m.words[0])
            case "reject":
                self.shown, self.ended = True, OrdStatus.REJECTED
            case "canceled" | "expired":
                self.shown = True
                self.ended = OrdStatus.CANCELED if m.verb == "canceled" else OrdStatus.EXPIRED
            case "fill" | "phone fill":
                self.shown = True
                self.executions[m.words[0]] = self.execution(m, None if m.verb == "phone fill" else self.cl_ord_id)
            case "bust":
                del self.executions[m.words[0]]
            case "correct":
                known = self.executions[m.words[0]]
                qty, px = Qty(Decimal(m.words[1])), Px(Decimal(m.words[3]))
                self.executions[m.words[0]] = msgspec.structs.replace(known, last_qty=qty, last_px=px)
            case "replaced" | "restate":
                self.order_qty = Decimal(m.words[0])
                if "@" in m.words:
                    self.price = Decimal(m.words[m.words.index("@") + 1])
                if "leaves" in m.words:  # counted in the units of our fills
                    self.order_qty = self.cum_qty + Decimal(m.words[m.words.index("leaves") + 1])
            case _:
                pass

    def execution(self, m: Message, cl_ord_id: ClOrdID | None) -> Execution:
        """The fill that a message tells of."""
        exec_id, qty, _, px = m.words
        order_id = PHONED if cl_ord_id is None else OURS
        return an_execution(cl_ord_id, SYMBOL, Side.BUY, qty, px, exec_id, order_id=order_id, trading_day=DAYS[m.day])

    def books(self, now: UtcNs) -> BrokerSnapshot:
        """What it shows who asks: its order, its executions; no money and no positions, which these tables say nothing of."""
        orders: tuple[OpenOrder, ...] = ()
        if self.shown:
            status = self.ended or (OrdStatus.PARTIALLY_FILLED if self.cum_qty else OrdStatus.NEW)
            if self.ended is None and self.cum_qty >= self.order_qty:
                status = OrdStatus.FILLED
            orders = (
                OpenOrder(
                    ACCOUNT,
                    SYMBOL,
                    Side.BUY,
                    Qty(self.order_qty),
                    self.cum_qty,
                    status,
                    self.order_id,
                    self.cl_ord_id,
                    Px(self.price),
                ),
            )
        return a_snapshot(
            orders=orders,
            executions=tuple(self.executions.values()),
            as_of=now,
            positions=None,
            trading_day=DAYS[self.day],
            orders_from=DAYS[0],
        )
