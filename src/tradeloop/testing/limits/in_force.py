"""Which limits are in force, by the facts alone; and whether what is to end does, and what is to stand does.

25 a person's limit ends by itself when its time is up · 26 an order carries the version of the limits that it passed · 28 what
a trigger finds too much is halted, and stays halted until a person lets go of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from tradeloop.core import events as ev
from tradeloop.core.halt import HaltTier
from tradeloop.core.instrument import Instrument
from tradeloop.core.limit import LimitScope, RiskLimit, Severity
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, UtcNs

RISK: Final = "risk"
"""By whom a trigger halts."""
IN_TIME_NS: Final = 3 * SECOND_NS
"""Within this a running process has done what is due."""
NOBODY: Final = ("", RISK, "engine")
"""Who releases no halt."""
BREAK_TRIGGER: Final = "max_break_seconds"


class InForce:
    """The limits, as the facts tell of them."""

    def __init__(self, broken: Callable[[int, str], None]) -> None:
        self._broken = broken
        self.forget()

    def forget(self) -> None:
        """The journal is read anew."""
        self._of_file: dict[str, RiskLimit] = {}
        self._of_people: dict[str, RiskLimit] = {}
        self._limits: tuple[RiskLimit, ...] = ()
        self.changes = 0
        self._changed_at = self._newest = UtcNs(0)
        self._halts: dict[int, ev.Halted] = {}
        self._tripped: dict[tuple[str, str], None] = {}
        self._to_halt: tuple[ev.LimitTripped, HaltTier | None] | None = None

    def fact(self, event: ev.Event) -> bool:
        """Whether the limits are others now."""
        self._newest = event.at
        match event:
            case ev.LimitsConfigured():
                self._of_file = {_id(limit): limit for limit in event.limits}
            case ev.LimitSet():
                self._of_people[_id(event.limit)] = event.limit
            case ev.LimitEnded():
                self._of_people.pop(event.limit_id, None)
            case _:
                self._halting(event)
                return False
        lists = {rule for rule in self._of_people if self._of_people[rule].only or self._of_people[rule].but}
        lists |= {rule for rule in self._of_file if self._of_file[rule].only or self._of_file[rule].but}
        covered = {rule: limit for rule, limit in self._of_file.items() if rule in lists or rule not in self._of_people}
        self._limits = (*covered.values(), *self._of_people.values())
        ids = {_id(limit) for limit in self._limits}
        self._tripped = {known: None for known in self._tripped if known[0] in ids}
        self.changes += 1
        self._changed_at = event.at
        return True

    def __bool__(self) -> bool:
        return bool(self._limits)

    def of(self, rule: str) -> Iterator[RiskLimit]:
        """The limits of a rule that stop something."""
        for limit in self._limits:
            if limit.rule == rule and not limit.shadow and limit.severity is not Severity.WARN:
                yield limit

    def binding(self, rule: str, order: ev.OrderStaged, instrument: Instrument) -> Iterator[RiskLimit]:
        """Those of them that an order has to keep, unless somebody else has approved it."""
        approved = order.approved_by not in ("", order.by)  # nobody here spells a name in two ways
        for limit in self.of(rule):
            if covers(limit, order, instrument) and not (approved and limit.severity is Severity.APPROVAL):
                yield limit

    def is_counted(self, rule: str) -> bool:
        """Whether any limit of the rule is in force, in shadow too."""
        return any(limit.rule == rule for limit in self._limits)

    # --- what ends, and what stands

    def look(self, state: State, running_ns: int) -> None:
        """A process has been running for so long. What is due has happened before what is durable of a later time: a disk may
        be slow, and keeps the order.
        """
        now = self._newest
        for limit in self._of_people.values():
            due = limit.until
            if due is not None and now - due > IN_TIME_NS and running_ns > IN_TIME_NS:
                self._broken(
                    25,
                    f"{limit.rule} of {limit.where} was set by {limit.by} for a time that is over for "
                    f"{(now - due) / SECOND_NS:.0f} s, and is in force still",
                )
        if running_ns > IN_TIME_NS:
            self._breaks(now, state)

    def _breaks(self, now: UtcNs, state: State) -> None:
        for limit in self._limits:
            if limit.rule != BREAK_TRIGGER:
                continue
            for known in state.breaks.values():
                late = min(now - known.at - int(limit.value * SECOND_NS), now - self._changed_at)
                covered = limit.scope is LimitScope.GLOBAL or limit.name in ("", known.account)
                if covered and late > IN_TIME_NS and (_id(limit), known.break_id) not in self._tripped:
                    self._tripped[_id(limit), known.break_id] = None
                    self._broken(28, f"{known.break_id} stands for longer than {limit.value} s, and {limit.where} did not trip")

    def _halting(self, event: ev.Event) -> None:
        tripped, self._to_halt = self._to_halt, None
        if tripped is not None and not (isinstance(event, ev.Halted) and event.by == RISK):
            told, tier = tripped
            if not any(halt.tier is tier for halt in self._halts.values()):  # the same halt stands already
                self._broken(28, f"{told.rule} was exceeded ({told.was}), and nothing was halted")
        match event:
            case ev.LimitTripped():
                self._tripped[event.limit_id, event.what] = None
                tier = next((limit.tier for limit in self._limits if _id(limit) == event.limit_id), None)
                self._to_halt = None if event.shadow or event.was.startswith("unknown") else (event, tier)
            case ev.LimitCleared():
                self._tripped.pop((event.limit_id, event.what), None)
            case ev.Halted():
                self._halts[event.number] = event
            case ev.HaltReleased():
                halt = self._halts.pop(event.number, None)
                asked_anew = halt is not None and any(
                    (one.tier, one.scope, one.name) == (halt.tier, halt.scope, halt.name) for one in self._halts.values()
                )
                if halt is not None and event.by in NOBODY and not asked_anew:
                    self._broken(28, f"halt {event.number} ({halt.reason}) was released by {event.by!r}, who is no person")
            case _:
                pass


def covers(limit: RiskLimit, order: ev.OrderStaged, instrument: Instrument) -> bool:
    """Whether an order is within a limit's scope and its lists."""
    names = {order.symbol, instrument.board, instrument.industry, order.account} - {""}
    if (limit.only and not names & {*limit.only}) or names & {*limit.but}:
        return False
    mine = {
        LimitScope.GLOBAL: "",
        LimitScope.ACCOUNT: order.account,
        LimitScope.STRATEGY: order.strategy_id,
        LimitScope.SYMBOL: order.symbol,
        LimitScope.INDUSTRY: instrument.industry,
    }[limit.scope]
    if limit.scope in (LimitScope.STRATEGY, LimitScope.INDUSTRY) and not mine:
        return False
    return limit.name in ("", mine)


def _id(limit: RiskLimit) -> str:
    return limit.limit_id
