"""What is sent: strictly read, bounded, and refused in one clear sentence with nothing changed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.api.desks import EVERY, a_counter, buy, resting

from tradeloop.api.app import application
from tradeloop.bootstrap.served import ServedDesk
from tradeloop.engine.clock import stopwatch_ns

ORDERS = "/api/v1/orders"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "the body was empty"),
        (b"{", "is no JSON"),
        (b"[]", "expected"),
        (b"null", "expected"),
        (b'"order"', "expected"),
        (b"\xff\xfe{}", "JSON"),
        (b"[" * 100_000, "expected object, got array"),
        (b'{"symbol":' + b"[" * 100_000, "symbol"),
        (b'{"unknown":' + b"[" * 100_000, "unknown is no field"),
        (b'{"symbol":"BAC","side":"buy","quantity":NaN}', "JSON"),
        (b'{"symbol":"BAC","side":"buy","quantity":1e400}', "quantity"),
        (json.dumps({**buy(), "quantity": 0.1}).encode(), "quantity was a JSON number; expected text"),
        (json.dumps({**buy(), "quantity": 100}).encode(), "quantity was a JSON number; expected text"),
        (json.dumps({**resting(), "price": 13.01}).encode(), "price was a JSON number; expected text"),
        (json.dumps({**resting(), "price": True}).encode(), "price"),
        (json.dumps({**buy(), "qty": "1"}).encode(), "qty is no field"),
        (json.dumps(resting())[:-1].encode() + b', "price": "1"}', "price stands twice in one object"),
        (json.dumps({**buy(), "live": {"code": 123456}}).encode(), "expected text, because a code may begin with zeros"),
        (json.dumps({"symbol": "BAC", "side": "buy"}).encode(), "quantity is missing"),
        (json.dumps({**buy(), "symbol": ["BAC"] * 3}).encode(), "symbol"),
    ],
)
async def test_a_body_that_is_not_one_is_refused_and_changes_nothing(tmp_path: Path, body: bytes, said: str) -> None:
    async with a_counter(tmp_path) as counter:
        before = counter.desk.state.counter
        answer = await counter.client().send("POST", ORDERS, body)
        await counter.desk.settled()
        assert counter.desk.state.counter == before
    assert (answer.status, answer.code) == (400, "malformed"), answer.document
    assert said in answer.document["detail"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"quantity": "0"}, "more than zero"),
        ({"quantity": "-5"}, "expected more than zero"),
        ({"quantity": "1e5"}, "plain decimal"),
        ({"quantity": "NaN"}, "plain decimal"),
        ({"quantity": "9" * 40}, "significant digits"),
        ({"side": "hold"}, "expected buy or sell"),
        ({"order_type": "fancy"}, "the order type"),
        ({"order_type": "limit"}, "price"),
        ({"price": "13"}, "price"),
        ({"time_in_force": "later"}, "the time in force"),
        ({"symbol": "=1+1"}, "formula"),
        ({"symbol": ""}, "symbol was empty"),
        ({"account": "other"}, "account was"),
        ({"strategy_id": "a\u200bb"}, "strategy_id"),
        ({"reason": "x" * 10_000}, "reason"),
        ({"twap_slices": 10}, "twap_slices"),
        ({"order_type": "iceberg", "price": "13", "iceberg_visible_ratio": "0.1"}, "not yet available"),
    ],
)
async def test_what_cannot_be_meant_is_refused_in_a_sentence(tmp_path: Path, given: dict[str, Any], said: str) -> None:
    async with a_counter(tmp_path) as counter:
        answer = await counter.client().post(ORDERS, {**buy(), **given})
        assert not counter.desk.state.orders.open
    assert answer.status == 422, answer.document
    assert said in answer.document["detail"]


async def test_a_body_that_says_it_is_too_large_is_refused_without_reading_it(tmp_path: Path) -> None:
    read: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        for number in range(10):
            read.append(number)
            yield b"x" * 1024 * 1024

    async with a_counter(tmp_path) as counter:
        headers = {"Content-Type": "application/json", "Content-Length": str(10 * 1024 * 1024)}
        headers["Authorization"] = f"Bearer {counter.known.key('alice', *EVERY)}"
        said = await counter.http.post(ORDERS, headers=headers, content=endless())
    assert (said.status_code, said.json()["code"]) == (413, "too_large")
    assert said.headers["connection"] == "close"
    assert read == []


async def test_a_body_that_grows_too_large_is_refused_where_it_does(tmp_path: Path) -> None:
    read: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        for number in range(10):
            read.append(number)
            yield b"x" * 1024 * 1024

    async with a_counter(tmp_path) as counter:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {counter.known.key('alice', *EVERY)}"}
        said = await counter.http.post(ORDERS, headers=headers, content=endless())
    assert (said.status_code, said.json()["code"]) == (413, "too_large")
    assert read == [0, 1]


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_an_order_in_another_content_type_is_refused(tmp_path: Path, media: str) -> None:
    async with a_counter(tmp_path) as counter:
        said = await counter.client().send("POST", ORDERS, json.dumps(buy()).encode(), headers={"Content-Type": media})
        assert not counter.desk.state.orders.open
    assert (said.status, said.code) == (415, "media_type")


@pytest.mark.parametrize(
    "params",
    [
        {"limit": "0"},
        {"limit": "5000"},
        {"limit": "many"},
        {"colour": "red"},
        {"cursor": "x"},
        {"cursor": "-1"},
        {"cursor": "9" * 30},
        {"strategy_id": "a\0b"},
        {"status": "GONE"},
        {"open": "maybe"},
    ],
)
async def test_a_query_that_is_not_one_is_refused(tmp_path: Path, params: dict[str, str]) -> None:
    async with a_counter(tmp_path) as counter:
        said = await counter.client().get(ORDERS, **params)
    assert said.status in (400, 422), said.document


async def test_a_client_that_goes_away_while_it_sends_leaves_nothing_behind(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        app = application(ServedDesk(counter.desk, "up"), counter.known, stopwatch_ns)
        key = counter.known.key("alice", *EVERY)
        parts = iter([{"type": "http.request", "body": b'{"symbol":', "more_body": True}, {"type": "http.disconnect"}])
        sent: list[Any] = []

        async def receive() -> Any:
            return next(parts)

        async def send(message: Any) -> None:
            sent.append(message)

        await app(_scope(key), receive, send)
        assert not counter.desk.state.orders.open
    assert sent == []


def _scope(key: str) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": ORDERS,
        "raw_path": ORDERS.encode(),
        "query_string": b"",
        "scheme": "http",
        "server": ("127.0.0.1", 8003),
        "client": ("127.0.0.1", 5000),
        "headers": [
            (b"host", b"127.0.0.1:8003"),
            (b"authorization", f"Bearer {key}".encode()),
            (b"content-type", b"application/json"),
        ],
    }
