"""The users over HTTP, for an admin: added, given roles, helped, disabled, erased. What changes one asks for a fresh proof."""

from __future__ import annotations

import msgspec
from pydantic import SecretStr

from tradeloop.access.identity import Scope
from tradeloop.access.users import UserShown
from tradeloop.api.call import Answer, Call, Said
from tradeloop.api.gate import ok
from tradeloop.api.persons import (
    BODY_MAX,
    RoleWord,
    ScopeWord,
    Secret,
    Secretive,
    access_of,
    asked_by,
    people_of,
    role_words,
    roles_in,
    scope_words,
)
from tradeloop.api.plain import Moment, moment_or_none, told
from tradeloop.api.policy import Policy, Rate, Routes


class NewUser(Secretive, frozen=True):
    """A user; they change the password when they first sign in."""

    name: str
    password: Secret
    roles: list[RoleWord]


class NewRoles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """These roles and no others."""

    roles: list[RoleWord]


class GivenPassword(Secretive, frozen=True):
    """A password for who forgot theirs; they change it when they next sign in."""

    password: Secret


class UserDocument(msgspec.Struct, frozen=True):
    """A user; `scopes` is what they may now, less than the roles say without a second factor or a password of their own."""

    name: str
    roles: list[RoleWord]
    scopes: list[ScopeWord]
    made_at: Moment
    password_at: Moment
    must_change: bool
    disabled: bool
    factor_since: Moment | None
    recovery_codes_left: int
    locked_until: Moment | None


class UserList(msgspec.Struct, frozen=True):
    """The users, by name."""

    users: list[UserDocument]


def routes(table: Routes) -> None:
    """The routes of this file."""
    add, most = table.add, BODY_MAX
    looks = Policy(Scope.ADMIN, safe=True, rate=Rate.READ)
    sets = Policy(Scope.ADMIN, safe=False, rate=Rate.WORK, fresh=True)
    one = "/api/v1/users/{name}"
    add("GET", "/api/v1/users", listed, looks, "users", gives=UserList)
    add("POST", "/api/v1/users", make, sets, "users", body=NewUser, gives=Said, status=201, body_max=most)
    add("PUT", f"{one}/roles", roles, sets, "users", body=NewRoles, gives=Said, body_max=most)
    add("POST", f"{one}/password", password, sets, "users", body=GivenPassword, gives=Said, body_max=most)
    add("POST", f"{one}/reset-factor", reset_factor, sets, "users", gives=Said)
    add("POST", f"{one}/unlock", unlock, sets, "users", gives=Said)
    add("POST", f"{one}/disable", disable, sets, "users", gives=Said)
    add("POST", f"{one}/enable", enable, sets, "users", gives=Said)
    add("DELETE", one, remove, sets, "users", gives=Said)


async def listed(call: Call) -> Answer:
    """List the users: their roles, whether they have a second factor, and who is disabled or locked out."""
    return ok(UserList([_document(each) for each in access_of(call).users.shown(people_of(call).now())]))


async def make(call: Call) -> Answer:
    """Add a user, who changes the password when they first sign in."""
    asked = call.asked(NewUser)
    given = roles_in(asked.roles)
    await access_of(call).users.add(asked.name, SecretStr(asked.password), given, asked_by(call))
    return ok(Said(f"{asked.name} is a user, as {', '.join(role_words(given))}"), 201)


async def roles(call: Call) -> Answer:
    """Give a user these roles and no others, from their next request on."""
    given, name = roles_in(call.asked(NewRoles).roles), _named(call)
    await access_of(call).users.set_roles(name, given, asked_by(call))
    return ok(Said(f"{name} is now {', '.join(role_words(given))}"))


async def password(call: Call) -> Answer:
    """Set the password of a user who forgot theirs; every session of theirs ends."""
    name = _named(call)
    await access_of(call).users.set_password(name, SecretStr(call.asked(GivenPassword).password), asked_by(call))
    return ok(Said(f"the password of {name} is set, and every session of theirs has ended"))


async def reset_factor(call: Call) -> Answer:
    """Take a user's second factor away, who lost the device and the recovery codes; every session of theirs ends."""
    name = _named(call)
    had = await access_of(call).factors.reset(name, asked_by(call))
    return ok(Said(f"{name} has no second factor any more" if had else f"{name} had no second factor"))


async def unlock(call: Call) -> Answer:
    """Let a user who was locked out after wrong passwords or codes try again at once."""
    name = _named(call)
    had = await access_of(call).users.unlock(name, asked_by(call))
    return ok(Said(f"{name} may try again" if had else f"{name} was not locked"))


async def disable(call: Call) -> Answer:
    """Let a user in no more: their sessions end and their keys open nothing, from the next request on."""
    name = _named(call)
    await access_of(call).users.disable(name, asked_by(call))
    return ok(Said(f"{name} is disabled"))


async def enable(call: Call) -> Answer:
    """Let a user who was disabled in again."""
    name = _named(call)
    await access_of(call).users.enable(name, asked_by(call))
    return ok(Said(f"{name} may sign in again"))


async def remove(call: Call) -> Answer:
    """Erase a user with their sessions and keys; the journal and the log of access keep the name."""
    name = _named(call)
    await access_of(call).users.remove(name, asked_by(call))
    return ok(Said(f"{name} is removed"))


def _named(call: Call) -> str:
    """The user of the address, as they are called. Raises Missing."""
    return access_of(call).users.one(call.path["name"], people_of(call).now()).name


def _document(user: UserShown) -> UserDocument:
    return told(
        UserDocument,
        user,
        roles=role_words(user.roles),
        scopes=scope_words(user.scopes),
        factor_since=moment_or_none(user.factor_since),
        locked_until=moment_or_none(user.locked_until),
    )
