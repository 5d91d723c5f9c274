"""How often somebody may ask: a bucket of tokens for each who asks and each class of questions, in memory.

A bucket is one number, the moment at which it is full again (the generic cell rate algorithm), by a clock that nobody can set.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

import msgspec

from tradeloop.core.types import SECOND_NS

BUCKETS_MAX: Final = 10_000


class Rate(msgspec.Struct, frozen=True):
    """`times` in `per_s` seconds on average, and as many of them at once."""

    times: int
    per_s: int

    @property
    def each_ns(self) -> int:
        """How long one token takes to come back."""
        return self.per_s * SECOND_NS // self.times


class Rates:
    """The buckets. Whose has not asked for longest is forgotten where they are too many; it was full, or nearly."""

    def __init__(self, rates: Mapping[str, Rate], most: int = BUCKETS_MAX) -> None:
        self._rates = dict(rates)
        self._most = most
        self._full_at: OrderedDict[tuple[str, str], int] = OrderedDict()

    def wait_ns(self, who: str, what: str, elapsed: int, cost: int = 1) -> int:
        """0 and the tokens taken, or how long to wait until there are `cost` of them. `elapsed` is `Clock.elapsed()`; an
        unknown class is a mistake of the caller and raises KeyError.
        """
        rate = self._rates[what]
        full_at = max(self._full_at.get((who, what), elapsed), elapsed)
        after = full_at + cost * rate.each_ns
        over = after - elapsed - rate.times * rate.each_ns
        if over > 0:
            return over
        self._full_at[who, what] = after
        self._full_at.move_to_end((who, what))
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)
        return 0

    def __len__(self) -> int:
        return len(self._full_at)
