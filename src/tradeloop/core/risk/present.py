"""What there is now of what a limit bounds, without an order: for whoever sets a limit below it.

Asked for a person's command alone, never for an order: it walks what is held, what works and what was done today.
"""

from __future__ import annotations

from collections.abc import Iterator

from tradeloop.core.events import OrderStaged
from tradeloop.core.instrument import Instrument
from tradeloop.core.limit import RiskLimit
from tradeloop.core.risk.judging import Beyond, figures
from tradeloop.core.risk.registry import RULES
from tradeloop.core.risk.rule import Look, Measured
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import (
    AccountID,
    ClOrdID,
    OrdType,
    PositionEffect,
    Qty,
    Side,
    Symbol,
    TimeInForce,
    TradingDay,
    UtcNs,
)

Place = tuple[AccountID, Symbol, str]
"""(account, symbol, strategy)"""


def beyond_now(state: State, around: Surroundings, limit: RiskLimit, now: UtcNs) -> str | None:
    """What is beyond the limit already, and by which figures: the first found; None where nothing known is."""
    rule = RULES.get(limit.rule)
    if rule is None:
        return None
    for account, symbol, strategy_id in _places(state):
        instrument = state.instruments.get(symbol)
        if instrument is None or not limit.covers(account, strategy_id, symbol, instrument):
            continue
        for side in (Side.BUY, Side.SELL):
            found = rule.measure(_smallest(state, around, (account, symbol, strategy_id), side, instrument, now), limit)
            if not isinstance(found, Measured):
                continue
            value = limit.value if found.of is None else limit.value * found.of
            if found.current < value if rule.at_least else found.current > value:
                bound = "at least" if rule.at_least else "at most"
                most, was, _ = figures(rule, Beyond(limit, found))
                return f"{symbol} of {account}: {was} of {bound} {most}"
    return None


def _places(state: State) -> Iterator[Place]:
    held: Iterator[Place] = (
        (account, symbol, "")
        for account, by_symbol in state.positions.items()
        for symbol, position in by_symbol.items()
        if not position.is_flat
    )
    legs = (state.exposure.buys, state.exposure.sells)
    works: Iterator[Place] = ((*holding, "") for leg in legs for holding, qty in leg.items() if qty)
    yield from dict.fromkeys((*state.activity.rows, *held, *works))


def _smallest(state: State, around: Surroundings, place: Place, side: Side, instrument: Instrument, now: UtcNs) -> Look:
    """A look at the smallest order there can be: of one that adds nothing many rules have nothing to say."""
    account, symbol, strategy_id = place
    order = OrderStaged(
        now,
        ClOrdID(""),
        state.accounts[account].broker,
        account,
        symbol,
        side,
        Qty(instrument.min_qty),
        OrdType.MARKET,
        None,
        None,
        TimeInForce.DAY,
        PositionEffect.AUTO,
        TradingDay(""),
        "",
        "",
        strategy_id=strategy_id,
    )
    return Look(state, around, order, instrument, now)
