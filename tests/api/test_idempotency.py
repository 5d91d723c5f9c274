"""The same key again is the same order: at once, later, and after a restart; and never another one's."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.api.desks import a_counter, buy, resting

ORDERS = "/api/v1/orders"


async def test_the_same_key_and_body_answer_with_the_first_order(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        first = await alice.post(ORDERS, resting(), key="k1")
        again = await alice.post(ORDERS, resting(), key="k1")
        assert len(counter.desk.state.orders.open) == 1
    assert again.status == first.status == 201
    assert again.document == {**first.document, "repeat": True}
    assert again.headers["idempotent-replayed"] == "true"


async def test_the_same_key_with_another_body_is_a_conflict(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        await alice.post(ORDERS, resting(), key="k1")
        said = await alice.post(ORDERS, resting(quantity="200"), key="k1")
        assert len(counter.desk.state.orders.open) == 1
    assert (said.status, said.code) == (409, "conflict")
    assert "a different order needs a request_id of its own" in said.document["detail"]


async def test_twenty_at_once_under_one_key_make_one_order(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        said = await asyncio.gather(*(alice.post(ORDERS, resting(), key="k1") for _ in range(20)))
        assert len(counter.desk.state.orders.open) == 1
    assert len({each.document["order_id"] for each in said}) == 1


async def test_a_key_is_remembered_over_a_restart(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        first = await counter.client().post(ORDERS, resting(), key="k1")
    async with a_counter(tmp_path) as counter:
        again = await counter.client().post(ORDERS, resting(), key="k1")
        other = await counter.client().post(ORDERS, buy(), key="k1")
    assert again.document == {**first.document, "repeat": True}
    assert other.code == "conflict"


async def test_two_askers_with_one_key_have_an_order_each(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        mine = await counter.client("alice").post(ORDERS, resting(), key="k1")
        theirs = await counter.client("bob").post(ORDERS, resting(), key="k1")
    assert mine.document["order_id"] != theirs.document["order_id"]


async def test_a_denial_is_answered_again_and_not_decided_again(tmp_path: Path) -> None:
    (tmp_path / "risk.yaml").write_text("limits:\n  - rule: max_order_qty\n    value: 500\n", encoding="utf-8")
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        first = await alice.post(ORDERS, buy("501"), key="k1")
        again = await alice.post(ORDERS, buy("501"), key="k1")
    assert (first.status, again.status) == (422, 422)
    assert again.document["order_id"] == first.document["order_id"]


@pytest.mark.parametrize("key", ["with space", "x" * 129, "\u00e9"])
async def test_a_key_that_is_not_one_is_refused(tmp_path: Path, key: str) -> None:
    async with a_counter(tmp_path) as counter:
        headers = {"Idempotency-Key": key.encode("latin-1")}
        said = await counter.client().send("POST", ORDERS, resting(), headers=headers)
        assert not counter.desk.state.orders.open
    assert (said.status, said.code) == (400, "malformed")


async def test_a_request_that_keeps_no_key_does_not_pretend_to(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        said = await counter.client().post("/api/v1/halts", {"reason": "x"}, key="k1")
        assert not counter.desk.state.halts
    assert (said.status, said.code) == (400, "malformed")
