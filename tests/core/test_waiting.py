"""What waits instead of acting on too little: fills still to come, a market not heard of yet, books read too early."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tradeloop.core.commands import OpenTradingDay, ReleaseSymbol
from tradeloop.core.decide import CANCEL_AGAIN, ORDER_TIMEOUT
from tradeloop.core.effects import SendCancel, SetTimer
from tradeloop.core.errors import BadInput
from tradeloop.core.events import BrokerReady, OrderCanceled, SymbolReleased
from tradeloop.core.inputs import Start, TimerFired
from tradeloop.core.reports import BrokerUp, CancelAck, CancelOutcome
from tradeloop.core.types import ClOrdID, OrdStatus, Qty, Side, TradingDay, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, NOON, a_quote, a_snapshot, an_execution, an_instrument, buy, their_order
from tradeloop.testing.desk import Desk

STOCK = "600519.SH"


def test_a_cancel_that_counts_fills_we_never_heard_of_keeps_the_cash_reserved() -> None:
    """A lost fill must not free money that it has already spent."""
    desk = Desk().opened(an_instrument(STOCK))
    order = desk.order(buy(STOCK, 100))
    desk.ack(order)
    reserved = desk.state.accounts[ACCOUNT].cash["CNY"].reserved  # type: ignore[index]

    desk.give(CancelAck(BROKER, order.cl_ord_id, cum_qty=Qty(Decimal(100))))

    assert not desk.of(OrderCanceled)
    assert desk.state.accounts[ACCOUNT].cash["CNY"].reserved == reserved > 0  # type: ignore[index]


def test_the_next_look_at_the_books_brings_the_lost_fill_and_the_end_of_the_order() -> None:
    """What the cancel announced is imported, and only then is the order closed."""
    desk = Desk().opened(an_instrument(STOCK))
    order = desk.order(buy(STOCK, 200))
    desk.ack(order)
    desk.give(CancelAck(BROKER, order.cl_ord_id, cum_qty=Qty(Decimal(100))))
    theirs = their_order(order.cl_ord_id, STOCK, Side.BUY, 200, OrdStatus.CANCELED, cum_qty=Qty(Decimal(100)))
    fill = an_execution(order.cl_ord_id, STOCK, Side.BUY, 100, "10.00")

    desk.wait(1)
    desk.give(a_snapshot(orders=(theirs,), executions=(fill,), cash=999_000, positions={STOCK: 100}, as_of=desk.now))

    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.CANCELED
    assert desk.known(order.cl_ord_id).cum_qty == 100
    assert not desk.state.breaks


def test_books_read_before_the_session_came_up_do_not_make_it_ready() -> None:
    """A look that was under way when the session was lost says nothing about the new one."""
    desk = Desk().opened(an_instrument(STOCK))
    early = a_snapshot(as_of=desk.now)
    desk.wait(5)
    desk.give(BrokerUp(BROKER))
    ready = len(desk.of(BrokerReady))

    desk.give(early)

    assert len(desk.of(BrokerReady)) == ready


def test_a_timeout_cancel_that_did_not_arrive_is_asked_for_again() -> None:
    """S1-58: the fixed time-out holds although the wire failed once."""
    desk = Desk().opened(an_instrument(STOCK))
    order = desk.order(buy(STOCK, 100))
    desk.ack(order)
    order.cancel_at = UtcNs(desk.now + 1)
    desk.wait(1)
    desk.give(_timeout(order.cl_ord_id), CancelOutcome(BROKER, order.cl_ord_id, "no route"))

    again = [timer for timer in desk.of(SetTimer) if timer.kind == CANCEL_AGAIN][-1]
    desk.now = again.due
    desk.give(TimerFired(CANCEL_AGAIN, order.cl_ord_id))

    assert len(desk.of(SendCancel)) == 2


def test_a_staged_order_waits_for_the_first_quote_after_a_restart() -> None:
    """No market seen is no reason to give an order up."""
    desk = Desk().opened(an_instrument(STOCK))
    order = desk.order(buy(STOCK, 100))
    order.send_begun_at = None
    desk.around.quotes.clear()

    desk.give(Start(2, "test", "t1"), BrokerUp(BROKER), a_snapshot(as_of=desk.now))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.STAGED
    desk.give(a_quote(STOCK, at=desk.now))
    desk.wait(1)
    desk.give(a_snapshot(as_of=desk.now))

    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.PENDING_NEW


def test_a_halted_instrument_is_released_by_a_named_person_with_a_reason() -> None:
    """The way back from an overfill."""
    desk = Desk().opened(an_instrument(STOCK))
    order = desk.order(buy(STOCK, 100))
    desk.give(an_execution(order.cl_ord_id, STOCK, Side.BUY, 300, "10.00"))
    assert STOCK in desk.state.halted

    with pytest.raises(BadInput, match="name and a reason"):
        desk.give(ReleaseSymbol(order.symbol, "ann", " "))
    desk.give(ReleaseSymbol(order.symbol, "ann", "looked at the contract note"))

    assert STOCK not in desk.state.halted
    assert [event.by for event in desk.of(SymbolReleased)] == ["ann"]


def test_releasing_what_is_not_halted_is_refused() -> None:
    """Nothing changes."""
    desk = Desk().opened(an_instrument(STOCK))
    before = desk.state.hash()

    with pytest.raises(BadInput, match="not halted"):
        desk.give(ReleaseSymbol(an_instrument(STOCK).symbol, "ann", "why not"))

    assert desk.state.hash() == before


def test_trading_days_do_not_go_back() -> None:
    """An earlier day would settle today's purchases twice."""
    desk = Desk().opened(an_instrument(STOCK))

    with pytest.raises(BadInput, match="days do not go back"):
        desk.give(OpenTradingDay("CN_A", TradingDay("2026-07-16"), ((NOON, UtcNs(NOON + 1)),)))


def _timeout(cl_ord_id: ClOrdID) -> TimerFired:
    return TimerFired(ORDER_TIMEOUT, cl_ord_id)
