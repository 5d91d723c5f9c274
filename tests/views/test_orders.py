"""The row of an order: its facts, the statuses they amount to, and the run it serves."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from tests.views.builders import AAPL, ACCOUNT, BROKER, D, Story
from tests.views.databases import a_database

from tradeloop.core import events as ev
from tradeloop.core.types import Amount, ClOrdID, OrderID, Px, Qty, Side, UtcNs
from tradeloop.journal.codec import decode
from tradeloop.views.rows import FillRow, OrderRow, TradeRow
from tradeloop.views.sql import SqlViews
from tradeloop.views.wanted import alert_ids, fate_alert


async def the_order(story: Story, cl_ord_id: ClOrdID, folder: Path) -> OrderRow:
    async with a_database("sqlite", folder) as url:
        views = SqlViews(url, decode)
        await views.catch_up(story.journal(3))
        row = await views.queries.order(cl_ord_id)
        await views.close()
    assert row is not None
    return row


async def the_executions(story: Story, folder: Path) -> tuple[list[FillRow], list[TradeRow]]:
    async with a_database("sqlite", folder) as url:
        views = SqlViews(url, decode)
        await views.catch_up(story.journal(3))
        fills, trades = (await views.queries.fills()).rows, (await views.queries.trades()).rows
        await views.close()
    return fills, trades


async def test_a_staged_order_is_new_and_has_not_been_submitted(tmp_path: Path) -> None:
    """S0-22..S0-32."""
    story = Story.begun()
    cl_ord_id = story.stage(AAPL, Side.BUY, "100", price="187.5")
    row = await the_order(story, cl_ord_id, tmp_path)
    assert (row.id, row.client_order_id, row.symbol, row.side, row.qty) == (cl_ord_id, cl_ord_id, AAPL, "BUY", D(100))
    assert (row.status, row.ord_status, row.order_type, row.ord_type) == ("NEW", "STAGED", "LMT", "LIMIT")
    assert (row.price, row.submitted_at, row.ib_order_id, row.is_open) == (D("187.5"), None, None, True)
    assert (row.broker, row.account_id, row.created_by) == (BROKER, ACCOUNT, "ann")


async def test_an_order_says_who_approved_its_terms(tmp_path: Path) -> None:
    """A change that nobody had to approve leaves the name; another approval takes its place."""
    for approvers, last in (((), "bob"), (("",), "bob"), (("", "eve"), "eve")):
        story = Story.begun()
        cl_ord_id = story.stage(AAPL, Side.BUY, "100", price="187.5", approved_by="bob")
        for number, approver in enumerate(approvers, 1):
            terms = Qty(D(100 + number)), Px(D("187.5")), None
            zero = Amount(D(0))
            story.tell(
                ev.ReplaceRequested(story.tick(), cl_ord_id, number, *terms, "ann", "more", "2", zero, zero, "", approver),
                ev.OrderReplaced(story.tick(), cl_ord_id, number, *terms, zero, zero),
            )
        row = await the_order(story, cl_ord_id, tmp_path)
        assert row.approved_by == last
        assert story.state.orders.open[cl_ord_id].approved_by == last
    story = Story.begun()
    assert (await the_order(story, story.stage(), tmp_path)).approved_by == ""


async def test_a_sent_order_is_submitted_at_the_moment_sending_began(tmp_path: Path) -> None:
    """S0-32, S0-62."""
    story = Story.begun()
    cl_ord_id = story.stage()
    at = story.tick()
    story.tell(ev.SendBegun(at, cl_ord_id))
    row = await the_order(story, cl_ord_id, tmp_path)
    assert (row.status, row.ord_status, row.submitted_at) == ("SUBMITTED", "PENDING_NEW", at)


async def test_an_order_that_surely_did_not_leave_is_new_again_and_says_why(tmp_path: Path) -> None:
    """S1-43: it may be sent again with the same id."""
    story = Story.begun()
    cl_ord_id = story.stage()
    story.tell(ev.SendBegun(story.tick(), cl_ord_id), ev.SendFailed(story.tick(), cl_ord_id, "no route to host"))
    row = await the_order(story, cl_ord_id, tmp_path)
    assert (row.status, row.submitted_at, row.send_failures, row.error) == ("NEW", None, 1, "no route to host")


async def test_an_acknowledged_order_carries_the_broker_s_id(tmp_path: Path) -> None:
    """S0-29."""
    story = Story.begun()
    cl_ord_id = story.working()
    row = await the_order(story, cl_ord_id, tmp_path)
    assert (row.order_id, row.ib_order_id) == (f"b{cl_ord_id}", f"b{cl_ord_id}")
    assert (row.status, row.ord_status) == ("SUBMITTED", "NEW")


async def test_fills_move_the_quantities_and_give_an_average_price(tmp_path: Path) -> None:
    """S0-38: PARTIAL, then FILLED."""
    story = Story.begun()
    cl_ord_id = story.working(AAPL, Side.BUY, "3")
    story.fill(cl_ord_id, "1", "100", "0.5")
    partial = await the_order(story, cl_ord_id, tmp_path)
    story.fill(cl_ord_id, "2", "101", "0.5")
    full = await the_order(story, cl_ord_id, tmp_path)
    assert (partial.status, partial.cum_qty, partial.leaves_qty, partial.avg_px) == ("PARTIAL", D(1), D(2), D(100))
    assert (full.status, full.cum_qty, full.leaves_qty, full.is_open) == ("FILLED", D(3), D(0), False)
    assert (full.avg_px, full.filled_amount, full.commission) == (D("100.666666666667"), D(302), D(1))


async def test_a_fill_after_the_cancel_is_still_booked(tmp_path: Path) -> None:
    story = Story.begun()
    cl_ord_id = story.working(AAPL, Side.BUY, "10")
    story.tell(ev.OrderCanceled(story.tick(), cl_ord_id, "by us"))
    story.fill(cl_ord_id, "4", "100")
    row = await the_order(story, cl_ord_id, tmp_path)
    assert (row.ord_status, row.cum_qty, row.leaves_qty) == ("CANCELED", D(4), D(0))


async def test_an_order_of_unknown_fate_stays_submitted_and_open(tmp_path: Path) -> None:
    """S0-48."""
    story = Story.begun()
    cl_ord_id = story.stage()
    story.tell(ev.SendBegun(story.tick(), cl_ord_id), ev.FateLost(story.tick(), cl_ord_id, "timed out after 5 s"))
    story.tell(ev.AbsenceSeen(story.tick(), cl_ord_id, UtcNs(story.now)))
    row = await the_order(story, cl_ord_id, tmp_path)
    assert (row.status, row.ord_status, row.is_open) == ("SUBMITTED", "UNKNOWN", True)
    assert (row.absences, row.error) == (1, "timed out after 5 s")


async def test_the_broker_s_refusal_keeps_its_code_and_words(tmp_path: Path) -> None:
    """S0-31, S0-57."""
    story = Story.begun()
    cl_ord_id = story.stage()
    story.tell(ev.SendBegun(story.tick(), cl_ord_id))
    story.tell(ev.OrderRejected(story.tick(), cl_ord_id, "201", "no permission for this product"))
    row = await the_order(story, cl_ord_id, tmp_path)
    assert (row.status, row.ord_status) == ("REJECTED", "REJECTED")
    assert (row.error_code, row.error) == ("201", "no permission for this product")


async def test_a_denied_order_is_a_row_with_the_rule_and_its_figures(tmp_path: Path) -> None:
    """S0-56."""
    story = Story.begun()
    row = await the_order(story, story.deny(), tmp_path)
    assert (row.status, row.ord_status, row.is_open, row.leaves_qty) == ("REJECTED", "DENIED", False, D(0))
    assert row.error_code == "max_order_value"
    assert "was 20000 USD" in row.error
    assert row.approved_by == "mallory"


async def test_every_figure_of_a_denial_is_a_row_beside_its_order(tmp_path: Path) -> None:
    """S0-56; an order that was staged before is refused late, by the limit and not by whoever cancels it."""
    story = Story.begun()
    denied, staged = story.deny(), story.stage()
    story.tell(ev.LateOrderDenied(story.tick(), staged, "cash", "100", "60", "too little", "account a", "50"))
    story.tell(ev.OrderCanceled(story.tick(), staged, "never sent: too little", given_up=True))
    async with a_database("sqlite", tmp_path) as url:
        views = SqlViews(url, decode)
        await views.catch_up(story.journal(3))
        found = await views.queries.denials([denied, staged, "nobody"])
        row = await views.queries.order(staged)
        await views.close()
    assert sorted(found) == sorted([denied, staged])
    first, late = found[denied], found[staged]
    assert (first.rule, first.limit_value, first.was, first.late) == ("max_order_value", "10000", "20000", False)
    assert (late.rule, late.scope, late.this_order, late.late) == ("cash", "account a", "50", True)
    assert row is not None
    assert (row.error_code, row.ord_status) == ("cash", "CANCELED")


@pytest.mark.parametrize(
    ("how", "ord_status", "status"),
    [
        (lambda at, i: ev.CancelRequested(at, i, "ann", "enough"), "PENDING_CANCEL", "SUBMITTED"),
        (lambda at, i: ev.CancelRejected(at, i, "7", "too late"), "NEW", "SUBMITTED"),
        (lambda at, i: ev.OrderCanceled(at, i, "done"), "CANCELED", "CANCELED"),
        (lambda at, i: ev.OrderExpired(at, i, "day over"), "EXPIRED", "CANCELED"),
        (lambda at, i: ev.OrderResolved(at, i, "NOT_SENT", "ann", "asked"), "CANCELED", "CANCELED"),
        (lambda at, i: ev.NotSentProven(at, i, 3), "NEW", "SUBMITTED"),
        (lambda at, i: ev.StopTriggered(at, i, Px(Decimal(1)), at), "NEW", "SUBMITTED"),
    ],
)
async def test_each_fact_moves_a_working_order_to_its_status(how: object, ord_status: str, status: str, tmp_path: Path) -> None:
    """D6."""
    assert callable(how)
    story = Story.begun()
    cl_ord_id = story.working()
    story.tell(how(story.tick(), cl_ord_id))
    row = await the_order(story, cl_ord_id, tmp_path)
    assert (row.ord_status, row.status) == (ord_status, status)


async def test_an_order_found_at_the_broker_is_marked_as_not_ours(tmp_path: Path) -> None:
    story = Story.begun()
    row = await the_order(story, story.external(AAPL, Side.BUY, "10"), tmp_path)
    assert (row.is_external, row.created_by, row.ord_status) == (True, "external", "NEW")


async def test_a_fill_is_a_fill_row_and_a_trade_row(tmp_path: Path) -> None:
    """S0-33..S0-36, S4-43."""
    story = Story.begun()
    cl_ord_id = story.working(AAPL, Side.SELL, "10")
    event = story.fill(cl_ord_id, "10", "187.15", "1.23", exec_id="ex1")
    (fill,), (trade,) = await the_executions(story, tmp_path)
    assert (fill.trade_order_id, fill.fill_qty, fill.fill_price) == (cl_ord_id, D(10), D("187.15"))
    assert (fill.commission, fill.liquidity, fill.fill_time) == (D("1.23"), "REMOVED", event.at)
    assert (trade.trade_id, trade.order_id, trade.direction) == ("ex1", cl_ord_id, "sell")
    assert (trade.volume, trade.price, trade.commission) == (D(10), D("187.15"), D("1.23"))
    assert (trade.trading_day, trade.position_effect) == ("2025-01-02", "AUTO")


async def test_a_busted_fill_stays_as_cancelled_and_its_trade_goes(tmp_path: Path) -> None:
    story = Story.begun()
    cl_ord_id = story.working(AAPL, Side.BUY, "10")
    story.bust(story.fill(cl_ord_id, "10", "100"))
    (fill,), trades = await the_executions(story, tmp_path)
    assert (fill.exec_type, fill.fill_qty, trades) == ("TRADE_CANCEL", D(10), [])
    row = await the_order(story, cl_ord_id, tmp_path)
    assert (row.ord_status, row.cum_qty, row.commission, row.is_open) == ("NEW", D(0), D(0), True)


async def test_a_corrected_fill_has_the_new_figures_in_both_tables(tmp_path: Path) -> None:
    story = Story.begun()
    cl_ord_id = story.working(AAPL, Side.BUY, "10")
    story.correct(story.fill(cl_ord_id, "10", "100"), "8", "99.5", "0.8")
    (fill,), (trade,) = await the_executions(story, tmp_path)
    assert (fill.exec_type, fill.fill_qty, fill.fill_price) == ("TRADE_CORRECT", D(8), D("99.5"))
    assert (trade.volume, trade.price, trade.commission) == (D(8), D("99.5"), D("0.8"))


async def test_the_first_fill_of_an_order_whose_ack_was_lost_acknowledges_it(tmp_path: Path) -> None:
    story = Story.begun()
    cl_ord_id = story.stage(AAPL, Side.BUY, "10")
    story.tell(ev.SendBegun(story.tick(), cl_ord_id), ev.FateLost(story.tick(), cl_ord_id, "timed out"))
    story.fill(cl_ord_id, "4", "100")
    row = await the_order(story, cl_ord_id, tmp_path)
    assert (row.ord_status, row.unknown_at, row.error) == ("PARTIALLY_FILLED", None, "")
    assert row.acked_at == story.now


async def test_an_announced_end_answers_an_order_whose_fate_was_unknown(tmp_path: Path) -> None:
    story = Story.begun()
    cl_ord_id = story.stage(AAPL, Side.BUY, "10")
    story.tell(ev.SendBegun(story.tick(), cl_ord_id), ev.FateLost(story.tick(), cl_ord_id, "timed out"))
    story.tell(ev.EndAnnounced(story.tick(), cl_ord_id, "CANCELED", Qty(D(4))))
    row = await the_order(story, cl_ord_id, tmp_path)
    assert (row.ord_status, row.unknown_at, row.acked_at) == ("NEW", None, story.now)
    story.tell(ev.FateLost(story.tick(), cl_ord_id, "told by an older process"))
    assert (await the_order(story, cl_ord_id, tmp_path)).unknown_at is None


async def test_an_order_that_was_heard_of_has_an_answer_and_its_alert_is_over(tmp_path: Path) -> None:
    story = Story.begun()
    cl_ord_id = story.stage(AAPL, Side.BUY, "10")
    story.tell(ev.SendBegun(story.tick(), cl_ord_id), ev.FateLost(story.tick(), cl_ord_id, "timed out"))
    story.tell(ev.OrderHeard(story.tick(), cl_ord_id, "the broker told its terms again"))
    row = await the_order(story, cl_ord_id, tmp_path)
    assert (row.ord_status, row.unknown_at, row.acked_at, row.order_id) == ("NEW", None, story.now, None)
    assert row.error == "the broker told its terms again"
    assert alert_ids(ev.OrderHeard(story.tick(), cl_ord_id, "")) == (fate_alert(cl_ord_id),)


async def test_an_overfilled_order_shows_more_than_was_ordered(tmp_path: Path) -> None:
    story = Story.begun()
    cl_ord_id = story.working(AAPL, Side.BUY, "10")
    story.fill(cl_ord_id, "12", "100")
    story.tell(ev.Overfilled(story.tick(), cl_ord_id, AAPL, Qty(D(2))))
    row = await the_order(story, cl_ord_id, tmp_path)
    assert (row.ord_status, row.cum_qty, row.leaves_qty) == ("FILLED", D(12), D(0))


async def test_a_late_acknowledgement_gives_a_filled_order_its_broker_s_id(tmp_path: Path) -> None:
    story = Story.begun()
    cl_ord_id = story.stage(AAPL, Side.BUY, "10")
    story.tell(ev.SendBegun(story.tick(), cl_ord_id))
    story.fill(cl_ord_id, "10", "100")
    story.tell(ev.OrderAcknowledged(story.tick(), cl_ord_id, OrderID("late1")))
    row = await the_order(story, cl_ord_id, tmp_path)
    assert (row.ord_status, row.order_id) == ("FILLED", "late1")
