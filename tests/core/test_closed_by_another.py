"""An order that was to close a holding finds it closed by another: it opens, and is promised what that may cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.core.watched import WatchedDesk

from tradeloop.core.cash import CashBook
from tradeloop.core.commands import RepairBreak, ReplaceOrder
from tradeloop.core.effects import RaiseAlert, SendCancel
from tradeloop.core.events import Event, LateOrderDenied, ReserveRaised, SendBegun
from tradeloop.core.evolve import evolve
from tradeloop.core.inputs import Input, Start
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.order import Order
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import BrokerUp, CancelAck, ExecutionBust, ExecutionCorrect
from tradeloop.core.risk import older_first
from tradeloop.core.state import State
from tradeloop.core.types import Amount, Currency, ExecID, OrderID, OrdType, PositionEffect, Px, Qty, Side
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, a_quote, a_snapshot, an_execution, an_instrument, buy, fees, sell
from tradeloop.testing.desk import Desk

APPLE, OTHER = "AAPL.US", "MSFT.US"
LIMIT = OrdType.LIMIT
KINDS = [AssetClass.STOCK, AssetClass.FUTURE]


def apple(kind: AssetClass = AssetClass.STOCK, **changes: Any) -> Instrument:
    return an_instrument(APPLE, asset_class=kind, lot=1, min_qty=1, shortable=True, margin_rate="0.5", **changes)


def a_desk(kind: AssetClass = AssetClass.STOCK, cash: int = 2000, **changes: Any) -> Desk:
    return WatchedDesk().opened(apple(kind, **changes), an_instrument(OTHER, lot=1, min_qty=1), cash=cash)


def purse(desk: Desk) -> CashBook:
    return desk.state.accounts[ACCOUNT].cash[Currency("CNY")]


def works(desk: Desk, command: Input) -> Order:
    order = desk.order(command)
    desk.ack(order, f"b-{order.cl_ord_id}")
    return order


def fill(desk: Desk, order: Order, qty: int, px: str, exec_id: str) -> None:
    desk.give(an_execution(order.cl_ord_id, order.symbol, order.side, qty, px, exec_id))


def short(desk: Desk, qty: int = 100, px: str = "10") -> Order:
    order = works(desk, sell(APPLE, qty, ord_type=LIMIT, price=px))
    fill(desk, order, qty, px, "short")
    return order


def a_cover(desk: Desk, qty: int = 100, px: str = "10", **changes: Any) -> Order:
    return works(desk, buy(APPLE, qty, ord_type=LIMIT, price=px, **changes))


def reserves(desk: Desk, *orders: Order) -> list[Decimal]:
    return [desk.known(order.cl_ord_id).reserved for order in orders]


def is_denied(desk: Desk, command: Input) -> bool:
    reply = desk.give(command)
    assert isinstance(reply, OrderReply)
    return reply.denied is not None


def alerts(desk: Desk) -> list[str]:
    return [alert.text for alert in desk.of(RaiseAlert) if alert.key.startswith("short_of_cash")]


@pytest.mark.parametrize(("kind", "cost"), [(KINDS[0], 1000), (KINDS[1], 500)])
def test_a_cover_behind_which_another_has_closed_the_short_is_promised_what_it_may_open(kind: AssetClass, cost: int) -> None:
    """Invariant 25: two buys of one short, and the younger one fills first."""
    desk = a_desk(kind)
    short(desk)
    first, second = a_cover(desk), a_cover(desk)
    assert reserves(desk, first, second) == [0, cost]
    fill(desk, second, 100, "10", "e2")
    assert reserves(desk, first, second) == [cost, 0]
    assert is_denied(desk, buy(OTHER, 190, ord_type=LIMIT, price="10"))
    fill(desk, first, 100, "10", "e3")
    assert [purse(desk).reserved, purse(desk).free] == [0, 2000 - cost]
    assert not alerts(desk)


@pytest.mark.parametrize("kind", KINDS)
def test_the_other_of_two_exits_is_promised_the_margin_of_the_short_it_would_open(kind: AssetClass) -> None:
    """A take-profit and a stop of one holding: when the stop fills, the other sell goes on."""
    desk = a_desk(kind)
    desk.give(a_quote(APPLE, bid="9.99", ask="10.00", at=desk.now))
    holding = works(desk, buy(APPLE, 100, ord_type=LIMIT, price="10"))
    fill(desk, holding, 100, "10", "long")
    profit = works(desk, sell(APPLE, 100, ord_type=LIMIT, price="11"))
    stop = desk.order(sell(APPLE, 100, ord_type=OrdType.STOP, stop_px="9"))
    assert reserves(desk, profit) == [0]
    desk.wait(1)
    desk.give(a_quote(APPLE, bid="8.99", ask="9.00", last=Px(Decimal(9)), at=desk.now))
    fill(desk, stop, 100, "8.99", "e2")
    assert reserves(desk, profit, stop) == [550, 0]


@pytest.mark.parametrize("how", ["hand", "look", "bust", "correct", "adjusted"])
def test_whoever_takes_the_short_away_the_cover_is_promised_its_price(how: str) -> None:
    """A person at the broker, a look that found their fill, the broker itself, a person who adjusts the books."""
    desk = a_desk(cash=3000)
    sale = short(desk)
    cover = a_cover(desk)
    by_hand = an_execution(None, APPLE, Side.BUY, 100, 10, "e5", order_id=OrderID("by-hand"))
    if how == "hand":
        desk.give(by_hand)
    elif how == "look":
        desk.wait(60)
        desk.give(a_snapshot(as_of=desk.now, cash=3000, executions=(by_hand,)))
    elif how == "bust":
        desk.give(CancelAck(BROKER, sale.cl_ord_id, cum_qty=Qty(Decimal(100))))
        desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("short"), Side.SELL))
    elif how == "correct":
        figures = Qty(Decimal(40)), Px(Decimal(10)), Amount(Decimal(0))
        desk.give(ExecutionCorrect(BROKER, ACCOUNT, DAY, ExecID("short"), Side.SELL, *figures))
    else:
        for _ in range(3):
            desk.wait(60)
            desk.give(a_snapshot(as_of=desk.now, cash=4000, positions={}))
        (found,) = (known for known in desk.state.breaks.values() if known.kind == "position")
        desk.give(RepairBreak(found.break_id, "ann", "bought in"))
    assert reserves(desk, cover) == [600 if how == "correct" else 1000]


def test_of_several_the_older_ones_close_first_and_together_they_hold_what_they_may_cost() -> None:
    desk = a_desk(cash=10_000)
    short(desk)
    orders = [a_cover(desk, 80), a_cover(desk, 60), a_cover(desk, 50)]
    assert reserves(desk, *orders) == [0, 400, 500]
    fill(desk, orders[2], 50, "10", "e2")
    assert reserves(desk, *orders) == [300, 600, 0]  # 50 are left to cover, 140 are bought
    fill(desk, orders[1], 20, "10", "e3")
    assert reserves(desk, *orders) == [500, 400, 0]  # 30 and 120
    fill(desk, orders[0], 80, "10", "e4")
    assert reserves(desk, *orders) == [0, 400, 0]
    fill(desk, orders[1], 40, "10", "e5")
    assert [purse(desk).reserved, purse(desk).balance] == [0, 10_000 + 1000 - 1900]


def test_what_closes_is_not_held_twice_by_an_order_that_was_to_open() -> None:
    """The younger closes a part first: so much less of it is left to open, and the older one opens it."""
    desk = a_desk(cash=1500)
    short(desk)
    first, second = a_cover(desk), a_cover(desk)
    assert [*reserves(desk, first, second), purse(desk).free] == [0, 1000, 0]
    fill(desk, second, 40, "10", "e2")
    assert [*reserves(desk, first, second), purse(desk).free] == [400, 600, 200]
    assert not alerts(desk)


def test_fees_of_what_opens_are_promised_too() -> None:
    desk = a_desk(cash=5000, fees=fees("0.001", 5))
    short(desk)
    first, second = a_cover(desk), a_cover(desk)
    fill(desk, second, 100, "10", "e2")
    assert reserves(desk, first) == [1005]


def test_an_account_that_cannot_pay_for_it_is_told_which_order_and_no_new_one_passes() -> None:
    desk = a_desk(cash=500)
    short(desk)
    cover = a_cover(desk, px="11")
    desk.give(an_execution(None, APPLE, Side.BUY, 100, 10, "e5", order_id=OrderID("by-hand")))
    assert [*reserves(desk, cover), purse(desk).free] == [1100, -600]
    (told,) = alerts(desk)
    assert f"order {cover.cl_ord_id} (BUY 100 {APPLE}) may cost 1100" in told
    assert "cancel that order, add funds or reduce positions" in told
    assert not desk.of(SendCancel)
    assert is_denied(desk, buy(OTHER, 1, ord_type=LIMIT, price="1"))


def test_an_order_that_has_not_left_is_promised_no_more_than_the_account_has() -> None:
    """It is asked for its cash again before it leaves."""
    desk = a_desk(cash=600)
    desk.give(a_quote(APPLE, bid="9.99", ask="10.00", at=desk.now))
    short(desk)
    waits = desk.order(buy(APPLE, 100, ord_type=OrdType.STOP_LIMIT, stop_px="11", price="12"))
    desk.give(an_execution(None, APPLE, Side.BUY, 100, 10, "e5", order_id=OrderID("by-hand")))
    assert reserves(desk, waits) == [0]
    assert not alerts(desk)


def test_orders_that_say_what_they_do_and_those_of_strangers_are_left_alone() -> None:
    desk = a_desk(AssetClass.FUTURE, cash=10_000)
    short(desk)
    opens = a_cover(desk, position_effect=PositionEffect.OPEN)
    closes = a_cover(desk, position_effect=PositionEffect.CLOSE)
    desk.give(an_execution(None, APPLE, Side.BUY, 100, 10, "e5", order_id=OrderID("by-hand")))
    assert reserves(desk, opens, closes) == [500, 0]
    assert not desk.of(ReserveRaised)


def test_a_short_that_the_broker_showed_of_what_cannot_be_sold_short_is_covered_once() -> None:
    desk = WatchedDesk().opened(an_instrument(APPLE, lot=1, min_qty=1), cash=5000)
    desk.give(an_execution(None, APPLE, Side.SELL, 100, 10, "e1", order_id=OrderID("by-hand")))
    first, second = a_cover(desk), a_cover(desk)
    assert reserves(desk, first, second) == [0, 1000]
    fill(desk, second, 100, "10", "e2")
    assert reserves(desk, first) == [1000]


@pytest.mark.parametrize("how", ["bust", "correct"])
def test_a_short_that_nobody_asked_for_is_gone_when_its_sale_is_changed(how: str) -> None:
    desk = WatchedDesk().opened(an_instrument(APPLE, lot=1, min_qty=1), cash=5000)
    desk.give(an_execution(None, APPLE, Side.SELL, 100, 10, "e1", order_id=OrderID("by-hand")))
    paid = works(desk, buy(APPLE, 50, ord_type=LIMIT, price="9", position_effect=PositionEffect.OPEN))
    cover = a_cover(desk)
    if how == "bust":
        desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.SELL))
    else:
        figures = Qty(Decimal(40)), Px(Decimal(10)), Amount(Decimal(0))
        desk.give(ExecutionCorrect(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.SELL, *figures))
    assert reserves(desk, paid, cover) == [450, 1000 if how == "bust" else 600]


def test_the_facts_folded_anew_hold_the_same() -> None:
    desk = Desk().opened(apple(), cash=2000)
    short(desk)
    first, second = a_cover(desk), a_cover(desk)
    fill(desk, second, 60, "10", "e2")
    fresh = State()
    events: list[Event] = desk.events
    for event in events:
        evolve(fresh, event)
    assert fresh.hash() == desk.state.hash()
    desk.state = State.unpack(desk.state.pack())
    desk.give(Start(desk.state.epoch + 1, "test", "t1"), BrokerUp(BROKER))
    fill(desk, first, 100, "10", "e3")
    assert reserves(desk, second) == [400]


def test_a_fill_looks_at_no_other_order_as_long_as_what_is_held_suffices_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ladder of covers costs nothing as long as what is short suffices for all of it."""
    desk = a_desk(cash=100_000)
    short(desk, 1000)
    ladder = [a_cover(desk, 1) for _ in range(50)]
    monkeypatch.setattr("tradeloop.core.short_promise.in_turn", None)
    fill(desk, ladder[30], 1, "10", "e2")
    assert purse(desk).reserved == 0


