"""The second factor of a user: begun, confirmed by a code of it, replaced with a code of the one before, reset by an admin.

The secret is shown once, as a link, a QR code and text, and counts for nothing until a code of it was typed. With it come ten
codes on paper, each good once, for who loses the device.
"""

from __future__ import annotations

from typing import Final

import msgspec
from pydantic import SecretStr

from tradeloop.access import codes
from tradeloop.access.asked import Asked
from tradeloop.access.names import user_id
from tradeloop.access.one_time import STEP_S, draw, is_code, step_of, uri
from tradeloop.access.proof import Proof, Then
from tradeloop.access.qr import as_lines, as_svg
from tradeloop.access.records import Factor, User
from tradeloop.access.refusals import Missing
from tradeloop.access.sessions import end_all
from tradeloop.access.store import AccessStore, Draft
from tradeloop.core.errors import BadInput
from tradeloop.core.types import SECOND_NS, UtcNs

PENDING_NS: Final = 600 * SECOND_NS
_PENDING_MAX: Final = 200


class NewFactor(msgspec.Struct, frozen=True):
    """What is shown once: whoever sees it has the factor."""

    secret: SecretStr
    uri: SecretStr
    svg: SecretStr
    lines: SecretStr


class Factors:
    """The second factors of all users."""

    def __init__(self, store: AccessStore, proof: Proof) -> None:
        self._store, self._proof = store, proof
        self._pending: dict[str, tuple[SecretStr, UtcNs]] = {}

    def begin(self, name: str, now: UtcNs, *, place: str = "") -> NewFactor:
        """Draw a secret for a user, to be confirmed within ten minutes; an earlier one that was not is forgotten. `place` is
        how the app calls this installation.
        """
        user = self._there(name)
        secret = draw()
        self._pending = {each: kept for each, kept in self._pending.items() if kept[1] > now}
        if len(self._pending) >= _PENDING_MAX:
            raise BadInput("too many second factors are being set up at once; try again in ten minutes")
        self._pending[user.id] = (secret, UtcNs(now + PENDING_NS))
        link = SecretStr(uri(secret, f"{user.name}@{place}" if place else user.name))
        return NewFactor(secret, link, as_svg(link), as_lines(link))

    async def confirm(self, name: str, code: str, asked: Asked, *, present: str = "") -> list[SecretStr]:
        """Have the secret that was begun count from now on, since the device shows this code of it; the recovery codes, shown
        once. Where the user has a factor already, `present` is a code of that one. Raises BadInput, SignInRefused.
        """
        user = self._there(name)
        secret, until = self._pending.get(user.id, (None, UtcNs(0)))
        if secret is None or until <= asked.at:
            raise BadInput("no second factor is being set up, or it was begun more than ten minutes ago; begin again")
        step = step_of(secret, code.strip(), asked.at) if is_code(code.strip()) else None
        if step is None:
            raise BadInput(
                f"the code was wrong; give the one that is shown now, and see that both clocks are right to {STEP_S} s"
            )
        sealed = self._proof.vault.seal(secret, "totp", user.id)
        given = codes.recovery_codes()
        factor = Factor(sealed, asked.at, step, codes.kept(given))

        def then(draft: Draft, there: User, with_code: bool) -> None:
            if there.factor is not None and not with_code:
                raise BadInput("a second factor was set up meanwhile; begin again, with a code of it")
            draft.put(msgspec.structs.replace(there, factor=factor))
            draft.note(asked, "second factor set up" if not with_code else "second factor replaced", there.name)

        await self._in(user, present, asked, then)
        self._pending.pop(user.id, None)
        return given

    async def new_recovery_codes(self, name: str, code: str, asked: Asked) -> list[SecretStr]:
        """Ten new ones in the place of those before, with a code. Raises BadInput, SignInRefused."""
        user = self._there(name)
        given = codes.recovery_codes()

        def then(draft: Draft, there: User, with_code: bool) -> None:
            assert there.factor is not None  # or no code would have been taken
            assert with_code
            draft.put(msgspec.structs.replace(there, factor=msgspec.structs.replace(there.factor, recovery=codes.kept(given))))
            draft.note(asked, "recovery codes drawn", there.name)

        await self._proof.proven(user.name, None, code, asked, "second factor", then)
        return given

    async def prove(self, name: str, code: str, asked: Asked, what: str, text: str) -> None:
        """Take a code of a user, which is good for nothing after that; `what` and `text` are said in the log. Raises BadInput
        where they have no factor, CodeNeeded, SignInRefused, LockedOut and TooBusy.
        """

        def then(draft: Draft, there: User, with_code: bool) -> None:
            assert with_code  # or it would have been refused
            draft.note(asked, what, there.name, text)

        await self._proof.proven(name, None, code, asked, what, then)

    async def reset(self, name: str, asked: Asked) -> bool:
        """Take a user's factor away, for who lost the device and the codes; every session of theirs ends. Whether there was
        one.
        """

        def decide(draft: Draft) -> bool:
            user = draft.get(User, user_id(name))
            if user is None:
                raise Missing(f"there is no user {name[:40]!r}")
            if user.factor is None:
                return False
            draft.put(msgspec.structs.replace(user, factor=None))
            draft.note(asked, "second factor reset", user.name)
            end_all(draft, user.id, asked)
            return True

        return await self._store.change(decide)

    async def _in(self, user: User, present: str, asked: Asked, then: Then[None]) -> None:
        if user.factor is not None:
            await self._proof.proven(user.name, None, present, asked, "second factor", then)
            return

        def decide(draft: Draft) -> None:
            there = draft.get(User, user.id)
            if there is None or there.disabled:
                raise Missing(f"there is no user {user.name!r} any more")
            then(draft, there, False)

        await self._store.change(decide)

    def _there(self, name: str) -> User:
        user = self._store.get(User, user_id(name))
        if user is None:
            raise Missing(f"there is no user {name[:40]!r}")
        return user
