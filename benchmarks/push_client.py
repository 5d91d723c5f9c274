"""Many clients of a stream in a process that costs little: it stamps each frame as it comes, and looks into them at the end.

    python -m benchmarks.push_client PORT CLIENTS quotes|orders|raw

Keys come in BENCH_KEYS and symbols in BENCH_SYMBOLS. It prints `ready` when every client has its snapshot, and its result when
a line has come on stdin, with the file of the stamps (benchmarks/push_desk.py) where these are not in the frames themselves.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import struct
import sys
import time
from pathlib import Path
from typing import Any, Final, cast

import msgspec
import uvloop
from typing_extensions import override

from benchmarks.measure import argument, percentile

PER_KEY: Final = 16
"""Sockets that one asker may have."""
PATIENCE_S: Final = 40.0
_TEXT, _CLOSE, _PING, _PONG = 0x1, 0x8, 0x9, 0xA
_SHORT, _LONG = 126, 127


class Client(asyncio.Protocol):
    """One socket: RFC 6455 as far as a reader of whole frames needs it."""

    def __init__(self, port: int, ticket: str, first: str, ready: str) -> None:
        self.frames: list[tuple[int, bytes]] = []
        self.is_ready = asyncio.Event()
        self._port, self._ticket, self._first = port, ticket, first.encode()
        self._ready = ready.encode()
        self._buffer = bytearray()
        self._upgraded = False
        self._transport: asyncio.WriteTransport

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's is one and does not say so
        protocols = f"sec-websocket-protocol: tradeloop.v1, ticket.{self._ticket}\r\n" if self._ticket else ""
        self._transport.write(
            f"GET /ws HTTP/1.1\r\nhost: 127.0.0.1:{self._port}\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
            f"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n{protocols}\r\n".encode()
        )

    @override
    def data_received(self, data: bytes) -> None:
        now = time.perf_counter_ns()
        self._buffer += data
        if not self._upgraded:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            assert self._buffer.startswith(b"HTTP/1.1 101"), bytes(self._buffer)
            del self._buffer[: end + 4]
            self._upgraded = True
            if self._first:
                self._say(_TEXT, self._first)
            else:
                self.is_ready.set()
        while (frame := self._frame()) is not None:
            kind, payload = frame
            if kind == _TEXT:
                self.frames.append((now, payload))
                if not self.is_ready.is_set() and payload.startswith(self._ready):
                    self.is_ready.set()
            elif kind == _PING:
                self._say(_PONG, payload)
            else:
                raise AssertionError(f"a frame of kind {kind} came: {payload!r}")

    def _frame(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, start = buffer[1], 2
        if size == _SHORT:
            if len(buffer) < 4:
                return None
            size, start = struct.unpack_from("!H", buffer, 2)[0], 4
        elif size == _LONG:
            if len(buffer) < 10:
                return None
            size, start = struct.unpack_from("!Q", buffer, 2)[0], 10
        if len(buffer) < start + size:
            return None
        assert buffer[0] & 0x80, "a message came in pieces"
        found = buffer[0] & 0xF, bytes(buffer[start : start + size])
        del buffer[: start + size]
        return found

    def _say(self, kind: int, payload: bytes) -> None:
        """Send a frame; masked with noughts, which leaves it as it is."""
        size = bytes([0x80 | len(payload)]) if len(payload) < _SHORT else struct.pack("!BH", 0x80 | _SHORT, len(payload))
        self._transport.write(bytes([0x80 | kind]) + size + bytes(4) + payload)


def ticket(port: int, key: str) -> str:
    """A ticket for one socket."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request("POST", "/api/v1/stream/ticket", headers={"authorization": f"Bearer {key}"})
        return str(json.loads(connection.getresponse().read())["ticket"])
    finally:
        connection.close()


