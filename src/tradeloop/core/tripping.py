"""Looks at what no order has to come for, once a second, and halts what is beyond a limit (core/risk/triggers.py).

A limit trips once for a place: whoever releases the halt has looked, and is not overruled a second later. It trips again when
it was within its limit in between. The marks by which a loss is measured, what an account was worth when its day began and at
most since they are kept, are facts: a restart measures by the same.

What cannot be measured for a while is told once, and nothing new is opened there (core/risk/unmeasured.py).
"""

from __future__ import annotations

from collections.abc import Generator
from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.core.commands import HaltTrading
from tradeloop.core.errors import BUGS
from tradeloop.core.events import EquityMarked, Event, LimitCleared, LimitTripped
from tradeloop.core.halt import HaltScope, at_most
from tradeloop.core.limit import LimitScope, RiskLimit
from tradeloop.core.market import todays_close
from tradeloop.core.risk.judging import FAILED, UNKNOWN, amount
from tradeloop.core.risk.rule import Missing
from tradeloop.core.risk.triggers import TRIGGERS, Place, Trigger, accounts_of, purses_of
from tradeloop.core.risk.unmeasured import PATIENCE_NS, unmeasured
from tradeloop.core.state import State
from tradeloop.core.stopping import halt
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import SECOND_NS, ZERO, AccountID, Amount, Currency, TradingDay, UtcNs

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
    """One look: the marks first, then every trigger in force. A trigger that fails stops what it watches over: nobody knows
    whether that is within its limit, and the process goes on.
    """
    unknown, around.unmeasured = around.unmeasured, {}
    in_force = [(limit, TRIGGERS[limit.rule]) for limit in state.limits.in_force.values() if limit.rule in TRIGGERS]
    by_marks = [limit for limit, trigger in in_force if trigger.by_marks]
    unmarked = ""
    try:
        marks = _marks(state, around, by_marks, now)
    except BUGS as error:
        marks, unmarked = [], _said(error)
    yield from marks
    for limit, trigger in in_force:
        found: list[_Seen] | str = unmarked if trigger.by_marks else ""
        if not found:
            try:
                found = _seen(state, around, limit, trigger, now)
            except BUGS as error:
                found = _said(error)
        if isinstance(found, str):
            yield from _fails(state, around, limit, trigger, found, now)
            continue
        for seen in found:
            if seen.is_beyond is None:
                key = limit.limit_id, seen.place.what
                around.unmeasured[key] = min(unknown.get(key, now), now)
                yield from _says_unknown(state, around, limit, trigger, seen, now)
            else:
                yield from _judge(state, around, limit, trigger, seen, now)
        there = {seen.place.what for seen in found}
        there |= {unmeasured(seen.place.what) for seen in found if seen.is_beyond is None}
        for what in [what for of, what in state.limits.tripped if of == limit.limit_id and what not in there]:
            yield LimitCleared(now, limit.limit_id, what)


class _Seen(msgspec.Struct, frozen=True, gc=False):
    """A place, whether it is beyond the limit (None: not known), and what there is of it, in words."""

    place: Place
    is_beyond: bool | None
    was: str


def _seen(state: State, around: Surroundings, limit: RiskLimit, trigger: Trigger, now: UtcNs) -> list[_Seen]:
    places = {place.what: place for place in trigger.watch(state, around, limit, now)}
    return [
        _Seen(place, None, f"{UNKNOWN}: {place.found.what}")
        if isinstance(place.found, Missing)
        else _Seen(place, place.found > limit.value, amount(trigger.unit, place.found, ""))
        for place in places.values()
    ]


def _judge(state: State, around: Surroundings, limit: RiskLimit, trigger: Trigger, seen: _Seen, now: UtcNs) -> Facts:
    place = seen.place
    tripped = (limit.limit_id, place.what) in state.limits.tripped
    if not seen.is_beyond:
        if tripped:
            yield LimitCleared(now, limit.limit_id, place.what)
        return
    if tripped:
        return
    most = amount(trigger.unit, limit.value, limit.currency)
    yield LimitTripped(now, limit.limit_id, place.what, limit.rule, most, seen.was, limit.shadow)
    if not limit.shadow:
        reason = f"{trigger.words.title} is {seen.was}, at most {most} ({limit.where}, {place.what}); {trigger.words.remedy}"
        tier = at_most(limit.tier, place.scope)
        cmd = HaltTrading(tier, "risk", reason, place.scope, place.name, limit.limit_id)
        yield from halt(state, around, cmd, now)


