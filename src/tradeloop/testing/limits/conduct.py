"""Which orders do not stand beside others, and what is not opened at all.

29 no two own orders of opposite sides that can meet are let through while a limit forbids it · 25 no order that equals a recent
one, none of a strategy that repeats itself, and nothing that a list excludes.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from tradeloop.core import events as ev
from tradeloop.core.order import Order
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, OrdType, Px, Side, UtcNs
from tradeloop.testing.limits.in_force import InForce
from tradeloop.testing.limits.sizes import may_trade, opens

DUPLICATE: Final = "no_duplicate_order"
REPEATED: Final = "max_repeated_executions"
LIMITED: Final = (OrdType.LIMIT, OrdType.STOP_LIMIT)
MINUTE_NS: Final = 60 * SECOND_NS


class Conduct:
    """Asks of every order that is let through what stands beside it."""

    def __init__(self, broken: Callable[[int, str], None], limits: InForce) -> None:
        self._broken, self._limits = broken, limits
        self.forget()

    def forget(self) -> None:
        """The journal is read anew, or other limits are in force: nobody has to know what was made under others."""
        self._alike: dict[tuple[object, ...], UtcNs] = {}
        self._fires: dict[tuple[object, ...], list[UtcNs]] = {}

    def staged(self, e: ev.OrderStaged, state: State) -> None:
        """An order passed; it is in the state already."""
        if e.halt:
            return
        self.meets_no_other(e, state)
        self._equals_none(e, state)
        self._does_not_repeat(e, state)
        if opens(e, state):
            self.is_on_no_list(e, state)

    def is_on_no_list(self, e: ev.OrderStaged, state: State) -> None:
        """What it opens is excluded by none."""
        for rule in ("blacklist", "whitelist"):
            for limit in self._limits.binding(rule, e, state.instruments[e.symbol]):
                self._broken(25, f"{e.cl_ord_id} opens {e.symbol}, which {limit.rule} ({limit.where}) excludes")

    def meets_no_other(self, e: ev.OrderStaged, state: State) -> None:
        """None of our orders of the other side can trade with it."""
        if not any(self._limits.binding("no_self_trade", e, state.instruments[e.symbol])):
            return
        mine = e.price if e.ord_type in LIMITED else None
        for other in state.orders.open.values():
            if other.symbol != e.symbol or other.side is e.side or other.external or not may_trade(other):
                continue
            if _crosses(e.side, mine, _reach(other)):
                self._broken(29, f"{e.cl_ord_id} was let through, and can trade with {other.cl_ord_id}, which is ours, too")

    def _equals_none(self, e: ev.OrderStaged, state: State) -> None:
        alike = e.account, e.symbol, e.side, e.order_qty, e.price
        before = self._alike.get(alike)
        for limit in self._limits.binding(DUPLICATE, e, state.instruments[e.symbol]):
            if before is not None and 0 <= e.at - before < limit.value * SECOND_NS:
                self._broken(
                    25, f"{e.cl_ord_id} equals an order of {(e.at - before) / SECOND_NS:g} s ago; {limit.value} s at least"
                )
        if self._limits.is_counted(DUPLICATE):
            self._alike[alike] = e.at

    def _does_not_repeat(self, e: ev.OrderStaged, state: State) -> None:
        if e.halt or not self._limits.is_counted(REPEATED):
            return
        whose = f"strategy {e.strategy_id}" if e.strategy_id else f"account {e.account}"
        fires = self._fires.setdefault((whose, e.symbol, e.side), [])
        fires.append(e.at)
        made = Decimal(sum(1 for at in fires if e.at - MINUTE_NS < at <= e.at))
        for limit in self._limits.binding(REPEATED, e, state.instruments[e.symbol]):
            if made > limit.value:
                self._broken(25, f"{e.cl_ord_id} is order {made} of {whose} in a minute, at most {limit.value}")


def _reach(order: Order) -> Px | None:
    """The price furthest into the market that an order may trade at; None for any."""
    if order.ord_type not in LIMITED:
        return None
    prices = [order.price, *(one.terms.price for one in order.replaces or ())]
    known = [price for price in prices if price is not None]
    if len(known) < len(prices):
        return None
    return max(known) if order.side is Side.BUY else min(known)


def _crosses(side: Side, mine: Px | None, theirs: Px | None) -> bool:
    if mine is None or theirs is None:
        return True
    return mine >= theirs if side is Side.BUY else mine <= theirs
