"""The link that makes the first user: drawn when there is nobody, good once, for fifteen minutes, on this machine alone."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Final

from pydantic import SecretStr

from tradeloop.access import drawn
from tradeloop.access.addresses import is_loopback
from tradeloop.access.asked import Asked
from tradeloop.access.identity import Role
from tradeloop.access.names import checked_name
from tradeloop.access.passwords import Passwords, refuse_weak
from tradeloop.access.records import SetUp, User
from tradeloop.access.refusals import NotSignedIn
from tradeloop.access.store import AccessStore, Draft
from tradeloop.access.users import checked_roles, new_user, roles_in_words
from tradeloop.core.errors import BadInput
from tradeloop.core.types import SECOND_NS, UtcNs

GOOD_FOR_NS: Final = 900 * SECOND_NS
_ONE: Final = "first"
_NOT_GOOD: Final = (
    "this set-up link is not good: it was used, it is older than fifteen minutes, or a newer one was drawn; run"
    " `tradeloop users set-up-link` for another one"
)
_SOMEBODY: Final = (
    "there are users already; one who is an admin adds others, and `tradeloop users add` does on the machine itself"
)


class FirstUser:
    """The set-up."""

    def __init__(self, store: AccessStore, passwords: Passwords) -> None:
        self._store, self._passwords = store, passwords

    @property
    def is_open(self) -> bool:
        """Whether there is nobody yet."""
        return not self._store.all(User)

    async def begin(self, asked: Asked) -> SecretStr:
        """A new token, in the place of one before. Raises BadInput where there are users."""
        token = drawn.token()

        def decide(draft: Draft) -> None:
            if draft.all(User):
                raise BadInput(_SOMEBODY)
            draft.put(SetUp(_ONE, drawn.digest(token.get_secret_value()), UtcNs(asked.at + GOOD_FOR_NS)))
            draft.note(asked, "set-up link drawn")

        await self._store.change(decide)
        return token

    def is_good(self, token: str, asked: Asked) -> bool:
        """Whether the set-up page may be shown to whoever has this token."""
        return is_loopback(asked.address) and _is_good(self._store, token, asked.at)

    async def finish(self, token: str, name: str, password: SecretStr, roles: Iterable[Role], asked: Asked) -> None:
        """Make the first user, an admin with whatever other roles they chose, and have the link good for nothing more.

        Raises NotSignedIn where it is not good or comes from another machine, BadInput for a name or a password that can not
        be; the link stays good then.
        """
        if not is_loopback(asked.address):
            raise NotSignedIn("the set-up link is good on the machine of the desk alone; open it there, or through a tunnel")
        if not _is_good(self._store, token, asked.at):
            raise NotSignedIn(_NOT_GOOD)
        checked_name(name)
        given = checked_roles(roles)
        if Role.ADMIN not in given:
            raise BadInput("the first user was no admin; expected that role among theirs, since nobody else could add users")
        refuse_weak(password, name)
        hashed = await self._passwords.hashed(password)

        def decide(draft: Draft) -> None:
            if draft.all(User) or not _is_good(draft, token, asked.at):
                raise NotSignedIn(_NOT_GOOD)
            used = draft.get(SetUp, _ONE)
            assert used is not None  # it is good
            draft.drop(used)
            draft.put(new_user(name, hashed, given, asked, must_change=False))
            draft.note(asked, "first user made", name, roles_in_words(given), who=name)

        await self._store.change(decide)


def _is_good(where: AccessStore | Draft, token: str, now: UtcNs) -> bool:
    there = where.get(SetUp, _ONE)
    given = drawn.digest(token)
    right = there is not None and hmac.compare_digest(there.token, given)
    # A link of later than it could be is one from before the clock was set back.
    return right and there is not None and now < there.until <= now + GOOD_FOR_NS
