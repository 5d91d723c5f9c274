"""What a person was told: every condition that needs one was an alert, in time, and no condition was a storm of them.

Invariant 41. The facts say what there was to tell; what each process told is heard at the end of its channel, behind the
damper. A process that dies or is stopped before it could tell owes nothing; what lasts, its successor tells.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tradeloop.core import events as ev
from tradeloop.core.effects import RaiseAlert
from tradeloop.core.order import Order
from tradeloop.core.state import State
from tradeloop.core.surroundings import Policy
from tradeloop.core.types import SECOND_NS, ClOrdID
from tradeloop.testing.clocks import Clocks

IN_TIME_NS: Final = 3 * SECOND_NS
"""Within this a running process has told what it recorded."""
STALLED_NS: Final = 4 * SECOND_NS
"""What comes by itself at a time is told when its turn is durable: behind the commit on its way and its own, both stalled."""
AGAIN_NS: Final = 59 * SECOND_NS
"""Sooner than this nothing is told again, but by a process that ends and sums up."""
CRITICAL: Final = "CRITICAL"
WARNING: Final = "WARNING"

_Name = tuple[int, str, str]


class Told:
    """Watches one world's facts and the alerts that its processes told."""

    def __init__(self, broken: Callable[[int, str], None], now: Callable[[], int], policy: Policy, clocks: Clocks) -> None:
        self._broken, self._now, self._policy = broken, now, policy
        self._clocks = clocks
        self._heard: dict[_Name, int] = {}
        """When a process, known by its epoch, last told an alert of this level and key."""
        self._too_soon: list[tuple[int, _Name, int]] = []
        self._state = State()
        self._epoch = 0
        self._running: tuple[int, int] | None = None
        """The epoch that runs, and since when without a break."""
        self._unknown_since: dict[ClOrdID, int] = {}
        self._failures_told: dict[str, None] = {}
        self._over: dict[int, None] = {}
        """Epochs whose process told that its journal failed. It trades nothing from then on and watches nothing: what lasts,
        its successor tells. Until it has told that, it owes everything that a running process owes.
        """
        self.forget()

    def forget(self) -> None:
        """The journal is read anew: what was owed is owed no more."""
        self._owed: dict[_Name, int] = {}

    # --- what there is to tell

    def fact(self, event: ev.Event, state: State, *, again: bool) -> None:
        """A durable fact, and the state it led to."""
        self._state = state
        if isinstance(event, ev.EngineStarted):
            self._epoch = event.epoch
            self._owed.clear()
        if again:
            return
        for level, key in self._to_tell(event):
            name = self._epoch, level, key
            if name not in self._heard:
                self._owed.setdefault(name, self._now())
        if isinstance(event, ev.FateLost):
            self._unknown_since[event.cl_ord_id] = self._now()

    def _to_tell(self, event: ev.Event) -> list[tuple[str, str]]:
        match event:
            case ev.FateLost():
                return [(WARNING, f"unknown:{event.cl_ord_id}")]
            case ev.ReplaceFateLost():
                return [(WARNING, f"replace:{event.cl_ord_id}")]
            case ev.BreakFound():
                return [(WARNING, f"break:{event.break_id}")]
            case ev.Overfilled():
                return [(CRITICAL, f"overfill:{event.cl_ord_id}")]
            case ev.BrokerDisconnected():
                return [(WARNING, f"down:{event.broker}")]
            case ev.Halted():
                return [(CRITICAL, f"halt:{event.number}")]
            case ev.HaltChecked() if not event.done:
                halt = self._state.halts.get(event.number)
                late = halt is not None and event.at - halt.at >= self._policy.unknown_alert_ns
                return [(CRITICAL, f"halt_open:{event.number}")] if late else []
            case ev.OrderCanceled() if event.given_up:
                order: Any = self._state.orders.get(event.cl_ord_id)
                return [(WARNING if order.stop_px is None else CRITICAL, f"never_sent:{event.cl_ord_id}")]
            case _:
                return []

    # --- what was told

    def alert(self, epoch: int, process: str, alert: RaiseAlert) -> None:
        """The channel of a process takes an alert."""
        if (alert.level, alert.key) == (CRITICAL, "journal"):
            self._failures_told[process] = self._over[epoch] = None
        name = epoch, alert.level, alert.key
        now, before = self._now(), self._heard.get(name)
        if before is not None and now - before < AGAIN_NS:
            self._too_soon.append((now, name, before))
        self._heard[name] = now
        self._owed.pop(name, None)

    def look(self, running: int | None) -> None:
        """Once a second: whether the process that runs has told what it owed; it is known by its epoch, None when none does."""
        now = self._now()
        if running in self._over:
            running = None
        if self._running is None or running != self._running[0]:
            self._running = None if running is None else (running, now)
        if self._running is None or not self._clocks.are_right:
            self._too_soon.clear()
            return
        epoch, since = self._running
        for name, owed_at in [*self._owed.items()]:
            if name[0] == epoch and now - max(owed_at, since) > IN_TIME_NS:
                del self._owed[name]
                self._broken(41, f"{name[1]} {name[2]} was due {(now - owed_at) / SECOND_NS:.0f} s ago, and nobody was told")
        if self._clocks.were_right_for(self._late_ns):
            self._long_unknown(epoch, since)
        for at, name, before in [*self._too_soon]:
            if now - at > SECOND_NS:
                self._too_soon.remove((at, name, before))
                if name[0] == epoch and self._clocks.were_right_for(now - before):  # not the last words of one that has ended
                    self._broken(41, f"{name[1]} {name[2]} was told again after {(at - before) / SECOND_NS:.1f} s")

    @property
    def _late_ns(self) -> int:
        """After this, a fate that was lost has been told as one that stays unknown."""
        return self._policy.unknown_alert_ns + STALLED_NS + IN_TIME_NS

    def _long_unknown(self, epoch: int, since: int) -> None:
        """A fate that stays unknown is told as critical; by every process anew that finds it so."""
        for cl_ord_ids in self._state.unknown.values():
            for cl_ord_id in cl_ord_ids:
                order: Order = self._state.orders.open[cl_ord_id]
                begun = max(self._unknown_since.get(order.cl_ord_id, since), since)
                name = epoch, CRITICAL, f"unknown:{cl_ord_id}"
                if self._now() - begun > self._late_ns and name not in self._heard:
                    self._heard[name] = self._now()
                    self._broken(41, f"the fate of {cl_ord_id} is unknown for long, and nobody was told that it stays so")

    def ended(self, process: str, error: BaseException) -> None:
        """A process gave its trade up because its journal failed; by then it has no epoch any more."""
        if process not in self._failures_told:
            self._broken(41, f"the journal of {process} failed ({error}), and nobody was told")
