"""Work that goes on to its end when whoever waits for it goes away, as a browser does: half of a change would be neither."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Carried:
    """What was begun and has not ended yet."""

    def __init__(self) -> None:
        self._at_work: set[asyncio.Task[Any]] = set()

    async def out(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns or raises; it goes on when the caller is cancelled."""
        task = asyncio.ensure_future(work)
        self._at_work.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    async def all(self) -> None:
        """Return when nothing is at work any more."""
        while self._at_work:
            await asyncio.wait(self._at_work)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._at_work.discard(task)
        if not task.cancelled():
            task.exception()  # it was raised to whoever waited; nobody else has to be told
