"""Which orders of a run may go now: all sells at once, and buys as real money pays for them (D4, S0-7).

Promises: the buys released together never cost more than the cash that is free, each taken at its bound and
not at its price; a buy is never made smaller while a sell of its run may still bring money, or a working buy
may still give back what it holds too much.

Buys go in the order of their legs, which is the order of the target file: a dear one that has to wait holds
back the cheaper ones behind it, so that what stands first in the target is what gets the money.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from enum import Enum

import msgspec

from tradeloop.core.events import PlanLine
from tradeloop.core.instrument import Instrument
from tradeloop.core.run.plan import SELLS
from tradeloop.core.run.sizing import plain
from tradeloop.core.types import ZERO, Qty

CostBound = Callable[[PlanLine, Decimal], Decimal]
"""The most that an order of this line and quantity may take from the free cash, fees included; never falling
as quantity grows.
"""


class LegState(Enum):
    """Where the order of one line stands, as far as money is concerned.

    WORKING is every order that may still trade, one of unknown fate included. WAITING is a line that may not be sent yet for a
    reason of its own, which has nothing to do with money. CLOSED is every line that will
    not move any more: filled, cancelled, rejected, denied, dropped, or never meant to be ordered.
    """

    UNSENT = "UNSENT"
    WAITING = "WAITING"
    WORKING = "WORKING"
    CLOSED = "CLOSED"


class LineState(msgspec.Struct, frozen=True, gc=False):
    """One line of a run, the quantity it is worked with now, and its instrument, which says how it may be
    made smaller.
    """

    line: PlanLine
    order_qty: Qty
    state: LegState
    instrument: Instrument


class Send(msgspec.Struct, frozen=True, gc=False):
    """Stage the order of this leg with `qty`."""

    leg: int
    qty: Qty


class Shrink(msgspec.Struct, frozen=True, gc=False):
    """The leg is worked with `qty` instead; the `Send` of it stands next in the list."""

    leg: int
    qty: Qty
    code: str
    reason: str


class Drop(msgspec.Struct, frozen=True, gc=False):
    """The leg will not be ordered, and why."""

    leg: int
    code: str
    reason: str


Release = Send | Shrink | Drop


def release(lines: Sequence[LineState], free_cash: Decimal, cost_bound: CostBound) -> list[Release]:
    """What may be done with the unsent lines of a run now, in the order in which to do it.

    `free_cash` is what no order holds, in the currency of the run. An empty list means wait, or that nothing
    is left to send. What a waiting buy may cost is set aside for it, as far as the cash goes.
    """
    unsent = sorted(
        (state for state in lines if state.state in (LegState.UNSENT, LegState.WAITING)), key=lambda state: state.line.leg
    )
    released: list[Release] = [
        Send(state.line.leg, state.order_qty) for state in unsent if state.line.wave == SELLS and state.state is LegState.UNSENT
    ]
    # A sell just released is working from here on.
    money_may_come = bool(released) or any(state.state in (LegState.WORKING, LegState.WAITING) for state in lines)
    for state in unsent:
        if state.line.wave == SELLS:
            continue
        cost = cost_bound(state.line, state.order_qty)
        if state.state is LegState.WAITING:
            free_cash -= min(cost, max(free_cash, Decimal(0)))
            continue
        if cost <= max(free_cash, ZERO):  # what costs nothing waits for nothing, not even for a debt to be paid
            released.append(Send(state.line.leg, state.order_qty))
            free_cash -= cost
            # What its bound holds beyond its price comes back when it has traded.
            money_may_come = True
            continue
        if money_may_come:
            break
        qty = _affordable(state, free_cash, cost_bound)
        if qty == ZERO:
            released.append(_too_dear(state, free_cash, cost_bound))
            continue
        reason = (
            f"{plain(state.order_qty)} would cost up to {plain(cost)}, {plain(free_cash)} is free"
            " and no sell of the run is left to bring more"
        )
        released += [Shrink(state.line.leg, qty, "cash_short", reason), Send(state.line.leg, qty)]
        free_cash -= cost_bound(state.line, qty)
        money_may_come = True
    return released


def _affordable(state: LineState, free_cash: Decimal, cost_bound: CostBound) -> Qty:
    """The largest legal quantity below the line's own that the free cash pays for; zero where none does.

    Found by halving, since the bound only grows with the quantity.
    """
    instrument = state.instrument
    if instrument.min_qty > state.order_qty or cost_bound(state.line, instrument.min_qty) > free_cash:
        return Qty(ZERO)
    fits, too_many = 0, int((state.order_qty - instrument.min_qty) // instrument.lot) + 1
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        if cost_bound(state.line, instrument.min_qty + middle * instrument.lot) <= free_cash:
            fits = middle
        else:
            too_many = middle
    return instrument.floor_qty(instrument.min_qty + fits * instrument.lot)


def _too_dear(state: LineState, free_cash: Decimal, cost_bound: CostBound) -> Drop:
    smallest = min(state.instrument.min_qty, state.order_qty)
    reason = (
        f"the smallest order, {plain(smallest)}, would cost up to {plain(cost_bound(state.line, Qty(smallest)))},"
        f" {plain(free_cash)} is free and no sell of the run is left to bring more"
    )
    return Drop(state.line.leg, "no_cash", reason)
