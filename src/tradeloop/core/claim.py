"""Station 5: our order takes over what came under its venue's number before we knew that the number was ours (F20).

A venue may tell of a trade before it tells of its order, and name only its own number of it (CTP). The fill is booked at once,
on an order made elsewhere, and moved when an acknowledgement, a fill or the broker's books bind the number to our order.
Parking it until then, with a deadline, would keep the order tidy and the books wrong: what is held, what may be sold and what
cash is left would be behind the broker's for as long as the answer takes, or for ever where it was lost, and the next order
would be judged by that. To move it later costs nothing but the name: position and cash stood right from the first moment.

What it was booked on ends with a word that says whose it was; each move is a fact of its own.

An order that works under a number which no word ever joined to an id of ours is a stranger's here, even if it is ours: nothing
can tell the two apart. It is safe: a stranger's order counts like one of ours in exposure and in cash, and its fills are held.
The first word that joins them brings it all to our order, also where that ended long ago; and if it works on after such an end,
the books show it and a person hears (core/standing.py).
"""

from __future__ import annotations

from collections.abc import Generator

import msgspec

from tradeloop.core.announced import come_to_end
from tradeloop.core.charging import charge_anew
from tradeloop.core.days import lives_on
from tradeloop.core.events import Event, OrderAcknowledged, OrderCanceled, Overfilled, TradeMoved
from tradeloop.core.execution import Exec, parts_of
from tradeloop.core.order import Order
from tradeloop.core.rebooking import late_fills, rebooked
from tradeloop.core.short_promise import promise_again, promise_others
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import BUY, ZERO, AccountID, ClOrdID, OrderID, PositionEffect, Qty, Side, Symbol, TradingDay, UtcNs


def external_id(
    broker: str, account: AccountID, trading_day: TradingDay, symbol: Symbol, order_id: OrderID, side: Side
) -> ClOrdID:
    """Our id of an order somebody else made: it derives from the broker's, so that it is adopted once."""
    return ClOrdID(f"x-{broker}-{account}-{trading_day}-{symbol}-{order_id}-{'b' if side is BUY else 's'}")


def claim(
    state: State,
    around: Surroundings,
    cl_ord_id: ClOrdID,
    now: UtcNs,
    stranger_id: ClOrdID | None = None,
    number: OrderID | None = None,
) -> Generator[Event, None, None]:
    """Move to the order everything that was booked under its number on an order made elsewhere, and on `stranger_id` where a
    fill by our id tells that this is the same; `number` is what that fill names beside it, and binds it where none is known.
    Nothing, most of the time.
    """
    order = state.orders.open.get(cl_ord_id) or state.orders.get(cl_ord_id)
    if order is None or order.external:
        return
    if number is not None and order.order_id is None:
        yield OrderAcknowledged(now, cl_ord_id, number)
        order = state.orders.get(cl_ord_id)
        assert order is not None
    strangers = _under_its_number(state, order)
    if stranger_id is not None and all(one is None or one.cl_ord_id != stranger_id for one in strangers):
        strangers.append(state.orders.get(stranger_id))
    moved = False
    for stranger in strangers:
        if stranger is None or not stranger.external or (stranger.is_done and not stranger.cum_qty):
            continue
        moved = True
        for key, known in _booked_on(state, stranger):
            yield move(state, key, known, order, now)
        left = state.orders.get(stranger.cl_ord_id)
        if left is not None and not left.is_done:
            text = f"number {left.order_id} is our order {cl_ord_id}"
            yield OrderCanceled(now, left.cl_ord_id, text, by_us=False)
    if moved:
        yield from counted_anew(state, cl_ord_id, now)
        yield from promise_again(state, around, state.orders.get(cl_ord_id), now)
        yield from promise_others(state, around, state.orders.get(cl_ord_id), now)


def _booked_on(state: State, stranger: Order) -> list[tuple[str, Exec]]:
    """The fills of an order made elsewhere. Those of one that is remembered are known; of an older one they are looked for."""
    keys = state.strangers.fills(stranger.cl_ord_id)
    if keys is not None:
        return [(key, known) for key in keys if (known := state.execs.get(key))]
    late = late_fills(state, stranger)
    if late is not None:
        return late
    return [(key, known) for key, known in state.execs.items() if known.cl_ord_id == stranger.cl_ord_id]


def counted_anew(state: State, cl_ord_id: ClOrdID, now: UtcNs) -> Generator[Event, None, None]:
    """What follows for an order from fills that have come to it: what it is charged, whether it has more than was asked, and
    whether these are all that an announced end waits for.
    """
    yield from charge_anew(state, cl_ord_id, now)
    order = state.orders.get(cl_ord_id)
    assert order is not None
    excess = order.cum_qty - order.most_qty
    if excess > ZERO:
        yield Overfilled(now, cl_ord_id, order.symbol, Qty(excess))
    yield from come_to_end(state, cl_ord_id, now)


def _under_its_number(state: State, order: Order) -> list[Order | None]:
    """Orders made elsewhere that bear the order's number: that of the day on which it was given, however long ago, and those
    of later days where the order may have lived on. The number may come to be known on a later day than its fills, and before
    it was known a fill may have come in a later day than that.
    """
    number = order.order_id
    if number is None:
        return []
    its_day = external_id(order.broker, order.account, order.number_day, order.symbol, number, order.side)
    found = [state.orders.get(its_day)]
    if state.strangers and lives_on(state, order):
        for one in state.strangers.bearing(order.symbol, number, order.side):
            later = state.orders.get(one) if one != its_day else None
            if later is not None and _is_of_a_later_day(later, order):
                found.append(later)
    return found


def _is_of_a_later_day(stranger: Order, order: Order) -> bool:
    same = (stranger.broker, stranger.account, stranger.symbol, stranger.side, stranger.order_id)
    return (
        same == (order.broker, order.account, order.symbol, order.side, order.order_id)
        and stranger.trading_day > order.number_day
    )


def move(state: State, key: str, known: Exec, order: Order, now: UtcNs) -> TradeMoved:
    """Where the broker did not say what the fill opens or closes, our order does, and the position becomes what that makes
    it; so it does where the fill was booked as what another order of ours opens or closes.
    """
    becomes = None
    effect = order.position_effect
    was = state.orders.get(known.cl_ord_id)
    assert was is not None
    if known.effect is not effect and (known.effect is PositionEffect.AUTO or not was.external) and not known.busted:
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
