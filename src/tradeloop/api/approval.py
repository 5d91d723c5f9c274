"""Approvals over HTTP: there are none yet, and a name that somebody else wrote is none.

A desk knows over HTTP who asks, by a key or a session. What such a request says of another person nobody has proven, so it is
refused; at the command line names are taken at their word (docs/how-to/limit-risk.md).
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from tradeloop.core.errors import BadInput

_SHOWN_MAX: Final = 40
_WHY_EMPTY: Final = "Refused unless it is empty: who approves says so, and here nobody can yet; see the command line."

ApprovedBy = Annotated[str, msgspec.Meta(description=_WHY_EMPTY)]


def refuse_unproven(approved_by: str) -> None:
    """Raise BadInput where a request names somebody who would have approved it."""
    if approved_by:
        raise BadInput(
            f"approved_by was {approved_by[:_SHOWN_MAX]!a}; an approval is given by who approves, which the API cannot take:"
            " leave it away, and make what needs two people at the command line with --approved-by"
        )
