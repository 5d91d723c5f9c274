"""What the working orders that may close a leg may still trade is known without looking at each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal

import pytest

from tradeloop.core.commands import HaltTrading, ListInstruments
from tradeloop.core.halt import HaltTier
from tradeloop.core.instrument import AssetClass
from tradeloop.core.order import Order
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import ExecutionBust, OrderReject
from tradeloop.core.risk.cost import opening_qty
from tradeloop.core.state import State
from tradeloop.core.types import ZERO, ExecID, OrdType, PositionEffect, Qty, Side, Symbol
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, an_execution, an_instrument, buy, sell
from tradeloop.testing.desk import Desk

APPLE = Symbol("AAPL.US")
GOLD = Symbol("au2512.SHFE")


def a_desk(held: int = 100) -> Desk:
    stock = an_instrument(APPLE, lot=1, min_qty=1, shortable=True, margin_rate="0.5")
    return Desk().opened(stock, cash=10**9, positions={APPLE: held}, costs={APPLE: 1})


def a_sell(desk: Desk, qty: int, effect: PositionEffect = PositionEffect.AUTO) -> Order:
    return desk.order(sell(APPLE, qty, ord_type=OrdType.LIMIT, price="10", position_effect=effect))


def a_short_desk(short: int = 100) -> Desk:
    desk = a_desk(held=0)
    desk.give(an_execution(None, APPLE, Side.SELL, short, "10", "before", order_id="v0"))
    return desk


def a_buy(desk: Desk, qty: int, effect: PositionEffect = PositionEffect.AUTO) -> Order:
    return desk.order(buy(APPLE, qty, ord_type=OrdType.LIMIT, price="9", position_effect=effect))


def offered(desk: Desk, side: Side = Side.SELL) -> Decimal:
    """What is counted, after a look that it is what its orders still may trade, here and after a restart."""
    its = [o for o in desk.state.orders.open.values() if o.side is side and o.position_effect is not PositionEffect.OPEN]
    by_orders = sum((o.exposed_qty for o in its), ZERO)
    again = State.unpack(desk.state.pack())
    assert desk.state.offers.of(ACCOUNT, APPLE, side, None) == by_orders
    assert (again.offers.by_order, again.offers.of_leg) == (desk.state.offers.by_order, desk.state.offers.of_leg)
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


def test_a_buy_is_counted_for_what_it_may_still_cover() -> None:
    desk = a_short_desk()
    one, two = a_buy(desk, 30), a_buy(desk, 40)
    a_buy(desk, 5, PositionEffect.OPEN)
    assert offered(desk, Side.BUY) == 70
    desk.ack(one, "v1")
    desk.give(an_execution(one.cl_ord_id, APPLE, Side.BUY, 10, "9", "e1"))
    assert offered(desk, Side.BUY) == 60
    desk.give(an_execution(one.cl_ord_id, APPLE, Side.BUY, 20, "9", "e2"))
    assert offered(desk, Side.BUY) == 40
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e2"), Side.BUY))
    assert offered(desk, Side.BUY) == 60
    desk.give(OrderReject(BROKER, two.cl_ord_id, "no", "no"))
    assert offered(desk, Side.BUY) == 20


@pytest.mark.parametrize(("before", "after"), [(True, False), (False, True)])
def test_what_may_be_covered_is_counted_as_the_newest_listing_says(before: bool, after: bool) -> None:
    """What nobody may sell short has its buys looked at one by one, where the broker shows a short leg."""
    desk = Desk().opened(an_instrument(APPLE, lot=1, min_qty=1, shortable=before), cash=10**9)
    desk.give(an_execution(None, APPLE, Side.SELL, 50, "10", "before", order_id="v0"))
    a_buy(desk, 30)
    opens = [opening_qty(desk.state, ACCOUNT, APPLE, Side.BUY, Qty(Decimal(30)), PositionEffect.AUTO)]
    desk.give(ListInstruments((an_instrument(APPLE, lot=1, min_qty=1, shortable=after),)))
    opens.append(opening_qty(desk.state, ACCOUNT, APPLE, Side.BUY, Qty(Decimal(30)), PositionEffect.AUTO))
    assert opens == [10, 10]
    counted = desk.state.offers.of(ACCOUNT, APPLE, Side.BUY, None)
    assert counted == (30 if after else 0)


def test_an_order_does_not_count_on_what_it_offers_itself() -> None:
    desk = a_desk(held=50)
    one = a_sell(desk, 30)
    for own, opens in ((None, 10), (one.cl_ord_id, 0)):
        qty = opening_qty(desk.state, ACCOUNT, APPLE, Side.SELL, Qty(Decimal(30)), PositionEffect.AUTO, own)
        assert qty == opens


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often what an order may still trade has been looked at."""
    seen: Counter[str] = Counter()
    exposed = Order.exposed_qty.fget  # type: ignore[attr-defined]

    def counted(order: Order) -> Qty:
        seen["looks"] += 1
        return exposed(order)  # type: ignore[no-any-return]

    monkeypatch.setattr(Order, "exposed_qty", property(counted))
    return seen


