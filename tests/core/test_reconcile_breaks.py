"""What remains different is a break: found once, changed with its figures, closed by agreement or by a named person."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from tests.core.runs_made import LISTED, A, B

from tradeloop.core.commands import OpenTradingDay, RepairBreak, ResolveOrder
from tradeloop.core.effects import RaiseAlert
from tradeloop.core.errors import BadInput
from tradeloop.core.events import BooksAdjusted, BreakChanged, BreakClosed, BreakFound, InstrumentListed
from tradeloop.core.order import Order
from tradeloop.core.reports import BrokerSnapshot, CancelAck, SendOutcome
from tradeloop.core.types import ClOrdID, OrdStatus, Qty, Side, Symbol, TradingDay
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, a_snapshot, an_execution, buy, their_order
from tradeloop.testing.desk import Desk

CASH_BREAK = "cash:paper:demo:CNY"
LONG_BREAK = f"position:paper:demo:{A} long"


def books(desk: Desk, **changes: object) -> BrokerSnapshot:
    """The broker's books, read now."""
    return a_snapshot(as_of=desk.now, **changes)  # type: ignore[arg-type]


def working(desk: Desk) -> Order:
    """An acknowledged order that has worked for a minute."""
    order = desk.order(buy(A, 100))
    desk.ack(order)
    desk.wait(60)
    return order


# --- money and holdings


def test_a_difference_in_cash_is_a_break_with_cause_and_repair() -> None:
    desk = Desk().opened(*LISTED, cash=5_000)
    desk.give(books(desk, cash=4_990))

    (found,) = desk.of(BreakFound)
    assert (found.break_id, found.kind, found.subject) == (CASH_BREAK, "cash", "CNY")
    assert (found.ours, found.theirs, found.delta) == ("5000", "4990", Decimal(-10))
    assert found.cause == "a fee, interest, a dividend or a transfer that came without a report"
    assert CASH_BREAK in found.repair
    assert [alert.key for alert in desk.of(RaiseAlert)] == [f"break:{CASH_BREAK}"]


def test_a_difference_in_holdings_is_a_break_of_that_leg() -> None:
    desk = Desk().opened(*LISTED, positions={A: 300})
    desk.give(books(desk, positions={A: 200}))

    (found,) = desk.of(BreakFound)
    assert (found.break_id, found.ours, found.theirs, found.delta) == (LONG_BREAK, "300", "200", Decimal(-100))


@pytest.mark.parametrize(("ours", "theirs"), [({A: 300}, {}), ({}, {A: 300})])
def test_a_holding_only_one_side_knows_is_a_break(ours: dict[str, int], theirs: dict[str, int]) -> None:
    desk = Desk().opened(*LISTED, positions=ours)
    desk.give(books(desk, positions=theirs))
    assert [found.break_id for found in desk.of(BreakFound)] == [LONG_BREAK]


def test_a_currency_only_one_side_knows_is_a_break() -> None:
    desk = Desk().opened(*LISTED, cash=5_000)
    desk.give(books(desk, cash=70, currency="USD"))
    assert {(b.subject, b.delta) for b in desk.of(BreakFound)} == {("CNY", Decimal(-5_000)), ("USD", Decimal(70))}


@pytest.mark.parametrize("part", ["cash", "positions", "executions", "orders"])
def test_a_part_that_could_not_be_read_is_not_compared(part: str) -> None:
    """Unknown is not flat."""
    desk = Desk().opened(*LISTED, cash=5_000, positions={A: 300})
    desk.give(msgspec.structs.replace(books(desk, cash=5_000, positions={A: 300}), **{part: None}))
    assert not desk.state.breaks


def test_a_break_stays_while_the_part_it_is_about_cannot_be_read() -> None:
    desk = Desk().opened(*LISTED, cash=5_000)
    desk.give(books(desk, cash=4_990))
    desk.give(msgspec.structs.replace(books(desk), cash=None))
    assert list(desk.state.breaks) == [CASH_BREAK]


def test_the_same_books_again_make_no_event_at_all() -> None:
    """Invariant 37."""
    desk = Desk().opened(*LISTED, cash=5_000, positions={A: 300})
    desk.give(books(desk, cash=4_990, positions={A: 200, B: 7}))
    events = len(desk.events)
    desk.wait(30)
    desk.give(books(desk, cash=4_990, positions={A: 200, B: 7}))
    assert len(desk.events) == events


