"""Strategies over HTTP: who may look, who may start, and what is told."""

from __future__ import annotations

from pathlib import Path

from tests.api.desks import a_counter
from tests.strategies.houses import BUYS, QUIET, a_house

from tradeloop.access.identity import SCOPES, Role

PATH = "/api/v1/strategies"


async def test_a_viewer_looks_and_a_trader_starts(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.write("quiet", QUIET)
        viewer = house.counter.client("vera", *SCOPES[Role.VIEWER])
        trader = house.counter.client("tom", *SCOPES[Role.TRADER])
        refused = [await viewer.post(f"{PATH}/quiet/{what}") for what in ("start", "pause", "stop")]
        started = await trader.post(f"{PATH}/quiet/start")
        again = await trader.post(f"{PATH}/quiet/start")
        seen = await viewer.get(f"{PATH}/quiet")
        paused = await trader.post(f"{PATH}/quiet/pause")
        stopped = await trader.post(f"{PATH}/quiet/stop")
        listed = await viewer.get(PATH)
    assert [(each.status, each.code) for each in refused] == [(403, "forbidden")] * 3
    assert started.document == {"done": "strategy quiet runs, version 1 of its configuration"}
    assert (again.status, again.code) == (409, "conflict")
    assert (seen.document["standing"], seen.document["symbols"], seen.document["version"]) == ("RUNNING", ["BAC.US"], 1)
    assert [each.status for each in (paused, stopped)] == [200, 200]
    assert [(each["name"], each["standing"], each["why"]) for each in listed.document["strategies"]] == [
        ("quiet", "STOPPED", "stopped by tom")
    ]


async def test_triggers_are_told_page_by_page_and_versions_with_their_hash(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.write("buys", BUYS)
        client = house.counter.client()
        await client.post(f"{PATH}/buys/start")
        (bought,) = await house.answered("buys", "BUY")
        first = await client.get(f"{PATH}/buys/triggers", limit="1")
        rest = await client.get(f"{PATH}/buys/triggers", limit="1", cursor=first.document["next"])
        configs = await client.get(f"{PATH}/buys/configs")
    told = first.document["triggers"][0]
    assert (told["action_type"], told["execution_result"], told["order_id"]) == ("BUY", "TAKEN", bought.order_id)
    assert told["trigger_price"] == bought.trigger_price
    assert [each["action_type"] for each in rest.document["triggers"]] == ["START"]
    (version,) = configs.document["versions"]
    assert (version["version"], version["is_active"], len(version["source_sha256"])) == (1, True, 64)


async def test_what_can_not_be_started_is_said_and_names_no_fault(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        house.write("bad", "class Bad:\n    def on_start(self): raise ValueError('not today')\n")
        client = house.counter.client()
        bad = await client.post(f"{PATH}/bad/start")
        nobody = [await client.post(f"{PATH}/nobody/{what}") for what in ("start", "pause", "stop")]
        nobody += [await client.get(f"{PATH}/nobody{what}") for what in ("", "/configs", "/triggers")]
    assert (bad.status, bad.code, bad.document["detail"]) == (422, "strategy_ended", "on_start: ValueError: not today")
    assert [(each.status, each.code) for each in nobody] == [(404, "not_known")] * 6


async def test_a_desk_without_a_host_says_so(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        client = counter.client()
        listed, started = await client.get(PATH), await client.post(f"{PATH}/dip/start")
    assert listed.document == {"strategies": []}
    assert (started.status, started.code) == (404, "not_known")


async def test_a_contract_that_a_strategy_works_with_goes_on_being_quoted(tmp_path: Path) -> None:
    """S4-50: the feed leaves the main contract of before where nobody needs it."""
    async with a_house(tmp_path) as house:
        house.write("quiet", QUIET)
        client, main = house.counter.client(), "/api/v1/main-contract"
        await client.send("PUT", main, {"symbol": "BAC.US"})
        await client.post(f"{PATH}/quiet/start")
        kept = await client.send("PUT", main, {"symbol": "IBM.US"})
        await client.send("PUT", main, {"symbol": "BAC.US"})
        await client.post(f"{PATH}/quiet/stop")
        left = await client.send("PUT", main, {"symbol": "IBM.US"})
    assert kept.document["steps"][2] == "BAC.US is quoted on: a strategy works with it"
    assert left.document["steps"][2] == "the feed delivers BAC.US no more"
