"""Rows of `trade_orders`: facts are added by events, and every addition computes the statuses anew, by the core's own rule.

The precedence of statuses stands in one place, `core/order.py`; a row hands its facts to it and copies the answer (S0-30, D6).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.core import events as ev
from tradeloop.core.order import Order
from tradeloop.core.promises import drawn_qty, frozen_anew, released_by_fill, reserved_by_reversal
from tradeloop.core.replacement import Asked, Terms
from tradeloop.core.types import (
    ZERO,
    AccountID,
    Amount,
    ClOrdID,
    OrdStatus,
    OrdType,
    PositionEffect,
    Px,
    Qty,
    Side,
    Symbol,
    TimeInForce,
    TradingDay,
    UtcNs,
)
from tradeloop.views.columns import shown
from tradeloop.views.fold import Fold
from tradeloop.views.rows import DenialRow, OrderRow
from tradeloop.views.status_words import S0_ORDER_TYPES, s0_word
from tradeloop.views.wanted import line_id

_ENCODE: Final = msgspec.json.Encoder()
_DECODE: Final = msgspec.json.Decoder(list[tuple[int, Qty, Px | None, Px | None]])


def order_of(row: OrderRow) -> Order:
    """The facts of a row as the core knows them; executions stay in trade_fills."""
    return Order(
        cl_ord_id=ClOrdID(row.id),
        broker=row.broker,
        account=AccountID(row.account_id),
        symbol=Symbol(row.symbol),
        side=Side(row.side),
        order_qty=Qty(row.qty),
        ord_type=OrdType(row.ord_type),
        price=None if row.price is None else Px(row.price),
        stop_px=None if row.stop_px is None else Px(row.stop_px),
        tif=TimeInForce(row.tif),
        position_effect=PositionEffect(row.position_effect),
        trading_day=TradingDay(row.trading_day),
        by=row.created_by,
        risk_version=row.risk_version,
        staged_at=UtcNs(row.staged_at),
        reserved=Amount(row.reserved),
        external=row.is_external,
        send_begun_at=_time(row.submitted_at),
        acked_at=_time(row.acked_at),
        unknown_at=_time(row.unknown_at),
        cancel_requested_at=_time(row.cancel_requested_at),
        canceled_at=_time(row.canceled_at),
        expired_at=_time(row.expired_at),
        rejected_at=_time(row.rejected_at),
        cum_qty=Qty(row.cum_qty),
        cum_value=row.cum_value,
        replaces=_waiting(row) or None,
        frozen=Qty(row.frozen),
    )


def _waiting(row: OrderRow) -> list[Asked]:
    """The replaces without an answer. What each alone would reserve only the core needs: its events carry the sums."""
    if not row.replaces:
        return []
    stored = _DECODE.decode(row.replaces)
    return [Asked(number, Terms(Qty(qty), px, stop), UtcNs(0), Amount(ZERO)) for number, qty, px, stop in stored]


def _keep_waiting(row: OrderRow, waiting: list[Asked]) -> None:
    rows = [(a.number, a.terms.order_qty, a.terms.price, a.terms.stop_px) for a in waiting]
    row.replaces = _ENCODE.encode(rows).decode() if rows else ""


def staged(fold: Fold, e: ev.OrderStaged) -> None:
    """A new order; what it may cost is reserved, what it will close is frozen."""
    row = OrderRow(
        id=e.cl_ord_id,
        trade_run_id=e.run_id,
        leg=e.leg,
        broker=e.broker,
        account_id=e.account,
        symbol=e.symbol,
        qty=e.order_qty,
        side=e.side.value,
        order_type=S0_ORDER_TYPES[e.ord_type],
        ord_type=e.ord_type.value,
        price=e.price,
        stop_px=e.stop_px,
        tif=e.tif.value,
        position_effect=e.position_effect.value,
        trading_day=e.trading_day,
        client_order_id=e.cl_ord_id,
        updated_at=e.at,
        staged_at=e.at,
        cancel_at=e.cancel_at,
        created_by=e.by,
        risk_version=e.risk_version,
        approved_by=e.approved_by,
        request_id=e.request_id,
        strategy_id=e.strategy_id,
        parent_id=e.parent,
        reason=e.reason,
        arrival_px=e.arrival_px,
        arrival_at=e.arrival_at,
        reserved=e.reserve,
        seq=fold.seq,
        updated_seq=fold.seq,
    )
    _aim(fold, row)
    fold.books.promise(e.account, e.broker, e.symbol, e.reserve, e.at, fold.seq)
    _freeze(fold, row, e.at)
    _settle(fold, row, e.at)


def denied(fold: Fold, e: ev.OrderDenied) -> None:
    """An order that risk refused: it never had a broker, and its text says which rule, which limit, and what was found
    (S0-56)."""
    row = OrderRow(
        id=e.cl_ord_id,
        trade_run_id=e.run_id,
        leg=e.leg,
        broker="",
        account_id=e.account,
        symbol=e.symbol,
        qty=e.order_qty,
        side=e.side.value,
        order_type=S0_ORDER_TYPES[e.ord_type],
        ord_type=e.ord_type.value,
        price=e.price,
        trading_day="",
        client_order_id=e.cl_ord_id,
        error=e.text,
        error_code=e.rule,
        updated_at=e.at,
        staged_at=e.at,
        denied_at=e.at,
        created_by=e.by,
        approved_by=e.approved_by,
        request_id=e.request_id,
        seq=fold.seq,
        updated_seq=fold.seq,
    )
    _aim(fold, row)
    _settle(fold, row, e.at)
    _refused(fold, e, e.approved_by if e.uncounted else "", e.uncounted)


def denied_late(fold: Fold, e: ev.LateOrderDenied) -> None:
    """An order that was staged and refused when its turn came; its end follows as a fact of its own."""
    row = fold.rows.orders.get(e.cl_ord_id)
    if row is not None:
        row.error_code = e.rule
        fold.rows.orders.put(row)
    _refused(fold, e, late=True)


def _refused(
    fold: Fold, e: ev.OrderDenied | ev.LateOrderDenied, approved_by: str = "", uncounted: str = "", *, late: bool = False
) -> None:
    row = DenialRow(
        id=e.cl_ord_id,
        rule=e.rule,
        scope=e.scope,
        limit_value=e.limit,
        was=e.was,
        this_order=e.this_order,
        text=e.text,
        approved_by=approved_by,
        uncounted=uncounted,
        late=late,
        at=e.at,
        seq=fold.seq,
    )
    fold.rows.denials.put(row)


def found_outside(fold: Fold, e: ev.ExternalOrderFound) -> None:
    """An order at the broker that is not ours."""
    ord_type = OrdType.MARKET if e.price is None else OrdType.LIMIT
    row = OrderRow(
        id=e.cl_ord_id,
        trade_run_id=None,
        leg=0,
        broker=e.broker,
        account_id=e.account,
        symbol=e.symbol,
        qty=e.order_qty,
        side=e.side.value,
        order_type=S0_ORDER_TYPES[ord_type],
        ord_type=ord_type.value,
        price=e.price,
        position_effect=e.position_effect.value,
        trading_day=e.trading_day,
        client_order_id=e.cl_ord_id,
        order_id=e.order_id,
        ib_order_id=e.order_id,
        updated_at=e.at,
        staged_at=e.at,
        acked_at=e.at,
        is_external=True,
        created_by="external",
        reserved=e.reserve,
        seq=fold.seq,
        updated_seq=fold.seq,
    )
    fold.books.promise(e.account, e.broker, e.symbol, e.reserve, e.at, fold.seq)
    _freeze(fold, row, e.at)
    _settle(fold, row, e.at)


OrderFact = (
    ev.SendBegun
    | ev.SendFailed
    | ev.FateLost
    | ev.AbsenceSeen
    | ev.NotSentProven
    | ev.OrderResolved
    | ev.OrderAcknowledged
    | ev.OrderRejected
    | ev.CancelRequested
    | ev.CancelRejected
    | ev.OrderCanceled
    | ev.OrderExpired
    | ev.StopTriggered
    | ev.ReserveRaised
    | ev.ReplaceRequested
    | ev.OrderReplaced
    | ev.ReplaceRejected
    | ev.ReplaceFateLost
    | ev.OrderRestated
    | ev.EndAnnounced
    | ev.OrderHeard
)


def learned(fold: Fold, e: OrderFact) -> None:
    """One more fact about an order; a fact about one that no event made is passed over."""
    row = fold.rows.orders.get(e.cl_ord_id)
    if row is None or (isinstance(e, ev.SendFailed) and not row.is_open):
        return
    at = e.at
    match e:
        case ev.SendBegun():
            row.submitted_at = at
        case ev.SendFailed():
            row.submitted_at = row.unknown_at = None
            row.error = e.text
            row.send_failures += 1
        case ev.FateLost():
            if row.acked_at is None:
                row.unknown_at, row.absences, row.error = at, 0, e.text
        case ev.AbsenceSeen():
            row.absences += 1
        case ev.NotSentProven():
            row.submitted_at = row.unknown_at = None
        case ev.OrderAcknowledged():
            row.order_id = row.ib_order_id = e.order_id
            row.acked_at, row.unknown_at, row.error = at, None, ""
        case ev.CancelRequested():
            row.cancel_requested_at = at
        case ev.CancelRejected():
            row.cancel_requested_at, row.error_code, row.error = None, e.code, e.text
        case ev.StopTriggered():
            row.triggered_at = at
        case ev.ReserveRaised():
            _promise(fold, row, e.reserve - row.reserved, at)
        case ev.ReplaceRequested():
            asked = Asked(e.number, Terms(e.order_qty, e.price, e.stop_px), at, e.need)
            _keep_waiting(row, [*_waiting(row), asked])
            row.approved_by = e.approved_by or row.approved_by
            _promise(fold, row, e.reserve - row.reserved, at)
            _freeze(fold, row, at)
        case ev.OrderReplaced():
            _keep_waiting(row, [asked for asked in _waiting(row) if asked.number > e.number])
            _terms(fold, row, e)
        case ev.ReplaceRejected():
            _keep_waiting(row, [asked for asked in _waiting(row) if asked.number != e.number])
            row.error_code, row.error = e.code, e.text
            _promise(fold, row, e.reserve - row.reserved, at)
            _freeze(fold, row, at)
        case ev.ReplaceFateLost():
            row.error = e.text
        case ev.EndAnnounced():
            _heard(row, at)
            count = "an unknown quantity" if e.cum_qty is None else f"{e.cum_qty:f}"
            row.error = f"{e.as_} with {count} traded, of which not all has been told; {e.text}".rstrip("; ")
        case ev.OrderHeard():
            _heard(row, at)
            row.error = e.text
        case ev.OrderRestated():
            _heard(row, at)
            row.error = e.text or row.error
            _terms(fold, row, e)
        case ev.OrderResolved():
            row.canceled_at = at
            _close(fold, row, at, f"resolved as {e.as_} by {e.by}: {e.reason}")
        case ev.OrderRejected():
            row.rejected_at, row.error_code = at, e.code
            _close(fold, row, at, e.text)
        case ev.OrderCanceled():
            row.canceled_at = at
            _close(fold, row, at, e.text)
        case ev.OrderExpired():
            row.expired_at = at
            _close(fold, row, at, e.text)
    _settle(fold, row, at)


def filled(fold: Fold, e: ev.Traded | ev.TradeCorrected | ev.TradeMoved, effect: PositionEffect) -> None:
    """Move the order's quantities by a fill, before it moves the position. `effect` is the fill's own."""
    row = fold.rows.orders.get(e.cl_ord_id)
    if row is None:
        return
    row.cum_qty += e.last_qty
    row.cum_value += e.last_px * e.last_qty
    row.commission = shown((row.commission or ZERO) + e.fee)
    if isinstance(e, ev.Traded):
        if row.acked_at is None and e.order_id is not None:
            row.order_id = row.ib_order_id = e.order_id
        _heard(row, e.at)
    order = order_of(row)
    instrument = fold.books.instruments.get(row.symbol)
    if row.reserved and instrument is not None:
        drawn: Decimal = e.last_qty
        if isinstance(e, ev.Traded) or (isinstance(e, ev.TradeCorrected) and e.rebooked is None):
            held = fold.books.holding(row.account_id, row.broker, row.symbol).pos
            drawn = drawn_qty(held, order.side, e.last_qty, effect)
        release = released_by_fill(order, instrument, instrument.notional(e.last_px, Qty(drawn)), e.fee)
        _promise(fold, row, -release, e.at)
    _freeze(fold, row, e.at)
    _settle(fold, row, e.at)


def _heard(row: OrderRow, at: UtcNs) -> None:
    """The broker has said something that only an order it has can be said of."""
    if row.acked_at is None:
        row.acked_at = at
    if row.unknown_at is not None:
        row.unknown_at, row.error = None, ""


def heard_by_fill(fold: Fold, cl_ord_id: str, at: UtcNs) -> None:
    """A fill turns out to be one of the order, also where it was taken back since."""
    row = fold.rows.orders.get(cl_ord_id)
    if row is not None:
        _heard(row, at)
        _settle(fold, row, at)


def recharged(fold: Fold, cl_ord_id: str, more: Decimal, at: UtcNs) -> None:
    """A fill of the order has cost so much more."""
    row = fold.rows.orders.get(cl_ord_id)
    if row is not None:
        row.commission = shown((row.commission or ZERO) + more)
        _settle(fold, row, at)


def unfilled(fold: Fold, cl_ord_id: str, qty: Decimal, px: Decimal, fee: Decimal, at: UtcNs) -> None:
    """Take a fill out of the order's quantities."""
    row = fold.rows.orders.get(cl_ord_id)
    if row is None:
        return
    row.cum_qty -= qty
    row.cum_value -= px * qty
    row.commission = shown((row.commission or ZERO) - fee)
    order = order_of(row)
    instrument = fold.books.instruments.get(row.symbol)
    if instrument is not None:
        _promise(fold, row, reserved_by_reversal(order, instrument, instrument.notional(px, qty), fee), at)
    _freeze(fold, row, at)
    _settle(fold, row, at)