@pytest.mark.parametrize(("told", "held"), [("corrected", 500), ("busted", 1000), ("early", 1000), ("fee", 1000)])
def test_a_fill_told_too_dear_leaves_no_more_promised_than_the_rest_may_cost(told: str, held: int) -> None:
    """It had used no more than was reserved, and gave back what it had cost."""
    desk = WatchedDesk().opened(an_instrument(OTHER, lot=1, min_qty=1), cash=10_000)
    order = works(desk, buy(OTHER, 100, ord_type=LIMIT, price="10"))
    dear, fee = ("10", Amount(Decimal(800))) if told == "fee" else ("100", None)
    if told == "early":
        desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY))
    desk.give(an_execution(order.cl_ord_id, OTHER, Side.BUY, 50, dear, "e1", commission=fee))
    if told == "corrected":
        desk.give(ExecutionCorrect(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY, Qty(Decimal(50)), Px(Decimal(10))))
    else:
        desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY))
    assert reserves(desk, order) == [held]
    assert purse(desk).reserved == held


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_short", [True, False], ids=["short", "long"])
def test_a_stop_that_fires_closes_before_the_younger_order_beside_it(kind: AssetClass, is_short: bool) -> None:
    """S4: what protects a position must not be lost for want of cash that it will never cost."""
    desk = a_desk(kind, cash=2100)
    desk.give(a_quote(APPLE, bid="10", ask="10.01", at=desk.now))
    opens, closes = (sell, buy) if is_short else (buy, sell)
    fill(desk, order := works(desk, opens(APPLE, 100, ord_type=LIMIT, price="10")), 100, "10", "open")
    assert desk.known(order.cl_ord_id).is_done
    stop = desk.order(closes(APPLE, 100, ord_type=OrdType.STOP, stop_px="12" if is_short else "8"))
    works(desk, closes(APPLE, 100, ord_type=LIMIT, price="8" if is_short else "12"))
    works(desk, buy(OTHER, int(purse(desk).free / 10), ord_type=LIMIT, price="10"))
    desk.give(
        a_quote(APPLE, bid="12", ask="12.01", at=desk.now) if is_short else a_quote(APPLE, bid="7.99", ask="8", at=desk.now)
    )
    assert stop.cl_ord_id in {each.cl_ord_id for each in desk.of(SendBegun)}
    assert desk.of(LateOrderDenied) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wanted", [{"price": "9"}, {"price": "11"}, {"order_qty": 3}])
