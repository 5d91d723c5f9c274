"""What a new attempt takes over from those before it: the prices its targets in units are made from.

A symbol's price is that of the first attempt whose plan could use one. A market that moved meanwhile does not turn the
residual into another portfolio, and a price that nobody could use the first time, because it was missing, stale or of a
suspended symbol, is not brought back: today's stands in for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from tradeloop.core.commands import SeenPrice
from tradeloop.core.state import Run, State
from tradeloop.core.types import Px, Symbol

_UNUSABLE: Final = frozenset({"unknown_instrument", "other_currency", "no_price", "stale_price", "suspended"})
"""Codes of lines whose price, if they had one, made no quantity."""


def planned_prices(state: State, old: Run, seen: Iterable[SeenPrice]) -> tuple[SeenPrice, ...]:
    """What was seen now, at the prices that the attempts up to `old` were planned with."""
    attempts = [old]
    while (before := attempts[-1].created.supersedes) is not None:
        attempts.append(state.runs[before])
    first: dict[Symbol, Px] = {}
    for run in reversed(attempts):
        for leg in run.legs:
            if leg.line.ref_px is not None and leg.line.code not in _UNUSABLE:
                first.setdefault(leg.line.symbol, leg.line.ref_px)
    return tuple(replace(price, px=first.get(price.symbol, price.px)) for price in seen)
