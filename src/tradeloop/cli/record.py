"""One run as the read models tell it: its lines with what became of them, its orders, fills, and open breaks.

Made once here for the final table, `runs show`, the reconciliation against the target, and the artefacts, so that all of
them say the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from tradeloop.audit.artefacts import BreakRow as BreakLine
from tradeloop.audit.artefacts import FillRow as FillLine
from tradeloop.audit.artefacts import OrderRow as OrderLine
from tradeloop.audit.artefacts import ReconcileRow, RunSummary, average_px, slippage_bp
from tradeloop.cli import words
from tradeloop.cli.beside import Beside, net, newer_run, traded_beside
from tradeloop.core.errors import BadInput
from tradeloop.core.run.attempts import UNUSABLE
from tradeloop.core.run.ending import ALL_DONE
from tradeloop.core.types import SECOND_NS, ZERO, OrdStatus, RunStatus, Side, UtcNs
from tradeloop.views.queries import PAGE_MAX, Page, Queries
from tradeloop.views.rows import BreakRow, DenialRow, FillRow, OrderRow, Row, RunLineRow, RunRow
from tradeloop.views.status_words import s1_word

if TYPE_CHECKING:
    from tradeloop.views.sql import SqlViews

R = TypeVar("R", bound=Row)
_LOOKS_MAX = 20
_PLACES = Decimal("0.0001")
_WINDOWS = msgspec.json.Decoder(tuple[tuple[int, int], ...])
_NEVER_TRADES = (OrdStatus.DENIED.value, OrdStatus.REJECTED.value, OrdStatus.CANCELED.value, OrdStatus.EXPIRED.value)


@dataclass(frozen=True)
class Record:
    """A run, oldest first in every part. `held` and `at_broker` are quantities by symbol now; None where nobody asked."""

    run: RunRow
    lines: list[RunLineRow]
    orders: list[OrderRow]
    fills: list[FillRow]
    breaks: list[BreakRow]
    held: Mapping[str, Decimal] | None = None
    at_broker: Mapping[str, Decimal] | None = None
    day_over: bool = False
    """Whether a market of the run has opened a later trading day than the run's."""
    hours: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    """By symbol, the [start, end) spans of the trading day in which orders may be sent."""
    stale: Mapping[str, int] = field(default_factory=dict)
    """By symbol, when the newest price came that is too old to trade on; empty where nobody looked."""
    first_px: Mapping[str, Decimal] = field(default_factory=dict)
    """By symbol, the price that the first attempt which had one made its quantity from; a retry goes on with it."""
    market_px: Mapping[str, Decimal] = field(default_factory=dict)
    """By symbol, the present price of the market; empty where nobody looked."""
    multipliers: Mapping[str, Decimal] = field(default_factory=dict)
    denials: Mapping[str, DenialRow] = field(default_factory=dict)
    """By order, why risk refused it."""
    max_drift: Decimal = ZERO
    """How far a price may be from the one a quantity was made from (`engine.max_drift`)."""
    newer: RunRow | None = None
    """The newest run of the account, where it is not this one: what is held is its business."""
    beside: Mapping[str, tuple[Beside, ...]] = field(default_factory=dict)
    """By symbol, what others traded since this run was planned; empty where `held` is not known."""

    @property
    def todo(self) -> list[int]:
        """Legs a person has to look at."""
        return msgspec.json.decode(self.run.todo, type=list[int])

    @property
    def unknown(self) -> list[OrderRow]:
        """Orders of unknown fate."""
        return [order for order in self.orders if order.unknown_at is not None and order.is_open]

    @property
    def equity_of(self) -> str:
        """The run whose equity this attempt's weights are fractions of: the first attempt; empty for that one itself."""
        return "" if self.run.attempt == 1 else _first_of(self.run.id)

    def dearest(self, line: ReconcileRow) -> Decimal | None:
        """The price above which what is held is worth its weight, so that a retry buys no more; None where there is none."""
        last = next(each for each in reversed(self.lines) if each.symbol == line.ts_code)
        value, first = last.target_value or ZERO, self.first_px.get(line.ts_code)
        if line.side != Side.BUY.value or value <= ZERO or line.held_qty <= ZERO or first is None:
            return None
        worth = value / (line.held_qty * self.multipliers.get(line.ts_code, Decimal(1)))
        return max(worth, first * (1 + self.max_drift)).quantize(_PLACES, ROUND_FLOOR)

    def summary(self) -> RunSummary:
        """What the run was made from and what became of it."""
        run = self.run
        params = msgspec.json.decode(run.params)
        return RunSummary(
            run_id=run.id,
            project_id=run.project_id,
            decision_snapshot_id=run.decision_snapshot_id,
            mode=run.mode,
            trade_date=run.trade_date,
            attempt=run.attempt,
            broker=run.broker,
            account=run.account_id,
            currency=run.currency,
            created_by=run.created_by,
            status=run.status,
            content_hash=run.content_hash,
            rounding=run.rounding,
            equity=run.equity if run.equity is not None else ZERO,
            cash=run.cash if run.cash is not None else ZERO,
            active_champion_id=run.champion_id,
            target_exposure=run.target_exposure,
            risk_checks=params["risk_checks"],
            inputs=tuple((what, digest) for what, digest in params["inputs"]),
            code=run.code,
            text=words_of(run),
            requested_at=_at(run.requested_at),
            started_at=_at(run.started_at),
            finished_at=_at(run.finished_at),
            supersedes=run.supersedes or "",
            equity_of=self.equity_of,
            max_quote_age_s=Decimal(params["limits"]["max_quote_age_ns"]) / SECOND_NS,
        )

    def order_lines(self) -> list[OrderLine]:
        """The orders in S1's words."""
        return [
            OrderLine(
                run_id=self.run.id,
                client_order_id=order.client_order_id,
                leg=order.leg,
                ts_code=order.symbol,
                side=order.side,
                target_weight=order.target_weight if order.target_weight is not None else ZERO,
                order_qty=order.qty,
                order_price=order.price,
                currency=self.run.currency,
                status=s1_word(OrdStatus(order.ord_status)),
                status_time=_at(order.updated_at),
                reject_reason=ended_because(order),
                filled_qty=order.cum_qty,
                filled_amount=order.filled_amount if order.filled_amount is not None else ZERO,
                avg_fill_price=order.avg_px,
                arrival_price=order.arrival_px,
                slippage_bp=slippage_bp(Side(order.side), order.arrival_px, order.avg_px),
                fee=order.commission if order.commission is not None else ZERO,
                broker_order_id=order.order_id or "",
            )
            for order in self.orders
        ]

    def fill_lines(self) -> list[FillLine]:
        """The fills that stand."""
        multipliers = {order.id: order.multiplier for order in self.orders}
        return [
            FillLine(
                run_id=self.run.id,
                client_order_id=fill.trade_order_id,
                exec_id=fill.exec_id,
                ts_code=fill.symbol,
                side=fill.side,
                trading_day=fill.trading_day,
                fill_time=_at(fill.fill_time),
                fill_qty=fill.fill_qty,
                fill_price=fill.fill_price,
                fill_amount=fill.fill_qty * fill.fill_price * multipliers.get(fill.trade_order_id, Decimal(1)),
                fee=fill.commission,
                currency=self.run.currency,
                liquidity=fill.liquidity,
                broker_order_id=fill.order_id or "",
            )
            for fill in self.fills
            if fill.exec_type != "TRADE_CANCEL"
        ]

    def target_lines(self) -> list[ReconcileRow]:
        """Target against held, one line for each symbol."""
        return [self._target_line(symbol) for symbol in dict.fromkeys(line.symbol for line in self.lines)]

    def unnamed(self) -> list[tuple[str, Decimal]]:
        """What is held that the target had not to deal with, where it was to sell everything it does not name."""
        if self.held is None or not msgspec.json.decode(self.run.params)["sell_unlisted"]:
            return []
        named = {line.symbol for line in self.lines}
        return [(symbol, qty) for symbol, qty in sorted(self.held.items()) if qty and symbol not in named]

    def break_lines(self) -> list[BreakLine]:
        """The open breaks."""
        return [
            BreakLine(each.id, each.kind, each.subject, each.ours, each.theirs, each.cause, each.repair, _at(each.found_at))
            for each in self.breaks
        ]

    def _target_line(self, symbol: str) -> ReconcileRow:
        lines = [line for line in self.lines if line.symbol == symbol]
        last = lines[-1]
        legs = {line.leg for line in lines}
        orders = [order for order in self.orders if order.leg in legs and order.symbol == symbol]
        traded = [(order.avg_px, order.cum_qty) for order in orders if order.avg_px is not None]
        arrived = [(order.arrival_px, order.cum_qty) for order in orders if order.arrival_px is not None and order.cum_qty]
        filled = sum((order.cum_qty for order in orders), ZERO)
        side = Side(lines[0].side)
        start = last.held_qty if last.held_qty is not None else ZERO
        left_with = start + sum((_signed(order.side, order.cum_qty) for order in orders), ZERO)
        held = self.held.get(symbol, ZERO) if self.held is not None else left_with
        beside = net(self.beside.get(symbol, ())) if self.held is not None else ZERO
        target = last.target_qty if last.target_qty is not None else ZERO
        average = average_px(traded)
        code, reason = self._why(lines, orders, target - left_with)
        return ReconcileRow(
            run_id=self.run.id,
            ts_code=symbol,
            side=side.value,
            target_weight=last.target_weight if last.target_weight is not None else ZERO,
            target_qty=target,
            start_qty=start,
            order_qty=sum((line.order_qty for line in lines if line.order_qty is not None), ZERO),
            filled_qty=filled,
            filled_amount=sum((order.filled_amount for order in orders if order.filled_amount is not None), ZERO),
            avg_fill_price=average,
            slippage_bp=slippage_bp(side, average_px(arrived), average),
            held_qty=held,
            broker_qty=None if self.at_broker is None else self.at_broker.get(symbol, ZERO),
            residual_qty=target - held,
            code=code,
            reason=reason,
            beside_qty=beside,
            moved_qty=held - left_with - beside,
        )

    def _why(self, lines: list[RunLineRow], orders: list[OrderRow], short: Decimal) -> tuple[str, str]:
        """Why the run itself left a symbol `short` of its target; empty where it did not, and where nobody knows."""
        for order in orders:
            if order.cum_qty < order.qty and order.ord_status in _NEVER_TRADES:
                return order.ord_status.lower(), ended_because(order)
            if order.is_open and order.unknown_at is not None:
                return "unknown", f"order {order.id} may or may not be at the broker"
            if order.is_open:
                return "working", f"order {order.id} is {order.ord_status}, {order.leaves_qty:f} are left"
        sent = {order.leg for order in orders}
        unsent = any(line.order_qty and line.leg not in sent and line.code in _NO_HINDRANCE for line in lines)
        if unsent and self.run.status in _WAITS:
            return _WAITS[self.run.status]
        for line in reversed(lines):
            if line.code and line.code != "split":
                return line.code, line.reason
        return ("", "") if not short else ("", lines[-1].reason)


