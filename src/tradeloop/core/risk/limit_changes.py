"""What new limits make of those before: which end, which leave more room, which less; and which hold beside one of them.

Told so that nobody has to compare files. Whatever cannot be said to leave less room counts as leaving more: a list that names
others, a floor of the rule's own. Limits in shadow stop nothing, so their changes are no news.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.core.halt import HaltTier
from tradeloop.core.limit import LimitScope, RiskLimit, Severity
from tradeloop.core.risk.judging import amount
from tradeloop.core.risk.registry import RULES, unit_of
from tradeloop.core.risk.rule import Unit

_NAMED_MAX: Final = 5
_STRICT: Final = (Severity.WARN, Severity.THROTTLE, Severity.APPROVAL, Severity.DENY, Severity.HALT)
_STOPS: Final = (HaltTier.REDUCE_ONLY, HaltTier.HALT, HaltTier.CANCEL_ALL, HaltTier.FLATTEN)


class Changes(msgspec.Struct, frozen=True):
    """What changed, each as `max_order_value of global (100, was 1000)`. What is new is none of it: it only refuses more."""

    ended: tuple[str, ...] = ()
    looser: tuple[str, ...] = ()
    tighter: tuple[str, ...] = ()

    @property
    def loosens(self) -> bool:
        """Whether an order may pass now that did not before."""
        return bool(self.ended or self.looser)

    @property
    def sentence(self) -> str:
        """All of it, to stand behind another sentence; empty where nothing changed."""
        told = (("ended", self.ended), ("looser", self.looser), ("tighter", self.tighter))
        return "".join(f"; {word}: {_listed(found)}" for word, found in told if found)


def changes(before: Mapping[str, RiskLimit], after: Mapping[str, RiskLimit]) -> Changes:
    """The limits of a file against those of the file before, by their ids."""
    asked = {limit_id: limit for limit_id, limit in before.items() if not limit.shadow}
    ended = tuple(_called(limit, _shown(limit)) for limit_id, limit in asked.items() if limit_id not in after)
    both = [(limit, after[limit_id]) for limit_id, limit in asked.items() if after.get(limit_id, limit) != limit]
    looser = tuple(_called(now, _compared(was, now)) for was, now in both if _is_looser(was, now))
    tighter = tuple(_called(now, _compared(was, now)) for was, now in both if not _is_looser(was, now))
    return Changes(ended, looser, tighter)


def beside(limit: RiskLimit, in_force: Iterable[RiskLimit]) -> str:
    """That tighter limits of the rule hold beside this one, for orders that it is for as well; empty where none does."""
    tighter = [each for each in in_force if _meets(limit, each) and _is_further(each.value, limit.value, limit.rule)]
    if not tighter:
        return ""
    named = _listed(tuple(f"{each.rule} of {each.where} is {_figure(each)}" for each in tighter))
    return f"{named} beside it, and the tighter one holds"


def _meets(limit: RiskLimit, other: RiskLimit) -> bool:
    """Whether an order may have to keep both, and the other one stops it."""
    if other.rule != limit.rule or other.limit_id == limit.limit_id or other.shadow or other.severity is Severity.WARN:
        return False
    if limit.currency and other.currency and limit.currency != other.currency:
        return False
    if limit.scope is other.scope and limit.scope is not LimitScope.GLOBAL:
        return not (limit.name and other.name and limit.name != other.name)
    return True


def _is_looser(was: RiskLimit, now: RiskLimit) -> bool:
    return (
        _is_further(was.value, now.value, now.rule)
        or _STRICT.index(now.severity) < _STRICT.index(was.severity)
        or (now.allow_missing and not was.allow_missing)
        or _STOPS.index(now.tier) < _STOPS.index(was.tier)
        or (bool(now.only) and not (was.only and set(was.only) <= set(now.only)))
        or not set(now.but) <= set(was.but)
        or (now.floor != was.floor and (now.floor is None or was.floor is None or now.floor > was.floor))
        or (was.soft is not None and _is_softer(was, was.soft, now))
    )


def _is_softer(was: RiskLimit, soft: Decimal, now: RiskLimit) -> bool:
    return (
        now.soft is None
        or _is_further(soft, now.soft, now.rule)
        or _STRICT.index(now.soft_severity) < _STRICT.index(was.soft_severity)
    )


def _is_further(one: Decimal, other: Decimal, rule: str) -> bool:
    """Whether a limit of this figure stops what one of the other figure lets go."""
    of_orders = RULES.get(rule)
    return one > other if of_orders is not None and of_orders.at_least else one < other


def _called(limit: RiskLimit, what: str) -> str:
    return f"{limit.rule} of {limit.where}" + (f" ({what})" if what else "")


def _compared(was: RiskLimit, now: RiskLimit) -> str:
    new, old = _shown(now), _shown(was)
    return f"{new}, was {old}" if new != old else f"{new}, in its terms"


def _shown(limit: RiskLimit) -> str:
    """The figure of a limit, and what else of it decides and is not as where nothing is said."""
    words = [_figure(limit)]
    words += [f"{limit.soft_severity.value} from {limit.soft:f}"] if limit.soft is not None else []
    words += [f"only {', '.join(limit.only)}"] if limit.only else []
    words += [f"but {', '.join(limit.but)}"] if limit.but else []
    words += [f"from {limit.floor:f} on"] if limit.floor is not None else []
    words += [limit.severity.value] if limit.severity is not Severity.DENY else []
    words += [limit.tier.value] if limit.tier is not HaltTier.HALT else []
    words += ["missing allowed"] if limit.allow_missing else []
    return ", ".join(word for word in words if word)


def _figure(limit: RiskLimit) -> str:
    unit = unit_of(limit.rule)
    return "" if unit is Unit.NONE else amount(unit, limit.value, limit.currency)


def _listed(found: tuple[str, ...]) -> str:
    more = f" and {len(found) - _NAMED_MAX} more" if len(found) > _NAMED_MAX else ""
    return ", ".join(found[:_NAMED_MAX]) + more
