"""The client of a desk over HTTP, asynchronous: it sends an `Ask` and gives back what it asks for, or raises by its fate.

What broke before it was sent, or may be repeated, is sent again a few times; what is left is raised, and never swallowed.
"""

from __future__ import annotations

import asyncio
from typing import Final, Self, TypeVar, cast

import aiohttp
import msgspec

from tradeloop.client.ask import Ask
from tradeloop.client.errors import ClientError, FateUnknown, NotSent, error_of
from tradeloop.core.errors import BadInput
from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.engine.clock import WallClock
from tradeloop.ports.clock import Clock

T = TypeVar("T")

TIMEOUT_S: Final = 10.0
TRIES: Final = 3
BETWEEN_NS: Final = SECOND_NS // 2


class AsyncClient:
    """A desk at `address`, such as http://127.0.0.1:8003, asked with an API key. Use it as an asynchronous context.

    `tries`: how often what may be sent again is sent in all, half a second apart; `timeout_s` is for each.
    """

    def __init__(
        self, address: str, key: str, *, timeout_s: float = TIMEOUT_S, tries: int = TRIES, clock: Clock | None = None
    ) -> None:
        if not address.startswith(("http://", "https://")):
            raise BadInput(f"the address was {address[:60]!r}; expected one such as http://127.0.0.1:8003")
        self.address = address.rstrip("/")
        self.clock: Clock = clock or WallClock()
        self._key = key
        self._tries = max(1, tries)
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of every connection; a second call does nothing."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The connections."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        return self._session

    async def send(self, ask: Ask[T]) -> T:
        """What is asked for. Raises ClientError, by the fate of what was asked."""
        for left in range(self._tries - 1, -1, -1):
            try:
                return await self._sent(ask)
            except NotSent as error:
                if not left or error.status:
                    raise
            except FateUnknown as error:
                if not left or not ask.may_repeat or error.code == "fate_unknown":
                    raise
            await self.clock.sleep_until(UtcNs(self.clock.now() + BETWEEN_NS))
        raise AssertionError("the last try returns or raises")

    async def _sent(self, ask: Ask[T]) -> T:
        body = None if ask.body is None else msgspec.json.encode(ask.body)
        headers = {"Authorization": f"Bearer {self._key}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if ask.key:
            headers["Idempotency-Key"] = ask.key
        try:
            async with self.session.request(
                ask.method, self.address + ask.path, params=ask.query, data=body, headers=headers, allow_redirects=False
            ) as answer:
                raw = await answer.read()
                if 200 <= answer.status < 300:
                    return _decoded(raw, ask)
                raise error_of(answer.status, raw, answer.headers.get("Retry-After", ""))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSent(f"the desk at {self.address} was not reached: {error}") from error
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            what = "did not answer in time" if isinstance(error, asyncio.TimeoutError) else f"broke off: {error}"
            fate = "nothing changes by asking again" if ask.may_repeat else "look what became of it before you ask again"
            raise FateUnknown(f"the desk at {self.address} {what}; {fate}") from error


def _decoded(raw: bytes, ask: Ask[T]) -> T:
    if ask.gives is bytes:
        return cast("T", raw)
    try:
        return msgspec.json.decode(raw, type=ask.gives)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ClientError(f"{ask.method} {ask.path} was done, and its answer was none that is understood: {error}") from error
