"""The parts of the stream by themselves: numbers, what is kept, what is laid over a snapshot, and quotes that wait."""

from __future__ import annotations

import asyncio
import json

import pytest

from tradeloop.access.identity import Identity
from tradeloop.api import stream_channel
from tradeloop.api.stream_channel import AWAKE_NS, DOCUMENTS_MAX, Channel, Pieces
from tradeloop.api.stream_facts import Facts
from tradeloop.api.stream_hub import Hub
from tradeloop.api.stream_quotes import Ticks
from tradeloop.api.stream_socket import BEHIND_BYTES_MAX, BEHIND_MAX, Code, Socket
from tradeloop.engine.clock import WallClock


class Listener:
    """Somebody who watches."""

    def __init__(self) -> None:
        self.frames: list[dict[str, object]] = []

    def offer(self, frame: str) -> None:
        """Take a frame."""
        self.frames.append(json.loads(frame))


def pieces(*keys: str) -> Pieces:
    """Documents with nothing but their key."""
    return {key: json.dumps({"id": key}).encode() for key in keys}


def test_each_delta_has_the_number_after_the_last_ones() -> None:
    channel, listener = Channel("orders"), Listener()
    channel.watchers[listener] = None
    channel.tell(7, pieces("a", "b"))
    channel.tell(8, {}, ["a"])
    channel.tell(9, pieces(*(f"{n}" for n in range(DOCUMENTS_MAX + 1))), ["b"])
    assert [frame["n"] for frame in listener.frames] == [1, 2, 3, 4]
    assert [frame["seq"] for frame in listener.frames] == [7, 8, 9, 9]
    assert [frame["drop"] for frame in listener.frames] == [[], ["a"], ["b"], []]
    assert [len(frame["put"]) for frame in listener.frames] == [2, 0, DOCUMENTS_MAX, 1]  # type: ignore[arg-type]


def test_a_change_of_nothing_is_no_delta() -> None:
    channel = Channel("orders")
    channel.tell(1, {})
    assert channel.n == 0


def test_keys_that_are_numbers_are_dropped_as_numbers() -> None:
    channel, listener = Channel("halts", keys_are_numbers=True), Listener()
    channel.watchers[listener] = None
    channel.tell(1, {}, ["3"])
    assert listener.frames[0]["drop"] == [3]


@pytest.mark.parametrize(("n", "known"), [(0, None), (1, [2, 3]), (2, [3]), (3, []), (4, None), (-1, None)])
def test_what_came_after_a_number_is_known_as_far_as_it_is_kept(
    n: int, known: list[int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_channel, "KEPT_MAX", 2)
    channel = Channel("orders")
    for each in "abc":
        channel.tell(1, pieces(each))
    found = channel.after(n)
    assert (None if found is None else [delta.n for delta in found]) == known


def test_what_is_kept_has_a_bound_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_channel, "KEPT_BYTES_MAX", 500)
    channel = Channel("orders")
    for number in range(100):
        channel.tell(1, pieces(f"{number}"))
    assert channel.after(50) is None
    assert channel.after(99) is not None


def test_what_came_while_it_was_read_lies_over_a_snapshot() -> None:
    channel = Channel("orders")
    channel.tell(1, pieces("a"))
    channel.tell(2, {"b": b'{"id":"b","new":true}', **pieces("c")})
    channel.tell(3, {}, ["a"])
    found = channel.laid_over(pieces("a", "b"), 1)
    assert found == {"b": b'{"id":"b","new":true}', **pieces("c")}


def test_what_was_read_before_too_much_came_is_no_snapshot() -> None:
    channel = Channel("orders")
    channel.tell(1, pieces("a"))
    channel.skip()
    assert channel.laid_over(pieces("a"), 1) is None
    assert channel.laid_over(pieces("a"), 2) == pieces("a")


def test_a_snapshot_of_nothing_is_one_part() -> None:
    (frame,) = Channel("orders").snapshot({}, "asked")
    assert json.loads(frame) == {
        "t": "snapshot",
        "topic": "orders",
        "n": 0,
        "part": 1,
        "last": True,
        "because": "asked",
        "items": [],
    }


def test_a_topic_falls_asleep_five_minutes_after_the_last_watcher() -> None:
    channel, listener = Channel("orders"), Listener()
    assert not channel.is_awake(0)
    channel.watchers[listener] = None
    assert channel.is_awake(100)
    del channel.watchers[listener]
    assert channel.is_awake(100 + AWAKE_NS - 1)
    assert not channel.is_awake(100 + AWAKE_NS)


def test_quotes_that_wait_are_the_newest_of_each_symbol() -> None:
    waiting = Ticks({"A": b'"a1"', "B": b'"b1"'}).under(Ticks({"B": b'"b2"', "C": b'"c2"'}))
    assert json.loads(waiting.text) == {"t": "quotes", "quotes": ["a1", "b2", "c2"]}
    assert waiting.text is waiting.text


async def test_a_socket_that_is_gone_is_told_of_nothing() -> None:
    hub = Hub(None, None, None, WallClock(), None)  # type: ignore[arg-type]
    channel, here, gone = hub.channels["orders"], a_socket(), a_socket()
    hub.sockets |= {here: None, gone: None}
    hub.join(gone, channel)
    hub.remove(gone)
    hub.join(gone, channel)
    hub.join(here, channel)
    assert list(channel.watchers) == [here]


async def test_when_nobody_watches_any_more_whoever_comes_begins_anew() -> None:
    """At once: a socket that came between the end and its being noticed would be told of nothing, and not know it."""
    hub = Hub(None, None, None, WallClock(), None)  # type: ignore[arg-type]
    hub._facts = Facts([])
    care = hub._care()
    with pytest.raises(StopIteration):
        care.send(None)
    assert hub._facts is None


async def test_nobody_waits_for_a_socket_that_has_ended() -> None:
    socket = a_socket()
    socket.offer("{}")
    waiting = asyncio.ensure_future(socket.drained())
    await asyncio.sleep(0)
    assert not waiting.done()
    socket.end(Code.TOO_SLOW, "a test")
    await asyncio.wait_for(waiting, 1)
    assert socket.ended == (Code.TOO_SLOW, "a test")


@pytest.mark.parametrize(("frames", "length"), [(BEHIND_MAX + 1, 1), (3, BEHIND_BYTES_MAX // 2)])
async def test_a_socket_is_so_far_behind_and_no_further(frames: int, length: int) -> None:
    socket = a_socket()
    for _ in range(frames - 1):
        socket.offer("x" * length)
    assert socket.ended is None
    socket.offer("x" * length)
    assert socket.ended is not None


def a_socket() -> Socket:
    """A socket that sends nothing."""

    async def send(message: object) -> None:
        raise AssertionError(f"{message} was sent")

    return Socket(Identity("ann", frozenset(), frozenset()), send, lambda: None, WallClock())
