"""Users: added, given roles, disabled, erased. There is always somebody who may do that."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
from pydantic import SecretStr

from tradeloop.access.asked import Asked
from tradeloop.access.granted import granted
from tradeloop.access.identity import Role, Scope
from tradeloop.access.names import checked_name, user_id
from tradeloop.access.passwords import Passwords, refuse_weak
from tradeloop.access.proof import Proof
from tradeloop.access.records import Key, User
from tradeloop.access.refusals import Missing
from tradeloop.access.sessions import end_all
from tradeloop.access.store import AccessStore, Draft
from tradeloop.core.errors import BadInput
from tradeloop.core.types import UtcNs

USERS_MAX: Final = 200


class UserShown(msgspec.Struct, frozen=True):
    """A user as lists show them."""

    name: str
    roles: frozenset[Role]
    scopes: frozenset[Scope]
    """What they may do now: less than the roles say where a second factor or a password of their own is missing."""
    made_at: UtcNs
    password_at: UtcNs
    must_change: bool
    disabled: bool
    factor_since: UtcNs | None
    recovery_codes_left: int
    locked_until: UtcNs | None


class Users:
    """All of them."""

    def __init__(self, store: AccessStore, passwords: Passwords, proof: Proof) -> None:
        self._store, self._passwords, self._proof = store, passwords, proof

    @property
    def is_empty(self) -> bool:
        """Whether there is nobody yet."""
        return not self._store.all(User)

    def shown(self, now: UtcNs) -> list[UserShown]:
        """Every user, by name."""
        return [self._show(each, now) for each in sorted(self._store.all(User), key=lambda each: each.id)]

    def one(self, name: str, now: UtcNs) -> UserShown:
        """That user. Raises Missing."""
        user = self._store.get(User, user_id(name))
        if user is None:
            raise _missing(name)
        return self._show(user, now)

    async def add(
        self, name: str, password: SecretStr, roles: Iterable[Role], asked: Asked, *, must_change: bool = True
    ) -> None:
        """A new user; `must_change` unless they typed the password themselves. Raises BadInput where the name is taken or the
        password is weak.
        """
        checked_name(name)
        given = checked_roles(roles)
        refuse_weak(password, name)
        self._refuse_taken(self._store.get(User, user_id(name)), name)
        hashed = await self._passwords.hashed(password)

        def decide(draft: Draft) -> None:
            self._refuse_taken(draft.get(User, user_id(name)), name)
            if len(draft.all(User)) >= USERS_MAX:
                raise BadInput(f"there are {USERS_MAX} users already, which is the most; remove one first")
            draft.put(new_user(name, hashed, given, asked, must_change=must_change))
            draft.note(asked, "user added", name, roles_in_words(given))

        await self._store.change(decide)

    async def set_roles(self, name: str, roles: Iterable[Role], asked: Asked) -> None:
        """Have these roles, and no others, from the next question on. Raises BadInput where nobody could add users any more."""
        given = checked_roles(roles)

        def decide(draft: Draft) -> None:
            user = _there(draft, name)
            draft.put(msgspec.structs.replace(user, roles=given))
            _refuse_without_admin(draft)
            draft.note(asked, "roles changed", user.name, f"{roles_in_words(user.roles)} -> {roles_in_words(given)}")

        await self._store.change(decide)

    async def disable(self, name: str, asked: Asked) -> None:
        """Let a user in no more: their sessions end, and their keys open nothing. Raises BadInput for the last admin."""

        def decide(draft: Draft) -> None:
            user = _there(draft, name)
            draft.put(msgspec.structs.replace(user, disabled=True))
            _refuse_without_admin(draft)
            draft.note(asked, "user disabled", user.name)
            end_all(draft, user.id, asked)

        await self._store.change(decide)

    async def enable(self, name: str, asked: Asked) -> None:
        """Let a user in again."""

        def decide(draft: Draft) -> None:
            user = _there(draft, name)
            draft.put(msgspec.structs.replace(user, disabled=False))
            draft.note(asked, "user enabled", user.name)

        await self._store.change(decide)

    async def remove(self, name: str, asked: Asked) -> None:
        """Erase a user with their sessions and keys; the log keeps the name. Raises BadInput for the last admin."""

        def decide(draft: Draft) -> None:
            user = _there(draft, name)
            draft.drop(user)
            _refuse_without_admin(draft)
            for key in draft.all(Key):
                if key.owner == user.id:
                    draft.drop(key)
                    draft.note(asked, "key revoked", key.id, f"of {user.name}")
            draft.note(asked, "user removed", user.name)
            end_all(draft, user.id, asked)

        await self._store.change(decide)

    async def set_password(self, name: str, password: SecretStr, asked: Asked, *, must_change: bool = True) -> None:
        """A password for somebody who forgot theirs; every session of theirs ends."""
        refuse_weak(password, name)
        _there(self._store, name)
        hashed = await self._passwords.hashed(password)

        def decide(draft: Draft) -> None:
            user = _there(draft, name)
            draft.put(msgspec.structs.replace(user, password=hashed, password_at=asked.at, must_change=must_change))
            draft.note(asked, "password set", user.name)
            end_all(draft, user.id, asked)

        await self._store.change(decide)

    async def unlock(self, name: str, asked: Asked) -> bool:
        """Let somebody who guessed too often try again; whether they had."""
        return await self._proof.unlock(_there(self._store, name).name, asked)

    def _show(self, user: User, now: UtcNs) -> UserShown:
        return UserShown(
            user.name,
            user.roles,
            granted(user),
            user.made_at,
            user.password_at,
            user.must_change,
            user.disabled,
            None if user.factor is None else user.factor.since,
            0 if user.factor is None else len(user.factor.recovery),
            self._proof.locked_until(user.name, now),
        )

    def _refuse_taken(self, user: User | None, name: str) -> None:
        if user is not None:
            raise BadInput(f"there is a user {user.name!r} already, and {name!r} is the same name; choose another one")


def new_user(name: str, hashed: str, roles: frozenset[Role], asked: Asked, *, must_change: bool) -> User:
    """A user as one begins."""
    return User(user_id(name), name, roles, hashed, asked.at, asked.at, must_change)


def checked_roles(roles: Iterable[Role]) -> frozenset[Role]:
    """One role at least. Raises BadInput."""
    given = frozenset(roles)
    if not given:
        raise BadInput(f"no role was given; expected one or more of {', '.join(each.value for each in Role)}")
    return given


def roles_in_words(roles: Iterable[Role]) -> str:
    """Roles in the order of their list."""
    given = frozenset(roles)
    return ", ".join(each.value for each in Role if each in given)


def _there(where: AccessStore | Draft, name: str) -> User:
    user = where.get(User, user_id(name))
    if user is None:
        raise _missing(name)
    return user


def _missing(name: str) -> Missing:
    return Missing(f"there is no user {name[:40]!r}; `tradeloop users list` shows all")


def _refuse_without_admin(draft: Draft) -> None:
    if not any(Role.ADMIN in each.roles and not each.disabled for each in draft.all(User)):
        raise BadInput("nobody would be left who may add users; give another user the role admin first")
