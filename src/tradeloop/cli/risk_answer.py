"""What risk says of an order that nobody sends, as a document: the process that trades gives it to whoever asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tradeloop.core.hypothetical import explain
from tradeloop.core.risk.chinese import in_chinese

if TYPE_CHECKING:
    from tradeloop.bootstrap import Desk
    from tradeloop.core.commands import SubmitOrder
    from tradeloop.core.hypothetical import Figure
    from tradeloop.core.risk.denied import Denied


def said_of(desk: Desk, order: SubmitOrder) -> dict[str, Any]:
    """What risk says of an order now, for `--json`. Raises BadInput."""
    answer = explain(desk.state, desk.engine.around, order, desk.clock.now())
    denied = answer.denied
    return {
        "denied": None if denied is None else denied_document(denied),
        "waits": answer.verdict.waits_for is not None and denied is None,
        "checks": [
            {
                "check": each.code,
                "passed": each.denied is None if each.asked else None,
                "text": "" if each.denied is None else each.denied.text,
            }
            for each in answer.checks
        ],
        "limits": [_figure(each) for each in answer.figures],
    }


def denied_document(denied: Denied) -> dict[str, Any]:
    """A denial with its parts."""
    return {
        "rule": denied.rule,
        "limit": denied.limit,
        "was": denied.was,
        "scope": denied.scope,
        "this_order": denied.this_order,
        "text": denied.text,
        "text_zh": in_chinese(denied),
    }


def _figure(each: Figure) -> dict[str, Any]:
    return {
        "rule": each.limit.rule,
        "scope": each.limit.where,
        "severity": each.limit.severity.value,
        "shadow": each.limit.shadow,
        "limit": each.most,
        "was": each.was,
        "this_order": each.adds,
        "beyond": each.is_beyond,
        "missing": each.missing,
        "silent": each.silent,
    }
