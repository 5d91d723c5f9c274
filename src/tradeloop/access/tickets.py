"""One-time tickets: a browser can give a WebSocket no header, so it gives a ticket that was asked for with one.

A ticket is good for thirty seconds and once, for whoever asked for it, from the origin and the address they asked from, as long
as their session or key is good. It is in memory alone.
"""

from __future__ import annotations

from typing import Final

import msgspec
from pydantic import SecretStr

from tradeloop.access import drawn
from tradeloop.access.addresses import neighbourhood
from tradeloop.access.identity import Identity
from tradeloop.core.errors import BadInput
from tradeloop.core.types import SECOND_NS, UtcNs

GOOD_FOR_NS: Final = 30 * SECOND_NS
TICKETS_MAX: Final = 10_000
PER_IDENTITY_MAX: Final = 20


class _Given(msgspec.Struct, frozen=True):
    """One of them: session and key id, one of them empty, from where it was asked for, and until when it is good."""

    whose: tuple[str, str]
    origin: str
    address: str
    until: UtcNs


class Tickets:
    """Those that were given and not used yet, the oldest first."""

    def __init__(self) -> None:
        self._given: dict[str, _Given] = {}

    def give(self, identity: Identity, now: UtcNs, origin: str = "", address: str = "") -> SecretStr:
        """A ticket for who is in this session or has this key. Raises BadInput where too many wait."""
        whose = (identity.session_id, identity.key_id)
        self._given = {each: kept for each, kept in self._given.items() if now < kept.until}
        own = [each for each, kept in self._given.items() if kept.whose == whose]
        for oldest in own[: max(0, len(own) - PER_IDENTITY_MAX + 1)]:
            del self._given[oldest]
        if len(self._given) >= TICKETS_MAX:
            raise BadInput("too many tickets wait to be used; try again in half a minute")
        ticket = drawn.token()
        until = UtcNs(now + GOOD_FOR_NS)
        self._given[drawn.digest(ticket.get_secret_value())] = _Given(whose, origin, neighbourhood(address), until)
        return ticket

    def take(self, ticket: str, now: UtcNs, origin: str = "", address: str = "") -> tuple[str, str] | None:
        """Session id and key id, one of them empty, of whoever this was given to; it is good for nothing more. None where it is
        none, was used, is older than thirty seconds, or comes from another origin or address than it was given to.
        """
        found = self._given.pop(drawn.digest(ticket), None)
        if found is None or not found.until - GOOD_FOR_NS <= now < found.until:
            return None
        if (found.origin, found.address) != (origin, neighbourhood(address)):
            return None
        return found.whose
