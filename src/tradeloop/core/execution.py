"""Station 5: the identity of a fill, and that of an order by the number its venue gave it.

A fill is known by (broker, account, trading day, exec id, side). The side belongs to it because SHFE gives both halves of a
self-trade one TradeID (vnpy issue 3407); the day because venues restart their numbers every day.
"""

from __future__ import annotations

from tradeloop.core.types import AccountID, ExecID, OrderID, Side, Symbol, TradingDay


def exec_key(broker: str, account: AccountID, trading_day: TradingDay, exec_id: ExecID, side: Side) -> str:
    """The identity of a fill as one string; the separator cannot occur in a broker name, account or date."""
    return f"{broker}|{account}|{trading_day}|{'B' if side is Side.BUY else 'S'}|{exec_id}"


def order_key(broker: str, account: AccountID, trading_day: TradingDay, symbol: Symbol, order_id: OrderID) -> str:
    """The identity of an order as its venue numbers it: CTP and QMT begin anew every day, and CTP's exchanges count apart
    (its OrderSysID is unique together with the ExchangeID), so the symbol belongs to it.
    """
    return f"{broker}|{account}|{trading_day}|{symbol}|{order_id}"
