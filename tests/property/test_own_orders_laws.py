"""What is kept of own prices says of every order what a walk over all open orders would."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tradeloop.core.order import Order
from tradeloop.core.own_orders import OwnOrders
from tradeloop.core.replacement import Asked, Terms
from tradeloop.core.types import (
    LIMIT,
    MARKET,
    ZERO,
    Amount,
    ClOrdID,
    PositionEffect,
    Px,
    Qty,
    Side,
    TimeInForce,
    UtcNs,
)
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, an_instrument

STOCK = an_instrument()
LIMITED = st.integers(1, 9).map(lambda px: Px(Decimal(px)))
SIDES = st.sampled_from((Side.BUY, Side.SELL))
MADE = st.tuples(st.just("made"), SIDES, st.one_of(st.none(), LIMITED))
FILLED = st.tuples(st.just("filled"), st.integers(0, 99), st.integers(1, 10))
ASKED = st.tuples(st.just("asked"), st.integers(0, 99), LIMITED)
STEPS = st.lists(st.one_of(MADE, FILLED, ASKED), max_size=150)


def an_order(number: int, side: Side, px: Px | None) -> Order:
    """An order of ten."""
    return Order(
        cl_ord_id=ClOrdID(f"o{number}"),
        broker=BROKER,
        account=ACCOUNT,
        symbol=STOCK.symbol,
        side=side,
        order_qty=Qty(Decimal(10)),
        ord_type=MARKET if px is None else LIMIT,
        price=px,
        stop_px=None,
        tif=TimeInForce.DAY,
        position_effect=PositionEffect.AUTO,
        trading_day=DAY,
        by="ann",
        risk_version="1",
        staged_at=UtcNs(1),
        arrival_px=Px(Decimal(5)),
    )


def reach(order: Order) -> Px | None:
    """The price furthest into the market that an order may trade at."""
    if order.price is None:
        return None
    prices = [order.price, *(asked.terms.price for asked in order.replaces or () if asked.terms.price is not None)]
    return max(prices) if order.side is Side.BUY else min(prices)


def worth(order: Order) -> Decimal:
    """The most a unit may be worth: a sell at its limit, or at the market of five where that is more."""
    prices = [order.price, *(asked.terms.price for asked in order.replaces or ())]
    known = [px for px in prices if px is not None]
    if not known:
        return Decimal(5)
    return max(known) if order.side is Side.BUY else max(*known, Decimal(5))


def meets(orders: list[Order], side: Side, px: Px | None) -> bool:
    """The same, order by order."""
    for order in orders:
        if order.side is side and order.exposed_qty:
            own = reach(order)
            if own is None or px is None or (px <= own if side is Side.BUY else px >= own):
                return True
    return False


@given(STEPS)
@settings(deadline=None)
def test_the_best_own_price_is_that_of_all_open_orders(steps: list[tuple[str, object, object]]) -> None:
    own, orders = OwnOrders(), list[Order]()
    for kind, first, second in steps:
        if kind == "made":
            assert isinstance(first, Side)
            orders.append(an_order(len(orders), first, second))  # type: ignore[arg-type]
            own.count(orders[-1], STOCK, orders[-1].exposed_qty)
        elif orders:
            assert isinstance(first, int)
            order = orders[first % len(orders)]
            if kind == "filled":
                assert isinstance(second, int)
                order.cum_qty = Qty(min(order.cum_qty + second, order.order_qty))
            elif order.price is not None:
                terms = Terms(order.order_qty, second, None)  # type: ignore[arg-type]
                order.replaces = [*(order.replaces or ()), Asked(1, terms, UtcNs(1), Amount(ZERO))]
            own.count(order, STOCK, order.exposed_qty)
    for side in Side:
        for px in (None, *(Px(Decimal(px)) for px in range(11))):
            assert own.meets(STOCK.symbol, side, px) == meets(orders, side, px)
        each = (order.exposed_qty * worth(order) for order in orders if order.side is side)
        assert own.value((ACCOUNT, side, STOCK.currency)) == sum(each, ZERO)


def test_prices_at_which_nothing_works_any_more_are_forgotten() -> None:
    own, still = OwnOrders(), an_order(0, Side.BUY, Px(Decimal(10_000)))
    own.count(still, STOCK, still.exposed_qty)
    for number in range(1, 5000):
        order = an_order(number, Side.BUY, Px(Decimal(number)))
        own.count(order, STOCK, order.exposed_qty)
        order.canceled_at = UtcNs(2)
        own.count(order, STOCK, order.exposed_qty)
    assert len(own) < 100
    assert own.meets(STOCK.symbol, Side.BUY, Px(Decimal(10_000)))
