"""The codes of every no that no limit gives: of the checks that hold for every order, and of those of a run as a whole.

They are stable: programs and people act on them. docs/reference/risk-rules.md is made from here and from the registry, and a
test finds every code that the core can say.
"""

from __future__ import annotations

from typing import Final

from tradeloop.core.risk.rule import Words

_LOOK: Final = "look at it, then release it", "查明后再解除"
_WAIT_PROOF: Final = "wait for proof or resolve it", "等待券商证实，或人工确认"
_NEWER: Final = "wait for a quote, or check the feed", "等待行情，或检查行情源"

ORDER_CODES: Final[dict[str, Words]] = {
    "halted": Words("trading is halted", "交易已停止", *_LOOK),
    "reduce_only": Words(
        "only orders that make a position smaller", "仅允许减仓", "reduce, or release the halt", "仅提交减仓委托，或解除限制"
    ),
    "live_account": Words(
        "the account may trade live", "账户允许实盘交易", "name it in live.accounts", "请在 live.accounts 中登记该账户"
    ),
    "live_confirmation": Words(
        "a person confirmed that it goes to a live account",
        "已由本人确认实盘委托",
        "confirm it with the words and a second factor",
        "请输入确认词与动态码确认",
    ),
    "live_changed": Words(
        "it is what was confirmed", "与确认内容一致", "look at it again and confirm this one", "请重新核对并确认"
    ),
    "equity_known": Words(
        "what an account may lose is measured", "账户亏损可以计算", "start its feed, or only close", "请启动行情，或仅平仓"
    ),
    "broker_ready": Words("the broker is ready", "券商已就绪", "wait, or reconnect it", "请等待，或重新连接"),
    "session_open": Words("the market is open", "处于交易时段", "order in its trading hours", "请在交易时段内委托"),
    "limits_only": Words("the exchange takes market orders now", "当前时段接受市价委托", "give a limit", "请改用限价委托"),
    "fate_unknown": Words("no order of the symbol is of unknown fate", "该证券没有状态不明的委托", *_WAIT_PROOF),
    "fill_twice": Words(
        "no fill may have been told twice",
        "没有疑似重复的成交回报",
        "wait for a look or settle its break",
        "等待核对，或处理差异",
    ),
    "quote_fresh": Words("a quote that is fresh", "行情有效且及时", *_NEWER),
    "suspended": Words("the symbol trades", "证券未停牌", "try when it trades again", "请等待复牌"),
    "order_type": Words("the broker takes the type of order", "券商支持该委托类型", "use another type", "请改用其他类型"),
    "time_in_force": Words("the broker takes how long it stands", "券商支持该有效期", "use another", "请改用其他有效期"),
    "position_effect": Words("which part it closes", "开平标志", "use AUTO or CLOSE", "请使用 AUTO 或 CLOSE"),
    "exact_qty": Words("an exact quantity", "数量精确", "give fewer digits", "请减少位数"),
    "lot": Words("whole lots", "整手委托", "round to the lot", "请按整手取整"),
    "order_qty_max": Words("the market's most for one order", "市场单笔数量上限", "split it", "请拆分委托"),
    "order_value": Words("a value that can be counted", "金额可以计算", "check quantity and price", "请检查数量与价格"),
    "tick": Words("a multiple of the tick", "价格为最小变动单位的整数倍", "round the price", "请按最小变动单位取整"),
    "price_limit": Words("within the day's price limits", "价格在涨跌停范围内", "price it within them", "请在涨跌停范围内报价"),
    "price_cage": Words("within the price cage of its board", "价格在价格笼子内", "price it within", "请在价格笼子内报价"),
    "sellable": Words(
        "what may be closed is held", "可平数量充足", "reduce it, or wait for settlement", "请减小数量，或等待可卖"
    ),
    "no_price": Words(
        "a price that bounds its cost", "有价格可估算成本", "wait for a quote, or give a limit", "等待行情，或使用限价"
    ),
    "cash": Words("free cash for its worst cost", "可用资金充足", "reduce it, or add funds", "请减小数量，或补充资金"),
    "price_drift": Words(
        "a price that has not run away since", "报价未明显偏离下单时", "a person decides whether it goes", "由人工决定是否发送"
    ),
}
"""Of one order; `limit`, `was` and what to do stand with the numbers in each denial."""

