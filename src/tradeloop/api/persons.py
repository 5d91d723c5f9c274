"""What the routes about people share: who asks as the log of access wants it, secrets in bodies, and whose things are meant."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from typing_extensions import override

from tradeloop.access.access import Access
from tradeloop.access.asked import Asked
from tradeloop.access.identity import Role, Scope
from tradeloop.access.names import user_id
from tradeloop.api.call import Call
from tradeloop.api.people import People
from tradeloop.api.problem import Problem
from tradeloop.core.errors import BadInput

KIB: Final = 1024
BODY_MAX: Final = 16 * KIB

Secret = Annotated[str, msgspec.Meta(max_length=4096, extra_json_schema={"format": "password", "writeOnly": True})]
ShownOnce = Annotated[str, msgspec.Meta(description="Shown once: nobody can ask for it again.")]
RoleWord = Annotated[str, msgspec.Meta(extra_json_schema={"enum": [each.value for each in Role]})]
ScopeWord = Annotated[str, msgspec.Meta(extra_json_schema={"enum": [each.value for each in Scope]})]


class Secretive(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A body that holds a secret: it prints nothing of itself, in whatever log it comes to stand."""

    @override
    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


class TellsOnce(msgspec.Struct, frozen=True):
    """An answer that holds one."""

    @override
    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


def people_of(call: Call) -> People:
    """Users, sessions and keys. Raises Problem where the application has none."""
    if call.people is None:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "access_failed", "there is no store of users here; nobody can be asked for"
        )
    return call.people


def access_of(call: Call) -> Access:
    """The same without its clock."""
    return people_of(call).access


def asked_by(call: Call) -> Asked:
    """Who asks, from where and when, as the log of access keeps it; nobody's name before they are known."""
    return Asked("" if call.who is None else call.who.name, call.sender.address, people_of(call).now())


def settled_person(call: Call) -> str:
    """The name of whoever asks. Raises Problem while somebody else knows their password: then they may change it alone."""
    people = people_of(call)
    if people.access.users.one(call.by, people.now()).must_change:
        text = "somebody else has set your password; change it first, nothing else may be done before that"
        raise Problem(HTTPStatus.FORBIDDEN, "password_must_change", text)
    return call.by


def whose(call: Call, named: str) -> str:
    """Whose things are meant: one's own, unless an admin names somebody else. Raises Problem."""
    own = settled_person(call)
    if not named or user_id(named) == user_id(own):
        return own
    refuse_but_admin(call, "what others have is shown to an admin")
    return named


def refuse_but_admin(call: Call, why: str) -> None:
    """Raise Problem where whoever asks is no admin."""
    if call.who is None or not call.who.may(Scope.ADMIN):
        raise Problem(
            HTTPStatus.FORBIDDEN, "forbidden", f"{why}: it asks for the scope admin", more={"scope": Scope.ADMIN.value}
        )


def roles_in(words: list[str]) -> frozenset[Role]:
    """Roles by their names. Raises BadInput."""
    known = {each.value: each for each in Role}
    for each in words:
        if each not in known:
            raise BadInput(f"roles had {each[:20]!r}; expected some of {', '.join(known)}")
    return frozenset(known[each] for each in words)


def scopes_in(words: list[str]) -> frozenset[Scope]:
    """Scopes by their names. Raises BadInput."""
    known = {each.value: each for each in Scope}
    for each in words:
        if each not in known:
            raise BadInput(f"scopes had {each[:20]!r}; expected some of {', '.join(known)}")
    return frozenset(known[each] for each in words)


def role_words(roles: frozenset[Role]) -> list[str]:
    """Roles in the order of their list."""
    return [each.value for each in Role if each in roles]


def scope_words(scopes: frozenset[Scope]) -> list[str]:
    """Scopes in the order of their list."""
    return [each.value for each in Scope if each in scopes]