def _settle(fold: Fold, row: OrderRow, at: UtcNs) -> None:
    """Compute what follows from the facts, and keep the row."""
    instrument = fold.books.instruments.get(row.symbol)
    order = order_of(row)
    status = OrdStatus.DENIED if row.denied_at is not None else order.ord_status
    done = row.denied_at is not None or order.is_done
    row.ord_status, row.status = status.value, s0_word(status)
    row.is_open = not done
    row.leaves_qty = ZERO if done else order.leaves_qty
    row.avg_px = shown(order.avg_px)
    row.multiplier = Decimal(1) if instrument is None else instrument.multiplier
    row.filled_amount = shown(row.cum_value * row.multiplier)
    row.updated_at, row.updated_seq = at, fold.seq
    fold.rows.orders.put(row)


def _aim(fold: Fold, row: OrderRow) -> None:
    """Copy the wish of the run's line into its order, and name the order in the line (S0-24)."""
    line = fold.rows.lines.get(line_id(row.trade_run_id, row.leg)) if row.trade_run_id else None
    if line is not None:
        row.target_weight, row.target_value = line.target_weight, line.target_value
        line.trade_order_id, line.updated_seq = row.id, fold.seq
        if row.denied_at is not None:
            line.code, line.reason = "denied", row.error
        fold.rows.lines.put(line)


