"""What is asked of a list: which word a filter names, how many at once, and where the next page begins."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Final, TypeVar

import msgspec

from tradeloop.core.errors import BadInput
from tradeloop.core.types import SECOND_NS, Word
from tradeloop.views.queries import PAGE_MAX

W = TypeVar("W", bound=Word)

LIMIT: Final = 100
Limit = Annotated[int, msgspec.Meta(description=f"How many at once, 1 to {PAGE_MAX}.")]


Cursor = Annotated[int | None, msgspec.Meta(description="Where the next page begins: the `next` of the last one.")]
_CURSOR_MAX: Final = 2**63


def page_from(cursor: int | None) -> int | None:
    """Where a page begins. Raises BadInput for what no list ever gave."""
    if cursor is not None and not 0 < cursor < _CURSOR_MAX:
        raise BadInput("cursor was none that a list gave; leave it away for the first page")
    return cursor


def page_size(limit: int) -> int:
    """The size of a page. Raises BadInput."""
    if not 1 <= limit <= PAGE_MAX:
        raise BadInput(f"limit was {limit}; expected 1 to {PAGE_MAX}")
    return limit


def following(before: int | None) -> str | None:
    """The cursor of the next page as it is sent; None on the last one."""
    return None if before is None else str(before)


def word_asked(name: str, written: str | None, words: type[W]) -> W | None:
    """The word a filter names, in letters of any case; None where it names none. Raises BadInput for no word of these."""
    if written is None:
        return None
    known: dict[str, W] = {each.value: each for each in words}
    if written.upper() not in known:
        raise BadInput(f"{name} was {written[:40]!r}; expected one of {', '.join(known)}")
    return known[written.upper()]


def one_of(name: str, written: str | None, words: Iterable[str]) -> str | None:
    """The same of words that are text. Raises BadInput."""
    if written is None:
        return None
    known = list(words)
    if written.upper() not in known:
        raise BadInput(f"{name} was {written[:40]!r}; expected one of {', '.join(known)}")
    return written.upper()


def moment_asked(name: str, written: str | None) -> int | None:
    """The moment a filter names, in nanoseconds; None where it names none. Raises BadInput where it lacks a zone."""
    if written is None:
        return None
    try:
        at = datetime.fromisoformat(written)
        if at.tzinfo is None:
            raise ValueError
        found = int(at.timestamp()) * SECOND_NS + at.microsecond * 1_000
        if not 0 <= found < _CURSOR_MAX:
            raise ValueError
        return found
    except (ValueError, OverflowError):
        raise BadInput(f"{name} was {written[:40]!r}; expected a time with its zone such as 2026-07-17T01:30:00Z") from None
