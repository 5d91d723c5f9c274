"""What a new attempt takes over from those before it: the prices its targets in units are made from; and what it does not.

The equity is that of the first attempt, too: what is left of a decision is worked, and its weights are fractions of the equity
it was taken with. Who wants the weights of today's equity makes a new run.

A symbol's price is that of the first attempt whose plan could use one. A market that moved meanwhile does not turn the
residual into another portfolio, and a price that nobody could use the first time, because it was missing, stale, of a
suspended symbol, or one of the target's own that was far from the market, is not brought back: today's stands in for it.
Where a price has risen so far that those units would be worth more than their weight, the present price makes fewer of them.
How far a price has run away is measured from what the maker of the attempt itself saw.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from tradeloop.core.commands import SeenPrice, StartRun
from tradeloop.core.events import PlanLine
from tradeloop.core.run.drift import NONE_REFUSED, PRICE_DRIFT, Refused, risen, turned
from tradeloop.core.run.funds import holdings
from tradeloop.core.run.plan import LEFT_BEHIND, plan
from tradeloop.core.run_book import Run
from tradeloop.core.state import State
from tradeloop.core.types import Px, Symbol, UtcNs

UNUSABLE: Final = frozenset({"unknown_instrument", "other_currency", "no_price", "stale_price", "suspended", PRICE_DRIFT})
"""Codes of lines whose price, if they had one, made no quantity."""


def seen_px(run: Run, line: PlanLine) -> Px | None:
    """The price of a line that the run's maker decided on: the plan's own, or the market's when a retry was made."""
    if run.created.attempt == 1:
        return line.ref_px
    return next((price.px for price in run.created.prices if price.symbol == line.symbol), line.ref_px)


def retried_lines(
    state: State, old: Run, cmd: StartRun, now: UtcNs, max_drift: Decimal
) -> tuple[tuple[PlanLine, ...], dict[Symbol, tuple[str, str]]]:
    """The plan of the next attempt after `old`, towards its units where they are worth no more than their weight and the drift
    that is allowed; and what is refused because its weight is held already.
    """
    was = old.created

    def planned(prices: Iterable[SeenPrice], refused: Refused = NONE_REFUSED) -> tuple[PlanLine, ...]:
        return plan(
            cmd.targets,
            prices,
            state.instruments,
            holdings(state, was.account),
            was.equity,
            was.rounding,
            False,
            now=now,
            max_quote_age_ns=cmd.limits.max_quote_age_ns,
            currency=was.currency,
            kept_because=LEFT_BEHIND,
            refused=refused,
        )

    prices = planned_prices(state, old, cmd.prices)
    lines = planned(prices)
    dearer = risen(lines, cmd.prices, max_drift)
    if not dearer:
        return lines, {}
    present = [replace(price, px=dearer.get(price.symbol, price.px)) for price in prices]
    refused = turned(planned(present), dearer)
    return planned(present, refused), dict(refused)


def planned_prices(state: State, old: Run, seen: Iterable[SeenPrice]) -> tuple[SeenPrice, ...]:
    """What was seen now, at the prices that the attempts up to `old` were planned with."""
    attempts = [old]
    while (before := attempts[-1].created.supersedes) is not None:
        attempts.append(state.runs[before])
    first: dict[Symbol, Px] = {}
    for run in reversed(attempts):
        brought = {target.symbol for target in run.created.targets if target.price is not None}
        traded = {leg.line.symbol for leg in run.legs if leg.cl_ord_id is not None}
        for leg in run.legs:
            symbol = leg.line.symbol
            slip = leg.code == PRICE_DRIFT and symbol in brought and symbol not in traded
            if leg.line.ref_px is not None and leg.line.code not in UNUSABLE and not slip:
                first.setdefault(symbol, leg.line.ref_px)
    return tuple(replace(price, px=first.get(price.symbol, price.px)) for price in seen)
