"""A person stops the desk while the fate of an order is unknown (F76), by command or by the latch file, and releases it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

from tradeloop.core import commands as c
from tradeloop.core.breaks import ORDER_MISSING
from tradeloop.core.commands import Command, HaltTrading
from tradeloop.core.halt import Halt, HaltScope, HaltTier
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, OrdStatus
from tradeloop.ports.latch import Mark
from tradeloop.testing.builders import ACCOUNT
from tradeloop.testing.checkers import Judge
from tradeloop.testing.faults import Fault, Weather
from tradeloop.testing.world.loop import Timeline
from tradeloop.testing.world.market import SYMBOLS
from tradeloop.testing.world.process import Process
from tradeloop.testing.world.venue import Venue

LOOK_NS: Final = SECOND_NS // 2
LOOKS: Final = 40
RELEASE_NS: Final = 60 * SECOND_NS
"""How long after the last fault a person releases: CANCEL_ALL has nothing open by then."""
SURE_NS: Final = 5 * SECOND_NS
"""Nor while the last doubt has just been settled: the halt looks what that leaves, once a second or as often as it can."""
_WORKING: Final = (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED)


def a_release(by: str, why: str, scope: HaltScope, name: str, state: State) -> c.ReleaseHalt:
    """By somebody who has seen all that stands there now."""
    seen = tuple(number for number, halt in state.halts.items() if (halt.scope, halt.name) == (scope, name))
    return c.ReleaseHalt(by, why, scope, name, numbers=seen)


class MemoryLatch:
    """The latch file of a world: it outlives every process."""

    def __init__(self) -> None:
        self.halts: tuple[HaltTrading, ...] = ()
        self._by_hand = 0

    def read(self) -> tuple[HaltTrading, ...]:
        """What is latched."""
        return self.halts

    def mark(self) -> Mark:
        """How often somebody has written."""
        return self._by_hand, self._by_hand

    def is_newer(self, _: HaltTrading, mark: Mark, /) -> bool:
        """Whether somebody has since."""
        return mark != self.mark()

    def write(self, halts: Sequence[HaltTrading]) -> None:
        """Latch exactly these."""
        self.halts = tuple(halts)

    def by_hand(self, halt: HaltTrading) -> None:
        """Somebody writes one more into it."""
        self.halts = (*self.halts, halt)
        self._by_hand += 1


class Stopper:
    """Halts, and releases."""

    def __init__(
        self,
        timeline: Timeline,
        weather: Weather,
        judge: Judge,
        venue: Venue,
        dice: Random,
        ask: Callable[[Command], None],
    ) -> None:
        self.latch = MemoryLatch()
        self._timeline, self._weather, self._judge, self._venue = timeline, weather, judge, venue
        self._dice, self._ask = dice, ask
        self._sure_since: int | None = None

    def script(self, until: int) -> None:
        """Once or twice in the life of a world."""
        for _ in range(self._dice.randint(1, 2)):
            self._timeline.at(self._dice.randint(2 * SECOND_NS, until), lambda: self._wait(LOOKS))

    def _wait(self, looks: int) -> None:
        """Until a fate is unknown; a desk that knows them all is halted in the end as well."""
        if self._weather.calm:
            return
        if not self._judge.shadow.unknown and looks:
            self._timeline.after(LOOK_NS, lambda: self._wait(looks - 1))
            return
        if self._judge.shadow.unknown:
            self._weather.meet(Fault.KILL_SWITCH)
        self._halt()

    def _halt(self) -> None:
        dice = self._dice
        tier = dice.choice((HaltTier.HALT, HaltTier.REDUCE_ONLY, HaltTier.CANCEL_ALL, HaltTier.CANCEL_ALL, HaltTier.FLATTEN))
        scope = dice.choice((HaltScope.GLOBAL, HaltScope.GLOBAL, HaltScope.ACCOUNT, HaltScope.SYMBOL))
        name = {HaltScope.ACCOUNT: ACCOUNT, HaltScope.SYMBOL: dice.choice(SYMBOLS)}.get(scope, "")
        command = HaltTrading(tier, "dora", "stop it", scope, name)
        if scope is HaltScope.GLOBAL and tier is not HaltTier.REDUCE_ONLY and dice.random() < 0.5:
            self.latch.by_hand(command)
        else:
            self._ask(command)
        if dice.random() < 0.4:
            after = dice.randint(3, 20) * SECOND_NS
            shadow = self._judge.shadow
            self._timeline.after(after, lambda: self._ask(a_release("dora", "it is over", scope, name, shadow)))

    def settle(self, process: Process, state: State, calm_since: int) -> None:
        """Release what stands, once CANCEL_ALL has had its time; it has to be over by then (invariant 28), but for orders by
        which a FLATTEN closes positions: a HALT that came after it may hold those back for as long as it stands.
        """
        if self._timeline.now - calm_since < RELEASE_NS:
            return
        if state.unknown or any(known.kind == ORDER_MISSING for known in state.breaks.values()):
            self._sure_since = None
            return  # proof may take longer, or a person's word; that they end is judged by itself (convergence.py)
        if self._sure_since is None:
            self._sure_since = self._timeline.now
        if self._timeline.now - self._sure_since < SURE_NS:
            return
        for halt in [*state.halts.values()]:
            if halt.tier is HaltTier.CANCEL_ALL:
                closing = {order.cl_ord_id for order in state.orders.open.values() if order.halt in state.halts}
                if not halt.done and not closing:
                    self._judge.broken(28, f"{halt.said} has not come to its end: {halt.found}")
                for theirs in self._venue.truth().orders or ():
                    order: Any = theirs
                    if order.ord_status in _WORKING and order.cl_ord_id not in closing and self._is_within(halt, order):
                        self._judge.broken(28, f"{halt.said}, and {order.order_id} works at the venue still")
        for scope, name in dict.fromkeys((halt.scope, halt.name) for halt in state.halts.values()):
            process.ask(a_release("carol", "looked at", scope, name, state), lambda reply: None)

    def _is_within(self, halt: Halt, theirs: Any) -> bool:
        """Whether a halt covers an order of the venue's books; there is one account here, and one broker."""
        match halt.scope:
            case HaltScope.SYMBOL:
                return bool(theirs.symbol == halt.name)
            case HaltScope.STRATEGY:
                ours = self._judge.shadow.orders.get(theirs.cl_ord_id)
                return ours is not None and ours.strategy_id == halt.name
            case _:
                return True
