"""The ladder of whoever lost the connection: 1, 2, 4, 8, 16 and then 30 seconds, for ever, each a fifth off either way so that
not everybody comes at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from zlib import crc32

from tradeloop.access import drawn

RUNGS_S: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
OFF: Final = 0.2
STEADY_S: Final = 60.0
"""How long a connection stays until the ladder begins anew."""


def by_chance() -> float:
    """A number from 0 to 1 that nobody foretells."""
    return crc32(drawn.token().get_secret_value().encode()) / 2**32


class Ladder:
    """Where on it somebody is. `chance` gives numbers from 0 to 1."""

    def __init__(self, chance: Callable[[], float] = by_chance) -> None:
        self._chance = chance
        self.tries = 0
        """How often in a row it failed."""

    def next_s(self) -> float:
        """How long to wait until the next try, in seconds."""
        rung = RUNGS_S[min(self.tries, len(RUNGS_S) - 1)]
        self.tries += 1
        return rung * (1 - OFF + 2 * OFF * self._chance())

    def stayed(self, for_s: float) -> None:
        """A connection has stayed for so long."""
        if for_s >= STEADY_S:
            self.tries = 0
