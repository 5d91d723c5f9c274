"""A desk over HTTP in this process: the embedded paper broker on the demo's quotes, people with keys, and a client."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from tests.api.identities import Known

from tradeloop.access.identity import Scope
from tradeloop.api.app import Manners, application
from tradeloop.bootstrap import Desk, open_desk
from tradeloop.bootstrap.served import ServedDesk
from tradeloop.config import Home, Loaded, load
from tradeloop.core.effects import RaiseAlert
from tradeloop.engine.clock import stopwatch_ns
from tradeloop.feeds.demo import DEMO_SYMBOLS

EVERY = tuple(Scope)
HERE = "http://127.0.0.1:8003"


@dataclass
class Said:
    """An answer: its status, its document, and its headers."""

    status: int
    document: Any
    headers: httpx2.Headers

    @property
    def code(self) -> str:
        """The code of a problem."""
        return str(self.document["code"])


class Client:
    """Somebody who asks with a key."""

    def __init__(self, http: httpx2.AsyncClient, key: str | None) -> None:
        self._http = http
        self._key = key

    async def get(self, path: str, **params: str) -> Said:
        """Ask."""
        return await self.send("GET", path, params=params)

    async def post(self, path: str, body: Any = None, *, key: str = "", **params: str) -> Said:
        """Command; `key` is the Idempotency-Key."""
        headers = {"Idempotency-Key": key} if key else {}
        return await self.send("POST", path, body, params=params, headers=headers)

    async def send(self, method: str, path: str, body: Any = None, **more: Any) -> Said:
        """Any request; a body that is bytes goes as it is, as JSON."""
        headers = dict(more.pop("headers", {}))
        if self._key is not None:
            headers.setdefault("Authorization", f"Bearer {self._key}")
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            more["content"] = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await self._http.request(method, path, headers=headers, **more)
        told = answer.json() if "json" in answer.headers.get("content-type", "") else answer.text
        return Said(answer.status_code, told, answer.headers)


@dataclass
class Counter:
    """A desk, and whoever stands before it."""

    desk: Desk
    known: Known
    http: httpx2.AsyncClient
    told: list[RaiseAlert]

    def client(self, name: str = "alice", *scopes: Scope, accounts: frozenset[str] | None = None) -> Client:
        """Somebody with these scopes, or with all."""
        return Client(self.http, self.known.key(name, *(scopes or EVERY), accounts=accounts))

    def stranger(self) -> Client:
        """Somebody without a key."""
        return Client(self.http, None)

    async def order_is(self, client: Client, order_id: str, *statuses: str) -> dict[str, Any]:
        """The order once it has come to one of these statuses."""
        await self.desk.until(lambda: _status(self.desk, order_id) in statuses)
        await self.desk.settled()  # memory is ahead of what is durable, and answers are not
        said = await client.get(f"/api/v1/orders/{order_id}")
        assert said.status == 200, said.document
        found: dict[str, Any] = said.document["order"]
        return found


def _status(desk: Desk, order_id: str) -> str:
    order = desk.state.orders.get(order_id)  # type: ignore[arg-type]
    return "" if order is None else order.ord_status.value


def settings_of(home: Path, **given: object) -> Loaded:
    """The demo's quotes at the speed of the world, unless something else is given."""
    named = {name.replace("__", "."): value for name, value in given.items()}
    home.mkdir(exist_ok=True, mode=0o700)
    return load({"feed.kind": "demo", "feed.speed": "1", **named}, home=Home(home, home, home), environ={}, folder=home)


@asynccontextmanager
async def a_counter(home: Path, manners: Manners | None = None, **given: object) -> AsyncIterator[Counter]:
    """A desk whose broker is ready and whose symbols are quoted, and its API."""
    told: list[RaiseAlert] = []
    loaded = settings_of(home, **given)
    async with open_desk(loaded, command="up", alert=told.append, symbols=DEMO_SYMBOLS) as desk:
        await desk.ready()
        await desk.quoted(DEMO_SYMBOLS)
        known = Known()
        app = application(ServedDesk(desk, "up"), known, stopwatch_ns, manners)
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=HERE) as http:
            yield Counter(desk, known, http, told)


def buy(quantity: str = "100", symbol: str = "BAC.US", **more: Any) -> dict[str, Any]:
    """The body of an order to buy at the market."""
    return {"symbol": symbol, "side": "buy", "quantity": quantity, "order_type": "market", **more}


def resting(quantity: str = "100", price: str = "13.00", **more: Any) -> dict[str, Any]:
    """The body of an order that rests: below the market."""
    return {"symbol": "BAC.US", "side": "buy", "quantity": quantity, "order_type": "limit", "price": price, **more}
