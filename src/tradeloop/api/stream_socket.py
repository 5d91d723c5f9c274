"""One open socket: what waits to be sent on it, and how it ends.

Nothing here waits for anybody else: what must not be left out is queued up to a bound, quotes are kept as the newest of each
symbol, and whoever does not take what they are owed is closed with a code that says so.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from enum import IntEnum
from typing import Final

from starlette.types import Receive, Send

from tradeloop.access.identity import Identity
from tradeloop.api.stream_channel import Channel
from tradeloop.api.stream_quotes import Ticks
from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.ports.clock import Clock

BEHIND_MAX: Final = 2_000
BEHIND_BYTES_MAX: Final = 4 * 1024 * 1024
"""Frames of deltas, and their characters, that wait for a socket at most."""

STALLED_NS: Final = 10 * SECOND_NS
"""How long a socket may take nothing at all."""

CLOSE_S: Final = 0.5
CUT_NS: Final = SECOND_NS
"""How long a close is waited for before the connection is cut."""


class Code(IntEnum):
    """Why a socket was closed (docs/reference/stream.md)."""

    FAULT = 1011
    ENDED = 4401
    NOT_ALLOWED = 4403
    TOO_SLOW = 4408
    TOO_OFTEN = 4429


class Socket:
    """One of them. `abort` cuts the connection, whatever waits to be sent on it."""

    def __init__(self, who: Identity, send: Send, abort: Callable[[], None], clock: Clock) -> None:
        self.who = who
        self.topics: dict[str, Channel] = {}
        self.symbols: frozenset[str] = frozenset()
        self.errors = 0
        self.alone = asyncio.Lock()
        """Held while a snapshot is made, so that two of one topic do not mix."""
        self.ended: tuple[Code, str] | None = None
        self._send, self._abort, self._clock = send, abort, clock
        self._queue: deque[tuple[str, bool]] = deque()
        self._behind = 0
        self._behind_bytes = 0
        self._quotes: Ticks | None = None
        self._beat = ""
        self._wake = asyncio.Event()
        self._over = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._sending_since: int | None = None

    @property
    def owner(self) -> str:
        """Whose allowance it is."""
        return self.who.key_id or self.who.name

    def offer(self, frame: str) -> None:
        """Queue a frame that must not be left out; a socket that is too far behind ends instead."""
        self._behind += 1
        self._behind_bytes += len(frame)
        if self._behind > BEHIND_MAX or self._behind_bytes > BEHIND_BYTES_MAX:
            self.end(Code.TOO_SLOW, "too slow: connect anew and resume")
        else:
            self._append(frame, counts=True)

    def offer_unbounded(self, frames: Iterable[str]) -> None:
        """Queue a snapshot, or what was missed: it is made when all before was taken (`drained`), and counts for nothing."""
        for frame in frames:
            self._append(frame, counts=False)

    def offer_quotes(self, newer: Ticks) -> None:
        """Take quotes, over those that could not be sent yet."""
        self._quotes = newer if self._quotes is None else self._quotes.under(newer)
        self._wake.set()

    def offer_beat(self, frame: str) -> None:
        """Take a beat, in place of one that could not be sent yet."""
        self._beat = frame
        self._wake.set()

    async def drained(self) -> None:
        """Return when nothing waits that counts."""
        await self._drained.wait()

    def end(self, code: Code, reason: str) -> None:
        """Have it closed; the first reason holds."""
        if self.ended is None:
            self.ended = code, reason
            self._over.set()
            self.forget()

    def forget(self) -> None:
        """Let go of what waits: nobody takes it any more."""
        self._queue.clear()
        self._drained.set()

    def look(self) -> None:
        """End it where it has taken nothing for too long."""
        if self._sending_since is not None and self._clock.elapsed() - self._sending_since > STALLED_NS:
            self.end(Code.TOO_SLOW, "nothing was taken: connect anew and resume")

    async def run(self, receive: Receive, obey: Callable[[str | None], Awaitable[None]]) -> None:
        """Send and obey until either side ends it. What obeying raises is raised, when the socket is closed."""
        tasks = [asyncio.ensure_future(each) for each in (self._send_all(), self._read_all(receive, obey), self._over.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        faults = [each for each in ends if isinstance(each, Exception)]
        if faults:
            self.end(Code.FAULT, "a fault of the program, which is in the log")
        if self.ended is not None:
            await self._close(*self.ended)
        for fault in faults:
            raise fault

    def _append(self, frame: str, *, counts: bool) -> None:
        if self.ended is None:
            self._queue.append((frame, counts))
            self._drained.clear()
            self._wake.set()

    async def _read_all(self, receive: Receive, obey: Callable[[str | None], Awaitable[None]]) -> None:
        while (message := await receive())["type"] != "websocket.disconnect":
            await obey(message.get("text"))

    async def _send_all(self) -> None:
        """Send what waits: what is owed first, then the newest quotes and the beat."""
        try:
            while True:
                if self._queue:
                    frame, counts = self._queue.popleft()
                    await self._sent(frame)
                    if counts:
                        self._behind -= 1
                        self._behind_bytes -= len(frame)
                elif self._quotes is not None:
                    newest, self._quotes = self._quotes, None
                    await self._sent(newest.text)
                elif self._beat:
                    beat, self._beat = self._beat, ""
                    await self._sent(beat)
                else:
                    self._drained.set()
                    self._wake.clear()
                    await self._wake.wait()
        except (OSError, RuntimeError):
            return  # what the server raises where the other side is gone, or the connection was given up meanwhile

    async def _sent(self, frame: str) -> None:
        self._sending_since = self._clock.elapsed()
        await self._send({"type": "websocket.send", "text": frame})
        self._sending_since = None

    async def _close(self, code: Code, reason: str) -> None:
        """Say why, and cut the connection where the other side does not take that."""
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._send({"type": "websocket.close", "code": int(code), "reason": reason})
            await self._clock.sleep_until(UtcNs(self._clock.now() + CUT_NS))
        except (TimeoutError, OSError, RuntimeError):
            pass  # it takes nothing any more, or is gone
        finally:
            self._abort()
