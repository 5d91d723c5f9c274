"""Who may use a route, and the one way a route comes to be: a route without a policy does not exist.

`Routes.add` takes the policy with the path; `refuse_unpoliced` looks at the application that was made of it and refuses one
that holds anything else. The document of the API (api/openapi.py) and the generated test go by the same table.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from enum import Enum
from typing import Any, Final

import msgspec
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from tradeloop.access.identity import Identity, Scope
from tradeloop.api.call import Answer, Call

KIB: Final = 1024
BODY_MAX: Final = 1024 * KIB
IMPORT_MAX: Final = 5 * 1024 * KIB

_SAFE: Final = frozenset({"GET"})


class Who(Enum):
    """Who may ask where no scope says it."""

    OPEN = "open"
    """Anybody who reaches the port."""
    SIGNED_IN = "signed in"
    """A person in a session or a key, whatever it may do."""
    PERSON = "a person"
    """A person in a session, whatever they may do: no key."""


class Rate(Enum):
    """Which allowance a request is taken from."""

    READ = "read"
    ORDER = "order"
    STOP = "stop"
    """Cancels and halts: an allowance of their own, so that no other request uses it up."""
    WORK = "work"
    """What costs the desk or the broker something: imports, comparisons of books."""
    PROOF = "proof"
    """Passwords, codes and links: each costs a fifth of a second, and whoever means it types it once."""


class Policy(msgspec.Struct, frozen=True):
    """Who may use a route, whether it changes nothing, and which allowance it is taken from.

    `trades`: real orders may come of it. Then ORDER_PAPER asks for ORDER_LIVE where real money is traded.
    `confirms`: the core asks for a person's confirmation of what comes of it, so that it is let through there; whatever else
    trades is refused.
    `fresh`: only a person may, in a session in which they proved a moment ago that it is them; no key.
    """

    who: Scope | Who
    safe: bool
    rate: Rate
    trades: bool = False
    confirms: bool = False
    fresh: bool = False

    @property
    def of_person(self) -> bool:
        """Whether no key may, whatever it holds."""
        return self.fresh or self.who is Who.PERSON

    def needs(self, *, live: bool) -> Scope | None:
        """The scope that is asked for here; None where none is."""
        if isinstance(self.who, Who):
            return None
        return Scope.ORDER_LIVE if live and self.who is Scope.ORDER_PAPER else self.who

    def document(self) -> dict[str, Any]:
        """As the document of the API has it."""
        return {
            "who": self.who.value,
            "safe": self.safe,
            "rate": self.rate.value,
            **({"fresh": True} if self.fresh else {}),
            **({"who_live": Scope.ORDER_LIVE.value} if self.who is Scope.ORDER_PAPER else {}),
        }


Handler = Callable[[Call], Awaitable[Answer]]


class Entry(msgspec.Struct, frozen=True):
    """One route: what it is, what it takes and gives, and who may use it."""

    method: str
    path: str
    handler: Handler
    policy: Policy
    tag: str
    query: type[msgspec.Struct] | None = None
    body: type[msgspec.Struct] | None = None
    uploads: bool = False
    """Whether files may come as multipart/form-data, too."""
    gives: Any = None
    """The type of the answer, for the document of the API."""
    files: tuple[str, ...] = ()
    """The media types of the answer where it is a file."""
    status: int = 200
    body_max: int = BODY_MAX
    keyed: bool = False
    """Whether an Idempotency-Key makes a repeat harmless."""
    bare: bool = False
    """Whether the body may be left away, which says no more than an empty one."""

    @property
    def summary(self) -> str:
        """What it does: the first line of its handler's docstring."""
        return (self.handler.__doc__ or "").strip().splitlines()[0]


class Opened(msgspec.Struct, frozen=True):
    """A socket that has passed the gate and is not accepted yet: whose it is, and the connection as ASGI has it."""

    who: Identity
    scope: Connection
    receive: Receive
    send: Send


class SocketEntry(msgspec.Struct, frozen=True):
    """One route that WebSockets are opened at, with a ticket. `handler` accepts; a problem it raises before is said instead."""

    path: str
    handler: Callable[[Opened], Awaitable[None]]
    policy: Policy
    tag: str
    method: str = "GET"

    @property
    def summary(self) -> str:
        """What it does: the first line of its handler's docstring."""
        return (self.handler.__doc__ or "").strip().splitlines()[0]


class Routes:
    """The table of routes, in the order in which they are tried."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.sockets: list[SocketEntry] = []

    def add(self, method: str, path: str, handler: Handler, policy: Policy, tag: str, **more: Any) -> None:
        """The one way a route comes to be. Raises ValueError for one that contradicts itself."""
        entry = Entry(method, path, handler, policy, tag, **more)
        if policy.safe is not (method in _SAFE):
            raise ValueError(f"{method} {path}: a route is safe exactly where it is a GET")
        if not handler.__doc__:
            raise ValueError(f"{method} {path}: its handler has no docstring, which is what the document of the API says of it")
        if any((each.method, each.path) == (method, path) for each in self.entries):
            raise ValueError(f"{method} {path} is there already")
        self.entries.append(entry)

    def socket(self, path: str, handler: Callable[[Opened], Awaitable[None]], policy: Policy, tag: str) -> None:
        """The one way a route for WebSockets comes to be. Raises ValueError for one that contradicts itself."""
        if not policy.safe or policy.of_person or policy.who is Who.OPEN:
            raise ValueError(f"{path}: a socket changes nothing, and is opened with a ticket by whoever may")
        if not handler.__doc__:
            raise ValueError(f"{path}: its handler has no docstring, which is what the document of the API says of it")
        self.sockets.append(SocketEntry(path, handler, policy, tag))

    def made(self, served: Callable[[Entry], ASGIApp], opened: Callable[[SocketEntry], ASGIApp]) -> list[BaseRoute]:
        """The routes as the application takes them, each behind the gate."""
        sockets: list[BaseRoute] = [PolicedSocket(entry, opened(entry)) for entry in self.sockets]
        return [*(PolicedRoute(entry, served(entry)) for entry in self.entries), *sockets]


class PolicedRoute(Route):
    """A route with the entry it was made of."""

    def __init__(self, entry: Entry, app: ASGIApp) -> None:
        super().__init__(entry.path, app, methods=[entry.method], name=f"{entry.method} {entry.path}")
        self.app = app  # Starlette takes a function for one that answers a request object
        self.entry = entry


class PolicedSocket(WebSocketRoute):
    """The same of a route for WebSockets."""

    def __init__(self, entry: SocketEntry, app: ASGIApp) -> None:
        super().__init__(entry.path, app, name=f"socket {entry.path}")
        self.app = app
        self.entry = entry


def refuse_unpoliced(routes: Iterable[BaseRoute]) -> None:
    """Raise ValueError where a route came to be in another way than through `Routes.add`."""
    for route in routes:
        if type(route) not in (PolicedRoute, PolicedSocket):
            named = getattr(route, "path", route)
            raise ValueError(f"route {named} declares no policy; register it through Routes.add (api/policy.py)")
