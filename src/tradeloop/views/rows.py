"""The rows of the read models, one struct per table; a field is a column of the same name (views/tables.py).

Quantities in units, prices and money in `currency` or the instrument's currency, times in nanoseconds UTC; None is unknown.
`seq` is the event that made a row and `updated_seq` the last one that changed it. Names are those of the source documents
where they have one (S0-14..S0-36, S4-41..S4-45), FIX's otherwise.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tradeloop.core.types import ZERO


class Row(msgspec.Struct, kw_only=True):
    """Base of all rows: `id` is derived from what the row is about, never drawn."""

    id: str


class InstrumentRow(Row, kw_only=True):
    """What is true of a symbol now. `listing` is the whole instrument as JSON, which the fold goes by."""

    asset_class: str
    currency: str
    market: str
    session: str
    board: str
    name: str
    industry: str
    multiplier: Decimal
    lot: Decimal
    tick: Decimal
    listing: str
    updated_seq: int


class SessionRow(Row, kw_only=True):
    """The trading day a session is in, and the [start, end) spans of it in which orders may be sent, as JSON; `id` is
    the session."""

    trading_day: str
    opens_at: int | None
    closes_at: int | None
    windows: str
    updated_seq: int


class RunRow(Row, kw_only=True):
    """One attempt at turning a target into positions (S0-14..S0-21). `params` is the frozen snapshot it was planned from,
    as JSON: targets, prices with their times, limits, checks, inputs with their hashes."""

    project_id: str
    mode: str
    decision_snapshot_id: str
    trade_date: str
    attempt: int
    status: str
    code: str = ""
    error: str = ""
    requested_at: int
    started_at: int | None = None
    finished_at: int | None = None
    updated_at: int
    created_by: str
    approved_by: str = ""
    approved_at: int | None = None
    cancel_requested_by: str = ""
    cancel_requested_at: int | None = None
    broker: str
    account_id: str
    currency: str
    content_hash: str
    champion_id: str = ""
    target_exposure: Decimal | None = None
    rounding: str
    cash: Decimal | None
    equity: Decimal | None
    supersedes: str | None = None
    superseded_by: str | None = None
    todo: str = "[]"
    params: str
    seq: int
    updated_seq: int


class RunLineRow(Row, kw_only=True):
    """One line of a run's plan: wanted, held, planned, worked, and why not more. `leg` 0 has no order."""

    trade_run_id: str
    line: int
    leg: int
    wave: int
    symbol: str
    side: str
    position_effect: str
    target_weight: Decimal | None
    target_value: Decimal | None
    target_qty: Decimal | None
    held_qty: Decimal | None
    planned_qty: Decimal | None
    order_qty: Decimal | None
    ref_px: Decimal | None
    residual_qty: Decimal | None
    residual_value: Decimal | None
    code: str
    reason: str
    trade_order_id: str | None = None
    updated_seq: int


class OrderRow(Row, kw_only=True):
    """One order: its facts, and what they amount to (S0-22..S0-32). `id` and `client_order_id` are its cl_ord_id.

    `status` is S0's word, `ord_status` FIX's; both are computed from the facts whenever one is added. `ib_order_id` is S0's
    name for the broker's own id and holds `order_id` whichever broker it is. A denied order has `denied_at` and never had a
    broker. `qty`, `price` and `stop_px` are the terms in force; `replaces` is a JSON list of the changes asked for that
    have no answer yet: number, quantity, price, stop price. `approved_by`: who approved the terms that were asked for last,
    or was named as having approved a denied order.
    """

    trade_run_id: str | None
    leg: int
    broker: str
    account_id: str
    symbol: str
    target_weight: Decimal | None = None
    target_value: Decimal | None = None
    qty: Decimal
    side: str
    order_type: str
    ord_type: str
    price: Decimal | None
    stop_px: Decimal | None = None
    tif: str = "DAY"
    position_effect: str = "AUTO"
    trading_day: str
    client_order_id: str
    ib_order_id: str | None = None
    order_id: str | None = None
    status: str = ""
    ord_status: str = ""
    error: str = ""
    error_code: str = ""
    cum_qty: Decimal = ZERO
    leaves_qty: Decimal = ZERO
    avg_px: Decimal | None = None
    filled_amount: Decimal | None = None
    commission: Decimal | None = ZERO
    submitted_at: int | None = None
    updated_at: int
    staged_at: int
    acked_at: int | None = None
    triggered_at: int | None = None
    unknown_at: int | None = None
    cancel_requested_at: int | None = None
    canceled_at: int | None = None
    expired_at: int | None = None
    rejected_at: int | None = None
    denied_at: int | None = None
    cancel_at: int | None = None
    send_failures: int = 0
    absences: int = 0
    is_open: bool = True
    is_external: bool = False
    created_by: str = ""
    risk_version: str = ""
    approved_by: str = ""
    request_id: str = ""
    strategy_id: str = ""
    parent_id: str | None = None
    reason: str = ""
    arrival_px: Decimal | None = None
    arrival_at: int | None = None
    reserved: Decimal = ZERO
    frozen: Decimal = ZERO
    cum_value: Decimal = ZERO
    replaces: str = ""
    multiplier: Decimal = Decimal(1)
    seq: int
    updated_seq: int


