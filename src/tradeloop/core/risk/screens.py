"""What tells at once that an order keeps several limits: on its value, on counts of the day, on requests of the last moments.

A screen only ever saves work. Where it cannot say that all of its limits are kept, each of them is measured and compared as any
other (core/risk/judging.py); so it has no figures of its own, and decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from operator import attrgetter, lt
from typing import Final

from tradeloop.core.activity import Day
from tradeloop.core.lately import SELF_TRADES
from tradeloop.core.limit import RiskLimit
from tradeloop.core.risk.rule import ACCOUNT, Family, Look, Screen
from tradeloop.core.types import UtcNs

ORDERS: Final = "max_orders_per_day"
ORDER_VALUE: Final = "max_order_value"
ORDER_QTY: Final = "max_order_qty"
DAILY_ORDER_VALUE: Final = "max_daily_order_value"
DAILY_TRADED_VALUE: Final = "max_daily_traded_value"
_ANY: Final = Decimal("Infinity")

COUNTED: Final = {
    "max_requests_per_day": "messages",
    ORDERS: "orders",
    "max_trades_per_day": "trades",
    "max_cancels_per_day": "cancels",
    "max_quick_cancels_per_day": "quick_cancels",
    SELF_TRADES: "self_trades",
    "max_large_cancels_per_day": "large_cancels",
}
"""What a rule counts in a day, as `Day` calls it."""


def of_day(limits: tuple[RiskLimit, ...]) -> Screen:
    """Each count of the day has room for one more."""
    first, most = limits[0], [int(limit.value) for limit in limits]
    counts: Callable[[Day], tuple[int, ...]] = attrgetter(*(COUNTED[limit.rule] for limit in limits), "orders")

    def screen(look: Look) -> bool:
        return all(map(lt, counts(look.day(first)), most))

    return screen


def of_value(limits: tuple[RiskLimit, ...]) -> Screen:
    """What an order is worth, how much it is of, and what it comes to with what was ordered and traded today."""
    first = limits[0]

    def least(rule: str) -> Decimal:
        return min((limit.value for limit in limits if limit.rule == rule), default=_ANY)

    most_value, most_qty = least(ORDER_VALUE), least(ORDER_QTY)
    most_ordered, most_traded = least(DAILY_ORDER_VALUE), least(DAILY_TRADED_VALUE)

    def screen(look: Look) -> bool:
        value = look.value
        if value is None or look.own is not None or value > most_value or look.order.order_qty > most_qty:
            return False
        day = look.state.activity.of(first.scope, look.place(first), look.instrument.currency)
        if day is None:
            return value <= most_ordered and value <= most_traded
        return day.ordered + value <= most_ordered and day.traded + value <= most_traded

    return screen


def of_requests(span_ns: int) -> Family:
    """Requests of an account in the last `span_ns`."""

    def family(limits: tuple[RiskLimit, ...]) -> Screen:
        most = min(int(limit.value) for limit in limits)
        of_account = limits[0].scope is ACCOUNT

        def screen(look: Look) -> bool:
            requests = look.state.activity.requests.get(look.order.account)
            return of_account and requests is not None and requests.is_below(most, UtcNs(look.now - span_ns))

        return screen

    return family
