"""A failover of the database that lost the rows of a run, which the broker has heard of all the same (F67)."""

from __future__ import annotations

from decimal import Decimal

from tests.core.runs_made import LISTED, A, B, Work, a_run

from tradeloop.core.commands import ListInstruments, OpenTradingDay
from tradeloop.core.inputs import Start
from tradeloop.core.replies import RunReply
from tradeloop.core.reports import BrokerUp
from tradeloop.core.state import State
from tradeloop.core.types import OrderID, OrdStatus, Qty, Side, Symbol, UtcNs
from tradeloop.testing.builders import ACCOUNT, DAY, a_quote, a_snapshot, an_execution, their_order
from tradeloop.testing.desk import Desk

CASH = 1_000_000


def after_the_failover() -> tuple[Desk, Work]:
    """The desk of a new process, from the state before the run; and what the lost rows had begun."""
    desk = Desk().opened(*LISTED, cash=CASH)
    before = desk.state.pack()
    lost = Work.begun({A: "0.1", B: "0.1"}, desk=desk)
    again = Desk()
    again.state = State.unpack(before)
    again.give(Start(2, "test", "t1", predecessor_dead=True), ListInstruments(LISTED))
    again.give(OpenTradingDay("CN_A", DAY, ((UtcNs(desk.now - 10**12), UtcNs(desk.now + 10**15)),)))
    again.give(BrokerUp("paper"))
    for instrument in LISTED:
        again.give(a_quote(instrument.symbol))
    again.wait(1)
    return again, lost


def test_the_same_key_runs_not_beside_orders_that_the_lost_rows_had_sent() -> None:
    """They are strangers' now, by ids of ours that no journal knows; a plan beside them would order the same twice."""
    desk, lost = after_the_failover()
    order = lost.order(A)
    theirs = their_order(order.cl_ord_id, A, Side.BUY, order.order_qty, OrdStatus.NEW, order_id=OrderID("17"))
    desk.give(a_snapshot(as_of=desk.now, cash=CASH, orders=(theirs,)))
    reply = desk.give(a_run({A: "0.1", B: "0.1"}))
    assert isinstance(reply, RunReply)
    assert reply.failed is not None
    assert any("open_orders" in one for one in reply.failed)


def test_the_same_key_orders_only_what_the_lost_rows_had_not_bought() -> None:
    desk, lost = after_the_failover()
    order = lost.order(A)
    qty = int(order.order_qty)
    fill = an_execution(order.cl_ord_id, A, Side.BUY, qty, "10", "e1", order_id=OrderID("17"))
    theirs = their_order(order.cl_ord_id, A, Side.BUY, qty, OrdStatus.FILLED, order_id=OrderID("17"), cum_qty=Qty(Decimal(qty)))
    look = a_snapshot(as_of=desk.now, cash=CASH - 10 * qty, positions={A: qty}, orders=(theirs,), executions=(fill,))
    desk.give(look)
    assert desk.state.held(ACCOUNT, Symbol(A)).long_qty == qty
    again = Work.begun({A: "0.1", B: "0.1"}, desk=desk)
    assert again.run_id == lost.run_id
    assert list(again.sent()) == [B]
    assert again.order(B).cl_ord_id != lost.order(B).cl_ord_id
