"""What risk says of an order that nobody sends, as a document: the same for the command line and over HTTP."""

from __future__ import annotations

from typing import Any

from tradeloop.core.commands import SubmitOrder
from tradeloop.core.hypothetical import Figure, explain
from tradeloop.core.risk.chinese import in_chinese
from tradeloop.core.risk.denied import Denied
from tradeloop.core.risk.registry import words_of
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import UtcNs


def risk_answer(state: State, around: Surroundings, order: SubmitOrder, now: UtcNs) -> dict[str, Any]:
    """What risk says of an order now: every check, and every limit with its figures. Raises BadInput."""
    answer = explain(state, around, order, now)
    denied = answer.denied
    return {
        "denied": None if denied is None else denied_document(denied),
        "waits": answer.verdict.waits_for is not None and denied is None,
        "checks": [
            {
                "check": each.code,
                "passed": each.denied is None if each.asked else None,
                "text": "" if each.denied is None else each.denied.text,
                "denied": None if each.denied is None else denied_document(each.denied),
            }
            for each in answer.checks
        ],
        "limits": [_figure(each) for each in answer.figures],
    }


def denied_document(denied: Denied) -> dict[str, Any]:
    """A denial with its parts, in English and in Chinese."""
    words = words_of(denied.rule)
    return {
        "rule": denied.rule,
        "scope": denied.scope,
        "limit": denied.limit,
        "was": denied.was,
        "this_order": denied.this_order,
        "remedy": "" if words is None else words.remedy,
        "remedy_zh": "" if words is None else words.remedy_zh,
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
