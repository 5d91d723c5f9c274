"""A denial as a document, the same wherever one is told: of an order, a change of one, a line of a run, or of a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tradeloop.audit.risk_answer import denied_document
from tradeloop.cli.record import plain_rows
from tradeloop.core.risk.denied import Denied

if TYPE_CHECKING:
    from tradeloop.views.rows import DenialRow, OrderRow

__all__ = ["denied_document", "order_documents", "recorded_denial"]


def recorded_denial(row: DenialRow) -> dict[str, Any]:
    """The same of a denial as the read models have it, and whether the order had been staged before."""
    denied = Denied(row.rule, row.limit_value, row.was, row.text, row.scope, row.this_order, row.approved_by, row.uncounted)
    return denied_document(denied) | {"late": row.late}


def order_documents(rows: Sequence[OrderRow], denials: Mapping[str, DenialRow]) -> list[dict[str, Any]]:
    """Orders for a JSON document; `denied` is why risk refused one, and null of every other."""
    return [
        document | {"denied": recorded_denial(denials[row.id]) if row.id in denials else None}
        for row, document in zip(rows, plain_rows(list(rows)), strict=True)
    ]
