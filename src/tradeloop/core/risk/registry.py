"""All rules of limits, by code. A limit names one of them; docs/reference/risk-rules.md is made from here."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

from tradeloop.core.errors import BadInput
from tradeloop.core.halt import HaltTier
from tradeloop.core.limit import EACH, LimitScope, RiskLimit, Severity
from tradeloop.core.risk import capital, conduct, eligibility, frequency, positions, prices
from tradeloop.core.risk.codes import ORDER_CODES
from tradeloop.core.risk.rule import ByList, RiskRule, Unit, Words
from tradeloop.core.risk.triggers import TRIGGERS, Trigger
from tradeloop.core.types import ONE, ZERO, Word, is_exact

RULES: Final[dict[str, RiskRule]] = {
    rule.code: rule
    for rule in (
        *capital.RULES,
        *frequency.RULES,
        *prices.RULES,
        *conduct.RULES,
        *eligibility.RULES,
        *positions.RULES,
    )
}


SHARES: Final = ("min_cash_ratio", "max_cancel_ratio", "max_minute_share", "max_drawdown")
"""Rules of a share that is never more than all of it. Others may be: a future is worth more than the equity behind it."""
_MOST: Final = "expected at most 1, which is 100%"


def checked(limit: RiskLimit) -> RiskLimit:
    """The limit, if its rule can ask it. Raises BadInput with what is wrong with it, and what would be right."""
    rule = RULES.get(limit.rule) or TRIGGERS.get(limit.rule)
    if rule is None:
        near = get_close_matches(limit.rule, [*RULES, *TRIGGERS], n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise BadInput(f"rule was {limit.rule!r}, which is not known{hint}; see `tradeloop risk show --rules`")
    what = f"limit {rule.code} of {limit.where}"
    if not is_exact(limit.value) or limit.value < ZERO:
        raise BadInput(f"{what} was {str(limit.value)[:40]}; expected a number that is not below zero")
    if rule.unit is Unit.NONE and limit.value:
        raise BadInput(f"{what} was {limit.value:f}; expected 0, it forbids and has no figure")
    if rule.unit is Unit.COUNT and limit.value != int(limit.value):
        raise BadInput(f"{what} was {limit.value:f}; expected a whole number, it counts")
    if limit.scope not in rule.scopes:
        raise BadInput(f"{what} cannot be counted over {limit.scope.value}; expected {_either(rule.scopes)}")
    if rule.code in SHARES and limit.value > ONE:
        raise BadInput(f"{what} was {limit.value:f}, more than all of it; {_MOST}")
    if isinstance(rule, Trigger) and limit.severity is not Severity.DENY:
        raise BadInput(f"{what} halts as much as its `tier` says; its severity was {limit.severity.value}, take that out")
    if isinstance(rule, RiskRule) and limit.severity not in rule.severities:
        raise BadInput(f"{what} cannot {limit.severity.value}; expected {_either(rule.severities)}")
    if limit.scope is LimitScope.GLOBAL and limit.name != EACH:
        raise BadInput(f"{what} names {limit.name!r}, and a global limit has no name; give it a scope or take the name out")
    if limit.tier is not HaltTier.HALT and isinstance(rule, RiskRule) and limit.severity is not Severity.HALT:
        raise BadInput(
            f"{what} refuses orders and halts nothing; its tier was {limit.tier.value}, take that out or give it severity halt"
        )
    if limit.tier is HaltTier.FLATTEN and limit.scope is LimitScope.STRATEGY:
        raise BadInput(f"{what} cannot FLATTEN, positions are not kept by strategy; give it the tier CANCEL_ALL")
    if limit.currency and rule.unit is not Unit.MONEY:
        raise BadInput(f"{what} is not of money, and its currency was {limit.currency}; take that out")
    _extras(rule, limit, what)
    _soft(rule, limit, what)
    return limit


def _soft(rule: RiskRule | Trigger, limit: RiskLimit, what: str) -> None:
    """The figure before the limit's own, from which on less becomes of an order than at that."""
    if limit.soft is None:
        if limit.soft_severity is not Severity.WARN:
            raise BadInput(f"{what} has no soft figure, and soft_severity was {limit.soft_severity.value}; give soft, too")
        return
    if not isinstance(rule, RiskRule) or rule.unit is Unit.NONE:
        raise BadInput(f"{what} has one figure or none, and soft was {limit.soft:f}; take that out")
    if not is_exact(limit.soft) or limit.soft < ZERO or (rule.unit is Unit.COUNT and limit.soft != int(limit.soft)):
        raise BadInput(f"soft of {what} was {str(limit.soft)[:40]}; expected a number such as its value, not below zero")
    if limit.soft <= limit.value if rule.at_least else limit.soft >= limit.value:
        side = "above" if rule.at_least else "below"
        raise BadInput(f"soft of {what} was {limit.soft:f}; expected one {side} its value, {limit.value:f}: it comes first")
    if limit.soft_severity not in rule.softly:
        raise BadInput(f"{what} cannot {limit.soft_severity.value} softly; expected {_either(rule.softly)}")
    if limit.severity not in (Severity.DENY, Severity.HALT):
        raise BadInput(f"{what} was to {limit.severity.value}, and has a soft figure; expected severity deny or halt")


def _extras(rule: RiskRule | Trigger, limit: RiskLimit, what: str) -> None:
    """What some rules alone have: a figure from which on they speak, and a list."""
    floor, by_list = (rule.floor, rule.by_list) if isinstance(rule, RiskRule) else (None, ByList.NO)
    if limit.floor is not None:
        if floor is None:
            raise BadInput(f"{what} has no floor, which was {limit.floor}; take that out")
        if not is_exact(limit.floor) or limit.floor < ZERO:
            raise BadInput(f"the floor of {what} was {str(limit.floor)[:40]}; expected a number that is not below zero")
        if floor >= ONE and limit.floor != int(limit.floor):
            raise BadInput(f"the floor of {what} was {limit.floor:f}; expected a whole number such as {floor:f}, it counts")
        if floor < ONE < limit.floor:
            raise BadInput(f"the floor of {what} was {limit.floor:f}, more than all of it; {_MOST}")
    if limit.only and by_list is not ByList.ONLY:
        raise BadInput(f"{what} is not for a list of names, and `only` was {', '.join(limit.only)[:60]}; take that out")
    if limit.but and by_list is not ByList.BUT:
        raise BadInput(f"{what} has no list of exceptions, and `but` was {', '.join(limit.but)[:60]}; take that out")
    if by_list is ByList.ONLY and not limit.only:
        raise BadInput(f"{what} has an empty list; name the symbols, boards, industries or accounts under `only`")


def is_known(code: str) -> bool:
    """Whether a limit may name it: a rule of orders, or a trigger."""
    return code in RULES or code in TRIGGERS


def unit_of(code: str) -> Unit:
    """What the value of a limit of this rule counts; a plain number where nobody knows the rule."""
    rule = RULES.get(code) or TRIGGERS.get(code)
    return Unit.QTY if rule is None else rule.unit


def words_of(code: str) -> Words | None:
    """The words of a code of an order's denial, of a limit or of a check of every order; None where it is unknown."""
    rule = RULES.get(code)
    return ORDER_CODES.get(code) if rule is None else rule.words


def _either(words: tuple[Word, ...]) -> str:
    return " or ".join(word.value for word in words)
