"""The files of a run over HTTP (S1-11, S1-31..S1-34): those of this run alone, as they were written, and nothing else."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.api.desks import a_counter
from tests.api.sockets import a_wire
from tests.api.test_runs import RUNS, a_run

from tradeloop.access.identity import Scope
from tradeloop.api import artefacts as module
from tradeloop.cli.finished import Finished
from tradeloop.client import AsyncClient, runs

SUBMIT = "broker_submit_20131008_093000.json"
ORDERS = "broker_orders_20131008_093000.parquet"
OLDER = "broker_submit_20131007_093000_2.json"


def put(folder: Path, *names: str) -> None:
    """Files with something in them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(msgspec.json.encode(name))


async def test_the_files_of_a_run_are_listed_and_given_as_they_are(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        run_id = (await alice.post(RUNS, a_run())).document["run_id"]
        none = (await alice.get(f"{RUNS}/{run_id}/artefacts")).document
        put(counter.desk.loaded.home.artefacts / run_id, OLDER, SUBMIT, ORDERS, "notes.txt", ".part")
        listed = (await alice.get(f"{RUNS}/{run_id}/artefacts")).document
        submit, orders = [await alice.get(f"{RUNS}/{run_id}/artefacts/{name}") for name in (OLDER, ORDERS)]
    assert none == {"run_id": run_id, "artefacts": []}
    assert [each["name"] for each in listed["artefacts"]] == [SUBMIT, ORDERS, OLDER]
    assert [each["kind"] for each in listed["artefacts"]] == ["submit", "orders", "submit"]
    assert listed["artefacts"][0]["size"] == len(SUBMIT) + 2
    assert submit.headers["content-type"] == "application/json"
    assert orders.headers["content-type"] == "application/vnd.apache.parquet"
    assert (submit.document, orders.document) == (OLDER, f'"{ORDERS}"')
    assert orders.headers["content-disposition"] == f'attachment; filename="{ORDERS}"'
    assert orders.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "name",
    [
        "notes.txt",
        "..%2f..%2ftradeloop.db",
        "%2e%2e",
        "broker_submit_20131008_093000.json%00",
        "%2fetc%2fpasswd",
        "broker_submit_20131008_093000.json%2f..%2fnotes.txt",
        "broker_fills_20131008_093000.parquet",
        "broker_orders_20131008_093001.parquet",
        "broker_reconcile_20131008_093000.json",
    ],
)
async def test_nothing_else_is_given(tmp_path: Path, name: str) -> None:
    """Neither another file of the folder, nor one beside it, nor a link, nor a folder of that name."""
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        run_id = (await alice.post(RUNS, a_run())).document["run_id"]
        folder = counter.desk.loaded.home.artefacts / run_id
        put(folder, SUBMIT, "notes.txt")
        (folder / "broker_orders_20131008_093001.parquet").symlink_to(counter.desk.loaded.home.database)
        (folder / "broker_reconcile_20131008_093000.json").mkdir()
        said = await alice.get(f"{RUNS}/{run_id}/artefacts/{name}")
        listed = (await alice.get(f"{RUNS}/{run_id}/artefacts")).document["artefacts"]
    assert said.status in (400, 404)
    assert said.code in ("malformed", "not_known", "no_route")
    assert [each["name"] for each in listed] == [SUBMIT]


@pytest.mark.parametrize("run_id", ["..", "%2e%2e%2f", "nobody", "20131008-0123456789-1", "%2fetc"])
async def test_a_run_that_is_not_known_has_none(tmp_path: Path, run_id: str) -> None:
    async with a_counter(tmp_path) as counter:
        put(counter.desk.loaded.home.artefacts / "nobody", SUBMIT)
        said = await counter.client().get(f"{RUNS}/{run_id}/artefacts/{SUBMIT}")
    assert said.status == 404


async def test_who_may_not_read_the_account_gets_none(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        run_id = (await counter.client().post(RUNS, a_run())).document["run_id"]
        put(counter.desk.loaded.home.artefacts / run_id, SUBMIT)
        said = await counter.client("max", Scope.READ_MARKET).get(f"{RUNS}/{run_id}/artefacts/{SUBMIT}")
    assert said.code == "forbidden"


async def test_a_file_that_is_too_large_is_refused_and_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SIZE_MAX", 8)
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        run_id = (await alice.post(RUNS, a_run())).document["run_id"]
        put(counter.desk.loaded.home.artefacts / run_id, SUBMIT)
        said = await alice.get(f"{RUNS}/{run_id}/artefacts/{SUBMIT}")
    assert (said.status, said.code) == (422, "bad_input")


async def test_what_a_run_left_is_what_a_client_gets(tmp_path: Path) -> None:
    async with a_wire(tmp_path, feed__speed="60") as wire:
        finished = Finished(_Silent(), wire.desk)  # type: ignore[arg-type]
        key = wire.known.key("ann", *Scope)
        async with AsyncClient(wire.address, key) as client:
            run_id = (await wire.client("ann").post(RUNS, a_run(execute=True))).document["run_id"]
            await wire.desk.until(lambda: not wire.desk.state.runs.live)
            await wire.desk.settled()  # memory is ahead of what was published
            await finished.close()
            listed = await client.send(runs.artefacts(run_id))
            (submit,) = [each.name for each in listed.artefacts if each.kind == "submit"]
            content = await client.send(runs.artefact(run_id, submit))
    assert {each.kind for each in listed.artefacts} == {"submit", "orders", "fills", "reconcile"}
    assert msgspec.json.decode(content)["run"]["run_id"] == run_id


class _Silent:
    """Whoever is told what went wrong with a file."""

    def say(self, text: str) -> None:
        """Nothing may go wrong here."""
        raise AssertionError(text)
