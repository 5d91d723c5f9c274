"""Runs over HTTP (S0-41..S0-52, S0-59): planned, made, let go, stopped, tried again, from JSON and from files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.api.desks import EVERY, Client, Counter, Said, a_counter

from tradeloop.feeds.demo import demo_context, demo_portfolio

RUNS = "/api/trade/runs"
TARGET = [{"symbol": "BAC.US", "weight": "0.2"}, {"symbol": "AIG", "weight": "0.1", "name": "American International"}]
CONTEXT = {
    "trade_date": "2013-10-08",
    "active_champion_id": "champion-1",
    "risk_checks": {"liquidity": {"passed": True}},
    "target_exposure": "0.3",
    "project_id": "p1",
    "decision_snapshot_id": "d1",
}


def a_run(**more: Any) -> dict[str, Any]:
    """The body of a run."""
    return {"portfolio": TARGET, "context": CONTEXT, **more}


async def until(counter: Counter, run_id: str, *statuses: str) -> None:
    """Wait until a run has come to one of these."""
    await counter.desk.until(lambda: counter.desk.state.runs[run_id].status.value in statuses)  # type: ignore[index]
    await counter.desk.settled()


async def uploaded(counter: Counter, alice: Client, files: dict[str, Any], **fields: str) -> Said:
    """Files as a browser sends them."""
    key = counter.known.key("alice", *EVERY)
    answer = await counter.http.post(RUNS, files=files, data=fields, headers={"Authorization": f"Bearer {key}"})
    return Said(answer.status_code, answer.json(), answer.headers)


async def test_a_dry_run_shows_the_plan_and_makes_nothing(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        said = await counter.client().post(RUNS, a_run(dry_run=True))
        listed = await counter.client().get(RUNS)
    assert said.status == 200, said.document
    lines = {each["symbol"]: each for each in said.document["plan"]["lines"]}
    assert int(lines["BAC.US"]["order_qty"]) > 10_000
    assert said.document["run_id"] is None
    assert listed.document["runs"] == []


async def test_a_run_with_execute_goes_at_once_and_ends(tmp_path: Path) -> None:
    async with a_counter(tmp_path, feed__speed="60") as counter:
        alice = counter.client()
        said = await alice.post(RUNS, a_run(execute=True))
        assert said.status == 201, said.document
        run_id = said.document["run_id"]
        await until(counter, run_id, "COMPLETED", "FAILED")
        shown = await alice.get(f"{RUNS}/{run_id}")
        orders = await alice.get("/api/trade/orders", run_id=run_id)
    run = shown.document["run"]
    assert (run["status"], run["project_id"], run["created_by"], run["champion_id"]) == (
        "COMPLETED",
        "p1",
        "alice",
        "champion-1",
    )
    assert {each["status"] for each in orders.document["orders"]} == {"FILLED"}
    assert {each["order_type"] for each in orders.document["orders"]} == {"MKT"}


async def test_a_run_without_execute_waits_for_it(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        run_id = (await alice.post(RUNS, a_run())).document["run_id"]
        waiting = (await alice.get(f"{RUNS}/{run_id}")).document["run"]["status"]
        assert not counter.desk.state.orders.open
        said = await alice.post(f"{RUNS}/{run_id}/execute")
        again = await alice.post(f"{RUNS}/{run_id}/execute")
    assert waiting == "NEW"
    assert (said.status, said.document["status"]) == (200, "RUNNING")
    assert again.document["repeat"] is True


async def test_the_same_run_again_is_the_same_run(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        first = await alice.post(RUNS, a_run())
        again = await alice.post(RUNS, a_run())
        other = await alice.post(RUNS, a_run(portfolio=TARGET[:1], context={**CONTEXT, "target_exposure": "0.2"}))
    assert (again.status, again.document["run_id"], again.document["repeat"]) == (200, first.document["run_id"], True)
    assert (other.status, other.code) == (409, "conflict")


async def test_a_held_run_goes_when_it_is_approved(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice, bob = counter.client("alice"), counter.client("bob")
        run_id = (await alice.post(RUNS, a_run(hold=True, execute=True))).document["run_id"]
        assert not counter.desk.state.orders.open
        executed = await alice.post(f"{RUNS}/{run_id}/execute")
        approved = await bob.post(f"{RUNS}/{run_id}/approve")
        shown = (await bob.get(f"{RUNS}/{run_id}")).document["run"]
    assert (executed.status, executed.code) == (409, "conflict")
    assert (approved.document["status"], shown["approved_by"]) == ("RUNNING", "bob")


async def test_a_run_is_paused_resumed_and_cancelled(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        run_id = (await alice.post(RUNS, a_run(execute=True))).document["run_id"]
        paused = await alice.post(f"{RUNS}/{run_id}/pause", reason="look first")
        twice = await alice.post(f"{RUNS}/{run_id}/pause")
        resumed = await alice.post(f"{RUNS}/{run_id}/resume")
        canceled = await alice.post(f"{RUNS}/{run_id}/cancel", reason="enough")
        await until(counter, run_id, "CANCELED", "COMPLETED")
        over = await alice.post(f"{RUNS}/{run_id}/cancel")
    assert [each.document["status"] for each in (paused, twice, resumed)] == ["PAUSED", "PAUSED", "RUNNING"]
    assert canceled.status == 200
    assert (over.status, over.code) == (409, "conflict")


async def test_what_a_cancelled_run_left_is_tried_again(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        run_id = (await alice.post(RUNS, a_run())).document["run_id"]
        early = await alice.post(f"{RUNS}/{run_id}/retry")
        await alice.post(f"{RUNS}/{run_id}/cancel")
        await until(counter, run_id, "CANCELED")
        said = await alice.post(f"{RUNS}/{run_id}/retry")
        listed = (await alice.get(RUNS)).document["runs"]
    assert (early.status, early.code) == (409, "conflict")
    assert said.status == 201, said.document
    assert [(each["run_id"], each["supersedes"], each["attempt"]) for each in listed] == [
        (said.document["run_id"], run_id, 2),
        (run_id, None, 1),
    ]


async def test_files_are_taken_as_a_browser_sends_them(tmp_path: Path) -> None:
    files = {
        "portfolio": ("portfolio.csv", demo_portfolio().read_bytes(), "text/csv"),
        "context": ("execution_context.json", demo_context().read_bytes(), "application/json"),
    }
    async with a_counter(tmp_path) as counter:
        said = await uploaded(counter, counter.client(), files, dry_run="true")
    assert said.status == 200, said.document
    assert len(said.document["plan"]["lines"]) == 4


async def test_a_file_that_cannot_be_read_is_refused_with_its_row(tmp_path: Path) -> None:
    files = {"portfolio": ("../../mine.csv", b"ts_code,weight\nBAC.US,0.2\nBAC.US,0.3\n", "text/csv")}
    async with a_counter(tmp_path) as counter:
        said = await uploaded(counter, counter.client(), files)
    assert (said.status, said.code) == (422, "bad_input")
    assert said.document["detail"].startswith("mine.csv, row 3:")


@pytest.mark.parametrize(
    ("files", "fields", "said"),
    [
        ({"context": ("c.json", b"{}", "application/json")}, {}, "no file was sent under the name portfolio"),
        ({"other": ("c.json", b"{}", "application/json")}, {}, "other is nothing that is sent here"),
        ({"portfolio": ("p.csv", b"ts_code,weight\nBAC.US,0.2\n", "text/csv")}, {"execute": "yes"}, "execute was 'yes'"),
        ({"portfolio": ("p.csv", b"ts_code,weight\nBAC.US,0.2\n", "text/csv")}, {"colour": "red"}, "colour is nothing"),
    ],
)
async def test_an_upload_that_is_not_one_is_refused(
    tmp_path: Path, files: dict[str, Any], fields: dict[str, str], said: str
) -> None:
    async with a_counter(tmp_path) as counter:
        answer = await uploaded(counter, counter.client(), files, **fields)
    assert answer.status in (400, 422)
    assert said in answer.document["detail"]


async def test_a_denied_run_says_every_finding(tmp_path: Path) -> None:
    wrong = {**CONTEXT, "risk_checks": {"liquidity": {"passed": False, "detail": "too thin"}}}
    async with a_counter(tmp_path) as counter:
        said = await counter.client().post(RUNS, a_run(context=wrong, execute=True))
        assert not counter.desk.state.orders.open
    assert (said.status, said.code) == (422, "denied")
    assert "liquidity" in said.document["detail"]


async def test_a_live_run_is_refused_until_it_can_be_confirmed(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        said = await counter.client().post(RUNS, a_run(mode="live", live_confirm_token="LIVE", execute=True))
        assert not counter.desk.state.runs.live
    assert (said.status, said.code) == (403, "not_live")


async def test_a_run_that_is_not_known_is_not_found(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        for path in ("approve", "execute", "pause", "resume", "cancel", "retry"):
            said = await alice.post(f"{RUNS}/nobody/{path}")
            assert (said.status, said.code) == (404, "not_known"), path
        orders = await alice.get("/api/trade/orders", run_id="nobody")
    assert orders.status == 404
