"""What the broker's books prove is booked at once: the first look, missed fills, orders made elsewhere, endings, and READY."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from tests.core.runs_made import LISTED, A

from tradeloop.core.effects import RaiseAlert, SetTimer
from tradeloop.core.events import (
    AccountAdopted,
    BrokerReady,
    InstrumentListed,
    OrderDenied,
    SendBegun,
    Traded,
)
from tradeloop.core.inputs import Start
from tradeloop.core.order import Order
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import BrokerDown, BrokerUp, HeldPosition, OpenOrder
from tradeloop.core.types import OrderID, OrdStatus, Qty, Side, Symbol, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, a_snapshot, an_execution, buy, their_order
from tradeloop.testing.desk import Desk

DOWN = BrokerDown(BROKER, "reset")


def unadopted() -> Desk:
    """Connected, and the broker's books not seen yet."""
    desk = Desk()
    desk.give(Start(1, "test", "t1"), BrokerUp(BROKER))
    return desk


def shown(order: Order, status: OrdStatus, **changes: object) -> OpenOrder:
    """Our order as the broker's books show it."""
    return their_order(order.cl_ord_id, order.symbol, order.side, order.order_qty, status, **changes)


# --- the first look


def test_at_the_first_look_the_brokers_books_become_ours() -> None:
    desk = Desk().opened(*LISTED, cash=5_000, positions={A: 300})

    assert len(desk.of(AccountAdopted)) == 1
    assert desk.cash() == 5_000
    assert desk.state.held(ACCOUNT, Symbol(A)).long_qty == 300
    assert not desk.state.breaks


def test_an_account_is_adopted_once() -> None:
    desk = Desk().opened(*LISTED, cash=5_000)
    desk.give(a_snapshot(cash=9_000))
    assert len(desk.of(AccountAdopted)) == 1
    assert desk.cash() == 5_000


@pytest.mark.parametrize("part", ["cash", "positions", "executions"])
def test_books_that_could_not_be_read_whole_are_not_adopted(part: str) -> None:
    """Unknown is not flat."""
    desk = unadopted()
    desk.give(msgspec.structs.replace(a_snapshot(), **{part: None}))
    assert not desk.of(AccountAdopted)
    assert not desk.of(BrokerReady)


def test_fills_that_are_inside_the_adopted_books_are_not_booked_again() -> None:
    """Invariant 12."""
    desk = unadopted()
    fill = an_execution(None, A, Side.BUY, 300, 10, "e1", order_id=OrderID("h1"))
    desk.give(a_snapshot(cash=7_000, positions={A: 300}, executions=(fill,)))

    desk.give(fill)
    desk.give(a_snapshot(cash=7_000, positions={A: 300}, executions=(fill,)))

    assert not desk.of(Traded)
    assert (desk.cash(), desk.state.held(ACCOUNT, Symbol(A)).long_qty) == (Decimal(7_000), Qty(Decimal(300)))
    assert not desk.state.breaks


def test_a_fill_that_arrives_before_the_first_look_waits_for_it() -> None:
    """A report must never end the engine; the first snapshot holds the fill in one form or the other."""
    desk = unadopted()
    fill = an_execution(None, A, Side.BUY, 300, 10, "e1", order_id=OrderID("h1"))
    desk.give(fill)
    assert not desk.of(Traded)

    desk.give(a_snapshot(cash=7_000, positions={A: 300}, executions=(fill,)))

    assert desk.state.held(ACCOUNT, Symbol(A)).long_qty == 300


def test_an_adopted_holding_that_no_rule_resolves_is_counted_in_the_accounts_currency() -> None:
    desk = unadopted()
    desk.give(a_snapshot(positions={"MYST.XX": 10}))

    (listed,) = desk.of(InstrumentListed)
    assert (listed.instrument.symbol, listed.instrument.currency) == ("MYST.XX", "CNY")
    assert desk.state.held(ACCOUNT, Symbol("MYST.XX")).long_qty == 10


