"""Each event counts once in the read models, whatever is offered again, too early, from two processes, or broken off."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import make_url
from tests.views.builders import Journal, Story, random_story
from tests.views.databases import a_database, dump, every_dialect, say

from tradeloop.core import events as ev
from tradeloop.core.types import UtcNs
from tradeloop.journal.codec import decode
from tradeloop.views import projector, sql
from tradeloop.views.errors import ViewsBehind, ViewsFailed
from tradeloop.views.sql import Committed, SqlViews


async def offer(views: SqlViews, journal: Journal, batch: int) -> bool:
    row = journal.rows[batch - 1]
    return await views.apply(row.first_seq, row.batch, journal.contents[batch - 1], row.appended_at)


async def undisturbed(journal: Journal, folder: Path) -> dict[str, list[dict[str, object]]]:
    """What the rows are when nothing happens on the way."""
    async with a_database("sqlite", folder) as url:
        views = SqlViews(url, decode)
        await views.catch_up(journal)
        await views.close()
        return await dump(url)


@settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    size=st.integers(3, 30),
    restarts=st.sets(st.integers(1, 30), max_size=4),
    chunk=st.integers(1, 99),
)
async def test_one_by_one_with_restarts_and_all_at_once_give_the_same_rows(
    seed: int, size: int, restarts: set[int], chunk: int
) -> None:
    """DESIGN 7: the rows are the journal's fold, however they came about."""
    journal = random_story(seed, 100).journal(size)
    with TemporaryDirectory() as folder:
        async with a_database("sqlite", Path(folder)) as url:
            views = SqlViews(url, decode, chunk_events=chunk)
            for row in journal.rows:
                if row.batch in restarts:
                    await views.close()
                    views = SqlViews(url, decode, chunk_events=chunk)
                    assert await offer(views, journal, max(row.batch - 1, 1)) is (row.batch == 1)
                await offer(views, journal, row.batch)
            incremental = await dump(url)
            assert await views.rebuild(journal) == len(journal.rows)
            rebuilt = await dump(url)
            await views.close()
        assert incremental == rebuilt == await undisturbed(journal, Path(folder))


@every_dialect
async def test_a_rebuild_gives_the_same_rows_on_every_database(dialect: str, tmp_path: Path) -> None:
    journal = random_story(11, 300).journal(9)
    async with a_database(dialect, tmp_path) as url:
        views = SqlViews(url, decode)
        await views.catch_up(journal.up_to(10))
        for row in journal.rows[10:]:
            await offer(views, journal, row.batch)
        incremental = await dump(url)
        await views.rebuild(journal)
        assert await dump(url) == incremental
        assert await views.cursor() == (len(journal.rows), journal.rows[-1].last_seq)
        await views.close()


@every_dialect
async def test_a_batch_offered_twice_changes_nothing_the_second_time(dialect: str, tmp_path: Path) -> None:
    journal = random_story(5, 60).journal(20)
    async with a_database(dialect, tmp_path) as url:
        views = SqlViews(url, decode)
        assert [await offer(views, journal, row.batch) for row in journal.rows] == [True] * len(journal.rows)
        before = await dump(url)
        assert [await offer(views, journal, row.batch) for row in journal.rows] == [False] * len(journal.rows)
        assert await dump(url) == before
        await views.close()


async def test_a_batch_offered_too_early_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    journal = random_story(5, 60).journal(20)
    async with a_database("sqlite", tmp_path) as url:
        views = SqlViews(url, decode)
        await offer(views, journal, 1)
        before = await dump(url)
        with pytest.raises(ViewsBehind, match="expected batch 2 from event 21, was batch 3 from event 41"):
            await offer(views, journal, 3)
        assert await dump(url) == before
        assert await views.cursor() == (1, 20)
        assert await offer(views, journal, 2)
        await views.close()


async def test_a_batch_with_the_right_number_and_a_wrong_beginning_is_refused(tmp_path: Path) -> None:
    journal = random_story(5, 60).journal(20)
    async with a_database("sqlite", tmp_path) as url:
        views = SqlViews(url, decode)
        await offer(views, journal, 1)
        with pytest.raises(ViewsBehind):
            await views.apply(22, 2, journal.contents[1], UtcNs(1))
        await views.close()


async def test_batches_that_gathered_are_folded_in_one_go_and_those_folded_before_are_skipped(tmp_path: Path) -> None:
    journal = random_story(5, 60).journal(4)
    gathered = [
        Committed(row.batch, row.first_seq, events, row.appended_at)
        for row, events in zip(journal.rows, journal.contents, strict=True)
    ]
    async with a_database("sqlite", tmp_path) as url:
        views = SqlViews(url, decode)
        assert await views.apply_all(gathered[:3]) == 3
        assert await views.apply_all(gathered[1:]) == len(gathered) - 3
        assert await views.apply_all(gathered) == 0
        await views.close()
        assert await dump(url) == await undisturbed(journal, tmp_path)


async def test_a_gap_inside_what_gathered_refuses_all_of_it(tmp_path: Path) -> None:
    journal = random_story(5, 60).journal(4)
    gathered = [
        Committed(row.batch, row.first_seq, events, row.appended_at)
        for row, events in zip(journal.rows, journal.contents, strict=True)
    ]
    async with a_database("sqlite", tmp_path) as url:
        views = SqlViews(url, decode)
        with pytest.raises(ViewsBehind, match="expected batch 3 from event 9, was batch 4"):
            await views.apply_all([*gathered[:2], *gathered[3:]])
        assert await views.cursor() == (0, 0)
        await views.close()


