"""What risk says of an order that nobody sends, at a desk: the process that trades gives it to whoever asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tradeloop.audit.risk_answer import denied_document, risk_answer

if TYPE_CHECKING:
    from tradeloop.bootstrap import Desk
    from tradeloop.core.commands import SubmitOrder

__all__ = ["denied_document", "said_of"]


def said_of(desk: Desk, order: SubmitOrder) -> dict[str, Any]:
    """What risk says of an order now, for `--json`. Raises BadInput."""
    return risk_answer(desk.state, desk.engine.around, order, desk.clock.now())
