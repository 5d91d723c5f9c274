"""Who proves to be who they are, with a password, a code or both: the one place where guesses are counted.

One at a time: ten who guess at once are looked at one after another, each after the one before was counted. A name that nobody
has is locked, answered and timed as one that somebody has. What was typed as a name is in no log unless it is one: it may be a
password.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Final, TypeVar

import msgspec
from pydantic import SecretStr

from tradeloop.access import backoff, drawn
from tradeloop.access.addresses import neighbourhood
from tradeloop.access.asked import Asked
from tradeloop.access.carried import Carried
from tradeloop.access.codes import after_code
from tradeloop.access.names import user_id
from tradeloop.access.passwords import Passwords
from tradeloop.access.records import Guesses, User
from tradeloop.access.refusals import CodeNeeded, LockedOut, SignInRefused, TooBusy
from tradeloop.access.sealed import Vault
from tradeloop.access.store import AccessStore, Draft
from tradeloop.core.errors import BadInput
from tradeloop.core.types import SECOND_NS, UtcNs

T = TypeVar("T")
Then = Callable[[Draft, User, bool], T]

WAITING_MAX: Final = 16
GUESSES_MAX: Final = 4096
STRANGERS_AN_HOUR: Final = 60
_WRONG: Final = "the name or the password was wrong"


class Proof:
    """Checks what somebody gives, and counts what was wrong."""

    def __init__(self, store: AccessStore, passwords: Passwords, vault: Vault) -> None:
        self._store, self._passwords, self.vault = store, passwords, vault
        self._one = asyncio.Lock()
        self._waiting = 0
        self._strangers = Strangers()
        self._carried = Carried()

    async def proven(
        self, name: str, password: SecretStr | None, code: str | None, asked: Asked, what: str, then: Then[T]
    ) -> T:
        """Have `then` in with the same change that takes the proof: given the draft, the user, and whether a code was taken.

        `password` None and `code` None are not asked for; an empty code is one that was not given. Raises SignInRefused,
        LockedOut, CodeNeeded or TooBusy; `what` is said in the log. Whoever goes away before the answer has guessed all the
        same.
        """
        return await self._carried.out(self._proven(name, password, code, asked, what, then))

    async def settled(self) -> None:
        """Return when nobody is looked at any more."""
        await self._carried.all()

    async def _proven(
        self, name: str, password: SecretStr | None, code: str | None, asked: Asked, what: str, then: Then[T]
    ) -> T:
        async with self._turn():
            await self._refuse_locked(name, asked)
            user = self._store.get(User, user_id(name))
            if password is not None and not await self._is_right(user, password):
                await self._wrong(name, asked, what)
                raise SignInRefused(_WRONG)
            if user is None or user.disabled:
                await self._wrong(name, asked, what)
                raise SignInRefused(_WRONG)
            renewed = await self._at_todays_cost(user, password)
            refused_or = await self._store.change(
                lambda draft: self._decide(draft, user, renewed, password is not None, code, asked, what, then)
            )
            if isinstance(refused_or, SignInRefused):
                raise refused_or
            return refused_or

    async def unlock(self, name: str, asked: Asked) -> bool:
        """Let a name that was locked guess again; whether it was known to guess."""

        def decide(draft: Draft) -> bool:
            guesses = draft.get(Guesses, _subject_of_name(name))
            if guesses is None:
                return False
            draft.drop(guesses)
            draft.note(asked, "user unlocked", name)
            return True

        return await self._store.change(decide)

    def locked_until(self, name: str, now: UtcNs) -> UtcNs | None:
        """Until when a name is locked."""
        return backoff.locked_until(self._store.get(Guesses, _subject_of_name(name)), now)

    async def _is_right(self, user: User | None, password: SecretStr) -> bool:
        return await self._passwords.is_right(None if user is None else user.password, password)

    async def _at_todays_cost(self, user: User, password: SecretStr | None) -> str:
        """The hash to be kept from now on: the same, unless its cost is not today's."""
        if password is None or not self._passwords.is_outdated(user.password):
            return user.password
        return await self._passwords.hashed(password)

    def _decide(
        self,
        draft: Draft,
        checked: User,
        renewed: str,
        with_password: bool,
        code: str | None,
        asked: Asked,
        what: str,
        then: Then[T],
    ) -> T | SignInRefused:
        user = draft.get(User, checked.id)
        if user is None or user.disabled or (with_password and user.password != checked.password):
            return SignInRefused(_WRONG)  # changed while it was looked at
        for subject in _subjects(user.name, asked):
            if (until := backoff.locked_until(draft.get(Guesses, subject), asked.at)) is not None:
                return _locked(until)  # by another process
        if with_password:
            user = msgspec.structs.replace(user, password=renewed)
        with_code = code is not None and user.factor is not None
        if code is not None and user.factor is None and not with_password:
            raise BadInput("no second factor is set up for this user; set one up first")
        if with_code:
            assert code is not None  # for the type checker
            if not code.strip():
                return CodeNeeded("a code of the second factor is needed; give the one that your authenticator shows now")
            try:
                after = after_code(user, code.strip(), self.vault, asked.at)
            except SignInRefused as used:
                draft.note(asked, f"{what} refused", user.name, "a code that was used before", who=user.name)
                return used
            if after is None:
                _count(draft, user.name, asked)
                draft.note(asked, f"{what} refused", user.name, "a wrong code", who=user.name)
                return SignInRefused("the code was wrong; give the one that is shown now, and see that both clocks are right")
            user = after
        for subject in _subjects(user.name, asked):
            if (guesses := draft.get(Guesses, subject)) is not None:
                left = backoff.after_right(guesses, asked.at)
                draft.drop(guesses) if left is None else draft.put(left)
        draft.put(user)
        return then(draft, user, with_code)

    async def _wrong(self, name: str, asked: Asked, what: str) -> None:
        def decide(draft: Draft) -> None:
            known = draft.get(User, user_id(name))
            who = "" if known is None else known.name
            why = said if known is None else "disabled" if known.disabled else "a wrong password"
            _count(draft, name, asked)
            if why:
                draft.note(asked, f"{what} refused", who, why, who=who)

        said = self._strangers.said(asked.at) if self._store.get(User, user_id(name)) is None else "a name that nobody has"
        await self._store.change(decide)

    async def _refuse_locked(self, name: str, asked: Asked) -> None:
        for subject in _subjects(name, asked):
            guesses = self._store.get(Guesses, subject)
            until = backoff.locked_until(guesses, asked.at)
            if guesses is None or until is None:
                continue
            if not guesses.told:  # once for each lock: whoever goes on trying fills no disk
                await self._store.change(partial(_tell, subject=subject, name=name, asked=asked))
            raise _locked(until)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= WAITING_MAX:
            raise TooBusy("too many sign in at once; nothing was looked at, try again in a few seconds")
        self._waiting += 1
        try:
            async with self._one:
                yield
        finally:
            self._waiting -= 1


