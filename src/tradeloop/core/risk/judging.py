"""Whether an order keeps every limit that covers it. The one place where what a rule measures is compared with its limit.

An order that adds nothing to what a limit bounds is never beyond it: whoever is over a limit may always go back. What a rule
does not know refuses the order, unless the limit says otherwise. A limit in shadow is asked like any other and stops nothing.
The work of a FLATTEN passes: what closes everything because a person said so is not held up by limits on size, but by those of
frequency, which are the exchange's. A rule that fails refuses the order (ASVS 16.5.3: fail closed); cancels ask no rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Context, Decimal
from typing import Final

import msgspec

from tradeloop.core.events import LimitPassed, OrderThrottled
from tradeloop.core.limit import RiskLimit, Severity
from tradeloop.core.risk.denied import Denied
from tradeloop.core.risk.registry import RULES
from tradeloop.core.risk.rule import Look, Measured, Missing, RiskRule, Unit
from tradeloop.core.types import ONE, ZERO, ClOrdID, UtcNs


class Failed(msgspec.Struct, frozen=True, gc=False):
    """A rule could not measure: it has a bug, or met what nobody thought of. The order is refused whatever its limit allows."""

    error: str


Found = Measured | Missing | Failed


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
"""What an order is told that it met where a rule could not measure."""

_BUGS: Final = (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, AssertionError)
"""What a mistake in a rule raises, or a figure that nobody thought of."""

_SHOWN: Final = Decimal("0.00000001")
_WIDE: Final = Context(prec=120)
"""Any sum can be told: one past the digits of the ordinary context must not stop the verdict."""


def judge(look: Look, *, at_send: bool = False) -> Verdict:
    """Ask every limit that covers the order; `at_send`: only those that are asked again when it leaves later."""
    order = look.order
    told: list[Beyond] = []
    waits_for: Beyond | None = None
    for limit, rule in asked(look):
        if at_send and not rule.at_send:
            continue
        found = measured(rule, limit, look)
        if found is None or not is_beyond(rule, limit, found):
            continue
        beyond = Beyond(limit, found)
        if limit.shadow or (limit.severity is Severity.WARN and not isinstance(found, Failed)):
            told.append(beyond)
        elif limit.severity is Severity.APPROVAL and not isinstance(found, Failed) and order.approved_by not in ("", order.by):
            continue
        elif limit.severity is Severity.THROTTLE and isinstance(found, Measured) and found.room_at is not None:
            if waits_for is None or _room_at(waits_for) < found.room_at:
                waits_for = beyond
        else:
            return Verdict(denied(rule, beyond), tuple(told))
    return Verdict(None, tuple(told), waits_for) if told or waits_for is not None else PASSED


def asked(look: Look) -> Iterator[tuple[RiskLimit, RiskRule]]:
    """The limits that an order has to keep, and their rules."""
    order = look.order
    for limit in look.state.limits.asked_of(order.account, order.strategy_id, order.symbol, look.instrument):
        rule = RULES.get(limit.rule)  # None: no order has to come for it (core/tripping.py)
        if rule is not None and (not order.halt or rule.of_flatten):
            yield limit, rule


def measured(rule: RiskRule, limit: RiskLimit, look: Look) -> Found | None:
    """What a rule finds, also where it fails."""
    try:
        return rule.measure(look, limit)
    except _BUGS as error:
        return Failed(f"{type(error).__name__}: {error}")


def is_beyond(rule: RiskRule, limit: RiskLimit, found: Found | None) -> bool:
    """Whether what a rule found is beyond its limit."""
    if found is None:
        return False
    if isinstance(found, Missing):
        return not limit.allow_missing
    if isinstance(found, Failed):
        return True
    of, becomes = found.of, found.current + found.adds
    if of is not None and of <= ZERO:
        return found.adds < ZERO if rule.at_least else found.adds > ZERO  # no share of it is little enough
    bound = limit.value if of is None else limit.value * of
    if rule.at_least:
        return (found.adds < ZERO or rule.unit is Unit.SECONDS) and becomes < bound
    return found.adds > ZERO and becomes > bound


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


def denied(rule: RiskRule, beyond: Beyond) -> Denied:
    """What whoever sent the order is told."""
    limit = beyond.limit
    bound = "at least" if rule.at_least else "at most"
    most, was, adds = figures(rule, beyond)
    remedy = rule.words.remedy
    if limit.severity is Severity.APPROVAL:
        remedy = f"have somebody else approve it, or {remedy}"
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
    return Denied(rule.code, most, was, text, limit.where, adds)


def figures(rule: RiskRule, beyond: Beyond) -> tuple[str, str, str]:
    """The limit, what there is, and what the order adds, as people read them."""
    most = amount(rule.unit, beyond.limit.value, beyond.limit.currency)
    if not isinstance(beyond.found, Measured):
        return most, "unknown", "unknown"
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
    text = _short(number)
    if unit is Unit.SECONDS:
        return f"{text} s"
    return f"{text} {currency}" if unit is Unit.MONEY and currency else text


def _short(number: Decimal) -> str:
    text = f"{number.quantize(_SHOWN, context=_WIDE):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
