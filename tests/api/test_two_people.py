"""Where two people exist, one of them over HTTP is still one: an approval that nobody has proven is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.api.desks import a_counter, buy, resting

ORDERS = "/api/v1/orders"
LIMITS = "/api/v1/risk/limits"
SET: dict[str, Any] = {"rule": "max_order_qty", "value": "100000", "for": "2h", "reason": "mine"}
GIVEN_BY_WHO_APPROVES = "an approval is given by who approves"
FILE = "limits:\n  - {rule: max_order_value, value: 1000, severity: approval}\n"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (LIMITS, SET),
        (f"{LIMITS}/revert", {"rule": "max_order_qty", "reason": "over"}),
        ("/api/v1/risk/check", buy()),
        (ORDERS, buy()),
    ],
)
async def test_an_approval_of_somebody_who_is_not_there_is_refused_in_a_sentence(
    tmp_path: Path, path: str, body: dict[str, Any]
) -> None:
    (tmp_path / "risk.yaml").write_text(FILE, encoding="utf-8")
    async with a_counter(tmp_path, risk__approvers=("ann", "bob")) as counter:
        said = await counter.client("ann").post(path, {**body, "approved_by": "bob"})
        assert not counter.desk.state.limits.by_person
        assert not counter.desk.state.orders.open
    assert (said.status, said.code) == (422, "bad_input")
    assert GIVEN_BY_WHO_APPROVES in said.document["detail"]
    assert "command line" in said.document["detail"]


async def test_neither_does_one_of_a_batch_or_a_change_of_an_order_carry_one(tmp_path: Path) -> None:
    async with a_counter(tmp_path, risk__approvers=("ann", "bob")) as counter:
        ann = counter.client("ann")
        order_id = (await ann.post(ORDERS, resting())).document["order_id"]
        await counter.order_is(ann, order_id, "NEW")
        changed = await ann.send("PATCH", f"{ORDERS}/{order_id}", {"quantity": "200", "approved_by": "bob"})
        batch = await ann.post(f"{ORDERS}/batch", {"orders": [resting(), resting(approved_by="bob")]})
        assert counter.desk.state.orders.open[order_id].order_qty == 100
    assert changed.status == 422
    assert GIVEN_BY_WHO_APPROVES in changed.document["detail"]
    first, second = batch.document["results"]
    assert first["problem"] is None
    assert GIVEN_BY_WHO_APPROVES in second["problem"]["detail"]


async def test_who_has_the_file_read_anew_is_recorded_and_loosens_nothing_alone(tmp_path: Path) -> None:
    file = tmp_path / "risk.yaml"
    file.write_text(FILE, encoding="utf-8")
    async with a_counter(tmp_path, risk__approvers=("ann", "bob")) as counter:
        ann = counter.client("ann")
        file.write_text("limits: []\n", encoding="utf-8")
        silent = await ann.post("/api/v1/risk/reload")
        alone = await ann.post("/api/v1/risk/reload", reason="results")
        assert len(counter.desk.state.limits.of_file) == 1
        file.write_text(FILE.replace("1000", "10"), encoding="utf-8")
        lower = await ann.post("/api/v1/risk/reload", reason="results")
        deeds = (await ann.get("/api/v1/audit", subject="limits")).document["audit"]
    assert (silent.status, alone.status, lower.status) == (422, 422, 200)
    assert "is taken for a reason" in silent.document["detail"]
    assert "needs the approval of one of bob" in alone.document["detail"]
    tighter = "tighter: max_order_value of global (10, approval, was 1000, approval)"
    assert lower.document["done"] == f"1 limit in force from risk.yaml; {tighter}"
    assert [(each["who"], each["text"]) for each in deeds] == [
        ("ann", f"1 limit from risk.yaml: results; {tighter}"),
        ("engine", "1 limit from risk.yaml"),
    ]


async def test_alone_nobody_changes_a_limit_or_sends_what_needs_two(tmp_path: Path) -> None:
    (tmp_path / "risk.yaml").write_text(FILE, encoding="utf-8")
    async with a_counter(tmp_path, risk__approvers=("ann", "bob")) as counter:
        ann = counter.client("ann")
        said = await ann.post(LIMITS, SET)
        order = await ann.post(ORDERS, buy())
        assert not counter.desk.state.limits.by_person
    assert (said.status, order.code) == (422, "denied")
    assert "needs the approval of one of bob" in said.document["detail"]