def test_other_figures_change_the_break_and_do_not_find_it_again() -> None:
    desk = Desk().opened(*LISTED, cash=5_000)
    desk.give(books(desk, cash=4_990), books(desk, cash=4_980))

    (changed,) = desk.of(BreakChanged)
    assert (changed.break_id, changed.theirs, changed.delta) == (CASH_BREAK, "4980", Decimal(-20))
    assert desk.state.breaks[CASH_BREAK].delta == -20
    assert desk.state.breaks[CASH_BREAK].at == desk.of(BreakFound)[0].at
    assert len(desk.of(BreakFound)) == 1


def test_a_break_closes_when_the_books_agree() -> None:
    desk = Desk().opened(*LISTED, cash=5_000, positions={A: 300})
    desk.give(books(desk, cash=4_990, positions={A: 200}), books(desk, cash=5_000, positions={A: 300}))
    assert [(c.break_id, c.why) for c in desk.of(BreakClosed)] == [
        (LONG_BREAK, "positions agree"),
        (CASH_BREAK, "balances agree"),
    ]
    assert not desk.state.breaks


def test_a_break_of_what_neither_side_has_any_more_closes() -> None:
    """F29: a fill that was shown before it was told, and taken back before it was heard of: we never had a position in it."""
    desk = Desk().opened(*LISTED, cash=5_000)
    desk.give(books(desk, cash=5_000, positions={A: 100}))
    assert list(desk.state.breaks) == [LONG_BREAK]
    desk.give(books(desk, cash=5_000))
    assert desk.state.breaks == {}


def test_a_fill_that_explains_a_break_closes_it() -> None:
    """What the snapshot lacked the stream brings: the break was the fill."""
    desk = Desk().opened(*LISTED, cash=10_000)
    order = desk.order(buy(A, 100))
    desk.wait(60)
    desk.give(books(desk, cash=9_000, positions={A: 100}))
    assert set(desk.state.breaks) == {CASH_BREAK, LONG_BREAK}

    fill = an_execution(order.cl_ord_id, A, Side.BUY, 100, 10)
    desk.give(fill)
    desk.wait(1)
    desk.give(books(desk, cash=9_000, positions={A: 100}, executions=(fill,)))

    assert not desk.state.breaks


# --- repair


def test_a_named_person_accepts_the_brokers_figure_and_the_next_look_agrees() -> None:
    desk = Desk().opened(*LISTED, cash=5_000, positions={A: 300})
    theirs = {"cash": 4_990, "positions": {A: 200}}
    desk.give(books(desk, **theirs))

    desk.give(RepairBreak(CASH_BREAK, "ann", "custody fee"), RepairBreak(LONG_BREAK, "ann", "transfer"))

    assert not desk.state.breaks
    assert [(a.kind, a.subject, a.delta, a.by, a.reason) for a in desk.of(BooksAdjusted)] == [
        ("cash", "CNY", Decimal(-10), "ann", "custody fee"),
        ("long", A, Decimal(-100), "ann", "transfer"),
    ]
    events = len(desk.events)
    desk.wait(30)
    desk.give(books(desk, **theirs))
    assert len(desk.events) == events


def test_no_figure_is_accepted_while_the_executions_cannot_be_read() -> None:
    """The difference is a fill whose report was lost: accepted, and then booked from the next look, it would count twice."""
    desk = Desk().opened(*LISTED, cash=5_000)
    order = working(desk)
    fill = an_execution(order.cl_ord_id, A, Side.BUY, 100, 10, order_id="b1")
    line = their_order(order.cl_ord_id, A, Side.BUY, 100, OrdStatus.FILLED, cum_qty=Qty(Decimal(100)))
    theirs = {"cash": 4_000, "positions": {A: 100}, "orders": (line,)}

    desk.give(books(desk, executions=None, **theirs))
    for break_id in (CASH_BREAK, LONG_BREAK):
        assert desk.state.breaks[break_id].repair.startswith("wait for books whose executions can be read")
        with pytest.raises(BadInput, match="no figure to take over"):
            desk.give(RepairBreak(break_id, "ann", "the broker shows it"))
    desk.wait(30)
    desk.give(books(desk, executions=(fill,), **theirs))

    assert desk.state.held(ACCOUNT, Symbol(A)).long_qty == Decimal(100)
    assert desk.cash() == Decimal(4_000)
    assert not desk.state.breaks


