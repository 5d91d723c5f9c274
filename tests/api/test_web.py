"""Where the desk listens: loopback, or with TLS; a port that is taken; and what it is called."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import httpx2
import pytest
from tests.api.desks import EVERY, Client, a_counter, resting, settings_of
from tests.api.houses import PASSWORD, Browser, a_house

from tradeloop.api.app import application
from tradeloop.bootstrap.served import ServedDesk
from tradeloop.bootstrap.web import address_of, bound, is_loopback, manners_of, refuse_open_address, served
from tradeloop.config import Web
from tradeloop.core.errors import BadInput
from tradeloop.engine.clock import stopwatch_ns


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "desk.example", ""])
def test_an_address_that_others_reach_needs_tls_or_a_proxy(host: str) -> None:
    if not host:
        assert not is_loopback(host)
        return
    with pytest.raises(BadInput, match="there is no TLS"):
        refuse_open_address(Web(host=host))
    refuse_open_address(Web(host=host, proxies=("10.0.0.1",)))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1"])
def test_loopback_needs_neither(host: str) -> None:
    refuse_open_address(Web(host=host))
    assert is_loopback(host)


def test_half_a_certificate_is_refused() -> None:
    with pytest.raises(BadInput, match="belong together"):
        refuse_open_address(Web(tls_certificate=Path("cert.pem")))


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(BadInput, match="is taken by another program"):
            bound(Web(port=other.getsockname()[1]))


def test_a_desk_is_called_as_it_listens_and_as_it_is_told() -> None:
    manners = manners_of(
        Web(host="10.1.2.3", hosts=("Desk.Example",), origins=("https://Desk.Example/",), proxies=("10.1.2.1",))
    )
    assert {"10.1.2.3", "desk.example", "127.0.0.1", "localhost"} <= manners.hosts
    assert manners.origins == {"https://desk.example"}
    assert "0.0.0.0" not in manners_of(Web(host="0.0.0.0", proxies=("x",))).hosts


def test_a_file_that_is_no_certificate_is_refused(tmp_path: Path) -> None:
    pem = tmp_path / "x.pem"
    pem.write_text("nothing", encoding="utf-8")
    pem.chmod(0o600)
    with pytest.raises(BadInput, match="can not be used"):
        asyncio.run(_served_with(tmp_path, str(pem)))


def test_a_private_part_that_others_can_read_is_refused(tmp_path: Path) -> None:
    pem = tmp_path / "x.pem"
    pem.write_text("nothing", encoding="utf-8")
    pem.chmod(0o644)
    with pytest.raises(BadInput, match="expected 0600"):
        asyncio.run(_served_with(tmp_path, str(pem)))


async def _served_with(home: Path, pem: str) -> None:
    loaded = settings_of(home, web__tls_certificate=pem, web__tls_private=pem, web__port="0")
    with bound(loaded.settings.web) as listening:
        async with served(application(None, None, stopwatch_ns), loaded, listening):  # type: ignore[arg-type]
            pass


async def test_orders_over_a_real_socket_are_answered_and_the_server_ends_in_order(tmp_path: Path) -> None:
    async with a_counter(tmp_path, web__port="0") as counter:
        key = counter.known.key("alice", *EVERY)
        app = application(ServedDesk(counter.desk, "up"), counter.known, stopwatch_ns)
        loaded = counter.desk.loaded
        with bound(loaded.settings.web) as listening:
            where = address_of(loaded.settings.web, listening)
            async with served(app, loaded, listening), httpx2.AsyncClient(base_url=where) as http:
                alice = Client(http, key)
                said = await asyncio.gather(*(alice.post("/api/v1/orders", resting(), key=f"k{n}") for n in range(30)))
        assert len(counter.desk.state.orders.open) == 30
    assert {each.status for each in said} == {201}
    assert where.startswith("http://127.0.0.1:")


@pytest.mark.parametrize(("proxies", "address"), [("", "127.0.0.1"), ("127.0.0.1", "192.0.2.9"), ("192.0.2.1", "127.0.0.1")])
async def test_an_address_is_believed_of_a_proxy_that_is_named_and_of_nobody_else(
    tmp_path: Path, proxies: str, address: str
) -> None:
    named = {"web__proxies": (proxies,)} if proxies else {}
    loaded = settings_of(tmp_path, web__port="0", **named)
    async with a_house(tmp_path) as house:
        await house.add("ann")
        with bound(loaded.settings.web) as listening:
            where = address_of(loaded.settings.web, listening)
            async with served(house.app, loaded, listening), httpx2.AsyncClient(base_url=where) as http:
                page = Browser(http, where)
                await page.send(
                    "POST", "/api/v1/session", {"name": "ann", "password": PASSWORD}, {"X-Forwarded-For": "192.0.2.9"}
                )
        found = house.access.sessions.shown(house.now(), "ann")
    assert [each.address for each in found] == [address]


async def test_a_cookie_behind_a_proxy_that_has_the_tls_is_bound_to_the_host(tmp_path: Path) -> None:
    loaded = settings_of(tmp_path, web__port="0", web__proxies=("127.0.0.1",))
    async with a_house(tmp_path) as house:
        await house.add("ann")
        with bound(loaded.settings.web) as listening:
            where = address_of(loaded.settings.web, listening)
            async with served(house.app, loaded, listening), httpx2.AsyncClient(base_url=where) as http:
                page = Browser(http, where.replace("http:", "https:"))
                body = {"name": "ann", "password": PASSWORD}
                said = await page.send("POST", "/api/v1/session", body, {"X-Forwarded-Proto": "https"})
    assert said.headers["set-cookie"].startswith("__Host-tradeloop_session=")
    assert "; Secure" in said.headers["set-cookie"]


async def test_who_goes_away_before_the_answer_has_ordered_all_the_same(tmp_path: Path) -> None:
    """The order was asked for whole: what is durable stands, and the key finds it again."""
    async with a_counter(tmp_path, web__port="0") as counter:
        key = counter.known.key("alice", *EVERY)
        app = application(ServedDesk(counter.desk, "up"), counter.known, stopwatch_ns)
        loaded = counter.desk.loaded
        with bound(loaded.settings.web) as listening:
            async with served(app, loaded, listening):
                host, port = listening.getsockname()
                body = b'{"symbol":"BAC.US","side":"buy","quantity":"100","order_type":"limit","price":"13.00"}'
                head = f"POST /api/v1/orders HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {key}\r\n"
                head += f"Content-Type: application/json\r\nIdempotency-Key: k1\r\nContent-Length: {len(body)}\r\n\r\n"
                _, writer = await asyncio.open_connection(host, port)
                writer.write(head.encode() + body)
                await writer.drain()
                writer.transport.abort()
                await counter.desk.until(lambda: len(counter.desk.state.orders.open) == 1)
                async with httpx2.AsyncClient(base_url=address_of(loaded.settings.web, listening)) as http:
                    again = await Client(http, key).post("/api/v1/orders", resting(), key="k1")
    assert again.document["repeat"] is True
