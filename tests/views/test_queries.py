"""What the command line asks: filters that add up, and pages that neither repeat nor hide."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.views.builders import AAPL, ACCOUNT, GOLD, MAOTAI, D, Story
from tests.views.databases import a_database, every_dialect

from tradeloop.core import events as ev
from tradeloop.core.errors import BadInput
from tradeloop.core.types import OrdStatus, RunStatus, Side
from tradeloop.journal.codec import decode
from tradeloop.views.sql import SqlViews


@asynccontextmanager
async def shown(story: Story, folder: Path, dialect: str = "sqlite") -> AsyncIterator[SqlViews]:
    async with a_database(dialect, folder) as url:
        views = SqlViews(url, decode)
        try:
            await views.catch_up(story.journal(10))
            yield views
        finally:
            await views.close()


@every_dialect
async def test_pages_give_every_order_once_newest_first_while_new_ones_arrive(dialect: str, tmp_path: Path) -> None:
    story = Story.begun()
    ids = [story.stage() for _ in range(7)]
    async with shown(story, tmp_path, dialect) as views:
        first = await views.queries.orders(limit=3)
        story.stage()
        await views.catch_up(story.journal(10, 10, 1))
        second = await views.queries.orders(limit=3, before=first.before)
        third = await views.queries.orders(limit=3, before=second.before)
    assert [row.id for page in (first, second, third) for row in page.rows] == ids[::-1]
    assert third.before is None


@every_dialect
async def test_filters_add_up(dialect: str, tmp_path: Path) -> None:
    """S0-45: the orders of one run, and more."""
    story = Story.begun()
    run_id = story.run((AAPL, Side.BUY, "100"), (MAOTAI, Side.SELL, "200"))
    mine = story.stage(AAPL, run_id=run_id, leg=1)
    other = story.stage(MAOTAI, Side.SELL, "200", run_id=run_id, leg=2)
    alone = story.working(AAPL)
    lost = story.stage(GOLD)
    story.tell(ev.SendBegun(story.tick(), lost), ev.FateLost(story.tick(), lost, "timed out"))
    story.tell(ev.CancelRequested(story.tick(), lost, "ann", "to be safe"))
    story.tell(ev.OrderCanceled(story.tick(), other, "not needed"))
    async with shown(story, tmp_path, dialect) as views:
        ask = views.queries.orders
        assert [row.id for row in (await ask(run_id=run_id)).rows] == [other, mine]
        assert [row.id for row in (await ask(run_id=run_id, symbol=AAPL)).rows] == [mine]
        assert [row.id for row in (await ask(ord_status=OrdStatus.NEW)).rows] == [alone]
        assert [row.id for row in (await ask(status="CANCELED")).rows] == [other]
        assert [row.id for row in (await ask(unknown=True)).rows] == [lost]
        assert [row.id for row in (await ask(open_only=True)).rows] == [lost, alone, mine]
        assert (await ask(account_id="nobody")).rows == []


async def test_runs_are_found_by_what_they_are(tmp_path: Path) -> None:
    story = Story.begun()
    done, going = story.run((AAPL, Side.BUY, "1")), story.run((AAPL, Side.BUY, "2"))
    story.tell(ev.RunEnded(story.tick(), done, RunStatus.COMPLETED, "", ""), ev.RunStarted(story.tick(), going))
    async with shown(story, tmp_path) as views:
        ask = views.queries.runs
        assert [row.id for row in (await ask()).rows] == [going, done]
        assert [row.id for row in (await ask(status=RunStatus.RUNNING)).rows] == [going]
        assert [row.id for row in (await ask(project_id="alpha", mode="paper", trade_date="2025-01-02")).rows] == [going, done]
        assert (await ask(mode="live")).rows == []
        assert await views.queries.run("nothing") is None


async def test_positions_leave_out_what_is_flat_unless_asked(tmp_path: Path) -> None:
    story = Story.begun()
    story.fill(story.working(AAPL, Side.BUY, "5"), "5", "100")
    story.fill(story.working(AAPL, Side.SELL, "5"), "5", "101")
    story.fill(story.working(MAOTAI, Side.BUY, "100"), "100", "1500")
    async with shown(story, tmp_path) as views:
        assert [row.symbol for row in await views.queries.positions(account_id=ACCOUNT)] == [MAOTAI]
        flat = await views.queries.positions(symbol=AAPL, flat=True)
    assert [(row.volume, row.realized_pnl, row.avg_price, row.open_time) for row in flat] == [(D(0), D(5), None, None)]


async def test_accounts_and_their_curve(tmp_path: Path) -> None:
    """S4-41 and S4's money curve."""
    story = Story.begun()
    story.fill(story.working(AAPL, Side.BUY, "5"), "5", "100", "0")
    async with shown(story, tmp_path) as views:
        accounts = await views.queries.accounts(account_id=ACCOUNT)
        curve = await views.queries.curve(ACCOUNT, "USD")
        last = await views.queries.curve(ACCOUNT, "USD", since=story.now)
    assert [(row.currency, row.balance) for row in accounts] == [("CNY", D(5000000)), ("USD", D(99500))]
    assert [row.balance for row in curve] == [D(100000), D(99500)]
    assert [row.balance for row in last] == [D(99500)]


