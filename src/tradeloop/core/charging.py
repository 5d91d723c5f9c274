"""Station 5: what fills cost by our own dated schedule, where the broker does not say.

A minimum holds per order, not per fill, so a fill pays what the order's fee has grown by; a maximum holds per fill, and what
it spares one fill is not made up for by the next. When a fill of the order is taken back or corrected, the others are charged
anew, as if it had never been or had always been so; what the broker charged stands.
"""

from __future__ import annotations

from collections.abc import Container, Generator
from decimal import Decimal

from tradeloop.core.events import Event, FeeChanged
from tradeloop.core.execution import Exec, parts_of
from tradeloop.core.instrument import Instrument
from tradeloop.core.order import Order
from tradeloop.core.rebooking import fills_of, fills_since, late_fills
from tradeloop.core.state import State
from tradeloop.core.types import CLOSE_TODAY, ZERO, AccountID, Amount, ClOrdID, PositionEffect, Symbol, TradingDay, UtcNs


def fee_of_fill(order: Order, instrument: Instrument, qty: Decimal, value: Decimal, effect: PositionEffect) -> Amount:
    """What our dated schedule says a fill of this effect cost."""
    value_before = order.cum_value * instrument.multiplier if order.cum_qty else ZERO
    return _fee_after(order, instrument, (order.cum_qty, value_before, order.fees), qty, value, effect)


def _fee_after(
    order: Order,
    instrument: Instrument,
    before: tuple[Decimal, Decimal, Decimal],
    qty: Decimal,
    value: Decimal,
    effect: PositionEffect,
) -> Amount:
    """The fee of a fill; `before`: quantity, value and fees of what the order had traded.

    A minimum holds per order, not per fill: the fee of everything filled so far, less what earlier fills were charged.
    """
    qty_before, value_before, charged = before
    close_today = effect is CLOSE_TODAY
    if instrument.fees.is_bounded():
        return instrument.fees.grown(order.side, qty, value, (qty_before, value_before), close_today=close_today)
    fee = instrument.fees.fee(order.side, qty_before + qty, value_before + value, close_today=close_today)
    more = fee - charged
    if more < ZERO:
        return Amount(ZERO)
    return Amount(more)


def charge_anew(state: State, cl_ord_id: ClOrdID, now: UtcNs, since: str | None = None) -> Generator[Event, None, None]:
    """Charge the fills of an order again, after one of them changed. Fills of an earlier day stand: they were charged by the
    schedule of theirs. `since`: the one that changed; what was charged before it stands, where that is what the schedule says.
    """
    order = state.orders.get(cl_ord_id)
    if order is None:
        return
    instrument = state.instruments[order.symbol]
    hours = state.hours.get(instrument.session)
    if hours is None or not instrument.fees.lines:
        return
    late, before = (None, None) if since is None else _since(state, order, instrument, since, hours.trading_day)
    if late is None or before is None:
        late, before = late_fills(state, order), (ZERO, ZERO, ZERO)
    if late is not None:
        yield from _charge(order, instrument, late, before, hours.trading_day, now)


def charge_all_anew(
    state: State, account: AccountID, symbol: Symbol, orders: Container[ClOrdID], now: UtcNs
) -> Generator[Event, None, None]:
    """The same for orders of one symbol of which fills changed together, with one walk over the fills."""
    instrument = state.instruments[symbol]
    hours = state.hours.get(instrument.session)
    if hours is None or not instrument.fees.lines:
        return
    for cl_ord_id, fills in fills_of(state, account, symbol, orders).items():
        order = state.orders.get(cl_ord_id)
        if order is not None and sum((known.qty for _, known in fills if not known.busted), ZERO) == order.cum_qty:
            yield from _charge(order, instrument, fills, (ZERO, ZERO, ZERO), hours.trading_day, now)


def _charge(
    order: Order,
    instrument: Instrument,
    late: list[tuple[str, Exec]],
    before: tuple[Decimal, Decimal, Decimal],
    today: TradingDay,
    now: UtcNs,
) -> Generator[Event, None, None]:
    """Charge fills in their order; `before`: quantity, value and fees of what the order had traded before them."""
    if any(parts_of(key)[2] != today for key, _ in late):
        return
    for key, known in late:
        if known.busted:
            continue
        value = known.px * known.qty * instrument.multiplier
        fee = known.fee if known.fee_by_broker else _fee_after(order, instrument, before, known.qty, value, known.effect)
        before = before[0] + known.qty, before[1] + value, before[2] + fee
        if fee != known.fee:
            broker, account, day, side, exec_id = parts_of(key)
            yield FeeChanged(now, order.cl_ord_id, broker, account, day, exec_id, order.symbol, side, fee)


def _since(
    state: State, order: Order, instrument: Instrument, key: str, today: TradingDay
) -> tuple[list[tuple[str, Exec]] | None, tuple[Decimal, Decimal, Decimal] | None]:
    """The fills of an order from the one that changed on, and quantity, value and fees of those before it; None where those may
    have to be charged anew too: they are of other days, or were charged in another order, or by the broker, or a maximum spared
    one of them something.
    """
    late = fills_since(state, order, key) if order.trading_day == today else None
    if late is None:
        return None, None
    live = [known for _, known in late if not known.busted]
    qty = order.cum_qty - sum((known.qty for known in live), ZERO)
    value = (order.cum_value - sum((known.px * known.qty for known in live), ZERO)) * instrument.multiplier
    charged = order.fees - sum((known.fee for known in live), ZERO)
    close_today = order.position_effect is CLOSE_TODAY
    if charged != (instrument.fees.fee(order.side, qty, value, close_today=close_today) if qty else ZERO):
        return None, None
    return late, (qty, value, charged)
