"""Keeps the right to write. Losing it ends the process: somebody else writes now, and two writers are how orders double."""

from __future__ import annotations

import asyncio

from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.ports.clock import Clock
from tradeloop.ports.journal import Holder, Journal


async def keep_lease(journal: Journal, holder: Holder, clock: Clock) -> None:
    """Renew every second until cancelled; one that does not expire is only held. Raises StaleEpoch when it is lost."""
    if holder.expires_at is None:
        await asyncio.Event().wait()
    while True:
        await clock.sleep_until(UtcNs(clock.now() + SECOND_NS))
        await journal.renew()
