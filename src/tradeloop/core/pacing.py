"""Station 4: the rate a broker takes, kept before an order counts as begun.

An order whose turn has not come stays STAGED: it is in nobody's hands but ours, is cancelled without asking the broker, and
passes the gate again when its turn comes. An order begins only while what left in the last second and what was begun and has
not left yet make room for it together; so however long the disk takes, no more than one second's worth is ever begun at once.

Cancels and changes of orders are never held back here. They take the room of orders; at the wire (engine/wire.py) cancels go
first.

Volatile, as quotes are: a restart asks all staged orders again, and rests for a second, because nobody knows what its
predecessor sent in the last one. A predecessor that may only be paused may send what it had begun when it wakes: orders leave
room for that. Cancels do not wait for it.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from tradeloop.core.errors import BadInput, InvariantBroken
from tradeloop.core.types import SECOND_NS, ClOrdID, UtcNs

PACE: Final = "pace"
"""Kind of the timer that wakes the orders which wait for their turn; its subject is the broker."""


class Pace:
    """The requests of one broker: what waits, what was begun, and when the newest left."""

    __slots__ = ("_begun", "_expected", "_left", "_rest_until", "rate", "waiting")

    def __init__(self, broker: str, rate: int) -> None:
        if rate < 1:
            raise BadInput(f"broker {broker} declares a rate of {rate} requests a second; expected at least 1, or none")
        self.rate = rate
        self.waiting: dict[ClOrdID, None] = {}
        """Staged orders whose turn has not come, in the order in which it will."""
        self._begun: dict[str, None] = {}
        self._left: deque[UtcNs] = deque(maxlen=rate)
        self._rest_until = UtcNs(0)
        self._expected: list[UtcNs] = []

    def rest(self, until: UtcNs) -> None:
        """Let nothing leave before `until`."""
        self._rest_until = until

    def expect(self, until: UtcNs) -> None:
        """A request that somebody else began may leave, and counts until `until`."""
        self._expected.append(until)

    def take(self, cl_ord_id: ClOrdID, now: UtcNs) -> bool:
        """Begin an order if it is its turn; otherwise it waits, behind those that wait already."""
        if not self.is_turn_of(cl_ord_id, now):
            self.waiting[cl_ord_id] = None
            return False
        self.waiting.pop(cl_ord_id, None)
        self._begun[cl_ord_id] = None
        return True

    def is_turn_of(self, cl_ord_id: ClOrdID, now: UtcNs) -> bool:
        """Whether nothing waits before this order and there is room."""
        return next(iter(self.waiting), cl_ord_id) == cl_ord_id and self.has_room(now)

    def has_room(self, now: UtcNs) -> bool:
        """Whether one more order may begin at `now`."""
        while self._left and self._left[0] + SECOND_NS <= now:
            self._left.popleft()
        if self._expected:
            self._expected = [until for until in self._expected if until > now]
        return now >= self._rest_until and len(self._begun) + len(self._left) + len(self._expected) < self.rate

    def owe(self, request: str) -> None:
        """A request other than an order was begun, and takes its room."""
        self._begun[request] = None

    @property
    def is_owing(self) -> bool:
        """Whether something was begun that has neither left nor been given up; whoever settles it wakes what waits."""
        return bool(self._begun)

    def free_at(self, now: UtcNs) -> UtcNs:
        """The first moment from `now` on at which the wire takes one more request."""
        full = len(self._left) == self.rate
        return UtcNs(max(now, self._rest_until, self._left[0] + SECOND_NS if full else 0))

    def order_at(self, now: UtcNs) -> UtcNs:
        """The first moment from `now` on at which it is worth asking again whether an order may begin."""
        free = self.free_at(now)
        if len(self._left) + len(self._expected) < self.rate:
            return free
        return max(free, min(self._expected, default=free))

    def left(self, request: str, now: UtcNs) -> None:
        """A request goes to the wire now."""
        self._begun.pop(request, None)
        if len(self._left) == self.rate and now < self._left[0] + SECOND_NS:
            raise InvariantBroken(27, f"{request} was to leave within a second of {self.rate} others, the most that is taken")
        self._left.append(now)

    def given_up(self, request: str) -> None:
        """A request that was begun does not go to the wire any more."""
        self._begun.pop(request, None)


def cancel_request(cl_ord_id: ClOrdID) -> str:
    """The name of a cancel among the requests of a broker: asked for again before it left, it is one request still."""
    return f"cancel {cl_ord_id}"


def replace_request(cl_ord_id: ClOrdID, number: int) -> str:
    """The name of a change of an order among the requests of a broker."""
    return f"replace {cl_ord_id} {number}"
