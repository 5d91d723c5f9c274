"""People and keys in memory, for tests of what asks who they are."""

from __future__ import annotations

from tradeloop.access.identity import Identity, Role, Scope, scopes_of
from tradeloop.api.identify import SignedIn


class Known:
    """Sessions and keys that were handed out here; what is revoked is gone with the next request."""

    def __init__(self) -> None:
        self._sessions: dict[str, SignedIn] = {}
        self._keys: dict[str, tuple[Identity, str | None]] = {}
        self._stale: set[str] = set()

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
