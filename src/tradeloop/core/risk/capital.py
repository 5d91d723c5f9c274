"""Rules of capital: what one order is worth, and what a day's orders and trades are worth together (S2-21, S2-22, S3-44, R1).

An order's own size is bounded whatever it does, so that a slip of a finger is caught on the way out of a position as well.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from tradeloop.core.activity import Day
from tradeloop.core.limit import RiskLimit
from tradeloop.core.risk.rule import Look, Measured, Missing, RiskRule, RuleGroup, Unit, Words
from tradeloop.core.types import ZERO


def _order_value(look: Look, _: RiskLimit) -> Measured | Missing:
    value = look.value
    return Missing(f"a price of {look.order.symbol}") if value is None else Measured(ZERO, value)


def _order_qty(look: Look, _: RiskLimit) -> Measured:
    return Measured(ZERO, look.order.order_qty)


def _per_day(sum_of: Callable[[Day], Decimal]) -> Callable[[Look, RiskLimit], Measured | Missing]:
    def measure(look: Look, limit: RiskLimit) -> Measured | Missing:
        value = look.more_value
        if value is None:
            return Missing(f"a price of {look.order.symbol}")
        currency = look.instrument.currency
        days = look.state.activity.of(limit.scope, look.place(limit))
        return Measured(sum((sum_of(day) for its, day in days if its == currency), ZERO), value)

    return measure


RULES: Final = (
    RiskRule(
        code="max_order_value",
        number="R1, S2-21, S3-44",
        group=RuleGroup.CAPITAL,
        unit=Unit.MONEY,
        words=Words("the value of one order", "单笔委托金额", "make it smaller or split it", "请减小数量或拆分委托"),
        source="SEC 15c3-5, RTS 6 Art. 15(1)(b)",
        measure=_order_value,
    ),
    RiskRule(
        code="max_order_qty",
        number="R1",
        group=RuleGroup.CAPITAL,
        unit=Unit.QTY,
        words=Words("the quantity of one order", "单笔委托数量", "make it smaller or split it", "请减小数量或拆分委托"),
        source="SEC 15c3-5, RTS 6 Art. 15(1)(c)",
        measure=_order_qty,
    ),
    RiskRule(
        code="max_daily_order_value",
        number="S2-22",
        group=RuleGroup.CAPITAL,
        unit=Unit.MONEY,
        words=Words("the value ordered in a day", "当日累计委托金额", "wait for the next trading day", "请等到下一交易日"),
        source="S2-22",
        measure=_per_day(lambda day: day.ordered),
    ),
    RiskRule(
        code="max_daily_traded_value",
        number="S2-22",
        group=RuleGroup.CAPITAL,
        unit=Unit.MONEY,
        words=Words("the value traded in a day", "当日累计成交金额", "wait for the next trading day", "请等到下一交易日"),
        source="S2-22",
        measure=_per_day(lambda day: day.traded),
    ),
)