def _says_unknown(state: State, around: Surroundings, limit: RiskLimit, trigger: Trigger, seen: _Seen, now: UtcNs) -> Facts:
    """Once, when it has lasted: that nobody knows whether the place is within its limit."""
    what = unmeasured(seen.place.what)
    lasted = now - around.unmeasured[limit.limit_id, seen.place.what]
    if lasted >= PATIENCE_NS and (limit.limit_id, what) not in state.limits.tripped:
        most = amount(trigger.unit, limit.value, limit.currency)
        yield LimitTripped(now, limit.limit_id, what, limit.rule, most, seen.was, limit.shadow)


def _fails(state: State, around: Surroundings, limit: RiskLimit, trigger: Trigger, why: str, now: UtcNs) -> Facts:
    """Halt everything that the limit is about, once, until the trigger has measured again."""
    if (limit.limit_id, FAILED) in state.limits.tripped:
        return
    most = amount(trigger.unit, limit.value, limit.currency)
    yield LimitTripped(now, limit.limit_id, FAILED, limit.rule, most, f"{FAILED}: {why}", limit.shadow)
    if limit.shadow:
        return
    reason = f"{trigger.words.title} ({limit.where}) could not be measured: {why}; report it, then {trigger.words.remedy}"
    if limit.scope is LimitScope.GLOBAL:
        yield from halt(state, around, HaltTrading(limit.tier, "risk", reason, trigger=limit.limit_id), now)
        return
    for account in accounts_of(state, limit):
        cmd = HaltTrading(limit.tier, "risk", reason, HaltScope.ACCOUNT, account, limit.limit_id)
        yield from halt(state, around, cmd, now)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _marks(state: State, around: Surroundings, limits: list[RiskLimit], now: UtcNs) -> list[EquityMarked]:
    """What is to be kept of what accounts were worth when their day began, and at most since: where these limits ask."""
    marks: list[EquityMarked] = []
    for account, currency in dict.fromkeys(purse for limit in limits for purse in purses_of(state, around, limit)):
        its = state.accounts[account]
        if not its.adopted or not state.is_ready(its.broker, account):
            continue
        equity = around.valuation.look(state, around.quotes).equity(state, account, currency)
        mark = state.marks.get((account, currency))
        if equity is None:
            continue
        day = _risk_day(state, account, currency, now)
        if mark is not None and mark.trading_day == _NO_DAY < day:
            # What it traded first is of this day already: it began with what there was before.
            marks.append(EquityMarked(now, account, currency, mark.start, day))
        elif mark is None:  # what was bought today before anybody looked cannot be told from what was carried over
            marks.append(EquityMarked(now, account, currency, Amount(equity), day))
        elif mark.trading_day < day:
            began_with = Amount(equity - _since_the_close(state, around, account, currency))
            marks.append(EquityMarked(now, account, currency, began_with, day))
        elif equity > mark.highest * (1 + _HIGHER_BY):
            marks.append(EquityMarked(now, account, currency, Amount(equity), day))
    return marks


def _since_the_close(state: State, around: Surroundings, account: AccountID, currency: Currency) -> Decimal:
    """What the holdings that were carried over have gained since the day before closed: a day begins with its gap over night,
    whenever somebody looks first. What was sold of them before that look is not in it.
    """
    gained = ZERO
    for symbol, held in state.positions.get(account, {}).items():
        carried = held.long_yesterday - held.short_yesterday
        instrument, quote = state.instruments[symbol], around.quotes.get(symbol)
        if not carried or instrument.currency != currency:
            continue
        close, px = todays_close(state, instrument, quote), around.valuation.px(symbol, quote)
        if close is not None and px is not None:
            gained += carried * (px - close) * instrument.multiplier
    return gained


def _risk_day(state: State, account: AccountID, currency: Currency, now: UtcNs) -> TradingDay:
    """The day by which an account's loss in a currency is measured: that of the markets in which it holds or has traded
    something in it, and none while it has not. Those that have closed for their day wait for the others; what is only listed
    counts for nothing.
    """
    going, over = _NO_DAY, _NO_DAY
    for session in _sessions_of(state, account, currency):
        hours = state.hours.get(session)
        if hours is None:
            continue
        if hours.is_over(now):
            over = max(over, hours.trading_day)
        elif going == _NO_DAY or hours.trading_day < going:
            going = hours.trading_day
    return going or over


def _sessions_of(state: State, account: AccountID, currency: Currency) -> list[str]:
    """The sessions of what an account holds, or has held since its books are ours, in a currency."""
    instruments = (state.instruments[symbol] for symbol in state.positions.get(account, {}))
    return list(dict.fromkeys(each.session for each in instruments if each.currency == currency))


_NO_DAY: Final = TradingDay("")
