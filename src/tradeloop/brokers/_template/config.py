"""How to reach the venue, and how long to wait for it. Refuses what could not mean anything; never shows a secret."""

from __future__ import annotations

from typing import Final

import msgspec
from typing_extensions import override

from tradeloop.core.errors import BadInput
from tradeloop.core.types import SECOND_NS, AccountID

PLACE_WITHIN_NS: Final = 8 * SECOND_NS
"""The engine gives a request ten seconds; the adapter answers before that, because it knows more about what happened."""


class Secret:
    """A text that no repr, log line or traceback shows. `reveal` is called where it goes to the wire, and nowhere else."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    @override
    def __repr__(self) -> str:
        return "Secret(***)"


class TemplateConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of one account.

    `answer_within_ns`: how long a request waits for its answer before its fate is unknown. `lives_ns`: how long the venue may
    still act on a request; it travels with each, so that the venue itself throws a late one away. `backoff_s`: the waits
    between attempts to come back, the last one for ever. `in_flight_max`: requests that may wait at a time, for their turn or
    for an answer. `line_max`: bytes of the longest line that is read.
    """

    name: str = "template"
    account: AccountID = AccountID("demo")
    host: str = "127.0.0.1"
    port: int
    token: Secret
    connect_within_ns: int = 5 * SECOND_NS
    answer_within_ns: int = 5 * SECOND_NS
    lives_ns: int = 5 * SECOND_NS
    heartbeat_ns: int = 10 * SECOND_NS
    backoff_s: tuple[float, ...] = (1, 2, 4, 8, 16, 30)
    in_flight_max: int = 256
    line_max: int = 8 << 20

    def __post_init__(self) -> None:
        """Refuse settings that could not mean anything."""
        if not 0 < self.port < 65536:
            raise BadInput(f"port was {self.port}; expected 1 to 65535")
        if min(self.connect_within_ns, self.lives_ns, self.heartbeat_ns, self.in_flight_max) <= 0:
            raise BadInput("connect_within_ns, lives_ns, heartbeat_ns and in_flight_max have to be above 0")
        if not 0 < self.answer_within_ns <= PLACE_WITHIN_NS:
            raise BadInput(f"answer_within_ns was {self.answer_within_ns}; expected above 0 and at most {PLACE_WITHIN_NS}")
        if not self.backoff_s or min(self.backoff_s) <= 0:
            raise BadInput(f"backoff_s was {self.backoff_s}; expected at least one wait, all above 0")
