"""Read models that are slow or fail: trading goes on, memory stays bounded, and the journal makes them up."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from tradeloop.bootstrap import Desk, open_desk
from tradeloop.bootstrap import desk as desk_module
from tradeloop.config import Loaded, find_home, load
from tradeloop.core.commands import OpenTradingDay
from tradeloop.core.effects import RaiseAlert
from tradeloop.core.types import SECOND_NS, TradingDay, UtcNs
from tradeloop.views.errors import ViewsFailed


def settings(folder: Path) -> Loaded:
    return load({}, home=find_home(folder))


async def something(desk: Desk) -> None:
    """One more batch in the journal."""
    hours = desk.state.hours.get("X")
    day = date.fromisoformat(hours.trading_day) + timedelta(days=1) if hours is not None else date(2026, 1, 1)
    before = desk.state.seq
    now = desk.clock.now()
    await desk.engine.ask(OpenTradingDay("X", TradingDay(day.isoformat()), ((now, UtcNs(now + SECOND_NS)),)))
    assert desk.state.seq > before


async def agree(desk: Desk) -> bool:
    """Whether the read models show everything the journal has."""
    return await desk.views.cursor() == (await desk._reader.head())[:2]


async def test_read_models_that_are_slow_keep_few_batches_waiting_and_are_made_up_from_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M9."""
    monkeypatch.setattr(desk_module, "BATCHES_WAITING_MAX", 5)
    async with open_desk(settings(tmp_path), command="test", alert=lambda _: None) as desk:
        await desk.views_caught_up()
        async with desk.views._alone:  # somebody else is at them
            for _ in range(25):
                await something(desk)
                assert desk._batches.qsize() <= 5
            assert desk._passed_over
        await desk.views_caught_up()
        assert await agree(desk)


async def test_read_models_that_fail_are_said_once_and_trading_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alerts: list[RaiseAlert] = []
    async with open_desk(settings(tmp_path), command="test", alert=alerts.append) as desk:
        await desk.views_caught_up()

        async def fails(*_: object) -> bool:
            raise ViewsFailed("the disk is full")

        with monkeypatch.context() as broken:
            broken.setattr(desk.views, "apply", fails)
            broken.setattr(desk.views, "catch_up", fails)
            for _ in range(5):
                await something(desk)
            await desk._batches.join()
        assert [alert.text for alert in alerts if alert.key == "views"] == [
            "the read models stay behind; trading goes on, and they are made up from the journal later: the disk is full"
        ]
        await something(desk)
        await desk.views_caught_up()
        assert await agree(desk)
