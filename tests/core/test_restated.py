"""What brokers say of terms, at its edges: what is not believed, orders of runs and of strangers, and ids that do not fit."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from tests.core.runs_made import A, Work

from tradeloop.core.capabilities import takes_our_ids
from tradeloop.core.checked import Distrusted, checked
from tradeloop.core.commands import CancelOrder
from tradeloop.core.errors import BadInput
from tradeloop.core.events import ExternalOrderFound
from tradeloop.core.reports import ExecutionBust, OpenOrder, OrderRestate, ReplaceAck, ReplaceOutcome, ReplaceReject, Report
from tradeloop.core.types import ClOrdID, OrderID, OrdStatus, Px, Qty, RunStatus, Side
from tradeloop.testing.builders import ACCOUNT, BROKER, a_snapshot, an_execution, an_instrument, their_order
from tradeloop.testing.desk import ABLE, Desk

MOUTAI = "600519.SH"
ID = ClOrdID("c1")


def ack(qty: object = Decimal(100), price: object = Decimal("10.00"), **more: object) -> ReplaceAck:
    return ReplaceAck(BROKER, ID, qty, price, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("report", "says"),
    [
        (ack(Decimal(0)), "order_qty was 0; expected more than 0"),
        (ack(Decimal("NaN")), "order_qty was 'NaN'"),
        (ack(100), "order_qty was '100'; expected a number"),
        (ack(price=Decimal("Infinity")), "price was 'Infinity'"),
        (ack(Decimal(10**9), Decimal(10**9)), "check quantity and price"),
        (ack(number=0), "number was '0'; expected that of a replace"),
        (ack(cum_qty=Decimal(-1)), "cum_qty was -1; expected at least 0"),
        (OrderRestate(BROKER, ID, Qty(Decimal(1)), None, leaves_qty=Qty(Decimal(-1))), "leaves_qty was -1"),
        (ReplaceReject(BROKER, ClOrdID("a\0b"), "1", "no"), "with a NUL in it"),
        (ReplaceReject(BROKER, ID, "1", "no", True), "number was 'True'"),
    ],
)
def test_terms_that_no_order_can_have_are_not_believed(report: Report, says: str) -> None:
    found = checked(report)
    assert isinstance(found, Distrusted)
    assert says in found.reason


def test_words_of_a_broker_about_a_replace_are_mended_and_not_lost() -> None:
    rejected = checked(ReplaceReject(BROKER, ID, "1", "no\0 \udce9", 1))
    assert isinstance(rejected, ReplaceReject)
    assert rejected.text == "no? ?"
    outcome = checked(ReplaceOutcome(BROKER, ID, 1, "UNKNOWN", "x" * 9999))
    assert isinstance(outcome, ReplaceOutcome)
    assert len(outcome.text) == 512


def test_a_broker_that_replaces_takes_the_ids_of_replaces() -> None:
    """ADR 6: twenty characters."""
    narrow = msgspec.structs.replace(ABLE, cl_ord_id_max=19)
    with pytest.raises(BadInput, match="the id of a replace has 20"):
        takes_our_ids(BROKER, narrow)
    takes_our_ids(BROKER, msgspec.structs.replace(narrow, replaces=False))


def test_a_runs_order_cut_down_by_the_venue_ends_its_line_as_a_persons_to_do() -> None:
    """S1-45: the plan's size stays what the line is measured by."""
    work = Work.begun({A: "0.5"})
    work.ack(A)
    work.fill(A, 1000)
    order = work.order(A)
    work.desk.give(OrderRestate(BROKER, order.cl_ord_id, Qty(Decimal(1000)), None, text="self-trade prevention"))
    assert work.order(A).ord_status is OrdStatus.FILLED
    assert work.status is RunStatus.COMPLETED
    assert (work.run.code, work.run.todo) == ("partial", (1,))


