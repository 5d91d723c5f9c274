"""Positions, money, quotes, differences and troubles as the desk tells them: amounts are `Decimal`, times `datetime` in UTC."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from tradeloop.client.document import Document


class Position(Document, frozen=True):
    """One direction of a position. `market_price` is the newest quote's, as old as `price_at` says, and so is what is
    computed from it; null is unknown. Of a strategy, `today_quantity`, `yesterday_quantity` and `frozen_quantity` are
    unknown.
    """

    account: str
    strategy_id: str
    exchange: str
    symbol: str
    direction: str
    quantity: Decimal
    today_quantity: Decimal | None
    yesterday_quantity: Decimal | None
    frozen_quantity: Decimal | None
    sellable_quantity: Decimal | None
    average_price: Decimal | None
    cost: Decimal | None
    market_price: Decimal | None
    price_at: datetime | None
    market_value: Decimal | None
    unrealized_pnl: Decimal | None
    realized_pnl: Decimal | None
    currency: str
    multiplier: Decimal
    margin: Decimal | None
    updated_at: datetime


class Positions(Document, frozen=True):
    """What is held, by symbol."""

    positions: list[Position]


class Difference(Document, frozen=True):
    """One difference between our books and the broker's."""

    id: str
    kind: str
    subject: str
    ours: str
    theirs: str
    cause: str
    repair: str
    found_at: datetime


class Compared(Document, frozen=True):
    """What a comparison with the broker's books found."""

    broker: str
    account: str
    breaks: list[Difference]
    agrees: bool


class Money(Document, frozen=True):
    """What there is in one currency; null is unknown. `available` is the balance less `reserved` and `margin`."""

    currency: str
    balance: Decimal | None
    available: Decimal | None
    reserved: Decimal | None
    margin: Decimal | None
    unrealized_pnl: Decimal | None
    realized_pnl: Decimal | None
    fees: Decimal | None
    updated_at: datetime


class HaltedSymbol(Document, frozen=True):
    """A symbol that takes no new orders, and why."""

    symbol: str
    why: str


class Account(Document, frozen=True):
    """The account of this desk."""

    account: str
    broker: str
    is_live: bool
    is_ready: bool
    money: list[Money]
    halted: list[HaltedSymbol]


class Point(Document, frozen=True):
    """The money at one moment. `equity` is the balance and what was held, at the market; None where a price is not known."""

    at: datetime
    balance: Decimal | None
    available: Decimal | None
    realized_pnl: Decimal | None
    equity: Decimal | None


class Curve(Document, frozen=True):
    """How the money of a currency went, oldest first, the last for now; and how far the equity stands below its highest, as a
    fraction.
    """

    account: str
    currency: str
    points: list[Point]
    drawdown: Decimal | None


class Quoted(Document, frozen=True):
    """A quote, by UTC and by the exchange's clock, and its age by the desk's clock."""

    symbol: str
    exchange: str
    bid: Decimal | None
    ask: Decimal | None
    bid_size: Decimal | None
    ask_size: Decimal | None
    last: Decimal | None
    volume: Decimal | None
    prev_close: Decimal | None
    suspended: bool
    at: datetime
    at_local: datetime
    age_ms: int


class Quotes(Document, frozen=True):
    """The newest quotes, by symbol; `missing` were asked for and never had one."""

    quotes: list[Quoted]
    missing: list[str]


class Tick(Document, frozen=True):
    """A quote as the stream tells it; `volume` is that of this quote alone."""

    symbol: str
    bid: Decimal | None
    ask: Decimal | None
    bid_size: Decimal | None
    ask_size: Decimal | None
    last: Decimal | None
    volume: Decimal | None
    prev_close: Decimal | None
    suspended: bool
    at: datetime


class Break(Document, frozen=True):
    """One difference between our books and somebody else's; `times` counts how often it came back."""

    id: str
    kind: str
    broker: str
    subject: str
    ours: str
    theirs: str
    delta: Decimal | None
    cause: str
    repair: str
    status: str
    why: str
    closed_by: str
    times: int
    found_at: datetime
    changed_at: datetime
    closed_at: datetime | None


class Breaks(Document, frozen=True):
    """Differences, newest first; `next` is the cursor of the next page."""

    breaks: list[Break]
    next: str | None


class Alert(Document, frozen=True):
    """A trouble, once however often it repeats. `acknowledged_by` has seen it, and `note` is what they wrote beside it."""

    id: str
    level: str
    subject: str
    text: str
    times: int
    raised_at: datetime
    last_at: datetime
    resolved_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str
    note: str


class Alerts(Document, frozen=True):
    """Troubles, newest first; `next` is the cursor of the next page."""

    alerts: list[Alert]
    next: str | None


class MainContract(Document, frozen=True):
    """The main contract; all None before the first was named."""

    main_contract: str | None
    name: str | None
    contract_multiplier: Decimal | None
    exchange: str | None
    last_update: datetime | None
    auto_subscribe: bool
    set_by: str | None
    reason: str | None


class Switched(Document, frozen=True):
    """What came of a switch: `steps` has a sentence for each of the five; none where it was the main contract already."""

    done: str
    steps: list[str]
    contract: MainContract
