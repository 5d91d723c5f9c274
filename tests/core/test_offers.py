"""What the working sells of a holding may still sell is known without looking at each of them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tradeloop.core.order import Order
from tradeloop.core.reports import ExecutionBust
from tradeloop.core.risk.cost import opening_qty
from tradeloop.core.state import State
from tradeloop.core.types import ZERO, ExecID, OrdType, PositionEffect, Qty, Side, Symbol
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, an_execution, an_instrument, sell
from tradeloop.testing.desk import Desk

APPLE = Symbol("AAPL.US")


def a_desk(held: int = 100) -> Desk:
    stock = an_instrument(APPLE, lot=1, min_qty=1, shortable=True, margin_rate="0.5")
    return Desk().opened(stock, cash=10**9, positions={APPLE: held}, costs={APPLE: 1})


def a_sell(desk: Desk, qty: int, effect: PositionEffect = PositionEffect.AUTO) -> Order:
    return desk.order(sell(APPLE, qty, ord_type=OrdType.LIMIT, price="10", position_effect=effect))


def offered(desk: Desk) -> Decimal:
    """What is counted, after a look that it is what its orders still may sell, here and after a restart."""
    by_orders = sum(
        (o.exposed_qty for o in desk.state.orders.open.values() if o.position_effect is not PositionEffect.OPEN), ZERO
    )
    again = State.unpack(desk.state.pack())
    assert desk.state.offers.of(ACCOUNT, APPLE, None) == by_orders
    assert (again.offers.by_order, again.offers.of_holding) == (desk.state.offers.by_order, desk.state.offers.of_holding)
    return by_orders


def test_a_sell_is_counted_for_what_it_may_still_sell() -> None:
    desk = a_desk()
    one, two = a_sell(desk, 30), a_sell(desk, 40)
    a_sell(desk, 5, PositionEffect.OPEN)
    assert offered(desk) == 70
    desk.ack(one, "v1")
    desk.give(an_execution(one.cl_ord_id, APPLE, Side.SELL, 10, "10", "e1"))
    assert offered(desk) == 60
    desk.give(an_execution(one.cl_ord_id, APPLE, Side.SELL, 20, "10", "e2"))
    assert offered(desk) == 40
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e2"), Side.SELL))
    assert offered(desk) == 60
    desk.give(an_execution(two.cl_ord_id, APPLE, Side.SELL, 40, "10", "e3"))
    assert offered(desk) == 20


def test_an_order_does_not_count_on_what_it_offers_itself() -> None:
    desk = a_desk(held=50)
    one = a_sell(desk, 30)
    for own, opens in ((None, 10), (one.cl_ord_id, 0)):
        qty = opening_qty(desk.state, ACCOUNT, APPLE, Side.SELL, Qty(Decimal(30)), PositionEffect.AUTO, own)
        assert qty == opens


def test_one_more_sell_looks_at_as_few_others_as_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two thousand working sells of one holding made each further one thirty times as dear."""
    looked = 0
    exposed = Order.exposed_qty.fget  # type: ignore[attr-defined]

    def counted(order: Order) -> Qty:
        nonlocal looked
        looked += 1
        return exposed(order)  # type: ignore[no-any-return]

    monkeypatch.setattr(Order, "exposed_qty", property(counted))
    desk = a_desk(held=1000)
    a_sell(desk, 1)
    first = looked
    for _ in range(50):
        a_sell(desk, 1)
    assert looked == 51 * first