def _terms(fold: Fold, row: OrderRow, e: ev.OrderReplaced | ev.OrderRestated) -> None:
    """Other terms are in force, and what is promised to the order follows them."""
    row.qty, row.price, row.stop_px = e.order_qty, e.price, e.stop_px
    if e.order_id is not None:
        row.order_id = row.ib_order_id = e.order_id
    _promise(fold, row, e.reserve - row.reserved, e.at)
    _freeze(fold, row, e.at)


def _close(fold: Fold, row: OrderRow, at: UtcNs, text: str) -> None:
    """The order leaves the market: its promise of cash and shares ends, its fills stay."""
    row.cancel_requested_at = row.unknown_at = None
    row.error, row.replaces = text, ""
    _promise(fold, row, -row.reserved, at)
    _freeze(fold, row, at)


def _promise(fold: Fold, row: OrderRow, amount: Decimal, at: UtcNs) -> None:
    row.reserved += amount
    fold.books.promise(row.account_id, row.broker, row.symbol, amount, at, fold.seq)


def _freeze(fold: Fold, row: OrderRow, at: UtcNs) -> None:
    """Promise the order what it has left to close."""
    order = order_of(row)
    delta = frozen_anew(order, fold.books.instruments.get(row.symbol))
    if not delta:
        return
    row.frozen = order.exposed_qty
    fold.books.freeze(row.account_id, row.broker, row.symbol, order.side, delta, at, fold.seq)


def _time(value: int | None) -> UtcNs | None:
    return None if value is None else UtcNs(value)
