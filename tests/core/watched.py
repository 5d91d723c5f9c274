"""A desk whose every fact is asked the invariants that the writer asks before it records one (engine/invariants.py)."""

from __future__ import annotations

from typing import Any

from typing_extensions import override

from tradeloop.core.events import Event
from tradeloop.core.inputs import Input
from tradeloop.core.replies import Reply
from tradeloop.engine.invariants import Invariants
from tradeloop.testing.desk import Desk


class WatchedDesk(Desk):
    """Raises InvariantBroken where the writer would have stopped."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.invariants = Invariants(self.state, self.around)

    @override
    def apply(self, event: Event) -> None:
        then = self.invariants.before(event)
        super().apply(event)
        if then is not None:
            then()

    @override
    def give(self, *inputs: Input) -> Reply | None:
        reply: Reply | None = None
        for given in inputs:
            reply = super().give(given)
            self.invariants.decided()
        return reply
