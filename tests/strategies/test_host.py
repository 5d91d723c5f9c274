"""The host of strategies with real processes: orders, pauses, stops, versions, and what is never run."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest
from tests.strategies.houses import BUYS, QUIET, a_house, is_alive

from tradeloop.core.errors import BadInput, Conflicts, NotKnown
from tradeloop.core.types import RunID


async def test_an_order_goes_the_way_of_all_orders_and_is_written_down(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.write("buys", BUYS)
        assert await house.host.start("buys", "ann") == "strategy buys runs, version 1 of its configuration"
        (bought,) = await house.answered("buys", "BUY")
        assert bought.order_id is not None
        order = await house.counter.order_is(house.counter.client(), bought.order_id, "FILLED")
        held = await house.counter.client().get("/api/v1/positions", strategy_id="buys")
    assert (bought.execution_result, bought.trigger_condition, bought.error_message) == ("TAKEN", "it begins", "")
    assert bought.trigger_price is not None
    assert Decimal(bought.trigger_price) > 10
    assert (order["strategy_id"], order["quantity"]) == ("buys", "100")
    assert [(each["symbol"], each["quantity"]) for each in held.document["positions"]] == [("BAC.US", "100")]


async def test_what_risk_denies_and_what_is_no_order_are_told_apart(tmp_path: Path) -> None:
    text = """
    class Wrong:
        def on_start(self):
            huge = Order(symbol="BAC.US", side="buy", quantity="90000000")
            return [huge, Order(symbol="BAC.US", side="hold", quantity=1)]
    """
    async with a_house(tmp_path) as house:
        house.write("wrong", text)
        await house.host.start("wrong", "ann")
        (denied,) = await house.answered("wrong", "BUY")
        (refused,) = await house.answered("wrong", "ORDER")
    assert (denied.execution_result, denied.trigger_condition) == ("DENIED", "on_start")
    assert denied.error_message
    assert (refused.execution_result, refused.error_message) == ("REFUSED", "the side was 'hold'; expected buy or sell")


async def test_a_paused_strategy_closes_and_opens_nothing(tmp_path: Path) -> None:
    text = """
    class Both:
        def on_start(self):
            self.turns = 0
            return Order(symbol="BAC.US", side="buy", quantity=100)
        def on_timer(self, at):
            self.turns += 1
            side = "sell" if self.turns % 2 else "buy"
            return Order(symbol="BAC.US", side=side, quantity=60, why=str(self.turns))
    """
    async with a_house(tmp_path) as house:
        house.write("both", text, timer_s="0.5")
        await house.host.start("both", "ann")
        await house.host.pause("both", "bob")
        sold = await house.answered("both", "SELL", 2)
        bought = await house.answered("both", "BUY", 2)
        assert await house.stands("both", "PAUSED") == "paused by bob"
        assert await house.host.start("both", "ann") == "strategy both goes on"
        await house.stands("both", "RUNNING")
    results = [each.execution_result for each in sold[:2]]
    assert results == ["TAKEN", "REFUSED"]  # it held 100, and sold 60: 40 are left
    assert bought[1].execution_result == "REFUSED"
    assert bought[1].error_message.startswith("the strategy is paused")


async def test_a_stop_ends_the_process_and_cancels_what_would_open(tmp_path: Path) -> None:
    text = """
    class Rests:
        def on_start(self):
            return Order(symbol="BAC.US", side="buy", quantity=100, type="limit", price="13.00")
    """
    async with a_house(tmp_path) as house:
        house.write("rests", text)
        await house.host.start("rests", "ann")
        (resting,) = await house.answered("rests", "BUY")
        assert resting.order_id is not None
        pid = (await house.host.strategy("rests")).pid
        assert pid is not None
        assert is_alive(pid)
        with pytest.raises(Conflicts, match="runs already"):
            await house.host.start("rests", "ann")
        await house.host.stop("rests", "bob")
        order = await house.counter.order_is(house.counter.client(), resting.order_id, "CANCELED")
        assert not is_alive(pid)
        (stopped,) = await house.triggers("rests", "STOP")
        with pytest.raises(Conflicts, match="does not run"):
            await house.host.stop("rests", "bob")
    assert order["order_id"] == resting.order_id
    assert stopped.trigger_condition == "stopped by bob"


async def test_a_configuration_or_a_file_that_changed_is_a_new_version(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        file = house.write("quiet", QUIET)
        for text in (QUIET, QUIET, QUIET + "\n# changed\n"):
            file.write_text(text, encoding="utf-8")
            await house.host.start("quiet", "ann")
            await house.host.stop("quiet", "ann")
        versions = await house.host.versions("quiet")
    assert [(each.version, each.is_active) for each in versions] == [(2, True), (1, False)]
    assert versions[0].source_sha256 != versions[1].source_sha256


@pytest.mark.parametrize(("mode", "folder"), [(0o620, 0o700), (0o602, 0o700), (0o600, 0o770)])
async def test_a_file_that_others_may_write_is_not_run(tmp_path: Path, mode: int, folder: int) -> None:
    async with a_house(tmp_path) as house:
        file = house.write("quiet", QUIET)
        file.chmod(mode)
        tmp_path.chmod(folder)
        with pytest.raises(BadInput, match="others may write what would be run"):
            await house.host.start("quiet", "ann")
        tmp_path.chmod(0o700)
        assert (await house.host.strategy("quiet")).standing == "STOPPED"
        with pytest.raises(NotKnown):
            await house.host.start("nobody", "ann")


async def test_a_target_becomes_a_run_that_leaves_the_rest_alone(tmp_path: Path) -> None:
    text = """
    class Aims:
        def on_start(self):
            return Target(weights={"BAC.US": "0.01"}, why="a hundredth")
    """
    async with a_house(tmp_path) as house:
        house.write("aims", text)
        await house.host.start("aims", "ann")
        (aimed,) = await house.answered("aims", "TARGET")
        assert aimed.order_id is not None
        run = house.counter.desk.state.runs.get(RunID(aimed.order_id))
    assert (aimed.execution_result, aimed.error_message) == ("TAKEN", "")
    assert run is not None
    assert (run.created.project_id, run.created.sell_unlisted) == ("strategy-aims", False)


async def test_a_paused_strategy_has_no_target_taken(tmp_path: Path) -> None:
    text = """
    class Aims:
        def on_timer(self, at):
            return Target(weights={"BAC.US": "0.01"})
    """
    async with a_house(tmp_path) as house:
        house.write("aims", text, timer_s="0.3")
        await house.host.start("aims", "ann")
        await house.host.pause("aims", "ann")
        async with asyncio.timeout(20):
            while (last := (await house.answered("aims", "TARGET"))[-1]).execution_result != "REFUSED":
                await asyncio.sleep(0.01)
    assert last.error_message == "the strategy is paused, and a target may open; return orders that close"


async def test_a_strategy_sees_none_of_the_desks_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADELOOP_ACCESS__MASTER_KEY", "not for strategies")
    text = """
    import os
    class Looks:
        def on_start(self):
            raise RuntimeError("saw " + ",".join(name for name in os.environ if "TRADELOOP" in name))
    """
    async with a_house(tmp_path) as house:
        house.write("looks", text)
        with pytest.raises(Exception, match=r"RuntimeError: saw $"):
            await house.host.start("looks", "ann")
