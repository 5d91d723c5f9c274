"""When the time of a process may not be the time of the world, so that no delay can be judged by it; at all other times it can.

Somebody sets the machine's clock. Set forward, it is followed at once: what was to happen within a span of it happens early, as
long as that span had begun before. Set back, a process goes on at half its pace until the two agree again (engine/clock.py):
what was to happen within a span may take twice as long until then. Both end. A process that starts anew is right at once, so
the oldest that may live is the one that counts here.
"""

from __future__ import annotations

from collections.abc import Callable


class Clocks:
    """Of one machine. `reach_ns` is the longest span that anything here is judged by."""

    def __init__(self, now: Callable[[], int], reach_ns: int) -> None:
        self._now, self._reach = now, reach_ns
        self._agree_at = 0
        """When a process that has seen everything agrees with its machine again."""
        self._wrong_until: int | None = None

    def stepped(self, by_ns: int) -> None:
        """The machine's clock was set, forward or back."""
        if not by_ns:
            return
        now = self._now()
        ahead = max(self._agree_at - now, 0) // 2
        self._agree_at = now + 2 * max(ahead - by_ns, 0)
        self._wrong_until = self._agree_at + self._reach

    @property
    def are_right(self) -> bool:
        """Whether a delay of now can be judged."""
        return self._wrong_until is None or self._now() > self._wrong_until
