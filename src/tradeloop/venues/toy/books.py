"""The toy venue's books: orders, trades, positions and cash of one account, in the venue's own words.

They are the judge of every test: what an adapter reports is compared with what stands here, never with what it sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.core.types import ZERO

OPEN: Final = frozenset({"working", "part"})
FEE_PER_UNIT: Final = Decimal("0.001")


class ToyOrder(msgspec.Struct):
    """One order. `cl_ord_id` is None for one that was typed at the venue."""

    order_id: str
    cl_ord_id: str | None
    symbol: str
    side: str
    qty: Decimal
    type: str
    px: Decimal | None
    tif: str
    day: str
    placed_at: int
    cum: Decimal = ZERO
    status: str = "working"
    text: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it can still trade."""
        return self.status in OPEN

    @property
    def leaves(self) -> Decimal:
        """What can still trade."""
        return self.qty - self.cum if self.is_open else ZERO


class ToyTrade(msgspec.Struct):
    """One trade of an order, as it stands now; `busted` once it was taken back."""

    exec_id: str
    order_id: str
    cl_ord_id: str | None
    symbol: str
    side: str
    qty: Decimal
    px: Decimal
    fee: Decimal
    day: str
    at: int
    busted: bool = False


class ToyBooks:
    """Everything the venue knows of one account."""

    def __init__(self, account: str, day: str, opened_at: int, cash: Decimal, fee_per_unit: Decimal = FEE_PER_UNIT) -> None:
        self.account = account
        self.day = day
        self.opened_at = opened_at
        self.cash = cash
        self.fee_per_unit = fee_per_unit
        self.orders: dict[str, ToyOrder] = {}
        self.trades: dict[str, ToyTrade] = {}
        self.positions: dict[str, Decimal] = {}
        self.bought: dict[str, Decimal] = {}
        """Of each symbol, what was bought today."""
        self.pays_next = False
        """Whether the next trade brings its fee instead of costing it."""
        self._numbers = 0

    def number(self) -> int:
        """The next number; orders and trades share one row of them."""
        self._numbers += 1
        return self._numbers

    def of_client(self, cl_ord_id: str) -> Iterator[ToyOrder]:
        """The orders that bear this client id, oldest first; more than one where ids are not remembered."""
        return (order for order in self.orders.values() if order.cl_ord_id == cl_ord_id)

    def newest_of(self, cl_ord_id: str) -> ToyOrder | None:
        """The last order that bears this client id."""
        newest: ToyOrder | None = None
        for order in self.of_client(cl_ord_id):
            newest = order
        return newest

    def trade(self, order: ToyOrder, qty: Decimal, px: Decimal, at: int) -> ToyTrade:
        """Book a trade of the order."""
        fee = qty * (-self.fee_per_unit if self.pays_next else self.fee_per_unit)
        self.pays_next = False
        trade = ToyTrade(
            f"T{self.number():06}", order.order_id, order.cl_ord_id, order.symbol, order.side, qty, px,
            fee, self.day, at,
        )  # fmt: skip
        self.trades[trade.exec_id] = trade
        order.cum += qty
        if order.is_open:
            order.status = "done" if order.cum >= order.qty else "part"
        self._move(trade, 1)
        return trade

    def begin(self, day: str, at: int) -> None:
        """A trading day begins."""
        self.day, self.opened_at = day, at
        self.bought.clear()

    def take_back(self, trade: ToyTrade) -> None:
        """A trade never was: an order that it had completed works again."""
        trade.busted = True
        self._move(trade, -1)
        order = self.orders[trade.order_id]
        order.cum -= trade.qty
        self._reopen(order)

    def amend(self, trade: ToyTrade, qty: Decimal, px: Decimal) -> None:
        """A trade's figures were always these."""
        self._move(trade, -1)
        order = self.orders[trade.order_id]
        order.cum += qty - trade.qty
        trade.qty, trade.px, trade.fee = qty, px, qty * self.fee_per_unit
        self._move(trade, 1)
        self._reopen(order)

    def _reopen(self, order: ToyOrder) -> None:
        if order.status in {"working", "part", "done"}:
            order.status = "done" if order.cum >= order.qty else "part" if order.cum else "working"

    def _move(self, trade: ToyTrade, sign: int) -> None:
        signed = trade.qty if trade.side == "B" else -trade.qty
        held = self.positions.get(trade.symbol, ZERO) + sign * signed
        self.positions[trade.symbol] = held
        if trade.side == "B" and trade.day == self.day:
            self.bought[trade.symbol] = self.bought.get(trade.symbol, ZERO) + sign * trade.qty
        self.cash -= sign * (signed * trade.px + trade.fee)
