"""Orders as they are asked for (S3-27..S3-29, S3-37, S0-45): lists and single ones with their time-line, figures, the queue.

They are answered from the read models, which hold durable facts alone and are waited for, so that whoever has sent an order
finds it. `/statistics` and `/queue/status` stand before `/{order_id}`, which would take them for ids.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Annotated, Final

import msgspec

from tradeloop.access.identity import Scope
from tradeloop.api.call import Answer, Call
from tradeloop.api.fills import Fill, fill_document
from tradeloop.api.gate import ok
from tradeloop.api.pages import LIMIT, Cursor, Limit, following, moment_asked, one_of, page_from, page_size, word_asked
from tradeloop.api.plain import Amount, Day, Moment, amount, moment, told
from tradeloop.api.policy import Policy, Rate, Routes
from tradeloop.api.problem import Problem
from tradeloop.api.symbols import exchange_of, symbol_of
from tradeloop.core.errors import NotKnown
from tradeloop.core.types import OrdStatus, OrdType, Side
from tradeloop.views.rows import AuditRow, FillRow, OrderRow
from tradeloop.views.status_words import STATUS_WORDS, s1_word

_S0_WORDS: Final = tuple(dict.fromkeys(theirs for theirs, _ in STATUS_WORDS.values()))
_STEPS: Final = (
    ("staged_at", "STAGED"),
    ("denied_at", "DENIED"),
    ("submitted_at", "SENT"),
    ("acked_at", "ACKNOWLEDGED"),
    ("triggered_at", "TRIGGERED"),
    ("unknown_at", "FATE_UNKNOWN"),
    ("canceled_at", "CANCELED"),
    ("expired_at", "EXPIRED"),
    ("rejected_at", "REJECTED"),
)
"""Facts of an order with a time, and what each step is called."""


class Order(msgspec.Struct, frozen=True):
    """An order. `order_id` is ours, and the client order id at the broker; `status` is FIX's word, `s0_status` and `s1_status`
    those of the source documents for it.
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
    quantity: Amount
    time_in_force: str
    price: Amount | None
    stop_price: Amount | None
    position_effect: str
    strategy_id: str
    run_id: str | None
    status: str
    s0_status: str
    s1_status: str
    filled_quantity: Amount
    remaining_quantity: Amount
    average_price: Amount | None
    filled_amount: Amount | None
    commission: Amount | None
    is_open: bool
    is_external: bool
    error: str
    error_code: str
    reason: str
    created_by: str
    approved_by: str
    trading_day: str
    created_at: Moment
    submitted_at: Moment | None
    updated_at: Moment


class Step(msgspec.Struct, frozen=True):
    """One step of an order's life: what became of it or was asked for, when, and by whom."""

    at: Moment
    what: str
    text: str = ""
    by: str = ""


class OrderInFull(msgspec.Struct, frozen=True):
    """An order with its fills and what happened to it, oldest first."""

    order: Order
    fills: list[Fill]
    timeline: list[Step]


class Orders(msgspec.Struct, frozen=True):
    """Orders, newest first; `next` is the cursor of the next page."""

    orders: list[Order]
    next: str | None


