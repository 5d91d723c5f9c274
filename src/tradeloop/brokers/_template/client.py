"""The wire: one connection, lines in and out, requests matched with their answers, a heartbeat. It knows no order.

A connection lives once: when it is lost, every request that waits for an answer is told so, and a new `Connection` is made.
What is raised is sorted by what it proves (ports/trouble.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import msgspec

from tradeloop.brokers._template.words import TROUBLES
from tradeloop.core.errors import BadInput, NotSent
from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.ports.clock import Clock
from tradeloop.ports.trouble import Reply, Trouble, raised, sort

Message = dict[str, Any]

QUOTED_MAX: Final = 200
"""Characters of a strange line that an error message shows."""


class Connection:
    """One connection to the venue, logged in. Made by `connected`."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        clock: Clock,
        *,
        on_said: Callable[[Message], None],
        answer_within_ns: int,
        heartbeat_ns: int,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._on_said = on_said
        self._answer_within_s = answer_within_ns / SECOND_NS
        self._heartbeat_ns = heartbeat_ns
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._number = 0
        self._why_lost: str | None = None
        self._venue_ahead_ns = 0

    async def log_in(self, account: str, token: str) -> None:
        """The first exchange, before anything else is read: no report can come before the session is up. Raises NotSent."""
        self._number += 1
        self._write({"id": self._number, "do": "login", "account": account, "token": token})
        reply = _decoded(await self._line())
        if reply.get("ok") is not True:
            raise NotSent(f"the venue refused the login: {reply.get('code')}: {reply.get('text')}")
        at = reply.get("at")
        if not isinstance(at, int) or isinstance(at, bool):
            raise NotSent(f"the venue said at the login that its time is {at!r}; expected nanoseconds as a whole number")
        self._venue_ahead_ns = at - _elapsed_ns()

    def venue_now(self) -> UtcNs:
        """The venue's time, at most as late as it is there: what it said at the login, and what has passed since.

        Counted without our own clock, which may be wrong, or be set: a request that lives longer than was declared may arrive
        after it was proven that it never would.
        """
        return UtcNs(_elapsed_ns() + self._venue_ahead_ns)

    async def listen(self) -> str:
        """Read until the connection is lost; the answer is why. Never raises for what the other side did."""
        heart = asyncio.get_running_loop().create_task(self._beat())
        try:
            while True:
                self._take(_decoded(await self._line()))
        except (ConnectionError, OSError, EOFError, BadInput) as error:
            self.drop(str(error) or type(error).__name__)
            assert self._why_lost is not None
            return self._why_lost
        finally:
            heart.cancel()
            await asyncio.gather(heart, return_exceptions=True)

    def drop(self, why: str) -> None:
        """End the connection now; whoever waits for an answer will not get one. A second call does nothing."""
        if self._why_lost is None:
            self._why_lost = why
        self._writer.transport.abort()
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(ConnectionError(self._why_lost))
                future.exception()  # whoever waited may have been cancelled: nobody else has to hear of it

    async def ask(self, request: Message) -> Message:
        """Send one request, once, and give its answer. Raises NotSent, Refused or FateUnknown."""
        if self._why_lost is not None or self._writer.transport.is_closing():
            raise NotSent(f"the connection was lost before the request was written: {self._why_lost or 'closing'}")
        self._number += 1
        number = self._number
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            async with asyncio.timeout(self._answer_within_s):
                self._write({"id": number, **request})
                await self._writer.drain()
                reply = await answer
        except TimeoutError:
            raise _trouble(sort(written=True), f"no answer within {self._answer_within_s:g} s") from None
        except ConnectionError as error:
            raise _trouble(sort(written=True), f"the connection was lost before the answer: {error}") from None
        finally:
            self._waiting.pop(number, None)
            answer.cancel()
        if reply.get("ok") is True:
            return reply
        known = Reply(str(reply.get("code", "")), unprocessed=reply.get("unprocessed") is True)
        raise _trouble(sort(written=True, reply=known, codes=TROUBLES), str(reply.get("text", "")), known)

    def _write(self, message: Message) -> None:
        self._writer.write(msgspec.json.encode(message) + b"\n")

    async def _line(self) -> bytes:
        try:
            line = await self._reader.readline()
        except ValueError as error:
            raise BadInput(f"the venue sent a line that is too long ({error})") from None
        if not line.endswith(b"\n"):
            raise EOFError("the venue closed the connection" + (" in the middle of a line" if line else ""))
        return line

    def _take(self, message: Message) -> None:
        if "say" in message:
            self._on_said(message)
            return
        number = message.get("re")
        answer = self._waiting.get(number) if isinstance(number, int) else None
        if answer is not None and not answer.done():
            answer.set_result(message)
        # An answer that nobody waits for any more came too late: the order's fate is asked for in the books.

    async def _beat(self) -> None:
        """A dead peer is noticed by its silence: TCP alone may need a quarter of an hour."""
        while True:
            await self._clock.sleep_until(UtcNs(self._clock.now() + self._heartbeat_ns))
            self._number += 1
            number = self._number
            answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
            self._waiting[number] = answer
            self._write({"id": number, "do": "ping"})
            try:
                async with asyncio.timeout(self._answer_within_s):
                    await answer
            except TimeoutError:
                self.drop("the venue did not answer the heartbeat")
            except ConnectionError:
                return
            finally:
                self._waiting.pop(number, None)


async def connected(
    host: str, port: int, clock: Clock, *, line_max: int, on_said: Callable[[Message], None], answer_within_ns: int,
    heartbeat_ns: int,
) -> Connection:  # fmt: skip
    """A connection that is not logged in yet. Raises NotSent when there is none to be had."""
    try:
        reader, writer = await asyncio.open_connection(host, port, limit=line_max)
    except OSError as error:
        raise NotSent(f"{host}:{port} could not be reached ({error})") from None
    return Connection(reader, writer, clock, on_said=on_said, answer_within_ns=answer_within_ns, heartbeat_ns=heartbeat_ns)


def _elapsed_ns() -> int:
    """Nanoseconds since a moment that stays the same while the process lives, as the loop's own time-outs count them."""
    return int(asyncio.get_running_loop().time() * SECOND_NS)


def _decoded(line: bytes) -> Message:
    try:
        return msgspec.json.decode(line, type=dict)
    except msgspec.DecodeError:
        raise BadInput(f"the venue sent {line[:QUOTED_MAX]!r}, which is no JSON object") from None


def _trouble(trouble: Trouble, text: str, reply: Reply | None = None) -> Exception:
    error = raised(trouble, text, reply)
    assert error is not None
    return error
