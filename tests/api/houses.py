"""A desk over HTTP with real users: an access store in a file, sessions in browsers, keys of programs, by a clock of its own.

The desk behind it is one that no request may reach, unless a test brings another: what is tried here ends before it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from pydantic import SecretStr
from tests.access.made import Device, quick
from tests.api.desks import HERE, Client, Said

from tradeloop.access.access import Access
from tradeloop.access.asked import TERMINAL, Asked
from tradeloop.access.identity import Role, Scope
from tradeloop.access.keys import DAY_NS
from tradeloop.access.sealed import MasterKey
from tradeloop.api.app import Manners, application
from tradeloop.api.front import Front
from tradeloop.api.people import People
from tradeloop.api.policy import Rate
from tradeloop.api.rates import Allowance
from tradeloop.bootstrap.identified import Identified
from tradeloop.core.types import SECOND_NS, UtcNs

NOON = UtcNs(1_800_000_000 * SECOND_NS)
PASSWORD = "four words nobody says"
PLENTY = {rate: Allowance(1_000_000, 1_000_000) for rate in Rate}
COOKIE = "tradeloop_session"


class Unreached:
    """A desk that no request may reach: it knows what the gate asks, and anything else fails the test."""

    account = "paper"
    is_live = False

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the desk was asked for {name}")


@dataclass
class Browser:
    """One browser: it keeps the cookie, and sends what a page of ours would."""

    http: httpx2.AsyncClient
    origin: str = HERE
    cookie: str = ""
    csrf: str = ""

    def page(self) -> dict[str, str]:
        """The headers of a request of our page."""
        found = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"}
        if self.cookie:
            found |= {"Cookie": self.cookie, "X-CSRF-Token": self.csrf}
        return found

    async def send(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Said:
        """Any request; a cookie that comes back is kept."""
        said = await Client(self.http, None).send(method, path, body, headers={**self.page(), **(headers or {})})
        self.http.cookies.clear()  # this one keeps its own, so that two of them are not one
        given = said.headers.get("set-cookie", "")
        if given:
            self.cookie = given.partition(";")[0]
        if isinstance(said.document, dict) and "csrf" in said.document:
            self.csrf = said.document["csrf"]
        return said

    async def sign_in(self, name: str, password: str = PASSWORD, code: str = "") -> Said:
        """Sign in."""
        return await self.send("POST", "/api/v1/session", {"name": name, "password": password, "code": code})


@dataclass
class House:
    """Access, and the door to it."""

    access: Access
    http: httpx2.AsyncClient
    app: Front
    moment: list[UtcNs] = field(default_factory=lambda: [NOON])

    def now(self) -> UtcNs:
        """What the clock on the wall shows."""
        return self.moment[0]

    def pass_(self, seconds: float) -> None:
        """Let time pass."""
        self.moment[0] = UtcNs(self.now() + int(seconds * SECOND_NS))

    def asked(self, by: str = "root") -> Asked:
        """Somebody at the terminal."""
        return Asked(by, TERMINAL, self.now())

    async def add(self, name: str, *roles: Role, must_change: bool = False) -> None:
        """A user."""
        await self.access.users.add(name, SecretStr(PASSWORD), roles or (Role.VIEWER,), self.asked(), must_change=must_change)

    async def with_factor(self, name: str) -> Device:
        """A second factor for a user; the device shows its next code half a minute from now."""
        device = Device(self.access.factors.begin(name, self.now()).secret)
        await self.access.factors.confirm(name, device.codes.at(self.now() // SECOND_NS), self.asked(name))
        self.pass_(30)
        return device

    def shown(self, device: Device) -> str:
        """The code of now."""
        return device.codes.at(self.now() // SECOND_NS)

    async def key(self, owner: str, *scopes: Scope) -> str:
        """A key of a user."""
        until = UtcNs(self.now() + DAY_NS)
        made = await self.access.keys.make(owner, "robot", scopes or (Scope.READ_MARKET,), self.asked(), expires_at=until)
        return made.text.get_secret_value()

    def browser(self) -> Browser:
        """A new one."""
        return Browser(self.http)

    async def inside(self, name: str, *roles: Role) -> Browser:
        """A browser in which a new user has signed in."""
        await self.add(name, *roles)
        found = self.browser()
        said = await found.sign_in(name)
        assert said.status == 201, said.document
        return found

    def program(self, key: str) -> Client:
        """A program with a key."""
        return Client(self.http, key)


@asynccontextmanager
async def a_house(
    home: Path, *, desk: object = None, manners: Manners | None = None, address: str = "127.0.0.1", base: str = HERE
) -> AsyncIterator[House]:
    """The application over a real store, asked from `address`."""
    access = Access(f"sqlite:///{home / 'access.db'}", lambda: [MasterKey(bytes(range(32)))], passwords=quick())
    await access.open()
    moment = [NOON]
    people = People(access, lambda: moment[0])
    how = manners or Manners(allowed=PLENTY)
    app = application(desk or Unreached(), Identified(people), lambda: moment[0], how, people)  # type: ignore[arg-type]
    try:
        transport = httpx2.ASGITransport(app=app, client=(address, 5000))
        async with httpx2.AsyncClient(transport=transport, base_url=base) as http:
            yield House(access, http, app, moment)
    finally:
        await access.close(moment[0])