NUMBERS: Final[dict[str, str]] = {
    "halted": "R13",
    "reduce_only": "R13",
    "live_account": "R39",
    "live_confirmation": "R39",
    "live_changed": "R39",
    "equity_known": "R9",
    "broker_ready": "R41",
    "session_open": "R28, R30",
    "limits_only": "R28",
    "fate_unknown": "R41",
    "fill_twice": "R40",
    "quote_fresh": "R3",
    "suspended": "R29",
    "position_effect": "R36",
    "lot": "R20, R21, R22",
    "order_qty_max": "R21, R23",
    "tick": "R24",
    "price_limit": "R25",
    "price_cage": "R26",
    "sellable": "R27",
    "no_price": "R3, R7",
    "cash": "R7",
    "price_drift": "R2",
}
"""The rows of the table of rules (R1 to R44) that a check keeps; those left out are the market's or the broker's own."""

RUN_CODES: Final[dict[str, Words]] = {
    "no_targets": Words("the target has lines", "目标组合非空", "name a holding with weight 0 to sell it", "卖出请写权重 0"),
    "duplicate_target": Words("each symbol once", "每个证券只出现一次", "keep one line of it", "请保留一行"),
    "negative_weight": Words("no weight below zero", "权重不为负", "correct the weight", "请更正权重"),
    "unknown_instrument": Words("every symbol is known", "证券代码可识别", "correct the symbol", "请更正代码"),
    "other_currency": Words("one currency in a run", "单一币种", "give each currency a run", "请按币种分开"),
    "no_prices": Words("a price to plan from", "有可用价格", "start its feed", "请启动行情"),
    "stale_prices": Words("prices that are current", "价格及时", "start its feed", "请启动行情"),
    "no_equity": Words("an equity to divide", "权益为正", "add funds", "请补充资金"),
    "equity_unknown": Words("a price of every holding", "持仓均有价格", "start its feed", "请启动行情"),
    "risk_check_failed": Words("the target's own check passed", "目标自身风控通过", "make the target anew", "请重新生成目标"),
    "total_weight": Words("the sum of weights", "权重合计", "lower the weights", "请降低权重"),
    "exposure_mismatch": Words("weights that add up to the exposure", "权重与敞口一致", "correct the target", "请更正目标"),
    "max_weight": Words("the weight of one symbol", "单一证券权重", "lower the weight", "请降低权重"),
    "max_positions": Words("how many symbols are held", "持仓数量", "take lines out", "请减少证券数量"),
    "max_industry_weight": Words("the weight of one industry", "单一行业权重", "lower its weights", "请降低行业权重"),
    "industry_unknown": Words("every industry is known", "行业已知", "name it in markets.facts", "请在 markets.facts 中补充"),
    "blacklist": Words("symbols that are not traded", "禁止交易名单", "take the line out", "请移除该证券"),
    "not_a_trading_day": Words("a trading day", "交易日", "give the next trading day", "请使用下一交易日"),
    "off_session": Words("within trading hours", "处于交易时段", "wait for the market to open", "请等待开市"),
    "min_cash": Words("the cash that is left", "剩余资金下限", "lower the weights, or add funds", "请降低权重，或补充资金"),
    "open_orders": Words("no other order works", "没有其他未完成委托", "let them end, or cancel them", "等待其结束，或撤单"),
    "position_breaks": Words(
        "our books and the broker's agree", "账实一致", "find out why and settle it", "查明原因并处理差异"
    ),
    "open_runs": Words("no other run works", "没有其他进行中的批次", "let it end, or cancel it", "等待其结束，或取消"),
    "other_mode": Words("it says whose money moves", "资金性质与账户一致", "make it with the other mode", "请改用另一模式"),
    "live_account": Words(
        "the account may trade live", "账户允许实盘交易", "name it in live.accounts", "请在 live.accounts 中登记该账户"
    ),
    "live_confirmation": Words(
        "a person confirmed the plan for a live account",
        "已由本人确认实盘计划",
        "confirm it with the words and a second factor",
        "请输入确认词与动态码确认",
    ),
    "live_changed": Words(
        "the plan is what was confirmed", "计划与确认内容一致", "look at the plan again and confirm it", "请重新核对计划并确认"
    ),
}
"""Of a run as a whole: each finding is journalled with RunDenied."""
