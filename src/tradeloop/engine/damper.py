"""Repeats of one trouble are one alert and later a count, and an alert channel that fails holds nothing up.

The first alert of a key and level passes at once, always. What follows within an interval is counted; at its end one summary
says how often, with the newest text, and the interval doubles. A key that was quiet for an interval is forgotten, and the next
one is a first again. What the channel did not take is kept and offered again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from tradeloop.core.effects import RaiseAlert, SetTimer
from tradeloop.core.inputs import TimerFired
from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.engine.timers import Timers
from tradeloop.ports.clock import Clock

INTERVAL_NS: Final = 60 * SECOND_NS
INTERVAL_MAX_NS: Final = 3_600 * SECOND_NS
KEYS_MAX: Final = 10_000
"""Troubles remembered at once. Beyond that the oldest is summed up early: an alert too many, never one too few."""
UNTOLD_MAX: Final = 1_000
"""Alerts kept for a channel that fails; beyond that the oldest goes, and its number is told."""
AGAIN_NS: Final = 10 * SECOND_NS
_REPEATS, _UNTOLD = "repeats", "untold"


class _Repeats(msgspec.Struct):
    """What came of one key since it was last told."""

    newest: RaiseAlert
    interval_ns: int
    count: int = 0


class Damper:
    """Stands between those who raise alerts and `tell`, which delivers them and may raise."""

    def __init__(self, tell: Callable[[RaiseAlert], None], clock: Clock) -> None:
        self._tell = tell
        self._clock = clock
        self._timers = Timers(clock, self._due)
        self._known: dict[str, _Repeats] = {}
        self._untold: deque[RaiseAlert] = deque()
        self._dropped = 0
        self._offering = False
        self._resting = False  # after a failure

    def __call__(self, alert: RaiseAlert) -> None:
        """Raise an alert. Never raises, never waits."""
        subject = f"{alert.level} {alert.key}"
        known = self._known.get(subject)
        if known is not None:
            known.newest = alert
            known.count += 1
            return
        if len(self._known) >= KEYS_MAX:
            self._sum_up(next(iter(self._known)))
        self._known[subject] = _Repeats(alert, INTERVAL_NS)
        self._watch(subject, INTERVAL_NS)
        self._deliver(alert)

    async def run(self) -> None:
        """Sum up and try again when it is time, until cancelled."""
        await self._timers.run()

    def flush(self) -> None:
        """Nobody keeps the time any more: say now what was counted, and offer once more what was not told."""
        for subject in list(self._known):
            self._sum_up(subject)
        self._offer_soon()

    def _watch(self, subject: str, interval_ns: int) -> None:
        self._timers.set(SetTimer(UtcNs(self._clock.now() + interval_ns), _REPEATS, subject))

    def _due(self, timer: TimerFired) -> None:
        if timer.kind == _UNTOLD:
            self._offer_soon()
            return
        summed_up = self._sum_up(timer.subject)
        if summed_up is not None:
            interval_ns = min(2 * summed_up.interval_ns, INTERVAL_MAX_NS)
            self._known[timer.subject] = _Repeats(summed_up.newest, interval_ns)
            self._watch(timer.subject, interval_ns)

    def _sum_up(self, subject: str) -> _Repeats | None:
        """Forget a key; where it came again, say how often, and give what was counted."""
        known = self._known.pop(subject, None)
        if known is None or not known.count:
            return None
        newest = known.newest
        times = "once" if known.count == 1 else f"{known.count} times"
        text = f"{newest.text} (again {times} within {known.interval_ns // SECOND_NS} s)"
        self._deliver(RaiseAlert(newest.level, newest.key, text))
        return known

    def _deliver(self, alert: RaiseAlert) -> None:
        self._untold.append(alert)
        if len(self._untold) > UNTOLD_MAX:
            self._untold.popleft()
            self._dropped += 1
        if not self._resting:
            self._offer_soon()

    def _offer_soon(self) -> None:
        """Not within the work of whoever raised the alert: what the channel raises goes to the loop's exception handler, which
        shows it on standard error, and to nobody else.
        """
        if not self._offering:
            self._offering = True
            asyncio.get_running_loop().call_soon(self._offer)

    def _offer(self) -> None:
        """Tell what is untold, the oldest first; after a failure again in a while."""
        self._offering, self._resting = False, True
        try:
            while self._untold:
                alert = self._untold[0]
                if self._dropped:
                    lost = f"{self._dropped} alerts before this one were lost; {alert.text}"
                    alert = RaiseAlert(alert.level, alert.key, lost)
                self._tell(alert)
                self._untold.popleft()
                self._dropped = 0
            self._resting = False
        finally:
            if self._resting:
                self._timers.set(SetTimer(UtcNs(self._clock.now() + AGAIN_NS), _UNTOLD, ""))