_NO_HINDRANCE = ("", "rounded", "split")
"""What a plan says of lines that it orders."""
_WAITS = {
    RunStatus.AWAITING_APPROVAL.value: ("awaiting_approval", "waits for approval"),
    RunStatus.NEW.value: ("not_begun", "the run has not begun"),
    RunStatus.PAUSED.value: ("paused", "the run is paused"),
    RunStatus.CANCELED.value: ("canceled", "never sent: the run was cancelled"),
    RunStatus.RUNNING.value: ("not_sent_yet", "not sent yet"),
}


def ended_because(order: OrderRow) -> str:
    """Why an order left the market: our own time-out before the broker's words for carrying it out."""
    if order.canceled_at is not None and order.cancel_at is not None and order.canceled_at >= order.cancel_at:
        return words.time_out(order.cancel_at - order.staged_at)
    return order.error


def _signed(side: str, qty: Decimal) -> Decimal:
    return qty if side == Side.BUY.value else -qty


async def read_with_held(views: SqlViews, run_id: str, *, newest_only: bool) -> Record:
    """The record of a run with what is held now, both as of one moment though another process may be trading.

    `newest_only`: leave out what is held where a newer run has another target. Raises BadInput when the run is not known.
    """
    looks = 0
    while True:
        before = await views.cursor()
        record = await read_record(views.queries, run_id)
        held = await (held_now(views.queries, record.run) if newest_only else held_by(views.queries, record.run.account_id))
        record = await with_others(views.queries, replace(record, held=held))
        looks += 1
        if looks == _LOOKS_MAX or before == await views.cursor():
            return record


