"""Rules of capital: what one order is worth, and what a day's orders and trades are worth together (S2-21, S2-22, S3-44, R1).

An order's own size is bounded whatever it does, so that a slip of a finger is caught on the way out of a position as well: who
means it splits it. What a day comes to bounds what opens alone: nobody is kept in a position until tomorrow.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from operator import attrgetter
from typing import Final

from tradeloop.core.activity import Day
from tradeloop.core.limit import RiskLimit
from tradeloop.core.ordered import value_of
from tradeloop.core.risk.rule import Look, Measured, Missing, RiskRule, RuleGroup, Unit, Words
from tradeloop.core.risk.screens import DAILY_ORDER_VALUE, DAILY_TRADED_VALUE, ORDER_QTY, ORDER_VALUE, of_day
from tradeloop.core.types import ZERO


def _order_value(look: Look, _: RiskLimit) -> Measured | Missing | None:
    if look.is_way_out:
        return None
    value = look.value
    return Missing(f"a price of {look.order.symbol}") if value is None else Measured(ZERO, value)


def _order_qty(look: Look, _: RiskLimit) -> Measured | None:
    if look.is_way_out:
        return None
    return Measured(ZERO, look.order.order_qty)


def _in_a_day(sum_of: Callable[[Day], Decimal]) -> Callable[[Look, RiskLimit], Measured | Missing]:
    def measure(look: Look, limit: RiskLimit) -> Measured | Missing:
        value = look.more_value
        if value is None:
            return Missing(f"a price of {look.order.symbol}")
        day = look.state.activity.of(limit.scope, look.place(limit), look.instrument.currency)
        return Measured(ZERO if day is None else sum_of(day), value)

    return measure


_ordered_today: Final = _in_a_day(attrgetter("ordered"))


def _ordered(look: Look, limit: RiskLimit) -> Measured | Missing:
    """What was ordered today: an order that leaves late is counted there already, by the price that it was made at."""
    found, own = _ordered_today(look, limit), look.own
    if own is None or isinstance(found, Missing) or not look.is_of_today:
        return found
    counted = value_of(own, own.terms, own.arrival_px, look.instrument) or ZERO
    return Measured(max(found.current - counted, ZERO), found.adds)


RULES: Final = (
    RiskRule(
        code=ORDER_VALUE,
        number="R1, S2-21, S3-44",
        group=RuleGroup.CAPITAL,
        unit=Unit.MONEY,
        words=Words("the value of one order", "单笔委托金额", "make it smaller or split it", "请减小数量或拆分委托"),
        source="SEC 15c3-5, RTS 6 Art. 15(1)(b)",
        measure=_order_value,
        family=of_day,
        of_closing=True,
    ),
    RiskRule(
        code=ORDER_QTY,
        number="R1",
        group=RuleGroup.CAPITAL,
        unit=Unit.QTY,
        words=Words("the quantity of one order", "单笔委托数量", "make it smaller or split it", "请减小数量或拆分委托"),
        source="SEC 15c3-5, RTS 6 Art. 15(1)(c)",
        measure=_order_qty,
        family=of_day,
        of_closing=True,
    ),
    RiskRule(
        code=DAILY_ORDER_VALUE,
        number="S2-22",
        group=RuleGroup.CAPITAL,
        unit=Unit.MONEY,
        words=Words("the value ordered in a day", "当日累计委托金额", "wait for the next trading day", "请等到下一交易日"),
        source="S2-22",
        measure=_ordered,
        family=of_day,
    ),
    RiskRule(
        code=DAILY_TRADED_VALUE,
        number="S2-22",
        group=RuleGroup.CAPITAL,
        unit=Unit.MONEY,
        words=Words("the value traded in a day", "当日累计成交金额", "wait for the next trading day", "请等到下一交易日"),
        source="S2-22",
        measure=_in_a_day(attrgetter("traded")),
        family=of_day,
    ),
)
