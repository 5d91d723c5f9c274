"""How often somebody may ask: a bucket for each asker and kind of request, which fills evenly and is emptied by one each time.

A bucket is a number of its owner, never of everybody: who asks too much slows nobody else down. Cancels and halts have one of
their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final

import msgspec

from tradeloop.api.policy import Rate
from tradeloop.api.problem import Problem
from tradeloop.core.types import SECOND_NS

OWNERS_MAX: Final = 10_000
"""Buckets that are kept; the one that was used least lately goes, and is full when it comes back."""


class Allowance(msgspec.Struct, frozen=True):
    """Requests a second in the long run, and how many at once."""

    per_s: float
    burst: int


ALLOWED: Final[Mapping[Rate, Allowance]] = {
    Rate.READ: Allowance(100, 400),
    Rate.ORDER: Allowance(100, 400),
    Rate.STOP: Allowance(100, 400),
    Rate.WORK: Allowance(2, 20),
    Rate.PROOF: Allowance(1, 20),
}
"""What each asker has, unless the settings say otherwise."""

UNIDENTIFIED: Final = Allowance(20, 100)
"""What an address has for requests that nobody is found for: a key or a session is not to be guessed."""


class Rates:
    """The buckets. `elapsed` is a clock in nanoseconds that cannot be set."""

    def __init__(self, elapsed: Callable[[], int], allowed: Mapping[Rate, Allowance] = ALLOWED) -> None:
        self._elapsed = elapsed
        self._allowed = allowed
        self._buckets: dict[tuple[str, Rate | None], tuple[float, int]] = {}

    def take(self, owner: str, rate: Rate) -> None:
        """Take one request from an asker's allowance. Raises Problem where it is used up, with when there is one again."""
        self._take((owner, rate), self._allowed[rate], rate.value)

    def take_unidentified(self, address: str) -> None:
        """The same from that of an address nobody was found at."""
        self._take((address, None), UNIDENTIFIED, "not identified")

    def _take(self, key: tuple[str, Rate | None], allowance: Allowance, called: str) -> None:
        now = self._elapsed()
        left, since = self._buckets.pop(key, (float(allowance.burst), now))
        left = min(float(allowance.burst), left + (now - since) / SECOND_NS * allowance.per_s)
        if left < 1:
            self._buckets[key] = left, now
            text = f"more than {allowance.per_s:g} requests a second of this kind ({called}); nothing was done, ask again later"
            wait = max(1, round((1 - left) / allowance.per_s + 0.5))
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, "over_rate", text, retry_after_s=wait)
        self._buckets[key] = left - 1, now
        if len(self._buckets) > OWNERS_MAX:
            del self._buckets[next(iter(self._buckets))]
