"""A denial in Chinese, from the words of its rule and the figures that it carries."""

from __future__ import annotations

from typing import Final

from tradeloop.core.limit import LimitScope
from tradeloop.core.risk.denied import Denied, Uncounted
from tradeloop.core.risk.judging import UNKNOWN
from tradeloop.core.risk.registry import RULES, words_of

_SCOPES: Final = {
    LimitScope.GLOBAL.value: "全局",
    LimitScope.ACCOUNT.value: "账户",
    LimitScope.STRATEGY.value: "策略",
    LimitScope.SYMBOL.value: "证券",
    LimitScope.INDUSTRY.value: "行业",
    "broker": "券商",
    "session": "交易时段",
}
_UNCOUNTED: Final = {
    Uncounted.OWN.value: "不能批准本人提交的委托或改单",
    Uncounted.UNLISTED.value: "不在审批人名单（risk.approvers）中",
}


def in_chinese(denied: Denied) -> str:
    """The denial as one sentence: what is bounded and over what, the limit, what there is, what the order adds, what to do."""
    rule = RULES.get(denied.rule)
    words = words_of(denied.rule)
    if words is None:
        return f"委托被拒绝（{denied.rule}）：限额 {denied.limit}，现值 {denied.was}"
    said = f"委托被拒绝（{denied.rule}）："
    if rule is None:
        return f"{said}{_where(denied.scope)}要求{words.title_zh}（{denied.limit}）{_found(denied)}；{words.remedy_zh}"
    bound = "下限" if rule.at_least else "上限"
    figures = "现值未知" if denied.was == UNKNOWN else f"现值 {denied.was}，本委托增加 {denied.this_order}"
    where = f"{words.title_zh}（{_scope(denied.scope)}）"
    return f"{said}{where}{bound} {denied.limit}，{figures}；{_approval(denied)}{words.remedy_zh}"


def _where(scope: str) -> str:
    return "".join(f"{_scope(part)}，" for part in scope.split(", ") if part)


def _found(denied: Denied) -> str:
    """What there is now, and what the order asks for, as far as the check compares either."""
    now = f"，现为 {denied.was}" if denied.was else ""
    return f"{now}，本委托为 {denied.this_order}" if denied.this_order else now


def _approval(denied: Denied) -> str:
    """Why an approval that was named did not count; empty where none was."""
    why = _UNCOUNTED.get(denied.uncounted)
    return "" if why is None else f"{denied.approved_by} 的批准无效：{why}，请由他人批准；否则"


def _scope(where: str) -> str:
    """`account demo` as 账户 demo, `each symbol` as 每个证券."""
    for scope, name in _SCOPES.items():
        if where == scope:
            return name
        if where == f"each {scope}":
            return f"每个{name}"
        if where.startswith(f"{scope} "):
            return f"{name} {where.removeprefix(f'{scope} ')}"
    return where
