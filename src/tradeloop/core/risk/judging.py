"""Whether an order keeps every limit that covers it. The one place where what a rule measures is compared with its limit.

An order that adds nothing to what a limit bounds is never beyond it: whoever is over a limit may always go back. What a rule
does not know refuses the order, unless the limit says otherwise. What only closes passes the rules that bound risk, or a day. A
limit in shadow is asked like any other and stops nothing. The work of a FLATTEN passes: what closes everything because a person
said so is not held up by limits on size, but by those of frequency, which are the exchange's. A rule that fails refuses the
order (ASVS 16.5.3: fail closed); cancels ask no rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Context, Decimal
from typing import Final

import msgspec

from tradeloop.core.errors import BUGS
from tradeloop.core.events import LimitPassed, OrderThrottled
from tradeloop.core.instrument import Instrument
from tradeloop.core.limit import LimitScope, RiskLimit, Severity
from tradeloop.core.people import is_one_of, person
from tradeloop.core.risk.denied import Denied, Uncounted
from tradeloop.core.risk.registry import RULES
from tradeloop.core.risk.rule import Family, Look, Measure, Measured, Missing, RiskRule, Screen, Unit
from tradeloop.core.types import ONE, ZERO, ClOrdID, UtcNs


class Failed(msgspec.Struct, frozen=True, gc=False):
    """A rule could not measure: it has a bug, or met what nobody thought of. The order is refused whatever its limit allows."""

    error: str


Found = Measured | Missing | Failed
Asked = tuple[RiskLimit, RiskRule, Measure, Decimal | None, Screen | None]
"""A limit, its rule, what measures it, the most that may be, None where it is the least, and the screen of its family."""


class Plan(msgspec.Struct, frozen=True, gc=False):
    """What is asked of the orders of one account, strategy and symbol: `every` limit, in their order, but those of a family
    whose screen says that all of them are kept; the `rest` alone where every screen does.
    """

    screens: tuple[Screen, ...]
    rest: tuple[Asked, ...]
    every: tuple[Asked, ...]


class Beyond(msgspec.Struct, frozen=True, gc=False):
    """A limit that an order does not keep, and what its rule found."""

    limit: RiskLimit
    found: Found


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What the limits say of an order: refused by one; to be told to people; and when it may leave at the earliest."""

    denied: Denied | None = None
    told: tuple[Beyond, ...] = ()
    waits_for: Beyond | None = None


PASSED: Final = Verdict()
FAILED: Final = "failed"
UNKNOWN: Final = "unknown"
"""What there is said to be where a rule could not measure."""

_SHOWN: Final = Decimal("0.00000001")
_NANOSECOND: Final = Decimal("0.000000001")
_WIDE: Final = Context(prec=120)
"""Any sum can be told: one past the digits of the ordinary context must not stop the verdict."""


def judge(look: Look, *, at_send: bool = False, lessens: bool = False) -> Verdict:
    """Ask every limit that covers the order. `at_send`: only those that are asked again when it leaves later. `lessens`: it is
    less of one that works already, at no worse a price, and is asked for nothing but the room that a request takes.
    """
    order = look.order
    of = order.account, order.strategy_id, order.symbol
    plan: Plan | None = look.state.limits.asked.get(of)
    if plan is None:
        plan = look.state.limits.asked[of] = _plan(look)
    asked = plan.every
    if at_send or order.halt or lessens:
        requests = lessens or order.halt
        asked = tuple(one for one in asked if (one[1].at_send or not at_send) and (one[1].of_flatten or not requests))
    elif look.own is None:
        asked = _not_screened(plan, look)
    told: list[Beyond] = []
    waits_for: Beyond | None = None
    for limit, rule, measure, most, _ in asked:
        found: Found | None
        try:
            found = measure(look, limit)
        except BUGS as error:
            found = Failed(f"{type(error).__name__}: {error}")
        if found is None:
            continue
        if (
            most is not None
            and type(found) is Measured
            and found.of is None
            and (found.current + found.adds <= most or found.adds <= ZERO)
        ):
            continue  # as `is_beyond` has it, for nearly every limit of nearly every order
        if not is_beyond(rule, limit, found):
            continue
        if not rule.of_closing and not isinstance(found, Failed) and not look.may_open:
            continue  # it must never keep anybody in what they want to be out of
        beyond = Beyond(limit, found)
        if limit.shadow or (limit.severity is Severity.WARN and not isinstance(found, Failed)):
            told.append(beyond)
        elif limit.severity is Severity.APPROVAL and not isinstance(found, Failed) and _agreed(look):
            continue
        elif limit.severity is Severity.THROTTLE and isinstance(found, Measured) and found.room_at is not None:
            if found.room_at > look.now and (waits_for is None or _room_at(waits_for) < found.room_at):
                waits_for = beyond
        else:
            return Verdict(denied(rule, beyond, look), tuple(told))
    return Verdict(None, tuple(told), waits_for) if told or waits_for is not None else PASSED