class DenialRow(Row, kw_only=True):
    """Why risk refused an order; `id` is its cl_ord_id, and the parts are those of core/risk/denied.py. `limit_value`: what had
    to hold. `late`: it had been staged before, and was refused when its turn to leave came.
    """

    rule: str
    scope: str
    limit_value: str
    was: str
    this_order: str
    text: str
    approved_by: str = ""
    uncounted: str = ""
    late: bool = False
    at: int
    seq: int


class FillRow(Row, kw_only=True):
    """One execution and what became of it (S0-33..S0-36): `exec_type` TRADE, TRADE_CORRECT or TRADE_CANCEL (FIX 150)."""

    trade_order_id: str
    trade_run_id: str | None
    broker: str
    account_id: str
    trading_day: str
    exec_id: str
    side: str
    symbol: str
    position_effect: str
    fill_qty: Decimal
    fill_price: Decimal
    fill_time: int
    commission: Decimal
    commission_by_broker: bool
    liquidity: str
    order_id: str | None
    realized_pnl: Decimal | None
    exec_type: str = "TRADE"
    booked_at: int
    seq: int
    updated_seq: int


class TradeRow(Row, kw_only=True):
    """A trade that stands, in S4-43's words: a bust removes it, a correction changes it; trade_fills keeps what happened.

    `order_id` is our id of the order; `trade_id` is unique per broker, account, trading day and side only (D5).
    """

    trade_id: str
    order_id: str
    broker: str
    account_id: str
    symbol: str
    direction: str
    position_effect: str
    trading_day: str
    volume: Decimal
    price: Decimal
    commission: Decimal
    trade_time: int
    create_time: int
    seq: int


class AccountRow(Row, kw_only=True):
    """Money of one account in one currency (S4-41). `available` is balance less `reserved` and `margin`. `unrealized_pnl`
    is None while a position has no price. `book` is the exact state of the fold."""

    account_id: str
    broker: str
    currency: str
    balance: Decimal | None
    available: Decimal | None
    reserved: Decimal | None
    margin: Decimal | None
    unrealized_pnl: Decimal | None
    realized_pnl: Decimal | None
    fees: Decimal | None
    update_time: int
    updated_seq: int
    book: str


class CurveRow(Row, kw_only=True):
    """Money of an account in a currency after one batch that changed it; `equity` where a run had valued the account.

    `held_value` is what the positions add to the balance at the last prices the journal holds: their market value, and of what
    is margined as a future the profit; None while a price, or the cost of a future, is not known.
    """

    account_id: str
    currency: str
    at: int
    balance: Decimal | None
    available: Decimal | None
    realized_pnl: Decimal | None
    equity: Decimal | None
    held_value: Decimal | None
    batch: int
    seq: int


class PositionRow(Row, kw_only=True):
    """One direction of a position (S4-42 with D5): `volume` = `today_volume` + `yesterday_volume`; a flat one stays, with zero.

    `current_price` is the last price the journal holds of the symbol, as old as `price_at` says. `cost` and `realized_pnl`
    have the multiplier in them; `realized_pnl` is before fees. What a broker showed without its cost has an unknown one
    (None), and so has every figure that it would be in. `margin` is at average price, None where the instrument has
    no margin rate. `book` is the exact state of the fold, of both directions.
    """

    account_id: str
    broker: str
    symbol: str
    direction: str
    currency: str
    multiplier: Decimal
    volume: Decimal
    today_volume: Decimal
    yesterday_volume: Decimal
    frozen_volume: Decimal
    avg_price: Decimal | None
    cost: Decimal | None
    current_price: Decimal | None
    price_at: int | None
    unrealized_pnl: Decimal | None
    realized_pnl: Decimal | None
    margin: Decimal | None
    open_time: int | None
    update_time: int
    updated_seq: int
    book: str


class BreakRow(Row, kw_only=True):
    """One difference between our books and somebody else's. A break that comes back opens again: `times` counts."""

    kind: str
    broker: str
    account_id: str
    subject: str
    ours: str
    theirs: str
    delta: Decimal | None
    cause: str
    repair: str
    status: str
    why: str = ""
    closed_by: str = ""
    times: int = 1
    found_at: int
    changed_at: int
    closed_at: int | None = None
    seq: int
    updated_seq: int


class AlertRow(Row, kw_only=True):
    """One trouble a person should know of, once however often it repeats; `resolved_at` when the journal shows it is over.
    `acknowledged_by` has seen it since it was raised last, and left a `note`.
    """

    level: str
    subject: str
    text: str
    times: int = 1
    raised_at: int
    last_at: int
    resolved_at: int | None = None
    acknowledged_at: int | None = None
    acknowledged_by: str = ""
    note: str = ""
    seq: int
    updated_seq: int


class AuditRow(Row, kw_only=True):
    """Who did what to what, and what came of it. `who` is the name given with the request, or `rule:NAME`, or `engine`."""

    at: int
    who: str
    what: str
    subject: str
    account_id: str
    trade_run_id: str | None
    result: str
    text: str
    seq: int


class CursorRow(Row, kw_only=True):
    """How far the fold has come, committed with its rows. `projection` is the version of the fold that made them;
    `clearing` says that a rebuild was begun and rows may still be there."""

    batch: int
    seq: int
    projection: int
    clearing: bool
    updated_at: int
