"""Who opens a socket: every route for sockets, tried without a ticket, with a used, late, stolen or revoked one, and over its
rate; and what is refused is a problem, before there is a socket.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from tests.api.desks import HERE, Client, Said
from tests.api.houses import House, a_house
from tests.api.identities import Known
from tests.api.test_gate import PLENTY, Untouched, others

from tradeloop.access.identity import Role, Scope
from tradeloop.api.app import Manners, application, table_of
from tradeloop.api.front import Front
from tradeloop.api.metrics import Metrics
from tradeloop.api.policy import Opened, Policy, Rate, Routes, SocketEntry, Who
from tradeloop.api.rates import Allowance
from tradeloop.api.stream import PER_ASKER_MAX

ENTRIES = table_of(Metrics(), Manners()).sockets
PAGE = {"Origin": HERE, "Sec-Fetch-Site": "same-origin"}


async def knocked(
    app: Front,
    entry: SocketEntry,
    *tickets: str,
    headers: Mapping[str, str] | None = None,
    address: str = "127.0.0.1",
    **more: str,
) -> Said:
    """What is said to whoever wants a socket: a problem. One that would open fails the test."""
    given = {"Host": "127.0.0.1:8003", **(headers or {})}
    said: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, object]) -> None:
        assert message["type"] != "websocket.accept", "the socket was opened"
        said.append(message)

    scope = {
        "type": "websocket",
        "scheme": "ws",
        "path": entry.path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "subprotocols": [more.get("protocol", "tradeloop.v1"), *(f"ticket.{each}" for each in tickets)],
        "client": (address, 5000),
        "extensions": {"websocket.http.response": {}},
    }
    await app(scope, receive, send)  # type: ignore[arg-type]
    start, body = said
    assert isinstance(start["headers"], list)
    raw = [(bytes(name).decode(), bytes(value).decode()) for name, value in start["headers"]]
    return Said(int(str(start["status"])), json.loads(bytes(body["body"])), httpx2.Headers(raw))  # type: ignore[call-overload]


class Door:
    """The application before a desk that must not be reached."""

    def __init__(self, allowed: Mapping[Rate, Allowance] | None = None) -> None:
        self.known = Known()
        manners = Manners(allowed=PLENTY if allowed is None else allowed)
        self.app = application(Untouched(live=False), self.known, lambda: 0, manners)  # type: ignore[arg-type]

    def ticket(self, key: str, origin: str = "", address: str = "127.0.0.1") -> str:
        """A ticket of whoever has this key."""
        who = self.known.by_key(key, "")
        assert who is not None
        return self.known.ticket(who, origin, address).get_secret_value()

    async def all(self, *tickets: str, **more: object) -> dict[str, Said]:
        """What every route says to these tickets."""
        return {entry.path: await knocked(self.app, entry, *tickets, **more) for entry in ENTRIES}  # type: ignore[arg-type]


async def test_nobody_opens_a_socket_without_a_ticket() -> None:
    door = Door()
    cookie, _ = door.known.session("alice", *Role)
    key = door.known.key("alice", *Scope)
    bare = await door.all()
    with_cookie = await door.all(headers={**PAGE, "Cookie": f"tradeloop_session={cookie}"})
    with_key = await door.all(headers={"Authorization": f"Bearer {key}"})
    two = await door.all(door.ticket(key), door.ticket(key))
    for found in (bare, with_cookie, with_key, two):
        assert others(found, 401, "not_identified") == {}
    assert all(said.headers["x-request-id"] == said.document["request_id"] for said in bare.values())


@pytest.mark.parametrize("forged", ["ticket-2", "x" * 5_000, "", "ticket-1 "])
async def test_a_ticket_that_was_not_given_opens_nothing(forged: str) -> None:
    door = Door()
    door.ticket(door.known.key("alice", *Scope))
    assert others(await door.all(forged), 401, "not_identified") == {}


async def test_a_ticket_opens_nothing_once_its_key_is_revoked() -> None:
    door = Door()
    key = door.known.key("alice", *Scope)
    ticket = door.ticket(key)
    door.known.revoke(key)
    assert others(await door.all(ticket), 401, "not_identified") == {}


async def test_a_ticket_opens_nothing_from_another_address_or_page() -> None:
    door = Door()
    key = door.known.key("alice", *Scope)
    for entry in ENTRIES:
        elsewhere = await knocked(door.app, entry, door.ticket(key, HERE), headers=PAGE, address="192.0.2.7")
        page = await knocked(door.app, entry, door.ticket(key, "https://desk.example"), headers=PAGE)
        none = await knocked(door.app, entry, door.ticket(key, HERE))
        for said in (elsewhere, page, none):
            assert (said.status, said.code) == (401, "not_identified")


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:9999", "http://127.0.0.1:8003.evil.example"]
)
async def test_a_page_of_another_place_opens_nothing(origin: str) -> None:
    door = Door()
    ticket = door.ticket(door.known.key("alice", *Scope), origin)
    assert others(await door.all(ticket, headers={"Origin": origin}), 403, "wrong_origin") == {}
    assert others(await door.all(ticket, headers={"Sec-Fetch-Site": "cross-site"}), 403, "wrong_origin") == {}


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
async def test_a_name_that_is_not_ours_opens_nothing(host: str) -> None:
    door = Door()
    ticket = door.ticket(door.known.key("alice", *Scope))
    assert others(await door.all(ticket, headers={"Host": host}), 421, "wrong_host") == {}


async def test_a_client_of_another_protocol_opens_nothing() -> None:
    door = Door()
    ticket = door.ticket(door.known.key("alice", *Scope))
    assert others(await door.all(ticket, protocol="tradeloop.v9"), 400, "malformed") == {}


async def test_whoever_opens_too_often_is_told_to_come_later() -> None:
    door = Door({rate: Allowance(0.5, 0) for rate in Rate})
    ticket = door.ticket(door.known.key("alice", *Scope))
    assert others(await door.all(ticket), 429, "over_rate") == {}


async def test_guessing_tickets_is_slowed_down_by_address() -> None:
    door = Door()
    said = [(await knocked(door.app, ENTRIES[0], f"{n}")).status for n in range(120)]
    assert (said[:100], set(said[100:])) == ([401] * 100, {429})


async def test_a_key_that_sees_nothing_gets_no_ticket() -> None:
    door = Door()
    async with _http(door.app) as http:
        said = await Client(http, door.known.key("robot", Scope.CANCEL)).post("/api/v1/stream/ticket")
        more = await Client(http, door.known.key("reader", Scope.READ_MARKET)).post("/api/v1/stream/ticket")
    assert (said.status, said.code) == (403, "forbidden")
    assert (more.status, more.document["protocol"]) == (201, "tradeloop.v1")


async def test_a_ticket_of_a_session_is_of_its_page_and_ends_with_it(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        page = await house.inside("ann", Role.VIEWER)
        bare = await page.send("POST", "/api/v1/stream/ticket", headers={"Origin": "https://evil.example"})
        first, second, third = [await given(house, page.page()) for _ in range(3)]
        used = await knocked(
            house.app, ENTRIES[0], first, headers={"Origin": "http://localhost:8003", "Host": "localhost:8003"}
        )
        again = await knocked(house.app, ENTRIES[0], first, headers=PAGE)
        house.pass_(31)
        late = await knocked(house.app, ENTRIES[0], second, headers=PAGE)
        third = await given(house, page.page())
        await house.access.sessions.end_all("ann", house.asked())
        ended = await knocked(house.app, ENTRIES[0], third, headers=PAGE)
    assert (bare.status, bare.code) == (403, "wrong_origin")
    assert [each.code for each in (used, again, late, ended)] == ["not_identified"] * 4


def test_a_route_for_sockets_changes_nothing_and_is_not_open() -> None:
    async def opens(opened: Opened) -> None:
        """Open."""

    table = Routes()
    for policy in (Policy(Who.OPEN, safe=True, rate=Rate.READ), Policy(Who.SIGNED_IN, safe=False, rate=Rate.READ)):
        with pytest.raises(ValueError, match="a socket changes nothing"):
            table.socket("/x", opens, policy, "x")


def test_there_is_a_bound_on_the_sockets_of_one_asker() -> None:
    assert PER_ASKER_MAX == 16


async def given(house: House, headers: Mapping[str, str]) -> str:
    """A ticket for a page."""
    said = await Client(house.http, None).send("POST", "/api/v1/stream/ticket", headers=headers)
    assert said.status == 201, said.document
    return str(said.document["ticket"])


@asynccontextmanager
async def _http(app: Front) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=HERE) as http:
        yield http
