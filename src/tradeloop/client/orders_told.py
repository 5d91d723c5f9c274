"""Orders and fills as the desk tells them: amounts are `Decimal`, times `datetime` in UTC."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from tradeloop.client.document import Document


class Order(Document, frozen=True):
    """An order. `order_id` is ours, and the client order id at the broker; `status` is FIX's word, `s0_status` and
    `s1_status` those of the source documents for it.
    """

    order_id: str
    client_order_id: str
    broker_order_id: str | None
    account: str
    broker: str
    exchange: str
    symbol: str
    side: str
    order_type: str
    quantity: Decimal
    time_in_force: str
    price: Decimal | None
    stop_price: Decimal | None
    position_effect: str
    strategy_id: str
    run_id: str | None
    status: str
    s0_status: str
    s1_status: str
    filled_quantity: Decimal
    remaining_quantity: Decimal
    average_price: Decimal | None
    filled_amount: Decimal | None
    commission: Decimal | None
    is_open: bool
    is_external: bool
    error: str
    error_code: str
    reason: str
    created_by: str
    approved_by: str
    trading_day: str
    created_at: datetime
    submitted_at: datetime | None
    updated_at: datetime


class Fill(Document, frozen=True):
    """One execution; `exec_type` is TRADE, TRADE_CORRECT or TRADE_CANCEL. `fill_time_local` is by the exchange's clock."""

    exec_id: str
    order_id: str
    broker_order_id: str | None
    run_id: str | None
    account: str
    broker: str
    exchange: str
    symbol: str
    side: str
    position_effect: str
    quantity: Decimal
    price: Decimal
    commission: Decimal
    commission_by_broker: bool
    liquidity: str
    realized_pnl: Decimal | None
    exec_type: str
    trading_day: date
    fill_time: datetime
    fill_time_local: datetime
    booked_at: datetime


class Step(Document, frozen=True):
    """One step of an order's life: what became of it or was asked for, when, and by whom."""

    at: datetime
    what: str
    text: str = ""
    by: str = ""


class OrderInFull(Document, frozen=True):
    """An order with its fills and what happened to it, oldest first."""

    order: Order
    fills: list[Fill]
    timeline: list[Step]


class Orders(Document, frozen=True):
    """Orders, newest first; `next` is the cursor of the next page."""

    orders: list[Order]
    next: str | None


class Fills(Document, frozen=True):
    """Fills, newest first; `next` is the cursor of the next page."""

    fills: list[Fill]
    next: str | None


class Taken(Document, frozen=True):
    """An order that is durable. `status` is NEW, the word of S3-40 for that; ask for the order to see what became of it."""

    order_id: str
    client_order_id: str
    status: str
    account: str
    symbol: str
    side: str
    order_type: str
    quantity: Decimal
    time_in_force: str
    price: Decimal | None
    stop_price: Decimal | None
    position_effect: str
    strategy_id: str
    repeat: bool = False


class Accepted(Document, frozen=True):
    """What was asked for is durable; what came of it is seen at the order."""

    order_id: str
    done: str


class Statistics(Document, frozen=True):
    """How many orders there are by status, and what they came to (S3-29)."""

    strategy_id: str | None
    total: int
    open: int
    unknown: int
    by_status: dict[str, int]
    by_side: dict[str, int]
    filled: int
    fill_ratio: Decimal | None
    as_of_seq: int


class Queue(Document, frozen=True):
    """What waits: in the engine, for a broker, for an answer."""

    waiting: int
    capacity: int
    staged: int
    in_flight: int
    working: int
    unknown: int
    cancels_in_flight: int
    is_ready: bool
    broker: str