class Strangers:
    """What the log says of names that nobody has: sixty lines an hour, and then how many more there were. They are as many as
    somebody likes to try, and nobody fills a disk by trying.
    """

    def __init__(self) -> None:
        self._hour, self._noted, self._passed_over = -1, 0, 0

    def said(self, now: UtcNs) -> str:
        """The words for one more; empty where it is only counted."""
        if (hour := now // backoff.HOUR_NS) != self._hour:
            self._hour, self._noted = hour, 0
        if self._noted >= STRANGERS_AN_HOUR:
            self._passed_over += 1
            return ""
        self._noted += 1
        more, self._passed_over = self._passed_over, 0
        return "a name that nobody has" + (f", after {more} more that were only counted" if more else "")


def _tell(draft: Draft, subject: str, name: str, asked: Asked) -> None:
    guesses, known = draft.get(Guesses, subject), draft.get(User, user_id(name))
    if guesses is not None and not guesses.told:
        draft.put(msgspec.structs.replace(guesses, told=True))
        who = "" if known is None else known.name
        draft.note(asked, "locked out", who, f"until {_moment(guesses.until)}; what comes before that is not noted", who=who)


def _count(draft: Draft, name: str, asked: Asked) -> None:
    for subject in _subjects(name, asked):
        draft.put(backoff.after_wrong(draft.get(Guesses, subject), subject, asked.at))
    kept = draft.all(Guesses)
    if len(kept) > GUESSES_MAX:
        of_users = {_subject_of_name(each.id) for each in draft.all(User)}
        strangers = [each for each in kept if each.id not in of_users]
        for each in sorted(strangers, key=lambda one: one.wrong[-1])[: len(kept) - GUESSES_MAX]:
            draft.drop(each)


def _subjects(name: str, asked: Asked) -> list[str]:
    near = neighbourhood(asked.address)
    return [_subject_of_name(name), *([f"from:{near}"] if near else [])]


def _subject_of_name(name: str) -> str:
    """By its digest: what was typed in the place of a name may be a password."""
    return f"name:{drawn.digest(user_id(name))[:32]}"


def _locked(until: UtcNs) -> LockedOut:
    return LockedOut(f"too many were wrong; nothing is looked at before {_moment(until)}", until)


def _moment(at: UtcNs) -> str:
    return f"{datetime.fromtimestamp(at // SECOND_NS, UTC):%Y-%m-%d %H:%M:%SZ}"