def test_a_figure_found_without_executions_can_be_accepted_once_they_were_read() -> None:
    desk = Desk().opened(*LISTED, cash=5_000)
    desk.give(books(desk, cash=4_990, executions=None), books(desk, cash=4_990))
    assert [changed.delta for changed in desk.of(BreakChanged)] == [-10]

    desk.give(books(desk, cash=4_990, executions=None), RepairBreak(CASH_BREAK, "ann", "custody fee"))

    assert desk.cash() == 4_990
    assert not desk.state.breaks


def test_a_holding_that_no_rule_resolves_can_be_accepted_and_the_day_goes_on() -> None:
    """Invariant 21: an instrument nobody listed must not end the engine at the next trading day."""
    desk = Desk().opened(*LISTED)
    desk.give(books(desk, positions={"MYST.XX": 10}))
    desk.give(RepairBreak("position:paper:demo:MYST.XX long", "ann", "spin-off"))

    desk.give(OpenTradingDay("CN_A", TradingDay("2026-07-20"), ()))

    assert desk.state.held(ACCOUNT, Symbol("MYST.XX")).long_qty == 10
    assert [listed.instrument.symbol for listed in desk.of(InstrumentListed)][-1] == "MYST.XX"


@pytest.mark.parametrize(("by", "reason"), [("", "why"), ("ann", ""), (" ", " ")])
def test_a_repair_needs_a_name_and_a_reason(by: str, reason: str) -> None:
    desk = Desk().opened(*LISTED, cash=5_000)
    desk.give(books(desk, cash=4_990))
    with pytest.raises(BadInput, match="a repair needs a name and a reason"):
        desk.give(RepairBreak(CASH_BREAK, by, reason))
    assert desk.cash() == 5_000


def test_a_break_that_is_not_open_cannot_be_repaired() -> None:
    desk = Desk().opened(*LISTED)
    with pytest.raises(BadInput, match="which is not open; see `tradeloop reconcile`"):
        desk.give(RepairBreak(CASH_BREAK, "ann", "why"))


def test_a_repair_of_figures_that_have_moved_is_refused() -> None:
    """The fill that explains the break came before the person pressed the button: accepting would book it twice."""
    desk = Desk().opened(*LISTED, cash=10_000)
    order = desk.order(buy(A, 100))
    desk.wait(60)
    desk.give(books(desk, cash=9_000, positions={A: 100}))
    desk.give(an_execution(order.cl_ord_id, A, Side.BUY, 100, 10))

    with pytest.raises(BadInput, match="was found when our figure was 0, it is 100 now; look again"):
        desk.give(RepairBreak(LONG_BREAK, "ann", "transfer"))

    assert desk.state.held(ACCOUNT, Symbol(A)).long_qty == 100


# --- orders


def test_a_working_order_the_books_do_not_show_is_a_break() -> None:
    desk = Desk().opened(*LISTED)
    order = working(desk)
    desk.give(books(desk))

    (found,) = desk.of(BreakFound)
    assert (found.kind, found.subject, found.ours) == ("order_missing", order.cl_ord_id, "NEW")
    assert found.delta is None


def test_an_order_that_changed_just_now_is_not_missed_yet() -> None:
    """The broker's books lag its answers."""
    desk = Desk().opened(*LISTED)
    desk.ack(desk.order(buy(A, 100)))
    desk.give(books(desk))
    assert not desk.state.breaks


def test_a_missing_order_that_is_shown_again_closes_its_break() -> None:
    desk = Desk().opened(*LISTED)
    order = working(desk)
    desk.give(books(desk), books(desk, orders=(their_order(order.cl_ord_id, A, Side.BUY, 100, OrdStatus.NEW),)))
    assert [closed.why for closed in desk.of(BreakClosed)] == ["the broker shows the order again"]