async def with_others(queries: Queries, record: Record) -> Record:
    """The record with the run that is newer, and with what others traded where that makes what is held another."""
    record = replace(record, newer=await newer_run(queries, record.run))
    if record.held is None or not (any(line.moved_qty for line in record.target_lines()) or record.unnamed()):
        return record
    return replace(record, beside=await traded_beside(queries, record.run))


async def held_now(queries: Queries, run: RunRow) -> dict[str, Decimal] | None:
    """What the account holds, where `run` is its newest; None for an older one, whose target another has replaced."""
    return None if await newer_run(queries, run) is not None else await held_by(queries, run.account_id)


async def held_by(queries: Queries, account_id: str) -> dict[str, Decimal]:
    """What an account holds by symbol, short below zero."""
    held: dict[str, Decimal] = {}
    for row in await queries.positions(account_id=account_id):
        held[row.symbol] = held.get(row.symbol, ZERO) + (-row.volume if row.direction == "short" else row.volume)
    return held


async def known_run(queries: Queries, run_id: str) -> RunRow:
    """The row of a run. Raises BadInput when it is not known: nothing found of it would look like nothing done."""
    run = await queries.run(run_id)
    if run is None:
        raise BadInput(f"run was {run_id[:60]!r}, which is not known; see `tradeloop runs list`")
    return run


