"""Who asks, as the gate of the API wants to know it (api/identify.py), out of the sessions and keys of an installation."""

from __future__ import annotations

from pydantic import SecretStr

from tradeloop.access.identity import Identity
from tradeloop.access.sessions import csrf_of
from tradeloop.api.identify import SignedIn
from tradeloop.api.people import FRESH_NS, People


class Identified:
    """What `api.identify.Identifies` asks for, by the time of the world and from memory."""

    def __init__(self, people: People) -> None:
        self._people = people

    def by_session(self, session: str, address: str) -> SignedIn | None:
        """Whose session this is; None where it is nobody's, or no more."""
        identity = self._people.access.by_session(session, self._people.now(), address)
        return None if identity is None else SignedIn(identity, csrf_of(session).get_secret_value())

    def by_key(self, key: str, address: str) -> Identity | None:
        """Whose key this is, from an address that it is good for; None where it is nobody's, or no more."""
        return self._people.access.by_key(key, self._people.now(), address)

    def ticket(self, identity: Identity, origin: str, address: str) -> SecretStr:
        """A ticket for one socket of this asker. Raises BadInput where too many wait."""
        return self._people.access.tickets.give(identity, self._people.now(), origin, address)

    def by_ticket(self, ticket: str, origin: str, address: str) -> Identity | None:
        """Whose ticket this is; it is good for nothing more."""
        return self._people.access.by_ticket(ticket, self._people.now(), origin, address)

    def still(self, identity: Identity) -> Identity | None:
        """The same one as they are now; None where their session or key is no longer good."""
        return self._people.access.still(identity, self._people.now())

    def is_fresh(self, session_id: str) -> bool:
        """Whether whoever is in this session proved lately that it is them."""
        return self._people.access.sessions.is_fresh(session_id, self._people.now(), FRESH_NS)
