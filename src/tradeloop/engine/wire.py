"""One broker's rate at the wire: never more requests in any second than it takes, and cancels before orders.

core/pacing.py lets orders begin at that rate already. What it cannot know is how long a commit took: orders of two commits that
come at once are spread out again here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from tradeloop.core.effects import SetTimer
from tradeloop.core.pacing import PACE, Pace
from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.ports.clock import Clock

_Waiting = deque[tuple[str, "asyncio.Future[bool]"]]


class Wire:
    """The turns of one broker's requests. `begin` starts a task whose failure ends the engine."""

    def __init__(
        self,
        broker: str,
        pace: Pace,
        clock: Clock,
        begin: Callable[[Coroutine[Any, Any, None]], object],
        set_timer: Callable[[SetTimer], None],
    ) -> None:
        self._broker = broker
        self._pace = pace
        self._clock = clock
        self._begin = begin
        self._set_timer = set_timer
        self._urgent: _Waiting = deque()
        self._ordinary: _Waiting = deque()
        self._queued: set[str] = set()
        self._went: deque[int] = deque(maxlen=pace.rate)
        now = clock.now()
        self._not_before = clock.elapsed() + pace.free_at(now) - now
        self._granting = False
        self._closed = False

    async def turn(self, request: str, *, urgent: bool = False) -> bool:
        """Return True when the request may go, and has to go now; False when nothing goes any more, and when the same request
        waits for its turn already.
        """
        if self._closed:
            self.give_up(request)
            return False
        if request in self._queued:
            return False
        if not self._granting and self._wait_ns() <= 0:
            self._go(request)
            return True
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._queued.add(request)
        (self._urgent if urgent else self._ordinary).append((request, turn))
        if not self._granting:
            self._granting = True
            self._begin(self._grant())
        return await turn

    def awaits(self, request: str) -> bool:
        """Whether a request of this name waits for its turn."""
        return request in self._queued

    def give_up(self, request: str) -> None:
        """A request that was begun will not go."""
        self._pace.given_up(request)
        self._wake()

    def close(self) -> None:
        """Nothing goes any more: whoever waits is told."""
        self._closed = True
        self._queued.clear()
        for waiting in (self._urgent, self._ordinary):
            while waiting:
                request, turn = waiting.popleft()
                self._pace.given_up(request)
                if not turn.done():
                    turn.set_result(False)

    async def _grant(self) -> None:
        """Give turns, the urgent ones first, until nobody waits."""
        try:
            while self._urgent or self._ordinary:
                if (wait := self._wait_ns()) > 0:
                    await self._clock.sleep_until(UtcNs(self._clock.now() + wait))
                    continue
                request, turn = (self._urgent or self._ordinary).popleft()
                self._queued.discard(request)
                if turn.done():  # whoever waited was cancelled
                    self.give_up(request)
                    continue
                self._go(request)
                turn.set_result(True)
        finally:
            self._granting = False

    def _wait_ns(self) -> int:
        """How long until one more may go, by the present and by the clock that nobody can set: a second of the venue is not
        over because ours was set forward.
        """
        now, elapsed = self._clock.now(), self._clock.elapsed()
        free_at = self._not_before if len(self._went) < self._pace.rate else max(self._not_before, self._went[0] + SECOND_NS)
        return max(self._pace.free_at(now) - now, free_at - elapsed)

    def _go(self, request: str) -> None:
        self._went.append(self._clock.elapsed())
        self._pace.left(request, self._clock.now())
        self._wake()

    def _wake(self) -> None:
        """Orders that wait for their turn are asked again when there may be room."""
        if self._pace.waiting and not self._closed:
            self._set_timer(SetTimer(self._pace.order_at(self._clock.now()), PACE, self._broker))
