"""Signing in and out, and giving the password or a code once more before a step that wants it fresh."""

from __future__ import annotations

import msgspec
from pydantic import SecretStr

from tradeloop.access.asked import Asked
from tradeloop.access.names import user_id
from tradeloop.access.passwords import Passwords, refuse_weak
from tradeloop.access.proof import Proof
from tradeloop.access.records import Session, User
from tradeloop.access.refusals import NotSignedIn
from tradeloop.access.sessions import Sessions, SignedIn, end_all
from tradeloop.access.store import AccessStore, Draft
from tradeloop.core.errors import BadInput
from tradeloop.core.types import UtcNs


class SignIn:
    """The door."""

    def __init__(self, store: AccessStore, proof: Proof, sessions: Sessions, passwords: Passwords) -> None:
        self._store, self._proof, self._sessions, self._passwords = store, proof, sessions, passwords

    async def sign_in(
        self, name: str, password: SecretStr, code: str, asked: Asked, *, agent: str = "", instead_of: str = ""
    ) -> SignedIn:
        """A new session under a new token. `code` is empty where none was typed; `instead_of` is the token that the browser
        came with, whose session ends. Raises SignInRefused: CodeNeeded asks for the code, LockedOut says until when.
        """
        before = self._sessions.session_of(instead_of)

        def then(draft: Draft, user: User, with_code: bool) -> SignedIn:
            if before is not None:
                draft.drop(before)
            draft.note(asked, "signed in", user.name, "with a code" if with_code else "with a password", who=user.name)
            return self._sessions.begin(draft, user, asked, agent, with_factor=with_code)

        return await self._proof.proven(name, password, code, asked, "sign-in", then)

    async def sign_out(self, token: str, asked: Asked) -> None:
        """End the session of this token; where it has none nothing happens."""
        session = self._sessions.session_of(token)
        if session is None:
            return

        def decide(draft: Draft) -> None:
            if draft.get(Session, session.id) is not None:
                draft.drop(session)
                draft.note(asked, "signed out", session.user)

        await self._store.change(decide)

    async def confirm(
        self, session_id: str, asked: Asked, *, password: SecretStr | None = None, code: str | None = None
    ) -> UtcNs:
        """Have whoever is in a session say once more that it is them: with a code where they have a second factor, with the
        password where they have none. When that was. Raises SignInRefused, and NotSignedIn where the session is gone.
        """
        session = self._store.get(Session, session_id)
        user = None if session is None else self._store.get(User, session.user)
        if session is None or user is None:
            raise NotSignedIn("the session has ended; sign in again")
        if user.factor is not None:
            password, code = None, code or ""
        elif password is None:
            raise BadInput("the password is needed once more, since no second factor is set up")

        def then(draft: Draft, user: User, with_code: bool) -> UtcNs:
            there = draft.get(Session, session_id)
            if there is None:
                raise NotSignedIn("the session has ended; sign in again")
            draft.put(msgspec.structs.replace(there, confirmed_at=asked.at, with_factor=there.with_factor or with_code))
            draft.note(asked, "confirmed", user.name, "with a code" if with_code else "with the password")
            return asked.at

        return await self._proof.proven(user.name, password, None if user.factor is None else code, asked, "confirmation", then)

    async def change_password(self, name: str, old: SecretStr, new: SecretStr, asked: Asked, *, session_id: str = "") -> None:
        """Have a user's own password changed; every other session of theirs ends. Raises BadInput for a weak one."""
        refuse_weak(new, name)
        if new.get_secret_value() == old.get_secret_value():
            raise BadInput("the new password was the old one; choose another one")
        hashed = await self._passwords.hashed(new)

        def then(draft: Draft, user: User, with_code: bool) -> None:
            del with_code
            draft.put(msgspec.structs.replace(user, password=hashed, password_at=asked.at, must_change=False))
            draft.note(asked, "password changed", user.name)
            end_all(draft, user_id(user.name), asked, but=session_id)

        await self._proof.proven(name, old, None, asked, "change of password", then)