async def run(port: int, clients: int, topic: str) -> dict[str, Any]:
    """Connect, say so, gather until told, and look."""
    keys = [key for key in os.environ.get("BENCH_KEYS", "").split(",") for _ in range(PER_KEY)]
    symbols = os.environ.get("BENCH_SYMBOLS", "").split(",")
    first: dict[str, Any] = {"op": "subscribe", "topic": topic, **({"symbols": symbols} if topic == "quotes" else {})}
    ready = '{"t":"quotes"' if topic == "quotes" else '{"t":"snapshot"'
    loop = asyncio.get_running_loop()
    every = []
    for number in range(clients):
        own = "" if topic == "raw" else ticket(port, keys[number])
        client = Client(port, own, "" if topic == "raw" else json.dumps(first), ready)
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]
        every.append(client)
    async with asyncio.timeout(PATIENCE_S):
        for client in every:
            await client.is_ready.wait()
    print("ready", flush=True)
    path = (await loop.run_in_executor(None, sys.stdin.readline)).strip()
    return looked_into([client.frames for client in every], topic, path, symbols)


Frames = list[tuple[int, bytes]]


def looked_into(frames: list[Frames], topic: str, path: str, symbols: list[str]) -> dict[str, Any]:
    """What the frames of each client come to, with the stamps of this file."""
    stamps = json.loads(Path(path).read_bytes()) if path else {}
    match topic:
        case "quotes":
            found = quotes(frames, stamps["quotes"], symbols)
        case "orders":
            found = orders(frames, stamps["stored"])
        case _:
            found = raw(frames)
    took = sorted(found.pop("took"))
    return {**found, "p50_ms": round(percentile(took, 50) / 1e6, 3), "p99_ms": round(percentile(took, 99) / 1e6, 3)}


def quotes(every: list[Frames], stamps: list[tuple[str, str, int]], symbols: list[str]) -> dict[str, Any]:
    """Each client: the quotes of each symbol in order, and the newest of all that there were as the last."""
    received = {(symbol, at): ns for symbol, at, ns in stamps}
    newest = {symbol: at for symbol, at, _ in stamps if symbol in symbols}
    assert len(newest) == len(symbols)
    took, pushed = [], 0
    for frames in every:
        last: dict[str, str] = {}
        heard = [(ns, document) for ns, payload in frames if (document := msgspec.json.decode(payload))["t"] == "quotes"]
        for number, (ns, document) in enumerate(heard):
            for quote in document["quotes"]:
                symbol, at = quote["symbol"], quote["at"]
                again = number == 1 and last.get(symbol) == at  # what was under way when the first was made
                assert again or last.get(symbol, "") < at, f"{symbol} of {at} came behind {last[symbol]}"
                last[symbol] = at
                if number:  # the first has all there were when it was asked for, however old
                    took.append(ns - received[symbol, at])
        pushed += len(heard)
        assert last == newest, "the last quote of a symbol is not its newest"
    return {"frames": pushed, "quotes": len(took), "took": took}


def orders(every: list[Frames], stamps: list[tuple[int, int]]) -> dict[str, Any]:
    """Each client: the same deltas, numbered without a gap, and the stamp of what is in each."""
    stored, took, ends, sizes = dict(stamps), [], set(), 0
    deltas = 0
    for frames in every:
        heard = [(ns, msgspec.json.decode(payload), len(payload)) for ns, payload in frames]
        [start] = {document["n"] for _, document, _ in heard if document["t"] == "snapshot"}
        n, books = start, {}
        for ns, document, size in heard:
            assert document["t"] != "error", document
            if document["t"] == "delta":
                n += 1
                assert document["n"] == n, f"delta {document['n']} came where {n} was due"
                took.append(ns - stored[document["seq"]])
                sizes += size
                for order in document["put"]:
                    books[order["order_id"]] = order["status"]
        deltas = n - start
        ends.add(json.dumps(books, sort_keys=True))
    assert len(ends) == 1, "clients were told different things"
    books = json.loads(ends.pop())
    assert set(books.values()) == {"FILLED"}, books
    return {"deltas": deltas, "ids": list(books), "bytes": sizes // len(took), "took": took}


def raw(every: list[Frames]) -> dict[str, Any]:
    """Each client: every message, in order; its stamp is in it."""
    took = []
    for frames in every:
        heard = [(ns, msgspec.json.decode(payload)) for ns, payload in frames]
        assert [document["n"] for _, document in heard] == list(range(1, len(every[0]) + 1))
        took += [ns - document["sent"] for ns, document in heard]
    return {"deltas": len(every[0]), "took": took}


def main() -> None:
    """Be the clients of one server."""
    print(json.dumps(uvloop.run(run(argument(1, 0), argument(2, 50), sys.argv[3]))), flush=True)


if __name__ == "__main__":
    main()
