"""The closing orders of a symbol never meet each other, and no leg holds another for ever."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.test_halt import GOLD, gold, halt

from tradeloop.core.commands import HaltTrading, ReleaseHalt
from tradeloop.core.effects import SendCancel, SendOrder
from tradeloop.core.events import HaltChecked, OrderStaged
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.inputs import TimerFired
from tradeloop.core.instrument import Instrument
from tradeloop.core.order import Order
from tradeloop.core.reports import BrokerDown, CancelAck, HeldPosition
from tradeloop.core.types import AccountID, OrdType, PositionEffect, Px, Qty, Side, Symbol
from tradeloop.testing.builders import ACCOUNT, BROKER, a_quote, a_snapshot, an_execution, an_instrument, buy, sell
from tradeloop.testing.desk import Desk

SELL, BUY = Side.SELL, Side.BUY
BAC, OTHER = Symbol("BAC.US"), AccountID("other")


def both_legs(fut: Instrument | None = None) -> Desk:
    """A desk that holds ten of a contract both ways."""
    desk = Desk().opened(fut or gold(), cash=1000000)
    for make, name in ((buy, "a"), (sell, "b")):
        order = desk.order(make(GOLD, 10, ord_type=OrdType.LIMIT, price="10", position_effect=PositionEffect.OPEN))
        desk.ack(order, name)
        desk.give(an_execution(order.cl_ord_id, GOLD, order.side, 10, 10, name))
    return desk


def two_accounts() -> Desk:
    """A desk of two accounts: one is long of a share, the other short of it."""
    share = an_instrument(BAC, lot=1, min_qty=1, odd_lot_sell=False, shortable=True, margin_rate="0.5")
    desk = Desk().opened(share, positions={BAC: 1000})
    leg = HeldPosition(OTHER, BAC, Qty(Decimal(0)), Qty(Decimal(400)))
    desk.give(msgspec.structs.replace(a_snapshot(account=OTHER), positions=(leg,)))
    return desk


def quoted(desk: Desk, bid: Any = "9.99", ask: Any = "10.00", symbol: str = GOLD) -> None:
    last = next(Px(Decimal(px)) for px in (bid, ask, "10") if px is not None)
    desk.give(a_quote(symbol, bid=bid, ask=ask, last=last, at=desk.now))


def at_limit_down(desk: Desk) -> None:
    """Sellers only."""
    quoted(desk, None, "9.5")


def looks(desk: Desk, bid: Any = "9.99", ask: Any = "10.00", after: float = 1, symbol: str = GOLD) -> None:
    desk.wait(after)
    quoted(desk, bid, ask, symbol)
    for number in [*desk.state.halts]:
        desk.give(TimerFired("halt", str(number)))


def at_work(desk: Desk) -> list[tuple[Side, int]]:
    return [(order.side, int(order.leaves_qty)) for order in desk.state.orders.open.values()]


def only(desk: Desk) -> Order:
    (order,) = desk.state.orders.open.values()
    return order


def fills(desk: Desk, qty: int, px: str = "9.99", account: AccountID = ACCOUNT) -> None:
    """Of the one order at work."""
    order, name = only(desk), f"f{len(desk.events)}"
    desk.give(an_execution(order.cl_ord_id, order.symbol, order.side, qty, px, name, account=account))


def last(desk: Desk) -> HaltChecked:
    return desk.of(HaltChecked)[-1]


def test_the_legs_of_a_contract_are_closed_one_after_the_other_each_by_its_own_order() -> None:
    desk = both_legs()
    halt(desk, HaltTier.FLATTEN)
    first = only(desk)
    assert (first.side, first.order_qty, first.halt) == (SELL, Qty(Decimal(10)), 1)
    assert last(desk).text == f"1 open order left, 2 positions left ({GOLD} long closing, {GOLD} short next)"
    goes = f"order {first.cl_ord_id} goes first, for the two could trade with each other"
    assert last(desk).held[1] == f"10 short {GOLD} of {ACCOUNT}: {goes}"

    fills(desk, 10)
    looks(desk)

    assert at_work(desk) == [(BUY, 10)]
    assert all(one.position_effect is not PositionEffect.OPEN for one in desk.of(OrderStaged) if one.halt)
    fills(desk, 10)
    looks(desk)
    assert (last(desk).done, last(desk).held) == (True, ())


def test_where_limits_alone_go_the_two_do_not_cross_either() -> None:
    desk = both_legs(msgspec.structs.replace(gold(), max_qty_market=Qty(Decimal(0))))
    quoted(desk, "9.98", "10.02")
    halt(desk, HaltTier.FLATTEN)
    for _ in range(3):
        looks(desk, "9.98", "10.02")
        assert at_work(desk) == [(SELL, 10)]


def test_a_leg_that_nobody_would_take_lets_the_other_go_first() -> None:
    desk = both_legs()
    at_limit_down(desk)
    halt(desk, HaltTier.FLATTEN)
    assert at_work(desk) == [(BUY, 10)]
    fills(desk, 10, "9.5")
    looks(desk, None, "9.5")
    assert at_work(desk) == [(SELL, 10)]
    looks(desk, None, "9.5")
    assert last(desk).text == f"1 open order left, 1 position left ({GOLD} waits)"
    for _ in range(100):
        looks(desk, None, "9.5", after=40)
    assert desk.of(SendCancel) == [], "nothing waits for it any more"


def test_a_leg_that_comes_to_its_limit_while_the_other_waits_gives_way_and_goes_on_after_it() -> None:
    desk = both_legs()
    halt(desk, HaltTier.FLATTEN)
    sold = only(desk)
    desk.ack(sold, "s")
    looks(desk, None, "9.5", after=7)
    assert desk.of(SendCancel) == []
    looks(desk, None, "9.5")
    assert [effect.cl_ord_id for effect in desk.of(SendCancel)] == [sold.cl_ord_id]
    desk.give(CancelAck(BROKER, sold.cl_ord_id))
    looks(desk, None, "9.5")
    assert at_work(desk) == [(BUY, 10)]
    fills(desk, 10, "9.5")
    looks(desk, None, "9.5", after=40)
    assert at_work(desk) == [(SELL, 10)]


def test_an_order_that_trades_keeps_its_turn_and_one_that_gives_way_again_stands_twice_as_long() -> None:
    desk = both_legs()
    halt(desk, HaltTier.FLATTEN)
    desk.ack(only(desk), "s")
    for _ in range(3):
        looks(desk, after=7)
        fills(desk, 1)
    assert desk.of(SendCancel) == []
    stood = []
    for _ in range(4):
        order, since = only(desk), desk.now
        desk.ack(order, order.cl_ord_id)
        while not any(effect.cl_ord_id == order.cl_ord_id for effect in desk.of(SendCancel)):
            looks(desk)
        stood.append((order.side, (desk.now - since) // 1_000_000_000))
        desk.give(CancelAck(BROKER, order.cl_ord_id))
        while not desk.state.orders.open:
            looks(desk)
    assert stood == [(SELL, 8), (BUY, 8), (SELL, 16), (BUY, 16)]


def test_a_refused_close_of_one_leg_lets_the_other_go() -> None:
    """Each leg has its own tries and waits between them."""
    desk = both_legs()
    halt(desk, HaltTier.FLATTEN)
    sold = only(desk)
    desk.ack(sold, "s")
    desk.give(CancelAck(BROKER, sold.cl_ord_id, text="the exchange took it out"))
    looks(desk)
    assert at_work(desk) == [(BUY, 10)]
    fills(desk, 10)
    looks(desk, after=3)
    assert at_work(desk) == [(SELL, 10)]


def test_two_accounts_that_hold_a_share_opposite_ways_do_not_trade_with_each_other() -> None:
    desk = two_accounts()
    halt(desk, HaltTier.FLATTEN)
    assert [(one.account, one.side) for one in desk.state.orders.open.values()] == [(ACCOUNT, SELL)]
    fills(desk, 1000)
    looks(desk, symbol=BAC)
    assert [(one.account, one.side) for one in desk.state.orders.open.values()] == [(OTHER, BUY)]


def test_nor_do_two_flattens_of_one_account_each() -> None:
    desk = two_accounts()
    halt(desk, HaltTier.FLATTEN, HaltScope.ACCOUNT, ACCOUNT)
    halt(desk, HaltTier.FLATTEN, HaltScope.ACCOUNT, OTHER)
    assert [(one.account, one.side) for one in desk.state.orders.open.values()] == [(ACCOUNT, SELL)]


def test_a_closing_order_that_works_on_after_its_release_is_not_met_either() -> None:
    desk = both_legs()
    halt(desk, HaltTier.FLATTEN)
    desk.ack(only(desk), "s")
    desk.give(ReleaseHalt("bob", "looked", numbers=(1,)))
    desk.give(HaltTrading(HaltTier.FLATTEN, "ann", "again"))
    looks(desk)
    assert {order.side for order in desk.state.orders.open.values()} == {SELL}


def test_a_broker_that_is_away_keeps_no_other_account_from_closing() -> None:
    desk = two_accounts()
    halt(desk, HaltTier.FLATTEN, HaltScope.ACCOUNT, OTHER)
    covering = only(desk)
    assert covering.side is BUY
    desk.give(BrokerDown(BROKER, "gone"))
    desk.state.links[BROKER].compared[ACCOUNT] = None  # as of another broker, which is there
    halt(desk, HaltTier.FLATTEN, HaltScope.ACCOUNT, ACCOUNT)
    assert (SELL, 1000) in at_work(desk)


STEPS = st.sampled_from(["fill", "part", "ack", "cancel", "limit down", "limit up", "wait", "wait long", "again"])


@pytest.mark.parametrize("limits_only", [False, True])
@given(steps=st.lists(STEPS, max_size=40))
def test_whatever_the_market_does_no_two_closing_orders_of_ours_could_meet_and_all_is_closed_in_the_end(
    limits_only: bool, steps: list[str]
) -> None:
    desk = both_legs(msgspec.structs.replace(gold(), max_qty_market=Qty(Decimal(0 if limits_only else 4))))
    bid, ask = "9.99", "10.00"
    desk.give(HaltTrading(HaltTier.FLATTEN, "ann", "x"))
    for step in [*steps, *["end"] * 12]:
        orders = list(desk.state.orders.open.values())
        match step:
            case "fill" | "part" | "end":
                for order in orders:
                    size = 1 if step == "part" else order.leaves_qty
                    name = f"f{len(desk.events)}"
                    desk.give(an_execution(order.cl_ord_id, GOLD, order.side, size, "9.99", name))
            case "ack":
                for order in orders:
                    desk.ack(order, order.cl_ord_id)
            case "cancel":
                for order in orders:
                    desk.give(CancelAck(BROKER, order.cl_ord_id, text="it is out"))
            case "limit down" | "limit up":
                bid, ask = ("9.99", "") if step == "limit up" else ("", "10.00")
            case "again":
                desk.give(HaltTrading(HaltTier.FLATTEN, "ann", "x"))
            case _:
                pass
        if step == "end":
            bid, ask = "9.99", "10.00"
        looks(desk, bid or None, ask or None, after=40 if step in ("wait long", "end") else 3)
        assert len({order.side for order in desk.state.orders.open.values()}) < 2
    assert desk.state.held(ACCOUNT, GOLD).is_flat
    assert {one.order.order.side for one in desk.of(SendOrder)} == {SELL, BUY}
