"""One request as its handler sees it: who asks, what was sent, and the desk; and the answer it gives."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec

from tradeloop.access.identity import Identity
from tradeloop.api.desk import Desk
from tradeloop.api.people import People
from tradeloop.api.sender import Sender

T = TypeVar("T")


class Answer(msgspec.Struct):
    """What is said: a document, or text of another kind."""

    document: Any = None
    status: int = HTTPStatus.OK
    headers: dict[str, str] = {}
    text: bytes | None = None
    media: str = "application/json"


class Said(msgspec.Struct, frozen=True):
    """What came of a command, in a sentence."""

    done: str


class Call(msgspec.Struct):
    """A request that has passed the gate."""

    desk: Desk
    who: Identity | None
    request_id: str
    path: Mapping[str, str]
    query: Any
    body: Any
    raw: bytes
    media: str
    """The whole content type."""
    key: str
    """The Idempotency-Key; empty without one."""
    people: People | None = None
    """Users, sessions and keys; None where the application was made without a store of them."""
    sender: Sender = Sender()
    csrf: str = ""
    """The token of the session against forged requests; empty where a key asks, or nobody."""

    @property
    def by(self) -> str:
        """What the journal calls whoever asks."""
        assert self.who is not None, "an open route has no asker"
        return self.who.name

    @property
    def request_key(self) -> str:
        """The Idempotency-Key as the journal keeps it: each asker has keys of their own. Empty without one."""
        return f"{self.by}/{self.key}" if self.key else ""

    def asked(self, kind: type[T]) -> T:
        """The body, of the type that its route declares."""
        assert isinstance(self.body, kind)
        return self.body

    def wanted(self, kind: type[T]) -> T:
        """The query, of the type that its route declares."""
        assert isinstance(self.query, kind)
        return self.query