def test_a_strangers_order_first_seen_as_a_fill_becomes_whole_with_the_books() -> None:
    """FIX E.1.a with its messages crossed: what of it may still trade counts for the account's money."""
    desk = Desk().opened(an_instrument(lot=1, min_qty=1))
    fill = an_execution(None, MOUTAI, Side.BUY, 30, "10.00", "t1", order_id=OrderID("p1"))
    desk.give(fill)
    shown = their_order(
        None,
        MOUTAI,
        Side.BUY,
        100,
        OrdStatus.PARTIALLY_FILLED,
        order_id=OrderID("p1"),
        cum_qty=Qty(Decimal(30)),
        price=Px(Decimal("10.00")),
    )
    desk.give(a_snapshot(cash=999_700, positions={MOUTAI: 30}, orders=(shown,), executions=(fill,), as_of=desk.now))
    (order,) = desk.state.orders.open.values()
    assert order.external
    assert (order.leaves_qty, order.reserved) == (Decimal(70), Decimal(700))
    assert desk.state.accounts[ACCOUNT].cash[an_instrument().currency].reserved == 700


def test_a_strangers_order_is_as_large_as_its_broker_says() -> None:
    """FIX E.1.c for an order that is not ours."""
    desk = Desk().opened(an_instrument(lot=1, min_qty=1))
    shown = their_order(None, MOUTAI, Side.BUY, 100, OrdStatus.NEW, order_id=OrderID("p1"), price=Px(Decimal("10.00")))
    desk.give(a_snapshot(orders=(shown,)))
    (order,) = desk.state.orders.open.values()
    desk.give(OrderRestate(BROKER, order.cl_ord_id, Qty(Decimal(60)), Px(Decimal("9.00"))))
    assert (order.leaves_qty, order.reserved) == (Decimal(60), Decimal(540))


def test_a_strangers_order_whose_lost_bust_made_it_look_larger_ends_as_filled() -> None:
    """F29, F77: counted with the fill that was taken back unheard, and with the one in its place, it is twice as large here."""
    desk = Desk().opened(an_instrument(lot=1, min_qty=1))
    first = an_execution(None, MOUTAI, Side.BUY, 100, "10.00", "t1", order_id=OrderID("p1"))
    again = an_execution(None, MOUTAI, Side.BUY, 100, "10.00", "t2", order_id=OrderID("p1"))

    def shown(status: OrdStatus, filled: int) -> OpenOrder:
        return their_order(None, MOUTAI, Side.BUY, 100, status, order_id=OrderID("p1"), cum_qty=Qty(Decimal(filled)))

    desk.give(first)
    desk.wait(60)
    desk.give(a_snapshot(cash=1_000_000, orders=(shown(OrdStatus.NEW, 0),), executions=(), as_of=desk.now))
    desk.give(again)
    (found,) = desk.of(ExternalOrderFound)
    assert desk.known(found.cl_ord_id).cum_qty == Decimal(200)
    desk.give(ExecutionBust(BROKER, ACCOUNT, first.trading_day, first.exec_id, Side.BUY))
    assert desk.known(found.cl_ord_id).leaves_qty == Decimal(100)
    desk.wait(60)
    filled = (shown(OrdStatus.FILLED, 100),)
    desk.give(a_snapshot(cash=999_000, positions={MOUTAI: 100}, orders=filled, executions=(again,), as_of=desk.now))
    assert (desk.known(found.cl_ord_id).ord_status, desk.state.breaks) == (OrdStatus.FILLED, {})


def test_a_strangers_order_is_made_whole_while_it_is_cancelled_again_and_again() -> None:
    """F77, invariant 28: what is asked of it says nothing of how old a look at it is."""
    desk = Desk().opened(an_instrument(lot=1, min_qty=1))
    fill = an_execution(None, MOUTAI, Side.BUY, 100, "10.00", "t1", order_id=OrderID("p1"))
    desk.give(fill)
    (found,) = desk.of(ExternalOrderFound)
    desk.give(OrderRestate(BROKER, found.cl_ord_id, Qty(Decimal(300)), None))
    shown = their_order(None, MOUTAI, Side.BUY, 100, OrdStatus.FILLED, order_id=OrderID("p1"), cum_qty=Qty(Decimal(100)))
    for _ in range(5):
        desk.give(CancelOrder(found.cl_ord_id, "ann"))
        desk.wait(4)
        desk.give(a_snapshot(cash=999_000, positions={MOUTAI: 100}, orders=(shown,), executions=(fill,), as_of=desk.now))
    assert desk.known(found.cl_ord_id).ord_status is OrdStatus.FILLED
