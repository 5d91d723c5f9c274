"""What the access store keeps: users, sessions, keys, sealed secrets, and who guessed how often.

Each is one row of JSON under its kind and its id. A hash or a sealed secret is in none of their texts: they print their id
alone.
"""

from __future__ import annotations

from typing import ClassVar, Final, TypeVar

import msgspec
from typing_extensions import override

from tradeloop.access.identity import Role, Scope
from tradeloop.core.types import UtcNs

FORMAT: Final = 1
"""Raised by a change of these structs that an older program would misunderstand."""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of them."""

    kind: ClassVar[str]
    id: str

    @override
    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id!r})"


R = TypeVar("R", bound=Record)


class Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A secret under a key of its own, and that key under a master key (sealed.py); both in base64."""

    master: str
    """Which master key: the beginning of its digest."""
    key: str
    text: str

    @override
    def __repr__(self) -> str:
        return f"Sealed(master={self.master!r})"


class Factor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A user's second factor; a code counts after `last_step` alone. `recovery`: digests of the codes that are left."""

    secret: Sealed
    since: UtcNs
    last_step: int
    recovery: tuple[str, ...] = ()

    @override
    def __repr__(self) -> str:
        return f"Factor(since={self.since})"


class User(Record, frozen=True):
    """A person; the id is the name without case, `name` as it was given."""

    kind = "user"
    name: str
    roles: frozenset[Role]
    password: str
    """Argon2id, with its parameters and salt."""
    made_at: UtcNs
    password_at: UtcNs
    must_change: bool = False
    """Somebody else knows the password: until it is changed nothing else may be done."""
    disabled: bool = False
    factor: Factor | None = None


class Session(Record, frozen=True):
    """A user signed in; the id is the beginning of the token's digest."""

    kind = "session"
    user: str
    token: str
    """The digest of the token."""
    made_at: UtcNs
    seen_at: UtcNs
    address: str
    agent: str
    confirmed_at: UtcNs
    """When password or code were last given."""
    with_factor: bool
    """Whether a code was among them."""


class Key(Record, frozen=True):
    """An API key. After a rotation the one before, `old`, is good until `old_until`."""

    kind = "key"
    owner: str
    name: str
    secret: str
    """The digest of its secret."""
    scopes: frozenset[Scope]
    accounts: frozenset[str] | None
    networks: tuple[str, ...]
    made_at: UtcNs
    expires_at: UtcNs
    used_at: UtcNs | None = None
    used_from: str = ""
    old: str = ""
    old_until: UtcNs = UtcNs(0)


class Guesses(Record, frozen=True):
    """Wrong guesses of one name or from one neighbourhood: those of the last hour, how many in a row, and until when no more is
    looked at. `told`: whether the log has it that somebody came while it was locked.
    """

    kind = "guesses"
    wrong: tuple[UtcNs, ...]
    in_a_row: int
    until: UtcNs
    told: bool = False


class SetUp(Record, frozen=True):
    """The link that makes the first user; there is one at most."""

    kind = "set-up"
    token: str
    until: UtcNs


class BrokerSecret(Record, frozen=True):
    """What a broker wants to know, sealed; `ending` are its last four characters, empty where it is too short to show them."""

    kind = "broker-secret"
    broker: str
    account: str
    name: str
    sealed: Sealed
    ending: str
    set_at: UtcNs
    set_by: str


KINDS: Final[dict[str, type[Record]]] = {each.kind: each for each in (User, Session, Key, Guesses, SetUp, BrokerSecret)}


class Entry(msgspec.Struct, frozen=True):
    """One line of the log of access: `who` did or tried `what` to `subject`. `number` grows, and its gaps are none of ours."""

    number: int
    at: UtcNs
    what: str
    who: str
    subject: str
    address: str
    text: str
