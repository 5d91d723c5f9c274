"""API keys over HTTP: one's own, and for an admin to see and to end those of all.

Nobody makes a key for somebody else: an admin, who may not trade, would make themselves a trader by it.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from tradeloop.access.identity import Scope
from tradeloop.access.keys import DAY_NS, KeyShown, MadeKey
from tradeloop.access.names import user_id
from tradeloop.access.refusals import Missing
from tradeloop.api.call import Answer, Call, Said
from tradeloop.api.gate import ok
from tradeloop.api.persons import (
    BODY_MAX,
    ScopeWord,
    ShownOnce,
    TellsOnce,
    access_of,
    asked_by,
    people_of,
    scope_words,
    scopes_in,
    settled_person,
    whose,
)
from tradeloop.api.plain import Moment, moment, told
from tradeloop.api.policy import Policy, Rate, Routes, Who
from tradeloop.core.types import SECOND_NS, UtcNs

ALL: Final = "*"
_DAYS_MAX: Final = 365
_GRACE_MAX_S: Final = 86_400


class OfWhom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose: one's own without a name; for an admin somebody's, or `*` for all."""

    owner: str = ""


class NewKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a new key may: never more than its owner. Without accounts it is good for all, without networks from anywhere."""

    name: str
    scopes: list[ScopeWord]
    days: Annotated[int, msgspec.Meta(ge=1, le=_DAYS_MAX, description="How long it is good.")] = 90
    accounts: list[str] | None = None
    networks: list[str] = []


class Rotation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For how long the secret before stays good."""

    grace_s: Annotated[int, msgspec.Meta(ge=0, le=_GRACE_MAX_S)] = 3600


class KeyMade(TellsOnce, frozen=True):
    """A key, and its text, which nobody can ask for again."""

    id: str
    key: ShownOnce
    expires_at: Moment


class KeyDocument(msgspec.Struct, frozen=True):
    """A key without its text; `scopes_now` is what its owner's roles leave of its scopes."""

    id: str
    name: str
    owner: str
    scopes: list[ScopeWord]
    scopes_now: list[ScopeWord]
    accounts: list[str] | None
    networks: list[str]
    made_at: Moment
    expires_at: Moment
    expired: bool
    used_at: Moment | None
    used_from: str
    old_until: Moment | None


class KeyList(msgspec.Struct, frozen=True):
    """Keys, the newest first."""

    keys: list[KeyDocument]


def routes(table: Routes) -> None:
    """The routes of this file."""
    add, most = table.add, BODY_MAX
    looks = Policy(Who.PERSON, safe=True, rate=Rate.READ)
    makes = Policy(Who.PERSON, safe=False, rate=Rate.WORK, fresh=True)
    ends = Policy(Who.PERSON, safe=False, rate=Rate.STOP)
    add("GET", "/api/v1/keys", listed, looks, "keys", query=OfWhom, gives=KeyList)
    add("POST", "/api/v1/keys", make, makes, "keys", body=NewKey, gives=KeyMade, status=201, body_max=most)
    add("POST", "/api/v1/keys/{key_id}/rotate", rotate, makes, "keys", body=Rotation, gives=KeyMade, body_max=most)
    add("DELETE", "/api/v1/keys/{key_id}", revoke, ends, "keys", gives=Said)


async def listed(call: Call) -> Answer:
    """List your keys; an admin may name another owner, or all."""
    owner = whose(call, call.wanted(OfWhom).owner)
    found = access_of(call).keys.shown(people_of(call).now(), None if owner == ALL else owner)
    return ok(KeyList([_document(each) for each in found]))


async def make(call: Call) -> Answer:
    """Make a key of your own; its text is shown once."""
    asked, by, own = call.asked(NewKey), asked_by(call), settled_person(call)
    until = UtcNs(by.at + asked.days * DAY_NS)
    made = await access_of(call).keys.make(
        own, asked.name, scopes_in(asked.scopes), by, expires_at=until, accounts=asked.accounts, allowed_from=asked.networks
    )
    return ok(_made(made), 201)


async def rotate(call: Call) -> Answer:
    """Give a key of yours a new secret; the one before stays good for a while."""
    key = _own(call, admin=False)
    made = await access_of(call).keys.rotate(key, call.asked(Rotation).grace_s * SECOND_NS, asked_by(call))
    return ok(_made(made))


async def revoke(call: Call) -> Answer:
    """Have a key open nothing any more, from the next request on; an admin, anybody's."""
    key = _own(call, admin=True)
    await access_of(call).keys.revoke(key, asked_by(call))
    return ok(Said(f"key {key} is revoked"))


def _own(call: Call, *, admin: bool) -> str:
    """The key that the address names. What is another's is not there, but for an admin where `admin`. Raises Missing."""
    assert call.who is not None
    own, key_id = settled_person(call), call.path["key_id"]
    found = access_of(call).keys.one(key_id, people_of(call).now())
    if user_id(found.owner) != user_id(own) and not (admin and call.who.may(Scope.ADMIN)):
        raise Missing(f"there is no key {key_id[:40]!r}; `tradeloop keys list` shows all")
    return found.id


def _made(made: MadeKey) -> KeyMade:
    return KeyMade(made.id, made.text.get_secret_value(), moment(made.expires_at))


def _document(key: KeyShown) -> KeyDocument:
    return told(
        KeyDocument,
        key,
        scopes=scope_words(key.scopes),
        scopes_now=scope_words(key.scopes_now),
        accounts=None if key.accounts is None else sorted(key.accounts),
        networks=list(key.networks),
        old_until=None if key.old_until is None else moment(key.old_until),
    )
