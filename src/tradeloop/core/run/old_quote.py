"""A plan that waited goes by present prices: while its market is open, a quote that is too old lets nothing go."""

from __future__ import annotations

from tradeloop.core import market
from tradeloop.core.errors import BadInput
from tradeloop.core.reports import Quote
from tradeloop.core.run.sizing import seconds
from tradeloop.core.run_book import Run
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import UtcNs


def refuse_an_old_quote(around: Surroundings, run: Run, quote: Quote, now: UtcNs) -> None:
    """Raise BadInput where the last quote of a symbol is none of the present."""
    if market.is_current(around, quote, now):
        return
    limit, age = around.policy.max_quote_age_ns, now - quote.at
    if age < 0:
        was, do = f"was stamped {seconds(-age)} ahead of our clock", "check both clocks"
    else:
        was, do = f"was {seconds(age)} old", "wait for its next quote or look why its feed is silent"
    raise BadInput(
        f"run {run.created.run_id} needs a present price of {quote.symbol}, at most {seconds(limit)} old while its market is"
        f" open; its last quote {was}; {do}, then approve again"
    )
