"""The state is the fold of the journal and nothing else: the same facts, the same bytes, whatever process folded them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest

from tradeloop.core.commands import CancelOrder
from tradeloop.core.evolve import evolve
from tradeloop.core.inputs import Start
from tradeloop.core.order import Order
from tradeloop.core.order_book import OrderBook
from tradeloop.core.reports import BrokerDown, CancelAck, OrderReject, SendOutcome
from tradeloop.core.state import State
from tradeloop.core.types import OrdStatus, OrdType, Side
from tradeloop.testing.builders import ACCOUNT, BROKER, an_execution, an_instrument, buy, sell
from tradeloop.testing.desk import Desk

MOUTAI, APPLE = "600519.SH", "AAPL.US"


def a_day() -> Desk:
    """A desk with one order in each standing an order can have."""
    desk = Desk().opened(an_instrument(), an_instrument("000001.SZ"), positions={MOUTAI: 1000})
    orders = [desk.order(buy(MOUTAI, 100, request_id=f"r{n}")) for n in range(6)]
    filled, partly, canceled, rejected, pending, _ = orders
    desk.give(an_execution(filled.cl_ord_id, MOUTAI, Side.BUY, 100, "10", "z"))
    desk.give(an_execution(partly.cl_ord_id, MOUTAI, Side.BUY, 40, "10", "y"))
    desk.give(an_execution(partly.cl_ord_id, MOUTAI, Side.BUY, 20, "10", "x"))
    desk.give(CancelAck(BROKER, canceled.cl_ord_id, cum_qty=canceled.cum_qty))
    desk.give(OrderReject(BROKER, rejected.cl_ord_id, "7", "no"))
    desk.ack(pending)
    desk.give(CancelOrder(pending.cl_ord_id, "ann"))
    desk.give(sell(MOUTAI, 100, ord_type=OrdType.STOP, stop_px="9"))
    desk.give(buy("000001.SZ", 10_000_000), sell("000001.SZ", 100))
    unknown = desk.order(buy("000001.SZ", 100))
    desk.give(SendOutcome(BROKER, unknown.cl_ord_id, "UNKNOWN", "timed out"))
    return desk


def replayed(desk: Desk) -> State:
    state = State()
    for event in desk.events:
        evolve(state, event)
    return state


def test_the_day_of_these_tests_has_an_order_in_every_standing() -> None:
    desk = a_day()
    keys = [*desk.state.orders.open, *(key for key, _ in desk.state.orders.closed.items())]
    found = {desk.known(key).ord_status.value for key in keys}  # type: ignore[arg-type]
    assert found == {s.value for s in OrdStatus} - {"DENIED", "PENDING_REPLACE", "NEW", "EXPIRED"}


def test_a_packed_state_unpacks_to_the_same_bytes() -> None:
    state = a_day().state
    again = State.unpack(state.pack())
    assert (again.pack(), again.hash()) == (state.pack(), state.hash())


def test_an_empty_state_packs_too() -> None:
    assert State.unpack(State().pack()).hash() == State().hash()


def test_the_facts_folded_anew_give_the_same_state() -> None:
    """S1-4."""
    desk = a_day()
    assert replayed(desk).hash() == desk.state.hash()


def test_an_unpacked_state_knows_the_same_stops_working_orders_and_doubts() -> None:
    state = a_day().state
    again = State.unpack(state.pack())
    assert again.working == {key: orders for key, orders in state.working.items() if orders}
    assert again.unknown == state.unknown
    assert again.stops == {symbol: orders for symbol, orders in state.stops.items() if orders}
    assert again.id_prefix == state.id_prefix


def cancelled(desk: Desk, order: Order) -> None:
    desk.give(CancelAck(BROKER, order.cl_ord_id, cum_qty=order.cum_qty))


def filled(desk: Desk, order: Order) -> None:
    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 10, "10", "a"))


@pytest.mark.parametrize("end", [cancelled, filled])
def test_a_snapshot_and_what_followed_give_the_state_of_the_whole_journal(end: Callable[[Desk, Order], None]) -> None:
    """Fills that came in another order than their names sort in must not show in the bytes of the closed order."""
    whole, halved = (Desk().opened(an_instrument(lot=1, min_qty=1)) for _ in range(2))
    for desk in (whole, halved):
        order = desk.order(buy(MOUTAI, 100))
        desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 50, "10", "z"))
        desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 40, "10", "y"))
        if desk is halved:
            desk.state = State.unpack(desk.state.pack())
        end(desk, order)
    assert halved.state.hash() == whole.state.hash()


def test_a_decision_that_is_refused_leaves_the_state_as_its_facts_make_it() -> None:
    desk = Desk().opened(an_instrument(), an_instrument(APPLE, currency="USD"))
    desk.give(buy(APPLE, 100), sell(APPLE, 100), buy(MOUTAI, 50))
    assert replayed(desk).hash() == desk.state.hash()


@pytest.mark.parametrize("payload", [b"", b"\x00", b"\x90", b"garbage"])
def test_what_is_no_snapshot_is_refused(payload: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        State.unpack(payload)


def test_a_truncated_snapshot_is_refused() -> None:
    packed = a_day().state.pack()
    with pytest.raises(msgspec.MsgspecError):
        State.unpack(packed[:-1])


def test_the_hash_tells_two_states_apart() -> None:
    one, other = Desk().opened(an_instrument()), Desk().opened(an_instrument(), cash="1000000.01")
    assert one.state.hash() != other.state.hash()


def test_a_closed_order_is_found_as_a_copy_and_kept_after_a_change() -> None:
    desk = Desk().opened(an_instrument())
    order = desk.order(buy(MOUTAI, 100))
    desk.give(CancelAck(BROKER, order.cl_ord_id, cum_qty=order.cum_qty))
    book: OrderBook = desk.state.orders
    copy = book.get(order.cl_ord_id)
    assert copy is not None
    copy.text = "changed"
    assert desk.known(order.cl_ord_id).text == ""
    book.keep(copy)
    assert desk.known(order.cl_ord_id).text == "changed"
    assert len(book) == 1


def test_reading_a_position_that_is_not_there_makes_none() -> None:
    desk = Desk().opened(an_instrument())
    before = desk.state.hash()
    assert desk.state.held(ACCOUNT, an_instrument().symbol).is_flat
    assert desk.state.hash() == before


def test_a_restart_begins_to_count_anew_under_its_own_epoch() -> None:
    desk = a_day()
    assert desk.state.counter > 0
    desk.give(Start(2, "test", "t1"))
    assert (desk.state.counter, desk.state.epoch) == (0, 2)


def test_the_order_of_sessions_and_accounts_does_not_show_in_the_bytes() -> None:
    one, other = Desk().opened(an_instrument()), Desk().opened(an_instrument())
    for desk, names in ((one, ("a", "b")), (other, ("b", "a"))):
        for name in names:
            desk.give(BrokerDown(name, "never there"))
    assert one.state.hash() == other.state.hash()


def test_money_keeps_every_digit_through_a_snapshot() -> None:
    desk = Desk().opened(an_instrument(), cash="12345678.000000000001")
    again = State.unpack(desk.state.pack())
    assert next(iter(again.accounts.values())).cash[an_instrument().currency].balance == Decimal("12345678.000000000001")
