"""Who asks, and what that lets them do: roles of people, scopes of keys.

A role is a set of scopes, and a person may have several roles. An API key has scopes of its own, and none that its owner lacks.
To stop the desk is open to every role but the viewer's (docs/adr/0024-the-web-desk.md).
"""

from __future__ import annotations

from enum import Enum
from typing import Final

import msgspec


class Scope(Enum):
    """One thing that may be done."""

    READ_MARKET = "read:md"
    """Quotes, instruments, calendars."""
    READ_ACCOUNT = "read:acct"
    """Orders, fills, positions, money, runs, breaks, limits."""
    ORDER_PAPER = "order:paper"
    """Orders, changes and runs where nothing real is traded."""
    ORDER_LIVE = "order:live"
    """The same at a live broker."""
    CANCEL = "cancel"
    """Cancel orders and runs."""
    HALT = "halt"
    """Stop the desk in every tier."""
    RISK = "risk:write"
    """Limits, releases of halts, orders of unknown fate, differences between books."""
    AUDIT = "read:audit"
    """Who did what."""
    ADMIN = "admin"
    """Users, keys, sessions, brokers, settings."""


class Role(Enum):
    """What a person is on this desk; who works alone is all of it."""

    VIEWER = "viewer"
    TRADER = "trader"
    RISK = "risk"
    ADMIN = "admin"


_SEES: Final = frozenset({Scope.READ_MARKET, Scope.READ_ACCOUNT})

SCOPES: Final[dict[Role, frozenset[Scope]]] = {
    Role.VIEWER: _SEES,
    Role.TRADER: _SEES | {Scope.ORDER_PAPER, Scope.ORDER_LIVE, Scope.CANCEL, Scope.HALT},
    Role.RISK: _SEES | {Scope.CANCEL, Scope.HALT, Scope.RISK, Scope.AUDIT},
    Role.ADMIN: _SEES | {Scope.HALT, Scope.AUDIT, Scope.ADMIN},
}
"""An admin does not trade, and whoever trades does not set the limits, unless one person was given both roles."""


class Identity(msgspec.Struct, frozen=True):
    """A person in a session, or a program with a key; `name` is what the journal calls them."""

    name: str
    roles: frozenset[Role]
    scopes: frozenset[Scope]
    accounts: frozenset[str] | None = None
    """The accounts a key is good for; None for all."""
    session_id: str = ""
    key_id: str = ""

    def may(self, scope: Scope) -> bool:
        """Whether that may be done."""
        return scope in self.scopes


def scopes_of(roles: frozenset[Role]) -> frozenset[Scope]:
    """What these roles let do together."""
    return frozenset().union(*(SCOPES[role] for role in roles))