async def read_record(
    queries: Queries,
    run_id: str,
    *,
    held: dict[str, Decimal] | None = None,
    at_broker: dict[str, Decimal] | None = None,
) -> Record:
    """The record of one run. Raises BadInput when it is not known."""
    run = await known_run(queries, run_id)
    orders = await every(lambda before: queries.orders(run_id=run_id, before=before, limit=PAGE_MAX))
    fills = await every(lambda before: queries.fills(run_id=run_id, before=before, limit=PAGE_MAX))
    breaks = await every(lambda before: queries.breaks(account_id=run.account_id, before=before, limit=PAGE_MAX))
    lines = await queries.run_lines(run_id)
    sessions = await queries.sessions(list(dict.fromkeys(line.symbol for line in lines)))
    over = any(each.trading_day > run.trade_date for each in sessions.values())
    hours = {symbol: _WINDOWS.decode(each.windows) for symbol, each in sessions.items()}
    record = Record(run, lines, orders[::-1], fills[::-1], breaks[::-1], held, at_broker, over, hours)
    positions = await queries.positions(account_id=run.account_id)
    return replace(
        record,
        denials=await queries.denials([each.id for each in orders]),
        first_px=await _first_prices(queries, run, lines),
        multipliers={row.symbol: row.multiplier for row in positions},
    )


def _first_of(run_id: str) -> str:
    """The first attempt: ids are derived, and their last part counts the attempts (core/run/conduct.py)."""
    return f"{run_id.rpartition('-')[0]}-1"


async def _first_prices(queries: Queries, run: RunRow, lines: list[RunLineRow]) -> dict[str, Decimal]:
    """What the first attempt made its quantities from, and this one where that had no price."""
    planned = lines if run.attempt == 1 else [*await queries.run_lines(_first_of(run.id)), *lines]
    found: dict[str, Decimal] = {}
    for line in planned:
        if line.ref_px is not None and line.code not in UNUSABLE:
            found.setdefault(line.symbol, line.ref_px)
    return found


async def every(page: Callable[[int | None], Awaitable[Page[R]]]) -> list[R]:
    """All rows of a query, newest first."""
    found: list[R] = []
    before: int | None = None
    while True:
        one = await page(before)
        found += one.rows
        before = one.before
        if before is None:
            return found


def _at(at: int | None) -> UtcNs | None:
    return None if at is None else UtcNs(at)


def plain_rows(rows: list[Any]) -> list[dict[str, Any]]:
    """Rows for a JSON document: every column, amounts as text in plain notation, times as nanoseconds and as ISO 8601."""
    return [_plain(row) for row in rows]


def words_of(run: RunRow) -> str:
    """What is said of where a run stands: what went wrong or is left, else that nothing is."""
    done = run.status == RunStatus.COMPLETED.value and run.todo == "[]"
    return run.error or (ALL_DONE if done else "")


def iso(at: int) -> str:
    """A time in nanoseconds as ISO 8601, UTC, to the second."""
    return f"{datetime.fromtimestamp(at // SECOND_NS, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _plain(row: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in msgspec.structs.asdict(row).items():
        if name == "ib_order_id":  # the column keeps S0's name; the id is that of whichever broker it is
            found["broker_order_id"] = value
        elif name == "todo":
            found[name] = msgspec.json.decode(value)
        else:
            found[name] = _text(value)
            if name.endswith(("_at", "_time")) and isinstance(value, int):
                found[f"{name}_iso"] = iso(value)
    if isinstance(row, RunRow):
        found.pop("error")
        found["text"] = words_of(row)
    return found


def _text(value: Any) -> Any:
    return format(value, "f") if isinstance(value, Decimal) else value
