"""What an order is worth, and what it, or a change of it, adds to the value ordered that day: in one place for whoever judges
it and whoever counts it.

A buy pays its limit at most. A sell gets its limit at least: where the market stands above that, it trades at the market, and
is worth as much. A sell that waits for its stop price does not trade before the market has come down to it.
"""

from __future__ import annotations

from decimal import Decimal

from tradeloop.core.instrument import Instrument
from tradeloop.core.order import Order
from tradeloop.core.replacement import Terms
from tradeloop.core.types import BUY, ZERO, Px, Qty, Side


def worth_px(side: Side, price: Px | None, stop_px: Px | None, seen: Px | None) -> Px | None:
    """The price that an order is worth: its limit, of a sell its stop price or else the market `seen` where that is more; of
    one without a limit its stop price, or else `seen`. None where none of them is known.
    """
    there = seen if stop_px is None else stop_px
    if price is None or (side is not BUY and there is not None and there > price):
        return there
    return price


def value_of(order: Order, terms: Terms, seen: Px | None, instrument: Instrument) -> Decimal | None:
    """What the rest of the order is worth under these terms, in the currency of its instrument, beside the market `seen`; None
    where no price is known.
    """
    at = worth_px(order.side, terms.price, terms.stop_px, seen)
    return None if at is None else instrument.notional(at, Qty(max(terms.order_qty - order.cum_qty, ZERO)))


def added_value(order: Order, terms: Terms, seen: Px | None, instrument: Instrument) -> Decimal | None:
    """By how much what is left of the order is worth more under these terms than under any that may be in force already, in the
    currency of its instrument: by quantity, by price or by both; nothing is given back by one that is worth less. `seen` is
    the market; None where no price is known.
    """
    new = value_of(order, terms, seen, instrument)
    in_force = (order.terms, *(asked.terms for asked in order.replaces or ()))
    before = [value_of(order, known, seen, instrument) for known in in_force]
    return None if new is None else max(new - max(value or ZERO for value in before), ZERO)
