"""Station 5: our order takes over what came under its venue's number before we knew that the number was ours (F20).

A venue may tell of a trade before it tells of its order, and name only its own number of it (CTP). The fill is booked at once,
on an order made elsewhere, and moved when an acknowledgement, a fill or the broker's books bind the number to our order.
Parking it until then, with a deadline, would keep the order tidy and the books wrong: what is held, what may be sold and what
cash is left would be behind the broker's for as long as the answer takes, or for ever where it was lost, and the next order
would be judged by that. To move it later costs nothing but the name: position and cash stood right from the first moment.

What it was booked on ends with a word that says whose it was; each move is a fact of its own.
"""

from __future__ import annotations

from collections.abc import Generator

import msgspec

from tradeloop.core.charging import charge_anew
from tradeloop.core.events import Event, OrderCanceled, Overfilled, TradeMoved
from tradeloop.core.execution import Exec, parts_of
from tradeloop.core.order import Order
from tradeloop.core.rebooking import late_fills, rebooked
from tradeloop.core.state import State
from tradeloop.core.types import BUY, ZERO, AccountID, ClOrdID, OrderID, PositionEffect, Qty, Side, Symbol, TradingDay, UtcNs


def external_id(
    broker: str, account: AccountID, trading_day: TradingDay, symbol: Symbol, order_id: OrderID, side: Side
) -> ClOrdID:
    """Our id of an order somebody else made: it derives from the broker's, so that it is adopted once."""
    return ClOrdID(f"x-{broker}-{account}-{trading_day}-{symbol}-{order_id}-{'b' if side is BUY else 's'}")


def claim(state: State, cl_ord_id: ClOrdID, now: UtcNs, stranger_id: ClOrdID | None = None) -> Generator[Event, None, None]:
    """Move to the order everything that was booked under its number on an order made elsewhere, or on `stranger_id` where
    that is known to be the same. Nothing, most of the time.

    The number may come to be known on a later day: the order made elsewhere is looked up by its own id, however old it is.
    """
    order = state.orders.open.get(cl_ord_id) or state.orders.get(cl_ord_id)
    if order is None or order.external:
        return
    if stranger_id is None and order.order_id is not None:
        stranger_id = external_id(order.broker, order.account, order.trading_day, order.symbol, order.order_id, order.side)
    if stranger_id is None:
        return
    stranger = state.orders.get(stranger_id)
    if stranger is None or not stranger.external or (stranger.is_done and not stranger.cum_qty):
        return
    late = late_fills(state, stranger)
    everything = ((key, known) for key, known in state.execs.items() if known.cl_ord_id == stranger_id)
    for key, known in everything if late is None else late:
        yield _moved(state, key, known, order, now)
    stranger = state.orders.get(stranger_id)
    if stranger is not None and not stranger.is_done:
        yield OrderCanceled(now, stranger_id, f"number {stranger.order_id} is our order {cl_ord_id}", by_us=False)
    yield from charge_anew(state, cl_ord_id, now)
    moved = state.orders.get(cl_ord_id)
    assert moved is not None
    excess = moved.cum_qty - moved.most_qty
    if excess > ZERO:
        yield Overfilled(now, cl_ord_id, order.symbol, Qty(excess))


def _moved(state: State, key: str, known: Exec, order: Order, now: UtcNs) -> TradeMoved:
    """Where the broker did not say what the fill opens or closes, our order does, and the position becomes what that makes
    it.
    """
    becomes = None
    effect = order.position_effect
    if known.effect is PositionEffect.AUTO and effect is not PositionEffect.AUTO and not known.busted:
        becomes = rebooked(state, order.account, order.symbol, key, msgspec.structs.replace(known, effect=effect))
    broker, account, day, side, exec_id = parts_of(key)
    return TradeMoved(
        now,
        order.cl_ord_id,
        known.cl_ord_id,
        broker,
        account,
        day,
        exec_id,
        order.symbol,
        side,
        known.qty,
        known.px,
        known.effect if becomes is None else effect,
        known.fee,
        known.busted,
        order.run_id,
        becomes,
    )
