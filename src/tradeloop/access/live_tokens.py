"""One-time tokens for what goes to a live account: given with what was shown, and good for exactly that (S0-42).

A token is good for sixty seconds and once, for the person and the session that it was given to, and for the content that they
were shown, by its hash. It is in memory alone: after a restart what waits is shown anew.
"""

from __future__ import annotations

from typing import Final

import msgspec
from pydantic import SecretStr

from tradeloop.access import drawn
from tradeloop.access.identity import Identity
from tradeloop.core.errors import BadInput
from tradeloop.core.types import SECOND_NS, UtcNs

GOOD_FOR_NS: Final = 60 * SECOND_NS
TOKENS_MAX: Final = 10_000
PER_SESSION_MAX: Final = 20


class Given(msgspec.Struct, frozen=True):
    """One of them: whose it is, what for, until when; and what was shown, where whoever gave it wants that back."""

    token: str
    whose: tuple[str, str]
    content: str
    until: UtcNs
    kept: object = None


class LiveTokens:
    """Those that were given and not used yet, the oldest first."""

    def __init__(self) -> None:
        self._given: dict[str, Given] = {}

    def give(self, identity: Identity, content: str, now: UtcNs, kept: object = None) -> tuple[SecretStr, UtcNs]:
        """A token of a person in a session for this content, and until when it is good. Raises BadInput where too many wait."""
        self._given = {each: given for each, given in self._given.items() if now < given.until}
        whose = (identity.name, identity.session_id)
        own = [each for each, given in self._given.items() if given.whose == whose]
        for oldest in own[: max(0, len(own) - PER_SESSION_MAX + 1)]:
            del self._given[oldest]
        if len(self._given) >= TOKENS_MAX:
            raise BadInput("too many confirmations wait to be given; try again in a minute")
        token, until = drawn.token(), UtcNs(now + GOOD_FOR_NS)
        digest = drawn.digest(token.get_secret_value())
        self._given[digest] = Given(digest, whose, content, until, kept)
        return token, until

    def take(self, token: str, identity: Identity, now: UtcNs, content: str | None = None) -> Given | None:
        """What this token was given for; it is good for nothing more. None where it is none, was used, is over, or was given to
        somebody else, in another session or for another content.
        """
        given = self._given.pop(drawn.digest(token), None)
        if given is None or not given.until - GOOD_FOR_NS <= now < given.until or not identity.session_id:
            return None
        if given.whose != (identity.name, identity.session_id) or content not in (None, given.content):
            return None
        return given

    def give_back(self, given: Given) -> None:
        """Have it good once more: whoever took it mistyped, and nothing came of it."""
        self._given[given.token] = given
