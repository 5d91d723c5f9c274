"""People and keys in memory, for tests of what asks who they are."""

from __future__ import annotations

import itertools

import msgspec
from pydantic import SecretStr

from tradeloop.access.identity import Identity, Role, Scope, scopes_of
from tradeloop.api.identify import SignedIn


class Known:
    """Sessions and keys that were handed out here; what is revoked is gone with the next request."""

    def __init__(self) -> None:
        self._sessions: dict[str, SignedIn] = {}
        self._keys: dict[str, tuple[Identity, str | None]] = {}
        self._stale: set[str] = set()
        self._tickets: dict[str, tuple[Identity, str, str]] = {}
        self._count = itertools.count(1)

    def session(self, name: str, *roles: Role) -> tuple[str, str]:
        """A session of somebody: its cookie and its token."""
        held = frozenset(roles)
        cookie, csrf = f"session-of-{name}", f"csrf-of-{name}"
        self._sessions[cookie] = SignedIn(Identity(name, held, scopes_of(held), session_id=cookie), csrf)
        return cookie, csrf

    def key(self, name: str, *scopes: Scope, accounts: frozenset[str] | None = None, address: str | None = None) -> str:
        """A key of somebody."""
        key = f"tlk_{name}"
        self._keys[key] = (Identity(name, frozenset(), frozenset(scopes), accounts, key_id=key), address)
        return key

    def revoke(self, what: str) -> None:
        """End a session or a key."""
        self._sessions.pop(what, None)
        self._keys.pop(what, None)

    def narrow(self, key: str, *scopes: Scope) -> None:
        """Leave a key these scopes."""
        identity, address = self._keys[key]
        self._keys[key] = (msgspec.structs.replace(identity, scopes=frozenset(scopes)), address)

    def ticket(self, identity: Identity, origin: str, address: str) -> SecretStr:
        """A ticket for one socket."""
        ticket = f"ticket-{next(self._count)}"
        self._tickets[ticket] = (identity, origin, address)
        return SecretStr(ticket)

    def by_ticket(self, ticket: str, origin: str, address: str) -> Identity | None:
        """Whose ticket this is, once."""
        identity, *whence = self._tickets.pop(ticket, (None, "", ""))
        return None if identity is None or whence != [origin, address] else self.still(identity)

    def still(self, identity: Identity) -> Identity | None:
        """The same one as they are now."""
        if identity.key_id:
            return self._keys.get(identity.key_id, (None, None))[0]
        signed = self._sessions.get(identity.session_id)
        return None if signed is None else signed.identity

    def grow_stale(self, cookie: str) -> None:
        """Let so much time pass that whoever is in this session has to prove anew that it is them."""
        self._stale.add(cookie)

    def is_fresh(self, session_id: str) -> bool:
        """Whether that is not needed."""
        return session_id not in self._stale

    def by_session(self, session: str, address: str) -> SignedIn | None:
        """Whose session this is."""
        return self._sessions.get(session)

    def by_key(self, key: str, address: str) -> Identity | None:
        """Whose key this is, from where it is good for."""
        identity, only = self._keys.get(key, (None, None))
        return identity if only in (None, address) else None