async def test_fills_are_found_by_order_symbol_and_day(tmp_path: Path) -> None:
    story = Story.begun()
    one, other = story.working(AAPL), story.working(MAOTAI)
    story.fill(one, "1", "100")
    story.fill(other, "2", "1500")
    story.open_day("2025-01-03")
    story.fill(one, "3", "100")
    async with shown(story, tmp_path) as views:
        ask = views.queries.fills
        assert [fill.fill_qty for fill in (await ask(cl_ord_id=one)).rows] == [D(3), D(1)]
        assert [fill.fill_qty for fill in (await ask(symbol=MAOTAI)).rows] == [D(2)]
        assert [fill.fill_qty for fill in (await ask(trading_day="2025-01-03")).rows] == [D(3)]


@pytest.mark.parametrize("limit", [0, -1, 1001])
async def test_a_page_size_out_of_bounds_is_refused(limit: int, tmp_path: Path) -> None:
    async with shown(Story.begun(), tmp_path) as views:
        with pytest.raises(BadInput, match=f"the page size was {limit}; expected 1 to 1000"):
            await views.queries.orders(limit=limit)


@every_dialect
async def test_orders_are_counted_by_status_and_side_and_found_by_strategy(dialect: str, tmp_path: Path) -> None:
    """S3-28, S3-29."""
    story = Story.begun()
    mine = [story.stage(strategy_id="a"), story.stage(side=Side.SELL, strategy_id="a")]
    story.tell(ev.SendBegun(story.tick(), mine[0]), ev.FateLost(story.tick(), mine[0], "timed out"))
    story.tell(ev.OrderCanceled(story.tick(), mine[1], "not needed"))
    story.stage(strategy_id="b")
    async with shown(story, tmp_path, dialect) as views:
        found = await views.queries.order_counts(account_id=ACCOUNT, strategy_id="a")
        whole = await views.queries.order_counts()
        listed = (await views.queries.orders(strategy_id="a")).rows
    assert (found.total, found.open, found.unknown) == (2, 1, 1)
    assert found.by_side == {"BUY": 1, "SELL": 1}
    assert found.by_status == {"UNKNOWN": 1, "CANCELED": 1}
    assert whole.total == 3
    assert [row.id for row in listed] == mine[::-1]


@every_dialect
async def test_the_trades_of_a_strategy_are_those_of_its_orders(dialect: str, tmp_path: Path) -> None:
    """S3-33, S3-34."""
    story = Story.begun()
    mine, other = story.stage(strategy_id="a"), story.stage(strategy_id="b")
    story.fill(mine, "40", "10")
    story.fill(other, "100", "10")
    story.fill(mine, "60", "11")
    async with shown(story, tmp_path, dialect) as views:
        found = await views.queries.trades_of_strategy(ACCOUNT, "a")
        elsewhere = await views.queries.trades_of_strategy(ACCOUNT, "a", symbol=GOLD)
    assert [(row.volume, row.price) for row in found] == [(D("40"), D("10")), (D("60"), D("11"))]
    assert elsewhere == []


@every_dialect
async def test_instruments_are_found_by_a_part_of_their_symbol_in_any_case(dialect: str, tmp_path: Path) -> None:
    async with shown(Story.begun(), tmp_path, dialect) as views:
        found = await views.queries.instruments(text="aapl")
        by_sign = await views.queries.instruments(text="%")
        every = await views.queries.instruments()
    assert [row.id for row in found] == [AAPL]
    assert by_sign == []
    assert len(every) == 3
