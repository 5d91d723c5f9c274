"""The closing orders of a symbol take turns, so that no two of ours can trade with each other (invariant 29).

A sell and a buy that both go for what they can get cross each other, and in a thin market one meets the other: the legs of a
contract that is held both ways, or two accounts of which one is long and one is short. So the second follows when the first has
ended. Whichever has somebody on the other side goes first, then whichever was tried the longer ago.

At a price limit an order may not trade for days: one that does not move while a leg that could trade waits for it gives way
after some seconds, each time twice as many.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.core.halt import Halt
from tradeloop.core.order import Order
from tradeloop.core.run.sizing import Held
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import AccountID, Side, Symbol, UtcNs

_DOUBLINGS: Final = (3, 10)
"""How often the time between two looks is doubled until an order gives way: for the first one, and at most."""


class Leg(msgspec.Struct, frozen=True):
    """What an account holds of a symbol on one side, and the side of an order that closes it."""

    account: AccountID
    symbol: Symbol
    side: Side
    qty: Decimal
    held: Held

    @property
    def name(self) -> str:
        """How its tries are counted."""
        return f"{self.account}|{self.symbol}|{self.side.value}"


def in_turn(around: Surroundings, known: Halt, legs: list[Leg]) -> list[Leg]:
    """The legs in the order in which they may go."""

    def turn(leg: Leg) -> tuple[bool, int]:
        return is_alone(around, leg.symbol, leg.side), known.tries.get(leg.name, (0, 0))[1]

    return sorted(legs, key=turn)


def is_alone(around: Surroundings, symbol: Symbol, side: Side) -> bool:
    """Whether nobody is there with whom an order of this side could trade: the market may stand at its limit."""
    quote = around.quotes.get(symbol)
    return quote is not None and (quote.bid if side is Side.SELL else quote.ask) is None


def ahead(state: State, leg: Leg) -> list[Order]:
    """The closing orders with which one of this leg could trade, in whatever account they are. Those of another account whose
    broker is away, or of which nobody knows whether they are there, keep nothing from being closed.
    """
    found = []
    for account in state.accounts:
        for cl_ord_id in state.working.get((account, leg.symbol), ()):
            order = state.orders.open[cl_ord_id]
            if not order.halt or order.side is leg.side:
                continue
            if account == leg.account or (order.unknown_at is None and state.is_ready(order.broker, account)):
                found.append(order)
    return found


def is_to_give_way(state: State, around: Surroundings, order: Order, now: UtcNs) -> bool:
    """Whether it has stood for so long that the other leg is to have its turn."""
    its = state.halts.get(order.halt)
    place = f"{order.account}|{order.symbol}|{order.side.value}"
    count = 1 if its is None else its.tries.get(place, (1, 0))[0]
    first, most = _DOUBLINGS
    return now - order.updated_at >= around.policy.probe_every_ns << min(first - 1 + count, most)
