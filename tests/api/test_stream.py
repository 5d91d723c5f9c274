"""The stream: snapshots and numbered deltas of what is durable, resumed after a cut, and quotes that are the newest."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.api.desks import buy, resting
from tests.api.sockets import Line, Wire, a_wire

from tradeloop.access.identity import Scope
from tradeloop.api import stream_socket
from tradeloop.api.stream_channel import KEPT_MAX
from tradeloop.api.stream_hub import Hub
from tradeloop.feeds.demo import DEMO_SYMBOLS

HALT = {"reason": "look", "scope": "symbol", "name": "AAPL.US"}


async def placed(wire: Wire, **more: Any) -> str:
    """An order that rests."""
    said = await wire.client("tom").post("/api/v1/orders", resting(**more))
    return str(said.document["order_id"])


def numbers(line: Line, topic: str) -> list[int]:
    """The numbers of the deltas that came."""
    return [frame["n"] for frame in line.frames if frame["t"] == "delta" and frame["topic"] == topic]


async def test_what_an_order_comes_to_is_told_as_rest_tells_it(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire, wire.line() as line:
        topics = ("orders", "fills", "positions", "account")
        begun = {topic: await line.snapshot(topic) for topic in topics}
        client = wire.client("tom")
        order = (await client.post("/api/v1/orders", buy())).document["order_id"]
        filled = await line.until("orders", order_id=order, status="FILLED")
        shown = (await client.get(f"/api/v1/orders/{order}")).document
        held = (await client.get("/api/v1/positions")).document["positions"][0]
        money = (await client.get("/api/v1/account")).document["money"]
        await line.next("beat")
    last: dict[str, dict[str, Any]] = {topic: {} for topic in topics}
    for frame in line.frames:
        for each in frame.get("put", ()):
            last[frame["topic"]] = each
    assert [begun[topic]["items"] for topic in ("orders", "fills", "positions")] == [[], [], []]
    assert {**shown["order"], "n": filled["n"]} == filled
    assert last["fills"] == {"id": last["fills"]["id"], **shown["fills"][0]}
    moves = ("market_price", "price_at", "market_value", "unrealized_pnl")
    assert {k: v for k, v in last["positions"].items() if k not in ("id", *moves)} == {
        k: v for k, v in held.items() if k not in moves
    }
    assert last["account"] in money
    for topic in topics:
        found = numbers(line, topic)
        assert found == list(range(begun[topic]["n"] + 1, begun[topic]["n"] + 1 + len(found)))


async def test_nothing_is_told_before_it_is_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_wire(tmp_path) as wire, wire.line() as line:
        for topic in ("orders", "halts", "risk"):
            await line.snapshot(topic)
        append, durable = wire.desk.engine._journal.append, asyncio.Event()

        async def held(*rows: Any) -> None:
            await durable.wait()
            await append(*rows)

        monkeypatch.setattr(wire.desk.engine._journal, "append", held)
        asked = [asyncio.ensure_future(placed(wire)), asyncio.ensure_future(wire.client("rex").post("/api/v1/halts", HALT))]
        await wire.desk.until(lambda: bool(wire.desk.state.orders.open) and bool(wire.desk.state.halts))
        anew = [await line.snapshot(topic) for topic in ("orders", "halts")]
        await line.say(op="ping")
        await line.next("pong")
        early = [frame for frame in line.frames if frame["t"] == "delta"]
        durable.set()
        delta = await line.next("delta", "orders")
        assert delta["seq"] <= wire.desk.durable_seq
        await asyncio.gather(*asked)
    assert [each["items"] for each in anew] == [[], []]
    assert early == []


async def test_after_a_cut_the_deltas_that_were_missed_follow(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire:
        key = wire.known.key("alice", Scope.READ_ACCOUNT)
        async with wire.line(key) as line:
            hello = line.frames[0]
            first = await placed(wire)
            await wire.desk.views_show(10)
            begun = await line.snapshot("orders")
        second, third = await placed(wire), await placed(wire)
        async with wire.line(key) as line:
            await line.say(op="subscribe", topic="orders", stream=hello["stream"], from_=begun["n"])
            assert (await line.next("resumed", "orders"))["n"] == begun["n"]
            await line.until("orders", order_id=second)
            await line.until("orders", order_id=third)
    assert [each["order_id"] for each in begun["items"]] == [first]
    found = numbers(line, "orders")
    assert found == list(range(begun["n"] + 1, begun["n"] + 1 + len(found)))


async def test_a_number_of_another_run_or_one_that_is_too_old_brings_a_snapshot(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire, wire.line() as line:
        here = line.frames[0]["stream"]
        other = await line.snapshot("orders", stream="0", from_=1)
        old = await line.snapshot("orders", stream=here, from_=-KEPT_MAX)
        ahead = await line.snapshot("orders", stream=here, from_=10**9)
    assert [each["because"] for each in (other, old, ahead)] == ["restarted", "too_old", "too_old"]


async def test_a_snapshot_has_all_that_is_open_in_parts_as_of_one_number(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire, wire.line() as line:
        orders = [resting(quantity=str(n + 1)) for n in range(130)]
        said = await wire.client("tom").post("/api/v1/orders/batch", {"orders": orders})
        assert said.status == 200, said.document
        await wire.desk.views_show(10)
        await line.say(op="subscribe", topic="orders")
        first = await line.next("snapshot", "orders")
        second = await line.next("snapshot", "orders")
    assert (first["part"], first["last"], second["part"], second["last"]) == (1, False, 2, True)
    assert first["n"] == second["n"]
    assert len({each["order_id"] for each in first["items"] + second["items"]}) == 130


async def test_halts_begin_and_end_and_risk_tells_of_its_limits(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire, wire.line() as line:
        assert (await line.snapshot("halts"))["items"] == []
        assert (await line.snapshot("risk"))["items"] == []
        client = wire.client("tom")
        await client.post("/api/v1/halts", {"reason": "look"})
        halt = await line.until("halts", tier="HALT", reason="look")
        await client.post("/api/v1/halts/release", {"reason": "seen"})
        while not (gone := await line.next("delta", "halts"))["drop"]:
            pass
        body = {"rule": "max_order_qty", "value": "50", "for": "1h", "reason": "a test"}
        said = await client.post("/api/v1/risk/limits", body)
        assert said.status == 200, said.document
        limit = await line.until("risk", what="set")
    assert gone["drop"] == [halt["number"]]
    assert limit["rule"] == "max_order_qty"


async def test_quotes_are_of_the_symbols_that_were_asked_for(tmp_path: Path) -> None:
    async with a_wire(tmp_path, feed__speed="60") as wire, wire.line() as line:
        one, two = DEMO_SYMBOLS[:2]
        await line.say(op="subscribe", topic="quotes", symbols=[str(one)])
        first = await line.next("quotes")
        while len(line.frames) < 20:
            await line.next("quotes")
        await line.say(op="subscribe", topic="quotes", symbols=[str(two)])
        while (last := await line.next("quotes"))["quotes"][0]["symbol"] == one:
            pass
    told = {each["symbol"] for frame in line.frames if frame["t"] == "quotes" for each in frame["quotes"]}
    assert [each["symbol"] for each in first["quotes"]] == [one]
    assert [each["symbol"] for each in last["quotes"]] == [two]
    assert told == {one, two}


async def test_every_second_a_beat_says_the_newest_number_of_each_topic(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire, wire.line() as line:
        await line.snapshot("orders")
        system = await line.snapshot("system")
        order = await placed(wire)
        told = await line.until("orders", order_id=order, status="NEW")
        while (beat := await line.next("beat"))["numbers"]["orders"] < told["n"]:
            pass
        await line.say(op="ping", id="7")
        pong = await line.next("pong")
        await line.say(op="unsubscribe", topic="orders")
        await line.next("unsubscribed", "orders")
        while "orders" in (later := await line.next("beat"))["numbers"]:
            pass
    assert beat["numbers"]["orders"] == told["n"]
    assert set(later["numbers"]) == {"system"}
    assert (pong["id"], system["items"][0]["id"], system["items"][0]["status"]) == ("7", "desk", "ok")


async def test_rows_that_another_process_changed_bring_a_snapshot_unasked(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire, wire.line() as line:
        await line.snapshot("orders")
        order = await placed(wire)
        await line.until("orders", order_id=order, status="NEW")
        wire.desk.views._told_batch = 0  # as if batches had been folded elsewhere
        other = await placed(wire)
        anew = await line.next("snapshot", "orders")
        await asyncio.sleep(0)
    assert anew["because"] == "behind"
    assert {order, other} >= {each["order_id"] for each in anew["items"]} >= {order}


async def test_what_was_missed_may_be_more_than_a_socket_may_be_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Resuming asks for it, so that it does not count as slowness."""
    monkeypatch.setattr(stream_socket, "BEHIND_MAX", 50)
    many = 200
    async with a_wire(tmp_path) as wire:
        key = wire.known.key("alice", Scope.READ_ACCOUNT)
        async with wire.line(key) as line:
            begun = await line.snapshot("risk")
            hub = _hub(wire)
            for n in range(many):
                hub.channels["risk"].tell(n, {str(n): b'{"number":%d}' % n})
            assert await line.code() == 4408
        async with wire.line(key) as line:
            await line.say(op="subscribe", topic="risk", stream=hub.name, from_=begun["n"])
            await line.next("resumed", "risk")
            while (await line.next("delta", "risk"))["n"] < begun["n"] + many:
                pass
    assert numbers(line, "risk") == list(range(begun["n"] + 1, begun["n"] + 1 + many))


def _hub(wire: Wire) -> Hub:
    """What the sockets share: it listens to the desk."""
    for listener in wire.desk._listeners:
        owner = getattr(listener, "__self__", None)
        if isinstance(owner, Hub):
            return owner
    raise AssertionError("nobody listens")
