"""Alerts over HTTP: acknowledged by whoever has seen them, by name, time and note; told on the stream, kept in the journal."""

from __future__ import annotations

from pathlib import Path

from tests.api.desks import a_counter
from tests.api.sockets import a_wire

from tradeloop.access.identity import Scope

ALERTS, ONE = "/api/v1/alerts", "/api/v1/alerts/halt:1/acknowledge"
HALT = {"reason": "look", "scope": "symbol", "name": "AAPL.US"}


async def test_who_has_seen_an_alert_stands_beside_it_and_the_first_stands(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        ann, bob = counter.client("ann"), counter.client("bob")
        await ann.post("/api/v1/halts", HALT)
        unseen = (await ann.get(ALERTS, unseen="true")).document["alerts"]
        said = await ann.post(ONE, {"note": "I call the broker"})
        second = await bob.post(ONE, {})
        open_ = (await ann.get(ALERTS)).document["alerts"]
        left = (await ann.get(ALERTS, unseen="true")).document["alerts"]
        deeds = (await ann.get("/api/v1/audit", what="AlertAcknowledged")).document["audit"]
    assert [each["acknowledged_at"] for each in unseen] == [None]
    assert (said.status, second.document) == (200, said.document)
    assert open_ == [said.document]
    assert (said.document["acknowledged_by"], said.document["note"]) == ("ann", "I call the broker")
    assert said.document["resolved_at"] is None
    assert left == []
    assert [(each["who"], each["subject"], each["text"]) for each in deeds] == [("ann", "halt:1", "I call the broker")]


async def test_what_is_over_or_not_there_is_not_acknowledged(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        ann = counter.client("ann")
        await ann.post("/api/v1/halts", HALT)
        release = {"reason": "looked", "scope": "symbol", "name": "AAPL.US"}
        assert (await ann.post("/api/v1/halts/release", release)).status == 200
        over, unknown = await ann.post(ONE, {}), await ann.post("/api/v1/alerts/fate:nobody/acknowledge", {})
        viewer = await counter.client("vic", Scope.READ_ACCOUNT).post(ONE, {})
        long = await ann.post(ONE, {"note": "x" * 201})
    assert [(each.status, each.code) for each in (over, unknown, viewer)] == [
        (409, "conflict"),
        (404, "not_known"),
        (403, "forbidden"),
    ]
    assert long.code == "malformed"


async def test_an_acknowledgement_is_told_on_the_stream(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire, wire.line() as line:
        await line.snapshot("alerts")
        ann = wire.client("ann")
        await ann.post("/api/v1/halts", HALT)
        await line.until("alerts", id="halt:1", acknowledged_by="")
        said = await ann.post(ONE, {"note": "seen"})
        told = await line.until("alerts", id="halt:1", acknowledged_by="ann")
    assert {name: value for name, value in told.items() if name != "n"} == said.document
