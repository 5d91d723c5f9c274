"""Moves of a broker and of the market against a run, for laws over any sequence of them; and the books after each event."""

from __future__ import annotations

from decimal import Decimal

from tests.core.runs_made import A, B, C, D

from tradeloop.core.commands import CancelRun, PauseRun, ResumeRun
from tradeloop.core.events import Traded
from tradeloop.core.evolve import evolve
from tradeloop.core.inputs import TimerFired
from tradeloop.core.order import Order
from tradeloop.core.reports import CancelAck, OpenOrder, OrderAck, OrderReject, SendOutcome
from tradeloop.core.state import State
from tradeloop.core.types import Currency, OrderID, OrdStatus, Qty, RunStatus, Side, Symbol
from tradeloop.testing.builders import ACCOUNT, BROKER, a_quote, an_execution, an_instrument, fees
from tradeloop.testing.desk import Desk

SYMBOLS = (A, B, C, D)
CNY = Currency("CNY")
FEE = fees("0.0005", 5)
LISTED = tuple(an_instrument(symbol, fees=FEE) for symbol in SYMBOLS)


def check_the_books_after_every_event(desk: Desk) -> None:
    """Fold the events one by one; money is never overspent and every promise is that of a working order."""
    state = State()
    for event in desk.events:
        evolve(state, event)
        account = state.accounts.get(ACCOUNT)
        if account is None or CNY not in account.cash:
            continue
        book = account.cash[CNY]
        assert book.free >= 0, (event, book)
        assert book.reserved == sum((order.reserved for order in state.orders.open.values()), Decimal(0)), event
        for symbol, position in state.positions.get(ACCOUNT, {}).items():
            assert position.long_frozen <= position.long_qty, (event, symbol)


def act(desk: Desk, what: str, pick: int, number: int) -> None:
    """One move of the broker or of the market, at a price no worse than an order was bounded by."""
    if what == "quote":
        bid = Decimal("9.60") + Decimal(pick) / 20
        desk.give(a_quote(SYMBOLS[pick % 4], bid=bid, ask=bid + Decimal("0.01"), at=desk.now))
        return
    order = picked(desk, pick)
    if what == "steer":
        for run_id, run in list(desk.state.runs.items()):
            if run.status in (RunStatus.RUNNING, RunStatus.PAUSED) and not run.cancel_requested:
                command = (CancelRun if pick == 9 else PauseRun) if run.status is RunStatus.RUNNING else ResumeRun
                desk.give(command(run_id, "tester"))
    if order is None:
        return
    cl_ord_id = order.cl_ord_id
    match what:
        case "ack":
            desk.give(OrderAck(BROKER, cl_ord_id, OrderID(f"b-{cl_ord_id}")))
        case "fill" | "part" if order.send_begun_at is not None:
            lots = order.leaves_qty if what == "fill" else max(Decimal(100), order.leaves_qty // 300 * 100)
            px = Decimal("9.50") if order.side is Side.SELL else bound(order) - Decimal(pick) / 100
            fill = an_execution(
                cl_ord_id, order.symbol, order.side, min(lots, order.leaves_qty), px, f"e{number}", commission=None
            )
            desk.give(fill, fill)
        case "cancel":
            desk.give(CancelAck(BROKER, cl_ord_id, cum_qty=order.cum_qty))
        case "reject" if not order.cum_qty:
            desk.give(OrderReject(BROKER, cl_ord_id, "E1", "no"))
        case "not_sent":
            desk.give(SendOutcome(BROKER, cl_ord_id, "NOT_SENT", "refused"))
            desk.give(TimerFired("resend", cl_ord_id))
        case "unknown":
            desk.give(SendOutcome(BROKER, cl_ord_id, "UNKNOWN", "time-out"))
        case _:
            pass


def picked(desk: Desk, pick: int) -> Order | None:
    working = list(desk.state.orders.open.values())
    return working[pick % len(working)] if working else None


def bound(order: Order) -> Decimal:
    """The highest price the order was reserved for: one per cent above the offer at that moment."""
    assert order.arrival_px is not None
    return ((order.arrival_px + Decimal("0.005")) * Decimal("1.01")).quantize(Decimal("0.01"), rounding="ROUND_DOWN")


def their_books(desk: Desk, drift: list[int], cash_drift: int) -> dict[str, object]:
    """What an honest broker would show of our state, moved by `drift` lots and `cash_drift` yuan."""
    orders = tuple(
        OpenOrder(
            ACCOUNT,
            order.symbol,
            order.side,
            order.order_qty,
            order.cum_qty,
            OrdStatus.PARTIALLY_FILLED if order.cum_qty else OrdStatus.NEW,
            order.order_id or OrderID(f"b-{order.cl_ord_id}"),
            order.cl_ord_id,
        )
        for order in desk.state.orders.open.values()
        if order.may_be_at_broker
    )
    fills = tuple(
        an_execution(e.cl_ord_id, e.symbol, e.side, e.last_qty, e.last_px, e.exec_id, commission=e.fee) for e in desk.of(Traded)
    )
    held = {s: desk.state.held(ACCOUNT, Symbol(s)).long_qty + 100 * d for s, d in zip(SYMBOLS, drift, strict=True)}
    cash = desk.state.accounts[ACCOUNT].cash[CNY].balance + cash_drift
    return {
        "orders": orders,
        "executions": fills,
        "positions": {s: max(q, Qty(Decimal(0))) for s, q in held.items()},
        "cash": cash,
    }
