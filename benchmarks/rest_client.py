"""Sends orders over connections that stay open, as fast as they are answered, and costs as little as it can.

    python -m benchmarks.rest_client PORT CONNECTIONS COUNT NAME [PER_S]

The key comes in BENCH_KEY. A process of its own: what the client needs is not the server's. Requests are made before the clock
starts and answers read after it has stopped; in between stand a write, a read and a look at where the answer ends. With PER_S
they leave at that rate, whether or not the ones before were answered, over as many connections as are free.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import deque
from typing import Final, cast

import uvloop
from typing_extensions import override

from benchmarks.measure import argument, steps

SYMBOLS: Final = [f"{chr(65 + n // 10)}{chr(65 + n % 10)}.US" for n in range(20)]
PATIENCE_S: Final = 55.0
_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length: "


class Line(asyncio.Protocol):
    """One connection: a request, its whole answer, the next request."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._transport: asyncio.WriteTransport
        self._heard = b""
        self._whole = 0
        self._began = 0

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's is one and does not say so

    def ask(self, request: bytes) -> None:
        """Send one."""
        self._began = time.perf_counter_ns()
        self._transport.write(request)

    @override
    def data_received(self, data: bytes) -> None:
        self._heard = data if not self._heard else self._heard + data
        if not self._whole:
            head = self._heard.find(_HEAD_END)
            if head < 0:
                return
            where = self._heard[:head].lower().index(_LENGTH) + len(_LENGTH)
            self._whole = head + len(_HEAD_END) + int(self._heard[where:head].split(b"\r\n", 1)[0])
        if len(self._heard) < self._whole:
            return
        assert len(self._heard) == self._whole, "more came than was asked for"
        answer, self._heard, self._whole = self._heard, b"", 0
        self._client.answered(self, answer, time.perf_counter_ns() - self._began)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._client.lost()


class Client:
    """All of them."""

    def __init__(self, requests: list[bytes]) -> None:
        self._left = deque(requests)
        self._count = len(requests)
        self._free: deque[Line] = deque()
        self.answers: list[bytes] = []
        self.took: list[int] = []
        self._all: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._paced = False

    async def run(self, port: int, connections: int, per_s: float) -> float:
        """Seconds from the first request to the last answer."""
        loop = asyncio.get_running_loop()
        lines = [(await loop.create_connection(lambda: Line(self), "127.0.0.1", port))[1] for _ in range(connections)]
        self._free.extend(lines)
        began = time.perf_counter()
        self._paced = per_s > 0
        async with asyncio.timeout(PATIENCE_S):
            if self._paced:
                await self._pace(per_s)
            else:
                for line in lines[: self._count]:
                    line.ask(self._left.popleft())
            await self._all
        return time.perf_counter() - began

    def answered(self, line: Line, answer: bytes, took: int) -> None:
        """One has its answer; the connection takes the next."""
        self.answers.append(answer)
        self.took.append(took)
        if self._paced:
            self._free.append(line)
        elif self._left:
            line.ask(self._left.popleft())
        if len(self.answers) == self._count and not self._all.done():
            self._all.set_result(None)

    def lost(self) -> None:
        """A connection went away, which none should."""
        if not self._all.done():
            self._all.set_exception(ConnectionError("the server has closed a connection"))

    async def _pace(self, per_s: float) -> None:
        began = time.perf_counter()
        for number in range(self._count):
            await asyncio.sleep(max(0.0, began + number / per_s - time.perf_counter()))
            while not self._free:  # noqa: ASYNC110 - what is waited for is the server
                await asyncio.sleep(0.001)
            self._free.popleft().ask(self._left.popleft())


def request(port: int, key: str, number: int, name: str) -> bytes:
    """One order as a program sends it, an Idempotency-Key of its own included."""
    order = {"symbol": SYMBOLS[number % len(SYMBOLS)], "side": "buy", "quantity": "1", "order_type": "market"}
    body = json.dumps(order).encode()
    head = (
        f"POST /api/v1/orders HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nauthorization: Bearer {key}\r\n"
        f"content-type: application/json\r\nidempotency-key: {name}-{number}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def measure(port: int, connections: int, count: int, name: str, per_s: float) -> dict[str, object]:
    """Send, and then look at what came."""
    key = os.environ["BENCH_KEY"]
    client = Client([request(port, key, number, name) for number in range(count)])
    seconds = await client.run(port, connections, per_s)
    ids = []
    for answer in client.answers:
        head, _, body = answer.partition(_HEAD_END)
        assert head.split(b" ", 2)[1] == b"201", answer
        told = json.loads(body)
        assert told["symbol"] in SYMBOLS and told["quantity"] == "1", told
        ids.append(told.get("order_id", ""))
    return {"n": len(ids), "seconds": seconds, "ids": ids, **steps(client.took)}


def main() -> None:
    """Measure one server."""
    per_s = float(sys.argv[5]) if len(sys.argv) > 5 else 0.0
    figures = uvloop.run(measure(argument(1, 0), argument(2, 64), argument(3, 1_000), sys.argv[4], per_s))
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