class WhichOrders(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which orders; filters add up."""

    strategy_id: str | None = None
    exchange: str = ""
    symbol: str | None = None
    run_id: str | None = None
    status: Annotated[str | None, msgspec.Meta(description="FIX's word, such as FILLED.")] = None
    s0_status: Annotated[str | None, msgspec.Meta(description="S0's word, such as SUBMITTED.")] = None
    side: Annotated[str | None, msgspec.Meta(description="buy or sell, in any case.")] = None
    order_type: Annotated[str | None, msgspec.Meta(description="MARKET, LIMIT, STOP or STOP_LIMIT, in any case.")] = None
    created_by: str | None = None
    trading_day: Day | None = None
    since: Annotated[Moment | None, msgspec.Meta(description="Made at this moment or later.")] = None
    until: Annotated[Moment | None, msgspec.Meta(description="Made before this moment.")] = None
    open: bool = False
    unknown: bool = False
    limit: Limit = LIMIT
    cursor: Cursor = None


class OfStrategy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of which strategy; of all without one."""

    strategy_id: str | None = None


class OfRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of which run."""

    run_id: str
    limit: Limit = LIMIT
    cursor: Cursor = None


class Statistics(msgspec.Struct, frozen=True):
    """How many orders there are by status, and what they came to (S3-29)."""

    strategy_id: str | None
    total: int
    open: int
    unknown: int
    by_status: dict[str, int]
    by_side: dict[str, int]
    filled: int
    fill_ratio: Amount | None
    """Filled orders as a part of those that have ended."""
    as_of_seq: int


class Queue(msgspec.Struct, frozen=True):
    """What waits (S3-37): in the engine, for a broker, for an answer. Nothing is purged: an order ends as one (S3-64)."""

    waiting: int
    capacity: int
    staged: int
    in_flight: int
    working: int
    unknown: int
    cancels_in_flight: int
    is_ready: bool
    broker: str


class Progress(msgspec.Struct, frozen=True):
    """How far an algorithm is; no order is worked by one yet."""

    order_id: str


class S0Order(msgspec.Struct, frozen=True):
    """An order in S0's words (S0-22..S0-32)."""

    id: str
    trade_run_id: str | None
    symbol: str
    target_weight: Amount | None
    target_value: Amount | None
    qty: Amount
    side: str
    order_type: str
    client_order_id: str
    ib_order_id: str | None
    status: str
    ord_status: str
    error: str
    cum_qty: Amount
    avg_px: Amount | None
    submitted_at: Moment | None
    updated_at: Moment


class S0Orders(msgspec.Struct, frozen=True):
    """The orders of a run, newest first."""

    orders: list[S0Order]
    next: str | None


def routes(table: Routes) -> None:
    """The routes of this file."""
    reads = Policy(Scope.READ_ACCOUNT, safe=True, rate=Rate.READ)
    add = table.add
    add("GET", "/api/v1/orders", listed, reads, "orders", query=WhichOrders, gives=Orders)
    add("GET", "/api/v1/orders/statistics", statistics, reads, "orders", query=OfStrategy, gives=Statistics)
    add("GET", "/api/v1/orders/queue/status", queue, reads, "orders", gives=Queue)
    add("GET", "/api/v1/orders/{order_id}", one, reads, "orders", gives=OrderInFull)
    add("GET", "/api/v1/orders/{order_id}/twap-progress", twap_progress, reads, "orders", gives=Progress)
    add("GET", "/api/v1/orders/{order_id}/iceberg-progress", iceberg_progress, reads, "orders", gives=Progress)
    add("GET", "/api/trade/orders", of_run, reads, "runs", query=OfRun, gives=S0Orders)


async def listed(call: Call) -> Answer:
    """List orders, newest first."""
    wanted, desk = call.wanted(WhichOrders), call.desk
    status = word_asked("status", wanted.status, OrdStatus)
    side, ord_type = word_asked("side", wanted.side, Side), word_asked("order_type", wanted.order_type, OrdType)
    since, until = moment_asked("since", wanted.since), moment_asked("until", wanted.until)
    await desk.shown()
    page = await desk.queries.orders(
        run_id=wanted.run_id,
        account_id=desk.account,
        symbol=None if wanted.symbol is None else symbol_of(wanted.exchange, wanted.symbol, desk.broker),
        strategy_id=wanted.strategy_id,
        ord_status=status,
        status=one_of("s0_status", wanted.s0_status, _S0_WORDS),
        side=None if side is None else side.value,
        ord_type=None if ord_type is None else ord_type.value,
        created_by=wanted.created_by,
        trading_day=wanted.trading_day,
        since=since,
        until=until,
        unknown=wanted.unknown,
        open_only=wanted.open,
        before=page_from(wanted.cursor),
        limit=page_size(wanted.limit),
    )
    return ok(Orders([order_document(row) for row in page.rows], following(page.before)))


async def one(call: Call) -> Answer:
    """Show an order with its fills and its time-line."""
    desk, order_id = call.desk, call.path["order_id"]
    row = await order_row(call, order_id)
    fills = (await desk.queries.fills(cl_ord_id=order_id, limit=1_000)).rows[::-1]
    deeds = (await desk.queries.audit(subject=order_id, limit=1_000)).rows[::-1]
    told_fills = [fill_document(desk, fill) for fill in fills]
    return ok(OrderInFull(order_document(row), told_fills, _timeline(row, fills, deeds)))


async def twap_progress(call: Call) -> Answer:
    """Show how far a TWAP order is (S3-31); there is none yet."""
    return await _no_algorithm(call, "twap")


async def iceberg_progress(call: Call) -> Answer:
    """Show how far an iceberg order is (S3-32); there is none yet."""
    return await _no_algorithm(call, "iceberg")


async def _no_algorithm(call: Call, name: str) -> Answer:
    row = await order_row(call, call.path["order_id"])
    text = f"order {row.id} is a {row.ord_type} order; {name} orders are not yet available"
    raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "not_yet_available", text)


