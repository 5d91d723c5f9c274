"""Who sets limits: risk.yaml as a whole, and people one by one, for a reason and a time, after which they end by themselves.

An intraday change that nobody approved and nobody took back is what regulators find first (FINRA 2025); so a person's limit
always has an end, and a limit from the file is never edited, only covered for a while. A change that cannot be understood
changes nothing: what was in force stays.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

from msgspec.structs import replace

from tradeloop.core.commands import ChangeLimit, RevertLimit, SetLimits
from tradeloop.core.errors import BUGS, BadInput
from tradeloop.core.events import Event, LimitEnded, LimitsConfigured, LimitSet
from tradeloop.core.limit import LimitScope, RiskLimit, Severity
from tradeloop.core.people import is_one_of, person, seen
from tradeloop.core.replies import Done
from tradeloop.core.risk.judging import amount
from tradeloop.core.risk.limit_changes import Changes, beside, changes
from tradeloop.core.risk.present import beyond_now
from tradeloop.core.risk.registry import checked, unit_of
from tradeloop.core.risk.rule import Unit
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import SECOND_NS, ZERO, UtcNs

LIMIT_ENDS: Final = "limit_ends"
"""Kind of the timer at which a person's limit is over; its subject is the limit's id."""

LONGEST_NS: Final = 7 * 24 * 3600 * SECOND_NS
"""How long a person's limit may stand; what is to stay belongs into risk.yaml."""

Answer = Generator[Event, None, Done]


def configure(state: State, around: Surroundings, command: SetLimits, now: UtcNs) -> Answer:
    """The file's limits, as a whole. Raises BadInput at the first that no rule can ask, and where somebody has a running desk
    take a file that ends or loosens something, unless that has a reason and whoever has to has agreed. A start asks nobody.
    """
    after: dict[str, RiskLimit] = {}
    for limit in command.limits:
        checked(limit)
        if limit.limit_id in after:
            raise BadInput(f"the limit {limit.rule} of {limit.where} was set twice, expected once; take one of the two out")
        after[limit.limit_id] = limit
    before = state.limits.of_file
    if after == before:
        return Done(f"{counted(len(after))}, as before")
    news = changes(before, after)
    _answered(around, command, news)
    who = (command.by, command.reason, command.approved_by)
    yield LimitsConfigured(now, command.limits, command.origin, *who, news.ended, news.looser, news.tighter)
    changed = (limit for limit_id, limit in after.items() if before.get(limit_id) != limit)
    said = "".join(
        f"; {limit.rule} of {limit.where}: {text}" for limit in changed if (text := _beyond(state, around, limit, now))
    )
    return Done(f"{counted(len(after))} in force from {command.origin or 'here'}{news.sentence}{said}")


def change(state: State, around: Surroundings, command: ChangeLimit, now: UtcNs) -> Answer:
    """A person's limit. Raises BadInput when it has no name, no reason, or no end that lies ahead and near. One that is beyond
    already is set all the same: whoever lowers a limit wants no more of it from now on.
    """
    limit = command.limit
    if command.lasts_ns:
        limit = replace(limit, until=UtcNs(now + command.lasts_ns))
    checked(limit)
    seen(limit.by, "by")
    if not limit.by.strip() or not limit.reason.strip():
        raise BadInput("a limit is changed by somebody and for a reason; one of them was empty")
    _agreed(around, limit.by, command.approved_by)
    if limit.until is None or not now < limit.until <= now + LONGEST_NS:
        raise BadInput(
            "a changed limit ends by itself, at a time ahead of now and at most 7 days away; put what is to last into risk.yaml"
        )
    yield LimitSet(now, limit, command.approved_by)
    tighter = "" if limit.shadow else beside(limit, state.limits.in_force.values())
    said = "".join(f"; {text}" for text in (tighter, _not_met(state, limit), _beyond(state, around, limit, now)) if text)
    return Done(f"{limit.rule} of {limit.where} is {_figure(limit)} until its time is up{said}")


def revert(state: State, around: Surroundings, command: RevertLimit, now: UtcNs) -> Answer:
    """A person's limit ends before its time. Raises BadInput when there is none, or name or reason is missing."""
    limit = set_by_person(state, command)
    seen(command.by, "by")
    if not command.by.strip() or not command.reason.strip():
        raise BadInput("a limit is taken back by somebody and for a reason; one of them was empty")
    _agreed(around, command.by, command.approved_by)
    yield LimitEnded(now, limit.limit_id, command.by, command.reason, command.approved_by)
    return Done(f"{limit.rule} of {limit.where} is what risk.yaml says again")


