"""The one gate between an intent and the wire, for orders of programs and of people alike.

`check` gives the verdict on an intent; it becomes OrderStaged or OrderDenied. `recheck` asks the gate again for an order
that is sent later than it was staged. `approved` is the only maker of `Approved[Order]`, which is all that `Broker.place`
accepts.
"""

from __future__ import annotations

from typing import Final

from tradeloop.core.events import OrderStaged
from tradeloop.core.instrument import Instrument
from tradeloop.core.order import Order
from tradeloop.core.risk.approved import Approved
from tradeloop.core.risk.checks import BOOKS, GATE
from tradeloop.core.risk.denied import Denied
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import UtcNs

RISK_VERSION: Final = "1"
"""Changes whenever a check does; journalled with every order."""

_PIPELINE: Final = GATE + BOOKS


def check(state: State, around: Surroundings, intent: OrderStaged, instrument: Instrument, now: UtcNs) -> Denied | None:
    """The first rule that says no, or None."""
    for rule in _PIPELINE:
        denied = rule(state, around, intent, instrument, now)
        if denied is not None:
            return denied
    return None


def recheck(state: State, around: Surroundings, order: Order, now: UtcNs) -> Denied | None:
    """Whether a staged order may leave now: the gate, and a price that has not run away since it was staged.

    What BOOKS allowed is still reserved for it, so only the world has to be asked again.
    """
    instrument = state.instruments[order.symbol]
    for rule in GATE:
        denied = rule(state, around, order, instrument, now)
        if denied is not None:
            return denied
    quote = around.quotes.get(order.symbol)
    seen = quote.mid_or_last if quote is not None else None
    if seen is None or order.arrival_px is None or order.is_held or order.stop_px is not None:
        return None
    limit = around.policy.max_drift
    if abs(seen - order.arrival_px) <= order.arrival_px * limit:
        return None
    return Denied(
        "price_drift",
        f"{limit:%}",
        f"{order.arrival_px} to {seen}",
        f"{order.symbol} moved from {order.arrival_px} to {seen} since the order was made; a person decides whether it goes",
    )


def approved(order: Order) -> Approved[Order]:
    """The proof for the wire. Only an order in the state can be asked for, and none gets there but through `check`."""
    return Approved(order=order, risk_version=order.risk_version)
