"""Builders for tests: every value spelled where it matters, a sensible one where it does not.

    an_instrument("600519.SH", lot=100)      a_quote("600519.SH", bid="9.99", ask="10.00")      buy("600519.SH", 100)

Shipped for adapter authors, too. Numbers are given as text or int and become Decimals.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tradeloop.core.commands import SubmitOrder
from tradeloop.core.instrument import AssetClass, FeeLine, FeeSchedule, Instrument
from tradeloop.core.reports import BrokerSnapshot, Execution, HeldCash, HeldPosition, OpenOrder, Quote
from tradeloop.core.types import (
    AccountID,
    Amount,
    ClOrdID,
    Currency,
    ExecID,
    OrderID,
    Px,
    Qty,
    Side,
    Symbol,
    TradingDay,
    UtcNs,
)

BROKER = "paper"
ACCOUNT = AccountID("demo")
DAY = TradingDay("2026-07-17")
NOON = UtcNs(1_784_260_800_000_000_000)
"""2026-07-17T04:00:00Z, noon in Shanghai."""

Number = str | int | Decimal


def number(value: Number) -> Decimal:
    """A Decimal from text or int."""
    return Decimal(value)


def an_instrument(symbol: str = "600519.SH", **changes: Any) -> Instrument:
    """A main-board stock in lots of one hundred, without fees, limits or T+1 unless asked for."""
    fields: dict[str, Any] = {
        "symbol": Symbol(symbol),
        "asset_class": AssetClass.STOCK,
        "currency": Currency("CNY"),
        "tick": Decimal("0.01"),
        "lot": Decimal(100),
        "min_qty": Decimal(100),
        "market": "CN_A",
        "session": "CN_A",
        "odd_lot_sell": True,
    }
    fields.update(changes)
    for name in (
        "tick",
        "lot",
        "min_qty",
        "multiplier",
        "price_limit",
        "price_limit_down",
        "margin_rate",
        "max_qty_market",
        "max_qty_limit",
    ):
        if isinstance(fields.get(name), str | int):
            fields[name] = Decimal(fields[name])
    return Instrument(**fields)


def fees(rate: Number = "0.001", minimum: Number = 0, *, sell_only: bool = False) -> FeeSchedule:
    """A schedule of one line."""
    return FeeSchedule((FeeLine("commission", number(rate), minimum=number(minimum), side=Side.SELL if sell_only else None),))


def a_quote(
    symbol: str = "600519.SH",
    bid: Number | None = "9.99",
    ask: Number | None = "10.00",
    at: int = NOON,
    size: Number = 1_000_000,
    **changes: Any,
) -> Quote:
    """A two-sided quote with plenty of size."""
    return Quote(
        symbol=Symbol(symbol),
        at=UtcNs(at),
        bid=None if bid is None else Px(number(bid)),
        ask=None if ask is None else Px(number(ask)),
        bid_size=Qty(number(size)),
        ask_size=Qty(number(size)),
        **changes,
    )


def buy(symbol: str, qty: Number, **changes: Any) -> SubmitOrder:
    """A market buy by a person."""
    return _order(symbol, Side.BUY, qty, changes)


def sell(symbol: str, qty: Number, **changes: Any) -> SubmitOrder:
    """A market sell by a person."""
    return _order(symbol, Side.SELL, qty, changes)


def an_execution(
    cl_ord_id: str | None, symbol: str, side: Side, qty: Number, px: Number, exec_id: str = "e1", **changes: Any
) -> Execution:
    """A fill as the broker reports it, free of charge."""
    fields: dict[str, Any] = {
        "broker": BROKER,
        "account": ACCOUNT,
        "trading_day": DAY,
        "exec_id": ExecID(exec_id),
        "symbol": Symbol(symbol),
        "side": side,
        "last_qty": Qty(number(qty)),
        "last_px": Px(number(px)),
        "cl_ord_id": None if cl_ord_id is None else ClOrdID(cl_ord_id),
        "commission": Amount(Decimal(0)),
    }
    fields.update(changes)
    return Execution(**fields)


def a_snapshot(
    *,
    cash: Number = 1_000_000,
    currency: str = "CNY",
    positions: dict[str, Number] | None = None,
    costs: dict[str, Number] | None = None,
    orders: tuple[OpenOrder, ...] = (),
    executions: tuple[Execution, ...] = (),
    as_of: int = NOON,
    also: tuple[HeldCash, ...] = (),
    **changes: Any,
) -> BrokerSnapshot:
    """A complete look at the broker's books: cash, long holdings all of which may be sold, orders and executions. What a
    holding cost is known where `costs` has it; `also` is cash in other currencies.
    """
    fields: dict[str, Any] = {
        "broker": BROKER,
        "account": ACCOUNT,
        "as_of": UtcNs(as_of),
        "orders": orders,
        "executions": executions,
        "positions": tuple(
            HeldPosition(ACCOUNT, Symbol(symbol), Qty(number(qty)), Qty(Decimal(0)), Qty(number(qty)), _cost(costs, symbol))
            for symbol, qty in (positions or {}).items()
        ),
        "cash": (HeldCash(ACCOUNT, Currency(currency), Amount(number(cash))), *also),
        "orders_complete": True,
        "trading_day": DAY,
    }
    fields.update(changes)
    return BrokerSnapshot(**fields)


def _cost(costs: dict[str, Number] | None, symbol: str) -> Amount | None:
    return None if costs is None or symbol not in costs else Amount(number(costs[symbol]))


def known(figure: Amount | None) -> Amount:
    """A figure of the books that cannot be unknown here; fails when it is."""
    assert figure is not None, "a figure was expected, found an unknown one"
    return figure


def their_order(cl_ord_id: str | None, symbol: str, side: Side, qty: Number, status: Any, **changes: Any) -> OpenOrder:
    """An order as the broker's books show it."""
    fields: dict[str, Any] = {
        "account": ACCOUNT,
        "symbol": Symbol(symbol),
        "side": side,
        "order_qty": Qty(number(qty)),
        "cum_qty": Qty(Decimal(0)),
        "ord_status": status,
        "order_id": OrderID("b1"),
        "cl_ord_id": None if cl_ord_id is None else ClOrdID(cl_ord_id),
    }
    fields.update(changes)
    return OpenOrder(**fields)


def _order(symbol: str, side: Side, qty: Number, changes: dict[str, Any]) -> SubmitOrder:
    fields: dict[str, Any] = {
        "account": ACCOUNT,
        "symbol": Symbol(symbol),
        "side": side,
        "order_qty": Qty(number(qty)),
        "by": "tester",
    }
    for name in ("price", "stop_px"):
        if isinstance(changes.get(name), str | int):
            changes[name] = Px(Decimal(changes[name]))
    fields.update(changes)
    return SubmitOrder(**fields)