def set_by_person(state: State, command: RevertLimit) -> RiskLimit:
    """The limit that is to be taken back. Raises BadInput where no person has set it."""
    from_person = _of(command)
    limit = state.limits.by_person.get(from_person.limit_id)
    if limit is None:
        others = "; ".join(_named(one) for one in state.limits.by_person.values() if one.rule == command.rule)
        there = f"those that are: {others}" if others else "see `tradeloop risk show`"
        raise BadInput(f"no limit {_named(from_person)} was set by a person; {there}")
    return limit


def on_timer(state: State, limit_id: str, now: UtcNs) -> Generator[Event, None, None]:
    """The time of a person's limit is up; not where it was set again, for longer, since the timer was."""
    limit = state.limits.by_person.get(limit_id)
    if limit is not None and limit.until is not None and limit.until <= now:
        yield LimitEnded(now, limit_id, "engine", "its time is up")


def over(state: State, now: UtcNs) -> Generator[Event, None, None]:
    """All of them whose time is up: asked before anything is decided, since a timer may be late, or its process gone."""
    for limit_id in list(state.limits.by_person):
        yield from on_timer(state, limit_id, now)


def _answered(around: Surroundings, command: SetLimits, news: Changes) -> None:
    """Raise BadInput where a person has the file taken, it ends or loosens something, and nobody answers for that."""
    seen(command.by, "by")
    seen(command.approved_by, "approved_by")
    if not command.by or not news.loosens:
        return
    if not command.reason.strip():
        raise BadInput(f"a file that loosens limits in force is taken for a reason, and it was empty{news.sentence}")
    _agreed(around, command.by, command.approved_by)


def _agreed(around: Surroundings, by: str, approved_by: str) -> None:
    """Raise BadInput unless whoever has to has agreed: one of the desk's approvers, and another where it has two or more."""
    seen(approved_by, "approved_by")
    if person(approved_by) == person(by):
        raise BadInput(f"a change is approved by somebody else than who makes it; both were {by!r}")
    known = around.policy.approvers
    if known and not is_one_of(by, known):
        raise BadInput(f"a limit is changed by one of {', '.join(known)} (risk.approvers); was {by!r}")
    if len(known) > 1 and not is_one_of(approved_by, known):
        others = ", ".join(name for name in known if person(name) != person(by))
        was = f"was {approved_by!r}" if approved_by else "nobody had"
        raise BadInput(f"a change of a limit needs the approval of one of {others} (risk.approvers), {was}; give --approved-by")


def _beyond(state: State, around: Surroundings, limit: RiskLimit, now: UtcNs) -> str:
    """What is said of a limit that is beyond already; empty where it is not, or where it stops nothing."""
    if limit.shadow or limit.severity is Severity.WARN:
        return ""
    try:
        found = beyond_now(state, around, limit, now)
    except BUGS as error:  # the limit is set already; its rule refuses every order until it measures again
        return f"what there is of it now could not be measured ({type(error).__name__}: {error}); report it"
    return "" if found is None else f"it is beyond that now ({found}), and only orders that lessen it pass"


def _not_met(state: State, limit: RiskLimit) -> str:
    """That nobody here has met the symbol of a limit, which may be a slip of the pen; empty where somebody has."""
    if limit.scope is not LimitScope.SYMBOL or not limit.name or limit.name in state.instruments:
        return ""
    return f"no {limit.name} was ever held, planned or traded here, look how it is written"


def _figure(limit: RiskLimit) -> str:
    """How much the limit is, where its rule has a figure, and whether it stops anything."""
    unit = unit_of(limit.rule)
    figure = "in force" if unit is Unit.NONE else amount(unit, limit.value, limit.currency)
    return f"{figure}, in shadow," if limit.shadow else figure


def counted(count: int) -> str:
    """So many limits, in words."""
    return "1 limit" if count == 1 else f"{count} limits"


def _named(limit: RiskLimit) -> str:
    """A limit by all that makes it the one it is."""
    currency = f" in {limit.currency}" if limit.currency else ""
    return f"{limit.rule} of {limit.where}{currency}{' in shadow' if limit.shadow else ''}"


def _of(command: RevertLimit) -> RiskLimit:
    return RiskLimit(command.rule, ZERO, command.scope, command.name, command.currency, shadow=command.shadow)
