"""The row of a run, the lines of its plan, and what a person was told about it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from tests.views.builders import AAPL, ACCOUNT, BROKER, MAOTAI, D, Story
from tests.views.databases import a_database

from tradeloop.core import events as ev
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.types import Mode, Qty, RunID, RunStatus, Side
from tradeloop.journal.codec import decode
from tradeloop.views.queries import Queries
from tradeloop.views.rows import AlertRow, RunRow
from tradeloop.views.sql import SqlViews


@asynccontextmanager
async def asked(story: Story, folder: Path) -> AsyncIterator[Queries]:
    async with a_database("sqlite", folder) as url:
        views = SqlViews(url, decode)
        try:
            await views.catch_up(story.journal(3))
            yield views.queries
        finally:
            await views.close()


async def the_run(story: Story, run_id: RunID, folder: Path) -> RunRow:
    async with asked(story, folder) as queries:
        row = await queries.run(run_id)
    assert row is not None
    return row


async def test_a_run_is_a_row_with_its_key_its_maker_and_its_frozen_snapshot(tmp_path: Path) -> None:
    """S0-14..S0-21, S0-10, S0-46."""
    story = Story.begun()
    run_id = story.run((AAPL, Side.BUY, "100"))
    row = await the_run(story, run_id, tmp_path)
    assert (row.project_id, row.decision_snapshot_id, row.mode, row.trade_date) == ("alpha", run_id, "paper", "2025-01-02")
    assert (row.status, row.created_by, row.attempt, row.account_id) == ("NEW", "ann", 1, ACCOUNT)
    assert (row.requested_at, row.started_at, row.finished_at) == (story.now, None, None)
    params = msgspec.json.decode(row.params)
    assert params["targets"][0] == {"symbol": AAPL, "weight": "0.5", "row": 2, "price": None, "name": "", "industry": ""}
    assert (params["prices"][0]["px"], params["prices"][0]["age_ns"]) == ("187.15", 5_000_000)
    assert (params["risk_checks"], params["inputs"]) == ({"exposure": True}, [["portfolio.csv", "ab12"]])


async def test_a_run_goes_from_new_to_running_to_its_end(tmp_path: Path) -> None:
    """S0-18, S0-39."""
    story = Story.begun()
    run_id = story.run((AAPL, Side.BUY, "100"), hold=True)
    seen = [(await the_run(story, run_id, tmp_path)).status]
    for event in (
        ev.RunApproved(story.tick(), run_id, "bob"),
        ev.RunStarted(story.tick(), run_id),
        ev.RunPaused(story.tick(), run_id, "bob", "lunch"),
        ev.RunResumed(story.tick(), run_id, "bob"),
        ev.RunEnded(story.tick(), run_id, RunStatus.COMPLETED, "partial", "one line is left", (1,)),
    ):
        story.tell(event)
        seen.append((await the_run(story, run_id, tmp_path)).status)
    assert seen == ["AWAITING_APPROVAL", "NEW", "RUNNING", "PAUSED", "RUNNING", "COMPLETED"]
    row = await the_run(story, run_id, tmp_path)
    assert (row.code, row.error, row.todo, row.approved_by) == ("partial", "one line is left", "[1]", "bob")
    assert (row.finished_at, row.started_at is not None) == (story.now, True)


async def test_a_failed_run_keeps_its_fills(tmp_path: Path) -> None:
    """S0-40, S0-58."""
    story = Story.begun()
    run_id = story.run((AAPL, Side.BUY, "100"))
    order = story.stage(run_id=run_id, leg=1)
    story.fill(order, "10", "100")
    story.tell(ev.RunEnded(story.tick(), run_id, RunStatus.FAILED, "FAILED_BATCH", "the broker refused all"))
    async with asked(story, tmp_path) as queries:
        run = await queries.run(run_id)
        fills = (await queries.fills(run_id=run_id)).rows
    assert run is not None
    assert (run.status, run.code, [fill.fill_qty for fill in fills]) == ("FAILED", "FAILED_BATCH", [D(10)])


async def test_an_order_carries_the_wish_of_its_line_and_the_line_its_order(tmp_path: Path) -> None:
    """S0-22, S0-24."""
    story = Story.begun()
    run_id = story.run((AAPL, Side.BUY, "100"), (MAOTAI, Side.SELL, "200"))
    order = story.stage(MAOTAI, Side.SELL, "200", run_id=run_id, leg=2)
    async with asked(story, tmp_path) as queries:
        row = await queries.order(order)
        lines = await queries.run_lines(run_id)
    assert row is not None
    assert (row.trade_run_id, row.leg, row.target_weight, row.target_value) == (run_id, 2, D("0.5"), D(50000))
    assert [(line.leg, line.trade_order_id) for line in lines] == [(1, None), (2, order), (0, None)]


async def test_a_line_without_an_order_says_why(tmp_path: Path) -> None:
    """S0-6, S0-61."""
    story = Story.begun()
    run_id = story.run((AAPL, Side.BUY, "100"))
    async with asked(story, tmp_path) as queries:
        line = (await queries.run_lines(run_id))[-1]
    assert (line.order_qty, line.code, line.reason) == (D(0), "below_one_lot", "0.4 shares are less than one")


async def test_a_resized_line_keeps_what_was_planned_beside_what_is_worked(tmp_path: Path) -> None:
    story = Story.begun()
    run_id = story.run((AAPL, Side.BUY, "100"))
    story.tell(ev.LineResized(story.tick(), run_id, 1, Qty(D(60)), "cash_short", "the sells brought less"))
    async with asked(story, tmp_path) as queries:
        line = (await queries.run_lines(run_id))[0]
    assert (line.planned_qty, line.order_qty, line.code) == (D(100), D(60), "cash_short")


async def test_a_new_attempt_and_the_one_it_replaces_name_each_other(tmp_path: Path) -> None:
    """S0-59."""
    story = Story.begun()
    first = story.run((AAPL, Side.BUY, "100"))
    second = story.run((AAPL, Side.BUY, "40"), supersedes=first, attempt=2)
    assert (await the_run(story, first, tmp_path)).superseded_by == second
    assert (await the_run(story, second, tmp_path)).supersedes == first


async def test_a_refused_run_leaves_no_run_and_an_audit_row_with_every_failed_check(tmp_path: Path) -> None:
    """S0-56."""
    story = Story.begun()
    failed = ("max_weight: expected at most 0.3, was 0.5 for AAPL.US", "min_cash: expected at least 1000 USD, was 12 USD")
    story.tell(ev.RunDenied(story.tick(), "alpha", "snap9", Mode.LIVE, story.day, ACCOUNT, "ann", "c0ffee", failed))
    async with asked(story, tmp_path) as queries:
        runs = (await queries.runs()).rows
        (row,) = (await queries.audit(result="denied")).rows
    assert runs == []
    assert (row.who, row.what, row.subject, row.seq) == ("rule:run", "RunDenied", "alpha/snap9", len(story.events))
    assert all(sentence in row.text for sentence in failed)
    assert "asked by ann" in row.text


async def test_a_denied_order_leaves_an_audit_row_with_rule_limit_and_figure(tmp_path: Path) -> None:
    """S0-56."""
    story = Story.begun()
    order = story.deny()
    async with asked(story, tmp_path) as queries:
        (row,) = (await queries.audit(result="denied")).rows
    assert (row.who, row.subject, row.account_id) == ("rule:max_order_value", order, ACCOUNT)
    assert "limit 10000, was 20000" in row.text


async def test_the_audit_names_who_did_what_and_leaves_out_what_the_broker_did(tmp_path: Path) -> None:
    """S0-67."""
    story = Story.begun()
    run_id = story.run((AAPL, Side.BUY, "100"), hold=True)
    story.tell(ev.RunApproved(story.tick(), run_id, "bob"))
    order = story.working()
    story.fill(order, "10", "100")
    story.tell(ev.CancelRequested(story.tick(), order, "carol", "enough"))
    story.tell(
        ev.Overfilled(story.tick(), order, AAPL, Qty(D(1))), ev.SymbolReleased(story.tick(), AAPL, "dave", "looked", "totp")
    )
    story.tell(ev.BooksAdjusted(story.tick(), "b1", ACCOUNT, "cash", "USD", D(5), "erin", "dividend"))
    story.tell(ev.Halted(story.tick(), 1, HaltTier.HALT, HaltScope.GLOBAL, "", "fay", "look"))
    story.tell(ev.HaltReleased(story.tick(), 1, "gus", "looked", "totp", "hal"))
    async with asked(story, tmp_path) as queries:
        rows = (await queries.audit()).rows[::-1]
    assert [(row.who, row.what) for row in rows] == [
        ("engine", "EngineStarted"),
        ("engine", "AccountAdopted"),
        ("ann", "RunCreated"),
        ("bob", "RunApproved"),
        ("ann", "OrderStaged"),
        ("carol", "CancelRequested"),
        ("rule:overfill", "Overfilled"),
        ("dave", "SymbolReleased"),
        ("erin", "BooksAdjusted"),
        ("fay", "Halted"),
        ("gus", "HaltReleased"),
    ]
    assert rows[0].text.endswith(f", broker {BROKER} (acme, live)")
    assert rows[7].text == "looked (second factor given: totp)"
    assert rows[-1].text == "looked (second factor given: totp, set up by hal)"
    assert all(story.events[row.seq - 1].at == row.at for row in rows)


async def test_a_trouble_is_one_alert_however_often_it_repeats_and_is_over_when_the_journal_says_so(tmp_path: Path) -> None:
    story = Story.begun()
    for _ in range(3):
        story.tell(ev.BrokerDisconnected(story.tick(), BROKER, "line lost"))
    async with asked(story, tmp_path) as queries:
        (raised,) = (await queries.alerts()).rows
    story.tell(ev.BrokerReady(story.tick(), BROKER, ACCOUNT))
    async with asked(story, tmp_path) as queries:
        over = (await queries.alerts()).rows
        (kept,) = (await queries.alerts(open_only=False)).rows
    story.tell(ev.BrokerDisconnected(story.tick(), BROKER, "line lost again"))
    async with asked(story, tmp_path) as queries:
        (again,) = (await queries.alerts()).rows
    assert (raised.level, raised.times, "line lost" in raised.text) == ("CRITICAL", 3, True)
    assert (over, kept.resolved_at is not None) == ([], True)
    assert (again.times, again.raised_at) == (4, story.now)


async def test_each_kind_of_trouble_raises_an_alert(tmp_path: Path) -> None:
    story = Story.begun()
    run_id = story.run((AAPL, Side.BUY, "100"))
    order = story.stage()
    story.tell(ev.SendBegun(story.tick(), order), ev.FateLost(story.tick(), order, "timed out"))
    story.tell(ev.Overfilled(story.tick(), order, AAPL, Qty(D(1))))
    story.tell(
        ev.BreakFound(story.tick(), "b1", "position", BROKER, ACCOUNT, AAPL, "1", "2", "missed fill", "take theirs", D(1))
    )
    story.tell(ev.RunEnded(story.tick(), run_id, RunStatus.FAILED, "FAILED_BATCH", "all refused"))
    async with asked(story, tmp_path) as queries:
        rows: list[AlertRow] = (await queries.alerts()).rows[::-1]
    assert [(row.id, row.level) for row in rows] == [
        (f"fate:{order}", "CRITICAL"),
        (f"overfill:{AAPL}", "CRITICAL"),
        ("break:b1", "WARNING"),
        (f"run:{run_id}", "CRITICAL"),
    ]


async def test_a_break_is_one_row_from_its_finding_to_its_close_and_counts_its_returns(tmp_path: Path) -> None:
    story = Story.begun()
    found = ev.BreakFound(story.tick(), "b1", "position", BROKER, ACCOUNT, AAPL, "10", "12", "missed fill", "take theirs", D(2))
    story.tell(found, ev.BreakChanged(story.tick(), "b1", "10", "13", D(3)))
    async with asked(story, tmp_path) as queries:
        (moved,) = (await queries.breaks()).rows
    story.tell(ev.BreakClosed(story.tick(), "b1", "agrees again", "ann"), found)
    async with asked(story, tmp_path) as queries:
        (back,) = (await queries.breaks()).rows
    assert (moved.theirs, moved.delta, moved.status, moved.repair) == ("13", D(3), "OPEN", "take theirs")
    assert (back.times, back.closed_at, back.theirs) == (2, None, "12")


async def test_a_run_that_did_all_it_was_to_do_has_no_error(tmp_path: Path) -> None:
    """S0-18: the words of a good end are no error."""
    story = Story.begun()
    run_id = story.run((AAPL, Side.BUY, "100"))
    story.tell(ev.RunStarted(story.tick(), run_id))
    story.tell(ev.RunEnded(story.tick(), run_id, RunStatus.COMPLETED, "", "every line was worked to its end"))
    row = await the_run(story, run_id, tmp_path)
    assert (row.status, row.error) == ("COMPLETED", "")