async def test_a_journal_with_a_missing_row_is_refused(tmp_path: Path) -> None:
    journal = random_story(5, 60).journal(20)
    del journal.rows[1]
    async with a_database("sqlite", tmp_path) as url:
        views = SqlViews(url, decode)
        with pytest.raises(ViewsBehind, match="expected batch 2 from event 21, was batch 3"):
            await views.catch_up(journal)
        await views.close()


async def test_a_write_that_breaks_off_in_the_middle_leaves_rows_and_cursor_where_they_were(tmp_path: Path) -> None:
    """The cursor moves in the transaction of its rows: a crash between the two cannot be seen afterwards."""
    story = random_story(5, 60)
    journal = story.journal(20)
    async with a_database("sqlite", tmp_path) as url:
        views = SqlViews(url, decode)
        await offer(views, journal, 1)
        before = await dump(url)
        await say(url, "ALTER TABLE audit_log RENAME TO gone")
        with pytest.raises(ViewsFailed, match="audit_log"):
            await offer(views, journal, 2)
        await say(url, "ALTER TABLE gone RENAME TO audit_log")
        assert await dump(url) == before
        assert await views.cursor() == (1, 20)
        await views.catch_up(journal)
        await views.close()
        assert await dump(url) == await undisturbed(journal, tmp_path)


@every_dialect
async def test_two_processes_that_fold_the_same_journal_fold_it_once(dialect: str, tmp_path: Path) -> None:
    journal = random_story(5, 60).journal(20)
    async with a_database(dialect, tmp_path) as url:
        one, other = SqlViews(url, decode), SqlViews(url, decode)
        await one.catch_up(journal.up_to(0))
        await other.catch_up(journal.up_to(0))
        assert await offer(one, journal, 1) is True
        assert await offer(other, journal, 1) is False
        assert await offer(other, journal, 2) is True
        await one.catch_up(journal)
        await other.catch_up(journal)
        await one.close()
        await other.close()
        assert await dump(url) == await undisturbed(journal, tmp_path)


async def test_a_rebuild_that_was_broken_off_is_finished_by_the_next_start(tmp_path: Path) -> None:
    journal = random_story(5, 60).journal(20)
    async with a_database("sqlite", tmp_path) as url:
        views = SqlViews(url, decode)
        await views.catch_up(journal)
        await views.close()
        await say(url, "UPDATE view_cursors SET clearing = 1, batch = 0, seq = 0", "DELETE FROM trade_orders")
        again = SqlViews(url, decode)
        with pytest.raises(ViewsBehind, match="make them anew with `tradeloop db rebuild`"):
            await offer(again, journal, 1)
        await again.catch_up(journal)
        await again.close()
        assert await dump(url) == await undisturbed(journal, tmp_path)


async def test_rows_of_an_older_fold_are_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = random_story(5, 60).journal(20)
    async with a_database("sqlite", tmp_path) as url:
        views = SqlViews(url, decode)
        await views.catch_up(journal)
        await views.close()
        await say(url, "UPDATE accounts SET balance = '1'")
        monkeypatch.setattr(sql, "PROJECTION", projector.PROJECTION + 1)
        newer = SqlViews(url, decode)
        assert await newer.catch_up(journal) == len(journal.rows)
        await newer.close()
        assert await dump(url) == await undisturbed(journal, tmp_path)


async def test_while_the_journal_commits_the_views_wait_and_do_not_fail(tmp_path: Path) -> None:
    """The journal never waits for a view: theirs is the lock that gives way."""
    journal = random_story(5, 60).journal(20)
    async with a_database("sqlite", tmp_path) as url:
        views = SqlViews(url, decode)
        await offer(views, journal, 1)
        held = sqlite3.connect(str(make_url(url).database), isolation_level=None)
        held.execute("BEGIN IMMEDIATE")
        folding = asyncio.create_task(offer(views, journal, 2))
        assert await views.cursor() == (1, 20)
        held.execute("COMMIT")
        held.close()
        assert await folding
        await views.close()


async def test_facts_about_things_no_event_made_are_passed_over(tmp_path: Path) -> None:
    """A view never stops the product."""
    story = Story.begun()
    order = story.working()
    fill = story.fill(order, "10", "100")
    story.bust(fill)
    events: list[ev.Event] = [story.events[1], *story.events[-5:]]
    orphans = [event for event in events if not isinstance(event, ev.OrderStaged)]
    async with a_database("sqlite", tmp_path) as url:
        views = SqlViews(url, decode)
        assert await views.apply(1, 1, orphans, UtcNs(1))
        assert (await views.queries.orders()).rows == []
        assert len((await views.queries.fills()).rows) == 1
        await views.close()


def test_the_random_stories_tell_of_every_event() -> None:
    """Otherwise the properties above would say less than they seem to."""
    told = {type(event) for seed in range(30) for event in random_story(seed, 300).events}
    # These have tests of their own:
    told |= {ev.RunDenied, ev.Overfilled, ev.SymbolReleased, ev.StopTriggered, ev.ReserveRaised, ev.FeeDistrusted}
    told |= {ev.ListingRefused}
    told |= {ev.Halted, ev.HaltReleased, ev.HaltChecked}
    told |= {ev.LimitsConfigured, ev.LimitSet, ev.LimitEnded, ev.LimitPassed, ev.OrderThrottled, ev.LateOrderDenied}
    told |= {ev.LimitTripped, ev.LimitCleared, ev.EquityMarked}
    assert told == set(ev.Event.__args__)
