"""How sockets end, and what is refused on them: nobody's trouble becomes another's."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from pathlib import Path

import pytest
from tests.api.desks import Client, resting
from tests.api.sockets import Wire, a_wire
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from tradeloop.access.identity import Role, Scope
from tradeloop.api import stream_socket
from tradeloop.api.stream import PER_ASKER_MAX
from tradeloop.bootstrap import sockets


async def seconds(line_code: asyncio.Future[int]) -> tuple[int, float]:
    """The code, and how long it took."""
    begun = time.monotonic()
    return await line_code, time.monotonic() - begun


async def test_a_socket_ends_within_a_second_of_its_key(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire:
        key = wire.known.key("alice", Scope.READ_ACCOUNT)
        async with wire.line(key) as line, wire.line(wire.known.key("bob", Scope.READ_ACCOUNT)) as other:
            await line.snapshot("orders")
            wire.known.revoke(key)
            code, took = await seconds(asyncio.ensure_future(line.code()))
            assert (await other.snapshot("orders"))["last"]
    assert code == 4401
    assert took < 1


async def test_a_page_opens_a_socket_from_where_it_asked_and_it_ends_with_the_session(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire:
        cookie, csrf = wire.known.session("ann", Role.VIEWER)
        page = {"Origin": wire.address, "X-CSRF-Token": csrf, "Cookie": f"tradeloop_session={cookie}"}
        tickets = [
            (await Client(wire.http, None).send("POST", "/api/v1/stream/ticket", headers=page)).document["ticket"]
            for _ in range(2)
        ]
        with pytest.raises(InvalidStatus) as refused:
            async with wire.opened(tickets[0]):
                pass
        async with wire.opened(tickets[1], origin=Origin(wire.address)) as line:
            hello = await line.next("hello")
            assert (await line.snapshot("orders"))["last"]
            wire.known.revoke(cookie)
            assert await line.code() == 4401
    assert refused.value.response.status_code == 401
    assert hello["who"] == "ann"


async def test_a_socket_ends_when_the_scope_of_what_it_watches_is_gone(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire:
        key = wire.known.key("alice", Scope.READ_ACCOUNT, Scope.READ_MARKET)
        async with wire.line(key) as line, wire.line(key) as other:
            await line.snapshot("orders")
            await other.say(op="subscribe", topic="quotes", symbols=["BAC.US"])
            await other.next("quotes")
            wire.known.narrow(key, Scope.READ_MARKET)
            code, took = await seconds(asyncio.ensure_future(line.code()))
            await other.say(op="subscribe", topic="orders")
            refused = await other.next("error")
    assert code == 4403
    assert took < 1
    assert (refused["code"], refused["topic"]) == ("forbidden", "orders")


async def test_a_key_sees_the_topics_of_its_scopes_and_accounts_alone(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire:
        market = wire.known.key("market", Scope.READ_MARKET)
        elsewhere = wire.known.key("other", Scope.READ_ACCOUNT, Scope.READ_MARKET, accounts=frozenset({"another"}))
        async with wire.line(market) as line, wire.line(elsewhere) as other:
            await line.say(op="subscribe", topic="fills")
            await other.say(op="subscribe", topic="fills")
            said = [(await line.next("error"))["code"], (await other.next("error"))["code"]]
    assert [line.frames[0]["topics"], other.frames[0]["topics"]] == [["quotes"], ["quotes"]]
    assert said == ["forbidden", "wrong_account"]


BAD: list[tuple[str | bytes, str]] = [
    ("{", "malformed"),
    ("[]", "malformed"),
    ('"x"', "malformed"),
    ("{}", "malformed"),
    ('{"op":"subscribe","topic":"orders","more":1}', "malformed"),
    ('{"op":1e400}', "malformed"),
    ('{"op":"subscribe","topic":"orders","from":"1"}', "malformed"),
    ('{"op":"' + "[" * 5_000, "malformed"),
    ("[" * 5_000, "malformed"),
    ('{"op":"trade"}', "bad_input"),
    ('{"op":"subscribe","topic":"everything"}', "not_known"),
    ('{"op":"subscribe","topic":"quotes"}', "bad_input"),
    ('{"op":"subscribe","topic":"quotes","symbols":["nothing at all"]}', "bad_input"),
    ('{"op":"subscribe","topic":"orders","symbols":["BAC.US"]}', "bad_input"),
    ('{"op":"ping","id":"' + "x" * 65 + '"}', "bad_input"),
    (b"{}", "malformed"),
]


async def test_what_is_no_command_is_answered_with_one_error_and_changes_nothing(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire, wire.line() as line:
        seq = wire.desk.durable_seq
        codes = []
        for given, _ in BAD:
            await line.socket.send(given)
            codes.append((await line.next("error"))["code"])
        assert (await line.snapshot("orders"))["items"] == []
        assert wire.desk.durable_seq == seq
    assert codes == [code for _, code in BAD]


async def test_a_client_of_nothing_but_errors_is_closed(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire, wire.line() as line:
        for _ in range(201):
            await line.socket.send("x")
        assert await line.code() == 4429


async def test_a_frame_that_is_too_large_ends_the_socket(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire, wire.line() as line:
        await line.socket.send(json.dumps({"op": "ping", "id": "x" * 70_000}))
        assert await line.code() == 1009


async def test_one_asker_has_so_many_sockets_and_no_more(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire:
        key = wire.known.key("alice", Scope.READ_ACCOUNT)
        async with asyncio.TaskGroup() as group:
            release = asyncio.Event()
            opened = asyncio.Semaphore(0)

            async def keep() -> None:
                async with wire.line(key):
                    opened.release()
                    await release.wait()

            for _ in range(PER_ASKER_MAX):
                group.create_task(keep())
            for _ in range(PER_ASKER_MAX):
                await opened.acquire()
            with pytest.raises(InvalidStatus) as refused:
                async with wire.line(key):
                    pass
            async with wire.line(wire.known.key("bob", Scope.READ_ACCOUNT)):
                counted = (await wire.client("tom").get("/metrics")).document
                release.set()
    assert refused.value.response.status_code == 429
    assert json.loads(refused.value.response.body or b"")["code"] == "too_many_sockets"
    assert f"tradeloop_stream_sockets {PER_ASKER_MAX + 1}.0" in counted


async def test_a_ticket_opens_one_socket(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire:
        ticket = await wire.ticket(wire.known.key("alice", Scope.READ_ACCOUNT))
        async with wire.opened(ticket) as line:
            assert (await line.next("hello"))["who"] == "alice"
            assert line.socket.subprotocol == "tradeloop.v1"
            with pytest.raises(InvalidStatus) as refused:
                async with wire.opened(ticket):
                    pass
    assert refused.value.response.status_code == 401


async def test_a_client_that_never_reads_is_cut_off_and_changes_nothing_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_socket, "STALLED_NS", 300_000_000)
    monkeypatch.setattr(sockets, "BUFFER", 8192)
    async with a_wire(tmp_path) as wire, wire.line() as quick:
        key = wire.known.key("mute", Scope.READ_ACCOUNT)
        deaf = await _deaf(wire, await wire.ticket(key))
        await quick.snapshot("orders")
        orders = {"orders": [resting(quantity="1") for _ in range(200)]}
        took = []
        for _ in range(2):
            begun = time.monotonic()
            said = await wire.client("tom").post("/api/v1/orders/batch", orders)
            last = said.document["results"][-1]["order"]["order_id"]
            await quick.until("orders", order_id=last)
            took.append(time.monotonic() - begun)
        for _ in range(100):
            if _is_cut(deaf):
                break
            await asyncio.sleep(0.1)
        else:
            raise AssertionError("a socket that takes nothing was not cut off")
        deaf.close()
        found = [frame["n"] for frame in quick.frames if frame["t"] == "delta"]
    assert found == list(range(found[0], found[0] + len(found)))
    assert max(took) < 10


async def test_a_client_that_pings_and_takes_no_answer_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "BUFFER", 8192)
    async with a_wire(tmp_path) as wire, wire.line() as quick:
        deaf = await _deaf(wire, await wire.ticket(wire.known.key("mute", Scope.READ_ACCOUNT)))
        deaf.setblocking(False)
        ping = b"\x89" + bytes([0x80 | 125]) + bytes(4) + b"x" * 125
        for _ in range(200):
            try:
                deaf.send(ping * 100)
            except BlockingIOError:
                pass
            except OSError:
                break
            if _is_cut(deaf):
                break
            await asyncio.sleep(0.02)
        else:
            raise AssertionError("what waits for it has no bound")
        deaf.close()
        assert (await quick.snapshot("orders"))["last"]


async def test_a_desk_that_stops_says_so(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire:
        ticket = await wire.ticket(wire.known.key("alice", Scope.READ_ACCOUNT))
        asked = [Subprotocol("tradeloop.v1"), Subprotocol(f"ticket.{ticket}")]
        left = await connect(f"{wire.address.replace('http', 'ws')}/ws", subprotocols=asked, proxy=None)
        await left.recv()
    await left.wait_closed()
    assert left.close_code == 1012


async def _deaf(wire: Wire, ticket: str) -> socket.socket:
    """A socket that subscribes and reads nothing, with a buffer that is full soon."""
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    host, port = wire.address.removeprefix("http://").split(":")
    found.connect((host, int(port)))
    request = (
        f"GET /ws HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        f"Sec-WebSocket-Protocol: tradeloop.v1, ticket.{ticket}\r\n\r\n"
    )
    command = b'{"op":"subscribe","topic":"orders"}'
    found.sendall(request.encode())
    await asyncio.sleep(0.2)
    found.sendall(b"\x81" + bytes([0x80 | len(command)]) + bytes(4) + command)
    await asyncio.sleep(0.3)
    return found


def _is_cut(deaf: socket.socket) -> bool:
    """Whether the other side has let go of the connection, whatever is left to read."""
    state = deaf.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return state != 1  # TCP_ESTABLISHED
