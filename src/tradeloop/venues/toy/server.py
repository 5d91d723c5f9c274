"""The toy venue on a socket: one JSON object a line, on the loopback, any number of clients of one account.

A client that does not read is cut off once it owes `UNREAD_MAX` bytes: a venue does not remember for ever what somebody else
is too slow to hear.
"""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from tradeloop.core.types import UtcNs
from tradeloop.ports.clock import Clock
from tradeloop.venues.toy.faults import Fault
from tradeloop.venues.toy.venue import Message, ToyRules, ToyVenue

LINE_MAX: Final = 1 << 20
UNREAD_MAX: Final = 4 << 20
_CHANGING: Final = frozenset({"place", "cancel", "replace"})


class ToyServer:
    """A venue that listens. `port` is 0 until it does."""

    def __init__(self, rules: ToyRules, clock: Clock) -> None:
        self.venue = ToyVenue(rules, clock, self._broadcast)
        self.clock = clock
        self.port = 0
        self.is_open = True
        """False while nobody is let in: a connection is closed as soon as it is made."""
        self.is_silent = False
        """True while nothing is heard and nothing said, though connections stand."""
        self._listening: asyncio.Server | None = None
        self._clients: dict[asyncio.StreamWriter, bool] = {}
        """Each connection, and whether it has logged in."""
        self._late: set[asyncio.Task[None]] = set()
        self._slicing: asyncio.Task[None] | None = None

    async def start(self, port: int = 0) -> None:
        """Listen on the loopback; port 0 takes a free one."""
        self._listening = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=LINE_MAX)
        self.port = self._listening.sockets[0].getsockname()[1]
        if self.venue.rules.slice_qty is not None:
            self._slicing = asyncio.get_running_loop().create_task(self._slice())

    async def stop(self) -> None:
        """Let go of every connection and of the port; a second call does nothing."""
        if self._listening is None:
            return
        self._listening.close()
        self.cut()
        own = [*self._late, *([] if self._slicing is None else [self._slicing])]
        for task in own:
            task.cancel()
        await asyncio.gather(*own, return_exceptions=True)
        await self._listening.wait_closed()
        self._listening = None

    def cut(self) -> None:
        """Cut every connection, as a network does: without a word."""
        for writer in list(self._clients):
            writer.transport.abort()

    def shut(self) -> None:
        """Cut every connection and let nobody in until `open`."""
        self.is_open = False
        self.cut()

    def open(self) -> None:
        """Let clients in again, and speak."""
        self.is_open, self.is_silent = True, False

    def say_raw(self, line: bytes) -> None:
        """Send these bytes to every client as a line, whatever they are."""
        for writer, logged_in in list(self._clients.items()):
            if logged_in:
                self._write(writer, line + b"\n")

    @property
    def sessions(self) -> int:
        """How many clients are logged in."""
        return sum(self._clients.values())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.is_open:
            writer.transport.abort()
            return
        self._clients[writer] = False
        try:
            while line := await reader.readline():
                if not line.endswith(b"\n"):
                    break  # the connection ended in the middle of a request: it was never made
                self._take(writer, line)
                await writer.drain()
        except (ConnectionError, ValueError):
            writer.transport.abort()  # gone, or a line longer than LINE_MAX
        finally:
            del self._clients[writer]
            writer.close()

    def _take(self, writer: asyncio.StreamWriter, line: bytes) -> None:
        if self.is_silent:
            return
        try:
            request = msgspec.json.decode(line, type=dict)
        except msgspec.DecodeError:
            self._reply(writer, {"re": None, "ok": False, "code": "BAD_REQUEST", "text": "expected one JSON object a line"})
            return
        number = request.get("id")
        if request.get("do") == "login":
            self._log_in(writer, number, request)
            return
        if not self._clients[writer]:
            self._reply(writer, {"re": number, "ok": False, "code": "NO_SESSION", "text": "log in first"})
            return
        faults = self.venue.faults
        if request.get("do") == "place" and faults.strikes(Fault.LATE):
            due = UtcNs(self.clock.now() + self.venue.rules.late_ns)
            task = asyncio.get_running_loop().create_task(self._act_late(due, request))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
            return
        if request.get("do") not in _CHANGING:
            self._reply(writer, {"re": number, **self.venue.answer(request)})
            return
        cuts, swallows, garbles = (faults.strikes(f) for f in (Fault.CUT_AFTER, Fault.SWALLOW, Fault.GARBLE))
        if cuts:
            # What the request leads to is said to nobody: this connection is gone by then.
            self._clients[writer] = False
        answer = self.venue.answer(request)
        if cuts:
            writer.transport.abort()
        elif garbles:
            self._write(writer, f'{{"re": {number}, "ok": tr\n'.encode())
        elif not swallows:
            self._reply(writer, {"re": number, **answer})

    async def _slice(self) -> None:
        """The market goes on by the venue's clock, whether anybody is connected or not."""
        while True:
            await self.clock.sleep_until(UtcNs(self.clock.now() + self.venue.rules.slice_ns))
            self.venue.trade_slices()

    async def _act_late(self, due: UtcNs, request: Message) -> None:
        await self.clock.sleep_until(due)
        self.venue.answer(request)

    def _log_in(self, writer: asyncio.StreamWriter, number: object, request: Message) -> None:
        rules = self.venue.rules
        if request.get("token") != rules.token or request.get("account") != rules.account:
            self._reply(writer, {"re": number, "ok": False, "code": "BAD_LOGIN", "text": "account or token was not right"})
            return
        self._clients[writer] = True
        self._reply(writer, {"re": number, "ok": True, "day": self.venue.books.day, "at": self.clock.now()})
        if rules.replays:
            for said in self.venue.trades_of_the_day():
                self._reply(writer, said)

    def _broadcast(self, message: Message) -> None:
        if self.venue.faults.strikes(Fault.MUMBLE):
            self.say_raw(msgspec.json.encode(message)[:-1])
            return
        for writer, logged_in in list(self._clients.items()):
            if logged_in:
                self._reply(writer, message)

    def _reply(self, writer: asyncio.StreamWriter, message: Message) -> None:
        self._write(writer, msgspec.json.encode(message) + b"\n")

    def _write(self, writer: asyncio.StreamWriter, line: bytes) -> None:
        transport = writer.transport
        if transport.is_closing() or self.is_silent:
            return
        if transport.get_write_buffer_size() > UNREAD_MAX:
            transport.abort()  # too slow a reader: it finds what it missed in the books
            return
        if self.venue.faults.strikes(Fault.PIECES):
            for at in range(len(line)):
                if transport.is_closing():
                    break  # the client died in the middle of a line
                writer.write(line[at : at + 1])
        else:
            writer.write(line)
