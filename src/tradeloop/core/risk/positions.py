"""Rules of positions: how much may be held, of one symbol, of one industry and altogether, in quantity, in money and as a share
of the equity; how many symbols and orders; how much cash stays (S2-23..28, S0-55, S3-45, R7, R8, R35).

What is counted, and how, stands in core/risk/holdings.py. The books know accounts, not strategies: none of these is counted
over a strategy. A limit on one symbol holds for each of an account, or, over a symbol or globally, for all accounts together.
"""

from __future__ import annotations

from typing import Final

from tradeloop.core.instrument import FUTURE
from tradeloop.core.limit import LimitScope
from tradeloop.core.risk.holding_screens import CASH_RATIO, of_counts, of_opened, of_worth
from tradeloop.core.risk.holdings import (
    cash_left,
    gross,
    industry,
    margin,
    money,
    net,
    of_equity,
    open_orders,
    opened_today,
    position_qty,
    position_value,
    positions,
)
from tradeloop.core.risk.rule import RiskRule, RuleGroup, Unit, Words

_BY_ACCOUNT: Final = (LimitScope.GLOBAL, LimitScope.ACCOUNT)
_BY_SYMBOL: Final = (LimitScope.GLOBAL, LimitScope.ACCOUNT, LimitScope.SYMBOL)
_BY_INDUSTRY: Final = (LimitScope.GLOBAL, LimitScope.ACCOUNT, LimitScope.INDUSTRY)
_YOURS: Final = "no legal figure; yours to set"
_LESS: Final = ("make it smaller, or reduce the position first", "请减小数量或先减仓")
_FUNDS: Final = ("make it smaller, or add funds", "请减小数量或追加资金")

RULES: Final = (
    RiskRule(
        code="max_position_qty",
        number="R8, S3-45",
        group=RuleGroup.POSITION,
        unit=Unit.QTY,
        words=Words("the position in one symbol", "单一标的持仓数量", *_LESS),
        source=_YOURS,
        measure=position_qty,
        family=of_counts,
        scopes=_BY_SYMBOL,
    ),
    RiskRule(
        code="max_position_value",
        number="R8, S2-25, S3-45",
        group=RuleGroup.POSITION,
        unit=Unit.MONEY,
        words=Words("the value of the position in one symbol", "单一标的持仓市值", *_LESS),
        source=_YOURS,
        measure=money(position_value),
        family=of_worth,
        scopes=_BY_SYMBOL,
    ),
    RiskRule(
        code="max_position_ratio",
        number="R8, S2-23, S2-25",
        group=RuleGroup.POSITION,
        unit=Unit.FRACTION,
        words=Words("the share of one symbol in the equity", "单一标的持仓占净值比例", *_LESS),
        source=_YOURS,
        measure=of_equity(position_value),
        family=of_worth,
        scopes=_BY_SYMBOL,
    ),
    RiskRule(
        code="max_industry_value",
        number="R8, S2-26",
        group=RuleGroup.POSITION,
        unit=Unit.MONEY,
        words=Words("the value of the positions in one industry", "单一行业持仓市值", *_LESS),
        source=_YOURS,
        measure=money(industry),
        unlisted=lambda instrument: not instrument.industry,
        family=of_worth,
        scopes=_BY_INDUSTRY,
    ),
    RiskRule(
        code="max_industry_ratio",
        number="R8, S2-26",
        group=RuleGroup.POSITION,
        unit=Unit.FRACTION,
        words=Words("the share of one industry in the equity", "单一行业持仓占净值比例", *_LESS),
        source=_YOURS,
        measure=of_equity(industry),
        unlisted=lambda instrument: not instrument.industry,
        family=of_worth,
        scopes=_BY_INDUSTRY,
    ),
    RiskRule(
        code="max_gross_value",
        number="R8, S2-27",
        group=RuleGroup.POSITION,
        unit=Unit.MONEY,
        words=Words("the value of all positions, long and short together", "总持仓市值(多空合计)", *_LESS),
        source=_YOURS,
        measure=money(gross),
        family=of_worth,
        scopes=_BY_ACCOUNT,
    ),
    RiskRule(
        code="max_total_ratio",
        number="R8, S2-27",
        group=RuleGroup.POSITION,
        unit=Unit.FRACTION,
        words=Words("the share of all positions in the equity", "总仓位占净值比例", *_LESS),
        source=_YOURS,
        measure=of_equity(gross),
        family=of_worth,
        scopes=_BY_ACCOUNT,
    ),
    RiskRule(
        code="max_net_value",
        number="R8",
        group=RuleGroup.POSITION,
        unit=Unit.MONEY,
        words=Words("the value held long beyond what is held short, or the other way round", "净敞口市值", *_LESS),
        source=_YOURS,
        measure=money(net),
        family=of_worth,
        scopes=_BY_ACCOUNT,
    ),
    RiskRule(
        code="max_leverage",
        number="R8, S2-28",
        group=RuleGroup.POSITION,
        unit=Unit.MULTIPLE,
        words=Words("the value of all positions as a multiple of the equity", "杠杆倍数", *_LESS),
        source=_YOURS,
        measure=of_equity(gross),
        family=of_worth,
        scopes=_BY_ACCOUNT,
    ),
    RiskRule(
        code="max_positions",
        number="S0-55",
        group=RuleGroup.POSITION,
        unit=Unit.COUNT,
        words=Words(
            "the number of symbols held", "持仓标的数量", *("close one before another is opened", "请先平掉一个再开新仓")
        ),
        source=_YOURS,
        measure=positions,
        family=of_counts,
        scopes=_BY_ACCOUNT,
    ),
    RiskRule(
        code=CASH_RATIO,
        number="S2-24",
        group=RuleGroup.CAPITAL,
        unit=Unit.FRACTION,
        words=Words("the share of free cash in the equity", "现金储备比例", *_FUNDS),
        source=_YOURS,
        measure=cash_left,
        family=of_worth,
        scopes=_BY_ACCOUNT,
        at_least=True,
    ),
    RiskRule(
        code="max_open_orders",
        number="R8",
        group=RuleGroup.POSITION,
        unit=Unit.COUNT,
        words=Words(
            "the number of orders that may still trade",
            "未完结委托笔数",
            "cancel one, or wait for a fill",
            "请先撤单或等待成交",
        ),
        source=_YOURS,
        measure=open_orders,
        family=of_counts,
        scopes=_BY_ACCOUNT,
    ),
    RiskRule(
        code="max_margin_ratio",
        number="R7, R8",
        group=RuleGroup.CAPITAL,
        unit=Unit.FRACTION,
        words=Words("the share of margin in the equity", "保证金占净值比例", *_FUNDS),
        source=_YOURS,
        measure=of_equity(margin),
        scopes=_BY_ACCOUNT,
        concerns=lambda instrument: instrument.asset_class is FUTURE,
    ),
    RiskRule(
        code="max_opened_qty_per_day",
        number="R35",
        group=RuleGroup.POSITION,
        unit=Unit.QTY,
        words=Words(
            "the quantity of one symbol opened in a day",
            "单一标的日内开仓数量",
            "close only, or wait for the next trading day",
            "请仅平仓或等到下一交易日",
        ),
        source="notices of the futures exchanges (general knowledge, unverified); yours to set",
        measure=opened_today,
        family=of_opened,
        scopes=(LimitScope.SYMBOL,),
    ),
)
