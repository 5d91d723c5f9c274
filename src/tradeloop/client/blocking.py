"""The client for programs that wait: the asynchronous one in a thread of its own, so that both do the same."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any, Self, TypeVar

from tradeloop.client.ask import Ask
from tradeloop.client.http import TIMEOUT_S, TRIES, AsyncClient
from tradeloop.client.news import News
from tradeloop.client.stream import Stream

T = TypeVar("T")


class Client:
    """A desk at `address`, asked with an API key. Use it as a context, or `close` it."""

    def __init__(self, address: str, key: str, *, timeout_s: float = TIMEOUT_S, tries: int = TRIES) -> None:
        self._client = AsyncClient(address, key, timeout_s=timeout_s, tries=tries)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tradeloop-client", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, ask: Ask[T]) -> T:
        """What is asked for. Raises ClientError, by the fate of what was asked."""
        return self._done(self._client.send(ask))

    def stream(self, topics: Sequence[str], symbols: Sequence[str] = ()) -> Iterator[News]:
        """What the stream tells, for ever. Leave the iterator to end it."""
        news = self._done(self._begun(topics, symbols))
        try:
            while True:
                yield self._done(_next(news))
        finally:
            self._done(news.aclose())

    def close(self) -> None:
        """Let go of every connection, and of the thread; a second call does nothing."""
        if self._loop.is_closed():
            return
        self._done(self._client.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _begun(self, topics: Sequence[str], symbols: Sequence[str]) -> Any:
        return aiter(Stream(self._client, topics, symbols))

    def _done(self, work: Coroutine[Any, Any, T]) -> T:
        waiting = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return waiting.result()
        finally:
            waiting.cancel()  # where Ctrl-C ended the wait; what is done already is not touched


async def _next(news: Any) -> News:
    found: News = await anext(news)
    return found
