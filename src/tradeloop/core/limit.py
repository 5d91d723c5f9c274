"""A risk limit as data: which rule, how much, over what it is counted, and what becomes of an order beyond it.

Limits come from risk.yaml as a whole, and from people one by one, for a time (core/risk/limiting.py). An order has to keep
every limit that covers it; of two limits of one rule the tighter one therefore decides, and no order of asking matters.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from tradeloop.core.halt import HaltTier
from tradeloop.core.instrument import Instrument
from tradeloop.core.types import AccountID, Symbol, UtcNs, Word

EACH: Final = ""
"""The name of a limit that holds for each account, strategy, symbol or industry by itself."""


class LimitScope(Word):
    """Over what a limit is counted: everything together, or one account, strategy, symbol or industry; the last three over all
    accounts.
    """

    GLOBAL = "global"
    ACCOUNT = "account"
    STRATEGY = "strategy"
    SYMBOL = "symbol"
    INDUSTRY = "industry"


class Severity(Word):
    """What becomes of an order beyond a limit.

    `DENY`: it is refused. `WARN`: it goes, and people are told. `THROTTLE`: it waits until there is room again, which only
    rules of frequency can say. `APPROVAL`: it goes when a person other than the one who sent it has approved it. `HALT`: it is
    refused, and what the limit is counted over is halted until a person releases it (core/halting.py).
    """

    DENY = "deny"
    WARN = "warn"
    THROTTLE = "throttle"
    APPROVAL = "approval"
    HALT = "halt"


class RiskLimit(msgspec.Struct, array_like=True, frozen=True):
    """One limit in force. `value` is in the unit of its rule (core/risk/registry.py).

    `currency`: of a limit on money, what it is counted in; amounts in other currencies are not its business. Empty: each
    currency by itself. `allow_missing`: what the rule needs to know and does not lets an order through instead of refusing it.
    `shadow`: it is asked and recorded, and stops nothing. `by`, `reason`, `until`: of a limit that a person set, who, why and
    to what time; then what was in force before holds again.

    `floor`: from which figure on a rule speaks at all, of a rule that has such a figure; None: its own. `only` and `but`, of
    rules that go by a list: the symbols, boards, industries and accounts that the limit is for alone, and those that it is not
    for. `tier`: how much a limit stops that halts: by its severity, or because no order has to come for it
    (core/risk/triggers.py).

    `soft`: a figure before `value`, from which on `soft_severity` is what becomes of an order: a limit that warns, or makes
    wait, before it refuses. None: there is none.
    """

    rule: str
    value: Decimal
    scope: LimitScope = LimitScope.GLOBAL
    name: str = EACH
    currency: str = ""
    severity: Severity = Severity.DENY
    allow_missing: bool = False
    shadow: bool = False
    by: str = ""
    reason: str = ""
    until: UtcNs | None = None
    floor: Decimal | None = None
    only: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    tier: HaltTier = HaltTier.HALT
    soft: Decimal | None = None
    soft_severity: Severity = Severity.WARN

    @property
    def limit_id(self) -> str:
        """What makes it the same limit: two of one id replace each other."""
        return "|".join((self.rule, self.scope.value, self.name, self.currency, "shadow" if self.shadow else ""))

    @property
    def where(self) -> str:
        """Its scope in words: `account demo`, `each symbol`, `global`."""
        if self.scope is LimitScope.GLOBAL:
            return "global"
        kind: str = self.scope.value
        return f"{kind} {self.name}" if self.name else f"each {kind}"

    def covers(self, account: AccountID, strategy_id: str, symbol: Symbol, instrument: Instrument) -> bool:
        """Whether an order of these is within its scope. What belongs to no strategy is within none; of what has no industry
        nobody knows whether it is within that of the limit, so it is: the rule says that the industry is missing.
        """
        if self.currency and self.currency != instrument.currency:
            return False
        names = (symbol, instrument.board, instrument.industry, account)
        if (self.only and not _is_listed(names, self.only)) or _is_listed(names, self.but):
            return False
        match self.scope:
            case LimitScope.GLOBAL:
                return True
            case LimitScope.ACCOUNT:
                return self.name in (EACH, account)
            case LimitScope.STRATEGY:
                return bool(strategy_id) and self.name in (EACH, strategy_id)
            case LimitScope.SYMBOL:
                return self.name in (EACH, symbol)
            case LimitScope.INDUSTRY:
                return not instrument.industry or self.name in (EACH, instrument.industry)


class SoftLimit(RiskLimit, array_like=True, frozen=True):
    """The figure before a limit, asked like a limit of its own; `hard` is the limit's. Made for a look at an order, and never
    recorded: a person who sets, shadows or takes back the limit does so with both.
    """

    hard: Decimal = Decimal(0)


def parts(limit: RiskLimit) -> tuple[RiskLimit, ...]:
    """The limit as it is asked: the limit itself, and behind it what its softer figure leads to where the limit is kept."""
    if limit.soft is None:
        return (limit,)
    fields = {name: getattr(limit, name) for name in limit.__struct_fields__}
    fields |= {"value": limit.soft, "severity": limit.soft_severity, "tier": HaltTier.HALT, "hard": limit.value}
    return limit, SoftLimit(**fields)


def _is_listed(names: tuple[str, ...], among: tuple[str, ...]) -> bool:
    return any(name in among for name in names if name)


def in_force(of_file: Mapping[str, RiskLimit], by_person: Mapping[str, RiskLimit]) -> dict[str, RiskLimit]:
    """The file's limits, and over them what people have set. A figure takes the place of the file's; a list stands beside it,
    since one that somebody adds to for a day must not free what the file forbids.
    """
    limits = dict(of_file)
    for limit_id, limit in by_person.items():
        known = of_file.get(limit_id)
        beside = known is not None and bool(known.only or known.but or limit.only or limit.but)
        limits[f"{limit_id}|person" if beside else limit_id] = limit
    return limits


class RiskLimits:
    """The limits in force: those of risk.yaml, and over them what people have set for a time."""

    __slots__ = ("asked", "by_person", "ends_at", "halting", "in_force", "of_file", "rules", "tripped", "version")

    def __init__(self) -> None:
        self.of_file: dict[str, RiskLimit] = {}
        self.by_person: dict[str, RiskLimit] = {}
        self.in_force: dict[str, RiskLimit] = {}
        self.rules: dict[str, Decimal] = {}
        """The rules that have a limit, and the largest: what they alone count is counted while they have one."""
        self.ends_at: UtcNs | None = None
        """When the time of the first of the limits that people have set is up; None where there is none."""
        self.halting: tuple[RiskLimit, ...] = ()
        """Those beyond which an order halts what they are counted over."""
        self.tripped: dict[tuple[str, str], UtcNs] = {}
        """(limit, place) -> since when it is exceeded there; it is told and halted once."""
        self.version = 0
        """How often they have changed: part of the version that every order passed."""
        self.asked: dict[tuple[AccountID, str, Symbol] | tuple[tuple[str, ...]], Any] = {}
        """What was found to be asked of the orders of an account, strategy and symbol (core/risk/judging.py), until limits or
        instruments change, and by the ids of what is asked the same of many: no part of the state.
        """

    def __bool__(self) -> bool:
        return bool(self.in_force)

    @property
    def scopes(self) -> tuple[LimitScope, ...]:
        """What the limits in force count over."""
        return tuple(dict.fromkeys(limit.scope for limit in self.in_force.values()))

    def configure(self, limits: tuple[RiskLimit, ...]) -> None:
        """What the file says, as a whole; what people have set stays over it until its time is up."""
        self.of_file = {limit.limit_id: limit for limit in limits}
        self._changed()

    def set(self, limit: RiskLimit) -> None:
        """A person's limit, for a time."""
        self.by_person[limit.limit_id] = limit
        self._changed()

    def end(self, limit_id: str) -> None:
        """A person's limit is over: the file's holds again, or none."""
        del self.by_person[limit_id]
        self._changed()

    def covering(self, account: AccountID, strategy_id: str, symbol: Symbol, instrument: Instrument) -> tuple[RiskLimit, ...]:
        """The limits that an order of these has to keep, each in its parts."""
        covering = (limit for limit in self.in_force.values() if limit.covers(account, strategy_id, symbol, instrument))
        return tuple(part for limit in covering for part in parts(limit))

    def relisted(self) -> None:
        """An instrument is another one now: what was found for it is not remembered."""
        self.asked.clear()

    def pack(self) -> PackedLimits:
        """As a snapshot keeps them."""
        return PackedLimits(
            list(self.of_file.values()), list(self.by_person.values()), self.version, list(self.tripped.items())
        )

    @classmethod
    def unpack(cls, packed: PackedLimits) -> RiskLimits:
        """What `pack` wrote."""
        limits = cls()
        limits.of_file = {limit.limit_id: limit for limit in packed.of_file}
        limits.by_person = {limit.limit_id: limit for limit in packed.by_person}
        limits._changed()
        limits.version = packed.version
        limits.tripped = dict(packed.tripped)
        return limits

    def _changed(self) -> None:
        self.in_force = in_force(self.of_file, self.by_person)
        self.halting = tuple(each for each in self.in_force.values() if each.severity is Severity.HALT and not each.shadow)
        self.ends_at = min((limit.until for limit in self.by_person.values() if limit.until is not None), default=None)
        self.rules = {}
        for limit in self.in_force.values():
            self.rules[limit.rule] = max(limit.value, self.rules.get(limit.rule, limit.value))
        self.tripped = {key: at for key, at in self.tripped.items() if key[0] in self.in_force}
        self.version += 1
        self.asked.clear()


class PackedLimits(msgspec.Struct, array_like=True, frozen=True):
    """The shape of the limits in a snapshot."""

    of_file: list[RiskLimit] = []
    by_person: list[RiskLimit] = []
    version: int = 0
    tripped: list[tuple[tuple[str, str], UtcNs]] = []