def test_an_exit_is_priced_anew_while_no_quote_is_known(kind: AssetClass, wanted: dict[str, Any]) -> None:
    """After a restart before the first quote, say; it closes, whatever its price."""
    desk = WatchedDesk().opened(apple(kind), quoted=False, cash=2000, positions={APPLE: 5})
    order = works(desk, sell(APPLE, 5, ord_type=LIMIT, price="10"))
    terms = {name: Decimal(value) for name, value in wanted.items()}
    reply = desk.give(ReplaceOrder(order.cl_ord_id, "ann", **terms))  # type: ignore[arg-type]
    assert isinstance(reply, OrderReply)
    assert reply.denied is None


def test_what_comes_before_costs_nothing_to_know_where_there_is_enough_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quote may fire thousands of stops at once; nobody looks through all of them for each."""
    desk = a_desk(AssetClass.FUTURE, cash=100_000)
    desk.give(a_quote(APPLE, bid="10", ask="10.01", at=desk.now))
    fill(desk, works(desk, buy(APPLE, 50, ord_type=LIMIT, price="10")), 50, "10", "open")
    stops = [desk.order(sell(APPLE, 1, ord_type=OrdType.STOP, stop_px="9")) for _ in range(50)]
    monkeypatch.setattr(older_first, "_age", lambda order: pytest.fail("it looked through them"))
    assert {older_first.closed_before(desk.state, stop) for stop in stops} == {Decimal(0)}


@pytest.mark.parametrize("kind", KINDS)
def test_what_an_older_exit_was_made_larger_by_stays_promised_when_it_is_changed_again(kind: AssetClass) -> None:
    """It was asked for behind the younger order, which counts on the holding, too."""
    desk = a_desk(kind, cash=2500)
    desk.give(a_quote(APPLE, bid="10", ask="10.01", at=desk.now))
    fill(desk, works(desk, buy(APPLE, 100, ord_type=LIMIT, price="10")), 100, "10", "open")
    stop = desk.order(sell(APPLE, 50, ord_type=OrdType.STOP, stop_px="9"))
    works(desk, sell(APPLE, 50, ord_type=LIMIT, price="12"))
    desk.give(ReplaceOrder(stop.cl_ord_id, "ann", order_qty=Qty(Decimal(100))))
    larger = desk.known(stop.cl_ord_id).reserved
    desk.give(ReplaceOrder(stop.cl_ord_id, "ann", stop_px=Px(Decimal("9.1"))))
    assert desk.known(stop.cl_ord_id).order_qty == 100
    assert desk.known(stop.cl_ord_id).reserved >= larger > 0