def a_sell_of_what_was_bought_before_today() -> tuple[Desk, Callable[[Desk], Order]]:
    """T+1 holds for a stock that may be sold short as well: each sell is held against what was bought before today."""
    stock = an_instrument(APPLE, lot=1, min_qty=1, shortable=True, margin_rate="0.5", settles_t1=True)
    desk = Desk().opened(stock, cash=10**9, positions={APPLE: 1000}, costs={APPLE: 1})
    desk.give(an_execution(None, APPLE, Side.BUY, 1, "10", "today", order_id="v0"))
    return desk, lambda desk: a_sell(desk, 1)


def a_close_of_today() -> tuple[Desk, Callable[[Desk], Order]]:
    gold = an_instrument(
        GOLD, asset_class=AssetClass.FUTURE, lot=1, min_qty=1, margin_rate="0.1", odd_lot_sell=False, closes_today_apart=True
    )
    desk = Desk().opened(gold, cash=10**9)
    desk.give(an_execution(None, GOLD, Side.BUY, 1000, "10", "today", order_id="v0", position_effect=PositionEffect.OPEN))
    one = sell(GOLD, 1, ord_type=OrdType.LIMIT, price="10", position_effect=PositionEffect.CLOSE_TODAY)
    return desk, lambda desk: desk.order(one)


def a_sell_under_reduce_only() -> tuple[Desk, Callable[[Desk], Order]]:
    desk = a_desk(held=1000)
    desk.give(HaltTrading(HaltTier.REDUCE_ONLY, "ann", "looking"))
    return desk, lambda desk: a_sell(desk, 1)


@pytest.mark.parametrize(
    "scene",
    [
        lambda: (a_desk(held=1000), lambda desk: a_sell(desk, 1)),
        lambda: (a_short_desk(1000), lambda desk: a_buy(desk, 1)),
        a_sell_of_what_was_bought_before_today,
        a_close_of_today,
        a_sell_under_reduce_only,
    ],
    ids=["sell", "cover", "t1", "close_today", "reduce_only"],
)
def test_one_more_order_looks_at_as_few_others_as_the_first(
    scene: Callable[[], tuple[Desk, Callable[[Desk], Order]]], looks: Counter[str]
) -> None:
    """Two thousand working sells of one holding made each further one thirty times as dear, and buys that cover as well."""
    desk, one_more = scene()
    looks.clear()
    one_more(desk)
    first = looks["looks"]
    for _ in range(50):
        one_more(desk)
    assert looks["looks"] == 51 * first


@pytest.mark.parametrize("held", ["long", "short"])
def test_a_new_margin_rate_looks_at_each_order_as_often_however_many_there_are(held: str, looks: Counter[str]) -> None:
    """Each of four thousand orders that may close was held against all the others: 35 seconds for one new rate."""
    counts = []
    for orders in (5, 50):
        desk, one_more = (a_desk(held=1), a_sell) if held == "long" else (a_short_desk(1), a_buy)
        for _ in range(orders):
            one_more(desk, 1)
        looks.clear()
        desk.give(ListInstruments((an_instrument(APPLE, lot=1, min_qty=1, shortable=True, margin_rate="0.6"),)))
        counts.append(looks["looks"] / orders)
    assert counts[0] == counts[1]


def test_what_opens_is_counted_apart_from_what_closes() -> None:
    """An order that says OPEN takes nothing of the leg; under REDUCE_ONLY it counts against it all the same."""
    desk = a_desk(held=100)
    a_sell(desk, 30, PositionEffect.OPEN)
    one = a_sell(desk, 40)
    offers = desk.state.offers
    for but, closes in ((None, 40), (one.cl_ord_id, 0)):
        assert offers.of(ACCOUNT, APPLE, Side.SELL, but) == closes
        assert offers.opening(ACCOUNT, APPLE, Side.SELL, but) == 30
    desk.give(HaltTrading(HaltTier.REDUCE_ONLY, "ann", "looking"))
    reply = desk.give(sell(APPLE, 31, ord_type=OrdType.LIMIT, price="10"))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    a_sell(desk, 30)
