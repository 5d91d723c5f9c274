"""Our own no: the rule, its limit, what was found, and what to do about it. A value, not an exception (a refusal
is not a bug).
"""

from __future__ import annotations

import msgspec


class Denied(msgspec.Struct, frozen=True, gc=False):
    """`rule` is a stable code; `limit` and `was` carry the numbers the rule compared; `text` is one sentence for a person."""

    rule: str
    limit: str
    was: str
    text: str
