"""Runs for tests: a target in a line, and the broker's answers by symbol instead of by order id."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tradeloop.core.commands import RetryRun, SeenPrice, StartRun, TargetLine
from tradeloop.core.inputs import TimerFired
from tradeloop.core.order import Order
from tradeloop.core.replies import RunReply
from tradeloop.core.reports import CancelAck, OrderReject
from tradeloop.core.run.conduct import ENDED
from tradeloop.core.run_book import Leg, Run
from tradeloop.core.types import Currency, Mode, Px, Qty, RunID, RunStatus, Side, Symbol, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, NOON, Number, a_quote, an_execution, an_instrument, number
from tradeloop.testing.desk import Desk

A, B, C, D = "600001.SH", "600002.SH", "600003.SH", "600004.SH"
LISTED = tuple(an_instrument(symbol) for symbol in (A, B, C, D))


def prices(*symbols: str, px: Number = 10, at: int = NOON, **changes: Any) -> tuple[SeenPrice, ...]:
    """The same price for each symbol; for all four where none is named."""
    return tuple(SeenPrice(Symbol(s), Px(number(px)), UtcNs(at), "test", **changes) for s in symbols or (A, B, C, D))


def a_run(targets: dict[str, Number], **changes: Any) -> StartRun:
    """A paper run towards weights, in the order given, priced 10 each."""
    fields: dict[str, Any] = {
        "account": ACCOUNT,
        "currency": Currency("CNY"),
        "mode": Mode.PAPER,
        "project_id": "alpha",
        "decision_snapshot_id": "s1",
        "trade_date": DAY,
        "by": "tester",
        "targets": tuple(TargetLine(Symbol(s), number(w), row) for row, (s, w) in enumerate(targets.items(), start=2)),
        "prices": prices(),
        "content_hash": "f" * 64,
    }
    fields.update(changes)
    return StartRun(**fields)


class Work:
    """One run on a desk, and the broker's answers to its orders, by symbol."""

    def __init__(self, desk: Desk, reply: object) -> None:
        assert isinstance(reply, RunReply)
        assert reply.run_id is not None, reply.failed
        self.desk = desk
        self.run_id: RunID = reply.run_id
        self._fills = 0

    @classmethod
    def begun(
        cls,
        targets: dict[str, Number],
        *,
        cash: int = 1_000_000,
        held: dict[str, int] | None = None,
        desk: Desk | None = None,
        **changes: Any,
    ) -> Work:
        """A run started on a fresh desk with four instruments, or on the one given."""
        desk = desk if desk is not None else Desk().opened(*LISTED, cash=cash, positions=held)
        return cls(desk, desk.give(a_run(targets, **changes)))

    @property
    def run(self) -> Run:
        return self.desk.state.runs[self.run_id]

    @property
    def status(self) -> RunStatus:
        return self.run.status

    @property
    def free(self) -> Decimal:
        return self.desk.state.accounts[ACCOUNT].cash[Currency("CNY")].free

    def leg(self, symbol: str) -> Leg:
        (leg,) = [leg for leg in self.run.legs if leg.line.symbol == symbol]
        return leg

    def order(self, symbol: str) -> Order:
        cl_ord_id = self.leg(symbol).cl_ord_id
        assert cl_ord_id is not None, f"{symbol} has no order yet"
        return self.desk.known(cl_ord_id)

    def sent(self) -> dict[str, int]:
        """Symbol to quantity, sells negative, of every order that has been made."""
        return {
            leg.line.symbol: int(leg.order_qty if leg.line.side is Side.BUY else -leg.order_qty)
            for leg in self.run.legs
            if leg.cl_ord_id is not None
        }

    def ack(self, *symbols: str) -> None:
        """The broker takes the orders."""
        for symbol in symbols:
            order = self.order(symbol)
            self.desk.ack(order, f"b-{order.cl_ord_id}")

    def fill(self, symbol: str, qty: Number | None = None, px: Number | None = None) -> None:
        """The broker fills what is left, or `qty` of it, buys at 10.00 and sells at 9.99."""
        order = self.order(symbol)
        self._fills += 1
        at = px if px is not None else ("10.00" if order.side is Side.BUY else "9.99")
        filled = order.leaves_qty if qty is None else Qty(number(qty))
        exec_id = f"{self.run_id}-{self._fills}"
        self.desk.give(an_execution(order.cl_ord_id, symbol, order.side, filled, at, exec_id, commission=None))

    def reject(self, symbol: str, code: str = "E1", text: str = "no") -> None:
        self.desk.give(OrderReject(BROKER, self.order(symbol).cl_ord_id, code, text))

    def canceled(self, symbol: str) -> None:
        order = self.order(symbol)
        self.desk.give(CancelAck(BROKER, order.cl_ord_id, cum_qty=order.cum_qty))

    def timer(self, kind: str, symbol: str) -> None:
        self.desk.give(TimerFired(kind, self.order(symbol).cl_ord_id))

    def retried(self, by: str = "ann", at: tuple[SeenPrice, ...] | None = None) -> Work:
        """The next attempt; prices that are given are the market's, too."""
        for seen in at or ():
            self.desk.give(a_quote(seen.symbol, bid=seen.px - Decimal("0.01"), ask=seen.px, at=self.desk.now))
        return Work(self.desk, self.desk.give(RetryRun(self.run_id, by, prices() if at is None else at)))

    @property
    def has_ended(self) -> bool:
        return self.run.status in ENDED
