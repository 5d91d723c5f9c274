"""Looks at what no order has to come for, once a second, and halts what is beyond a limit (core/risk/triggers.py).

A limit trips once for a place: whoever releases the halt has looked, and is not overruled a second later. It trips again when
it was within its limit in between. The marks by which a loss is measured, what an account was worth when its day began and at
most since they are kept, are facts: a restart measures by the same.
"""

from __future__ import annotations

from collections.abc import Generator
from decimal import Decimal
from typing import Final

from tradeloop.core.commands import HaltTrading
from tradeloop.core.events import EquityMarked, Event, LimitCleared, LimitTripped
from tradeloop.core.limit import RiskLimit
from tradeloop.core.risk.judging import amount
from tradeloop.core.risk.rule import Missing
from tradeloop.core.risk.triggers import TRIGGERS, Place
from tradeloop.core.state import State
from tradeloop.core.stopping import halt
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import SECOND_NS, AccountID, Amount, TradingDay, UtcNs

RISK_LOOK: Final = "risk_look"
"""Kind of the timer that looks; set while a limit asks for it (core/follow.py)."""
LOOK_NS: Final = SECOND_NS
_HIGHER_BY: Final = Decimal("0.001")
"""A highest equity is recorded when it is higher by this fraction: else every tick of a rising market would be a fact."""

Facts = Generator[Event, None, None]


def looks(state: State) -> bool:
    """Whether any limit in force is a trigger's."""
    return any(limit.rule in TRIGGERS for limit in state.limits.in_force.values())


def look(state: State, around: Surroundings, now: UtcNs) -> Facts:
    """One look: the marks first, then every trigger in force."""
    yield from _mark(state, around, now)
    for limit in list(state.limits.in_force.values()):
        trigger = TRIGGERS.get(limit.rule)
        if trigger is None:
            continue
        found = {place.what: place for place in trigger.watch(state, around, limit, now)}
        for place in found.values():
            yield from _judge(state, around, limit, place, now)
        for what in [what for of, what in state.limits.tripped if of == limit.limit_id and what not in found]:
            yield LimitCleared(now, limit.limit_id, what)


def _judge(state: State, around: Surroundings, limit: RiskLimit, place: Place, now: UtcNs) -> Facts:
    tripped = (limit.limit_id, place.what) in state.limits.tripped
    if isinstance(place.found, Missing):
        return  # what is unknown stops no trading by itself: orders that need it are refused one by one
    if place.found <= limit.value:
        if tripped:
            yield LimitCleared(now, limit.limit_id, place.what)
        return
    if tripped:
        return
    trigger = TRIGGERS[limit.rule]
    most, was = amount(trigger.unit, limit.value, limit.currency), amount(trigger.unit, place.found, "")
    yield LimitTripped(now, limit.limit_id, place.what, limit.rule, most, was, limit.shadow)
    if not limit.shadow:
        reason = f"{trigger.words.title} is {was}, at most {most} ({limit.where}, {place.what}); {trigger.words.remedy}"
        yield from halt(state, around, HaltTrading(limit.tier, "risk", reason, place.scope, place.name), now)


def _mark(state: State, around: Surroundings, now: UtcNs) -> Facts:
    """Keep what an account was worth when its day began, and at most since."""
    day = max((hours.trading_day for hours in state.hours.values()), default=TradingDay(""))
    for account, its in list(state.accounts.items()):
        for currency in list(its.cash):
            if not its.adopted or not state.is_ready(its.broker, AccountID(account)):
                continue
            equity = around.valuation.look(state, around.quotes).equity(state, account, currency)
            mark = state.marks.get((account, currency))
            if equity is None:
                continue
            if mark is None or mark.trading_day < day or equity > mark.highest * (1 + _HIGHER_BY):
                yield EquityMarked(now, account, currency, Amount(equity), day)
