"""The stream as a client has it: a real server on loopback, and real WebSockets to it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from tests.api.desks import Client, Counter, settings_of
from tests.api.identities import Known
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tradeloop.access.identity import Scope
from tradeloop.api.app import Manners, application
from tradeloop.bootstrap import open_desk
from tradeloop.bootstrap.served import ServedDesk
from tradeloop.bootstrap.web import bound, served
from tradeloop.core.effects import RaiseAlert
from tradeloop.engine.clock import stopwatch_ns
from tradeloop.feeds.demo import DEMO_SYMBOLS


@dataclass
class Line:
    """An open socket, and the frames that were read and not asked for yet."""

    socket: ClientConnection
    frames: list[dict[str, Any]] = field(default_factory=list)

    async def say(self, **command: Any) -> None:
        """Send a frame."""
        await self.socket.send(json.dumps({name.rstrip("_"): value for name, value in command.items()}))

    async def next(self, t: str, topic: str = "") -> dict[str, Any]:
        """The next frame of a kind, of a topic; frames of other kinds are passed over."""
        while True:
            frame: dict[str, Any] = json.loads(await self.socket.recv())
            self.frames.append(frame)
            if frame["t"] == t and topic in ("", frame.get("topic")):
                return frame

    async def snapshot(self, topic: str, **more: Any) -> dict[str, Any]:
        """Subscribe, and all parts of what comes, as one."""
        await self.say(op="subscribe", topic=topic, **more)
        found = await self.next("snapshot", topic)
        while not found["last"]:
            part = await self.next("snapshot", topic)
            found = {**part, "items": [*found["items"], *part["items"]]}
        return found

    async def until(self, topic: str, **fields: Any) -> dict[str, Any]:
        """The document with these fields, once a delta has it or where one had it, with the number of the delta."""
        deltas = [frame for frame in self.frames if (frame["t"], frame.get("topic")) == ("delta", topic)]
        while True:
            for delta in deltas:
                for each in delta["put"]:
                    if all(each[name] == value for name, value in fields.items()):
                        return {**each, "n": delta["n"]}
            deltas = [await self.next("delta", topic)]

    async def code(self) -> int:
        """The code with which the desk closes it, once everything before that is read."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self.socket.recv()
        assert self.socket.close_code is not None
        return self.socket.close_code


@dataclass
class Wire(Counter):
    """A desk, and where it listens."""

    address: str = ""

    async def ticket(self, key: str, **headers: str) -> str:
        """A ticket of whoever has this key."""
        said = await Client(self.http, key).send("POST", "/api/v1/stream/ticket", headers=headers)
        assert said.status == 201, said.document
        return str(said.document["ticket"])

    @asynccontextmanager
    async def line(self, key: str = "", *, origin: str | None = None, **more: Any) -> AsyncIterator[Line]:
        """An open socket that has said hello."""
        ticket = await self.ticket(key or self.known.key("alice", Scope.READ_ACCOUNT, Scope.READ_MARKET))
        async with self.opened(ticket, origin=origin, **more) as line:
            await line.next("hello")
            yield line

    @asynccontextmanager
    async def opened(self, *tickets: str, protocol: str = "tradeloop.v1", **more: Any) -> AsyncIterator[Line]:
        """A socket with these tickets."""
        asked = [Subprotocol(each) for each in (protocol, *(f"ticket.{ticket}" for ticket in tickets)) if each]
        async with connect(f"{self.address.replace('http', 'ws')}/ws", subprotocols=asked, proxy=None, **more) as socket:
            yield Line(socket)


@asynccontextmanager
async def a_wire(home: Path, manners: Manners | None = None, **given: object) -> AsyncIterator[Wire]:
    """A desk that listens on loopback, on a port that is free."""
    told: list[RaiseAlert] = []
    loaded = settings_of(home, **{"web__port": 0, "feed__speed": "10", **given})
    async with open_desk(loaded, command="up", alert=told.append, symbols=DEMO_SYMBOLS) as desk:
        await desk.ready()
        await desk.quoted(DEMO_SYMBOLS)
        known = Known()
        app = application(ServedDesk(desk, "up"), known, stopwatch_ns, manners)
        with bound(loaded.settings.web) as listening:
            async with served(app, loaded, listening):
                address = f"http://127.0.0.1:{listening.getsockname()[1]}"
                async with httpx2.AsyncClient(base_url=address) as http:
                    yield Wire(desk, known, http, told, address)
