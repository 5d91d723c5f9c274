"""What a user's roles come to now: the roles, less what the state of the account withholds.

Whoever trades live needs a second factor, and whoever still has a password that somebody else knows may only change it.
"""

from __future__ import annotations

from typing import Final

from tradeloop.access.identity import Identity, Scope, scopes_of
from tradeloop.access.records import Key, Session, User

NEEDS_A_FACTOR: Final = frozenset({Scope.ORDER_LIVE})


def granted(user: User) -> frozenset[Scope]:
    """What a user may do now."""
    if user.disabled or user.must_change:
        return frozenset()
    scopes = scopes_of(user.roles)
    return scopes if user.factor is not None else scopes - NEEDS_A_FACTOR


def identity_in(user: User, session: Session) -> Identity:
    """A user in a session."""
    return Identity(user.name, user.roles, granted(user), session_id=session.id)


def identity_with(owner: User, key: Key) -> Identity:
    """A program with a key: never more than its owner may now."""
    return Identity(owner.name, owner.roles, key.scopes & granted(owner), key.accounts, key_id=key.id)
