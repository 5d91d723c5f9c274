"""Who may use the desk, for the routes that show and change it: access, and the time by which sessions and codes count.

That is the time of the world, whatever clock the desk trades by: a recording of 2013 that plays sixty times as fast would end
sessions within minutes, and take codes of a second factor that no device shows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tradeloop.access.access import Access
from tradeloop.core.types import SECOND_NS, UtcNs

FRESH_NS: Final = 300 * SECOND_NS
"""For how long a proof counts as fresh: who walks up to a screen that was left alone makes no key with it."""


class People:
    """Access and its clock."""

    def __init__(self, access: Access, now: Callable[[], UtcNs]) -> None:
        self.access = access
        self.now = now

    @property
    def trouble(self) -> str:
        """Why what others change is not seen, empty where it is."""
        return self.access.trouble
