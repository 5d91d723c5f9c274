"""The stream of a desk: what becomes true, without a gap, across cuts, and never silent about one (docs/reference/stream.md).

Iterate over it. A lost connection is told as `Down` and tried again for ever, by the ladder; a key that is no longer good is
raised. `held` is what each topic holds now, `age_s` how long nothing was heard.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import aiohttp
import msgspec

from tradeloop.client.ask import Ask
from tradeloop.client.books_told import Tick
from tradeloop.client.document import Document
from tradeloop.client.errors import ClientError, NotAllowed
from tradeloop.client.http import AsyncClient
from tradeloop.client.ladder import Ladder
from tradeloop.client.news import TOPICS, Change, Down, Key, Moved, News, Snapshot, Up
from tradeloop.core.errors import BadInput
from tradeloop.core.types import SECOND_NS, UtcNs

PROTOCOL: Final = "tradeloop.v1"
SILENT_S: Final = 5.0
"""Without a frame for so long the connection is dead."""

HELD_MAX: Final = 10_000
"""Documents of a topic that are held, open orders aside: the oldest go, since fills and facts only ever grow more."""

_ENDED: Final = 4401
_FRAME_MAX: Final = 64 * 1024 * 1024


class Ticket(Document, frozen=True):
    """What opens a socket, once."""

    ticket: str
    protocol: str


class _Frame(msgspec.Struct, frozen=True):
    """Any frame of the desk."""

    t: str
    topic: str = ""
    n: int = 0
    seq: int = 0
    last: bool = True
    stream: str = ""
    topics: list[str] = []
    items: list[msgspec.Raw] = []
    put: list[msgspec.Raw] = []
    drop: list[str | int] = []
    quotes: list[Tick] = []
    numbers: dict[str, int] = {}
    code: str = ""
    detail: str = ""


class _Lost(Exception):
    """The connection is over, and why."""


class Stream:
    """Topics of a desk, and quotes of `symbols`; `held` has the documents of each topic by their keys."""

    def __init__(
        self, client: AsyncClient, topics: Sequence[str], symbols: Sequence[str] = (), ladder: Ladder | None = None
    ) -> None:
        unknown = [topic for topic in topics if topic not in TOPICS]
        if unknown or not (topics or symbols):
            raise BadInput(f"topics were {', '.join(topics) or 'none'}; expected some of {', '.join(TOPICS)}, or symbols")
        self._client, self._topics, self._symbols = client, list(topics), list(symbols)
        self._ladder = ladder or Ladder()
        self.held: dict[str, dict[Key, Any]] = {topic: {} for topic in topics}
        self.quotes: dict[str, Tick] = {}
        self.is_up = False
        self._stream = ""
        self._numbers: dict[str, int] = {}
        self._parts: dict[str, list[Any]] = {}
        self._heard = client.clock.elapsed()
        self._again = asyncio.Event()

    @property
    def age_s(self) -> float:
        """Seconds since anything was heard of the desk: all that is known is as old as that."""
        return (self._client.clock.elapsed() - self._heard) / SECOND_NS

    def try_now(self) -> None:
        """Do not wait for the next rung of the ladder."""
        self._again.set()

    async def __aiter__(self) -> AsyncIterator[News]:
        while True:
            begun = self._client.clock.elapsed()
            try:
                async for news in self._connected():
                    yield news
                why = "the desk closed the connection"
            except NotAllowed:
                raise
            except (TimeoutError, _Lost, ClientError, aiohttp.ClientError, OSError) as error:
                why = str(error) or type(error).__name__
            finally:
                self.is_up = False
            self._ladder.stayed((self._client.clock.elapsed() - begun) / SECOND_NS)
            wait_s = self._ladder.next_s()
            yield Down(why, self._ladder.tries, wait_s)
            await self._wait(wait_s)

    async def _wait(self, wait_s: float) -> None:
        clock = self._client.clock
        self._again.clear()
        waits = [
            asyncio.ensure_future(clock.sleep_until(UtcNs(clock.now() + int(wait_s * SECOND_NS)))),
            asyncio.ensure_future(self._again.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    async def _connected(self) -> AsyncIterator[News]:
        """One connection, from its ticket to its end."""
        client = self._client
        ticket = await client.send(Ask("POST", "/api/v1/stream/ticket", Ticket, is_harmless=True))
        async with client.session.ws_connect(
            client.address.replace("http", "ws", 1) + "/ws",
            protocols=(PROTOCOL, f"ticket.{ticket.ticket}"),
            max_msg_size=_FRAME_MAX,
        ) as socket:
            while True:
                message = await socket.receive(SILENT_S)
                self._heard = client.clock.elapsed()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    if socket.close_code == _ENDED:
                        raise NotAllowed("the key has ended", status=401, code="not_identified")
                    raise _Lost(f"the desk closed the connection ({socket.close_code})")
                frame = _FRAMES.decode(message.data)
                for command in self._asked_for(frame):
                    await socket.send_str(msgspec.json.encode(command).decode())
                news = self._news(frame)
                if news is not None:
                    yield news

    def _asked_for(self, frame: _Frame) -> list[dict[str, Any]]:
        """What has to be said on account of a frame: subscriptions at first, and whatever is missing later."""
        if frame.t == "hello":
            goes_on = frame.stream == self._stream
            self._stream, self.is_up = frame.stream, True
            self._parts.clear()
            if not goes_on:
                self._numbers.clear()
            wanted = [self._subscription(topic) for topic in self._topics]
            if self._symbols:
                wanted.append({"op": "subscribe", "topic": "quotes", "symbols": self._symbols})
            return wanted
        behind: list[str] = []
        if frame.t == "delta" and frame.topic in self._numbers and frame.n != self._numbers[frame.topic] + 1:
            behind = [frame.topic]
        elif frame.t == "beat":
            behind = [each for each, n in frame.numbers.items() if each in self._numbers and n > self._numbers[each]]
        for topic in behind:
            del self._numbers[topic]  # until the snapshot comes, its deltas mean nothing
        return [{"op": "subscribe", "topic": topic} for topic in behind]

    def _subscription(self, topic: str) -> dict[str, Any]:
        known = self._numbers.get(topic)
        resumed = {} if known is None else {"stream": self._stream, "from": known}
        return {"op": "subscribe", "topic": topic, **resumed}

    def _news(self, frame: _Frame) -> News | None:
        match frame.t:
            case "hello":
                return Up(frame.stream, frame.topics)
            case "snapshot":
                return self._snapshot(frame)
            case "delta" if frame.topic in self._numbers:
                return self._change(frame)
            case "quotes":
                self.quotes.update({tick.symbol: tick for tick in frame.quotes})
                return Moved(frame.quotes)
            case "error" if frame.code in ("forbidden", "wrong_account"):
                raise NotAllowed(frame.detail, status=403, code=frame.code)
            case "error" if frame.code == "bad_input":
                raise BadInput(frame.detail)
            case "error":
                raise _Lost(frame.detail)
            case _:
                return None

    def _snapshot(self, frame: _Frame) -> Snapshot | None:
        parts = self._parts.setdefault(frame.topic, [])
        parts += _documents(frame.topic, frame.items)
        if not frame.last:
            return None
        items = self._parts.pop(frame.topic)
        self._numbers[frame.topic] = frame.n
        self.held[frame.topic] = {_key(frame.topic, each): each for each in items}
        return Snapshot(frame.topic, frame.n, items)

    def _change(self, frame: _Frame) -> Change:
        put = _documents(frame.topic, frame.put)
        held = self.held[frame.topic]
        held.update({_key(frame.topic, each): each for each in put})
        for key in frame.drop:
            held.pop(key, None)
        if len(held) > HELD_MAX + HELD_MAX // 10:
            for key in list(held)[: len(held) - HELD_MAX]:
                if not getattr(held[key], "is_open", False):
                    del held[key]
        self._numbers[frame.topic] = frame.n
        return Change(frame.topic, frame.n, frame.seq, put, frame.drop)


def _documents(topic: str, raw: Sequence[msgspec.Raw]) -> list[Any]:
    decoder = _DECODERS[topic]
    return [decoder.decode(each) for each in raw]


def _key(topic: str, document: Any) -> Key:
    key: Key = getattr(document, TOPICS[topic][1])
    return key


_FRAMES: Final = msgspec.json.Decoder(_Frame)
_DECODERS: Final = {topic: msgspec.json.Decoder(kind) for topic, (kind, _) in TOPICS.items()}
