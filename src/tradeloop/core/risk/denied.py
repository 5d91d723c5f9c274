"""Our own no: the rule, its limit, what was found, and what to do about it. A value, not an exception (a refusal
is not a bug).
"""

from __future__ import annotations

import msgspec

from tradeloop.core.events import OrderDenied, ReplaceDenied
from tradeloop.core.types import Word


class Uncounted(Word):
    """Why the approval of somebody who was named is none: it is of `own` work, or of somebody `unlisted` in risk.approvers."""

    OWN = "own"
    UNLISTED = "unlisted"


class Denied(msgspec.Struct, frozen=True, gc=False):
    """`rule` is a stable code (docs/reference/risk-rules.md); `limit` and `was` carry the numbers the rule compared; `text` is
    one sentence for a person. `scope`: over what the limit is counted; `this_order`: what the order would add. `approved_by`
    and `uncounted`: whose approval did not count, and why (`Uncounted`), where one would have let it go.
    """

    rule: str
    limit: str
    was: str
    text: str
    scope: str = ""
    this_order: str = ""
    approved_by: str = ""
    uncounted: str = ""

    @classmethod
    def recorded(cls, e: OrderDenied | ReplaceDenied) -> Denied:
        """What was said when it was recorded."""
        return cls(e.rule, e.limit, e.was, e.text, e.scope, e.this_order, e.approved_by if e.uncounted else "", e.uncounted)
