"""Sessions: who is signed in, since when and from where, until they leave, are sent away, or their time is over.

A token of 260 bits stands for one; its digest alone is kept. When it was last used is kept in memory and written now and then:
a restart may end a session a minute early, never late.
"""

from __future__ import annotations

import hmac
import re
from hashlib import sha256
from typing import Final

import msgspec
from pydantic import SecretStr

from tradeloop.access import drawn
from tradeloop.access.asked import Asked
from tradeloop.access.granted import identity_in
from tradeloop.access.identity import Identity
from tradeloop.access.names import user_id
from tradeloop.access.records import Session, User
from tradeloop.access.refusals import Missing
from tradeloop.access.store import AccessStore, Draft
from tradeloop.core.types import SECOND_NS, UtcNs

PER_USER_MAX: Final = 20
SEEN_EVERY_NS: Final = 60 * SECOND_NS
_ID: Final = 20
"""Hexadecimal digits, 80 bits, of the token's digest: a name for lists that opens nothing."""
_AGENT_MAX: Final = 200
_TOKEN: Final = re.compile(r"[A-Z2-7]{52}")


class SessionTimes(msgspec.Struct, frozen=True):
    """When a session ends by itself: unused, and in any case. A market is watched for a day without a touch, and whoever
    watches must be able to stop it; a day is the longest that NIST SP 800-63B-4 (2.2.3) advises.
    """

    idle_ns: int = 8 * 3600 * SECOND_NS
    longest_ns: int = 24 * 3600 * SECOND_NS


class SignedIn(msgspec.Struct, frozen=True):
    """What whoever signed in is given: the token for the cookie, the one against forged requests, and who they are."""

    token: SecretStr
    csrf: SecretStr
    identity: Identity
    ends_at: UtcNs


class SessionShown(msgspec.Struct, frozen=True):
    """A session as lists show it. `seen_at` is of now, `ends_at` if nobody uses it any more."""

    id: str
    user: str
    made_at: UtcNs
    seen_at: UtcNs
    ends_at: UtcNs
    address: str
    agent: str
    with_factor: bool
    confirmed_at: UtcNs


