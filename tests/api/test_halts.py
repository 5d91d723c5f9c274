"""The stop over HTTP, in every tier and scope, and its release; limits of risk, and what they say of an order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.api.desks import a_counter, buy, resting

from tradeloop.access.identity import Scope

ORDERS = "/api/v1/orders"
HALTS = "/api/v1/halts"


async def test_a_halt_lets_no_order_leave_until_it_is_released(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        said = await alice.post(HALTS, {"reason": "news"})
        denied = await alice.post(ORDERS, buy())
        latched = (tmp_path / "HALT").exists()
        released = await alice.post(f"{HALTS}/release", {"reason": "over"})
        taken = await alice.post(ORDERS, buy())
    assert (said.status, said.document["recorded"], said.document["latched"]) == (201, True, True)
    assert said.document["halts"][0]["reason"] == "news"
    assert latched
    assert (denied.status, denied.code) == (422, "denied")
    assert released.status == 200, released.document
    assert taken.status == 201, taken.document


async def test_cancel_all_takes_everything_out_of_the_market(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        ids = [(await alice.post(ORDERS, resting(price=f"12.{n}0"))).document["order_id"] for n in range(3)]
        for order_id in ids:
            await counter.order_is(alice, order_id, "NEW")
        said = await alice.post(f"{HALTS}/cancel-all", {"reason": "out"})
        for order_id in ids:
            await counter.order_is(alice, order_id, "CANCELED")
    assert said.status == 201


async def test_flatten_closes_what_is_held(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        order_id = (await alice.post(ORDERS, buy())).document["order_id"]
        await counter.order_is(alice, order_id, "FILLED")
        await alice.post(f"{HALTS}/flatten", {})
        await counter.desk.until(lambda: not counter.desk.held_symbols())
        positions = (await alice.get("/api/v1/positions")).document["positions"]
    assert positions == []


@pytest.mark.parametrize(
    ("scope", "name", "stopped"),
    [
        ("account", "paper", True),
        ("broker", "paper", True),
        ("symbol", "BAC", True),
        ("symbol", "AIG", False),
        ("strategy", "s1", True),
        ("strategy", "s2", False),
    ],
)
async def test_a_halt_covers_its_scope_and_no_more(tmp_path: Path, scope: str, name: str, stopped: bool) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        halted = await alice.post(HALTS, {"scope": scope, "name": name})
        assert halted.status == 201, halted.document
        said = await alice.post(ORDERS, buy(strategy_id="s1"))
        released = await alice.post(f"{HALTS}/release", {"scope": scope, "name": name, "reason": "over"})
    assert (said.status == 422) is stopped
    assert released.status == 200


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"scope": "planet", "name": "x"}, 422, "scope was 'planet'"),
        ({"scope": "symbol"}, 422, "name was empty"),
        ({"scope": "global", "name": "BAC"}, 422, "global is everything"),
        ({"scope": "account", "name": "nobody"}, 404, "nothing was halted"),
        ({"scope": "broker", "name": "nobody"}, 404, "nothing was halted"),
        ({"tier": "EXPLODE"}, 422, "tier was"),
        ({"who": "me"}, 400, "who is no field"),
    ],
)
async def test_a_halt_that_cannot_be_meant_is_refused(tmp_path: Path, body: dict[str, Any], status: int, said: str) -> None:
    async with a_counter(tmp_path) as counter:
        answer = await counter.client().post(HALTS, body)
        assert not counter.desk.state.halts
    assert answer.status == status, answer.document
    assert said in answer.document["detail"]
    assert not (tmp_path / "HALT").exists()


async def test_a_halt_holds_by_its_file_where_the_journal_does_not_take_it(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        await counter.desk.engine.stop()
        said = await alice.post(HALTS, {"reason": "the database is down"})
    assert (said.status, said.code) == (503, "journal_failed")
    assert said.document["latched"] is True
    assert "HALT is latched by HALT" in said.document["detail"]
    assert (tmp_path / "HALT").exists()


async def test_who_trades_may_stop_and_may_not_release(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        trader = counter.client("tom", Scope.ORDER_PAPER, Scope.CANCEL, Scope.HALT)
        halted = await trader.post(HALTS, {})
        released = await trader.post(f"{HALTS}/release", {"reason": "I want to"})
    assert (halted.status, released.status, released.document["scope"]) == (201, 403, "risk:write")


async def test_a_limit_is_set_for_a_time_holds_and_is_taken_back(tmp_path: Path) -> None:
    given = {"rule": "max_order_qty", "value": "500", "reason": "results", "for": "30min"}
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        said = await alice.post("/api/v1/risk/limits", given)
        shown = (await alice.get("/api/v1/risk/limits")).document["limits"]
        checked = (await alice.post("/api/v1/risk/check", buy("501"))).document
        denied = await alice.post(ORDERS, buy("501"))
        reverted = await alice.post("/api/v1/risk/limits/revert", {"rule": "max_order_qty", "reason": "over"})
        taken = await alice.post(ORDERS, buy("501"))
    assert said.status == 200, said.document
    assert [(each["rule"], each["value"], each["origin"], each["reason"]) for each in shown] == [
        ("max_order_qty", "500", "alice", "results")
    ]
    assert checked["denied"]["rule"] == "max_order_qty"
    assert (denied.code, reverted.status, taken.status) == ("denied", 200, 201)


@pytest.mark.parametrize(
    "given",
    [
        {"rule": "max_order_qty", "value": "500", "reason": "", "for": "30min"},
        {"rule": "max_order_qty", "value": "500", "reason": "x", "for": "ever"},
        {"rule": "max_order_qty", "value": "500", "reason": "x", "for": "900d"},
        {"rule": "no_such_rule", "value": "500", "reason": "x", "for": "30min"},
        {"rule": "max_order_qty", "value": "lots", "reason": "x", "for": "30min"},
    ],
)
async def test_a_limit_that_cannot_be_meant_is_refused(tmp_path: Path, given: dict[str, str]) -> None:
    async with a_counter(tmp_path) as counter:
        said = await counter.client().post("/api/v1/risk/limits", given)
        assert not counter.desk.state.limits.in_force
    assert (said.status, said.code) == (422, "bad_input")


async def test_limits_are_read_anew_and_a_bad_file_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "risk.yaml"
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        file.write_text("limits:\n  - rule: max_order_qty\n    value: 500\n", encoding="utf-8")
        said = await alice.post("/api/v1/risk/reload")
        file.write_text("limits: nonsense\n", encoding="utf-8")
        refused = await alice.post("/api/v1/risk/reload")
        shown = (await alice.get("/api/v1/risk/limits")).document["limits"]
    assert "1 limit" in said.document["done"]
    assert (refused.status, refused.code) == (422, "bad_input")
    assert [each["origin"] for each in shown] == ["risk.yaml"]


async def test_health_is_terse_for_strangers_and_full_for_the_signed_in(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        stranger = await counter.stranger().get("/health")
        alice = await counter.client().get("/health")
        ended = await counter.stranger().send("GET", "/health", headers={"Cookie": "tradeloop_session=gone"})
    assert (stranger.status, stranger.document) == (200, {"status": "ok", "details": None})
    assert ended.document == stranger.document
    details = alice.document["details"]
    assert (details["broker_ready"], details["views_lag"], details["feed"]) == (True, 0, "demo")


async def test_metrics_count_answers_and_show_the_desk(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        await alice.post(ORDERS, resting())
        said = await alice.get("/metrics")
        stranger = await counter.stranger().get("/metrics")
    assert 'tradeloop_http_answers_total{method="POST",path="/api/v1/orders",status="201"} 1.0' in said.document
    assert "tradeloop_orders_open 1.0" in said.document
    assert stranger.status == 401
