"""Laws of what limits count: sums follow the rows, exposure follows the open orders, and a restart counts what was counted."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from decimal import Decimal
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from tradeloop.core.activity import Requests
from tradeloop.core.commands import CancelOrder, ReplaceOrder, SetLimits
from tradeloop.core.errors import BadInput
from tradeloop.core.evolve import evolve
from tradeloop.core.limit import LimitScope, RiskLimit
from tradeloop.core.reports import ExecutionBust
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, OrdType, Qty, Side, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, an_execution, an_instrument, buy, sell
from tradeloop.testing.desk import Desk

SYMBOLS: Final = ("600000.SH", "600001.SH")
EVERY_SCOPE: Final = tuple(RiskLimit("max_orders_per_day", Decimal(10_000), scope) for scope in LimitScope)

steps = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell", "fill", "cancel", "bust", "replace", "watch"]),
        st.integers(0, 5),
        st.integers(1, 5),
    ),
    max_size=30,
)


def play(taken: list[tuple[str, int, int]]) -> Desk:
    """A desk after these steps."""
    desk = Desk().opened(*(an_instrument(symbol, industry="banks") for symbol in SYMBOLS), positions={SYMBOLS[0]: 5000})
    filled: list[tuple[str, Side]] = []
    for number, (verb, which, lots) in enumerate(taken):
        orders = list(desk.state.orders.open.values())
        symbol = SYMBOLS[which % 2]
        if verb in ("buy", "sell"):
            strategy = ("", "s1", "s2")[which % 3]
            make = buy if verb == "buy" else sell
            desk.give(make(symbol, 100 * lots, ord_type=OrdType.LIMIT, price="10", strategy_id=strategy))
        elif verb == "watch":
            desk.give(SetLimits(EVERY_SCOPE[: which + 1]))
        elif verb == "bust" and filled:
            exec_id, side = filled.pop(which % len(filled))
            desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, exec_id, side))  # type: ignore[arg-type]
        elif orders:
            order = orders[which % len(orders)]
            if verb == "fill" and order.leaves_qty:
                qty = min(order.leaves_qty, Decimal(100 * lots))
                desk.give(an_execution(order.cl_ord_id, order.symbol, order.side, qty, "10", exec_id=f"x{number}"))
                filled.append((f"x{number}", order.side))
            elif verb == "cancel":
                desk.give(CancelOrder(order.cl_ord_id, "ann"))
            elif verb == "replace":
                with suppress(BadInput):  # it may not be changed now: nothing happened
                    desk.give(ReplaceOrder(order.cl_ord_id, "ann", order_qty=Qty(Decimal(100 * lots))))
    return desk


@settings(max_examples=150, deadline=None)
@given(steps)
def test_exposure_is_what_the_open_orders_may_still_trade(taken: list[tuple[str, int, int]]) -> None:
    state = play(taken).state
    orders: Counter[str] = Counter()
    for side, legs in ((Side.BUY, state.exposure.buys), (Side.SELL, state.exposure.sells)):
        naive: dict[tuple[str, str], Decimal] = {}
        for order in state.orders.open.values():
            if order.side is side and order.exposed_qty:
                key = (order.account, order.symbol)
                naive[key] = naive.get(key, Decimal(0)) + order.exposed_qty
                orders[order.account] += 1
        assert {key: qty for key, qty in legs.items() if qty} == naive
    assert {account: count for account, count in state.exposure.orders.items() if count} == dict(orders)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_every_sum_is_that_of_its_rows(taken: list[tuple[str, int, int]]) -> None:
    desk = play(taken)
    desk.give(SetLimits(EVERY_SCOPE))
    activity = desk.state.activity
    for place, scope in enumerate((LimitScope.ACCOUNT, LimitScope.SYMBOL, LimitScope.STRATEGY)):
        for name in {str(row[place]) for row in activity.rows} - {""}:
            rows = [day for row, (_, _, _, day) in activity.rows.items() if row[place] == name]
            total = activity.total(scope, name)
            for figure in total.__struct_fields__:
                assert getattr(total, figure) == sum(getattr(day, figure) for day in rows), figure


@settings(max_examples=100, deadline=None)
@given(steps)
def test_a_restart_counts_what_was_counted(taken: list[tuple[str, int, int]]) -> None:
    desk = play(taken)
    replayed = State()
    for event in desk.events:
        evolve(replayed, event)
    unpacked = State.unpack(desk.state.pack())
    assert replayed.hash() == unpacked.hash() == desk.state.hash()
    for state in (replayed, unpacked):
        assert state.activity.sums == desk.state.activity.sums


@given(st.lists(st.integers(0, 3 * SECOND_NS), max_size=40), st.integers(1, 5))
def test_there_is_room_again_when_enough_requests_lie_behind_the_span(gaps: list[int], limit: int) -> None:
    requests, now = Requests(), UtcNs(0)
    made: list[int] = []
    for gap in gaps:
        now = UtcNs(now + gap)
        requests.count(now)
        made.append(now)
        assert requests.within(SECOND_NS, now) == sum(1 for at in made if at > now - SECOND_NS)
    room_at = requests.room_at(SECOND_NS, limit, now)
    assert requests.within(SECOND_NS, room_at) < limit
    assert room_at == now or requests.within(SECOND_NS, UtcNs(room_at - 1)) >= limit