class Sessions:
    """All of them."""

    def __init__(self, store: AccessStore, times: SessionTimes) -> None:
        self._store, self._times = store, times
        self._seen: dict[str, tuple[UtcNs, str]] = {}

    def begin(self, draft: Draft, user: User, asked: Asked, agent: str, *, with_factor: bool) -> SignedIn:
        """A new one in a change, under a new token."""
        token = drawn.token()
        kept = drawn.digest(token.get_secret_value())
        own = sorted((each for each in draft.all(Session) if each.user == user.id), key=lambda each: each.made_at)
        for oldest in own[: max(0, len(own) - PER_USER_MAX + 1)]:
            draft.drop(oldest)
        shown = "".join(each if each.isprintable() and each.isascii() else " " for each in agent[:_AGENT_MAX])
        session = Session(kept[:_ID], user.id, kept, asked.at, asked.at, asked.address[:64], shown, asked.at, with_factor)
        draft.put(session)
        return SignedIn(token, csrf_of(token.get_secret_value()), identity_in(user, session), self._ends(session))

    def by_token(self, token: str, now: UtcNs, address: str) -> Identity | None:
        """Who has this token, and note that they were here; None where it is nobody's, or no longer."""
        session = self._found(token)
        return None if session is None else self._live(session, now, address)

    def still(self, session_id: str, now: UtcNs) -> Identity | None:
        """Who is in this session now; for a socket that stays open. It counts as no use of it."""
        session = self._store.get(Session, session_id)
        return None if session is None else self._live(session, now, None)

    def session_of(self, token: str) -> Session | None:
        """The session of a token, whether or not it is over."""
        return self._found(token)

    def shown(self, now: UtcNs, name: str | None = None) -> list[SessionShown]:
        """Those that are open, of one user or of all; the newest first."""
        only = None if name is None else user_id(name)
        found = []
        for each in self._store.all(Session):
            user = self._store.get(User, each.user)
            if user is None or (only is not None and each.user != only) or self._live(each, now, None) is None:
                continue
            at, address = self._seen_at(each)
            found.append(
                SessionShown(
                    each.id,
                    user.name,
                    each.made_at,
                    at,
                    self._ends(each),
                    address,
                    each.agent,
                    each.with_factor,
                    each.confirmed_at,
                )
            )
        return sorted(found, key=lambda each: each.made_at, reverse=True)

    async def end(self, session_id: str, asked: Asked) -> None:
        """End one. Raises Missing where there is none."""

        def decide(draft: Draft) -> None:
            session = draft.get(Session, session_id)
            if session is None:
                raise Missing(f"there is no session {session_id[:40]!r}; it may have ended already")
            draft.drop(session)
            draft.note(asked, "session ended", session.user, session.id)

        await self._store.change(decide)

    async def end_all(self, name: str, asked: Asked, but: str = "") -> int:
        """End those of a user, but one if it is named; how many there were."""
        return await self._store.change(lambda draft: end_all(draft, user_id(name), asked, but))

    def is_fresh(self, session_id: str, now: UtcNs, within_ns: int) -> bool:
        """Whether password or code were given within this time."""
        session = self._store.get(Session, session_id)
        return session is not None and 0 <= now - session.confirmed_at <= within_ns

    def keep(self, draft: Draft, now: UtcNs) -> None:
        """Write when each was last used, and let go of those that are over."""
        for each in draft.all(Session):
            at, address = self._seen_at(each)
            if self._is_over(each, now) or draft.get(User, each.user) is None:
                draft.drop(each)
            elif at >= each.seen_at + SEEN_EVERY_NS or (at > each.seen_at and address != each.address):
                draft.put(msgspec.structs.replace(each, seen_at=at, address=address))

    def forget(self) -> None:
        """Let go of what memory knows of sessions that are gone."""
        for session_id in [each for each in self._seen if self._store.get(Session, each) is None]:
            del self._seen[session_id]

    def _found(self, token: str) -> Session | None:
        if not _TOKEN.fullmatch(token):
            return None
        given = drawn.digest(token)
        session = self._store.get(Session, given[:_ID])
        return session if session is not None and hmac.compare_digest(session.token, given) else None

    def _live(self, session: Session, now: UtcNs, address: str | None) -> Identity | None:
        user = self._store.get(User, session.user)
        if user is None or user.disabled or self._is_over(session, now):
            return None
        if address is not None:
            self._seen[session.id] = (max(now, self._seen_at(session)[0]), address[:64])
        return identity_in(user, session)

    def _seen_at(self, session: Session) -> tuple[UtcNs, str]:
        at, address = self._seen.get(session.id, (session.seen_at, session.address))
        return (at, address) if at >= session.seen_at else (session.seen_at, session.address)

    def _ends(self, session: Session) -> UtcNs:
        return UtcNs(min(self._seen_at(session)[0] + self._times.idle_ns, session.made_at + self._times.longest_ns))

    def _is_over(self, session: Session, now: UtcNs) -> bool:
        return now >= self._ends(session)


def end_all(draft: Draft, user: str, asked: Asked, but: str = "") -> int:
    """End every session of a user in a change, but one if it is named; how many there were."""
    gone = [each for each in draft.all(Session) if each.user == user and each.id != but]
    for each in gone:
        draft.drop(each)
    if gone:
        draft.note(asked, "sessions ended", user, f"{len(gone)} of them")
    return len(gone)


def csrf_of(token: str) -> SecretStr:
    """What a page says beside its cookie with every change: made from the token, so that nothing more is kept, and of no use to
    make the token from.
    """
    return SecretStr(hmac.new(token.encode(errors="surrogatepass"), b"tradeloop csrf", sha256).hexdigest())


def is_csrf_of(token: str, given: str) -> bool:
    """Whether a page said the right one."""
    return hmac.compare_digest(csrf_of(token).get_secret_value().encode(), given.encode(errors="surrogatepass"))
