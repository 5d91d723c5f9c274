"""The order that a broker's number speaks of is known without looking at every order that works."""

from __future__ import annotations

from decimal import Decimal

from typing_extensions import override

from tradeloop.core.commands import OpenTradingDay
from tradeloop.core.order import Order
from tradeloop.core.reports import ExecutionBust, OpenOrder, OrderExpire, OrderRestate
from tradeloop.core.state import State
from tradeloop.core.types import ClOrdID, ExecID, OrderID, OrdStatus, OrdType, Px, Side, Symbol, TradingDay, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, a_snapshot, an_execution, an_instrument, buy, their_order
from tradeloop.testing.desk import Desk

A = Symbol("600519.SH")
MONDAY = TradingDay("2026-07-20")


def bearers(desk: Desk, order_id: str) -> list[str]:
    """Who bears a number, after a look that each working order is known by the one it has, here and after a restart."""
    state, again = desk.state, State.unpack(desk.state.pack())
    assert state.numbers.of_order == {o.cl_ord_id: o.order_id for o in state.orders.open.values() if o.order_id is not None}
    assert (again.numbers.of_order, again.numbers.by_number) == (state.numbers.of_order, state.numbers.by_number)
    return list(state.numbers.of(ACCOUNT, A, OrderID(order_id)))


def resting(desk: Desk, order_id: str) -> Order:
    order = desk.order(buy(A, 100, ord_type=OrdType.LIMIT, price="10"))
    desk.ack(order, order_id)
    return order


def test_an_order_is_known_by_its_number_from_its_acknowledgement_to_its_end() -> None:
    desk = Desk().opened(an_instrument(A))
    order = desk.order(buy(A, 100, ord_type=OrdType.LIMIT, price="10"))
    assert bearers(desk, "7") == []
    desk.ack(order, "7")
    assert bearers(desk, "7") == [order.cl_ord_id]
    desk.give(OrderExpire(BROKER, order.cl_ord_id, "the day is over"))
    assert bearers(desk, "7") == []


def test_an_order_whose_last_fill_is_taken_back_is_known_by_its_number_again() -> None:
    desk = Desk().opened(an_instrument(A))
    order = resting(desk, "7")
    desk.give(an_execution(order.cl_ord_id, A, Side.BUY, 100, "10", "e1"))
    assert bearers(desk, "7") == []
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY))
    assert bearers(desk, "7") == [order.cl_ord_id]


def test_an_order_that_a_fill_numbers_is_known_by_that_number() -> None:
    desk = Desk().opened(an_instrument(A))
    order = desk.order(buy(A, 200, ord_type=OrdType.LIMIT, price="10"))
    desk.give(an_execution(order.cl_ord_id, A, Side.BUY, 100, "10", "e1", order_id=OrderID("7")))
    assert bearers(desk, "7") == [order.cl_ord_id]


def test_an_order_that_its_broker_numbers_anew_is_known_by_the_new_number_alone() -> None:
    desk = Desk().opened(an_instrument(A))
    order = resting(desk, "7")
    desk.give(OrderRestate(BROKER, order.cl_ord_id, order.order_qty, order.price, order_id=OrderID("8")))
    assert (bearers(desk, "7"), bearers(desk, "8")) == ([], [order.cl_ord_id])


class Orders(dict[ClOrdID, Order]):
    """Open orders, and how often one was picked."""

    picked = 0

    @override
    def __getitem__(self, cl_ord_id: ClOrdID) -> Order:
        self.picked += 1
        return super().__getitem__(cl_ord_id)


def on_monday(desk: Desk) -> None:
    desk.wait(3 * 86400)
    desk.give(OpenTradingDay("CN_A", MONDAY, ((UtcNs(desk.now - 1), UtcNs(desk.now + 10**13)),)))


def strangers(many: int) -> tuple[Desk, tuple[OpenOrder, ...]]:
    """Orders of another program, that its broker shows by their numbers alone."""
    desk = Desk().opened(an_instrument(A))
    terms = {"price": Px(Decimal(10))}
    lines = tuple(their_order(None, A, Side.BUY, 100, OrdStatus.NEW, order_id=OrderID(f"n{i}"), **terms) for i in range(many))
    desk.give(a_snapshot(orders=lines))
    return desk, lines


def test_a_look_on_the_next_day_picks_as_few_orders_for_each_stranger_however_many_there_are() -> None:
    """Four thousand orders good till cancelled, of another program, held the writer for 20 s in one look."""
    each = []
    for many in (5, 50):
        desk, lines = strangers(many)
        on_monday(desk)
        desk.state.orders.open = orders = Orders(desk.state.orders.open)
        desk.give(a_snapshot(orders=lines, as_of=desk.now, trading_day=MONDAY))
        each.append(orders.picked / many)
    assert each[0] == each[1]


def test_a_new_trading_day_picks_each_order_at_most_once_for_all_strangers() -> None:
    desk, lines = strangers(50)
    on_monday(desk)
    desk.give(a_snapshot(orders=lines, as_of=desk.now, trading_day=MONDAY))
    desk.state.orders.open = orders = Orders(desk.state.orders.open)
    desk.wait(86400)
    desk.give(OpenTradingDay("CN_A", TradingDay("2026-07-21"), ((UtcNs(desk.now - 1), UtcNs(desk.now + 10**13)),)))
    assert not desk.state.strangers
    assert orders.picked <= len(lines)