def asked(look: Look) -> Iterator[tuple[RiskLimit, RiskRule]]:
    """The limits that an order has to keep, and their rules."""
    order = look.order
    for limit in look.state.limits.covering(order.account, order.strategy_id, order.symbol, look.instrument):
        rule = RULES.get(limit.rule)  # None: no order has to come for it (core/tripping.py)
        if rule is not None and (not order.halt or rule.of_flatten):
            yield limit, rule


def _plan(look: Look) -> Plan:
    """What is asked of every order of this account, strategy and symbol: looked up once. Rules that have nothing to say of the
    instrument are left out.
    """
    order, instrument = look.order, look.instrument
    covering = look.state.limits.covering(order.account, order.strategy_id, order.symbol, instrument)
    rules = ((limit, RULES[limit.rule]) for limit in covering if limit.rule in RULES)
    known = [(limit, rule) for limit, rule in rules if _concerns(rule, instrument)]
    shared = (tuple(f"{limit.limit_id}|{limit.by}|{type(limit).__name__}" for limit, _ in known),)
    plan: Plan | None = look.state.limits.asked.get(shared)
    if plan is not None:
        return plan  # of most symbols the same is asked: one plan for all of them stays at hand
    families: dict[tuple[Family, LimitScope], list[RiskLimit]] = {}
    for limit, rule in known:
        if rule.family is not None:
            families.setdefault((rule.family, limit.scope), []).append(limit)
    screens = {of: of[0](tuple(limits)) for of, limits in families.items()}
    every = tuple(
        (
            limit,
            rule,
            rule.measure,
            None if rule.at_least else limit.value,
            None if rule.family is None else screens[rule.family, limit.scope],
        )
        for limit, rule in known
    )
    plan = Plan(tuple(screens.values()), tuple(one for one in every if one[1].family is None), every)
    look.state.limits.asked[shared] = plan
    return plan


def _not_screened(plan: Plan, look: Look) -> tuple[Asked, ...]:
    """The limits of which no screen says that a new order keeps them; one that fails says nothing."""
    unsure: list[Screen] = []
    for screen in plan.screens:
        try:
            kept = screen(look)
        except BUGS:
            kept = False
        if not kept:
            unsure.append(screen)
    if not unsure:
        return plan.rest
    return tuple(one for one in plan.every if one[4] is None or one[4] in unsure)


def _concerns(rule: RiskRule, instrument: Instrument) -> bool:
    try:
        return rule.concerns is None or rule.concerns(instrument)
    except BUGS:
        return True  # what cannot be said at once is for `measure` to say, or to fail at


def is_beyond(rule: RiskRule, limit: RiskLimit, found: Found | None) -> bool:
    """Whether what a rule found is beyond its limit."""
    if not isinstance(found, Measured):
        return isinstance(found, Failed) or (found is not None and not limit.allow_missing)
    adds, of = found.adds, found.of
    if rule.at_least:
        if of is not None and of <= ZERO:
            return adds < ZERO
        return (adds < ZERO or rule.unit is Unit.SECONDS) and found.current + adds < (
            limit.value if of is None else limit.value * of
        )
    if adds <= ZERO:
        return False
    if of is None:
        return found.current + adds > limit.value
    return of <= ZERO or found.current + adds > limit.value * of  # no share of nothing is little enough


def _agreed(look: Look) -> bool:
    """Whether somebody else than who sends the order approved it: one of the desk's approvers, where it names any."""
    return bool(person(look.order.approved_by)) and _uncounted(look) is None


def _uncounted(look: Look) -> Uncounted | None:
    """Why the approval that an order names does not count; None where it does, or names nobody."""
    order, known = look.order, look.around.policy.approvers
    approver = person(order.approved_by)
    if not approver:
        return None
    if approver == person(order.by):
        return Uncounted.OWN
    return None if not known or is_one_of(approver, known) else Uncounted.UNLISTED