def test_todays_purchases_in_the_adopted_books_are_not_sellable_yet() -> None:
    """T+1 (R27): what the broker lets us sell decides."""
    desk = unadopted()
    held = HeldPosition(ACCOUNT, Symbol(A), Qty(Decimal(300)), Qty(Decimal(0)), long_sellable=Qty(Decimal(100)))
    desk.give(msgspec.structs.replace(a_snapshot(), positions=(held,)))

    assert desk.state.held(ACCOUNT, Symbol(A)).sellable(settles_t1=True) == 100


# --- READY


def test_the_broker_is_ready_only_after_its_books_were_compared() -> None:
    """DESIGN 8: subscribe, snapshot, diff, READY."""
    desk = unadopted()
    assert not desk.of(BrokerReady)
    desk.give(a_snapshot())
    assert [(event.broker, event.account) for event in desk.of(BrokerReady)] == [(BROKER, ACCOUNT)]


def test_a_look_without_orders_does_not_make_the_broker_ready() -> None:
    """What works there is what must be known before anything is sent."""
    desk = unadopted()
    desk.give(a_snapshot(orders=None))  # type: ignore[arg-type]
    assert not desk.of(BrokerReady)


def test_a_look_that_comes_after_the_session_was_lost_does_not_make_the_broker_ready() -> None:
    desk = Desk().opened(*LISTED)
    ready = len(desk.of(BrokerReady))
    desk.give(DOWN)
    desk.give(a_snapshot())
    assert len(desk.of(BrokerReady)) == ready


def test_an_order_is_denied_before_the_broker_is_ready() -> None:
    """Nothing is sent before READY."""
    desk = Desk().opened(*LISTED)
    desk.give(DOWN, BrokerUp(BROKER))

    reply = desk.give(buy(A, 100))

    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert (reply.denied.rule, reply.denied.was) == ("broker_ready", "connected, books not compared yet")
    assert not desk.of(SendBegun)
    assert len(desk.of(OrderDenied)) == 1


def test_each_connect_asks_for_the_books_again() -> None:
    desk = Desk().opened(*LISTED)
    desk.give(DOWN, BrokerUp(BROKER))
    assert not desk.state.links[BROKER].ready
    desk.give(a_snapshot())
    assert desk.state.links[BROKER].ready


def test_being_ready_sets_the_time_of_the_next_look() -> None:
    desk = Desk().opened(*LISTED)
    assert [t.due - desk.now for t in desk.of(SetTimer) if t.kind == "reconcile"] == [30_000_000_000]


# --- fills


def test_a_fill_missed_on_the_stream_is_booked_from_the_snapshot_and_the_late_duplicate_books_nothing() -> None:
    """Invariant 12."""
    desk = Desk().opened(*LISTED, cash=10_000)
    order = desk.order(buy(A, 100))
    desk.ack(order)
    fill = an_execution(order.cl_ord_id, A, Side.BUY, 100, 10, "e1")
    books = a_snapshot(
        cash=9_000, positions={A: 100}, orders=(shown(order, OrdStatus.FILLED, cum_qty=Qty(Decimal(100))),), executions=(fill,)
    )

    desk.give(books)
    desk.give(fill)

    assert len(desk.of(Traded)) == 1
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.FILLED
    assert desk.cash() == 9_000
    assert not desk.state.breaks


def test_a_fill_booked_from_the_stream_is_not_booked_again_from_the_snapshot() -> None:
    """Invariant 12."""
    desk = Desk().opened(*LISTED, cash=10_000)
    order = desk.order(buy(A, 100))
    fill = an_execution(order.cl_ord_id, A, Side.BUY, 100, 10, "e1")
    desk.give(fill)
    desk.give(a_snapshot(cash=9_000, positions={A: 100}, executions=(fill,)))
    assert len(desk.of(Traded)) == 1


def test_a_look_without_a_difference_raises_no_alert() -> None:
    desk = Desk().opened(*LISTED)
    desk.give(a_snapshot(), a_snapshot(as_of=UtcNs(desk.now + 1)))
    assert not desk.of(RaiseAlert)
