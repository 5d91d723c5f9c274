"""When the time of a process may not be the time of the world, so that no delay can be judged by it; at all other times it can.

Somebody sets the machine's clock. Set forward, it is followed at once: what was to happen within a span of it happens early, as
long as that span had begun before. Set back, a process goes on at half its pace until the two agree again (engine/clock.py):
what was to happen within a span may take twice as long until then. Both end. A process that starts anew is right at once, so
the oldest that may live is the one that counts here.
"""

from __future__ import annotations

from collections.abc import Callable


class Clocks:
    """Of one machine. `reach_ns` is the span that is judged where no other is named."""

    def __init__(self, now: Callable[[], int], reach_ns: int) -> None:
        self._now, self._reach = now, reach_ns
        self._agree_at: int | None = None
        """When a process that has seen everything agrees with its machine again; None while nobody has set a clock."""

    def stepped(self, by_ns: int) -> None:
        """The machine's clock was set, forward or back."""
        if not by_ns:
            return
        now = self._now()
        ahead = 0 if self._agree_at is None else max(self._agree_at - now, 0) // 2
        self._agree_at = now + 2 * max(ahead - by_ns, 0)

    @property
    def are_right(self) -> bool:
        """Whether a delay of now can be judged."""
        return self.were_right_for(self._reach)

    def were_right_for(self, span_ns: int) -> bool:
        """Whether what has taken up to so long until now can be judged: no clock was wrong in all that time."""
        return self._agree_at is None or self._now() > self._agree_at + span_ns