async def statistics(call: Call) -> Answer:
    """Count orders by status, of a strategy or of all."""
    desk, strategy = call.desk, call.wanted(OfStrategy).strategy_id
    await desk.shown()
    found = await desk.queries.order_counts(account_id=desk.account, strategy_id=strategy)
    ended = found.total - found.open
    filled = found.by_status.get(OrdStatus.FILLED.value, 0)
    return ok(
        Statistics(
            strategy_id=strategy,
            total=found.total,
            open=found.open,
            unknown=found.unknown,
            by_status=found.by_status,
            by_side=found.by_side,
            filled=filled,
            fill_ratio=f"{filled / ended:.4f}" if ended else None,
            as_of_seq=desk.health().shown_seq,
        )
    )


async def queue(call: Call) -> Answer:
    """Show what waits: in the engine, for the broker, for its answers."""
    desk = call.desk
    await desk.settled()
    health, orders = desk.health(), list(desk.state.orders.open.values())
    return ok(
        Queue(
            waiting=health.inbox_waiting,
            capacity=health.inbox_max,
            staged=sum(order.send_begun_at is None for order in orders),
            in_flight=sum(order.send_begun_at is not None and order.acked_at is None for order in orders),
            working=sum(order.acked_at is not None for order in orders),
            unknown=sum(order.unknown_at is not None for order in orders),
            cancels_in_flight=sum(order.cancel_requested_at is not None for order in orders),
            is_ready=desk.is_ready,
            broker=desk.broker,
        )
    )


async def of_run(call: Call) -> Answer:
    """List the orders of a run in the words of its source document (S0-45)."""
    wanted, desk = call.wanted(OfRun), call.desk
    await desk.shown()
    if await desk.queries.run(wanted.run_id) is None:
        raise NotKnown(f"run was {wanted.run_id[:60]!r}, which is not known")
    page = await desk.queries.orders(run_id=wanted.run_id, before=page_from(wanted.cursor), limit=page_size(wanted.limit))
    return ok(S0Orders([told(S0Order, row) for row in page.rows], following(page.before)))


async def order_row(call: Call, order_id: str) -> OrderRow:
    """The row of an order. Raises NotKnown."""
    await call.desk.shown()
    row = await call.desk.queries.order(order_id[:64])
    if row is None or row.account_id != call.desk.account:
        raise NotKnown(f"order was {order_id[:60]!r}, which is not known")
    return row


def order_document(row: OrderRow) -> Order:
    """An order as it is told."""
    return told(
        Order,
        row,
        order_id=row.id,
        broker_order_id=row.order_id,
        account=row.account_id,
        exchange=exchange_of(row.symbol),
        order_type=row.ord_type,
        quantity=amount(row.qty),
        time_in_force=row.tif,
        stop_price=None if row.stop_px is None else amount(row.stop_px),
        run_id=row.trade_run_id,
        status=row.ord_status,
        s0_status=row.status,
        s1_status=s1_word(OrdStatus(row.ord_status)),
        filled_quantity=amount(row.cum_qty),
        remaining_quantity=amount(row.leaves_qty),
        average_price=None if row.avg_px is None else amount(row.avg_px),
        created_at=moment(row.staged_at),
    )


def _timeline(row: OrderRow, fills: list[FillRow], deeds: list[AuditRow]) -> list[Step]:
    """Facts with a time, fills, and who asked for what; in the order of time."""
    ends = ("CANCELED", "EXPIRED", "REJECTED", "DENIED")
    found: list[tuple[int, int, Step]] = []
    for place, (name, what) in enumerate(_STEPS):
        at = getattr(row, name)
        if at is not None:
            by = row.created_by if what in ("STAGED", "DENIED") else ""
            found.append((at, place, Step(moment(at), what, row.error if what in ends else "", by)))
    for fill in fills:
        text = f"{amount(fill.fill_qty)} at {amount(fill.fill_price)} ({fill.exec_id})"
        found.append((fill.fill_time, len(_STEPS), Step(moment(fill.fill_time), fill.exec_type, text)))
    for deed in deeds:
        if deed.what not in _TOLD_ALREADY:
            found.append((deed.at, _ASKED, Step(moment(deed.at), _in_capitals(deed.what), deed.text, deed.who)))
    return [step for _, _, step in sorted(found, key=lambda each: each[:2])]


def _in_capitals(name: str) -> str:
    """CancelRequested as CANCEL_REQUESTED."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()


_TOLD_ALREADY: Final = frozenset({"OrderStaged", "OrderDenied"})
_ASKED: Final = 5
"""Where what was asked for stands among steps of one moment: behind the acknowledgement, in front of the end."""