def _room_at(beyond: Beyond) -> UtcNs:
    room_at = beyond.found.room_at if isinstance(beyond.found, Measured) else None
    return UtcNs(0) if room_at is None else room_at


def told(cl_ord_id: ClOrdID, verdict: Verdict, now: UtcNs) -> Iterator[LimitPassed]:
    """What is recorded of limits that an order passed and was let through: each warns, or stands in shadow."""
    for beyond in verdict.told:
        limit, rule = beyond.limit, RULES[beyond.limit.rule]
        most, was, adds = figures(rule, beyond)
        yield LimitPassed(now, cl_ord_id, rule.code, most, was, adds, limit.where, limit.severity, limit.shadow)


def throttled(cl_ord_id: ClOrdID, beyond: Beyond, now: UtcNs) -> OrderThrottled:
    """What is recorded of an order that waits; never for the moment in which it was asked."""
    most, was, _ = figures(RULES[beyond.limit.rule], beyond)
    return OrderThrottled(now, cl_ord_id, beyond.limit.rule, most, was, max(_room_at(beyond), UtcNs(now + 1)))


def denied(rule: RiskRule, beyond: Beyond, look: Look | None = None) -> Denied:
    """What whoever sent the order is told; with the `look` at it, why an approval that it names did not count."""
    limit = beyond.limit
    bound = "at least" if rule.at_least else "at most"
    most, was, adds = figures(rule, beyond)
    remedy = rule.words.remedy
    uncounted = None
    if limit.severity is Severity.APPROVAL:
        uncounted = None if look is None else _uncounted(look)
        remedy = f"{_why(look, uncounted)}have somebody else approve it, or {remedy}"
    if isinstance(beyond.found, Failed):
        text = f"{rule.words.title} ({limit.where}) could not be measured, and an order that no rule has judged does not go"
        return Denied(rule.code, most, FAILED, f"{text}: {beyond.found.error}; report it", limit.where, adds)
    if isinstance(beyond.found, Missing):
        may_be = "is bounded" if rule.unit is Unit.NONE else f"may be {bound} {most}"
        text = f"{rule.words.title} ({limit.where}) {may_be}, and {beyond.found.what} is not known; {remedy}"
    elif rule.unit is Unit.NONE:
        what = f": {beyond.found.what}" if beyond.found.what else ""
        text = f"{rule.words.title} ({limit.where}): not allowed{what}; {remedy}"
    else:
        text = f"{rule.words.title} ({limit.where}) may be {bound} {most}, is {was}, and this order adds {adds}; {remedy}"
    if look is None or uncounted is None:
        return Denied(rule.code, most, was, text, limit.where, adds)
    return Denied(rule.code, most, was, text, limit.where, adds, look.order.approved_by, uncounted.value)


def _why(look: Look | None, uncounted: Uncounted | None) -> str:
    """Why an approval did not count, as the beginning of what to do; empty where none was given."""
    if look is None or uncounted is None:
        return ""
    named = f"the approval of {look.order.approved_by!r} does not count, "
    if uncounted is Uncounted.OWN:
        return f"{named}nobody approves what they ask for themselves; "
    return f"{named}risk.approvers names {', '.join(look.around.policy.approvers)} alone; "


def figures(rule: RiskRule, beyond: Beyond) -> tuple[str, str, str]:
    """The limit, what there is, and what the order adds, as people read them."""
    most = amount(rule.unit, beyond.limit.value, beyond.limit.currency)
    if not isinstance(beyond.found, Measured):
        return most, UNKNOWN, UNKNOWN
    found, of = beyond.found, beyond.found.of
    if of is not None and of <= ZERO:
        return most, f"{_short(found.current)} of {_short(of)}", f"{_short(found.adds)} of {_short(of)}"
    whole = ONE if of is None else of
    return most, amount(rule.unit, found.current / whole, ""), amount(rule.unit, found.adds / whole, "")


def amount(unit: Unit, number: Decimal, currency: str) -> str:
    """A number in the unit of its rule, without idle zeros and without an exponent."""
    if unit is Unit.FRACTION:
        return f"{_short(number * 100)}%"
    if unit is Unit.NONE:
        return "yes" if number else "no"
    if unit is Unit.SECONDS:
        return f"{_short(number, _NANOSECOND)} s"
    text = _short(number)
    return f"{text} {currency}" if unit is Unit.MONEY and currency else text


def _short(number: Decimal, to: Decimal = _SHOWN) -> str:
    text = f"{number.quantize(to, context=_WIDE):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
