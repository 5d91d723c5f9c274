"""Lists page by page: how many at once, and where the next page begins."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from tradeloop.core.errors import BadInput
from tradeloop.views.queries import PAGE_MAX

LIMIT: Final = 100
Limit = Annotated[int, msgspec.Meta(description=f"How many at once, 1 to {PAGE_MAX}.")]


def page_size(limit: int) -> int:
    """The size of a page. Raises BadInput."""
    if not 1 <= limit <= PAGE_MAX:
        raise BadInput(f"limit was {limit}; expected 1 to {PAGE_MAX}")
    return limit


def following(before: int | None) -> str | None:
    """The cursor of the next page as it is sent; None on the last one."""
    return None if before is None else str(before)
