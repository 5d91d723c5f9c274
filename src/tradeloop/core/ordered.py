"""What an order, or a change of one, adds to the value ordered that day: in one place for whoever judges it and whoever counts
it.
"""

from __future__ import annotations

from decimal import Decimal

from tradeloop.core.instrument import Instrument
from tradeloop.core.order import Order
from tradeloop.core.replacement import Terms
from tradeloop.core.types import ZERO, Px, Qty


def value_of(order: Order, terms: Terms, px: Px | None, instrument: Instrument) -> Decimal | None:
    """What the rest of the order is worth under these terms, in the currency of its instrument: at its price, a stop without
    one at its stop price, anything else at `px`; None where there is none of them.
    """
    at = terms.price if terms.price is not None else terms.stop_px
    at = px if at is None else at
    return None if at is None else instrument.notional(at, Qty(max(terms.order_qty - order.cum_qty, ZERO)))


def added_value(order: Order, terms: Terms, px: Px | None, instrument: Instrument) -> Decimal | None:
    """By how much what is left of the order is worth more under these terms than under any that may be in force already, in the
    currency of its instrument: by quantity, by price or by both; nothing is given back by one that is worth less. `px` is for
    terms without any price; None where there is neither.
    """
    new = value_of(order, terms, px, instrument)
    in_force = (order.terms, *(asked.terms for asked in order.replaces or ()))
    before = [value_of(order, known, px, instrument) for known in in_force]
    return None if new is None else max(new - max(value or ZERO for value in before), ZERO)
