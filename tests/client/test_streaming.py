"""The client's stream: nothing missed across cuts and gaps, never silent about being cut, and never giving up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.api.desks import resting
from tests.api.sockets import Wire, a_wire

from tradeloop.access.identity import Scope
from tradeloop.api.stream_hub import Hub
from tradeloop.api.stream_socket import Code
from tradeloop.client import AsyncClient, Change, Down, Moved, NotAllowed, Snapshot, Stream, Up
from tradeloop.client import stream as streaming
from tradeloop.client.ladder import RUNGS_S, Ladder
from tradeloop.core.errors import BadInput


def quick() -> Ladder:
    """A ladder whose rungs are no wait at all."""
    ladder = Ladder(lambda: 0.0)
    ladder.next_s = lambda: 0.05  # type: ignore[method-assign]
    return ladder


async def told(news: AsyncIterator[object], kind: type, topic: str = "") -> object:
    """The next news of a kind."""
    async for each in news:
        if isinstance(each, kind) and topic in ("", getattr(each, "topic", "")):
            return each
    raise AssertionError("the stream ended")


async def order(wire: Wire) -> str:
    """An order that rests."""
    return str((await wire.client("tom").post("/api/v1/orders", resting())).document["order_id"])


async def test_what_a_stream_holds_is_what_the_desk_has(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire:
        key = wire.known.key("ann", *Scope)
        async with AsyncClient(wire.address, key) as client:
            stream = Stream(client, ["orders", "system"], ["BAC.US"])
            news = aiter(stream)
            up = await told(news, Up)
            await told(news, Snapshot, "orders")
            placed = await order(wire)
            change = await told(news, Change, "orders")
            await told(news, Moved)
            await news.aclose()  # type: ignore[attr-defined]
    assert isinstance(up, Up)
    assert isinstance(change, Change)
    assert stream.held["orders"][placed].order_id == placed
    assert stream.quotes["BAC.US"].last is not None or stream.quotes["BAC.US"].bid is not None
    assert stream.age_s < 5


async def test_after_a_cut_it_is_down_up_and_has_missed_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hubs: list[Hub] = []
    start = Hub.start

    async def noted(hub: Hub) -> None:
        hubs.append(hub)
        await start(hub)

    monkeypatch.setattr(Hub, "start", noted)
    async with a_wire(tmp_path) as wire, AsyncClient(wire.address, wire.known.key("ann", *Scope)) as client:
        stream = Stream(client, ["orders"], ladder=quick())
        news = aiter(stream)
        snapshot = await told(news, Snapshot)
        for socket in tuple(hubs[0].sockets):
            socket.end(Code.TOO_SLOW, "a test")
        missed = await order(wire)
        down = await told(news, Down)
        await told(news, Up)
        again = await told(news, Change)
        while missed not in stream.held["orders"]:
            await told(news, Change)
        await news.aclose()  # type: ignore[attr-defined]
    assert isinstance(down, Down)
    assert "4408" in down.why
    assert isinstance(snapshot, Snapshot)
    assert isinstance(again, Change)
    assert again.n == snapshot.n + 1


async def test_a_gap_is_seen_and_made_good(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire, AsyncClient(wire.address, wire.known.key("ann", *Scope)) as client:
        stream = Stream(client, ["orders"])
        news = aiter(stream)
        await told(news, Snapshot)
        stream._numbers["orders"] -= 1  # as if a delta had been lost
        first = await order(wire)
        again = await told(news, Snapshot)
        while first not in stream.held["orders"]:
            await told(news, Change)
        await news.aclose()  # type: ignore[attr-defined]
    assert isinstance(again, Snapshot)


async def test_a_loss_at_the_end_is_seen_by_the_beat(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire, AsyncClient(wire.address, wire.known.key("ann", *Scope)) as client:
        stream = Stream(client, ["orders"])
        news = aiter(stream)
        await told(news, Snapshot)
        stream._numbers["orders"] -= 1
        again = await told(news, Snapshot)
        await news.aclose()  # type: ignore[attr-defined]
    assert isinstance(again, Snapshot)


async def test_a_desk_that_is_not_there_is_told_each_time_and_never_given_up() -> None:
    async with AsyncClient("http://127.0.0.1:9", "tlk_x", tries=1) as client:
        stream = Stream(client, ["orders"], ladder=quick())
        news = aiter(stream)
        downs = [await told(news, Down) for _ in range(8)]
        await news.aclose()  # type: ignore[attr-defined]
    assert all(isinstance(each, Down) and "not reached" in each.why for each in downs)


async def test_a_wait_on_the_ladder_is_cut_short_when_somebody_asks(tmp_path: Path) -> None:
    async with AsyncClient("http://127.0.0.1:9", "tlk_x", tries=1) as client:
        ladder = Ladder()
        ladder.tries = 9
        stream = Stream(client, ["orders"], ladder=ladder)
        news = aiter(stream)
        await told(news, Down)
        asyncio.get_running_loop().call_later(0.05, stream.try_now)
        async with asyncio.timeout(5):
            await told(news, Down)
        await news.aclose()  # type: ignore[attr-defined]


async def test_a_key_that_has_ended_is_raised_and_not_tried_for_ever(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire:
        key = wire.known.key("ann", *Scope)
        async with AsyncClient(wire.address, key) as client:
            news = aiter(Stream(client, ["orders"], ladder=quick()))
            await told(news, Snapshot)
            wire.known.revoke(key)
            with pytest.raises(NotAllowed):
                await told(news, Down)


def test_the_ladder_grows_to_half_a_minute_and_begins_anew_after_a_steady_minute() -> None:
    ladder = Ladder(lambda: 0.5)
    waits = [ladder.next_s() for _ in range(8)]
    ladder.stayed(59)
    still = ladder.next_s()
    ladder.stayed(60)
    assert waits == [*RUNGS_S, 30.0, 30.0]
    assert still == 30.0
    assert ladder.next_s() == 1.0
    assert 0.8 <= Ladder(lambda: 0.0).next_s() <= Ladder().next_s() <= Ladder(lambda: 1.0).next_s() <= 1.21


def test_a_topic_that_there_is_not_is_refused_at_once() -> None:
    with pytest.raises(BadInput, match="everything"):
        Stream(AsyncClient("http://127.0.0.1:9", ""), ["everything"])


async def test_what_is_held_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "HELD_MAX", 10)
    async with AsyncClient("http://127.0.0.1:9", "") as client:
        stream = Stream(client, ["risk"])
        facts = [b'{"number":%d,"at":"2026-01-05T14:30:00Z","what":"set"}' % n for n in range(1, 31)]
        for t, n, items in (("snapshot", 0, b""), *(("delta", n, fact) for n, fact in enumerate(facts, start=1))):
            name = b"items" if t == "snapshot" else b"put"
            frame = b'{"t":"%s","topic":"risk","n":%d,"last":true,"%s":[%s]}' % (t.encode(), n, name, items)
            stream._news(streaming._FRAMES.decode(frame))
    assert 10 <= len(stream.held["risk"]) <= 11
    assert list(stream.held["risk"])[-1] == 30