def test_a_missing_order_that_ends_closes_its_break() -> None:
    """Nobody else would: an order that is closed is not looked for any more."""
    desk = Desk().opened(*LISTED)
    order = working(desk)
    desk.give(books(desk))
    desk.give(CancelAck(BROKER, order.cl_ord_id))

    desk.give(books(desk))

    assert not desk.state.breaks
    assert [closed.why for closed in desk.of(BreakClosed)] == ["the order has ended"]


def test_a_status_that_counts_fills_the_executions_do_not_show_is_a_break_and_books_nothing() -> None:
    """Quantities move by fills alone."""
    desk = Desk().opened(*LISTED)
    order = working(desk)
    ahead = their_order(order.cl_ord_id, A, Side.BUY, 100, OrdStatus.PARTIALLY_FILLED, cum_qty=Qty(Decimal(60)))
    desk.give(books(desk, orders=(ahead,)))

    (found,) = desk.of(BreakFound)
    assert (found.kind, found.ours, found.theirs) == ("order_qty", "0", "60")
    assert desk.known(order.cl_ord_id).cum_qty == 0

    fill = an_execution(order.cl_ord_id, A, Side.BUY, 60, 10)
    desk.give(books(desk, cash=999_400, positions={A: 60}, orders=(ahead,), executions=(fill,)))
    assert not desk.state.breaks


def test_a_quantity_that_nobody_shows_any_more_is_no_break_of_its_own() -> None:
    """On the next day the order is in no book: what differs is in the holdings, and nobody could ever close this one."""
    desk = Desk().opened(*LISTED)
    order = working(desk)
    ahead = their_order(order.cl_ord_id, A, Side.BUY, 100, OrdStatus.PARTIALLY_FILLED, cum_qty=Qty(Decimal(60)))
    desk.give(books(desk, orders=(ahead,)))
    desk.give(CancelAck(BROKER, order.cl_ord_id))
    desk.give(books(desk, positions={A: 60}))
    assert list(desk.state.breaks) == [LONG_BREAK]


def test_a_break_without_a_figure_cannot_be_accepted() -> None:
    desk = Desk().opened(*LISTED)
    order = working(desk)
    desk.give(books(desk))
    with pytest.raises(BadInput, match="has no figure to take over; its repair is: ask the broker"):
        desk.give(RepairBreak(f"order_missing:paper:demo:{order.cl_ord_id}", "ann", "why"))


def test_an_order_we_closed_that_the_broker_still_works_is_a_break() -> None:
    """A person said NOT_SENT and was wrong: it may still fill, and must not be invisible."""
    desk = Desk().opened(*LISTED)
    order = desk.order(buy(A, 100))
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "UNKNOWN", "time-out"))
    desk.give(ResolveOrder(order.cl_ord_id, "NOT_SENT", "ann", "telephone"))
    alive = their_order(order.cl_ord_id, A, Side.BUY, 100, OrdStatus.NEW)
    desk.wait(60)
    desk.give(books(desk, orders=(alive,)))

    (found,) = desk.of(BreakFound)
    assert (found.kind, found.subject, found.theirs) == ("order_open", order.cl_ord_id, "NEW")

    desk.give(books(desk, orders=(msgspec.structs.replace(alive, ord_status=OrdStatus.CANCELED),)))
    assert not desk.state.breaks


def test_breaks_of_orders_are_found_and_closed_without_touching_the_order() -> None:
    desk = Desk().opened(*LISTED)
    order = working(desk)
    before = desk.known(ClOrdID(order.cl_ord_id)).ord_status
    desk.give(books(desk), books(desk))
    assert desk.known(order.cl_ord_id).ord_status is before
    assert len(desk.of(BreakFound)) == 1


def test_yesterdays_exec_id_on_another_day_is_another_fill() -> None:
    """Invariant 12: venues restart their numbers every day."""
    desk = Desk().opened(*LISTED, cash=10_000)
    order = desk.order(buy(A, 200))
    fill = an_execution(order.cl_ord_id, A, Side.BUY, 100, 10, "1")
    next_day = msgspec.structs.replace(fill, trading_day=TradingDay("2026-07-20"))
    assert fill.trading_day == DAY
    desk.give(books(desk, cash=8_000, positions={A: 200}, executions=(fill, next_day)))
    assert desk.known(order.cl_ord_id).cum_qty == 200
    assert not desk.state.breaks
