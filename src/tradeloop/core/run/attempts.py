"""What a new attempt takes over from those before it: the prices its targets in units are made from; and what it does not.

A symbol's price is that of the first attempt whose plan could use one. A market that moved meanwhile does not turn the
residual into another portfolio, and a price that nobody could use the first time, because it was missing, stale or of a
suspended symbol, is not brought back: today's stands in for it. How far a price has run away is measured from what the maker
of the attempt itself saw.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from tradeloop.core.commands import SeenPrice
from tradeloop.core.events import PlanLine
from tradeloop.core.run_book import Run
from tradeloop.core.state import State
from tradeloop.core.types import Px, Symbol

_UNUSABLE: Final = frozenset({"unknown_instrument", "other_currency", "no_price", "stale_price", "suspended"})
"""Codes of lines whose price, if they had one, made no quantity."""


def seen_px(run: Run, line: PlanLine) -> Px | None:
    """The price of a line that the run's maker decided on: the plan's own, or the market's when a retry was made."""
    if run.created.attempt == 1:
        return line.ref_px
    return next((price.px for price in run.created.prices if price.symbol == line.symbol), line.ref_px)


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
