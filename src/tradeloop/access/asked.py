"""By whom, from where and when something is asked, as the log of access keeps it."""

from __future__ import annotations

from typing import Final

import msgspec

from tradeloop.core.types import UtcNs

TERMINAL: Final = "terminal"
"""The address of whoever types on the machine itself."""


class Asked(msgspec.Struct, frozen=True):
    """One question: `by` a name, empty where nobody is known yet; `at` by the Clock."""

    by: str
    address: str
    at: UtcNs
