"""Station 5: what fills cost by our own dated schedule, where the broker does not say.

A minimum holds per order, not per fill, so a fill pays what the order's fee has grown by. When a fill of the order is taken
back or corrected, the others are charged anew, as if it had never been or had always been so; what the broker charged stands.
"""

from __future__ import annotations

from collections.abc import Generator
from decimal import Decimal

from tradeloop.core.events import Event, FeeChanged
from tradeloop.core.execution import parts_of
from tradeloop.core.instrument import Instrument
from tradeloop.core.order import Order
from tradeloop.core.rebooking import late_fills
from tradeloop.core.state import State
from tradeloop.core.types import CLOSE_TODAY, ZERO, Amount, ClOrdID, UtcNs


def fee_of_fill(order: Order, instrument: Instrument, qty: Decimal, value: Decimal) -> Amount:
    """What our dated schedule says a fill cost.

    A minimum holds per order, not per fill: the fee of everything filled so far, less what earlier fills were charged.
    """
    total_qty = order.cum_qty + qty
    total = value if not order.cum_qty else order.cum_value * instrument.multiplier + value
    close_today = order.position_effect is CLOSE_TODAY
    fee = instrument.fees.fee(order.side, total_qty, total, close_today=close_today)
    more = fee - order.fees
    if more < ZERO:
        return Amount(ZERO)
    return Amount(more)


def charge_anew(state: State, cl_ord_id: ClOrdID, now: UtcNs) -> Generator[Event, None, None]:
    """Charge the fills of an order again, after one of them changed. Fills of an earlier day stand: they were charged by the
    schedule of theirs.
    """
    order = state.orders.get(cl_ord_id)
    if order is None:
        return
    instrument = state.instruments[order.symbol]
    hours = state.hours.get(instrument.session)
    late = late_fills(state, order) if instrument.fees.lines else None
    if late is None or hours is None or any(parts_of(key)[2] != hours.trading_day for key, _ in late):
        return
    qty = value = charged = ZERO
    close_today = order.position_effect is CLOSE_TODAY
    for key, known in late:
        if known.busted:
            continue
        qty += known.qty
        value += known.px * known.qty * instrument.multiplier
        fee = known.fee
        if not known.fee_by_broker:
            fee = Amount(max(instrument.fees.fee(order.side, qty, value, close_today=close_today) - charged, ZERO))
        charged += fee
        if fee != known.fee:
            broker, account, day, side, exec_id = parts_of(key)
            yield FeeChanged(now, cl_ord_id, broker, account, day, exec_id, order.symbol, side, fee)
