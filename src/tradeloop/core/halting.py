"""An order beyond a limit of severity `halt` is refused like any other, and what the limit is counted over is halted with it.

Some patterns are not put right by refusing the next order: a program that repeats itself, trades with itself or moves the price
goes on until a person has looked (R5, R17, R31 of the table of rules). The halt is latched and released like any other; what it
is of is the limit's scope, and of an industry, whose members change, the symbol that was to be ordered.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

from tradeloop.core.commands import HaltTrading
from tradeloop.core.events import Event, LateOrderDenied, OrderDenied, ReplaceDenied
from tradeloop.core.halt import HaltScope, at_most
from tradeloop.core.limit import LimitScope, RiskLimit
from tradeloop.core.replies import Reply
from tradeloop.core.risk.judging import FAILED, UNKNOWN, amount
from tradeloop.core.risk.registry import RULES
from tradeloop.core.state import State
from tradeloop.core.stopping import halt
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import UtcNs

Decision = Generator[Event, None, Reply | None]
Denial = OrderDenied | LateOrderDenied | ReplaceDenied

_UNMEASURED: Final = (FAILED, UNKNOWN)
"""What was not measured is beyond nothing: the order is refused, and that is all."""


def with_halts(state: State, around: Surroundings, decision: Decision, now: UtcNs) -> Decision:
    """The decision, and behind it the halts that its denials ask for."""
    denials: list[Denial] = []
    reply = yield from _watched(decision, denials)
    for denial in denials:
        for limit in state.limits.halting:
            if _is_by(denial, limit):
                yield from _halt(state, around, denial, limit, now)
    return reply


def _watched(decision: Decision, denials: list[Denial]) -> Decision:
    """The decision as it is; its denials are kept."""
    while True:
        try:
            fact = next(decision)
        except StopIteration as done:
            reply: Reply | None = done.value
            return reply
        if isinstance(fact, Denial):
            denials.append(fact)
        yield fact


def _is_by(denial: Denial, limit: RiskLimit) -> bool:
    if denial.was in _UNMEASURED:
        return False
    rule = RULES[limit.rule]
    return (denial.rule, denial.scope, denial.limit) == (
        limit.rule,
        limit.where,
        amount(rule.unit, limit.value, limit.currency),
    )


def _halt(state: State, around: Surroundings, denial: Denial, limit: RiskLimit, now: UtcNs) -> Generator[Event, None, None]:
    scope, name = _place(state, denial, limit.scope)
    tier = at_most(limit.tier, scope)  # a journal may hold a limit from before that was refused
    if any(one.is_like(tier, scope, name, limit.limit_id) for one in state.halts.values()):
        return
    words = RULES[limit.rule].words
    reason = f"{words.title} ({limit.where}) may be {denial.limit}, was {denial.was}, and an order added {denial.this_order}"
    yield from halt(state, around, HaltTrading(tier, "risk", reason, scope, name, limit.limit_id), now)


def _place(state: State, denial: Denial, scope: LimitScope) -> tuple[HaltScope, str]:
    of = denial if isinstance(denial, OrderDenied) else state.orders.get(denial.cl_ord_id)
    assert of is not None, f"{denial.cl_ord_id} was asked about a moment ago"
    match scope:
        case LimitScope.GLOBAL:
            return HaltScope.GLOBAL, ""
        case LimitScope.ACCOUNT:
            return HaltScope.ACCOUNT, of.account
        case LimitScope.STRATEGY:
            return HaltScope.STRATEGY, of.strategy_id
        case LimitScope.SYMBOL | LimitScope.INDUSTRY:
            return HaltScope.SYMBOL, of.symbol
