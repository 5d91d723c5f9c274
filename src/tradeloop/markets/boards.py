"""Which board a code belongs to, by its prefix, on a day.

A board is where a security's rules come from: lots, ticks, price limits. The longest matching prefix wins. Kinds
other than stock, fund and convertible (index, b_share, bond) are listed so that a refusal can say what the code is instead of
"unknown".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from typing_extensions import override

from tradeloop.core.errors import BadInput
from tradeloop.markets.tables import Dated, Table, kept, read_table
from tradeloop.markets.written import shown

TRADABLE = ("stock", "fund", "convertible")
KINDS = (*TRADABLE, "index", "b_share", "bond")
_PREFIX = re.compile(r"[0-9]{1,6}", re.ASCII)
EXCHANGE_NAMES = {"SH": "Shanghai", "SZ": "Shenzhen", "BJ": "Beijing"}


class BoardRow(Dated, frozen=True, kw_only=True):
    """Codes of one venue that begin with one of `prefixes`: their board and kind."""

    venue: str
    board: str
    kind: str
    prefixes: tuple[str, ...]

    @override
    def fault(self) -> str:
        """Also a venue, a kind or a prefix that no code has."""
        if self.venue not in EXCHANGE_NAMES:
            return f"venue was {shown(self.venue)}; expected one of {', '.join(EXCHANGE_NAMES)}"
        if self.kind not in KINDS:
            return f"kind was {shown(self.kind)}; expected one of {', '.join(KINDS)}"
        if not self.board.strip():
            return "board was empty; expected a name"
        bad = next((each for each in self.prefixes if not _PREFIX.fullmatch(each)), None if self.prefixes else "")
        if bad is not None:
            return f"prefixes held {shown(bad)}; expected one to six digits each"
        return super().fault()

    @override
    def rules(self) -> Iterator[tuple[object, ...]]:
        """One key a prefix."""
        for prefix in self.prefixes:
            yield (self.venue, prefix)


@kept
def boards() -> Table[BoardRow]:
    """The board table."""
    return read_table("boards.yaml", BoardRow)


@kept
def _by_prefix() -> dict[tuple[str, str], tuple[BoardRow, ...]]:
    found: dict[tuple[str, str], tuple[BoardRow, ...]] = {}
    for row in boards().rows:
        for prefix in row.prefixes:
            key = (row.venue, prefix)
            found[key] = (*found.get(key, ()), row)
    return found


def rows_for(code: str, venue: str) -> tuple[BoardRow, ...]:
    """The rows of the longest prefix of `code` that `venue` knows, oldest first; empty when it knows none."""
    for length in range(len(code), 0, -1):
        rows = _by_prefix().get((venue, code[:length]))
        if rows:
            return rows
    return ()


def kind_at(code: str, venue: str) -> str:
    """What the venue calls a code by its prefix: stock, fund, convertible, index, b_share, bond, or empty when unknown."""
    rows = rows_for(code, venue)
    return rows[-1].kind if rows else ""


def board_of(code: str, venue: str, on: date) -> BoardRow:
    """The board of a six-digit code on a day; `BadInput` when its prefix is unknown or not in use that day."""
    rows = rows_for(code, venue)
    if not rows:
        raise BadInput(f"{code} has a prefix that {EXCHANGE_NAMES.get(venue, venue)} does not use")
    ended = [row for row in rows if row.effective_to is not None and row.effective_to < on]
    if len(ended) == len(rows) and rows[-1].note:
        raise BadInput(f"{code}.{venue} was in use until {rows[-1].effective_to}: {rows[-1].note}")
    return boards().on(on, f"{code}.{venue}", rows)
